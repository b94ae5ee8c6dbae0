"""Measures what a sweep costs beside its tasks: ``python -m qfl_explore.sweeps.measure``.

Two questions. Do n workers on n cores do n times the work of one? And how many tasks a second
does the scheduler get through, so how short may a task be before sending several together pays?
The second is asked with tasks that only sleep, so that 8 workers can be tried on 2 cores.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from typing import Any

import pandas as pd

from qfl_explore.config import Settings
from qfl_explore.results import ResultStore
from qfl_explore.sweeps import cluster
from qfl_explore.sweeps.drive import stream
from qfl_explore.sweeps.grid import Grid
from qfl_explore.sweeps.registry import Experiment

#: A task this many times longer than what is added to it is long enough to go alone.
WORTH = 20.0
COLUMNS = ("kind", "n_workers", "task_ms", "batch", "n_tasks", "tasks_per_s", "efficiency", "overhead_ms")


@dataclasses.dataclass(frozen=True, kw_only=True)
class NapConfig(Settings):
    """A task that sleeps.

    Args:
        seconds: of sleep.
        number: tells tasks apart.
    """

    seconds: float = 0.0
    number: int = 0


@dataclasses.dataclass(frozen=True)
class Nap:
    """What a nap leaves."""

    config: NapConfig

    def summary(self) -> dict[str, Any]:
        """How long it was meant to be."""
        return {"slept": self.config.seconds}


def nap(config: NapConfig) -> Nap:
    """Sleeps."""
    if config.seconds:
        time.sleep(config.seconds)
    return Nap(config)


_HERE = "qfl_explore.sweeps.measure"  # also where this module is run as __main__
NAP = Experiment("nap", f"{_HERE}:NapConfig", f"{_HERE}:nap", "sleeps, to measure the scheduler")


def overhead(n_workers: int, task_s: float, batch: int | None, n_tasks: int, kind: str = "processes") -> dict[str, Any]:
    """Runs naps on a cluster of this process.

    Args:
        n_workers: processes (or threads).
        task_s: length of one nap.
        batch: tasks that are sent together; ``None``: automatic.
        n_tasks: how many.
        kind: of the cluster.

    Returns:
        One row, ``COLUMNS``: ``efficiency`` is the time slept over the time the workers had,
        ``overhead_ms`` what a worker had to spend on a task beside sleeping.
    """
    grid = Grid(experiment=NAP, base={"seconds": task_s}, axes={"number": range(n_tasks)})
    client = cluster.local_client(kind, n_workers)
    wall, _, _ = _timed(grid, client, batch)
    spent = wall * n_workers / n_tasks
    values = (
        kind,
        n_workers,
        1e3 * task_s,
        batch or 0,
        n_tasks,
        n_tasks / wall,
        task_s / spent,
        1e3 * (spent - task_s),
    )
    return dict(zip(COLUMNS, values, strict=True))


def overheads(workers: tuple[int, ...] = (2, 4, 8), seconds: float = 3.0) -> pd.DataFrame:
    """`overhead` for several numbers of workers and lengths of a task, alone and in automatic batches."""
    rows = []
    for n_workers in workers:
        overhead(n_workers, 0.0, None, 50 * n_workers)  # wakes everything up
        for task_s in (0.0, 0.001, 0.01, 0.1):
            for batch in (1, None):
                likely = max(task_s, 0.002 if batch else 0.0004)
                n_tasks = int(min(4000, max(8 * n_workers, seconds * n_workers / likely)))
                rows.append(overhead(n_workers, task_s, batch, n_tasks))
        cluster.shutdown()
    return pd.DataFrame(rows)


def break_even_ms(table: pd.DataFrame) -> float:
    """Length of a task below which batches pay, in ms: `WORTH` times what a task sent alone costs its worker."""
    alone = table[(table["batch"] == 1) & (table["task_ms"] == 0.0)]
    return float(WORTH * alone["overhead_ms"].max())


#: What is run to see how n workers scale: many calls on small circuits, and few on large ones.
WORKLOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "small circuits": ("polynomial", {"n_steps": 400, "fusion.degree": 5}),
    "large circuits": (
        "gradient_variance",
        {"fusion.n_modalities": 4000, "fusion.degree": 3, "precision": 0.01, "max_draws": 512, "n_inputs": 4},
    ),
}


def scaling(
    workload: str = "small circuits", n_workers: int = 2, n_tasks: int = 40, kind: str = "processes", n_repeats: int = 4
) -> dict[str, Any]:
    """The same runs on one worker and on several, in turns; the shortest time of each counts.

    Args:
        workload: one of ``WORKLOADS``.
        n_workers: not more than there are cores.
        n_tasks: seeds.
        kind: of the cluster.
        n_repeats: of each.

    Returns:
        ``seconds_one``, ``seconds_all``, ``efficiency`` (of the two, divided by ``n_workers``), and
        ``cpu_efficiency``: processor time of one worker over that of all workers and this process
        together, for the same work. It says the same on a machine that is busy with other things.
    """
    experiment, base = WORKLOADS[workload]
    seconds: dict[int, list[tuple[float, float, float]]] = {1: [], n_workers: []}
    for repeat in range(n_repeats + 1):
        for count, times in seconds.items():
            n_now = n_tasks if repeat else 4 * count  # the first time wakes everything up
            grid = Grid(experiment=experiment, base=base, axes={"seed": range(n_now)})
            times.append(_timed(grid, cluster.local_client(kind, count)))
    cluster.shutdown()
    one, several = ([min(column) for column in zip(*times[1:], strict=True)] for times in seconds.values())
    return {
        "workload": workload,
        "kind": kind,
        "n_workers": n_workers,
        "task_ms": 1e3 * one[0] / n_tasks,
        "n_tasks": n_tasks,
        "seconds_one": one[0],
        "seconds_all": several[0],
        "efficiency": one[0] / several[0] / n_workers,
        "cpu_efficiency": one[1] / (several[1] + several[2]),
    }


def _timed(grid: Grid, client: Any, batch: int | None = None) -> tuple[float, float, float]:
    """Seconds on the clock, and of the workers' and this process's processors."""
    here = "inproc" in client.scheduler.address
    before = sum(client.run(time.process_time).values())
    began, own = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="qfl-measure-", ignore_cleanup_errors=True) as folder:
        for _ in stream(grid, client, ResultStore(f"{folder}/results.sqlite"), batch=batch):
            pass
        wall, own = time.perf_counter() - began, time.process_time() - own
    return wall, sum(client.run(time.process_time).values()) - before, 0.0 if here else own


def main(arguments: list[str] | None = None) -> int:
    """Prints both measurements."""
    parser = argparse.ArgumentParser(prog="python -m qfl_explore.sweeps.measure", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8], help="workers of the sleeping tasks")
    parser.add_argument("--seconds", type=float, default=3.0, help="about so long for each row")
    parser.add_argument("--tasks", type=int, default=40, help="runs for the scaling")
    parser.add_argument("--skip", choices=("scaling", "overhead"), nargs="*", default=[])
    chosen = parser.parse_args(arguments)
    if "scaling" not in chosen.skip:
        n_cores = min(cluster.CPU_COUNT, 8)
        rows = [scaling(work, n_cores, chosen.tasks, kind) for work in WORKLOADS for kind in cluster.KINDS]
        _say(pd.DataFrame(rows).round(3).to_string(index=False))
    if "overhead" not in chosen.skip:
        table = overheads(tuple(chosen.workers), chosen.seconds)
        _say(table.round(3).to_string(index=False))
        _say(f"Tasks shorter than about {break_even_ms(table):.0f} ms are better sent together; this is automatic.")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n\n")


if __name__ == "__main__":
    from qfl_explore.sweeps.measure import main as imported

    raise SystemExit(imported())

"""``qfl-explore study systems``: the comparison of three quantum fusion systems, computed where it is missing.

One run is all methods and all seeds of a ready-made task (`experiments.systems_config.TASKS`): the ten methods
that the page trains, and both ablations. Runs are kept in the result store, so that the command can be stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from qfl_explore.datasets.places import VARIABLE
from qfl_explore.datasets.registry import is_here
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.systems_config import (
    CROSS_ABLATION,
    DEFAULT_METHODS,
    ENTANGLED_ABLATION,
    QUANTUM_SYSTEMS,
    QUICK,
    TASKS,
    SystemsConfig,
    task_config,
)
from qfl_explore.results import Record, ResultStore, run_key
from qfl_explore.sweeps import Experiment, Grid, run

INTERRUPTED = 130
#: Name of a variant of all tasks -> what it changes. ``whole``: what a choice of ours is worth, see `siblings.REACH`.
VARIANTS: dict[str, dict[str, Any]] = {"main": {}, "whole": {"reach": math.pi, "methods": QUANTUM_SYSTEMS}}
METHODS = tuple(dict.fromkeys((*DEFAULT_METHODS, *CROSS_ABLATION, *ENTANGLED_ABLATION)))
#: Less than anybody should read: whether the command works.
TINY: dict[str, Any] = {"seeds": (0, 1), "epochs": 2, "learning_rates": (0.05,), "penalties": (1.0,)}


@dataclasses.dataclass(frozen=True)
class Cell:
    """What is kept of a task.

    Attributes:
        config: its settings.
        table: one row a seed and method.
        about: `SystemsResult.summary`, and of the data.
    """

    config: SystemsConfig
    table: pd.DataFrame
    about: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """``about``."""
        return self.about


def compute_task(config: SystemsConfig) -> Cell:
    """Runs all methods and seeds of a task."""
    from qfl_explore.experiments import systems

    result = systems.run(config)
    return Cell(config, result.scores, result.summary())


#: Not in the registry: the command alone runs it, through the sweeps.
EXPERIMENT = Experiment(
    "systems_cell",
    "qfl_explore.experiments.systems_config:SystemsConfig",
    "qfl_explore.study.systems:compute_task",
    "all systems, ablations and classical methods on one task",
)


def settings(task: str, quick: bool = False, variant: str = "main") -> dict[str, Any]:
    """What a task's config changes in the default."""
    small = {"n_train": 60} if quick and TASKS[task][1].get("n_train") else {}
    return {**TASKS[task][1], **(TINY if quick else QUICK), **small, "methods": METHODS, **VARIANTS[variant]}


def grid_of(task: str, quick: bool = False, variant: str = "main") -> Grid:
    """The single point of a task."""
    base = settings(task, quick, variant)
    return Grid(experiment=EXPERIMENT, base=base, axes={"seeds": [base.pop("seeds")]})


def kept(tasks: Sequence[str], store: ResultStore, quick: bool = False, variant: str = "main") -> dict[str, Record]:
    """Task -> its record, as far as the store has it."""
    configs = {task: task_config(task, **settings(task, quick, variant)) for task in tasks}
    keys = {task: run_key(EXPERIMENT.name, config.run_id) for task, config in configs.items()}
    known = store.get_all(list(keys.values()))
    return {task: known[key] for task, key in keys.items() if key in known}


def main(words: Sequence[str]) -> int:
    """Runs the command.

    Returns:
        0, or 130 after Ctrl-C; wrong input ends it with a message in three parts and code 2.
    """
    parser = _parser()
    options = parser.parse_args(list(words))
    try:
        return _run(options)
    except (ValueError, TypeError) as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qfl-explore study systems", description=__doc__)
    parser.add_argument("--data", metavar="FOLDER", help=f"holds one folder a data set (else ${VARIABLE}, else data/)")
    parser.add_argument("--out", default="docs/systems.md", metavar="FILE.md", help="the report; a CSV goes beside it")
    parser.add_argument("--store", metavar="URL", help="where runs are kept (else $QFL_EXPLORE_RESULTS, else your own)")
    parser.add_argument("--only", nargs="+", default=[], metavar="TASK", help=f"to compute, of {', '.join(TASKS)}")
    parser.add_argument("--quick", action="store_true", help="whether everything works; says nothing")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--retry", action="store_true", help="compute tasks again that failed before")
    parser.add_argument("--report", action="store_true", help="compute nothing: write the report of what is kept")
    return parser


def _run(options: argparse.Namespace) -> int:
    from qfl_explore.study.systems_report import write

    out = Path(options.out)
    if out.suffix != ".md" or not out.resolve().parent.is_dir():
        raise invalid("--out cannot be used", "a file .md in a folder that exists", repr(options.out))
    if options.data is not None:
        if not Path(options.data).is_dir():
            raise invalid("--data cannot be used", "a folder that exists", repr(options.data))
        os.environ[VARIABLE] = str(Path(options.data).resolve())  # worker processes read it, too
    check_int("--workers", options.workers, 1, 1024)
    tasks = [check_option("each of --only", task, TASKS) for task in options.only] or list(TASKS)
    code = 0
    with contextlib.closing(ResultStore(options.store)) as store:
        if not options.report:
            try:
                compute(tasks, store, options)
            except KeyboardInterrupt:
                print("\nStopped. What is finished is kept; the same command goes on.")  # noqa: T201
                code = INTERRUPTED
        whole = kept(list(TASKS), store, options.quick, "whole")
        write(out, kept(list(TASKS), store, options.quick), options.quick, whole)
    print(f"Report: {out}")  # noqa: T201
    return code


def compute(tasks: Sequence[str], store: ResultStore, options: argparse.Namespace) -> None:
    """Runs what the store does not have, of the tasks whose data are here."""
    for variant, task in itertools.product(VARIANTS, tasks):
        title, changes = TASKS[task]
        known = kept([task], store, options.quick, variant).get(task)
        if known is not None and (known.ok or not options.retry):
            continue
        if not is_here(changes["dataset"]):
            print(f"left out: {task}, the data of {changes['dataset']!r} are not here")  # noqa: T201
            continue
        print(title if variant == "main" else f"{title}, angles up to π", flush=True)  # noqa: T201
        run(grid_of(task, options.quick, variant), store=store, retry=options.retry, n_workers=options.workers, batch=1)

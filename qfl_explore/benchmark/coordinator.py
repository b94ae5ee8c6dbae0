"""Runs the engines in turn: one process each, checked first, then timed round by round."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.benchmark.cases import Case
from qfl_explore.errors import invalid

HERE = Path(__file__).parent
#: How far a float32 engine may be from the float64 reference before its time counts.
TOLERANCE = 2e-4
ROUNDS = 5
#: An engine that takes longer than this for one answer is asked once.
SLOW_S = 3.0


@dataclasses.dataclass(frozen=True)
class Peer:
    """An engine that can be timed.

    Attributes:
        name: as shown.
        module: in ``peers/``.
        environment: folder of its own virtual environment below ``.venv-peers``, or "".
        compiles: whether every new circuit is compiled before its first result.
    """

    name: str
    module: str
    environment: str = ""
    compiles: bool = False

    def python(self, root: Path) -> str:
        """The interpreter to run it with."""
        return str(root / ".venv-peers" / self.environment / "bin" / "python") if self.environment else sys.executable

    def installed(self, root: Path) -> bool:
        """Whether its environment is there."""
        return Path(self.python(root)).exists()


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("batched", "ours_batched"),
        Peer("tfq", "ours_tfq"),
        Peer("qsim", "ours_qsim"),
        Peer("jax", "jax_scan", compiles=True),
        Peer("tensorflow-xla", "tensorflow_xla", compiles=True),
    )
}


class Worker:
    """One engine's process."""

    def __init__(self, peer: Peer, root: Path, n_threads: int) -> None:
        self.peer = peer
        environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        environment |= {"OMP_NUM_THREADS": str(n_threads)}
        command = [peer.python(root), "-u", str(HERE / "worker.py"), peer.module, str(HERE / "peers")]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment
        )
        self.ready = self._answer()

    def ask(self, **message: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer."""
        assert self.process.stdin is not None  # noqa: S101 - a pipe was asked for
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.errors.seek(0)
        tail = self.errors.read()[-300:].strip()
        return {"failed": f"the process ended with code {self.process.wait()}: {tail}"}

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def run(cases: Sequence[Case], names: Sequence[str], *, root: Path, budget_s: float = 1.0) -> Iterator[pd.DataFrame]:
    """Times the engines on each case; yields the rows of one case as soon as they are there.

    Args:
        cases: what to time.
        names: keys of ``PEERS``.
        root: where ``.venv-peers`` may lie.
        budget_s: seconds for one engine, one question and one round.

    Yields:
        A table: engine, case, errors, first-result time (s; set-up and compilation included),
        median, lowest and highest steady time (ms), peak memory (MiB), or why it failed.

    Raises:
        ValueError: an engine is unknown.
    """
    for name in names:
        if name not in PEERS:
            raise invalid("an engine is unknown", "some of " + ", ".join(PEERS), name)
    present = [PEERS[name] for name in names if PEERS[name].installed(root)]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            yield _run_case(case, present, Path(folder), root, budget_s)


def _run_case(case: Case, peers: Sequence[Peer], folder: Path, root: Path, budget_s: float) -> pd.DataFrame:
    path = str(case.write(folder))
    workers = [Worker(peer, root, len(os.sched_getaffinity(0))) for peer in peers]
    rows = []
    try:
        for worker in workers:
            row = {**dataclasses.asdict(case), "n_qubits": case.config.n_qubits, "engine": worker.peer.name}
            row |= worker.ready
            row |= worker.ask(do="load", case=path) if "failed" not in row else {}
            row |= row.pop("errors", {})
            wrong = max(row.get(key, 0.0) for key in ("values", "d_features", "d_weights"))
            if not wrong <= TOLERANCE:
                row["failed"] = f"off by {wrong:.2g}, more than {TOLERANCE:.0e}"
            rows.append(row)
        for what in ("forward", "gradient"):
            _take_turns(workers, rows, what, budget_s)
    finally:
        for worker in workers:
            worker.close()
    return pd.DataFrame(rows)


def _take_turns(workers: Sequence[Worker], rows: list[dict[str, Any]], what: str, budget_s: float) -> None:
    times: list[list[float]] = [[] for _ in workers]
    for turn in range(ROUNDS):
        for worker, row, seen in zip(workers, rows, times, strict=True):
            if "failed" in row or (turn and seen[0] > SLOW_S):
                continue
            answer = worker.ask(do="time", what=what, budget_s=budget_s, most=200)
            seen.extend(answer.get("times_s", []))
            row["peak_mib"] = answer.get("peak_mib")
            if "failed" in answer:
                row["failed"] = answer["failed"]
    for row, seen in zip(rows, times, strict=True):
        if seen:
            low, middle, high = np.quantile(seen, [0.05, 0.5, 0.95]) * 1e3
            row |= {f"{what}_ms": middle, f"{what}_low_ms": low, f"{what}_high_ms": high, f"{what}_runs": len(seen)}

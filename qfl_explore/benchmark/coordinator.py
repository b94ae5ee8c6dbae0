"""Runs the engines in turn: one process each, checked first, then timed round by round."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.benchmark.cases import Case
from qfl_explore.errors import invalid
from qfl_explore.simulation.chunks import n_cores

HERE = Path(__file__).parent
#: How far a float32 engine may be from the float64 reference before its time counts.
TOLERANCE = 2e-4
ROUNDS = 5
#: An engine that takes longer than this for one answer is asked once.
SLOW_S = 3.0
#: Answers timed in one turn, at most; enough that microseconds are measured in a steady state.
_MOST_RUNS = 5000
#: Seconds that an engine gets for its first result: set-up, compilation, values and gradients.
PATIENCE_S = 120.0


@dataclasses.dataclass(frozen=True)
class Peer:
    """An engine that can be timed.

    Attributes:
        name: as shown.
        module: in ``folder``.
        environment: folder of its own virtual environment below ``.venv-peers``, or "".
        compiles: whether every new circuit is compiled before its first result.
        folder: where its module lies.
    """

    name: str
    module: str
    environment: str = ""
    compiles: bool = False
    folder: Path = HERE / "peers"

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
        Peer("pennylane-default", "pennylane_default", "pennylane", compiles=True),
        Peer("pennylane-lightning", "lightning_adjoint", "pennylane"),
        Peer("tensorcircuit", "tensorcircuit_jax", "tensorcircuit", compiles=True),
        Peer("torch", "torch_dense", "torch"),
        Peer("torch-compiled", "torch_compiled", "torch", compiles=True),
    )
}


class Worker:
    """One engine's process. Whatever happens to it becomes an answer with the reason in ``failed``.

    Args:
        peer: which engine.
        root: where ``.venv-peers`` may lie.
        n_threads: for libraries that read ``OMP_NUM_THREADS``.
        patience_s: how long any one answer may take before the process is ended.
    """

    def __init__(self, peer: Peer, root: Path, n_threads: int, patience_s: float = PATIENCE_S) -> None:
        self.peer, self.patience_s = peer, patience_s
        environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        environment |= {"OMP_NUM_THREADS": str(n_threads)}
        command = [peer.python(root), "-u", str(HERE / "worker.py"), peer.module, str(peer.folder)]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.ready = self._answer()

    def ask(self, **message: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer."""
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except OSError:  # the process is gone: `_answer` says why
            pass
        return self._answer()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def _answer(self) -> dict[str, Any]:
        try:
            line = self.lines.get(timeout=self.patience_s)
        except queue.Empty:
            self.process.kill()
            return {"failed": f"no result within {self.patience_s:g} s"}
        if line:
            return json.loads(line)
        self.errors.seek(0)
        tail = self.errors.read()[-300:].strip()
        return {"failed": f"the process ended with code {self.process.wait()}: {tail}"}

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):  # what could not be sent to a dead process
            self.process.stdin.close()
        self.errors.close()


def run(
    cases: Sequence[Case],
    names: Sequence[str],
    *,
    root: Path,
    budget_s: float = 1.0,
    patience_s: float = PATIENCE_S,
) -> Iterator[pd.DataFrame]:
    """Times the engines on each case; yields the rows of one case as soon as they are there.

    Args:
        cases: what to time.
        names: keys of ``PEERS``.
        root: where ``.venv-peers`` may lie.
        budget_s: seconds for one engine, one question and one round.
        patience_s: seconds that an engine gets for its first result; then its process is ended,
            the reason stands in its row, and the others go on.

    Yields:
        A table: engine, case, errors, first-result time (s; set-up and compilation included),
        the same for another circuit in the running process (``next_circuit_s``), median, lowest and
        highest steady time (ms), peak memory (MiB), or why it failed.

    Raises:
        ValueError: an engine is unknown.
    """
    for name in names:
        if name not in PEERS:
            raise invalid("an engine is unknown", "some of " + ", ".join(PEERS), name)
    present = [PEERS[name] for name in names if PEERS[name].installed(root)]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            yield _run_case(case, present, Path(folder), root, budget_s, patience_s)


def _run_case(
    case: Case, peers: Sequence[Peer], folder: Path, root: Path, budget_s: float, patience_s: float
) -> pd.DataFrame:
    path = str(case.write(folder))
    workers: list[Worker] = []
    rows = []
    try:
        for peer in peers:
            workers.append(Worker(peer, root, n_cores(), patience_s))
            rows.append(_first_result(case, workers[-1], path))
        for what in ("forward", "gradient"):
            _take_turns(workers, rows, what, budget_s)
        following = str(dataclasses.replace(case, degree=case.degree + 1).write(folder))
        for worker, row in zip(workers, rows, strict=True):
            if "failed" not in row:
                row["next_circuit_s"] = worker.ask(do="load", case=following).get("first_gradient_s")
    finally:
        for worker in workers:
            worker.close()
    return pd.DataFrame(rows)


def _first_result(case: Case, worker: Worker, path: str) -> dict[str, Any]:
    row = {**dataclasses.asdict(case), "n_qubits": case.config.n_qubits, "engine": worker.peer.name}
    row |= {"compiles": worker.peer.compiles, **worker.ready}
    if "failed" in row:
        return row
    row |= worker.ask(do="load", case=path)
    errors = row.pop("errors", None)
    if errors is not None:
        row |= {f"error_{name}": error for name, error in errors.items()}
        wrong = max(errors.values(), key=lambda error: np.inf if np.isnan(error) else error)
        if not wrong <= TOLERANCE:
            row["failed"] = f"off by {wrong:.2g}, more than {TOLERANCE:.0e}"
    return row


def _take_turns(workers: Sequence[Worker], rows: list[dict[str, Any]], what: str, budget_s: float) -> None:
    times: list[list[float]] = [[] for _ in workers]
    for turn in range(ROUNDS):
        for worker, row, seen in zip(workers, rows, times, strict=True):
            if "failed" in row or (turn and seen[0] > SLOW_S):
                continue
            answer = worker.ask(do="time", what=what, budget_s=budget_s, most=_MOST_RUNS)
            seen.extend(answer.get("times_s", []))
            row |= {key: answer[key] for key in ("peak_mib", "failed") if key in answer}
    for row, seen in zip(rows, times, strict=True):
        if seen:
            low, middle, high = np.quantile(seen, [0.05, 0.5, 0.95]) * 1e3
            row |= {f"{what}_ms": middle, f"{what}_low_ms": low, f"{what}_high_ms": high, f"{what}_runs": len(seen)}

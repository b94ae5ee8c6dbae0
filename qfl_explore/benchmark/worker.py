"""One engine in its own process: reads commands from standard input, answers in JSON lines.

Run as a plain script in any environment: it needs NumPy and the engine's own packages only. A
peer module offers ``build(case) -> (forward, gradient)``, two functions without arguments that
return NumPy arrays: ``values [B, K]``; and ``(values, d_features [B, M·D], d_weights)``. It may offer
``warm_up()`` too: what its users do once in a process, such as starting a runtime or loading kernels;
the time counts as loading.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np


def read_case(folder: str) -> SimpleNamespace:
    """Settings and arrays of one case as attributes."""
    path = Path(folder)
    case = SimpleNamespace(**json.loads((path / "case.json").read_text()))
    with np.load(path / "arrays.npz") as arrays:
        for name in arrays.files:
            setattr(case, name, arrays[name])
    case.bloch = np.array(case.bloch)
    return case


def largest_errors(case: SimpleNamespace, values: np.ndarray, result: tuple) -> dict[str, float]:
    """How far an engine is from the reference; gradients relative to their largest entry, if above 1."""

    def error(got: np.ndarray, want: np.ndarray) -> float:
        return float(np.abs(np.asarray(got).reshape(want.shape) - want).max() / max(1.0, np.abs(want).max()))

    return {
        "values": max(error(values, case.values), error(result[0], case.values)),
        "d_features": error(result[1], case.d_features),
        "d_weights": error(result[2], case.d_weights),
    }


def _load(peer: object, message: dict) -> dict:
    case = read_case(message["case"])
    begin = time.perf_counter()
    forward, gradient = peer.build(case)
    values = np.asarray(forward())
    first_value = time.perf_counter() - begin
    result = gradient()
    first_gradient = time.perf_counter() - begin
    _state.update(forward=forward, gradient=gradient)
    return {
        "first_forward_s": first_value,
        "first_gradient_s": first_gradient,
        "errors": largest_errors(case, values, result),
    }


def _time(message: dict) -> dict:
    work, times = _state[message["what"]], []
    end = time.perf_counter() + message["budget_s"]
    while len(times) < message["most"] and (not times or time.perf_counter() < end):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return {"times_s": times, "peak_mib": _peak_mib()}


def _peak_mib() -> float | None:
    """Largest resident memory of this process; unlike `getrusage`, not its parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


_state: dict = {}


def main(module: str, folder: str) -> None:
    """Serves one peer until standard input ends."""
    sys.path.insert(0, folder)
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints must not break the protocol
    begin = time.perf_counter()
    peer = importlib.import_module(module)
    getattr(peer, "warm_up", int)()
    ready = {"import_s": time.perf_counter() - begin, "version": peer.version()}
    answers.write(json.dumps(ready) + "\n")
    answers.flush()
    for line in sys.stdin:
        message = json.loads(line)
        try:
            answer = _load(peer, message) if message["do"] == "load" else _time(message)
        except Exception as error:  # told to the coordinator, which shows it in the table
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"[:300]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:3])

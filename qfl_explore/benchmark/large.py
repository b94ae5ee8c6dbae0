"""``qfl-explore benchmark qsim``: large circuits on qsim, predicted and measured, on processors and on a GPU.

One qubit carries one feature, so n is the number of modalities. Every row runs in a process of its own, so
its peak of memory is its own, and a GPU that fails ends that process only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore import FusionConfig, get_backend
from qfl_explore.benchmark.large_report import line, write
from qfl_explore.benchmark.machine import cpu_model
from qfl_explore.config import ENTANGLERS
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.large_circuit import LargeCircuitConfig, inputs, run
from qfl_explore.simulation.chunks import n_cores
from qfl_explore.simulation.qsim_gpu import MODES

#: Up to so many qubits values are compared with the batched engine in float64.
REFERENCE_UP_TO = 16


def config_of(n_qubits: int, degree: int, entangler: str) -> FusionConfig:
    """The circuit of a row."""
    return FusionConfig(n_modalities=n_qubits, encoding="qubit_per_feature", degree=degree, entangler=entangler)


def run_config(row: dict[str, Any]) -> LargeCircuitConfig:
    """The run of a row."""
    fusion = config_of(row["n_qubits"], row["degree"], row["entangler"])
    return LargeCircuitConfig(fusion=fusion, n_samples=row["n_samples"], gradients=row["gradients"], **row["options"])


def measured(row: dict[str, Any]) -> dict[str, Any]:
    """Runs a row in another process; ``problem`` says why there is no number."""
    try:
        found = run(run_config(row))
    except (ValueError, TypeError, ImportError, RuntimeError) as problem:
        return {"problem": str(problem)}
    return {
        "measured_s": found.measured_s,
        "cpu_s": found.cpu_s,
        "measured_bytes": found.measured_bytes,
        "values": found.values,
    }


def rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every row, predicted, and measured where that is wanted and it fits into memory and time."""
    values_on_cpu: dict[int, tuple[np.ndarray, float]] = {}
    engines, missing = {}, {}
    for device in options.devices:
        try:
            engines[device] = get_backend("qsim", **_engine_options(options, device))
        except ImportError as problem:
            missing[device] = str(problem)
    for n in options.qubits:
        for device in options.devices:
            row = {"n_qubits": n, "device": device, "degree": options.degree, "entangler": options.entangler}
            row |= {"n_samples": options.samples, "gradients": options.gradients, "repetitions": options.repetitions}
            row["options"] = _engine_options(options, device)
            if device in missing:
                yield row | {"problem": missing[device]}
                continue
            row |= _predicted(engines[device], row, options)
            if "problem" not in row and not options.predict:
                row |= measured(row)
            yield _compared(row, values_on_cpu)


def _engine_options(options: argparse.Namespace, device: str) -> dict[str, Any]:
    found: dict[str, Any] = {"max_fused_gate_size": options.fuse, "device": device}
    found |= {"gpu_mode": options.gpu_mode} if device == "gpu" else {"threads": options.threads}
    return found | ({"repetitions": options.repetitions} if options.repetitions else {})


def _predicted(engine: Any, row: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    config = config_of(row["n_qubits"], row["degree"], row["entangler"])
    cost = engine.predict(config, row["n_samples"], row["gradients"])
    found: dict[str, Any] = {"predicted_s": cost.seconds, "predicted_bytes": cost.memory_bytes}
    found |= {"predicted_gpu_bytes": cost.gpu_bytes, "n_circuits": cost.n_circuits}
    if cost.seconds > options.limit:
        found["problem"] = f"not run: {cost.seconds:.0f} s predicted, --limit {options.limit:g}"
    return found


def _compared(row: dict[str, Any], on_cpu: dict[int, tuple[np.ndarray, float]]) -> dict[str, Any]:
    """Adds how far values are from double precision and from qsim on processors, and the speed-up."""
    values, n = row.pop("values", None), row["n_qubits"]
    if values is None:
        return row
    if n <= REFERENCE_UP_TO and not row["repetitions"]:
        question = inputs(config_of(n, row["degree"], row["entangler"]), row["n_samples"], 0)
        exact = get_backend("batched", dtype="float64").expectations(*question)
        row["error"] = float(np.abs(values - exact).max())
    if row["device"] == "cpu":
        on_cpu[n] = values, row["measured_s"]
    elif n in on_cpu:
        reference, seconds = on_cpu[n]
        row |= {"apart_from_cpu": float(np.abs(values - reference).max()), "speed_up": seconds / row["measured_s"]}
    return row


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser(prog="qfl-explore benchmark qsim", description=__doc__)
    found.add_argument("--qubits", nargs="+", default=["10-22"], metavar="N", help="such as 10-22, or 12 16 20")
    found.add_argument("--devices", nargs="+", default=["cpu", "gpu"], metavar="NAME", help="cpu, gpu")
    found.add_argument("--gpu-mode", default="cuda", help="cuda (default) or custatevec")
    found.add_argument("--threads", default=n_cores(), type=int, help="of one simulation (default: all cores)")
    found.add_argument("--fuse", default=2, type=int, metavar="SIZE", help="qubits of a fused gate, 2 to 6 (default 2)")
    found.add_argument("--degree", default=1, type=int, help="P (default 1)")
    found.add_argument("--entangler", default="full", help="full (default), ring or linear")
    found.add_argument("--samples", default=1, type=int, help="B (default 1)")
    found.add_argument("--gradients", action="store_true", help="values and gradients")
    found.add_argument("--repetitions", type=int, help="estimate values from so many runs of each circuit")
    found.add_argument("--predict", action="store_true", help="only predict, run nothing")
    found.add_argument("--limit", default=120.0, type=float, metavar="S", help="leave out rows above (default 120 s)")
    found.add_argument("--out", type=Path, metavar="FOLDER", help="write qsim.csv and qsim.md there")
    return found


def checked(options: argparse.Namespace) -> argparse.Namespace:
    """The options with numbers of qubits read; otherwise raises in three parts."""
    options.qubits = [n for text in options.qubits for n in _qubits(text)]
    for device in options.devices:
        check_option("device", device, ("cpu", "gpu"))
    check_option("gpu_mode", options.gpu_mode, MODES)
    check_option("entangler", options.entangler, ENTANGLERS)
    for name in ("threads", "degree", "samples"):
        check_int(f"--{name}", getattr(options, name), 1)
    check_int("--fuse", options.fuse, 2, 6)
    if options.repetitions is not None:
        check_int("--repetitions", options.repetitions, 1)
    return options


def _qubits(text: str) -> Sequence[int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal() and 1 <= int(first) <= int(last or first) <= 30):
        raise invalid("numbers of qubits cannot be read", "such as 20, or 10-22, from 1 to 30", repr(text))
    return range(int(first), int(last or first) + 1)


def main(arguments: Sequence[str]) -> None:
    """Runs the command; wrong input ends it with a message in three parts and code 2."""
    options = parser().parse_args(arguments)
    try:
        options = checked(options)
    except (ValueError, TypeError) as error:
        parser().error(str(error))
    found: list[dict[str, Any]] = []
    for row in rows(options):
        found.append(row)
        sys.stdout.write(line(row) + "\n")
        sys.stdout.flush()
    if options.out:
        where = f"{cpu_model()}, {n_cores()} cores"
        write(pd.DataFrame(found), options.out, ["qfl-explore", "benchmark", "qsim", *arguments], where)


if __name__ == "__main__":
    main(sys.argv[1:])

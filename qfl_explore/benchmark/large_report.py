"""From rows of large circuits to lines for the terminal and a table for people (Markdown)."""

from __future__ import annotations

import datetime
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

_INTRODUCTION = """\
# Large circuits on qsim: predicted and measured

`{command}`

{where}, {date}. {what}

"Predicted" was said before the run, from a few seconds of timing on this machine, and holds for an idle one.
"Processor" is the process's own time, which other work on the machine lengthens less; "×" is that over the prediction
with one thread, else measured over predicted. Memory is what the call needs beside what the process had before it.
"Error" is the largest deviation of a value from the batched engine in float64 (up to 16 qubits). Every row ran in a
process of its own; times are the fastest of up to three runs.
"""
_HEADER = (
    "| qubits | circuits | predicted (s) | measured (s) | processor (s) | × | predicted (MiB) | measured (MiB) | error "
    "| on a GPU (s) | speed-up | apart from the processor's values |\n"
    "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
)


def line(row: dict[str, Any]) -> str:
    """One row for the terminal."""
    text = f"{row['n_qubits']:2d} qubits, {row['device']}: "
    if "predicted_s" in row:
        text += f"{row['predicted_s']:.3g} s and {row['predicted_bytes'] / 2**20:.3g} MiB predicted"
        text += f", {row['predicted_gpu_bytes'] / 2**20:.3g} MiB on the GPU" if row["device"] == "gpu" else ""
    if "problem" in row:
        return f"{text}{'; ' if 'predicted_s' in row else ''}{row['problem']}"
    if "measured_s" in row:
        text += f"; {row['measured_s']:.3g} s (× {ratio(row):.2g}) and {row['measured_bytes'] / 2**20:.3g} MiB measured"
        text += f"; error {row['error']:.0e}" if "error" in row else ""
        text += f"; {row['speed_up']:.1f} times as fast as the processor" if "speed_up" in row else ""
    return text


def ratio(row: dict[str, Any]) -> float:
    """Measured over predicted time; one thread's own time counts, so that other work does not. 0: not measured."""
    alone = row.get("options", {}).get("threads") == 1
    taken = _number(row.get("cpu_s" if alone else "measured_s"))
    return taken / row["predicted_s"] if taken else 0.0


def where_it_pays(table: pd.DataFrame) -> str:
    """From how many qubits on the GPU is faster, in words."""
    if "speed_up" not in table or table.speed_up.isna().all():
        reasons = table.problem.dropna() if "problem" in table else pd.Series(dtype=str)
        on_gpu = reasons[table.device[reasons.index] == "gpu"]
        return "Not measured on a GPU: no GPU at hand." if len(on_gpu) else "The GPU was not asked for."
    measured = table.dropna(subset="speed_up").sort_values("n_qubits")
    slower = measured[measured.speed_up < 1.0]
    first = measured[measured.n_qubits > slower.n_qubits.max()] if len(slower) else measured
    if first.empty:
        return f"The GPU is slower at every size up to {measured.n_qubits.max()} qubits."
    best = measured.loc[measured.speed_up.idxmax()]
    return (
        f"The GPU is faster from {first.n_qubits.min()} qubits on; "
        f"most at {best.n_qubits:.0f}, where it is {best.speed_up:.1f} times as fast."
    )


def markdown(table: pd.DataFrame, command: Sequence[str], where: str) -> str:
    """The whole report.

    Args:
        table: rows of `large.rows`.
        command: what made it.
        where: processor and cores, in words.
    """
    first = table.iloc[0]
    what = f"One feature a qubit, P = {first.degree}, entangler {first.entangler}, B = {first.n_samples}, "
    what += "values and gradients" if first.gradients else "values"
    what += f" from {int(first.repetitions)} repetitions" if _number(first.repetitions) else ""
    what += (
        f"; threads = {first.options.get('threads', 1)}, max_fused_gate_size = {first.options['max_fused_gate_size']}."
    )
    text = _INTRODUCTION.format(
        command=shlex.join(command), where=where, date=datetime.date.today().isoformat(), what=what
    )
    text += f"\n{where_it_pays(table)}\n\n{_HEADER}"
    for n, rows in table.groupby("n_qubits"):
        text += _line(int(n), {row["device"]: row for row in rows.to_dict("records")})
    return text


def _line(n: int, rows: dict[str, dict[str, Any]]) -> str:
    cpu, gpu = rows.get("cpu", {}), rows.get("gpu", {})
    cells = [
        str(n),
        f"{_number(cpu.get('n_circuits')):.0f}",
        _cell(cpu.get("predicted_s")),
        _cell(cpu.get("measured_s"), "not run"),
        _cell(cpu.get("cpu_s")),
        _cell(ratio(cpu)),
        _cell(_number(cpu.get("predicted_bytes")) / 2**20),
        _cell(_number(cpu.get("measured_bytes")) / 2**20),
        _cell(cpu.get("error"), form=".0e"),
        _cell(gpu.get("measured_s"), "not measured: no GPU at hand" if gpu else "not asked for"),
        _cell(gpu.get("speed_up")),
        _cell(gpu.get("apart_from_cpu"), form=".0e"),
    ]
    return "| " + " | ".join(cells) + " |\n"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not math.isnan(value) else 0.0


def _cell(value: Any, missing: str = "", form: str = ".3g") -> str:
    return format(_number(value), form) if _number(value) else missing


def write(table: pd.DataFrame, folder: Path, command: Sequence[str], where: str) -> None:
    """Writes qsim.csv and qsim.md."""
    folder.mkdir(parents=True, exist_ok=True)
    flat = table.assign(options=[" ".join(f"{k}={v}" for k, v in one.items()) for one in table.options])
    flat.to_csv(folder / "qsim.csv", index=False)
    (folder / "qsim.md").write_text(markdown(table, command, where))

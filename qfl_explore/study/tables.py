"""Markdown tables of the report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from qfl_explore.experiments.multimodal_config import METHODS, QUANTUM
from qfl_explore.experiments.multimodal_tasks import PRIMARY
from qfl_explore.study.gather import Point

NAMES = {"auc": "AUC", "f1": "F1", "accuracy": "accuracy", "mae": "MAE (mph)"}
OUTCOMES = {"wins": "quantum better", "loses": "quantum worse", "undecided": "undecided"}
#: Settings that ablations vary, as a reader calls them.
AXES = {
    "n_modalities": "M",
    "n_train": "training samples",
    "degree": "P",
    "measurement": "measurement",
    "n_blocks": "blocks",
}


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first column is text, all others are numbers.

    >>> print(markdown(["method", "AUC"], [["linear", "0.9"]]))
    | method | AUC |
    |---|--:|
    | linear | 0.9 |
    """
    lines = [" | ".join(header), "---" + "|--:" * (len(header) - 1), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" if "--" not in line[:3] else f"|{line}|" for line in lines)


def number(value: Any, digits: int = 3) -> str:
    """Fixed digits; a dash where there is none.

    >>> number(0.12345), number(float("nan"))
    ('0.123', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def ends(low: Any, high: Any, digits: int = 3) -> str:
    """An interval in brackets; empty where it is not known.

    >>> ends(0.1, 0.2, 2), ends(float("nan"), 1.0)
    ('[0.10, 0.20]', '')
    """
    known = all(value is not None and math.isfinite(value) for value in (low, high))
    return f"[{low:.{digits}f}, {high:.{digits}f}]" if known else ""


def with_ends(row: dict[str, Any], name: str, digits: int = 3) -> str:
    """A mean and its interval from a row of a summary.

    >>> with_ends({"auc": 0.9, "auc_low": 0.85, "auc_high": 0.95}, "auc", 2)
    '0.90 [0.85, 0.95]'
    """
    value = number(row.get(name, math.nan), digits)
    return f"{value} {ends(row.get(f'{name}_low'), row.get(f'{name}_high'), digits)}".strip()


def p_value(value: float) -> str:
    """Three digits, or below that.

    >>> p_value(0.0421), p_value(1e-6), p_value(float("nan"))
    ('0.042', '< 0.001', '–')
    """
    return "–" if not math.isfinite(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def main_table(point: Point) -> str:
    """All methods of one data set: scores, sizes, times, and the quantum layer against each of them."""
    primary = point.summary["primary"]
    scores = ["auc", "f1", "accuracy"] if primary == "auc" else ["mae"]
    digits = 3 if primary == "auc" else 2
    header = ["method", *(NAMES[name] for name in scores)]
    header += ["over test samples", "parameters", "seconds", "epochs", "quantum − method", "p", "p (Holm)", "outcome"]
    rows = []
    for method in point.methods:
        row, pair, drawn = point.method(method), point.pair(method), point.resampled(method)
        cells = [METHODS[method], *(with_ends(row, name, digits) for name in scores)]
        cells += [ends(drawn.get("low"), drawn.get("high"), digits), f"{row['n_parameters']}"]
        cells += [number(row["seconds"], 1), f"{row['n_epochs']:.0f}", *_paired(pair, digits)]
        rows.append([f"**{cell}**" if method == QUANTUM and i == 0 else cell for i, cell in enumerate(cells)])
    return markdown(header, rows)


def _paired(pair: dict[str, Any], digits: int) -> list[str]:
    if not pair:
        return [""] * 4
    outcome = OUTCOMES[pair["outcome"]]
    return [with_ends(pair, "difference", digits), p_value(pair["p_value"]), p_value(pair["p_adjusted"]), outcome]


def horizon_table(point: Point) -> str:
    """Errors of a forecast by how far ahead; empty for other tasks."""
    rows = point.summary.get("horizons") or []
    minutes = sorted({row["minutes"] for row in rows})
    if not minutes:
        return ""
    found = {(row["method"], row["minutes"]): row for row in rows}
    lines = [[METHODS[m], *(with_ends(found[m, minute], "mae", 2) for minute in minutes)] for m in point.methods]
    return markdown(["MAE (mph)", *(f"{minute} min" for minute in minutes)], lines)


def gradient_table(point: Point) -> str:
    """Gradient norms a step, by network."""
    header = ["method", "first step", "median", "quartiles over steps", "last tenth", "share in encoders", "steps"]
    rows = [
        [METHODS[row["method"]], *(f"{row[name]:.3g}" for name in ("first", "median"))]
        + [f"[{row['low']:.2g}, {row['high']:.2g}]", f"{row['last']:.3g}"]
        + [f"{100 * row['encoder_share']:.0f} %", f"{row['n_steps']:.0f}"]
        for row in point.summary.get("gradients", ())
    ]
    return markdown(header, rows)


def ablation_table(points: Sequence[Point]) -> str:
    """One row a method, one column a value of what is varied; the primary score with its interval over seeds."""
    known = [point for point in points if point.n_seeds]
    if not known:
        return ""
    primary = known[0].summary["primary"]
    digits = 3 if primary == "auc" else 2
    header = [NAMES[primary], *(values_of(point) for point in known)]
    methods = [name for name in METHODS if any(name in point.methods for point in known)]
    rows = [[METHODS[name], *(with_ends(point.method(name), primary, digits) for point in known)] for name in methods]
    rows.append(["qubits", *(f"{point.about['n_qubits']}" for point in known)])
    rows.append(["parameters, quantum", *(f"{point.method(QUANTUM).get('n_parameters', '–')}" for point in known)])
    rows.append(["seeds", *(f"{point.n_seeds}" for point in known)])
    return markdown(header, rows)


def values_of(point: Point) -> str:
    """What is varied at a point: ``P = 3``."""
    return ", ".join(f"{AXES.get(name, name)} = {value}" for name, value in point.values.items())


def better(primary: str) -> float:
    """1 where more of a score is better, else -1."""
    return 1.0 if dict(PRIMARY.values())[primary] else -1.0

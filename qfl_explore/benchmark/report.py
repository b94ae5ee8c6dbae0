"""From the benchmark's rows to a table for people (Markdown) and a picture (SVG)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: What identifies a case.
CASE = ["n_modalities", "feature_dim", "degree", "batch_size"]
#: Okabe–Ito, told apart with any kind of colour vision; black is ours.
_COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
_MARKERS = "oDs^vP*X<>hd"
_INTRODUCTION = """\
# How fast values and gradients come back

`{command}`

{cpu}, {cores} cores, Python {python}, {date}. Measured float32 peak: {core:.0f} GFLOP/s on one core,
{everything:.0f} GFLOP/s on all.

Every engine runs in a process of its own and is checked before it is timed: values and gradients must agree
with the double-precision reference to {tolerance:.0e}. Engines take turns, and times are medians. "×" is how many
times longer than `batched` an engine takes in the same run. "Load" is the time to import the package and to
start what it needs once in a process (a runtime; our kernels from their cache). "First result" is the time from
there to the first values and gradients, set-up and compilation of the circuit included; "next circuit" is the
same for a circuit of one more layer, as when a slider moves. "Error" is the largest deviation from
the reference, of values or (relative to the largest entry) gradients. "Of peak" stands for our engine only:
operations that its algorithm needs over the peak of all cores (in brackets: of one core).
"""
_HEADER = (
    "| engine | forward (ms) | × | forward + gradient (ms) | × | load (s) | first result (s) | × | next circuit (s) "
    "| × | peak memory (MiB) | error | of peak, forward | of peak, gradient |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """What is printed for one case: times, and how many times slower than `batched` each engine is."""
    table = _complete(table)
    ours = _ours(table)
    shown = table[["engine"]].copy()
    for what in ("forward", "gradient"):
        shown[f"{what} ms"] = table[f"{what}_ms"]
        shown[f"{what} x"] = table[f"{what}_ms"] / ours[f"{what}_ms"]
        shown[f"{what} % peak"] = 100 * table[f"{what}_peak_share"]
    shown["load s"] = table["import_s"]
    shown["first s"], shown["next s"] = table["first_gradient_s"], table["next_circuit_s"]
    shown["peak MiB"] = table["peak_mib"]
    shown["note"] = table["failed"].fillna("").str.slice(0, 60)
    return shown


def markdown(table: pd.DataFrame, tolerance: float) -> str:
    """The whole report as Markdown.

    Args:
        table: all rows, with the machine's columns (see `machine.describe`).
        tolerance: how far from the reference an engine might be.

    Returns:
        The text, one table for each case of the part ``sizes``.
    """
    table = _complete(table)
    machine = table.iloc[0]
    text = _INTRODUCTION.format(
        **{name: machine[name] for name in ("command", "cpu", "cores", "python", "date")},
        core=machine.peak_core_gflops,
        everything=machine.peak_all_gflops,
        tolerance=tolerance,
    )
    for (m, d, p, b), rows in table[table.part == "sizes"].groupby(CASE, sort=False):
        text += f"\n## M = {m}, D = {d}, P = {p}, B = {b} ({rows.n_qubits.iloc[0]} qubits)\n\n{_HEADER}"
        ours = _ours(rows)
        text += "".join(_line(row, ours) for _, row in rows.iterrows())
    versions = table.dropna(subset="version").drop_duplicates("engine")
    text += "\n## Versions\n\n" + "".join(f"- {row.engine}: {row.version}\n" for row in versions.itertuples())
    return text + "\n![Time by engine and case, and how cost grows](results.svg)\n"


def _complete(table: pd.DataFrame) -> pd.DataFrame:
    """Columns that are missing where every engine failed, or before anything was measured."""
    wanted = [
        "forward_ms",
        "gradient_ms",
        "first_gradient_s",
        "next_circuit_s",
        "peak_mib",
        "version",
        "part",
        "import_s",
    ]
    wanted += [f"{what}_{share}_share" for what in ("forward", "gradient") for share in ("core", "peak")]
    wanted += [f"error_{name}" for name in ("values", "d_features", "d_weights")]
    table = table.assign(**{name: np.nan for name in wanted if name not in table})
    if "failed" not in table:
        table["failed"] = pd.Series(None, table.index, dtype=object)
    return table


def _ours(rows: pd.DataFrame) -> pd.Series:
    found = rows[rows.engine == "batched"]
    return found.iloc[0] if len(found) else pd.Series(np.nan, rows.columns)


def _line(row: pd.Series, ours: pd.Series) -> str:
    if not pd.isna(row.failed):
        reason = " ".join(str(row.failed).split()).replace("|", "\\|")[:160]
        return f"| {row.engine} | {reason} |" + " |" * 12 + "\n"
    cells = [row.engine]
    for name in ("forward_ms", "gradient_ms", "first_gradient_s", "next_circuit_s"):
        if name == "first_gradient_s":
            cells.append(_number(row.import_s))
        cells += [_number(row[name]), _number(row[name] / ours[name])]
    error = row[["error_values", "error_d_features", "error_d_weights"]].max()
    cells += [f"{row.peak_mib:.0f}" if not pd.isna(row.peak_mib) else "", f"{error:.0e}"]
    for what in ("forward", "gradient"):
        share, core = row[f"{what}_peak_share"], row[f"{what}_core_share"]
        cells.append("" if pd.isna(share) else f"{share:.1%} ({core:.1%})")
    return "| " + " | ".join(cells) + " |\n"


def _number(value: float) -> str:
    """Three significant digits without an exponent."""
    if pd.isna(value):
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def picture(table: pd.DataFrame, path: Path) -> None:
    """Draws time by engine and case, and how cost grows with n, P and B; logarithmic throughout."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    table = _complete(table)
    engines = list(dict.fromkeys(table.engine))
    figure = Figure(figsize=(11, 8.5), layout="constrained")
    FigureCanvasSVG(figure)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.2, 1))
    _draw_cases(top.subplots(1, 2, sharey=True), table[table.part == "sizes"], engines)
    _draw_growth(bottom.subplots(1, 3, sharey=True), table, engines)
    figure.savefig(path, format="svg", metadata={"Date": None})


def _draw_cases(axes: Sequence, table: pd.DataFrame, engines: list[str]) -> None:
    batch = 64 if (table.batch_size == 64).any() else table.batch_size.max()
    rows = table[table.batch_size == batch]
    labels = [
        "M={}, D={}, P={}".format(*case) for case in dict.fromkeys(zip(*(rows[c] for c in CASE[:3]), strict=True))
    ]
    place = rows[CASE[:3]].apply(lambda case: labels.index("M={}, D={}, P={}".format(*case)), axis=1)
    for axis, what, title in zip(axes, ("forward", "gradient"), ("Values", "Values and gradients"), strict=True):
        for i, engine in enumerate(engines):
            chosen = rows.engine == engine
            shift = (i - (len(engines) - 1) / 2) * 0.7 / len(engines)
            axis.plot(place[chosen] + shift, rows.loc[chosen, f"{what}_ms"], ls="", label=engine, **_style(i))
        axis.set_xticks(range(len(labels)), labels, rotation=20, ha="right", fontsize=8)
        axis.set_title(f"{title}, B = {batch}")
        _logarithmic(axis, rows[f"{what}_ms"])
        axis.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("median time (ms)")
    axes[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)


def _draw_growth(axes: Sequence, table: pd.DataFrame, engines: list[str]) -> None:
    base = {"n_modalities": 12, "feature_dim": 1, "degree": 3, "batch_size": 64}
    grown = table[table.part == "growth"] if (table.part == "growth").any() else table
    panels = (
        ("n_qubits", "n_modalities", "qubits n"),
        ("degree",) * 2 + ("degree P",),
        ("batch_size",) * 2 + ("batch B",),
    )
    for axis, (column, free, label) in zip(axes, panels, strict=True):
        fixed = [name for name in base if name != free]
        rows = grown[(grown[fixed] == pd.Series(base)[fixed]).all(axis=1)].sort_values(column)
        for i, engine in enumerate(engines):
            chosen = rows[rows.engine == engine].dropna(subset="gradient_ms")
            axis.plot(chosen[column], chosen.gradient_ms, lw=1, **_style(i))
        axis.set_xlabel(label)
        _logarithmic(axis, rows.gradient_ms)
        if column != "n_qubits" and len(rows):
            axis.set_xscale("log", base=2)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("values and gradients (ms)")
    axes[1].set_title("How cost grows from M = 12, D = 1, P = 3, B = 64", fontsize=10)


def _logarithmic(axis: Any, shown: pd.Series) -> None:
    """A logarithmic axis, unless there is nothing to show on it."""
    if shown.notna().any():
        axis.set_yscale("log")


def _style(i: int) -> dict[str, object]:
    outline = "#555555" if _COLOURS[i % len(_COLOURS)] == "#F0E442" else _COLOURS[i % len(_COLOURS)]
    return {"color": _COLOURS[i % len(_COLOURS)], "marker": _MARKERS[i % len(_MARKERS)], "ms": 5, "mec": outline}


def write_report(table: pd.DataFrame, folder: Path) -> None:
    """Writes ``results.csv``, ``results.md`` and ``results.svg`` into a folder."""
    from qfl_explore.benchmark.coordinator import TOLERANCE

    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "results.csv", index=False)
    (folder / "results.md").write_text(markdown(table, TOLERANCE), encoding="utf-8")
    picture(table, folder / "results.svg")

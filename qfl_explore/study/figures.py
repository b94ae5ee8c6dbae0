"""Pictures of the report, drawn with matplotlib into small SVG files."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.baselines.starts import STARTS
from qfl_explore.experiments.multimodal_config import METHODS, QUANTUM
from qfl_explore.study.gather import Point
from qfl_explore.study.plan import Part
from qfl_explore.study.tables import NAMES, better
from qfl_explore.study.words import main_points

#: Okabe–Ito colours, markers and short names, told apart with any kind of colour vision.
LOOKS: dict[str, tuple[str, str, str]] = {
    "persistence": ("#6B7280", "x", "last value"),
    "linear": ("#3B3F46", "s", "linear"),
    "boosting": ("#3B3F46", "h", "boosting"),
    "mlp": ("#D55E00", "^", "MLP"),
    "concat": ("#009E73", "D", "dense layer"),
    "low_rank_reference": ("#E69F00", "v", "low rank, reference"),
    "low_rank_near_one": ("#E69F00", "*", "low rank, near 1"),
    "tensor": ("#CC79A7", "P", "tensor"),
    "bilinear": ("#CC79A7", "X", "bilinear"),
    "graph": ("#56B4E9", "p", "graph"),
    "quantum": ("#0072B2", "o", "quantum"),
}
#: Digits of a coordinate that nobody sees.
_LONG = re.compile(r"(\d+\.\d\d)\d+")
STARTS_LOOK = {"reference": ("#E69F00", "v"), "unit_variance": ("#CC79A7", "P"), "near_one": ("#009E73", "D")}


def draw(folder: Path, planned: Sequence[Part], found: Mapping[str, Sequence[Point]], collapse: pd.DataFrame) -> None:
    """Writes every picture for which there are numbers."""
    points = main_points(planned, found)
    if points:
        _save(_differences(points), folder / "differences.svg")
        _save(_sizes(points), folder / "sizes.svg")
    for section, name in (("modalities", "modalities"), ("few_shot", "few_shot"), ("size", "blocks")):
        parts = [part for part in planned if part.section == section]
        panels = [(part, [p for p in found.get(part.name, ()) if p.n_seeds]) for part in parts]
        panels = [(part, known) for part, known in panels if len(known) > 1]
        if panels:
            _save(_curves(panels), folder / f"{name}.svg")
    if len(collapse):
        _save(_collapse(collapse), folder / "collapse.svg")


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _save(figure: Any, path: Path) -> None:
    import matplotlib

    kept = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "qfl", "svg.fonttype": "none"}):
        figure.savefig(kept, format="svg", metadata={"Date": None}, facecolor="white")
    path.write_text(_LONG.sub(r"\1", kept.getvalue()), encoding="utf-8")


def _differences(points: Sequence[tuple[Part, Point]]) -> Any:
    """Quantum minus every classical method, one row a table; to the right the quantum layer is better."""
    figure = _figure(9, 0.62 * len(points) + 1.6)
    axis = figure.subplots()
    used = [m for m in METHODS if m != QUANTUM and any(point.pair(m) for _, point in points)]
    for row, (_, point) in enumerate(points):
        sign, unit = better(point.summary["primary"]), _unit(point)
        for i, method in enumerate(m for m in used if point.pair(m)):
            pair, (colour, marker, _) = point.pair(method), LOOKS[method]
            height = -row + 0.34 - 0.68 * i / max(1, len(used) - 1)
            low, high = (sign * pair[f"difference_{end}"] / unit for end in ("low", "high"))
            axis.plot([low, high], [height] * 2, color=colour, lw=1)
            axis.plot(sign * pair["difference"] / unit, height, marker, color=colour, ms=4.5)
    axis.axvline(0, color="#6B7280", ls="--", lw=1)
    axis.set_yticks([-row for row in range(len(points))], [_label(part, point) for part, point in points])
    axis.set_ylim(-len(points) + 0.4, 0.6)
    axis.set_xscale("symlog", linthresh=0.05)
    ticks = [-1, -0.3, -0.1, -0.03, 0, 0.03, 0.1, 0.3, 1]
    low, high = axis.get_xlim()
    axis.set_xticks([t for t in ticks if low <= t <= high], [f"{t:g}" for t in ticks if low <= t <= high])
    axis.minorticks_off()
    axis.set_xlabel(
        "quantum minus classical with 95 % over seeds; to the right quantum is better\n"
        "(AUC; of forecasts the share of persistence's error that is saved)",
        fontsize=9,
    )
    axis.grid(axis="x", alpha=0.3)
    _legend(figure, used)
    return figure


def _unit(point: Point) -> float:
    """AUC as it is; errors in units of persistence's."""
    return 1.0 if point.summary["primary"] == "auc" else point.method("persistence").get("mae", 1.0)


def _label(part: Part, point: Point) -> str:
    return f"{part.title}\n({point.n_seeds} seeds)"


def _sizes(points: Sequence[tuple[Part, Point]]) -> Any:
    """Parameters against score, a panel a table."""
    from matplotlib.ticker import NullLocator

    n_columns = 4
    n_rows = -(-len(points) // n_columns)
    figure = _figure(11, 2.5 * n_rows + 0.6)
    axes = np.atleast_1d(figure.subplots(n_rows, n_columns, squeeze=False)).ravel()
    for axis, (part, point) in zip(axes, points, strict=False):
        primary = point.summary["primary"]
        for method in point.methods:
            row, (colour, marker, _) = point.method(method), LOOKS[method]
            spread = [[row[primary] - row[f"{primary}_low"]], [row[f"{primary}_high"] - row[primary]]]
            place = max(1, row["n_parameters"])
            axis.errorbar(place, row[primary], np.nan_to_num(spread), fmt=marker, color=colour, ms=5, lw=1)
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_title(part.title, fontsize=8)
        axis.set_xlabel("parameters (count)", fontsize=8)
        axis.set_ylabel(NAMES[primary], fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    for axis in axes[len(points) :]:
        axis.set_axis_off()
    _legend(figure, [m for m in METHODS if any(m in point.methods for _, point in points)])
    return figure


def _curves(panels: Sequence[tuple[Part, Sequence[Point]]]) -> Any:
    """The primary score along what is varied, with intervals over seeds."""
    figure = _figure(5.2 * len(panels) + 0.6, 4.2)
    axes = np.atleast_1d(figure.subplots(1, len(panels)))
    used: list[str] = []
    for axis, (part, known) in zip(axes, panels, strict=True):
        (name,) = known[0].values
        primary = known[0].summary["primary"]
        methods = [m for m in METHODS if sum(m in point.methods for point in known) > 1]
        used += [m for m in methods if m not in used]
        for i, method in enumerate(methods):
            rows = [(p.values[name], p.method(method)) for p in known if p.method(method)]
            x = np.array([value for value, _ in rows]) * (1 + 0.012 * (i - len(methods) / 2))
            mean, low, high = (np.array([row[f"{primary}{end}"] for _, row in rows]) for end in ("", "_low", "_high"))
            colour, marker, _ = LOOKS[method]
            width = 2.0 if method == QUANTUM else 1.0
            spread = np.nan_to_num(np.stack([mean - low, high - mean]))
            axis.errorbar(x, mean, spread, color=colour, marker=marker, ms=4.5, lw=width, elinewidth=0.7)
        axis.set_xscale("log")
        values = [point.values[name] for point in known]
        axis.set_xticks(values, [f"{value}" for value in values])
        axis.minorticks_off()
        axis.set_xlabel({"n_modalities": "modalities M", "n_train": "training samples", "n_blocks": "blocks"}[name])
        axis.set_ylabel(f"{NAMES[primary]} on the test part")
        axis.set_title(f"{part.title} ({min(p.n_seeds for p in known)} or more seeds)", fontsize=9)
        axis.grid(alpha=0.3)
    _legend(figure, [m for m in METHODS if m in used])
    return figure


def _collapse(table: pd.DataFrame) -> Any:
    """Size of low-rank products by the number of modalities, before any training."""
    widths = sorted(table["n_outputs"].unique())
    figure = _figure(4.6 * len(widths) + 0.6, 3.8)
    axes = np.atleast_1d(figure.subplots(1, len(widths)))
    for axis, width in zip(axes, widths, strict=True):
        for start, rows in table[table["n_outputs"] == width].groupby("start", sort=False):
            colour, marker = STARTS_LOOK[str(start)]
            x = rows["n_modalities"]
            axis.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)
            axis.plot(x, rows["log10_product"], color=colour, marker=marker, ms=5, label=STARTS[str(start)])
        axis.axhline(np.log10(2.0**-149), color="#6B7280", ls="--", lw=1)
        axis.text(1, np.log10(2.0**-149), " below: 0 in single precision", fontsize=7, va="bottom", color="#6B7280")
        axis.set_xscale("log")
        axis.set_xticks([1, 3, 12, 50, 207], ["1", "3", "12", "50", "207"])
        axis.minorticks_off()
        axis.set_title("1 output" if width == 1 else f"{width} outputs", fontsize=9)
        axis.set_xlabel("modalities M")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("log10 of the product (median and quartiles)")
    axes[-1].legend(fontsize=8, loc="lower left")
    return figure


def _legend(figure: Any, methods: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=LOOKS[m][0], marker=LOOKS[m][1], ms=5, lw=1, label=LOOKS[m][2]) for m in methods]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(6, len(handles)), fontsize=8, frameon=False)

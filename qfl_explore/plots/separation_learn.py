"""Pictures of what was learned: success against queries, training, the rank wall, a response curve."""

from __future__ import annotations

import math
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.layers import Columns, Layer, columns_of, live, overlay, put
from qfl_explore.plots.separation import QUERIES, SUCCESS, SUCCESS_RANGE
from qfl_explore.plots.style import LiveFigure

#: model -> (role, marker, shift to the side in queries, short name).
LOOKS: dict[str, tuple[str, str, float, str]] = {
    "quantum": ("model", "circle", 0.0, "QFL, joint access"),
    "lmf": ("test", "diamond", -0.35, "LMF on outcomes"),
    "tfn": ("pinned", "square", 0.0, "TFN on outcomes"),
    "mlp": ("other", "inverted_triangle", 0.35, "MLP on outcomes"),
}
LEARNED = (
    Layer("certain", "line", "quiet", dash="dotted", size=1.5),
    Layer("joint", "line", "model", "bound, joint", size=1.5, alpha=0.7),
    Layer("separable", "line", "ceiling", "separable, best found", dash="dashed", size=2),
    Layer("outcomes", "line", "target", "ceiling of outcomes", dash="dotdash", size=2),
    Layer("seeds", "points", "quiet", "each seed", marker="x", size=7),
    *(Layer(f"{model} interval", "bars", look[0], size=2.5) for model, look in LOOKS.items()),
    *(Layer(model, "points", look[0], look[3], marker=look[1], size=9) for model, look in LOOKS.items()),
)


def learned_columns(table: pd.DataFrame, means: list[dict[str, Any]], references: pd.DataFrame) -> Columns:
    """Columns of ``LEARNED``.

    Args:
        table: finished rows, as in ``LearnResult.table``.
        means: from ``separation_learn.means``.
        references: from ``separation_learn.references``.
    """
    shown = table[table["model"].isin(list(LOOKS))]
    shift = shown["model"].map({model: look[2] for model, look in LOOKS.items()}).astype(float)
    columns: dict[str, Any] = {"seeds": (shown["n_queries"] + shift, shown["success"])}
    most = float(references["n_queries"].max()) if len(references) else 1.0
    columns["certain"] = ([0.0, most], [1.0, 1.0])
    for kind, group in references.groupby("kind"):
        columns[str(kind)] = ([0.0, *group["n_queries"]], [0.5, *group["success"]])
    for model, look in LOOKS.items():
        rows = [row for row in means if row["model"] == model]
        columns[model] = columns_of([(row["n_queries"] + look[2], row["success"]) for row in rows])
        known = [row for row in rows if row["low"] == row["low"]]
        ends = [(row["n_queries"] + look[2], row["low"], row["n_queries"] + look[2], row["high"]) for row in known]
        columns[f"{model} interval"] = columns_of(ends, 4)
    return columns


def learned(table: pd.DataFrame, means: list[dict[str, Any]], references: pd.DataFrame) -> hv.Overlay:
    """Success against queries for every model: seeds, mean, 95 % interval; bounds and ceilings as lines."""
    columns = learned_columns(table, means, references)
    return overlay(LEARNED, columns, QUERIES, SUCCESS, ylim=SUCCESS_RANGE, legend_position="right")


def live_learned(height: int = 360) -> LiveFigure:
    """`learned` to stream into."""
    return live(LEARNED, QUERIES, SUCCESS, height, legend="bottom_right", n_legend_columns=2, ylim=SUCCESS_RANGE)


def put_learned(figure: LiveFigure, table: pd.DataFrame, means: list[dict[str, Any]], references: pd.DataFrame) -> None:
    """Redraws `learned`."""
    put(figure, LEARNED, learned_columns(table, means, references))
    most = float(references["n_queries"].max()) if len(references) else 24.0
    figure.set_range(x=(0.0, 1.05 * most), y=(0.35, 1.04))


TRAINING = (
    Layer("earlier", "line", "quiet", "earlier runs", size=1.2, alpha=0.7),
    Layer("bound", "line", "ceiling", "bound for these queries", dash="dashed", size=2),
    Layer("now", "line", "model", "now", size=2.5),
)


def live_training(height: int = 360) -> LiveFigure:
    """Success on the training set against the step; layers ``earlier``, ``bound``, ``now``."""
    label = "training success (probability)"
    return live(TRAINING, "training step (count)", label, height, legend="bottom_right", ylim=SUCCESS_RANGE)


MODELS = {
    "lmf": ("ceiling", "diamond", "LMF"),
    "quantum": ("model", "circle", "QFL"),
    "mlp": ("other", "triangle", "MLP"),
}
ERROR = "relative squared error (dimensionless)"
WALL = (
    Layer("wall", "line", "quiet", "wall, R = 2^(M/2)", dash="dotted", size=2),
    Layer("least", "line", "target", "least error of LMF, exact", dash="dashed", size=2),
    Layer("seeds", "points", "ceiling", "LMF trained, each seed", marker="x", size=8),
    Layer("median", "points", "ceiling", "median", marker="diamond", size=9),
)
ERROR_RANGE = (1e-15, 5.0)


def wall_columns(table: pd.DataFrame, wall: int, floor: float) -> Columns:
    """Columns of ``WALL``.

    Args:
        table: as ``RankWallResult.table``.
        wall: 2^(M/2).
        floor: smaller errors are drawn there.
    """
    rows = table[table["model"] == "lmf"]
    medians = rows.groupby("size")["error"].median()
    top = max(int(rows["size"].max()) if len(rows) else 0, wall + 2)
    ranks = np.arange(1, top + 1)
    least = np.maximum(1.0 - ranks / wall, floor)
    return {
        "wall": ([wall, wall], list(ERROR_RANGE)),
        "least": (ranks, least),
        "seeds": (rows["size"], rows["error"].clip(lower=floor)),
        "median": (medians.index, medians.clip(lower=floor)),
    }


def rank_wall(table: pd.DataFrame, wall: int, floor: float = 1e-14) -> hv.Overlay:
    """Error of trained LMF against its rank, with the exact least error; logarithmic."""
    options = {"logy": True, "ylim": ERROR_RANGE, "legend_position": "bottom_left"}
    return overlay(WALL, wall_columns(table, wall, floor), "rank R of LMF (count)", ERROR, **options)


def live_rank_wall(height: int = 320) -> LiveFigure:
    """`rank_wall` to stream into."""
    options = {"logy": True, "ylim": ERROR_RANGE, "legend": "bottom_left", "n_legend_columns": 1}
    return live(WALL, "rank R of LMF (count)", ERROR, height, **options)


def put_rank_wall(figure: LiveFigure, table: pd.DataFrame, wall: int, floor: float = 1e-14) -> None:
    """Redraws `rank_wall`."""
    put(figure, WALL, wall_columns(table, wall, floor))
    rows = table[table["model"] == "lmf"]
    top = max(int(rows["size"].max()) if len(rows) else 0, wall + 2)
    figure.set_range(x=(0.5, top + 0.5), y=ERROR_RANGE)


SIZES = (
    *(Layer(f"{model} line", "line", look[0], size=1.2, alpha=0.7) for model, look in MODELS.items()),
    *(Layer(f"{model} range", "bars", look[0], size=2) for model, look in MODELS.items()),
    *(Layer(model, "points", look[0], look[2], marker=look[1], size=9) for model, look in MODELS.items()),
)


def sizes_columns(means: list[dict[str, Any]], floor: float) -> Columns:
    """Columns of ``SIZES`` from ``rank_wall.means``: median error, and least to largest over seeds."""
    columns: dict[str, Any] = {}
    for model in MODELS:
        rows = sorted((row for row in means if row["model"] == model), key=lambda row: row["n_parameters"])
        points = [(row["n_parameters"], max(floor, row["median"])) for row in rows]
        columns[model] = columns[f"{model} line"] = columns_of(points)
        ends = [(r["n_parameters"], max(floor, r["best"]), r["n_parameters"], max(floor, r["worst"])) for r in rows]
        columns[f"{model} range"] = columns_of(ends, 4)
    return columns


def sizes(means: list[dict[str, Any]], floor: float = 1e-14) -> hv.Overlay:
    """Error against the number of parameters: LMF, QFL and MLP; median, and range over seeds."""
    options = {"logy": True, "ylim": ERROR_RANGE, "legend_position": "bottom_right"}
    return overlay(SIZES, sizes_columns(means, floor), "parameters (count)", ERROR, **options)


def live_sizes(height: int = 320) -> LiveFigure:
    """`sizes` to stream into."""
    options = {"logy": True, "ylim": ERROR_RANGE, "legend": "bottom_right"}
    return live(SIZES, "parameters (count)", ERROR, height, **options)


def put_sizes(figure: LiveFigure, means: list[dict[str, Any]], floor: float = 1e-14) -> None:
    """Redraws `sizes`."""
    put(figure, SIZES, sizes_columns(means, floor))
    most = max((row["n_parameters"] for row in means), default=60)
    figure.set_range(x=(0.0, 1.08 * most), y=ERROR_RANGE)


RESPONSE = (
    Layer("target", "line", "target", "polynomial", dash=[5, 3], size=2),
    Layer("response", "points", "model", "response on the engine", marker="circle", size=7),
)


def response_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``RESPONSE`` from ``SignalResult.table``."""
    return {name: (table["a"], table[name]) for name in ("target", "response")}


def response(table: pd.DataFrame) -> hv.Overlay:
    """A sequence's response against the signal, over the polynomial that it should be."""
    options = {"ylim": (-1.1, 1.1), "legend_position": "right"}
    return overlay(
        RESPONSE, response_columns(table), "signal a = cos θ (dimensionless)", "value (dimensionless)", **options
    )


def live_response(height: int = 320) -> LiveFigure:
    """`response` to stream into."""
    figure = live(RESPONSE, "signal a = cos θ (dimensionless)", "value (dimensionless)", height, legend="top")
    figure.set_range((-1.04, 1.04), (-1.15, 1.15))
    return figure


def put_response(figure: LiveFigure, table: pd.DataFrame, target: tuple[Any, Any] | None = None) -> None:
    """Redraws `response`, its target on a finer grid where there is one."""
    columns = dict(response_columns(table))
    if target is not None:
        columns["target"] = target
    put(figure, RESPONSE, columns)


PHASES = (
    Layer("zero", "line", "quiet", size=1),
    Layer("stems", "bars", "quiet", size=2),
    Layer("even", "points", "model", "even part", marker="circle", size=8),
    Layer("odd", "points", "ceiling", "odd part", marker="triangle", size=8),
)


def phase_columns(phases: pd.DataFrame) -> Columns:
    """Columns of ``PHASES`` from ``SignalResult.phases()``; phases in (-π, π]."""
    wrapped = [math.remainder(phase, 2 * math.pi) for phase in phases["phase"]]
    columns: dict[str, Any] = {"zero": ([-0.5, phases["k"].max() + 0.5], [0.0, 0.0]) if len(phases) else ([], [])}
    columns["stems"] = columns_of([(k, 0.0, k, phase) for k, phase in zip(phases["k"], wrapped, strict=True)], 4)
    for parity in ("even", "odd"):
        here = (phases["parity"] == parity).to_numpy()
        columns[parity] = (phases["k"][here], np.asarray(wrapped)[here])
    return columns


def phase_stems(phases: pd.DataFrame) -> hv.Overlay:
    """φ_0 … φ_d of a sequence."""
    options = {"ylim": (-3.5, 3.5), "legend_position": "right"}
    return overlay(PHASES, phase_columns(phases), "number k of the phase", "phase φ_k (rad)", **options)


def live_phases(height: int = 320) -> LiveFigure:
    """`phase_stems` to stream into."""
    figure = live(PHASES, "number k of the phase", "phase φ_k (rad)", height, legend="top")
    figure.set_range((-0.5, 5.5), (-3.5, 4.4))
    return figure


def put_phases(figure: LiveFigure, phases: pd.DataFrame) -> None:
    """Redraws `phase_stems`."""
    put(figure, PHASES, phase_columns(phases))
    for parity in ("even", "odd"):
        figure.show_layer(parity, bool((phases["parity"] == parity).any()))
    figure.set_range(x=(-0.5, float(phases["k"].max()) + 0.5))

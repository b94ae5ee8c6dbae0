"""Pictures of measurement bases: scores, the number of observables, repetitions, feature maps, estimates.

Every picture has three functions: ``…_layers`` turns tables into the columns of its layers, the
plain name draws them with HoloViews (for notebooks), and ``live_…`` makes a figure into which
`put` streams layers (for pages).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh

Layers = dict[str, tuple[Any, ...]]
#: basis -> (role of its colour, marker, dash, short name); the same in every picture.
LOOKS: dict[str, tuple[str, str, str, str]] = {
    "random_pauli_plane": ("model", "circle", "solid", "random plane"),
    "computational": ("test", "square", "dashed", "computational"),
    "pauli": ("ceiling", "triangle", "dotdash", "Pauli X, Y, Z"),
    "all_pauli": ("pinned", "diamond", "dotted", "all Pauli"),
}
SCORES = {"polynomial": "test R² (1 = perfect, 0 = the mean)", "breast_cancer": "test accuracy (share)"}
#: Lowest R² that is drawn; what is lower sits on the edge.
LOWEST = -0.25
_CORNERS = ("x0", "y0", "x1", "y1")
_FLOOR = 1e-9
_TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
_CLASSICAL = "classical"


def scores_layers(table: pd.DataFrame, summary: Mapping[str, Any]) -> Layers:
    """Layers of `scores`: ``trained`` and ``frozen`` by basis, ``classical``, ``interval``, ``mean``, ``ceiling``.

    Args:
        table: as in ``MeasurementResult.table``.
        summary: of the same result.
    """
    exact = table[table["repetitions"].isna()]
    places = score_rows()
    best = summary["best_classical"]
    layers: Layers = {}
    for base in LOOKS:
        for model in ("trained", "frozen"):
            values = exact.loc[(exact["basis"] == base) & (exact["model"] == model), "score"]
            layers[f"{base} {model}"] = _dots(values, places[base, model])
    layers[_CLASSICAL] = _dots(exact.loc[exact["basis"] == best, "score"], places[_CLASSICAL, _CLASSICAL])
    means, segments = [], []
    for row in summary["rows"]:
        shown = row["basis"] in (*LOOKS, best) and np.isnan(row["repetitions"])
        if shown:
            key = (row["basis"], row["model"]) if row["basis"] in LOOKS else (_CLASSICAL, _CLASSICAL)
            means.append((max(row["mean"], LOWEST), places[key]))
            if np.isfinite(row["low"]):
                segments.append((max(row["low"], LOWEST), places[key], max(row["high"], LOWEST), places[key]))
    layers["interval"], layers["mean"] = _columns(segments, 4), _columns(means, 2)
    top = exact["ceiling"].dropna()
    layers["ceiling"] = ([top.mean()] * 2, [-0.6, len(places) - 0.4]) if len(top) else ([], [])
    return layers


def score_rows() -> dict[tuple[str, str], float]:
    """(basis, model) -> height, from the top."""
    keys = [(base, model) for base in LOOKS for model in ("trained", "frozen")] + [(_CLASSICAL, _CLASSICAL)]
    return {key: float(len(keys) - 1 - i) for i, key in enumerate(keys)}


def scores(table: pd.DataFrame, summary: Mapping[str, Any], task: str = "polynomial") -> hv.Overlay:
    """Test score on every seed, mean and 95 % interval: each basis trained, and with the readout fitted only."""
    return _draw_scores(scores_layers(table, summary), task)


def _draw_scores(layers: Layers, task: str) -> hv.Overlay:
    use_bokeh()
    axes = make_axes(SCORES[task], " ")
    drawn: list[Any] = [make_segments(layers["interval"], axes).opts(line_width=2.5, color=colour("quiet"))]
    for base, (role, marker, *_) in LOOKS.items():
        for model, alpha in (("trained", 0.8), ("frozen", 0.35)):
            points = hv.Scatter(layers[f"{base} {model}"], *axes)
            drawn.append(points.opts(marker=marker, size=7, alpha=alpha, color=colour(role)))
    drawn.append(hv.Scatter(layers[_CLASSICAL], *axes).opts(marker="star", size=9, color=colour("target")))
    drawn.append(
        hv.Scatter(layers["mean"], *axes).opts(marker="dash", angle=90, size=18, line_width=3, color=colour("target"))
    )
    drawn.append(hv.Curve(layers["ceiling"], *axes).opts(line_dash="dashed", line_width=1.5, color=colour("quiet")))
    ticks = [(height, _row_name(base, model)) for (base, model), height in score_rows().items()]
    lowest = [min(np.min(columns[0]), 0.9) for columns in layers.values() if len(columns[0])]
    span = (max(LOWEST, min(lowest, default=0.0) - 0.02), 1.03)
    return hv.Overlay(drawn).opts(
        yticks=ticks, ylim=(-0.6, len(ticks) - 0.4), xlim=span, xlabel=SCORES[task], ylabel="", **tools()
    )


def _row_name(base: str, model: str) -> str:
    if base == _CLASSICAL:
        return "best classical"
    return LOOKS[base][3] if model == "trained" else "readout only"


def live_scores(height: int = 330) -> LiveFigure:
    """`scores` to stream into."""
    names = [f"{base} {model}" for base in LOOKS for model in ("trained", "frozen")]
    roles = [LOOKS[name.split(" ")[0]][0] for name in names]
    layers = {"interval": make_seed(4), **{n: make_seed(2) for n in (*names, _CLASSICAL, "mean", "ceiling")}}
    order = ["interval", *names, _CLASSICAL, "mean", "ceiling"]
    figure = freeze(
        _draw_scores(layers, "polynomial"), order, ["quiet", *roles, "target", "target", "quiet"], height, None
    )
    figure.figure.min_border_left = 104
    figure.set_range((0.0, 1.03))
    figure.clear(*order)
    return figure


def sweep_layers(means: pd.DataFrame, summary: Mapping[str, Any] | None = None) -> Layers:
    """Layers of `sweep`: ``<basis>``, ``<basis> interval`` and ``<basis> trained``.

    Args:
        means: basis, n_observables, mean, low, high, as `sweep_means` gives them.
        summary: of a `MeasurementResult`, for the trained models' marks.
    """
    layers: Layers = {}
    rows = (summary or {"rows": []})["rows"]
    for i, base in enumerate(LOOKS):
        part = means[means["basis"] == base]
        x = part["n_observables"].to_numpy(float) * 1.03 ** (i - 1.5)
        y, low, high = (np.clip(part[name].to_numpy(float), LOWEST, 1.0) for name in ("mean", "low", "high"))
        known = np.isfinite(low)
        layers[base] = (x, y)
        layers[f"{base} interval"] = (x[known], low[known], x[known], high[known])
        trained = [r for r in rows if r["basis"] == base and r["model"] == "trained" and np.isnan(r["repetitions"])]
        layers[f"{base} trained"] = _columns([(r["n_observables"], max(r["mean"], LOWEST)) for r in trained], 2)
    return layers


def sweep(means: pd.DataFrame, summary: Mapping[str, Any] | None = None, task: str = "polynomial") -> hv.Overlay:
    """Score against K with random weights and a fitted readout (lines); the trained circuit (large marks)."""
    return _draw_lines(sweep_layers(means, summary), "number of observables K", SCORES[task], trained=True)


def live_sweep(height: int = 330) -> LiveFigure:
    """`sweep` to stream into."""
    figure = _live_lines("number of observables K", SCORES["polynomial"], True, height)
    figure.set_range((0.8, 70.0), (LOWEST - 0.03, 1.06))
    return figure


def repetition_layers(summary: Mapping[str, Any], model: str = "trained") -> Layers:
    """Layers of `repetitions`: ``<basis>`` and ``<basis> interval``.

    Args:
        summary: of a `MeasurementResult`.
        model: ``trained`` (readout trained on exact values) or ``refitted`` (to sampled ones).
    """
    layers: Layers = {}
    for i, base in enumerate(LOOKS):
        rows = [r for r in summary["rows"] if (r["basis"], r["model"]) == (base, model) and r["repetitions"] > 0]
        rows.sort(key=lambda r: r["repetitions"])
        x = np.array([r["repetitions"] for r in rows], float) * 1.06 ** (i - 1.5)
        mean, low, high = (np.array([max(r[name], LOWEST) for r in rows]) for name in ("mean", "low", "high"))
        known = np.isfinite(low)
        layers[base] = (x, mean)
        layers[f"{base} interval"] = (x[known], low[known], x[known], high[known])
    return layers


def repetitions(summary: Mapping[str, Any], task: str = "polynomial", model: str = "trained") -> hv.Overlay:
    """Score of the trained circuits against repetitions T of each, split over a basis's settings."""
    return _draw_lines(repetition_layers(summary, model), "repetitions T of each circuit", SCORES[task], trained=False)


def live_repetitions(height: int = 300) -> LiveFigure:
    """`repetitions` to stream into."""
    figure = _live_lines("repetitions T of each circuit", SCORES["polynomial"], False, height)
    figure.set_range((20.0, 160_000.0), (LOWEST - 0.03, 1.06))
    return figure


def singular_layers(table: pd.DataFrame) -> Layers:
    """Layers of `singular_values`: ``<basis>``; values that are 0 up to rounding are left out.

    Args:
        table: basis, index, median, as `spectrum_table` gives them.
    """
    layers: Layers = {}
    for base in LOOKS:
        part = table[(table["basis"] == base) & (table["median"] > _FLOOR)]
        layers[base] = (part["index"].to_numpy(float), part["median"].to_numpy(float))
    return layers


def singular_values(table: pd.DataFrame) -> hv.Overlay:
    """Singular values of the [samples, K] matrix over the largest; median over random weights."""
    return _draw_singular(singular_layers(table))


def _draw_singular(layers: Layers) -> hv.Overlay:
    use_bokeh()
    axes = make_axes("direction, strongest first", "singular value over the largest")
    drawn: list[Any] = []
    for base, (role, marker, dash, label) in LOOKS.items():
        line = hv.Curve(layers[base], *axes, label=label)
        dots = hv.Scatter(layers[base], *axes, label=label)
        drawn += [
            line.opts(color=colour(role), line_dash=dash, line_width=2),
            dots.opts(color=colour(role), marker=marker, size=6),
        ]
    lowest = min([float(np.min(y)) for _, y in layers.values() if len(y)], default=_FLOOR)
    most = max([float(np.max(x)) for x, _ in layers.values() if len(x)], default=1.0)
    return hv.Overlay(drawn).opts(
        logx=True, logy=True, xticks=_TICKS, xlim=(0.9, 1.2 * most), ylim=(lowest / 3, 3.0), **tools()
    )


def live_singular(height: int = 300) -> LiveFigure:
    """`singular_values` to stream into; layers ``<basis>`` and ``<basis> dots``."""
    names = [name for base in LOOKS for name in (base, f"{base} dots")]
    roles = [look[0] for look in LOOKS.values() for _ in range(2)]
    figure = freeze(_draw_singular({base: make_seed(2) for base in LOOKS}), names, roles, height, "bottom_left")
    figure.set_range((0.9, 70.0), (1e-6, 3.0))
    figure.clear(*names)
    return figure


def put(figure: LiveFigure, layers: Layers) -> None:
    """Replaces layers of a live figure."""
    for name, columns in layers.items():
        if len(columns) == 4:
            figure.sources[name].data = dict(zip(_CORNERS, map(np.asarray, columns), strict=True))
            continue
        figure.put(name, *columns)
        if f"{name} dots" in figure.sources:
            figure.put(f"{name} dots", *columns)


def lowest_score(layers: Layers, axis: int = 1) -> float:
    """Where an axis of scores begins: a little below the lowest one, and not far below ``LOWEST``.

    Args:
        layers: of one picture.
        axis: 0 where scores are horizontal, 1 where they are vertical.
    """
    columns = [values for name, layer in layers.items() if name != "ceiling" for values in layer[axis::2]]
    lowest = min([0.9, *(float(np.min(column)) for column in columns if len(column))])
    return max(LOWEST - 0.03, lowest - 0.05 * (1.0 - lowest))


def _draw_lines(layers: Layers, x_label: str, y_label: str, trained: bool) -> hv.Overlay:
    use_bokeh()
    axes = make_axes(x_label, y_label)
    drawn: list[Any] = []
    for base, (role, marker, dash, label) in LOOKS.items():
        look = {"color": colour(role)}
        drawn += [
            make_segments(layers[f"{base} interval"], axes, label).opts(line_width=1.5, alpha=0.6, **look),
            hv.Curve(layers[base], *axes, label=label).opts(line_dash=dash, line_width=2.5, **look),
        ]
        if trained:
            mark = hv.Scatter(layers[f"{base} trained"], *axes, label=label)
            drawn.append(mark.opts(marker=marker, size=13, line_width=1.5, **look))
        else:
            drawn.append(hv.Scatter(layers[base], *axes, label=label).opts(marker=marker, size=8, **look))
    options = {"logx": True, "ylim": (LOWEST - 0.03, 1.06), "xlabel": x_label, "ylabel": y_label}
    if trained:
        options["xticks"] = _TICKS
    return hv.Overlay(drawn).opts(**options, **tools())


def _live_lines(x_label: str, y_label: str, trained: bool, height: int) -> LiveFigure:
    last = "trained" if trained else "dots"
    names = [name for base in LOOKS for name in (f"{base} interval", base, f"{base} {last}")]
    roles = [look[0] for look in LOOKS.values() for _ in range(3)]
    layers = {name: make_seed(4 if name.endswith("interval") else 2) for name in names}
    figure = freeze(_draw_lines(layers, x_label, y_label, trained), names, roles, height, "top")
    figure.figure.legend[0].ncols = 2  # four in a row would not fit a narrow window
    figure.clear(*names)
    return figure


def make_axes(x: str, y: str) -> tuple[hv.Dimension, hv.Dimension]:
    """The two axes, named."""
    return hv.Dimension("x", label=x), hv.Dimension("y", label=y)


def make_segments(columns: tuple[Any, ...], axes: tuple[hv.Dimension, ...], label: str = "") -> hv.Segments:
    """Straight pieces from (x0, y0) to (x1, y1), given as four columns."""
    # corners without labels: HoloViews finds dimensions by label too, and would mix up equal ones
    segments = hv.Segments(tuple(np.asarray(c, float) for c in columns), list(_CORNERS), label=label)
    return segments.opts(xlabel=axes[0].label, ylabel=axes[1].label)


def _dots(values: Any, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Seeds' dots, spread a little below the row's middle, so that equal ones show."""
    array = np.maximum(np.asarray(values, float), LOWEST)
    return array, height - 0.16 - 0.05 * np.arange(len(array)) % 0.30


def _columns(rows: list[tuple[float, ...]], n_columns: int) -> tuple[np.ndarray, ...]:
    return tuple(np.array(rows, float).reshape(-1, n_columns).T)


def make_seed(n_columns: int) -> tuple[np.ndarray, ...]:
    """Columns with which a layer is drawn the first time."""
    return tuple(np.array([1.0, 2.0]) + i for i in range(n_columns))

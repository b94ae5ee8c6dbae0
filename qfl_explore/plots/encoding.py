"""Pictures of encoding sensitivity: scores against the strength of a distortion, and differences of models.

``…_layers`` turns a summary into the columns of layers, the plain name draws them with HoloViews (for
notebooks), ``live_…`` makes a figure into which `put` streams layers (for pages).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import holoviews as hv
import numpy as np

from qfl_explore.plots.measurement_bases import Layers, make_axes, make_seed, make_segments
from qfl_explore.plots.style import DASHES, LiveFigure, colour, freeze, tools, use_bokeh

#: View -> {series: (role of its colour, marker, dash, name in the legend)}.
SERIES: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "models": {
        "quantum": ("model", "circle", "solid", "quantum layer"),
        "fourier": ("test", "square", "dashed", "linear in waves"),
        "linear": ("data", "cross", "dotted", "linear"),
        "mlp": ("pinned", "diamond", "dotdash", "MLP"),
        "boosting": ("other", "triangle", "dashed", "boosting"),
    },
    "degrees": {
        "1": ("other", "triangle", "dotted", "P = 1"),
        "2": ("pinned", "diamond", "dotdash", "P = 2"),
        "3": ("model", "circle", "solid", "P = 3"),
        "4": ("test", "square", "dashed", "P = 4"),
    },
    "scalers": {
        "none": ("model", "circle", "solid", "none"),
        "standardise": ("target", "cross", "dashed", "standardise"),
        "min_max": ("ceiling", "inverted_triangle", "dotdash", "min–max"),
        "min_max_clip": ("other", "triangle", "dotted", "min–max, clipped"),
        "arctan": ("test", "square", "solid", "arctan"),
        "tanh": ("pinned", "diamond", "dashed", "tanh"),
        "quantile": ("data", "hex", "dotdash", "quantile"),
    },
}
#: Lines that bound scores: layer -> (role of its colour, dash).
BOUNDS = {"layer bound": ("ceiling", "dashed"), "any bound": ("quiet", "dotted")}
METRICS = {"r2": "test R² (1 = perfect, 0 = the mean)", "auc": "test AUC (0.5 = chance)"}
#: Lowest score that is drawn, and that counts in means.
LOWEST = {"r2": -1.0, "auc": 0.3}
AXES = {
    "scale": "features multiplied by",
    "shift": "shift (radians or standard deviations)",
    "clip": "clipped to ± (radians or standard deviations)",
    "outliers": "share of values replaced by far ones",
    "wrap": "whole turns of 2π added, up to",
}
#: What the two pictures of scores are about.
BOUND_NAMES = {"test": "ideal clean fit", "both": "layer's ceiling"}
_MOST = 7


def tick(distortion: str, strength: float) -> str:
    """A strength as its tick says it.

    >>> tick("scale", 0.1), tick("shift", 3.1416), tick("outliers", 0.05), tick("clip", 2.0)
    ('×0.1', 'π', '5 %', '±2')
    """
    if distortion == "outliers":
        return f"{100 * strength:g} %"
    for factor, name in ((1, "π"), (2, "2π"), (4, "4π")):
        if distortion == "shift" and abs(strength - factor * math.pi) < 1e-3:
            return name
    return {"scale": "×", "clip": "±"}.get(distortion, "") + f"{strength:g}"


def ticks(distortion: str, strengths: tuple[float, ...]) -> list[tuple[int, str]]:
    """Evenly spaced places of strengths, and what stands there."""
    return [(i, tick(distortion, strength)) for i, strength in enumerate(strengths)]


def _name(view: str, row: Mapping[str, Any]) -> str:
    return {"models": row["model"], "degrees": str(row["degree"]), "scalers": row["scaler"]}[view]


def score_layers(
    summary: Mapping[str, Any], strengths: tuple[float, ...], view: str, when: str, lowest: float
) -> Layers:
    """Layers of `scores`: ``<series>``, ``<series> interval``, and bounds.

    Args:
        summary: of an `EncodingResult`.
        strengths: those of the config, in order.
        view: one of ``SERIES``; ``degrees`` and ``scalers`` show the quantum layer only.
        when: ``test`` or ``both``.
        lowest: what is lower sits on this edge.
    """
    place = {strength: i for i, strength in enumerate(strengths)}
    rows = [row for row in summary["rows"] if row["when"] == when]
    if view != "models":
        rows = [row for row in rows if row["model"] == "quantum"]
    layers: Layers = {}
    for i, name in enumerate(SERIES[view]):
        mine = sorted((row for row in rows if _name(view, row) == name), key=lambda row: place[row["strength"]])
        at = np.array([place[row["strength"]] for row in mine], float)
        shifted = at + 0.05 * (i - (len(SERIES[view]) - 1) / 2)
        mean, low, high = (np.array([max(row[key], lowest) for row in mine], float) for key in ("mean", "low", "high"))
        known = np.isfinite([row["low"] for row in mine]) if mine else np.zeros(0, bool)
        layers[name] = (shifted, mean)
        layers[f"{name} interval"] = (shifted[known], low[known], shifted[known], high[known])
        if view == "degrees":
            layers[f"{name} bound"] = _bound(mine, at, "ceiling", lowest)
    if view == "models":
        mine = sorted((row for row in rows if row["model"] == "quantum"), key=lambda row: place[row["strength"]])
        at = np.array([place[row["strength"]] for row in mine], float)
        layers["layer bound"] = _bound(mine, at, "ceiling", lowest)
        layers["any bound"] = _bound(mine, at, "ceiling_anything", lowest)
    return layers


def _bound(rows: list[Mapping[str, Any]], at: np.ndarray, key: str, lowest: float) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([row[key] for row in rows], float)
    known = np.isfinite(values)
    return at[known], np.maximum(values[known], lowest)


def scores(result: Any, view: str = "models", when: str = "test") -> hv.Overlay:
    """Test score against strength, mean and 95 % interval over seeds, for each model, degree or scaler.

    Args:
        result: an `EncodingResult`.
        view: one of ``SERIES``.
        when: ``test`` or ``both``.
    """
    config, lowest = result.config, LOWEST[result.config.metric]
    layers = score_layers(result.summary(), config.tried, view, when, lowest)
    return _draw_scores(layers, view, when, config.metric, config.distortion, config.tried)


def _draw_scores(
    layers: Layers, view: str, when: str, metric: str, distortion: str, strengths: tuple[float, ...]
) -> hv.Overlay:
    use_bokeh()
    axes = make_axes(AXES[distortion], METRICS[metric])
    drawn: list[Any] = []
    if view == "models":
        for name, (role, dash) in BOUNDS.items():
            label = BOUND_NAMES[when] if name == "layer bound" else "any model's bound"
            line = hv.Curve(layers[name], *axes, label=label)
            drawn.append(line.opts(color=colour(role), line_dash=DASHES.get(role, dash), line_width=2))
    for name, (role, marker, dash, label) in SERIES[view].items():
        look = {"color": colour(role)}
        drawn.append(make_segments(layers[f"{name} interval"], axes, label).opts(line_width=1.5, alpha=0.6, **look))
        if view == "degrees":
            drawn.append(
                hv.Curve(layers[f"{name} bound"], *axes, label=label).opts(line_dash=[2, 4], alpha=0.7, **look)
            )
        drawn.append(hv.Curve(layers[name], *axes, label=label).opts(line_dash=dash, line_width=2.5, **look))
        drawn.append(hv.Scatter(layers[name], *axes, label=label).opts(marker=marker, size=8, **look))
    low = lowest_drawn(layers, LOWEST[metric])
    options = {"xticks": ticks(distortion, strengths), "xlim": (-0.4, len(strengths) - 0.6)}
    return hv.Overlay(drawn).opts(
        ylim=(low, 1.0 + 0.06 * (1.0 - low)), xlabel=AXES[distortion], ylabel=METRICS[metric], **options, **tools()
    )


def lowest_drawn(layers: Layers, lowest: float) -> float:
    """Where the axis of scores begins: a little below the lowest one, and not far below ``lowest``."""
    columns = [values for layer in layers.values() for values in layer[1::2]]
    least = min([0.9, *(float(np.min(column)) for column in columns if len(column))])
    return max(lowest - 0.04 * (1.0 - lowest), least - 0.06 * (1.0 - least))


def live_scores(view: str, when: str, height: int = 350) -> LiveFigure:
    """`scores` to stream into."""
    names: list[str] = list(BOUNDS) if view == "models" else []
    roles = [role for role, _ in BOUNDS.values()] if view == "models" else []
    for name, (role, *_) in SERIES[view].items():
        mine = [f"{name} interval", *([f"{name} bound"] if view == "degrees" else []), name, f"{name} dots"]
        names += mine
        roles += [role] * len(mine)
    layers = {name: make_seed(4 if name.endswith("interval") else 2) for name in names}
    drawn = _draw_scores(layers, view, when, "r2", "scale", tuple(range(1, _MOST + 1)))
    figure = freeze(drawn, names, roles, height, "top")
    figure.figure.legend[0].ncols = 4 if view == "degrees" else 3
    figure.clear(*names)
    return figure


def label_axis(figure: LiveFigure, distortion: str, strengths: tuple[float, ...], metric: str | None = None) -> None:
    """Names axes and ticks of a live figure after the distortion (and metric)."""
    axis = figure.figure.xaxis[0]
    marks = ticks(distortion, strengths)
    axis.ticker.ticks = [place for place, _ in marks]
    axis.major_label_overrides = dict(marks)
    axis.axis_label = AXES[distortion]
    if metric is not None:
        figure.figure.yaxis[0].axis_label = METRICS[metric]
    figure.set_range(x=(-0.4, len(strengths) - 0.6))


def difference_layers(summary: Mapping[str, Any], strengths: tuple[float, ...], rivals: Mapping[str, str]) -> Layers:
    """Layers of `differences`: ``test``, ``both``, their intervals, and ``zero``.

    Args:
        summary: of an `EncodingResult` with one degree and one scaler.
        strengths: those of the config, in order.
        rivals: when -> a classical model.
    """
    place = {strength: i for i, strength in enumerate(strengths)}
    layers: Layers = {"zero": (np.array([-0.4, len(strengths) - 0.6]), np.zeros(2))}
    for when, offset in (("test", -0.08), ("both", 0.08)):
        rows = [row for row in summary["paired"] if row["when"] == when and row["model"] == rivals.get(when)]
        rows.sort(key=lambda row: place[row["strength"]])
        at = np.array([place[row["strength"]] for row in rows], float) + offset
        mean, low, high = (np.array([row[key] for row in rows], float) for key in ("mean", "low", "high"))
        known = np.isfinite(low)
        layers[when] = (at, mean)
        layers[f"{when} interval"] = (at[known], low[known], at[known], high[known])
    return layers


#: when -> (role, marker, name in the legend).
_WHEN = {
    "test": ("ceiling", "triangle", "spoiled at test only"),
    "both": ("model", "circle", "spoiled in training too"),
}


def differences(result: Any, rival: str = "") -> hv.Overlay:
    """Quantum layer less one classical model, seed by seed, with intervals for all comparisons together.

    Args:
        result: an `EncodingResult` with one degree and one scaler.
        rival: a classical model; empty for the best of each case.
    """
    summary, config = result.summary(), result.config
    rivals = dict.fromkeys(_WHEN, rival) if rival else summary["best_classical"]
    layers = difference_layers(summary, config.tried, rivals)
    return _draw_differences(layers, config.distortion, config.tried, config.metric)


def _draw_differences(layers: Layers, distortion: str, strengths: tuple[float, ...], metric: str) -> hv.Overlay:
    use_bokeh()
    axes = make_axes(AXES[distortion], _difference_label(metric))
    drawn: list[Any] = [hv.Curve(layers["zero"], *axes).opts(color=colour("target"), line_width=1)]
    for when, (role, marker, label) in _WHEN.items():
        look = {"color": colour(role)}
        drawn.append(make_segments(layers[f"{when} interval"], axes, label).opts(line_width=2, **look))
        drawn.append(hv.Scatter(layers[when], *axes, label=label).opts(marker=marker, size=9, **look))
    return hv.Overlay(drawn).opts(
        xticks=ticks(distortion, strengths),
        xlim=(-0.4, len(strengths) - 0.6),
        ylim=difference_span(layers),
        xlabel=AXES[distortion],
        ylabel=_difference_label(metric),
        **tools(),
    )


def _difference_label(metric: str) -> str:
    return f"test {'R²' if metric == 'r2' else 'AUC'}: layer less rival"


def difference_span(layers: Layers) -> tuple[float, float]:
    """A range around 0 that shows all differences and their intervals."""
    columns = [values for layer in layers.values() for values in layer[1::2]]
    most = max([0.02, *(float(np.max(np.abs(column))) for column in columns if len(column))])
    return -1.1 * most, 1.1 * most


def live_differences(height: int = 300) -> LiveFigure:
    """`differences` to stream into."""
    names = ["zero", "test interval", "test", "both interval", "both"]
    layers = {name: make_seed(4 if name.endswith("interval") else 2) for name in names}
    drawn = _draw_differences(layers, "scale", tuple(range(1, _MOST + 1)), "r2")
    figure = freeze(drawn, names, ["target", "ceiling", "ceiling", "model", "model"], height, "top")
    figure.clear(*names)
    return figure


def label_difference(figure: LiveFigure, metric: str) -> None:
    """Names the vertical axis after the metric."""
    figure.figure.yaxis[0].axis_label = _difference_label(metric)

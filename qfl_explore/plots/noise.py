"""Pictures of noise: score against strength, against strength for each degree, and one curve seen through noise.

Every picture has three functions: ``…_layers`` turns tables into the columns of its layers, the
plain name draws them with HoloViews (for notebooks), and ``live_…`` makes a figure into which
`put` streams layers (for pages). Strengths stand at equal distances, 0 first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.core.properties import value

from qfl_explore.plots.measurement_bases import make_axes, make_seed, make_segments, put
from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh

__all__ = ["curve", "curve_layers", "degrees", "degrees_layers", "live_curve", "live_degrees", "live_scores"]
__all__ += ["put", "scores", "scores_layers", "set_strengths"]

Layers = dict[str, tuple[Any, ...]]
Look = tuple[str, str, str, str]
#: layer -> (role of its colour, marker, dash, name); a layer is a model and how it met the noise.
LEARNED: dict[str, Look] = {
    "quantum clean": ("other", "square", "dashed", "layer, as trained without noise"),
    "quantum refit": ("pinned", "triangle", "dotdash", "layer, readout fitted anew"),
    "quantum noisy": ("model", "circle", "solid", "layer, trained with noise"),
    "linear refit": ("ceiling", "diamond", "dotted", "linear model, readout fitted anew"),
    "network noisy": ("test", "inverted_triangle", "dashed", "network, trained with noise"),
}
DECIDED: dict[str, Look] = {
    "joint": ("model", "circle", "solid", "joint protocol"),
    "separable": ("ceiling", "diamond", "dotted", "best separable found, no noise"),
    "separable_same_loss": ("test", "inverted_triangle", "dashed", "best separable found, same loss"),
}
#: Linear classical model that is drawn, by task.
LINEAR = {"polynomial": "fourier", "breast_cancer": "measures"}
#: For up to four degrees.
DEGREE_LOOKS: tuple[Look, ...] = (
    ("model", "circle", "solid", ""),
    ("ceiling", "square", "dashed", ""),
    ("test", "triangle", "dotdash", ""),
    ("pinned", "diamond", "dotted", ""),
)
CURVES: dict[str, Look] = {
    "target": ("target", "", "dashed", "target"),
    "noiseless": ("test", "", "dotdash", "without noise"),
    "clean": ("other", "", "dotted", "under noise, as it is"),
    "refit": ("model", "", "solid", "under noise, readout fitted anew"),
}
SCORES = {
    "polynomial": "test R² (1 = perfect, 0 = the mean)",
    "breast_cancer": "test AUC (0.5 = a guess)",
    "separation": "right decisions (share)",
}
STRENGTHS = {
    "depolarizing": "strength (probability of an error, two-qubit gate)",
    "dephasing": "strength (probability of a flip, qubit and moment)",
    "amplitude_damping": "strength (probability of decay, qubit and moment)",
    "readout": "strength (probability that an outcome is misread)",
    "device": "strength (multiple of the device's rates)",
}
CURVE_AXES = {
    "polynomial": ("first feature x₁ (rad), others at 0", "output (standardised)"),
    "breast_cancer": ("test samples in the noiseless order (number)", "output (log-odds)"),
    "separation": ("true difference Δ (in units of δ)", "probability of the answer Δ = 0"),
}
#: Look of points that trajectories give, with their 95 % intervals.
CHECKED: Look = ("target", "circle", "", "trajectories, 95 %")
#: Lowest score that is drawn; what is lower sits on the edge.
LOWEST = -0.25


def looks_of(task: str) -> dict[str, Look]:
    """The layers of `scores`."""
    return DECIDED if task == "separation" else LEARNED


def scores_layers(summary: Mapping[str, Any], task: str, degree: int, strengths: Sequence[float]) -> Layers:
    """Layers of `scores`: each of `looks_of` and its ``… interval``.

    Args:
        summary: of a ``NoiseResult``.
        task: one of ``SCORES``.
        degree: P that is drawn.
        strengths: of the settings, ascending.
    """
    layers: Layers = {}
    names = looks_of(task)
    for i, name in enumerate(names):
        model, _, training = name.partition(" ")
        model = LINEAR.get(task, "") if model == "linear" else model
        wanted = {"model": model, "degree": degree, "training": training or "none"}
        layers |= _line(name, _chosen(summary, wanted), strengths, 0.05 * (i - (len(names) - 1) / 2))
    return layers


def degrees_layers(summary: Mapping[str, Any], task: str, strengths: Sequence[float]) -> Layers:
    """Layers of `degrees`: ``1`` to ``4`` (the settings' degrees in order) and their ``… interval``.

    Args:
        summary: of a ``NoiseResult``.
        task: one of ``SCORES``.
        strengths: of the settings, ascending.
    """
    model, training = ("joint", "none") if task == "separation" else ("quantum", "noisy")
    layers: Layers = {}
    known = sorted({row["degree"] for row in summary["rows"]})
    for i in range(len(DEGREE_LOOKS)):
        wanted = {"model": model, "training": training, "degree": known[i] if i < len(known) else None}
        layers |= _line(str(i + 1), _chosen(summary, wanted), strengths, 0.05 * (i - 1.5))
    return layers


def _chosen(summary: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in summary["rows"] if all(row[name] == value for name, value in wanted.items())]


def _line(name: str, rows: list[Mapping[str, Any]], strengths: Sequence[float], move: float) -> Layers:
    place = {strength: i for i, strength in enumerate(strengths)}
    rows = sorted((row for row in rows if row["strength"] in place), key=lambda row: row["strength"])
    x = np.array([place[row["strength"]] + move for row in rows], float)
    mean, low, high = (np.array([max(row[end], LOWEST) for row in rows], float) for end in ("mean", "low", "high"))
    known = np.array([row["low"] == row["low"] for row in rows], bool)
    return {name: (x, mean), f"{name} interval": (x[known], low[known], x[known], high[known])}


def curve_layers(table: pd.DataFrame) -> Layers:
    """Layers of `curve`: one for each of ``CURVES``; empty where there is none.

    Args:
        table: series, x, value, as ``noise_curve.curve`` gives them.
    """
    parts = {name: table[table["series"] == name] for name in CURVES}
    return {name: (part["x"].to_numpy(float), part["value"].to_numpy(float)) for name, part in parts.items()}


def scores(summary: Mapping[str, Any], config: Any, degree: int) -> hv.Overlay:
    """Score against strength for one degree: mean and 95 % interval over seeds.

    Args:
        summary: of a ``NoiseResult``.
        config: its settings.
        degree: P that is drawn.
    """
    layers = scores_layers(summary, config.task, degree, config.strengths)
    drawn = _draw_lines(layers, looks_of(config.task), STRENGTHS[config.kind], SCORES[config.task])
    return drawn.opts(**_frame(layers, config))


def degrees(summary: Mapping[str, Any], config: Any) -> hv.Overlay:
    """Score against strength, a line for each degree: the layer trained with noise, or the joint protocol.

    Args:
        summary: of a ``NoiseResult``.
        config: its settings.
    """
    layers = degrees_layers(summary, config.task, config.strengths)
    names = [f"P = {degree}" for degree in config.degrees]
    looks = {str(i + 1): (*DEGREE_LOOKS[i][:3], name) for i, name in enumerate(names[: len(DEGREE_LOOKS)])}
    drawn = _draw_lines(layers, looks, STRENGTHS[config.kind], SCORES[config.task])
    return drawn.opts(**_frame(layers, config))


def _frame(layers: Layers, config: Any) -> dict[str, Any]:
    ticks = [(i, f"{strength:g}") for i, strength in enumerate(config.strengths)]
    return {"xticks": ticks, "xlim": (-0.4, len(ticks) - 0.6), "ylim": span(layers), "legend_position": "bottom_left"}


def span(layers: Layers) -> tuple[float, float]:
    """Where the axis of scores begins and ends."""
    columns = [column for layer in layers.values() for column in layer[1::2] if len(column)]
    lowest = min([0.9, *(float(np.min(column)) for column in columns)])
    low = max(LOWEST, lowest)
    return low - 0.05 * (1.0 - low), 1.0 + 0.06 * (1.0 - low)


def checked_layers(rows: Sequence[Mapping[str, float]]) -> Layers:
    """Layers of points from trajectories: ``checked`` and ``checked interval`` (95 %).

    Args:
        rows: x, value, error, as ``noise_curve.checked_points`` gives them.
    """
    x, value, error = (np.array([row[name] for row in rows], float) for name in ("x", "value", "error"))
    return {"checked": (x, value), "checked interval": (x, value - 1.96 * error, x, value + 1.96 * error)}


def curve(
    table: pd.DataFrame, task: str = "polynomial", checked: Sequence[Mapping[str, float]] | None = None
) -> hv.Overlay:
    """One trained layer (or the protocol) along a line, exactly: without noise, and under it.

    Args:
        table: series, x, value, as ``noise_curve.curve`` gives them.
        task: one of ``SCORES``.
        checked: points from trajectories, as ``noise_curve.checked_points`` gives them.
    """
    return _draw_curve(curve_layers(table) | (checked_layers(checked) if checked else {}), task)


def _draw_curve(layers: Layers, task: str) -> hv.Overlay:
    use_bokeh()
    axes = make_axes(*CURVE_AXES[task])
    drawn = [
        hv.Curve(layers[name], *axes, label=label).opts(line_dash=dash, line_width=2.5, color=colour(role))
        for name, (role, _, dash, label) in CURVES.items()
        if len(layers[name][0])
    ]
    if "checked" in layers:
        role, marker, _, label = CHECKED
        look = {"color": colour(role)}
        drawn.append(make_segments(layers["checked interval"], axes, label).opts(line_width=1.5, **look))
        drawn.append(hv.Scatter(layers["checked"], *axes, label=label).opts(marker=marker, size=7, **look))
    return hv.Overlay(drawn).opts(xlabel=axes[0].label, ylabel=axes[1].label, **tools())


def _draw_lines(layers: Layers, looks: Mapping[str, Look], x_label: str, y_label: str) -> hv.Overlay:
    use_bokeh()
    axes = make_axes(x_label, y_label)
    drawn: list[Any] = []
    for name, (role, marker, dash, label) in looks.items():
        look = {"color": colour(role)}
        drawn += [
            make_segments(layers[f"{name} interval"], axes, label).opts(line_width=1.5, alpha=0.6, **look),
            hv.Curve(layers[name], *axes, label=label).opts(line_dash=dash, line_width=2.5, **look),
            hv.Scatter(layers[name], *axes, label=label).opts(marker=marker, size=8, **look),
        ]
    return hv.Overlay(drawn).opts(xlabel=x_label, ylabel=y_label, **tools())


def _live_lines(looks: Mapping[str, Look], height: int, legend: str) -> LiveFigure:
    names = [name for look in looks for name in (f"{look} interval", look, f"{look} dots")]
    roles = [look[0] for look in looks.values() for _ in range(3)]
    layers = {name: make_seed(4 if name.endswith("interval") else 2) for name in names}
    drawn = _draw_lines(layers, looks, STRENGTHS["depolarizing"], SCORES["polynomial"])
    figure = freeze(drawn, names, roles, height, legend)
    figure.figure.legend[0].ncols = 2 if legend == "top" else 1
    figure.clear(*names)
    return figure


def live_scores(height: int = 380) -> LiveFigure:
    """`scores` of a learned task to stream into."""
    return _live_lines(LEARNED, height, "top")


def live_decisions(height: int = 380) -> LiveFigure:
    """`scores` of the separation to stream into."""
    return _live_lines(DECIDED, height, "top")


def live_degrees(height: int = 380) -> LiveFigure:
    """`degrees` to stream into; layers are numbered, so the legend says which is which."""
    looks = {str(i + 1): (*look[:3], f"P, number {i + 1}") for i, look in enumerate(DEGREE_LOOKS)}
    figure = _live_lines(looks, height, "top")
    figure.figure.legend[0].ncols = len(looks)
    return figure


def live_curve(height: int = 330) -> LiveFigure:
    """`curve` to stream into."""
    checked = ["checked interval", "checked"]
    names = [*CURVES, *checked]
    layers = {name: make_seed(4 if name.endswith("interval") else 2) for name in names}
    roles = [*(look[0] for look in CURVES.values()), CHECKED[0], CHECKED[0]]
    figure = freeze(_draw_curve(layers, "polynomial"), names, roles, height, "top")
    figure.figure.legend[0].ncols = 2
    figure.clear(*names)
    return figure


def set_strengths(figure: LiveFigure, config: Any) -> None:
    """Labels a live figure's axes for these settings."""
    axis = figure.figure.xaxis[0]
    axis.ticker = list(range(len(config.strengths)))
    axis.major_label_overrides = {i: f"{strength:g}" for i, strength in enumerate(config.strengths)}
    axis.axis_label = STRENGTHS[config.kind]
    figure.figure.yaxis[0].axis_label = SCORES[config.task]
    figure.set_range(x=(-0.4, len(config.strengths) - 0.6))


def name_degrees(figure: LiveFigure, config: Any) -> None:
    """Writes the degrees into the legend of `live_degrees`; those that are missing are hidden."""
    names = [f"P = {degree}" for degree in config.degrees[: len(DEGREE_LOOKS)]]
    for i in range(len(DEGREE_LOOKS)):
        shown = i < len(names)
        for layer in (f"{i + 1} interval", str(i + 1), f"{i + 1} dots"):
            figure.show_layer(layer, shown)
            for item in figure.figure.legend[0].items:
                if shown and figure.renderers[layer] in item.renderers:
                    item.label = value(names[i])


def set_curve_axes(figure: LiveFigure, task: str) -> None:
    """Labels a live curve's axes for a task, and shows the series that it has."""
    figure.figure.xaxis[0].axis_label, figure.figure.yaxis[0].axis_label = CURVE_AXES[task]
    figure.show_layer("target", task == "polynomial")
    figure.show_layer("refit", task != "separation")


def show_checked(figure: LiveFigure, shown: bool) -> None:
    """Shows or hides the points from trajectories of a live curve."""
    for layer in ("checked interval", "checked"):
        figure.show_layer(layer, shown)

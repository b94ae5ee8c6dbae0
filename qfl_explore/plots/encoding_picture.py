"""The live picture of encoding: raw feature → angle, and where the angle lands on the Bloch circle."""

from __future__ import annotations

import math
from typing import Any

import holoviews as hv
import numpy as np

from qfl_explore.experiments.encoding_picture import MAX_RING, Trace
from qfl_explore.plots.measurement_bases import Layers, make_axes, make_seed
from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh

#: Group of samples -> (role, marker, size, name in the legend); what wraps counts as that, also where it is saturated.
GROUPS: dict[str, tuple[str, str, int, str]] = {
    "inside": ("model", "circle", 6, "told apart"),
    "saturated": ("other", "square", 7, "saturated"),
    "outside": ("ceiling", "triangle", 8, "wraps around"),
}
#: Distance of two rings; ring k holds angles that made k whole turns.
RING = 0.16
_EDGE = 1.0 + RING * MAX_RING + 0.12
_ROUND = np.linspace(0.0, 2 * math.pi, 181)
_SIDE = 236


def _groups(trace: Trace) -> dict[str, np.ndarray]:
    saturated = trace.saturated & ~trace.outside
    return {"inside": ~saturated & ~trace.outside, "saturated": saturated, "outside": trace.outside}


def map_layers(trace: Trace) -> Layers:
    """Layers of `angle_map`: ``curve``, ``low``, ``high`` (ends of the range), and ``GROUPS``."""
    ends = np.array([trace.grid_raw[0], trace.grid_raw[-1]])
    low, high = trace.feature_range
    layers: Layers = {
        "curve": (trace.grid_raw, trace.grid_angle),
        "low": (ends, np.full(2, low)),
        "high": (ends, np.full(2, high)),
    }
    return layers | {name: (trace.raw[rows], trace.angle[rows]) for name, rows in _groups(trace).items()}


def angle_map(trace: Trace) -> hv.Overlay:
    """A scaler's curve with one feature's test samples on it; dashed: the ends of the circuit's range."""
    return _draw_map(map_layers(trace), f"feature ({trace.unit})").opts(**_map_limits(trace))


def _map_limits(trace: Trace) -> dict[str, Any]:
    reach = map_reach(trace)
    return {"xlim": (trace.grid_raw[0], trace.grid_raw[-1]), "ylim": (-reach, reach)}


def map_reach(trace: Trace) -> float:
    """Half the height of `angle_map`: a little more than range and angles."""
    return 1.08 * max(float(np.abs(trace.angle).max()), *(abs(end) for end in trace.feature_range))


def _draw_map(layers: Layers, x_label: str) -> hv.Overlay:
    use_bokeh()
    axes = make_axes(x_label, "angle (radians)")
    drawn: list[Any] = [hv.Curve(layers["curve"], *axes).opts(color=colour("quiet"), line_width=2)]
    for end in ("low", "high"):
        drawn.append(hv.Curve(layers[end], *axes).opts(color=colour("target"), line_dash=[6, 3], line_width=1.2))
    drawn += _dots(layers, axes)
    return hv.Overlay(drawn).opts(xlabel=x_label, ylabel="angle (radians)", **tools())


def _dots(layers: Layers, axes: tuple[hv.Dimension, ...]) -> list[Any]:
    made = []
    for name, (role, marker, size, label) in GROUPS.items():
        dots = hv.Scatter(layers[name], *axes, label=label)
        made.append(dots.opts(color=colour(role), marker=marker, size=size, alpha=0.6))
    return made


def live_angle_map(height: int = 300) -> LiveFigure:
    """`angle_map` to stream into."""
    names = ["curve", "low", "high", *GROUPS]
    layers = {name: make_seed(2) for name in names}
    roles = ["quiet", "target", "target", *(look[0] for look in GROUPS.values())]
    figure = freeze(_draw_map(layers, "feature"), names, roles, height, "top")
    figure.clear(*names)
    return figure


def put_angle_map(figure: LiveFigure, trace: Trace) -> None:
    """Draws a trace."""
    for name, columns in map_layers(trace).items():
        figure.put(name, *columns)
        if name in GROUPS:  # an empty group needs no entry in the legend
            figure.show_layer(name, len(columns[0]) > 0)
    reach = map_reach(trace)
    figure.set_range((float(trace.grid_raw[0]), float(trace.grid_raw[-1])), (-reach, reach))
    figure.figure.xaxis[0].axis_label = f"feature ({trace.unit})"


def circle_layers(trace: Trace) -> Layers:
    """Layers of `circle`: ``rim``, and ``GROUPS``; an angle that made k whole turns is on ring k."""
    radius = 1.0 + RING * np.minimum(trace.ring, MAX_RING)
    x, z = trace.circle
    layers: Layers = {"rim": (np.sin(_ROUND), np.cos(_ROUND))}
    return layers | {name: ((radius * x)[rows], (radius * z)[rows]) for name, rows in _groups(trace).items()}


def circle(trace: Trace) -> hv.Overlay:
    """Where the samples land on the Bloch circle of RY(angle)|0⟩; outer rings: the same point, whole turns later."""
    return _draw_circle(circle_layers(trace)).opts(width=370, height=408, toolbar="above")


def _draw_circle(layers: Layers) -> hv.Overlay:
    use_bokeh()
    axes = make_axes("Bloch X (to the right: angle π/2)", "Bloch Z (top: angle 0)")
    drawn: list[Any] = [hv.Curve(layers["rim"], *axes).opts(color=colour("quiet"), line_width=1.5)]
    drawn += _dots(layers, axes)
    edge = (-_EDGE, _EDGE)
    return hv.Overlay(drawn).opts(
        xlim=edge,
        ylim=edge,
        xlabel=axes[0].label,
        ylabel=axes[1].label,
        xticks=[-1, 0, 1],
        yticks=[-1, 0, 1],
        **tools(),
    )


def live_circle() -> LiveFigure:
    """`circle` to stream into; its frame is a square of fixed size."""
    names = ["rim", *GROUPS]
    layers = {name: make_seed(2) for name in names}
    figure = freeze(_draw_circle(layers), names, ["quiet", *(look[0] for look in GROUPS.values())], 300, None)
    figure.figure.update(sizing_mode="fixed", frame_width=_SIDE, frame_height=_SIDE, width=_SIDE + 74)
    figure.clear(*names)
    return figure


def put_circle(figure: LiveFigure, trace: Trace) -> None:
    """Draws a trace."""
    for name, columns in circle_layers(trace).items():
        figure.put(name, *columns)

"""Pictures as a list of layers: the same list draws a static overlay and a figure to stream into.

A `Layer` says how something looks; its columns come separately, so a notebook's picture and a page's
live figure can never differ in more than their data.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np

from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh

#: Layer name -> its columns: x and y (``line``, ``points``) or x0, y0, x1, y1 (``bars``).
Columns = Mapping[str, Sequence[Any]]


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer of a picture.

    Attributes:
        name: of its data.
        kind: ``line``, ``points`` or ``bars`` (segments, for intervals).
        role: of its colour.
        label: in the legend; empty for none.
        dash: of a line.
        marker: of points.
        size: line width or marker size, in pixels.
        alpha: opacity.
    """

    name: str
    kind: str
    role: str
    label: str = ""
    dash: Any = "solid"
    marker: str = "circle"
    size: float = 2.5
    alpha: float = 1.0

    def draw(self, columns: Sequence[Any], axes: tuple[hv.Dimension, hv.Dimension]) -> hv.Element:
        """The layer with its columns."""
        columns = tuple(np.atleast_1d(np.asarray(column, float)) for column in columns)
        look = {"color": colour(self.role), "alpha": self.alpha}
        named = {"label": self.label} if self.label else {}
        if self.kind == "line":
            return hv.Curve(columns, *axes, **named).opts(line_dash=self.dash, line_width=self.size, **look)
        if self.kind == "points":
            return hv.Scatter(columns, *axes, **named).opts(marker=self.marker, size=self.size, **look)
        corners = [hv.Dimension(name) for name in ("x0", "y0", "x1", "y1")]  # equal labels would be taken for one
        return hv.Segments(columns, corners, **named).opts(line_width=self.size, line_dash=self.dash, **look)

    def empty(self) -> list[np.ndarray]:
        """Columns without rows."""
        return [np.zeros(0)] * (4 if self.kind == "bars" else 2)


def overlay(layers: Sequence[Layer], columns: Columns, x_label: str, y_label: str, **options: Any) -> hv.Overlay:
    """All layers with their columns.

    Args:
        layers: from back to front.
        columns: of each layer; a layer without any is drawn empty.
        x_label: with its unit.
        y_label: with its unit.
        **options: of the plot, such as ``logy``.
    """
    use_bokeh()
    axes = (hv.Dimension("x", label=x_label), hv.Dimension("y", label=y_label))
    drawn = [layer.draw(columns.get(layer.name, layer.empty()), axes) for layer in layers]
    return hv.Overlay(drawn).opts(xlabel=x_label, ylabel=y_label, **{**tools(), "padding": (0.04, 0.02), **options})


def live(
    layers: Sequence[Layer],
    x_label: str,
    y_label: str,
    height: int = 320,
    legend: str | None = "top",
    n_legend_columns: int = 3,
    **options: Any,
) -> LiveFigure:
    """The same layers as a figure to stream into, empty."""
    seeds = {layer.name: [[0.1, 1.0]] * len(layer.empty()) for layer in layers}
    drawn = overlay(layers, seeds, x_label, y_label, **options)
    figure = freeze(drawn, [layer.name for layer in layers], [layer.role for layer in layers], height, legend)
    for box in figure.figure.legend:
        box.ncols = n_legend_columns
    for layer in layers:
        if layer.kind == "bars":
            figure.columns[layer.name] = ("x0", "y0", "x1", "y1")
    figure.clear(*(layer.name for layer in layers))
    return figure


def put(figure: LiveFigure, layers: Sequence[Layer], columns: Columns) -> None:
    """Replaces all layers' columns; a layer without any becomes empty."""
    for layer in layers:
        figure.put(layer.name, *columns.get(layer.name, layer.empty()))


def columns_of(pairs: Sequence[Sequence[float]], width: int = 2) -> list[np.ndarray]:
    """Rows as columns."""
    table = np.asarray(list(pairs), float).reshape(-1, width)
    return [table[:, i] for i in range(width)]

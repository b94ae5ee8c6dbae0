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

from qfl_explore.plots.style import MAP_VALUES, LiveFigure, colour, freeze, tools, use_bokeh

#: Layer name -> its columns, those that its kind has in ``KINDS``.
Columns = Mapping[str, Sequence[Any]]
#: kind -> names of its columns in a figure's source. A ``band`` is a closed outline: its lower edge, then its upper
#: edge backwards (`outline`); ``marks`` and ``tiles`` are coloured by their last column.
KINDS: dict[str, tuple[str, ...]] = {
    "line": ("x", "y"),
    "points": ("x", "y"),
    "bars": ("x0", "y0", "x1", "y1"),
    "band": ("x", "y"),
    "text": ("x", "y", "text"),
    "marks": ("x", "y", "color"),
    "tiles": ("left", "bottom", "right", "top", "color"),
}


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer of a picture.

    Attributes:
        name: of its data.
        kind: one of ``KINDS``; ``bars`` are segments, for intervals.
        role: of its colour; empty where a colour map decides.
        label: in the legend; empty for none.
        dash: of a line.
        marker: of points.
        size: line width, marker size or text height, in pixels.
        alpha: opacity.
        align: of text: ``left``, ``center`` or ``right`` of its place.
        span: of a colour map's values.
        bar: the colour bar's title; empty for no bar.
        palette: of a colour map.
    """

    name: str
    kind: str
    role: str
    label: str = ""
    dash: Any = "solid"
    marker: str = "circle"
    size: float = 2.5
    alpha: float = 1.0
    align: str = "left"
    span: tuple[float, float] = (0.0, 1.0)
    bar: str = ""
    palette: str = MAP_VALUES

    def draw(self, columns: Sequence[Any], axes: tuple[hv.Dimension, hv.Dimension]) -> hv.Element:
        """The layer with its columns."""
        columns = tuple(
            np.atleast_1d(np.asarray(c, str if i == 2 and self.kind == "text" else float))
            for i, c in enumerate(columns)
        )
        named = {"label": self.label} if self.label else {}
        if not self.role:
            return self._mapped(columns, axes, named)
        look = {"color": colour(self.role), "alpha": self.alpha}
        if self.kind == "line":
            return hv.Curve(columns, *axes, **named).opts(line_dash=self.dash, line_width=self.size, **look)
        if self.kind == "points":
            return hv.Scatter(columns, *axes, **named).opts(marker=self.marker, size=self.size, **look)
        if self.kind == "band":
            return _area(columns, axes, named).opts(line_alpha=0, **look)
        if self.kind == "text":
            look = {"text_color": look["color"], "text_alpha": self.alpha, "text_align": self.align}
            return hv.Labels(columns, list(axes), "text").opts(text_font_size=f"{self.size:g}px", **look)
        corners = [hv.Dimension(name) for name in KINDS["bars"]]  # equal labels would be taken for one
        return hv.Segments(columns, corners, **named).opts(line_width=self.size, line_dash=self.dash, **look)

    def _mapped(self, columns: tuple[Any, ...], axes: tuple[hv.Dimension, hv.Dimension], named: Any) -> hv.Element:
        """Marks or tiles in the colours of their values."""
        value = hv.Dimension("value", label=self.bar or "value")
        look = {"color": "value", "cmap": self.palette, "clim": self.span, "colorbar": bool(self.bar)}
        look |= {"colorbar_opts": {"title": self.bar, "width": 14}} if self.bar else {}
        if self.kind == "marks":
            return hv.Points(columns, list(axes), value, **named).opts(marker=self.marker, size=self.size, **look)
        corners = [hv.Dimension(name) for name in KINDS["bars"]]
        return hv.Rectangles(columns, corners, value, **named).opts(line_alpha=0, alpha=self.alpha, **look)

    def empty(self) -> list[np.ndarray]:
        """Columns without rows."""
        return [np.zeros(0)] * len(KINDS[self.kind])


def outline(x: Any, low: Any, high: Any) -> tuple[np.ndarray, np.ndarray]:
    """The columns of a ``band`` between two curves, where both are finite."""
    x, low, high = (np.atleast_1d(np.asarray(values, float)) for values in (x, low, high))
    known = np.isfinite(low) & np.isfinite(high)
    x, low, high = x[known], low[known], high[known]
    return np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])


def _area(columns: tuple[Any, ...], axes: tuple[hv.Dimension, hv.Dimension], named: Any) -> hv.Area:
    x, y = columns
    half = len(x) // 2
    return hv.Area((x[:half], y[half:][::-1], y[:half]), axes[0], [axes[1], "low"], **named)


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
    seeds = {layer.name: [[0.1, 1.0]] * len(KINDS[layer.kind]) for layer in layers}
    drawn = overlay(layers, seeds, x_label, y_label, **options)
    figure = freeze(drawn, [layer.name for layer in layers], [layer.role for layer in layers], height, legend)
    for box in figure.figure.legend:
        box.ncols = n_legend_columns
    for layer in layers:
        figure.columns[layer.name] = KINDS[layer.kind]
    figure.clear(*(layer.name for layer in layers))
    return figure


def put(figure: LiveFigure, layers: Sequence[Layer], columns: Columns) -> None:
    """Replaces all layers' columns; a layer without any becomes empty."""
    for layer in layers:
        figure.put(layer.name, *columns.get(layer.name, layer.empty()))


def set_colour_span(figure: LiveFigure, layer: str, low: float, high: float, title: str | None = None) -> None:
    """Sets what the ends of a layer's colour map mean, and the title of its colour bar."""
    figure.renderers[layer].glyph.fill_color.transform.update(low=low, high=max(high, low + 1e-9))
    bars = [part for part in figure.figure.right if hasattr(part, "color_mapper")]
    for bar in bars if title is not None else []:
        bar.title = title


def columns_of(pairs: Sequence[Sequence[float]], width: int = 2) -> list[np.ndarray]:
    """Rows as columns."""
    table = np.asarray(list(pairs), float).reshape(-1, width)
    return [table[:, i] for i in range(width)]

"""A live figure as a still picture, drawn by matplotlib from the same data: for places that show images only."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.plots.style import COLOURS, LiveFigure

#: Of one picture, in inches, and dots an inch.
WIDTH, HEIGHT, DPI = 4.6, 3.4, 110
#: Height of a line of the legend, in points, and letters that fit beside each other.
LEGEND_PT, LEGEND_LETTERS = 12, 84
_MARKERS = {"circle": "o", "square": "s", "triangle": "^", "inverted_triangle": "v", "diamond": "D", "cross": "+"}
_MARKERS |= {"x": "x", "star": "*", "asterisk": "*", "dash": "_", "hex": "h", "plus": "P"}


def png(figures: Sequence[LiveFigure], titles: Sequence[str] = (), columns: int = 2) -> bytes:
    """Figures side by side as one PNG.

    Args:
        figures: those with something in them are drawn.
        titles: one for each figure; missing ones are empty.
        columns: side by side.

    Returns:
        The file's bytes; empty where there is nothing to draw.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    named = [(figure, titles[i] if i < len(titles) else "") for i, figure in enumerate(figures)]
    named = [(figure, title) for figure, title in named if not figure.is_empty]
    if not named:
        return b""
    columns = min(columns, len(named))
    rows = math.ceil(len(named) / columns)
    canvas = Figure(figsize=(WIDTH * columns, HEIGHT * rows), dpi=DPI, layout="constrained")
    FigureCanvasAgg(canvas)
    for place, (figure, title) in enumerate(named):
        draw(figure, canvas.add_subplot(rows, columns, place + 1), title)
    file = io.BytesIO()
    canvas.savefig(file, format="png")
    return file.getvalue()


def draw(figure: LiveFigure, axes: Any, title: str = "") -> None:
    """Draws a figure's visible layers into matplotlib's axes, with its colours, dashes, ranges and labels.

    Args:
        figure: with its data.
        axes: of matplotlib.
        title: above it.
    """
    for name, renderer in figure.renderers.items():
        values = {key: np.asarray(column) for key, column in figure.sources[name].data.items()}
        if renderer.visible and all(len(column) for column in values.values()):
            _GLYPHS[type(renderer.glyph).__name__](axes, renderer.glyph, values)
    model = figure.figure
    for axis, scale, span, set_span in (
        ("x", model.x_scale, model.x_range, axes.set_xlim),
        ("y", model.y_scale, model.y_range, axes.set_ylim),
    ):
        if type(scale).__name__ == "LogScale":
            getattr(axes, f"set_{axis}scale")("log")
        if getattr(span, "start", None) is not None and span.start != span.end:
            set_span(span.start, span.end)
    _label(model, axes)
    axes.grid(True, alpha=0.25)
    lines = _legend(model, axes)
    axes.set_title(title, fontsize=10, fontweight="bold", loc="left", pad=6 + LEGEND_PT * lines)


def _label(model: Any, axes: Any) -> None:
    for axis, ours in ((model.xaxis, axes.xaxis), (model.yaxis, axes.yaxis)):
        if not axis or not axis[0].visible:
            ours.set_visible(False)
            continue
        ours.set_label_text(axis[0].axis_label or "", fontsize=9)
        ours.set_tick_params(labelsize=8)
        ticks = getattr(axis[0].ticker, "ticks", None)
        if ticks:
            named = {float(place): text for place, text in axis[0].major_label_overrides.items()}
            ours.set_ticks(list(ticks), [str(named.get(float(tick), f"{tick:g}")) for tick in ticks])


def _legend(model: Any, axes: Any) -> int:
    """Between title and picture, where it hides nothing; returns how many lines it takes."""
    from matplotlib.lines import Line2D

    handles = []
    for item in (item for legend in model.legend for item in legend.items):
        shown = [renderer for renderer in item.renderers if renderer.visible]
        if not item.visible or not shown:
            continue
        glyph = shown[0].glyph
        look: dict[str, Any] = {"color": _colour(glyph), "linestyle": _dashes(glyph)}
        if type(glyph).__name__ == "Scatter":
            look |= {"linestyle": "", "marker": _MARKERS.get(_word(glyph.marker), "o"), "markersize": 5}
        elif type(glyph).__name__ in ("Patch", "Quad", "MultiPolygons"):
            look |= {"linestyle": "", "marker": "s", "alpha": max(0.3, _number(glyph.fill_alpha))}
        handles.append(Line2D([], [], label=str(getattr(item.label, "value", item.label) or ""), **look))
    if not handles:
        return 0
    longest = max(len(handle.get_label()) for handle in handles)
    columns = max(1, min(len(handles), LEGEND_LETTERS // (longest + 6)))
    place = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.99), "borderaxespad": 0.1, "frameon": False}
    axes.legend(handles=handles, fontsize=7.5, ncols=columns, columnspacing=1.2, labelspacing=0.25, **place)
    return math.ceil(len(handles) / columns)


def _number(spec: Any, otherwise: float = 1.0) -> float:
    """A glyph's property where it is one number for all rows."""
    value = getattr(spec, "value", spec)
    return float(value) if isinstance(value, int | float) else otherwise


def _word(spec: Any) -> str:
    return str(getattr(spec, "value", spec))


def _colour(glyph: Any) -> str:
    for name in ("fill_color", "line_color", "text_color"):
        found = getattr(glyph, name, None)
        found = getattr(found, "value", found)
        if isinstance(found, str):
            return found
    return COLOURS["model"][0]


def _colours(glyph: Any, values: dict[str, np.ndarray]) -> Any:
    """One colour, or one for each row where a column decides."""
    spec = glyph.fill_color
    field = getattr(spec, "field", None)
    if field is None or field not in values:
        return _colour(glyph)
    column, mapper = values[field], getattr(spec, "transform", None)
    palette = getattr(mapper, "palette", None)
    if not palette:
        return list(column) if column.dtype.kind in "UO" else _colour(glyph)
    low = np.nanmin(column) if mapper.low is None else mapper.low
    high = np.nanmax(column) if mapper.high is None else mapper.high
    share = np.clip(np.nan_to_num((column - low) / ((high - low) or 1.0)), 0, 1)
    return [palette[int(part * (len(palette) - 1))] for part in share]


def _dashes(glyph: Any) -> Any:
    pattern = getattr(glyph, "line_dash", None)
    pattern = getattr(pattern, "value", pattern)
    names = {"solid": "-", "dashed": "--", "dotted": ":", "dotdash": "-.", "dashdot": "-."}
    if isinstance(pattern, str):
        return names.get(pattern, "-")
    return (0, tuple(pattern)) if pattern else "-"


def _column(values: dict[str, np.ndarray], spec: Any) -> Any:
    """What a coordinate of a glyph stands for: a column, or a number for every row."""
    name = getattr(spec, "field", spec)
    if isinstance(name, str):
        return values[name]
    return np.full(len(next(iter(values.values()))), float(getattr(spec, "value", spec)))


def _line(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    look = {"color": _colour(glyph), "lw": _number(glyph.line_width), "ls": _dashes(glyph)}
    axes.plot(_column(values, glyph.x), _column(values, glyph.y), **look)


def _scatter(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    look = {"marker": _MARKERS.get(_word(glyph.marker), "o"), "s": 0.5 * _number(glyph.size, 6.0) ** 2}
    axes.scatter(_column(values, glyph.x), _column(values, glyph.y), c=_colours(glyph, values), **look, zorder=3)


def _segment(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    from matplotlib.collections import LineCollection

    ends = [np.asarray(_column(values, getattr(glyph, name)), float) for name in ("x0", "y0", "x1", "y1")]
    lines = np.stack(ends, axis=1).reshape(-1, 2, 2)
    axes.add_collection(LineCollection(list(lines), colors=_colour(glyph), linewidths=0.7 * _number(glyph.line_width)))


def _patch(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    axes.fill(
        _column(values, glyph.x), _column(values, glyph.y), color=_colour(glyph), alpha=_number(glyph.fill_alpha), lw=0
    )


def _polygons(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    for xs, ys in zip(_column(values, glyph.xs), _column(values, glyph.ys), strict=True):
        while isinstance(xs[0], list | np.ndarray):  # polygons of outlines
            xs, ys = xs[0], ys[0]
        axes.fill(xs, ys, color=_colour(glyph), alpha=_number(glyph.fill_alpha), lw=0)


def _quad(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    sides = ("left", "right", "bottom", "top")
    left, right, bottom, top = (np.asarray(_column(values, getattr(glyph, side)), float) for side in sides)
    look = {"color": _colours(glyph, values), "alpha": _number(glyph.fill_alpha), "linewidth": 0}
    axes.bar(left, top - bottom, right - left, bottom, align="edge", **look)


def _image(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    from matplotlib.colors import ListedColormap

    mapper, picture = glyph.color_mapper, np.asarray(_column(values, glyph.image)[0], float)
    x, y, dw, dh = (float(_column(values, name)[0]) for name in (glyph.x, glyph.y, glyph.dw, glyph.dh))
    look = {"cmap": ListedColormap(list(mapper.palette)), "vmin": mapper.low, "vmax": mapper.high}
    axes.imshow(picture, origin="lower", extent=(x, x + dw, y, y + dh), aspect="auto", **look)


def _text(axes: Any, glyph: Any, values: dict[str, np.ndarray]) -> None:
    sides = {"left": "left", "right": "right", "center": "center"}
    side = sides.get(_word(glyph.text_align), "left")
    for x, y, text in zip(_column(values, glyph.x), _column(values, glyph.y), _column(values, glyph.text), strict=True):
        axes.text(x, y, str(text), fontsize=8, color=_colour(glyph), ha=side, va="center", clip_on=True)


_GLYPHS = {
    "Line": _line,
    "Scatter": _scatter,
    "Segment": _segment,
    "Patch": _patch,
    "MultiPolygons": _polygons,
    "Quad": _quad,
    "Image": _image,
    "Text": _text,
}

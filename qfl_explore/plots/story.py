"""Pictures that tell the story in the notebooks: lines, a matrix, the wall over seeds, a comparison.

They go with those of `fit`, which the app shares; `framed` gives either a fixed size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.experiments.intervals import t_interval
from qfl_explore.plots.fit import R2_RANGE, heat_map
from qfl_explore.plots.style import FONT_SIZE, MAP_DIFFERENCE, MAP_VALUES, colour, tools, use_bokeh

WIDTH, HEIGHT = 680, 320
_ROLES = ("model", "ceiling", "test", "pinned", "other", "quiet")
_DASHES = ("solid", "dashed", "dotdash", "dotted", "solid", "dashed")
_MARKERS = ("circle", "triangle", "square", "diamond", "x", "plus")
_DIVERGING = "RdBu"


def framed(element: Any, title: str = "", width: int = WIDTH, height: int = HEIGHT, **options: Any) -> Any:
    """An element or overlay at a fixed size, for a notebook's cell; layers without data are left out.

    Args:
        element: a HoloViews element or overlay.
        title: above it.
        width: in pixels.
        height: in pixels.
        **options: further plot options.
    """
    use_bokeh()
    if isinstance(element, hv.Overlay):
        element = _without_empty(element)
        options = {"legend_position": "right", **options}
    sizes = dict.fromkeys(("title", "labels", "ticks", "legend"), FONT_SIZE)
    return element.opts(
        width=width,
        height=height,
        title=title,
        fontsize=sizes,
        toolbar="above",
        active_tools=[],  # the wheel scrolls the notebook
        hooks=[_tidy],
        **options,
    )


def lines(
    x: Any,
    curves: Mapping[str, Any],
    points: Mapping[str, tuple[Any, Any]] | None = None,
    x_label: str = "angle x (rad)",
    y_label: str = "value (dimensionless)",
) -> hv.Overlay:
    """Curves over one axis, and points; colour, dash and marker tell them apart.

    Args:
        x: [n].
        curves: label -> [n] values; six at most.
        points: label -> x and y of points.
        x_label: with its unit.
        y_label: with its unit.
    """
    use_bokeh()
    axes = (hv.Dimension("x", label=x_label), hv.Dimension("y", label=y_label))
    drawn: list[Any] = []
    for (label, values), role, dash in zip(curves.items(), _ROLES, _DASHES, strict=False):
        line = hv.Curve((x, values), *axes, label=label)
        drawn.append(line.opts(color=colour(role), line_dash=dash, line_width=2.5))
    for (label, (px, py)), marker in zip((points or {}).items(), _MARKERS, strict=False):
        dots = hv.Scatter((px, py), *axes, label=label)
        drawn.append(dots.opts(color=colour("target"), marker=marker, size=7, fill_alpha=0.4))
    return hv.Overlay(drawn).opts(**tools())


def spectrum_lines(spectra: Mapping[str, tuple[Any, Any]], reach: float) -> hv.Overlay:
    """|c_ω| of several functions as stems side by side; the band is what the circuit reaches.

    Args:
        spectra: label -> frequencies and magnitudes; six at most.
        reach: the highest reachable frequency.
    """
    use_bokeh()
    axes = (hv.Dimension("x", label="frequency ω (1/rad)"), hv.Dimension("y", label="magnitude |c_ω|"))
    top = max([float(np.max(values)) for _, values in spectra.values()] + [1e-9]) * 1.1
    edges = [hv.Dimension(name) for name in ("x0", "y0", "x1", "y1")]
    band = hv.Rectangles([(-reach - 0.25, 0.0, reach + 0.25, top)], edges, label="reachable")
    drawn: list[Any] = [band.opts(alpha=0.10, line_alpha=0, color=colour("area"))]
    shift = 0.08
    for i, (label, (frequencies, magnitudes)) in enumerate(spectra.items()):
        where = np.asarray(frequencies, float) + shift * (i - (len(spectra) - 1) / 2)
        look = {"color": colour(_ROLES[i])}
        stems = hv.Segments((where, 0 * where, where, np.asarray(magnitudes, float)), edges)
        heads = hv.Scatter((where, magnitudes), *axes, label=label)
        drawn += [stems.opts(line_width=2, **look), heads.opts(marker=_MARKERS[i], size=7, **look)]
    return hv.Overlay(drawn).opts(xlabel=axes[0].label, ylabel=axes[1].label, **tools())


def matrix_map(matrix: Any, names: Sequence[str], title: str = "") -> hv.HeatMap:
    """A real matrix as coloured cells, rows from the top.

    Args:
        matrix: [n, n], real.
        names: n names of the basis states.
        title: above it.
    """
    use_bokeh()
    values = np.asarray(matrix, float)
    cells = [(names[j], names[i], values[i, j]) for i in reversed(range(len(names))) for j in range(len(names))]
    span = float(np.abs(values).max())
    image = hv.HeatMap(cells, ["from", "to"], hv.Dimension("entry", range=(-span, span)))
    return image.opts(
        cmap=_DIVERGING, colorbar=True, xlabel="from state", ylabel="to state", xrotation=60, title=title, **tools()
    )


def wall_over_seeds(table: pd.DataFrame) -> hv.Overlay:
    """Test R² against degree: every seed, mean with 95 % interval, and the ceiling.

    Args:
        table: columns degree, test_r2, ceiling (may be missing values), one row a seed.
    """
    use_bokeh()
    axes = (hv.Dimension("x", label="degree P (signal layers)"), hv.Dimension("y", label="test R²"))
    groups = [(degree, group) for degree, group in table.groupby("degree")]
    bars, means, tops = [], [], []
    for degree, group in groups:
        interval = t_interval(group["test_r2"])
        means.append((degree, interval.mean))
        tops.append((degree, float(group["ceiling"].mean())))
        if interval.n_values > 1:
            bars.append((degree + 0.12, interval.mean, (interval.high - interval.low) / 2))
    seeds = hv.Scatter((table["degree"] - 0.12, table["test_r2"]), *axes, label="each seed")
    return hv.Overlay(
        [
            hv.Scatter(tops, *axes, label="ceiling").opts(
                marker="dash", size=34, line_width=3, color=colour("ceiling")
            ),
            seeds.opts(marker="x", size=7, line_width=1.5, color=colour("quiet")),
            hv.ErrorBars(bars, axes[0], [axes[1], "half"]).opts(color=colour("model"), line_width=2),
            hv.Scatter([(x + 0.12, y) for x, y in means], *axes, label="mean, 95 % interval").opts(
                marker="circle", size=9, color=colour("model")
            ),
        ]
    ).opts(xticks=[int(degree) for degree, _ in groups], ylim=_span(table["test_r2"]), **tools())


def wall_map(table: pd.DataFrame) -> hv.Overlay:
    """Mean test R² for every degree P and target frequency k, written into the cells.

    Args:
        table: columns degree, k, test_r2.
    """
    use_bokeh()
    means = table.groupby(["degree", "k"])["test_r2"].mean().reset_index()
    cells = [(str(int(p)), str(int(k)), r2) for p, k, r2 in means.itertuples(index=False)]
    image = hv.HeatMap(cells, ["degree", "k"], hv.Dimension("r2", label="test R²", range=(0.0, 1.0)))
    pale = [(p, k, _two_digits(r2)) for p, k, r2 in cells if r2 < 0.5]
    deep = [(p, k, _two_digits(r2)) for p, k, r2 in cells if r2 >= 0.5]
    return (
        image.opts(cmap=MAP_VALUES, colorbar=True, xlabel="degree P (signal layers)", ylabel="target cos(kx): k")
        * hv.Labels(pale, ["degree", "k"], "text").opts(text_color="white", text_font_size="12px")
        * hv.Labels(deep, ["degree", "k"], "text").opts(text_color="black", text_font_size="12px")
    ).opts(**tools())


def comparison(table: pd.DataFrame) -> hv.Overlay:
    """Test R² of several models: every seed, and the mean with its 95 % interval.

    Args:
        table: columns model, test_r2, one row for each model and seed.
    """
    use_bokeh()
    axes = (hv.Dimension("x", label="test R²"), hv.Dimension("y", label=" "))
    names = list(dict.fromkeys(table["model"]))
    place = {name: len(names) - i for i, name in enumerate(names)}
    bars, means = [], []
    for name, group in table.groupby("model"):
        interval = t_interval(group["test_r2"])
        means.append((interval.mean, place[name] + 0.15))
        bars.append((interval.low, place[name] + 0.15, interval.high, place[name] + 0.15))
    dots = hv.Scatter((table["test_r2"], table["model"].map(place) - 0.1), *axes, label="each seed")
    edges = [hv.Dimension(name) for name in ("x0", "y0", "x1", "y1")]
    return hv.Overlay(
        [
            dots.opts(marker="x", size=8, line_width=1.5, color=colour("quiet")),
            hv.Segments(bars, edges).opts(line_width=2.5, color=colour("model")),
            hv.Scatter(means, *axes, label="mean, 95 % interval").opts(marker="circle", size=9, color=colour("model")),
        ]
    ).opts(
        yticks=[(place[name], name) for name in names],
        ylim=(0.5, len(names) + 0.5),
        xlim=_zoomed([*table["test_r2"], *(low for low, *_ in bars if np.isfinite(low))]),
        xlabel=axes[0].label,
        ylabel="",
        **tools(),
    )


def fit_maps(axes: Sequence[Any], target: np.ndarray, model: np.ndarray, width: int = 280) -> hv.Layout:
    """Two features: target, model and the size of the error, side by side.

    Args:
        axes: two axes, radians.
        target: [n1, n2].
        model: [n1, n2].
        width: of each map, in pixels.
    """
    low, high = float(min(target.min(), model.min())), float(max(target.max(), model.max()))
    error = np.abs(model - target)
    largest = float(error.max()) or 1.0
    maps = [
        heat_map(axes, target, "target", (low, high)).opts(clim=(low, high)),
        heat_map(axes, model, "model", (low, high)).opts(clim=(low, high)),
        heat_map(axes, error, "size of the error", (0.0, largest), MAP_DIFFERENCE).opts(clim=(0.0, largest)),
    ]
    return hv.Layout([image.opts(width=width, height=width - 30, toolbar=None) for image in maps]).cols(3)


def _without_empty(overlay: hv.Overlay) -> hv.Overlay:
    full = [layer for layer in overlay if len(layer)]
    if not full or len(full) == len(overlay):
        return overlay
    options = hv.Store.lookup_options("bokeh", overlay, "plot").kwargs
    return hv.Overlay(full).opts(**options)


def _zoomed(values: Any) -> tuple[float, float]:
    """`_span`, or a closer look where every value is above 0.5."""
    lowest = float(np.min(values))
    if lowest < 0.5:
        return _span(values)
    margin = 0.12 * (1.002 - lowest)
    return (lowest - margin, 1.0 + margin)


def _tidy(plot: Any, element: Any) -> None:
    """Shows the toolbar only under the pointer, so that the title has room; keeps legends out of the axes."""
    plot.state.toolbar.update(logo=None, autohide=True)
    for legend in plot.state.legend:
        legend.update(padding=0, margin=2, border_line_color=None)


def _two_digits(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00")


def _span(values: Any) -> tuple[float, float]:
    """The range of R² to show: what the app shows, or lower where a model did worse (to -1 at most)."""
    lowest = float(np.min(values))
    return (max(-1.05, min(R2_RANGE[0], lowest - 0.05)), R2_RANGE[1])

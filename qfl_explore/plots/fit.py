"""Pictures of a fit: curve, heat maps, learning curve, spectrum and the wall.

Each function draws with HoloViews; `freeze` of `style` makes it a figure that updates stream into.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np

from qfl_explore.plots.style import DASHES, MAP_VALUES, LiveFigure, colour, freeze, tools, use_bokeh

EMPTY: tuple[list[float], list[float]] = ([], [])
R2_RANGE = (-0.25, 1.08)


def fit_curve(
    x: Any, target: Any, model: Any, data: tuple[Any, Any] = EMPTY, pinned: tuple[Any, Any] = EMPTY
) -> hv.Overlay:
    """One feature: target, training data, model, and a pinned earlier model.

    Args:
        x: [n] radians.
        target: [n] values of the target; empty where it is known at its samples only.
        model: [n] values of the model; empty for none.
        data: x [N] and y [N] of the training set.
        pinned: x and y of an earlier model.
    """
    use_bokeh()
    axes = _axes("feature x (rad)", "value (dimensionless)")
    target_line = hv.Curve(_columns(x, target), *axes, label="target")
    points = hv.Scatter(data, *axes, label="training data")
    earlier = hv.Curve(pinned, *axes, label="pinned run")
    fit = hv.Curve(_columns(x, model), *axes, label="model")
    return hv.Overlay(
        [
            target_line.opts(line_dash=DASHES["target"], line_width=2, color=colour("target")),
            points.opts(marker="circle", size=4, alpha=0.55, color=colour("data")),
            earlier.opts(line_dash=DASHES["pinned"], line_width=2, color=colour("pinned")),
            fit.opts(line_width=3, color=colour("model")),
        ]
    ).opts(**tools())


def live_fit_curve(height: int = 330) -> LiveFigure:
    """`fit_curve` to stream into; layers ``target``, ``data``, ``pinned``, ``model``."""
    names = ("target", "data", "pinned", "model")
    return freeze(fit_curve([0.0, 1.0], [0.0, 1.0], [0.0, 1.0], ([0.0], [0.0]), ([0.0], [0.0])), names, names, height)


def heat_map(
    axes: Sequence[Any], values: np.ndarray, title: str, span: tuple[float, float] | None = None, cmap: str = MAP_VALUES
) -> hv.Image:
    """Two features: values over the plane.

    Args:
        axes: two axes, radians.
        values: [n1, n2].
        title: what it shows.
        span: values at both ends of the colour map; ``None``: those of the data.
        cmap: a map with even lightness.
    """
    use_bokeh()
    first, second = (np.asarray(axis, float) for axis in axes)
    vdim = hv.Dimension("value", label="value", range=span or (None, None))
    image = hv.Image((first, second, np.asarray(values).T), list(_axes("feature x1 (rad)", "feature x2 (rad)")), vdim)
    return image.opts(cmap=cmap, colorbar=True, title=title, **tools())


def live_heat_map(axis: np.ndarray, title: str, cmap: str = MAP_VALUES, height: int = 300) -> LiveFigure:
    """`heat_map` to stream into; one layer, ``map``."""
    image = heat_map((axis, axis), np.zeros((len(axis), len(axis))), title, (0.0, 1.0), cmap)
    figure = freeze(image, ["map"], ["model"], height, legend=None)
    figure.figure.min_border_left = 48
    return figure


def set_colours(figure: LiveFigure, low: float, high: float) -> None:
    """Sets the values at both ends of a heat map's colours."""
    mapper = figure.renderers["map"].glyph.color_mapper
    mapper.update(low=low, high=high if high > low else low + 1e-9)


def learning_curve(
    train: tuple[Any, Any],
    test: tuple[Any, Any],
    ceiling: tuple[Any, Any] = EMPTY,
    pinned: tuple[Any, Any] = EMPTY,
) -> hv.Overlay:
    """R² against the training step, with the ceiling no function of this spectrum can pass.

    Args:
        train: steps and R² on the training set.
        test: steps and R² on the test set.
        ceiling: ends of the ceiling's line; empty where there is none.
        pinned: steps and test R² of an earlier run.
    """
    use_bokeh()
    axes = _axes("training step", "R² (1 = perfect, 0 = the mean)")
    return hv.Overlay(
        [
            hv.Curve(pinned, *axes, label="pinned run, test").opts(
                line_dash=DASHES["pinned"], line_width=2, color=colour("pinned")
            ),
            hv.Curve(train, *axes, label="training").opts(line_width=2.5, color=colour("model")),
            hv.Scatter(test, *axes, label="test").opts(marker="triangle", size=5, color=colour("test")),
            hv.Curve(ceiling, *axes, label="ceiling").opts(
                line_dash=DASHES["ceiling"], line_width=2.5, color=colour("ceiling")
            ),
        ]
    ).opts(**tools())


def live_learning_curve(height: int = 330) -> LiveFigure:
    """`learning_curve` to stream into; layers ``pinned``, ``train``, ``test``, ``ceiling``."""
    point = ([0.0, 1.0], [0.0, 1.0])
    overlay = learning_curve(point, point, point, point)
    names = ("pinned", "train", "test", "ceiling")
    figure = freeze(overlay, names, ("pinned", "model", "test", "ceiling"), height)
    figure.set_range(y=R2_RANGE)
    return figure


def spectrum_bars(reach: float, target: tuple[Any, Any], model: tuple[Any, Any]) -> hv.Overlay:
    """One feature: |c_ω| of target and model; the band is what the circuit reaches.

    Args:
        reach: the highest reachable frequency.
        target: frequencies and magnitudes.
        model: frequencies and magnitudes.
    """
    use_bokeh()
    axes = _axes("frequency ω (1/rad)", "magnitude |c_ω| (dimensionless)")
    edges, width = np.asarray(model[0], float), 0.14
    bars = [(w - width, 0.0, w + width, h) for w, h in zip(edges, model[1], strict=True)]
    return hv.Overlay(
        [
            _rectangles([(-reach - 0.25, 0.0, reach + 0.25, 1.0)], axes, "reachable").opts(
                alpha=0.10, line_alpha=0, color=colour("area")
            ),
            _rectangles(bars, axes, "model").opts(alpha=0.85, line_alpha=0, color=colour("model")),
            hv.Scatter(target, *axes, label="target").opts(
                marker="diamond", size=11, fill_alpha=0.0, line_width=2, color=colour("target")
            ),
        ]
    ).opts(**tools())


def live_spectrum_bars(height: int = 255) -> LiveFigure:
    """`spectrum_bars` to stream into; layers ``reach``, ``model``, ``target``."""
    overlay = spectrum_bars(1.0, ([0.0], [0.0]), ([0.0], [0.0]))
    return freeze(overlay, ("reach", "model", "target"), ("area", "model", "target"), height)


def put_spectrum_bars(figure: LiveFigure, frequencies: np.ndarray, magnitudes: np.ndarray) -> None:
    """Draws the model's bars."""
    width = 0.14
    figure.put("model", frequencies - width, frequencies + width, 0 * frequencies, magnitudes)


def put_reach(figure: LiveFigure, reach: float, top: float) -> None:
    """Draws the band of reachable frequencies."""
    figure.put("reach", -reach - 0.25, reach + 0.25, 0.0, top)


def spectrum_plane(support: np.ndarray, target: tuple[Any, Any, Any], model: tuple[Any, Any, Any]) -> hv.Overlay:
    """Two features: the reachable lattice, rings for the target, discs for the model; area shows |c_ω|.

    Args:
        support: [n, 2] reachable frequencies.
        target: ω1, ω2 and marker sizes (pixels).
        model: ω1, ω2 and marker sizes (pixels).
    """
    use_bokeh()
    axes = list(_axes("frequency ω1 (1/rad)", "frequency ω2 (1/rad)"))
    support = np.asarray(support, float).reshape(-1, 2)
    return hv.Overlay(
        [
            hv.Points((support[:, 0], support[:, 1]), axes, label="reachable").opts(
                marker="circle", size=3, color=colour("quiet")
            ),
            hv.Points(model, axes, "size", label="model").opts(
                marker="circle", size=hv.dim("size"), alpha=0.75, color=colour("model")
            ),
            hv.Points(target, axes, "size", label="target").opts(
                marker="circle", size=hv.dim("size"), fill_alpha=0.0, line_width=2, color=colour("target")
            ),
        ]
    ).opts(**tools())


def live_spectrum_plane(height: int = 255) -> LiveFigure:
    """`spectrum_plane` to stream into; layers ``support``, ``model``, ``target``."""
    points = ([0.0, 0.0], [0.0, 0.0], [1.0, 2.0])
    overlay = spectrum_plane(np.zeros((1, 2)), points, points)
    return freeze(overlay, ("support", "model", "target"), ("quiet", "model", "target"), height)


def marker_sizes(magnitudes: Any, largest: float) -> np.ndarray:
    """Marker diameters in pixels whose areas follow |c_ω|; ``largest`` gets 22 pixels."""
    return 22.0 * np.sqrt(np.clip(np.asarray(magnitudes, float) / max(largest, 1e-12), 0.0, 1.6))


def wall(degrees: Any, trained: Any, ceilings: tuple[Any, Any] = EMPTY, current: float | None = None) -> hv.Overlay:
    """Final test R² for each degree P, and the ceilings.

    Args:
        degrees: P of the trained models.
        trained: their test R².
        ceilings: P and ceiling.
        current: the degree chosen now, marked by a band.
    """
    use_bokeh()
    axes = _axes("degree P (signal layers)", "test R²")
    band = [] if current is None else [(current - 0.4, R2_RANGE[0], current + 0.4, R2_RANGE[1])]
    return hv.Overlay(
        [
            _rectangles(band, axes, "chosen P").opts(alpha=0.15, line_alpha=0, color=colour("area")),
            hv.Scatter(ceilings, *axes, label="ceiling").opts(
                marker="dash", size=26, line_width=3, color=colour("ceiling")
            ),
            hv.Scatter((degrees, trained), *axes, label="trained").opts(
                marker="circle", size=10, color=colour("model")
            ),
        ]
    ).opts(xticks=list(range(1, 9)), **tools())


def live_wall(height: int = 255) -> LiveFigure:
    """`wall` to stream into; layers ``now``, ``ceiling``, ``trained``."""
    overlay = wall([0.0], [0.0], ([0.0], [0.0]), 1.0)
    figure = freeze(overlay, ("now", "ceiling", "trained"), ("area", "ceiling", "model"), height)
    figure.set_range((0.4, 8.6), R2_RANGE)
    figure.clear("ceiling", "trained")
    return figure


def put_current(figure: LiveFigure, degree: int) -> None:
    """Moves the band of `wall` to the degree chosen now."""
    figure.put("now", degree - 0.4, degree + 0.4, *R2_RANGE)


def _columns(x: Any, y: Any) -> tuple[Any, Any]:
    return (x, y) if len(np.atleast_1d(y)) else EMPTY


def _axes(x_label: str, y_label: str) -> tuple[hv.Dimension, hv.Dimension]:
    return hv.Dimension("x", label=x_label), hv.Dimension("y", label=y_label)


def _rectangles(boxes: list[tuple[float, ...]], axes: tuple[hv.Dimension, hv.Dimension], label: str) -> hv.Rectangles:
    """Boxes (left, bottom, right, top) under the names of the axes; corners that share a label would be mixed up."""
    rectangles = hv.Rectangles(boxes or [(0.0, 0.0, 0.0, 0.0)], ["x0", "y0", "x1", "y1"], label=label)
    return rectangles.opts(xlabel=axes[0].label, ylabel=axes[1].label)

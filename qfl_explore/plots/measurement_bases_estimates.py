"""Pictures of finite repetitions: expectation values with error bars, and how errors fall.

As in `qfl_explore.plots.measurement_bases`: ``…_layers`` turns tables into columns, the plain name
draws them, ``live_…`` makes a figure to stream into.
"""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.measurement_bases import LOOKS, Layers, make_axes, make_seed, make_segments, put
from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh

METHOD_LOOKS: dict[str, tuple[str, str, str]] = {
    "grouped": ("model", "circle", "bit strings"),
    "shadows": ("test", "square", "shadows, mean"),
    "shadows_median": ("ceiling", "triangle", "shadows, median"),
}
#: Observables that one picture of estimates shows at most.
MAX_SHOWN = 16


def shown_observables(table: pd.DataFrame, most: int = MAX_SHOWN) -> list[str]:
    """Which observables `estimates` draws: all, or ``most`` of them evenly over the list."""
    names = list(dict.fromkeys(table["observable"]))
    if len(names) <= most:
        return names
    return [names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int)]


def estimate_layers(table: pd.DataFrame, most: int = MAX_SHOWN) -> Layers:
    """Layers of `estimates`: ``exact``, and ``<method>`` and ``<method> interval``.

    Args:
        table: as `qfl_explore.experiments.measurement_bases_repetitions.estimates` gives it.
        most: observables to show.
    """
    names = shown_observables(table, most)
    place = {name: float(i) for i, name in enumerate(names)}
    part = table[table["observable"].isin(names)]
    layers: Layers = {}
    for i, method in enumerate(METHOD_LOOKS):
        rows = part[part["method"] == method]
        x = rows["observable"].map(place).to_numpy(float) + 0.22 * (i - 1)
        layers[f"{method} interval"] = (x, rows["low"].to_numpy(float), x, rows["high"].to_numpy(float))
        layers[method] = (x, rows["estimate"].to_numpy(float))
    exact = part[part["method"] == "grouped"]
    x = exact["observable"].map(place).to_numpy(float)
    values = exact["exact"].to_numpy(float)
    layers["exact"] = (x - 0.4, values, x + 0.4, values)
    return layers


def estimates(table: pd.DataFrame, most: int = MAX_SHOWN) -> hv.Overlay:
    """Expectation values of one state: exact (bars), and three estimates with 95 % error bars."""
    names = shown_observables(table, most)
    ticks = [(float(i), _short(name)) for i, name in enumerate(names)]
    overlay = _draw_estimates(estimate_layers(table, most))
    return overlay.opts(xticks=ticks, xlim=(-0.6, len(names) - 0.4), xrotation=_rotation(names))


def _draw_estimates(layers: Layers) -> hv.Overlay:
    use_bokeh()
    axes = make_axes("observable", "expectation value")
    exact = make_segments(layers["exact"], axes, "exact").opts(line_width=3, color=colour("target"))
    drawn: list[Any] = [exact]
    for method, (role, marker, label) in METHOD_LOOKS.items():
        bars = make_segments(layers[f"{method} interval"], axes, label)
        dots = hv.Scatter(layers[method], *axes, label=label)
        drawn += [
            bars.opts(line_width=2, color=colour(role)),
            dots.opts(marker=marker, size=7, color=colour(role)),
        ]
    return hv.Overlay(drawn).opts(xlabel=axes[0].label, ylabel=axes[1].label, **tools())


def live_estimates(height: int = 330) -> LiveFigure:
    """`estimates` to stream into."""
    layers = {"exact": make_seed(4)}
    names, roles = ["exact"], ["target"]
    for method, (role, *_) in METHOD_LOOKS.items():
        layers |= {f"{method} interval": make_seed(4), method: make_seed(2)}
        names += [f"{method} interval", method]
        roles += [role, role]
    figure = freeze(_draw_estimates(layers), names, roles, height)
    figure.set_range((-0.6, 2.6), (-1.3, 1.3))
    figure.clear(*names)
    return figure


def put_estimates(figure: LiveFigure, table: pd.DataFrame, most: int = MAX_SHOWN) -> None:
    """Redraws `live_estimates`, names and range included."""
    layers = estimate_layers(table, most)
    put(figure, layers)
    names = shown_observables(table, most)
    axis = figure.figure.xaxis[0]
    axis.ticker = list(range(len(names)))
    axis.major_label_overrides = {i: _short(name) for i, name in enumerate(names)}
    axis.major_label_orientation = np.deg2rad(_rotation(names))
    reach = max(1.05, 1.05 * float(np.nanmax(np.abs(np.concatenate(_heights(layers))))))
    figure.set_range((-0.6, len(names) - 0.4), (-reach, reach))


def _heights(layers: Layers) -> list[np.ndarray]:
    return [np.asarray(column, float) for columns in layers.values() for column in columns[1::2]]


def error_scaling(table: pd.DataFrame, method: str = "grouped") -> hv.Overlay:
    """Root mean square error against T for every basis: drawn outcomes (marks) and the exact formula (lines).

    Args:
        table: as `qfl_explore.experiments.measurement_bases_repetitions.error_scaling` gives it.
        method: ``grouped`` or ``shadows``.
    """
    use_bokeh()
    axes = make_axes("repetitions T of each circuit", "root mean square error")
    drawn: list[Any] = []
    for base, (role, marker, dash, label) in LOOKS.items():
        part = table[(table["basis"] == base) & (table["method"] == method)]
        line = hv.Curve((part["repetitions"], part["expected"]), *axes, label=label)
        dots = hv.Scatter((part["repetitions"], part["rms_error"]), *axes, label=label)
        drawn += [
            line.opts(color=colour(role), line_dash=dash, line_width=2),
            dots.opts(color=colour(role), marker=marker, size=8),
        ]
    return hv.Overlay(drawn).opts(logx=True, logy=True, **tools())


def _short(name: str) -> str:
    return name.replace(" on qubit ", ", q")


def _rotation(names: list[str]) -> int:
    """Degrees by which the observables' names are turned, so that they do not run into each other."""
    return 0 if len(names) * max(len(_short(name)) for name in names) <= 60 else 35

"""Pictures of test outputs: ROC, precision and recall with bootstrap bands, confusions, forecasts against time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.layers import Columns, Layer, live, outline, overlay, put
from qfl_explore.plots.real_data import LOOKS, QUANTUM
from qfl_explore.plots.style import LiveFigure

if TYPE_CHECKING:
    from qfl_explore.experiments.multimodal_curves import Band

#: The quantum layer and its best rival have bands; more would hide each other.
CURVES = (
    *(Layer(f"{name} band", "band", look[0], alpha=0.16) for name, look in LOOKS.items()),
    Layer("chance", "line", "quiet", "chance", dash=[5, 4], size=1.5),
    *(Layer(name, "line", look[0], look[3], look[2], 2.2) for name, look in LOOKS.items()),
)
AXES = {
    "roc": ("false positive rate (share)", "true positive rate (share)"),
    "pr": ("recall (share of the positives found)", "precision (share of the found that are positive)"),
}


def curve_columns(bands: Mapping[str, Band], with_band: Sequence[str] = ()) -> Columns:
    """Columns of ``CURVES``.

    Args:
        bands: by method, as ``multimodal_curves.band`` gives them.
        with_band: methods whose 95 % band is drawn; empty for all.
    """
    columns: dict[str, Any] = {}
    for method, band in bands.items():
        columns[method] = (band.x, band.mean)
        if method in (with_band or bands):
            columns[f"{method} band"] = outline(band.x, band.low, band.high)
        level = band.chance
        columns["chance"] = ([0.0, 1.0], [0.0, 1.0] if math.isnan(level) else [level, level])
    return columns


def curves(bands: Mapping[str, Band], kind: str = "roc", with_band: Sequence[str] = ()) -> hv.Overlay:
    """ROC or precision-recall curves, mean over seeds, with 95 % bands over resampled test samples."""
    columns = curve_columns(bands, with_band)
    shown = [layer for layer in CURVES if layer.name in columns]
    options = {"xlim": (-0.01, 1.01), "ylim": (-0.01, 1.02), "legend_position": "right", "height": 380, "width": 660}
    return overlay(shown, columns, *AXES[kind], **options)


def live_curves(kind: str = "roc", height: int = 360) -> LiveFigure:
    """`curves` to stream into."""
    figure = live(CURVES, *AXES[kind], height, legend="bottom_right" if kind == "roc" else "bottom_left")
    for box in figure.figure.legend:
        box.ncols, box.background_fill_alpha = 1, 0.7
    figure.set_range((-0.01, 1.01), (-0.01, 1.02))
    return figure


def put_curves(figure: LiveFigure, bands: Mapping[str, Band], with_band: Sequence[str] = ()) -> None:
    """Redraws `curves`."""
    columns = curve_columns(bands, with_band)
    put(figure, CURVES, columns)
    for layer in CURVES:
        figure.show_layer(layer.name, layer.name in columns)


#: Light cells carry dark text, dark cells light text, in both themes; cividis is dark where it is low.
CONFUSION = (
    Layer("cells", "tiles", "", span=(0.0, 1.0), bar="share of the row"),
    Layer("light", "text", "on_dark", align="center", size=13),
    Layer("dark", "text", "on_light", align="center", size=13),
)


def confusion_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``CONFUSION``: truth from the top, guesses from the left, share of the row and count in each cell.

    Args:
        table: as ``multimodal_curves.confusion`` gives it.
    """
    names = list(dict.fromkeys(table["truth"]))
    x = table["guess"].map(names.index).to_numpy(float)
    y = len(names) - 1.0 - table["truth"].map(names.index).to_numpy(float)
    share = table["share"].fillna(0.0).to_numpy(float)
    texts = np.array([f"{100 * s:.0f} %\n{n}" for s, n in zip(share, table["count"], strict=True)])
    columns: dict[str, Any] = {"cells": (x - 0.48, y - 0.48, x + 0.48, y + 0.48, share)}
    for name, here in (("light", share < 0.55), ("dark", share >= 0.55)):
        columns[name] = (x[here], y[here], texts[here])
    return columns


def confusion(table: pd.DataFrame, title: str = "") -> hv.Overlay:
    """What each class was taken for: percentages of the true class's samples, and counts over all seeds."""
    names = list(dict.fromkeys(table["truth"]))
    options = {"xticks": list(enumerate(map(str, names))), "yticks": list(enumerate(map(str, names[::-1])))}
    size = {"height": _confusion_height(len(names)), "width": 520, "xrotation": 45 if len(names) > 4 else 0}
    return overlay(
        CONFUSION, confusion_columns(table), "predicted", "true", title=title, show_grid=False, **options, **size
    )


def live_confusion(height: int = 380) -> LiveFigure:
    """`confusion` to stream into."""
    ticks = {"xticks": [(0, "")], "yticks": [(0, "")], "show_grid": False}
    figure = live(CONFUSION, "predicted", "true", height, legend=None, **ticks)
    figure.figure.min_border_left = 120
    return figure


def put_confusion(figure: LiveFigure, table: pd.DataFrame) -> None:
    """Redraws `confusion`."""
    put(figure, CONFUSION, confusion_columns(table))
    names = [str(name) for name in dict.fromkeys(table["truth"])]
    for axis, words in ((figure.figure.xaxis[0], names), (figure.figure.yaxis[0], names[::-1])):
        axis.ticker.ticks = list(range(len(words)))
        axis.major_label_overrides = dict(enumerate(words))
    figure.figure.xaxis[0].major_label_orientation = math.pi / 4 if len(names) > 4 else 0.0
    span = (-0.52, len(names) - 0.48)
    figure.set_range(span, span)
    figure.set_height(_confusion_height(len(names)))


def _confusion_height(n_classes: int) -> int:
    """Two lines of text fit into a cell."""
    return max(320, 110 + 38 * n_classes)


FORECAST = (
    *(Layer(name, "line", look[0], look[3], look[2], 1.8, 0.9) for name, look in LOOKS.items()),
    Layer("truth", "line", "target", "measured", size=2.5, alpha=0.55),
)
#: Hours that a forecast's picture shows.
HOURS = 24.0
_STEP = 5 / 60


def forecast_columns(table: pd.DataFrame, methods: Sequence[str] = ()) -> Columns:
    """Columns of ``FORECAST``: the first day of the test part.

    Args:
        table: as ``multimodal_curves.forecasts`` gives it.
        methods: that are drawn; empty for all.
    """
    rows = table.head(round(HOURS / _STEP))
    x = np.arange(len(rows)) * _STEP
    names = [name for name in rows if name == "truth" or name in (methods or LOOKS)]
    return {str(name): (x, rows[name]) for name in names}


def forecast(table: pd.DataFrame, methods: Sequence[str] = (), unit: str = "mph") -> hv.Overlay:
    """What came, and what had been foretold for that time."""
    columns = forecast_columns(table, methods)
    shown = [layer for layer in FORECAST if layer.name in columns]
    options = {"legend_position": "right", "height": 320, "responsive": True}
    return overlay(shown, columns, "time from the test part's start (h)", f"speed ({unit})", **options)


def live_forecast(height: int = 340) -> LiveFigure:
    """`forecast` to stream into."""
    return live(FORECAST, "time from the test part's start (h)", "speed (mph)", height, legend="right")


def put_forecast(figure: LiveFigure, table: pd.DataFrame, methods: Sequence[str] = ()) -> None:
    """Redraws `forecast`."""
    columns = forecast_columns(table, methods)
    put(figure, FORECAST, columns)
    for layer in FORECAST:
        figure.show_layer(layer.name, layer.name in columns)
    for box in figure.figure.legend:
        box.ncols = 1
    values = np.concatenate([np.asarray(y, float) for _, y in columns.values()])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    last = max(float(x[-1]) for x, _ in columns.values() if len(x))
    figure.set_range((0.0, last), (low - 0.05 * (high - low), high + 0.05 * (high - low)))


def shown_methods(summary: Mapping[str, Any]) -> list[str]:
    """The quantum layer and the best classical method: whose bands or forecasts are drawn where all would be many."""
    present = {row["method"] for row in summary["methods"]}
    return [name for name in (QUANTUM, summary["best_classical"]) if name in present]

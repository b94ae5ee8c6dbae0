"""Pictures of ablations: a score against modalities, degree or samples, and how low-rank products vanish."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.layers import Columns, Layer, columns_of, live, outline, overlay, put
from qfl_explore.plots.real_data import LOOKS, score_label
from qfl_explore.plots.style import LiveFigure

#: setting -> what the axis says, and whether it is logarithmic.
SETTINGS: dict[str, tuple[str, bool]] = {
    "n_modalities": ("modalities M (count)", True),
    "degree": ("degree P (calls of the signal)", False),
    "n_train": ("training samples (count)", True),
    "rank": ("rank R of low-rank fusion (count)", True),
    "measurement": ("measurement basis", False),
}
ABLATION = (
    *(Layer(f"{name} interval", "bars", look[0], size=2, alpha=0.6) for name, look in LOOKS.items()),
    *(Layer(f"{name} line", "line", look[0], "", look[2], 2) for name, look in LOOKS.items()),
    *(Layer(name, "points", look[0], look[3], marker=look[1], size=9) for name, look in LOOKS.items()),
)


def ablation_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``ABLATION``; methods stand a little beside each other so that intervals show.

    Args:
        table: value, method, score, low, high: one row a method and value of the setting.
    """
    columns: dict[str, Any] = {}
    setting = str(table["setting"].iloc[0]) if len(table) else "degree"
    shown = [name for name in LOOKS if name in set(table["method"])]
    for i, method in enumerate(shown):
        rows = table[table["method"] == method].sort_values("value", key=lambda v: v.map(_order(table)))
        x = _places(rows["value"], table, setting)
        aside = (i - (len(shown) - 1) / 2) / max(len(shown), 6)
        x = x * 1.13**aside if SETTINGS[setting][1] else x + 0.3 * aside
        y, low, high = (rows[name].to_numpy(float) for name in ("score", "low", "high"))
        known = np.isfinite(low)
        columns[method] = columns[f"{method} line"] = (x, y)
        columns[f"{method} interval"] = (x[known], low[known], x[known], high[known])
    return columns


def _order(table: pd.DataFrame) -> dict[Any, int]:
    values = list(dict.fromkeys(table["value"]))
    known = sorted(values) if all(not isinstance(value, str) for value in values) else values
    return {value: i for i, value in enumerate(known)}


def _places(values: pd.Series, table: pd.DataFrame, setting: str) -> np.ndarray:
    """Numbers stand where they are, words in their order."""
    words = setting == "measurement"
    return values.map(_order(table)).to_numpy(float) if words else values.to_numpy(float)


def ablation_ticks(table: pd.DataFrame) -> list[tuple[float, str]]:
    """Where the values stand, and what they are called."""
    if not len(table):
        return []
    setting = str(table["setting"].iloc[0])
    values = pd.Series(list(_order(table)))
    places = _places(values, table, setting)
    return [(float(x), str(value).replace("_", " ")) for x, value in zip(places, values, strict=True)]


def ablation(table: pd.DataFrame, metric: str = "auc", unit: str = "") -> hv.Overlay:
    """Test score against the setting that is varied, mean over seeds and 95 % interval for each method.

    Args:
        table: setting, value, method, score, low, high.
        metric: what the score is.
        unit: of an error.
    """
    columns = ablation_columns(table)
    label, log = SETTINGS[str(table["setting"].iloc[0])]
    shown = [layer for layer in ABLATION if layer.name in columns]
    options = {"xticks": ablation_ticks(table), "logx": log, "legend_position": "right", "height": 360}
    options |= {"legend_limit": len(ABLATION), "responsive": True}
    return overlay(shown, columns, label, score_label(metric, unit), **options)


def live_ablation(log: bool, height: int = 380) -> LiveFigure:
    """`ablation` to stream into; ``log`` for settings that are drawn on a logarithmic axis."""
    ticks = {"xticks": [(1.0, "1")], "logx": log, "legend_limit": len(ABLATION)}  # HoloViews would drop the legend
    figure = live(ABLATION, "setting", score_label("auc"), height, legend="bottom_right", n_legend_columns=2, **ticks)
    for box in figure.figure.legend:
        box.background_fill_alpha = 0.7
    return figure


def put_ablation(figure: LiveFigure, table: pd.DataFrame, metric: str, unit: str) -> None:
    """Redraws `ablation`."""
    columns = ablation_columns(table)
    put(figure, ABLATION, columns)
    for layer in ABLATION:
        figure.show_layer(layer.name, layer.name in columns)
    if not len(table):
        return
    label, log = SETTINGS[str(table["setting"].iloc[0])]
    ticks = ablation_ticks(table)
    axis = figure.figure.xaxis[0]
    axis.axis_label, axis.ticker.ticks = label, [place for place, _ in ticks]
    axis.major_label_overrides = {place: name for place, name in ticks}
    figure.figure.yaxis[0].axis_label = score_label(metric, unit)
    low, high = ticks[0][0], ticks[-1][0]
    span = (low / 1.3, high * 1.3) if log else (low - 0.4, high + 0.4)
    figure.set_range(span, _score_span(table))


def _score_span(table: pd.DataFrame) -> tuple[float, float]:
    """All means, and intervals that are not much longer."""
    means = table["score"].to_numpy(float)
    low, high = float(means.min()), float(means.max())
    reach = max(high - low, 0.02)
    ends = table[["low", "high"]].to_numpy(float)
    ends = ends[np.isfinite(ends)]
    first, last = (float(ends.min()), float(ends.max())) if len(ends) else (low, high)
    low, high = max(min(low, first), low - reach), min(max(high, last), high + 0.5 * reach)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


#: start -> (role, marker, dash, short name).
STARTS = {
    "reference": ("ceiling", "inverted_triangle", "solid", "reference (authors' code)"),
    "unit_variance": ("other", "triangle", "dashed", "mean square 1"),
    "near_one": ("model", "circle", "solid", "near 1"),
}
#: The least positive number of single precision, and the least that keeps all its digits.
SMALLEST = float(np.log10(np.finfo(np.float32).smallest_subnormal))
COLLAPSE = (
    Layer("float32", "line", "target", "smallest number in single precision", dash="dotted", size=1.5),
    *(Layer(f"{name} band", "band", look[0], alpha=0.2) for name, look in STARTS.items()),
    *(Layer(f"{name} expected", "line", look[0], dash=[2, 4], size=1.5) for name, look in STARTS.items()),
    *(Layer(f"{name} line", "line", look[0], dash=look[2], size=2) for name, look in STARTS.items()),
    *(Layer(name, "points", look[0], look[3], marker=look[1], size=9) for name, look in STARTS.items()),
)
COLLAPSE_AXES = ("modalities M (count)", "log₁₀ |product over modalities|")


def collapse_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``COLLAPSE``.

    Args:
        table: as in ``low_rank_collapse.CollapseResult.table``.
    """
    most = float(table["n_modalities"].max()) if len(table) else 207.0
    columns: dict[str, Any] = {"float32": ([0.8, most], [SMALLEST, SMALLEST])}
    for start in STARTS:
        rows = table[table["start"] == start].sort_values("n_modalities")
        x = rows["n_modalities"].to_numpy(float)
        columns[start] = columns[f"{start} line"] = (x, rows["log10_product"])
        columns[f"{start} band"] = outline(x, rows["low"], rows["high"])
        known = rows["expected"].notna().to_numpy()
        columns[f"{start} expected"] = (x[known], rows["expected"][known])
    return columns


def collapse(table: pd.DataFrame) -> hv.Overlay:
    """How large low-rank fusion's products are before training, median and quartiles, for every start.

    Thin dots are the closed form of the mean of the logarithm.
    """
    options = {"logx": True, "legend_position": "right", "height": 360, "responsive": True}
    return overlay(COLLAPSE, collapse_columns(table), *COLLAPSE_AXES, **options)


def live_collapse(height: int = 400) -> LiveFigure:
    """`collapse` to stream into."""
    return live(COLLAPSE, *COLLAPSE_AXES, height, legend="bottom_left", n_legend_columns=1, logx=True)


def put_collapse(figure: LiveFigure, table: pd.DataFrame) -> None:
    """Redraws `collapse`."""
    put(figure, COLLAPSE, collapse_columns(table))
    if len(table):
        low = min(float(table["low"].min()), SMALLEST)
        figure.set_range((0.8, 1.25 * float(table["n_modalities"].max())), (1.08 * low, 8.0))


def zero_shares(table: pd.DataFrame) -> hv.Overlay:
    """Share of products that are exactly 0 in single precision, against M, for every start."""
    layers, columns = [], {}
    for start, (role, marker, dash, name) in STARTS.items():
        rows = table[table["start"] == start].sort_values("n_modalities")
        columns[start] = columns[f"{start} line"] = columns_of(
            list(zip(rows["n_modalities"], rows["share_zero"], strict=True))
        )
        layers += [
            Layer(f"{start} line", "line", role, dash=dash, size=2),
            Layer(start, "points", role, name, marker=marker, size=8),
        ]
    options = {"logx": True, "ylim": (-0.03, 1.03), "legend_position": "right", "height": 300, "responsive": True}
    return overlay(layers, columns, COLLAPSE_AXES[0], "exact zeros in single precision (share)", **options)

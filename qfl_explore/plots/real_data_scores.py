"""Pictures of a multimodal study's outcome: scores, paired differences, parameters against the score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.layers import Columns, Layer, columns_of, live, overlay, put
from qfl_explore.plots.real_data import LOOKS, QUANTUM, score_label
from qfl_explore.plots.style import LiveFigure

#: Rows of dots (one a seed) below a mean with its interval.
FOREST = (
    Layer("zero", "line", "quiet", dash="dashed", size=1.5),
    Layer("samples", "bars", "quiet", size=7, alpha=0.35),
    Layer("interval", "bars", "target", size=2.5),
    *(Layer(name, "points", look[0], marker=look[1], size=8, alpha=0.75) for name, look in LOOKS.items()),
    Layer("mean", "points", "target", marker="diamond", size=11),
    Layer("beyond left", "text", "target", size=14),
    Layer("beyond right", "text", "target", size=14, align="right"),
)


def forest_rows(summary: Mapping[str, Any], paired: bool = False) -> list[str]:
    """Methods with a row, from the top: the quantum layer first, then as they are trained."""
    found = [row["method"] for row in summary["paired" if paired else "methods"]]
    return sorted(found, key=lambda method: -list(LOOKS).index(method))


def score_columns(scores: pd.DataFrame, summary: Mapping[str, Any], metric: str = "") -> Columns:
    """Columns of ``FOREST`` with the test scores of each method.

    Args:
        scores: as in ``MultimodalResult.scores``.
        summary: of the same result.
        metric: a score; empty for the one that methods are compared by.
    """
    metric = metric or summary["primary"]
    rows = {row["method"]: row for row in summary["methods"] if metric in row}
    values = {method: scores.loc[scores["method"] == method, metric].dropna() for method in rows}
    ends = {m: (row[metric], row[f"{metric}_low"], row[f"{metric}_high"]) for m, row in rows.items()}
    samples = {row["method"]: (row["low"], row["high"]) for row in summary.get("resampled", ())}
    return _forest(forest_rows(summary), values, ends, samples if metric == summary["primary"] else {})


def difference_columns(scores: pd.DataFrame, summary: Mapping[str, Any]) -> Columns:
    """Columns of ``FOREST`` with quantum minus each classical method, seed by seed, in the primary score."""
    primary, order = summary["primary"], forest_rows(summary, paired=True)
    columns: Columns = {}
    if order:
        wide = scores.pivot(index="seed", columns="method", values=primary)
        values = {method: (wide[QUANTUM] - wide[method]).dropna() for method in order}
        rows = {row["method"]: row for row in summary["paired"]}
        ends = {m: (row["difference"], row["difference_low"], row["difference_high"]) for m, row in rows.items()}
        samples = {m: (row["sample_low"], row["sample_high"]) for m, row in rows.items() if "sample_low" in row}
        columns = _forest(order, values, ends, samples)
    return {**columns, "zero": ([0.0, 0.0], [-0.6, max(len(order), 1) - 0.4])}


def _forest(
    order: Sequence[str], values: Mapping[str, Any], ends: Mapping[str, Any], samples: Mapping[str, Any]
) -> Columns:
    heights = {method: float(len(order) - 1 - i) for i, method in enumerate(order)}
    columns: dict[str, Any] = {}
    for method, numbers in values.items():
        numbers = np.asarray(numbers, float)
        # spread a little below the row's middle in order of seed, so that equal ones show
        columns[method] = (numbers, heights[method] - 0.14 - 0.05 * np.arange(len(numbers)) % 0.30)
    known = [(low, heights[m], high, heights[m]) for m, (_, low, high) in ends.items() if low == low]
    drawn = [(low, heights[m], high, heights[m]) for m, (low, high) in samples.items() if m in heights and low == low]
    means = [(mean, heights[method]) for method, (mean, *_) in ends.items()]
    return columns | {
        "interval": columns_of(known, 4),
        "samples": columns_of(drawn, 4),
        "mean": columns_of(means),
    }


def beyond(columns: Columns, span: tuple[float, float]) -> Columns:
    """Arrows at the edges for intervals over seeds that go on beyond the axis.

    Args:
        columns: of ``FOREST``.
        span: of the axis.
    """
    low, y, high, _ = columns.get("interval", [np.zeros(0)] * 4)
    left, right = np.asarray(y)[np.asarray(low) < span[0]], np.asarray(y)[np.asarray(high) > span[1]]
    return {
        "beyond left": (np.full(len(left), span[0]), left, ["◀"] * len(left)),
        "beyond right": (np.full(len(right), span[1]), right, ["▶"] * len(right)),
    }


def scores(table: pd.DataFrame, summary: Mapping[str, Any], metric: str = "", unit: str = "") -> hv.Overlay:
    """Each method's test score on every seed, its mean and 95 % interval over seeds.

    The broad pale bar is the 95 % interval over resampled test samples.
    """
    metric = metric or summary["primary"]
    columns = score_columns(table, summary, metric)
    return _draw(columns, forest_rows(summary), score_label(metric, unit), score_span(columns, metric))


def differences(table: pd.DataFrame, summary: Mapping[str, Any], unit: str = "") -> hv.Overlay:
    """Quantum minus each classical method, seed by seed, with mean and 95 % interval; 0 is no difference."""
    columns = difference_columns(table, summary)
    label = difference_label(summary["primary"], unit)
    return _draw(columns, forest_rows(summary, paired=True), label, difference_span(columns))


def difference_label(metric: str, unit: str = "") -> str:
    """What the axis of differences says, and on which side the quantum layer is better."""
    if metric == "mae":
        return f"quantum − classical ({unit or 'unit of the target'}; below 0: quantum better)"
    name = {"auc": "AUC", "f1": "macro F1", "accuracy": "accuracy"}[metric]
    return f"quantum − classical, {name} (above 0: quantum better)"


def _draw(columns: Columns, order: Sequence[str], label: str, span: tuple[float, float]) -> hv.Overlay:
    options = {"yticks": _ticks(order), "ylim": (-0.6, max(len(order), 1) - 0.4), "xlim": span}
    return overlay(
        FOREST,
        {**columns, **beyond(columns, span)},
        label,
        " ",
        height=80 + 34 * max(len(order), 2),
        responsive=True,
        **options,
    )


def _ticks(order: Sequence[str]) -> list[tuple[float, str]]:
    return [(float(len(order) - 1 - i), LOOKS[method][3]) for i, method in enumerate(order)] or [(0.0, "")]


def score_span(columns: Columns, metric: str) -> tuple[float, float]:
    """The range that shows all dots and means, and intervals that are not much longer."""
    low, high = _ends(columns)
    reach = max(high - low, 0.02 if metric != "mae" else 0.02 * high)
    first, last = _ends(columns, ("interval", "samples"), (low, high))
    low, high = max(min(low, first), low - reach), min(max(high, last), high + reach)
    if metric == "mae":
        return max(0.0, low - 0.1 * (high - low)), high + 0.1 * (high - low)
    low = max(0.0, low - 0.08 * (high - low) - 0.01)
    return low, min(1.0, high) + 0.04 * (1.0 - low)


def difference_span(columns: Columns) -> tuple[float, float]:
    """Symmetric about 0; intervals of very few seeds may leave it."""
    dots = max(0.01, *map(abs, _ends(columns, ("mean", *LOOKS), (0.0, 0.0))))
    ends = max(map(abs, _ends(columns, ("interval",), (0.0, 0.0))))
    reach = 1.12 * max(dots, min(ends, 2.5 * dots))
    return -reach, reach


def _ends(
    columns: Columns, names: Sequence[str] = ("mean", *LOOKS), empty: tuple[float, float] = (0.5, 1.0)
) -> tuple[float, float]:
    found = [np.asarray(columns[name][i], float) for name in names if name in columns for i in _across(name)]
    values = np.concatenate(found) if found else np.zeros(0)
    return (float(values.min()), float(values.max())) if len(values) else empty


def _across(name: str) -> tuple[int, ...]:
    return (0, 2) if name in ("interval", "samples") else (0,)


def live_forest(height: int = 300) -> LiveFigure:
    """`scores` or `differences` to stream into."""
    figure = live(FOREST, score_label("auc"), " ", height, legend=None, yticks=[(0.0, "")])
    figure.figure.min_border_left = 138
    return figure


def put_scores(figure: LiveFigure, table: pd.DataFrame, summary: Mapping[str, Any], metric: str, unit: str) -> None:
    """Redraws `scores`."""
    metric = metric or summary["primary"] or "auc"
    columns = score_columns(table, summary, metric)
    _put(figure, columns, forest_rows(summary), score_label(metric, unit), score_span(columns, metric))


def put_differences(figure: LiveFigure, table: pd.DataFrame, summary: Mapping[str, Any], unit: str) -> None:
    """Redraws `differences`."""
    columns = difference_columns(table, summary)
    label = difference_label(summary["primary"] or "auc", unit)
    _put(figure, columns, forest_rows(summary, paired=True), label, difference_span(columns))


def _put(figure: LiveFigure, columns: Columns, order: Sequence[str], label: str, span: tuple[float, float]) -> None:
    put(figure, FOREST, {**columns, **beyond(columns, span)})
    set_rows(figure, order)
    figure.set_range(span, (-0.6, max(len(order), 1) - 0.4))
    figure.figure.xaxis[0].axis_label = label


def set_rows(figure: LiveFigure, order: Sequence[str]) -> None:
    """Names the rows of a live forest."""
    ticks = _ticks(order)
    axis = figure.figure.yaxis[0]
    axis.ticker.ticks = [height for height, _ in ticks]
    axis.major_label_overrides = {height: name for height, name in ticks}


#: Names stand in a column on the right, so that equal sizes do not hide each other.
SIZES = (
    Layer("leaders", "bars", "quiet", dash="dotted", size=1),
    Layer("interval", "bars", "quiet", size=2.5),
    *(Layer(name, "points", look[0], marker=look[1], size=12) for name, look in LOOKS.items()),
    *(Layer(f"{name} name", "text", look[0], size=13) for name, look in LOOKS.items()),
)
SIZE = "trainable parameters (count, logarithmic)"


def size_columns(summary: Mapping[str, Any], metric: str = "") -> Columns:
    """Columns of ``SIZES`` from a summary; a method without parameters stands at 1."""
    metric = metric or summary["primary"]
    rows = [row for row in summary["methods"] if metric in row]
    if not rows:
        return {}
    place = {row["method"]: (float(max(1, row["n_parameters"])), float(row[metric])) for row in rows}
    low, high = _vertical(rows, metric)
    names = _apart({method: y for method, (_, y) in place.items()}, 0.085 * (high - low), low, high)
    right = _name_place(place)
    columns: dict[str, Any] = {method: columns_of([at]) for method, at in place.items()}
    for method, y in names.items():
        count = next(row["n_parameters"] for row in rows if row["method"] == method)
        columns[f"{method} name"] = ([right], [y], [f"{LOOKS[method][3]}, {count:,}"])
    columns["leaders"] = columns_of([(*place[method], right * 0.97, y) for method, y in names.items()], 4)
    known = [row for row in rows if row[f"{metric}_low"] == row[f"{metric}_low"]]
    bars = [(place[r["method"]][0], r[f"{metric}_low"], place[r["method"]][0], r[f"{metric}_high"]) for r in known]
    return columns | {"interval": columns_of(bars, 4)}


def _vertical(rows: Sequence[Mapping[str, Any]], metric: str) -> tuple[float, float]:
    """Range of the vertical axis: means, and their intervals as far as they are not much longer."""
    means = [row[metric] for row in rows]
    spread = max(max(means) - min(means), 0.02)
    ends = [row[f"{metric}{end}"] for row in rows for end in ("_low", "_high")]
    low = max(min([*means, *(e for e in ends if e == e)]), min(means) - 1.5 * spread)
    high = min(max([*means, *(e for e in ends if e == e)]), max(means) + 1.5 * spread)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _apart(values: Mapping[str, float], least: float, low: float, high: float) -> dict[str, float]:
    """The same order, at least ``least`` apart, as near to the values as one sweep brings them."""
    order = sorted(values, key=lambda name: values[name])
    placed: list[float] = []
    for name in order:
        placed.append(max(values[name], placed[-1] + least) if placed else values[name])
    over = max(0.0, placed[-1] - (high - 0.5 * least))
    for i in range(len(placed) - 1, -1, -1):  # what was pushed over the top moves down again
        top = placed[i + 1] - least if i + 1 < len(placed) else placed[i] - over
        placed[i] = min(placed[i], top)
    return dict(zip(order, placed, strict=True))


def _name_place(place: Mapping[str, tuple[float, float]]) -> float:
    left, right = min(x for x, _ in place.values()), max(x for x, _ in place.values())
    return right * max(1.6, (right / left) ** 0.14)


def size_span(summary: Mapping[str, Any], metric: str = "") -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of both axes, with room for the names."""
    metric = metric or summary["primary"]
    rows = [row for row in summary["methods"] if metric in row]
    if not rows:
        return (10.0, 1e4), (0.0, 1.0)
    place = {row["method"]: (float(max(1, row["n_parameters"])), 0.0) for row in rows}
    left, right = min(x for x, _ in place.values()), _name_place(place)
    reach = math.log(right / left)
    return (left / math.exp(0.08 * reach), right * math.exp(0.42 * reach + 0.1)), _vertical(rows, metric)


def sizes(summary: Mapping[str, Any], metric: str = "", unit: str = "") -> hv.Overlay:
    """Test score against the number of parameters, mean and 95 % interval over seeds."""
    metric = metric or summary["primary"]
    x, y = size_span(summary, metric)
    options = {"logx": True, "xlim": x, "ylim": y, "height": 380, "responsive": True}
    return overlay(SIZES, size_columns(summary, metric), SIZE, score_label(metric, unit), **options)


def live_sizes(height: int = 380) -> LiveFigure:
    """`sizes` to stream into."""
    return live(SIZES, SIZE, score_label("auc"), height, legend=None, logx=True)


def put_sizes(figure: LiveFigure, summary: Mapping[str, Any], metric: str, unit: str) -> None:
    """Redraws `sizes`."""
    metric = metric or summary["primary"] or "auc"
    put(figure, SIZES, size_columns(summary, metric))
    figure.set_range(*size_span(summary, metric))
    figure.figure.yaxis[0].axis_label = score_label(metric, unit)

"""Pictures of a study: learning curves with bands, test scores by seed, paired differences.

Each function draws with HoloViews; ``live_…`` makes it a figure that updates stream into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh

#: model -> (role of its colour, marker, dash, short name); the same in every picture.
LOOKS: dict[str, tuple[str, str, str, str]] = {
    "logistic_regression": ("target", "square", "dotted", "logistic"),
    "mlp": ("ceiling", "triangle", "dashed", "MLP"),
    "concat_fusion": ("test", "diamond", "dotdash", "dense layer"),
    "quantum_fusion": ("model", "circle", "solid", "quantum"),
}
#: What the logarithmic axis of the loss shows.
LOSS_RANGE = (0.001, 0.6)
METRICS = {"accuracy": "test accuracy", "auc": "test AUC", "f1": "test macro F1"}


def learning_curves(curves: pd.DataFrame, now: tuple[Any, Any] = ((), ())) -> hv.Overlay:
    """Lowest validation loss so far against the epoch, mean over seeds, with 95 % bands.

    Args:
        curves: model, epoch, mean, low, high, as ``ClassificationResult.curves`` gives them.
        now: epochs and validation loss of the trial that is being trained.
    """
    use_bokeh()
    axes = hv.Dimension("x", label="epoch"), hv.Dimension("y", label="validation focal loss (nat)")
    layers: list[hv.Element] = []
    for model, (role, *_) in LOOKS.items():
        band = hv.Polygons([np.column_stack(_band(curves, model))], list(axes))
        layers.append(band.opts(alpha=0.09, line_alpha=0, color=colour(role)))
    for model, (role, _, dash, label) in LOOKS.items():
        line = hv.Curve(_line(curves, model), *axes, label=label)
        layers.append(line.opts(line_dash=dash, line_width=2.5, color=colour(role)))
    layers.append(hv.Curve(now, *axes, label="now").opts(line_width=1.2, color=colour("quiet")))
    return hv.Overlay(layers).opts(logy=True, ylim=LOSS_RANGE, **tools())


def live_learning_curves(height: int = 480) -> LiveFigure:
    """`learning_curves` to stream into; layers ``<model> band``, ``<model>`` and ``now``."""
    rows = [(model, x, 0.1, 0.0, 0.2) for model in LOOKS for x in (0, 1)]
    seeded = pd.DataFrame(rows, columns=["model", "epoch", "mean", "low", "high"])
    roles = [role for role, *_ in LOOKS.values()]
    names = [f"{model} band" for model in LOOKS] + [*LOOKS, "now"]
    figure = freeze(learning_curves(seeded, ([0.0, 1.0], [0.1, 0.1])), names, [*roles, *roles, "quiet"], height)
    figure.set_range((0, 60), LOSS_RANGE)
    put_learning_curves(figure, seeded.iloc[:0])
    figure.clear("now")
    return figure


def put_learning_curves(figure: LiveFigure, curves: pd.DataFrame) -> None:
    """Redraws the lines and bands."""
    for model in LOOKS:
        x, y = _band(curves, model)
        figure.put(model, *_line(curves, model))
        source = figure.sources[f"{model} band"]
        source.data = {"xs": [[[x]]], "ys": [[[y]]]} if len(x) else {"xs": [], "ys": []}


def scores(table: pd.DataFrame, summary: Mapping[str, Any], metric: str = "accuracy") -> hv.Overlay:
    """One row a model: its test score on every seed, the mean, and its 95 % interval.

    Args:
        table: seed, model and scores, as in ``ClassificationResult.scores``.
        summary: of the same result.
        metric: one of ``METRICS``.
    """
    use_bokeh()
    rows = {row["model"]: row for row in summary["models"]}
    values = {model: table.loc[table["model"] == model, metric] for model in rows}
    ends = {model: (row[metric], row[f"{metric}_low"], row[f"{metric}_high"]) for model, row in rows.items()}
    return _forest(list(LOOKS), values, ends, METRICS[metric] + " (share)" * (metric == "accuracy"))


def live_scores(height: int = 260) -> LiveFigure:
    """`scores` to stream into; layers ``interval``, ``<model>`` (seeds) and ``mean``."""
    return _live_forest(list(LOOKS), "test accuracy", height, (0.85, 1.005))


def put_scores(figure: LiveFigure, table: pd.DataFrame, summary: Mapping[str, Any], metric: str) -> None:
    """Redraws `scores`."""
    rows = {row["model"]: row for row in summary["models"]}
    values = {model: table.loc[table["model"] == model, metric] for model in rows}
    ends = {model: (row[metric], row[f"{metric}_low"], row[f"{metric}_high"]) for model, row in rows.items()}
    _put_forest(figure, list(LOOKS), values, ends)
    low = min([float(v.min()) for v in values.values()] + [e for _, e, _ in ends.values() if e == e], default=0.9)
    figure.set_range(x=(max(0.0, low - 0.02), 1.005))
    figure.figure.xaxis[0].axis_label = METRICS[metric]


def differences(summary: Mapping[str, Any], table: pd.DataFrame, metric: str = "accuracy") -> hv.Overlay:
    """Quantum minus each classical model, seed by seed, with mean and 95 % interval; 0 is no difference.

    Arguments as in `scores`.
    """
    use_bokeh()
    values, ends = _paired(table, summary, metric)
    zero = hv.VLine(0).opts(line_width=1.5, line_dash="dashed", color=colour("quiet"))
    return _forest(_rivals(), values, ends, f"quantum minus classical, {METRICS[metric]}") * zero


def live_differences(height: int = 220) -> LiveFigure:
    """`differences` to stream into; layers as in `live_scores`."""
    from bokeh.models import Span

    figure = _live_forest(_rivals(), "quantum minus classical", height, (-0.06, 0.06))
    figure.figure.add_layout(Span(location=0, dimension="height", line_dash="dashed", line_color=colour("quiet")))
    return figure


def put_differences(figure: LiveFigure, table: pd.DataFrame, summary: Mapping[str, Any], metric: str) -> None:
    """Redraws `differences`."""
    values, ends = _paired(table, summary, metric)
    _put_forest(figure, _rivals(), values, ends)
    numbers = [abs(x) for v in values.values() for x in v] + [abs(x) for e in ends.values() for x in e if x == x]
    reach = 1.1 * max([0.02, *numbers])
    figure.set_range(x=(-reach, reach))
    figure.figure.xaxis[0].axis_label = f"quantum minus classical, {METRICS[metric]}"


def _rivals() -> list[str]:
    return [model for model in LOOKS if model != "quantum_fusion"]


def _paired(table: pd.DataFrame, summary: Mapping[str, Any], metric: str) -> tuple[dict[str, Any], dict[str, Any]]:
    rows = {row["model"]: row for row in summary["paired"] if row["metric"] == metric}
    if not rows:
        return {}, {}
    wide = table.pivot(index="seed", columns="model", values=metric)
    values = {model: (wide["quantum_fusion"] - wide[model]).dropna() for model in rows}
    ends = {m: (r["difference"], r["difference_low"], r["difference_high"]) for m, r in rows.items()}
    return values, ends


def _forest(order: Sequence[str], values: Mapping[str, Any], ends: Mapping[str, Any], label: str) -> hv.Overlay:
    """Rows of dots (one a seed) below a mean with its interval; the first model is on top."""
    axes = hv.Dimension("x", label=label), hv.Dimension("y", label=" ")
    heights = _heights(order)
    corners = [hv.Dimension(name, label=axes[i % 2].label) for i, name in enumerate(("x0", "y0", "x1", "y1"))]
    segments = [(low, heights[model], high, heights[model]) for model, (_, low, high) in ends.items() if low == low]
    layers: list[hv.Element] = [
        hv.Segments(segments or [(0.0, 0.0, 0.0, 0.0)], corners).opts(line_width=2.5, color=colour("quiet"))
    ]
    for model in order:
        role, marker, *_ = LOOKS[model]
        points = hv.Scatter(_dots(values.get(model, []), heights[model]), *axes)
        layers.append(points.opts(marker=marker, size=7, alpha=0.7, color=colour(role)))
    means = [mean for mean, *_ in ends.values()], [heights[model] for model in ends]
    layers.append(hv.Scatter(means, *axes).opts(marker="dash", angle=90, size=20, line_width=3, color=colour("target")))
    ticks = [(heights[model], LOOKS[model][3]) for model in order]
    return hv.Overlay(layers).opts(yticks=ticks, ylim=(-0.6, len(order) - 0.4), **tools())


def _live_forest(order: Sequence[str], label: str, height: int, span: tuple[float, float]) -> LiveFigure:
    use_bokeh()
    values = {model: [0.9, 0.95] for model in order}
    ends = {model: (0.92, 0.9, 0.95) for model in order}
    names = ["interval", *order, "mean"]
    roles = ["quiet", *(LOOKS[model][0] for model in order), "target"]
    figure = freeze(_forest(order, values, ends, label), names, roles, height, legend=None)
    figure.figure.min_border_left = 96
    figure.set_range(span, (-0.6, len(order) - 0.4))
    figure.clear(*names)
    return figure


def _put_forest(figure: LiveFigure, order: Sequence[str], values: Mapping[str, Any], ends: Mapping[str, Any]) -> None:
    heights = _heights(order)
    for model in order:
        figure.put(model, *_dots(values.get(model, []), heights[model]))
    known = [(low, heights[model], high, heights[model]) for model, (_, low, high) in ends.items() if low == low]
    corners = np.array(known, float).reshape(-1, 4)
    figure.sources["interval"].data = {name: corners[:, i] for i, name in enumerate(("x0", "y0", "x1", "y1"))}
    figure.put("mean", [mean for mean, *_ in ends.values()], [heights[model] for model in ends])


def _heights(order: Sequence[str]) -> dict[str, float]:
    return {model: float(len(order) - 1 - index) for index, model in enumerate(order)}


def _dots(values: Any, height: float) -> tuple[np.ndarray, np.ndarray]:
    """The seeds' dots, spread a little below the row's middle in order of seed, so that equal ones show."""
    values = np.asarray(values, float)
    return values, height - 0.14 - 0.05 * np.arange(len(values)) % 0.30


def _line(curves: pd.DataFrame, model: str) -> tuple[np.ndarray, np.ndarray]:
    rows = curves[curves["model"] == model]
    return rows["epoch"].to_numpy(float), rows["mean"].to_numpy(float)


def _band(curves: pd.DataFrame, model: str) -> tuple[np.ndarray, np.ndarray]:
    rows = curves[(curves["model"] == model)].dropna()
    x = rows["epoch"].to_numpy(float)
    low = np.maximum(rows["low"].to_numpy(float), 0.1 * LOSS_RANGE[0])  # the axis is logarithmic
    high = np.maximum(rows["high"].to_numpy(float), low)
    return np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])

"""Pictures of a multimodal study in training: learning curves side by side, and gradient norms.

For each picture there is a list of layers, a function that makes its columns from a result's table, an
overlay for notebooks and a live figure for the page.
"""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.layers import Columns, Layer, live, outline, overlay, put
from qfl_explore.plots.style import LiveFigure, use_bokeh

#: method -> (role of its colour, marker, dash, short name); the same in every picture.
LOOKS: dict[str, tuple[str, str, Any, str]] = {
    "persistence": ("data", "x", [2, 4], "last value"),
    "linear": ("target", "square", "dotted", "linear"),
    "boosting": ("target", "hex", "dashed", "boosting"),
    "mlp": ("ceiling", "triangle", "dashed", "MLP"),
    "concat": ("test", "diamond", "dotdash", "dense layer"),
    "low_rank_reference": ("other", "inverted_triangle", "dotted", "low rank, reference"),
    "low_rank_near_one": ("other", "star", "dashed", "low rank, near 1"),
    "tensor": ("pinned", "square_pin", "dotdash", "tensor"),
    "bilinear": ("pinned", "plus", "dotted", "bilinear"),
    "graph": ("ceiling", "triangle_pin", "dotdash", "graph"),
    "quantum": ("model", "circle", "solid", "quantum"),
}
#: What has epochs and a learning curve.
NETWORKS = tuple(list(LOOKS)[3:])
QUANTUM = "quantum"
SCORES = {
    "auc": "test AUC (0.5 = chance, 1 = perfect)",
    "f1": "test macro F1 (share)",
    "accuracy": "test accuracy (share)",
    "mae": "test mean absolute error",
}
LOSSES = {
    "classification": "focal loss (nat)",
    "multilabel": "focal loss (nat)",
    "regression": "squared error (scaled)",
}
LOSS_RANGE = (0.001, 0.6)
EPOCH = "epoch (count)"
#: The least that a logarithmic axis of losses shows.
_FLOOR = 1e-5
_WIDE = {"responsive": True, "height": 320}


def score_label(metric: str, unit: str = "") -> str:
    """A score with its unit, as an axis names it.

    Args:
        metric: one of ``SCORES``.
        unit: of the target, for an error.
    """
    return f"{SCORES[metric]} ({unit or 'unit of the target'}; less is better)" if metric == "mae" else SCORES[metric]


def learning_layers(method: str) -> tuple[Layer, ...]:
    """Layers of `learning`: train and validation with bands, the quantum layer for comparison, the trial of now."""
    role, _, dash, _ = LOOKS[method]  # of two methods with one colour, the dash tells which
    return (
        Layer("train band", "band", "quiet", alpha=0.14),
        Layer("validation band", "band", role, alpha=0.18),
        Layer("reference", "line", "model", dash="dotted", size=1.5, alpha=0.8),
        Layer("train", "line", "quiet", "train", dash="dashed", size=1.8),
        Layer("validation", "line", role, "validation", dash=dash, size=2.5),
        Layer("now", "line", "data", "now", size=1.0),
    )


def learning_columns(curves: pd.DataFrame, method: str) -> Columns:
    """Columns of `learning_layers`.

    Args:
        curves: as ``multimodal_curves.learning_curves`` gives them.
        method: whose panel it is.
    """
    columns: dict[str, Any] = {}
    for part in ("train", "validation"):
        rows = curves[(curves["method"] == method) & (curves["part"] == part)]
        x, mean, low, high = (rows[name].to_numpy(float) for name in ("epoch", "mean", "low", "high"))
        columns[part] = (x, np.maximum(mean, _FLOOR))
        columns[f"{part} band"] = outline(x, np.maximum(low, _FLOOR), high)
    if method != QUANTUM:
        rows = curves[(curves["method"] == QUANTUM) & (curves["part"] == "validation")]
        columns["reference"] = (rows["epoch"], rows["mean"].clip(lower=_FLOOR))
    return columns


def learning(curves: pd.DataFrame, method: str, task: str = "classification") -> hv.Overlay:
    """Loss against the epoch of one method: train dashed, validation solid, mean and 95 % band over seeds.

    The dotted line is the quantum layer's validation loss, for comparison.
    """
    options = {"logy": True, "ylim": loss_range(curves), "title": LOOKS[method][3], "width": 300, "height": 250}
    layers = [layer for layer in learning_layers(method) if layer.name != "now"]
    return overlay(layers, learning_columns(curves, method), EPOCH, LOSSES[task], show_legend=False, **options)


def learning_grid(curves: pd.DataFrame, task: str = "classification", n_columns: int = 3) -> hv.Layout:
    """`learning` of every method that has curves, side by side on the same axes."""
    use_bokeh()
    methods = [name for name in LOOKS if name in set(curves["method"])]
    return hv.Layout([learning(curves, name, task) for name in methods]).cols(n_columns)


def loss_range(curves: pd.DataFrame, now: Any = ()) -> tuple[float, float]:
    """A common range for all panels; bands may leave it."""
    values = np.concatenate([curves["mean"].to_numpy(float), np.asarray(now, float)])
    values = values[np.isfinite(values)]
    if not len(values):
        return LOSS_RANGE
    return max(_FLOOR, 0.7 * float(values.min())), 1.4 * float(values.max())


def live_learning(method: str, height: int = 230) -> LiveFigure:
    """`learning` to stream into."""
    figure = live(learning_layers(method), EPOCH, LOSSES["classification"], height, legend=None, logy=True)
    figure.figure.min_border_left = 64
    figure.set_range((0, 40), LOSS_RANGE)
    return figure


def put_learning(figure: LiveFigure, curves: pd.DataFrame, method: str) -> None:
    """Redraws `learning`; the trial of now stays."""
    columns = learning_columns(curves, method)
    put(figure, [layer for layer in learning_layers(method) if layer.name != "now"], columns)


NORMS = tuple(Layer(name, "line", LOOKS[name][0], LOOKS[name][3], LOOKS[name][2], 2.0) for name in NETWORKS)
NORM = "gradient norm (loss per weight)"


def norm_columns(gradients: pd.DataFrame, n_points: int = 60) -> Columns:
    """Columns of ``NORMS``: medians over seeds and over neighbouring steps.

    Args:
        gradients: as in ``MultimodalResult.gradients``.
        n_points: of each line, at most.
    """
    columns: dict[str, Any] = {}
    for method, rows in gradients.groupby("method", sort=False):
        width = max(1, -(-int(rows["step"].max() + 1) // n_points))
        medians = rows.groupby(rows["step"] // width)["norm"].median()
        columns[str(method)] = ((medians.index + 0.5) * width, medians.clip(lower=1e-12))
    return columns


def gradient_norms(gradients: pd.DataFrame) -> hv.Overlay:
    """Norm of the whole gradient against the training step, median over seeds; logarithmic."""
    columns = norm_columns(gradients)
    shown = [layer for layer in NORMS if layer.name in columns]
    return overlay(shown, columns, "training step (count)", NORM, logy=True, legend_position="right", **_WIDE)


def live_gradient_norms(height: int = 280) -> LiveFigure:
    """`gradient_norms` to stream into."""
    return live(NORMS, "training step (count)", NORM, height, legend="right", n_legend_columns=1, logy=True)


def put_gradient_norms(figure: LiveFigure, gradients: pd.DataFrame) -> None:
    """Redraws `gradient_norms`."""
    columns = norm_columns(gradients)
    put(figure, NORMS, columns)
    for layer in NORMS:
        figure.show_layer(layer.name, layer.name in columns)
    norms = np.concatenate([np.asarray(y, float) for _, y in columns.values()]) if columns else np.array([0.01, 1.0])
    steps = max((float(np.max(x)) for x, _ in columns.values()), default=100.0)
    figure.set_range((0.0, 1.02 * steps), (0.6 * float(norms.min()), 1.6 * float(norms.max())))

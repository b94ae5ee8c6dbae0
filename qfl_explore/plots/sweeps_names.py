"""What settings and results are called on axes, in titles and in legends of a sweep."""

from __future__ import annotations

import math
from typing import Any

#: Setting or result -> what an axis is called.
LABELS = {
    "fusion.degree": "degree P (signal layers)",
    "fusion.n_modalities": "modalities M (count)",
    "fusion.feature_dim": "features per modality D (count)",
    "fusion.n_blocks": "blocks in each U(θ) (count)",
    "target.degree": "degree of the target k",
    "n_train": "training samples (count)",
    "noise": "noise (share of the target's spread)",
    "n_oracles": "modalities M (count)",
    "delta": "δ (rad)",
    "seed": "seed",
    "test_r2": "test R²",
    "train_r2": "training R²",
    "ceiling": "ceiling of R²",
    "gap": "ceiling less test R²",
    "variance": "variance of ∂C/∂θ (1/rad²)",
    "exact": "exact variance (1/rad²)",
    "joint": "success, joint (share)",
    "separable": "success, separable, as many queries (share)",
    "separable_best": "success, best separable (share)",
    "n_queries": "queries to certainty (count)",
    "n_parameters": "parameters (count)",
    "n_reachable": "reachable frequencies (count)",
    "n_draws": "draws (count)",
    "n_weights": "angles (count)",
    "n_steps": "training steps (count)",
    "seconds": "time of a run (s)",
    "degree": "degree P (signal layers)",
    "target_degree": "degree of the target k",
    "n_modalities": "modalities M (count)",
    "loss": "mean loss after training",
    "loss_start": "mean loss before training",
    "variance_end": "variance of ∂C/∂θ after training (1/rad²)",
    "variance_start": "variance of ∂C/∂θ before training (1/rad²)",
}
#: Last part of a result's name -> what it measures; the parts before it name the model, see `label_of`.
MEASURES = {
    "trained.mean": "test score",
    "classical.mean": "test score",
    "mean": "relative error",
    "success": "success (share)",
    "auc": "AUC",
    "f1": "macro F1",
    "accuracy": "accuracy (share)",
    "mae": "mean absolute error",
    "log10_product": "median of log₁₀ |product|",
    "share_zero": "products that are 0 in float32 (share)",
}
#: Model, or way to read a circuit -> what it is called; a number behind it is its size.
MODELS = {
    "all_pauli": "all Pauli strings",
    "pauli": "X, Y, Z on each qubit",
    "computational": "computational basis",
    "random_pauli_plane": "random Pauli plane",
    "fourier": "classical Fourier features",
    "quantum": "quantum layer",
    "lmf": "low-rank fusion",
    "mlp": "MLP",
    "linear": "linear model",
    "boosting": "gradient boosting",
    "reference": "reference start",
    "unit_variance": "unit-variance start",
    "near_one": "near-one start",
}
#: Model -> what the number behind its name counts, where the experiment does not say otherwise.
SIZES = {"lmf": "rank {}", "quantum": "degree {}", "mlp": "{} hidden units"}
#: Setting -> how it stands before a value in a title or legend.
SHORT = {
    "fusion.degree": "P",
    "fusion.n_modalities": "M",
    "fusion.feature_dim": "D",
    "fusion.n_blocks": "blocks",
    "target.degree": "k",
    "n_oracles": "M",
    "delta": "δ",
    "degree": "P",
    "target_degree": "k",
    "n_modalities": "M",
}


def label_of(name: str) -> str:
    """The name of an axis, with its unit.

    >>> label_of("lmf.2.mean"), label_of("quantum.6.success")
    ('relative error, low-rank fusion, rank 2', 'success (share), quantum layer, 6 queries')
    """
    if name in LABELS:
        return LABELS[name]
    model, _, rest = name.partition(".")
    size, _, last = rest.partition(".") if rest[:1].isdecimal() else ("", "", rest)
    if model not in MODELS or last not in MEASURES:
        return name
    counted = "{} queries" if last == "success" else SIZES.get(model, "{}")
    return ", ".join([MEASURES[last], MODELS[model], *([counted.format(size)] if size else [])])


def name_of(setting: str, value: Any) -> str:
    """A setting with one of its values, short, for titles and legends."""
    if isinstance(value, str):
        return word(value)
    return f"{SHORT.get(setting, setting)} = {word(value)}"


def word(value: Any) -> str:
    """A value as text; a float with few digits."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.4g}"
    return str(value).replace("_", " ")

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
    "all_pauli.trained.mean": "test score, all Pauli strings",
    "pauli.trained.mean": "test score, X, Y, Z on each qubit",
    "computational.trained.mean": "test score, computational",
    "random_pauli_plane.trained.mean": "test score, random Pauli plane",
    "fourier.classical.mean": "test score, classical Fourier features",
}
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
    """The name of an axis, with its unit."""
    return LABELS.get(name, name)


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

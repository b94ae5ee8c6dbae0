"""Unimodal encoders, the same ones for every fusion. Keras is loaded when a model is built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.errors import check_option, invalid
from qfl_explore.training import load_keras

#: How a modality becomes D features.
ENCODERS: dict[str, str] = {
    "dense": "one dense layer, tanh",
    "series": "two strided convolutions, mean over time, one dense layer, tanh",
}
#: Filters, width and stride of each convolution of ``series``.
N_FILTERS, WIDTH, STRIDE = 8, 7, 4
#: From this many modalities on, dense encoders of equal size are computed as one product.
MANY = 17


def encoder_weights(n_measures: Sequence[int], feature_dim: int, encoder: str = "dense") -> int:
    """Parameters of all encoders together.

    >>> encoder_weights((10, 10, 10), 2), encoder_weights((1000,) * 12, 4, "series")
    (66, 6672)
    """
    if check_option("encoder", encoder, ENCODERS) == "dense":
        return sum((size + 1) * feature_dim for size in n_measures)
    convolutions = (WIDTH + 1) * N_FILTERS + (WIDTH * N_FILTERS + 1) * N_FILTERS
    return len(n_measures) * (convolutions + (N_FILTERS + 1) * feature_dim)


def check_reach(reach: object) -> float:
    """A reach that can be used, in radians.

    Raises:
        TypeError: it is not a number.
        ValueError: it is not above 0 and at most π.
    """
    if isinstance(reach, bool) or not isinstance(reach, (int, float)):
        raise invalid("reach must be a number", "radians above 0 and at most π", f"reach={reach!r}", TypeError)
    if not 0 < reach <= math.pi:
        raise invalid("reach is out of range", "radians above 0 and at most π", f"reach={reach!r}")
    return float(reach)


def encoded(
    n_measures: Sequence[int], feature_dim: int, seed: int, encoder: str = "dense", scale: float = math.pi
) -> tuple[list[Any], Any]:
    """Inputs, and features [B, M, D] in (-scale, scale), the layer ``angles``.

    Args:
        n_measures: (d_1, …, d_M).
        feature_dim: D.
        seed: of the initial weights, which depend on the seed and the modality's place only.
        encoder: one of ``ENCODERS``.
        scale: for a circuit, which reads the features as radians, their reach: π or less.
    """
    _, keras = load_keras()
    inputs = model_inputs(n_measures)
    check_option("encoder", encoder, ENCODERS)
    if encoder == "dense" and len(inputs) >= MANY and len(set(n_measures)) == 1:
        from qfl_explore.baselines.stacked import StackedDense

        joined = StackedDense(feature_dim, seed)(inputs)
    else:
        rows = [_one(tensor, feature_dim, seed, index, encoder) for index, tensor in enumerate(inputs)]
        joined = keras.layers.Concatenate(axis=1)(rows) if len(rows) > 1 else rows[0]
    return inputs, keras.layers.Rescaling(scale, name="angles")(joined)


def model_inputs(n_measures: Sequence[int]) -> list[Any]:
    """One Keras input a modality."""
    _, keras = load_keras()
    return [keras.Input((size,), name=f"modality_{index}") for index, size in enumerate(n_measures)]


def dense(n_units: int, seed: int, role: int, activation: str | None = None) -> Any:
    """A dense layer whose Glorot-uniform start depends on the model's seed and its role only."""
    _, keras = load_keras()
    return keras.layers.Dense(n_units, activation, kernel_initializer=glorot(seed, role))


def glorot(seed: int, role: int) -> Any:
    """Keras' Glorot-uniform initializer with a seed of its own for every role."""
    _, keras = load_keras()
    draw = int(np.random.SeedSequence((seed, role)).generate_state(1)[0]) % 2**31
    return keras.initializers.GlorotUniform(draw)


def _one(tensor: Any, feature_dim: int, seed: int, index: int, encoder: str) -> Any:
    """[B, d] -> [B, 1, D]."""
    _, keras = load_keras()
    if encoder == "series":
        tensor = keras.layers.Reshape((tensor.shape[1], 1))(tensor)
        for depth in range(2):
            start = glorot(seed, 1000 + 2 * index + depth)
            tensor = keras.layers.Conv1D(N_FILTERS, WIDTH, STRIDE, "same", activation="relu", kernel_initializer=start)(
                tensor
            )
        tensor = keras.layers.GlobalAveragePooling1D()(tensor)
    return keras.layers.Reshape((1, feature_dim))(dense(feature_dim, seed, index, "tanh")(tensor))

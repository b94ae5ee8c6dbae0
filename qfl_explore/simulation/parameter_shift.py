"""The exact two-point parameter shift, in one place, on the physical form of a fusion circuit.

Every symbol of `PhysicalCircuit` occurs in one rotation whose generator has two eigenvalues
one apart, so for each angle ``df/da = (f(a + π/2) - f(a - π/2)) / 2``, without any error.
Source: Mitarai et al., arXiv:1803.00745; Schuld et al., arXiv:1811.11184.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit

#: Radians by which one angle moves.
SHIFT = np.pi / 2.0

#: Angles [S] (radians) of one sample -> observables at +SHIFT and at -SHIFT of each, each [S, K].
ShiftedValues = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def shifted_angles(angles: np.ndarray) -> np.ndarray:
    """All angle vectors that one sample's gradient needs.

    Args:
        angles: [S], radians.

    Returns:
        [2, S, S]: first every angle in turn moved by +π/2, then by -π/2.

    >>> shifted_angles(np.zeros(2)).shape
    (2, 2, 2)
    """
    moves = SHIFT * np.eye(len(angles))
    return np.stack([angles + moves, angles - moves])


def shift_gradients(
    fusion: FusionCircuit,
    features: np.ndarray,
    weights: np.ndarray,
    cotangents: np.ndarray,
    shifted_values: ShiftedValues,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of ``sum(cotangents * values)`` by parameter shift.

    Args:
        fusion: the circuit.
        features: [B, M, D], radians.
        weights: of ``fusion.weight_shape``, radians.
        cotangents: [B, K].
        shifted_values: how the engine evaluates the shifted circuits of one sample; angles
            are in the order of ``fusion.physical.symbols``.

    Returns:
        d_features [B, M, D] and d_weights of ``fusion.weight_shape``, float64.
    """
    angles = fusion.physical.symbol_values(features, weights)
    d_angles = np.empty_like(angles)
    for row, (sample, cotangent) in enumerate(zip(angles, cotangents, strict=True)):
        plus, minus = shifted_values(sample)
        d_angles[row] = (plus - minus) @ cotangent / 2.0
    d_features, d_weights = fusion.physical.pull_back(d_angles)
    return d_features.reshape(features.shape), d_weights.reshape(fusion.weight_shape)

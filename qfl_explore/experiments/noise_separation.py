"""The joint protocol of the separation study under noise, beside separable strategies.

For P = 2r queries the two oracles differ by 0 or δ = π/(2r), which P queries decide with certainty
without noise. The protocol runs as the trainable layer that it is a member of, in its physical
form. A separable strategy is given two ways: without any noise, and with its excess over ½ cut
by the factor by which noise cut the protocol's ("same loss"). Source: our construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments.noise_config import NoiseConfig
from qfl_explore.experiments.noise_features import sampled
from qfl_explore.experiments.separation import draw_angles, protocol
from qfl_explore.simulation.base import get_backend
from qfl_explore.theory.separation import separable_success

JOINT, SEPARABLE, SEPARABLE_LOSS = "joint", "separable", "separable_same_loss"
#: Oracle angles drawn for each seed.
N_ANGLES = 100


def delta_of(degree: int) -> float:
    """δ that ``degree`` queries decide with certainty, in radians: π over their number."""
    return math.pi / degree


@lru_cache(maxsize=64)
def parts_of(degree: int) -> tuple[FusionCircuit, np.ndarray]:
    """The protocol as a fusion circuit with Z on the value qubit last, and its angles."""
    circuit = protocol(2, delta_of(degree), degree // 2)
    return FusionCircuit(circuit.config), circuit.weights()


@lru_cache(maxsize=64)
def separable(degree: int) -> float:
    """Best success found of a separable strategy with the same number of queries, without noise."""
    return separable_success(degree // 2, delta_of(degree)).success


def says_equal(config: NoiseConfig, degree: int, strength: float, theta: np.ndarray) -> np.ndarray:
    """Exact probabilities [B] of the answer "Δ = 0" for oracle angles [B, 2] in radians."""
    fusion, weights = parts_of(degree)
    engine = get_backend("density_matrix", noise=config.noise(strength))
    return (1.0 + engine.expectations(fusion, -2.0 * theta[:, :, None], weights)[:, -1]) / 2.0


def rows(config: NoiseConfig, seed: int, degree: int) -> Iterator[dict[str, Any]]:
    """One row for each strength and strategy."""
    theta, labels = draw_angles(2, delta_of(degree), N_ANGLES, seed)
    rng = np.random.default_rng([seed, degree, 41])
    limit = separable(degree)
    for strength in config.strengths:
        p = says_equal(config, degree, strength, theta)
        if config.repetitions is not None:  # single decisions, as many as repetitions, spread over the angles
            p = (1.0 + sampled(2.0 * p - 1.0, max(1, config.repetitions // N_ANGLES), rng)) / 2.0
        success = float(np.where(labels == 0, p, 1.0 - p).mean())
        kept = max(0.0, 2.0 * success - 1.0)
        for model, score in (
            (JOINT, success),
            (SEPARABLE, limit),
            (SEPARABLE_LOSS, 0.5 + kept * (limit - 0.5)),
        ):
            yield {
                "seed": seed,
                "degree": degree,
                "strength": strength,
                "model": model,
                "training": "none",
                "score": score,
                "shrink": kept,
                "scatter": math.nan,
                "n_parameters": 0,
                "n_train": 0,
                "n_test": N_ANGLES,
            }

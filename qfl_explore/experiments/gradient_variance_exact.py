"""What estimates of gradient variance converge to where the angles are uniform and the circuit is small."""

from __future__ import annotations

import functools
import math

import numpy as np

from qfl_explore.circuits.ansatz import entangled_pairs
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int
from qfl_explore.experiments.gradient_variance_config import GradientVarianceConfig
from qfl_explore.theory.trainability import Observable, can_be_exact, exact_variances

_STREAM = 1803_11173


def inputs_of(config: GradientVarianceConfig) -> np.ndarray:
    """[n_inputs, M, D] uniform in [-π, π), from the seed."""
    fusion = config.fusion
    rng = np.random.default_rng([config.seed, _STREAM])
    return rng.uniform(-np.pi, np.pi, (config.n_inputs, fusion.n_modalities, fusion.feature_dim))


def exact_mean(config: GradientVarianceConfig) -> float:
    """What the estimate converges to, without sampling; NaN where there is no exact value.

    There is one for uniform weights and small circuits, see `exact_variances`.
    """
    if config.initializer != "uniform" or not can_be_exact(config.fusion):
        return math.nan
    return _exact_mean(GradientVarianceConfig(fusion=config.fusion, n_inputs=config.n_inputs, seed=config.seed))


@functools.lru_cache(maxsize=1024)
def _exact_mean(config: GradientVarianceConfig) -> float:
    return float(np.mean([exact_of(config.fusion, one).mean() for one in inputs_of(config)]))


def exact_of(config: FusionConfig, inputs: np.ndarray, observable: int | None = None) -> np.ndarray:
    """The exact variance of every angle's derivative over uniform angles, see `exact_variances`.

    Args:
        config: the circuit.
        inputs: [M, D], one sample, radians.
        observable: which of the circuit's observables C is; ``None``: the mean over all of them.

    Returns:
        float64 array of ``config.weight_shape``.
    """
    terms = _terms(FusionCircuit(config))
    if observable is not None:
        terms = [terms[check_int("observable", observable, 0, len(terms) - 1)]]
    return exact_variances(config, inputs, entangled_pairs(config.entangler, config.n_qubits), terms)


def _terms(fusion: FusionCircuit) -> list[Observable]:
    place = {qubit: i for i, qubit in enumerate(fusion.qubits)}
    return [
        [
            (abs(string.coefficient), {place[qubit]: str(letter) for qubit, letter in string.items()})
            for string in observable
        ]
        for observable in fusion.observables
    ]

"""Models that answer the same question as a Quantum Fusion Layer, with encoders to match.

Every fusion model is ``encoder per modality -> fusion -> logits``. The encoders are the same for
all of them, so that a difference between two models is a difference between two fusions.
Logits are [B, 1] for two classes and [B, C] for more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, invalid
from qfl_explore.training import Features, load_keras


def n_logits(n_classes: int) -> int:
    """1 for two classes, else one a class."""
    return 1 if check_int("n_classes", n_classes, 2) == 2 else n_classes


def encoder_parameters(n_measures: Sequence[int], feature_dim: int) -> int:
    """Parameters of all encoders together: ``sum_m (d_m + 1) D``."""
    return sum((size + 1) * feature_dim for size in n_measures)


def fusion_parameters(n_measures: Sequence[int], n_classes: int, config: FusionConfig, n_observables: int) -> int:
    """Parameters of `quantum_fusion_model`: encoders, circuit angles, linear head on K observables."""
    head = (n_observables + 1) * n_logits(n_classes)
    return encoder_parameters(n_measures, config.feature_dim) + config.n_weights + head


def mlp_parameters(n_inputs: int, n_hidden: int, n_outputs: int) -> int:
    """Parameters of a network with one hidden layer: ``(inputs + 1) h + (h + 1) outputs``."""
    return (n_inputs + 1) * n_hidden + (n_hidden + 1) * n_outputs


def matched_hidden(n_inputs: int, n_outputs: int, n_parameters: int) -> int:
    """The smallest hidden width with which an MLP has at least ``n_parameters``.

    >>> matched_hidden(30, 1, 131), mlp_parameters(30, 5, 1), mlp_parameters(30, 4, 1)
    (5, 161, 129)
    """
    return max(1, math.ceil((n_parameters - n_outputs) / (n_inputs + 1 + n_outputs)))


def quantum_fusion_model(
    n_measures: Sequence[int],
    n_classes: int,
    config: FusionConfig,
    backend: str = "batched",
    initializer: str = "uniform",
    seed: int = 0,
) -> Any:
    """Encoder per modality → Quantum Fusion Layer → linear logits, all trained together.

    Source: the chain follows arXiv:2510.06938; the encoder (one dense layer, tanh · π) is our
    construction, as the paper's is not known to us.

    Args:
        n_measures: (d_1, …, d_M), raw features of each modality.
        n_classes: 2 or more.
        config: of the layer; its n_modalities must be M.
        backend: the engine.
        initializer: of the circuit's angles.
        seed: of all initial weights.

    Returns:
        A Keras model: M arrays [B, d_m] -> logits.

    Raises:
        ValueError: config does not fit the data.
    """
    if config.n_modalities != len(n_measures):
        raise invalid(
            "config does not fit the data", f"n_modalities={len(n_measures)}", f"n_modalities={config.n_modalities}"
        )
    from qfl_explore.layers import QuantumFusion

    inputs, angles = _encoders(n_measures, config.feature_dim, seed)
    values = QuantumFusion(config, backend=backend, initializer=initializer, seed=seed)(angles)
    return _model("quantum_fusion", inputs, _dense(n_logits(n_classes), seed, 100)(values))


def concat_fusion_model(
    n_measures: Sequence[int], n_classes: int, feature_dim: int, n_hidden: int, seed: int = 0
) -> Any:
    """The same encoders → concatenation → one hidden layer (tanh) → linear logits.

    The control that says what the circuit adds: it is replaced by a dense layer, all else is
    equal. Arguments and result as in `quantum_fusion_model`.
    """
    _, keras = load_keras()
    inputs, angles = _encoders(n_measures, feature_dim, seed)
    hidden = _dense(n_hidden, seed, 200, activation="tanh")(keras.layers.Flatten()(angles))
    return _model("concat_fusion", inputs, _dense(n_logits(n_classes), seed, 100)(hidden))


def mlp_model(n_measures: Sequence[int], n_classes: int, n_hidden: int, seed: int = 0) -> Any:
    """A plain network on the concatenated raw features: one hidden layer (ReLU) → linear logits.

    Arguments and result as in `quantum_fusion_model`.
    """
    _, keras = load_keras()
    inputs = _inputs(n_measures)
    joined = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    hidden = _dense(n_hidden, seed, 200, activation="relu")(joined)
    return _model("mlp", inputs, _dense(n_logits(n_classes), seed, 100)(hidden))


class LogisticRegression:
    """Scikit-learn's logistic regression on the concatenated features.

    It minimises cross-entropy with an L2 penalty to convergence (LBFGS); it has no epochs.

    Args:
        inverse_penalty: C, the inverse strength of the penalty; more than 0.
    """

    def __init__(self, inverse_penalty: float = 1.0) -> None:
        from sklearn.linear_model import LogisticRegression as Estimator

        self._estimator = Estimator(C=inverse_penalty, max_iter=5000)

    def fit(self, features: Features, labels: np.ndarray) -> LogisticRegression:
        """Fits to M arrays [n, d_m] and labels [n]."""
        self._estimator.fit(np.hstack(features), labels)
        return self

    def logits(self, features: Features) -> np.ndarray:
        """Logits [n, 1] or [n, C]."""
        values = self._estimator.decision_function(np.hstack(features))
        return values[:, None] if values.ndim == 1 else values

    @property
    def n_parameters(self) -> int:
        """Coefficients and intercepts."""
        return self._estimator.coef_.size + self._estimator.intercept_.size


def _inputs(n_measures: Sequence[int]) -> list[Any]:
    _, keras = load_keras()
    return [keras.Input((size,), name=f"modality_{index}") for index, size in enumerate(n_measures)]


def _encoders(n_measures: Sequence[int], feature_dim: int, seed: int) -> tuple[list[Any], Any]:
    """Inputs, and angles [B, M, D] in (-π, π) radians: dense layer, tanh, times π."""
    _, keras = load_keras()
    inputs = _inputs(n_measures)
    rows = []
    for index, tensor in enumerate(inputs):
        encoded = _dense(feature_dim, seed, index, activation="tanh")(tensor)
        rows.append(keras.layers.Reshape((1, feature_dim))(encoded))
    joined = keras.layers.Concatenate(axis=1)(rows) if len(rows) > 1 else rows[0]
    return inputs, keras.layers.Rescaling(math.pi, name="angles")(joined)


def _dense(n_units: int, seed: int, role: int, activation: str | None = None) -> Any:
    """A dense layer whose Glorot-uniform start depends on the model's seed and its role only."""
    _, keras = load_keras()
    draw = int(np.random.SeedSequence((seed, role)).generate_state(1)[0]) % 2**31
    return keras.layers.Dense(n_units, activation, kernel_initializer=keras.initializers.GlorotUniform(draw))


def _model(name: str, inputs: list[Any], logits: Any) -> Any:
    _, keras = load_keras()
    return keras.Model(inputs, logits, name=name)

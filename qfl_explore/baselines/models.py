"""Whole Keras models: encoder per modality → fusion → a linear head with the columns that a task asks for."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

from qfl_explore.baselines.counts import FUSIONS, n_logits
from qfl_explore.baselines.encoders import check_reach, dense, encoded, model_inputs
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.training import load_keras

#: Where each fusion's layer lives; they load TensorFlow.
LAYERS = {
    "concat": ("fusion_layers", "ConcatFusion"),
    "low_rank": ("fusion_layers", "LowRankFusion"),
    "tensor": ("fusion_layers", "TensorFusion"),
    "bilinear": ("bilinear", "FactorizedBilinearFusion"),
    "graph": ("graph", "GraphFusion"),
}
#: Encoders give numbers in (-1, 1); circuit and dense layer read them times π, products as they are.
INPUT_SCALES = {"concat": math.pi}


def n_columns(task: str, n_classes: int) -> int:
    """Columns of a head: 1 for two classes, one a class for more; one a label or target otherwise.

    Raises:
        ValueError: the task is unknown, or there are too few classes.

    >>> n_columns("classification", 2), n_columns("multilabel", 5), n_columns("regression", 1)
    (1, 5, 1)
    """
    if check_option("task", task, ("classification", "multilabel", "regression")) == "classification":
        return n_logits(n_classes)
    return check_int("n_classes", n_classes, 1)


def layer_class(fusion: str) -> type:
    """The Keras layer of a classical fusion; loads TensorFlow.

    Raises:
        ValueError: the fusion is unknown.
    """
    module, name = LAYERS[check_option("fusion", fusion, FUSIONS)]
    return getattr(importlib.import_module(f"qfl_explore.baselines.{module}"), name)


def fusion_model(
    fusion: str,
    n_measures: Sequence[int],
    n_outputs: int,
    *,
    columns: int,
    feature_dim: int,
    seed: int = 0,
    encoder: str = "dense",
    **options: Any,
) -> Any:
    """Encoder per modality → one of the classical fusions → linear head.

    Args:
        fusion: one of ``FUSIONS``.
        n_measures: (d_1, …, d_M), raw features of each modality.
        n_outputs: width of the fusion's output.
        columns: of the head; see `n_columns`.
        feature_dim: D.
        seed: of all initial weights.
        encoder: one of ``ENCODERS``.
        **options: of the fusion's layer.

    Returns:
        A Keras model: M arrays [B, d_m] -> [B, columns].

    Raises:
        ValueError: an option is unknown, or the fusion cannot hold so many modalities.
    """
    layer = layer_class(fusion)(n_outputs, seed=seed, **options)
    inputs, features = encoded(n_measures, feature_dim, seed, encoder, INPUT_SCALES.get(fusion, 1.0))
    return _model(f"{fusion}_fusion", inputs, dense(columns, seed, 100)(layer(features)))


def circuit_model(
    n_measures: Sequence[int],
    config: FusionConfig,
    *,
    columns: int,
    backend: str = "batched",
    initializer: str = "uniform",
    seed: int = 0,
    encoder: str = "dense",
    reach: float = math.pi,
) -> Any:
    """Encoder per modality → Quantum Fusion Layer → linear head, all trained together.

    Source: the chain follows arXiv:2510.06938; the encoders (dense layer or small convolution,
    tanh · reach) are our construction, as the paper's are not known to us.

    Args:
        n_measures: (d_1, …, d_M), raw features of each modality.
        config: of the layer; its n_modalities must be M.
        columns: of the head; see `n_columns`.
        backend: the engine.
        initializer: of the circuit's angles.
        seed: of all initial weights.
        encoder: one of ``ENCODERS``.
        reach: largest angle of a feature, radians; above 0, at most π.

    Returns:
        A Keras model: M arrays [B, d_m] -> [B, columns].

    Raises:
        ValueError: config does not fit the data, or ``reach`` is out of range.
    """
    if config.n_modalities != len(n_measures):
        raise invalid(
            "config does not fit the data", f"n_modalities={len(n_measures)}", f"n_modalities={config.n_modalities}"
        )
    from qfl_explore.layers import QuantumFusion

    inputs, angles = encoded(n_measures, config.feature_dim, seed, encoder, check_reach(reach))
    values = QuantumFusion(config, backend=backend, initializer=initializer, seed=seed)(angles)
    return _model("quantum_fusion", inputs, dense(columns, seed, 100)(values))


def quantum_fusion_model(
    n_measures: Sequence[int],
    n_classes: int,
    config: FusionConfig,
    backend: str = "batched",
    initializer: str = "uniform",
    seed: int = 0,
) -> Any:
    """`circuit_model` with dense encoders, for a classification of ``n_classes``; logits [B, 1] or [B, C]."""
    columns = n_logits(n_classes)
    return circuit_model(n_measures, config, columns=columns, backend=backend, initializer=initializer, seed=seed)


def concat_fusion_model(
    n_measures: Sequence[int], n_classes: int, feature_dim: int, n_hidden: int, seed: int = 0
) -> Any:
    """The same encoders → concatenation → one hidden layer (tanh) → linear logits.

    The control that says what the circuit adds: it is replaced by a dense layer, all else is
    equal. Arguments and result as in `quantum_fusion_model`.
    """
    columns = n_logits(n_classes)
    return fusion_model("concat", n_measures, n_hidden, columns=columns, feature_dim=feature_dim, seed=seed)


def mlp_model(n_measures: Sequence[int], n_classes: int, n_hidden: int, seed: int = 0) -> Any:
    """A plain network on the concatenated raw features: one hidden layer (ReLU) → linear logits.

    Arguments and result as in `quantum_fusion_model`.
    """
    return network_model(n_measures, n_hidden, columns=n_logits(n_classes), seed=seed)


def network_model(n_measures: Sequence[int], n_hidden: int, *, columns: int, seed: int = 0) -> Any:
    """As `mlp_model`, with the head's columns given."""
    _, keras = load_keras()
    inputs = model_inputs(n_measures)
    joined = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    hidden = dense(n_hidden, seed, 200, activation="relu")(joined)
    return _model("mlp", inputs, dense(columns, seed, 100)(hidden))


def _model(name: str, inputs: list[Any], outputs: Any) -> Any:
    _, keras = load_keras()
    return keras.Model(inputs, outputs, name=name)

"""Whole Keras models of the sibling systems: encoder per modality → their fusion → a linear head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qfl_explore.baselines.encoders import check_reach, dense, encoded
from qfl_explore.circuits.feature_entanglement import FeatureEntanglementConfig
from qfl_explore.errors import invalid
from qfl_explore.siblings.variants import DIRECTIONS, REACH, CrossAttentionOptions
from qfl_explore.training import load_keras

#: Places of the initial weights' seeds; other fusions use numbers below.
_ROLES = {"angles": 501, "tokens": 502, "quantum": 503, "classical": 504}
_ATTENTION = {"classical_to_quantum": 510, "quantum_to_classical": 511}


def cross_attention_model(
    n_measures: Sequence[int],
    options: CrossAttentionOptions | None = None,
    *,
    columns: int,
    feature_dim: int,
    backend: str = "batched",
    initializer: str = "uniform",
    seed: int = 0,
    encoder: str = "dense",
) -> Any:
    """Classical and quantum branch → attention between their tokens → linear head.

    Classical tokens are the modalities, each D features mapped to the width. The quantum branch maps all
    features to one angle a qubit (tanh · reach) and gives one token a qubit, mapped to the same width.

    Source: arXiv:2512.19180; see `CrossAttentionOptions` for what is our construction.

    Args:
        n_measures: (d_1, …, d_M), raw features of each modality.
        options: variant and sizes.
        columns: of the head; see `baselines.n_columns`.
        feature_dim: D.
        backend: the engine.
        initializer: of the circuit's angles, ``uniform`` or ``small_angle``.
        seed: of all initial weights.
        encoder: one of ``baselines.ENCODERS``.

    Returns:
        A Keras model: M arrays [B, d_m] -> [B, columns].
    """
    _, keras = load_keras()
    options = options or CrossAttentionOptions()
    inputs, features = encoded(n_measures, feature_dim, seed, encoder, 1.0)
    classical = _embedded(features, options.width, seed, "classical") if options.uses_classical else None
    tokens = None
    if options.variant != "classical_only":
        if options.branches == "separate" and options.uses_classical:
            features = _own_encoders(inputs, n_measures, feature_dim, seed, encoder)
        tokens = _tokens(features, options, backend, initializer, seed)
        tokens = _embedded(tokens, options.width, seed, "quantum")
    fused = _fused(classical, tokens, options, seed)
    flat = [keras.layers.Flatten()(part) for part in fused]
    joined = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return keras.Model(inputs, dense(columns, seed, 100)(joined), name=f"cross_attention_{options.variant}")


def _own_encoders(inputs: list[Any], n_measures: Sequence[int], feature_dim: int, seed: int, encoder: str) -> Any:
    """[B, M, D] of a second set of encoders on the same inputs."""
    _, keras = load_keras()
    own_inputs, features = encoded(n_measures, feature_dim, seed + 104_729, encoder, 1.0)
    return keras.Model(own_inputs, features, name="quantum_encoders")(inputs)


def _tokens(features: Any, options: CrossAttentionOptions, backend: str, initializer: str, seed: int) -> Any:
    """[B, M, D] -> [B, n, t]: of the circuit, or of a dense layer where the control asks for it."""
    _, keras = load_keras()
    from qfl_explore.siblings.layers import QuantumTokens

    circuit = options.circuit
    angles = dense(circuit.n_qubits, seed, _ROLES["angles"], "tanh")(keras.layers.Flatten()(features))
    if options.variant == "dense_tokens":
        size = circuit.n_qubits * circuit.token_size
        made = dense(size, seed, _ROLES["tokens"], "tanh")(angles)
        return keras.layers.Reshape((circuit.n_qubits, circuit.token_size), name="tokens")(made)
    angles = keras.layers.Rescaling(options.reach)(keras.layers.Reshape((circuit.n_qubits, 1))(angles))
    return QuantumTokens(circuit, backend=backend, initializer=initializer, seed=seed, name="tokens")(angles)


def _embedded(tokens: Any, width: int, seed: int, branch: str) -> Any:
    """[B, t, any] -> [B, t, d], with a trainable place."""
    from qfl_explore.siblings.layers import PlaceEmbedding

    return PlaceEmbedding(name=f"{branch}_places")(dense(width, seed, _ROLES[branch])(tokens))


def _fused(classical: Any, tokens: Any, options: CrossAttentionOptions, seed: int) -> list[Any]:
    from qfl_explore.siblings.layers import CrossAttention

    directions = DIRECTIONS.get(options.variant)
    if directions is None:
        return [part for part in (classical, tokens) if part is not None]
    fused = []
    for name in directions:
        pair = [classical, tokens] if name == "classical_to_quantum" else [tokens, classical]
        layer = CrossAttention(options.n_heads, seed + _ATTENTION[name], name=name)
        fused.append(layer(pair)[0])
    return fused


def attention_weights(model: Any, features: Sequence[Any]) -> dict[str, Any]:
    """The attention weights of a `cross_attention_model`, by direction.

    Args:
        model: with attention in it.
        features: M arrays [n, d_m].

    Returns:
        Direction -> array [n, H, queries, tokens]: 0 or more, and 1 in sum over the tokens.

    Raises:
        ValueError: the model has no attention.
    """
    _, keras = load_keras()
    found = {layer.name: layer.output[1] for layer in model.layers if layer.name in _ATTENTION}
    if not found:
        raise invalid("the model has no attention", f"a variant of {tuple(DIRECTIONS)}", repr(model.name))
    values = keras.Model(model.inputs, list(found.values()))([*features], training=False)
    values = values if isinstance(values, list) else [values]
    return {name: value.numpy() for name, value in zip(found, values, strict=True)}


def feature_entanglement_model(
    n_measures: Sequence[int],
    config: FeatureEntanglementConfig,
    *,
    columns: int,
    backend: str = "batched",
    initializer: str = "uniform",
    seed: int = 0,
    encoder: str = "dense",
    reach: float = REACH,
) -> Any:
    """Encoder per modality → fusion block → QCNN → linear head, all trained together.

    Source: arXiv:2601.07856 for the chain; see `FeatureEntanglementConfig` for what is our construction.
    Arguments and result as in `cross_attention_model`; ``reach`` is the largest angle of a feature, radians.

    Raises:
        ValueError: ``config`` does not fit the data, or ``reach`` is out of range.
    """
    if config.n_modalities != len(n_measures):
        wanted, received = (f"n_modalities={number}" for number in (len(n_measures), config.n_modalities))
        raise invalid("config does not fit the data", wanted, received)
    from qfl_explore.siblings.layers import FeatureEntanglement

    _, keras = load_keras()
    inputs, angles = encoded(n_measures, config.feature_dim, seed, encoder, check_reach(reach))
    layer = FeatureEntanglement(
        config, backend=backend, initializer=initializer, seed=seed, name="feature_entanglement"
    )
    return keras.Model(inputs, dense(columns, seed, 100)(layer(angles)), name="feature_entanglement_network")

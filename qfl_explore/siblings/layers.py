"""Keras layers of the sibling systems. Importing this module loads TensorFlow (with tf-keras)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.circuits.feature_entanglement import FeatureEntanglementCircuit, FeatureEntanglementConfig
from qfl_explore.circuits.hardware_efficient import HardwareEfficientCircuit, HardwareEfficientConfig
from qfl_explore.circuits.own import STARTS
from qfl_explore.errors import check_int, invalid
from qfl_explore.layers import QuantumFusion, tf, tf_keras

registered = tf_keras.utils.register_keras_serializable(package="qfl_explore")


class _OwnCircuitLayer(QuantumFusion):
    """`QuantumFusion` around a circuit of one's own; same arguments, shapes, engines and gradients."""

    initializers = STARTS

    def _start(self) -> np.ndarray:
        return self.fusion.initial_weights(self.initializer, self.seed)


@registered
class QuantumTokens(_OwnCircuitLayer):
    """[B, n, 1] angles (radians) -> [B, n, t] tokens, one a qubit: what a hardware-efficient ansatz gives.

    Source: arXiv:2512.19180 for quantum-derived feature tokens; one token a qubit with its X, Y and Z is
    our construction.

    Args:
        config: a `HardwareEfficientConfig`, or its ``to_dict()``.
        **kwargs: as in `QuantumFusion`; ``initializer`` is ``uniform`` or ``small_angle``.
    """

    config_class, circuit_class = HardwareEfficientConfig, HardwareEfficientCircuit

    def call(self, inputs: Any) -> tf.Tensor:
        """[B, n, 1] -> [B, n, t]."""
        return tf.reshape(super().call(inputs), [-1, self.config.n_qubits, self.config.token_size])

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """[B, n, 1] -> [B, n, t]."""
        first = super().compute_output_shape(input_shape)[0]
        return tf.TensorShape([first, self.config.n_qubits, self.config.token_size])


@registered
class FeatureEntanglement(_OwnCircuitLayer):
    """[B, M, D] features (radians) -> [B, K] values of the fusion block and QCNN.

    Source: arXiv:2601.07856 for the parts; the gates are our construction, see `FeatureEntanglementConfig`.

    Args:
        config: a `FeatureEntanglementConfig`, or its ``to_dict()``.
        **kwargs: as in `QuantumFusion`; ``initializer`` is ``uniform`` or ``small_angle``.
    """

    config_class, circuit_class = FeatureEntanglementConfig, FeatureEntanglementCircuit


def attend(queries: Any, keys: Any, values: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Scaled dot-product attention: means of the values, weighted by how well their keys answer a query.

    Source: Vaswani et al., arXiv:1706.03762.

    Args:
        queries: [..., q, d].
        keys: [..., k, d].
        values: [..., k, v].

    Returns:
        [..., q, v], and the weights [..., q, k]: 0 or more, and 1 in sum over k.
    """
    scale = tf.cast(keys.shape[-1], queries.dtype) ** 0.5
    weights = tf.nn.softmax(tf.matmul(queries, keys, transpose_b=True) / scale)
    return tf.matmul(weights, values), weights


@registered
class CrossAttention(tf_keras.layers.Layer):
    """Queries [B, q, d] ask tokens [B, k, d]: layer normalisation of queries + attention, and the weights.

    Source: arXiv:2512.19180 for attention with residual connection; layer normalisation after the sum, the
    number of heads and the widths are our construction.

    Args:
        n_heads: H, which must divide d.
        seed: of the Glorot-uniform start; 0 or more.
        **kwargs: of ``tf_keras.layers.Layer``.

    Raises:
        ValueError: a setting is out of range, or d is not a multiple of ``n_heads``.
    """

    def __init__(self, n_heads: int = 1, seed: int = 0, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.n_heads = check_int("n_heads", n_heads, 1)
        self.seed = check_int("seed", seed, 0)
        self.normalise = tf_keras.layers.LayerNormalization(epsilon=1e-5, dtype=self.variable_dtype)

    def build(self, input_shape: Any) -> None:
        """Four square maps with biases, and the normalisation's scale and shift."""
        width = _width(input_shape)
        if width % self.n_heads:
            raise invalid("the width is no multiple of n_heads", f"a multiple of {self.n_heads}", f"{width}")
        limit, rng = (3 / width) ** 0.5, np.random.default_rng(self.seed)
        self.maps = {}
        for name in ("query", "key", "value", "mixed"):
            start = tf_keras.initializers.Constant(rng.uniform(-limit, limit, (width, width)))
            kernel = self.add_weight(f"{name}_kernel", (width, width), initializer=start)
            self.maps[name] = (kernel, self.add_weight(f"{name}_bias", (width,), initializer="zeros"))
        self.normalise.build(tf.TensorShape([None, None, width]))
        super().build(input_shape)

    def call(self, inputs: Sequence[Any]) -> tuple[tf.Tensor, tf.Tensor]:
        """(queries [B, q, d], tokens [B, k, d]) -> ([B, q, d], weights [B, H, q, k])."""
        asking, tokens = (tf.cast(x, self.variable_dtype) for x in inputs)
        mixed, weights = attend(self._heads("query", asking), self._heads("key", tokens), self._heads("value", tokens))
        joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), tf.shape(asking))
        return self.normalise(asking + self._mapped("mixed", joined)), weights

    def _mapped(self, name: str, x: tf.Tensor) -> tf.Tensor:
        kernel, bias = self.maps[name]
        return tf.tensordot(x, kernel, 1) + bias

    def _heads(self, name: str, x: tf.Tensor) -> tf.Tensor:
        size = x.shape[-1] // self.n_heads
        mapped = tf.reshape(self._mapped(name, x), [-1, x.shape[1], self.n_heads, size])
        return tf.transpose(mapped, [0, 2, 1, 3])

    def compute_output_shape(self, input_shape: Any) -> tuple[tf.TensorShape, tf.TensorShape]:
        """Of the answers and of the weights."""
        asking, tokens = map(tf.TensorShape, input_shape)
        return asking, tf.TensorShape([asking[0], self.n_heads, asking[1], tokens[1]])

    def get_config(self) -> dict[str, Any]:
        """Plain values from which ``from_config`` makes an equal layer."""
        return {**super().get_config(), "n_heads": self.n_heads, "seed": self.seed}


@registered
class PlaceEmbedding(tf_keras.layers.Layer):
    """Adds a trainable vector to each token, so that attention can tell tokens apart. It starts at 0."""

    def build(self, input_shape: Any) -> None:
        """One row a token."""
        shape = tuple(tf.TensorShape(input_shape).as_list()[1:])
        self.places = self.add_weight("places", shape, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: Any) -> tf.Tensor:
        """[B, t, d] -> [B, t, d]."""
        return inputs + self.places


def _width(shapes: Any) -> int:
    asking, tokens = map(tf.TensorShape, shapes)
    fits = asking.rank == tokens.rank == 3 and asking[-1] == tokens[-1] is not None
    if not fits or None in asking.as_list()[1:] or None in tokens.as_list()[1:]:
        raise invalid(
            "inputs of CrossAttention have the wrong shape",
            "queries [B, q, d] and tokens [B, k, d] with one fixed d",
            f"shapes {asking} and {tokens}",
        )
    return int(asking[-1])

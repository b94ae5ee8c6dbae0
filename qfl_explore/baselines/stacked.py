"""Many dense encoders of one size as one product. Importing this module loads TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from qfl_explore.baselines.base import role_seed, tf, tf_keras
from qfl_explore.errors import check_int


@tf_keras.utils.register_keras_serializable(package="qfl_explore")
class StackedDense(tf_keras.layers.Layer):
    """``tanh(W_m x_m + b_m)`` for M inputs [B, d] of one size -> [B, M, D].

    The start of each W_m is that of the single dense layer in its place.

    Args:
        feature_dim: D, 1 or more.
        seed: of the start.
        **kwargs: of ``tf_keras.layers.Layer``.
    """

    def __init__(self, feature_dim: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feature_dim = check_int("feature_dim", feature_dim, 1)
        self.seed = check_int("seed", seed, 0)

    def build(self, input_shape: Any) -> None:
        """Makes the weights [M, d, D] and biases [M, D]."""
        sizes = [tf.TensorShape(shape)[-1] for shape in input_shape]
        draws = [tf_keras.initializers.GlorotUniform(role_seed(self.seed, m)) for m in range(len(sizes))]
        start = np.stack([draw((sizes[0], self.feature_dim)).numpy() for draw in draws])
        self.kernel = self.add_weight(
            name="kernel", shape=start.shape, initializer=tf_keras.initializers.Constant(start)
        )
        self.bias = self.add_weight(name="bias", shape=(len(sizes), self.feature_dim), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: Any) -> tf.Tensor:
        """[B, M, D]."""
        return tf.tanh(tf.einsum("bmd,mde->bme", tf.stack(inputs, axis=1), self.kernel) + self.bias)

    def get_config(self) -> dict[str, Any]:
        """Plain values from which ``from_config`` makes an equal layer."""
        return {**super().get_config(), "feature_dim": self.feature_dim, "seed": self.seed}

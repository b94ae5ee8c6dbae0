"""What all classical fusion layers share. Importing this module loads TensorFlow (with tf-keras)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qfl_explore.errors import check_int, invalid
from qfl_explore.simulation.legacy_keras import require_legacy_keras

require_legacy_keras()

import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402


def role_seed(seed: int, role: int) -> int:
    """A seed of its own for every role in a model: an integer from 0 to 2^31 - 1."""
    return int(np.random.SeedSequence((seed, role)).generate_state(1)[0]) % 2**31


class FusionLayer(tf_keras.layers.Layer):
    """A map of [B, M, D] features to [B, o]; M and D are fixed when the layer is built.

    Args:
        n_outputs: o, 1 or more.
        seed: of the starting weights; 0 or more.
        **kwargs: of ``tf_keras.layers.Layer``.

    Raises:
        TypeError: a setting is not an integer.
        ValueError: a setting is out of range.
    """

    #: Which closed form of `counts.layer_parameters` holds.
    fusion = ""

    def __init__(self, n_outputs: int, seed: int = 0, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)  # products of many factors must not drop to half precision
        super().__init__(**kwargs)
        self.n_outputs = check_int("n_outputs", n_outputs, 1)
        self.seed = check_int("seed", seed, 0)
        self._sizes: tuple[int, int] | None = None

    def build(self, input_shape: Any) -> None:
        """Fixes M and D, and makes the weights."""
        shape = tf.TensorShape(input_shape)
        known = shape.rank == 3 and None not in shape.as_list()[1:]
        if not known:
            self._refuse(shape, "[B, M, D] with fixed M and D")
        self._sizes = tuple(shape.as_list()[1:])
        self._make(*self._sizes)
        super().build(input_shape)

    def _make(self, n_modalities: int, feature_dim: int) -> None:
        raise NotImplementedError

    def _fuse(self, h: tf.Tensor, training: bool | None) -> tf.Tensor:
        raise NotImplementedError

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        """[B, M, D] -> [B, o] in the layer's compute dtype.

        Raises:
            ValueError: the static shape is not the one that the layer was built with.
        """
        inputs = tf.convert_to_tensor(inputs)
        self._check_shape(inputs.shape)
        values = self._fuse(tf.cast(inputs, self._weight_dtype), training)
        return tf.ensure_shape(tf.cast(values, self.compute_dtype), [None, self.n_outputs])

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """[B, M, D] -> [B, o]."""
        self._check_shape(input_shape)
        return tf.TensorShape([tf.TensorShape(input_shape)[0], self.n_outputs])

    def get_config(self) -> dict[str, Any]:
        """Plain values from which ``from_config`` makes an equal layer."""
        return {**super().get_config(), "n_outputs": self.n_outputs, "seed": self.seed, **self.options()}

    def options(self) -> Mapping[str, Any]:
        """The settings that this fusion has and others have not."""
        return {}

    @property
    def _weight_dtype(self) -> tf.DType:
        return tf.as_dtype(self.variable_dtype or "float32")

    def _weight(self, name: str, start: np.ndarray) -> tf.Variable:
        return self.add_weight(
            name=name,
            shape=start.shape,
            initializer=tf_keras.initializers.Constant(start),
            experimental_autocast=False,
        )

    def _draw(self, role: int) -> np.random.Generator:
        return np.random.default_rng(role_seed(self.seed, role))

    def _check_shape(self, shape: Any) -> None:
        wanted = [None, *(self._sizes or (None, None))]
        if not tf.TensorShape(shape).is_compatible_with(wanted):
            self._refuse(shape, "[B, {}, {}]".format(*(self._sizes or ("M", "D"))))

    def _refuse(self, shape: Any, wanted: str) -> None:
        raise invalid(
            f"inputs of {type(self).__name__} have the wrong shape",
            f"shape {wanted} (batch, modality, feature)",
            f"shape {tf.TensorShape(shape)}",
        )


def glorot_uniform(rng: np.random.Generator, n_inputs: int, n_outputs: int, *shape: int) -> np.ndarray:
    """Uniform numbers of variance ``2 / (inputs + outputs)``, of the given shape."""
    limit = (6 / (n_inputs + n_outputs)) ** 0.5
    return rng.uniform(-limit, limit, shape)

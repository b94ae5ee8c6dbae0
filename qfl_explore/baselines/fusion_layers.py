"""Concatenation, low-rank fusion and tensor fusion as Keras layers. Importing this loads TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from qfl_explore.baselines.base import FusionLayer, glorot_uniform, role_seed, tf, tf_keras
from qfl_explore.baselines.counts import check_products
from qfl_explore.baselines.starts import STARTS, low_rank_start
from qfl_explore.errors import check_int, check_option

registered = tf_keras.utils.register_keras_serializable(package="qfl_explore")


def with_one(h: tf.Tensor) -> tf.Tensor:
    """[B, M, D] -> [B, M, D + 1]: a 1 before every modality's features, [1; h_m]."""
    return tf.concat([tf.ones_like(h[..., :1]), h], axis=-1)


def outer_product(h: tf.Tensor) -> tf.Tensor:
    """[B, M, D] -> [B, (D + 1)^M], the products ``Π_m [1; h_m]_{i_m}``, the last modality's place fastest.

    Source: Zadeh et al., arXiv:1707.07250 (there with the 1 after the features).
    """
    padded = tf.unstack(with_one(h), axis=1)
    products = padded[0]
    for factor in padded[1:]:
        size = products.shape[-1] * factor.shape[-1]
        products = tf.reshape(products[:, :, None] * factor[:, None, :], [-1, size])
    return products


@registered
class ConcatFusion(FusionLayer):
    """A dense layer on all features side by side: ``tanh(W [h_1; …; h_M] + b)``.

    Args:
        n_outputs: o.
        seed: of the Glorot-uniform start.
        **kwargs: of ``tf_keras.layers.Layer``.
    """

    fusion = "concat"

    def _make(self, n_modalities: int, feature_dim: int) -> None:
        glorot = tf_keras.initializers.GlorotUniform(role_seed(self.seed, 200))
        size = n_modalities * feature_dim
        self.kernel = self._weight("kernel", glorot((size, self.n_outputs)).numpy())
        self.bias = self._weight("bias", np.zeros(self.n_outputs))

    def _fuse(self, h: tf.Tensor, training: bool | None) -> tf.Tensor:
        flat = tf.reshape(h, [-1, h.shape[1] * h.shape[2]])
        return tf.tanh(flat @ self.kernel + self.bias)


@registered
class LowRankFusion(FusionLayer):
    """LMF: ``Σ_r w_r Π_m (W_{m,r} · [1; h_m]) + b``, with W_{m,r} of shape [D + 1, o].

    Source: Liu et al., arXiv:1806.00064; the rank weights w and the reference start
    are those of the authors' published code.

    Args:
        n_outputs: o.
        seed: of the start.
        rank: R, 1 or more.
        start: ``reference``, ``unit_variance`` or ``near_one``; see `starts.low_rank_start`.
        **kwargs: of ``tf_keras.layers.Layer``.

    Raises:
        ValueError: an option is unknown or out of range.
    """

    fusion = "low_rank"

    def __init__(self, n_outputs: int, seed: int = 0, rank: int = 4, start: str = "reference", **kwargs: Any) -> None:
        super().__init__(n_outputs, seed, **kwargs)
        self.rank = check_int("rank", rank, 1)
        self.start = check_option("start", start, STARTS)

    def _make(self, n_modalities: int, feature_dim: int) -> None:
        sizes = n_modalities, feature_dim, self.rank, self.n_outputs
        factors, weights = low_rank_start(*sizes, self.start, self._draw(300))
        self.factors = self._weight("factors", factors)
        self.rank_weights = self._weight("rank_weights", weights)
        self.bias = self._weight("bias", np.zeros(self.n_outputs))

    def _fuse(self, h: tf.Tensor, training: bool | None) -> tf.Tensor:
        projected = tf.einsum("bmd,mrdo->bmro", with_one(h), self.factors)
        return tf.einsum("bro,r->bo", tf.reduce_prod(projected, axis=1), self.rank_weights) + self.bias

    def options(self) -> dict[str, Any]:
        """Rank and start."""
        return {"rank": self.rank, "start": self.start}


@registered
class TensorFusion(FusionLayer):
    """TFN: a linear map of the outer product of all ``[1; h_m]``: ``W (⊗_m [1; h_m]) + b``.

    The outer product has (D + 1)^M places; what is too large is refused when the layer is built.

    Source: Zadeh et al., arXiv:1707.07250, for the outer product; the linear map on it is
    where low-rank fusion, arXiv:1806.00064, starts: it factorises W.

    Args:
        n_outputs: o.
        seed: of the Glorot-uniform start.
        **kwargs: of ``tf_keras.layers.Layer``.
    """

    fusion = "tensor"

    def _make(self, n_modalities: int, feature_dim: int) -> None:
        size = check_products(n_modalities, feature_dim)
        self.kernel = self._weight(
            "kernel", glorot_uniform(self._draw(400), size, self.n_outputs, size, self.n_outputs)
        )
        self.bias = self._weight("bias", np.zeros(self.n_outputs))

    def _fuse(self, h: tf.Tensor, training: bool | None) -> tf.Tensor:
        return outer_product(h) @ self.kernel + self.bias

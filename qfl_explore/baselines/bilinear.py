"""Factorized bilinear pooling for any number of modalities. Importing this loads TensorFlow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qfl_explore.baselines.base import FusionLayer, glorot_uniform, tf
from qfl_explore.baselines.fusion_layers import registered
from qfl_explore.errors import check_int, invalid

#: Below this a number counts as 0 where its square root is differentiated.
TINY = 1e-12


@registered
class FactorizedBilinearFusion(FusionLayer):
    """MFB: ``z = SumPool_k(Dropout(Π_m P_m h_m))``, signed square root, then L2 normalisation.

    ``P_m`` maps D features to k·o numbers; k neighbours at a time are summed. Dropout acts in
    training only. The result does not depend on the size of the product, so the product of
    many modalities is kept in range by dividing by its largest entry: the definition is the
    same and 207 modalities do not underflow.

    Source: Yu et al., arXiv:1708.01471, for M = 2; the product of M projections
    is our construction.

    Args:
        n_outputs: o.
        seed: of the Glorot-uniform start, and of the dropout.
        n_factors: k, 1 or more (the source uses 5).
        dropout: share of the products that is left out in training, in [0, 1).
        use_bias: whether the projections have a bias; the source's equations have none.
        **kwargs: of ``tf_keras.layers.Layer``.

    Raises:
        TypeError: an option is of the wrong kind.
        ValueError: an option is out of range.
    """

    fusion = "bilinear"

    def __init__(
        self,
        n_outputs: int,
        seed: int = 0,
        n_factors: int = 5,
        dropout: float = 0.1,
        use_bias: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(n_outputs, seed, **kwargs)
        self.n_factors = check_int("n_factors", n_factors, 1)
        self.dropout = _checked_share("dropout", dropout)
        if not isinstance(use_bias, bool):
            raise invalid("use_bias must be a boolean", "True or False", f"use_bias={use_bias!r}", TypeError)
        self.use_bias = use_bias

    def _make(self, n_modalities: int, feature_dim: int) -> None:
        size = self.n_factors * self.n_outputs
        shape = n_modalities, feature_dim, size
        self.projections = self._weight("projections", glorot_uniform(self._draw(500), feature_dim, size, *shape))
        self.bias = self._weight("bias", np.zeros((n_modalities, size))) if self.use_bias else None

    def _fuse(self, h: tf.Tensor, training: bool | None) -> tf.Tensor:
        projected = tf.einsum("bmd,mdp->bmp", h, self.projections)
        product = scaled_product(projected if self.bias is None else projected + self.bias)
        if training and self.dropout:
            product = tf.nn.dropout(product, self.dropout, seed=self.seed)
        pooled = tf.reduce_sum(tf.reshape(product, [-1, self.n_outputs, self.n_factors]), axis=2)
        return tf.math.l2_normalize(signed_root(pooled), axis=1, epsilon=TINY)

    def options(self) -> dict[str, Any]:
        """Factors, dropout, bias."""
        return {"n_factors": self.n_factors, "dropout": self.dropout, "use_bias": self.use_bias}


def scaled_product(projected: tf.Tensor) -> tf.Tensor:
    """[B, M, p] -> [B, p]: the product over M, divided by its largest entry; 0 where all are 0.

    Neighbours are multiplied in pairs, and every partial product is divided by its largest entry,
    taken as a constant: whoever normalises the result gets the exact gradient.
    """
    product = _rescaled(projected)
    while product.shape[1] > 1:
        n_pairs = product.shape[1] // 2
        pairs = product[:, : 2 * n_pairs : 2] * product[:, 1 : 2 * n_pairs : 2]
        product = _rescaled(tf.concat([pairs, product[:, 2 * n_pairs :]], axis=1))
    return product[:, 0]


def signed_root(z: tf.Tensor) -> tf.Tensor:
    """``sign(z) sqrt(|z|)``, with a finite slope at 0."""
    return z * tf.math.rsqrt(tf.abs(z) + TINY)


def _rescaled(product: tf.Tensor) -> tf.Tensor:
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(product), axis=-1, keepdims=True))
    return product / tf.where(largest > 0, largest, tf.ones_like(largest))


def _checked_share(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise invalid(f"{name} must be a number", "a number from 0 to below 1", f"{name}={value!r}", TypeError)
    if not (0 <= value < 1 and math.isfinite(value)):
        raise invalid(f"{name} is out of range", "a number from 0 to below 1", f"{name}={value}")
    return float(value)

"""Graph convolution with modalities as nodes. Importing this loads TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.baselines.base import FusionLayer, glorot_uniform, tf
from qfl_explore.baselines.fusion_layers import registered
from qfl_explore.errors import check_int, invalid

Adjacency = np.ndarray | Sequence[Sequence[float]]


def normalised_adjacency(adjacency: Adjacency) -> np.ndarray:
    """``D̃^{-1/2} (A + I) D̃^{-1/2}`` [M, M]; A's own diagonal is left out first.

    Source: Kipf and Welling, arXiv:1609.02907, equation 2.

    Args:
        adjacency: [M, M], symmetric, weights of 0 or more.

    Raises:
        ValueError: it is not such a matrix.

    >>> normalised_adjacency([[0, 1], [1, 0]]).round(6).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    linked = _checked_adjacency(adjacency) * (1 - np.eye(len(adjacency))) + np.eye(len(adjacency))
    scale = linked.sum(axis=1) ** -0.5
    return scale[:, None] * linked * scale


@registered
class GraphFusion(FusionLayer):
    """GCN: ``H ← ReLU(Â H W)`` ``n_layers`` times from H = [h_1; …; h_M], then the mean over the nodes.

    On the complete graph Â has 1/M in every place: after one layer all nodes are equal, and the
    layer sees nothing but the mean of the modalities' features. That is the definition; the
    encoders, one a modality, are what can still tell modalities apart.

    Source: Kipf and Welling, arXiv:1609.02907, equation 2 (no bias, as in their code); modalities
    as nodes and the mean readout are our construction.

    Args:
        n_outputs: o, the width of every layer.
        seed: of the Glorot-uniform start.
        n_layers: 1 or more.
        adjacency: [M, M], symmetric, weights of 0 or more; ``None`` for the complete graph.
        **kwargs: of ``tf_keras.layers.Layer``.

    Raises:
        ValueError: an option is out of range, or the graph is not symmetric or does not fit M.
    """

    fusion = "graph"

    def __init__(
        self, n_outputs: int, seed: int = 0, n_layers: int = 2, adjacency: Adjacency | None = None, **kwargs: Any
    ) -> None:
        super().__init__(n_outputs, seed, **kwargs)
        self.n_layers = check_int("n_layers", n_layers, 1)
        self.adjacency = None if adjacency is None else _checked_adjacency(adjacency)

    def _make(self, n_modalities: int, feature_dim: int) -> None:
        given = np.ones((n_modalities, n_modalities)) if self.adjacency is None else self.adjacency
        if len(given) != n_modalities:
            raise invalid("adjacency does not fit the inputs", f"{n_modalities} nodes", f"{len(given)} nodes")
        self._spread = normalised_adjacency(given)
        rng, sizes = self._draw(600), [feature_dim, *[self.n_outputs] * self.n_layers]
        self.kernels = [
            self._weight(f"kernel_{i}", glorot_uniform(rng, *sizes[i : i + 2], *sizes[i : i + 2]))
            for i in range(self.n_layers)
        ]

    def _fuse(self, h: tf.Tensor, training: bool | None) -> tf.Tensor:
        spread = tf.constant(self._spread, h.dtype)
        for kernel in self.kernels:
            h = tf.nn.relu(tf.einsum("nm,bmd,de->bne", spread, h, kernel))
        return tf.reduce_mean(h, axis=1)

    def options(self) -> dict[str, Any]:
        """Layers and graph."""
        adjacency = None if self.adjacency is None else self.adjacency.tolist()
        return {"n_layers": self.n_layers, "adjacency": adjacency}


def _checked_adjacency(adjacency: Adjacency) -> np.ndarray:
    matrix = np.asarray(adjacency, dtype=np.float64)
    expected = "a symmetric matrix [M, M] of finite weights, 0 or more"
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise invalid("adjacency has the wrong shape", expected, f"shape {list(matrix.shape)}")
    if not (np.isfinite(matrix).all() and (matrix >= 0).all()):
        raise invalid("adjacency has a wrong weight", expected, f"a smallest weight of {matrix.min()}")
    if not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-9):
        gap = float(np.abs(matrix - matrix.T).max())
        raise invalid("adjacency is not symmetric", expected, f"a largest difference of {gap:.3g} to its transpose")
    return matrix

"""Many weight vectors in one call of the batched engine."""

from __future__ import annotations

import numpy as np

from qfl_explore.simulation import draw_kernels
from qfl_explore.simulation.base import NotFinite
from qfl_explore.simulation.chunks import n_chunks_of, n_parts_of, spread
from qfl_explore.simulation.program import Program


def can_run(program: Program) -> bool:
    """Whether each lane may have its own weights: no controlled matrix, which is kept whole."""
    return not program.controlled.any()


def run_draws(
    program: Program,
    inputs: np.ndarray,
    weights: np.ndarray,
    cotangents: np.ndarray | None,
    dtype: np.dtype,
    n_threads: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and gradients of pairs of one sample and one weight vector.

    Args:
        program: from `translate`, without controlled matrices.
        inputs: [L, n_features], radians.
        weights: [L, n_weights], radians.
        cotangents: [L, K], or None for values only.
        dtype: of the amplitudes and the results.
        n_threads: chunks that may run at one time.

    Returns:
        values [L, K], d_inputs [L, n_features], d_weights [L, n_weights]; the gradients are
        empty without cotangents.

    Raises:
        NotFinite: an input or a weight is not.
    """
    backward, n_pairs = cotangents is not None, len(inputs)
    values = np.empty((n_pairs, program.n_observables), dtype)
    d_inputs = np.zeros((n_pairs if backward else 0, program.n_features), dtype)
    d_weights = np.zeros((n_pairs if backward else 0, program.n_weights), dtype)
    asked = values[:0] if cotangents is None else np.ascontiguousarray(cotangents, dtype)
    pairs = np.ascontiguousarray(inputs, dtype), np.ascontiguousarray(weights, dtype)
    ints, numbers = program.packed

    def work(first: int, last: int) -> None:
        if not draw_kernels.run_draws(first, last, backward, ints, numbers, *pairs, values, asked, d_inputs, d_weights):
            raise NotFinite

    n_chunks = n_chunks_of(n_pairs)
    spread(n_chunks, n_parts_of(n_chunks, program.n_updates, n_threads), work)
    return values, d_inputs, d_weights

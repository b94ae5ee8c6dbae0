"""Many weight vectors in one call of the batched engine."""

from __future__ import annotations

import numpy as np

from qfl_explore.simulation import draw_kernels
from qfl_explore.simulation.chunks import n_chunks_of, rotations_of, spread
from qfl_explore.simulation.program import Program
from qfl_explore.simulation.simd import LANES
from qfl_explore.simulation.translate import FIXED, PHASE

#: Pairs of one weight vector and one sample that are prepared together; bounds the memory.
_BLOCK = 256 * LANES


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
    """
    p, backward = program, cotangents is not None
    n_pairs = len(inputs)
    values = np.tile(p.constants.astype(dtype), (n_pairs, 1))
    d_inputs = np.zeros((n_pairs if backward else 0, p.n_features), dtype)
    d_weights = np.zeros((n_pairs if backward else 0, p.n_weights), dtype)
    turning = np.where(p.gates[:, 0] == PHASE, 1.0, 0.5) * p.gate_scales
    turning[p.gates[:, 0] == FIXED] = 0.0
    fixed = _fixed_tables(p).astype(dtype)
    layout = (p.n_qubits, len(p.row_features), p.ops, p.gate_starts, p.gates, fixed)
    tables = (p.diagonal_signs, p.signs, p.pair_rows)
    rows = (p.row_features, p.row_scales, p.gate_scales)
    for begin in range(0, n_pairs, _BLOCK):
        part = slice(begin, begin + _BLOCK)
        count = len(values[part])
        rotations = rotations_of(inputs[part], p.row_features, p.row_scales, dtype)
        gate_rotations = rotations_of(weights[part], p.gates[:, 1], turning, dtype)
        asked = np.ascontiguousarray(values[:0] if cotangents is None else cotangents[part], dtype)
        results = (values[part], backward, asked, *rows, d_inputs[part], d_weights[part])
        shared = (*layout, *tables, *rotations, *gate_rotations, p.terms, p.term_coefficients, *results)
        n_chunks = n_chunks_of(count)
        work = n_chunks * len(p.ops) << p.n_qubits

        def run(first: int, last: int, count: int = count, shared: tuple = shared) -> None:
            draw_kernels.run_draws(first, last, count, *shared)

        spread(n_chunks, work, n_threads, run)
    return values, d_inputs, d_weights


def _fixed_tables(program: Program) -> np.ndarray:
    """[2 · n_gates, 8]: constant matrices row by row, then their transposes."""
    both = np.concatenate([program.gate_fixed, program.gate_fixed.swapaxes(1, 2)])
    return np.ascontiguousarray(both).view(np.float64).reshape(-1, 8)

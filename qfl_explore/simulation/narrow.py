"""Batches smaller than a vector: one sample after the other, amplitudes side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from qfl_explore.simulation import narrow_kernels
from qfl_explore.simulation.program import DIAGONAL, ROTATION, Program
from qfl_explore.simulation.simd import LANES
from qfl_explore.simulation.translate import MULTIPLEX

#: From so many samples on, samples fill the lanes better than amplitudes do.
_FEW = 2
_FEWEST_QUBITS = 8


def can_run(program: Program, n_samples: int) -> bool:
    """Whether these kernels know all operations, and pay."""
    if n_samples > _FEW or program.n_qubits < _FEWEST_QUBITS:
        return False
    return bool(np.isin(program.ops[:, 0], (DIAGONAL, ROTATION, MULTIPLEX)).all())


def run(
    program: Program,
    inputs: np.ndarray,
    euler: np.ndarray,
    diagonals: np.ndarray,
    undo: np.ndarray,
    undone: np.ndarray,
    values: np.ndarray,
    cotangents: np.ndarray | None = None,
    d_inputs: np.ndarray | None = None,
    measured: np.ndarray | None = None,
) -> None:
    """Adds to values, and with cotangents to d_inputs and measured [B, n_matrices, 8].

    The arrays are those of `kernels.run_gradients`, with one chunk for each sample.
    """
    p, dtype = program, values.dtype
    angles = (inputs[:, p.row_features] * p.row_scales).astype(dtype)
    backward = cotangents is not None
    results: tuple[Any, ...] = (cotangents, p.row_features, p.row_scales, d_inputs, measured)
    if not backward:
        nothing = np.zeros((0, 0), dtype)
        results = (nothing, p.row_features, p.row_scales, nothing, np.zeros((0, 0, 0), dtype))
    tables = (_rows(diagonals), _rows(undo), undone, p.pair_rows, np.cos(angles), np.sin(angles))
    narrow_kernels.run_narrow(
        p.n_qubits, p.ops, euler, *tables, p.terms, p.term_coefficients, values, backward, *results
    )


def _rows(diagonals: np.ndarray) -> np.ndarray:
    """[n · 2^q, 2] -> [n · 2^(q+1) / LANES, LANES], real and imaginary rows by turns."""
    return np.ascontiguousarray(diagonals.reshape(-1, LANES, 2).swapaxes(1, 2)).reshape(-1, LANES)

"""A program as two flat arrays, so that one call of a kernel hands over two arguments instead of twenty.

Numba unpacks every array argument at every call; for a circuit of three qubits that took longer
than the circuit. `pack` joins a program's tables end to end behind a header that says where each
one starts; `integers` and `reals` give a kernel its views back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from qfl_explore.simulation.translate import FIXED, PHASE

if TYPE_CHECKING:
    from qfl_explore.simulation.program import Program

_INTEGERS = (
    "ops", "gate_starts", "gate_axes", "gate_weights", "controlled", "diagonal_starts", "diagonal_entries",
    "diagonal_signs", "pair_rows", "row_features", "terms", "local_terms",
)  # fmt: skip
_REALS = (
    "gate_scales", "gate_turns", "gate_fixed", "signs", "row_scales", "term_coefficients", "local_coefficients",
    "constants",
)  # fmt: skip
#: Entry 0 of the header is n; the starts of the integer tables follow, then those of the real ones.
_FIRST_REAL = 2 + len(_INTEGERS)
_HEADER = _FIRST_REAL + len(_REALS) + 1
_jit = nb.njit(nogil=True, cache=True)


def pack(program: Program) -> tuple[np.ndarray, np.ndarray]:
    """Integers and reals of a program, end to end.

    Returns:
        A header and all integer tables (int64), and all real tables (float64).
    """
    turns = np.where(program.gate_axes == PHASE, 1.0, 0.5) * program.gate_scales
    turns[program.gate_axes == FIXED] = 0.0
    derived = {"gate_turns": turns, "gate_fixed": np.ascontiguousarray(program.gate_fixed).view(np.float64)}
    integers = [np.asarray(getattr(program, name), np.int64).ravel() for name in _INTEGERS]
    reals = [np.asarray(derived.get(name, getattr(program, name, None)), np.float64).ravel() for name in _REALS]
    starts = _HEADER + np.cumsum([0, *map(len, integers)])
    real_starts = np.cumsum([0, *map(len, reals)])
    return np.concatenate([[program.n_qubits], starts, real_starts, *integers]), np.concatenate(reals)


@_jit
def _integers(ints, table):
    return ints[ints[1 + table] : ints[2 + table]]


@_jit
def _reals(ints, numbers, table):
    at = _FIRST_REAL + table
    return numbers[ints[at] : ints[at + 1]]


@_jit
def n_qubits_of(ints):
    """n."""
    return ints[0]


@_jit
def operations(ints):
    """ops [n_ops, 6] and pair_rows, see `Program`."""
    return _integers(ints, 0).reshape((-1, 6)), _integers(ints, 8)


@_jit
def gates_of(ints, numbers):
    """gate_starts, gate_axes, gate_weights, controlled; gate_scales, gate_fixed [n_gates, 8]."""
    tables = _integers(ints, 1), _integers(ints, 2), _integers(ints, 3), _integers(ints, 4)
    return *tables, _reals(ints, numbers, 0), _reals(ints, numbers, 2).reshape((-1, 8))


@_jit
def gate_turns(ints, numbers):
    """What a weight is multiplied by before its sine and cosine are taken, gate by gate."""
    return _reals(ints, numbers, 1)


@_jit
def diagonals_of(ints, numbers):
    """diagonal_starts, diagonal_entries [n, 3], diagonal_signs, signs."""
    return (
        _integers(ints, 5),
        _integers(ints, 6).reshape((-1, 3)),
        _integers(ints, 7),
        _reals(ints, numbers, 3),
    )


@_jit
def rows_of(ints, numbers):
    """row_features and row_scales."""
    return _integers(ints, 9), _reals(ints, numbers, 4)


@_jit
def observables_of(ints, numbers):
    """terms [n, 4], term_coefficients, local_terms [n, 2], local_coefficients [n, 3], constants."""
    return (
        _integers(ints, 10).reshape((-1, 4)),
        _reals(ints, numbers, 5),
        _integers(ints, 11).reshape((-1, 2)),
        _reals(ints, numbers, 6).reshape((-1, 3)),
        _reals(ints, numbers, 7),
    )

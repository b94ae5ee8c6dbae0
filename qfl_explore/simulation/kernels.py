"""The compiled entry points of the batched engine: `evaluate` a range of a batch, and `finish` its gradients.

A chunk is LANES samples side by side. Every kernel releases the GIL. Nothing here is compiled per
circuit.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

import numba as nb
import numpy as np

from qfl_explore.simulation import gates
from qfl_explore.simulation.gate_kernels import (
    controlled,
    diagonal,
    environment,
    flip,
    multiplex,
    rotation,
    two_rotations,
    undiagonal,
    undo_pair,
    unmultiplex,
    unrotation,
)
from qfl_explore.simulation.lanes import aligned, fill_rotations, gather_cotangents, scatter_slopes, scatter_values
from qfl_explore.simulation.layout import (
    diagonals_of,
    gates_of,
    n_qubits_of,
    observables_of,
    operations,
    rows_of,
)
from qfl_explore.simulation.narrow_kernels import run_samples
from qfl_explore.simulation.observable_kernels import adjoint, measure
from qfl_explore.simulation.simd import LANES

#: What a call is asked for: values; values and gradients; gradients from states that are kept.
VALUES, GRADIENTS, BACK = 0, 1, 2
_jit = nb.njit(nogil=True, cache=True, error_model="numpy")


@_jit
def _forward(psi, ops, pair_rows, unitaries, diagonals, cosines, sines):
    kind = psi.dtype.type
    psi[:] = 0
    psi[0, :] = 1
    o = 0
    while o < len(ops):
        target, at = ops[o, 1], ops[o, 5]
        if ops[o, 0] == 5:
            u = unitaries[at]
            if o + 1 < len(ops) and ops[o + 1, 0] == 5 and ops[o + 1, 1] != target:
                v = unitaries[ops[o + 1, 5]]
                two_rotations(psi, target, ops[o + 1, 1], (kind(u[4]), kind(v[4])), (u[6], v[6]))
                o += 1
            else:
                rotation(psi, target, kind(u[4]), u[6])
        elif ops[o, 0] == 4:
            diagonal(psi, diagonals, at * (psi.shape[0] // 2))
        elif ops[o, 0] == 1:
            multiplex(psi, target, ops[o, 4], pair_rows, at, cosines, sines)
        elif ops[o, 0] == 2:
            flip(psi, target, ops[o, 2], ops[o, 3])
        else:
            controlled(psi, target, ops[o, 2], ops[o, 3], unitaries[at], 1)
        o += 1


@_jit
def _backward(psi, lam, ops, pair_rows, unitaries, diagonals, scales, cosines, sines, d_rows, measured):
    kind = psi.dtype.type
    pending = 1.0  # ψ and λ are 1 / pending of what they should be, until the rotations of a layer are undone
    o = len(ops) - 1
    while o >= 0:
        target, at = ops[o, 1], ops[o, 5]
        if ops[o, 0] == 5:
            u = unitaries[at]
            if o > 0 and ops[o - 1, 0] == 5 and ops[o - 1, 1] != target:
                o -= 1
                pending = undo_pair(
                    psi, lam, 1, target, ops[o, 1], at, ops[o, 5], unitaries, pending, measured
                )  # fmt: skip
            else:
                unrotation(psi, lam, target, kind(u[4]), u[6], pending * pending, measured[at])
                pending *= u[5]
        elif ops[o, 0] == 4:
            undiagonal(psi, lam, diagonals, at * (psi.shape[0] // 2))
            pending /= scales[at]
        elif ops[o, 0] == 1:
            factor = kind(pending * pending)
            unmultiplex(psi, lam, target, ops[o, 4], pair_rows, at, cosines, sines, factor, d_rows)
        elif ops[o, 0] == 2:
            flip(psi, target, ops[o, 2], ops[o, 3])
            flip(lam, target, ops[o, 2], ops[o, 3])
        else:
            controlled(psi, target, ops[o, 2], ops[o, 3], unitaries[at], -1)
            environment(psi, lam, target, ops[o, 2], ops[o, 3], pending * pending, measured[at])
            controlled(lam, target, ops[o, 2], ops[o, 3], unitaries[at], -1)
        o -= 1


@_jit
def _run_chunks(
    first, last, mode, ints, numbers, inputs, unitaries, diagonals, scales, values, states, cotangents, d_inputs,
    measured,
):  # fmt: skip
    ops, pair_rows = operations(ints)
    columns, row_scales = rows_of(ints, numbers)
    n_rows, n_observables, height = len(columns), len(observables_of(ints, numbers)[4]), 2 << n_qubits_of(ints)
    scratch = aligned(2 * height + n_observables + 3 * n_rows, inputs)  # one allocation, as each takes 50 ns
    psi, lam, found = scratch[:height], scratch[height : 2 * height], scratch[2 * height : 2 * height + n_observables]
    rows = scratch[2 * height + n_observables :]
    cosines, sines, d_rows = rows[:n_rows], rows[n_rows : 2 * n_rows], rows[2 * n_rows :]
    finite = True
    for chunk in range(first, last):
        begin = chunk * LANES
        count = min(LANES, len(inputs) - begin)
        finite = fill_rotations(inputs, begin, columns, row_scales, cosines, sines) and finite
        if mode == BACK and len(states):
            psi[:] = states[chunk]
        else:
            if len(states):
                psi = states[chunk]
            _forward(psi, ops, pair_rows, unitaries, diagonals, cosines, sines)
        if mode != BACK:
            measure(psi, ints, numbers, found)
            scatter_values(found, begin, count, values)
        if mode != VALUES:
            gather_cotangents(cotangents, begin, count, found)
            adjoint(psi, lam, ints, numbers, found)
            d_rows[:] = 0
            into = measured[chunk]
            _backward(psi, lam, ops, pair_rows, unitaries, diagonals, scales, cosines, sines, d_rows, into)
            scatter_slopes(d_rows, begin, count, columns, row_scales, d_inputs)
    return finite


@_jit
def evaluate(
    first, last, mode, narrow, ints, numbers, inputs, weights, values, states, cotangents, d_inputs, measured
):  # fmt: skip
    """The parts first … last - 1 of a call: a part is a chunk, or a sample where narrow.

    One thread or several, the same machine code computes every part, so that no bit depends on it.

    mode is VALUES, GRADIENTS or BACK; narrow: samples are taken one after the other, see `narrow_kernels`.
    ints and numbers come from `layout.pack`; inputs are [B, n_features] and weights [n_weights] (float64), radians.
    values [B, K] are written unless BACK. states [n_chunks, 2^(n+1), LANES] are final states, written by VALUES and
    read by BACK, or empty. Unless VALUES, cotangents [B, K] are read, d_inputs [B, n_features] added to, and
    measured [n_parts, n_matrices, 8] written for `finish`. Returns whether all inputs and weights were finite.
    """
    n_matrices, n_diagonals = len(gates_of(ints, numbers)[0]) - 1, len(diagonals_of(ints, numbers)[0]) - 1
    width = LANES if narrow else 2
    unitaries, scales = np.empty((n_matrices, 8)), np.empty(n_diagonals)
    diagonals = np.empty(((2 * n_diagonals << n_qubits_of(ints)) // width, width), inputs.dtype)
    cosines, sines, finite = gates.turn_gates(ints, numbers, weights)
    gates.prepare(ints, numbers, cosines, sines, unitaries)
    gates.diagonals(ints, numbers, unitaries, scales, diagonals)
    if narrow:
        rest = run_samples(
            first, last, mode, ints, numbers, inputs, unitaries, diagonals, scales, values, cotangents, d_inputs,
            measured,
        )  # fmt: skip
    else:
        rest = _run_chunks(
            first, last, mode, ints, numbers, inputs, unitaries, diagonals, scales, values, states, cotangents,
            d_inputs, measured,
        )  # fmt: skip
    return finite and rest


@_jit
def finish(ints, numbers, weights, measured, d_weights):
    """d_weights [n_weights] from what every part measured, summed in a fixed order."""
    n_matrices = measured.shape[1]
    sums, slopes, unitaries = np.zeros((n_matrices, 8)), np.zeros(len(d_weights)), np.empty((n_matrices, 8))
    cosines, sines, _ = gates.turn_gates(ints, numbers, weights)
    gates.prepare(ints, numbers, cosines, sines, unitaries)
    for part in range(len(measured)):
        for m in range(n_matrices):
            for k in range(8):
                sums[m, k] += measured[part, m, k]
    gates.weight_gradients(ints, numbers, cosines, sines, unitaries, sums, slopes)
    d_weights[:] = slopes

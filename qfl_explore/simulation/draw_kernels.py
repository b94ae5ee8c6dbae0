"""Compiled kernels for many weight vectors at once: every lane has its own weights and features.

Used where the batch is too small to fill a vector register, above all for gradient variance:
one sample, thousands of parameter draws. One-qubit unitaries are built lane by lane from sines
and cosines and applied whole; the rest is shared with the kernels for one weight vector.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

import numba as nb

from qfl_explore.simulation.gate_kernels import flip, multiplex, pauli_sums, turn, unmultiplex
from qfl_explore.simulation.lanes import (
    aligned,
    fill_rotations,
    gather_cotangents,
    scatter_slopes,
    scatter_values,
)
from qfl_explore.simulation.layout import (
    diagonals_of,
    gate_turns,
    gates_of,
    n_qubits_of,
    operations,
    rows_of,
)
from qfl_explore.simulation.observable_kernels import adjoint, measure
from qfl_explore.simulation.simd import LANES, load, splat, store

_jit = nb.njit(nogil=True, cache=True)


@_jit
def _fixed(ar, ai, br, bi, fixed, transposed):
    """A constant 2x2 matrix (or its transpose) on the pair (a, b); fixed: 8 reals, row by row."""
    first, second = (4, 2) if transposed else (2, 4)
    p, q, r, s = splat(fixed[0]), splat(fixed[1]), splat(fixed[first]), splat(fixed[first + 1])
    t, u, v, w = splat(fixed[second]), splat(fixed[second + 1]), splat(fixed[6]), splat(fixed[7])
    return (
        p * ar - q * ai + r * br - s * bi,
        p * ai + q * ar + r * bi + s * br,
        t * ar - u * ai + v * br - w * bi,
        t * ai + u * ar + v * bi + w * br,
    )


@_jit
def _build(starts, axes, fixed, cosines, sines, unitaries):
    """unitaries[8m : 8m + 8] = the matrix m of every lane, column by column."""
    one = unitaries.dtype.type(1)
    for m in range(len(starts) - 1):
        for column in range(2):
            ar = splat(one if column == 0 else one - one)
            br = splat(one if column == 1 else one - one)
            ai, bi = splat(one - one), splat(one - one)
            for g in range(starts[m], starts[m + 1]):
                if axes[g] == 4:
                    ar, ai, br, bi = _fixed(ar, ai, br, bi, fixed[g], False)
                else:
                    ar, ai, br, bi = turn(axes[g], ar, ai, br, bi, load(cosines, g), load(sines, g))
            row = 8 * m + 4 * column
            store(unitaries, row, ar)
            store(unitaries, row + 1, ai)
            store(unitaries, row + 2, br)
            store(unitaries, row + 3, bi)


@_jit
def _apply(psi, target, unitaries, m):
    row = 8 * m
    u0, u1, u4, u5 = load(unitaries, row), load(unitaries, row + 1), load(unitaries, row + 2), load(unitaries, row + 3)
    row += 4
    u2, u3, u6, u7 = load(unitaries, row), load(unitaries, row + 1), load(unitaries, row + 2), load(unitaries, row + 3)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            store(psi, i, u0 * ar - u1 * ai + u2 * br - u3 * bi)
            store(psi, i + 1, u0 * ai + u1 * ar + u2 * bi + u3 * br)
            store(psi, j, u4 * ar - u5 * ai + u6 * br - u7 * bi)
            store(psi, j + 1, u4 * ai + u5 * ar + u6 * bi + u7 * br)


@_jit
def _unapply(psi, target, unitaries, m):
    row = 8 * m
    u0, u1, u2, u3 = load(unitaries, row), load(unitaries, row + 1), load(unitaries, row + 2), load(unitaries, row + 3)
    row += 4
    u4, u5, u6, u7 = load(unitaries, row), load(unitaries, row + 1), load(unitaries, row + 2), load(unitaries, row + 3)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            store(psi, i, u0 * ar + u1 * ai + u2 * br + u3 * bi)
            store(psi, i + 1, u0 * ai - u1 * ar + u2 * bi - u3 * br)
            store(psi, j, u4 * ar + u5 * ai + u6 * br + u7 * bi)
            store(psi, j + 1, u4 * ai - u5 * ar + u6 * bi - u7 * br)


@_jit
def _pauli(psi, lam, target):
    """Im⟨λ|σ_k|ψ⟩ on one qubit for X, Y and Z, lane by lane."""
    zero = psi.dtype.type(0)
    x, y, z = splat(zero), splat(zero), splat(zero)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            pr, pi, qr, qi = load(lam, i), load(lam, i + 1), load(lam, j), load(lam, j + 1)
            x, y, z = pauli_sums(x, y, z, ar, ai, br, bi, pr, pi, qr, qi)
    return x, y, z


@_jit
def _slopes(first, last, axes, fixed, cosines, sines, x, y, z, slopes):
    """Slopes of the gates of a matrix: their generators, carried to where the Paulis x, y, z were measured."""
    one = slopes.dtype.type(1)
    zero = splat(one - one)
    ar, ai, br, bi = splat(one), zero, zero, zero  # first row of the gates after the one in hand
    cr, ci, dr, di = zero, zero, splat(one), zero  # and the second
    for g in range(last - 1, first - 1, -1):
        axis = axes[g]
        if axis == 4:  # right multiplication: rows of A times the matrix, that is its transpose on pairs
            ar, ai, br, bi = _fixed(ar, ai, br, bi, fixed[g], True)
            cr, ci, dr, di = _fixed(cr, ci, dr, di, fixed[g], True)
            continue
        if axis == 0:
            wx = ar * dr + ai * di + br * cr + bi * ci
            wy = ar * di - ai * dr + br * ci - bi * cr
            wz = ar * br + ai * bi
            wz = wz + wz
        elif axis == 1:
            wx = ai * dr - ar * di - bi * cr + br * ci
            wy = ar * dr + ai * di - br * cr - bi * ci
            wz = br * ai - bi * ar
            wz = wz + wz
        else:
            wx = ar * cr + ai * ci - br * dr - bi * di
            wy = ar * ci - ai * cr + bi * dr - br * di
            wz = ar * ar + ai * ai - br * br - bi * bi
        store(slopes, g, wx * x + wy * y + wz * z)
        c, s = load(cosines, g), load(sines, g)
        if axis == 1:
            s = zero - s
        ar, ai, br, bi = turn(axis, ar, ai, br, bi, c, s)
        cr, ci, dr, di = turn(axis, cr, ci, dr, di, c, s)


@_jit
def _signs(psi, signs, start):
    for i in range(0, psi.shape[0], 2):
        if signs[start + i // 2] < 0:
            a, b = load(psi, i), load(psi, i + 1)
            store(psi, i, a - a - a)
            store(psi, i + 1, b - b - b)


@_jit
def _forward(psi, ints, numbers, unitaries, cosines, sines):
    ops, pair_rows = operations(ints)
    _, _, sign_offsets, signs = diagonals_of(ints, numbers)
    psi[:] = 0
    psi[0, :] = 1
    for o in range(len(ops)):
        kind, target, at = ops[o, 0], ops[o, 1], ops[o, 5]
        if kind == 5:
            _apply(psi, target, unitaries, at)
        elif kind == 4:
            if sign_offsets[at] >= 0:
                _signs(psi, signs, sign_offsets[at])
        elif kind == 1:
            multiplex(psi, target, ops[o, 4], pair_rows, at, cosines, sines)
        else:
            flip(psi, target, ops[o, 2], ops[o, 3])


@_jit
def _backward(psi, lam, ints, numbers, fixed, unitaries, cosines, sines, gate_cosines, gate_sines, d_rows, slopes):
    ops, pair_rows = operations(ints)
    _, _, sign_offsets, signs = diagonals_of(ints, numbers)
    tables = gates_of(ints, numbers)
    starts, axes, one = tables[0], tables[1], psi.dtype.type(1)
    for o in range(len(ops) - 1, -1, -1):
        kind, target, at = ops[o, 0], ops[o, 1], ops[o, 5]
        if kind == 5:
            x, y, z = _pauli(psi, lam, target)
            _slopes(starts[at], starts[at + 1], axes, fixed, gate_cosines, gate_sines, x, y, z, slopes)
            _unapply(psi, target, unitaries, at)
            _unapply(lam, target, unitaries, at)
        elif kind == 4:
            if sign_offsets[at] >= 0:
                _signs(psi, signs, sign_offsets[at])
                _signs(lam, signs, sign_offsets[at])
        elif kind == 1:
            unmultiplex(psi, lam, target, ops[o, 4], pair_rows, at, cosines, sines, one, d_rows)
        else:
            flip(psi, target, ops[o, 2], ops[o, 3])
            flip(lam, target, ops[o, 2], ops[o, 3])


@_jit
def run_draws(first, last, backward, ints, numbers, inputs, weights, values, cotangents, d_inputs, d_weights):
    """The chunks first … last - 1 of L pairs of a sample and a weight vector.

    ints and numbers come from `layout.pack`; inputs [L, n_features] and weights [L, n_weights] are radians of one
    type. values [L, K] are written; with backward, cotangents [L, K] are read, and d_inputs and d_weights added to.
    Returns whether all inputs and weights were finite.
    """
    starts, axes, indices, _, scales, matrices = gates_of(ints, numbers)
    columns, row_scales = rows_of(ints, numbers)
    height, n_rows, n_gates = 2 << n_qubits_of(ints), len(columns), len(axes)
    psi, lam = aligned(height, inputs), aligned(height, inputs)
    found, unitaries = aligned(values.shape[1], inputs), aligned(8 * (len(starts) - 1), inputs)
    cosines, sines, d_rows = aligned(n_rows, inputs), aligned(n_rows, inputs), aligned(n_rows, inputs)
    gate_cosines, gate_sines, slopes = aligned(n_gates, inputs), aligned(n_gates, inputs), aligned(n_gates, inputs)
    fixed = matrices.astype(inputs.dtype)
    slopes[:] = 0
    finite = True
    for chunk in range(first, last):
        begin = chunk * LANES
        count = min(LANES, len(inputs) - begin)
        finite = fill_rotations(inputs, begin, columns, row_scales, cosines, sines) and finite
        finite = fill_rotations(weights, begin, indices, gate_turns(ints, numbers), gate_cosines, gate_sines) and finite
        _build(starts, axes, fixed, gate_cosines, gate_sines, unitaries)
        _forward(psi, ints, numbers, unitaries, cosines, sines)
        measure(psi, ints, numbers, found)
        scatter_values(found, begin, count, values)
        if backward:
            gather_cotangents(cotangents, begin, count, found)
            adjoint(psi, lam, ints, numbers, found)
            d_rows[:] = 0
            _backward(
                psi, lam, ints, numbers, fixed, unitaries, cosines, sines, gate_cosines, gate_sines, d_rows, slopes
            )  # fmt: skip
            scatter_slopes(d_rows, begin, count, columns, row_scales, d_inputs)
            scatter_slopes(slopes, begin, count, indices, scales, d_weights)
    return finite

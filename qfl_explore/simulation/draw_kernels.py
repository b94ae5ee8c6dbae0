"""Compiled kernels for many weight vectors at once: every lane has its own weights and features.

Used where the batch is too small to fill a vector register, above all for gradient variance:
one sample, thousands of parameter draws. One-qubit unitaries are built lane by lane from sines
and cosines and applied whole; the rest is shared with the kernels for one weight vector.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

import numba as nb

from qfl_explore.simulation.kernels import (
    _add_observable,
    _aligned,
    _flip,
    _measure_all,
    _multiplex,
    _turn,
    _unmultiplex,
)
from qfl_explore.simulation.simd import LANES, load, splat, store

_jit = nb.njit(nogil=True, cache=True)


@_jit
def _fixed(ar, ai, br, bi, fixed, g):
    """A constant 2x2 matrix on the pair (a, b)."""
    p, q, r, s = splat(fixed[g, 0]), splat(fixed[g, 1]), splat(fixed[g, 2]), splat(fixed[g, 3])
    t, u, v, w = splat(fixed[g, 4]), splat(fixed[g, 5]), splat(fixed[g, 6]), splat(fixed[g, 7])
    return (
        p * ar - q * ai + r * br - s * bi,
        p * ai + q * ar + r * bi + s * br,
        t * ar - u * ai + v * br - w * bi,
        t * ai + u * ar + v * bi + w * br,
    )


@_jit
def _build(starts, gates, fixed, cosines, sines, first_gate, one, unitaries):
    """unitaries[8m : 8m + 8] = the matrix m of every lane, column by column."""
    for m in range(len(starts) - 1):
        for column in range(2):
            ar = splat(one if column == 0 else one - one)
            br = splat(one if column == 1 else one - one)
            ai, bi = splat(one - one), splat(one - one)
            for g in range(starts[m], starts[m + 1]):
                if gates[g, 0] == 4:
                    ar, ai, br, bi = _fixed(ar, ai, br, bi, fixed, g)
                else:
                    c, s = load(cosines, first_gate + g), load(sines, first_gate + g)
                    ar, ai, br, bi = _turn(gates[g, 0], ar, ai, br, bi, c, s)
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
def _measure_pauli(psi, lam, target, zero, sums):
    """Row k of sums: Im⟨λ|σ_k|ψ⟩ on one qubit, lane by lane."""
    x, y, z = splat(zero), splat(zero), splat(zero)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            pr, pi, qr, qi = load(lam, i), load(lam, i + 1), load(lam, j), load(lam, j + 1)
            x = x + pr * bi - pi * br + qr * ai - qi * ar
            y = y + qr * ar + qi * ai - pr * br - pi * bi
            z = z + pr * ai - pi * ar - qr * bi + qi * br
    store(sums, 0, x)
    store(sums, 1, y)
    store(sums, 2, z)


@_jit
def _slopes(starts, gates, fixed, cosines, sines, first_gate, m, one, sums, slopes):
    """Slopes of the gates of matrix m: their generators, carried to where the Paulis were measured."""
    zero = splat(one - one)
    x, y, z = load(sums, 0), load(sums, 1), load(sums, 2)
    ar, ai, br, bi = splat(one), zero, zero, zero  # first row of the gates after the one in hand
    cr, ci, dr, di = zero, zero, splat(one), zero  # and the second
    for g in range(starts[m + 1] - 1, starts[m] - 1, -1):
        axis = gates[g, 0]
        if axis == 4:
            # right multiplication: rows of A times the matrix, that is its transpose on pairs
            ar, ai, br, bi = _fixed(ar, ai, br, bi, fixed, g + len(gates))
            cr, ci, dr, di = _fixed(cr, ci, dr, di, fixed, g + len(gates))
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
        c, s = load(cosines, first_gate + g), load(sines, first_gate + g)
        if axis == 1:
            s = zero - s
        ar, ai, br, bi = _turn(axis, ar, ai, br, bi, c, s)
        cr, ci, dr, di = _turn(axis, cr, ci, dr, di, c, s)


@_jit
def _signs(psi, signs, start):
    for i in range(0, psi.shape[0], 2):
        if signs[start + i // 2] < 0:
            a, b = load(psi, i), load(psi, i + 1)
            store(psi, i, a - a - a)
            store(psi, i + 1, b - b - b)


@_jit
def run_draws(
    first, last, n_samples, n_qubits, n_rows, ops, starts, gates, fixed, sign_offsets, signs, pair_rows,
    cosines, sines, gate_cosines, gate_sines, terms, coefficients, out,
    backward, cotangents, row_features, row_scales, gate_scales, d_features, d_weights,
):  # fmt: skip
    """Values [L, K] of L (weights, features) pairs; with backward, their gradients too, pair by pair."""
    one = cosines.dtype.type(1)
    zero = one - one
    psi, lam, sums = _aligned(2 << n_qubits, cosines), _aligned(2 << n_qubits, cosines), _aligned(3, cosines)
    unitaries, d_rows = _aligned(8 * (len(starts) - 1), cosines), _aligned(n_rows, cosines)
    slopes = _aligned(len(gates), cosines)
    slopes[:] = 0
    for chunk in range(first, last):
        begin = chunk * LANES
        count = min(LANES, n_samples - begin)
        first_row, first_gate = chunk * n_rows, chunk * len(gates)
        _build(starts, gates, fixed, gate_cosines, gate_sines, first_gate, one, unitaries)
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
                _multiplex(psi, target, ops[o, 4], pair_rows, at, cosines, sines, first_row)
            else:
                _flip(psi, target, ops[o, 2], ops[o, 3])
        _measure_all(psi, begin, count, terms, coefficients, sums, out)
        if not backward:
            continue
        lam[:] = 0
        d_rows[:] = 0
        for t in range(len(terms)):
            sums[0, :] = 0
            for lane in range(count):
                sums[0, lane] = coefficients[t] * cotangents[begin + lane, terms[t, 3]]
            _add_observable(psi, lam, terms[t, 0], terms[t, 1], terms[t, 2], sums)
        for o in range(len(ops) - 1, -1, -1):
            kind, target, at = ops[o, 0], ops[o, 1], ops[o, 5]
            if kind == 5:
                _measure_pauli(psi, lam, target, zero, sums)
                _slopes(starts, gates, fixed, gate_cosines, gate_sines, first_gate, at, one, sums, slopes)
                _unapply(psi, target, unitaries, at)
                _unapply(lam, target, unitaries, at)
            elif kind == 4:
                if sign_offsets[at] >= 0:
                    _signs(psi, signs, sign_offsets[at])
                    _signs(lam, signs, sign_offsets[at])
            elif kind == 1:
                axis = ops[o, 4]
                _unmultiplex(psi, lam, target, axis, pair_rows, at, cosines, sines, first_row, one, d_rows)
            else:
                _flip(psi, target, ops[o, 2], ops[o, 3])
                _flip(lam, target, ops[o, 2], ops[o, 3])
        for row in range(n_rows):
            for lane in range(count):
                d_features[begin + lane, row_features[row]] += row_scales[row] * d_rows[row, lane]
        for g in range(len(gates)):
            if gates[g, 0] != 4:
                for lane in range(count):
                    d_weights[begin + lane, gates[g, 1]] += gate_scales[g] * slopes[g, lane]

"""Compiled kernels for one sample at a time: amplitudes, not samples, fill the vector registers.

Where the batch is smaller than a vector, `kernels` would compute lanes that nobody asked for. Here
rows 2b and 2b + 1 of a state hold the real and imaginary parts of the LANES amplitudes of block b.
Qubits above the four lowest act between rows, exactly as in `kernels`; the four lowest act within
a row, by exchanging lanes.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

import numba as nb
import numpy as np

from qfl_explore.simulation.kernels import _aligned, _odd, _rotation, _unrotation
from qfl_explore.simulation.simd import LANES, load, splat, store, swap1, swap2, swap4, swap8

_jit = nb.njit(nogil=True, cache=True)


@_jit
def _partner(vector, target):
    """The vector with lanes exchanged across one of the four lowest bits."""
    if target == 1:
        return swap1(vector)
    if target == 2:
        return swap2(vector)
    if target == 4:
        return swap4(vector)
    return swap8(vector)


@_jit
def _rotation_within(psi, target, ratio, which, masks, inverse):
    """A rotation (up to its scale) of one of the four lowest qubits; masks holds -1 and +1 by lane."""
    sign = load(masks, target)
    zero = sign - sign
    if inverse:
        sign = zero - sign
    if which == 0:
        keep, cross = zero + splat(psi.dtype.type(1)), sign * splat(ratio)
    else:
        keep, cross = zero + splat(ratio), sign
    for row in range(psi.shape[0]):
        v = load(psi, row)
        store(psi, row, keep * v + cross * _partner(v, target))


@_jit
def _pauli_within(psi, lam, target, masks, zero, sums):
    """Row k of sums: the lanes of Im⟨λ|σ_k|ψ⟩ for one of the four lowest qubits."""
    sign = load(masks, target)
    x, y, z = splat(zero), splat(zero), splat(zero)
    for row in range(0, psi.shape[0], 2):
        a, b, p, q = load(psi, row), load(psi, row + 1), load(lam, row), load(lam, row + 1)
        c, d = _partner(a, target), _partner(b, target)
        x = x + p * d - q * c
        y = y + sign * (p * c + q * d)
        z = z - sign * (p * b - q * a)
    store(sums, 0, x)
    store(sums, 1, y)
    store(sums, 2, z)


@_jit
def _diagonal_rows(psi, values, start):
    """values: rows of real parts and rows of imaginary parts by turns, from row start on."""
    for row in range(0, psi.shape[0], 2):
        c, s = load(values, start + row), load(values, start + row + 1)
        a, b = load(psi, row), load(psi, row + 1)
        store(psi, row, c * a - s * b)
        store(psi, row + 1, c * b + s * a)


@_jit
def _spread_angles(target, axis, pair_rows, at, cosines, sines, sample, table):
    """Rows 2b, 2b + 1 of table: cosine and signed sine for every amplitude of block b."""
    size = table.shape[0] // 2 * LANES
    for base in range(0, size, 2 * target):
        for i in range(base, base + target):
            row = pair_rows[at]
            at += 1
            c, s = table.dtype.type(1), table.dtype.type(0)
            if row >= 0:
                c, s = cosines[sample, row], sines[sample, row]
            j = i + target
            table[2 * (j // LANES), j % LANES] = c
            table[2 * (j // LANES) + 1, j % LANES] = s
            if axis == 3:
                c, s = table.dtype.type(1), table.dtype.type(0)
            table[2 * (i // LANES), i % LANES] = c
            table[2 * (i // LANES) + 1, i % LANES] = s if axis == 0 else -s


@_jit
def _multiplex_rows(psi, target, axis, table, sign, copy):
    """A multiplexed rotation (sign = 1) or its inverse (-1); copy is room for a second state."""
    turn = splat(sign)
    step = 2 * (target // LANES)
    if step and axis < 2:
        copy[:] = psi
    for row in range(0, psi.shape[0], 2):
        c, s = load(table, row), turn * load(table, row + 1)
        a, b = load(psi, row), load(psi, row + 1)
        if axis >= 2:
            store(psi, row, c * a - s * b)
            store(psi, row + 1, c * b + s * a)
            continue
        if step:
            other = row ^ step
            u, v = load(copy, other), load(copy, other + 1)
        else:
            u, v = _partner(a, target), _partner(b, target)
        if axis == 1:
            store(psi, row, c * a + s * u)
            store(psi, row + 1, c * b + s * v)
        else:
            store(psi, row, c * a + s * v)
            store(psi, row + 1, c * b - s * u)


@_jit
def _multiplex_slopes(psi, lam, target, axis, masks, slopes):
    """slopes [2^n / LANES, LANES]: each amplitude's share of the slope of its pair's angle."""
    step = 2 * (target // LANES)
    for row in range(0, psi.shape[0], 2):
        a, b, p, q = load(psi, row), load(psi, row + 1), load(lam, row), load(lam, row + 1)
        minus = a - a - splat(psi.dtype.type(1))
        sign = minus * minus
        if step == 0:
            sign = load(masks, target)
        elif row & step == 0:
            sign = minus
        if axis >= 2:
            store(slopes, row // 2, sign * (q * a - p * b))
            continue
        if step:
            u, v = load(psi, row ^ step), load(psi, (row ^ step) + 1)
        else:
            u, v = _partner(a, target), _partner(b, target)
        if axis == 1:
            store(slopes, row // 2, sign * (p * u + q * v))
        else:
            store(slopes, row // 2, p * v - q * u)


@_jit
def _collect(target, axis, pair_rows, at, slopes, factor, sample, d_rows):
    """Adds the shares of both amplitudes of every pair to its angle."""
    size = slopes.shape[0] * LANES
    for base in range(0, size, 2 * target):
        for i in range(base, base + target):
            row = pair_rows[at]
            at += 1
            if row >= 0:
                j = i + target
                share = slopes[j // LANES, j % LANES]
                if axis != 3:
                    share += slopes[i // LANES, i % LANES]
                d_rows[sample, row] += 2 * factor * share


@_jit
def _string(x, z, y, re, im):
    """⟨ψ|P|ψ⟩ from real and imaginary parts [2^n]."""
    total = 0.0
    for i in range(len(re)):
        j = i ^ x
        part = re[j] * im[i] - im[j] * re[i] if y & 1 else re[j] * re[i] + im[j] * im[i]
        total += -part if _odd(i & z) ^ ((y + 1) >> 1 & 1) else part
    return total


@_jit
def _unpack(psi, re, im):
    for i in range(len(re)):
        re[i] = psi[2 * (i // LANES), i % LANES]
        im[i] = psi[2 * (i // LANES) + 1, i % LANES]


@_jit
def _cotangent_state(lam, terms, coefficients, cotangents, sample, re, im):
    """λ = Σ_k cotangent_k O_k ψ."""
    lam[:] = 0
    for t in range(len(terms)):
        x, z, y = terms[t, 0], terms[t, 1], terms[t, 2]
        weight = lam.dtype.type(coefficients[t] * cotangents[sample, terms[t, 3]])
        for i in range(len(re)):
            j = i ^ x
            w = -weight if _odd(i & z) ^ (y >> 1 & 1) else weight
            row, lane = 2 * (j // LANES), j % LANES
            if y & 1:
                lam[row, lane] -= w * im[i]
                lam[row + 1, lane] += w * re[i]
            else:
                lam[row, lane] += w * re[i]
                lam[row + 1, lane] += w * im[i]


@_jit
def lane_signs(masks):
    """Row t of masks [9, LANES], for t = 1, 2, 4, 8: -1 where the lane's bit t is 0, +1 where it is 1."""
    for bit in range(4):
        for lane in range(LANES):
            masks[1 << bit, lane] = 1 if lane >> bit & 1 else -1


@_jit
def run_narrow(
    n_qubits, ops, euler, diagonals, undo, scales, pair_rows, cosines, sines, terms, coefficients, out,
    backward, cotangents, row_features, row_scales, d_features, measured,
):  # fmt: skip
    """Values [B, K], one sample after the other; with backward, d_features and measured [B, m, 8] too.

    cosines and sines are [B, n_rows] here; diagonals and undo [n_diagonals · 2^(n+1) / LANES, LANES].
    """
    one = euler.dtype.type(1)
    zero = one - one
    n_rows = (2 << n_qubits) // LANES
    psi, lam, table = _aligned(n_rows, euler), _aligned(n_rows, euler), _aligned(n_rows, euler)
    copy, slopes, masks, sums = (
        _aligned(n_rows, euler),
        _aligned(n_rows // 2, euler),
        _aligned(9, euler),
        _aligned(3, euler),
    )
    re, im = np.empty(1 << n_qubits, euler.dtype), np.empty(1 << n_qubits, euler.dtype)
    d_rows = np.zeros((len(out), len(row_features)), euler.dtype)
    lane_signs(masks)
    for sample in range(len(out)):
        psi[:] = 0
        psi[0, 0] = 1
        for o in range(len(ops)):
            kind, target, at = ops[o, 0], ops[o, 1], ops[o, 5]
            if kind == 4:
                _diagonal_rows(psi, diagonals, at * n_rows)
            elif kind == 1:
                _spread_angles(target, ops[o, 4], pair_rows, at, cosines, sines, sample, table)
                _multiplex_rows(psi, target, ops[o, 4], table, one, copy)
            elif target < LANES:
                _rotation_within(psi, target, euler[at, 2], euler[at, 4], masks, False)
            else:
                _rotation(psi, target // LANES, euler[at, 2], euler[at, 4])
        _unpack(psi, re, im)
        for t in range(len(terms)):
            out[sample, terms[t, 3]] += coefficients[t] * _string(terms[t, 0], terms[t, 1], terms[t, 2], re, im)
        if not backward:
            continue
        _cotangent_state(lam, terms, coefficients, cotangents, sample, re, im)
        pending = one
        for o in range(len(ops) - 1, -1, -1):
            kind, target, at = ops[o, 0], ops[o, 1], ops[o, 5]
            if kind == 4:
                _diagonal_rows(psi, undo, at * n_rows)
                _diagonal_rows(lam, undo, at * n_rows)
                pending /= scales[at]
            elif kind == 1:
                axis = ops[o, 4]
                _multiplex_slopes(psi, lam, target, axis, masks, slopes)
                _collect(target, axis, pair_rows, at, slopes, pending * pending, sample, d_rows)
                _spread_angles(target, axis, pair_rows, at, cosines, sines, sample, table)
                _multiplex_rows(psi, target, axis, table, -one, copy)
                _multiplex_rows(lam, target, axis, table, -one, copy)
            else:
                if target < LANES:
                    _pauli_within(psi, lam, target, masks, zero, sums)
                    _rotation_within(psi, target, euler[at, 2], euler[at, 4], masks, True)
                    _rotation_within(lam, target, euler[at, 2], euler[at, 4], masks, True)
                else:
                    _unrotation(psi, lam, target // LANES, euler[at, 2], euler[at, 4], zero, sums)
                for k in range(3):
                    measured[sample, at, k] = sums[k].sum() * pending * pending
                pending *= euler[at, 3]
        for row in range(len(row_features)):
            d_features[sample, row_features[row]] += row_scales[row] * d_rows[sample, row]

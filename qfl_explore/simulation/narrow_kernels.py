"""Compiled kernels for one sample at a time: amplitudes, not samples, fill the vector registers.

Where the batch is smaller than a vector, `kernels` would compute lanes that nobody asked for. Here
rows 2b and 2b + 1 of a state hold the real and imaginary parts of the LANES amplitudes of block b.
Qubits above the four lowest act between rows, exactly as in `kernels`; the four lowest act within
a row, by exchanging lanes.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

import numba as nb
import numpy as np

from qfl_explore.simulation.gate_kernels import keep_sums, rotation, two_rotations, undo_pair, unrotation
from qfl_explore.simulation.lanes import aligned, fill_flat
from qfl_explore.simulation.layout import n_qubits_of, observables_of, operations, rows_of
from qfl_explore.simulation.observable_kernels import add_bloch, bloch, odd
from qfl_explore.simulation.simd import (
    LANES,
    load,
    splat,
    store,
    swap1,
    swap2,
    swap4,
    swap8,
    total,
)

_jit = nb.njit(nogil=True, cache=True, error_model="numpy")


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
def _pauli_within(psi, lam, target, masks, factor, measured):
    """measured[k] = factor · Im⟨λ|σ_k|ψ⟩ for one of the four lowest qubits."""
    sign = load(masks, target)
    zero = sign - sign
    x, y, z = zero, zero, zero
    for row in range(0, psi.shape[0], 2):
        a, b, p, q = load(psi, row), load(psi, row + 1), load(lam, row), load(lam, row + 1)
        c, d = _partner(a, target), _partner(b, target)
        x = x + p * d - q * c
        y = y + sign * (p * c + q * d)
        z = z - sign * (p * b - q * a)
    keep_sums(x, y, z, factor, measured)


@_jit
def _bloch_within(psi, target, masks):
    """⟨X⟩, ⟨Y⟩, ⟨Z⟩ of one of the four lowest qubits, to be summed over the lanes."""
    sign = load(masks, target)
    zero = sign - sign
    x, y, z = zero, zero, zero
    for row in range(0, psi.shape[0], 2):
        a, b = load(psi, row), load(psi, row + 1)
        c, d = _partner(a, target), _partner(b, target)
        x = x + a * c + b * d
        y = y + sign * (b * c - a * d)
        z = z - sign * (a * a + b * b)
    return x, y, z


@_jit
def _add_bloch_within(psi, lam, target, masks, x, y, z):
    """λ += (x X + y Y + z Z) ψ on one of the four lowest qubits."""
    sign = load(masks, target)
    y, z = sign * y, sign * z
    for row in range(0, psi.shape[0], 2):
        a, b = load(psi, row), load(psi, row + 1)
        c, d = _partner(a, target), _partner(b, target)
        store(lam, row, load(lam, row) + x * c - y * d - z * a)
        store(lam, row + 1, load(lam, row + 1) + x * d + y * c - z * b)


@_jit
def _diagonal_rows(psi, values, start, direction):
    """values: rows of real parts and rows of imaginary parts by turns, from row start on; direction -1: conjugate."""
    sign = splat(direction)
    for row in range(0, psi.shape[0], 2):
        c, s = load(values, start + row), sign * load(values, start + row + 1)
        a, b = load(psi, row), load(psi, row + 1)
        store(psi, row, c * a - s * b)
        store(psi, row + 1, c * b + s * a)


@_jit
def _spread_angles(target, axis, pair_rows, at, cosines, sines, table):
    """Rows 2b, 2b + 1 of table: cosine and signed sine for every amplitude of block b."""
    size = table.shape[0] // 2 * LANES
    for base in range(0, size, 2 * target):
        for i in range(base, base + target):
            row = pair_rows[at]
            at += 1
            c, s = table.dtype.type(1), table.dtype.type(0)
            if row >= 0:
                c, s = cosines[row], sines[row]
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
def _collect(target, axis, pair_rows, at, slopes, factor, d_rows):
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
                d_rows[row] += 2 * factor * share


@_jit
def _part(psi, i):
    return psi[2 * (i // LANES), i % LANES], psi[2 * (i // LANES) + 1, i % LANES]


@_jit
def _string(psi, x, z, y):
    """⟨ψ|P|ψ⟩ for the Pauli string with masks x, z and y factors Y."""
    found = 0.0
    for i in range(psi.shape[0] // 2 * LANES):
        (ar, ai), (br, bi) = _part(psi, i), _part(psi, i ^ x)
        part = br * ai - bi * ar if y & 1 else br * ar + bi * ai
        found += -part if odd(i & z) ^ ((y + 1) >> 1 & 1) else part
    return found


@_jit
def _add_string(psi, lam, x, z, y, weight):
    """λ += weight · P ψ."""
    for i in range(psi.shape[0] // 2 * LANES):
        ar, ai = _part(psi, i)
        j = i ^ x
        w = -weight if odd(i & z) ^ (y >> 1 & 1) else weight
        row, lane = 2 * (j // LANES), j % LANES
        if y & 1:
            ar, ai = -ai, ar
        lam[row, lane] += w * ar
        lam[row + 1, lane] += w * ai


@_jit
def _measure(psi, ints, numbers, masks, values):
    terms, coefficients, local, weights, constants = observables_of(ints, numbers)
    values[:] = constants
    bit, sums = 0, (0.0, 0.0, 0.0)
    for t in range(len(local)):
        if local[t, 0] != bit:
            bit = local[t, 0]
            x, y, z = _bloch_within(psi, bit, masks) if bit < LANES else bloch(psi, bit // LANES)
            sums = (float(total(x)), float(total(y)), float(total(z)))
        values[local[t, 1]] += weights[t, 0] * sums[0] + weights[t, 1] * sums[1] + weights[t, 2] * sums[2]
    for t in range(len(terms)):
        values[terms[t, 3]] += coefficients[t] * _string(psi, terms[t, 0], terms[t, 1], terms[t, 2])


@_jit
def _adjoint(psi, lam, ints, numbers, masks, cotangents):
    """λ = Σ_k cotangent_k O_k ψ."""
    terms, coefficients, local, weights, _ = observables_of(ints, numbers)
    kind = psi.dtype.type
    lam[:] = 0
    x, y, z = 0.0, 0.0, 0.0
    for t in range(len(local)):
        bit, w = local[t, 0], cotangents[local[t, 1]]
        x, y, z = x + weights[t, 0] * w, y + weights[t, 1] * w, z + weights[t, 2] * w
        if t + 1 < len(local) and local[t + 1, 0] == bit:
            continue
        a, b, c = splat(kind(x)), splat(kind(y)), splat(kind(z))
        if bit < LANES:
            _add_bloch_within(psi, lam, bit, masks, a, b, c)
        else:
            add_bloch(psi, lam, bit // LANES, a, b, c)
        x, y, z = 0.0, 0.0, 0.0
    for t in range(len(terms)):
        weight = kind(coefficients[t] * cotangents[terms[t, 3]])
        _add_string(psi, lam, terms[t, 0], terms[t, 1], terms[t, 2], weight)


@_jit
def _fill_masks(masks):
    """Row t of masks [9, LANES], for t = 1, 2, 4, 8: -1 where the lane's bit t is 0, +1 where it is 1."""
    for bit in range(4):
        for lane in range(LANES):
            masks[1 << bit, lane] = 1 if lane >> bit & 1 else -1


@_jit
def _forward(psi, ops, pair_rows, unitaries, diagonals, cosines, sines, masks, table, copy):
    kind = psi.dtype.type
    psi[:] = 0
    psi[0, 0] = 1
    o = 0
    while o < len(ops):
        target, at = ops[o, 1], ops[o, 5]
        if ops[o, 0] == 4:
            _diagonal_rows(psi, diagonals, at * psi.shape[0], kind(1))
        elif ops[o, 0] == 1:
            _spread_angles(target, ops[o, 4], pair_rows, at, cosines, sines, table)
            _multiplex_rows(psi, target, ops[o, 4], table, kind(1), copy)
        elif target < LANES:
            _rotation_within(psi, target, kind(unitaries[at, 4]), unitaries[at, 6], masks, False)
        else:
            u = unitaries[at]
            following = ops[o + 1, 1] if o + 1 < len(ops) and ops[o + 1, 0] == 5 else 0
            if following >= LANES and following != target:
                o += 1
                v = unitaries[ops[o, 5]]
                two_rotations(psi, target // LANES, following // LANES, (kind(u[4]), kind(v[4])), (u[6], v[6]))
            else:
                rotation(psi, target // LANES, kind(u[4]), u[6])
        o += 1


@_jit
def _backward(
    psi, lam, ops, pair_rows, unitaries, diagonals, scales, cosines, sines, masks, table, copy, slopes, d_rows, measured
):
    kind = psi.dtype.type
    pending = 1.0
    o = len(ops) - 1
    while o >= 0:
        target, at = ops[o, 1], ops[o, 5]
        factor = pending * pending
        if ops[o, 0] == 4:
            _diagonal_rows(psi, diagonals, at * psi.shape[0], kind(-1))
            _diagonal_rows(lam, diagonals, at * psi.shape[0], kind(-1))
            pending /= scales[at]
        elif ops[o, 0] == 1:
            axis = ops[o, 4]
            _multiplex_slopes(psi, lam, target, axis, masks, slopes)
            _collect(target, axis, pair_rows, at, slopes, factor, d_rows)
            _spread_angles(target, axis, pair_rows, at, cosines, sines, table)
            _multiplex_rows(psi, target, axis, table, kind(-1), copy)
            _multiplex_rows(lam, target, axis, table, kind(-1), copy)
        else:
            ratio, which = kind(unitaries[at, 4]), unitaries[at, 6]
            if target < LANES:
                _pauli_within(psi, lam, target, masks, factor, measured[at])
                _rotation_within(psi, target, ratio, which, masks, True)
                _rotation_within(lam, target, ratio, which, masks, True)
            elif o > 0 and ops[o - 1, 0] == 5 and ops[o - 1, 1] != target and ops[o - 1, 1] >= LANES:
                o -= 1
                pending = undo_pair(
                    psi, lam, LANES, target, ops[o, 1], at, ops[o, 5], unitaries, pending, measured
                ) / unitaries[at, 5]  # fmt: skip
            else:
                unrotation(psi, lam, target // LANES, ratio, which, factor, measured[at])
            pending *= unitaries[at, 5]
        o -= 1


@_jit
def run_samples(
    first, last, mode, ints, numbers, inputs, unitaries, diagonals, scales, values, cotangents, d_inputs, measured
):  # fmt: skip
    """The samples first … last - 1, one after the other; see `kernels.evaluate`. No states are kept.

    diagonals are rows of LANES here.
    """
    ops, pair_rows = operations(ints)
    columns, row_scales = rows_of(ints, numbers)
    height = (2 << n_qubits_of(ints)) // LANES
    psi, lam, table = aligned(height, inputs), aligned(height, inputs), aligned(height, inputs)
    copy, slopes, masks = aligned(height, inputs), aligned(height // 2, inputs), aligned(9, inputs)
    n_blocks = (len(columns) + LANES - 1) // LANES
    cosines, sines = aligned(n_blocks, inputs).reshape(-1), aligned(n_blocks, inputs).reshape(-1)
    d_rows = np.empty(len(columns), inputs.dtype)
    _fill_masks(masks)
    finite = True
    for sample in range(first, last):
        finite = fill_flat(inputs[sample], columns, row_scales, cosines, sines) and finite
        _forward(psi, ops, pair_rows, unitaries, diagonals, cosines, sines, masks, table, copy)
        if mode != 2:
            _measure(psi, ints, numbers, masks, values[sample])
        if mode == 0:
            continue
        _adjoint(psi, lam, ints, numbers, masks, cotangents[sample])
        d_rows[:] = 0
        _backward(
            psi, lam, ops, pair_rows, unitaries, diagonals, scales, cosines, sines, masks, table, copy, slopes, d_rows,
            measured[sample],
        )  # fmt: skip
        for row in range(len(columns)):
            d_inputs[sample, columns[row]] += row_scales[row] * d_rows[row]
    return finite

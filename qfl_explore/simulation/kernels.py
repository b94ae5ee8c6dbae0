"""Compiled kernels of the batched engine: state vectors with the batch innermost.

A state is an array [2^(n+1), LANES]: rows 2i and 2i + 1 hold the real and imaginary part of
amplitude i for LANES samples side by side, so that every instruction works on a full vector
register and a chunk of a small circuit stays in the first-level cache. Every kernel releases
the GIL. Gradients are adjoint: one pass back through the circuit. Nothing here is compiled per
circuit.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

import math

import numba as nb
import numpy as np

from qfl_explore.simulation.simd import LANES, load, splat, store

_jit = nb.njit(nogil=True, cache=True)


@_jit
def _rotation(psi, target, ratio, which):
    """A real rotation up to its scale: one multiply-add for each real number."""
    t = splat(ratio)
    if which == 0:
        for base in range(0, psi.shape[0], 4 * target):
            for i in range(base, base + 2 * target):
                a, b = load(psi, i), load(psi, i + 2 * target)
                store(psi, i, a - t * b)
                store(psi, i + 2 * target, b + t * a)
    else:
        for base in range(0, psi.shape[0], 4 * target):
            for i in range(base, base + 2 * target):
                a, b = load(psi, i), load(psi, i + 2 * target)
                store(psi, i, t * a - b)
                store(psi, i + 2 * target, t * b + a)


@_jit
def _unrotation(psi, lam, target, ratio, which, zero, sums):
    """Undoes a rotation (up to its scale) on ψ and λ, after measuring X, Y, Z between them.

    Row k of sums: Im⟨λ|σ_k|ψ⟩, lane by lane.
    """
    x, y, z = splat(zero), splat(zero), splat(zero)
    t = splat(ratio)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            pr, pi, qr, qi = load(lam, i), load(lam, i + 1), load(lam, j), load(lam, j + 1)
            x = x + pr * bi - pi * br + qr * ai - qi * ar
            y = y + qr * ar + qi * ai - pr * br - pi * bi
            z = z + pr * ai - pi * ar - qr * bi + qi * br
            if which == 0:
                store(psi, i, ar + t * br)
                store(psi, i + 1, ai + t * bi)
                store(psi, j, br - t * ar)
                store(psi, j + 1, bi - t * ai)
                store(lam, i, pr + t * qr)
                store(lam, i + 1, pi + t * qi)
                store(lam, j, qr - t * pr)
                store(lam, j + 1, qi - t * pi)
            else:
                store(psi, i, t * ar + br)
                store(psi, i + 1, t * ai + bi)
                store(psi, j, t * br - ar)
                store(psi, j + 1, t * bi - ai)
                store(lam, i, t * pr + qr)
                store(lam, i + 1, t * pi + qi)
                store(lam, j, t * qr - pr)
                store(lam, j + 1, t * qi - pi)
    store(sums, 0, x)
    store(sums, 1, y)
    store(sums, 2, z)


@_jit
def _diagonal(psi, values, start):
    for i in range(0, psi.shape[0], 2):
        c, s = splat(values[start + i // 2, 0]), splat(values[start + i // 2, 1])
        a, b = load(psi, i), load(psi, i + 1)
        store(psi, i, c * a - s * b)
        store(psi, i + 1, c * b + s * a)


@_jit
def _turn(axis, ar, ai, br, bi, c, s):
    """A rotation of one pair, a different angle (cosine, sine) in every lane."""
    if axis == 1:
        return c * ar - s * br, c * ai - s * bi, c * br + s * ar, c * bi + s * ai
    if axis == 0:
        return c * ar + s * bi, c * ai - s * br, c * br + s * ai, c * bi - s * ar
    if axis == 2:
        return c * ar + s * ai, c * ai - s * ar, c * br - s * bi, c * bi + s * br
    return ar, ai, c * br - s * bi, c * bi + s * br


@_jit
def _multiplex(psi, target, axis, pair_rows, at, cosines, sines, first_row):
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            row = pair_rows[at]
            at += 1
            if row < 0:
                continue
            j = i + 2 * target
            c, s = load(cosines, first_row + row), load(sines, first_row + row)
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            ar, ai, br, bi = _turn(axis, ar, ai, br, bi, c, s)
            store(psi, i, ar)
            store(psi, i + 1, ai)
            store(psi, j, br)
            store(psi, j + 1, bi)


@_jit
def _unmultiplex(psi, lam, target, axis, pair_rows, at, cosines, sines, first_row, factor, d_rows):
    """Undoes a multiplexed rotation on ψ and λ, and adds factor · the slopes to d_rows."""
    scale, zero = splat(factor + factor), splat(factor - factor)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            row = pair_rows[at]
            at += 1
            if row < 0:
                continue
            j = i + 2 * target
            c, s = load(cosines, first_row + row), zero - load(sines, first_row + row)
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            pr, pi, qr, qi = load(lam, i), load(lam, i + 1), load(lam, j), load(lam, j + 1)
            if axis == 1:
                slope = qr * ar + qi * ai - pr * br - pi * bi
            elif axis == 0:
                slope = pr * bi - pi * br + qr * ai - qi * ar
            elif axis == 2:
                slope = pr * ai - pi * ar - qr * bi + qi * br
            else:
                slope = qi * br - qr * bi
            store(d_rows, row, load(d_rows, row) + scale * slope)
            ar, ai, br, bi = _turn(axis, ar, ai, br, bi, c, s)
            pr, pi, qr, qi = _turn(axis, pr, pi, qr, qi, c, s)
            store(psi, i, ar)
            store(psi, i + 1, ai)
            store(psi, j, br)
            store(psi, j + 1, bi)
            store(lam, i, pr)
            store(lam, i + 1, pi)
            store(lam, j, qr)
            store(lam, j + 1, qi)


@_jit
def _flip(psi, target, mask, value):
    for base in range(0, psi.shape[0] // 2, 2 * target):
        for i in range(base, base + target):
            if i & mask == value:
                j = i + target
                ar, ai, br, bi = load(psi, 2 * i), load(psi, 2 * i + 1), load(psi, 2 * j), load(psi, 2 * j + 1)
                store(psi, 2 * i, br)
                store(psi, 2 * i + 1, bi)
                store(psi, 2 * j, ar)
                store(psi, 2 * j + 1, ai)


@_jit
def _controlled(psi, target, mask, value, u, m, sign):
    """A controlled 2x2 matrix (sign = 1), or its inverse (sign = -1)."""
    swap = sign < 0
    u0, u1, u6, u7 = splat(u[m, 0]), splat(sign * u[m, 1]), splat(u[m, 6]), splat(sign * u[m, 7])
    u2, u3 = splat(u[m, 4] if swap else u[m, 2]), splat(sign * (u[m, 5] if swap else u[m, 3]))
    u4, u5 = splat(u[m, 2] if swap else u[m, 4]), splat(sign * (u[m, 3] if swap else u[m, 5]))
    for base in range(0, psi.shape[0] // 2, 2 * target):
        for i in range(base, base + target):
            if i & mask == value:
                j = i + target
                ar, ai, br, bi = load(psi, 2 * i), load(psi, 2 * i + 1), load(psi, 2 * j), load(psi, 2 * j + 1)
                store(psi, 2 * i, u0 * ar - u1 * ai + u2 * br - u3 * bi)
                store(psi, 2 * i + 1, u0 * ai + u1 * ar + u2 * bi + u3 * br)
                store(psi, 2 * j, u4 * ar - u5 * ai + u6 * br - u7 * bi)
                store(psi, 2 * j + 1, u4 * ai + u5 * ar + u6 * bi + u7 * br)


@_jit
def _environment(psi, lam, target, mask, value, row, zero, sums):
    """Row 0 of sums: real, row 1: imaginary part of Σ conj(λ[a]) ψ[b] with (a, b) from row."""
    real, imaginary = splat(zero), splat(zero)
    for base in range(0, psi.shape[0] // 2, 2 * target):
        for i in range(base, base + target):
            if i & mask == value:
                a = 2 * (i + target * (row >> 1))
                b = 2 * (i + target * (row & 1))
                pr, pi, br, bi = load(lam, a), load(lam, a + 1), load(psi, b), load(psi, b + 1)
                real = real + pr * br + pi * bi
                imaginary = imaginary + pr * bi - pi * br
    store(sums, 0, real)
    store(sums, 1, imaginary)


@_jit
def _odd(bits):
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    bits ^= bits >> 2
    bits ^= bits >> 1
    return bits & 1


@_jit
def _measure(psi, x, z, y, zero, sums):
    """Row 0 of sums: ⟨ψ|P|ψ⟩ for the Pauli string with masks x, z and y factors Y."""
    total = splat(zero)
    half = psi.shape[0] // 2
    if x == 0:
        for i in range(half):
            a, b = load(psi, 2 * i), load(psi, 2 * i + 1)
            if _odd(i & z):
                total = total - a * a - b * b
            else:
                total = total + a * a + b * b
        store(sums, 0, total)
        return
    top = x
    while top & (top - 1):
        top &= top - 1
    for i in range(half):
        if i & top:
            continue
        j = i ^ x
        ar, ai, br, bi = load(psi, 2 * i), load(psi, 2 * i + 1), load(psi, 2 * j), load(psi, 2 * j + 1)
        part = br * ai - bi * ar if y & 1 else br * ar + bi * ai
        if _odd(i & z) ^ ((y + 1) >> 1 & 1):
            total = total - part
        else:
            total = total + part
    store(sums, 0, total + total)


@_jit
def _add_observable(psi, lam, x, z, y, weight):
    """λ += weight · P ψ, a weight in every lane (row 0 of weight)."""
    w = load(weight, 0)
    minus = w - w - w
    for i in range(psi.shape[0] // 2):
        j = i ^ x
        c = minus if _odd(i & z) ^ (y >> 1 & 1) else w
        a, b = load(psi, 2 * i), load(psi, 2 * i + 1)
        p, q = load(lam, 2 * j), load(lam, 2 * j + 1)
        if y & 1:  # times i
            store(lam, 2 * j, p - c * b)
            store(lam, 2 * j + 1, q + c * a)
        else:
            store(lam, 2 * j, p + c * a)
            store(lam, 2 * j + 1, q + c * b)


@_jit
def _forward(psi, ops, euler, matrices, diagonals, pair_rows, cosines, sines, first_row):
    psi[:] = 0
    psi[0, :] = 1
    size = psi.shape[0] // 2
    for o in range(len(ops)):
        kind, target, at = ops[o, 0], ops[o, 1], ops[o, 5]
        if kind == 5:
            _rotation(psi, target, euler[at, 2], euler[at, 4])
        elif kind == 4:
            _diagonal(psi, diagonals, at * size)
        elif kind == 1:
            _multiplex(psi, target, ops[o, 4], pair_rows, at, cosines, sines, first_row)
        elif kind == 2:
            _flip(psi, target, ops[o, 2], ops[o, 3])
        else:
            _controlled(psi, target, ops[o, 2], ops[o, 3], matrices, at, euler.dtype.type(1))


@_jit
def _backward(
    psi, lam, ops, euler, matrices, diagonals, scales, pair_rows, cosines, sines, first_row, sums, d_rows, measured
):
    size = psi.shape[0] // 2
    one = euler.dtype.type(1)
    zero = one - one
    pending = one  # ψ and λ are 1 / pending of what they should be, until the next diagonal
    for o in range(len(ops) - 1, -1, -1):
        kind, target, at = ops[o, 0], ops[o, 1], ops[o, 5]
        if kind == 5:
            _unrotation(psi, lam, target, euler[at, 2], euler[at, 4], zero, sums)
            for k in range(3):
                measured[at, k] = sums[k].sum() * pending * pending
            pending *= euler[at, 3]
        elif kind == 4:
            _diagonal(psi, diagonals, at * size)
            _diagonal(lam, diagonals, at * size)
            pending /= scales[at]
        elif kind == 1:
            factor = pending * pending
            _unmultiplex(psi, lam, target, ops[o, 4], pair_rows, at, cosines, sines, first_row, factor, d_rows)
        elif kind == 2:
            _flip(psi, target, ops[o, 2], ops[o, 3])
            _flip(lam, target, ops[o, 2], ops[o, 3])
        else:
            _controlled(psi, target, ops[o, 2], ops[o, 3], matrices, at, -one)
            for row in range(4):
                _environment(psi, lam, target, ops[o, 2], ops[o, 3], row, zero, sums)
                measured[at, 2 * row] = sums[0].sum() * pending * pending
                measured[at, 2 * row + 1] = sums[1].sum() * pending * pending
            _controlled(lam, target, ops[o, 2], ops[o, 3], matrices, at, -one)


@_jit
def _aligned(n_rows, like):
    """An uninitialised [n_rows, LANES] array that starts at a cache line."""
    raw = np.empty((n_rows + 8) * LANES, like.dtype)
    skip = (-raw.ctypes.data % 64) // raw.itemsize
    return raw[skip : skip + n_rows * LANES].reshape(n_rows, LANES)


@_jit
def _measure_all(psi, begin, count, terms, coefficients, sums, out):
    zero = sums.dtype.type(0)
    for t in range(len(terms)):
        _measure(psi, terms[t, 0], terms[t, 1], terms[t, 2], zero, sums)
        for lane in range(count):
            out[begin + lane, terms[t, 3]] += coefficients[t] * sums[0, lane]


@_jit
def run_values(
    first, last, n_samples, n_qubits, n_rows, ops, euler, matrices, diagonals, pair_rows, cosines, sines,
    terms, coefficients, out, states,
):  # fmt: skip
    """Expectation values of the chunks first … last - 1, added to out [B, K].

    states [n_chunks, 2^(n+1), LANES] keeps the final states; empty: they are not kept.
    """
    psi, sums = _aligned(2 << n_qubits, euler), _aligned(3, euler)
    for chunk in range(first, last):
        begin = chunk * LANES
        if len(states):
            psi = states[chunk]
        _forward(psi, ops, euler, matrices, diagonals, pair_rows, cosines, sines, chunk * n_rows)
        _measure_all(psi, begin, min(LANES, n_samples - begin), terms, coefficients, sums, out)


@_jit
def run_gradients(
    first, last, n_samples, n_qubits, n_rows, ops, euler, matrices, diagonals, pair_rows, cosines, sines,
    terms, coefficients, out, states, cotangents, undo, scales, row_features, row_scales, d_features, measured,
):  # fmt: skip
    """Values (as run_values), d_features [B, F], and measured [n_chunks, n_matrices, 8].

    Where states are kept from run_values, the way forward is not gone again.
    """
    psi, lam, sums = _aligned(2 << n_qubits, euler), _aligned(2 << n_qubits, euler), _aligned(3, euler)
    d_rows = _aligned(n_rows, euler)
    for chunk in range(first, last):
        begin = chunk * LANES
        count = min(LANES, n_samples - begin)
        if len(states):
            psi[:] = states[chunk]
        else:
            _forward(psi, ops, euler, matrices, diagonals, pair_rows, cosines, sines, chunk * n_rows)
            _measure_all(psi, begin, count, terms, coefficients, sums, out)
        lam[:] = 0
        d_rows[:] = 0
        for t in range(len(terms)):
            sums[0, :] = 0
            for lane in range(count):
                sums[0, lane] = coefficients[t] * cotangents[begin + lane, terms[t, 3]]
            _add_observable(psi, lam, terms[t, 0], terms[t, 1], terms[t, 2], sums)
        _backward(
            psi, lam, ops, euler, matrices, undo, scales, pair_rows, cosines, sines, chunk * n_rows, sums, d_rows,
            measured[chunk],
        )  # fmt: skip
        for row in range(n_rows):
            for lane in range(count):
                d_features[begin + lane, row_features[row]] += row_scales[row] * d_rows[row, lane]


@_jit
def fill_angles(inputs, row_features, row_scales, cosines, sines):
    """Cosines and sines [n_chunks · n_rows, LANES]; the last sample fills the lanes left over."""
    n_rows, last = len(row_features), len(inputs) - 1
    for i in range(len(cosines)):
        chunk, row = i // n_rows, i % n_rows
        for lane in range(LANES):
            angle = row_scales[row] * inputs[min(chunk * LANES + lane, last), row_features[row]]
            cosines[i, lane] = math.cos(angle)
            sines[i, lane] = math.sin(angle)

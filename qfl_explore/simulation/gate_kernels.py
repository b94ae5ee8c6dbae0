"""Compiled kernels that apply one operation to a state, and undo it on the way back.

A state is an array [2^(n+1), LANES]: rows 2i and 2i + 1 hold the real and imaginary part of
amplitude i for LANES samples side by side. ψ is the state and λ its adjoint; on the way back both
go through the inverse of an operation, and what lies between them is its gradient.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

import numba as nb

from qfl_explore.simulation.simd import load, splat, store, total

_jit = nb.njit(nogil=True, cache=True)
_inline = nb.njit(nogil=True, cache=True, inline="always")


@_inline
def _spin(a, b, t, which):
    """A real rotation up to its scale: one multiply-add for each real number."""
    if which == 0:
        return a - t * b, b + t * a
    return t * a - b, t * b + a


@_inline
def _unspin(a, b, t, which):
    if which == 0:
        return a + t * b, b - t * a
    return t * a + b, t * b - a


@_jit
def pauli_sums(x, y, z, ar, ai, br, bi, pr, pi, qr, qi):
    """Adds Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|Z|ψ⟩ of one pair, ψ = (a, b) and λ = (p, q), to x, y, z."""
    x = x + pr * bi - pi * br + qr * ai - qi * ar
    y = y + qr * ar + qi * ai - pr * br - pi * bi
    z = z + pr * ai - pi * ar - qr * bi + qi * br
    return x, y, z


@_jit
def keep_sums(x, y, z, factor, measured):
    """measured[0:3] = factor · the sums over all lanes."""
    measured[0], measured[1], measured[2] = total(x) * factor, total(y) * factor, total(z) * factor


@_inline
def _rotate_pairs(psi, target, t, which):
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target):
            a, b = _spin(load(psi, i), load(psi, i + 2 * target), t, which)
            store(psi, i, a)
            store(psi, i + 2 * target, b)


@_jit
def rotation(psi, target, ratio, which):
    """A rotation up to its scale, see `gates.prepare`."""
    t = splat(ratio)
    if which == 0:
        _rotate_pairs(psi, target, t, 0)
    else:
        _rotate_pairs(psi, target, t, 1)


@_inline
def _rotate_quartets(psi, high, low, t, u, which_high, which_low):
    for outer in range(0, psi.shape[0], 4 * high):
        for base in range(outer, outer + 2 * high, 4 * low):
            for i in range(base, base + 2 * low):
                j, k, m = i + 2 * low, i + 2 * high, i + 2 * high + 2 * low
                a, b, c, d = load(psi, i), load(psi, j), load(psi, k), load(psi, m)
                a, c = _spin(a, c, t, which_high)
                b, d = _spin(b, d, t, which_high)
                a, b = _spin(a, b, u, which_low)
                c, d = _spin(c, d, u, which_low)
                store(psi, i, a)
                store(psi, j, b)
                store(psi, k, c)
                store(psi, m, d)


@_jit
def two_rotations(psi, first, second, ratios, kinds):
    """Rotations of two qubits in one pass over the state; ratios and kinds: of first and second."""
    high, low, a, b = (first, second, 0, 1) if first > second else (second, first, 1, 0)
    t, u = splat(ratios[a]), splat(ratios[b])
    if kinds[a] == 0 and kinds[b] == 0:
        _rotate_quartets(psi, high, low, t, u, 0, 0)
    elif kinds[a] == 0:
        _rotate_quartets(psi, high, low, t, u, 0, 1)
    elif kinds[b] == 0:
        _rotate_quartets(psi, high, low, t, u, 1, 0)
    else:
        _rotate_quartets(psi, high, low, t, u, 1, 1)


@_inline
def _unrotate_pairs(psi, lam, target, t, which, zero, factor, measured):
    x, y, z = splat(zero), splat(zero), splat(zero)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            pr, pi, qr, qi = load(lam, i), load(lam, i + 1), load(lam, j), load(lam, j + 1)
            x, y, z = pauli_sums(x, y, z, ar, ai, br, bi, pr, pi, qr, qi)
            ar, br = _unspin(ar, br, t, which)
            ai, bi = _unspin(ai, bi, t, which)
            pr, qr = _unspin(pr, qr, t, which)
            pi, qi = _unspin(pi, qi, t, which)
            store(psi, i, ar)
            store(psi, i + 1, ai)
            store(psi, j, br)
            store(psi, j + 1, bi)
            store(lam, i, pr)
            store(lam, i + 1, pi)
            store(lam, j, qr)
            store(lam, j + 1, qi)
    keep_sums(x, y, z, factor, measured)


@_jit
def unrotation(psi, lam, target, ratio, which, factor, measured):
    """Undoes a rotation (up to its scale) on ψ and λ, after measuring factor · X, Y, Z between them."""
    zero = ratio - ratio
    if which == 0:
        _unrotate_pairs(psi, lam, target, splat(ratio), 0, zero, factor, measured)
    else:
        _unrotate_pairs(psi, lam, target, splat(ratio), 1, zero, factor, measured)


@_inline
def _unrotate_quartets(psi, lam, high, low, t, u, which_high, which_low, zero, factors, measured_high, measured_low):
    x, y, z, v, w, s = splat(zero), splat(zero), splat(zero), splat(zero), splat(zero), splat(zero)
    for outer in range(0, psi.shape[0], 4 * high):
        for base in range(outer, outer + 2 * high, 4 * low):
            for i in range(base, base + 2 * low, 2):
                j, k, m = i + 2 * low, i + 2 * high, i + 2 * high + 2 * low
                ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
                cr, ci, dr, di = load(psi, k), load(psi, k + 1), load(psi, m), load(psi, m + 1)
                er, ei, fr, fi = load(lam, i), load(lam, i + 1), load(lam, j), load(lam, j + 1)
                gr, gi, hr, hi = load(lam, k), load(lam, k + 1), load(lam, m), load(lam, m + 1)
                x, y, z = pauli_sums(x, y, z, ar, ai, cr, ci, er, ei, gr, gi)
                x, y, z = pauli_sums(x, y, z, br, bi, dr, di, fr, fi, hr, hi)
                ar, cr = _unspin(ar, cr, t, which_high)
                ai, ci = _unspin(ai, ci, t, which_high)
                br, dr = _unspin(br, dr, t, which_high)
                bi, di = _unspin(bi, di, t, which_high)
                er, gr = _unspin(er, gr, t, which_high)
                ei, gi = _unspin(ei, gi, t, which_high)
                fr, hr = _unspin(fr, hr, t, which_high)
                fi, hi = _unspin(fi, hi, t, which_high)
                v, w, s = pauli_sums(v, w, s, ar, ai, br, bi, er, ei, fr, fi)
                v, w, s = pauli_sums(v, w, s, cr, ci, dr, di, gr, gi, hr, hi)
                ar, br = _unspin(ar, br, u, which_low)
                ai, bi = _unspin(ai, bi, u, which_low)
                cr, dr = _unspin(cr, dr, u, which_low)
                ci, di = _unspin(ci, di, u, which_low)
                er, fr = _unspin(er, fr, u, which_low)
                ei, fi = _unspin(ei, fi, u, which_low)
                gr, hr = _unspin(gr, hr, u, which_low)
                gi, hi = _unspin(gi, hi, u, which_low)
                store(psi, i, ar)
                store(psi, i + 1, ai)
                store(psi, j, br)
                store(psi, j + 1, bi)
                store(psi, k, cr)
                store(psi, k + 1, ci)
                store(psi, m, dr)
                store(psi, m + 1, di)
                store(lam, i, er)
                store(lam, i + 1, ei)
                store(lam, j, fr)
                store(lam, j + 1, fi)
                store(lam, k, gr)
                store(lam, k + 1, gi)
                store(lam, m, hr)
                store(lam, m + 1, hi)
    keep_sums(x, y, z, factors[0], measured_high)
    keep_sums(v, w, s, factors[1], measured_low)


@_jit
def two_unrotations(psi, lam, targets, ratios, kinds, factors, high, low):
    """Undoes rotations of two qubits in one pass, the higher one first.

    Everything is (higher, lower): targets, ratios, kinds and the factors of what is measured; high
    and low are the rows of ``measured`` that take it.
    """
    zero = ratios[0] - ratios[0]
    t, u = splat(ratios[0]), splat(ratios[1])
    a, b = targets
    if kinds[0] == 0 and kinds[1] == 0:
        _unrotate_quartets(psi, lam, a, b, t, u, 0, 0, zero, factors, high, low)
    elif kinds[0] == 0:
        _unrotate_quartets(psi, lam, a, b, t, u, 0, 1, zero, factors, high, low)
    elif kinds[1] == 0:
        _unrotate_quartets(psi, lam, a, b, t, u, 1, 0, zero, factors, high, low)
    else:
        _unrotate_quartets(psi, lam, a, b, t, u, 1, 1, zero, factors, high, low)


@_jit
def undo_pair(psi, lam, scale_of_target, first, second, at_first, at_second, unitaries, pending, measured):
    """Undoes the rotations ``first`` and then ``second`` of two qubits; returns the pending factor after both.

    scale_of_target: the target divided by it counts pairs of rows.
    """
    kind = psi.dtype.type
    if first < second:
        first, second, at_first, at_second = second, first, at_second, at_first
    u, v = unitaries[at_first], unitaries[at_second]
    after = pending * u[5]
    two_unrotations(
        psi, lam, (first // scale_of_target, second // scale_of_target), (kind(u[4]), kind(v[4])), (u[6], v[6]),
        (pending * pending, after * after), measured[at_first], measured[at_second],
    )  # fmt: skip
    return after * v[5]


@_jit
def diagonal(psi, values, start):
    """A diagonal, (real, imaginary) by amplitude from row ``start`` of values on."""
    for i in range(0, psi.shape[0], 2):
        c, s = splat(values[start + i // 2, 0]), splat(values[start + i // 2, 1])
        a, b = load(psi, i), load(psi, i + 1)
        store(psi, i, c * a - s * b)
        store(psi, i + 1, c * b + s * a)


@_jit
def undiagonal(psi, lam, values, start):
    """The conjugate of a diagonal on ψ and λ."""
    for i in range(0, psi.shape[0], 2):
        c, s = splat(values[start + i // 2, 0]), splat(values[start + i // 2, 1])
        a, b, p, q = load(psi, i), load(psi, i + 1), load(lam, i), load(lam, i + 1)
        store(psi, i, c * a + s * b)
        store(psi, i + 1, c * b - s * a)
        store(lam, i, c * p + s * q)
        store(lam, i + 1, c * q - s * p)


@_jit
def turn(axis, ar, ai, br, bi, c, s):
    """A rotation of one pair, a different angle (cosine, sine) in every lane."""
    if axis == 1:
        return c * ar - s * br, c * ai - s * bi, c * br + s * ar, c * bi + s * ai
    if axis == 0:
        return c * ar + s * bi, c * ai - s * br, c * br + s * ai, c * bi - s * ar
    if axis == 2:
        return c * ar + s * ai, c * ai - s * ar, c * br - s * bi, c * bi + s * br
    return ar, ai, c * br - s * bi, c * bi + s * br


@_jit
def multiplex(psi, target, axis, pair_rows, at, cosines, sines):
    """A multiplexed rotation: pair after pair takes the angle that pair_rows[at …] names, -1: none."""
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            row = pair_rows[at]
            at += 1
            if row < 0:
                continue
            j = i + 2 * target
            c, s = load(cosines, row), load(sines, row)
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            ar, ai, br, bi = turn(axis, ar, ai, br, bi, c, s)
            store(psi, i, ar)
            store(psi, i + 1, ai)
            store(psi, j, br)
            store(psi, j + 1, bi)


@_jit
def unmultiplex(psi, lam, target, axis, pair_rows, at, cosines, sines, factor, d_rows):
    """Undoes a multiplexed rotation on ψ and λ, and adds factor · the slopes to d_rows."""
    scale, zero = splat(factor + factor), splat(factor - factor)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            row = pair_rows[at]
            at += 1
            if row < 0:
                continue
            j = i + 2 * target
            c, s = load(cosines, row), zero - load(sines, row)
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
            ar, ai, br, bi = turn(axis, ar, ai, br, bi, c, s)
            pr, pi, qr, qi = turn(axis, pr, pi, qr, qi, c, s)
            store(psi, i, ar)
            store(psi, i + 1, ai)
            store(psi, j, br)
            store(psi, j + 1, bi)
            store(lam, i, pr)
            store(lam, i + 1, pi)
            store(lam, j, qr)
            store(lam, j + 1, qi)


@_jit
def flip(psi, target, mask, value):
    """X on the target where the bits of mask read value; its own inverse."""
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
def controlled(psi, target, mask, value, unitary, sign):
    """A controlled 2x2 matrix (sign = 1), or its inverse (sign = -1); unitary: 8 reals."""
    u, kind = unitary, psi.dtype.type
    b, c = (4, 2) if sign < 0 else (2, 4)
    u0, u1, u6, u7 = splat(kind(u[0])), splat(kind(sign * u[1])), splat(kind(u[6])), splat(kind(sign * u[7]))
    u2, u3, u4, u5 = (
        splat(kind(u[b])), splat(kind(sign * u[b + 1])), splat(kind(u[c])), splat(kind(sign * u[c + 1])),
    )  # fmt: skip
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
def environment(psi, lam, target, mask, value, factor, measured):
    """measured[2r], measured[2r + 1]: factor · Σ conj(λ[a]) ψ[b], where row r of a matrix's entries is (a, b)."""
    zero = psi.dtype.type(0)
    for row in range(4):
        real, imaginary = splat(zero), splat(zero)
        for base in range(0, psi.shape[0] // 2, 2 * target):
            for i in range(base, base + target):
                if i & mask == value:
                    a = 2 * (i + target * (row >> 1))
                    b = 2 * (i + target * (row & 1))
                    pr, pi, br, bi = load(lam, a), load(lam, a + 1), load(psi, b), load(psi, b + 1)
                    real = real + pr * br + pi * bi
                    imaginary = imaginary + pr * bi - pi * br
        measured[2 * row], measured[2 * row + 1] = total(real) * factor, total(imaginary) * factor

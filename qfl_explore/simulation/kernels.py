"""Compiled kernels of the batched engine: state vectors with the batch innermost.

A state is two arrays [2^n, LANES] (real, imaginary): LANES samples side by side fill the
processor's vector registers, and a chunk of a small circuit stays in the first-level cache.
Every kernel releases the GIL. Gradients are adjoint: one pass back through the circuit.
Nothing here is compiled per circuit.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

LANES = 16

_jit = nb.njit(nogil=True, fastmath=True, cache=True)


@_jit
def build_matrices(starts, axes, weight_index, scales, fixed, weights, matrices):
    """matrices[m] = product of the gates of m, first gate applied first (complex128)."""
    for m in range(len(starts) - 1):
        a, b, c, d = 1.0 + 0j, 0j, 0j, 1.0 + 0j
        for g in range(starts[m], starts[m + 1]):
            p, q, r, s = _gate(axes[g], scales[g] * weights[weight_index[g]], fixed[g])
            a, b, c, d = p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d
        matrices[m, 0, 0], matrices[m, 0, 1], matrices[m, 1, 0], matrices[m, 1, 1] = a, b, c, d


@_jit
def _gate(axis, angle, fixed):
    if axis == 4:
        return fixed[0, 0], fixed[0, 1], fixed[1, 0], fixed[1, 1]
    if axis == 3:
        return 1.0 + 0j, 0j, 0j, complex(math.cos(angle), math.sin(angle))
    c, s = math.cos(0.5 * angle), math.sin(0.5 * angle)
    if axis == 0:
        return complex(c, 0.0), complex(0.0, -s), complex(0.0, -s), complex(c, 0.0)
    if axis == 1:
        return complex(c, 0.0), complex(-s, 0.0), complex(s, 0.0), complex(c, 0.0)
    return complex(c, -s), 0j, 0j, complex(c, s)


@_jit
def weight_gradients(starts, axes, weight_index, scales, fixed, weights, environments, out):
    """Adds d/dweight from environments[m, a, b] = Σ conj(λ_after[a]) ψ_before[b]."""
    for m in range(len(starts) - 1):
        # carry = E U_done, so that 2 Re tr(carry^T dG) is the derivative of the gate reached
        first, last = starts[m], starts[m + 1]
        for g in range(first, last):
            if axes[g] == 4:
                continue
            # ψ just before gate g, and λ just after it, folded into a 2x2 environment
            a, b, c, d = 1.0 + 0j, 0j, 0j, 1.0 + 0j
            for h in range(first, g):
                p, q, r, s = _gate(axes[h], scales[h] * weights[weight_index[h]], fixed[h])
                a, b, c, d = p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d
            p, q, r, s = _derivative(axes[g], scales[g] * weights[weight_index[g]])
            a, b, c, d = p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d
            for h in range(g + 1, last):
                p, q, r, s = _gate(axes[h], scales[h] * weights[weight_index[h]], fixed[h])
                a, b, c, d = p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d
            e = environments[m]
            total = e[0, 0] * a + e[0, 1] * b + e[1, 0] * c + e[1, 1] * d
            out[weight_index[g]] += 2.0 * scales[g] * total.real


@_jit
def _derivative(axis, angle):
    if axis == 3:
        return 0j, 0j, 0j, complex(-math.sin(angle), math.cos(angle))
    c, s = 0.5 * math.cos(0.5 * angle), 0.5 * math.sin(0.5 * angle)
    if axis == 0:
        return complex(-s, 0.0), complex(0.0, -c), complex(0.0, -c), complex(-s, 0.0)
    if axis == 1:
        return complex(-s, 0.0), complex(-c, 0.0), complex(c, 0.0), complex(-s, 0.0)
    return complex(-s, -c), 0j, 0j, complex(-s, c)


@_jit
def _apply_matrix(re, im, target, mask, value, u):
    u0, u1, u2, u3, u4, u5, u6, u7 = u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7]
    for base in range(0, re.shape[0], 2 * target):
        for i in range(base, base + target):
            if i & mask != value:
                continue
            j = i + target
            for lane in range(LANES):
                ar, ai, br, bi = re[i, lane], im[i, lane], re[j, lane], im[j, lane]
                re[i, lane] = u0 * ar - u1 * ai + u2 * br - u3 * bi
                im[i, lane] = u0 * ai + u1 * ar + u2 * bi + u3 * br
                re[j, lane] = u4 * ar - u5 * ai + u6 * br - u7 * bi
                im[j, lane] = u4 * ai + u5 * ar + u6 * bi + u7 * br


@_jit
def _unapply_matrix(re, im, lre, lim, target, mask, value, u, env):
    """ψ ← U†ψ, λ ← U†λ, env += conj(λ_after[a]) ψ_before[b], lane by lane."""
    u0, u1, u2, u3, u4, u5, u6, u7 = u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7]
    for base in range(0, re.shape[0], 2 * target):
        for i in range(base, base + target):
            if i & mask != value:
                continue
            j = i + target
            for lane in range(LANES):
                ar, ai, br, bi = re[i, lane], im[i, lane], re[j, lane], im[j, lane]
                xr, xi, yr, yi = lre[i, lane], lim[i, lane], lre[j, lane], lim[j, lane]
                cr = u0 * ar + u1 * ai + u4 * br + u5 * bi
                ci = u0 * ai - u1 * ar + u4 * bi - u5 * br
                dr = u2 * ar + u3 * ai + u6 * br + u7 * bi
                di = u2 * ai - u3 * ar + u6 * bi - u7 * br
                re[i, lane], im[i, lane], re[j, lane], im[j, lane] = cr, ci, dr, di
                env[0, lane] += xr * cr + xi * ci
                env[1, lane] += xr * ci - xi * cr
                env[2, lane] += xr * dr + xi * di
                env[3, lane] += xr * di - xi * dr
                env[4, lane] += yr * cr + yi * ci
                env[5, lane] += yr * ci - yi * cr
                env[6, lane] += yr * dr + yi * di
                env[7, lane] += yr * di - yi * dr
                lre[i, lane] = u0 * xr + u1 * xi + u4 * yr + u5 * yi
                lim[i, lane] = u0 * xi - u1 * xr + u4 * yi - u5 * yr
                lre[j, lane] = u2 * xr + u3 * xi + u6 * yr + u7 * yi
                lim[j, lane] = u2 * xi - u3 * xr + u6 * yi - u7 * yr


@_jit
def _rotate_pair(re, im, i, j, axis, c, s, sign):
    """One multiplexed rotation on the pair (i, j), a different angle in every lane."""
    if axis == 1:
        for lane in range(LANES):
            ar, ai, br, bi = re[i, lane], im[i, lane], re[j, lane], im[j, lane]
            cl, sl = c[lane], sign * s[lane]
            re[i, lane] = cl * ar - sl * br
            im[i, lane] = cl * ai - sl * bi
            re[j, lane] = sl * ar + cl * br
            im[j, lane] = sl * ai + cl * bi
    elif axis == 0:
        for lane in range(LANES):
            ar, ai, br, bi = re[i, lane], im[i, lane], re[j, lane], im[j, lane]
            cl, sl = c[lane], sign * s[lane]
            re[i, lane] = cl * ar + sl * bi
            im[i, lane] = cl * ai - sl * br
            re[j, lane] = cl * br + sl * ai
            im[j, lane] = cl * bi - sl * ar
    elif axis == 2:
        for lane in range(LANES):
            ar, ai, br, bi = re[i, lane], im[i, lane], re[j, lane], im[j, lane]
            cl, sl = c[lane], sign * s[lane]
            re[i, lane] = cl * ar + sl * ai
            im[i, lane] = cl * ai - sl * ar
            re[j, lane] = cl * br - sl * bi
            im[j, lane] = cl * bi + sl * br
    else:
        for lane in range(LANES):
            br, bi = re[j, lane], im[j, lane]
            cl, sl = c[lane], sign * s[lane]
            re[j, lane] = cl * br - sl * bi
            im[j, lane] = cl * bi + sl * br


@_jit
def _pair_gradient(re, im, lre, lim, i, j, axis, out):
    """out += d/d(stored angle) of one pair, from ψ and λ after the rotation."""
    if axis == 1:
        for lane in range(LANES):
            out[lane] += 2 * (
                lre[j, lane] * re[i, lane]
                + lim[j, lane] * im[i, lane]
                - lre[i, lane] * re[j, lane]
                - lim[i, lane] * im[j, lane]
            )
    elif axis == 0:
        for lane in range(LANES):
            out[lane] += 2 * (
                lre[i, lane] * im[j, lane]
                - lim[i, lane] * re[j, lane]
                + lre[j, lane] * im[i, lane]
                - lim[j, lane] * re[i, lane]
            )
    elif axis == 2:
        for lane in range(LANES):
            out[lane] += 2 * (
                lre[i, lane] * im[i, lane]
                - lim[i, lane] * re[i, lane]
                - lre[j, lane] * im[j, lane]
                + lim[j, lane] * re[j, lane]
            )
    else:
        for lane in range(LANES):
            out[lane] += 2 * (lim[j, lane] * re[j, lane] - lre[j, lane] * im[j, lane])


@_jit
def _multiplex(re, im, target, axis, rows, c, s):
    pair = 0
    for base in range(0, re.shape[0], 2 * target):
        for i in range(base, base + target):
            row = rows[pair]
            pair += 1
            if row >= 0:
                _rotate_pair(re, im, i, i + target, axis, c[row], s[row], c.dtype.type(1))


@_jit
def _unmultiplex(re, im, lre, lim, target, axis, rows, c, s, d_rows):
    pair = 0
    for base in range(0, re.shape[0], 2 * target):
        for i in range(base, base + target):
            row = rows[pair]
            pair += 1
            if row >= 0:
                _pair_gradient(re, im, lre, lim, i, i + target, axis, d_rows[row])
                _rotate_pair(re, im, i, i + target, axis, c[row], s[row], c.dtype.type(-1))
                _rotate_pair(lre, lim, i, i + target, axis, c[row], s[row], c.dtype.type(-1))


@_jit
def _sign(re, im, signs):
    for i in range(re.shape[0]):
        if signs[i] < 0:
            for lane in range(LANES):
                re[i, lane] = -re[i, lane]
                im[i, lane] = -im[i, lane]


@_jit
def _flip(re, im, target, mask, value):
    for base in range(0, re.shape[0], 2 * target):
        for i in range(base, base + target):
            if i & mask == value:
                j = i + target
                for lane in range(LANES):
                    re[i, lane], re[j, lane] = re[j, lane], re[i, lane]
                    im[i, lane], im[j, lane] = im[j, lane], im[i, lane]


@_jit
def _forward(re, im, kinds, targets, masks, values, axes, offsets, matrices, pair_rows, signs, c, s):
    half = re.shape[0] // 2
    re[:] = 0
    im[:] = 0
    re[0, :] = 1
    for op in range(len(kinds)):
        kind, target, at = kinds[op], targets[op], offsets[op]
        if kind == 0:
            _apply_matrix(re, im, target, masks[op], values[op], matrices[at])
        elif kind == 1:
            _multiplex(re, im, target, axes[op], pair_rows[at : at + half], c, s)
        elif kind == 2:
            _sign(re, im, signs[at : at + 2 * half])
        else:
            _flip(re, im, target, masks[op], values[op])


@_jit
def _parity(bits):
    odd = 0
    while bits:
        bits &= bits - 1
        odd ^= 1
    return odd


@_jit
def _measure(re, im, x, z, y, out):
    """out[lane] = ⟨ψ|P|ψ⟩ for the Pauli string with masks x, z and y factors Y."""
    out[:] = 0
    if x == 0:
        for i in range(re.shape[0]):
            sign = re.dtype.type(1 - 2 * _parity(i & z))
            for lane in range(LANES):
                out[lane] += sign * (re[i, lane] * re[i, lane] + im[i, lane] * im[i, lane])
        return
    top = x
    while top & (top - 1):
        top &= top - 1
    turn = re.dtype.type(2 if y % 4 < 1 or y % 4 > 2 else -2)  # Re of i^y t, up to which part is taken
    for i in range(re.shape[0]):
        if i & top:
            continue
        j = i ^ x
        sign = turn * re.dtype.type(1 - 2 * _parity(i & z))
        if y & 1:
            for lane in range(LANES):
                out[lane] += sign * (re[j, lane] * im[i, lane] - im[j, lane] * re[i, lane])
        else:
            for lane in range(LANES):
                out[lane] += sign * (re[j, lane] * re[i, lane] + im[j, lane] * im[i, lane])


@_jit
def _add_observable(re, im, lre, lim, x, z, y, weight):
    """λ += weight[lane] · P ψ."""
    turn = y & 3
    for i in range(re.shape[0]):
        j = i ^ x
        sign = re.dtype.type(1 - 2 * _parity(i & z))
        if turn >= 2:
            sign = -sign
        if turn & 1:  # times i
            for lane in range(LANES):
                lre[j, lane] -= sign * weight[lane] * im[i, lane]
                lim[j, lane] += sign * weight[lane] * re[i, lane]
        else:
            for lane in range(LANES):
                lre[j, lane] += sign * weight[lane] * re[i, lane]
                lim[j, lane] += sign * weight[lane] * im[i, lane]


@_jit
def _angles(features, begin, count, row_features, row_scales, c, s):
    for row in range(len(row_features)):
        for lane in range(LANES):
            angle = row_scales[row] * features[begin + min(lane, count - 1), row_features[row]]
            c[row, lane] = math.cos(angle)
            s[row, lane] = math.sin(angle)


@_jit
def _measure_all(re, im, begin, count, term_x, term_z, term_y, term_k, term_c, scratch, out):
    for t in range(len(term_x)):
        _measure(re, im, term_x[t], term_z[t], term_y[t], scratch)
        for lane in range(count):
            out[begin + lane, term_k[t]] += term_c[t] * scratch[lane]


@_jit
def run_values(
    first, last, features, n_qubits, kinds, targets, masks, values, axes, offsets, matrices, pair_rows, signs,
    row_features, row_scales, term_x, term_z, term_y, term_k, term_c, out,
):  # fmt: skip
    """Expectation values of the chunks first … last - 1, added to out [B, K]."""
    dtype = matrices.dtype
    re = np.empty((1 << n_qubits, LANES), dtype)
    im = np.empty_like(re)
    c = np.empty((len(row_features), LANES), dtype)
    s = np.empty_like(c)
    scratch = np.empty(LANES, dtype)
    for chunk in range(first, last):
        begin = chunk * LANES
        count = min(LANES, len(features) - begin)
        _angles(features, begin, count, row_features, row_scales, c, s)
        _forward(re, im, kinds, targets, masks, values, axes, offsets, matrices, pair_rows, signs, c, s)
        _measure_all(re, im, begin, count, term_x, term_z, term_y, term_k, term_c, scratch, out)


@_jit
def run_gradients(
    first, last, features, cotangents, n_qubits, kinds, targets, masks, values, axes, offsets, matrices, pair_rows,
    signs, row_features, row_scales, term_x, term_z, term_y, term_k, term_c, out, d_features, environments,
):  # fmt: skip
    """Values (as run_values), d_features [B, F] and environments [n_chunks, n_matrices, 8]."""
    dtype = matrices.dtype
    n_rows, half = len(row_features), 1 << n_qubits >> 1
    re = np.empty((1 << n_qubits, LANES), dtype)
    im, lre, lim = np.empty_like(re), np.empty_like(re), np.empty_like(re)
    c = np.empty((n_rows, LANES), dtype)
    s, d_rows = np.empty_like(c), np.empty_like(c)
    scratch, weight = np.empty(LANES, dtype), np.empty(LANES, dtype)
    env = np.empty((8, LANES), dtype)
    for chunk in range(first, last):
        begin = chunk * LANES
        count = min(LANES, len(features) - begin)
        _angles(features, begin, count, row_features, row_scales, c, s)
        _forward(re, im, kinds, targets, masks, values, axes, offsets, matrices, pair_rows, signs, c, s)
        _measure_all(re, im, begin, count, term_x, term_z, term_y, term_k, term_c, scratch, out)
        lre[:] = 0
        lim[:] = 0
        d_rows[:] = 0
        for t in range(len(term_x)):
            weight[:] = 0
            for lane in range(count):
                weight[lane] = term_c[t] * cotangents[begin + lane, term_k[t]]
            _add_observable(re, im, lre, lim, term_x[t], term_z[t], term_y[t], weight)
        for op in range(len(kinds) - 1, -1, -1):
            kind, target, at = kinds[op], targets[op], offsets[op]
            if kind == 0:
                env[:] = 0
                _unapply_matrix(re, im, lre, lim, target, masks[op], values[op], matrices[at], env)
                for e in range(8):
                    environments[chunk, at, e] = env[e].sum()
            elif kind == 1:
                rows = pair_rows[at : at + half]
                _unmultiplex(re, im, lre, lim, target, axes[op], rows, c, s, d_rows)
            elif kind == 2:
                _sign(re, im, signs[at : at + 2 * half])
                _sign(lre, lim, signs[at : at + 2 * half])
            else:
                _flip(re, im, target, masks[op], values[op])
                _flip(lre, lim, target, masks[op], values[op])
        for row in range(n_rows):
            for lane in range(count):
                d_features[begin + lane, row_features[row]] += row_scales[row] * d_rows[row, lane]

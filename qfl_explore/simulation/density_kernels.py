"""Compiled kernels on Pauli components of density matrices, LANES samples side by side.

A state is [4^n, LANES] float64. The way back (`backward`) applies the transposed maps to the
observable's components and meets the states that the way forward wrote on a tape: noise cannot be
undone. Nothing is compiled per circuit.
"""

from __future__ import annotations

import numba as nb
import numpy as np

#: Samples side by side.
LANES = 8
_jit = nb.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})


@_jit
def start(state: np.ndarray) -> None:
    """Writes |0…0⟩: 1 where every digit is I or Z."""
    state[:] = 0.0
    for index in range(len(state)):
        rest, zero = index, True
        while rest:
            zero = zero and (rest & 3) in (0, 3)
            rest >>= 2
        if zero:
            state[index, :] = 1.0


@_jit
def affine(state, stride, m):
    """One-qubit map: rows X, Y, Z of ``m`` [3, 4] over columns I, X, Y, Z."""
    for high in range(0, len(state), 4 * stride):
        for low in range(high, high + stride):
            for lane in range(LANES):
                i, x = state[low, lane], state[low + stride, lane]
                y, z = state[low + 2 * stride, lane], state[low + 3 * stride, lane]
                state[low + stride, lane] = m[0, 0] * i + m[0, 1] * x + m[0, 2] * y + m[0, 3] * z
                state[low + 2 * stride, lane] = m[1, 0] * i + m[1, 1] * x + m[1, 2] * y + m[1, 3] * z
                state[low + 3 * stride, lane] = m[2, 0] * i + m[2, 1] * x + m[2, 2] * y + m[2, 3] * z


@_jit
def affine_back(bra, before, stride, m, slope):
    """Transposed `affine`; adds ``bra ⊗ before`` to ``slope`` [3, 4]."""
    total = np.zeros((3, 4))
    for high in range(0, len(bra), 4 * stride):
        for low in range(high, high + stride):
            for a in range(3):
                for b in range(4):
                    part = 0.0
                    for lane in range(LANES):
                        part += bra[low + (a + 1) * stride, lane] * before[low + b * stride, lane]
                    total[a, b] += part
            for lane in range(LANES):
                x, y, z = bra[low + stride, lane], bra[low + 2 * stride, lane], bra[low + 3 * stride, lane]
                bra[low, lane] += m[0, 0] * x + m[1, 0] * y + m[2, 0] * z
                bra[low + stride, lane] = m[0, 1] * x + m[1, 1] * y + m[2, 1] * z
                bra[low + 2 * stride, lane] = m[0, 2] * x + m[1, 2] * y + m[2, 2] * z
                bra[low + 3 * stride, lane] = m[0, 3] * x + m[1, 3] * y + m[2, 3] * z
    slope += total


@_jit
def channel(state, stride, s, c, d):
    """X and Y times s, Z to c Z + d I."""
    for high in range(0, len(state), 4 * stride):
        for low in range(high, high + stride):
            for lane in range(LANES):
                state[low + stride, lane] *= s
                state[low + 2 * stride, lane] *= s
                state[low + 3 * stride, lane] = c * state[low + 3 * stride, lane] + d * state[low, lane]


@_jit
def channel_back(bra, stride, s, c, d):
    """Transposed `channel`."""
    for high in range(0, len(bra), 4 * stride):
        for low in range(high, high + stride):
            for lane in range(LANES):
                bra[low, lane] += d * bra[low + 3 * stride, lane]
                bra[low + stride, lane] *= s
                bra[low + 2 * stride, lane] *= s
                bra[low + 3 * stride, lane] *= c


@_jit
def signal(state, stride, axis, cosines, sines, before, after):
    """A channel, a rotation with an angle for every lane, and another channel."""
    u, v = 1 + (axis + 1) % 3, 1 + (axis + 2) % 3
    s, c, d = before[0], before[1], before[2]
    s2, c2, d2 = after[0], after[1], after[2]
    for high in range(0, len(state), 4 * stride):
        for low in range(high, high + stride):
            for lane in range(LANES):
                i = state[low, lane]
                state[low + stride, lane] *= s
                state[low + 2 * stride, lane] *= s
                state[low + 3 * stride, lane] = c * state[low + 3 * stride, lane] + d * i
            for lane in range(LANES):
                a, b = state[low + u * stride, lane], state[low + v * stride, lane]
                state[low + u * stride, lane] = cosines[lane] * a - sines[lane] * b
                state[low + v * stride, lane] = sines[lane] * a + cosines[lane] * b
            for lane in range(LANES):
                state[low + stride, lane] *= s2
                state[low + 2 * stride, lane] *= s2
                state[low + 3 * stride, lane] = c2 * state[low + 3 * stride, lane] + d2 * state[low, lane]


@_jit
def _after(state, low, stride, row, lane, s, c, d):
    """One component after `channel`, read from the state before."""
    if row == 3:
        return c * state[low + 3 * stride, lane] + d * state[low, lane]
    return s * state[low + row * stride, lane]


@_jit
def signal_back(bra, kept, stride, axis, cosines, sines, before, after, slopes):
    """Transposed `signal`; adds to ``slopes`` [LANES] what ``kept``, the state before, says."""
    u, v = 1 + (axis + 1) % 3, 1 + (axis + 2) % 3
    s, c, d = before[0], before[1], before[2]
    channel_back(bra, stride, after[0], after[1], after[2])
    for high in range(0, len(bra), 4 * stride):
        for low in range(high, high + stride):
            for lane in range(LANES):
                a = _after(kept, low, stride, u, lane, s, c, d)
                b = _after(kept, low, stride, v, lane, s, c, d)
                turned_a, turned_b = cosines[lane] * a - sines[lane] * b, sines[lane] * a + cosines[lane] * b
                p, q = bra[low + u * stride, lane], bra[low + v * stride, lane]
                slopes[lane] += q * turned_a - p * turned_b
                bra[low + u * stride, lane] = cosines[lane] * p + sines[lane] * q
                bra[low + v * stride, lane] = cosines[lane] * q - sines[lane] * p
    channel_back(bra, stride, s, c, d)


@_jit
def pair(state, first, second, images, signs, factor):
    """CZ or CNOT: two-qubit components change places; all but II shrink by ``factor``. Its own transpose."""
    large, small = max(first, second), min(first, second)
    for high in range(0, len(state), 4 * large):
        for middle in range(high, high + large, 4 * small):
            for low in range(middle, middle + small):
                for p in range(1, 16):
                    q = images[p]
                    if q < p:
                        continue
                    a = low + (p >> 2) * first + (p & 3) * second
                    b = low + (q >> 2) * first + (q & 3) * second
                    f = signs[p] * factor
                    if a == b:
                        if f != 1.0:
                            for lane in range(LANES):
                                state[a, lane] *= f
                        continue
                    for lane in range(LANES):
                        kept = f * state[a, lane]
                        state[a, lane] = f * state[b, lane]
                        state[b, lane] = kept


@_jit
def forward(state, tape, n, ops, matrices, channels, befores, afters, cosines, sines, images, signs, factor):
    """All operations; ``tape`` [n_taped or 0, 4^n, LANES] keeps what goes into AFFINE and SIGNAL."""
    at = 0
    start(state)
    for o in range(len(ops)):
        kind, where = ops[o, 0], ops[o, 3]
        stride = 4 ** (n - 1 - ops[o, 1])
        if len(tape) and (kind == 0 or kind == 2):
            tape[at] = state
            at += 1
        if kind == 0:
            affine(state, stride, matrices[where])
        elif kind == 1:
            channel(state, stride, channels[where, 0], channels[where, 1], channels[where, 2])
        elif kind == 2:
            signal(state, stride, ops[o, 2], cosines[where], sines[where], befores[where], afters[where])
        else:
            pair(state, stride, 4 ** (n - 1 - ops[o, 2]), images[kind - 3], signs[kind - 3], factor)


@_jit
def backward(
    bra, tape, n, ops, matrices, channels, befores, afters, cosines, sines, images, signs, factor, slopes, d_matrices
):
    """All operations transposed, last first; fills ``slopes`` [n_signals, LANES] and adds to ``d_matrices``."""
    at = len(tape)
    for o in range(len(ops) - 1, -1, -1):
        kind, where = ops[o, 0], ops[o, 3]
        stride = 4 ** (n - 1 - ops[o, 1])
        if kind == 0:
            at -= 1
            affine_back(bra, tape[at], stride, matrices[where], d_matrices[where])
        elif kind == 1:
            channel_back(bra, stride, channels[where, 0], channels[where, 1], channels[where, 2])
        elif kind == 2:
            at -= 1
            signal_back(
                bra, tape[at], stride, ops[o, 2], cosines[where], sines[where], befores[where], afters[where],
                slopes[where],
            )  # fmt: skip
        else:
            pair(bra, stride, 4 ** (n - 1 - ops[o, 2]), images[kind - 3], signs[kind - 3], factor)


@_jit
def _factor(out, axis, angle):
    """Writes the 4 × 4 matrix of a rotation; with ``axis`` + 4 its derivative."""
    u, v = 1 + (axis + 1) % 3, 1 + (axis + 2) % 3
    cosine, sine = np.cos(angle), np.sin(angle)
    out[:] = 0.0
    for i in range(4):
        out[i, i] = 1.0
    out[u, u], out[u, v], out[v, u], out[v, v] = cosine, -sine, sine, cosine


@_jit
def _factors(starts, kinds, data, weights, channels, index, out):
    """Matrices [count, 4, 4] of all factors of one AFFINE."""
    for f in range(starts[index], starts[index + 1]):
        m = out[f - starts[index]]
        if kinds[f] < 3:
            _factor(m, kinds[f], weights[data[f]])
        else:
            s, c, d = channels[data[f], 0], channels[data[f], 1], channels[data[f], 2]
            m[:] = 0.0
            m[0, 0], m[1, 1], m[2, 2], m[3, 3], m[3, 0] = 1.0, s, s, c, d


@_jit
def build(starts, kinds, data, weights, channels, matrices):
    """Fills ``matrices`` [n_affine, 3, 4] from angles and channels."""
    for index in range(len(matrices)):
        count = starts[index + 1] - starts[index]
        parts = np.empty((count, 4, 4))
        _factors(starts, kinds, data, weights, channels, index, parts)
        whole = parts[0].copy()
        for f in range(1, count):
            whole = parts[f] @ whole
        matrices[index] = whole[1:]


@_jit
def pull(starts, kinds, data, weights, channels, d_matrices, d_weights):
    """Adds to ``d_weights`` what ``d_matrices`` [n_affine, 3, 4] say about each angle."""
    for index in range(len(d_matrices)):
        count = starts[index + 1] - starts[index]
        parts = np.empty((count, 4, 4))
        _factors(starts, kinds, data, weights, channels, index, parts)
        after = np.zeros((4, 4))  # derivative with respect to the product up to and with this factor
        after[1:] = d_matrices[index]
        for f in range(count - 1, -1, -1):
            at = starts[index] + f
            before = np.eye(4)
            for g in range(f):
                before = parts[g] @ before
            if kinds[at] < 3:
                u, v = 1 + (kinds[at] + 1) % 3, 1 + (kinds[at] + 2) % 3
                slope = after @ before.T  # with respect to the factor itself
                c, s = parts[f, u, u], parts[f, v, u]
                d_weights[data[at]] += s * (-slope[u, u] - slope[v, v]) + c * (slope[v, u] - slope[u, v])
            after = parts[f].T @ after

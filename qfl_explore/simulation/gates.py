"""Compiled 2x2 arithmetic of the batched engine: from weights to gates, and back to gradients.

This part is shared by the whole batch, is done in double precision, and costs little.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

_jit = nb.njit(nogil=True, cache=True)


@_jit
def gate_matrix(axis, angle, fixed):
    """Row by row, the 2x2 matrix of a rotation (RX, RY, RZ, PHASE) or a FIXED one."""
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
def _times(p, q, r, s, a, b, c, d):
    return p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d


@_jit
def prepare(starts, gates, scales, fixed, controlled, weights, euler, matrices):
    """Fills, for each matrix U: its entries, and its Euler angles where it is uncontrolled.

    ``U = e^{iφ} RZ(α) RY(β) RZ(γ)``. euler[m] = (γ, α, ratio, scale, which): the rotation is
    ``scale · [[1, -ratio], [ratio, 1]]`` for which = 0 and ``scale · [[ratio, -1], [1, ratio]]``
    for which = 1, with |ratio| ≤ 1. matrices[m] = 8 reals, row by row.
    """
    for m in range(len(starts) - 1):
        a, b, c, d = 1.0 + 0j, 0j, 0j, 1.0 + 0j
        for g in range(starts[m], starts[m + 1]):
            p, q, r, s = gate_matrix(gates[g, 0], scales[g] * weights[gates[g, 1]], fixed[g])
            a, b, c, d = _times(p, q, r, s, a, b, c, d)
        if controlled[m]:
            matrices[m] = np.array((a.real, a.imag, b.real, b.imag, c.real, c.imag, d.real, d.imag))
            continue
        determinant = a * d - b * c
        phase = 0.5 * math.atan2(determinant.imag, determinant.real)
        unit = complex(math.cos(phase), -math.sin(phase))
        c, d = c * unit, d * unit
        half_sum, half_difference = math.atan2(d.imag, d.real), math.atan2(c.imag, c.real)
        cosine, sine = abs(d), abs(c)
        euler[m, 0] = half_sum - half_difference
        euler[m, 1] = half_sum + half_difference
        if cosine >= sine:
            euler[m, 2], euler[m, 3], euler[m, 4] = sine / cosine, cosine, 0.0
        else:
            euler[m, 2], euler[m, 3], euler[m, 4] = cosine / sine, sine, 1.0


@_jit
def diagonals(n_qubits, starts, entries, sign_offsets, signs, euler, forward, backward, undone):
    """Fills the diagonals [n_diagonals · 2^n, 2] (real, imaginary) of both directions.

    forward carries the scales of the rotations just applied; backward is the conjugate and
    carries undone[d], the scales of the rotations that the way back has just undone.
    """
    size = 1 << n_qubits
    work = np.empty((size, 2))
    angles = np.empty(n_qubits)
    for at in range(len(starts) - 1):
        angles[:] = 0.0
        after, before = 1.0, 1.0
        for e in range(starts[at], starts[at + 1]):
            m, side, bit = entries[e, 0], entries[e, 1], entries[e, 2]
            position = 0
            while bit >> position > 1:
                position += 1
            angles[position] += euler[m, side]
            if side == 1:
                after *= euler[m, 3]
            else:
                before *= euler[m, 3]
        undone[at] = before
        _phases(angles, work)
        for k in range(size):
            sign = signs[sign_offsets[at] + k] if sign_offsets[at] >= 0 else 1.0
            x, y = sign * work[k, 0], sign * work[k, 1]
            row = at * size + k
            forward[row, 0], forward[row, 1] = after * x, after * y
            backward[row, 0], backward[row, 1] = before * x, -before * y


@_jit
def _phases(angles, work):
    """work[k] = e^{i Σ ±angle/2}, plus for a set bit, by doubling."""
    work[0, 0], work[0, 1] = 1.0, 0.0
    for position in range(len(angles)):
        c, s = math.cos(0.5 * angles[position]), math.sin(0.5 * angles[position])
        width = 1 << position
        for k in range(width):
            x, y = work[k, 0], work[k, 1]
            work[k, 0], work[k, 1] = x * c + y * s, y * c - x * s
            work[k + width, 0], work[k + width, 1] = x * c - y * s, y * c + x * s


@_jit
def weight_gradients(starts, gates, scales, fixed, controlled, weights, euler, measured, out):
    """Adds d/dweight to out.

    measured[m] is, for an uncontrolled matrix, (Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|Z|ψ⟩) between its RY
    and its last RZ; for a controlled one, the 8 reals of Σ conj(λ_after[a]) ψ_before[b].
    """
    for m in range(len(starts) - 1):
        a, b, c, d = 1.0 + 0j, 0j, 0j, 1.0 + 0j  # the gates after the one in hand
        for g in range(starts[m + 1] - 1, starts[m] - 1, -1):
            axis, angle = gates[g, 0], scales[g] * weights[gates[g, 1]]
            if axis != 4:
                if controlled[m]:
                    slope = _controlled_slope(m, g, starts, gates, scales, fixed, weights, a, b, c, d, measured[m])
                else:
                    slope = _slope(axis, a, b, c, d, euler[m, 1], measured[m])
                out[gates[g, 1]] += scales[g] * slope
            p, q, r, s = gate_matrix(axis, angle, fixed[g])
            a, b, c, d = _times(a, b, c, d, p, q, r, s)


@_jit
def _slope(axis, a, b, c, d, alpha, measured):
    """The generator of a gate, carried through the later gates A to where σ was measured."""
    if axis == 0:  # A X A†
        x, z = a * d.conjugate() + b * c.conjugate(), a * b.conjugate() + b * a.conjugate()
    elif axis == 1:  # A Y A†
        x, z = 1j * (b * c.conjugate() - a * d.conjugate()), 1j * (b * a.conjugate() - a * b.conjugate())
    else:  # A Z A†
        x, z = a * c.conjugate() - b * d.conjugate(), a * a.conjugate() - b * b.conjugate()
    wx, wy, wz = x.real, -x.imag, z.real  # [[wz, wx - i wy], [wx + i wy, -wz]]
    ca, sa = math.cos(alpha), math.sin(alpha)
    return (wx * ca + wy * sa) * measured[0] + (wy * ca - wx * sa) * measured[1] + wz * measured[2]


@_jit
def _controlled_slope(m, g, starts, gates, scales, fixed, weights, a, b, c, d, measured):
    p, q, r, s = _derivative(gates[g, 0], scales[g] * weights[gates[g, 1]])
    a, b, c, d = _times(a, b, c, d, p, q, r, s)
    for h in range(g - 1, starts[m] - 1, -1):
        p, q, r, s = gate_matrix(gates[h, 0], scales[h] * weights[gates[h, 1]], fixed[h])
        a, b, c, d = _times(a, b, c, d, p, q, r, s)
    e = measured
    total = complex(e[0], e[1]) * a + complex(e[2], e[3]) * b + complex(e[4], e[5]) * c + complex(e[6], e[7]) * d
    return 2.0 * total.real


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

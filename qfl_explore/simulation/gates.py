"""Compiled 2x2 arithmetic of the batched engine: from weights to gates, and back to gradients.

This part is shared by the whole batch, is done in double precision, and costs little.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from qfl_explore.simulation.lanes import fill_flat
from qfl_explore.simulation.layout import diagonals_of, gate_turns, gates_of, n_qubits_of
from qfl_explore.simulation.simd import LANES

_jit = nb.njit(nogil=True, cache=True, error_model="numpy")


@_jit
def turn_gates(ints, numbers, weights):
    """Cosines and sines of the angles that stand in each gate's matrix, and whether all were finite."""
    indices, turns = gates_of(ints, numbers)[2], gate_turns(ints, numbers)
    n = (len(turns) + LANES - 1) // LANES * LANES
    both = np.empty(2 * n)
    cosines, sines = both[:n], both[n:]
    finite = fill_flat(weights, indices, turns, cosines, sines)
    return cosines, sines, finite


@_jit
def _gate_matrix(axis, c, s, fixed):
    """Row by row, the 2x2 matrix of a rotation (RX, RY, RZ, PHASE) or a FIXED one."""
    if axis == 0:
        return complex(c, 0.0), complex(0.0, -s), complex(0.0, -s), complex(c, 0.0)
    if axis == 1:
        return complex(c, 0.0), complex(-s, 0.0), complex(s, 0.0), complex(c, 0.0)
    if axis == 2:
        return complex(c, -s), 0j, 0j, complex(c, s)
    if axis == 3:
        return 1.0 + 0j, 0j, 0j, complex(c, s)
    f = fixed
    return complex(f[0], f[1]), complex(f[2], f[3]), complex(f[4], f[5]), complex(f[6], f[7])


@_jit
def _times(p, q, r, s, a, b, c, d):
    return p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d


@_jit
def _size(z):
    return math.sqrt(z.real * z.real + z.imag * z.imag)


@_jit
def _root(z, size):
    """A square root of z / size, where size = |z|; of 1 where z is 0."""
    if size == 0.0:
        return 1.0 + 0j
    x, y = z.real / size, z.imag / size
    if x >= 0.0:
        real = math.sqrt(0.5 * (1.0 + x))
        return complex(real, 0.5 * y / real)
    imaginary = math.sqrt(0.5 * (1.0 - x))
    return complex(0.5 * y / imaginary, imaginary)


@_jit
def prepare(ints, numbers, cosines, sines, unitaries):
    """Fills unitaries [n_matrices, 8].

    A controlled matrix: 8 reals, row by row. An uncontrolled one is ``e^{iφ} RZ(α) RY(β) RZ(γ)``;
    its entries are e^{iγ/2}, e^{iα/2} (real, imaginary), ratio, scale, which: the rotation is
    ``scale · [[1, -ratio], [ratio, 1]]`` for which = 0 and ``scale · [[ratio, -1], [1, ratio]]`` for
    which = 1, with |ratio| ≤ 1.
    """
    starts, axes, _, controlled, _, fixed = gates_of(ints, numbers)
    for m in range(len(starts) - 1):
        out = unitaries[m]
        if controlled[m]:
            _whole(starts[m], starts[m + 1], axes, cosines, sines, fixed, out)
            continue
        c, d, determinant = 0j, 1.0 + 0j, 1.0 + 0j  # the second row is enough; it is built from the last gate on
        for g in range(starts[m + 1] - 1, starts[m] - 1, -1):
            p, q, r, s = _gate_matrix(axes[g], cosines[g], sines[g], fixed[g])
            c, d = c * p + d * r, c * q + d * s
            if axes[g] >= 3:
                determinant *= p * s - q * r
        if determinant != 1.0:
            unit = _root(determinant.conjugate(), _size(determinant))
            c, d = c * unit, d * unit
        cosine, sine = _size(d), _size(c)
        half_sum, half_difference = _root(d, cosine), _root(c, sine)
        gamma, alpha = half_sum * half_difference.conjugate(), half_sum * half_difference
        out[0], out[1], out[2], out[3] = gamma.real, gamma.imag, alpha.real, alpha.imag
        if cosine >= sine:
            out[4], out[5], out[6] = sine / cosine, cosine, 0.0
        else:
            out[4], out[5], out[6] = cosine / sine, sine, 1.0


@_jit
def _whole(first, last, axes, cosines, sines, fixed, out):
    a, b, c, d = 1.0 + 0j, 0j, 0j, 1.0 + 0j
    for g in range(first, last):
        p, q, r, s = _gate_matrix(axes[g], cosines[g], sines[g], fixed[g])
        a, b, c, d = _times(p, q, r, s, a, b, c, d)
    out[0], out[1], out[2], out[3] = a.real, a.imag, b.real, b.imag
    out[4], out[5], out[6], out[7] = c.real, c.imag, d.real, d.imag


@_jit
def diagonals(ints, numbers, unitaries, scales, out):
    """Fills the diagonals, one after the other, and scales [n_diagonals].

    scales: of the rotations just applied, which a diagonal carries with it. out is [n_diagonals · 2^n, 2]
    (real, imaginary), or [n_diagonals · 2^(n + 1) / LANES, LANES] with rows of real and imaginary parts by turns.
    """
    starts, entries, sign_offsets, signs = diagonals_of(ints, numbers)
    n_qubits = n_qubits_of(ints)
    size = 1 << n_qubits
    work = np.empty(2 * size)
    real, imaginary = work[:size], work[size:]
    turns = np.empty(n_qubits, np.complex128)
    for at in range(len(starts) - 1):
        turns[:] = 1.0
        scale = 1.0
        for e in range(starts[at], starts[at + 1]):
            m, side, bit = entries[e, 0], entries[e, 1], entries[e, 2]
            position = 0
            while bit >> position > 1:
                position += 1
            turns[position] *= complex(unitaries[m, 2 * side], unitaries[m, 2 * side + 1])
            if side == 1:
                scale *= unitaries[m, 5]
        scales[at] = scale
        _phases(turns, scale, real, imaginary)
        if sign_offsets[at] >= 0:
            sign = signs[sign_offsets[at] : sign_offsets[at] + size]
            for k in range(size):
                real[k] *= sign[k]
                imaginary[k] *= sign[k]
        if out.shape[1] == 2:
            for k in range(size):
                out[at * size + k, 0], out[at * size + k, 1] = real[k], imaginary[k]
            continue
        for block in range(size // LANES):
            row = 2 * (at * (size // LANES) + block)
            for lane in range(LANES):
                out[row, lane] = real[block * LANES + lane]
                out[row + 1, lane] = imaginary[block * LANES + lane]


@_jit
def _phases(turns, scale, real, imaginary):
    """scale · the product of one unit number a qubit, its conjugate for a clear bit, by doubling."""
    real[0], imaginary[0] = scale, 0.0
    for position in range(len(turns)):
        c, s = turns[position].real, turns[position].imag
        width = 1 << position
        for k in range(width):
            x, y = real[k], imaginary[k]
            real[k], imaginary[k] = x * c + y * s, y * c - x * s
            real[k + width], imaginary[k + width] = x * c - y * s, y * c + x * s


@_jit
def weight_gradients(ints, numbers, cosines, sines, unitaries, measured, out):
    """Adds d/dweight to out [n_weights].

    measured[m] is, for an uncontrolled matrix, (Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|Z|ψ⟩) between its RY
    and its last RZ; for a controlled one, the 8 reals of Σ conj(λ_after[a]) ψ_before[b].
    """
    starts, axes, indices, controlled, scales, fixed = gates_of(ints, numbers)
    for m in range(len(starts) - 1):
        a, b, c, d = 1.0 + 0j, 0j, 0j, 1.0 + 0j  # the gates after the one in hand
        for g in range(starts[m + 1] - 1, starts[m] - 1, -1):
            if axes[g] != 4:
                if controlled[m]:
                    slope = _controlled_slope(ints, numbers, cosines, sines, m, g, a, b, c, d, measured[m])
                else:
                    slope = _slope(axes[g], a, b, c, d, unitaries[m], measured[m])
                out[indices[g]] += scales[g] * slope
            p, q, r, s = _gate_matrix(axes[g], cosines[g], sines[g], fixed[g])
            a, b, c, d = _times(a, b, c, d, p, q, r, s)


@_jit
def _slope(axis, a, b, c, d, unitary, measured):
    """The generator of a gate, carried through the later gates A to where σ was measured."""
    if axis == 0:  # A X A†
        x, z = a * d.conjugate() + b * c.conjugate(), a * b.conjugate() + b * a.conjugate()
    elif axis == 1:  # A Y A†
        x, z = 1j * (b * c.conjugate() - a * d.conjugate()), 1j * (b * a.conjugate() - a * b.conjugate())
    else:  # A Z A†
        x, z = a * c.conjugate() - b * d.conjugate(), a * a.conjugate() - b * b.conjugate()
    wx, wy, wz = x.real, -x.imag, z.real  # [[wz, wx - i wy], [wx + i wy, -wz]]
    alpha = complex(unitary[2], unitary[3]) * complex(unitary[2], unitary[3])
    ca, sa = alpha.real, alpha.imag
    return (wx * ca + wy * sa) * measured[0] + (wy * ca - wx * sa) * measured[1] + wz * measured[2]


@_jit
def _controlled_slope(ints, numbers, cosines, sines, m, g, a, b, c, d, measured):
    starts, axes, _, _, _, fixed = gates_of(ints, numbers)
    p, q, r, s = _derivative(axes[g], cosines[g], sines[g])
    a, b, c, d = _times(a, b, c, d, p, q, r, s)
    for h in range(g - 1, starts[m] - 1, -1):
        p, q, r, s = _gate_matrix(axes[h], cosines[h], sines[h], fixed[h])
        a, b, c, d = _times(a, b, c, d, p, q, r, s)
    e = measured
    total = complex(e[0], e[1]) * a + complex(e[2], e[3]) * b + complex(e[4], e[5]) * c + complex(e[6], e[7]) * d
    return 2.0 * total.real


@_jit
def _derivative(axis, c, s):
    if axis == 3:
        return 0j, 0j, 0j, complex(-s, c)
    c, s = 0.5 * c, 0.5 * s
    if axis == 0:
        return complex(-s, 0.0), complex(0.0, -c), complex(0.0, -c), complex(-s, 0.0)
    if axis == 1:
        return complex(-s, 0.0), complex(-c, 0.0), complex(c, 0.0), complex(-s, 0.0)
    return complex(-s, -c), 0j, 0j, complex(-s, c)

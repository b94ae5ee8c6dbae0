"""Compiled kernels for observables: their values in a state, and the adjoint state λ = Σ cotangent · O ψ.

Paulis of one qubit, which are almost all that a Quantum Fusion Layer measures, take one pass a
qubit; longer strings are (x mask, z mask, number of Y factors) and take a pass each. States are
those of `gate_kernels`; values and cotangents are rows of LANES samples, one for each observable.
"""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

import numba as nb

from qfl_explore.simulation.layout import observables_of
from qfl_explore.simulation.simd import load, splat, store

_jit = nb.njit(nogil=True, cache=True)


@_jit
def odd(bits):
    """Whether an odd number of bits is set: 1 or 0."""
    bits ^= bits >> 32
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    bits ^= bits >> 2
    bits ^= bits >> 1
    return bits & 1


@_jit
def bloch(psi, target):
    """⟨X⟩, ⟨Y⟩, ⟨Z⟩ of one qubit, lane by lane."""
    zero = psi.dtype.type(0)
    x, y, z = splat(zero), splat(zero), splat(zero)
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            x = x + ar * br + ai * bi
            y = y + ar * bi - ai * br
            z = z + ar * ar + ai * ai - br * br - bi * bi
    return x + x, y + y, z


@_jit
def add_bloch(psi, lam, target, x, y, z):
    """λ += (x X + y Y + z Z) ψ on one qubit, a weight in every lane."""
    for base in range(0, psi.shape[0], 4 * target):
        for i in range(base, base + 2 * target, 2):
            j = i + 2 * target
            ar, ai, br, bi = load(psi, i), load(psi, i + 1), load(psi, j), load(psi, j + 1)
            store(lam, i, load(lam, i) + x * br + y * bi + z * ar)
            store(lam, i + 1, load(lam, i + 1) + x * bi - y * br + z * ai)
            store(lam, j, load(lam, j) + x * ar - y * ai - z * br)
            store(lam, j + 1, load(lam, j + 1) + x * ai + y * ar - z * bi)


@_jit
def _string(psi, x, z, y):
    """⟨ψ|P|ψ⟩, lane by lane, for the Pauli string with masks x, z and y factors Y."""
    zero = psi.dtype.type(0)
    found = splat(zero)
    half = psi.shape[0] // 2
    if x == 0:
        for i in range(half):
            a, b = load(psi, 2 * i), load(psi, 2 * i + 1)
            if odd(i & z):
                found = found - a * a - b * b
            else:
                found = found + a * a + b * b
        return found
    top = x
    while top & (top - 1):
        top &= top - 1
    for i in range(half):
        if i & top:
            continue
        j = i ^ x
        ar, ai, br, bi = load(psi, 2 * i), load(psi, 2 * i + 1), load(psi, 2 * j), load(psi, 2 * j + 1)
        part = br * ai - bi * ar if y & 1 else br * ar + bi * ai
        if odd(i & z) ^ ((y + 1) >> 1 & 1):
            found = found - part
        else:
            found = found + part
    return found + found


@_jit
def _add_string(psi, lam, x, z, y, w):
    """λ += w · P ψ, a weight in every lane."""
    minus = w - w - w
    for i in range(psi.shape[0] // 2):
        j = i ^ x
        c = minus if odd(i & z) ^ (y >> 1 & 1) else w
        a, b = load(psi, 2 * i), load(psi, 2 * i + 1)
        p, q = load(lam, 2 * j), load(lam, 2 * j + 1)
        if y & 1:  # times i
            store(lam, 2 * j, p - c * b)
            store(lam, 2 * j + 1, q + c * a)
        else:
            store(lam, 2 * j, p + c * a)
            store(lam, 2 * j + 1, q + c * b)


@_jit
def measure(psi, ints, numbers, found):
    """found [K, LANES]: the values of all observables."""
    terms, coefficients, local, weights, constants = observables_of(ints, numbers)
    kind = psi.dtype.type
    for k in range(len(constants)):
        store(found, k, splat(kind(constants[k])))
    bit, x, y, z = 0, splat(kind(0)), splat(kind(0)), splat(kind(0))
    for t in range(len(local)):
        if local[t, 0] != bit:
            bit = local[t, 0]
            x, y, z = bloch(psi, bit)
        k = local[t, 1]
        a, b, c = splat(kind(weights[t, 0])), splat(kind(weights[t, 1])), splat(kind(weights[t, 2]))
        store(found, k, load(found, k) + a * x + b * y + c * z)
    for t in range(len(terms)):
        k = terms[t, 3]
        value = _string(psi, terms[t, 0], terms[t, 1], terms[t, 2])
        store(found, k, load(found, k) + splat(kind(coefficients[t])) * value)


@_jit
def adjoint(psi, lam, ints, numbers, cotangents):
    """λ = Σ_k cotangents[k] · O_k ψ; cotangents [K, LANES]."""
    terms, coefficients, local, weights, _ = observables_of(ints, numbers)
    kind = psi.dtype.type
    zero = splat(kind(0))
    for row in range(lam.shape[0]):
        store(lam, row, zero)
    x, y, z = zero, zero, zero
    for t in range(len(local)):
        w = load(cotangents, local[t, 1])
        x = x + splat(kind(weights[t, 0])) * w
        y = y + splat(kind(weights[t, 1])) * w
        z = z + splat(kind(weights[t, 2])) * w
        if t + 1 == len(local) or local[t + 1, 0] != local[t, 0]:
            add_bloch(psi, lam, local[t, 0], x, y, z)
            x, y, z = zero, zero, zero
    for t in range(len(terms)):
        w = load(cotangents, terms[t, 3]) * splat(kind(coefficients[t]))
        _add_string(psi, lam, terms[t, 0], terms[t, 1], terms[t, 2], w)

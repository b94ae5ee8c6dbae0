"""Plain JAX in its best form: jit, `lax.scan` over layers, layers as blocks of up to four qubits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from _dense import blocks, entangler_signs


def version() -> str:
    return "jax " + jax.__version__


def _su2(angles):
    c, s = jnp.cos(angles / 2), jnp.sin(angles / 2)
    cx, sx, cy, sy = c[..., 0], -1j * s[..., 0], c[..., 1], s[..., 1]
    e = jnp.exp(-0.5j * angles[..., 2])
    rows = (
        [e * (cy * cx - sy * sx), e * (cy * sx - sy * cx)],
        [e.conj() * (sy * cx + cy * sx), e.conj() * (sy * sx + cy * cx)],
    )
    return jnp.stack([jnp.stack(row, -1) for row in rows], -2)


def _kron(matrices):
    out = matrices[0]
    for m in matrices[1:]:
        out = jnp.einsum("ab,cd->acbd", out, m).reshape(2 * out.shape[0], 2 * out.shape[0])
    return out


def build(case):
    n, degree = case.n_qubits, case.config["degree"]
    size, n_slots = 2**n, 2**case.n_index
    signs = jnp.asarray(entangler_signs(n), jnp.float32)
    bloch = jnp.asarray(case.bloch, jnp.float32)
    n_features = case.features[0].size

    def layer(psi, angles):
        gates = _su2(angles).astype(jnp.complex64)
        left = 1
        for first, last in blocks(n):
            block = _kron([gates[q] for q in range(first, last)])
            width = block.shape[0]
            psi = jnp.einsum("ab,lbr->lar", block, psi.reshape(left, width, -1)).reshape(size, -1)
            left *= width
        return psi * signs[:, None]

    def values(features, weights):
        x = jnp.zeros((n_slots, len(features)), jnp.float32).at[:n_features].set(features.reshape(len(features), -1).T)
        c, s = jnp.cos(x / 2), jnp.sin(x / 2)
        psi = jnp.zeros((size, len(features)), jnp.complex64).at[0].set(1)
        angles = weights[:, 0]

        def step(psi, angles):
            pair = psi.reshape(n_slots, 2, -1)
            a, b = pair[:, 0], pair[:, 1]
            psi = jnp.stack([c * a - s * b, s * a + c * b], 1).reshape(size, -1)
            return layer(psi, angles), None

        psi, _ = jax.lax.scan(step, layer(psi, angles[0]), angles[1:], length=degree)
        out = []
        for q in range(n):
            pair = psi.reshape(2**q, 2, -1, psi.shape[-1])
            a, b = pair[:, 0], pair[:, 1]
            cross = 2 * jnp.sum(a.conj() * b, (0, 1))
            z = jnp.sum(jnp.abs(a) ** 2 - jnp.abs(b) ** 2, (0, 1))
            out.append(jnp.stack([cross.real, cross.imag, z]))
        return jnp.einsum("kqa,qab->bk", bloch, jnp.stack(out))

    def gradient(features, weights, cotangents):
        out, pull = jax.vjp(values, features, weights)
        return out, *pull(cotangents)

    forward, both = jax.jit(values), jax.jit(gradient)
    inputs = [jnp.asarray(a) for a in (case.features, case.weights, case.cotangents)]
    return (
        lambda: np.asarray(forward(*inputs[:2])),
        lambda: tuple(map(np.asarray, both(*inputs))),
    )

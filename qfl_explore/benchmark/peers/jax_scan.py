"""Plain JAX in its best form: jit, `lax.scan` over layers, layers as blocks of up to four qubits.

It runs in this project's environment: JAX 0.5.3 was faster here than 0.10.2 (gradients by a fifth).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from _dense import entangler_signs
from _jax_gates import dense_blocks, pair_of, su2, warm_up

__all__ = ["build", "version", "warm_up"]


def version() -> str:
    return "jax " + jax.__version__


def build(case):
    n, degree = case.n_qubits, case.config["degree"]
    size, n_slots = 2**n, 2**case.n_index
    signs = jnp.asarray(entangler_signs(n), jnp.float32)
    bloch = jnp.asarray(case.bloch, jnp.float32)
    n_features = case.features[0].size

    def layer(psi, angles):
        left = 1
        for _, block in dense_blocks(n, su2(angles)):
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

    return pair_of(values, case)

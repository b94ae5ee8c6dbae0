"""What the peers on JAX share."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _dense import blocks


def warm_up() -> None:
    """Starts JAX's runtime and its compiler."""
    jax.jit(lambda x: x + 1)(jnp.ones(2)).block_until_ready()


def su2(angles: Any) -> Any:
    """RZ·RY·RX: angles [..., 3] -> [..., 2, 2], complex64."""
    c, s = jnp.cos(angles / 2), jnp.sin(angles / 2)
    cx, sx, cy, sy = c[..., 0], -1j * s[..., 0], c[..., 1], s[..., 1]
    e = jnp.exp(-0.5j * angles[..., 2])
    rows = (
        [e * (cy * cx - sy * sx), e * (cy * sx - sy * cx)],
        [e.conj() * (sy * cx + cy * sx), e.conj() * (sy * sx + cy * cx)],
    )
    return jnp.stack([jnp.stack(row, -1) for row in rows], -2).astype(jnp.complex64)


def kron(matrices: Any) -> Any:
    """The Kronecker product of a sequence of square matrices."""
    out = matrices[0]
    for m in matrices[1:]:
        width = m.shape[0] * out.shape[0]
        out = jnp.einsum("ab,cd->acbd", out, m).reshape(width, width)
    return out


def dense_blocks(n_qubits: int, gates: Any, most: int = 4) -> list[tuple[range, Any]]:
    """A layer of one-qubit gates [n, 2, 2] as matrices on runs of up to ``most`` qubits."""
    return [(range(a, b), kron([gates[q] for q in range(a, b)])) for a, b in blocks(n_qubits, most)]


def signal_phases(features: Any, n_slots: int) -> Any:
    """The diagonal [2^n] of RZ(x) multiplexed over the slots; features [F] of one sample."""
    x = jnp.zeros(n_slots, jnp.float32).at[: features.size].set(features.reshape(-1))
    phases = jnp.exp(-0.5j * x).astype(jnp.complex64)
    return jnp.stack([phases, phases.conj()], -1).reshape(-1)


#: RX(π/2): RY(x) = RX(-π/2) RZ(x) RX(π/2), so a multiplexed RY is a diagonal between two of these.
TURN = np.array([[1, -1j], [-1j, 1]], np.complex64) / np.sqrt(2).astype(np.float32)


def pair_of(values: Callable[[Any, Any], Any], case: SimpleNamespace) -> tuple:
    """(forward, gradient) as a worker wants them, jitted; ``values(features, weights)`` -> [B, K]."""

    def gradient(features, weights, cotangents):
        out, pull = jax.vjp(values, features, weights)
        return out, *pull(cotangents)

    forward, both = jax.jit(values), jax.jit(gradient)
    inputs = [jnp.asarray(a) for a in (case.features, case.weights, case.cotangents)]
    return (
        lambda: np.asarray(forward(*inputs[:2])),
        lambda: tuple(map(np.asarray, both(*inputs))),
    )

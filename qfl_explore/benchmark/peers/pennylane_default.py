"""PennyLane's default.qubit on JAX in its best form: jit and vmap over the batch, backpropagation.

One-qubit gates of a layer are fused to `QubitUnitary` blocks of up to four qubits; the multiplexed
RY is RX(-π/2)·diagonal·RX(π/2) (its Gray-code form has 2^k gates to compile); all CZ are one
diagonal. default.qubit applies a diagonal as a dense matrix; its dispatch is open to extension, so
here it gets the product that it lacks.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
from _dense import entangler_signs
from _jax_gates import TURN, dense_blocks, pair_of, signal_phases, su2, warm_up
from pennylane.devices.qubit.apply_operation import apply_operation

__all__ = ["build", "version", "warm_up"]


def version() -> str:
    return f"pennylane {qml.version()}, jax {jax.__version__}"


@apply_operation.register
def _apply_diagonal(op: qml.DiagonalQubitUnitary, state, is_state_batched=False, debugger=None, **_):
    assert list(op.wires) == list(range(len(op.wires))) and not is_state_batched  # noqa: S101 - our own circuit
    return state * op.data[0].reshape(state.shape)


def build(case):
    n, degree = case.n_qubits, case.config["degree"]
    wires, value = range(n), n - 1
    signs = jnp.asarray(entangler_signs(n), jnp.complex64)
    observables = [_matrices(bloch) for bloch in case.bloch]

    def layer(angles):
        for qubits, block in dense_blocks(n, su2(angles)):
            qml.QubitUnitary(block, wires=qubits)
        qml.DiagonalQubitUnitary(signs, wires=wires)

    @qml.qnode(qml.device("default.qubit", wires=n), interface="jax", diff_method="backprop")
    def one(features, weights):
        phases = signal_phases(features, 2**case.n_index)
        layer(weights[0, 0])
        for p in range(1, degree + 1):
            qml.QubitUnitary(TURN, wires=value)
            qml.DiagonalQubitUnitary(phases, wires=wires)
            qml.QubitUnitary(TURN.conj(), wires=value)
            layer(weights[p, 0])
        return [qml.expval(qml.Hermitian(matrix, wires=q)) for q, matrix in observables]

    batched = jax.vmap(one, in_axes=(0, None))
    return pair_of(lambda features, weights: jnp.stack(batched(features, weights), -1), case)


def _matrices(bloch: np.ndarray) -> tuple[int, np.ndarray]:
    """The one qubit that an observable sits on, and its 2x2 matrix."""
    (q,) = np.flatnonzero(bloch.any(axis=1))
    x, y, z = bloch[q]
    return int(q), np.array([[z, x - 1j * y], [x + 1j * y, -z]], np.complex64)

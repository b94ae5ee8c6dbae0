"""PennyLane's lightning.qubit: compiled state vectors and adjoint gradients, one tape a sample.

Tapes go straight to the device (`execute`, `execute_and_compute_vjp`), without the preprocessing
of a QNode, which takes longer than the simulation, and share all operations but the signal's. The
signal is in Gray-code form: RY and CNOT gates, whose angles are a linear map of the features. One
OpenMP thread: a second one makes circuits of this size slower.
"""

from __future__ import annotations

import os
from importlib import metadata

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pennylane as qml
from pennylane.devices import ExecutionConfig
from pennylane.tape import QuantumScript


def version() -> str:
    return f"pennylane {qml.version()}, lightning {metadata.version('pennylane-lightning')}"


def _gray_code(n_controls):
    numbers = np.arange(2**n_controls)
    parity = np.bitwise_count((numbers ^ (numbers >> 1))[:, None] & numbers) & 1
    return (1.0 - 2.0 * parity) / 2**n_controls


def _flips(n):
    """The CNOT after each rotation of the ladder."""
    gates = [qml.CNOT(wires=[control, n - 1]) for control in range(n - 1)]
    return [gates[n - 2 - min((i & -i).bit_length() - 1, n - 2)] for i in range(1, 2 ** (n - 1) + 1)]


def _ansatz(n, angles):
    for q in range(n):
        for gate, angle in zip((qml.RX, qml.RY, qml.RZ), angles[q], strict=True):
            yield gate(angle, wires=q)
    for a in range(n):
        for b in range(a + 1, n):
            yield qml.CZ(wires=[a, b])


def build(case):
    n, degree = case.n_qubits, case.config["degree"]
    device = qml.device("lightning.qubit", wires=n, c_dtype=np.complex64)
    config = device.setup_execution_config(ExecutionConfig(gradient_method="adjoint", use_device_gradient=True))
    measured = [qml.expval(_observable(bloch)) for bloch in case.bloch]
    matrix = _gray_code(case.n_index)[:, : case.features[0].size]
    flips, weights = _flips(n), case.weights[:, 0].astype(float)
    n_gates, n_layer = len(matrix), 3 * n
    trainable = range(n_layer + degree * (n_gates + n_layer))

    def tapes():
        first, *layers = (list(_ansatz(n, angles)) for angles in weights)
        out = []
        for angles in case.features.reshape(len(case.features), -1) @ matrix.T:
            rotations = [qml.RY(angle, wires=n - 1) for angle in angles]
            signal = [gate for pair in zip(rotations, flips, strict=True) for gate in pair]
            operations = first + [gate for layer in layers for gate in signal + layer]
            out.append(QuantumScript(operations, measured, trainable_params=trainable))
        return out

    def forward():
        return np.array(device.execute(tapes(), config))

    def gradient():
        values, slopes = device.execute_and_compute_vjp(tapes(), list(case.cotangents), config)
        slopes = np.array(slopes)
        rest = slopes[:, n_layer:].reshape(len(slopes), degree, n_gates + n_layer)
        d_features = rest[:, :, :n_gates].sum(axis=1) @ matrix
        d_weights = np.concatenate([slopes[:, :n_layer].sum(axis=0), rest[:, :, n_gates:].sum(axis=0).ravel()])
        return np.array(values), d_features, d_weights

    return forward, gradient


def _observable(bloch):
    terms = [(float(bloch[q, a]), (qml.X, qml.Y, qml.Z)[a](int(q))) for q, a in np.argwhere(bloch)]
    return qml.Hamiltonian(*map(list, zip(*terms, strict=True)))

"""The reference engine: cirq in complex128, gradients by exact parameter shift. Slow and true."""

from __future__ import annotations

from collections.abc import Iterator

import cirq
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit, PhysicalCircuit
from qfl_explore.simulation.base import Backend
from qfl_explore.simulation.parameter_shift import SHIFT, shift_gradients
from qfl_explore.simulation.pauli import PauliTable

#: Shifted state vectors that are carried at once take at most about this much memory.
_CHUNK_BYTES = 2**26


class CirqBackend(Backend):
    """Values from ``cirq.Simulator`` on ``fusion.circuit``; gradients by parameter shift.

    The shifted circuits run on ``fusion.physical``. They differ in one gate only, so all of
    them are carried as rows of one array through cirq's gates (``cirq.apply_unitary`` takes a
    leading axis), each row branching off the unshifted state at its own gate. That is the
    parameter shift rule, circuit by circuit, without repeating the common part.
    """

    name = "cirq"

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """A few complex128 state vectors and one chunk of shifted ones (twice, for cirq's buffer)."""
        return 8 * 16 * 2**fusion.n_qubits + 2 * _CHUNK_BYTES

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        simulator = cirq.Simulator(dtype=np.complex128)
        names = [symbol.name for symbol in fusion.feature_symbols + fusion.weight_symbols]
        positions = {qubit: i for i, qubit in enumerate(fusion.qubits)}
        values = np.empty((len(features), fusion.n_observables))
        for row, sample in enumerate(features):
            angles = np.concatenate([np.ravel(sample), np.ravel(weights)]).astype(np.float64)
            resolver = dict(zip(names, angles.tolist(), strict=True))
            state = simulator.simulate(fusion.circuit, resolver, qubit_order=fusion.qubits).final_state_vector
            values[row] = [
                observable.expectation_from_state_vector(state, positions, check_preconditions=False).real
                for observable in fusion.observables
            ]
        return values

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        table = PauliTable(fusion.observables, fusion.qubits)

        def shifted_values(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            values = np.empty((2, len(angles), table.n_observables))
            for which, states in _shifted_states(fusion.physical, fusion.qubits, angles):
                values[:, which] = table.expectations(states).reshape(-1, 2, table.n_observables).swapaxes(0, 1)
            return values[0], values[1]

        d_features, d_weights = shift_gradients(fusion, features, weights, cotangents, shifted_values)
        return self._expectations(fusion, features, weights), d_features, d_weights


def _shifted_states(
    physical: PhysicalCircuit, qubits: tuple[cirq.GridQubit, ...], angles: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Final states of all shifted circuits, in chunks: (symbols' numbers [c], states [2 c, 2^n])."""
    order = {symbol.name: i for i, symbol in enumerate(physical.symbols)}
    steps = [(op, order[min(cirq.parameter_names(op), default="")] if cirq.is_parameterized(op) else None)
             for op in physical.circuit.all_operations()]  # fmt: skip
    sequence = [number for _, number in steps if number is not None]
    chunk = max(1, _CHUNK_BYTES // (2 * 16 * 2 ** len(qubits)))
    for start in range(0, len(sequence), chunk):
        which = sequence[start : start + chunk]
        yield np.array(which), _branch(steps, set(which), physical, qubits, angles)


def _branch(
    steps: list[tuple[cirq.Operation, int | None]],
    which: set[int],
    physical: PhysicalCircuit,
    qubits: tuple[cirq.GridQubit, ...],
    angles: np.ndarray,
) -> np.ndarray:
    """States [2 c, 2^n] with the angles ``which`` moved by ±π/2, in the order of the gates."""
    axis = {qubit: 1 + i for i, qubit in enumerate(qubits)}
    rows = np.zeros((1 + 2 * len(which), *(2,) * len(qubits)), np.complex128)
    spare = np.empty_like(rows)
    rows[0].flat[0] = 1.0
    used = 1
    for op, number in steps:
        axes = tuple(axis[qubit] for qubit in op.qubits)
        shifts = (SHIFT, -SHIFT) if number in which else ()
        for i, shift in enumerate(shifts):
            moved = _resolved(op, physical, number, angles[number] + shift)
            rows[used + i : used + i + 1] = _apply(moved, rows[:1].copy(), spare[:1], axes)
        gate = op if number is None else _resolved(op, physical, number, angles[number])
        target, buffer = rows[:used], spare[:used]
        result = _apply(gate, target, buffer, axes)
        if result is not target:
            target[...] = result
        used += len(shifts)
    return rows[1:].reshape(2 * len(which), -1)


def _resolved(op: cirq.Operation, physical: PhysicalCircuit, number: int, angle: float) -> cirq.Operation:
    return cirq.resolve_parameters(op, {physical.symbols[number].name: float(angle)})


def _apply(op: cirq.Operation, target: np.ndarray, buffer: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return cirq.apply_unitary(op, cirq.ApplyUnitaryArgs(target, buffer, axes))

"""Circuits and observables in the form that qsim's C++ side reads.

Resolving sympy symbols costs cirq far more than qsim's simulation (8 ms against 1 ms at 12 qubits), so the
physical form of a circuit becomes a table of numbers once a call, from which each circuit is made directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cirq
import numpy as np
from qsimcirq import qsim

from qfl_explore.circuits.fusion import FusionCircuit

_KINDS = {
    cirq.XPowGate: qsim.kXPowGate,
    cirq.YPowGate: qsim.kYPowGate,
    cirq.ZPowGate: qsim.kZPowGate,
    cirq.CXPowGate: qsim.kCXPowGate,
    cirq.CZPowGate: qsim.kCZPowGate,
}
_PAULIS = {cirq.X: qsim.kX, cirq.Y: qsim.kY, cirq.Z: qsim.kZ}
#: One observable: its strings, and on how many qubits they act.
Observable = tuple[list[Any], int]


def bits(qubits: Sequence[cirq.Qid]) -> dict[cirq.Qid, int]:
    """qsim's numbers of qubits: it counts from the least significant one."""
    return {qubit: len(qubits) - 1 - i for i, qubit in enumerate(qubits)}


class GateTable:
    """``fusion.physical`` as (kind, time, qubits, parameters, symbol) rows.

    Args:
        fusion: the circuit.
    """

    def __init__(self, fusion: FusionCircuit) -> None:
        self.n_qubits = fusion.n_qubits
        bit = bits(fusion.qubits)
        order = {symbol.name: i for i, symbol in enumerate(fusion.physical.symbols)}
        self._rows = []
        for time, op in enumerate(fusion.physical.circuit.all_operations()):
            names = cirq.parameter_names(op)
            exponent = 1.0 if names else float(op.gate.exponent)
            parameters = {"exponent": exponent, "global_shift": float(op.gate.global_shift)}
            symbol = order[names.pop()] if names else None
            kind = next(kind for family, kind in _KINDS.items() if isinstance(op.gate, family))
            self._rows.append((kind, time, [bit[qubit] for qubit in op.qubits], parameters, symbol))

    def circuit(self, angles: np.ndarray, basis: np.ndarray | None = None) -> Any:
        """A C++ circuit; every rotation is a gate to the power angle/π.

        Args:
            angles: [S], radians.
            basis: [n, 3] unit vectors; rotations at the end after which Z reads each qubit along its own.
        """
        turns = (angles / np.pi).tolist()
        circuit = qsim.Circuit()
        circuit.num_qubits = self.n_qubits
        for kind, time, qubits, parameters, symbol in self._rows:
            if symbol is not None:
                parameters["exponent"] = turns[symbol]  # the table belongs to one call, so to one thread
            qsim.add_gate(kind, time, qubits, parameters, circuit)
        if basis is not None:
            self._turn(circuit, basis)
        return circuit

    def _turn(self, circuit: Any, basis: np.ndarray) -> None:
        """RZ(-azimuth), then RY(-polar angle), on every qubit that is not read along Z."""
        time = len(self._rows)
        for i, (x, y, z) in enumerate(basis.tolist()):
            around, down = -np.arctan2(y, x) / np.pi, -np.arccos(np.clip(z, -1.0, 1.0)) / np.pi
            for kind, exponent in ((qsim.kZPowGate, around), (qsim.kYPowGate, down)):
                if exponent:
                    time += 1
                    parameters = {"exponent": float(exponent), "global_shift": -0.5}
                    qsim.add_gate(kind, time, [self.n_qubits - 1 - i], parameters, circuit)


def engine_observables(fusion: FusionCircuit) -> list[Observable]:
    """The observables for qsim to sum; a direction on one qubit is one operator, so one pass over the state."""
    bit = bits(fusion.qubits)
    return [_observable(observable, bit) for observable in fusion.observables]


def _observable(observable: cirq.PauliSum, bit: dict[cirq.Qid, int]) -> Observable:
    strings = list(observable)
    acted = {qubit for string in strings for qubit in string}
    if len(acted) == 1 and len(strings) > 1:
        matrix = sum(string.coefficient * cirq.unitary(next(iter(string.values()))) for string in strings)
        made = qsim.OpString()
        made.weight = 1.0
        numbers = np.asarray(matrix, np.complex64).ravel().view(np.float32).tolist()
        qsim.add_matrix_gate_to_opstring([bit[acted.pop()]], numbers, made)
        return [made], 1
    return [_string(string, bit) for string in strings], len(acted)


def _string(string: cirq.PauliString, bit: dict[cirq.Qid, int]) -> Any:
    made = qsim.OpString()
    made.weight = string.coefficient
    for qubit, pauli in string.items():
        qsim.add_gate_to_opstring(_PAULIS[pauli], [bit[qubit]], made)
    return made

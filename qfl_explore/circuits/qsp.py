"""Signal processing sequences as cirq circuits: one signal with a Hadamard test, and two-oracle patterns.

Every oracle is ``RX(x)`` with ``x = -2 θ``, which is ``exp(iθX)``, and ``exp(iφZ) = RZ(-2φ)``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cirq
import numpy as np
import sympy

from qfl_explore.errors import invalid


@dataclasses.dataclass(frozen=True)
class SignalCircuit:
    """A circuit with its symbols in a stated order and its observables.

    Attributes:
        circuit: over ``symbols``.
        qubits: most significant first.
        symbols: RX angles in radians.
        observables: K Pauli sums.
    """

    circuit: cirq.Circuit
    qubits: tuple[cirq.Qid, ...]
    symbols: tuple[sympy.Symbol, ...]
    observables: tuple[cirq.PauliSum, ...]


def hadamard_test(phases: Sequence[float] | np.ndarray) -> SignalCircuit:
    """Controlled ``U(a)`` under a control in |+⟩: ⟨X⟩ and ⟨Y⟩ of the control are Re and Im of ⟨0|U|0⟩.

    Args:
        phases: φ_0 … φ_d in radians.

    Returns:
        Qubits: control, signal. One symbol ``x``, to be set to ``-2 arccos(a)``. Observables: X, Y.
    """
    control, signal = qubits = (cirq.GridQubit(0, 0), cirq.GridQubit(0, 1))
    x = sympy.Symbol("x")
    gates = [cirq.rz(-2.0 * float(phases[-1]))]  # the product's last factor acts first
    for phase in reversed(list(phases)[:-1]):
        gates += [cirq.rx(x), cirq.rz(-2.0 * float(phase))]
    operations = [cirq.H(control), *(gate.on(signal).controlled_by(control) for gate in gates)]
    observables = tuple(cirq.PauliSum.from_pauli_strings([cirq.PauliString({control: p})]) for p in (cirq.X, cirq.Y))
    return SignalCircuit(cirq.Circuit(operations), qubits, (x,), observables)


def pattern_circuit(pattern: str, phases: Sequence[float]) -> SignalCircuit:
    """A two-oracle sequence ``exp(iφ_0 Z) Π_k W_{c_k} exp(iφ_k Z)`` on |0⟩, measured in Z.

    Args:
        pattern: letters of the oracles in the order of the product.
        phases: one more than there are letters, radians.

    Returns:
        One qubit; symbols ``x_A``, ``x_B``, … in alphabetical order; ``P(0) = (1 + ⟨Z⟩) / 2``.

    Raises:
        ValueError: the counts do not fit.
    """
    if len(phases) != len(pattern) + 1:
        raise invalid("phases do not fit the pattern", f"{len(pattern) + 1} phases", f"{len(phases)} phases")
    qubit = cirq.GridQubit(0, 0)
    symbols = {letter: sympy.Symbol(f"x_{letter}") for letter in sorted(set(pattern))}
    operations = [cirq.rz(-2.0 * float(phases[-1])).on(qubit)]
    for letter, phase in zip(reversed(pattern), reversed(list(phases)[:-1]), strict=True):
        operations += [cirq.rx(symbols[letter]).on(qubit), cirq.rz(-2.0 * float(phase)).on(qubit)]
    observable = cirq.PauliSum.from_pauli_strings([cirq.PauliString({qubit: cirq.Z})])
    return SignalCircuit(cirq.Circuit(operations), (qubit,), tuple(symbols.values()), (observable,))

"""The joint protocol of ``theory.separation`` as a Quantum Fusion Layer in cirq.

Oracles sit in the slots of the index register: ``S(x) = Σ_m |m⟩⟨m| ⊗ RX(x_m)`` with ``x_m = -2 θ_m``,
so that ``RX(x_m) = exp(i θ_m X)``. A fixed layer after each S moves the index on and, where the sign
changes, puts Z on the value qubit. For M = 2 and δ = π/6 that is six times (S, X ⊗ Z).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from functools import cached_property

import cirq
import numpy as np
import sympy

from qfl_explore.circuits.encoding import multi_controlled_signal
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int

_TINY = 1e-9


@dataclasses.dataclass(frozen=True)
class Step:
    """One layer of the protocol.

    Attributes:
        label: for pictures, for example ``S: A`` (a query) or ``X ⊗ Z``.
        operations: what is applied.
        is_query: whether it calls an oracle.
    """

    label: str
    operations: tuple[cirq.Operation, ...]
    is_query: bool


class DiscriminationCircuit:
    """``U S(x) … U S(x) |start⟩``, ready to be measured: Z on the value qubit, + means Δ = 0.

    The index register is in a known basis state throughout, so every S calls one oracle; the
    signs of the oracles alternate, +, -, +, …

    Source: our construction; the layer's form is that of arXiv:2510.06938.

    Args:
        n_oracles: M, 2 or more.
        n_rounds: r, 1 or more; each calls every oracle once.
        start: Bloch vector of the value qubit at the start.
        readout: Bloch vector whose outcome + is measured.
        tilt: the last round turns about an axis this far from X, in radians.

    Raises:
        ValueError, TypeError: a number is out of range or of the wrong kind.

    >>> circuit = DiscriminationCircuit(2, 3)
    >>> circuit.n_queries, circuit.n_qubits
    (6, 2)
    """

    def __init__(
        self,
        n_oracles: int,
        n_rounds: int,
        start: Sequence[float] | np.ndarray = (0.0, 0.0, 1.0),
        readout: Sequence[float] | np.ndarray = (0.0, 0.0, 1.0),
        tilt: float = 0.0,
    ) -> None:
        self.n_oracles = check_int("n_oracles", n_oracles, 2)
        self.n_rounds = check_int("n_rounds", n_rounds, 1)
        self._first = _from_zero(np.asarray(start, np.float64))
        self._last = [cirq.inverse(gate) for gate in reversed(_from_zero(np.asarray(readout, np.float64)))]
        self.tilt = float(tilt)

    @property
    def n_queries(self) -> int:
        """P = M r, how often S is called."""
        return self.n_oracles * self.n_rounds

    @cached_property
    def config(self) -> FusionConfig:
        """A layer of this size: RX signal, one feature an oracle, no constant slot, Z measured."""
        return FusionConfig(
            n_modalities=self.n_oracles,
            degree=self.n_queries,
            signal="rx",
            constant_slot=False,
            measurement="computational",
        )

    @property
    def n_qubits(self) -> int:
        """Index register and value qubit."""
        return self.config.n_qubits

    @cached_property
    def qubits(self) -> tuple[cirq.GridQubit, ...]:
        """Index register first, then the value qubit."""
        return tuple(cirq.GridQubit(0, i) for i in range(self.n_qubits))

    @cached_property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """``x_000``, ``x_001``, …: the RX angles x_m = -2 θ_m of the oracles."""
        return tuple(sympy.Symbol(f"x_{m:03d}") for m in range(self.n_oracles))

    @cached_property
    def observables(self) -> tuple[cirq.PauliSum, ...]:
        """Z on the value qubit; its expectation is P(say "Δ = 0") - P(say "Δ = δ")."""
        return (cirq.PauliSum.from_pauli_strings([cirq.PauliString({self.qubits[-1]: cirq.Z})]),)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Preparation, then S and the fixed layer in turn, then the turn into the readout basis."""
        *index, value = self.qubits
        steps = [_step("prepare", [gate.on(value) for gate in self._first])]
        signal = tuple(multi_controlled_signal(self.config, self.qubits, self.symbols))
        for query in range(self.n_queries):
            oracle = query % self.n_oracles
            steps.append(Step(f"S: {oracle_name(oracle)}", signal, True))
            moved = [cirq.X(qubit) for qubit, flips in zip(index, self._flips(oracle), strict=True) if flips]
            turned = [gate.on(value) for gate in self._value_gates(query)]
            steps.append(_step(_label(bool(moved), turned), moved + turned))
        steps.append(_step("readout", [gate.on(value) for gate in self._last]))
        return tuple(step for step in steps if step.operations)

    @cached_property
    def circuit(self) -> cirq.Circuit:
        """All steps over `symbols`."""
        return cirq.Circuit(operation for step in self.steps for operation in step.operations)

    def features(self, theta: np.ndarray) -> np.ndarray:
        """Angles θ [B, M] of the oracles -> RX angles x [B, M], both in radians."""
        return -2.0 * np.asarray(theta, np.float64)

    def weights(self) -> np.ndarray:
        """Angles with which a trainable layer of `config` *is* this protocol, of its ``weight_shape``.

        So the protocol lies inside the family that training searches. The layer's CZ gates put
        Z on the value qubit for every 1 in the index; the angles take that back.
        """
        weights = np.zeros(self.config.weight_shape)
        weights[0, 0, -1] = _euler(_product(self._first))
        for query in range(self.n_queries):
            oracle = query % self.n_oracles
            weights[query + 1, 0, :-1, 0] = np.where(self._flips(oracle), math.pi, 0.0)
            unitary = _product(self._value_gates(query))
            if query == self.n_queries - 1:
                unitary = _product(self._last) @ unitary
            if ((oracle + 1) % self.n_oracles).bit_count() % 2:
                unitary = cirq.unitary(cirq.Z) @ unitary
            weights[query + 1, 0, -1] = _euler(unitary)
        return weights

    def _flips(self, oracle: int) -> list[bool]:
        """Which index bits (most significant first) differ between a slot and the next."""
        changed = oracle ^ ((oracle + 1) % self.n_oracles)
        n_index = self.n_qubits - 1
        return [bool(changed >> (n_index - 1 - i) & 1) for i in range(n_index)]

    def _value_gates(self, query: int) -> list[cirq.Gate]:
        """On the value qubit after a query: Z where the sign changes, and the tilt of the last round."""
        oracle, tilt = query % self.n_oracles, self.tilt
        gates: list[cirq.Gate] = []
        if oracle % 2 != (oracle + 1) % self.n_oracles % 2:
            gates.append(cirq.Z)
        before_last = self.n_queries - self.n_oracles - 1
        if abs(tilt) > _TINY and query in (before_last, self.n_queries - 1):
            gates.append(cirq.rz(-tilt if query == before_last else tilt))
        return gates


def oracle_name(index: int) -> str:
    """A, B, C, … of an oracle's number."""
    return chr(ord("A") + index)


def _step(label: str, operations: Sequence[cirq.Operation]) -> Step:
    return Step(label, tuple(operations), False)


def _label(moves: bool, turned: Sequence[cirq.Operation]) -> str:
    names = ["X" * moves, *("Z" if operation.gate == cirq.Z else "RZ" for operation in turned)]
    return " ⊗ ".join(name for name in names if name)


def _from_zero(vector: np.ndarray) -> list[cirq.Gate]:
    """RY and RZ that take |0⟩ to a Bloch vector."""
    polar = math.acos(min(1.0, max(-1.0, float(vector[2]))))
    azimuth = math.atan2(vector[1], vector[0]) if math.hypot(vector[0], vector[1]) > _TINY else 0.0
    return [make(angle) for make, angle in ((cirq.ry, polar), (cirq.rz, azimuth)) if abs(angle) > _TINY]


def _product(gates: Sequence[cirq.Gate]) -> np.ndarray:
    unitary = np.eye(2, dtype=np.complex128)
    for gate in gates:
        unitary = cirq.unitary(gate) @ unitary
    return unitary


def _euler(unitary: np.ndarray) -> tuple[float, float, float]:
    """Angles (a, b, c) with ``RZ(c) RY(b) RX(a)`` equal to a 2x2 unitary up to a phase."""
    paulis = [cirq.unitary(gate) for gate in (cirq.X, cirq.Y, cirq.Z)]
    turn = np.array([[np.trace(p @ unitary @ q @ unitary.conj().T).real / 2 for q in paulis] for p in paulis])
    b = math.asin(min(1.0, max(-1.0, -turn[2, 0])))
    if abs(turn[2, 0]) > 1 - 1e-12:  # gimbal lock: only a sum or difference of a and c matters
        return math.atan2(-turn[1, 2], turn[1, 1]), b, 0.0
    return math.atan2(turn[2, 1], turn[2, 2]), b, math.atan2(turn[1, 0], turn[0, 0])

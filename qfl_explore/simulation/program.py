"""What the batched engine runs: a few flat arrays, scheduled for as little arithmetic as possible.

Every uncontrolled one-qubit unitary is ``RZ(α) RY(β) RZ(γ)`` up to a phase. The RZ factors of all
qubits, the CZ gates and all scale factors of one layer commute, so they become *one* diagonal that
the whole batch shares; what is left is a real rotation, and with its larger coefficient moved into
the diagonal too it costs one multiply-add for each real number. That is a quarter of the arithmetic
of complex 2x2 matrices. Translation costs milliseconds and compiles nothing.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import cirq
import numpy as np
import sympy

from qfl_explore.errors import invalid
from qfl_explore.simulation.layout import pack
from qfl_explore.simulation.translate import FLIP, MATRIX, MULTIPLEX, SIGNS, MergedGate, Translator

#: Kinds of operation; MATRIX here is a controlled one.
DIAGONAL, ROTATION = SIGNS + 1, SIGNS + 2
BEFORE, AFTER = 0, 1
_PAULIS = (cirq.X, cirq.Y, cirq.Z)


@dataclasses.dataclass(frozen=True)
class Program:
    """Flat arrays that the compiled kernels read.

    Attributes:
        n_qubits: n.
        n_features: inputs that vary over the batch.
        n_weights: inputs that the whole batch shares.
        n_observables: K.
        ops: [n_ops, 6]: kind, target bit, control mask, control value, axis, and where the
            operation's data stand (a matrix, a pair table, a diagonal).
        gate_starts: [n_matrices + 1], the gates of each matrix, first applied first.
        gate_axes: [n_gates].
        gate_weights: [n_gates], index of the weight.
        gate_scales: [n_gates], angle = scale · weight.
        gate_fixed: [n_gates, 2, 2], the constant matrix where the axis is FIXED.
        controlled: [n_matrices], whether a matrix acts under a control (then it stays whole).
        diagonal_starts: [n_diagonals + 1], the entries of each diagonal.
        diagonal_entries: [n_entries, 3]: matrix, BEFORE or AFTER its rotation, qubit bit.
        diagonal_signs: [n_diagonals], where its table of signs starts, or -1.
        signs: tables [2^n] of ±1, end to end.
        pair_rows: tables [2^(n-1)] of angle rows (-1: identity) in pair order, end to end.
        row_features, row_scales: [n_rows], the stored angle = scale · feature.
        local_terms: [n_local, 2]: qubit bit and observable, sorted: all Paulis of one observable on
            one qubit.
        local_coefficients: [n_local, 3], of X, Y and Z.
        terms: [n_terms, 4]: longer Pauli strings as x mask, z mask, number of Y factors, observable.
        term_coefficients: [n_terms].
        constants: [K], the identity's coefficient in each observable.
    """

    n_qubits: int
    n_features: int
    n_weights: int
    n_observables: int
    ops: np.ndarray
    gate_starts: np.ndarray
    gate_axes: np.ndarray
    gate_weights: np.ndarray
    gate_scales: np.ndarray
    gate_fixed: np.ndarray
    controlled: np.ndarray
    diagonal_starts: np.ndarray
    diagonal_entries: np.ndarray
    diagonal_signs: np.ndarray
    signs: np.ndarray
    pair_rows: np.ndarray
    row_features: np.ndarray
    row_scales: np.ndarray
    local_terms: np.ndarray
    local_coefficients: np.ndarray
    terms: np.ndarray
    term_coefficients: np.ndarray
    constants: np.ndarray

    @property
    def n_matrices(self) -> int:
        """Fused one-qubit operations."""
        return len(self.gate_starts) - 1

    @functools.cached_property
    def n_updates(self) -> int:
        """Operations times amplitudes, a measure of the work."""
        return len(self.ops) << self.n_qubits

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether it holds diagonals, rotations and multiplexed rotations only."""
        return bool(np.isin(self.ops[:, 0], (DIAGONAL, ROTATION, MULTIPLEX)).all())

    @functools.cached_property
    def packed(self) -> tuple[np.ndarray, np.ndarray]:
        """All tables as one array of integers and one of reals; see `layout`."""
        return pack(self)


def translate(
    circuit: cirq.Circuit | Iterable[cirq.Operation],
    qubits: Sequence[cirq.Qid],
    feature_symbols: Sequence[sympy.Symbol],
    weight_symbols: Sequence[sympy.Symbol],
    observables: Sequence[cirq.PauliSum],
) -> Program:
    """Translates a circuit for the batched engine.

    Args:
        circuit: any circuit, or its operations in order, of rotations by ``constant × symbol``,
            constant one-qubit gates, CZ and CNOT, with single-valued controls on any of them, or of
            gates that cirq decomposes into these.
        qubits: the register, most significant bit first.
        feature_symbols: symbols that vary over the batch.
        weight_symbols: symbols that the batch shares.
        observables: K Pauli sums with real coefficients.

    Returns:
        The program.

    Raises:
        ValueError: an operation or symbol is not supported; the message shows it.
    """
    walk = Translator(qubits, feature_symbols, weight_symbols)
    walk.all(circuit.all_operations() if isinstance(circuit, cirq.Circuit) else circuit)
    lowered = _Lowering(walk.ops, walk.n_qubits)
    matrices = [op for op in walk.ops if op.kind == MATRIX]
    gates = [gate for op in matrices for gate in op.gates]
    rows = list(walk.rows)
    return Program(
        n_qubits=walk.n_qubits,
        n_features=len(feature_symbols),
        n_weights=len(weight_symbols),
        n_observables=len(observables),
        gate_starts=np.cumsum([0, *(len(op.gates) for op in matrices)], dtype=np.int64),
        gate_axes=np.array([gate[0] for gate in gates], np.int64),
        gate_weights=np.array([gate[1] for gate in gates], np.int64),
        gate_scales=np.array([gate[2] for gate in gates], np.float64),
        gate_fixed=np.array([gate[3] for gate in gates], np.complex128).reshape(-1, 2, 2),
        controlled=np.array([op.mask != 0 for op in matrices], np.bool_),
        row_features=np.array([row[0] for row in rows], np.int64),
        row_scales=np.array([row[1] for row in rows], np.float64),
        **lowered.arrays(),
        **_terms(observables, walk.bit),
    )


@dataclasses.dataclass
class _Item:
    """A gate to be scheduled: a part of a diagonal, or an operation of its own."""

    touches: int
    op: tuple[int, int, int, int, int, int] | None = None
    entry: tuple[int, int, int] | None = None
    sign: tuple[int, int] | None = None


class _Lowering:
    """Schedules merged gates so that diagonal ones meet."""

    def __init__(self, merged: Sequence[MergedGate], n_qubits: int) -> None:
        self.n_qubits = n_qubits
        self.pairs, self.signs = _Tables(), _Tables()
        self.ops: list[tuple[int, int, int, int, int, int]] = []
        self.diagonals: list[list[_Item]] = []
        self.n_matrices = 0
        waiting = [item for gate in merged for item in self.items(gate)]
        while waiting:
            waiting = self.emit_operations(self.emit_diagonal(waiting))

    def items(self, gate: MergedGate) -> Iterable[_Item]:
        touches = gate.target | gate.mask
        if gate.kind == MATRIX:
            index, self.n_matrices = self.n_matrices, self.n_matrices + 1
            if gate.mask:
                yield _Item(touches, (MATRIX, gate.target, gate.mask, gate.value, 0, index))
                return
            yield _Item(touches, entry=(index, BEFORE, gate.target))
            yield _Item(touches, (ROTATION, gate.target, 0, 0, 0, index))
            yield _Item(touches, entry=(index, AFTER, gate.target))
        elif gate.kind == MULTIPLEX:
            cases = tuple(sorted(gate.cases.items()))
            at = self.pairs.add((touches, gate.target, cases), functools.partial(_pair_table, gate, self.n_qubits))
            yield _Item(touches, (MULTIPLEX, gate.target, gate.mask, 0, gate.axis, at))
        elif gate.kind == SIGNS:
            for mask, value in gate.pairs:
                yield _Item(mask, sign=(mask, value))
        else:
            yield _Item(touches, (FLIP, gate.target, gate.mask, gate.value, 0, 0))

    def emit_diagonal(self, waiting: list[_Item]) -> list[_Item]:
        """Takes every diagonal part that can act now, as one operation."""
        taken, left, blocked = [], [], 0
        for item in waiting:
            if item.op is None and not item.touches & blocked:
                taken.append(item)
            else:
                left.append(item)
                blocked |= item.touches
        if taken:
            self.ops.append((DIAGONAL, 0, 0, 0, 0, len(self.diagonals)))
            self.diagonals.append(taken)
        return left

    def emit_operations(self, waiting: list[_Item]) -> list[_Item]:
        """Takes every other operation that no diagonal part holds back."""
        left, blocked = [], 0
        for item in waiting:
            if item.op is not None and not item.touches & blocked:
                self.ops.append(item.op)
            else:
                left.append(item)
                blocked |= item.touches
        return left

    def arrays(self) -> dict[str, np.ndarray]:
        entries = [[item.entry for item in diagonal if item.entry] for diagonal in self.diagonals]
        where = []
        for diagonal in self.diagonals:
            flips = tuple(sorted(item.sign for item in diagonal if item.sign))
            where.append(self.signs.add(flips, functools.partial(_sign_table, flips, self.n_qubits)) if flips else -1)
        return {
            "ops": _table(self.ops, 6),
            "diagonal_starts": np.cumsum([0, *map(len, entries)], dtype=np.int64),
            "diagonal_entries": _table((entry for group in entries for entry in group), 3),
            "diagonal_signs": np.array(where, np.int64),
            "signs": self.signs.joined(np.float64),
            "pair_rows": self.pairs.joined(np.int64),
        }


class _Tables:
    """Distinct tables end to end; one that is asked for again is neither made nor stored twice."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []
        self.where: dict[Hashable, int] = {}
        self.length = 0

    def add(self, key: Hashable, make: Callable[[], np.ndarray]) -> int:
        """Where the table of that key starts."""
        if key not in self.where:
            self.where[key] = self.length
            self.parts.append(make())
            self.length += len(self.parts[-1])
        return self.where[key]

    def joined(self, dtype: Any) -> np.ndarray:
        return np.concatenate(self.parts).astype(dtype) if self.parts else np.zeros(0, dtype)


def _table(rows: Iterable[Sequence[int]], n_columns: int) -> np.ndarray:
    return np.array(list(rows), np.int64).reshape(-1, n_columns)


def _pair_table(gate: MergedGate, n_qubits: int) -> np.ndarray:
    index = np.arange(2**n_qubits)
    table = np.full(2**n_qubits, -1, np.int64)
    table[list(gate.cases)] = list(gate.cases.values())  # indexed by the control bits alone
    return table[index[(index & gate.target) == 0] & gate.mask]


def _sign_table(flips: Sequence[tuple[int, int]], n_qubits: int) -> np.ndarray:
    index = np.arange(2**n_qubits)
    signs = np.ones(2**n_qubits)
    for mask, value in flips:
        signs[(index & mask) == value] *= -1.0
    return signs


def _terms(observables: Sequence[cirq.PauliSum], bit: Mapping[cirq.Qid, int]) -> dict[str, np.ndarray]:
    local: dict[tuple[int, int], np.ndarray] = {}
    terms: list[tuple[int, int, int, int]] = []
    coefficients: list[float] = []
    constants = np.zeros(len(observables))
    for k, observable in enumerate(observables):
        for string in observable:
            letters = dict(string.items())
            coefficient = complex(string.coefficient)
            if abs(coefficient.imag) > 1e-12:
                raise invalid("an observable is not Hermitian", "real coefficients", str(string))
            if not letters:
                constants[k] += coefficient.real
            elif len(letters) == 1:
                ((qubit, pauli),) = letters.items()
                local.setdefault((bit[qubit], k), np.zeros(3))[_PAULIS.index(pauli)] += coefficient.real
            else:
                x = sum(bit[q] for q, p in letters.items() if p in (cirq.X, cirq.Y))
                z = sum(bit[q] for q, p in letters.items() if p in (cirq.Z, cirq.Y))
                terms.append((x, z, sum(p == cirq.Y for p in letters.values()), k))
                coefficients.append(coefficient.real)
    return {
        "local_terms": _table(sorted(local), 2),
        "local_coefficients": np.array([local[key] for key in sorted(local)]).reshape(-1, 3),
        "terms": _table(terms, 4),
        "term_coefficients": np.array(coefficients, np.float64),
        "constants": constants,
    }

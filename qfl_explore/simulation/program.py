"""A cirq circuit as a short list of batched operations: what the `batched` engine runs.

Translation costs milliseconds and compiles nothing. Neighbouring gates merge on the way:
runs of one-qubit gates into one 2x2 matrix, controlled rotations on one target into one
multiplexed rotation, CZ gates into one vector of signs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import cirq
import numpy as np
import sympy

from qfl_explore.errors import invalid

MATRIX, MULTIPLEX, SIGNS, FLIP = range(4)
#: Rotation axes; ``PHASE`` is diag(1, e^{ix}) and ``FIXED`` a constant matrix.
RX, RY, RZ, PHASE, FIXED = range(5)

_AXES: dict[type, int] = {cirq.XPowGate: RX, cirq.YPowGate: RY, cirq.ZPowGate: RZ}
_PER_PI = 1 / sympy.pi


@dataclasses.dataclass(frozen=True)
class Program:
    """Flat arrays that the compiled kernels read.

    Attributes:
        n_qubits: n.
        n_features: inputs that vary over the batch.
        n_weights: inputs that the whole batch shares.
        n_observables: K.
        kinds: [n_ops], one of MATRIX, MULTIPLEX, SIGNS, FLIP.
        targets: [n_ops], bit of the target qubit (0 where there is none).
        masks, values: [n_ops], the control condition ``index & mask == value``.
        axes: [n_ops], axis of a multiplexed rotation.
        offsets: [n_ops], where the op's data start: its matrix, its pair table, its signs.
        gate_starts: [n_matrices + 1], the gates of each matrix, first applied first.
        gate_axes, gate_weights, gate_scales: [n_gates], axis, weight index, angle = scale · weight.
        gate_fixed: [n_gates, 2, 2], the constant matrix where the axis is FIXED.
        pair_rows: tables [2^(n-1)] of angle rows (-1: identity) in pair order, end to end.
        signs: tables [2^n] of ±1, end to end.
        row_features, row_scales: [n_rows], the stored angle = scale · feature.
        term_x, term_z, term_y, term_k, term_c: [n_terms], Pauli strings as bit masks, number of
            Y factors, observable, coefficient.
        constants: [K], the identity's coefficient in each observable.
    """

    n_qubits: int
    n_features: int
    n_weights: int
    n_observables: int
    kinds: np.ndarray
    targets: np.ndarray
    masks: np.ndarray
    values: np.ndarray
    axes: np.ndarray
    offsets: np.ndarray
    gate_starts: np.ndarray
    gate_axes: np.ndarray
    gate_weights: np.ndarray
    gate_scales: np.ndarray
    gate_fixed: np.ndarray
    pair_rows: np.ndarray
    signs: np.ndarray
    row_features: np.ndarray
    row_scales: np.ndarray
    term_x: np.ndarray
    term_z: np.ndarray
    term_y: np.ndarray
    term_k: np.ndarray
    term_c: np.ndarray
    constants: np.ndarray

    @property
    def n_matrices(self) -> int:
        """Fused one-qubit operations."""
        return len(self.gate_starts) - 1


@dataclasses.dataclass
class _Op:
    kind: int
    target: int = 0
    mask: int = 0
    value: int = 0
    axis: int = 0
    gates: list[tuple[int, int, float, np.ndarray]] = dataclasses.field(default_factory=list)
    cases: dict[int, int] = dataclasses.field(default_factory=dict)
    pairs: list[int] = dataclasses.field(default_factory=list)


class _Translator:
    """Walks a circuit once, merging as it goes."""

    def __init__(
        self, qubits: Sequence[cirq.Qid], features: Sequence[sympy.Symbol], weights: Sequence[sympy.Symbol]
    ) -> None:
        self.n_qubits = len(qubits)
        self.bit = {qubit: 1 << (len(qubits) - 1 - i) for i, qubit in enumerate(qubits)}
        self.inputs: dict[sympy.Symbol, tuple[str, int]] = {s: ("feature", i) for i, s in enumerate(features)}
        self.inputs |= {s: ("weight", i) for i, s in enumerate(weights)}
        self.ops: list[_Op] = []
        self.last = dict.fromkeys(self.bit.values(), -1)
        self.latest_signs = -1
        self.latest_multiplex = -1
        self.rows: dict[tuple[int, float], int] = {}
        self.angles: dict[sympy.Basic, tuple[str, int, float]] = {}

    def circuit(self, circuit: cirq.Circuit) -> None:
        for operation in circuit.all_operations():
            self.operation(operation)

    def operation(self, operation: cirq.Operation) -> None:
        controls, values, core = _controls(operation)
        mask = sum(self.bit[q] for q in controls)
        value = sum(self.bit[q] for q, v in zip(controls, values, strict=True) if v)
        gate = core.gate
        if isinstance(gate, (cirq.IdentityGate, cirq.MeasurementGate)):
            if isinstance(gate, cirq.MeasurementGate):
                raise _unsupported(operation)
            return
        if len(core.qubits) == 1:
            self.one_qubit(operation, gate, self.bit[core.qubits[0]], mask, value)
            return
        parts = cirq.decompose_once(core, default=None)
        if parts is None:
            raise _unsupported(operation)
        for part in parts:
            self.operation(part.controlled_by(*controls, control_values=values) if controls else part)

    def one_qubit(self, operation: cirq.Operation, gate: Any, target: int, mask: int, value: int) -> None:
        if cirq.is_parameterized(gate):
            self.rotation(operation, gate, target, mask, value)
        elif isinstance(gate, cirq.ZPowGate) and gate.exponent == 1 and gate.global_shift == 0 and mask:
            self.signs(target | mask, value | target)
        elif isinstance(gate, cirq.XPowGate) and gate.exponent == 1 and gate.global_shift == 0 and mask:
            self.append(_Op(FLIP, target, mask, value), target | mask)
        else:
            self.matrix(target, mask, value, (FIXED, 0, 0.0, cirq.unitary(gate)))

    def rotation(self, operation: cirq.Operation, gate: Any, target: int, mask: int, value: int) -> None:
        axis = _AXES.get(next((t for t in _AXES if isinstance(gate, t)), type(gate)))
        if axis is None:
            raise _unsupported(operation)
        shift = gate.global_shift
        if axis == RZ and shift == 0:
            axis = PHASE
        elif shift != -0.5 and mask:
            raise _unsupported(operation)
        source, index, coefficient = self.angle(gate.exponent, operation)
        if source == "weight":
            self.matrix(target, mask, value, (axis, index, coefficient, np.eye(2)))
        else:
            scale = coefficient if axis == PHASE else 0.5 * coefficient
            row = self.rows.setdefault((index, scale), len(self.rows))
            self.multiplex(target, mask, value, axis, row)

    def angle(self, exponent: Any, operation: cirq.Operation) -> tuple[str, int, float]:
        """(source, index, coefficient) of an angle = π · exponent = coefficient · symbol."""
        if exponent in self.angles:
            return self.angles[exponent]
        symbol = next(iter(exponent.free_symbols))
        if symbol not in self.inputs:
            known = f"the circuit's {len(self.inputs)} feature and weight symbols"
            raise invalid("the circuit has an unknown symbol", known, str(symbol))
        simple = exponent.is_Mul and set(exponent.args) == {_PER_PI, symbol}
        coefficient = 1.0 if simple else float(sympy.diff(exponent * sympy.pi, symbol).evalf())
        if not simple and sympy.simplify(exponent * sympy.pi - coefficient * symbol).evalf() != 0:
            raise _unsupported(operation)
        self.angles[exponent] = (*self.inputs[symbol], coefficient)
        return self.angles[exponent]

    def matrix(self, target: int, mask: int, value: int, gate: tuple[int, int, float, np.ndarray]) -> None:
        at = self.last[target]
        if not mask and at >= 0:
            op = self.ops[at]
            if op.kind == MATRIX and op.target == target and not op.mask:
                op.gates.append(gate)
                return
        self.append(_Op(MATRIX, target, mask, value, gates=[gate]), target | mask)

    def multiplex(self, target: int, mask: int, value: int, axis: int, row: int) -> None:
        at = self.latest_multiplex
        if at >= 0 and at >= self.newest(target | mask):
            op = self.ops[at]
            same = op.target == target and op.mask == mask and op.axis == axis
            if same and value not in op.cases:
                op.cases[value] = row
                return
        self.latest_multiplex = len(self.ops)
        self.append(_Op(MULTIPLEX, target, mask, axis=axis, cases={value: row}), target | mask)

    def signs(self, mask: int, value: int) -> None:
        at = self.latest_signs
        if at < 0 or at < self.newest(mask):
            at = self.latest_signs = len(self.ops)
            self.ops.append(_Op(SIGNS))
        self.ops[at].pairs.append((mask, value))
        self.touch(mask, at)

    def append(self, op: _Op, touched: int) -> None:
        self.touch(touched, len(self.ops))
        self.ops.append(op)

    def newest(self, mask: int) -> int:
        return max(at for bit, at in self.last.items() if bit & mask)

    def touch(self, mask: int, at: int) -> None:
        for bit in self.last:
            if bit & mask:
                self.last[bit] = at


def _controls(operation: cirq.Operation) -> tuple[tuple[cirq.Qid, ...], tuple[int, ...], cirq.Operation]:
    """Control qubits, their single values, and the operation that they control."""
    operation = operation.untagged
    gate = operation.gate
    if isinstance(gate, cirq.CZPowGate):
        control, target = operation.qubits
        return (control,), (1,), cirq.ZPowGate(exponent=gate.exponent, global_shift=gate.global_shift).on(target)
    if isinstance(gate, cirq.CXPowGate):
        control, target = operation.qubits
        return (control,), (1,), cirq.XPowGate(exponent=gate.exponent, global_shift=gate.global_shift).on(target)
    if isinstance(operation, cirq.ControlledOperation):
        outer, core, wanted = operation.controls, operation.sub_operation, operation.control_values
    elif isinstance(gate, cirq.ControlledGate):
        n_controls = gate.num_controls()
        outer = operation.qubits[:n_controls]
        core, wanted = gate.sub_gate.on(*operation.qubits[n_controls:]), gate.control_values
    else:
        return (), (), operation
    rows = list(wanted.expand())
    if len(rows) != 1:
        raise _unsupported(operation)
    inner, inner_values, core = _controls(core)
    return (*outer, *inner), (*rows[0], *inner_values), core


def _unsupported(operation: cirq.Operation) -> Exception:
    return invalid(
        "the batched engine cannot run an operation of this circuit",
        "rotations by constant × symbol, constant one-qubit gates, CZ, CNOT, single-valued controls, "
        "or what cirq decomposes into these",
        repr(operation),
    )


def translate(
    circuit: cirq.Circuit,
    qubits: Sequence[cirq.Qid],
    feature_symbols: Sequence[sympy.Symbol],
    weight_symbols: Sequence[sympy.Symbol],
    observables: Sequence[cirq.PauliSum],
) -> Program:
    """Translates a circuit for the batched engine.

    Args:
        circuit: any circuit of rotations by ``constant × symbol``, constant one-qubit gates, CZ
            and CNOT, with single-valued controls on any of them.
        qubits: the register, most significant bit first.
        feature_symbols: symbols that vary over the batch.
        weight_symbols: symbols that the batch shares.
        observables: K Pauli sums with real coefficients.

    Returns:
        The program.

    Raises:
        ValueError: an operation or symbol is not supported; the message shows it.
    """
    walk = _Translator(qubits, feature_symbols, weight_symbols)
    walk.circuit(circuit)
    gates = [gate for op in walk.ops for gate in op.gates]
    pair_tables, sign_tables = _Tables(), _Tables()
    offsets, starts = [], [0]
    for op in walk.ops:
        if op.kind == MATRIX:
            offsets.append(len(starts) - 1)
            starts.append(starts[-1] + len(op.gates))
        elif op.kind == MULTIPLEX:
            offsets.append(pair_tables.add(_pair_table(op, walk.n_qubits)))
        elif op.kind == SIGNS:
            offsets.append(sign_tables.add(_sign_table(op, walk.n_qubits)))
        else:
            offsets.append(0)
    rows = list(walk.rows)
    return Program(
        n_qubits=walk.n_qubits,
        n_features=len(feature_symbols),
        n_weights=len(weight_symbols),
        n_observables=len(observables),
        kinds=_ints(op.kind for op in walk.ops),
        targets=_ints(op.target for op in walk.ops),
        masks=_ints(op.mask for op in walk.ops),
        values=_ints(op.value for op in walk.ops),
        axes=_ints(op.axis for op in walk.ops),
        offsets=_ints(offsets),
        gate_starts=_ints(starts),
        gate_axes=_ints(gate[0] for gate in gates),
        gate_weights=_ints(gate[1] for gate in gates),
        gate_scales=np.array([gate[2] for gate in gates], np.float64),
        gate_fixed=np.array([gate[3] for gate in gates], np.complex128).reshape(-1, 2, 2),
        pair_rows=pair_tables.joined(np.int64),
        signs=sign_tables.joined(np.float32),
        row_features=_ints(row[0] for row in rows),
        row_scales=np.array([row[1] for row in rows], np.float64),
        **_terms(observables, walk.bit),
    )


def _ints(values: Any) -> np.ndarray:
    return np.array(list(values), np.int64)


class _Tables:
    """Distinct tables end to end; equal ones are stored once."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []
        self.where: dict[bytes, int] = {}
        self.length = 0

    def add(self, table: np.ndarray) -> int:
        key = table.tobytes()
        if key not in self.where:
            self.where[key] = self.length
            self.parts.append(table)
            self.length += len(table)
        return self.where[key]

    def joined(self, dtype: Any) -> np.ndarray:
        return np.concatenate(self.parts).astype(dtype) if self.parts else np.zeros(0, dtype)


def _pair_table(op: _Op, n_qubits: int) -> np.ndarray:
    lower = np.flatnonzero((np.arange(2**n_qubits) & op.target) == 0)
    table = np.full(2**n_qubits, -1, np.int64)
    for value, row in op.cases.items():
        table[value] = row  # indexed by the control bits alone
    return table[lower & op.mask]


def _sign_table(op: _Op, n_qubits: int) -> np.ndarray:
    index = np.arange(2**n_qubits)
    flips = sum(((index & mask) == value).astype(np.int64) for mask, value in op.pairs)
    return (1 - 2 * (flips & 1)).astype(np.int64)


def _terms(observables: Sequence[cirq.PauliSum], bit: Mapping[cirq.Qid, int]) -> dict[str, np.ndarray]:
    columns: list[tuple[int, int, int, int, float]] = []
    constants = np.zeros(len(observables))
    for k, observable in enumerate(observables):
        for string in observable:
            letters = dict(string.items())
            coefficient = complex(string.coefficient)
            if abs(coefficient.imag) > 1e-12:
                raise invalid("an observable is not Hermitian", "real coefficients", str(string))
            if not letters:
                constants[k] += coefficient.real
                continue
            x = sum(bit[q] for q, p in letters.items() if p in (cirq.X, cirq.Y))
            z = sum(bit[q] for q, p in letters.items() if p in (cirq.Z, cirq.Y))
            columns.append((x, z, sum(p == cirq.Y for p in letters.values()), k, coefficient.real))
    x, z, y, k, c = zip(*columns, strict=True) if columns else ((), (), (), (), ())
    return {
        "term_x": _ints(x),
        "term_z": _ints(z),
        "term_y": _ints(y),
        "term_k": _ints(k),
        "term_c": np.array(c, np.float64),
        "constants": constants,
    }

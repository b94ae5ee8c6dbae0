"""A cirq circuit as a list of merged gates: the first half of what the `batched` engine runs.

Neighbouring gates merge on the way: runs of one-qubit gates into one 2x2 matrix, controlled
rotations on one target into one multiplexed rotation, CZ gates into one vector of signs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import cirq
import numpy as np
import sympy

from qfl_explore.errors import invalid

MATRIX, MULTIPLEX, FLIP, SIGNS = range(4)
#: Rotation axes; ``PHASE`` is diag(1, e^{ix}) and ``FIXED`` a constant matrix.
RX, RY, RZ, PHASE, FIXED = range(5)

_AXES: dict[type, int] = {cirq.XPowGate: RX, cirq.YPowGate: RY, cirq.ZPowGate: RZ}
_PER_PI = 1 / sympy.pi


@dataclasses.dataclass
class MergedGate:
    """One pass over the state: what several gates of the circuit became.

    Attributes:
        kind: how it acts, one of the kinds above.
        target: bit of the qubit that it acts on.
        mask: bits of the controls.
        value: what the controls must be, bit by bit.
        axis: of a multiplexed rotation.
        gates: (axis, weight, coefficient, matrix) of the gates whose product a matrix is, in order.
        cases: value of the controls → row of the feature's angle.
        pairs: (mask, value) of every sign.
    """

    kind: int
    target: int = 0
    mask: int = 0
    value: int = 0
    axis: int = 0
    gates: list[tuple[int, int, float, np.ndarray]] = dataclasses.field(default_factory=list)
    cases: dict[int, int] = dataclasses.field(default_factory=dict)
    pairs: list[tuple[int, int]] = dataclasses.field(default_factory=list)


class Translator:
    """Walks a circuit once, merging as it goes."""

    def __init__(
        self, qubits: Sequence[cirq.Qid], features: Sequence[sympy.Symbol], weights: Sequence[sympy.Symbol]
    ) -> None:
        self.n_qubits = len(qubits)
        self.bit = {qubit: 1 << (len(qubits) - 1 - i) for i, qubit in enumerate(qubits)}
        self.inputs: dict[sympy.Symbol, tuple[str, int]] = {s: ("feature", i) for i, s in enumerate(features)}
        self.inputs |= {s: ("weight", i) for i, s in enumerate(weights)}
        self.ops: list[MergedGate] = []
        self.last = dict.fromkeys(self.bit.values(), -1)
        self.latest_signs = -1
        self.latest_multiplex = -1
        self.rows: dict[tuple[int, float], int] = {}
        self.angles: dict[sympy.Basic, tuple[str, int, float]] = {}
        #: Feature rotations by identity: a re-uploading circuit repeats the same objects.
        self.known: dict[int, tuple[cirq.Operation, tuple[int, int, int, int, int]]] = {}

    def all(self, operations: Iterable[cirq.Operation]) -> None:
        """Takes operations in; those seen before are not looked at anew."""
        for operation in operations:
            known = self.known.get(id(operation))
            if known is None:
                self.operation(operation)
            else:
                self.multiplex(*known[1])

    def operation(self, operation: cirq.Operation) -> None:
        """Takes one in, split into one-qubit gates with controls where it is larger.

        Raises:
            ValueError: it measures, or cannot be split.
        """
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
        """A one-qubit gate, with controls or without: a rotation, a sign, a flip or a constant matrix."""
        if cirq.is_parameterized(gate):
            self.rotation(operation, gate, target, mask, value)
        elif isinstance(gate, cirq.ZPowGate) and gate.exponent == 1 and gate.global_shift == 0 and mask:
            self.signs(target | mask, value | target)
        elif isinstance(gate, cirq.XPowGate) and gate.exponent == 1 and gate.global_shift == 0 and mask:
            self.append(MergedGate(FLIP, target, mask, value), target | mask)
        else:
            self.matrix(target, mask, value, (FIXED, 0, 0.0, cirq.unitary(gate)))

    def rotation(self, operation: cirq.Operation, gate: Any, target: int, mask: int, value: int) -> None:
        """A rotation by a weight becomes part of a matrix, one by a feature a case of a multiplexed rotation.

        Raises:
            ValueError: there is no kernel for it.
        """
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
            self.known[id(operation)] = (operation, (target, mask, value, axis, row))
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
        slope = sympy.S.One if simple else sympy.expand(exponent * sympy.pi / symbol).evalf()
        if not slope.is_number:
            raise _unsupported(operation)
        coefficient = float(slope)
        self.angles[exponent] = (*self.inputs[symbol], coefficient)
        return self.angles[exponent]

    def matrix(self, target: int, mask: int, value: int, gate: tuple[int, int, float, np.ndarray]) -> None:
        """Joins the matrix that came last on this qubit, or starts one."""
        at = self.last[target]
        if not mask and at >= 0:
            op = self.ops[at]
            if op.kind == MATRIX and op.target == target and not op.mask:
                op.gates.append(gate)
                return
        self.append(MergedGate(MATRIX, target, mask, value, gates=[gate]), target | mask)

    def multiplex(self, target: int, mask: int, value: int, axis: int, row: int) -> None:
        """Joins the last multiplexed rotation while nothing has touched its qubits since, or starts one."""
        at = self.latest_multiplex
        if at >= 0 and at >= self.newest(target | mask):
            op = self.ops[at]
            same = op.target == target and op.mask == mask and op.axis == axis
            if same and value not in op.cases:
                op.cases[value] = row
                return
        self.latest_multiplex = len(self.ops)
        self.append(MergedGate(MULTIPLEX, target, mask, axis=axis, cases={value: row}), target | mask)

    def signs(self, mask: int, value: int) -> None:
        """Joins the last signs, which all commute, while nothing has touched these qubits since, or starts them."""
        at = self.latest_signs
        if at < 0 or at < self.newest(mask):
            at = self.latest_signs = len(self.ops)
            self.ops.append(MergedGate(SIGNS))
        self.ops[at].pairs.append((mask, value))
        self.touch(mask, at)

    def append(self, op: MergedGate, touched: int) -> None:
        """Adds an entry that acts on the qubits of the bits ``touched``."""
        self.touch(touched, len(self.ops))
        self.ops.append(op)

    def newest(self, mask: int) -> int:
        """Index of the last entry that acted on any qubit of ``mask``; -1 for none."""
        return max(at for bit, at in self.last.items() if bit & mask)

    def touch(self, mask: int, at: int) -> None:
        """Notes that entry ``at`` acts on the qubits of ``mask``."""
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

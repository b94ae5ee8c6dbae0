"""S(x): how features become rotations, in two exactly equal forms.

Qubit-efficient encoding: ``S(x) = Σ_j |j⟩⟨j| ⊗ R(x_j)`` on an index register (big-endian slot
number j) and one value qubit; R = I on the constant slot and on padding. Source:
arXiv:2510.06938 (its register structure; the slot order is our construction).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cirq
import numpy as np
import sympy

from qfl_explore.config import FusionConfig

Angle = float | sympy.Expr
GateMaker = Callable[[Angle], cirq.Gate]


def _phase(angle: Angle) -> cirq.Gate:
    turns = angle / sympy.pi if isinstance(angle, sympy.Expr) else angle / np.pi
    return cirq.ZPowGate(exponent=turns)


#: The signal rotation R(x), x in radians; ``phase`` is diag(1, e^{ix}).
SIGNAL_GATES: dict[str, GateMaker] = {"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz, "phase": _phase}


def multi_controlled_signal(
    config: FusionConfig, qubits: Sequence[cirq.Qid], angles: Sequence[Angle]
) -> Iterator[cirq.Operation]:
    """S(x) as one rotation a feature, controlled on the index register holding its slot.

    Args:
        config: the layer's settings.
        qubits: index register, then value register.
        angles: M·D angles in radians, or symbols.

    Yields:
        M·D operations.
    """
    make = SIGNAL_GATES[config.signal]
    n_index = config.n_index_qubits
    index, value = qubits[:n_index], qubits[n_index:]
    for slot, angle in enumerate(angles):
        if not n_index:
            yield make(angle).on(value[slot])
            continue
        bits = [slot >> (n_index - 1 - i) & 1 for i in range(n_index)]
        yield cirq.ControlledOperation(index, make(angle).on(value[0]), bits)


def gray_code_matrix(n_controls: int) -> np.ndarray:
    """The Walsh–Hadamard matrix in Gray-code order that turns slot angles into gate angles.

    ``gate_i = 2^-k Σ_j (-1)^(j·g_i) slot_j`` with ``g_i`` the i-th Gray code.
    Source: Möttönen et al., arXiv:quant-ph/0404089.

    Args:
        n_controls: k, 0 or more.

    Returns:
        Array [2^k, 2^k], float64.

    >>> gray_code_matrix(1)
    array([[ 0.5,  0.5],
           [ 0.5, -0.5]])
    """
    numbers = np.arange(2**n_controls)
    gray = numbers ^ (numbers >> 1)
    parity = np.bitwise_count(gray[:, None] & numbers[None, :]) & 1
    return (1.0 - 2.0 * parity) / 2**n_controls


def _multiplexed(
    axis: str, controls: Sequence[cirq.Qid], target: cirq.Qid, angles: Sequence[Angle]
) -> Iterator[cirq.Operation]:
    """An uncontrolled-gate ladder for a rotation about ``axis`` multiplexed over ``controls``."""
    make = SIGNAL_GATES[axis]
    flip = cirq.CZ if axis == "rx" else cirq.CNOT
    n_controls = len(controls)
    for i, angle in enumerate(angles):
        yield make(angle).on(target)
        if n_controls:
            changed = (i + 1) & -(i + 1)
            bit = min(changed.bit_length() - 1, n_controls - 1)
            yield flip(controls[n_controls - 1 - bit], target)


class GrayCodeSignal:
    """S(x) from one-qubit rotations and CNOT (CZ for rx) gates only.

    ``ry``, ``rx`` and ``rz`` take 2^k rotations and 2^k two-qubit gates on the value qubit
    (UCRY). ``phase`` is a diagonal on all k + 1 qubits: multiplexed RZ gates peel off one
    index qubit at a time, 2^(k+1) - 1 rotations, with no global phase left over.

    Args:
        config: the layer's settings.
        qubits: index register, then value register.

    Attributes:
        matrix: [n_gates, M·D]; ``matrix @ features`` are the rotation angles, in radians.
    """

    def __init__(self, config: FusionConfig, qubits: Sequence[cirq.Qid]) -> None:
        n_index, n_features = config.n_index_qubits, config.n_features
        slots = np.eye(config.n_slots, n_features) if n_index else np.eye(n_features)
        index, value = list(qubits[:n_index]), list(qubits[n_index:])
        self._ladders: list[tuple[str, list[cirq.Qid], cirq.Qid, int]] = []
        rows: list[np.ndarray] = []
        if not n_index:
            self._ladders = [(config.signal, [], qubit, 1) for qubit in value]
            rows = [slots]
        elif config.signal == "phase":
            rows = self._peel_phases(index, value[0], slots)
        else:
            self._ladders = [(config.signal, index, value[0], config.n_slots)]
            rows = [gray_code_matrix(n_index) @ slots]
        self.matrix = np.concatenate(rows)

    def _peel_phases(self, index: list[cirq.Qid], value: cirq.Qid, slots: np.ndarray) -> list[np.ndarray]:
        rows = []
        phases = np.stack([np.zeros_like(slots), slots], axis=1)  # [slot, value bit, feature]
        while index:
            target = index.pop()
            pairs = phases.reshape(-1, 2, 2, slots.shape[1])  # [rest of index, target bit, value bit, feature]
            difference = (pairs[:, 1] - pairs[:, 0]).reshape(-1, slots.shape[1])
            phases = pairs.mean(axis=1)
            controls = [*index, value]
            rows.append(gray_code_matrix(len(controls)) @ difference)
            self._ladders.append(("rz", controls, target, len(difference)))
        rows.append(phases[0, 1:])
        self._ladders.append(("phase", [], value, 1))
        return rows

    @property
    def n_gates(self) -> int:
        """Rotations in one S(x)."""
        return len(self.matrix)

    def operations(self, angles: Sequence[Angle]) -> Iterator[cirq.Operation]:
        """S(x) with the given gate angles (``n_gates`` of them, radians or symbols)."""
        start = 0
        for axis, controls, target, count in self._ladders:
            yield from _multiplexed(axis, controls, target, angles[start : start + count])
            start += count

"""A noisy fusion circuit as flat arrays for `density_kernels`.

A density matrix is kept as its real Pauli components ``r_P = Tr(P ρ)``, index in base 4, digits
I, X, Y, Z, first qubit most significant. There a rotation turns two components, CZ and CNOT
permute them, and every one-qubit channel here acts as ``X, Y → s·(X, Y)`` and
``Z → c·Z + d·I``: channels that follow each other become three numbers, and join the next gate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cirq
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.circuits.noise import NoiseModel, noisy_observables, physical_moments
from qfl_explore.lazy import cached_property

#: Kinds of operation.
AFFINE, NOISE, SIGNAL, CZ, CNOT = range(5)
#: A factor of an AFFINE that is a channel; 0, 1, 2 are rotations about x, y, z.
CHANNEL = 3
_AXES = ((cirq.XPowGate, 0), (cirq.YPowGate, 1), (cirq.ZPowGate, 2))
_PAULI_DIGIT = {cirq.X: 1, cirq.Y: 2, cirq.Z: 3}
#: Words of a channel: depolarising after a gate, decoherence in a moment.
_GATE, _TIME = "g", "t"


@dataclasses.dataclass(frozen=True, eq=False)
class DensityProgram:
    """What one circuit asks of the kernels, whatever the strength of its noise.

    Attributes:
        n_qubits: n.
        n_signals: signal rotations; rows of the angles that differ between samples.
        n_weights: angles that all samples share.
        ops: [n_ops, 4] int64: kind, qubit, second qubit or axis, and where its data stand: the
            matrix (AFFINE), the channel (NOISE), the signal's row (SIGNAL).
        signal_channels: [n_signals, 2] int64: channels before and after each signal rotation.
        factor_starts: [n_affine + 1] int64, factors of each AFFINE, first applied first.
        factor_kinds: [n_factors] int64: axis, or CHANNEL.
        factor_data: [n_factors] int64: weight, or channel.
        channels: words over ``g`` and ``t``: what happens, first first.
    """

    n_qubits: int
    n_signals: int
    n_weights: int
    ops: np.ndarray
    signal_channels: np.ndarray
    factor_starts: np.ndarray
    factor_kinds: np.ndarray
    factor_data: np.ndarray
    channels: tuple[str, ...]

    @cached_property
    def n_taped(self) -> int:
        """Operations whose input the way back needs."""
        return int(np.isin(self.ops[:, 0], (AFFINE, SIGNAL)).sum())

    def channel_table(self, noise: NoiseModel) -> np.ndarray:
        """[n_channels, 3]: s, c and d of every channel."""
        after_gate = (1.0 - 4.0 * noise.depolarizing_1q / 3.0,) * 2 + (0.0,)
        kept = 1.0 - noise.amplitude_damping
        in_time = ((1.0 - 2.0 * noise.dephasing) * kept**0.5, kept, noise.amplitude_damping)
        table = np.empty((len(self.channels), 3))
        for row, word in zip(table, self.channels, strict=True):
            s, c, d = 1.0, 1.0, 0.0
            for letter in word:
                step = after_gate if letter == _GATE else in_time
                s, c, d = step[0] * s, step[1] * c, step[1] * d + step[2]
            row[:] = s, c, d
        return table


def pair_factor(noise: NoiseModel) -> float:
    """By how much every component but the identity's shrinks after a two-qubit gate."""
    return 1.0 - 16.0 * noise.depolarizing_2q / 15.0


class _Translator:
    """Walks the moments; channels wait on their qubit until a gate takes them along."""

    def __init__(self, fusion: FusionCircuit) -> None:
        self.place = {qubit: i for i, qubit in enumerate(fusion.qubits)}
        symbols = fusion.physical.symbols
        self.n_signals = len(symbols) - fusion.n_weights
        self.number = {symbol.name: i for i, symbol in enumerate(symbols)}
        self.pending: list[list[tuple[int, int]]] = [[] for _ in fusion.qubits]  # factors of an AFFINE
        self.word = [""] * len(fusion.qubits)  # channels after those
        self.ops: list[tuple[int, int, int, int]] = []
        self.factors: list[list[tuple[int, int]]] = []
        self.channels: dict[str, int] = {"": 0}
        self.signal_before = [0] * self.n_signals
        self.signal_after = [0] * self.n_signals
        self.latest_signal: list[int | None] = [None] * len(fusion.qubits)

    def channel(self, word: str) -> int:
        return self.channels.setdefault(word, len(self.channels))

    def rotation(self, operation: cirq.Operation) -> None:
        qubit = self.place[operation.qubits[0]]
        axis = next(axis for family, axis in _AXES if isinstance(operation.gate, family))
        number = self.number[min(cirq.parameter_names(operation))]
        if number >= self.n_signals:
            self.settle(qubit)
            if self.word[qubit]:
                self.pending[qubit].append((CHANNEL, self.channel(self.word[qubit])))
            self.word[qubit] = ""
            self.pending[qubit].append((axis, number - self.n_signals))
            return
        self.flush(qubit, keep_word=True)
        self.signal_before[number] = self.channel(self.word[qubit])
        self.word[qubit] = ""
        self.ops.append((SIGNAL, qubit, axis, number))
        self.latest_signal[qubit] = number

    def settle(self, qubit: int) -> None:
        """What followed the latest signal rotation becomes part of it."""
        number = self.latest_signal[qubit]
        if number is not None:
            self.signal_after[number] = self.channel(self.word[qubit])
            self.word[qubit], self.latest_signal[qubit] = "", None

    def flush(self, qubit: int, keep_word: bool = False) -> None:
        """Writes what waits on a qubit; ``keep_word`` leaves bare channels to the caller."""
        self.settle(qubit)
        if self.pending[qubit]:
            if self.word[qubit]:
                self.pending[qubit].append((CHANNEL, self.channel(self.word[qubit])))
            self.ops.append((AFFINE, qubit, 0, len(self.factors)))
            self.factors.append(self.pending[qubit])
            self.pending[qubit], self.word[qubit] = [], ""
        elif self.word[qubit] and not keep_word:
            self.ops.append((NOISE, qubit, 0, self.channel(self.word[qubit])))
            self.word[qubit] = ""

    def pair(self, operation: cirq.Operation) -> None:
        first, second = (self.place[qubit] for qubit in operation.qubits)
        self.flush(first)
        self.flush(second)
        self.ops.append((CZ if isinstance(operation.gate, cirq.CZPowGate) else CNOT, first, second, 0))


def translate(fusion: FusionCircuit) -> DensityProgram:
    """The physical form of a circuit, with places for noise."""
    walk = _Translator(fusion)
    for gates in physical_moments(fusion):
        for gate in gates:
            for operation in gate.operations:
                (walk.pair if len(gate.qubits) == 2 else walk.rotation)(operation)
            if len(gate.qubits) == 1:
                walk.word[walk.place[gate.qubits[0]]] += _GATE
        walk.word = [word + _TIME for word in walk.word]
    for qubit in range(fusion.n_qubits):
        walk.flush(qubit)
    flat = [factor for factors in walk.factors for factor in factors]
    return DensityProgram(
        n_qubits=fusion.n_qubits,
        n_signals=walk.n_signals,
        n_weights=fusion.n_weights,
        ops=np.array(walk.ops, np.int64),
        signal_channels=np.array([walk.signal_before, walk.signal_after], np.int64).T.copy(),
        factor_starts=np.cumsum([0, *map(len, walk.factors)], dtype=np.int64),
        factor_kinds=np.array([kind for kind, _ in flat], np.int64),
        factor_data=np.array([data for _, data in flat], np.int64),
        channels=tuple(walk.channels),
    )


def components(observables: Sequence[cirq.PauliSum], qubits: Sequence[cirq.Qid]) -> np.ndarray:
    """Pauli coefficients [K, 4^n] of observables, in the index order of the state."""
    digit = {qubit: 4 ** (len(qubits) - 1 - i) for i, qubit in enumerate(qubits)}
    found = np.zeros((len(observables), 4 ** len(qubits)))
    for row, observable in zip(found, observables, strict=True):
        for string in observable:
            at = sum(digit[qubit] * _PAULI_DIGIT[pauli] for qubit, pauli in string.items())
            row[at] += string.coefficient.real
    return found


def noisy_components(fusion: FusionCircuit, noise: NoiseModel) -> np.ndarray:
    """`components` of what wrong readings give on average."""
    return components(noisy_observables(fusion, noise), fusion.qubits)

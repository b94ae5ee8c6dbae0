"""The feature-entanglement network's circuit: a fusion block that entangles modalities, then a QCNN.

Source: arXiv:2601.07856 describes unimodal modules, an interpretable quantum fusion block and a quantum
convolutional neural network, with linear cost. What we hold of it is that description; the gates, the
registers, the pooling and the readout here are our construction, and options.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import cached_property

import cirq

from qfl_explore.circuits.ansatz import entangled_pairs
from qfl_explore.circuits.encoding import SIGNAL_GATES, Angle
from qfl_explore.circuits.hardware_efficient import SIGNALS, TOKENS
from qfl_explore.circuits.own import ROTATIONS, CircuitSettings, OwnCircuit, local_paulis, rotated
from qfl_explore.config import ENTANGLERS, MAX_QUBITS
from qfl_explore.errors import check_int, check_option, invalid

#: Which modalities the fusion block joins; ``none`` is the product control, which has no joint term.
PAIRS = (*ENTANGLERS, "none")
#: How it joins two qubits: exp(-iθ ZZ/2) with a trainable θ, which is 0 where nothing is joined, or a CZ.
COUPLINGS = ("zz", "cz")
#: Angles of one pooling: the kept qubit turns by their sum or difference, as its neighbour is 0 or 1.
N_POOL = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureEntanglementConfig(CircuitSettings):
    """Local rotations; ``degree`` times (features, couplings, local rotations); then the QCNN.

    Args:
        n_modalities: M, 1 or more.
        feature_dim: D, features a modality, 1 or more.
        register_size: qubits a modality, 1 or more; feature d stands on qubit d mod register_size.
        degree: how often the features enter, 1 or more.
        local: trainable rotations on every qubit: ``ry``, ``ry_rz`` or ``rx_ry_rz``.
        pairs: modalities that are joined: ``ring``, ``linear``, ``full`` (then the cost is quadratic in M)
            or ``none``.
        coupling: ``zz`` (trainable) or ``cz``.
        signal: axis of the first feature on a qubit; further ones alternate with another axis.
        qcnn: whether convolution and pooling follow; without, the fusion block itself is read.
        convolution: rotations on both qubits of a convolution, before its CZ.
        shared: whether all convolutions of one level have the same angles, and all poolings.
        n_kept: pooling goes on while the register has more qubits.
        measurement: of each qubit that is left: ``pauli`` (X, Y, Z) or ``z``.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.

    >>> config = FeatureEntanglementConfig(n_modalities=8)
    >>> config.n_qubits, config.registers, config.n_weights
    (8, (8, 4, 2), 80)
    """

    n_modalities: int = 2
    feature_dim: int = 1
    register_size: int = 1
    degree: int = 2
    local: str = "ry_rz"
    pairs: str = "ring"
    coupling: str = "zz"
    signal: str = "ry"
    qcnn: bool = True
    convolution: str = "rx_ry_rz"
    shared: bool = True
    n_kept: int = 2
    measurement: str = "pauli"

    def __post_init__(self) -> None:
        for name in ("n_modalities", "feature_dim", "register_size", "degree", "n_kept"):
            check_int(name, getattr(self, name), 1)
        check_option("local", self.local, ROTATIONS)
        check_option("pairs", self.pairs, PAIRS)
        check_option("coupling", self.coupling, COUPLINGS)
        check_option("signal", self.signal, SIGNALS)
        check_option("convolution", self.convolution, ROTATIONS)
        check_option("measurement", self.measurement, TOKENS)
        for name in ("qcnn", "shared"):
            if not isinstance(getattr(self, name), bool):
                raise invalid(f"{name} must be a boolean", "True or False", f"{getattr(self, name)!r}", TypeError)
        if self.n_qubits > MAX_QUBITS:
            received = f"{self.n_modalities} modalities of {self.register_size} qubits, {self.n_qubits} in all"
            raise invalid("the register is too large", f"at most {MAX_QUBITS} qubits", received)

    @property
    def n_qubits(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """M times the register size."""
        return self.n_modalities * self.register_size

    @property
    def n_blocks(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """How many diagonals an engine has to hold, an upper estimate for each call of the signal."""
        return 3 + 4 * len(self.registers)

    @property
    def joined(self) -> tuple[tuple[int, int], ...]:
        """Pairs of qubits of different modalities that are coupled."""
        if self.pairs == "none":
            return ()
        size = self.register_size
        modalities = entangled_pairs(self.pairs, self.n_modalities)
        return tuple((a * size + j, b * size + j) for a, b in modalities for j in range(size))

    @property
    def inside(self) -> tuple[tuple[int, int], ...]:
        """Neighbouring qubits inside each modality's register."""
        size = self.register_size
        starts = range(0, self.n_qubits, size)
        return tuple((first + j, first + j + 1) for first in starts for j in range(size - 1))

    @property
    def registers(self) -> tuple[int, ...]:
        """Sizes of the QCNN's register, level by level, the last is what is read."""
        sizes = [self.n_qubits]
        while self.qcnn and sizes[-1] > self.n_kept:
            sizes.append((sizes[-1] + 1) // 2)
        return tuple(sizes)

    @property
    def n_fusion_weights(self) -> int:
        """Angles of the fusion block; they come first."""
        local = (self.degree + 1) * self.n_qubits * len(ROTATIONS[self.local])
        couplings = len(self.joined) + len(self.inside) if self.coupling == "zz" else 0
        return local + self.degree * couplings

    @property
    def n_weights(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Trainable angles."""
        total, unit = self.n_fusion_weights, 2 * len(ROTATIONS[self.convolution])
        for size in self.registers[:-1]:
            total += unit + N_POOL if self.shared else unit * (size - 1) + N_POOL * (size // 2)
        return total

    def coupling_places(self) -> tuple[tuple[int, int, int], ...]:
        """(place among the weights, qubit, qubit) of every trainable coupling between modalities.

        >>> FeatureEntanglementConfig(degree=1).coupling_places()
        ((4, 0, 1),)
        """
        if self.coupling != "zz":
            return ()
        local = self.n_qubits * len(ROTATIONS[self.local])
        step = len(self.inside) + len(self.joined) + local
        first = local + len(self.inside)
        return tuple((first + p * step + i, *pair) for p in range(self.degree) for i, pair in enumerate(self.joined))


def counts(config: FeatureEntanglementConfig) -> dict[str, int]:
    """Qubits, gates and angles in closed form: linear in M but for ``pairs='full'`` (our count).

    >>> counts(FeatureEntanglementConfig(n_modalities=8, degree=1))["two_qubit_gates"]
    32
    """
    n, rotations = config.n_qubits, len(ROTATIONS[config.convolution])
    pairs = len(config.joined) + len(config.inside)
    zz = config.coupling == "zz"
    one = (config.degree + 1) * n * len(ROTATIONS[config.local])
    one += config.degree * (config.n_features + (pairs if zz else 0))
    two = config.degree * pairs * (2 if zz else 1)
    for size in config.registers[:-1]:
        one += 2 * rotations * (size - 1) + N_POOL * (size // 2)
        two += size - 1 + size // 2
    return {"qubits": n, "one_qubit_gates": one, "two_qubit_gates": two, "angles": config.n_weights}


class FeatureEntanglementCircuit(OwnCircuit):
    """The circuit. With ``qcnn=False`` it is the fusion block: Z of every qubit, then ZZ of joined qubits.

    >>> FeatureEntanglementCircuit(FeatureEntanglementConfig(n_modalities=4)).n_observables
    6
    """

    config_class = FeatureEntanglementConfig

    def build(self, features: Sequence[Angle], weights: Sequence[Angle]) -> Iterator[cirq.Operation]:
        """The fusion block, then the QCNN."""
        angles = iter(weights)
        yield from self.fusion_block(features, angles)
        yield from self.network(angles)

    def fusion_block(self, features: Sequence[Angle], angles: Iterator[Angle]) -> Iterator[cirq.Operation]:
        """Takes ``n_fusion_weights`` angles."""
        config = self.config
        yield from rotated(config.local, self.qubits, angles)
        for _ in range(config.degree):
            yield from self._signal(features)
            for a, b in (*config.inside, *config.joined):
                yield from _coupling(config.coupling, self.qubits[a], self.qubits[b], angles)
            yield from rotated(config.local, self.qubits, angles)

    def network(self, angles: Iterator[Angle]) -> Iterator[cirq.Operation]:
        """Convolution and pooling, level by level."""
        config, qubits = self.config, self.qubits
        unit = 2 * len(ROTATIONS[config.convolution])
        for _ in config.registers[:-1]:
            convolved = _sets(angles, unit, len(qubits) - 1, config.shared)
            for (a, b), own in zip(_neighbours(qubits), convolved, strict=True):
                yield from rotated(config.convolution, (a, b), iter(own))
                yield cirq.CZ(a, b)
            pooled = _sets(angles, N_POOL, len(qubits) // 2, config.shared)
            for kept, gone, own in zip(qubits[::2], qubits[1::2], pooled, strict=False):
                yield from pooling(kept, gone, own)
            qubits = qubits[::2]

    def _signal(self, features: Sequence[Angle]) -> Iterator[cirq.Operation]:
        config = self.config
        axes = (config.signal, "ry" if config.signal == "rz" else "rz")
        for place, angle in enumerate(features):
            modality, d = divmod(place, config.feature_dim)
            row, column = divmod(d, config.register_size)
            yield SIGNAL_GATES[axes[row % 2]](angle).on(self.qubits[modality * config.register_size + column])

    @property
    def kept_qubits(self) -> tuple[cirq.GridQubit, ...]:
        """What is read in the end."""
        return self.qubits[:: 2 ** (len(self.config.registers) - 1)]

    @cached_property
    def observables(self) -> tuple[cirq.PauliSum, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Of the qubits that are left, or of the fusion block."""
        if self.config.qcnn:
            return local_paulis(self.kept_qubits, TOKENS[self.config.measurement])
        pairs = [cirq.PauliString({self.qubits[i]: cirq.Z for i in pair}) for pair in self.config.joined]
        return (*local_paulis(self.qubits, (cirq.Z,)), *map(cirq.PauliSum.from_pauli_strings, pairs))


def pooling(kept: cirq.Qid, gone: cirq.Qid, angles: Sequence[Angle]) -> Iterator[cirq.Operation]:
    """``gone`` is measured later or never; what it is decides how ``kept`` turns.

    RY(a), CZ, RY(b): RY(a + b) where ``gone`` is 0 and RY(b - a) Z where it is 1. That is a measurement
    of ``gone`` with a turn that follows from it, by the principle of deferred measurement.
    """
    yield cirq.ry(angles[0]).on(kept)
    yield cirq.CZ(gone, kept)
    yield cirq.ry(angles[1]).on(kept)


def _coupling(word: str, a: cirq.Qid, b: cirq.Qid, angles: Iterator[Angle]) -> Iterator[cirq.Operation]:
    if word == "cz":
        yield cirq.CZ(a, b)
        return
    yield cirq.CNOT(a, b)
    yield cirq.rz(next(angles)).on(b)
    yield cirq.CNOT(a, b)


def _neighbours(qubits: Sequence[cirq.Qid]) -> list[tuple[cirq.Qid, cirq.Qid]]:
    """(0, 1), (2, 3), … then (1, 2), (3, 4), …"""
    pairs = list(zip(qubits, qubits[1:], strict=False))
    return pairs[::2] + pairs[1::2]


def _sets(angles: Iterator[Angle], size: int, count: int, shared: bool) -> list[list[Angle]]:
    """``count`` lists of ``size`` angles; one and the same where they are shared."""
    if shared:
        return [[next(angles) for _ in range(size)]] * count
    return [[next(angles) for _ in range(size)] for _ in range(count)]

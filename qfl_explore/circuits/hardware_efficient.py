"""The variational quantum branch of cross-attention mid-fusion: a hardware-efficient ansatz on few qubits.

Source: arXiv:2512.19180 names a hardware-efficient ansatz with up to nine qubits. Which rotations, which
entangler, how features enter and what is measured are our construction, and options.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import cached_property

import cirq

from qfl_explore.circuits.ansatz import entangled_pairs
from qfl_explore.circuits.encoding import SIGNAL_GATES, Angle
from qfl_explore.circuits.own import PAULIS, ROTATIONS, CircuitSettings, OwnCircuit, local_paulis, rotated
from qfl_explore.config import ENTANGLERS
from qfl_explore.errors import check_int, check_option

#: What the paper stays within.
MAX_QUBITS = 9
#: Numbers of one token: X, Y and Z of its qubit, or Z alone.
TOKENS: dict[str, tuple[cirq.Pauli, ...]] = {"pauli": PAULIS, "z": (cirq.Z,)}
#: Rotations about one axis, without the diagonal ``phase``.
SIGNALS = ("ry", "rx", "rz")


@dataclasses.dataclass(frozen=True, kw_only=True)
class HardwareEfficientConfig(CircuitSettings):
    """``degree`` times: a rotation by one feature on every qubit, then ``n_blocks`` trainable blocks.

    Args:
        n_modalities: n, the number of qubits and of tokens, 1 to 9; one feature stands on each qubit.
        degree: how often the features enter, 1 or more.
        n_blocks: trainable blocks after each entry.
        rotations: of a block on every qubit: ``ry``, ``ry_rz`` or ``rx_ry_rz``.
        entangler: CZ gates of a block: ``ring``, ``linear`` or ``full``.
        signal: how a feature enters: ``ry``, ``rx`` or ``rz``.
        measurement: of each qubit, a token's numbers: ``pauli`` (X, Y, Z) or ``z``.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.

    >>> HardwareEfficientConfig(n_modalities=4, n_blocks=2).n_weights
    16
    """

    n_modalities: int = 4
    degree: int = 1
    n_blocks: int = 2
    rotations: str = "ry_rz"
    entangler: str = "ring"
    signal: str = "ry"
    measurement: str = "pauli"

    def __post_init__(self) -> None:
        check_int("n_modalities (the number of qubits)", self.n_modalities, 1, MAX_QUBITS)
        check_int("degree", self.degree, 1)
        check_int("n_blocks", self.n_blocks, 1)
        check_option("rotations", self.rotations, ROTATIONS)
        check_option("entangler", self.entangler, ENTANGLERS)
        check_option("signal", self.signal, SIGNALS)
        check_option("measurement", self.measurement, TOKENS)

    @property
    def feature_dim(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """1: one feature a qubit."""
        return 1

    @property
    def n_qubits(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """n."""
        return self.n_modalities

    @property
    def n_weights(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Trainable angles."""
        return self.degree * self.n_blocks * self.n_qubits * len(ROTATIONS[self.rotations])

    @property
    def token_size(self) -> int:
        """Numbers of one token."""
        return len(TOKENS[self.measurement])


class HardwareEfficientCircuit(OwnCircuit):
    """The circuit; observables are the tokens' numbers, token by token.

    >>> HardwareEfficientCircuit(HardwareEfficientConfig(n_modalities=3)).n_observables
    9
    """

    config_class = HardwareEfficientConfig

    def build(self, features: Sequence[Angle], weights: Sequence[Angle]) -> Iterator[cirq.Operation]:
        """S(x), then blocks; ``degree`` times."""
        config, angles = self.config, iter(weights)
        signal = SIGNAL_GATES[config.signal]
        for _ in range(config.degree):
            for qubit, angle in zip(self.qubits, features, strict=True):
                yield signal(angle).on(qubit)
            for _ in range(config.n_blocks):
                yield from rotated(config.rotations, self.qubits, angles)
                for a, b in entangled_pairs(config.entangler, len(self.qubits)):
                    yield cirq.CZ(self.qubits[a], self.qubits[b])

    @cached_property
    def observables(self) -> tuple[cirq.PauliSum, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Of qubit 0, then of qubit 1, and so on."""
        return local_paulis(self.qubits, TOKENS[self.config.measurement])

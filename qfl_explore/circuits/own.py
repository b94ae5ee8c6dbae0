"""Circuits of one's own that every engine runs: give the settings, the operations and the observables.

A `FusionCircuit` alternates S(x) and U(θ). Other circuits keep its surface (symbols in a stated order, a
`circuit` as the single source of truth, a `physical` form for the parameter shift), so engines and
layers take them as they are.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import cirq
import numpy as np
import sympy

from qfl_explore.circuits.encoding import Angle
from qfl_explore.circuits.fusion import FusionCircuit, PhysicalCircuit
from qfl_explore.config import Settings
from qfl_explore.errors import check_int, check_option, invalid

#: How angles may start; there is no identity block, as these circuits have other gates than RX·RY·RZ + CZ.
STARTS = ("uniform", "small_angle")
PAULIS = (cirq.X, cirq.Y, cirq.Z)
ROTATIONS: dict[str, tuple[Callable[[Any], cirq.Gate], ...]] = {
    "ry": (cirq.ry,),
    "ry_rz": (cirq.ry, cirq.rz),
    "rx_ry_rz": (cirq.rx, cirq.ry, cirq.rz),
}


class CircuitSettings(Settings):
    """What engines ask a frozen config for; a config of one's own inherits this and adds its fields.

    Features stand in gates as they are (no index register), so the words of `FusionConfig` for the two
    forms of its signal are fixed here.
    """

    encoding: ClassVar[str] = "qubit_per_feature"
    signal_form: ClassVar[str] = "multi_controlled"
    n_index_qubits: ClassVar[int] = 0
    signal: str = "ry"
    n_modalities: int
    feature_dim: int
    degree: int
    n_blocks: int
    n_qubits: int
    n_weights: int

    @property
    def n_features(self) -> int:
        """M·D, numbers of one sample."""
        return self.n_modalities * self.feature_dim

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """(n_weights,): one row of angles."""
        return (self.n_weights,)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload]


@dataclasses.dataclass(frozen=True)
class SharedPhysicalCircuit(PhysicalCircuit):
    """A physical form in which one weight may stand in several gates.

    Attributes:
        weight_matrix: [n_weight_gates, n_weights] of 0 and 1, the gates' angles from the weights.
    """

    weight_matrix: np.ndarray = dataclasses.field(default_factory=lambda: np.empty((0, 0)))

    def symbol_values(self, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Angles for ``symbols``: features [B, M, D] and weights (any shape) -> [B, n_symbols]."""
        signal = np.asarray(features, np.float64).reshape(len(features), -1) @ self.signal_matrix.T
        shared = self.weight_matrix @ np.ravel(weights)
        return np.concatenate([signal, np.broadcast_to(shared, (len(signal), len(shared)))], axis=1)

    def pull_back(self, d_symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradients [B, n_symbols] -> features [B, M·D] and weights [n_weights] (summed over B)."""
        n_signal = len(self.signal_matrix)
        weights = d_symbols[:, n_signal:].sum(axis=0) @ self.weight_matrix
        return d_symbols[:, :n_signal] @ self.signal_matrix, weights


class OwnCircuit(FusionCircuit, abc.ABC):
    """A circuit whose operations a subclass gives; every gate has at most one symbol, with factor 1.

    Args:
        config: the settings.

    Raises:
        TypeError: ``config`` is of another class than ``config_class``.
    """

    config_class: ClassVar[type]

    def __init__(self, config: Any) -> None:
        if not isinstance(config, self.config_class):
            raise invalid("config is of the wrong kind", f"a {self.config_class.__name__}", repr(config), TypeError)
        self.config = config
        self.qubits = tuple(cirq.GridQubit(0, i) for i in range(config.n_qubits))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config!r})"

    @abc.abstractmethod
    def build(self, features: Sequence[Angle], weights: Sequence[Angle]) -> Iterator[cirq.Operation]:
        """The operations for M·D features and ``n_weights`` angles (radians or symbols)."""

    @property
    @abc.abstractmethod
    def observables(self) -> tuple[cirq.PauliSum, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """K Pauli sums."""

    @cached_property
    def weight_symbols(self) -> tuple[sympy.Symbol, ...]:
        """``n_weights`` symbols."""
        return tuple(sympy.Symbol(f"w_{i:04d}") for i in range(self.config.n_weights))

    def operations(self) -> list[cirq.Operation]:
        """What `circuit` holds, in order."""
        return list(self.build(self.feature_symbols, self.weight_symbols))

    @cached_property
    def physical(self) -> PhysicalCircuit:
        """The same circuit with a symbol of its own for each rotation."""
        known: tuple[sympy.Symbol, ...] = self.feature_symbols + self.weight_symbols
        place = {symbol: i for i, symbol in enumerate(known)}
        n_features, rows, operations = len(self.feature_symbols), ([], []), []
        for op in self.operations():
            if cirq.is_parameterized(op):
                (name,) = cirq.parameter_names(op)
                index = place[sympy.Symbol(name)]
                which = int(index >= n_features)
                fresh = sympy.Symbol(f"{'sv'[which]}_{len(rows[which]):04d}")
                rows[which].append(index - which * n_features)
                op = cirq.resolve_parameters_once(op, {name: fresh})
            operations.append(op)
        symbols = tuple(sympy.Symbol(f"{'sv'[w]}_{i:04d}") for w in (0, 1) for i in range(len(rows[w])))
        signal, shared = (np.eye(n)[rows[w]] for w, n in ((0, n_features), (1, self.n_weights)))
        return SharedPhysicalCircuit(cirq.Circuit(operations), symbols, signal, 1, shared)

    def initial_weights(self, initializer: str = "uniform", seed: int = 0, scale: float = 0.1) -> np.ndarray:
        """Starting angles [n_weights] in radians: ``uniform`` in [-π, π), or ``small_angle``, normal.

        Args:
            initializer: one of ``STARTS``.
            seed: of the draw; 0 or more.
            scale: standard deviation of ``small_angle``, radians.
        """
        rng = np.random.default_rng(check_int("seed", seed, 0))
        if check_option("initializer", initializer, STARTS) == "small_angle":
            return rng.normal(0.0, scale, self.n_weights)
        return rng.uniform(-math.pi, math.pi, self.n_weights)


def local_paulis(qubits: Sequence[cirq.Qid], letters: Sequence[cirq.Pauli] = PAULIS) -> tuple[cirq.PauliSum, ...]:
    """One observable a letter on each qubit: X, Y, Z of the first qubit, then of the next."""
    return tuple(cirq.PauliSum.from_pauli_strings(cirq.PauliString({q: p})) for q in qubits for p in letters)


def rotated(words: str, qubits: Sequence[cirq.Qid], angles: Iterator[Angle]) -> Iterator[cirq.Operation]:
    """The rotations ``words`` of `ROTATIONS` on every qubit, angles taken in order."""
    for qubit in qubits:
        for rotation in ROTATIONS[words]:
            yield rotation(next(angles)).on(qubit)

"""FusionCircuit: the circuit, its symbols in a stated order, and its observables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import cirq
import numpy as np
import sympy

from qfl_explore.circuits.ansatz import ansatz_operations
from qfl_explore.circuits.encoding import Angle, GrayCodeSignal, multi_controlled_signal
from qfl_explore.circuits.measurement import measured_observables
from qfl_explore.config import FusionConfig
from qfl_explore.errors import invalid
from qfl_explore.lazy import cached_property


@dataclasses.dataclass(frozen=True)
class PhysicalCircuit:
    """The same unitary from uncontrolled gates, with one symbol for each rotation.

    This is the form for parameter shift, noise and hardware: every symbol occurs in one
    gate, a rotation with eigenvalues ±1/2 (up to a phase), so the two-point shift is exact.

    Attributes:
        circuit: rotations, CNOT and CZ gates only.
        symbols: one for each rotation: signal gates layer by layer, then weights.
        signal_matrix: [n_signal_gates, M·D]; gate angles of one S(x) from the features.
        degree: how often S(x) occurs.
    """

    circuit: cirq.Circuit
    symbols: tuple[sympy.Symbol, ...]
    signal_matrix: np.ndarray
    degree: int

    def symbol_values(self, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Angles for ``symbols``: features [B, M, D] and weights (any shape) -> [B, n_symbols]."""
        flat = np.asarray(features, np.float64).reshape(len(features), -1)
        signal = np.tile(flat @ self.signal_matrix.T, (1, self.degree))
        shared = np.broadcast_to(np.ravel(weights), (len(flat), np.size(weights)))
        return np.concatenate([signal, shared], axis=1)

    def pull_back(self, d_symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradients [B, n_symbols] -> features [B, M·D] and weights [n_weights] (summed over B)."""
        n_signal = self.degree * len(self.signal_matrix)
        signal = d_symbols[:, :n_signal].reshape(len(d_symbols), self.degree, -1).sum(axis=1)
        return signal @ self.signal_matrix, d_symbols[:, n_signal:].sum(axis=0)


class FusionCircuit:
    """``U_P S(x) U_{P-1} … S(x) U_0 |0…0⟩`` as a cirq circuit with its observables.

    Qubits are ``cirq.GridQubit(0, i)``: the index register first (most significant bit
    first), then the value register. Symbols are zero-padded, so that sorting their names
    keeps the stated order: features ``x_mmm_ddd`` in [M, D] order, then weights
    ``w_ppp_bb_qq_a`` in the order of ``weight_shape``.

    Source: arXiv:2510.06938; see `FusionConfig` for what is our construction.

    Args:
        config: the settings.

    Raises:
        TypeError: ``config`` is not a `FusionConfig`.

    >>> fusion = FusionCircuit(FusionConfig(n_modalities=2, feature_dim=1, degree=3))
    >>> fusion.n_qubits, fusion.weight_shape, fusion.n_weights
    (3, (4, 1, 3, 3), 36)
    """

    def __init__(self, config: FusionConfig) -> None:
        if not isinstance(config, FusionConfig):
            raise invalid("config is of the wrong kind", "a FusionConfig", repr(config), TypeError)
        self.config = config
        self.qubits: tuple[cirq.GridQubit, ...] = tuple(cirq.GridQubit(0, i) for i in range(config.n_qubits))

    def __repr__(self) -> str:
        return f"FusionCircuit({self.config!r})"

    @property
    def n_qubits(self) -> int:
        """Number of qubits, n."""
        return self.config.n_qubits

    @cached_property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(degree + 1, n_blocks, n_qubits, 3)."""
        return self.config.weight_shape

    @property
    def n_weights(self) -> int:
        """Number of trainable angles."""
        return self.config.n_weights

    @property
    def index_qubits(self) -> tuple[cirq.GridQubit, ...]:
        """The register that addresses features."""
        return self.qubits[: self.config.n_index_qubits]

    @property
    def value_qubits(self) -> tuple[cirq.GridQubit, ...]:
        """The register that the signal rotates."""
        return self.qubits[self.config.n_index_qubits :]

    @cached_property
    def feature_symbols(self) -> tuple[sympy.Symbol, ...]:
        """M·D symbols, in [M, D] order."""
        config = self.config
        return tuple(
            sympy.Symbol(f"x_{m:03d}_{d:03d}") for m in range(config.n_modalities) for d in range(config.feature_dim)
        )

    @cached_property
    def weight_symbols(self) -> tuple[sympy.Symbol, ...]:
        """``n_weights`` symbols, in C order of ``weight_shape``."""
        names = (f"w_{p:03d}_{b:02d}_{q:02d}_{axis}" for p, b, q, axis in np.ndindex(*self.weight_shape))
        return tuple(map(sympy.Symbol, names))

    @cached_property
    def observables(self) -> tuple[cirq.PauliSum, ...]:
        """K Pauli sums, in the order of the output's last axis."""
        return measured_observables(self.config, self.qubits)

    @property
    def n_observables(self) -> int:
        """K."""
        return len(self.observables)

    @cached_property
    def circuit(self) -> cirq.Circuit:
        """The circuit over ``feature_symbols`` and ``weight_symbols``.

        With ``signal_form='gray_code'`` the gate angles are sums over feature symbols; engines
        that accept single symbols only use `physical`.
        """
        return cirq.Circuit(self.operations())

    def operations(self) -> list[cirq.Operation]:
        """What `circuit` holds, layer by layer; quicker to make, and every S(x) is the same objects."""
        return self._assemble(lambda layer: self._signal)

    def signal_layer(self) -> list[cirq.Operation]:
        """One S(x) over ``feature_symbols``, in the form that the settings ask for."""
        return list(self._signal)

    @cached_property
    def _signal(self) -> list[cirq.Operation]:
        config = self.config
        if config.signal_form == "multi_controlled":
            return list(multi_controlled_signal(config, self.qubits, self.feature_symbols))
        signal = GrayCodeSignal(config, self.qubits)
        return list(signal.operations([_linear(row, self.feature_symbols) for row in signal.matrix]))

    def ansatz_layer(self, layer: int) -> list[cirq.Operation]:
        """U_layer over its weight symbols; ``layer`` from 0 to P."""
        size = self.n_weights // (self.config.degree + 1)
        return list(ansatz_operations(self.config, self.qubits, self.weight_symbols[layer * size : (layer + 1) * size]))

    @cached_property
    def physical(self) -> PhysicalCircuit:
        """The uncontrolled (UCRY) form with one symbol for each rotation."""
        signal = GrayCodeSignal(self.config, self.qubits)
        symbols = [
            [sympy.Symbol(f"s_{p:03d}_{g:04d}") for g in range(signal.n_gates)] for p in range(self.config.degree)
        ]
        circuit = cirq.Circuit(self._assemble(lambda layer: list(signal.operations(symbols[layer]))))
        flat = tuple(symbol for layer in symbols for symbol in layer)
        return PhysicalCircuit(circuit, flat + self.weight_symbols, signal.matrix, self.config.degree)

    def _assemble(self, signal_layer: Callable[[int], list[cirq.Operation]]) -> list[cirq.Operation]:
        operations = self.ansatz_layer(0)
        for layer in range(self.config.degree):
            operations += signal_layer(layer)
            operations += self.ansatz_layer(layer + 1)
        return operations


def _linear(coefficients: np.ndarray, symbols: Sequence[sympy.Symbol]) -> Angle:
    terms = [float(c) * symbol for c, symbol in zip(coefficients, symbols, strict=True) if c]
    return sympy.Add(*terms) if terms else 0.0

"""Expectation values of many Pauli sums on many state vectors at once."""

from __future__ import annotations

from collections.abc import Sequence

import cirq
import numpy as np


class PauliTable:
    """Pauli sums as bit masks: ``P = i^{n_Y} X^x Z^z``, strings with the same x together.

    ``⟨ψ|P|ψ⟩ = i^{n_Y} Σ_i conj(ψ[i ^ x]) ψ[i] (-1)^{popcount(i & z)}``, so strings that share
    x cost one product of the states and one matrix multiplication with signs.

    Args:
        observables: K Pauli sums with real coefficients.
        qubits: all qubits, most significant first.
    """

    def __init__(self, observables: Sequence[cirq.PauliSum], qubits: Sequence[cirq.Qid]) -> None:
        self.n_observables = len(observables)
        self._n_qubits = len(qubits)
        bit = {qubit: 1 << (len(qubits) - 1 - i) for i, qubit in enumerate(qubits)}
        grouped: dict[int, list[tuple[int, int, complex]]] = {}
        for k, observable in enumerate(observables):
            for string in observable:
                x = sum(bit[qubit] for qubit, pauli in string.items() if pauli != cirq.Z)
                z = sum(bit[qubit] for qubit, pauli in string.items() if pauli != cirq.X)
                grouped.setdefault(x, []).append((z, k, string.coefficient * 1j ** (x & z).bit_count()))
        self._groups = [
            (x, *(np.array(column) for column in zip(*entries, strict=True))) for x, entries in grouped.items()
        ]

    def expectations(self, states: np.ndarray) -> np.ndarray:
        """Values of all observables.

        Args:
            states: [R, 2^n] state vectors, complex.

        Returns:
            [R, K], float64.
        """
        values = np.zeros((len(states), self.n_observables))
        basis = np.arange(2**self._n_qubits)
        for x, z, owner, factor in self._groups:
            products = states[:, basis ^ x].conj() * states
            signs = 1.0 - 2.0 * (np.bitwise_count(basis[:, None] & z) & 1)
            np.add.at(values, (slice(None), owner), ((products @ signs) * factor).real)
        return values

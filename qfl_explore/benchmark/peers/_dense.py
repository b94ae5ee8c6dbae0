"""What the peers that write the state vector by hand share; NumPy only."""

from __future__ import annotations

import os

import numpy as np

#: Amplitudes of a batch from which a second thread of a library pays.
_WORTH_THREADS = 2**16


def n_threads(n_qubits: int, batch_size: int) -> int:
    """One for small states, where waking a second thread costs more than it brings; else all."""
    return int(os.environ.get("OMP_NUM_THREADS", "1")) if batch_size << n_qubits >= _WORTH_THREADS else 1


def blocks(n_qubits: int, most: int = 4) -> list[tuple[int, int]]:
    """Runs of at most ``most`` qubits, as even as possible, that cover the register."""
    count = -(-n_qubits // most)
    edges = [n_qubits * i // count for i in range(count + 1)]
    return list(zip(edges[:-1], edges[1:], strict=True))


def entangler_signs(n_qubits: int) -> np.ndarray:
    """[2^n] of ±1: CZ between all pairs."""
    index = np.arange(2**n_qubits)
    ones = sum((index >> q) & 1 for q in range(n_qubits))
    return 1.0 - 2.0 * (ones * (ones - 1) // 2 % 2)

"""The closed form put to the test: Monte Carlo with Haar-random layers on 1 to 5 qubits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from qfl_explore.errors import check_int
from qfl_explore.experiments.gradient_variance import sample_variance_error
from qfl_explore.theory.trainability import two_design_variance

_X = np.array([[0.0, 1.0], [1.0, 0.0]])
_Z = np.diag([1.0, -1.0])
_STREAM = 2510_4
_MOST_AT_ONCE = 2**18


def haar_unitaries(size: int, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """[n_draws, size, size] unitaries from the Haar measure (QR with the phases put right)."""
    shape = (n_draws, size, size)
    q, r = np.linalg.qr(rng.normal(size=shape) + 1j * rng.normal(size=shape))
    diagonal = np.diagonal(r, axis1=1, axis2=2)
    return q * (diagonal / np.abs(diagonal))[:, None, :]


def haar_gradients(n_qubits: int, n_draws: int, seed: int = 0) -> np.ndarray:
    """∂C/∂θ for U_- · exp(−iθX/2) · U_+, both U Haar-random, X on the first qubit, C = ⟨Z⟩ of the last.

    Args:
        n_qubits: 1 to 8.
        n_draws: 1 or more.
        seed: 0 or more.

    Returns:
        [n_draws].
    """
    size = 2 ** check_int("n_qubits", n_qubits, 1, 8)
    check_int("n_draws", n_draws, 1)
    rng = np.random.default_rng([check_int("seed", seed, 0), _STREAM, n_qubits])
    turned = np.kron(_X, np.eye(size // 2))
    observed = np.diag(np.kron(np.eye(size // 2), _Z))
    parts, at_once = [], max(1, _MOST_AT_ONCE // size**2)
    for begin in range(0, n_draws, at_once):
        count = min(at_once, n_draws - begin)
        before, after = haar_unitaries(size, count, rng), haar_unitaries(size, count, rng)
        states = after @ before[:, :, :1]
        moved = after @ (turned @ before[:, :, :1])
        parts.append(np.sum(observed[:, None] * states.conj() * moved, axis=(1, 2)).imag)
    return np.concatenate(parts)


def haar_check(n_max: int = 5, n_draws: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Monte Carlo beside the closed form, for n = 1 … n_max.

    Args:
        n_max: 1 to 8.
        n_draws: for each n, 4 or more.
        seed: 0 or more.

    Returns:
        One row for each n: n_qubits, exact, monte_carlo, standard_error, z (the deviation in
        standard errors), n_draws, seed.
    """
    columns = ["n_qubits", "exact", "monte_carlo", "standard_error", "z", "n_draws", "seed"]
    return pd.DataFrame(list(_rows(n_max, n_draws, seed)), columns=columns)


def _rows(n_max: int, n_draws: int, seed: int) -> Iterator[tuple[float, ...]]:
    for n in range(1, check_int("n_max", n_max, 1, 8) + 1):
        gradients = haar_gradients(n, n_draws, seed)
        exact, found = two_design_variance(n), float(gradients.var(ddof=1))
        error = sample_variance_error(gradients)
        yield n, exact, found, error, (found - exact) / error, n_draws, seed

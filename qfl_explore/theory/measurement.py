"""What a set of observables can tell: completeness, measurement settings, and the price in repetitions.

Every observable here is a product of single-qubit observables ``a·σ`` with unit vectors a
(*axes*) on the qubits of its support. All four measurements of `FusionConfig` are of this
form. As an array: axes [K, n, 3], where a row of zeros means "identity on this qubit".

Two ways to estimate such observables from T repetitions of a circuit, with exact variances:

- **grouped bit strings**: observables that agree on every qubit share a setting (a product
  basis). An observable with expectation o and T_k compatible repetitions has the variance
  ``(1 - o²) / T_k``.
- **classical shadows** with a random Pauli basis on every qubit, drawn anew for each
  repetition: ``(3^w - o²) / T`` for an observable on w qubits. Source: Huang, Kueng and
  Preskill, arXiv:2002.08953. That ``3^w`` also holds for axes between the Pauli axes is our
  construction (derived): one repetition gives ``3 a_i s`` on each qubit, and ``Σ_i (3 a_i)² / 3 = 3``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.errors import check_int, check_option, invalid

#: Readings of "random Pauli-plane observables"; the paper's own text is not known to us.
READINGS: dict[str, str] = {
    "one_qubit": "one random plane direction on one qubit each (what this package trains with)",
    "every_qubit": "a product of random plane directions on all qubits",
    "random_support": "a product of random plane directions on a random subset of the qubits",
}
_PLANES = ((0, 1), (1, 2), (2, 0))
#: Eigenvalues of a Gram matrix below this part of the largest count as 0.
_RANK_TOLERANCE = 1e-10


def observable_axes(observables: Sequence[Any], qubits: Sequence[Any]) -> np.ndarray:
    """Axes of observables given as Pauli sums.

    Args:
        observables: K ``cirq.PauliSum``, each one Pauli string with coefficient ±1, or a unit
            vector of X, Y, Z on one qubit.
        qubits: n qubits, in order.

    Returns:
        [K, n, 3] float64; zeros where an observable is the identity.

    Raises:
        ValueError: an observable is not such a product.
    """
    column = {qubit: i for i, qubit in enumerate(qubits)}
    axes = np.zeros((len(observables), len(qubits), 3))
    for k, observable in enumerate(observables):
        strings = list(observable)
        supports = {tuple(string.qubits) for string in strings}
        if len(supports) != 1 or (len(strings) > 1 and len(strings[0]) != 1):
            raise invalid(
                "an observable is not a product of single-qubit directions",
                "one Pauli string, or a sum of X, Y, Z on one qubit",
                f"observable {k}: {observable}",
            )
        for string in strings:
            for i, (qubit, pauli) in enumerate(sorted(string.items(), key=lambda item: column[item[0]])):
                scale = string.coefficient.real if i == 0 else 1.0
                axes[k, column[qubit], "XYZ".index(str(pauli))] = scale
    return check_axes(axes)


def check_axes(axes: Any) -> np.ndarray:
    """Axes as float64 [K, n, 3], each row zero or of length 1, no observable the identity; otherwise raises."""
    array = np.asarray(axes, dtype=np.float64)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise invalid("axes have the wrong shape", "shape [K, n, 3]", f"shape {list(array.shape)}")
    lengths = np.linalg.norm(array, axis=2)
    bad = np.argwhere(~(np.isclose(lengths, 1.0, atol=1e-9) | (lengths == 0.0)))
    if len(bad):
        where = bad[0].tolist()
        received = f"length {lengths[tuple(where)]:g} at observable {where[0]}, qubit {where[1]}"
        raise invalid("axes are not directions", "rows of length 1 or 0", received)
    if (lengths == 0.0).all(axis=1).any():
        raise invalid("an observable measures nothing", "a direction on one qubit or more", "the identity")
    return array


def weights(axes: Any) -> np.ndarray:
    """[K] integers: on how many qubits each observable acts."""
    return (np.linalg.norm(check_axes(axes), axis=2) > 0).sum(axis=1)


def observable_names(axes: Any) -> tuple[str, ...]:
    """A short name for each observable: ``XIZ``, or ``+0.60X −0.80Y on qubit 0``.

    >>> observable_names([[[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [0.6, 0, -0.8]]])
    ('XI', '+0.60X −0.80Z on qubit 1')
    """
    names = []
    for rows in check_axes(axes):
        letters = ["I" if not row.any() else "XYZ"[int(np.argmax(row))] for row in rows]
        if all(not row.any() or row.max() == 1.0 for row in rows):
            names.append("".join(letters))
            continue
        parts = [_direction(row) + f" on qubit {q}" for q, row in enumerate(rows) if row.any()]
        names.append(" · ".join(parts))
    return tuple(names)


def _direction(row: np.ndarray) -> str:
    parts = [f"{value:+.2f}{letter}" for value, letter in zip(row, "XYZ", strict=True) if abs(value) > 1e-12]
    return " ".join(parts).replace("-", "−")


def reading_axes(reading: str, n_qubits: int, n_observables: int, seed: int = 0) -> np.ndarray:
    """Random Pauli-plane observables in one of three readings; all three are our construction.

    Args:
        reading: one of ``READINGS``.
        n_qubits: n, 1 or more.
        n_observables: K, 1 or more.
        seed: of the draw; 0 or more.

    Returns:
        Axes [K, n, 3].
    """
    check_option("reading", reading, READINGS)
    n, count = check_int("n_qubits", n_qubits, 1), check_int("n_observables", n_observables, 1)
    rng = np.random.default_rng(check_int("seed", seed, 0))
    planes = np.array(_PLANES)[rng.integers(3, size=(count, n))]
    alpha = rng.uniform(0.0, 2.0 * np.pi, (count, n))
    axes = np.zeros((count, n, 3))
    np.put_along_axis(axes, planes, np.stack([np.cos(alpha), np.sin(alpha)], axis=2), axis=2)
    if reading == "one_qubit":
        keep = np.arange(n) == (np.arange(count) % n)[:, None]
    elif reading == "every_qubit":
        keep = np.ones((count, n), bool)
    else:
        # each qubit takes part with probability 3/4, as in a uniformly drawn Pauli string
        keep = rng.random((count, n)) < 0.75
        empty = ~keep.any(axis=1)
        keep[empty, rng.integers(n, size=int(empty.sum()))] = True
    return axes * keep[:, :, None]


@dataclasses.dataclass(frozen=True)
class Completeness:
    """How much of a state a set of observables fixes.

    Attributes:
        n_observables: K.
        n_qubits: n.
        rank: how many of them are linearly independent (and of the identity).
        needed: 4^n - 1, the rank that fixes every state.
    """

    n_observables: int
    n_qubits: int
    rank: int
    needed: int

    @property
    def is_complete(self) -> bool:
        """Whether the expectation values fix every state."""
        return self.rank == self.needed


def completeness(axes: Any) -> Completeness:
    """The rank of a set of observables against 4^n - 1.

    The normalised overlap of two products is a product over qubits, so the K × K Gram matrix
    needs no 4^n numbers.

    >>> completeness(reading_axes("one_qubit", 3, 500)).rank
    9
    """
    array = check_axes(axes)
    identity = np.linalg.norm(array, axis=2) == 0.0
    gram = np.ones((len(array), len(array)))
    for q in range(array.shape[1]):
        gram *= np.outer(identity[:, q], identity[:, q]) + array[:, q] @ array[:, q].T
    if np.array_equal(gram, np.diag(np.diag(gram))):
        rank = len(array)
    else:
        values = np.linalg.eigvalsh(gram)
        rank = int((values > _RANK_TOLERANCE * values[-1]).sum())
    return Completeness(len(array), array.shape[1], rank, 4 ** array.shape[1] - 1)


def measurement_settings(axes: Any) -> np.ndarray:
    """Product bases in which all observables can be read, found greedily (first fit, heaviest first).

    Observables share a setting if their axes are parallel wherever both act. Qubits that a
    setting leaves open are read along Z.

    Returns:
        [U, n, 3], each row a direction: 1 setting for ``computational``, 3 for ``pauli``,
        3^n for ``all_pauli``, ⌈K/n⌉ for ``random_pauli_plane``.
    """
    array = check_axes(axes)
    order = np.argsort(-weights(array), kind="stable")
    settings = np.zeros((0, *array.shape[1:]))
    for axis in array[order]:
        dots = np.abs(np.einsum("uqi,qi->uq", settings, axis))
        free = (settings == 0.0).all(axis=2) | (axis == 0.0).all(axis=1)
        fits = np.flatnonzero((free | np.isclose(dots, 1.0, atol=1e-9)).all(axis=1))
        if len(fits):
            chosen = settings[fits[0]]
            empty = (chosen == 0.0).all(axis=1)
            chosen[empty] = axis[empty]
        else:
            settings = np.concatenate([settings, axis[None]])
    open_qubits = (settings == 0.0).all(axis=2)
    settings[open_qubits] = (0.0, 0.0, 1.0)
    return settings


def compatible_signs(axes: Any, settings: np.ndarray) -> np.ndarray:
    """[K, U]: ±1 where the observable is ± a product of outcomes of the setting, 0 where it is not."""
    array = check_axes(axes)
    signs = np.ones((len(array), len(settings)))
    for q in range(array.shape[1]):
        dots = array[:, q] @ settings[:, q].T
        dots = np.where(np.isclose(np.abs(dots), 1.0, atol=1e-9), np.round(dots), 0.0)
        signs *= np.where((array[:, q] == 0.0).all(axis=1)[:, None], 1.0, dots)
    return signs.astype(np.int8)


def split_repetitions(repetitions: int, n_settings: int) -> np.ndarray:
    """T repetitions over U settings as evenly as can be: [U] integers with sum T."""
    total, count = check_int("repetitions", repetitions, 1), check_int("n_settings", n_settings, 1)
    return total // count + (np.arange(count) < total % count).astype(int)


def grouped_variance(values: Any, n_compatible: Any) -> np.ndarray:
    """``(1 - o²) / T_k``; infinite where an observable was never read."""
    with np.errstate(divide="ignore"):
        return np.maximum(1.0 - np.square(np.asarray(values, float)), 0.0) / np.asarray(n_compatible, float)


def shadow_variance(values: Any, observable_weights: Any, repetitions: int = 1) -> np.ndarray:
    """``(3^w - o²) / T``, the exact variance of the mean of T classical-shadow estimates.

    >>> float(shadow_variance(0.0, 2))
    9.0
    """
    factor = 3.0 ** np.asarray(observable_weights, float)
    return (factor - np.square(np.asarray(values, float))) / check_int("repetitions", repetitions, 1)


def median_groups(n_observables: int, failure: float = 0.05) -> int:
    """Groups of a median of means, ``⌈2 ln(2K/δ)⌉``, for K observables at once. Source: arXiv:2002.08953."""
    return math.ceil(2.0 * math.log(2.0 * check_int("n_observables", n_observables, 1) / _share("failure", failure)))


def guaranteed_error(observable_weights: Any, repetitions: int, failure: float = 0.05) -> np.ndarray:
    """The error that the theorem of classical shadows promises for all K observables at once.

    ``ε = sqrt(34 · 3^w · n_groups / T)`` with probability 1 - δ. Source: Theorem 1 of
    arXiv:2002.08953. It is a worst case: typical errors are ten to twenty times smaller.

    Args:
        observable_weights: [K] integers.
        repetitions: T, 1 or more.
        failure: δ in (0, 1).

    Returns:
        [K], each 0 or more (above 1 it says nothing).
    """
    factor = 3.0 ** np.asarray(observable_weights, float)
    groups = median_groups(np.size(factor), failure)
    return np.sqrt(34.0 * factor * groups / check_int("repetitions", repetitions, 1))


def needed_repetitions(axes: Any, error: float, method: str = "grouped") -> int:
    """Repetitions of one circuit so that every observable's standard error is ``error`` at most (worst case o = 0).

    Args:
        axes: [K, n, 3].
        error: above 0.
        method: ``grouped`` or ``shadows``.

    >>> [needed_repetitions(reading_axes("one_qubit", 3, k), 0.05) for k in (3, 6)]
    [400, 800]
    """
    check_option("method", method, ("grouped", "shadows"))
    if not (isinstance(error, (int, float)) and error > 0):
        raise invalid("error is out of range", "a number above 0", f"error={error!r}")
    if method == "shadows":
        return math.ceil(3.0 ** int(weights(axes).max()) / error**2 - 1e-9)
    settings = measurement_settings(axes)
    compatible = (compatible_signs(axes, settings) != 0).sum(axis=1)
    return len(settings) * math.ceil(1.0 / (int(compatible.min()) * error**2) - 1e-9)


def _share(name: str, value: float) -> float:
    if not (isinstance(value, (int, float)) and 0 < value < 1):
        raise invalid(f"{name} is out of range", "a number between 0 and 1", f"{name}={value!r}")
    return float(value)

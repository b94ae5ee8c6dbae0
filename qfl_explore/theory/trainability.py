"""How large gradients are: the exact value for 2-designs, what it means for a Quantum Fusion Layer, exact averages.

`two_design_variance` is a closed form. `exact_variances` follows the squares of Pauli
coefficients through a circuit whose angles are uniform: all products of different
coefficients average to zero, so squares suffice and the result has no sampling error.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, invalid

#: Largest table of 4^n squares times angles that `exact_variances` keeps (16 MB).
_MOST_SQUARES = 2**21
#: The signal of the index register takes 4·8^(n-1) numbers.
_MOST_EFFICIENT_QUBITS = 6
#: Terms of an observable: coefficients, and letters by qubit.
Observable = Sequence[tuple[float, Mapping[int, str]]]
_LETTERS = {"X": 1, "Y": 2, "Z": 3}
_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def two_design_variance(n_qubits: int) -> float:
    """``Var[∂C/∂θ] = N² / (2 (N+1)² (N−1))`` with N = 2^n.

    For a gate exp(−iθV/2), V² = 1, Tr V = 0, between two independent unitary 2-designs, and a
    traceless observable O with O² = 1. Falls as 2^−(n+1).

    Source: our derivation; the phenomenon is McClean et al., arXiv:1803.11173.

    Args:
        n_qubits: n, 1 or more.

    Returns:
        The variance; C lies in [-1, 1] and θ is in radians.

    >>> [round(two_design_variance(n), 5) for n in (1, 2, 3)]
    [0.22222, 0.10667, 0.05644]
    """
    size = 2.0 ** check_int("n_qubits", n_qubits, 1)
    return size**2 / (2 * (size + 1) ** 2 * (size - 1))


def fusion_floor(n_features: int) -> tuple[float, float]:
    """Ends between which 1/(2N) lies for a qubit-efficient layer: polynomial in the features.

    The register has n = 1 + ⌈log2(MD + 1)⌉ qubits, so 2(MD+1) ≤ N < 4(MD+1).
    Source: our derivation.

    Args:
        n_features: M·D, 1 or more.

    Returns:
        (1/(8(MD+1)), 1/(4(MD+1))).

    >>> fusion_floor(3)
    (0.03125, 0.0625)
    """
    slots = check_int("n_features", n_features, 1) + 1
    return 1 / (8 * slots), 1 / (4 * slots)


def can_be_exact(config: FusionConfig) -> bool:
    """Whether `exact_variances` answers for this circuit."""
    if config.encoding == "qubit_efficient" and config.n_qubits > _MOST_EFFICIENT_QUBITS:
        return False
    return 4**config.n_qubits * config.n_weights <= _MOST_SQUARES


def exact_variances(
    config: FusionConfig, inputs: np.ndarray, pairs: Sequence[tuple[int, int]], observables: Sequence[Observable]
) -> np.ndarray:
    """Var over uniform angles of the derivative by every angle, without sampling.

    Every angle is uniform in [-π, π), so the mean derivative is 0 and, after each qubit's RX,
    RY and RZ, products of different Pauli coefficients average to 0; squares then follow a
    Markov chain. Source: our derivation.

    Args:
        config: the circuit; small enough for `can_be_exact`.
        inputs: [M, D], one sample, radians.
        pairs: the qubits that CZ gates join in every block, see `entangled_pairs`.
        observables: each as (coefficient, {qubit: letter}) terms; the result is the mean over them.

    Returns:
        float64 array of ``config.weight_shape``.

    Raises:
        ValueError: the circuit is too large, or ``inputs`` has the wrong shape.
    """
    if not can_be_exact(config):
        raise invalid(
            "the exact variance is for small circuits",
            f"at most {_MOST_EFFICIENT_QUBITS} qubits with encoding='qubit_efficient', and 4^n · weights of at most "
            f"{_MOST_SQUARES}",
            f"{config.n_qubits} qubits, {config.n_weights} weights",
        )
    inputs = np.asarray(inputs, np.float64)
    if inputs.shape != (config.n_modalities, config.feature_dim):
        expected = f"shape [{config.n_modalities}, {config.feature_dim}]"
        raise invalid("inputs has the wrong shape", expected, f"shape {list(inputs.shape)}")
    signal = _squared_signal(config, inputs.ravel())
    steps = list(_steps(config))
    moved = _entangling(config.n_qubits, pairs)
    states = _before_each_angle(config, steps, signal, moved)
    squares = _observable_squares(config.n_qubits, observables)
    variances = np.empty(config.weight_shape)
    for kind, where in reversed(steps):
        if kind == "angle":
            squares = _mixed(squares, *where[2:])
            variances[where] = _moving_part(states[where], squares, *where[2:])
        elif kind == "pairs":
            squares = squares[moved]
        else:
            squares = _through(config, signal, squares, transpose=True)
    return variances


def _steps(config: FusionConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    n_layers, n_blocks, n_qubits, _ = config.weight_shape
    for layer in range(n_layers):
        if layer:
            yield "signal", ()
        for block in range(n_blocks):
            for qubit in range(n_qubits):
                for axis in range(3):
                    yield "angle", (layer, block, qubit, axis)
            yield "pairs", ()


def _before_each_angle(
    config: FusionConfig, steps: list, signal: np.ndarray, moved: tuple[np.ndarray, ...]
) -> dict[tuple, np.ndarray]:
    """The squared Pauli coefficients of the state before each angle's gate, [4, …, 4]."""
    state = np.ones((1,) * config.n_qubits)
    zero = np.array([1.0, 0.0, 0.0, 1.0])
    for qubit in range(config.n_qubits):
        state = state * zero.reshape([4 if q == qubit else 1 for q in range(config.n_qubits)])
    kept = {}
    for kind, where in steps:
        if kind == "angle":
            kept[where] = state
            state = _mixed(state, *where[2:])
        elif kind == "pairs":
            state = state[moved]
        else:
            state = _through(config, signal, state, transpose=False)
    return kept


def _observable_squares(n_qubits: int, observables: Sequence[Observable]) -> np.ndarray:
    squares = np.zeros((4,) * n_qubits)
    for coefficient, letters in itertools.chain.from_iterable(observables):
        place = [0] * n_qubits
        for qubit, letter in letters.items():
            place[qubit] = _LETTERS[letter]
        squares[tuple(place)] += coefficient**2 / len(observables)
    return squares


def _mixed(squares: np.ndarray, qubit: int, axis: int) -> np.ndarray:
    """After a rotation by a uniform angle: both components across its axis have their mean."""
    moved = np.moveaxis(squares, qubit, 0).copy()
    across = [letter for letter in (1, 2, 3) if letter != axis + 1]
    moved[across] = moved[across].mean(axis=0)
    return np.moveaxis(moved, 0, qubit)


def _moving_part(state: np.ndarray, squares: np.ndarray, qubit: int, axis: int) -> float:
    """Σ over the components that the rotation turns: the mean square of the derivative."""
    across = [letter for letter in (1, 2, 3) if letter != axis + 1]
    a, b = (np.moveaxis(part, qubit, 0)[across] for part in (state, squares))
    return float(np.sum(a * b))


def _entangling(n_qubits: int, pairs: Sequence[tuple[int, int]]) -> tuple[np.ndarray, ...]:
    """Where each Pauli string comes from under all CZ gates: X or Y on one qubit gives the other a Z."""
    index = np.indices((4,) * n_qubits)
    flips = np.isin(index, (1, 2))
    for a, b in pairs:
        index[a] = np.where(flips[b], 3 - index[a], index[a])
        index[b] = np.where(flips[a], 3 - index[b], index[b])
    return tuple(index)


def _through(config: FusionConfig, signal: np.ndarray, squares: np.ndarray, transpose: bool) -> np.ndarray:
    """Squares of a state after S(x); with ``transpose`` those of an observable before it."""
    if config.encoding == "qubit_per_feature":
        for qubit, matrix in enumerate(signal):
            matrix = matrix.T if transpose else matrix
            squares = np.moveaxis(np.tensordot(matrix, squares, axes=(1, qubit)), 0, qubit)
        return squares
    n_index, order = config.n_index_qubits, (0, 3, 1, 2)  # I, Z | X, Y: flips first, signs second
    split = squares[np.ix_(*[np.array(order)] * n_index, np.arange(4))].reshape(*(2, 2) * n_index, 4)
    axes = [*range(0, 2 * n_index, 2), *range(1, 2 * n_index, 2), 2 * n_index]
    flat = split.transpose(axes).reshape(2**n_index, 2**n_index, 4)
    flat = np.einsum("apqxy,ayp->axq" if transpose else "apqxy,axq->ayp", signal, flat, optimize=True)
    split = flat.reshape(split.shape).transpose(np.argsort(axes)).reshape(squares.shape)
    back = np.argsort(order)
    return split[np.ix_(*[back] * n_index, np.arange(4))]


def _squared_signal(config: FusionConfig, features: np.ndarray) -> np.ndarray:
    """Squared entries of S(x) in the Pauli basis.

    One qubit for each feature: [qubit, P, Q]. Index and value register: S(x)† P S(x) keeps
    which index qubits are flipped (a) and only changes their signs (from y to x) and the value
    qubit's letter (p to q): [a, p, q, x, y].
    """
    rotations = np.stack([_rotation(config.signal, x) for x in features])
    if config.encoding == "qubit_per_feature":
        turned = np.einsum("fij,qjk,flk->fqil", rotations, _PAULIS, rotations.conj())
        return np.abs(np.einsum("pji,fqij->fpq", _PAULIS, turned) / 2) ** 2
    slots = np.arange(config.n_slots)
    padded = np.tile(np.eye(2, dtype=complex), (config.n_slots, 1, 1))
    padded[: len(rotations)] = rotations
    flipped = padded[slots[:, None] ^ slots]  # [a, j]
    letters = np.einsum("ajki,pkl,jlm,qmi->apqj", flipped.conj(), _PAULIS, padded, _PAULIS, optimize=True) / 2
    parity = np.array([[(d & j).bit_count() % 2 for j in range(config.n_slots)] for d in range(config.n_slots)])
    weights = np.abs(letters @ ((-1.0) ** parity).T / config.n_slots) ** 2
    return weights[..., slots[:, None] ^ slots]


def _rotation(signal: str, angle: float) -> np.ndarray:
    if signal == "phase":
        return np.diag([1.0, np.exp(1j * angle)])
    word = _PAULIS[_LETTERS[signal[1].upper()]]
    return math.cos(angle / 2) * np.eye(2) - 1j * math.sin(angle / 2) * word

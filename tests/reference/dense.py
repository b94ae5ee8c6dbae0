"""An independent oracle: QFL values and exact gradients in complex128, straight from the formula.

``QFL(x) = U_P S(x) U_{P-1} … S(x) U_0 |0…0⟩`` with numpy arrays only. Nothing of
``qfl_explore.circuits`` or of cirq takes part; the one thing taken from outside is the
coefficients of a random measurement, as data. Gradients are analytic: each angle enters as
``e^{aA}`` with a fixed A, so the derivative of a state is A times the state at that place.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

I2 = np.eye(2, dtype=complex)
PAULI = {
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]], complex),
    "Z": np.array([[1, 0], [0, -1]], complex),
}
#: A of e^{aA}: rotations are exp(-i a P / 2), the phase signal is diag(1, e^{ia}).
GENERATOR = {
    "rx": -0.5j * PAULI["X"],
    "ry": -0.5j * PAULI["Y"],
    "rz": -0.5j * PAULI["Z"],
    "phase": np.diag([0, 1j]),
}


def exponential(name, angle):
    """e^{aA}, [..., 2, 2], for angles of any shape (radians)."""
    angle = np.asarray(angle, float)[..., None, None]
    if name == "phase":
        return np.diag([1.0, 0.0]) + np.exp(1j * angle) * np.diag([0.0, 1.0])
    return np.cos(angle / 2) * I2 + np.sin(angle / 2) * 2.0 * GENERATOR[name]


def on_qubit(matrix, states, qubit):
    """A 2 x 2 matrix, one for all or one a sample [B, 2, 2], on one qubit of states [B, 2^n]."""
    batch, size = states.shape
    n = size.bit_length() - 1
    tensor = states.reshape(batch, 2**qubit, 2, 2 ** (n - 1 - qubit))
    pattern = "bij,bajc->baic" if matrix.ndim == 3 else "ij,bajc->baic"
    return np.einsum(pattern, matrix, tensor).reshape(batch, size)


def entangler_signs(config):
    """The diagonal [2^n] of all CZ gates of one block."""
    n = config.n_qubits
    pairs = set(itertools.combinations(range(n), 2))
    if config.entangler != "full":
        neighbours = {(q, q + 1) for q in range(n - 1)}
        if config.entangler == "ring" and n > 2:
            neighbours.add((0, n - 1))
        pairs = neighbours
    signs = np.ones((2,) * n)
    for a, b in pairs:
        both = [slice(None)] * n
        both[a] = both[b] = 1
        signs[tuple(both)] *= -1
    return signs.ravel()


class Step:
    """One factor of the circuit: ``apply``, its inverse ``undo``, and the pieces A·states of its angles."""

    def __init__(self, apply: Callable, undo: Callable, pieces: Callable = lambda states: []):
        self.apply, self.undo, self.pieces = apply, undo, pieces


def one_qubit_step(matrix, qubit, generator, label):
    undo = matrix.conj().swapaxes(-1, -2)
    return Step(
        lambda states: on_qubit(matrix, states, qubit),
        lambda states: on_qubit(undo, states, qubit),
        lambda states: [(label, on_qubit(generator, states, qubit))],
    )


def efficient_signal_step(config, features):
    """S(x) = sum_j |j><j| (x) R(x_j), R = 1 on slots without a feature; the value qubit is the last."""
    batch, n_features = features.shape
    n_slots = 2 ** (config.n_qubits - 1)
    blocks = np.broadcast_to(I2, (batch, n_slots, 2, 2)).copy()
    blocks[:, :n_features] = exponential(config.signal, features)
    generator = GENERATOR[config.signal]

    def apply(states, blocks=blocks):
        return np.einsum("bsij,bsj->bsi", blocks, states.reshape(batch, n_slots, 2)).reshape(batch, -1)

    def pieces(states):
        slots = states.reshape(batch, n_slots, 2)
        for j in range(n_features):
            piece = np.zeros_like(slots)
            piece[:, j] = slots[:, j] @ generator.T
            yield ("features", j), piece.reshape(batch, -1)

    return Step(apply, lambda states: apply(states, blocks.conj().swapaxes(-1, -2)), pieces)


def steps_of(config, features, weights):
    """All factors of the circuit, first applied first; features [B, M*D]."""
    signs = entangler_signs(config)
    for layer in range(config.degree + 1):
        if layer and config.encoding == "qubit_efficient":
            yield efficient_signal_step(config, features)
        elif layer:
            for qubit in range(features.shape[1]):
                matrices = exponential(config.signal, features[:, qubit])
                yield one_qubit_step(matrices, qubit, GENERATOR[config.signal], ("features", qubit))
        for block in range(config.n_blocks):
            for qubit in range(config.n_qubits):
                for a, axis in enumerate(("rx", "ry", "rz")):
                    place = (layer, block, qubit, a)
                    matrix = exponential(axis, weights[place])
                    yield one_qubit_step(matrix, qubit, GENERATOR[axis], ("weights", place))
            yield Step(lambda states: states * signs, lambda states: states * signs)


def words_of(config, random_observables=None):
    """Observables as lists of (coefficient, {qubit: letter})."""
    n = config.n_qubits
    if config.measurement == "random_pauli_plane":
        words = random_observables
    elif config.measurement == "pauli":
        words = [[(1.0, {q: letter})] for q in range(n) for letter in "XYZ"]
    elif config.measurement == "local_z":
        words = [[(1.0, {n - 1 if config.encoding == "qubit_efficient" else 0: "Z"})]]
    elif config.measurement == "global_z":
        words = [[(1.0, dict.fromkeys(range(n), "Z"))]]
    else:
        letters = "Z" if config.measurement == "computational" else "XYZ"
        longest = 1 if config.measurement == "computational" and config.n_observables is None else n
        words = [
            [(1.0, dict(zip(support, word, strict=True)))]
            for weight in range(1, longest + 1)
            for support in itertools.combinations(range(n), weight)
            for word in itertools.product(letters, repeat=weight)
        ]
    return words[: config.n_observables]


def observable_on(words, states):
    """A sum of Pauli words on states [B, 2^n]."""
    total = np.zeros_like(states)
    for coefficient, word in words:
        image = states
        for qubit, letter in word.items():
            image = on_qubit(PAULI[letter], image, qubit)
        total += coefficient * image
    return total


def random_observables_of(fusion):
    """The drawn random measurement of a `FusionCircuit`, as plain data for the oracle."""
    number = {qubit: i for i, qubit in enumerate(fusion.qubits)}
    return [
        [(s.coefficient.real, {number[q]: str(pauli) for q, pauli in s.items()}) for s in observable]
        for observable in fusion.observables
    ]


def oracle(config, features, weights, cotangents=None, random_observables=None):
    """Values [B, K], and with cotangents also d_features [B, M, D] and d_weights.

    Args:
        config: a `FusionConfig`, read as plain settings.
        features: [B, M, D], radians.
        weights: of ``config.weight_shape``, radians.
        cotangents: [B, K] or None.
        random_observables: from `random_observables_of`, for measurement='random_pauli_plane'.
    """
    flat = np.asarray(features, float).reshape(len(features), -1)
    weights = np.asarray(weights, float)
    steps = list(steps_of(config, flat, weights))
    states = np.zeros((len(flat), 2**config.n_qubits), complex)
    states[:, 0] = 1.0
    after = [states := step.apply(states) for step in steps]
    images = [observable_on(words, states) for words in words_of(config, random_observables)]
    values = np.stack([np.einsum("bi,bi->b", states.conj(), image).real for image in images], axis=1)
    if cotangents is None:
        return values
    bra = sum(c[:, None] * image for c, image in zip(np.asarray(cotangents).T, images, strict=True))
    d_features, d_weights = np.zeros_like(flat), np.zeros_like(weights)
    for step, states in zip(reversed(steps), reversed(after), strict=True):
        for (kind, place), piece in step.pieces(states):
            slope = 2.0 * np.einsum("bi,bi->b", bra.conj(), piece).real
            if kind == "features":
                d_features[:, place] += slope
            else:
                d_weights[place] += slope.sum()
        bra = step.undo(bra)
    return values, d_features.reshape(np.shape(features)), d_weights

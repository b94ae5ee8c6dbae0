"""Which observables a Quantum Fusion Layer returns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cirq
import numpy as np

from qfl_explore.config import FusionConfig

_PLANES = ((cirq.X, cirq.Y), (cirq.Y, cirq.Z), (cirq.Z, cirq.X))
#: Mixed into the seed so that observables and weights never share a random stream.
_STREAM = 510_06938


def measured_observables(config: FusionConfig, qubits: Sequence[cirq.Qid]) -> tuple[cirq.PauliSum, ...]:
    """The K observables of a layer, as sums of Pauli strings.

    - ``random_pauli_plane``: observable k sits on qubit k mod n and is ``cos α P + sin α P'``
      with a random Pauli plane (P, P') and a random α, drawn once from the seed and fixed for
      training. Source: arXiv:2510.06938 names it; this reading is our construction.
    - ``computational``: Z strings, single qubits first, then pairs, and so on.
    - ``pauli``: X, Y, Z on qubit 0, then on qubit 1, …
    - ``all_pauli``: all 4^n - 1 strings, by weight; informationally complete.
    - ``local_z``: Z on the first value qubit; ``global_z``: Z on every qubit. One observable each.

    ``n_observables`` takes the first K of these; its default is n, n, 3n, 4^n - 1, 1 and 1.

    Args:
        config: the layer's settings.
        qubits: all qubits.

    Returns:
        K Pauli sums, each with eigenvalues in [-1, 1].
    """
    draw = {
        "random_pauli_plane": _random_pauli_plane,
        "computational": _computational,
        "pauli": _pauli,
        "all_pauli": _all_pauli,
        "local_z": _local_z,
        "global_z": _global_z,
    }[config.measurement]
    n = len(qubits)
    natural = {
        "random_pauli_plane": n,
        "computational": n,
        "pauli": 3 * n,
        "all_pauli": 4**n - 1,
        "local_z": 1,
        "global_z": 1,
    }
    count = config.n_observables or natural[config.measurement]
    return tuple(itertools.islice(draw(config, qubits), count))


def _random_pauli_plane(config: FusionConfig, qubits: Sequence[cirq.Qid]) -> Iterator[cirq.PauliSum]:
    rng = np.random.default_rng([config.seed, _STREAM])
    for qubit in itertools.cycle(qubits):
        first, second = _PLANES[rng.integers(len(_PLANES))]
        alpha = rng.uniform(0.0, 2.0 * np.pi)
        strings = [cirq.PauliString({qubit: first}, np.cos(alpha)), cirq.PauliString({qubit: second}, np.sin(alpha))]
        yield cirq.PauliSum.from_pauli_strings(strings)


def _strings(qubits: Sequence[cirq.Qid], letters: Sequence[cirq.Pauli]) -> Iterator[cirq.PauliSum]:
    for weight in range(1, len(qubits) + 1):
        for support in itertools.combinations(qubits, weight):
            for word in itertools.product(letters, repeat=weight):
                string = cirq.PauliString(dict(zip(support, word, strict=True)))
                yield cirq.PauliSum.from_pauli_strings(string)


def _computational(config: FusionConfig, qubits: Sequence[cirq.Qid]) -> Iterator[cirq.PauliSum]:
    return _strings(qubits, (cirq.Z,))


def _pauli(config: FusionConfig, qubits: Sequence[cirq.Qid]) -> Iterator[cirq.PauliSum]:
    return itertools.islice(_strings(qubits, (cirq.X, cirq.Y, cirq.Z)), 3 * len(qubits))


def _all_pauli(config: FusionConfig, qubits: Sequence[cirq.Qid]) -> Iterator[cirq.PauliSum]:
    return _strings(qubits, (cirq.X, cirq.Y, cirq.Z))


def _local_z(config: FusionConfig, qubits: Sequence[cirq.Qid]) -> Iterator[cirq.PauliSum]:
    yield cirq.PauliSum.from_pauli_strings(cirq.PauliString({qubits[config.n_index_qubits]: cirq.Z}))


def _global_z(config: FusionConfig, qubits: Sequence[cirq.Qid]) -> Iterator[cirq.PauliSum]:
    yield cirq.PauliSum.from_pauli_strings(cirq.PauliString(dict.fromkeys(qubits, cirq.Z)))

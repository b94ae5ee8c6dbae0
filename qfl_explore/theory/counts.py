"""How many qubits, gates and parameters a layer takes, beside classical fusions of the same inputs.

Closed forms only: no circuit is built. The classical models are Liu et al., arXiv:1806.00064
(low-rank fusion, LMF) and Zadeh et al., arXiv:1707.07250 (tensor fusion, TFN).
"""

from __future__ import annotations

import dataclasses
import math

from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int


@dataclasses.dataclass(frozen=True)
class CircuitCounts:
    """Size of one circuit from one- and two-qubit gates (the uncontrolled, Gray-code form).

    Attributes:
        n_qubits: n.
        n_rotations: one-qubit rotations, signals and weights.
        n_two_qubit: CNOT and CZ gates.
        n_parameters: trainable angles, linear readout and its bias.
    """

    n_qubits: int
    n_rotations: int
    n_two_qubit: int
    n_parameters: int

    @property
    def n_gates(self) -> int:
        """All gates."""
        return self.n_rotations + self.n_two_qubit


def circuit_counts(config: FusionConfig, n_outputs: int = 1) -> CircuitCounts:
    """Counts of a layer with a linear readout.

    >>> circuit_counts(FusionConfig(n_modalities=2, feature_dim=1, degree=3))
    CircuitCounts(n_qubits=3, n_rotations=48, n_two_qubit=24, n_parameters=40)
    """
    n_outputs = check_int("n_outputs", n_outputs, 1)
    n, k = config.n_qubits, config.n_index_qubits
    if k == 0:
        rotations, flips = config.n_features, 0
    elif config.signal == "phase":
        rotations, flips = 2 ** (k + 1) - 1, 2 ** (k + 1) - 2
    else:
        rotations = flips = 2**k
    n_layers = (config.degree + 1) * config.n_blocks
    return CircuitCounts(
        n_qubits=n,
        n_rotations=config.degree * rotations + config.n_weights,
        n_two_qubit=config.degree * flips + n_layers * _n_pairs(config.entangler, n),
        n_parameters=config.n_weights + (n_observables(config) + 1) * n_outputs,
    )


def _n_pairs(entangler: str, n: int) -> int:
    if entangler == "full":
        return n * (n - 1) // 2
    return n if entangler == "ring" and n > 2 else n - 1


def n_observables(config: FusionConfig) -> int:
    """K, how many observables the layer measures."""
    if config.n_observables is not None:
        return config.n_observables
    natural = {"pauli": 3 * config.n_qubits, "all_pauli": 4**config.n_qubits - 1, "local_z": 1, "global_z": 1}
    return natural.get(config.measurement, config.n_qubits)


def low_rank_parameters(n_modalities: int, feature_dim: int, rank: int = 4, n_outputs: int = 1) -> int:
    """Parameters of LMF: factors [R, D + 1, o] a modality, R weights and o biases.

    >>> low_rank_parameters(3, 4, rank=4)
    65
    """
    return rank * (feature_dim + 1) * n_outputs * n_modalities + rank + n_outputs


def tensor_parameters(n_modalities: int, feature_dim: int, n_outputs: int = 1) -> int:
    """Parameters of TFN: one linear map of the outer product of all [1; h_m].

    >>> tensor_parameters(12, 4)
    244140626
    """
    return ((feature_dim + 1) ** n_modalities + 1) * n_outputs


def perceptron_parameters(n_modalities: int, feature_dim: int, n_hidden: int = 32, n_outputs: int = 1) -> int:
    """Parameters of an MLP with one hidden layer on all features at once."""
    return (n_modalities * feature_dim + 1) * n_hidden + (n_hidden + 1) * n_outputs


def generic_polynomial_coefficients(n_features: int, degree: int) -> int:
    """C(F + P, P): coefficients of a generic polynomial of total degree P in F variables."""
    return math.comb(n_features + degree, degree)

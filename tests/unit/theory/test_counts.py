"""Closed-form counts against circuits that were really built."""

import cirq
import pytest

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import MEASUREMENTS, FusionConfig
from qfl_explore.theory import counts


@pytest.mark.parametrize("encoding", ["qubit_efficient", "qubit_per_feature"])
@pytest.mark.parametrize("signal", ["ry", "rx", "rz", "phase"])
@pytest.mark.parametrize("entangler", ["full", "ring", "linear"])
@pytest.mark.parametrize(
    ("n_modalities", "feature_dim", "constant"), [(1, 1, False), (1, 1, True), (3, 1, True), (2, 2, True)]
)
def test_counts_are_those_of_the_circuit(encoding, signal, entangler, n_modalities, feature_dim, constant):
    config = FusionConfig(
        n_modalities=n_modalities,
        feature_dim=feature_dim,
        constant_slot=constant,
        degree=2,
        n_blocks=2,
        encoding=encoding,
        signal=signal,
        entangler=entangler,
        measurement="pauli",
    )
    fusion = FusionCircuit(config)
    operations = list(fusion.physical.circuit.all_operations())
    found = counts.circuit_counts(config)
    assert found.n_qubits == fusion.n_qubits
    assert found.n_rotations == sum(cirq.num_qubits(op) == 1 for op in operations)
    assert found.n_two_qubit == sum(cirq.num_qubits(op) == 2 for op in operations)
    assert found.n_gates == len(operations)
    assert found.n_parameters == fusion.n_weights + fusion.n_observables + 1


@pytest.mark.parametrize("measurement", MEASUREMENTS)
def test_observables_are_counted(measurement):
    config = FusionConfig(n_modalities=2, measurement=measurement)
    assert counts.n_observables(config) == FusionCircuit(config).n_observables
    assert counts.n_observables(config.replace(n_observables=1)) == 1


def test_classical_counts_by_hand():
    # two modalities of one feature: factors [R, 2, o] each; tensor 2 x 2; one hidden layer of 3
    assert counts.low_rank_parameters(2, 1, rank=3, n_outputs=2) == 3 * 2 * 2 * 2 + 3 + 2
    assert counts.tensor_parameters(2, 1) == 4 + 1
    assert counts.perceptron_parameters(2, 1, n_hidden=3) == 2 * 3 + 3 + 3 + 1
    assert counts.generic_polynomial_coefficients(2, 2) == 6


def test_outputs_must_be_positive():
    with pytest.raises(ValueError, match="n_outputs is out of range"):
        counts.circuit_counts(FusionConfig(), n_outputs=0)

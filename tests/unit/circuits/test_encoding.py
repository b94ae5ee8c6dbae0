"""S(x): both forms are the same unitary, and it is the multiplexed rotation of the definition."""

import cirq
import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.circuits.encoding import GrayCodeSignal, gray_code_matrix
from qfl_explore.config import SIGNALS

ATOL = 1e-12

ROTATIONS = {
    "rx": lambda x: np.array([[np.cos(x / 2), -1j * np.sin(x / 2)], [-1j * np.sin(x / 2), np.cos(x / 2)]]),
    "ry": lambda x: np.array([[np.cos(x / 2), -np.sin(x / 2)], [np.sin(x / 2), np.cos(x / 2)]]),
    "rz": lambda x: np.diag([np.exp(-0.5j * x), np.exp(0.5j * x)]),
    "phase": lambda x: np.diag([1.0, np.exp(1j * x)]),
}


def features_of(fusion, seed=0):
    return np.random.default_rng(seed).uniform(-np.pi, np.pi, fusion.config.n_features)


def signal_unitary(fusion, features):
    circuit = cirq.Circuit(fusion.signal_layer())
    resolved = cirq.resolve_parameters(circuit, dict(zip(fusion.feature_symbols, features, strict=True)))
    return resolved.unitary(qubit_order=fusion.qubits, qubits_that_should_be_present=fusion.qubits)


def expected_unitary(config, features):
    """Σ_j |j⟩⟨j| ⊗ R(x_j), written out as a block-diagonal matrix; a product for the contrast."""
    rotation = ROTATIONS[config.signal]
    if config.encoding == "qubit_per_feature":
        unitary = np.eye(1)
        for x in features:
            unitary = np.kron(unitary, rotation(x))
        return unitary
    unitary = np.eye(2 * config.n_slots, dtype=complex)
    for slot, x in enumerate(features):
        unitary[2 * slot : 2 * slot + 2, 2 * slot : 2 * slot + 2] = rotation(x)
    return unitary


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("signal_form", ["multi_controlled", "gray_code"])
@pytest.mark.parametrize("constant_slot", [True, False], ids=["constant", "no-constant"])
@pytest.mark.parametrize("n_features", range(1, 7))
def test_the_signal_is_the_multiplexed_rotation(signal, signal_form, constant_slot, n_features):
    config = FusionConfig(
        n_modalities=n_features, signal=signal, signal_form=signal_form, constant_slot=constant_slot, degree=1
    )
    fusion = FusionCircuit(config)
    features = features_of(fusion)
    # Exactly equal, global phase included: np.allclose on the matrices themselves.
    np.testing.assert_allclose(signal_unitary(fusion, features), expected_unitary(config, features), rtol=0, atol=ATOL)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("signal_form", ["multi_controlled", "gray_code"])
@pytest.mark.parametrize("n_features", [1, 3])
def test_the_contrast_puts_one_feature_on_one_qubit(signal, signal_form, n_features):
    config = FusionConfig(
        n_modalities=n_features, encoding="qubit_per_feature", signal=signal, signal_form=signal_form, degree=1
    )
    fusion = FusionCircuit(config)
    features = features_of(fusion)
    np.testing.assert_allclose(signal_unitary(fusion, features), expected_unitary(config, features), rtol=0, atol=ATOL)


@pytest.mark.parametrize("n_controls", range(5))
def test_the_gray_code_matrix_is_a_scaled_orthogonal_one(n_controls):
    matrix = gray_code_matrix(n_controls)
    size = 2**n_controls
    np.testing.assert_allclose(matrix @ matrix.T * size, np.eye(size), atol=ATOL)
    assert set(np.abs(matrix).ravel()) == {1 / size}


@pytest.mark.parametrize("n_features", [1, 2, 3, 7, 8])
def test_the_gray_code_form_costs_what_moettoenen_says(n_features):
    config = FusionConfig(n_modalities=n_features, signal_form="gray_code", degree=1)
    fusion = FusionCircuit(config)
    operations = fusion.signal_layer()
    n_rotations = sum(isinstance(operation.gate, cirq.Ry) for operation in operations)
    n_flips = sum(operation.gate == cirq.CNOT for operation in operations)
    assert n_flips == config.n_slots
    assert n_rotations <= config.n_slots == GrayCodeSignal(config, fusion.qubits).n_gates
    assert all(len(operation.qubits) <= 2 for operation in operations)


@pytest.mark.parametrize("n_index", [1, 2, 3])
def test_a_phase_signal_peels_into_rotations_on_every_qubit(n_index):
    config = FusionConfig(n_modalities=2**n_index - 1, signal="phase", degree=1)
    assert GrayCodeSignal(config, FusionCircuit(config).qubits).n_gates == 2 ** (n_index + 1) - 1


def test_zero_features_do_nothing():
    for signal in SIGNALS:
        for form in ("multi_controlled", "gray_code"):
            fusion = FusionCircuit(FusionConfig(n_modalities=3, signal=signal, signal_form=form))
            np.testing.assert_allclose(signal_unitary(fusion, np.zeros(3)), np.eye(8), atol=ATOL)

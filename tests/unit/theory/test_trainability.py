"""Closed forms of gradient variance against the numbers of the theory sheet and against sampling."""

import numpy as np
import pytest

from qfl_explore.circuits.ansatz import draw_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.experiments.gradient_variance_exact import exact_of
from qfl_explore.simulation.base import get_backend
from qfl_explore.theory.trainability import can_be_exact, fusion_floor, two_design_variance


def test_two_design_values():
    found = [two_design_variance(n) for n in range(1, 6)]
    np.testing.assert_allclose(found, [0.22222, 0.10667, 0.05644, 0.02953, 0.01517], atol=5e-6)
    assert two_design_variance(20) * 2**21 == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("n_features", [1, 2, 3, 7, 8, 100, 207])
def test_the_floor_of_a_fusion_layer_lies_between_two_powers_of_its_features(n_features):
    low, high = fusion_floor(n_features)
    assert low <= 1 / (2 * 2 ** FusionConfig(n_modalities=n_features).n_qubits) <= high


CASES = [
    dict(n_modalities=2, degree=2, measurement="local_z"),
    dict(n_modalities=3, degree=2, n_blocks=2, entangler="ring", measurement="global_z"),
    dict(n_modalities=3, degree=2, encoding="qubit_per_feature", signal="rx"),
    dict(n_modalities=2, feature_dim=2, degree=1, encoding="qubit_per_feature", measurement="global_z", signal="phase"),
    dict(n_modalities=8, degree=2, signal="phase", constant_slot=False, measurement="pauli"),
    dict(n_modalities=1, degree=3, constant_slot=False, signal="rz", measurement="pauli"),
]


@pytest.mark.parametrize("settings", CASES)
def test_every_angle_s_exact_variance_is_what_sampling_finds(settings):
    config = FusionConfig(**settings)
    fusion, rng = FusionCircuit(config), np.random.default_rng(5)
    inputs = rng.uniform(-np.pi, np.pi, (config.n_modalities, config.feature_dim))
    n_draws, observable = 20_000, fusion.n_observables - 1
    cotangents = np.zeros((1, fusion.n_observables))
    cotangents[0, observable] = 1.0
    weights = draw_weights(config, "uniform", rng, n_draws)
    squares = get_backend("batched", dtype="float64").gradients(fusion, inputs[None], weights, cotangents)[2] ** 2
    exact = exact_of(config, inputs, observable)
    moves = exact > 1e-12
    assert squares[:, ~moves].max(initial=0.0) < 1e-20
    z = (squares.mean(axis=0) - exact)[moves] / (squares.std(axis=0)[moves] / np.sqrt(n_draws))
    assert np.abs(z).max() < 5.0
    assert np.sqrt(np.mean(z**2)) < 2.0


def test_the_mean_over_observables_is_the_default():
    config = FusionConfig(n_modalities=3, degree=1)
    inputs = np.full((3, 1), 0.7)
    each = [exact_of(config, inputs, k) for k in range(3)]
    np.testing.assert_allclose(exact_of(config, inputs), np.mean(each, axis=0), atol=1e-15)


def test_deep_circuits_reach_the_two_design_value():
    config = FusionConfig(n_modalities=3, degree=100, measurement="local_z")
    exact = exact_of(config, np.array([[0.9], [2.1], [-1.3]]))
    np.testing.assert_allclose(exact[45:55], two_design_variance(3), rtol=1e-3)


def test_refusals_name_what_is_wrong():
    large = FusionConfig(n_modalities=12, encoding="qubit_per_feature")
    assert not can_be_exact(large)
    with pytest.raises(ValueError, match=r"small circuits\. Expected: .* Received: 12 qubits, 144 weights\.$"):
        exact_of(large, np.zeros((12, 1)))
    with pytest.raises(ValueError, match=r"^inputs has the wrong shape\. Expected: shape \[2, 1\]\. Received: shape"):
        exact_of(FusionConfig(), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"^observable is out of range\. Expected: .* 0 to 2\. Received: observable=3"):
        exact_of(FusionConfig(), np.zeros((2, 1)), 3)
    with pytest.raises(ValueError, match=r"^n_qubits is out of range\. Expected: .*\. Received: n_qubits=0\.$"):
        two_design_variance(0)

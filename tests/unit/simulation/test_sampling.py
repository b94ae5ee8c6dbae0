"""Finite repetitions against exact values: states, probabilities, estimates, shadows."""

import cirq
import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig, get_backend
from qfl_explore.simulation import sampling as s
from qfl_explore.theory import measurement as m

SETTINGS = [
    {"n_modalities": 3, "feature_dim": 2},
    {"signal": "phase"},
    {"signal": "rz", "signal_form": "gray_code"},
    {"encoding": "qubit_per_feature", "n_modalities": 3},
    {"n_modalities": 1, "constant_slot": False},
]


def scene(n_samples=3, **settings):
    layer = FusionCircuit(FusionConfig(degree=2, **settings))
    rng = np.random.default_rng(4)
    x = rng.normal(size=(n_samples, layer.config.n_modalities, layer.config.feature_dim))
    weights = rng.normal(size=layer.weight_shape)
    return layer, x, weights, s.final_states(layer, x, weights)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda v: "-".join(map(str, v.values())))
def test_states_are_those_of_cirqs_simulator(settings):
    layer, x, weights, states = scene(**settings)
    names = [symbol.name for symbol in layer.feature_symbols + layer.weight_symbols]
    for sample, state in zip(x, states, strict=True):
        values = np.concatenate([sample.ravel(), weights.ravel()]).tolist()
        simulator = cirq.Simulator(dtype=np.complex128)
        exact = simulator.simulate(layer.circuit, dict(zip(names, values, strict=True)), qubit_order=layer.qubits)
        np.testing.assert_allclose(state, exact.final_state_vector, atol=1e-12)


def test_too_large_a_register_is_refused():
    layer = FusionCircuit(FusionConfig(n_modalities=12, encoding="qubit_per_feature"))
    with pytest.raises(ValueError, match="too large to sample.*Expected: at most 11 qubits.*Received: 12 qubits"):
        s.final_states(layer, np.zeros((1, 12, 1)), np.zeros(layer.weight_shape))


@pytest.mark.parametrize("measurement", ["random_pauli_plane", "computational", "pauli", "all_pauli"])
def test_probabilities_give_the_engines_expectation_values(measurement):
    layer, x, weights, states = scene(measurement=measurement, seed=2)
    reader = s.Reader(m.observable_axes(layer.observables, layer.qubits))
    probabilities = reader.probabilities(states)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1.0)
    exact = get_backend("cirq").expectations(layer, x, weights)
    np.testing.assert_allclose(reader.exact(probabilities), exact, atol=1e-12)


def test_parities_are_signed_sums():
    numbers = np.random.default_rng(0).normal(size=(2, 8))
    masks, strings = np.arange(8)[:, None], np.arange(8)
    signs = 1.0 - 2.0 * (np.bitwise_count(masks & strings) & 1)
    np.testing.assert_allclose(s.parities(numbers), numbers @ signs.T)


@pytest.mark.parametrize("measurement", ["random_pauli_plane", "all_pauli"])
def test_estimates_are_unbiased_with_the_stated_variance(measurement):
    layer, _, _, states = scene(1, measurement=measurement, seed=2)
    reader = s.Reader(m.observable_axes(layer.observables, layer.qubits))
    probabilities = np.repeat(reader.probabilities(states), 2000, axis=0)
    found = reader.sample(probabilities, 270, np.random.default_rng(1))
    exact = reader.exact(probabilities[:1])[0]
    variance = m.grouped_variance(exact, found.n_used)
    # 2000 repeated estimates: the mean is within 4.5 of its standard errors, the variance within 20 %
    assert (np.abs(found.values.mean(axis=0) - exact) < 4.5 * np.sqrt(variance / 2000)).all()
    np.testing.assert_allclose(found.values.var(axis=0), variance, rtol=0.2)


def test_every_setting_gets_its_share_of_bit_strings():
    layer, _, _, states = scene(2, measurement="pauli")
    reader = s.Reader(m.observable_axes(layer.observables, layer.qubits))
    counts = reader.counts(reader.probabilities(states), 100, np.random.default_rng(0))
    assert counts.shape == (2, 3, 8)
    assert counts.sum(axis=2).tolist() == [[34, 33, 33]] * 2


def test_an_observable_that_was_never_read_is_not_a_number():
    layer, _, _, states = scene(1, measurement="pauli")
    reader = s.Reader(m.observable_axes(layer.observables, layer.qubits))
    found = reader.sample(reader.probabilities(states), 1, np.random.default_rng(0))
    assert np.isnan(found.values[0, found.n_used == 0]).all() and (found.n_used == 0).sum() == 6


@pytest.mark.parametrize("reading", m.READINGS)
def test_shadow_estimates_are_unbiased_with_variance_three_to_the_w(reading):
    layer, _, _, states = scene(1)
    axes = m.reading_axes(reading, 3, 5, seed=3)
    reader = s.Reader(axes)
    exact = reader.exact(reader.probabilities(states))[0]
    shadow = s.draw_shadow(states[0], 60_000, np.random.default_rng(8))
    single = s.shadow_estimates(shadow, axes)
    variance = m.shadow_variance(exact, m.weights(axes))
    assert (np.abs(single.mean(axis=0) - exact) < 4.5 * np.sqrt(variance / len(single))).all()
    np.testing.assert_allclose(single.var(axis=0), variance, rtol=0.08)


def test_shadows_use_every_basis_equally_and_belong_to_their_outcomes():
    shadow = s.draw_shadow(np.array([1.0, 0.0]), 9000, np.random.default_rng(0))
    counts = np.bincount(shadow.letters[:, 0], minlength=3)
    assert np.abs(counts - 3000).max() < 4 * np.sqrt(9000 * 2 / 9)
    assert (shadow.signs[shadow.letters == 2] == 1).all()  # |0⟩ read along Z
    assert abs(shadow.signs[shadow.letters != 2].mean()) < 4 / np.sqrt(6000)


def test_median_of_means_forgives_outliers():
    estimates = np.ones((100, 1))
    estimates[3] = 1e6
    assert s.median_of_means(estimates, 10) == 1.0
    assert s.median_of_means(estimates, 1) > 1000
    with pytest.raises(ValueError, match="too few repetitions.*Expected: at least 200.*Received: 100"):
        s.median_of_means(estimates, 200)


def test_the_same_seed_reads_the_same():
    _, _, _, states = scene(1)
    draws = [s.draw_shadow(states[0], 50, np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(draws[0].letters, draws[1].letters)
    np.testing.assert_array_equal(draws[0].signs, draws[1].signs)

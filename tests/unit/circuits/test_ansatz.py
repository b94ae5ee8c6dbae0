"""Initialisers: shapes, seeds, spreads, and an identity block that really is the identity."""

import cirq
import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.circuits.ansatz import INITIALIZERS, draw_weights, entangled_pairs, initial_weights
from qfl_explore.config import ENTANGLERS

BIG = FusionConfig(n_modalities=15, degree=40, n_blocks=4)


def layer_unitary(fusion, layer, weights):
    circuit = cirq.Circuit(fusion.ansatz_layer(layer))
    values = dict(zip(fusion.weight_symbols, weights.ravel(), strict=True))
    return cirq.resolve_parameters(circuit, values).unitary(qubit_order=fusion.qubits)


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("n_blocks", [1, 2, 3])
def test_shape_seed_and_finiteness(initializer, n_blocks):
    config = FusionConfig(n_modalities=3, degree=2, n_blocks=n_blocks)
    weights = initial_weights(config, initializer, seed=1)
    assert weights.shape == config.weight_shape
    assert weights.dtype == np.float64
    assert np.isfinite(weights).all()
    np.testing.assert_array_equal(weights, initial_weights(config, initializer, seed=1))
    assert not np.array_equal(weights, initial_weights(config, initializer, seed=2))


def test_uniform_fills_the_circle():
    weights = initial_weights(BIG, "uniform", seed=0)
    assert weights.min() >= -np.pi
    assert weights.max() < np.pi
    deviation = np.pi / np.sqrt(3)
    assert abs(weights.mean()) < 4 * deviation / np.sqrt(weights.size)
    assert weights.std() == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("scale", [0.01, 0.1, 0.5])
def test_small_angles_have_the_stated_spread(scale):
    weights = initial_weights(BIG, "small_angle", seed=0, scale=scale)
    # The standard error of a standard deviation is about scale / sqrt(2 size).
    assert abs(weights.std() - scale) < 4 * scale / np.sqrt(2 * weights.size)
    assert abs(weights.mean()) < 4 * scale / np.sqrt(weights.size)


@pytest.mark.parametrize("n_blocks", [2, 4])
@pytest.mark.parametrize("entangler", ENTANGLERS)
def test_identity_blocks_are_the_identity_after_the_first(n_blocks, entangler):
    config = FusionConfig(n_modalities=3, degree=3, n_blocks=n_blocks, entangler=entangler)
    fusion = FusionCircuit(config)
    weights = initial_weights(config, "identity_block", seed=3)
    for layer in range(1, config.degree + 1):
        np.testing.assert_allclose(layer_unitary(fusion, layer, weights), np.eye(8), atol=1e-12)
    assert np.abs(weights[1:]).max() > 0.1, "an identity that has angles to train"


def test_the_first_layer_of_identity_blocks_spreads_the_index_register():
    config = FusionConfig(n_modalities=3, degree=3, n_blocks=2)
    weights = initial_weights(config, "identity_block", seed=3)
    state = layer_unitary(FusionCircuit(config), 0, weights)[:, 0]
    slots = (np.abs(state) ** 2).reshape(-1, 2).sum(axis=1)
    assert slots.min() > 1e-3


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_an_odd_number_of_blocks_leaves_the_bare_entangler(n_blocks):
    config = FusionConfig(n_modalities=3, degree=2, n_blocks=n_blocks)
    fusion = FusionCircuit(config)
    bare = cirq.Circuit(cirq.CZ(fusion.qubits[a], fusion.qubits[b]) for a, b in entangled_pairs("full", 3))
    weights = initial_weights(config, "identity_block", seed=3)
    for layer in (1, 2):
        np.testing.assert_allclose(
            layer_unitary(fusion, layer, weights), bare.unitary(qubit_order=fusion.qubits), atol=1e-12
        )


def test_an_unknown_initializer_gets_a_suggestion():
    message = r"^initializer is not a known option\. Expected: one of .*\. Received: .* \(did you mean 'identity_block'"
    with pytest.raises(ValueError, match=message):
        initial_weights(FusionConfig(), "identity_blocks")


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_small_angles_need_a_positive_scale(scale):
    message = r"^scale is out of range\. Expected: a number above 0 \(radians\)\. Received: scale="
    with pytest.raises(ValueError, match=message):
        initial_weights(FusionConfig(), "small_angle", scale=scale)


def test_a_seed_is_not_negative():
    with pytest.raises(ValueError, match=r"^seed is out of range\. Expected: .* Received: seed=-1\.$"):
        initial_weights(FusionConfig(), seed=-1)


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 4, 6])
def test_pairs_of_every_entangler(n_qubits):
    full, ring, linear = (entangled_pairs(name, n_qubits) for name in ("full", "ring", "linear"))
    assert len(full) == n_qubits * (n_qubits - 1) // 2
    assert len(linear) == n_qubits - 1
    assert len(ring) == (n_qubits if n_qubits > 2 else n_qubits - 1)
    assert set(linear) <= set(ring) <= set(full)
    assert all(a < b for a, b in full)


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_many_draws_are_what_one_draw_is(initializer):
    config = FusionConfig(n_blocks=2)
    many = draw_weights(config, initializer, np.random.default_rng(3), 5)
    assert many.shape == (5, *config.weight_shape)
    np.testing.assert_array_equal(
        draw_weights(config, initializer, np.random.default_rng(3), 1)[0], initial_weights(config, initializer, 3)
    )
    if initializer == "identity_block":
        assert not many[:, 1:, :, :, :2].any() and len(np.unique(many[:, 0])) == many[:, 0].size
        np.testing.assert_array_equal(many[:, 1:, 0, :, 2], -many[:, 1:, 1, :, 2])

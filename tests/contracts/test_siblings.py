"""The contract of the sibling systems' layers, for every engine."""

import cirq
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from qfl_explore import get_backend, siblings
from qfl_explore.simulation.base import ENGINES, is_available

TOKENS = siblings.HardwareEfficientConfig(n_modalities=3, degree=2, n_blocks=1)
NETWORKS = {
    "shared": siblings.FeatureEntanglementConfig(n_modalities=3, feature_dim=2),
    "own angles, CZ, registers": siblings.FeatureEntanglementConfig(
        n_modalities=2, feature_dim=3, register_size=2, degree=1, shared=False, coupling="cz", measurement="z"
    ),
    "product, no QCNN": siblings.FeatureEntanglementConfig(n_modalities=3, pairs="none", qcnn=False, signal="rz"),
}
LAYERS = {"tokens": (siblings.QuantumTokens, TOKENS)} | {
    name: (siblings.FeatureEntanglement, config) for name, config in NETWORKS.items()
}


@pytest.fixture(params=list(ENGINES))
def backend(request):
    if not is_available(request.param):
        pytest.skip(f"{ENGINES[request.param].needs} is not installed on this platform")
    return request.param


@pytest.fixture(params=list(LAYERS))
def made(request):
    """(class, config)"""
    return LAYERS[request.param]


def features(config, batch=3, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=(batch, config.n_modalities, config.feature_dim)).astype(dtype)


def values_and_slopes(layer, x):
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = layer(x)
        flat = tf.reshape(values, [x.shape[0], -1])
        loss = tf.reduce_sum(flat * tf.range(1.0, flat.shape[1] + 1.0))
    return values, *tape.gradient(loss, [x, layer.angles])


def test_shapes_dtype_and_declared_parameters(made, backend):
    kind, config = made
    layer = kind(config, backend)
    x = features(config)
    values = layer(x)
    assert values.shape == layer.compute_output_shape(x.shape)
    assert layer.compute_output_shape((None, *x.shape[1:]))[0] is None
    assert np.prod(values.shape[1:]) == layer.n_observables
    assert values.dtype == layer(x.astype(np.float64)).dtype == tf.float32
    assert layer.count_params() == config.n_weights == len(layer.fusion.weight_symbols)
    np.testing.assert_allclose(layer(x[:1]), values[:1], rtol=1e-4, atol=1e-6)


def test_every_engine_gives_the_values_and_slopes_of_cirq(made, backend):
    kind, config = made
    truth, layer = kind(config, "cirq"), kind(config, backend)
    for found, want in zip(
        values_and_slopes(layer, features(config)), values_and_slopes(truth, features(config)), strict=True
    ):
        assert np.isfinite(found.numpy()).all()
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5)


def test_engines_agree_in_double_precision_and_with_many_draws(made):
    kind, config = made
    fusion, rng = kind.circuit_class(config), np.random.default_rng(1)
    x = features(config, dtype=np.float64)
    weights = rng.normal(size=(2, config.n_weights))
    cotangents = rng.normal(size=(3, fusion.n_observables))
    fast = get_backend("batched", dtype="float64").gradients(fusion, x, weights, cotangents)
    for draw, own in enumerate(weights):
        for found, want in zip(fast, get_backend("cirq").gradients(fusion, x, own, cotangents), strict=True):
            np.testing.assert_allclose(found[draw], want, atol=1e-12)


def test_the_physical_form_is_the_same_unitary_with_one_symbol_a_rotation(made):
    kind, config = made
    fusion, rng = kind.circuit_class(config), np.random.default_rng(2)
    x, weights = features(config, 1, dtype=np.float64), rng.normal(size=config.n_weights)
    symbols = (*fusion.feature_symbols, *fusion.weight_symbols)
    plain = dict(zip(symbols, [*x.ravel(), *weights], strict=True))
    angles = fusion.physical.symbol_values(x, weights)[0]
    unfolded = dict(zip(fusion.physical.symbols, angles, strict=True))
    rotations = [op for op in fusion.physical.circuit.all_operations() if cirq.is_parameterized(op)]
    assert len(rotations) == len(fusion.physical.symbols) == len({str(op.gate) for op in rotations})
    pair = [
        cirq.resolve_parameters(circuit, values).unitary(qubit_order=fusion.qubits)
        for circuit, values in ((fusion.circuit, plain), (fusion.physical.circuit, unfolded))
    ]
    np.testing.assert_allclose(*pair, atol=1e-12)


def test_config_round_trip_and_seeds(made, backend):
    kind, config = made
    layer = kind(config, backend, "small_angle", seed=3, name="one")
    twin = kind.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert twin.config == config
    np.testing.assert_array_equal(layer(features(config)), twin(features(config)))
    rebuilt = tf_keras.layers.deserialize(tf_keras.layers.serialize(layer))
    np.testing.assert_array_equal(layer(features(config)), rebuilt(features(config)))
    other = kind(config, backend, seed=4)
    assert abs(other(features(config)).numpy() - layer(features(config)).numpy()).max() > 1e-3


def test_training_lowers_the_loss_and_traces_once(made):
    kind, config = made
    layer, traces = kind(config, seed=1, on_out_of_range="ignore"), []
    x = features(config, 33)
    y = np.sin(x[:, 0, :1]) * np.cos(x[:, -1, -1:])
    inputs = tf_keras.Input(x.shape[1:])
    flat = tf_keras.layers.Flatten()(layer(inputs))
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(1)(flat))
    call = type(layer).call
    layer.call = lambda *args, **kwargs: traces.append(1) or call(layer, *args, **kwargs)
    model.compile(tf_keras.optimizers.legacy.Adam(0.05), "mse")
    losses = model.fit(x[:32], y[:32], batch_size=8, epochs=12, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    n_traces = len(traces)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)  # a last batch of one sample
    assert len(traces) <= n_traces + 1


def test_a_wrong_shape_is_explained(made):
    kind, config = made
    with pytest.raises(ValueError, match=r"inputs of \w+ have the wrong shape.*Expected: shape \[B.*Received: shape"):
        kind(config)(np.zeros((2, config.n_modalities + 1, config.feature_dim), np.float32))


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "message"),
    [
        ("FeatureEntanglement", {"config": TOKENS}, TypeError, r"wrong kind.*Expected: a FeatureEntanglementConfig"),
        ("QuantumTokens", {"config": {"n_modalities": 10}}, ValueError, r"out of range.*from 1 to 9.*Received.*10"),
        ("QuantumTokens", {"config": TOKENS, "initializer": "identity_block"}, ValueError, r"initializer is not a"),
        ("FeatureEntanglement", {"config": {"pairs": "rung"}}, ValueError, r"pairs is not.*did you mean 'ring'"),
        ("FeatureEntanglement", {"config": {"shared": 1}}, TypeError, r"shared must be a boolean.*Received: 1"),
        ("FeatureEntanglement", {"config": {"n_modalities": 40}}, ValueError, r"too large.*at most 30 qubits.*40"),
        ("FeatureEntanglement", {"config": {"n_kept": 0}}, ValueError, r"n_kept is out of range.*Received: n_kept=0"),
        ("CrossAttention", {"n_heads": 0}, ValueError, r"n_heads is out of range.*Expected.*Received: n_heads=0"),
    ],
)
def test_wrong_settings_are_explained(kind, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(siblings, kind)(**arguments)

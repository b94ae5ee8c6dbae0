"""The contract of the Keras layer, for every engine."""

import math
import warnings

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from qfl_explore import FusionConfig, get_backend
from qfl_explore.layers import QuantumFusion
from qfl_explore.ranges import EncodingRangeWarning
from qfl_explore.simulation.base import ENGINES, is_available

CONFIG = FusionConfig(n_modalities=2, feature_dim=2, degree=2, signal_form="gray_code")


@pytest.fixture(params=list(ENGINES))
def backend(request):
    if not is_available(request.param):
        pytest.skip(f"{ENGINES[request.param].needs} is not installed on this platform")
    return request.param


def features(batch=3, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=(batch, 2, 2)).astype(dtype)


def slopes(layer, x):
    """Values, and gradients of sum(k * value_k) with respect to the features and the angles."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = layer(x)
        loss = tf.reduce_sum(values * tf.range(1.0, values.shape[1] + 1.0))
    return values, *tape.gradient(loss, [x, layer.angles])


def hybrid(backend="batched", **options):
    """An encoder for each modality, the fusion layer, a head."""
    inputs = [tf_keras.Input((3,)) for _ in range(2)]
    encoded = [tf_keras.layers.Dense(2, activation="tanh")(x) for x in inputs]
    fused = QuantumFusion(CONFIG, backend, name="fusion", **options)(tf.stack(encoded, axis=1))
    return tf_keras.Model(inputs, tf_keras.layers.Dense(1)(fused))


def hybrid_data(n=32):
    rng = np.random.default_rng(5)
    x = [rng.normal(size=(n, 3)).astype("float32") for _ in range(2)]
    return x, (x[0][:, :1] * x[1][:, :1]).astype("float32")


def test_shapes_and_dtype(backend):
    layer = QuantumFusion(CONFIG, backend)
    assert layer(features()).shape == (3, CONFIG.n_qubits) == layer.compute_output_shape((3, 2, 2))
    assert layer.compute_output_shape((None, 2, 2)).as_list() == [None, CONFIG.n_qubits]
    assert layer(features(1)).shape == (1, CONFIG.n_qubits)
    assert layer(features()).dtype == layer(features(dtype=np.float64)).dtype == tf.float32
    assert layer.count_params() == CONFIG.n_weights
    assert [tuple(w.shape) for w in layer.trainable_weights] == [CONFIG.weight_shape]


def test_values_and_gradients_are_the_engines(backend):
    layer = QuantumFusion(CONFIG, backend, seed=4)
    values, d_features, d_angles = slopes(layer, features())
    cotangents = np.tile(np.arange(1.0, 1.0 + layer.n_observables), (3, 1))
    want = get_backend("cirq").gradients(layer.fusion, features(), layer.angles.numpy(), cotangents)
    for got, right in zip((values, d_features, d_angles), want, strict=True):
        assert np.isfinite(got.numpy()).all()
        np.testing.assert_allclose(got.numpy(), right, rtol=0, atol=2e-5)  # cotangents up to K = 4


def test_a_graph_gives_what_eager_gives(backend):
    layer = QuantumFusion(CONFIG, backend)
    eager = slopes(layer, features())
    graph = tf.function(lambda x: slopes(layer, x), input_signature=[tf.TensorSpec([None, 2, 2])])
    for a, b in zip(eager, graph(tf.constant(features())), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0, atol=1e-5)


def test_float64_layers(backend):
    if backend == "tfq":
        pytest.skip("TensorFlow Quantum computes in float32")
    options = {"dtype": "float64"} if backend == "batched" else {}
    layer = QuantumFusion(CONFIG, backend, dtype="float64", backend_options=options)
    x = tf.constant(features(dtype=np.float64))
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x))
    gradients = tape.gradient(loss, [x, layer.angles])
    assert {g.dtype for g in gradients} == {loss.dtype} == {tf.float64}


def test_half_precision_policies_do_not_round_angles():
    layer = QuantumFusion(CONFIG, dtype="mixed_float16")
    values = layer(features())
    assert (values.dtype, layer.angles.dtype) == (tf.float16, tf.float32)
    np.testing.assert_allclose(values.numpy(), QuantumFusion(CONFIG)(features()).numpy(), atol=1e-3)


def too_far():
    """Features of which one is beyond ±2π, half the period of this circuit."""
    x = np.clip(features(), -3, 3)
    x[1, 0, 1] = 7.5
    return x


def caught(run):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        run()
    return [str(w.message) for w in found if w.category is EncodingRangeWarning]


def test_features_outside_the_range_are_reported_once(backend):
    layer = QuantumFusion(CONFIG, backend, name="fusion")
    assert layer.watch.feature_range == (-2 * math.pi, 2 * math.pi)
    graph = tf.function(lambda x: layer(x))
    for call in (layer, graph):
        layer.watch.rearm()
        assert caught(lambda call=call: call(np.clip(features(), -3, 3))) == []
        (message,) = caught(lambda call=call: [call(too_far()) for _ in range(3)])
        for part in (
            "features of the layer 'fusion' leave the stated range",
            "Expected: radians from -6.283 to 6.283",
            "Received: 1 of 24 values outside",
            "largest 7.5",
        ):
            assert part in message
        assert caught(lambda call=call: call(2 * too_far())) != []  # worse is said again
        layer.watch.rearm()
        assert len(caught(lambda call=call: call(too_far()))) == 1
    assert graph.experimental_get_tracing_count() == 1


def test_reports_can_be_ignored_or_raised_and_leave_the_values_alone(backend):
    x = too_far()
    want = None
    for option in ("warn", "ignore"):
        layer = QuantumFusion(CONFIG, backend, on_out_of_range=option)
        got = []
        assert len(caught(lambda layer=layer, got=got: got.append(slopes(layer, x)))) == (option == "warn")
        want = got[0] if want is None else want
        for a, b in zip(got[0], want, strict=True):
            np.testing.assert_array_equal(a, b)
    strict = QuantumFusion(CONFIG, backend, on_out_of_range="raise")
    strict(features())
    message = r"leave the stated range.*Expected: radians from.*Received: 1 of 12 values outside"
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
        strict(x)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        tf.function(lambda x: strict(x))(x)


def test_the_stated_range_comes_back_with_the_layer(backend):
    layer = QuantumFusion(CONFIG, backend, feature_range=(-1, 2), on_out_of_range="raise")
    twin = QuantumFusion.from_config(layer.get_config())
    assert twin.watch.feature_range == (-1.0, 2.0)
    assert twin.watch.on_out_of_range == "raise"
    assert twin.get_config() == layer.get_config()
    # the circuit's own range follows the circuit, and layers that were saved before had none
    plain = QuantumFusion(CONFIG, backend).get_config()
    assert plain["feature_range"] is None
    del plain["feature_range"], plain["on_out_of_range"]
    assert QuantumFusion.from_config(plain).watch.feature_range == (-2 * math.pi, 2 * math.pi)
    phase = QuantumFusion(CONFIG.replace(signal="phase"), backend)
    assert phase.watch.feature_range == (-math.pi, math.pi)


def test_a_training_run_gives_a_handful_of_reports(backend):
    (x, y), model = hybrid_data(8), hybrid(backend, feature_range=(-0.01, 0.01))
    model.compile(tf_keras.optimizers.legacy.Adam(0.01), "mse")
    messages = caught(lambda: model.fit(x, y, epochs=10, batch_size=2, verbose=0))
    assert 1 <= len(messages) <= 6  # of 40 steps, every one of them outside


def test_only_what_is_asked_for_is_differentiated(backend):
    layer = QuantumFusion(CONFIG, backend)
    frozen = QuantumFusion(CONFIG, backend, trainable=False)
    frozen(features())
    assert not frozen.trainable_weights
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(features()))
    assert tape.gradient(loss, layer.angles).shape == CONFIG.weight_shape


def test_config_round_trip(backend):
    layer = QuantumFusion(CONFIG, backend, "small_angle", seed=3, name="fusion")
    twin = QuantumFusion.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert twin.config == CONFIG
    np.testing.assert_array_equal(layer(features()), twin(features()))
    rebuilt = tf_keras.layers.deserialize(tf_keras.layers.serialize(layer))
    np.testing.assert_array_equal(layer(features()), rebuilt(features()))


def test_weights_and_whole_models_come_back(backend, tmp_path):
    (x, _), model = hybrid_data(4), hybrid(backend, seed=1)
    want = model.predict(x, verbose=0)
    model.save_weights(tmp_path / "some.weights.h5")
    other = hybrid(backend, seed=2)
    assert abs(other.predict(x, verbose=0) - want).max() > 1e-3
    other.load_weights(tmp_path / "some.weights.h5")
    np.testing.assert_allclose(other.predict(x, verbose=0), want, atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), want, atol=1e-6)
    assert loaded.get_layer("fusion").config == CONFIG


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_every_optimizer_moves_the_angles(optimizer):
    model = hybrid()
    before = model.get_layer("fusion").angles.numpy()
    model.compile(optimizer, "mse")
    model.train_on_batch(*hybrid_data(8))
    assert abs(model.get_layer("fusion").angles.numpy() - before).max() > 1e-5


def test_adam_reduces_the_loss_without_tracing_anew(backend):
    n = 24 if backend in ("batched", "tfq") else 6
    tf_keras.utils.set_random_seed(0)  # with six samples and any start, one in fifteen starts hardly moves
    (x, y), model = hybrid_data(n), hybrid(backend)
    traces = []
    layer, call = model.get_layer("fusion"), QuantumFusion.call
    layer.call = lambda inputs: traces.append(inputs.shape) or call(layer, inputs)
    model.compile(tf_keras.optimizers.legacy.Adam(0.05), "mse")
    fit = {"epochs": 6, "batch_size": 4, "verbose": 0, "shuffle": False}
    losses = model.fit(x, y, **fit).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    n_traces = len(traces)
    model.fit(x, y, **{**fit, "epochs": 2})
    model.fit([part[:-1] for part in x], y[:-1], **{**fit, "epochs": 1})  # a last batch of another size
    assert len(traces) <= n_traces + 1


def test_training_is_the_same_with_every_engine(backend):
    (x, y), runs = hybrid_data(4), []
    for name in ("cirq", backend):
        tf_keras.utils.set_random_seed(11)
        model = hybrid(name)
        model.compile(tf_keras.optimizers.legacy.SGD(0.1), "mse")
        runs.append([model.train_on_batch(x, y) for _ in range(3)])
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-4)


@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 3), (3, 3, 2), (3, 2, 2, 1)])
def test_a_wrong_shape_is_explained(shape):
    message = r"inputs of QuantumFusion have the wrong shape.*Expected: shape \[B, 2, 2\].*Received: shape \("
    with pytest.raises(ValueError, match=message):
        QuantumFusion(CONFIG)(np.zeros(shape, "float32"))
    layer = QuantumFusion(CONFIG)
    layer(features())
    with pytest.raises(ValueError, match=message):
        layer(np.zeros(shape, "float32"))
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shape)


def test_a_number_that_is_not_finite_is_explained(backend):
    layer = QuantumFusion(CONFIG, backend)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"features must be finite.*Expected.*Received"):
        layer(features() * np.nan)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"config": 3}, TypeError, r"config is of the wrong kind.*Expected: a FusionConfig.*Received: 3"),
        ({"backend": "tqf"}, ValueError, r"backend is not a known option.*Expected.*did you mean 'tfq'"),
        ({"initializer": "zeros"}, ValueError, r"initializer is not a known option.*Expected.*Received"),
        ({"seed": -1}, ValueError, r"seed is out of range.*Expected.*Received: seed=-1"),
        ({"on_out_of_range": "wran"}, ValueError, r"on_out_of_range is not a known option.*did you mean 'warn'"),
        ({"feature_range": 3}, TypeError, r"feature_range must be a pair.*Expected.*Received: feature_range=3"),
        ({"feature_range": (2, 1)}, ValueError, r"feature_range is out of order.*Expected.*Received: .*\(2, 1\)"),
    ],
)
def test_wrong_settings_are_explained(arguments, kind, message):
    with pytest.raises(kind, match=message):
        QuantumFusion(**{"config": CONFIG, **arguments})

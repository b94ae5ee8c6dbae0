"""One contract for every fusion layer, the quantum one among them."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from qfl_explore import baselines
from qfl_explore.config import FusionConfig
from qfl_explore.layers import QuantumFusion

SIZES = [(1, 2), (2, 3), (12, 1), (207, 1)]
N_OUTPUTS = 3
OPTIONS = {
    "concat": [{}],
    "low_rank": [{"start": start} for start in baselines.STARTS] + [{"rank": 1}],
    "tensor": [{}],
    "bilinear": [{}, {"use_bias": True, "n_factors": 2, "dropout": 0.0}],
    "graph": [{}, {"n_layers": 1}],
    "quantum": [{}],
}
CASES = [(fusion, options) for fusion, variants in OPTIONS.items() for options in variants]


def named(case):
    fusion, options = case
    return "-".join([fusion, *(f"{name}={value}" for name, value in options.items())])


def fits(fusion, m):
    return fusion != "tensor" or m <= 12


@pytest.fixture(params=CASES, ids=named)
def make(request):
    """A function (M, D, more) -> layer."""
    fusion, options = request.param

    def build(m, d, **more):
        if not fits(fusion, m):
            pytest.skip("tensor fusion refuses 207 modalities, which has a test of its own")
        if fusion == "quantum":
            return QuantumFusion(FusionConfig(n_modalities=m, feature_dim=d, degree=1, n_observables=N_OUTPUTS), **more)
        return baselines.layer_class(fusion)(N_OUTPUTS, **{**options, **more})

    return build


@pytest.fixture
def declared(request, make):
    fusion, options = request.node.callspec.params["make"]
    known = {name: value for name, value in options.items() if name in ("rank", "n_factors", "use_bias", "n_layers")}

    def count(m, d):
        if fusion == "quantum":
            return FusionConfig(n_modalities=m, feature_dim=d, degree=1).n_weights
        return baselines.layer_parameters(fusion, m, d, N_OUTPUTS, **known)

    return count


def features(m, d, batch=4, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).uniform(-1, 1, (batch, m, d)).astype(dtype)


@pytest.mark.parametrize(("m", "d"), SIZES)
def test_shapes_dtype_and_declared_parameters(make, declared, m, d):
    layer = make(m, d)
    x = features(m, d)
    assert layer(x).shape == (4, N_OUTPUTS) == layer.compute_output_shape((4, m, d))
    assert layer.compute_output_shape((None, m, d)).as_list() == [None, N_OUTPUTS]
    assert layer(x).dtype == layer(x.astype(np.float64)).dtype == tf.float32
    assert layer.count_params() == declared(m, d)
    # a batch of one gives what its row of a larger batch gives
    np.testing.assert_allclose(layer(x[:1]), layer(x)[:1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("m", "d"), SIZES)
def test_values_and_gradients_are_finite_in_training_and_at_zero(make, m, d):
    layer = make(m, d)
    for x in (features(m, d), np.zeros((4, m, d), np.float32)):
        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = layer(x, training=True) if not isinstance(layer, QuantumFusion) else layer(x)
            loss = tf.reduce_sum(values * tf.range(1.0, N_OUTPUTS + 1.0))
        gradients = tape.gradient(loss, [x, *layer.trainable_weights])
        assert all(gradient is not None and np.isfinite(gradient.numpy()).all() for gradient in gradients)
        assert np.isfinite(values.numpy()).all()


def test_gradients_are_the_slopes(make):
    layer = make(3, 2, dtype="float64")
    x = tf.constant(features(3, 2, batch=2, dtype=np.float64))

    def total(values):
        return tf.reduce_sum(tf.cast(layer(values), tf.float64) * tf.range(1.0, N_OUTPUTS + 1.0, dtype=tf.float64))

    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = total(x)
    assert loss.dtype == tf.float64
    slope = tape.gradient(loss, x).numpy()
    direction = np.random.default_rng(1).normal(size=x.shape)
    step = 1e-4
    difference = (total(x + step * direction) - total(x - step * direction)).numpy() / (2 * step)
    # the circuit's engine computes in single precision here
    tolerance = 1e-2 if isinstance(layer, QuantumFusion) else 1e-5
    np.testing.assert_allclose(np.sum(slope * direction), difference, rtol=tolerance, atol=tolerance)


def test_config_round_trip_and_seeds(make):
    layer, x = make(3, 2, seed=3, name="fusion"), features(3, 2)
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    np.testing.assert_array_equal(layer(x), twin(x))
    rebuilt = tf_keras.layers.deserialize(tf_keras.layers.serialize(layer))
    np.testing.assert_array_equal(layer(x), rebuilt(x))
    other = make(3, 2, seed=4)
    assert np.abs(other(x).numpy() - layer(x).numpy()).max() > 1e-6


def test_whole_models_come_back(make, tmp_path):
    inputs = tf_keras.Input((3, 2))
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(1)(make(3, 2, seed=2)(inputs)))
    model.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(features(3, 2)), model(features(3, 2)), atol=1e-6)


def test_training_lowers_the_loss_and_traces_once(make):
    tf_keras.utils.set_random_seed(0)  # the dense layer's weights
    layer, traces = make(3, 2, seed=1), []
    x = features(3, 2, batch=33)
    y = x[:, 0, :1] * x[:, 1, :1] + x[:, 2, 1:]
    inputs = tf_keras.Input((3, 2))
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(1)(layer(inputs)))
    call = type(layer).call
    layer.call = lambda *args, **kwargs: traces.append(1) or call(layer, *args, **kwargs)
    model.compile(tf_keras.optimizers.legacy.Adam(0.05), "mse")
    losses = model.fit(x[:32], y[:32], batch_size=8, epochs=12, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    n_traces = len(traces)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)  # a last batch of one sample
    assert len(traces) <= n_traces + 1


@pytest.mark.parametrize("shape", [(4, 2), (4, 3, 3), (4, 2, 2), (4, 3, 2, 1)])
def test_a_wrong_shape_is_explained(make, shape):
    layer = make(3, 2)
    layer(features(3, 2))
    message = r"inputs of \w+ have the wrong shape. Expected: shape \[B, 3, 2\].*Received: shape \("
    with pytest.raises(ValueError, match=message):
        layer(np.zeros(shape, "float32"))
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shape)


def test_207_modalities_need_9_qubits_and_tensor_fusion_says_why_it_cannot():
    assert FusionConfig(n_modalities=207, feature_dim=1).n_qubits == 9
    message = (
        r"tensor fusion of 207 modalities with 4 features each is too large. "
        r"Expected: at most 65536 products \(D \+ 1\)\^M. Received: \(4 \+ 1\)\^207 = about 10\^144 products"
    )
    with pytest.raises(ValueError, match=message):
        baselines.TensorFusion(3)(features(207, 4))


@pytest.mark.parametrize(
    ("fusion", "options", "kind", "message"),
    [
        ("concat", {"n_outputs": 0}, ValueError, r"n_outputs is out of range.*Expected.*Received: n_outputs=0"),
        ("graph", {"n_outputs": 2, "seed": -1}, ValueError, r"seed is out of range.*Expected.*Received: seed=-1"),
        ("low_rank", {"n_outputs": 2, "rank": 0}, ValueError, r"rank is out of range.*Expected.*Received: rank=0"),
        ("low_rank", {"n_outputs": 2, "start": "nearone"}, ValueError, r"start is not.*Expected.*mean 'near_one'"),
        ("bilinear", {"n_outputs": 2, "n_factors": 1.5}, TypeError, r"n_factors must be an integer.*Received"),
        ("bilinear", {"n_outputs": 2, "dropout": 1.0}, ValueError, r"dropout is out of range.*Received: dropout=1.0"),
        ("bilinear", {"n_outputs": 2, "dropout": "a"}, TypeError, r"dropout must be a number.*Received: dropout='a'"),
        ("bilinear", {"n_outputs": 2, "use_bias": 1}, TypeError, r"use_bias must be a boolean.*Received: use_bias=1"),
        ("graph", {"n_outputs": 2, "n_layers": 0}, ValueError, r"n_layers is out of range.*Received: n_layers=0"),
        ("graph", {"n_outputs": 2, "adjacency": [[0, 1]]}, ValueError, r"adjacency has the wrong shape.*Received"),
        ("graph", {"n_outputs": 2, "adjacency": [[0, -1], [-1, 0]]}, ValueError, r"adjacency has a wrong weight.*-1"),
        ("graph", {"n_outputs": 2, "adjacency": [[0, 1], [0, 0]]}, ValueError, r"adjacency is not symmetric.*of 1 to"),
        ("lmf", {"n_outputs": 2}, ValueError, r"fusion is not a known option.*Expected.*Received: fusion='lmf'"),
    ],
)
def test_wrong_settings_are_explained(fusion, options, kind, message):
    with pytest.raises(kind, match=message):
        baselines.layer_class(fusion)(**options)


def test_a_graph_of_another_size_is_explained():
    layer = baselines.GraphFusion(2, adjacency=np.ones((4, 4)))
    with pytest.raises(ValueError, match=r"adjacency does not fit the inputs. Expected: 3 nodes. Received: 4 nodes"):
        layer(features(3, 2))

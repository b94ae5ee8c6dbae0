"""Circuit and linear readout: values, gradients, errors."""

import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig, get_backend
from qfl_explore.ranges import EncodingRangeWarning
from qfl_explore.readout import CircuitRegression


@pytest.fixture(scope="module")
def backend():
    return get_backend("batched", dtype="float64")


def make(backend, **settings):
    return CircuitRegression(FusionCircuit(FusionConfig(**settings)), backend)


def data(model, n=9):
    rng = np.random.default_rng(1)
    return rng.uniform(-3, 3, (n, model.fusion.config.n_features)), rng.normal(size=n)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_modalities": 1, "degree": 3, "constant_slot": False},
        {"n_modalities": 2, "feature_dim": 2, "degree": 2, "measurement": "pauli"},
        {"n_modalities": 2, "degree": 2, "encoding": "qubit_per_feature", "n_blocks": 2},
    ],
)
def test_gradients_are_those_of_finite_differences(backend, settings):
    model = make(backend, **settings)
    x, y = data(model)
    params = model.initial(3)
    _, grads = model.loss_and_grad(params, x, y)
    rng, step = np.random.default_rng(0), 1e-5
    direction = {name: rng.normal(size=np.shape(value)) for name, value in params.items()}
    for name in params:
        ends = [
            model.loss_and_grad(params | {name: params[name] + sign * step * direction[name]}, x, y)[0]
            for sign in (1, -1)
        ]
        slope = float((grads[name] * direction[name]).sum())
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-8)


def test_prediction_is_the_affine_map_of_the_values(backend):
    model = make(backend, n_modalities=2, degree=2)
    x, y = data(model)
    params = model.initial(0) | {"readout": np.array([1.0, -2.0, 0.5]), "bias": np.array(0.25)}
    values = backend.expectations(model.fusion, x[:, :, None], params["weights"])
    wanted = values @ [1.0, -2.0, 0.5] + 0.25
    np.testing.assert_allclose(model.predict(params, x), wanted, atol=1e-12)
    assert model.loss_and_grad(params, x, y)[0] == pytest.approx(np.mean((wanted - y) ** 2))


def test_start_depends_on_the_seed_only(backend):
    model = make(backend, n_modalities=2)
    one, same, other = model.initial(5), model.initial(5), model.initial(6)
    assert all((one[name] == same[name]).all() for name in one)
    assert (one["weights"] != other["weights"]).any()
    assert model.n_parameters == sum(np.size(value) for value in one.values())


def test_flat_features_are_modality_major(backend):
    model = make(backend, n_modalities=2, feature_dim=3, degree=1)
    x = np.arange(12.0).reshape(2, 6)
    np.testing.assert_array_equal(model.features(x)[0], [[0, 1, 2], [3, 4, 5]])
    params = model.initial(0)
    np.testing.assert_array_equal(model.predict(params, x), model.predict(params, x.reshape(2, 2, 3)))


def test_errors_have_three_parts(backend):
    model = make(backend, n_modalities=2)
    x, y = data(model)
    params = model.initial(0)
    with pytest.raises(ValueError, match=r"x has the wrong shape\. Expected: shape \[B, 2\]\. Received: .*\[9, 1\]"):
        model.predict(params, x[:, :1])
    with pytest.raises(ValueError, match=r"y has the wrong shape\. Expected: shape \[9\]\. Received: shape \[8\]"):
        model.loss_and_grad(params, x, y[:8])
    with pytest.raises(ValueError, match="x must be finite"):
        model.predict(params, np.where(x == x[0, 0], np.nan, x))
    with pytest.raises(ValueError, match="params has the wrong names. Expected: exactly .* Received: "):
        model.predict({"weights": params["weights"]}, x)
    with pytest.raises(ValueError, match="readout has the wrong shape"):
        model.predict(params | {"readout": np.ones(2)}, x)
    with pytest.raises(TypeError, match="backend is of the wrong kind"):
        CircuitRegression(model.fusion, "batched")
    with pytest.raises(TypeError, match="fusion is of the wrong kind"):
        CircuitRegression(model.fusion.config, backend)


def test_features_outside_the_range_are_reported_where_they_are_used(backend):
    x = np.full((3, 2), 7.0)
    for use in (lambda m: m.predict(m.initial(), x), lambda m: m.loss_and_grad(m.initial(), x, np.zeros(3))):
        model = make(backend, n_modalities=2)
        with pytest.warns(EncodingRangeWarning, match="Received: 6 of 6 values outside, smallest 7, largest 7"):
            use(model)
        assert model.watch.n_outside == 6
    strict = CircuitRegression(model.fusion, model.backend, on_out_of_range="raise")
    with pytest.raises(ValueError, match="leave the stated range"):
        strict.predict(strict.initial(), x)

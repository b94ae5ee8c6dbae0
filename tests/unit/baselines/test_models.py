"""Baselines: closed parameter counts, matching, shapes, equal encoders."""

import numpy as np
import pytest

from qfl_explore import baselines
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.datasets import load

SIZES = (5, 3, 7)


def batch(n=6, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, size)).astype(np.float32) for size in SIZES]


def fusion(**settings):
    return FusionConfig(**({"n_modalities": 3, "feature_dim": 2, "degree": 2} | settings))


@pytest.mark.parametrize(("n_classes", "n_columns"), [(2, 1), (4, 4)])
@pytest.mark.parametrize("measurement", ["random_pauli_plane", "pauli"])
def test_quantum_model_counts_as_said(n_classes, n_columns, measurement):
    config = fusion(measurement=measurement)
    model = baselines.quantum_fusion_model(SIZES, n_classes, config)
    n_observables = FusionCircuit(config).n_observables
    expected = (5 + 3 + 7 + 3) * 2 + config.n_weights + (n_observables + 1) * n_columns
    assert model.count_params() == expected
    assert baselines.fusion_parameters(SIZES, n_classes, config, n_observables) == expected
    assert model(batch()).shape == (6, n_columns)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("budget", [10, 119, 1000])
def test_controls_have_at_least_the_budget_and_not_one_unit_more(n_classes, budget):
    n_outputs = baselines.n_logits(n_classes)
    n_hidden = baselines.matched_hidden(sum(SIZES), n_outputs, budget)
    count = baselines.mlp_model(SIZES, n_classes, n_hidden).count_params()
    assert count == baselines.mlp_parameters(sum(SIZES), n_hidden, n_outputs) >= budget
    assert n_hidden == 1 or baselines.mlp_parameters(sum(SIZES), n_hidden - 1, n_outputs) < budget
    encoders = baselines.encoder_parameters(SIZES, 2)
    n_hidden = baselines.matched_hidden(6, n_outputs, budget - encoders)
    concat = baselines.concat_fusion_model(SIZES, n_classes, 2, n_hidden)
    assert concat.count_params() == encoders + baselines.mlp_parameters(6, n_hidden, n_outputs) >= budget


def test_encoders_are_equal_at_the_start_and_give_angles():
    import tf_keras

    angles = []
    for model in (
        baselines.quantum_fusion_model(SIZES, 2, fusion(), seed=3),
        baselines.concat_fusion_model(SIZES, 2, 2, 8, seed=3),
    ):
        head = tf_keras.Model(model.inputs, model.get_layer("angles").output)
        angles.append(head(batch()).numpy())
    np.testing.assert_array_equal(*angles)
    assert angles[0].shape == (6, 3, 2)
    assert np.abs(angles[0]).max() <= np.pi
    assert np.abs(angles[0]).max() > 1.0


def test_each_encoder_sees_its_own_modality():
    import tf_keras

    model = baselines.concat_fusion_model(SIZES, 2, 2, 8)
    head = tf_keras.Model(model.inputs, model.get_layer("angles").output)
    first, second = batch(), batch()
    second[1] = second[1] + 1.0
    changed = np.abs(head(first).numpy() - head(second).numpy()).max(axis=(0, 2)) > 1e-3
    assert changed.tolist() == [False, True, False]


@pytest.mark.parametrize(
    "build",
    [
        lambda seed: baselines.quantum_fusion_model(SIZES, 2, fusion(), seed=seed),
        lambda seed: baselines.concat_fusion_model(SIZES, 2, 2, 4, seed),
        lambda seed: baselines.mlp_model(SIZES, 2, 4, seed),
    ],
)
def test_the_seed_decides_the_start(build):
    first, again, other = (build(seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_config_must_fit_the_data():
    with pytest.raises(ValueError, match="config does not fit the data. Expected: n_modalities=3. Received: n_mod.*=2"):
        baselines.quantum_fusion_model(SIZES, 2, fusion(n_modalities=2))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="n_classes is out of range"):
        baselines.n_logits(1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_logits(n_classes):
    from qfl_explore.training import probabilities

    rng = np.random.default_rng(0)
    labels = np.arange(60) % n_classes
    features = tuple(rng.normal(size=(60, 2)) + labels[:, None] for _ in range(2))
    model = baselines.LogisticRegression(1.0).fit(features, labels)
    expected = model._estimator.predict_proba(np.hstack(features))
    np.testing.assert_allclose(probabilities(model.logits(features)), expected, rtol=1e-9)
    assert model.n_parameters == 5 * baselines.n_logits(n_classes)


def test_logistic_regression_is_good_on_breast_cancer():
    """A broken loader or split would show here: the published accuracy is about 0.97."""
    data = load("breast_cancer", seed=0)
    model = baselines.LogisticRegression(1.0).fit(*data.part("train"))
    features, labels = data.part("test")
    assert np.mean((model.logits(features)[:, 0] > 0) == labels) > 0.93

"""Whole models with every fusion: equal encoders, matched size, many modalities; trees on the same features."""

import numpy as np
import pytest

from qfl_explore import baselines
from qfl_explore.config import FusionConfig
from qfl_explore.training import FitConfig, Trainer, fit, focal_loss, score

SIZES = (5, 3, 7)
FUSIONS = list(baselines.FUSIONS)


def batch(sizes=SIZES, n=6, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, size)).astype(np.float32) for size in sizes]


def features_of(model, x):
    import tf_keras

    return tf_keras.Model(model.inputs, model.get_layer("angles").output)(x).numpy()


@pytest.mark.parametrize("encoder", list(baselines.ENCODERS))
@pytest.mark.parametrize("fusion", FUSIONS)
def test_models_count_as_said(fusion, encoder):
    model = baselines.fusion_model(fusion, SIZES, 4, columns=3, feature_dim=2, encoder=encoder)
    layer = baselines.layer_parameters(fusion, 3, 2, 4)
    assert model.count_params() == baselines.encoder_weights(SIZES, 2, encoder) + layer + 5 * 3
    assert model(batch()).shape == (6, 3)
    assert np.isfinite(model(batch(), training=True).numpy()).all()


@pytest.mark.parametrize("sizes", [SIZES, (4,) * 20])
def test_every_fusion_starts_with_the_same_encoders(sizes):
    config = FusionConfig(n_modalities=len(sizes), feature_dim=1, degree=1)
    angles = features_of(baselines.circuit_model(sizes, config, columns=1, seed=3), batch(sizes))
    assert angles.shape == (6, len(sizes), 1)
    for fusion in FUSIONS:
        if fusion == "tensor" and len(sizes) > 16:
            continue
        model = baselines.fusion_model(fusion, sizes, 2, columns=1, feature_dim=1, seed=3)
        scale = 1.0 if fusion == "concat" else np.pi
        np.testing.assert_allclose(scale * features_of(model, batch(sizes)), angles, rtol=1e-5, atol=1e-6)


def test_stacked_encoders_are_the_single_ones(monkeypatch):
    from qfl_explore.baselines import encoders

    sizes = (4,) * 17
    stacked = baselines.fusion_model("graph", sizes, 2, columns=1, feature_dim=3, seed=5)
    monkeypatch.setattr(encoders, "MANY", 100)
    single = baselines.fusion_model("graph", sizes, 2, columns=1, feature_dim=3, seed=5)
    assert len(stacked.layers) < len(single.layers)
    assert stacked.count_params() == single.count_params()
    np.testing.assert_allclose(features_of(stacked, batch(sizes)), features_of(single, batch(sizes)), atol=1e-6)


@pytest.mark.parametrize("n_parameters", [1, 60, 500])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_matched_width_meets_the_budget_and_not_one_unit_more(fusion, n_parameters):
    def total(width):
        return baselines.layer_parameters(fusion, 3, 2, width) + (width + 1) * 2

    width = baselines.matched_outputs(fusion, 3, 2, 2, n_parameters)
    assert total(width) >= n_parameters
    assert width == 1 or total(width - 1) < n_parameters


def test_a_budget_out_of_reach_is_explained():
    with pytest.raises(
        ValueError, match=r"no width of 'concat' meets the budget. Expected: a width.*Received: 1000000"
    ):
        baselines.matched_outputs("concat", 1, 1, 1, 10**6)


@pytest.mark.parametrize("fusion", [*FUSIONS, "quantum"])
def test_207_modalities_take_a_training_step_or_say_why_not(fusion):
    sizes, labels = (12,) * 207, np.arange(16) % 2
    data = tuple(batch(sizes, 16)), labels
    if fusion == "tensor":
        with pytest.raises(ValueError, match=r"at most 65536 products.*Received: \(1 \+ 1\)\^207 = about 10\^62"):
            baselines.fusion_model(fusion, sizes, 1, columns=1, feature_dim=1)
        return
    if fusion == "quantum":
        config = FusionConfig(n_modalities=207, feature_dim=1, degree=1, n_observables=4)
        model = baselines.circuit_model(sizes, config, columns=1)
    else:
        options = {"start": "near_one"} if fusion == "low_rank" else {}
        model = baselines.fusion_model(fusion, sizes, 2, columns=1, feature_dim=1, **options)
    before = model.get_weights()
    history = fit(model, data, data, FitConfig(epochs=2, batch_size=8))
    assert np.isfinite(history["value"]).all()
    assert any(np.abs(a - b).max() > 1e-5 for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("task", "n_classes", "expected"),
    [("classification", 2, 1), ("classification", 5, 5), ("multilabel", 2, 2), ("regression", 1, 1)],
)
def test_columns_of_a_head(task, n_classes, expected):
    assert baselines.n_columns(task, n_classes) == expected


@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_boosting_keeps_the_number_of_trees_that_is_best_on_validation(n_classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, n_classes, 240)
    features = tuple(rng.normal(size=(240, 2)) + labels[:, None] * 0.7 for _ in range(2))
    held = tuple(array[160:] for array in features), labels[160:]
    train = tuple(array[:160] for array in features), labels[:160]
    model = baselines.GradientBoosting(0.3, 60).fit(*train, validation=held)
    assert model.n_kept < 60
    kept = focal_loss(model.logits(held[0]), held[1], 0.0).mean()
    whole = baselines.GradientBoosting(0.3, 60).fit(*train)
    assert kept < focal_loss(whole.logits(held[0]), held[1], 0.0).mean()
    assert 0 < model.n_parameters < whole.n_parameters
    assert score(model.logits(held[0]), held[1])["accuracy"] > 1.3 / n_classes
    assert model.logits(held[0]).shape == (80, baselines.n_logits(n_classes))


def test_unknown_words_are_explained():
    with pytest.raises(ValueError, match="encoder is not a known option. Expected.*Received: encoder='cnn'"):
        baselines.fusion_model("concat", SIZES, 2, columns=1, feature_dim=1, encoder="cnn")
    with pytest.raises(ValueError, match="fusion is not a known option. Expected.*did you mean 'low_rank'"):
        baselines.fusion_model("lowrank", SIZES, 2, columns=1, feature_dim=1)
    with pytest.raises(ValueError, match="task is not a known option. Expected.*Received"):
        baselines.n_columns("ranking", 3)


def test_the_package_loads_no_tensorflow_until_a_layer_is_asked_for():
    import subprocess
    import sys

    code = "import sys; from qfl_explore import baselines; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        baselines.Nothing  # noqa: B018


def test_a_trainer_runs_every_fusion():
    """The trainer's loop sees the training flag: dropout of bilinear pooling is on in it, off in predictions."""
    model = baselines.fusion_model("bilinear", SIZES, 4, columns=1, feature_dim=2, dropout=0.5)
    trainer = Trainer(model)
    np.testing.assert_array_equal(trainer.logits(tuple(batch())), trainer.logits(tuple(batch())))

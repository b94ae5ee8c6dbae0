"""Focal loss, scores, early stopping, and the training loop."""

import math
import subprocess
import sys

import numpy as np
import pytest

from qfl_explore.training import (
    EarlyStopping,
    FitConfig,
    Trainer,
    area_under_roc,
    epoch_batches,
    evaluate,
    fit,
    focal_loss,
    keras_focal_loss,
    load_keras,
    probabilities,
    score,
)

RNG = np.random.default_rng(7)
BINARY = RNG.normal(0, 3, (40, 1))
MULTI = RNG.normal(0, 3, (40, 4))
BINARY_LABELS = RNG.integers(0, 2, 40)
MULTI_LABELS = RNG.integers(0, 4, 40)
CASES = pytest.mark.parametrize(("logits", "labels"), [(BINARY, BINARY_LABELS), (MULTI, MULTI_LABELS)])


def test_hand_values():
    """p = 0.9 for the true class: (1 - 0.9)^2 · -log 0.9; p = 0.2: 0.8^2 · -log 0.2."""
    logits = [[math.log(0.9 / 0.1)], [math.log(0.2 / 0.8)], [math.log(0.9 / 0.1)]]
    expected = [0.01 * -math.log(0.9), 0.64 * -math.log(0.2), 0.81 * -math.log(0.1)]
    np.testing.assert_allclose(focal_loss(logits, [1, 1, 0], gamma=2.0), expected, rtol=1e-12)
    three = np.log([[0.7, 0.2, 0.1]])
    np.testing.assert_allclose(focal_loss(three, [1], gamma=1.0), [0.8 * -math.log(0.2)], rtol=1e-12)
    weighted = focal_loss(logits, [1, 1, 0], gamma=2.0, class_weights=[3.0, 0.5])
    np.testing.assert_allclose(weighted, np.multiply(expected, [0.5, 0.5, 3.0]), rtol=1e-12)


@CASES
def test_gamma_zero_is_cross_entropy(logits, labels):
    from sklearn.metrics import log_loss

    expected = log_loss(labels, probabilities(logits), labels=range(max(2, logits.shape[1])))
    assert focal_loss(logits, labels, gamma=0.0).mean() == pytest.approx(expected, rel=1e-10)


def test_one_logit_equals_two():
    pairs = np.hstack([np.zeros_like(BINARY), BINARY])
    np.testing.assert_allclose(focal_loss(BINARY, BINARY_LABELS, 1.5), focal_loss(pairs, BINARY_LABELS, 1.5))


@CASES
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_keras_loss_is_the_same(logits, labels, gamma, weighted):
    tf, _ = load_keras()
    weights = [0.5, 2.0, 1.0, 3.0][: max(2, logits.shape[1])] if weighted else None
    got = keras_focal_loss(gamma, weights)(tf.constant(labels), tf.constant(logits, tf.float32))
    assert float(got) == pytest.approx(focal_loss(logits, labels, gamma, weights).mean(), rel=2e-5)


@pytest.mark.parametrize("n_columns", [1, 3])
def test_keras_gradient_is_right_and_finite_for_sure_answers(n_columns):
    tf, _ = load_keras()
    logits = np.array([[0.3], [-1.2]]) if n_columns == 1 else np.array([[0.3, -1.0, 0.2], [2.0, 0.1, -0.5]])
    labels = np.array([1, 0])

    def gradient(values):
        tensor = tf.constant(values, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            loss = keras_focal_loss(2.0)(tf.constant(labels), tensor)
        return tape.gradient(loss, tensor).numpy()

    step = 1e-5
    shifts = step * np.eye(logits.size).reshape(-1, *logits.shape)
    slopes = [
        (focal_loss(logits + shift, labels).mean() - focal_loss(logits - shift, labels).mean()) / (2 * step)
        for shift in shifts
    ]
    np.testing.assert_allclose(gradient(logits).ravel(), slopes, atol=1e-5)
    assert np.isfinite(gradient(logits * 1e4)).all()
    assert np.isfinite(focal_loss(logits * 1e4, labels)).all()


@pytest.mark.parametrize(
    ("gamma", "kind"), [(-1.0, ValueError), (math.nan, ValueError), ("2", TypeError), (True, TypeError)]
)
def test_bad_gamma(gamma, kind):
    with pytest.raises(kind, match="gamma.*Expected: a finite number of 0 or more. Received: gamma="):
        focal_loss([[0.0]], [1], gamma)


def test_bad_logits():
    with pytest.raises(ValueError, match=r"logits have the wrong shape.*Received: shape \[2\]"):
        focal_loss([0.0, 1.0], [1, 0])


@CASES
def test_scores_equal_scikit_learn(logits, labels):
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    shares = probabilities(logits)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    guess = shares.argmax(axis=1)
    got = score(logits, labels)
    auc = roc_auc_score(labels, shares if shares.shape[1] > 2 else logits[:, 0], multi_class="ovr")
    assert got["auc"] == pytest.approx(auc, rel=1e-12)
    assert got["accuracy"] == accuracy_score(labels, guess)
    assert got["f1"] == pytest.approx(f1_score(labels, guess, average="macro"), rel=1e-12)
    assert got["loss"] == pytest.approx(focal_loss(logits, labels).mean())


def test_auc_without_one_of_the_classes():
    assert math.isnan(area_under_roc(np.arange(3.0), np.ones(3, bool)))
    assert math.isnan(score(BINARY, np.ones(40, int))["auc"])


def test_early_stopping_keeps_the_best():
    stopping = EarlyStopping(patience=3)
    losses = [5.0, 4.0, math.nan, 4.5, 3.0, 3.5, 3.2, 3.1, 1.0]
    stops = [stopping.update(epoch, loss, f"weights {epoch}") for epoch, loss in enumerate(losses)]
    assert stops.index(True) == 7
    stopping = EarlyStopping(patience=3)
    for epoch, loss in enumerate(losses[:8]):
        stopping.update(epoch, loss, f"weights {epoch}")
    assert (stopping.best_epoch, stopping.best_loss, stopping.best_weights) == (4, 3.0, "weights 4")


def test_batches_visit_each_sample_at_most_once():
    batches = epoch_batches(np.random.default_rng(0), 70, 32)
    assert batches.shape == (2, 32)
    assert len(np.unique(batches)) == 64
    assert epoch_batches(np.random.default_rng(0), 5, 32).shape == (1, 5)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs is out of range"),
        ({"batch_size": 0}, ValueError, "batch_size is out of range"),
        ({"patience": 0}, ValueError, "patience is out of range"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate is out of range"),
        ({"learning_rate": math.inf}, ValueError, "learning_rate is out of range"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate must be a number"),
        ({"gamma": -1.0}, ValueError, "gamma is out of range"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer"),
    ],
)
def test_bad_fit_settings(settings, kind, message):
    with pytest.raises(kind, match=f"{message}.*Expected: .*Received: "):
        FitConfig(**settings)


def toy(seed=0, n_samples=80):
    """Two modalities; the class is the sign of a sum over both."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_samples, 2)), rng.normal(size=(n_samples, 3))
    return features, (features[0][:, 0] + features[1][:, 1] > 0).astype(int)


def toy_model():
    _, keras = load_keras()
    inputs = [keras.Input((2,)), keras.Input((3,))]
    dense = keras.layers.Dense(1, kernel_initializer="zeros")
    return keras.Model(inputs, dense(keras.layers.Concatenate()(inputs)))


def test_fit_learns_and_its_history_is_tidy():
    model = toy_model()
    history = fit(model, toy(0), toy(1), FitConfig(epochs=40, learning_rate=0.1))
    assert list(history.columns) == ["epoch", "split", "metric", "value"]
    assert set(history["split"]) == {"train", "validation"}
    assert set(history["metric"]) == {"loss", "accuracy", "auc", "f1"}
    first = history[(history.epoch == 0) & (history.metric == "loss")]["value"]
    np.testing.assert_allclose(first, 0.25 * math.log(2), rtol=1e-5)
    assert evaluate(model, toy(2))["accuracy"] > 0.9


def test_best_weights_come_back_even_when_cancelled():
    model = toy_model()
    trainer = Trainer(model)
    weights = {}
    stream = trainer.stream(toy(0), toy(1), FitConfig(epochs=50, learning_rate=3.0))
    best = 0
    for epoch in stream:
        weights[epoch.number] = model.get_weights()
        best = epoch.number if epoch.is_best else best
        if epoch.number == 6:
            stream.close()
    assert set(weights) == set(range(7))
    for got, expected in zip(model.get_weights(), weights[best], strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_trainer_starts_afresh_each_time_and_the_seed_decides():
    model = toy_model()
    start = model.get_weights()
    trainer = Trainer(model)

    def losses(**settings):
        model.set_weights(start)
        config = FitConfig(**({"epochs": 4, "learning_rate": 0.1} | settings))
        return [epoch.values["train", "loss"] for epoch in trainer.stream(toy(0), toy(1), config)]

    first = losses()
    assert losses(learning_rate=0.5) != first
    assert losses(seed=1) != first
    assert losses() == first


def test_early_stop_ends_the_stream():
    model = toy_model()
    trainer = Trainer(model)
    features, labels = toy(1)
    epochs = list(trainer.stream(toy(0), (features, 1 - labels), FitConfig(epochs=50, patience=2, learning_rate=0.1)))
    assert [epoch.number for epoch in epochs] == [0, 1, 2]
    np.testing.assert_array_equal(model.get_weights()[0], 0.0)


def test_one_gamma_a_trainer():
    with pytest.raises(ValueError, match="gamma differs from the trainer's. Expected: gamma=2.0. Received: gamma=1.0"):
        list(Trainer(toy_model()).stream(toy(0), toy(1), FitConfig(gamma=1.0)))


def test_keras_missing_is_explained(monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tf_keras" else find(name))
    with pytest.raises(ImportError, match="need Keras. Expected: .* Received: no module named 'tf_keras'"):
        load_keras()


def test_loading_keras_says_nothing_of_gpus_and_passes_everything_else_on():
    code = (
        "import os\n"
        "from qfl_explore.simulation.legacy_keras import without_gpu_notes\n"
        "with without_gpu_notes():\n"
        "    os.write(2, b'E0000 00:00 cuda_dnn.cc:1] Unable to register cuDNN factory\\nthe disk is full\\n')\n"
        "from qfl_explore.training import load_keras\n"
        "tf, keras = load_keras()\n"
        "tf.constant(1.0) + 1\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert done.stderr == "the disk is full\n"


def test_a_failed_import_hides_nothing():
    code = (
        "import os\n"
        "from qfl_explore.simulation.legacy_keras import without_gpu_notes\n"
        "with without_gpu_notes():\n"
        "    os.write(2, b'E0000 00:00 cuda_dnn.cc:1] no driver\\n')\n"
        "    raise ImportError('broken')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "no driver" in done.stderr and "broken" in done.stderr

"""The classification study: complete, deterministic, honest numbers."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments.classification import (
    MODELS,
    QUANTUM,
    ClassificationConfig,
    ClassificationResult,
    run,
    stream,
    summarise,
)
from qfl_explore.experiments.trials import Best

SMALL = ClassificationConfig(epochs=25, learning_rates=(0.03,), penalties=(1.0,), seeds=(1, 2), degree=2)


@pytest.fixture(scope="module")
def items():
    return list(stream(SMALL))


@pytest.fixture(scope="module")
def result(items):
    return ClassificationResult.collect(SMALL, items)


def test_every_model_on_every_seed(result):
    assert set(zip(result.scores["seed"], result.scores["model"], strict=True)) == {
        (seed, model) for seed in (1, 2) for model in MODELS
    }
    assert list(result.table.columns) == ["seed", "model", "trial", "setting", "epoch", "split", "metric", "value"]
    assert set(result.table["split"]) == {"train", "validation", "test"}
    assert np.isfinite(result.table["value"]).all()


def test_the_models_are_as_good_as_they_should_be(result):
    accuracy = result.scores.groupby("model")["accuracy"].mean()
    assert accuracy["logistic_regression"] > 0.93
    assert accuracy[QUANTUM] > 0.90
    assert accuracy["mlp"] > 0.90
    assert accuracy["concat_fusion"] > 0.90


def test_controls_have_at_least_the_quantum_parameters(result):
    counts = result.scores.groupby("model")["n_parameters"].first()
    assert counts["mlp"] >= counts[QUANTUM]
    assert counts["concat_fusion"] >= counts[QUANTUM]
    assert counts["logistic_regression"] == 31


def test_the_test_part_is_met_once_a_seed_and_model(items, result):
    """Only the last item of a model on a seed has test values."""
    tested = [item for item in items if any(part == "test" for part, _ in item.values)]
    assert [item.stage for item in tested] == ["tested"] * 8
    assert (result.table[result.table.split == "test"].groupby(["seed", "model"]).size() == 4).all()


def test_progress_counts_to_the_end(items):
    done = [item.n_done for item in items]
    assert done == sorted(done)
    assert (done[-1], items[-1].n_total) == (8, 8)
    assert {item.stage for item in items} == {"loading", "building", "training", "tested"}
    assert items[0].model == "logistic_regression"


def test_deterministic_and_seeds_are_independent(result):
    """Seed 2 alone gives what it gave after seed 1, with models that were traced before."""
    alone = run(SMALL.replace(seeds=(2,)))
    both = result.scores[result.scores.seed == 2].reset_index(drop=True)
    columns = ["model", "accuracy", "auc", "f1", "loss", "n_epochs", "n_parameters"]
    pd.testing.assert_frame_equal(alone.scores[columns], both[columns], rtol=1e-4)


def test_cancelling_midway_gives_a_partial_result():
    taken = []
    steps = stream(SMALL)
    for item in steps:
        taken.append(item)
        if item.stage == "tested" and item.model == "mlp":
            break
    steps.close()
    summary = ClassificationResult.collect(SMALL, taken).summary()
    assert [row["model"] for row in summary["models"]] == ["logistic_regression", "mlp"]
    assert summary["verdict"] == ""
    assert summary["paired"] == []


def rows(model, accuracies, n_parameters=100):
    return [
        {
            "seed": seed,
            "model": model,
            "accuracy": value,
            "auc": value,
            "f1": value,
            "n_parameters": n_parameters,
            "seconds": 2.0,
            "n_epochs": 30,
            "n_train": 300,
            "n_test": 100,
        }
        for seed, value in enumerate(accuracies)
    ]


def test_summary_on_hand_made_numbers():
    """Differences 0.01, 0.02, 0.03: mean 0.02, s = 0.01, overlap 1/3, t(0.975, 2) = 4.302653."""
    scores = pd.DataFrame(rows("mlp", [0.80, 0.80, 0.80]) + rows(QUANTUM, [0.81, 0.82, 0.83]))
    summary = summarise(scores)
    row = next(row for row in summary["paired"] if row["metric"] == "accuracy")
    half = 4.302653 * 0.01 * math.sqrt(1 / 3 + 1 / 3)
    assert row["difference"] == pytest.approx(0.02)
    assert row["difference_low"] == pytest.approx(0.02 - half, abs=1e-6)
    assert row["difference_high"] == pytest.approx(0.02 + half, abs=1e-6)
    assert summary["verdict"] == "undecided"
    models = {row["model"]: row for row in summary["models"]}
    assert models["mlp"]["accuracy"] == pytest.approx(0.80)
    assert models[QUANTUM]["accuracy_low"] == pytest.approx(0.82 - half, abs=1e-6)
    assert models["mlp"]["seconds"] == 2.0


@pytest.mark.parametrize(
    ("quantum", "verdict"),
    [
        ([0.90, 0.91, 0.90], "wins"),
        ([0.70, 0.71, 0.70], "loses"),
        ([0.70, 0.91, 0.80], "undecided"),
        ([0.9], "undecided"),
    ],
)
def test_verdict_is_against_the_best_classical(quantum, verdict):
    scores = pd.DataFrame(
        rows("logistic_regression", [0.80, 0.81, 0.80]) + rows("mlp", [0.60, 0.60, 0.60]) + rows(QUANTUM, quantum)
    )
    summary = summarise(scores)
    assert summary["best_classical"] == "logistic_regression"
    assert summary["verdict"] == verdict


def test_summary_of_nothing():
    assert summarise(pd.DataFrame())["models"] == []


def test_best_keeps_the_lowest_validation_loss():
    best = Best()
    for loss, setting in ((0.5, 0.1), (0.2, 1.0), (0.3, 10.0), (math.nan, 100.0)):
        best.offer(loss, setting, f"model {setting}")
    assert (best.loss, best.setting, best.kept) == (0.2, 1.0, "model 1.0")


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"dataset": "brest_cancer"}, ValueError, "did you mean 'breast_cancer'"),
        ({"backend": "gpu"}, ValueError, "backend is not a known option"),
        ({"initializer": "zeros"}, ValueError, "initializer is not a known option"),
        ({"degree": 0}, ValueError, "degree is out of range"),
        ({"epochs": 0}, ValueError, "epochs is out of range"),
        ({"epochs": 10**6}, ValueError, "an integer from 1 to 2000"),
        ({"batch_size": 0}, ValueError, "batch_size is out of range"),
        ({"patience": 0}, ValueError, "patience is out of range"),
        ({"gamma": -0.5}, ValueError, "gamma is out of range"),
        ({"seeds": ()}, ValueError, "seeds are not usable"),
        ({"seeds": (1, 1)}, ValueError, "seeds are not usable"),
        ({"seeds": (-1,)}, ValueError, "each of seeds is out of range"),
        ({"seeds": 3}, TypeError, "seeds must be a sequence"),
        ({"learning_rates": (0.1,)}, ValueError, "equally many.*1 learning_rates and 3 penalties"),
        ({"learning_rates": ("a", 1.0, 1.0)}, TypeError, "each of learning_rates must be a number"),
        ({"penalties": (0.0, 1.0, 1.0)}, ValueError, "each of penalties is out of range"),
        ({"penalties": "abc"}, TypeError, "penalties must be a sequence"),
        ({"feature_dim": 2**28}, ValueError, "too large a register"),
    ],
)
def test_bad_settings(settings, kind, message):
    with pytest.raises(kind, match=message) as caught:
        ClassificationConfig(**settings)
    assert "Expected:" in str(caught.value)
    assert "Received:" in str(caught.value)


def test_ids():
    assert ClassificationConfig().run_id == ClassificationConfig(degree=3).run_id
    assert ClassificationConfig().run_id != ClassificationConfig(seeds=(0, 1)).run_id


def test_importing_the_study_imports_no_tensorflow():
    code = "import sys, qfl_explore.experiments.classification; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

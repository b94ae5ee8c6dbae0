"""The multimodal study: equal terms, honest skips, tasks, paired tests, gradient norms."""

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from qfl_explore import baselines
from qfl_explore.datasets import DATASETS
from qfl_explore.datasets.choose import keep_rows
from qfl_explore.experiments import multimodal
from qfl_explore.experiments.multimodal import METHODS, QUANTUM, MultimodalConfig, MultimodalResult
from qfl_explore.experiments.multimodal_ablations import ABLATIONS, axes
from qfl_explore.experiments.multimodal_estimators import Boosting, Linear
from qfl_explore.experiments.multimodal_fit import Best
from qfl_explore.experiments.multimodal_methods import load_data, n_observables, network, quantum_budget
from qfl_explore.experiments.multimodal_resample import (
    confirmed,
    draws,
    interval_rows,
    redrawn_scores,
    resample,
    resampled_scores,
)
from qfl_explore.experiments.multimodal_summary import holm, paired_p, summarise, summarise_gradients
from qfl_explore.experiments.multimodal_tasks import Task

SMALL = {"n_modalities": 3, "epochs": 2, "learning_rates": (0.03,), "penalties": (1.0,), "seeds": (0,)}
NETWORKS = [name for name in METHODS if name not in ("persistence", "linear", "boosting")]


@pytest.fixture(scope="module")
def result():
    return multimodal.run(
        MultimodalConfig(**{**SMALL, "seeds": (0, 1), "learning_rates": (0.01, 0.05), "penalties": (0.1, 1.0)})
    )


@pytest.fixture(scope="module")
def forecast():
    methods = ("persistence", "linear", "low_rank_near_one", "quantum")
    return multimodal.run(MultimodalConfig(**SMALL, dataset="synthetic_traffic", methods=methods))


def task_of(kind, n_classes=3, gamma=2.0, centre=None, scale=None):
    centre = np.zeros(n_classes) if centre is None else np.asarray(centre, float)
    return Task(kind, n_classes, gamma, centre, np.ones(n_classes) if scale is None else np.asarray(scale, float))


# --- the study ------------------------------------------------------------------------------


def test_every_method_is_there_or_says_why_not(result):
    assert set(result.scores["method"]) == set(METHODS) - {"persistence"}
    assert result.skipped == {
        "persistence": "persistence is a forecast. Expected: a regression. Received: a classification."
    }
    assert len(result.scores) == 2 * (len(METHODS) - 1)
    assert result.scores[["auc", "f1", "accuracy"]].to_numpy().min() >= 0
    assert result.scores["mae"].isna().all()


def test_every_method_had_the_same_number_of_trials_and_the_chosen_one_is_best_on_validation(result):
    table = result.table
    assert (table[table["split"] == "validation"].groupby(["seed", "method"])["trial"].nunique() == 2).all()
    losses = table[(table["split"] == "validation") & (table["metric"] == "loss")]
    best = losses.loc[losses.groupby(["seed", "method"])["value"].idxmin()].set_index(["seed", "method"])["setting"]
    chosen = result.scores.set_index(["seed", "method"])["setting"]
    pd.testing.assert_series_equal(best.sort_index(), chosen.sort_index())


def test_gradient_norms_of_every_step_of_the_chosen_trial(result):
    gradients = result.gradients
    assert set(gradients["method"]) == set(NETWORKS)
    assert (gradients["norm"] > 0).all()
    assert (gradients["encoder_norm"] <= gradients["norm"] * (1 + 1e-5)).all()
    assert (gradients[gradients["method"] == QUANTUM]["encoder_norm"] > 0).all()
    steps = gradients[(gradients["method"] == QUANTUM) & (gradients["seed"] == 0)]["step"]
    assert steps.tolist() == list(range(2 * (300 // 32)))


def test_summary_pairs_every_classical_method_with_the_quantum_layer(result):
    summary = result.summary()
    assert summary["primary"] == "auc"
    assert [row["method"] for row in summary["paired"]] == [m for m in METHODS if m not in (QUANTUM, "persistence")]
    row = summary["paired"][0]
    table = result.scores.pivot(index="seed", columns="method", values="auc")
    assert row["difference"] == pytest.approx((table[QUANTUM] - table["linear"]).mean())
    assert row["p_adjusted"] >= row["p_value"]
    assert summary["verdict"] in ("wins", "loses", "undecided")
    assert not summary["same_test_part"]


def test_same_settings_same_scores(result):
    again = multimodal.run(result.config.replace(methods=("graph", "quantum"), seeds=(1,)))
    columns = ["method", "auc", "loss", "setting", "n_parameters"]
    old = result.scores[(result.scores["seed"] == 1) & result.scores["method"].isin(["graph", "quantum"])]
    pd.testing.assert_frame_equal(
        old[columns].reset_index(drop=True), again.scores[columns].reset_index(drop=True), rtol=1e-3
    )


def test_progress_counts_to_the_end_and_an_unfinished_study_has_a_result():
    config = MultimodalConfig(**SMALL, methods=("persistence", "linear", "concat"))
    steps = list(multimodal.stream(config))
    assert (steps[-1].n_done, steps[-1].n_total) == (3, 3)
    assert [step.stage for step in steps[:3]] == ["skipped", "training", "tested"]
    part = MultimodalResult.collect(config, steps[:4])
    assert part.summary()["verdict"] == ""
    assert MultimodalResult.collect(config, []).summary()["methods"] == []


def test_forecasts_in_miles_per_hour(forecast):
    scores = forecast.scores.set_index("method")
    assert forecast.summary()["primary"] == "mae"
    assert scores["auc"].isna().all()
    assert (scores["mae"] < 15).all()
    assert scores.loc["linear", "mae"] < scores.loc["persistence", "mae"]
    assert scores.loc["persistence", "n_parameters"] == 0


def test_persistence_is_the_data_sets_own():
    from qfl_explore.datasets import load
    from tests.reference.forecast import persistence_error

    config = MultimodalConfig(
        **{**SMALL, "n_modalities": None}, dataset="synthetic_traffic", target="all", methods=("persistence",)
    )
    found = multimodal.run(config).scores["mae"][0]
    expected = persistence_error(load("synthetic_traffic", 0, standardised=False), "test")
    assert found == pytest.approx(np.mean(list(expected.values())), rel=1e-4)


@pytest.mark.parametrize("target", ["mean", "all"])
def test_errors_of_a_change_are_errors_of_a_speed_and_persistence_says_no_change(target):
    config = MultimodalConfig(**SMALL, dataset="synthetic_traffic", target=target, methods=("persistence", "linear"))
    speed, change = (multimodal.run(config.replace(change=flag)).scores.set_index("method") for flag in (False, True))
    assert change.loc["persistence", "mae"] == pytest.approx(speed.loc["persistence", "mae"], rel=1e-4)
    assert change.loc["linear", "mae"] < 1.2 * speed.loc["linear", "mae"]
    labels = load_data(config.replace(change=True), 0).labels
    assert np.abs(labels.mean()) < 2 < load_data(config, 0).labels.mean()


def test_errors_by_how_far_ahead(forecast):
    scores, rows = forecast.scores.set_index("method"), forecast.summary()["horizons"]
    ahead = [f"mae_{minutes}" for minutes in (15, 30, 60)]
    assert scores[ahead].mean(axis=1).to_numpy() == pytest.approx(scores["mae"].to_numpy())
    assert (np.diff(scores.loc["persistence", ahead].to_numpy(float)) > 0).all()
    assert [(row["method"], row["minutes"]) for row in rows[:3]] == [("persistence", m) for m in (15, 30, 60)]
    assert task_of("classification").horizon_errors(np.zeros((2, 3)), np.zeros(2), ("a", "b", "c")) == {}
    assert task_of("regression", 1).horizon_errors(np.zeros((2, 1)), np.ones((2, 1)), ("price",)) == {}


def test_few_shot_forecasts_keep_the_test_part():
    config = MultimodalConfig(**SMALL, dataset="synthetic_traffic")
    whole, few = load_data(config, 0), load_data(config.replace(n_train=50), 0)
    assert len(few.split["train"]) == 50
    np.testing.assert_array_equal(whole.part("test")[1], few.part("test")[1])


def test_one_fit_for_all_targets_is_a_fit_for_each():
    rng = np.random.default_rng(0)
    features, labels = (rng.normal(size=(30, 4)),), rng.normal(size=(30, 3))
    task, gaps = task_of("regression"), labels.copy()
    gaps[0, 0] = np.nan
    joint, apart = (Linear(1.0, task).fit((features, values), None) for values in (labels, gaps))
    assert joint.n_parameters == apart.n_parameters == 15
    np.testing.assert_allclose(joint.outputs(features)[:, 1:], apart.outputs(features)[:, 1:], atol=1e-9)


# --- equal terms ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", NETWORKS)
def test_networks_have_at_least_the_quantum_models_parameters(method):
    config = MultimodalConfig(**SMALL)
    data = load_data(config, 0)
    model = network(method, config, data, 5)
    budget = quantum_budget(config, data, 5) + baselines.encoder_parameters(data.n_measures, 2)
    assert model.count_params() >= budget
    assert (model.count_params() == budget) == (method == QUANTUM)
    if method not in ("mlp", QUANTUM):
        assert model.layers[-1].input_shape[-1] >= n_observables(config, data)


def test_tensor_fusion_of_12_leads_is_skipped_with_the_number():
    result = multimodal.run(MultimodalConfig(**{**SMALL, "n_modalities": 12}, methods=("linear", "tensor")))
    assert "(2 + 1)^12 = 531441 products" in result.skipped["tensor"]
    assert list(result.scores["method"]) == ["linear"]


def test_207_modalities_fit_in_11_qubits_or_fewer():
    config = MultimodalConfig(dataset="synthetic_traffic", n_modalities=207, feature_dim=1)
    assert config.fusion(207).n_qubits == 9
    assert config.fusion(207).replace(feature_dim=4).n_qubits == 11


def test_every_network_but_tensor_fusion_holds_207_modalities():
    config = MultimodalConfig(dataset="synthetic_traffic", n_modalities=207, feature_dim=1)
    data = load_data(config, 0)
    features = [array[:2] for array in data.part("test")[0]]
    for method in NETWORKS:
        if method == "tensor":
            with pytest.raises(ValueError, match=r"Expected: at most 65536.*Received: \(1 \+ 1\)\^207 = about 10\^62"):
                network(method, config, data, 3)
            continue
        model = network(method, config, data, 3)
        assert np.isfinite(model(features).numpy()).all() and len(model.inputs) == 207


def test_roads_of_one_direction_count_in_both():
    data = load_data(MultimodalConfig(**SMALL, dataset="synthetic_traffic"), 0)
    one_way = dataclasses.replace(data, graph=np.triu(np.ones((3, 3))))
    model = network("graph", MultimodalConfig(**SMALL, dataset="synthetic_traffic"), one_way, 3)
    (layer,) = [layer for layer in model.layers if hasattr(layer, "adjacency")]
    np.testing.assert_array_equal(layer.adjacency, np.ones((3, 3)))


def test_fewer_samples_and_modalities_keep_the_test_part():
    whole = load_data(MultimodalConfig(), 3)
    few = load_data(MultimodalConfig(n_train=40, n_modalities=1), 3)
    assert (few.n_modalities, len(few.split["train"])) == (1, 40)
    assert len(few.split["test"]) == len(whole.split["test"])
    np.testing.assert_array_equal(few.part("test")[1], whole.part("test")[1])


def test_a_test_part_is_the_same_whatever_training_samples_are_left_out():
    data = load_data(MultimodalConfig(dataset="wine"), 0)
    mixed = dataclasses.replace(data, sample_ids=np.arange(data.n_samples))
    marks = {
        multimodal._fingerprint(keep_rows(mixed, {**mixed.split, "train": mixed.split["train"][seed::4]}))
        for seed in range(3)
    }
    assert len(marks) == 1
    assert multimodal._fingerprint(load_data(MultimodalConfig(dataset="wine"), 1)) not in marks


def test_series_encoders_take_the_raw_signals():
    config = MultimodalConfig(**SMALL, encoder="series", methods=("concat",))
    data = load_data(config, 0)
    assert data.n_measures == (1000,) * 3
    rows = data.split["train"]
    assert all(abs(array[rows].mean()) < 1e-4 and abs(array[rows].std() - 1) < 1e-3 for array in data.features)
    with pytest.raises(
        ValueError, match=r"encoder='series' needs raw signals. Expected: one series.*Received: features"
    ):
        load_data(MultimodalConfig(dataset="breast_cancer", encoder="series"), 0)


# --- tasks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression"])
def test_the_networks_loss_is_the_tables_loss(kind, gamma):
    rng = np.random.default_rng(0)
    task = (
        task_of(kind, gamma=gamma, centre=[1, 2, 3], scale=[1, 2, 4])
        if kind == "regression"
        else task_of(kind, gamma=gamma)
    )
    outputs = rng.normal(size=(20, 3))
    labels = {
        "classification": rng.integers(0, 3, 20),
        "multilabel": rng.integers(0, 2, (20, 3)),
        "regression": np.where(rng.uniform(size=(20, 3)) < 0.2, np.nan, rng.normal(size=(20, 3))),
    }[kind]
    found = task.keras_loss()(task.targets(labels), outputs.astype(np.float32)).numpy()
    assert found == pytest.approx(task.loss(outputs, labels), rel=1e-4)


def test_label_scores_by_hand():
    labels = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    outputs = np.array([[2.0, -1, -1], [-1, -2, -1], [1, 3, -1]])
    scores = task_of("multilabel").scores(outputs, labels)
    assert scores["auc"] == pytest.approx((1.0 + 0.5) / 2)  # of the third label, which nobody has, none is taken
    assert scores["accuracy"] == pytest.approx(8 / 9)
    assert scores["f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_forecast_scores_leave_unknown_targets_out():
    task = task_of("regression", 1, centre=[10.0], scale=[2.0])
    scores = task.scores(np.array([[0.0], [1.0], [0.0]]), np.array([[11.0], [11.0], [np.nan]]))
    assert scores["mae"] == pytest.approx(1.0)
    assert math.isnan(scores["auc"])


def test_a_label_that_nobody_has_does_not_stop_the_estimators():
    rng = np.random.default_rng(1)
    features, labels = (rng.normal(size=(40, 2)),), np.stack([np.zeros(40), rng.integers(0, 2, 40)], axis=1)
    for kind in (Linear, Boosting):
        outputs = kind(0.1, task_of("multilabel", 2)).fit((features, labels), (features, labels)).outputs(features)
        assert outputs.shape == (40, 2)
        assert (outputs[:, 0] == outputs[0, 0]).all()
        assert outputs[0, 0] < -3


def test_boosting_many_targets_is_refused():
    with pytest.raises(ValueError, match=r"would take too long. Expected: at most 32 targets. Received: 621 targets"):
        Boosting(0.1, task_of("regression", 621))


# --- tests between methods ------------------------------------------------------------------


def fake(differences, n_test=20, same_test=False, synthetic=False):
    rows = []
    for seed, difference in enumerate(differences):
        for method, auc in (("linear", 0.7), (QUANTUM, 0.7 + difference)):
            rows.append(
                {"seed": seed, "method": method, "task": "classification", "auc": auc, "f1": 0.5, "accuracy": 0.5}
                | {"mae": math.nan, "n_parameters": 10, "seconds": 1.0, "n_epochs": 2, "n_train": 80}
                | {"n_test": n_test, "test_part": 1 if same_test else seed, "synthetic": synthetic}
            )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [([0.1, 0.12, 0.11, 0.1], "wins"), ([-0.1, -0.12, -0.11, -0.1], "loses"), ([0.1, -0.1, 0.2, -0.2], "undecided")],
)
def test_verdicts(differences, verdict):
    assert summarise(fake(differences))["verdict"] == verdict


def test_one_seed_decides_nothing():
    summary = summarise(fake([0.3]))
    assert (summary["verdict"], summary["same_test_part"]) == ("undecided", False)
    assert math.isnan(summary["paired"][0]["p_adjusted"])


def test_an_official_test_part_is_named_and_not_widened():
    drawn, same = summarise(fake([0.1, 0.0, 0.1])), summarise(fake([0.1, 0.0, 0.1], same_test=True))
    assert (drawn["same_test_part"], same["same_test_part"]) == (False, True)
    widths = [row["paired"][0]["difference_high"] - row["paired"][0]["difference_low"] for row in (drawn, same)]
    assert widths[0] == pytest.approx(widths[1] * math.sqrt(1 / 3 + 0.25) / math.sqrt(1 / 3))


def test_samples_that_are_drawn_anew_are_independent():
    drawn, same = summarise(fake([0.1, 0.0, 0.1], synthetic=True)), summarise(fake([0.1, 0.0, 0.1], same_test=True))
    assert not drawn["same_test_part"]
    assert drawn["paired"][0]["difference_high"] == same["paired"][0]["difference_high"]


@pytest.mark.parametrize("kind", ["two", "three", "multilabel", "regression"])
def test_resampled_scores_are_the_scores_of_the_drawn_samples(kind):
    rng = np.random.default_rng(3)
    name = kind if kind in ("multilabel", "regression") else "classification"
    n_classes = 2 if kind == "two" else 3
    task = task_of(name, n_classes, centre=[5.0] * n_classes, scale=[2.0] * n_classes)
    labels = {
        "classification": np.arange(40) % n_classes,
        "multilabel": rng.integers(0, 2, (40, 3)),
        "regression": np.where(rng.uniform(size=(40, 3)) < 0.2, np.nan, rng.normal(size=(40, 3))),
    }[name]
    outputs = rng.normal(size=(40, task.columns)).round(1)
    rows = draws(40, 1, 7, rng)
    found = resampled_scores(task, outputs, labels, rows)
    expected = [task.scores(outputs[row], labels[row])[task.primary] for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_blocks_of_neighbours_are_drawn_together():
    rows = draws(100, 10, 5, np.random.default_rng(0))
    assert rows.shape == (5, 100)
    steps = np.diff(rows, axis=1) % 100
    assert (steps == 1).mean() > 0.85
    assert sorted(set(draws(7, 72, 3, np.random.default_rng(0))[0])) == list(range(7))


def test_resampling_gives_pairs_and_honest_intervals(result):
    rows = {row["method"]: row for row in result.summary()["resampled"]}
    assert set(rows) == set(METHODS) - {"persistence"}
    means = result.scores.groupby("method")["auc"].mean()
    assert all(row["low"] - 0.02 < means[method] < row["high"] + 0.02 for method, row in rows.items())
    assert math.isnan(rows[QUANTUM]["difference_low"])
    assert rows["linear"]["difference_low"] < rows["linear"]["difference_high"]
    assert (rows["linear"]["n_draws"], rows["linear"]["n_test"]) == (500, 100)


def test_seeds_that_ran_apart_are_put_together(result):
    whole = resample(result.task, result.outputs, result.labels)
    parts = {}
    for seed in (0, 1):
        mine = {key: values for key, values in result.outputs.items() if key[0] == seed}
        parts |= redrawn_scores(result.task, mine, {seed: result.labels[seed]})
    assert [row | {"n_draws": 500, "n_test": 100, "seed": 0} for row in interval_rows(parts)] == [
        pytest.approx(row, nan_ok=True) for row in whole
    ]


def test_gradient_norms_in_the_summary(result):
    rows = {row["method"]: row for row in result.summary()["gradients"]}
    assert set(rows) == set(NETWORKS)
    for row in rows.values():
        assert 0 < row["low"] <= row["median"] <= row["high"]
        assert 0 <= row["encoder_share"] <= 1 and row["n_seeds"] == 2
    assert rows["mlp"]["encoder_share"] == 0 < rows[QUANTUM]["encoder_share"]
    assert summarise_gradients(result.gradients.iloc[:0]) == []


def test_an_official_test_part_must_confirm_a_verdict():
    row = {"method": "linear", "difference_low": -0.1, "difference_high": 0.3}
    same = summarise(fake([0.1, 0.12, 0.11, 0.1], same_test=True))
    assert same["verdict"] == "wins"
    assert confirmed(same, [row])["verdict"] == "undecided"
    assert confirmed(same, [row | {"difference_low": 0.01}])["verdict"] == "wins"
    assert confirmed(summarise(fake([0.1, 0.12, 0.11, 0.1])), [row])["verdict"] == "wins"


def test_too_few_draws_are_explained():
    with pytest.raises(ValueError, match=r"n_draws is out of range.*Expected.*Received: n_draws=3"):
        resample(task_of("multilabel"), {}, {}, n_draws=3)


def test_paired_p_is_students():
    from scipy.stats import ttest_1samp

    values = np.array([0.1, 0.3, -0.1, 0.2])
    assert paired_p(values, 0.0) == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert paired_p(values, 0.25) > paired_p(values, 0.0)
    assert (paired_p(np.zeros(3), 0.0), paired_p(np.ones(3), 0.0)) == (1.0, 0.0)
    assert math.isnan(paired_p(np.ones(1), 0.0))


def test_holm_leaves_out_what_is_unknown():
    assert holm([0.02, math.nan, 0.5])[0] == pytest.approx(0.04)
    assert math.isnan(holm([0.02, math.nan])[1])


# --- settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"dataset": "ecg"}, ValueError, r"dataset is not a known option.*Expected.*Received: dataset='ecg'"),
        ({"methods": ("lmf",)}, ValueError, r"each of methods is not a known option.*Expected.*Received"),
        ({"methods": ()}, ValueError, r"methods are not usable. Expected: one or more.*Received: methods=\(\)"),
        ({"methods": "quantum"}, TypeError, r"methods must be a sequence.*Expected: a tuple.*Received"),
        ({"seeds": (1, 1)}, ValueError, r"seeds are not usable.*Expected.*Received: seeds=\(1, 1\)"),
        ({"penalties": (1.0,)}, ValueError, r"must be equally many.*Expected.*3 learning_rates and 1 penalties"),
        ({"seeds": (-1,)}, ValueError, r"each of seeds is out of range. Expected.*Received"),
        ({"seeds": 3}, TypeError, r"seeds must be a sequence. Expected.*Received: seeds=3"),
        ({"epochs": 10**6}, ValueError, r"an integer from 1 to 2000.*Received"),
        ({"patience": 0}, ValueError, r"patience is out of range. Expected.*Received"),
        ({"gamma": -0.5}, ValueError, r"gamma is out of range. Expected.*Received"),
        (
            {"learning_rates": ("a", 1.0, 1.0)},
            TypeError,
            r"each of learning_rates must be a number. Expected.*Received",
        ),
        ({"penalties": (0.0, 1.0, 1.0)}, ValueError, r"each of penalties is out of range. Expected.*Received"),
        ({"backend": "gpu"}, ValueError, r"backend is not a known option. Expected.*Received"),
        ({"feature_dim": 2**28}, ValueError, r"too large a register.*Expected.*Received"),
        ({"n_train": 0}, ValueError, r"n_train is out of range.*Expected.*Received: n_train=0"),
        ({"target": 3}, TypeError, r"target must be a string.*Expected.*Received: target=3"),
        ({"change": 1}, TypeError, r"change must be a boolean.*Expected.*Received: change=1"),
        ({"encoder": "cnn"}, ValueError, r"encoder is not a known option.*Expected.*Received: encoder='cnn'"),
        ({"degree": 0}, ValueError, r"degree is out of range.*Expected.*Received: degree=0"),
    ],
)
def test_wrong_settings_are_explained(settings, kind, message):
    with pytest.raises(kind, match=message):
        MultimodalConfig(**settings)


def test_importing_the_study_imports_no_tensorflow():
    code = "import sys, qfl_explore.experiments.multimodal; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_best_trial_has_the_lowest_validation_loss():
    best = Best()
    for loss, setting in ((0.5, 0.1), (0.2, 1.0), (0.3, 10.0), (math.nan, 100.0)):
        best.offer(loss, setting, f"model {setting}")
    assert (best.loss, best.setting, best.kept) == (0.2, 1.0, "model 1.0")


def test_cancelling_midway_gives_a_partial_result():
    config = MultimodalConfig(**SMALL, methods=("linear", "concat"))
    steps = []
    for step in multimodal.stream(config):
        steps.append(step)
        if step.method == "concat" and step.epoch == 1:
            break
    part = MultimodalResult.collect(config, steps)
    assert list(part.scores["method"]) == ["linear"]
    assert len(part.table[part.table["method"] == "concat"]) > 0


def test_an_unfinished_study_closes_quietly_when_the_interpreter_has_cleared_the_module(monkeypatch):
    steps = multimodal.stream(MultimodalConfig(**SMALL, methods=("linear",)))
    next(steps)
    monkeypatch.setattr(multimodal, "_CannotTakePart", None)
    steps.close()


def test_too_many_modalities_are_explained():
    with pytest.raises(ValueError, match=r"has fewer modalities. Expected: n_modalities up to 3. Received: 5"):
        load_data(MultimodalConfig(dataset="breast_cancer", n_modalities=5), 0)


def test_methods_are_put_in_order_and_ids_leave_defaults_out():
    assert MultimodalConfig(methods=("quantum", "linear")).methods == ("linear", "quantum")
    assert MultimodalConfig().run_id == MultimodalConfig(degree=3).run_id != MultimodalConfig(degree=4).run_id


# --- ablations ------------------------------------------------------------------------------


@pytest.mark.parametrize("ablation", list(ABLATIONS))
@pytest.mark.parametrize("dataset", list(DATASETS))
def test_every_ablation_gives_settings_that_hold(ablation, dataset):
    ((name, values),) = axes(ablation, dataset).items()
    assert len(values) == len(set(values)) >= 2
    for value in values:
        assert getattr(MultimodalConfig(dataset=dataset, **{name: value}), name) == value


def test_unknown_ablations_are_explained():
    with pytest.raises(ValueError, match=r"ablation is not a known option. Expected.*did you mean 'degree'"):
        axes("degrees", "wine")


def test_an_ablation_is_a_grid():
    from qfl_explore.sweeps import Grid

    grid = Grid(experiment="multimodal", base={"dataset": "ptb_xl"}, axes=axes("modalities", "ptb_xl"))
    assert [config.n_modalities for config in grid.configs()] == [1, 3, 6, 12]

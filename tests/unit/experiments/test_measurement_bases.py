"""Measurement bases: tasks, fits, function spaces, coverage of the error bars, and a whole small run."""

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments import measurement_bases_features as features
from qfl_explore.experiments import measurement_bases_repetitions as reps
from qfl_explore.experiments.measurement_bases import COLUMNS, MeasurementConfig, MeasurementResult, run, stream
from qfl_explore.experiments.measurement_bases_sweep import frozen_sweep, observable_counts, sweep_means
from qfl_explore.experiments.measurement_bases_task import fit_linear, make_task, with_constant

SMALL = {"seeds": (0, 1), "n_steps": 8, "learning_rates": (0.1,), "penalties": (1e-4,), "n_train": 32, "n_sampled": 16}


@pytest.fixture(scope="module")
def result():
    return run(MeasurementConfig(**SMALL, repetitions=(20, 5000)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "polynom"}, "task is not a known option.*did you mean 'polynomial'"),
        ({"bases": ("pauli", "pauli")}, "bases is not usable.*Expected: one or more different.*Received"),
        ({"penalties": (1.0,)}, "equally many.*Expected: as many of one.*Received: 3 learning_rates and 1 penalties"),
        ({"n_modalities": 4, "feature_dim": 5}, "all_pauli is too large.*Expected: at most 5 qubits.*Received: 6"),
        ({"repetitions": (0,)}, "each of repetitions is out of range.*Expected: .*Received"),
        ({"noise": -1.0}, "noise.*Expected: .*Received"),
        ({"n_observables": 0}, "n_observables is out of range.*Expected: .*Received: n_observables=0"),
    ],
)
def test_settings_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        MeasurementConfig(**changes)


def test_sequences_must_be_sequences():
    with pytest.raises(TypeError, match="seeds must be a sequence.*Expected: a tuple.*Received: seeds=3"):
        MeasurementConfig(seeds=3)


def test_the_id_leaves_defaults_out():
    assert MeasurementConfig().run_id == MeasurementConfig(degree=2).run_id != MeasurementConfig(degree=3).run_id


def test_k_is_capped_at_what_a_basis_has():
    config = MeasurementConfig(n_observables=20)
    sizes = {base: config.fusion(base).n_observables for base in config.bases}
    assert sizes == {"random_pauli_plane": 20, "computational": 7, "pauli": 9, "all_pauli": 20}


@pytest.mark.parametrize("task", ["polynomial", "breast_cancer"])
def test_the_losses_slopes_are_their_differences(task):
    data = make_task(MeasurementConfig(task=task), 0)
    outputs = np.random.default_rng(0).normal(size=len(data.y["train"]))
    _, slope = data.loss(outputs, "train")
    step = np.zeros_like(outputs)
    step[3] = 1e-6
    difference = (data.loss(outputs + step, "train")[0] - data.loss(outputs - step, "train")[0]) / 2e-6
    assert slope[3] == pytest.approx(difference, rel=1e-5)


def test_least_squares_on_the_circuits_waves_reaches_the_ceiling():
    data = make_task(MeasurementConfig(), 3)
    fit = fit_linear(data, data.controls["fourier"], (1e-9,))
    assert data.ceiling == pytest.approx(1.0)
    assert data.score(data.controls["fourier"]["test"] @ fit.coefficients) > 0.999


def test_the_logistic_fit_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    data = make_task(MeasurementConfig(task="breast_cancer", feature_dim=2), 0)
    ours = fit_linear(data, data.controls["angles"], (0.5,)).coefficients
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=2000).fit(
        data.controls["angles"]["train"][:, 1:], data.y["train"]
    )
    np.testing.assert_allclose(ours[1:], theirs.coef_[0], atol=1e-4)
    assert ours[0] == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_breast_cancer_angles_come_from_the_training_part():
    data = make_task(MeasurementConfig(task="breast_cancer", feature_dim=2), 1)
    assert data.x["test"].shape[1:] == (3, 2) and np.abs(data.x["test"]).max() < np.pi / 2
    raw = np.arctanh(data.x["train"] / (np.pi / 2))
    np.testing.assert_allclose(raw.std(axis=0), 1.0, atol=1e-6)


def test_equal_spans_learn_equally():
    """Nine random planes on three qubits span what the nine Pauli observables span."""
    config = MeasurementConfig(seeds=(0,), penalties=(1e-12,), learning_rates=(0.1,))
    rows = pd.DataFrame(frozen_sweep(config.replace(bases=("random_pauli_plane", "pauli"))))
    at_nine = rows[rows["n_observables"] == 9]["score"].to_numpy()
    assert at_nine[0] == pytest.approx(at_nine[1], abs=1e-6)
    means = sweep_means(rows)
    assert len(means) == len(rows) and means["low"].isna().all()
    assert observable_counts(config, "all_pauli")[-1] == 63


@pytest.mark.parametrize(
    ("degree", "ranks"),
    [
        (1, {"random_pauli_plane": (4, 13), "computational": (4, 11), "pauli": (10, 13), "all_pauli": (13, 13)}),
        (2, {"random_pauli_plane": (4, 41), "computational": (4, 41), "pauli": (10, 41), "all_pauli": (37, 41)}),
        (3, {"random_pauli_plane": (4, 85), "computational": (4, 85), "pauli": (10, 85), "all_pauli": (64, 85)}),
    ],
)
def test_function_spaces(degree, ranks):
    """At one setting at most K + 1 functions (64 for a complete set), over all settings the reachable spectrum."""
    config = MeasurementConfig(degree=degree)
    for base, (rank, union) in ranks.items():
        found = features.function_space(config, base)
        assert (found.rank, found.union) == (rank, union)
        assert found.n_reachable == 8 * degree**2 + 4 * degree + 1


def test_feature_spectrum_of_known_matrices():
    equal = features.feature_spectrum(np.linalg.qr(np.random.default_rng(0).normal(size=(50, 5)))[0])
    assert (equal.rank, equal.effective_rank, equal.condition_number) == pytest.approx((5, 5.0, 1.0))
    thin = features.feature_spectrum(np.outer(np.ones(9), [1.0, 2.0, 3.0]))
    assert (thin.rank, thin.effective_rank) == pytest.approx((1, 1.0))


def test_feature_table_says_what_sets_cost_and_span():
    table = features.feature_table(MeasurementConfig(), n_draws=3, n_samples=64).set_index("basis")
    assert table["rank_of_set"].to_dict() == {"random_pauli_plane": 3, "computational": 3, "pauli": 9, "all_pauli": 63}
    assert table["repetitions_grouped"].tolist() == [400, 400, 1200, 10800]
    assert table["repetitions_shadows"].tolist() == [1200, 1200, 1200, 10800]
    assert (table["effective_rank_low"] <= table["effective_rank"]).all()
    assert table.loc["all_pauli", "log10_condition"] > table.loc["pauli", "log10_condition"] > 0


@pytest.mark.parametrize("base", ["random_pauli_plane", "pauli", "all_pauli"])
@pytest.mark.parametrize("repetitions", [100, 1000])
def test_error_bars_hold_the_exact_value_as_often_as_they_say(base, repetitions):
    table = reps.coverage(MeasurementConfig(), base, repetitions, n_states=150, seed=1).set_index("method")
    for method in ("grouped", "shadows"):
        row = table.loc[method]
        # 4 standard errors, and a point for discreteness and the normal approximation
        assert abs(row["share"] - 0.95) < 4 * row["standard_error"] + 0.01, (method, row["share"])
    assert table.loc["shadows_median", "share"] > 0.94


def test_errors_fall_as_the_formulas_say():
    table = pd.concat(reps.error_scaling(MeasurementConfig(), (100, 10_000), n_states=32))
    assert np.abs(table["rms_error"] / table["expected"] - 1).max() < 0.25
    expected = table.set_index(["basis", "method", "repetitions"])["expected"]
    assert expected["pauli", "grouped", 100] / expected["pauli", "grouped", 10_000] == pytest.approx(10, rel=0.02)
    assert expected["all_pauli", "grouped", 10_000] > 3 * expected["random_pauli_plane", "grouped", 10_000]


def test_wilson_holds_near_one_and_without_data():
    low, high = reps.wilson([1.0, 0.0, np.nan], [10, 100, 0])
    np.testing.assert_allclose(low, [0.4451, -0.1923, -1.0], atol=2e-3)
    np.testing.assert_allclose(high, [1.0, 0.1923, 1.0], atol=2e-3)


def test_too_few_repetitions_are_refused():
    with pytest.raises(ValueError, match="do not suffice.*Expected: at least 27.*Received: repetitions=20"):
        reps.estimates(MeasurementConfig(), "all_pauli", 20)


def test_estimates_repeat_and_say_what_they_rest_on():
    table = reps.estimates(MeasurementConfig(), "pauli", 90, seed=5)
    assert len(table) == 3 * 9 and set(table["seed"]) == {5}
    assert table[table["method"] == "grouped"]["n_used"].tolist() == [30] * 9
    pd.testing.assert_frame_equal(table, reps.estimates(MeasurementConfig(), "pauli", 90, seed=5))


def test_a_run_is_tidy_and_repeats(result):
    table = result.table
    assert tuple(table.columns) == COLUMNS
    exact = table[table["repetitions"].isna()]
    assert len(exact) == 2 * (1 + 4 * 2)
    sampled = table.dropna(subset="repetitions").groupby(["basis", "repetitions"]).size()
    assert sampled["pauli"].tolist() == [4, 4]
    assert sampled["all_pauli"].index.tolist() == [5000.0]  # 20 repetitions cannot fill 27 settings
    pd.testing.assert_frame_equal(table, run(result.config).table)


def test_summary_has_intervals_and_paired_differences(result):
    summary = result.summary()
    trained = [row for row in summary["rows"] if row["model"] == "trained" and np.isnan(row["repetitions"])]
    assert {row["basis"]: row["n_parameters"] for row in trained} == {
        "random_pauli_plane": 31,
        "computational": 31,
        "pauli": 37,
        "all_pauli": 91,
    }
    assert all(row["low"] <= row["mean"] <= row["high"] <= 1.0 for row in summary["rows"])
    assert [row["basis"] for row in summary["paired"]] == ["computational", "pauli", "all_pauli"]
    wide = result.scores().pivot(index="seed", columns="basis", values="score")
    difference = (wide["pauli"] - wide["random_pauli_plane"]).mean()
    assert summary["paired"][1]["mean"] == pytest.approx(difference)
    assert summary["best_classical"] == "fourier"
    assert [row["basis"] for row in result.paired("refitted", 5000)] == ["computational", "pauli", "all_pauli"]
    assert [row["basis"] for row in result.paired("refitted", 20)] == ["computational", "pauli"]
    assert MeasurementResult.collect(result.config, []).summary()["rows"] == []


def test_means_of_different_seeds_never_stand_side_by_side():
    config = MeasurementConfig(**SMALL, repetitions=(5000,))
    items = []
    for item in stream(config):
        items.append(item)
        if item.seed == 1 and item.stage == "tested":
            break
    assert set(MeasurementResult.collect(config, items).complete().table["seed"]) == {0}
    early = [item for item in items if item.basis in ("fourier", "random_pauli_plane") and item.seed == 0]
    assert len(MeasurementResult.collect(config, early).complete().table) == 5


def test_many_repetitions_give_the_exact_score(result):
    wide = result.config.replace(repetitions=(1_000_000,), seeds=(0,), bases=("random_pauli_plane",), n_sampled=512)
    found = run(wide)
    exact = found.scores()["score"].item()
    assert found.scores(repetitions=1_000_000)["score"].item() == pytest.approx(exact, abs=2e-3)


def test_a_stream_can_be_left_at_any_step():
    items = stream(MeasurementConfig(**SMALL))
    stages = [next(items).stage for _ in range(4)]
    assert stages == ["control", "frozen", "training", "training"]
    items.close()


def test_a_constant_comes_first():
    assert with_constant(np.zeros((2, 3))).tolist() == [[1.0, 0.0, 0.0, 0.0]] * 2

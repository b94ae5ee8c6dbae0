"""Encoding sensitivity: distortions, bounds against closed forms, and small whole runs."""

import math

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments import encoding_task as tasks
from qfl_explore.experiments.encoding import COLUMNS, MODELS, EncodingConfig, EncodingResult, rows_per_seed, run, stream
from qfl_explore.experiments.encoding_config import DISTORTIONS
from qfl_explore.experiments.encoding_models import fit
from qfl_explore.sweeps import registry
from qfl_explore.theory.wrap_around import scaled_r2, shifted_r2

TINY = {"seeds": (0, 1), "n_steps": 12, "learning_rates": (0.1,), "penalties": (1e-4,), "n_train": 40, "n_test": 40}


@pytest.fixture(scope="module")
def result():
    return run(EncodingConfig(**TINY, strengths=(0.5, 1.0, 10.0)))


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"task": "functon"}, ValueError, r"task is not a known option.*did you mean 'function'"),
        ({"target": "table"}, ValueError, r"target is not a known option.*Expected.*Received"),
        ({"distortion": "scal"}, ValueError, r"distortion is not a known option.*did you mean 'scale'"),
        ({"scalers": ("tanh", "tanh")}, ValueError, r"scalers is not usable.*one or more different.*Received"),
        ({"scalers": ("tan",)}, ValueError, r"each of scalers is not a known option.*did you mean"),
        ({"when": "test"}, TypeError, r"when must be a sequence.*Expected: a tuple.*Received: when='test'"),
        ({"degrees": (0,)}, ValueError, r"each of degrees is out of range.*Expected.*Received"),
        ({"strengths": (0.0,)}, ValueError, r"a strength of distortion='scale'.*Expected: 0.001 to 1000.*Received: 0"),
        ({"strengths": ("x",)}, TypeError, r"each of strengths must be a number.*Expected.*Received: 'x'"),
        ({"distortion": "wrap", "strengths": (0.5,)}, ValueError, r"Expected: whole numbers 0 to 100.*Received: 0.5"),
        ({"penalties": (1.0,)}, ValueError, r"equally many.*Expected.*Received: 2 learning_rates and 1 penalties"),
        (
            {"n_modalities": 30, "encoding": "qubit_per_feature"},
            ValueError,
            r"register is too large.*at most 11 qubits",
        ),
        ({"n_train": 1}, ValueError, r"n_train is out of range.*Expected.*Received: n_train=1"),
    ],
)
def test_settings_that_cannot_be(changes, kind, message):
    with pytest.raises(kind, match=message):
        EncodingConfig(**changes)


def test_the_id_leaves_defaults_out():
    assert EncodingConfig().run_id == EncodingConfig(distortion="scale").run_id
    assert EncodingConfig().run_id != EncodingConfig(distortion="clip").run_id


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_the_neutral_strength_changes_nothing_and_more_spoils_more(kind):
    about, x = DISTORTIONS[kind], np.random.default_rng(0).uniform(-3, 3, (500, 2))
    draw = lambda strength: tasks.distorted(x, kind, strength, np.random.default_rng(1))  # noqa: E731
    np.testing.assert_allclose(draw(about.neutral), x)
    changes = [np.mean(draw(strength) != x) for strength in about.default]
    assert max(changes) > 0
    if kind in ("outliers", "clip"):
        assert changes == sorted(changes)
    if kind == "outliers":
        moved = draw(0.2) != x
        assert 0.15 < moved.mean() < 0.25
        assert (np.abs(draw(0.2)[moved]) >= 5).all()
        assert not (moved & (draw(0.4) == x)).any()  # the same values, and more
    if kind == "wrap":
        turns = (draw(2.0) - x) / (2 * math.pi)
        assert set(np.rint(turns).ravel()) == {-2, -1, 0, 1, 2}
        np.testing.assert_allclose(turns, np.rint(turns), atol=1e-9)


@pytest.mark.parametrize("task", ["function", "breast_cancer", "wine"])
def test_the_losses_slopes_are_their_differences(task):
    data = tasks.make_task(EncodingConfig(task=task), 0)
    outputs = np.random.default_rng(0).normal(size=(len(data.y["train"]), data.n_outputs))
    _, slope = data.loss(outputs, "train")
    step = np.zeros_like(outputs)
    step[3, -1] = 1e-6
    difference = (data.loss(outputs + step, "train")[0] - data.loss(outputs - step, "train")[0]) / 2e-6
    assert slope[3, -1] == pytest.approx(difference, rel=1e-5)


def test_only_the_test_part_is_spoiled_where_that_is_asked():
    config = EncodingConfig(distortion="shift")
    task = tasks.make_task(config, 0)
    at_test, _ = tasks.angles_of(config, task, "none", 1.0, "test", 0)
    at_both, _ = tasks.angles_of(config, task, "none", 1.0, "both", 0)
    np.testing.assert_array_equal(at_test["train"], task.raw["train"])
    np.testing.assert_allclose(at_both["train"], task.raw["train"] + 1.0)
    np.testing.assert_array_equal(at_test["test"], at_both["test"])


def test_a_fitted_scaler_cancels_scale_and_shift_in_training():
    for kind in ("scale", "shift"):
        config = EncodingConfig(distortion=kind)
        task = tasks.make_task(config, 0)
        clean, _ = tasks.angles_of(config, task, "arctan", config.neutral, "both", 0)
        spoiled, _ = tasks.angles_of(config, task, "arctan", 5.0, "both", 0)
        for part in clean:
            np.testing.assert_allclose(spoiled[part], clean[part], atol=1e-9)


def test_bounds_agree_with_closed_forms():
    one = {"n_modalities": 1, "constant_slot": False, "target": "cosine"}
    for degree, factor, want in ((2, 1.0, 1.0), (1, 1.0, 0.0), (1, 2.0, 1.0)):
        config = EncodingConfig(**one, degrees=(degree,))
        found = tasks.bounds(config, tasks.make_task(config, 0), degree, "none", factor, "both")
        assert found.layer == pytest.approx(want, abs=1e-9)
        assert found.method.startswith("exact")
    config = EncodingConfig(**one, degrees=(2,), distortion="shift")
    task = tasks.make_task(config, 0)
    waves = np.array([[-2.0], [2.0]]), np.array([0.5, 0.5])
    for shift in (0.3, 1.0):
        found = tasks.bounds(config, task, 2, "none", shift, "test")
        assert found.layer == pytest.approx(shifted_r2(*waves, shift), abs=1e-6)
        assert tasks.bounds(config, task, 2, "none", shift, "both").layer == pytest.approx(1.0)
    config = config.replace(distortion="scale")
    found = tasks.bounds(config, task, 2, "none", 0.5, "test")
    assert found.layer == pytest.approx(scaled_r2(*waves, 0.5), abs=1e-3)
    config = config.replace(distortion="clip")
    found = tasks.bounds(config, task, 2, "none", 1.0, "both")
    assert 0 < found.layer <= found.anything + 1e-3 < 1
    assert math.isnan(tasks.bounds(config, tasks.make_task(config.replace(task="wine"), 0), 2, "none", 1, "both").layer)


def test_a_whole_turn_is_nothing_to_whole_frequencies_and_something_to_halves():
    scores = {}
    for name, slot in (("whole", False), ("half", True)):
        config = EncodingConfig(
            **TINY | {"seeds": (0,), "n_steps": 40},
            n_modalities=1,
            constant_slot=slot,
            distortion="wrap",
            strengths=(1.0,),
            when=("test",),
            models=("quantum",),
        )
        (row,) = run(config).table.to_dict("records")
        scores[name] = row["score"] - row["clean_score"]
    assert abs(scores["whole"]) < 1e-3
    assert scores["half"] < -0.05


def test_the_table_is_tidy_and_whole(result):
    table = result.table
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 2 * rows_per_seed(result.config) == 2 * 2 * 3 * 5
    neutral = table[table["strength"] == 1.0]
    np.testing.assert_allclose(neutral["score"], neutral["clean_score"])
    assert (table["score"] <= 1).all()
    outside = table.groupby("strength")["share_outside"].max()
    assert outside[1.0] == 0 < outside[10.0]
    quantum, mlp = (table.loc[table["model"] == m, "n_parameters"].iloc[0] for m in ("quantum", "mlp"))
    assert mlp >= quantum


def test_the_summary(result):
    summary = result.summary()
    assert len(summary["rows"]) == len(summary["drops"]) == 30
    assert len(summary["paired"]) == 4 * 6
    scores = result.table.assign(score=result.table["score"].clip(lower=-1)).query("model != 'quantum'")
    for when, best in summary["best_classical"].items():
        means = scores[scores["when"] == when].groupby("model")["score"].mean()
        assert means[best] == means.max(), "each case has the rival that is best in it"
    assert list(summary["best_classical"]) == ["test", "both"]
    first = summary["rows"][0]
    values = result.table[
        (result.table["model"] == first["model"])
        & (result.table["when"] == first["when"])
        & (result.table["strength"] == first["strength"])
    ]["score"]
    assert first["mean"] == pytest.approx(values.clip(lower=-1).mean())
    assert first["n_seeds"] == 2
    for row in summary["drops"]:
        if row["strength"] == 1.0:
            assert row["mean"] == pytest.approx(0, abs=1e-12)
    empty = EncodingResult(result.config, pd.DataFrame(columns=list(COLUMNS)))
    assert empty.summary()["rows"] == []


def test_the_stream_yields_often_and_the_same_run_gives_the_same_numbers(result):
    items = list(stream(result.config))
    assert items[-1].n_done == items[-1].n_total
    assert [item.n_done for item in items] == sorted(item.n_done for item in items)
    pd.testing.assert_frame_equal(EncodingResult.collect(result.config, items).table, result.table)
    half = EncodingResult.collect(result.config, items[: len(items) * 3 // 4])
    assert set(half.complete().table["seed"]) == {0}


def test_every_model_has_as_many_trials():
    config = EncodingConfig(**TINY | {"learning_rates": (0.1, 0.05), "penalties": (1e-4, 1e-2)})
    task = tasks.make_task(config, 0)
    for model in MODELS:
        *steps, fitted = fit(config, task, model, 2, task.raw, 0)
        assert {trial for trial, _ in steps} == {0, 1}
        assert fitted.setting in (*config.learning_rates, *config.penalties)


@pytest.mark.parametrize("task", ["breast_cancer", "wine"])
def test_classes_are_scored_by_auc(task):
    config = EncodingConfig(
        **TINY | {"seeds": (0,), "n_steps": 30}, task=task, strengths=(1.0, 0.1), when=("test",), degrees=(1,)
    )
    table = run(config).table
    assert set(table["metric"]) == {"auc"}
    assert (table.loc[table["strength"] == 1.0, "score"] > 0.8).all()
    assert table["ceiling"].isna().all()


def test_a_sweep_can_run_it():
    experiment = registry.get("encoding")
    assert experiment.config_class is EncodingConfig
    config = EncodingConfig(**TINY | {"seeds": (0,)}, strengths=(1.0,), models=("quantum", "linear"), when=("test",))
    columns = experiment.columns(experiment.function(config).summary())
    assert "test.1.quantum.mean" in columns

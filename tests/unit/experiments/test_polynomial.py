"""The polynomial experiment: the wall, ceilings, spectra, resuming, tables, errors."""

import dataclasses

import numpy as np
import pytest

from qfl_explore import FusionConfig
from qfl_explore.experiments.polynomial import (
    Frame,
    PolynomialConfig,
    prepare,
    repeat,
    run,
    stream,
    wall,
)
from qfl_explore.experiments.table import read_table
from qfl_explore.experiments.targets import TargetConfig

PAIR = FusionConfig(n_modalities=2, degree=2)


def cosine(k, degree=3, **settings):
    fusion = FusionConfig(n_modalities=1, constant_slot=False, degree=degree)
    return PolynomialConfig(fusion=fusion, target=TargetConfig(kind="cosine", degree=k), **settings)


def csv_of(x, y):
    rows = "\n".join(",".join(f"{value:.9g}" for value in (*row, out)) for row, out in zip(x, y, strict=True))
    header = ",".join([f"f{i}" for i in range(x.shape[1])] + ["out"])
    return read_table(f"{header}\n{rows}\n".encode(), name="made.csv")


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_the_wall(k):
    for point in wall(cosine(k), range(1, 9)):
        if point.degree >= k:
            assert point.test_r2 >= 0.999, point
            assert point.ceiling == pytest.approx(1.0, abs=1e-9)
        else:
            assert point.test_r2 <= 0.02, point
            assert point.ceiling == pytest.approx(0.0, abs=1e-9)


def test_no_training_gets_over_the_ceiling():
    # cos x reachable, cos 2x not: the ceiling is the share of cos x, 1 / (1 + 0.5²).
    target = TargetConfig(kind="formula", formula="cos(x1) + 0.5*cos(2*x1)")
    result = run(cosine(1, degree=1, n_train=2000, n_test=20_000, n_steps=200).replace(target=target))
    top = result.summary()["ceiling"]
    assert top == pytest.approx(0.8, abs=1e-9)
    # 20,000 test points: one standard error of R² is below 0.003.
    assert top - 0.02 < result.final.test_r2 < top + 0.01
    assert result.summary()["gap"] == pytest.approx(top - result.final.test_r2)


def test_the_model_stays_within_its_spectrum():
    config = PolynomialConfig(fusion=PAIR, target=TargetConfig(kind="product", degree=1), n_steps=3)
    problem = prepare(config)
    frame = list(stream(config, problem))[-1]
    assert len(frame.coefficients) == problem.n_reachable == 41
    rebuilt = (np.exp(1j * problem.x_test @ problem.frequencies.T) @ frame.coefficients).real
    np.testing.assert_allclose(rebuilt, problem.predict(frame.params, problem.x_test), atol=1e-5)


def test_target_coefficients_of_a_cosine():
    problem = prepare(cosine(2))
    wanted = np.where(np.abs(problem.frequencies[:, 0]) == 2, 0.5, 0.0)
    np.testing.assert_allclose(problem.target_coefficients, wanted, atol=1e-12)


def test_frames_come_one_a_step_from_before_training():
    config = cosine(1, degree=1, n_steps=4)
    problem = prepare(config)
    frames = list(stream(config, problem))
    assert [frame.step for frame in frames] == [0, 1, 2, 3, 4]
    first = problem.model.initial(config.seed, config.initializer)
    np.testing.assert_array_equal(frames[0].params["weights"], first["weights"])
    for frame in frames:
        wanted = 1 - np.mean((problem.model.predict(frame.params, problem.x_train) - problem.y_train) ** 2)
        assert frame.train_r2 == pytest.approx(wanted, abs=1e-6)
    assert frames[-1].prediction.shape == (201,)
    assert problem.grid_target.shape == (201,)


def test_the_same_settings_give_the_same_table_and_another_seed_does_not():
    config = cosine(2, n_steps=20)
    table = run(config).table
    assert table.equals(run(config).table)
    assert list(table["step"]) == [0, 10, 20]
    assert not table["loss"].equals(run(config.replace(seed=1)).table["loss"])


@pytest.mark.parametrize("cut", [3, 8])
def test_going_on_from_a_frame_changes_nothing(cut):
    config = cosine(2, n_steps=12)
    problem = prepare(config)
    whole = list(stream(config, problem))
    rest = list(stream(config, problem, start=whole[cut]))
    assert [frame.step for frame in rest] == list(range(cut, 13))
    assert rest[-1].loss == whole[-1].loss


def test_starting_from_parameters():
    config = cosine(2, n_steps=1)
    problem = prepare(config)
    params = problem.model.initial(77)
    frame = next(stream(config, problem, start=params))
    assert frame.step == 0
    np.testing.assert_array_equal(frame.params["weights"], params["weights"])


def test_lbfgs_learns_in_few_steps_and_says_that_it_converged():
    result = run(cosine(3, optimizer="lbfgs", n_steps=200))
    assert result.final.test_r2 > 0.99999
    assert result.stopped == "converged" and result.final.step < 100
    frames = stream(result.config, result.problem, start=result.final)
    assert next(frames).step == result.final.step
    frames.close()


def test_patience_stops_before_the_budget():
    result = run(cosine(4, degree=2, n_steps=600, patience=30))
    assert result.stopped == "patience" and result.final.step < 600
    assert run(cosine(2, n_steps=5)).stopped == "budget"


def test_noise_is_on_the_training_targets_only():
    clean, noisy = prepare(cosine(2)), prepare(cosine(2, noise=0.5))
    np.testing.assert_array_equal(clean.x_train, noisy.x_train)
    raw = [problem.mean + problem.std * problem.y_train for problem in (clean, noisy)]
    assert np.std(raw[1] - raw[0]) == pytest.approx(0.5 * clean.std, rel=0.15)
    np.testing.assert_allclose(noisy.mean + noisy.std * noisy.y_test, np.cos(2 * noisy.x_test[:, 0]), atol=1e-12)
    assert noisy.y_train.mean() == pytest.approx(0.0, abs=1e-12) and noisy.y_train.std() == pytest.approx(1.0)


def test_grid_sampling():
    assert prepare(cosine(1, sampling="grid", n_train=16)).x_train.shape == (16, 1)
    problem = prepare(PolynomialConfig(fusion=PAIR, sampling="grid", n_train=30))
    assert problem.x_train.shape == (25, 2)
    assert problem.grid.shape == (41, 41) and problem.grid.note == ""


def test_three_features_are_drawn_as_a_slice_and_keep_an_exact_ceiling():
    fusion = FusionConfig(n_modalities=3, degree=1)
    config = PolynomialConfig(fusion=fusion, target=TargetConfig(kind="sum", degree=1), n_steps=1)
    problem = prepare(config)
    assert problem.grid.shape == (41, 41) and (problem.grid.points[:, 2] == 0).all()
    assert problem.ceiling.r2 == pytest.approx(1.0, abs=1e-9) and "exact" in problem.ceiling.method
    frame = next(stream(config, problem))
    assert frame.coefficients is None and "not for 3" in problem.coefficients_note
    assert frame.prediction.shape == (41 * 41,)


def test_a_table_is_split_by_the_seed_and_learned():
    x = np.random.default_rng(0).uniform(-1, 1, (120, 2))
    table = csv_of(x, np.sin(x[:, 0]) + x[:, 1])
    config = PolynomialConfig(fusion=PAIR, target=TargetConfig(kind="table"), n_steps=150, n_train=80)
    problem = prepare(config, table)
    assert (problem.x_train.shape, problem.x_test.shape) == ((80, 2), (30, 2))
    seen = {tuple(row) for row in problem.x_train}
    assert not any(tuple(row) in seen for row in problem.x_test)
    np.testing.assert_array_equal(problem.x_test, prepare(config, table).x_test)
    assert (problem.x_test != prepare(config.replace(seed=1), table).x_test).any()
    assert problem.grid_target is None and problem.target_coefficients is None
    assert "rows of the table" in problem.ceiling.method
    assert run(config, table).final.test_r2 > 0.9


def test_repeat_gives_an_interval_over_seeds():
    found = repeat(cosine(2, n_steps=20, record_every=20), seeds=range(3))
    assert found.finals.shape == (3,) and sorted(found.table["seed"].unique()) == [0, 1, 2]
    half = 4.302653 * found.finals.std(ddof=1) / np.sqrt(3)
    assert found.interval == pytest.approx((found.mean - half, found.mean + half), rel=1e-5)
    with pytest.raises(ValueError, match="seeds do not make an interval. Expected: two or more .* Received"):
        repeat(cosine(2), seeds=[4, 4])


def test_the_wall_can_be_cancelled():
    assert list(wall(cosine(1), cancelled=lambda: True)) == []


def test_summary_counts():
    summary = run(cosine(2, n_steps=0)).summary()
    assert (summary["n_parameters"], summary["n_reachable"], summary["n_steps"]) == (14, 7, 0)
    assert (summary["n_train"], summary["n_test"], summary["seed"]) == (256, 512, 0)
    assert summary["ceiling"] == pytest.approx(1.0) and summary["run_id"] == cosine(2, n_steps=0).run_id


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"n_train": 1}, ValueError, "n_train is out of range"),
        ({"n_test": 1}, ValueError, "n_test is out of range"),
        ({"n_steps": -1}, ValueError, "n_steps is out of range"),
        ({"n_steps": 1.5}, TypeError, "n_steps must be an integer"),
        ({"noise": -0.1}, ValueError, "noise is out of range"),
        ({"noise": float("nan")}, ValueError, "noise is out of range"),
        ({"learning_rate": 0}, ValueError, "learning_rate is out of range"),
        ({"patience": 0}, ValueError, "patience is out of range"),
        ({"optimizer": "adm"}, ValueError, "did you mean 'adam'"),
        ({"sampling": "grids"}, ValueError, "did you mean 'grid'"),
        ({"schedule": "cosine"}, ValueError, "schedule is not a known option"),
        ({"initializer": "zeros"}, ValueError, "initializer is not a known option"),
        ({"backend": "bathced"}, ValueError, "did you mean 'batched'"),
        ({"fusion": {}}, TypeError, "fusion is of the wrong kind"),
        ({"target": "cosine"}, TypeError, "target is of the wrong kind"),
        ({"fusion": FusionConfig(n_modalities=3), "sampling": "grid"}, ValueError, "is for one or two features"),
    ],
)
def test_bad_settings(settings, kind, message):
    with pytest.raises(kind, match=message) as caught:
        PolynomialConfig(**settings)
    assert "Expected: " in str(caught.value) and "Received: " in str(caught.value)


def test_target_and_table_must_go_together():
    table = csv_of(np.linspace(0, 1, 20)[:, None], np.linspace(0, 1, 20) ** 2)
    with pytest.raises(ValueError, match="target and table do not go together. Expected: .* Received: a table"):
        prepare(cosine(1), table)
    with pytest.raises(ValueError, match="target and table do not go together. Expected: .* Received: no table"):
        prepare(cosine(1).replace(target=TargetConfig(kind="table")))


def test_a_problem_for_other_data_is_refused():
    problem = prepare(cosine(1))
    assert isinstance(next(stream(cosine(1, learning_rate=0.5, n_steps=3), problem)), Frame)
    with pytest.raises(ValueError, match="problem was prepared for other settings.*one that differs in target"):
        stream(cosine(2), problem)


def test_frames_are_snapshots():
    frame = next(stream(cosine(1, n_steps=2)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.step = 3

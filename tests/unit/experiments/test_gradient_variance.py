"""Estimates against exact values, intervals that cover, sweeps with known exponents, training over many starts."""

import math

import numpy as np
import pytest

from qfl_explore.config import FusionConfig
from qfl_explore.experiments.gradient_variance import (
    GradientVarianceConfig,
    SweepConfig,
    bootstrap_interval,
    exact_mean,
    log_interval,
    run,
    sample_variance_error,
    stream,
)
from qfl_explore.experiments.gradient_variance_haar import haar_check, haar_unitaries
from qfl_explore.experiments.gradient_variance_sweep import fit_exponent, run_sweep, stream_sweep
from qfl_explore.experiments.gradient_variance_training import TrainingConfig, run_training, stream_training
from qfl_explore.simulation import base

SMALL = FusionConfig(n_modalities=3, degree=2, measurement="local_z")


def test_haar_layers_give_the_closed_form_within_three_standard_errors():
    table = haar_check(n_max=5, n_draws=8000, seed=1)
    assert table["n_qubits"].tolist() == [1, 2, 3, 4, 5]
    assert (table["z"].abs() < 3).all(), table
    assert (table["standard_error"] / table["exact"] < 0.05).all()


def test_haar_unitaries_are_unitary():
    drawn = haar_unitaries(4, 10, np.random.default_rng(0))
    np.testing.assert_allclose(drawn @ drawn.conj().swapaxes(1, 2), np.broadcast_to(np.eye(4), (10, 4, 4)), atol=1e-12)


@pytest.mark.parametrize("encoding", ["qubit_efficient", "qubit_per_feature"])
@pytest.mark.parametrize("measurement", ["local_z", "global_z", "random_pauli_plane"])
def test_estimates_agree_with_the_exact_average(encoding, measurement):
    fusion = SMALL.replace(encoding=encoding, measurement=measurement)
    result = run(GradientVarianceConfig(fusion=fusion, precision=0.02, seed=3))
    estimate, exact = result.estimate, exact_mean(result.config)
    error = estimate.blocks.std(ddof=1) / math.sqrt(len(estimate.blocks))
    assert abs(estimate.variance - exact) < 4 * error
    assert estimate.stopped == "precision" and estimate.relative_error <= 0.02


@pytest.mark.parametrize("interval", ["blocks", "bootstrap"])
def test_intervals_cover_the_exact_average(interval):
    config = GradientVarianceConfig(fusion=SMALL, precision=0.001, max_draws=2048, interval=interval, n_inputs=1)
    covered = []
    for seed in range(60):
        this = config.replace(seed=seed)
        low, high = run(this).estimate.interval
        covered.append(low <= exact_mean(this) <= high)
    assert np.mean(covered) >= 0.85  # 95 % less 3 standard errors


def test_the_same_settings_give_the_same_numbers_and_another_seed_others():
    config = GradientVarianceConfig(fusion=SMALL)
    first, again, other = (run(c).summary()["variance"] for c in (config, config, config.replace(seed=1)))
    assert first == again != other


def test_the_stream_narrows_and_the_table_has_every_angle():
    frames = list(stream(GradientVarianceConfig(fusion=SMALL, precision=0.01)))
    assert [f.stopped for f in frames[:-1]] == [""] * (len(frames) - 1)
    assert frames[-1].relative_error < frames[0].relative_error
    table = frames[-1].table()
    assert len(table) == SMALL.n_weights and table["axis"].tolist()[:3] == ["rx", "ry", "rz"]
    assert table["variance"].mean() == pytest.approx(frames[-1].variance)
    assert frames[-1].counts.sum() <= frames[-1].n_draws * SMALL.n_weights


def test_small_angles_and_identity_blocks_change_the_variance():
    runs = {
        name: run(GradientVarianceConfig(fusion=SMALL, initializer=name)).estimate.variance
        for name in ("uniform", "small_angle", "identity_block")
    }
    assert runs["small_angle"] < 0.5 * runs["uniform"]
    assert math.isnan(exact_mean(GradientVarianceConfig(fusion=SMALL, initializer="small_angle")))


def test_a_budget_ends_a_stream():
    result = run(GradientVarianceConfig(fusion=SMALL, precision=1e-4, max_draws=600))
    assert result.summary()["stopped"] == "budget" and result.estimate.n_draws == 1024


def test_memory_is_refused_with_the_number(monkeypatch):
    class Memory:
        available = 2**20

    monkeypatch.setattr(base.psutil, "virtual_memory", lambda: Memory)
    fusion = FusionConfig(n_modalities=20, encoding="qubit_per_feature", degree=1, measurement="local_z")
    sweep = SweepConfig(base=GradientVarianceConfig(fusion=fusion), values=(2, 20))
    for frames in (stream(sweep.base), stream_sweep(sweep)):
        with pytest.raises(ValueError, match=r"20 qubits.* too much memory\. Expected: .*\. Received: .* GiB\.$"):
            next(frames)


def test_the_error_of_a_sample_variance_is_exact_for_normal_numbers():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(4000, 50))
    found = samples.var(axis=1, ddof=1).std()
    assert found == pytest.approx(math.sqrt(2 / 49), rel=0.04)
    assert np.mean([sample_variance_error(one) for one in samples]) == pytest.approx(found, rel=0.1)
    with pytest.raises(ValueError, match=r"Expected: four or more\. Received: 3\.$"):
        sample_variance_error(np.zeros(3))


def test_both_intervals_are_alike_and_know_when_nothing_is_known():
    values = np.random.default_rng(1).gamma(4.0, size=100)
    for low, high in (log_interval(values), bootstrap_interval(values)):
        assert low < values.mean() < high
        assert (high - low) == pytest.approx(2 * 1.96 * values.std() / 10, rel=0.15)
    assert log_interval(np.ones(1)) == log_interval(np.zeros(5)) == (0.0, math.inf)


@pytest.mark.parametrize(("law", "exponent"), [("power", 1.5), ("exponential", 0.9)])
def test_the_fit_finds_a_known_exponent(law, exponent):
    rng, x = np.random.default_rng(2), np.arange(2, 14)
    true = 0.3 * (x**-exponent if law == "power" else 2.0 ** (-exponent * x))
    noisy = true * np.exp(rng.normal(scale=0.02, size=len(x)))
    fit = fit_exponent(x, noisy, noisy * np.exp(-0.0392), noisy * np.exp(0.0392), law)
    assert fit.low < exponent < fit.high and fit.high - fit.low < 0.2 and fit.misfit < 3
    np.testing.assert_allclose(fit(x), true, rtol=0.05)
    assert math.isnan(fit_exponent(x[:2], noisy[:2], noisy[:2] / 2, noisy[:2] * 2, law).exponent)


def test_a_sweep_shows_the_contrast_and_its_clock():
    sweep = SweepConfig(
        base=GradientVarianceConfig(fusion=SMALL.replace(measurement="global_z"), precision=0.05), values=(2, 4, 6, 8)
    )
    frames = list(stream_sweep(sweep))
    assert frames[-1].done and not frames[0].done and frames[-1].fraction == 1.0
    assert all(frame.seconds_left >= 0 for frame in frames)
    result = run_sweep(sweep)
    assert result.table["variance"].tolist() == frames[-1].table()["variance"].tolist()
    fits = result.fits()
    assert fits["qubit_per_feature"]["exponential"].low > 0.6
    assert fits["qubit_efficient"]["exponential"].exponent < 0.5 * fits["qubit_per_feature"]["exponential"].exponent
    assert set(result.summary()["fits"]) == {"qubit_efficient", "qubit_per_feature"}


def test_a_point_of_a_sweep_is_the_estimate_alone():
    sweep = SweepConfig(base=GradientVarianceConfig(fusion=SMALL), over="degree", values=(1, 2))
    table = run_sweep(sweep).table
    assert table["variance"].tolist() == [run(point).estimate.variance for point in sweep.points()]


TRAINING = TrainingConfig(fusion=SMALL, n_starts=6, n_samples=4, n_steps=20, steps_per_layer=4)


def test_training_lowers_the_loss_and_reports_every_layer():
    result = run_training(TRAINING)
    assert result.final.loss.mean < 0.5 * result.first.loss.mean
    assert sorted(set(result.table["layer"])) == [0, 1, 2] and len(result.table) == 3 * 21
    assert (result.table["low"] <= result.table["variance"]).all()
    assert result.summary()["n_steps"] == 20


def test_the_gradient_of_training_is_the_derivative_of_its_loss():
    frames = stream_training(TRAINING.replace(backend="cirq", n_starts=3, n_samples=2))
    again = stream_training(TRAINING.replace(n_starts=3, n_samples=2))
    np.testing.assert_allclose(next(frames).gradients, next(again).gradients, atol=1e-5)


def test_layerwise_training_changes_one_layer_and_can_be_switched_while_it_runs():
    on = [True]
    frames = []
    for frame in stream_training(TRAINING, layerwise=lambda: on[0]):
        frames.append(frame)
        on[0] = frame.step < 5
    assert [frame.trained for frame in frames[:9]] == [(0,)] * 4 + [(1,)] * 2 + [(0, 1, 2)] * 3


def test_finite_repetitions_only_disturb_the_steps():
    exact, noisy = (list(stream_training(TRAINING.replace(repetitions=r)))[:2] for r in (None, 50))
    np.testing.assert_array_equal(exact[0].gradients, noisy[0].gradients)
    assert not np.array_equal(exact[1].losses, noisy[1].losses)


@pytest.mark.parametrize(
    ("make", "kind", "match"),
    [
        (
            lambda: GradientVarianceConfig(precision=1.5),
            ValueError,
            r"^precision is out of .* Received: precision=1",
        ),
        (lambda: GradientVarianceConfig(initializer="unifrom"), ValueError, r"did you mean 'uniform'"),
        (lambda: GradientVarianceConfig(fusion=3), TypeError, r"^fusion is of the wrong kind\. .*Received: 3\.$"),
        (lambda: SweepConfig(values=(3, 2)), ValueError, r"^values do not make a sweep\. .* Received: values=\(3, 2\)"),
        (
            lambda: SweepConfig(over="seed"),
            ValueError,
            r"^over is not a known option\. Expected: .* over='seed'",
        ),
        (lambda: SweepConfig(values=(2, 40)), ValueError, r"Expected: at most 30 qubits\. Received: 40 qubits"),
        (lambda: SweepConfig(base=1), TypeError, r"^base is of the wrong kind\. Expected: .* Received: 1\.$"),
        (
            lambda: TrainingConfig(n_starts=1),
            ValueError,
            r"^n_starts is out of range\. Expected: .* n_starts=1",
        ),
        (lambda: TrainingConfig(layerwise=1), TypeError, r"^layerwise must be a boolean\. .* Received: layerwise=1\.$"),
    ],
)
def test_settings_are_checked(make, kind, match):
    with pytest.raises(kind, match=match):
        make()


def test_ids_are_stable():
    assert GradientVarianceConfig().run_id == GradientVarianceConfig(seed=0).run_id
    assert len({GradientVarianceConfig().run_id, SweepConfig().run_id, TrainingConfig().run_id}) == 3


def test_layerwise_training_begins_with_the_first_layer_whenever_it_is_switched_on():
    on = [False]
    frames = []
    for frame in stream_training(TRAINING.replace(n_steps=30), layerwise=lambda: on[0]):
        frames.append(frame)
        on[0] = frame.step >= 14
    assert frames[14].trained == (0, 1, 2)
    assert [frame.trained for frame in frames[15:28]] == [(0,)] * 4 + [(1,)] * 4 + [(2,)] * 4 + [(0, 1, 2)]

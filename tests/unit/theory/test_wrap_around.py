"""Closed forms of scaling, shifting, clipping and turning, against circuits and against sums over grids."""

import math

import numpy as np
import pytest

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.simulation.base import get_backend
from qfl_explore.theory import wrap_around as w
from qfl_explore.theory.exact_ceiling import exact_ceiling
from qfl_explore.theory.spectrum import dense_points, project, reachable_frequencies

LAYERS = [
    FusionConfig(n_modalities=1, constant_slot=False, degree=2),
    FusionConfig(n_modalities=1, degree=2),
    FusionConfig(n_modalities=2, degree=2),
    FusionConfig(n_modalities=2, degree=2, constant_slot=False),
    FusionConfig(n_modalities=2, degree=2, signal="phase"),
    FusionConfig(n_modalities=2, degree=2, encoding="qubit_per_feature"),
]
#: f = 0.7 cos(x1 + x2) + 0.3 sin(2 x1) - 0.4 cos(x2)
OMEGA = np.array([[1, 1], [-1, -1], [2, 0], [-2, 0], [0, 1], [0, -1]], float)
C = np.array([0.35, 0.35, -0.15j, 0.15j, -0.2, -0.2])


def f(x):
    return 0.7 * np.cos(x[:, 0] + x[:, 1]) + 0.3 * np.sin(2 * x[:, 0]) - 0.4 * np.cos(x[:, 1])


GRID = dense_points(2, (-math.pi, math.pi), 300**2)


def r2(predicted, wanted):
    return 1 - np.mean((predicted - wanted) ** 2) / np.var(wanted)


@pytest.mark.parametrize("config", LAYERS, ids=str)
def test_the_period_is_that_of_the_circuit_and_no_smaller(config):
    circuit, backend = FusionCircuit(config), get_backend("batched", dtype="float64")
    weights = initial_weights(config, "uniform", 3)
    x = np.random.default_rng(1).uniform(-3, 3, (20, config.n_modalities, 1))
    one = np.zeros((1, config.n_modalities, 1))
    one[0, 0, 0] = 1.0

    def change(turn):
        moved = backend.expectations(circuit, x + turn * one, weights)
        return np.abs(moved - backend.expectations(circuit, x, weights)).max()

    assert change(w.period(config)) < 1e-9
    assert change(w.period(config) / 2) > 1e-2
    low, high = w.natural_range(config)
    assert high - low == pytest.approx(w.period(config))
    assert (w.period(config) == 4 * math.pi) == (reachable_frequencies(config) % 1 != 0).any()


def test_without_a_constant_slot_two_features_may_turn_together():
    config = FusionConfig(n_modalities=2, degree=2, constant_slot=False)
    assert (w.turn_factors(reachable_frequencies(config), [1, 1]) == 1).all()
    assert (w.turn_factors(reachable_frequencies(config), [1, 0]) == -1).any()


@pytest.mark.parametrize("config", LAYERS, ids=str)
def test_a_whole_turn_changes_signs_only(config):
    omega, rng = reachable_frequencies(config), np.random.default_rng(0)
    turns = rng.integers(-3, 4, config.n_features)
    c = rng.normal(size=len(omega))
    x = rng.uniform(-3, 3, (50, config.n_features))
    moved = np.exp(1j * (x + 2 * math.pi * turns) @ omega.T) @ c
    np.testing.assert_allclose(moved, np.exp(1j * x @ omega.T) @ (c * w.turn_factors(omega, turns)), atol=1e-9)


def test_wrapped_stays_within_and_moves_by_whole_turns():
    x = np.linspace(-50, 50, 1001)
    for turn in (2 * math.pi, 4 * math.pi):
        y = w.wrapped(x, turn)
        assert (y >= -turn / 2).all() and (y < turn / 2).all()
        np.testing.assert_allclose((x - y) / turn, np.rint((x - y) / turn), atol=1e-9)


def test_scaling_moves_the_wall():
    one = FusionConfig(n_modalities=1, constant_slot=False)
    slot = FusionConfig(n_modalities=1)
    wave = [[3.0]]
    assert [w.degrees_after_scaling(one, wave, s).item() for s in (0.5, 1, 1.5, 3)] == [6, 3, 2, 1]
    assert [w.degrees_after_scaling(slot, wave, s).item() for s in (2, 6, 12)] == [2, 1, math.inf]
    # the closed form says the same as the ceiling
    for factor, degree in ((0.5, 5), (0.5, 6), (1, 2), (1, 3), (3, 1)):
        layer = one.replace(degree=degree)
        top = exact_ceiling(layer, np.array([[-3.0], [3.0]]) / factor, [0.5, 0.5], (-2 * math.pi, 2 * math.pi)).r2
        assert (top > 1 - 1e-9) == (w.degrees_after_scaling(layer, wave, factor).item() <= degree)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0, math.pi])
def test_a_shift_of_an_unchanged_model(shift):
    assert w.shifted_r2(OMEGA, C, shift) == pytest.approx(r2(f(GRID + shift), f(GRID)), abs=1e-9)
    for k in (1, 2, 5):
        assert w.shifted_r2([[-k], [k]], [0.5, 0.5], shift) == pytest.approx(2 * math.cos(k * shift) - 1)


@pytest.mark.parametrize("factor", [-1.0, 0.1, 0.5, 1.0, 2.0, 10.0])
def test_a_factor_on_an_unchanged_model(factor):
    assert w.scaled_r2(OMEGA, C, factor) == pytest.approx(r2(f(factor * GRID), f(GRID)), abs=3e-3)
    half = 1.3
    points = GRID * half / math.pi
    assert w.scaled_r2(OMEGA, C, factor, half) == pytest.approx(r2(f(factor * points), f(points)), abs=3e-3)


def test_replaced_values_cost_each_wave_its_features():
    share, rng = 0.3, np.random.default_rng(0)
    lost = rng.random(GRID.shape) < share
    # the best guess: the mean over what was lost (all waves here have mean 0 in each of their features)
    best = (
        0.7 * np.cos(GRID.sum(axis=1)) * ~lost.any(axis=1)
        + 0.3 * np.sin(2 * GRID[:, 0]) * ~lost[:, 0]
        - 0.4 * np.cos(GRID[:, 1]) * ~lost[:, 1]
    )
    assert w.replaced_ceiling(OMEGA, C, share) == pytest.approx(r2(best, f(GRID)), abs=0.01)
    assert w.replaced_ceiling(OMEGA, C, 0.0) == 1.0
    assert w.replaced_ceiling(OMEGA, C, 1.0) == 0.0


@pytest.mark.parametrize("limit", [0.01, 0.4, 1.5, 3.0, math.pi, 5.0])
def test_clipping_leaves_what_a_mean_over_the_tails_leaves(limit):
    clipped = np.clip(GRID, -limit, limit)
    _, group = np.unique(clipped, axis=0, return_inverse=True)
    group = group.ravel()
    means = np.bincount(group, f(GRID)) / np.bincount(group)
    assert w.clipped_ceiling(OMEGA, C, limit) == pytest.approx(r2(means[group], f(GRID)), abs=0.01)


def test_a_small_factor_leaves_a_polynomial():
    layer = FusionConfig(n_modalities=1, degree=1, constant_slot=False)  # three waves: a parabola
    target, c = np.array([[-2.0], [2.0], [-1.0], [1.0]]), np.array([0.5, 0.5, -0.3j, 0.3j])
    x = dense_points(1, n_points=4096)
    y = np.cos(2 * x[:, 0]) + 0.6 * np.sin(x[:, 0])
    parabola = np.polynomial.Polynomial.fit(x[:, 0], y, 2)(x[:, 0])
    assert w.small_scale_ceiling(target, c, 3) == pytest.approx(r2(parabola, y), abs=1e-4)
    small = project(0.01 * reachable_frequencies(layer), x, y).r2
    assert w.small_scale_ceiling(target, c, 3) == pytest.approx(small, abs=1e-3)


def test_wrong_arguments_are_explained():
    with pytest.raises(ValueError, match=r"factor is out of range.*Expected.*Received: factor=0"):
        w.degrees_after_scaling(LAYERS[0], [[1.0]], 0)
    with pytest.raises(ValueError, match=r"spectrum is not usable.*Expected.*Received"):
        w.shifted_r2([[0.0]], [1.0], 1.0)

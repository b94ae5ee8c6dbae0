"""Scalers keep what they state, agree with their formulas, and say where they saturate."""

import math

import numpy as np
import pytest

from qfl_explore.scalers import BOUNDED, SCALERS, AngleScaler, squash

TRAIN = np.random.default_rng(0).normal(5.0, 3.0, (200, 2))
FAR = np.array([[-1e6, 5.0], [1e6, 1e6], [20.0, -20.0]])


@pytest.mark.parametrize("kind", SCALERS)
def test_the_stated_range_is_kept_where_it_is_promised(kind):
    scaler = AngleScaler(kind, 2.0).fit(TRAIN)
    low, high = scaler.feature_range
    angles = scaler.transform(TRAIN)
    assert angles.shape == TRAIN.shape
    assert ((angles >= low - 1e-12) & (angles <= high + 1e-12)).all()
    outside = np.abs(scaler.transform(FAR)) > 2.0 + 1e-12
    assert (kind in BOUNDED) == (not outside.any())
    np.testing.assert_array_equal(scaler.fit_transform(TRAIN), angles)


@pytest.mark.parametrize("kind", SCALERS)
def test_every_map_is_increasing_column_by_column(kind):
    scaler = AngleScaler(kind).fit(TRAIN)
    grid = np.linspace(-5, 15, 50)[:, None] * [1.0, 1.0]
    assert (np.diff(scaler.transform(grid), axis=0) >= 0).all()
    moved = scaler.transform(grid + [0.0, 1.0])
    np.testing.assert_array_equal(moved[:, 0], scaler.transform(grid)[:, 0])


def test_the_formulas():
    z = (TRAIN - TRAIN.mean(axis=0)) / TRAIN.std(axis=0)
    for kind, want in {
        "none": TRAIN,
        "standardise": z,
        "arctan": 2 * np.arctan(z),
        "tanh": math.pi * np.tanh(z),
        "min_max": math.pi * (2 * (TRAIN - TRAIN.min(axis=0)) / np.ptp(TRAIN, axis=0) - 1),
    }.items():
        np.testing.assert_allclose(AngleScaler(kind).fit_transform(TRAIN), want, atol=1e-12)
    ranks = AngleScaler("quantile").fit_transform(TRAIN)[:, 0]
    np.testing.assert_allclose(np.sort(ranks), np.linspace(-math.pi, math.pi, 200), atol=1e-9)


def test_fitting_cancels_scale_and_shift_but_not_outliers():
    for kind in set(SCALERS) - {"none"}:
        clean = AngleScaler(kind).fit_transform(TRAIN)
        np.testing.assert_allclose(AngleScaler(kind).fit_transform(10 * TRAIN - 7), clean, atol=1e-9)
    dirty = np.vstack([TRAIN, [1000.0, 1000.0]])
    spread = {kind: np.ptp(AngleScaler(kind).fit_transform(dirty)[:-1]) for kind in SCALERS}
    assert spread["min_max"] < 0.2  # one outlier crowds all the others
    assert spread["quantile"] > 6.0  # ranks do not care


def test_saturation_is_found_where_the_map_is_flat():
    assert not AngleScaler("standardise").fit(TRAIN).saturated(FAR).any()
    z = np.array([[0.0], [2.0], [2.2], [5.0], [-5.0]])
    standard = np.random.default_rng(1).normal(size=(5000, 1))
    tanh = AngleScaler("tanh").fit(standard)
    assert tanh.saturated(z).ravel().tolist() == [False, False, True, True, True]
    clipped = AngleScaler("min_max_clip").fit(standard)
    assert clipped.saturated(10 * z).ravel().tolist() == [False, True, True, True, True]
    share = {kind: AngleScaler(kind).fit(standard).saturated(standard).mean() for kind in ("tanh", "arctan")}
    assert share["arctan"] < share["tanh"] < 0.06


def test_squash():
    np.testing.assert_allclose(squash([-1e9, 0.0, 1e9], "tanh", 0.5), [-0.5, 0.0, 0.5])
    with pytest.raises(ValueError, match=r"kind is not a known option.*Expected.*did you mean 'tanh'"):
        squash([0.0], "tahn")


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: AngleScaler("arctn"), ValueError, r"kind is not a known option.*did you mean 'arctan'"),
        (lambda: AngleScaler("tanh", 0), ValueError, r"limit is out of range.*Expected.*Received: limit=0"),
        (lambda: AngleScaler("tanh", "pi"), TypeError, r"limit must be a number.*Expected.*Received: limit='pi'"),
        (lambda: AngleScaler().transform(TRAIN), ValueError, r"scaler is not fitted.*Expected.*Received: none"),
        (lambda: AngleScaler().fit(TRAIN).transform(TRAIN[:, :1]), ValueError, r"wrong shape.*\[N, 2\].*Received"),
        (lambda: AngleScaler().fit(TRAIN[:, 0]), ValueError, r"wrong shape.*Expected: shape \[N, F\].*Received"),
        (lambda: AngleScaler().fit(TRAIN * np.nan), ValueError, r"must be finite.*Expected.*Received: nan"),
    ],
)
def test_wrong_use_is_explained(make, kind, message):
    with pytest.raises(kind, match=message):
        make()

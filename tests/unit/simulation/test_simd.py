"""The vector type: its sines and sums against NumPy's."""

import numba as nb
import numpy as np
import pytest

from qfl_explore.simulation.lanes import fill_rotations
from qfl_explore.simulation.simd import LANES, cosine_and_sine, load, store, total


@nb.njit
def _turn(angles, cosines, sines):
    for row in range(len(angles)):
        c, s = cosine_and_sine(load(angles, row))
        store(cosines, row, c)
        store(sines, row, s)


@nb.njit
def _sum(array):
    return total(load(array, 0))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1.2e-7), (np.float64, 2.3e-16)])
@pytest.mark.parametrize("largest", [1e-3, 1.0, 50.0, 1e5])
def test_cosines_and_sines_are_right_to_the_last_digit(dtype, tolerance, largest):
    angles = np.random.default_rng(0).uniform(-largest, largest, (500, LANES)).astype(dtype)
    angles[0, :5] = [0, np.pi / 4, np.pi / 2, -np.pi, largest]
    cosines, sines = np.empty_like(angles), np.empty_like(angles)
    _turn(angles, cosines, sines)
    exact = angles.astype(np.longdouble)
    assert np.abs(cosines - np.cos(exact)).max() < tolerance
    assert np.abs(sines - np.sin(exact)).max() < tolerance


def test_angles_beyond_the_range_of_the_polynomials_are_right_too():
    angles = np.array([[1e7, 3.0], [-2.5e9, 1e5]])
    cosines, sines = np.empty((2, LANES)), np.empty((2, LANES))
    fill_rotations(angles, 0, np.array([0, 1]), np.array([0.5, 2.0]), cosines, sines)
    want = angles * [0.5, 2.0]
    np.testing.assert_allclose(cosines[:, :2].T, np.cos(want), atol=1e-15)
    np.testing.assert_allclose(sines[:, :2].T, np.sin(want), atol=1e-15)
    np.testing.assert_allclose(cosines[:, 2:], np.cos(want[-1])[:, None].repeat(LANES - 2, 1), atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_over_the_lanes(dtype):
    row = np.arange(LANES, dtype=dtype)[None] ** 2
    assert _sum(row) == sum(i * i for i in range(LANES))

"""The ceiling without sample points, against least squares on many points."""

import numpy as np
import pytest

from qfl_explore.config import FusionConfig
from qfl_explore.theory.exact_ceiling import exact_ceiling
from qfl_explore.theory.spectrum import ceiling, dense_points

TARGETS = {
    1: ([[-3.0], [0.0], [2.0], [-2.0], [3.0]], [0.5j, 1.0, 0.3, 0.3, -0.5j]),
    2: ([[2.0, 1.0], [-2.0, -1.0], [1.0, -3.0], [-1.0, 3.0]], [0.5, 0.5, 0.2j, -0.2j]),
}


@pytest.mark.parametrize("domain", [(-np.pi, np.pi), (-1.0, 6.0)])
@pytest.mark.parametrize(
    "settings",
    [
        {"n_modalities": 1, "degree": 2, "constant_slot": False},
        {"n_modalities": 1, "degree": 2},
        {"n_modalities": 2, "degree": 3},
        {"n_modalities": 2, "degree": 2, "signal": "phase"},
    ],
)
def test_it_agrees_with_least_squares_on_a_dense_grid(settings, domain):
    config = FusionConfig(**settings)
    omega, coefficients = (np.array(part) for part in TARGETS[config.n_features])
    points = dense_points(config.n_features, domain, 8000)
    sampled = ceiling(config, points, (np.exp(1j * points @ omega.T) @ coefficients).real)
    exact = exact_ceiling(config, omega, coefficients, domain)
    # Midpoints of an interval that is no period carry an error of order 1/n².
    assert exact.r2 == pytest.approx(sampled.r2, abs=2e-3 if domain[0] == -1.0 else 1e-3)
    assert exact.n_frequencies == sampled.n_frequencies


def test_orthogonal_targets_have_a_ceiling_of_the_share_within_reach():
    layer = FusionConfig(n_modalities=3, degree=2, signal="phase")
    reached, beyond = [1.0, 1.0, 0.0], [3.0, 0.0, 0.0]
    omega = np.array([reached, beyond])
    found = exact_ceiling(layer, np.concatenate([omega, -omega]), np.array([1.0, 2.0, 1.0, 2.0]))
    assert found.r2 == pytest.approx(1 / 5, abs=1e-12)


def test_too_large_a_spectrum_has_no_ceiling():
    layer = FusionConfig(n_modalities=6, degree=4)
    found = exact_ceiling(layer, np.eye(6)[[0, 0]] * [[1], [-1]], [0.5, 0.5])
    assert found.r2 is None and "limit" in found.method


def test_errors_have_three_parts():
    layer = FusionConfig(n_modalities=2)
    with pytest.raises(ValueError, match="the target's spectrum has the wrong shape. Expected: .* Received: "):
        exact_ceiling(layer, [[1.0]], [1.0])
    with pytest.raises(ValueError, match="the target is constant on the domain. Expected: .* Received: "):
        exact_ceiling(layer, [[0.0, 0.0]], [1.0])

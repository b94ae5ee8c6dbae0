"""Closed forms of the phase-difference problem, against brute force and the derived numbers."""

import math

import numpy as np
import pytest

from qfl_explore.theory import separation as s
from qfl_explore.theory.outcomes import bayes_success, best_directions, grouping, joint_table

DELTA = math.pi / 6


@pytest.mark.parametrize(
    ("n_oracles", "delta", "queries"),
    [(2, math.pi / 6, 6), (3, math.pi / 6, 9), (2, math.pi / 2, 2), (2, math.pi / 4, 4), (2, 0.5, 8)],
)
def test_certainty_takes_m_pi_over_two_delta_queries(n_oracles, delta, queries):
    assert s.queries_needed(n_oracles, delta) == queries
    assert queries >= n_oracles * math.pi / (2 * delta) - 1e-9
    assert s.joint_success(queries // n_oracles, delta) == 1.0
    assert s.joint_success(queries // n_oracles - 1, delta) < 1.0


def test_the_ladder_of_six():
    assert [s.joint_success(r, DELTA, "z") for r in (1, 2, 3)] == pytest.approx([0.625, 0.875, 1.0])
    assert [s.joint_success(r, DELTA) for r in (0, 1, 2, 3)] == pytest.approx([0.5, 0.75, (2 + 3**0.5) / 4, 1.0])


@pytest.mark.parametrize("delta", [0.2, 0.5, math.pi / 6, 0.7, 1.0, 1.2, 1.5, math.pi / 2])
def test_the_plan_turns_the_start_into_its_opposite(delta):
    needed = s.rounds_needed(delta)
    how = s.plan(needed, delta)
    end = s._turned(how.start, needed, delta, how.tilt)
    assert end @ how.start == pytest.approx(-1.0, abs=1e-12)
    assert how.readout == pytest.approx(how.start)
    assert (how.tilt == 0.0) == (abs(needed * delta - math.pi / 2) < 1e-9)


@pytest.mark.parametrize(
    ("n_each", "success"), [(1, 0.625), (2, 0.736), (3, 0.815), (4, 0.880), (6, 0.948), (9, 0.985), (12, 0.996)]
)
def test_best_separable_strategies(n_each, success):
    found = s.separable_success(n_each, DELTA)
    assert found.success == pytest.approx(success, abs=6e-4)
    assert found.success < 1.0
    assert found.probabilities.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert s.ladder_success(found.probabilities, DELTA) == pytest.approx(found.success)


def brute_force_success(amplitudes, delta, n_points=48):
    """Helstrom's bound from density matrices averaged over the base on a grid (exact: few frequencies)."""
    n_oracles, size = amplitudes.shape
    sign = s.signs(n_oracles)
    rho = [0, 0]
    grid = np.arange(n_points) * np.pi / n_points
    for label in (0, 1):
        for free in np.stack(np.meshgrid(*[grid] * (n_oracles - 1)), -1).reshape(-1, n_oracles - 1):
            theta = np.array([*free, sign[-1] * (label * delta - free @ sign[:-1])])
            state = np.ones(1)
            for m in range(n_oracles):
                state = np.kron(state, amplitudes[m] * np.exp(2j * np.arange(size) * theta[m]))
            rho[label] = rho[label] + np.outer(state, state.conj()) / n_points ** (n_oracles - 1)
    return 0.5 + 0.25 * np.abs(np.linalg.eigvalsh(rho[0] - rho[1])).sum()


@pytest.mark.parametrize(("n_oracles", "n_each", "n_points"), [(2, 1, 16), (2, 3, 24), (3, 1, 12)])
def test_ladder_success_is_helstroms_bound(n_oracles, n_each, n_points):
    p = np.random.default_rng(n_each).dirichlet(np.ones(n_each + 1), n_oracles)
    flipped = p.copy()
    flipped[1::2] = p[1::2, ::-1]  # a sign of -1 reads its ladder from the other end
    brute = brute_force_success(np.sqrt(p), 0.6, n_points)
    assert brute == pytest.approx(s.ladder_success(flipped, 0.6), abs=1e-9)


@pytest.mark.parametrize(("n_oracles", "n_each"), [(2, 3), (3, 2)])
def test_slopes_of_the_separable_gain(n_oracles, n_each):
    p = np.random.default_rng(0).dirichlet(np.ones(n_each + 1), n_oracles)
    _, slope = s._gain(p, 0.5)
    for at in np.ndindex(*p.shape):
        up, down = p.copy(), p.copy()
        up[at] += 1e-6
        down[at] -= 1e-6
        assert slope[at] == pytest.approx((s._gain(up, 0.5)[0] - s._gain(down, 0.5)[0]) / 2e-6, abs=1e-5)


@pytest.mark.parametrize("n_each", [1, 2, 3])
def test_separate_never_beats_joint(n_each):
    for delta in (0.3, DELTA, 1.2):
        assert s.separable_success(n_each, delta, n_starts=2).success <= s.joint_success(n_each, delta) + 1e-9


@pytest.mark.parametrize(
    ("n_each", "ceiling"), [(1, 0.625), (2, 0.5 + math.sin(math.pi / 3) / 4), (3, 0.75), (6, (2 + 2**0.5) / 4)]
)
def test_bayes_ceiling_of_outcomes(n_each, ceiling):
    uses, count = grouping(n_each, DELTA)
    directions = best_directions(count, DELTA, uses)
    found = bayes_success(directions, DELTA, uses)
    assert found == pytest.approx(ceiling, abs=1e-4)
    assert found <= s.separable_success(n_each, DELTA).success + 1e-9
    table = joint_table(directions, DELTA, uses)
    assert table.sum(axis=(1, 2)) == pytest.approx([1.0, 1.0])
    assert table.min() > -1e-12


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: s.check_delta(0.0), ValueError, r"delta is out of range\. Expected: .* Received: delta=0.0"),
        (lambda: s.check_delta("x"), TypeError, r"delta must be a number\. Expected: .* Received: delta='x'"),
        (lambda: s.joint_success(1, 0.5, "y"), ValueError, r"readout is not a known option\. Expected: .* Received:"),
        (lambda: s.signs(1), ValueError, r"n_oracles is out of range\. Expected: .* Received: n_oracles=1"),
        (lambda: s.separable_success(60, 0.5, 4), ValueError, r"too large\. Expected: .* terms\. Received: .* terms"),
    ],
)
def test_errors_have_three_parts(call, kind, message):
    with pytest.raises(kind, match=message):
        call()

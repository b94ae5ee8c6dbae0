"""What separately queried *and measured* outcomes can tell: the exact Bayes ceiling.

An oracle is used g times in a row and the qubit is measured along a direction φ in the YZ plane: the
outcome is 0 with probability ``(1 + cos(2gθ - φ)) / 2``. So k such outcomes of each oracle cost k g
queries of each. Whoever learns from the outcomes cannot beat the Bayes ceiling, whatever the model.

Source: our construction.
"""

from __future__ import annotations

import numpy as np

from qfl_explore.errors import check_int
from qfl_explore.theory.separation import check_delta, rounds_needed

#: Outcomes of each oracle that are enumerated at most: 2^(2k) cases.
MAX_OUTCOMES = 8


def grouping(n_each: int, delta: float) -> tuple[int, int]:
    """(g, k): n queries of an oracle as k outcomes of g uses each, g as near to certainty as it goes.

    >>> [grouping(n, np.pi / 6) for n in (1, 2, 3, 6)]
    [(1, 1), (2, 1), (3, 1), (3, 2)]
    """
    uses = min(check_int("n_each", n_each, 1), rounds_needed(delta))
    return uses, max(1, n_each // uses)


def outcome_probabilities(theta: np.ndarray, directions: np.ndarray, n_uses: int) -> np.ndarray:
    """Probabilities [n, 2^k] of the k outcomes (first outcome most significant) at angles θ [n]."""
    zero = 0.5 + 0.5 * np.cos(2 * n_uses * np.asarray(theta)[:, None] - directions)
    table = np.ones((len(zero), 1))
    for column in range(len(directions)):
        both = np.stack([zero[:, column], 1 - zero[:, column]], axis=1)
        table = (table[:, :, None] * both[:, None, :]).reshape(len(zero), -1)
    return table


def joint_table(directions: np.ndarray, delta: float, n_uses: int) -> np.ndarray:
    """P(outcomes of A, outcomes of B | label), averaged over the hidden base: [2, 2^k, 2^k].

    Args:
        directions: [2, k], of A and B, radians.
        delta: δ in radians.
        n_uses: g.
    """
    n_points = 8 * directions.shape[1] + 8  # the integrand is a trigonometric polynomial of lower degree
    base = np.arange(n_points) * np.pi / (n_uses * n_points)
    first = outcome_probabilities(base, directions[0], n_uses)
    second = [outcome_probabilities(base + label * delta, directions[1], n_uses) for label in (0, 1)]
    return np.stack([first.T @ table / n_points for table in second])


def bayes_success(directions: np.ndarray, delta: float, n_uses: int) -> float:
    """Success of the best decision from the outcomes, both labels equally likely."""
    return float(0.5 * joint_table(directions, delta, n_uses).max(axis=0).sum())


def best_directions(n_outcomes: int, delta: float, n_uses: int, n_starts: int = 3, seed: int = 0) -> np.ndarray:
    """Measurement directions [2, k] with the highest Bayes success that a search found.

    Args:
        n_outcomes: k of each oracle, 1 to 8.
        delta: δ in radians.
        n_uses: g.
        n_starts: starts of the search: spread evenly first, then at random.
        seed: of the starts.
    """
    from scipy.optimize import minimize

    check_delta(delta)
    k = check_int("n_outcomes", n_outcomes, 1, MAX_OUTCOMES)
    rng = np.random.default_rng(check_int("seed", seed, 0))
    even = np.arange(k) * np.pi / k
    shifts = np.linspace(0.0, 2 * np.pi, 73)[:-1]
    spread = max((np.stack([even, even + s]) for s in shifts), key=lambda d: bayes_success(d, delta, n_uses))
    starts = [spread, *(rng.uniform(0, 2 * np.pi, (2, k)) for _ in range(n_starts - 1 if k <= 4 else 0))]
    options = {"maxiter": 6, "xtol": 1e-4, "ftol": 1e-7}
    if k > 4:
        return spread
    found = [
        minimize(lambda d: -bayes_success(d.reshape(2, k), delta, n_uses), s.ravel(), method="Powell", options=options)
        for s in starts
    ]
    return min(found, key=lambda done: done.fun).x.reshape(2, k)

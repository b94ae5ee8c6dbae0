"""Classical alternatives on the data of a polynomial experiment: least squares and a small network.

A depth-P layer is a trigonometric polynomial with a known list of frequencies, so ordinary
least squares on exactly these frequencies is the strongest simple rival: it is convex, needs
no steps and reaches the ceiling. The capacity-matched network is the control that a fair
comparison asks for. Both are our construction.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd

from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.problem import PolynomialConfig, Problem, prepare
from qfl_explore.experiments.table import Table
from qfl_explore.theory.spectrum import design_matrix, reachable_frequencies

#: How `compare` calls its rows.
FUSION, LEAST_SQUARES, MLP_ADAM, MLP_LBFGS = (
    "Quantum Fusion Layer",
    "least squares, same frequencies",
    "MLP, Adam",
    "MLP, L-BFGS",
)
SOLVERS = ("adam", "lbfgs")
#: Above this many frequencies least squares declines.
_MAX_FREQUENCIES = 1500


def least_squares_r2(problem: Problem) -> tuple[float, int]:
    """Test R² of ordinary least squares on the layer's own frequencies, and its number of coefficients.

    With fewer samples than frequencies it takes the solution of least norm.

    Args:
        problem: data and circuit, from `prepare`.

    Returns:
        R² on the test set, and the number of coefficients (one for each frequency vector).

    Raises:
        ValueError: the layer reaches more than 1500 frequencies.
    """
    frequencies = reachable_frequencies(problem.config.fusion, _MAX_FREQUENCIES)
    basis = design_matrix(frequencies, problem.x_train)
    solution = np.linalg.lstsq(basis, problem.y_train, rcond=1e-10)[0]
    fitted = design_matrix(frequencies, problem.x_test) @ solution
    return _r2(problem, fitted), len(frequencies)


def matched_width(n_features: int, n_parameters: int) -> int:
    """The smallest hidden width of a one-layer network with at least ``n_parameters`` parameters.

    >>> matched_width(1, 14)
    5
    """
    n_features, n_parameters = check_int("n_features", n_features, 1), check_int("n_parameters", n_parameters, 1)
    return max(1, math.ceil((n_parameters - 1) / (n_features + 2)))


def matched_mlp_r2(problem: Problem, solver: str = "adam") -> tuple[float, int]:
    """Test R² of a tanh network with one hidden layer and at least as many parameters as the layer.

    It sees the same samples (angles divided by π), with the same seed. ``adam`` has the layer's
    learning rate and budget of full-batch steps; ``lbfgs`` may take ten times as many.

    Args:
        problem: data and circuit, from `prepare`.
        solver: ``adam`` or ``lbfgs``.

    Returns:
        R² on the test set, and the network's number of parameters.

    Raises:
        ValueError: the solver is unknown.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    check_option("solver", solver, SOLVERS)
    config, n_features = problem.config, problem.x_train.shape[1]
    width = matched_width(n_features, problem.n_parameters)
    n_steps = max(1, config.n_steps)
    network = MLPRegressor(
        hidden_layer_sizes=(width,),
        activation="tanh",
        solver=solver,
        alpha=0.0,
        batch_size=len(problem.x_train) if solver == "adam" else "auto",
        learning_rate_init=config.learning_rate,
        max_iter=n_steps if solver == "adam" else 10 * n_steps,
        max_fun=100 * n_steps,
        tol=1e-9,
        n_iter_no_change=n_steps,
        random_state=config.seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the budget is meant to end it
        network.fit(problem.x_train / np.pi, problem.y_train)
    return _r2(problem, network.predict(problem.x_test / np.pi)), width * (n_features + 2) + 1


def compare(config: PolynomialConfig, seeds: Iterable[int] = range(5), table: Table | None = None) -> pd.DataFrame:
    """The layer, least squares on its frequencies and matched networks, over the same seeds.

    Args:
        config: the settings; ``seed`` is replaced.
        seeds: one or more different ones; each draws samples and starting values anew.
        table: the rows, where ``config.target.kind`` is ``table``.

    Returns:
        One row for each model and seed: model, seed, test_r2, n_parameters, seconds, ceiling.

    Raises:
        ValueError: no seeds, or the same seed twice.
    """
    from qfl_explore.experiments.polynomial import run

    seeds = tuple(seeds)
    if not seeds or len(set(seeds)) != len(seeds):
        raise invalid("seeds are not usable", "one or more different seeds", f"{seeds}")
    rows = []
    for seed in seeds:
        seeded = config.replace(seed=seed)
        problem = prepare(seeded, table)

        def fusion(seeded: PolynomialConfig = seeded, problem: Problem = problem) -> tuple[float, int]:
            return run(seeded, table).final.test_r2, problem.n_parameters

        entrants = {
            FUSION: fusion,
            LEAST_SQUARES: lambda problem=problem: least_squares_r2(problem),
            MLP_ADAM: lambda problem=problem: matched_mlp_r2(problem, "adam"),
            MLP_LBFGS: lambda problem=problem: matched_mlp_r2(problem, "lbfgs"),
        }
        for model, fit in entrants.items():
            began = time.perf_counter()
            r2, n_parameters = fit()
            rows.append((model, seed, r2, n_parameters, time.perf_counter() - began, problem.ceiling.r2))
    return pd.DataFrame(rows, columns=["model", "seed", "test_r2", "n_parameters", "seconds", "ceiling"])


def _r2(problem: Problem, fitted: np.ndarray) -> float:
    return 1.0 - float(np.mean((fitted - problem.y_test) ** 2) / np.var(problem.y_test))

"""Least squares reaches the ceiling, the matched network is matched, the comparison is complete."""

import pytest

from qfl_explore import FusionConfig
from qfl_explore.experiments.alternatives import (
    FUSION,
    LEAST_SQUARES,
    MLP_ADAM,
    MLP_LBFGS,
    compare,
    least_squares_r2,
    matched_mlp_r2,
    matched_width,
)
from qfl_explore.experiments.polynomial import PolynomialConfig, prepare
from qfl_explore.experiments.targets import TargetConfig


def _config(degree, k, **changes):
    fusion = FusionConfig(n_modalities=1, constant_slot=False, degree=degree)
    return PolynomialConfig(fusion=fusion, target=TargetConfig(kind="cosine", degree=k), **changes)


@pytest.mark.parametrize(("degree", "k", "reached"), [(3, 3, True), (5, 2, True), (2, 3, False)])
def test_least_squares_meets_the_wall_exactly(degree, k, reached):
    r2, n_coefficients = least_squares_r2(prepare(_config(degree, k, n_train=512)))
    assert n_coefficients == 2 * degree + 1
    if reached:
        assert r2 > 1 - 1e-12
    else:
        assert r2 < 0.02


def test_least_squares_with_few_samples_overfits_where_the_spectrum_is_large():
    # six samples, seventeen frequencies: the fit of least norm does not find the one that matters
    r2, _ = least_squares_r2(prepare(_config(8, 3, n_train=6)))
    assert r2 < 0.9


@pytest.mark.parametrize("n_features", [1, 2, 7])
@pytest.mark.parametrize("n_parameters", [1, 14, 58, 100])
def test_the_network_is_the_smallest_with_enough_parameters(n_features, n_parameters):
    width = matched_width(n_features, n_parameters)
    assert width * (n_features + 2) + 1 >= n_parameters
    assert width == 1 or (width - 1) * (n_features + 2) + 1 < n_parameters


def test_a_matched_network_learns_a_slow_wave_and_its_count_is_right():
    problem = prepare(_config(3, 1, n_steps=200))
    r2, n_parameters = matched_mlp_r2(problem, "lbfgs")
    assert n_parameters == 5 * 3 + 1 >= problem.n_parameters
    assert r2 > 0.99


def test_an_unknown_solver_is_refused():
    with pytest.raises(ValueError, match="solver.*'lbfgs'"):
        matched_mlp_r2(prepare(_config(1, 1)), "sgd")


def test_compare_has_one_row_for_each_model_and_seed():
    table = compare(_config(2, 1, n_steps=60), seeds=(3, 4))
    assert list(table.groupby("seed")["model"].apply(tuple)) == [(FUSION, LEAST_SQUARES, MLP_ADAM, MLP_LBFGS)] * 2
    exact = table[table["model"] == LEAST_SQUARES]
    assert (exact["test_r2"] > 1 - 1e-12).all()
    assert (table["test_r2"] <= 1).all()
    assert table["ceiling"].between(0.999, 1.001).all()


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_compare_refuses_seeds_that_make_no_comparison(seeds):
    with pytest.raises(ValueError, match="one or more different seeds"):
        compare(_config(1, 1), seeds=seeds)

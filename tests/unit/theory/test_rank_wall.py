"""The rank wall: ranks, singular values, and the exact error, against integration on points."""

import itertools

import numpy as np
import pytest

from qfl_explore.theory import rank_wall as w


@pytest.mark.parametrize(("n_modalities", "rank"), [(2, 2), (4, 4), (6, 8), (8, 16), (10, 32)])
def test_unfolding_rank_doubles_with_every_pair(n_modalities, rank):
    assert w.unfolding_rank(n_modalities) == w.needed_rank(n_modalities) == rank
    values = np.linalg.svd(w.unfolding(n_modalities), compute_uv=False)
    assert values == pytest.approx(np.ones(rank))


def test_the_tensor_is_that_of_the_target():
    x = np.random.default_rng(0).uniform(-1, 1, (20, 4))
    tensor = w.coefficient_tensor(4)
    powers = [np.stack([np.ones(20), x[:, m]]) for m in range(4)]
    values = np.einsum("abcd,an,bn,cn,dn->n", tensor, *powers)
    assert values == pytest.approx(w.target(x))


def test_relative_error_is_the_integral():
    factors = np.random.default_rng(1).normal(size=(4, 3, 2))
    nodes, weights = np.polynomial.legendre.leggauss(4)
    x = np.array(list(itertools.product(nodes, repeat=4)))
    mass = np.prod(np.array(list(itertools.product(weights / 2, repeat=4))), axis=1)
    model = np.prod(factors[None, :, :, 0] + factors[None, :, :, 1] * x[:, :, None], axis=1).sum(axis=1)
    truth = w.target(x)
    expected = mass @ (model - truth) ** 2 / (mass @ truth**2)
    assert w.relative_error(factors) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_monomials_attain_the_least_error(rank):
    factors = np.zeros((4, rank, 2))
    for r, choice in enumerate(list(itertools.product((0, 1), repeat=2))[:rank]):
        for pair, second in enumerate(choice):
            factors[2 * pair, r] = (1, 0) if second else (0, 1)
            factors[2 * pair + 1, r] = (0, 1) if second else (1, 0)
    assert w.relative_error(factors) == pytest.approx(w.least_error(4, rank), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: w.needed_rank(3), "must be even.*Expected: .* Received: 3"),
        (lambda: w.needed_rank(14), "out of range. Expected: .* Received: n_modalities=14"),
    ],
)
def test_errors_have_three_parts(call, message):
    with pytest.raises(ValueError, match=message):
        call()

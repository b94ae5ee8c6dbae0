"""How low-rank fusion's factors start, in NumPy, so that layer and experiment draw the same numbers."""

from __future__ import annotations

import math

import numpy as np

from qfl_explore.errors import check_option

#: The word that `LowRankFusion` takes, and what it means.
STARTS: dict[str, str] = {
    "reference": "Xavier normal, as the authors' code",
    "unit_variance": "every factor has mean square 1",
    "near_one": "every factor starts near 1",
}


def low_rank_start(
    n_modalities: int, feature_dim: int, rank: int, n_outputs: int, start: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws the factors and rank weights of ``Σ_r w_r Π_m (W_{m,r} · [1; h_m]) + b``.

    - ``reference``: Xavier normal as PyTorch reads a tensor [R, D + 1, o], that is a variance of
      ``2 / ((R + D + 1) o)``, and ``2 / (R + 1)`` for w. The width o stands in the denominator of
      every one of the M factors, so the product vanishes as o^(-M/2).
    - ``unit_variance``: ``1 / (D + 1)`` and ``1 / R``: for inputs of unit size E[product²] = 1 for
      every M. The mean square is carried by ever rarer, ever larger values; the *median* still
      vanishes exponentially, because E[log|g|] = -0.635 for a normal g.
    - ``near_one``: 1 on the appended 1, ``1 / (M D)`` on the features, ``1 / R`` for w. The product
      stays near 1 for every M: E[product²] = (1 + 1/M)^M < e, and its median does not vanish.

    Source: the first is the authors' published code for arXiv:1806.00064; the other two are our
    construction.

    Args:
        n_modalities: M.
        feature_dim: D.
        rank: R.
        n_outputs: o.
        start: one of ``STARTS``.
        rng: what draws.

    Returns:
        Factors [M, R, D + 1, o] (place 0 is the weight of the appended 1), and w [R].
    """
    shape = (n_modalities, rank, feature_dim + 1, n_outputs)
    if check_option("start", start, STARTS) == "reference":
        factors = rng.normal(0.0, math.sqrt(2 / ((rank + feature_dim + 1) * n_outputs)), shape)
        return factors, rng.normal(0.0, math.sqrt(2 / (rank + 1)), rank)
    spread = feature_dim + 1 if start == "unit_variance" else n_modalities * feature_dim
    factors = rng.normal(0.0, spread**-0.5, shape)
    if start == "near_one":
        factors[:, :, 0, :] = 1.0
    return factors, rng.normal(0.0, rank**-0.5, rank)

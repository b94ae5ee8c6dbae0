"""A function that low-rank fusion cannot hold below rank 2^(M/2): ``f = Π_i (x_{2i-1} + x_{2i})``.

With one scalar a modality, LMF of rank R is a sum of R products ``Π_m (b_m + u_m x_m)``, so its
coefficient tensor [2, …, 2] has CP rank at most R, and every unfolding of it has rank at most R. The
unfolding of f into odd against even modalities is a Kronecker product of k = M/2 matrices of rank 2:
rank 2^k, with 2^k *equal* singular values.

So for x uniform on [-1, 1]^M the least relative squared error at rank R is exactly ``1 - R / 2^k``: no
matrix of rank R comes nearer to the unfolding (Eckart and Young), and R of the 2^k monomials of f
attain it. The error falls in a straight line and then, at R = 2^k, to nothing.

Source: our construction; LMF is Liu et al., arXiv:1806.00064.
"""

from __future__ import annotations

import functools

import numpy as np

from qfl_explore.errors import check_int, invalid

MAX_MODALITIES = 12


def check_modalities(n_modalities: int) -> int:
    """Returns M if it is even and from 2 to 12.

    Raises:
        ValueError: it is odd or out of range.
        TypeError: it is not an integer.
    """
    n_modalities = check_int("n_modalities", n_modalities, 2, MAX_MODALITIES)
    if n_modalities % 2:
        raise invalid("n_modalities must be even, for the modalities come in pairs", "2, 4, …", f"{n_modalities}")
    return n_modalities


def needed_rank(n_modalities: int) -> int:
    """``2^(M/2)``, the least rank with which LMF holds f.

    >>> [needed_rank(m) for m in (2, 4, 6, 8, 10)]
    [2, 4, 8, 16, 32]
    """
    return 2 ** (check_modalities(n_modalities) // 2)


def target(x: np.ndarray) -> np.ndarray:
    """f at points [N, M]."""
    return np.prod(x[:, 0::2] + x[:, 1::2], axis=1)


def coefficient_tensor(n_modalities: int) -> np.ndarray:
    """Coefficients of f over the monomials ``Π x_m^{i_m}``; shape [2] * M, entries 0 or 1."""
    pair = np.array([[0.0, 1.0], [1.0, 0.0]])
    pairs = [pair] * (check_modalities(n_modalities) // 2)
    return functools.reduce(lambda tensor, factor: np.multiply.outer(tensor, factor), pairs)


def unfolding(n_modalities: int) -> np.ndarray:
    """The coefficient tensor as a matrix [2^k, 2^k]: odd modalities against even ones."""
    tensor = coefficient_tensor(n_modalities)
    order = [*range(0, n_modalities, 2), *range(1, n_modalities, 2)]
    return tensor.transpose(order).reshape(needed_rank(n_modalities), -1)


def unfolding_rank(n_modalities: int) -> int:
    """Its rank, computed.

    >>> unfolding_rank(6)
    8
    """
    return int(np.linalg.matrix_rank(unfolding(n_modalities)))


def least_error(n_modalities: int, rank: int) -> float:
    """The least relative squared error of LMF, ``max(0, 1 - R / 2^k)``, for x uniform on [-1, 1]^M.

    >>> [least_error(4, rank) for rank in (1, 2, 3, 4, 5)]
    [0.75, 0.5, 0.25, 0.0, 0.0]
    """
    return max(0.0, 1.0 - check_int("rank", rank, 0) / needed_rank(n_modalities))


def relative_error(factors: np.ndarray) -> float:
    """Relative squared error ``E[(g - f)²] / E[f²]`` of an LMF without bias, in closed form.

    Args:
        factors: [M, R, 2], the constant and the slope of every factor.

    Returns:
        A number of 0 or more, up to rounding.
    """
    scaled = np.asarray(factors, np.float64) * np.array([1.0, 1.0 / np.sqrt(3.0)])  # orthonormal: 1, √3 x
    own = np.prod(np.einsum("mrd,msd->mrs", scaled, scaled), axis=0).sum()
    first, second = scaled[0::2], scaled[1::2]
    mixed = (first[..., 0] * second[..., 1] + first[..., 1] * second[..., 0]) / np.sqrt(3.0)
    size = (2.0 / 3.0) ** (len(factors) // 2)
    return float((own - 2.0 * np.prod(mixed, axis=0).sum() + size) / size)

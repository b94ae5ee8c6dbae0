"""The Fourier spectrum of a given function, where it has a finite one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: The grid of the transform holds at most this many points.
MAX_GRID = 200_000
#: A spectrum has at most this many members.
MAX_FREQUENCIES = 4096


def trigonometric_spectrum(
    function: Callable[[np.ndarray], np.ndarray], n_features: int, highest: int, half_integers: bool
) -> tuple[np.ndarray, np.ndarray] | None:
    """Fourier coefficients of a function, if it is a trigonometric polynomial with every |ω_j| ≤ ``highest``.

    A fast Fourier transform over one period proposes them, random points off the grid confirm them.

    Args:
        function: x [N, F] radians -> y [N].
        n_features: F.
        highest: largest |ω_j| to look for; 1 or more.
        half_integers: whether to look for multiples of 1/2 too (the period is then 4π).

    Returns:
        Frequencies [n, F] in lexicographic order and coefficients [n] complex, those below 1e-9
        of the largest left out; ``None`` where the function is none, or is too large to tell.
    """
    periods = 2 if half_integers else 1
    n_axis = min(2 * highest * periods + 2, int((MAX_GRID + 0.5) ** (1.0 / n_features)))
    if n_axis < 4 or (not half_integers and n_axis < 2 * highest + 1):
        return None
    axis = 2.0 * np.pi * periods * np.arange(n_axis) / n_axis
    grid = np.stack(np.meshgrid(*[axis] * n_features, indexing="ij"), axis=-1).reshape(-1, n_features)
    with np.errstate(all="ignore"):
        values = function(grid)
    if not np.isfinite(values).all():
        return None
    coefficients = np.fft.fftshift(np.fft.fftn(values.reshape([n_axis] * n_features)) / values.size).ravel()
    marks = np.fft.fftshift(np.fft.fftfreq(n_axis, 1.0 / n_axis)) / periods
    omega = np.stack(np.meshgrid(*[marks] * n_features, indexing="ij"), axis=-1).reshape(-1, n_features)
    kept = np.abs(coefficients) > 1e-9 * np.abs(coefficients).max()
    omega, coefficients = omega[kept], coefficients[kept]
    if len(omega) > MAX_FREQUENCIES or not _confirmed(function, omega, coefficients):
        return None
    return omega, coefficients


def _confirmed(function: Callable[[np.ndarray], np.ndarray], omega: np.ndarray, coefficients: np.ndarray) -> bool:
    points = np.random.default_rng(0).uniform(-2.0 * np.pi, 2.0 * np.pi, (64, omega.shape[1]))
    with np.errstate(all="ignore"):
        wanted = function(points)
    got = (np.exp(1j * points @ omega.T) @ coefficients).real
    return bool(np.allclose(got, wanted, rtol=0.0, atol=1e-7 * np.abs(coefficients).sum()))

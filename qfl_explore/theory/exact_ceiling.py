"""The ceiling of a layer on a trigonometric target as an integral over the domain, without sample points.

Over a cube with centre c and half width h the exponentials have the overlaps
``⟨e^{iω·x}, e^{iν·x}⟩ = e^{i(ν-ω)·c} Π_j sinc((ν_j - ω_j)·h)``. With G the overlaps within the reachable
spectrum and b those with the target, the best fit has the squared norm ``b† G⁺ b``.

Source: our construction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.errors import invalid
from qfl_explore.theory.spectrum import MAX_CEILING_FREQUENCIES, Ceiling, count_frequencies, reachable_frequencies

#: Eigenvalues of G below this share of the largest count as 0: rounding errors would rule there.
#: On a domain much shorter than a period many are that small, and the ceiling comes out too low.
_CUT = 1e-13


def exact_ceiling(
    config: FusionConfig, frequencies: Any, coefficients: Any, domain: tuple[float, float] = (-np.pi, np.pi)
) -> Ceiling:
    """The largest R² that any function with the reachable spectrum attains, features uniform on a cube.

    Args:
        config: the layer's settings.
        frequencies: [n, M·D], of the target; with ω it must hold -ω.
        coefficients: [n] complex, of the target ``Σ_ω c_ω e^{iω·x}``.
        domain: lowest and highest angle of every feature (radians); a period 2π or more, since
            on a short one rounding leaves out directions and the result is too low.

    Returns:
        A `Ceiling`; its ``r2`` is ``None`` where the spectrum has more than
        ``MAX_CEILING_FREQUENCIES`` members.

    Raises:
        ValueError: the shapes do not fit, or the target is constant on the domain.

    >>> layer = FusionConfig(n_modalities=1, degree=2, constant_slot=False)
    >>> exact_ceiling(layer, [[-3.0], [3.0]], [0.5, 0.5]).r2 < 1e-12
    True
    """
    target = np.asarray(frequencies, np.float64)
    values = np.asarray(coefficients, complex)
    if target.ndim != 2 or target.shape[1] != config.n_features or values.shape != (len(target),):
        expected = f"frequencies [n, {config.n_features}] and coefficients [n]"
        raise invalid("the target's spectrum has the wrong shape", expected, f"{target.shape} and {values.shape}")
    count = count_frequencies(config)
    if count > MAX_CEILING_FREQUENCIES:
        return Ceiling(None, count, f"not computed: {count:.6g} frequencies, limit {MAX_CEILING_FREQUENCIES}")
    half = (domain[1] - domain[0]) / 2
    centred = values * np.exp(1j * target.sum(axis=1) * (domain[0] + domain[1]) / 2)
    power = float((centred.conj() @ (_overlaps(target, target, half) @ centred)).real)
    mean = complex(_overlaps(np.zeros((1, target.shape[1])), target, half)[0] @ centred)
    variance = power - abs(mean) ** 2
    if not variance > 1e-12 * power:
        raise invalid("the target is constant on the domain", "a target that varies", f"variance {variance:.3g}")
    explained = _best_power(reachable_frequencies(config), target, centred, half) - abs(mean) ** 2
    return Ceiling(float(np.clip(explained / variance, 0.0, 1.0)), count, f"exact integral, {count} frequencies")


def _best_power(reachable: np.ndarray, target: np.ndarray, coefficients: np.ndarray, half: float) -> float:
    """b† G⁺ b: squared norm of the target's projection on the reachable spectrum."""
    sizes, vectors = np.linalg.eigh(_overlaps(reachable, reachable, half))
    kept = sizes > _CUT * sizes[-1]
    inner = vectors[:, kept].T @ (_overlaps(reachable, target, half) @ coefficients)
    return float((np.abs(inner) ** 2 / sizes[kept]).sum())


def _overlaps(left: np.ndarray, right: np.ndarray, half: float) -> np.ndarray:
    """[n_left, n_right] means of e^{i(ν-ω)·x} over the cube [-half, half]^F: products of sinc, real."""
    product = np.ones((len(left), len(right)))
    for column in range(left.shape[1]):
        turns = (right[None, :, column] - left[:, None, column]) * half / np.pi
        product *= np.sinc(np.where(np.abs(turns - np.round(turns)) < 1e-12, np.round(turns), turns))
    return product

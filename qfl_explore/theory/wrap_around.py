"""What becomes of a circuit's answer when features are scaled, shifted, clipped, replaced or turned.

An expectation value is ``f(x) = Σ_ω c_ω e^{iω·x}`` over the reachable frequencies (see `spectrum`), so

- a whole turn of one feature, x_j → x_j + 2π, multiplies c_ω by ``e^{2πi ω_j}``: +1 for an integer
  ω_j and -1 for a half-integer one. Integer spectra have the period 2π, half-integer ones 4π.
- a factor s on the features makes the layer reach the frequencies s·ω of the unscaled ones.
- a shift multiplies c_ω by a phase, so the reachable *functions* stay the same.
- clipping and replaced values destroy information; what is left bounds every model, not only this one.

Source: the spectrum is Schuld, Sweke and Meyer, arXiv:2008.08605; these consequences are our
construction (derived).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.errors import invalid
from qfl_explore.theory.spectrum import needed_degrees


def has_half_integers(config: FusionConfig) -> bool:
    """Whether some reachable frequency of a single feature is a half-integer.

    With one feature and no slot that carries the identity, ``2ω`` is even and ω an integer.
    """
    if config.encoding == "qubit_per_feature" or config.signal == "phase":
        return False
    return config.n_features > 1 or config.n_slots > config.n_features


def period(config: FusionConfig) -> float:
    """The smallest T > 0 with ``f(x + T e_j) = f(x)`` for every feature j and all weights: 2π or 4π (radians).

    >>> [round(period(FusionConfig(n_modalities=1, constant_slot=c)) / math.pi) for c in (False, True)]
    [2, 4]
    """
    return 4 * math.pi if has_half_integers(config) else 2 * math.pi


def natural_range(config: FusionConfig) -> tuple[float, float]:
    """Half a period to each side (radians): inside, no two values of a feature are the same to the circuit.

    Its two ends are the same value to the circuit.
    """
    half = period(config) / 2
    return -half, half


def wrapped(x: Any, turn: float = 2 * math.pi) -> np.ndarray:
    """``x`` minus the multiple of ``turn`` that brings it into [-turn/2, turn/2), radians, any shape.

    >>> wrapped([0.0, 4.0, -4.0]).round(4).tolist()
    [0.0, -2.2832, 2.2832]
    """
    array = np.asarray(x, np.float64)
    return array - turn * np.floor(array / turn + 0.5)


def turn_factors(frequencies: Any, turns: Any) -> np.ndarray:
    """``e^{2πi ω·k}``, by which every c_ω is multiplied when feature j makes k_j whole turns of 2π.

    Args:
        frequencies: [n, F], multiples of 1/2.
        turns: [F], integers k_j.

    Returns:
        [n], each +1 or -1.

    >>> turn_factors([[1.0, 0.0], [0.5, 0.0], [0.5, 0.5]], [1, 1]).tolist()
    [1.0, -1.0, 1.0]
    """
    halves = np.rint(2 * np.asarray(frequencies, np.float64) @ np.asarray(turns, np.float64))
    return 1.0 - 2.0 * (halves % 2)


def degrees_after_scaling(config: FusionConfig, frequencies: Any, factor: float) -> np.ndarray:
    """The smallest degree P at which each target frequency is reachable when the circuit sees factor · x.

    In the circuit's own angle a wave of frequency ω has the frequency ω/factor. ``inf`` where that
    is off the lattice, so that no degree gives it exactly.

    Args:
        config: the layer's settings; its degree is ignored.
        frequencies: [n, M·D], of the target in its own features.
        factor: more than 0.

    Returns:
        [n] float64.

    >>> layer = FusionConfig(n_modalities=1, constant_slot=False)
    >>> [degrees_after_scaling(layer, [[2.0]], s).item() for s in (0.5, 1, 2, 4)]
    [4.0, 2.0, 1.0, inf]
    """
    if not (math.isfinite(factor) and factor > 0):
        raise invalid("factor is out of range", "a finite number above 0", f"factor={factor}")
    return needed_degrees(config, np.asarray(frequencies, np.float64) / factor)


def shifted_r2(frequencies: Any, coefficients: Any, shift: float) -> float:
    """R² of an exact but unchanged model when every feature is shifted: f(x + shift) as a prediction of f(x).

    ``1 - Σ |c_ω|² |1 - e^{i shift Σ_j ω_j}|² / Σ_{ω≠0} |c_ω|²`` for features uniform over a period.
    For cos kx this is ``2 cos(k·shift) - 1``: from 1 down to -3.

    Args:
        frequencies: [n, F], integers; with ω it must hold -ω.
        coefficients: [n] complex.
        shift: radians, the same for all features.

    >>> round(shifted_r2([[-3.0], [3.0]], [0.5, 0.5], math.pi / 9), 6)   # 2 cos(π/3) - 1
    0.0
    """
    omega, weights = _waves(frequencies, coefficients)
    lost = np.abs(1.0 - np.exp(1j * shift * omega.sum(axis=1))) ** 2
    return float(1.0 - weights @ lost / weights.sum())


def scaled_r2(frequencies: Any, coefficients: Any, factor: float, half: float = math.pi) -> float:
    """R² of an exact but unchanged model when every feature is scaled: f(factor·x) as a prediction of f(x).

    Exact for features uniform on [-half, half]: overlaps of waves are products of sinc.

    Args:
        frequencies: [n, F]; with ω it must hold -ω.
        coefficients: [n] complex.
        factor: s, any finite number.
        half: radians, more than 0.

    >>> scaled_r2([[-2.0], [2.0]], [0.5, 0.5], 1.0)
    1.0
    """
    omega, c = np.asarray(frequencies, np.float64), np.asarray(coefficients, complex)
    both = np.concatenate([omega, factor * omega])
    overlaps = np.sinc((both[None] - both[:, None]) * half / math.pi).prod(axis=2)
    error = np.concatenate([c, -c])
    n = len(omega)
    power = float((c.conj() @ overlaps[:n, :n] @ c).real)
    mean = complex(np.sinc(omega * half / math.pi).prod(axis=1) @ c)
    return float(1.0 - (error.conj() @ overlaps @ error).real / (power - abs(mean) ** 2))


def replaced_ceiling(frequencies: Any, coefficients: Any, share: float) -> float:
    """The best R² of *any* model when a share of the values is replaced by noise that can be recognised.

    A wave that needs m features survives with probability (1 - share)^m:
    ``Σ |c_ω|² (1 - share)^{m(ω)} / Σ |c_ω|²`` over ω ≠ 0. Noise that cannot be told from good values
    leaves less.

    Args:
        frequencies: [n, F], integers.
        coefficients: [n] complex.
        share: 0 to 1, the probability for each value, independently.

    >>> replaced_ceiling([[1.0, 0.0], [-1.0, 0.0]], [0.5, 0.5], 0.25)
    0.75
    """
    omega, weights = _waves(frequencies, coefficients)
    n_needed = np.count_nonzero(omega, axis=1)
    return float(weights @ (1.0 - share) ** n_needed / weights.sum())


def clipped_ceiling(frequencies: Any, coefficients: Any, limit: float, half: float = math.pi) -> float:
    """The best R² of *any* model that sees features clipped to [-limit, limit]: ``Var E[f|clipped] / Var f``.

    Exact for features uniform on [-half, half]: beyond the limit only the mean over the tail is
    left of each wave.

    Args:
        frequencies: [n, F]; with ω it must hold -ω.
        coefficients: [n] complex.
        limit: radians, above 0; even the smallest leaves the signs of the features.
        half: radians, more than 0.

    >>> clipped_ceiling([[-1.0], [1.0]], [0.5, 0.5], math.pi)
    1.0
    """
    omega, c = np.asarray(frequencies, np.float64), np.asarray(coefficients, complex)
    inside = min(max(limit, 0.0), half) / half
    gaps = omega[None] - omega[:, None]
    full = np.sinc(gaps * half / math.pi)
    kept = inside * np.sinc(gaps * inside * half / math.pi)
    if inside < 1.0:
        upper = _tail_means(omega, inside * half, half)
        pairs = upper.conj()[:, None] * upper[None]
        kept = kept + (1.0 - inside) * pairs.real  # both tails, of weight (1 - inside) / 2 each
    mean = complex(np.sinc(omega * half / math.pi).prod(axis=1) @ c)
    before = (c.conj() @ full.prod(axis=2) @ c).real - abs(mean) ** 2
    after = (c.conj() @ kept.prod(axis=2) @ c).real - abs(mean) ** 2
    return float(after / before)


def _tail_means(omega: np.ndarray, start: float, end: float) -> np.ndarray:
    """Means of e^{iωx} over [start, end]."""
    middle, width = (start + end) / 2, end - start
    return np.exp(1j * omega * middle) * np.sinc(omega * width / (2 * math.pi))


def small_scale_ceiling(frequencies: Any, coefficients: Any, n_frequencies: int) -> float:
    """The ceiling of a layer of one feature in the limit of a small factor: the best polynomial.

    For a factor s → 0 the n waves e^{isωx} span the polynomials of degree below n, so the ceiling
    tends to the share of the target in the first n Legendre polynomials on [-π, π]. To use it a
    layer would need coefficients that grow like 1/s^(n-1), which no training finds.

    Args:
        frequencies: [n, 1], integers, of the target.
        coefficients: [n] complex.
        n_frequencies: how many the layer reaches, 1 or more.
    """
    from scipy.special import spherical_jn

    omega, c = np.asarray(frequencies, np.float64)[:, 0], np.asarray(coefficients, complex)
    orders = np.arange(n_frequencies)
    waves = spherical_jn(orders[:, None], np.abs(omega) * math.pi) * np.sign(omega + (omega == 0)) ** orders[:, None]
    shares = (2 * orders + 1) * np.abs((1j ** orders[:, None] * waves) @ c) ** 2
    power = float(np.abs(c) ** 2 @ (omega != 0))
    return float(shares[1:].sum() / power)


def _waves(frequencies: Any, coefficients: Any) -> tuple[np.ndarray, np.ndarray]:
    """The frequencies that are not 0, and |c_ω|²."""
    omega, c = np.asarray(frequencies, np.float64), np.asarray(coefficients, complex)
    moving = (omega != 0).any(axis=1)
    if not moving.any() or c.shape != (len(omega),):
        raise invalid(
            "the target's spectrum is not usable",
            "waves [n, F] with coefficients [n], not only ω = 0",
            f"{omega.shape}",
        )
    return omega[moving], np.abs(c[moving]) ** 2

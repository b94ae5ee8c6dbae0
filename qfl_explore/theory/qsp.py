"""Quantum signal processing: responses in closed form, phases through pyqsp.

Convention Wx: ``U(a) = exp(iφ_0 Z) Π_k W(a) exp(iφ_k Z)`` with ``W(a) = exp(i arccos(a) X)``. Then
``⟨0|U|0⟩ = P(a)`` is a polynomial of degree d with the parity of d and ``|P| ≤ 1`` on [-1, 1].
With several signals (M-QSP) each W may be another oracle ``exp(iθ X)``.

Source: Low and Chuang, arXiv:1606.02685; Gilyén et al., arXiv:1806.01838. The multivariable form is
Rossi and Chuang, arXiv:2205.06261, whose theorem on what can be achieved is flawed (Mori, Mizuta and
Fujii, Quantum 8, 1512); here every claim is checked by computing the response.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from qfl_explore.errors import invalid

#: Coefficients below this share of the largest count as zero.
_ZERO = 1e-9
MAX_DEGREE = 60
#: A found response may miss its polynomial by at most this much.
TOLERANCE = 1e-6

_A, _B = math.atan(math.sqrt(2)), math.atan(1 / math.sqrt(2))
_HALF = math.pi / 2


@dataclasses.dataclass(frozen=True)
class PatternFixture:
    """A two-oracle sequence and what it must do.

    Attributes:
        pattern: oracles in the order of the product, such as ``ABABAB``.
        phases: φ_0 … φ_d in radians.
        p0: probability of 0 for (θ_A, θ_B) = (0,0), (0,π/3), (π/3,0), (π/3,π/3).
    """

    pattern: str
    phases: tuple[float, ...]
    p0: tuple[float, ...]


#: Which of two oracles with angles 0 or π/3 turn: exact answers. Source: our construction.
BOOLEAN: dict[str, PatternFixture] = {
    "XOR": PatternFixture("ABABAB", (0, _HALF, _B, _HALF, -_B, _HALF, 0), (1, 0, 0, 1)),
    "OR": PatternFixture("ABABAB", (0, -_A, 0, math.pi + _A, -math.pi, math.pi - _A, 0), (1, 0, 0, 0)),
    "AND": PatternFixture("ABAB", (0, _B, -(math.pi - _A), -(math.pi - _B), 0), (1, 1, 1, 0)),
}
BOOLEAN_ANGLES = ((0.0, 0.0), (0.0, math.pi / 3), (math.pi / 3, 0.0), (math.pi / 3, math.pi / 3))
#: The joint protocol for two oracles and δ = π/6 in this form. Source: our construction.
DIFFERENCE = PatternFixture("ABABAB", (0, *(_HALF, -_HALF) * 3), (1, 0, 0, 1))


def phase_gates(phases: Sequence[float] | np.ndarray) -> np.ndarray:
    """``exp(iφZ)`` for each phase; [n, 2, 2]."""
    phases = np.asarray(phases, np.float64)
    gates = np.zeros((len(phases), 2, 2), np.complex128)
    gates[:, 0, 0], gates[:, 1, 1] = np.exp(1j * phases), np.exp(-1j * phases)
    return gates


def x_rotations(theta: np.ndarray) -> np.ndarray:
    """``exp(iθX)`` for each angle (radians); [B, 2, 2]."""
    theta = np.asarray(theta, np.float64)
    gates = np.empty((len(theta), 2, 2), np.complex128)
    gates[:, 0, 0] = gates[:, 1, 1] = np.cos(theta)
    gates[:, 0, 1] = gates[:, 1, 0] = 1j * np.sin(theta)
    return gates


def pattern_unitary(pattern: str, phases: Sequence[float], angles: Mapping[str, np.ndarray]) -> np.ndarray:
    """``exp(iφ_0 Z) Π_k exp(iθ_{c_k} X) exp(iφ_k Z)`` for oracles c_1 c_2 … of a pattern.

    Args:
        pattern: one letter a query.
        phases: one more than there are letters, radians.
        angles: letter -> θ [B], radians.

    Returns:
        [B, 2, 2].

    Raises:
        ValueError: counts do not fit, or a letter has no angle.
    """
    if len(phases) != len(pattern) + 1:
        raise invalid("phases do not fit the pattern", f"{len(pattern) + 1} phases", f"{len(phases)} phases")
    missing = sorted(set(pattern) - set(angles))
    if missing:
        raise invalid("an oracle has no angle", f"angles for {', '.join(sorted(set(pattern)))}", f"none for {missing}")
    first, *rest = phase_gates(phases)
    result = first
    for letter, gate in zip(pattern, rest, strict=True):
        result = result @ x_rotations(angles[letter]) @ gate
    return result


def pattern_probability(pattern: str, phases: Sequence[float], angles: Mapping[str, np.ndarray]) -> np.ndarray:
    """Probability [B] of measuring 0 after `pattern_unitary` on |0⟩."""
    return np.abs(pattern_unitary(pattern, phases, angles)[:, 0, 0]) ** 2


def response(phases: Sequence[float] | np.ndarray, a: np.ndarray) -> np.ndarray:
    """``⟨0|U(a)|0⟩`` [B], complex, at signals a [B] in [-1, 1].

    Zero phases give the Chebyshev polynomials:

    >>> response([0, 0, 0], np.array([0.5])).real.round(12).tolist()   # T_2(0.5)
    [-0.5]
    """
    a = np.asarray(a, np.float64)
    if not np.all(np.abs(a) <= 1.0):
        raise invalid("a signal is out of range", "numbers from -1 to 1", f"up to {np.max(np.abs(a)):.3g}")
    pattern = "a" * (len(phases) - 1)
    if not pattern:
        return np.full(len(a), np.exp(1j * float(phases[0])))
    return pattern_unitary(pattern, list(phases), {"a": np.arccos(a)})[:, 0, 0]


@dataclasses.dataclass(frozen=True)
class Sequence1D:
    """Phases whose response has a real polynomial as its imaginary part.

    Attributes:
        phases: φ_0 … φ_d in radians.
        coefficients: the polynomial in Chebyshev form, of definite parity.
        parity: 0 even, 1 odd.
        error: largest ``|Im⟨0|U|0⟩ - polynomial|`` on a grid.
    """

    phases: np.ndarray
    coefficients: np.ndarray
    parity: int
    error: float

    @property
    def degree(self) -> int:
        """d, the number of queries of the signal."""
        return len(self.phases) - 1


def largest_value(coefficients: np.ndarray) -> float:
    """max |f| on [-1, 1] of a Chebyshev series, on 40 Chebyshev points a degree."""
    grid = np.cos(np.linspace(0.0, math.pi, 40 * len(coefficients) + 1))
    return float(np.max(np.abs(np.polynomial.chebyshev.chebval(grid, coefficients))))


def find_phases(coefficients: Sequence[float] | np.ndarray) -> tuple[Sequence1D, ...]:
    """Phases for a real polynomial, one sequence for each parity it has.

    A polynomial without parity is the sum of its even and its odd part, and each part is bounded
    where the whole is. The phases come from pyqsp (symmetric QSP, Newton's method).

    Source: Dong, Lin, Ni and Wang, arXiv:2307.12468; pyqsp: Martyn et al., arXiv:2105.02859.

    Args:
        coefficients: of T_0, T_1, …; degree at most 60, ``|f| < 1`` on [-1, 1].

    Returns:
        One or two sequences.

    Raises:
        ValueError: the polynomial is zero, too high or too large, or no phases were found.

    >>> (found,) = find_phases([0, 0, 0, 0.9])
    >>> found.degree, found.error < 1e-9
    (3, True)
    """
    series = _checked_series(coefficients)
    top = np.max(np.abs(series))
    sequences = []
    for parity in (0, 1):
        part = np.where(np.arange(len(series)) % 2 == parity, series, 0.0)
        if np.max(np.abs(part)) > _ZERO * top:
            sequences.append(_sequence(part, parity))
    return tuple(sequences)


def _checked_series(coefficients: Sequence[float] | np.ndarray) -> np.ndarray:
    series = np.atleast_1d(np.asarray(coefficients, np.float64))
    if series.ndim != 1 or not np.isfinite(series).all() or not np.any(series):
        raise invalid("the polynomial is not usable", "finite coefficients that are not all zero", f"{series.tolist()}")
    series = np.trim_zeros(np.where(np.abs(series) > _ZERO * np.max(np.abs(series)), series, 0.0), "b")
    if len(series) > MAX_DEGREE + 1:
        raise invalid("the polynomial's degree is too high", f"at most {MAX_DEGREE}", f"degree {len(series) - 1}")
    largest = largest_value(series)
    if largest >= 1.0:
        raise invalid("the polynomial is too large", "values below 1 in size on [-1, 1]", f"max |f| = {largest:.4g}")
    return series


def _sequence(series: np.ndarray, parity: int) -> Sequence1D:
    series = np.trim_zeros(series, "b")
    if len(series) == 1:  # a constant needs no query; pyqsp wants at least one
        phases = np.array([math.asin(series[0])])
    else:
        phases = np.asarray(_solve(series), np.float64)
    grid = np.cos(np.linspace(0.0, math.pi, 401))
    error = float(np.max(np.abs(response(phases, grid).imag - np.polynomial.chebyshev.chebval(grid, series))))
    if not error < TOLERANCE:
        raise invalid("no phases were found", "a response within 1e-6 of the polynomial; a smaller factor helps", error)
    return Sequence1D(phases, series, parity, error)


def _solve(series: np.ndarray) -> np.ndarray:
    import pyqsp.sym_qsp_opt as solver
    from pyqsp.angle_sequence import AngleFindingError, QuantumSignalProcessingPhases

    solver.print = lambda *_: None  # pyright: ignore[reportAttributeAccessIssue]  # it reports every iteration
    try:
        with np.errstate(all="ignore"):
            return np.asarray(QuantumSignalProcessingPhases(series, method="sym_qsp", chebyshev_basis=True)[0])
    except (AngleFindingError, np.linalg.LinAlgError) as error:
        expected = "a polynomial for which Newton's method converges; a smaller factor helps"
        raise invalid("pyqsp found no phases", expected, str(error)) from None

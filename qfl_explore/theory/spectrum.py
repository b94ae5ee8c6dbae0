"""Which Fourier frequencies a Quantum Fusion Layer reaches, and the best fit they allow (the ceiling).

An expectation value of a layer is ``f(x) = Σ_ω c_ω e^{iω·x}`` over a finite set of frequency
vectors ω that the encoding, the signal and the degree P fix; the weights move only the c_ω.
Each S(x) multiplies an amplitude by the phase of *one* slot (by one phase per qubit where
every feature has its own), and an expectation value pairs two amplitudes. Hence

- ``qubit_efficient`` with ``ry``, ``rx``, ``rz``: half-integer ω with ``‖ω‖₁ ≤ P``. Where no slot
  carries the identity (no constant slot, no padding), ``2·Σ_j ω_j`` is also even.
- ``qubit_efficient`` with ``phase``: integer ω whose positive entries sum to P at most, and
  whose negative entries sum to -P at least.
- ``qubit_per_feature``, any signal: integer ω with ``|ω_j| ≤ P`` for each feature.

Source: the principle is Schuld, Sweke and Meyer, arXiv:2008.08605; these sets are our
construction (derived, and checked on circuits with random weights). They bound every
measurement. Some leave a part unused: ``computational`` readout after one block sees fewer
(two features, ``ry``, P = 1: 11 of 13), because Z passes the last CZ gates unchanged.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, invalid

#: Directions of the least-squares problem weaker than this (relative) count as not there.
RCOND = 1e-10
#: Above this many frequencies `ceiling` declines: the projection would take minutes.
MAX_CEILING_FREQUENCIES = 1500


def count_frequencies(config: FusionConfig) -> int:
    """How many frequency vectors ω the layer reaches (both signs and 0), for any M·D.

    >>> [count_frequencies(FusionConfig(n_modalities=2, degree=p)) for p in (1, 2, 3)]
    [13, 41, 85]
    >>> [count_frequencies(FusionConfig(n_modalities=2, degree=p, signal="phase")) for p in (1, 2, 3)]
    [7, 19, 37]
    """
    n_features, degree = config.n_features, config.degree
    if config.encoding == "qubit_per_feature":
        return (2 * degree + 1) ** n_features
    if config.signal == "phase":
        # a positive and b negative entries; C(P, a) positive integer vectors have a sum of P at most.
        return sum(
            math.comb(n_features, a) * math.comb(n_features - a, b) * math.comb(degree, a) * math.comb(degree, b)
            for a in range(min(degree, n_features) + 1)
            for b in range(min(degree, n_features - a) + 1)
        )
    norms = range(0, 2 * degree + 1, 1 if _has_identity_slot(config) else 2)
    return sum(_count_of_norm(n_features, norm) for norm in norms)


def _has_identity_slot(config: FusionConfig) -> bool:
    return config.n_slots > config.n_features


def _count_of_norm(n_features: int, norm: int) -> int:
    """Integer vectors with the sum of absolute values equal to ``norm``."""
    if norm == 0:
        return 1
    most = min(n_features, norm)
    return sum(2**k * math.comb(n_features, k) * math.comb(norm - 1, k - 1) for k in range(1, most + 1))


def reachable_frequencies(config: FusionConfig, limit: int = 20_000) -> np.ndarray:
    """All frequency vectors ω that the layer reaches.

    Args:
        config: the layer's settings.
        limit: the most vectors to list; 1 or more.

    Returns:
        [n, M·D] float64, multiples of 1/2, in lexicographic order; with ω it holds -ω, and 0.

    Raises:
        ValueError: there are more than ``limit``.

    >>> reachable_frequencies(FusionConfig(n_modalities=1, degree=2, constant_slot=False)).ravel()
    array([-2., -1.,  0.,  1.,  2.])
    """
    count = count_frequencies(config)
    if count > check_int("limit", limit, 1):
        raise invalid(
            f"the spectrum of {config.n_features} features at degree {config.degree} is too large to list",
            f"at most {limit} frequency vectors (count_frequencies counts any number)",
            f"{count} of them",
        )
    degree = config.degree
    if config.encoding == "qubit_per_feature":
        return _extend(config.n_features, degree, lambda used, step: np.zeros_like(used), 1)
    if config.signal == "phase":
        return _extend(config.n_features, degree, _spend_signed, 2)
    doubled = _extend(config.n_features, 2 * degree, lambda used, step: used + abs(step), 1)
    if not _has_identity_slot(config):
        doubled = doubled[doubled.sum(axis=1) % 2 == 0]
    return doubled / 2


def _spend_signed(used: np.ndarray, step: int) -> np.ndarray:
    return used + np.array([max(step, 0), max(-step, 0)])


def _extend(n_features: int, budget: int, spend: Callable[[np.ndarray, int], np.ndarray], n_budgets: int) -> np.ndarray:
    """Integer vectors, feature by feature, that stay within the budgets; lexicographic order."""
    vectors, used = np.zeros((1, 0)), np.zeros((1, n_budgets))
    for _ in range(n_features):
        steps = range(-budget, budget + 1)
        longer = [np.column_stack([vectors, np.full(len(vectors), float(step))]) for step in steps]
        spent = np.concatenate([spend(used, step) for step in steps])
        order = np.arange(len(spent)).reshape(len(steps), -1).T.ravel()  # keeps prefixes together
        order = order[(spent[order] <= budget).all(axis=1)]
        vectors, used = np.concatenate(longer)[order], spent[order]
    return vectors


def needed_degrees(config: FusionConfig, frequencies: Any) -> np.ndarray:
    """The smallest degree P at which each ω is reachable; ``inf`` where no P does it.

    ``config.degree`` is ignored. No enumeration, so any number of features will do.

    Args:
        config: the layer's settings.
        frequencies: [n, M·D].

    Returns:
        [n] float64.

    >>> needed_degrees(FusionConfig(n_modalities=2), [[2, 1], [0.5, 0], [0.3, 0]])
    array([ 3.,  1., inf])
    """
    omega = _as_matrix("frequencies", frequencies, config.n_features)
    per_feature = config.encoding == "qubit_per_feature"
    integer = per_feature or config.signal == "phase"
    units = omega if integer else 2 * omega
    on_lattice = np.isclose(units, np.round(units), atol=1e-9).all(axis=1)
    if per_feature:
        degrees = np.abs(omega).max(axis=1)
    elif config.signal == "phase":
        degrees = np.maximum(np.maximum(omega, 0).sum(axis=1), np.maximum(-omega, 0).sum(axis=1))
    else:
        degrees = np.abs(omega).sum(axis=1)
        if not _has_identity_slot(config):
            on_lattice &= np.round(units).sum(axis=1) % 2 == 0
    return np.where(on_lattice, np.maximum(np.ceil(degrees - 1e-9), 1.0), np.inf)


def is_reachable(config: FusionConfig, frequencies: Any) -> np.ndarray:
    """Which of the frequency vectors [n, M·D] the layer reaches: [n] booleans."""
    return needed_degrees(config, frequencies) <= config.degree


def design_matrix(frequencies: Any, x: Any) -> np.ndarray:
    """The real basis of a spectrum: 1 (if 0 is in it), then cos(ω·x) and sin(ω·x), one pair for each ±ω.

    Args:
        frequencies: [n, F]; with ω it must hold -ω.
        x: points [N, F], radians.

    Returns:
        [N, n] float64: constant, all cosines, all sines.

    Raises:
        ValueError: the shapes do not fit, or the set does not hold -ω for every ω.
    """
    omega = _as_matrix("frequencies", frequencies)
    half = omega[_positive_half(omega)]
    angles = _as_matrix("x", x, omega.shape[1]) @ half.T
    columns = [np.cos(angles), np.sin(angles)]
    if (omega == 0).all(axis=1).any():
        columns.insert(0, np.ones((len(angles), 1)))
    return np.concatenate(columns, axis=1)


def _positive_half(omega: np.ndarray) -> np.ndarray:
    """Indices of one of each pair ±ω: the one whose first entry that is not 0 is positive."""
    first = np.argmax(omega != 0, axis=1)
    leading = omega[np.arange(len(omega)), first]
    keys = {tuple(row) for row in omega.tolist()}
    if len(keys) != len(omega) or any(tuple(-v for v in key) not in keys for key in keys):
        raise invalid(
            "frequencies is not a spectrum of real functions",
            "distinct frequency vectors, with -ω for every ω",
            f"{len(omega)} vectors, of which {len(keys)} are distinct",
        )
    return np.flatnonzero(leading > 0)


@dataclasses.dataclass(frozen=True)
class Projection:
    """The best fit of given values by a spectrum.

    Attributes:
        coefficients: [n] complex, c_ω in the order of the frequencies given; c_{-ω} = conj(c_ω).
        fitted: [N], the fit on the points given.
        r2: 1 - residual / variance on these points (weighted); 1.0 for constant values.
    """

    coefficients: np.ndarray
    fitted: np.ndarray
    r2: float


def project(frequencies: Any, x: Any, y: Any, weights: Any = None) -> Projection:
    """Least-squares fit of ``y`` by ``Σ_ω c_ω e^{iω·x}``.

    Half-integer frequencies are close to linearly dependent on an interval of one period 2π;
    directions with a relative singular value below ``RCOND`` are left out, so that no
    coefficient is astronomically large.

    Args:
        frequencies: [n, F]; with ω it must hold -ω.
        x: points [N, F], radians.
        y: values [N].
        weights: [N], 0 or more; ``None`` for equal weights.

    Returns:
        A `Projection`.

    Raises:
        ValueError: a shape does not fit, a number is not finite, or a weight is negative.
    """
    omega = _as_matrix("frequencies", frequencies)
    basis = design_matrix(omega, x)
    values = _as_vector("y", y, len(basis))
    weight = np.ones(len(basis)) if weights is None else _as_vector("weights", weights, len(basis))
    if (weight < 0).any() or not weight.sum() > 0:
        raise invalid("weights are out of range", "numbers of 0 or more, not all 0", f"smallest {weight.min():g}")
    root = np.sqrt(weight / weight.sum())
    solution = np.linalg.lstsq(basis * root[:, None], values * root, rcond=RCOND)[0]
    fitted = basis @ solution
    variance = float(np.square(root * (values - np.average(values, weights=weight))).sum())
    residual = float(np.square(root * (values - fitted)).sum())
    constant = variance <= 1e-24 * max(1.0, float(np.abs(values).max()) ** 2)
    return Projection(_complex_coefficients(omega, solution), fitted, 1.0 if constant else 1.0 - residual / variance)


def _complex_coefficients(omega: np.ndarray, solution: np.ndarray) -> np.ndarray:
    half = _positive_half(omega)
    where = {tuple(row): i for i, row in enumerate((omega + 0.0).tolist())}
    negative = [where[tuple(row)] for row in (-omega[half] + 0.0).tolist()]
    cosines, sines = np.split(solution[-2 * len(half) :], 2) if len(half) else (solution[:0], solution[:0])
    coefficients = np.zeros(len(omega), complex)
    coefficients[half] = (cosines - 1j * sines) / 2
    coefficients[negative] = (cosines + 1j * sines) / 2
    coefficients[(omega == 0).all(axis=1)] = solution[0]
    return coefficients


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """The largest R² that any function with the reachable spectrum attains on given points.

    Attributes:
        r2: the ceiling, or ``None`` where it would mean nothing.
        n_frequencies: size of the reachable spectrum.
        method: how it was found, or why there is none, in words for a page.
    """

    r2: float | None
    n_frequencies: int
    method: str


def ceiling(config: FusionConfig, x: Any, y: Any) -> Ceiling:
    """The ceiling of a layer on a target, whatever its weights, readout and training.

    It is a bound: the layer's weights may be too few to reach it. On N scattered points even a
    target without any weight in the spectrum scores about n/N, so give many points (`dense_points`).

    Args:
        config: the layer's settings.
        x: points [N, M·D], radians.
        y: the target's values [N].

    Returns:
        A `Ceiling`; its ``r2`` is ``None`` where the spectrum has more than N/2 members (it
        would fit anything) or more than ``MAX_CEILING_FREQUENCIES``.

    Raises:
        ValueError: a shape does not fit or a number is not finite.
    """
    points = _as_matrix("x", x, config.n_features)
    values = _as_vector("y", y, len(points))
    count = count_frequencies(config)
    if count > MAX_CEILING_FREQUENCIES:
        return Ceiling(None, count, f"not computed: {count:.6g} frequencies, limit {MAX_CEILING_FREQUENCIES}")
    if count > len(points) / 2:
        return Ceiling(None, count, f"not meaningful: {count} frequencies on {len(points)} points would fit anything")
    projection = project(reachable_frequencies(config, MAX_CEILING_FREQUENCIES), points, values)
    return Ceiling(projection.r2, count, f"least squares with {count} frequencies on {len(points)} points")


def dense_points(n_features: int, domain: tuple[float, float] = (-np.pi, np.pi), n_points: int = 2048) -> np.ndarray:
    """Points that fill a cube evenly: a midpoint grid for one or two features, else a Latin hypercube.

    On a full period of 2π the grid makes integer frequencies exactly orthogonal. The hypercube is
    random (fixed seed): a lattice of so few points would mistake some frequencies for others.

    Args:
        n_features: F, 1 or more.
        domain: lowest and highest value of every feature, radians.
        n_points: how many (for two features the square next below); 4 or more.

    Returns:
        [N, F] float64; always the same for the same arguments.
    """
    n_features, n_points = check_int("n_features", n_features, 1), check_int("n_points", n_points, 4)
    if n_features <= 2:
        n_axis = n_points if n_features == 1 else math.isqrt(n_points)
        axis = (np.arange(n_axis) + 0.5) / n_axis
        unit = np.stack(np.meshgrid(*[axis] * n_features, indexing="ij"), axis=-1).reshape(-1, n_features)
    else:
        rng = np.random.default_rng(0)
        ranks = rng.permuted(np.tile(np.arange(n_points), (n_features, 1)), axis=1).T
        unit = (ranks + rng.random((n_points, n_features))) / n_points
    return domain[0] + (domain[1] - domain[0]) * unit


def _as_matrix(name: str, value: Any, n_columns: int | None = None) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape or (n_columns is not None and array.shape[1] != n_columns):
        wanted = "F" if n_columns is None else n_columns
        raise invalid(f"{name} has the wrong shape", f"shape [N, {wanted}]", f"shape {list(array.shape)}")
    return _finite(name, array)


def _as_vector(name: str, value: Any, length: int) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    if array.shape != (length,):
        raise invalid(f"{name} has the wrong shape", f"shape [{length}]", f"shape {list(array.shape)}")
    return _finite(name, array)


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))[0].tolist()
        raise invalid(
            f"{name} must be finite", "numbers without NaN or infinity", f"{array[tuple(bad)]} at index {bad}"
        )
    return array

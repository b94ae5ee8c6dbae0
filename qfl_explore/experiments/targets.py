"""Functions to fit: closed forms, random polynomials, a typed formula, or the columns of a table.

Every target takes all F = M·D features, in radians. Values are not normalised here.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.formula import Formula, describe_point
from qfl_explore.experiments.table import Table
from qfl_explore.theory.fourier import trigonometric_spectrum
from qfl_explore.theory.spectrum import dense_points

TARGETS = (
    "chebyshev",
    "cosine",
    "sine",
    "product",
    "sum",
    "random_polynomial",
    "random_trigonometric",
    "formula",
    "table",
)
MAX_DEGREE = 64
#: Random targets draw at most this many terms.
MAX_TERMS = 256
#: Points on which a new target is tried: 45 squared, which fills a grid of two features.
_N_PROBES = 2025
#: The angle domain of closed forms and formulas: one full period.
PERIOD = (-math.pi, math.pi)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetConfig:
    """What to fit. F features x_1 … x_F in radians, d = ``degree``.

    - ``chebyshev``: ``T_d(t)`` with t the mean of cos x_m; with one feature ``T_d(cos x) = cos(d·x)``.
    - ``cosine``, ``sine``: ``cos(d·(x_1 + … + x_F))``, ``sin(…)``; every feature in one wave.
    - ``product``: ``Π_m cos(d·x_m)``.  ``sum``: ``Σ_m cos(d·x_m)``.
    - ``random_polynomial``: total degree d in t_m = cos x_m, ``Σ_α c_α Π_m T_{α_m}(t_m)`` over
      1 ≤ |α| ≤ d with normal c_α (at most ``MAX_TERMS`` terms, then a random choice of α).
    - ``random_trigonometric``: ``Σ_ω a_ω cos(ω·x + φ_ω)``, ``n_terms`` random integer ω with
      1 ≤ ‖ω‖₁ ≤ d, normal a_ω, uniform φ_ω. At least one ω (or α, above) has full degree d.
    - ``formula``: what the user typed, see `Formula`.
    - ``table``: the rows of an uploaded CSV, see `read_table`; between rows the value of the nearest.

    These choices are our construction.

    Args:
        kind: one of ``TARGETS``.
        degree: d, 1 to 64; formula and table ignore it.
        formula: the text, for ``formula``.
        n_terms: of ``random_trigonometric``, 1 to 256.
        seed: of the random kinds, 0 or more.
        domain: lowest and highest angle of every feature (radians); ``None`` for -π to π. A table
            brings its own.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    kind: str = "cosine"
    degree: int = 3
    formula: str = ""
    n_terms: int = 8
    seed: int = 0
    domain: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_option("kind", self.kind, TARGETS)
        object.__setattr__(self, "degree", check_int("degree of the target", self.degree, 1, MAX_DEGREE))
        object.__setattr__(self, "n_terms", check_int("n_terms", self.n_terms, 1, MAX_TERMS))
        object.__setattr__(self, "seed", check_int("seed of the target", self.seed, 0))
        if not isinstance(self.formula, str):
            raise invalid("formula must be a text", "for example 'cos(x1)'", f"formula={self.formula!r}", TypeError)
        if self.domain is not None:
            object.__setattr__(self, "domain", _checked_domain(self.domain))

    @property
    def bounds(self) -> tuple[float, float]:
        """The domain in force (radians), unless a table brings its own."""
        return self.domain or PERIOD


def _checked_domain(domain: Any) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in domain)
    except (TypeError, ValueError):
        expected = "two numbers (lowest and highest angle) or None"
        raise invalid("domain must be a pair", expected, f"domain={domain!r}", TypeError) from None
    if not -100.0 <= low < high <= 100.0:
        raise invalid("domain is out of range", "lowest < highest, both from -100 to 100 rad", f"domain={domain!r}")
    return low, high


@dataclasses.dataclass(frozen=True, eq=False)
class Target:
    """A function to fit.

    Attributes:
        config: the settings it came from.
        n_features: F.
        function: x [N, F] -> y [N].
        label: plain text.
        latex: the same for a formula display.
        domain: lowest and highest angle of every feature (radians).
        samples: the rows (x [N, F] radians, y [N]) of a table; otherwise ``None``. Train and test
            points of a table must come from here.
    """

    config: TargetConfig
    n_features: int
    function: Callable[[np.ndarray], np.ndarray]
    label: str
    latex: str
    domain: tuple[float, float]
    samples: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, x: Any) -> np.ndarray:
        """Values [N] at points [N, F] (radians).

        Raises:
            ValueError: the shape is wrong, or a value is not finite.
        """
        points = np.asarray(x, np.float64)
        if points.ndim != 2 or points.shape[1] != self.n_features:
            raise invalid("x has the wrong shape", f"shape [N, {self.n_features}]", f"shape {list(points.shape)}")
        values = self.function(points)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            received = f"{values[bad[0]]} at {describe_point(points[bad[0]])}"
            raise invalid(f"target {self.label} is not finite", "finite values on the domain", received)
        return values

    def frequencies(self) -> np.ndarray | None:
        """The target's own frequency vectors, from a Fourier transform that new points confirm.

        Returns:
            [n, F] multiples of 1/2, lexicographic order, coefficients below 1e-9 of the largest
            left out; ``None`` where the target has no (or no small) finite spectrum.
        """
        found = self.spectrum()
        return None if found is None else found[0]

    def spectrum(self) -> tuple[np.ndarray, np.ndarray] | None:
        """`frequencies` with the complex coefficients c_ω of ``Σ_ω c_ω e^{iω·x}``: [n, F], [n]."""
        if self.samples is not None:
            return None
        highest = 16 if self.config.kind == "formula" else self.config.degree
        half_integers = self.config.kind == "formula"
        return trigonometric_spectrum(self.function, self.n_features, highest, half_integers)


def make_target(config: TargetConfig, n_features: int, table: Table | None = None) -> Target:
    """Builds the target that the settings describe.

    Args:
        config: the settings.
        n_features: F = M·D, 1 or more.
        table: the uploaded rows, for ``kind='table'``.

    Returns:
        A `Target`.

    Raises:
        TypeError: ``config`` is not a `TargetConfig`.
        ValueError: the formula is wrong, the target does not vary or is not finite on its domain,
            or the table is missing or has another number of features.

    >>> target = make_target(TargetConfig(kind="chebyshev", degree=3), 1)
    >>> target.label
    'T3(t) with t = cos x, that is cos(3x)'
    >>> target.frequencies().ravel()
    array([-3.,  3.])
    """
    if not isinstance(config, TargetConfig):
        raise invalid("config is of the wrong kind", "a TargetConfig", repr(config), TypeError)
    n_features = check_int("n_features", n_features, 1)
    if config.kind == "table":
        return _table_target(config, n_features, table)
    function, label, latex = _BUILDERS[config.kind](config, n_features)
    target = Target(config, n_features, function, label, latex, config.bounds)
    points = _probe_points(n_features, target.domain)
    if isinstance(function, Formula):
        function.check(points)
    spread = float(target(points)[-_N_PROBES:].std())
    if not spread > 1e-9:
        received = f"standard deviation {spread:.3g} over {_N_PROBES} points"
        raise invalid(f"target {label} does not vary over its domain", "a target that varies", received)
    return target


def _probe_points(n_features: int, domain: tuple[float, float]) -> np.ndarray:
    """A coarse lattice through 0, the centre, the edges and the corners, then evenly spread points."""
    low, high = domain
    marks = np.linspace(low, high, 5)
    if low < 0.0 < high:
        marks = np.append(marks, 0.0)
    if n_features <= 3:
        lattice = np.array(list(itertools.product(marks, repeat=n_features)))
    else:
        lattice = np.repeat(marks[:, None], n_features, axis=1)
    return np.concatenate([lattice, dense_points(n_features, domain, _N_PROBES)])


Built = tuple[Callable[[np.ndarray], np.ndarray], str, str]


def _times(k: int, name: str) -> str:
    return name if k == 1 else f"{k}{name}"


def _features(n_features: int, text: str, sign: str, latex: bool = False) -> str:
    """``text`` with ``#`` replaced by each feature, joined by ``sign``; long lists are shortened."""
    name = (lambda i: "x") if n_features == 1 else (lambda i: f"x_{{{i}}}" if latex else f"x{i}")
    shown = range(1, n_features + 1) if n_features <= 4 else (1, 2, n_features)
    words = [text.replace("#", name(i)) for i in shown]
    if n_features > 4:
        words.insert(2, r"\cdots" if latex else "…")
    return sign.join(words)


def _chebyshev(config: TargetConfig, n_features: int) -> Built:
    d = config.degree

    def function(x: np.ndarray) -> np.ndarray:
        return np.cos(d * np.arccos(np.clip(np.cos(x).mean(axis=1), -1.0, 1.0)))

    if n_features == 1:
        latex = rf"T_{{{d}}}(t),\ t = \cos x,\quad \text{{that is}}\ \cos({_times(d, 'x')})"
        return function, f"T{d}(t) with t = cos x, that is cos({_times(d, 'x')})", latex
    terms = _features(n_features, "cos #", " + ")
    terms_latex = _features(n_features, r"\cos #", " + ", True)
    latex = rf"T_{{{d}}}(t),\ t = \tfrac{{1}}{{{n_features}}}({terms_latex})"
    return function, f"T{d}(t) with t = ({terms})/{n_features}", latex


def _wave(config: TargetConfig, n_features: int) -> Built:
    k = config.degree
    name, wave = ("cos", np.cos) if config.kind == "cosine" else ("sin", np.sin)
    inner, inner_latex = _features(n_features, "#", " + "), _features(n_features, "#", " + ", True)
    if n_features > 1 and k > 1:
        inner, inner_latex = f"({inner})", f"({inner_latex})"
    label, latex = f"{name}({_times(k, inner)})", rf"\{name}({_times(k, inner_latex)})"
    return lambda x: wave(k * x.sum(axis=1)), label, latex


def _product(config: TargetConfig, n_features: int) -> Built:
    k, one = config.degree, _times(config.degree, "#")
    label = _features(n_features, f"cos({one})", " · ")
    return lambda x: np.cos(k * x).prod(axis=1), label, _features(n_features, rf"\cos({one})", r" \cdot ", True)


def _sum(config: TargetConfig, n_features: int) -> Built:
    k, one = config.degree, _times(config.degree, "#")
    label = _features(n_features, f"cos({one})", " + ")
    return lambda x: np.cos(k * x).sum(axis=1), label, _features(n_features, rf"\cos({one})", " + ", True)


def _random_polynomial(config: TargetConfig, n_features: int) -> Built:
    rng = np.random.default_rng(config.seed)
    alpha = _exponents(rng, n_features, config.degree)
    scale = rng.normal(size=len(alpha))

    def function(x: np.ndarray) -> np.ndarray:
        values = np.zeros(len(x))
        for weight, row in zip(scale, alpha, strict=True):
            used = np.flatnonzero(row)
            values += weight * np.cos(x[:, used] * row[used]).prod(axis=1)
        return values

    label = f"random polynomial of total degree {config.degree} in t = cos x ({len(alpha)} terms, seed {config.seed})"
    inner = r"c_\alpha \prod_m T_{\alpha_m}(\cos x_m)"
    return function, label, rf"\sum_{{1 \le |\alpha| \le {config.degree}}} {inner}"


def _random_trigonometric(config: TargetConfig, n_features: int) -> Built:
    rng = np.random.default_rng(config.seed)
    omega = _drawn_vectors(rng, n_features, config.degree, config.n_terms, signed=True)
    scale, shift = rng.normal(size=len(omega)), rng.uniform(-np.pi, np.pi, len(omega))
    label = f"random trigonometric polynomial of degree {config.degree} ({len(omega)} terms, seed {config.seed})"
    latex = rf"\sum_{{1 \le \|\omega\|_1 \le {config.degree}}} a_\omega \cos(\omega \cdot x + \varphi_\omega)"
    return lambda x: np.cos(x @ omega.T + shift) @ scale, label, latex


def _exponents(rng: np.random.Generator, n_features: int, degree: int) -> np.ndarray:
    """All exponent vectors with 1 ≤ |α| ≤ degree, or ``MAX_TERMS`` random ones where there are more."""
    if math.comb(n_features + degree, degree) - 1 > MAX_TERMS:
        return _drawn_vectors(rng, n_features, degree, MAX_TERMS, signed=False)
    return np.array([alpha for alpha in _compositions(n_features, degree) if any(alpha)], float)


def _compositions(n_features: int, budget: int) -> Iterator[tuple[int, ...]]:
    if n_features == 0:
        yield ()
        return
    for first in range(budget + 1):
        for rest in _compositions(n_features - 1, budget - first):
            yield (first, *rest)


def _drawn_vectors(rng: np.random.Generator, n_features: int, degree: int, count: int, signed: bool) -> np.ndarray:
    """Up to ``count`` distinct integer vectors, none the negative of another, the first of full degree."""
    found: dict[tuple[int, ...], None] = {}
    for attempt in range(20 * count):
        norm = degree if attempt == 0 else int(rng.integers(1, degree + 1))
        vector = np.bincount(rng.integers(n_features, size=norm), minlength=n_features)
        if signed:
            vector = vector * rng.choice((-1, 1), n_features)
            vector *= np.sign(vector[np.flatnonzero(vector)[0]])
        found.setdefault(tuple(vector.tolist()))
        if len(found) == count:
            break
    return np.array(list(found), float)


def _formula(config: TargetConfig, n_features: int) -> Built:
    formula = Formula(config.formula, n_features)
    return formula, formula.text, formula.latex


_BUILDERS: dict[str, Callable[[TargetConfig, int], Built]] = {
    "chebyshev": _chebyshev,
    "cosine": _wave,
    "sine": _wave,
    "product": _product,
    "sum": _sum,
    "random_polynomial": _random_polynomial,
    "random_trigonometric": _random_trigonometric,
    "formula": _formula,
}


def _table_target(config: TargetConfig, n_features: int, table: Table | None) -> Target:
    if not isinstance(table, Table):
        raise invalid("kind='table' needs a table", "a Table from read_table", f"table={table!r}")
    if table.n_features != n_features:
        expected = f"{n_features} feature columns, as many as n_modalities * feature_dim"
        raise invalid("table has another number of features", expected, f"{table.n_features}: {table.describe()}")
    x, y = table.features, table.target

    def nearest(points: np.ndarray) -> np.ndarray:
        from scipy.spatial import cKDTree

        return y[cKDTree(x).query(points)[1]]

    label = f"{table.target_name} from {table.describe()}"
    return Target(config, n_features, nearest, label, rf"\text{{{_plain(label)}}}", table.domain, (x, y))


def _plain(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in " .,()=+-") else " " for c in text)

"""A polynomial that a user types, as a quantum signal processing sequence run on an engine.

Text → Chebyshev coefficients → phases (pyqsp) → response, measured by a Hadamard test. Also the
Boolean two-oracle sequences of ``theory.qsp``.

Source: see ``theory.qsp``; the use of it here is our construction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.qsp import SignalCircuit, hadamard_test, pattern_circuit
from qfl_explore.config import Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.circuit_engines import circuit_expectations
from qfl_explore.experiments.formula import Formula
from qfl_explore.simulation.base import ENGINES
from qfl_explore.theory.qsp import BOOLEAN, BOOLEAN_ANGLES, MAX_DEGREE, Sequence1D, find_phases, largest_value

COLUMNS = ("a", "target", "response", "p0")
#: A function counts as a polynomial if its Chebyshev coefficients above the degree are below this share.
_TAIL = 1e-9
#: How large a scaled polynomial may get; the solver needs a little room below 1.
HEADROOM = 0.99


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignalConfig(Settings):
    """Settings.

    Args:
        polynomial: in x, for example ``0.5*x^3 - 0.2*x`` or ``0.9*T(5, x)``; any function that a
            polynomial of degree 60 or less matches to nine digits.
        scale: whether a polynomial that is too large is scaled to 0.99; otherwise it is refused.
        n_points: signals a at which the response is evaluated, Chebyshev-spaced.
        backend: the engine that runs the circuit.

    Raises:
        ValueError: a setting is out of range or unknown, or the text is not a formula.
        TypeError: a setting is of the wrong kind.
    """

    polynomial: str = "0.9*T(5, x)"
    scale: bool = True
    n_points: int = 61
    backend: str = "batched"

    def __post_init__(self) -> None:
        check_option("backend", self.backend, ENGINES)
        check_int("n_points", self.n_points, 2, 2001)
        if not isinstance(self.scale, bool):
            raise invalid("scale must be a boolean", "True or False", f"scale={self.scale!r}", TypeError)
        Formula(self.polynomial, 1)


@dataclasses.dataclass(frozen=True, eq=False)
class SignalResult:
    """Phases and responses.

    Attributes:
        config: the settings.
        coefficients: of T_0, T_1, … of the typed polynomial.
        factor: by which it was scaled.
        sequences: one for each parity it has.
        table: columns a, target (scaled), response (⟨Y⟩ of the control, summed over the
            sequences), p0 (probability of 0 of the bare sequence; NaN where there are two).
    """

    config: SignalConfig
    coefficients: np.ndarray
    factor: float
    sequences: tuple[Sequence1D, ...]
    table: pd.DataFrame

    @property
    def circuits(self) -> tuple[SignalCircuit, ...]:
        """The Hadamard tests that were run."""
        return tuple(hadamard_test(sequence.phases) for sequence in self.sequences)

    def phases(self) -> pd.DataFrame:
        """Columns parity, k, phase (radians)."""
        rows = [
            (("even", "odd")[s.parity], k, float(phase)) for s in self.sequences for k, phase in enumerate(s.phases)
        ]
        return pd.DataFrame(rows, columns=["parity", "k", "phase"])

    def summary(self) -> dict[str, Any]:
        """Degree, queries, factor and the largest deviation from the polynomial."""
        deviation = float(np.max(np.abs(self.table["response"] - self.table["target"])))
        return {
            "degree": max(s.degree for s in self.sequences),
            "n_queries": sum(s.degree for s in self.sequences),
            "n_sequences": len(self.sequences),
            "factor": self.factor,
            "phase_error": max(s.error for s in self.sequences),
            "deviation": deviation,
            "backend": self.config.backend,
        }


def chebyshev_of(text: str) -> np.ndarray:
    """Chebyshev coefficients of a formula in x on [-1, 1].

    Args:
        text: the formula.

    Raises:
        ValueError: it is not finite on [-1, 1], or no polynomial of degree 60 or less matches it.

    >>> chebyshev_of("2*x^2 - 1").round(12).tolist()
    [0.0, 0.0, 1.0]
    """
    formula = Formula(text, 1)
    formula.check(np.linspace(-1.0, 1.0, 401)[:, None])
    n_points = 2 * MAX_DEGREE + 9
    series = np.polynomial.chebyshev.chebinterpolate(lambda x: formula(np.ravel(x)[:, None]), n_points)
    size = float(np.max(np.abs(series))) or 1.0
    kept = np.where(np.abs(series) > 1e-12 * size, series, 0.0)
    tail = float(np.max(np.abs(kept[MAX_DEGREE + 1 :])))
    if tail > _TAIL * size:
        raise invalid(
            f"{formula.text!r} is not a polynomial of degree {MAX_DEGREE} or less",
            "a polynomial, or a function that one matches to nine digits on [-1, 1]",
            f"a Chebyshev coefficient of {tail:.2g} beyond degree {MAX_DEGREE}",
        )
    kept = np.trim_zeros(np.where(np.abs(kept) > _TAIL * size, kept, 0.0), "b")
    if not len(kept):
        raise invalid("the polynomial is zero", "a polynomial that is not zero everywhere", repr(formula.text))
    return kept


def run(config: SignalConfig | None = None) -> SignalResult:
    """Phases and response of a typed polynomial."""
    config = config or SignalConfig()
    coefficients = chebyshev_of(config.polynomial)
    largest = largest_value(coefficients)
    factor = HEADROOM / largest if largest > HEADROOM and config.scale else 1.0
    sequences = find_phases(factor * coefficients)
    a = np.cos(np.linspace(math.pi, 0.0, config.n_points))
    response, p0 = np.zeros(len(a)), np.full(len(a), math.nan)
    for sequence in sequences:
        test = hadamard_test(sequence.phases)
        inputs = -2.0 * np.arccos(a)[:, None]
        values = circuit_expectations(config.backend, test.circuit, test.qubits, test.symbols, inputs, test.observables)
        response += values[:, 1]
        p0 = np.sum(values**2, axis=1)
    target = np.polynomial.chebyshev.chebval(a, factor * coefficients)
    p0 = p0 if len(sequences) == 1 else np.full(len(a), math.nan)
    table = pd.DataFrame(dict(zip(COLUMNS, (a, target, response, p0), strict=True)))
    return SignalResult(config, coefficients, factor, sequences, table)


def stream(config: SignalConfig) -> Iterator[Any]:
    """First the sentence that says what is being loaded (``tfq`` only), then the result."""
    if config.backend == "tfq":
        yield "Loading TensorFlow Quantum (some ten seconds the first time) …"
    yield run(config)


def boolean_table(engine: str = "batched") -> pd.DataFrame:
    """XOR, OR and AND of two oracles with angles 0 or π/3: probability of 0, from the circuit, and the exact one.

    Returns:
        Columns property, pattern, theta_a, theta_b (radians), p0, expected.
    """
    rows = []
    for name, fixture in BOOLEAN.items():
        test = pattern_circuit(fixture.pattern, fixture.phases)
        inputs = -2.0 * np.array(BOOLEAN_ANGLES)
        z = circuit_expectations(engine, test.circuit, test.qubits, test.symbols, inputs, test.observables)[:, 0]
        for (first, second), value, expected in zip(BOOLEAN_ANGLES, z, fixture.p0, strict=True):
            p0 = min(1.0, max(0.0, 0.5 + 0.5 * float(value)))
            rows.append((name, fixture.pattern, first, second, p0, float(expected)))
    return pd.DataFrame(rows, columns=["property", "pattern", "theta_a", "theta_b", "p0", "expected"])

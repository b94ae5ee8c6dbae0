"""Joint against separate queries: success of the exact protocol, rung by rung, beside the best separable one.

Source: our construction, see ``theory.separation``. It compares access to oracles, not function
approximation.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import cirq
import numpy as np
import pandas as pd

from qfl_explore.circuits.discrimination import DiscriminationCircuit, Step
from qfl_explore.config import Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.circuit_engines import TOLERANCES, circuit_expectations
from qfl_explore.experiments.intervals import Interval
from qfl_explore.simulation.base import ENGINES
from qfl_explore.theory.separation import (
    READOUTS,
    bloch,
    check_delta,
    joint_success,
    plan,
    queries_needed,
    rounds_needed,
    separable_success,
    signs,
)

MAX_ORACLES = 5
MAX_ROUNDS = 24
MAX_TRIALS = 100_000
COLUMNS = (
    "strategy",
    "n_rounds",
    "n_queries",
    "success",
    "low",
    "high",
    "n_trials",
    "n_starts",
    "seed",
    "exact",
    "deviation",
)
JOINT, SEPARABLE = "joint", "separable"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparationConfig(Settings):
    """Settings of the query ladder.

    Args:
        n_oracles: M, 2 to 5.
        delta: δ in radians, in (0, π/2], with at most 24 rounds to certainty.
        readout: ``best`` measurement at every rung, or ``z``: the plain protocol, measured in Z.
        separable_rounds: rungs of the separable ladder; ``None``: twice those that the joint
            protocol needs, as far as the search stays small.
        n_trials: single measurements drawn at each rung of the joint ladder.
        n_starts: random starts of each search for a separable strategy.
        backend: the engine that runs the circuit.
        seed: of angles, measurements and starts.

    Raises:
        ValueError: a setting is out of range or unknown.
        TypeError: a setting is of the wrong kind.
    """

    n_oracles: int = 2
    delta: float = math.pi / 6
    readout: str = "best"
    separable_rounds: int | None = None
    n_trials: int = 1000
    n_starts: int = 8
    backend: str = "batched"
    seed: int = 0

    def __post_init__(self) -> None:
        check_int("n_oracles", self.n_oracles, 2, MAX_ORACLES)
        check_int("n_trials", self.n_trials, 1, MAX_TRIALS)
        check_int("n_starts", self.n_starts, 1, 100)
        check_int("seed", self.seed, 0)
        check_option("readout", self.readout, READOUTS)
        check_option("backend", self.backend, ENGINES)
        object.__setattr__(self, "delta", check_delta(self.delta))
        if rounds_needed(self.delta) > MAX_ROUNDS:
            least = math.pi / (2 * MAX_ROUNDS)
            raise invalid(
                "delta is too small",
                f"at least {least:.4f} radians, {MAX_ROUNDS} rounds",
                f"delta={self.delta}, which needs {rounds_needed(self.delta)} rounds",
            )
        if self.separable_rounds is not None:
            check_int("separable_rounds", self.separable_rounds, 1, 2 * MAX_ROUNDS)

    @property
    def n_rounds(self) -> int:
        """Rounds to certainty."""
        return rounds_needed(self.delta)

    @property
    def n_queries(self) -> int:
        """Queries to certainty."""
        return queries_needed(self.n_oracles, self.delta)

    @property
    def separable_rungs(self) -> int:
        """Rungs of the separable ladder."""
        if self.separable_rounds is not None:
            return self.separable_rounds
        most = {2: 24, 3: 12, 4: 6, 5: 3}[self.n_oracles]
        return max(min(self.n_rounds, most), min(2 * self.n_rounds, most))


@dataclasses.dataclass(frozen=True, eq=False)
class SeparationResult:
    """Both ladders.

    Attributes:
        config: the settings.
        table: one row a rung, columns ``COLUMNS``: ``success`` is the share of right trials (joint)
            or the optimum found (separable); ``exact`` the closed form (joint) or the same optimum;
            ``deviation`` the largest distance of a simulated probability from the closed form
            (joint) or the difference between the best and the worst start (separable).
    """

    config: SeparationConfig
    table: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        """The numbers of the headline."""
        return summarise(self.config, self.table)


def protocol(
    n_oracles: int = 2, delta: float = math.pi / 6, n_rounds: int | None = None, readout: str = "best"
) -> DiscriminationCircuit:
    """The joint protocol as a circuit; by default with as many rounds as certainty needs.

    >>> protocol().n_queries
    6
    """
    needed = rounds_needed(delta)
    n_rounds = needed if n_rounds is None else min(check_int("n_rounds", n_rounds, 1), needed)
    how = plan(n_rounds, delta, readout)
    return DiscriminationCircuit(n_oracles, n_rounds, how.start, how.readout, how.tilt)


def draw_angles(n_oracles: int, delta: float, n_samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Oracle angles [n, M] (radians) and labels [n] (1: ``Σ s_m θ_m = δ``), both labels equally often."""
    rng = np.random.default_rng([seed, n_oracles, n_samples])
    theta = rng.uniform(-np.pi, np.pi, (n_samples, n_oracles))
    labels = np.arange(n_samples) % 2
    sign = signs(n_oracles)
    theta[:, -1] = sign[-1] * (labels * delta - theta[:, :-1] @ sign[:-1])
    return np.mod(theta + np.pi, 2 * np.pi) - np.pi, labels


def example_angles(n_oracles: int, delta: float, label: int, base: float, seed: int = 0) -> np.ndarray:
    """Oracle angles [M] (radians) of one case: the first is ``base``, the last makes ``Σ s_m θ_m`` 0 or δ.

    Args:
        n_oracles: M.
        delta: δ in radians.
        label: 0 or 1.
        base: θ_1 in radians; the same base gives the same angles for both labels, but for the last.
        seed: of the angles between.
    """
    theta = np.random.default_rng([seed, n_oracles, 21]).uniform(-np.pi, np.pi, n_oracles)
    sign = signs(n_oracles)
    theta[0] = base
    theta[-1] = sign[-1] * (check_int("label", label, 0, 1) * check_delta(delta) - theta[:-1] @ sign[:-1])
    return np.mod(theta + np.pi, 2 * np.pi) - np.pi


def on_engine(engine: str, circuit: DiscriminationCircuit, delta: float, seed: int = 0) -> dict[str, Any]:
    """The circuit on one engine, for 100 random bases: how often it says "Δ = 0" in both cases.

    Returns:
        engine, equal and different (mean probability of saying "Δ = 0"), and spread: the largest
        difference between two bases in the same case, which is 0 up to the engine's precision.
    """
    theta, labels = draw_angles(circuit.n_oracles, delta, 100, seed)
    z = circuit_expectations(
        engine, circuit.circuit, circuit.qubits, circuit.symbols, circuit.features(theta), circuit.observables
    )[:, 0]
    says = (1 + z) / 2
    cases = [says[labels == label] for label in (0, 1)]
    spread = max(float(np.ptp(case)) for case in cases)
    return {"engine": engine, "equal": float(cases[0].mean()), "different": float(cases[1].mean()), "spread": spread}


def stream(config: SeparationConfig) -> Iterator[dict[str, Any]]:
    """The rungs as rows of ``SeparationResult.table``: the joint ladder first, then the separable one."""
    for n_rounds in range(1, config.n_rounds + 1):
        yield _joint_row(config, n_rounds)
    for n_each in range(1, config.separable_rungs + 1):
        yield _separable_row(config, n_each)


def run(config: SeparationConfig | None = None) -> SeparationResult:
    """Both ladders at once."""
    config = config or SeparationConfig()
    return collect(config, stream(config))


def collect(config: SeparationConfig, rows: Any) -> SeparationResult:
    """Rows of `stream` as a result."""
    return SeparationResult(config, pd.DataFrame(list(rows), columns=list(COLUMNS)))


def _joint_row(config: SeparationConfig, n_rounds: int) -> dict[str, Any]:
    circuit = protocol(config.n_oracles, config.delta, n_rounds, config.readout)
    theta, labels = draw_angles(config.n_oracles, config.delta, min(config.n_trials, 400), config.seed)
    z = circuit_expectations(
        config.backend, circuit.circuit, circuit.qubits, circuit.symbols, circuit.features(theta), circuit.observables
    )[:, 0]
    right = np.clip((1 + np.where(labels == 0, z, -z)) / 2, 0.0, 1.0)
    right = np.where(right > 1 - TOLERANCES[config.backend], 1.0, right)  # rounding is not an error of the protocol
    exact = joint_success(n_rounds, config.delta, config.readout)
    rng = np.random.default_rng([config.seed, n_rounds, 1])
    n_right = int(np.sum(rng.random(config.n_trials) < np.resize(right, config.n_trials)))
    share = share_interval(n_right, config.n_trials)
    deviation = max(
        abs(float(np.mean(right[labels == label])) - _case(exact, config, n_rounds, label)) for label in (0, 1)
    )
    return {
        "strategy": JOINT,
        "n_rounds": n_rounds,
        "n_queries": n_rounds * config.n_oracles,
        "success": share.mean,
        "low": share.low,
        "high": share.high,
        "n_trials": config.n_trials,
        "n_starts": 0,
        "seed": config.seed,
        "exact": exact,
        "deviation": deviation,
    }


def _case(exact: float, config: SeparationConfig, n_rounds: int, label: int) -> float:
    """Closed form of the success in one case; the plain Z readout is always right where Δ = 0."""
    if config.readout == "best" or n_rounds >= config.n_rounds:
        return exact
    return 1.0 if label == 0 else 2 * exact - 1.0


def _separable_row(config: SeparationConfig, n_each: int) -> dict[str, Any]:
    found = separable_success(n_each, config.delta, config.n_oracles, config.n_starts, config.seed)
    return {
        "strategy": SEPARABLE,
        "n_rounds": n_each,
        "n_queries": n_each * config.n_oracles,
        "success": found.success,
        "low": math.nan,
        "high": math.nan,
        "n_trials": 0,
        "n_starts": config.n_starts,
        "seed": config.seed,
        "exact": found.success,
        "deviation": found.spread,
    }


def share_interval(n_right: int, n_trials: int, confidence: float = 0.95) -> Interval:
    """A share with its exact (Clopper–Pearson) interval.

    >>> share_interval(1000, 1000).low > 0.996
    True
    """
    from scipy.stats import beta

    n_right, n_trials = check_int("n_right", n_right, 0, n_trials), check_int("n_trials", n_trials, 1)
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, n_right, n_trials - n_right + 1)) if n_right else 0.0
    high = float(beta.ppf(1 - tail, n_right + 1, n_trials - n_right)) if n_right < n_trials else 1.0
    return Interval(n_right / n_trials, low, high, n_trials)


def summarise(config: SeparationConfig, table: pd.DataFrame) -> dict[str, Any]:
    """What is known so far: certainty of the joint ladder, and the separable optimum at equal queries."""
    joint = table[table["strategy"] == JOINT]
    separable = table[table["strategy"] == SEPARABLE]
    last = joint[joint["n_rounds"] == config.n_rounds]
    equal = separable[separable["n_rounds"] == config.n_rounds]
    return {
        "n_oracles": config.n_oracles,
        "delta": config.delta,
        "n_queries": config.n_queries,
        "n_rounds": config.n_rounds,
        "joint": float(last["success"].iloc[0]) if len(last) else math.nan,
        "joint_low": float(last["low"].iloc[0]) if len(last) else math.nan,
        "n_trials": config.n_trials,
        "seed": config.seed,
        "separable": float(equal["success"].iloc[0]) if len(equal) else math.nan,
        "separable_best": float(separable["success"].max()) if len(separable) else math.nan,
        "separable_most_queries": int(separable["n_queries"].max()) if len(separable) else 0,
    }


def p0_different(n_rounds: int, delta: float) -> float:
    """Probability of the outcome 0 in the different case with the plain Z readout: ``cos² rδ``.

    >>> [round(p0_different(r, math.pi / 6), 3) + 0.0 for r in (1, 2, 3)]
    [0.75, 0.25, 0.0]
    """
    return math.cos(n_rounds * check_delta(delta)) ** 2


def bloch_path(circuit: DiscriminationCircuit, theta: np.ndarray) -> pd.DataFrame:
    """The value qubit's Bloch vector after every step.

    Args:
        circuit: the protocol.
        theta: [M], angles of the oracles in radians.

    Returns:
        Columns step (0: the start), label, is_query, n_queries, x, y, z. The index register is in a
        basis state throughout, so the value qubit is pure.
    """
    angles = dict(zip([s.name for s in circuit.symbols], circuit.features(theta).tolist(), strict=True))
    state = np.zeros(2**circuit.n_qubits, np.complex128)
    state[0] = 1.0
    rows = [(0, "start |0⟩", False, 0, *_value_vector(state))]
    n_queries = 0
    for number, step in enumerate(circuit.steps, 1):
        state = _applied(step, angles, circuit.qubits, state)
        n_queries += step.is_query
        rows.append((number, step.label, step.is_query, n_queries, *_value_vector(state)))
    return pd.DataFrame(rows, columns=["step", "label", "is_query", "n_queries", "x", "y", "z"])


def _applied(step: Step, angles: dict[str, float], qubits: Any, state: np.ndarray) -> np.ndarray:
    circuit = cirq.resolve_parameters(cirq.Circuit(step.operations), angles)
    simulator = cirq.Simulator(dtype=np.complex128)
    return simulator.simulate(circuit, qubit_order=qubits, initial_state=state).final_state_vector


def _value_vector(state: np.ndarray) -> np.ndarray:
    rows = state.reshape(-1, 2)
    return bloch(rows[int(np.argmax(np.sum(np.abs(rows) ** 2, axis=1)))])

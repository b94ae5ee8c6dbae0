"""Gradient variance along M or P: both encodings, a fitted exponent with its interval, time left.

All points get a coarse estimate first, from the smallest circuit to the largest; then each is
sharpened to the precision that was asked for, so that the picture is there early.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import check_option
from qfl_explore.experiments.gradient_variance import Estimate, GradientVarianceConfig, SweepConfig, stream
from qfl_explore.simulation.base import check_memory, get_backend
from qfl_explore.theory.counts import circuit_counts

__all__ = ["Fit", "SweepConfig", "SweepFrame", "SweepResult", "fit_exponent", "run_sweep", "stream_sweep"]

#: The relative precision of the first pass over all points.
COARSE = 0.25
LAWS = ("power", "exponential")


@dataclasses.dataclass(frozen=True)
class Fit:
    """A straight line through logarithms, weighted by each point's own error.

    Attributes:
        law: ``power`` (variance ∝ x^−exponent) or ``exponential`` (∝ 2^(−exponent·x)).
        exponent: positive where the variance falls.
        low: lower end of its 95 % interval.
        high: upper end.
        intercept: of log2(variance).
        misfit: reduced χ²; near 1 where the law describes the points within their errors.
        n_points: how many were fitted.
    """

    law: str
    exponent: float
    low: float
    high: float
    intercept: float
    misfit: float
    n_points: int

    def __call__(self, x: Any) -> np.ndarray:
        """The fitted variance at ``x``."""
        x = np.asarray(x, np.float64)
        return 2.0 ** (self.intercept - self.exponent * (np.log2(x) if self.law == "power" else x))


@dataclasses.dataclass(frozen=True, eq=False)
class SweepFrame:
    """A sweep so far.

    Attributes:
        config: the settings.
        estimates: for every point of ``config.points()``; ``None`` where none was made yet.
        current: the point that was worked on.
        fraction: of the work, estimated, 0 to 1.
        seconds_left: estimated; NaN while nothing is known.
        done: whether every point has its precision or its budget.
    """

    config: SweepConfig
    estimates: tuple[Estimate | None, ...]
    current: int
    fraction: float
    seconds_left: float
    done: bool

    def table(self) -> pd.DataFrame:
        """One row for each point that is known, see `Estimate.row`."""
        return pd.DataFrame([estimate.row() for estimate in self.estimates if estimate is not None])


@dataclasses.dataclass(frozen=True, eq=False)
class SweepResult:
    """What a finished sweep leaves.

    Attributes:
        config: the settings.
        table: one row for each point.
    """

    config: SweepConfig
    table: pd.DataFrame

    def fits(self) -> dict[str, dict[str, Fit]]:
        """encoding -> law -> fit."""
        return fits_of(self.table, self.config.over)

    def summary(self) -> dict[str, Any]:
        """Exponents with their intervals, in plain values."""
        fits = {
            encoding: {law: dataclasses.asdict(fit) for law, fit in laws.items()}
            for encoding, laws in self.fits().items()
        }
        base = self.config.base
        return {
            "run_id": self.config.run_id,
            "over": self.config.over,
            "fits": fits,
            "n_draws": int(self.table["n_draws"].sum()),
            "seed": base.seed,
        }


def stream_sweep(config: SweepConfig) -> Iterator[SweepFrame]:
    """Estimates every point, coarse ones first.

    Raises:
        ValueError: the largest circuit would not fit into memory; raised before any work.
    """
    points = config.points()
    check_sweep_memory(points)
    streams = [stream(point) for point in points]
    estimates: list[Estimate | None] = [None] * len(points)
    clock = _Clock(points)
    for target in (max(COARSE, config.base.precision), 0.0):
        for i in clock.order:
            known = estimates[i]
            if known is not None and (known.stopped or known.relative_error <= target):
                continue
            while True:
                began = time.perf_counter()
                estimate = next(streams[i])
                clock.worked(i, estimate, time.perf_counter() - began)
                estimates[i] = estimate
                done = all(one is not None and one.stopped for one in estimates)
                yield SweepFrame(config, tuple(estimates), i, *clock.left(estimates), done)
                if estimate.stopped or (target and estimate.relative_error <= target):
                    break


def run_sweep(config: SweepConfig) -> SweepResult:
    """Streams to the end; the numbers do not depend on how fast the machine is."""
    return SweepResult(config, collections.deque(stream_sweep(config), maxlen=1).pop().table())


def check_sweep_memory(points: Sequence[GradientVarianceConfig]) -> None:
    """Refuses a sweep whose largest circuit does not fit, with the number."""
    largest = max(points, key=lambda point: point.fusion.n_qubits)
    backend = get_backend(largest.backend)
    n_bytes = backend.memory_bytes(FusionCircuit(largest.fusion), largest.block)
    fusion = largest.fusion
    check_memory(n_bytes, f"the point with M = {fusion.n_modalities} ({fusion.n_qubits} qubits, {fusion.encoding})")


class _Clock:
    """How much work is done and how long the rest will take."""

    def __init__(self, points: Sequence[GradientVarianceConfig]) -> None:
        self.points = points
        self.cost = [2.0**point.fusion.n_qubits * circuit_counts(point.fusion).n_gates + 3e4 for point in points]
        self.order = sorted(range(len(points)), key=lambda i: self.cost[i])
        self.seconds = [0.0] * len(points)
        self.draws = [0] * len(points)

    def worked(self, i: int, estimate: Estimate, seconds: float) -> None:
        """Notes what one step of a point took."""
        self.seconds[i] += seconds
        self.draws[i] = estimate.n_draws

    def left(self, estimates: Sequence[Estimate | None]) -> tuple[float, float]:
        """Fraction done and seconds left, from the time each draw took and the draws still wanted."""
        units = sum(self.draws[i] * self.cost[i] for i in range(len(self.points)))
        pace = sum(self.seconds) / units if units else math.nan
        left = 0.0
        for i, (point, estimate) in enumerate(zip(self.points, estimates, strict=True)):
            each = self.seconds[i] / self.draws[i] if self.draws[i] else self.cost[i] * pace
            left += each * max(0.0, _wanted(point, estimate) - self.draws[i])
        spent = sum(self.seconds)
        return (spent / (spent + left) if spent + left else 1.0), left


def _wanted(point: GradientVarianceConfig, estimate: Estimate | None) -> float:
    """Draws that the precision will take, at most the budget."""
    if estimate is not None and estimate.stopped:
        return 0.0
    typical = 40 * 2.0 / point.precision  # before anything is known
    if estimate is not None and math.isfinite(estimate.relative_error):
        typical = estimate.n_draws * (estimate.relative_error / point.precision) ** 2
    return min(float(point.max_draws), max(typical, float(2 * point.block * point.n_inputs)))


def fit_exponent(x: Any, variance: Any, low: Any, high: Any, law: str = "exponential") -> Fit:
    """Fits log2(variance) against x (``exponential``) or log2(x) (``power``).

    The interval is Student's t, widened by the misfit where the law does not describe the
    points within their errors.

    Args:
        x: [n], above 0; three or more different values.
        variance: [n], above 0.
        low: [n] lower ends of 95 % intervals.
        high: [n] upper ends.
        law: one of ``LAWS``.

    Returns:
        A `Fit`; everything is NaN where fewer than three points are usable.
    """
    check_option("law", law, LAWS)
    x, variance, low, high = (np.asarray(values, np.float64) for values in (x, variance, low, high))
    usable = (variance > 0) & (low > 0) & np.isfinite(high) & (x > 0)
    x, variance, low, high = (values[usable] for values in (x, variance, low, high))
    place = np.log2(x) if law == "power" else x
    if len(np.unique(place)) < 3:
        return Fit(law, math.nan, math.nan, math.nan, math.nan, math.nan, len(x))
    from scipy.stats import t

    errors = np.maximum((np.log2(high) - np.log2(low)) / (2 * 1.96), 1e-6)
    design = np.column_stack([np.ones_like(place), place]) / errors[:, None]
    target = np.log2(variance) / errors
    solution, *_ = np.linalg.lstsq(design, target, rcond=None)
    freedom = len(x) - 2
    misfit = float(np.sum((target - design @ solution) ** 2)) / freedom
    spread = math.sqrt(np.linalg.inv(design.T @ design)[1, 1] * max(1.0, misfit))
    half = float(t.ppf(0.975, freedom)) * spread
    slope = -float(solution[1])
    return Fit(law, slope, slope - half, slope + half, float(solution[0]), misfit, len(x))


def fits_of(table: pd.DataFrame, over: str) -> dict[str, dict[str, Fit]]:
    """encoding -> law -> fit of variance against M or P.

    Args:
        table: rows of `Estimate.row`.
        over: the swept column.
    """
    found: dict[str, dict[str, Fit]] = {}
    if not len(table):
        return found
    for encoding, rows in table.groupby("encoding", sort=False):
        x, variance, low, high = (rows[name] for name in (over, "variance", "low", "high"))
        found[str(encoding)] = {law: fit_exponent(x, variance, low, high, law) for law in LAWS}
    return found

"""Var[∂C/∂θ] over random weights: streams until its interval is as narrow as was asked for.

Draws come in independent blocks. The draws of a block share one input; its sample variance
(one for every angle) is unbiased, so the scatter of blocks is an honest measure of the error,
whatever the kurtosis of the gradients and the correlation between angles.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import draw_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import invalid
from qfl_explore.experiments.gradient_variance_config import GradientVarianceConfig, SweepConfig
from qfl_explore.experiments.gradient_variance_exact import exact_mean, inputs_of
from qfl_explore.lazy import cached_property
from qfl_explore.simulation.base import check_memory, get_backend
from qfl_explore.theory.trainability import two_design_variance

__all__ = ["Estimate", "GradientVarianceConfig", "Result", "SweepConfig", "exact_mean", "run", "stream"]

CONFIDENCE = 0.95
N_BINS = 81
#: Blocks for every input, and blocks in all, before the interval is believed.
LEAST_ROUNDS, LEAST_BLOCKS = 2, 8
_STREAM = 1803_11173
_N_RESAMPLES = 500
_AXES = ("rx", "ry", "rz")


@dataclasses.dataclass(frozen=True, eq=False)
class Estimate:
    """The estimate after ``n_draws`` draws.

    Attributes:
        config: the settings.
        n_draws: weight vectors so far.
        blocks: [n_blocks] each block's variance, mean over all angles.
        per_angle: of ``config.fusion.weight_shape``; the variance of every angle's derivative.
        per_angle_error: its standard error, same shape.
        edges: [N_BINS + 1] of the histogram.
        counts: [N_BINS] derivatives of all angles; those outside are not counted.
        stopped: ``""`` while it runs, then ``precision`` or ``budget``.
    """

    config: GradientVarianceConfig
    n_draws: int
    blocks: np.ndarray
    per_angle: np.ndarray
    per_angle_error: np.ndarray
    edges: np.ndarray
    counts: np.ndarray
    stopped: str = ""

    @cached_property
    def variance(self) -> float:
        """Mean over angles, inputs and observables."""
        return float(self.blocks.mean())

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % interval of ``variance``."""
        if self.config.interval == "bootstrap":
            return bootstrap_interval(self.blocks, self.config.seed)
        return log_interval(self.blocks)

    @property
    def relative_error(self) -> float:
        """Half the interval's width as a share of the estimate."""
        low, high = self.interval
        return (high - low) / (2 * self.variance) if self.variance > 0 else math.inf

    def row(self) -> dict[str, Any]:
        """The estimate in plain values, with what it can be compared to."""
        fusion = self.config.fusion
        low, high = self.interval
        return {
            "encoding": fusion.encoding,
            "n_modalities": fusion.n_modalities,
            "feature_dim": fusion.feature_dim,
            "degree": fusion.degree,
            "n_blocks": fusion.n_blocks,
            "n_qubits": fusion.n_qubits,
            "n_weights": fusion.n_weights,
            "entangler": fusion.entangler,
            "measurement": fusion.measurement,
            "initializer": self.config.initializer,
            "variance": self.variance,
            "low": low,
            "high": high,
            "n_draws": self.n_draws,
            "two_design": two_design_variance(fusion.n_qubits),
            "exact": exact_mean(self.config),
            "seed": self.config.seed,
        }

    def table(self) -> pd.DataFrame:
        """One row for each angle: layer, block, qubit, axis, variance, standard_error, n_draws, seed."""
        layers, blocks, qubits, axes = (index.ravel() for index in np.indices(self.per_angle.shape))
        return pd.DataFrame(
            {
                "layer": layers,
                "block": blocks,
                "qubit": qubits,
                "axis": np.array(_AXES)[axes],
                "variance": self.per_angle.ravel(),
                "standard_error": self.per_angle_error.ravel(),
                "n_draws": self.n_draws,
                "seed": self.config.seed,
            }
        )


def stream(config: GradientVarianceConfig) -> Iterator[Estimate]:
    """Draws until the interval is narrow enough; yields after every few blocks.

    The estimate is looked at after every round of inputs, and the first look that is narrow
    enough ends it; such optional stopping makes intervals a little too narrow.

    Args:
        config: the settings.

    Yields:
        `Estimate`; the last one says in ``stopped`` why it is the last.

    Raises:
        ValueError: memory would not do; the message has the number.
    """
    draws = _Draws(config)
    while True:
        draws.add_block()
        n_blocks, whole_round = draws.n_blocks, draws.n_blocks % config.n_inputs == 0
        if whole_round and n_blocks >= draws.least_blocks:
            estimate = draws.estimate()
            reason = "precision" if estimate.relative_error <= config.precision else ""
            if not reason and draws.n_draws >= config.max_draws:
                reason = "budget"
            yield dataclasses.replace(estimate, stopped=reason)
            if reason:
                return
        elif n_blocks > 1 and config.block < 64:  # large circuits: a sign of life after every block
            yield draws.estimate()


def run(config: GradientVarianceConfig) -> Result:
    """Streams to the end; the same settings give the same numbers on one machine."""
    return Result(config, collections.deque(stream(config), maxlen=1).pop())


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """What a finished estimate leaves.

    Attributes:
        config: the settings.
        estimate: the last one.
    """

    config: GradientVarianceConfig
    estimate: Estimate

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each angle."""
        return self.estimate.table()

    def summary(self) -> dict[str, Any]:
        """The estimate in a few plain values."""
        row = self.estimate.row()
        return {
            "run_id": self.config.run_id,
            **row,
            "stopped": self.estimate.stopped,
            "interval": f"95 %, {self.config.interval}",
            "n_inputs": self.config.n_inputs,
            "largest": float(self.estimate.per_angle.max()),
            "smallest": float(self.estimate.per_angle.min()),
        }


def _turns(n_inputs: int, n_observables: int) -> list[tuple[int, int]]:
    """Which input and observable the blocks take, one after the other.

    >>> _turns(2, 3)
    [(0, 0), (1, 1), (0, 2), (1, 0), (0, 1), (1, 2)]
    """
    rounds = [[(i, (i + shift) % n_observables) for i in range(n_inputs)] for shift in range(n_observables)]
    period = math.lcm(n_inputs, n_observables)
    if period == n_inputs * n_observables:
        return [(b % n_inputs, b % n_observables) for b in range(period)]
    return [pair for one in rounds for pair in one]


class _Draws:
    """Blocks of draws so far, and their running sums."""

    def __init__(self, config: GradientVarianceConfig) -> None:
        self.config = config
        self.fusion = FusionCircuit(config.fusion)
        self.backend = get_backend(config.backend)
        check_memory(
            self.backend.memory_bytes(self.fusion, config.block), f"{config.backend} with {self.fusion.n_qubits} qubits"
        )
        self.rng = np.random.default_rng(config.seed)
        self.inputs = inputs_of(config)
        self.turns = _turns(config.n_inputs, self.fusion.n_observables)
        self.least_blocks = max(LEAST_ROUNDS * config.n_inputs, LEAST_BLOCKS, self.fusion.n_observables)
        self.blocks: list[float] = []
        self.sums = np.zeros((2, *config.fusion.weight_shape))
        self.edges = np.zeros(0)
        self.counts = np.zeros(N_BINS, np.int64)

    @property
    def n_blocks(self) -> int:
        return len(self.blocks)

    @property
    def n_draws(self) -> int:
        return self.n_blocks * self.config.block

    def add_block(self) -> None:
        """Draws one block and adds it up."""
        config = self.config
        i, k = self.turns[self.n_blocks % len(self.turns)]
        weights = draw_weights(config.fusion, config.initializer, self.rng, config.block, config.scale)
        cotangents = np.zeros((1, self.fusion.n_observables))
        cotangents[0, k] = 1.0
        gradients = self.backend.gradients(self.fusion, self.inputs[i : i + 1], weights, cotangents)[2]
        gradients = np.asarray(gradients, np.float64)
        variances = gradients.var(axis=0, ddof=1)
        self.blocks.append(float(variances.mean()))
        self.sums += variances, variances**2
        self._count(gradients.ravel())

    def _count(self, gradients: np.ndarray) -> None:
        if not len(self.edges):
            reach = min(1.0, 4.5 * float(gradients.std())) or 1.0
            self.edges = np.linspace(-reach, reach, N_BINS + 1)
        reach = self.edges[-1]
        inside = gradients[np.abs(gradients) < reach]
        places = ((inside + reach) * (N_BINS / (2 * reach))).astype(np.int64)
        self.counts = self.counts + np.bincount(np.minimum(places, N_BINS - 1), minlength=N_BINS)

    def estimate(self) -> Estimate:
        """The estimate so far."""
        mean, square = self.sums / self.n_blocks
        spread = np.maximum(square - mean**2, 0.0) / max(1, self.n_blocks - 1)
        blocks = np.array(self.blocks)
        return Estimate(self.config, self.n_draws, blocks, mean, np.sqrt(spread), self.edges, self.counts)


def log_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of the mean of independent positive values: Student's t on its logarithm.

    Args:
        values: two or more, 0 or more each.
        confidence: in (0, 1).

    Returns:
        Lower and upper end; (0, inf) where all values are 0 or there is one only.
    """
    mean, n_values = float(np.mean(values)), len(values)
    if n_values < 2 or mean <= 0:
        return 0.0, math.inf
    from scipy.stats import t

    relative = float(np.std(values, ddof=1)) / (mean * math.sqrt(n_values))
    factor = math.exp(float(t.ppf((1 + confidence) / 2, n_values - 1)) * relative)
    return mean / factor, mean * factor


def bootstrap_interval(values: np.ndarray, seed: int = 0, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Percentiles of the mean over resampled values.

    Args:
        values: two or more.
        seed: of the resampling.
        confidence: in (0, 1).
    """
    if len(values) < 2:
        return 0.0, math.inf
    chosen = np.random.default_rng([seed, _STREAM, 1]).integers(len(values), size=(_N_RESAMPLES, len(values)))
    tails = (1 - confidence) / 2
    low, high = np.quantile(np.asarray(values)[chosen].mean(axis=1), [tails, 1 - tails])
    return float(low), float(high)


def sample_variance_error(values: np.ndarray) -> float:
    """Standard error of the sample variance of independent values, whatever their distribution.

    ``Var[s²] = (μ4 − σ⁴ (n − 3) / (n − 1)) / n``, with the sample's own moments.

    Args:
        values: [n], four or more.

    Raises:
        ValueError: fewer than four values.
    """
    values = np.asarray(values, np.float64)
    n = len(values)
    if n < 4:
        raise invalid("values are too few for an error of their variance", "four or more", f"{n}")
    fourth, variance = float(np.mean((values - values.mean()) ** 4)), float(values.var(ddof=1))
    return math.sqrt(max(0.0, fourth - variance**2 * (n - 3) / (n - 1)) / n)

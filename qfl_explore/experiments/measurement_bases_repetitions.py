"""Finite repetitions: estimates of expectation values with error bars, beside the exact values.

Three estimators from T repetitions of one circuit:

- ``grouped``: bit strings in as few product bases as a greedy grouping finds. Interval: Wilson's
  for a share, which also holds near ±1.
- ``shadows``: classical shadows, plain mean. Interval: normal, with the exact variance
  ``(3^w - o²) / T`` at the estimate.
- ``shadows_median``: the same shadows, median of means. Interval: normal, with π/2 times that
  variance (the median's price for many groups).

Source of shadows and median of means: Huang, Kueng and Preskill, arXiv:2002.08953; intervals
are our construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import check_int, invalid
from qfl_explore.experiments.measurement_bases_config import MAX_REPETITIONS, MeasurementConfig
from qfl_explore.simulation.sampling import (
    Estimates,
    Reader,
    Shadow,
    draw_shadow,
    final_states,
    median_of_means,
    shadow_estimates,
)
from qfl_explore.theory.measurement import (
    grouped_variance,
    guaranteed_error,
    median_groups,
    observable_axes,
    observable_names,
    shadow_variance,
    split_repetitions,
    weights,
)

METHODS: dict[str, str] = {
    "grouped": "bit strings, grouped bases",
    "shadows": "classical shadows, mean",
    "shadows_median": "classical shadows, median of means",
}
#: The 97.5 % point of the standard normal distribution.
_Z = 1.959963984540054
_STREAM = 14
#: Single-repetition estimates that are held at once.
_CHUNK = 2**22


class Scene:
    """One circuit at given weights, its states, and the observables of one basis.

    Args:
        config: the settings.
        base: one of ``BASES``.
        n_states: samples, uniform in [-π, π).
        seed: of weights (uniform), planes and samples.

    Attributes:
        reader: reads the observables.
        names: of the observables.
        weights: [K], on how many qubits each acts.
        states: [B, 2^n].
        probabilities: [B, U, 2^n] of bit strings in the reader's settings.
        exact: [B, K].
    """

    def __init__(self, config: MeasurementConfig, base: str, n_states: int = 1, seed: int = 0) -> None:
        fusion = FusionCircuit(config.fusion(base, seed))
        shape = (check_int("n_states", n_states, 1), fusion.config.n_modalities, fusion.config.feature_dim)
        x = np.random.default_rng([seed, _STREAM]).uniform(-np.pi, np.pi, shape)
        self.reader = Reader(observable_axes(fusion.observables, fusion.qubits))
        self.names = observable_names(self.reader.axes)
        self.weights = weights(self.reader.axes)
        self.states = final_states(fusion, x, initial_weights(fusion.config, "uniform", seed))
        self.probabilities = self.reader.probabilities(self.states)
        self.exact = self.reader.exact(self.probabilities)

    def estimate(self, method: str, repetitions: int, rng: np.random.Generator) -> Estimates:
        """Estimates [B, K] from T repetitions of each state."""
        if method == "grouped":
            return self.reader.sample(self.probabilities, repetitions, rng)
        n_groups = min(median_groups(len(self.names)), repetitions) if method == "shadows_median" else 1
        rows = [self._from_shadow(draw_shadow(state, repetitions, rng), n_groups) for state in self.states]
        return Estimates(np.array(rows), np.full(len(self.names), repetitions), repetitions, method)

    def _from_shadow(self, shadow: Shadow, n_groups: int) -> np.ndarray:
        """[K] medians of means (of one group: means), some observables at a time to spare memory."""
        chunk = max(1, _CHUNK // len(shadow.letters))
        axes = self.reader.axes
        parts = (shadow_estimates(shadow, axes[i : i + chunk]) for i in range(0, len(axes), chunk))
        return np.concatenate([median_of_means(part, n_groups) for part in parts])

    def interval(self, found: Estimates) -> tuple[np.ndarray, np.ndarray]:
        """95 % intervals of estimates: two arrays [B, K]."""
        if found.method == "grouped":
            return wilson(found.values, found.n_used)
        values = np.clip(found.values, -1.0, 1.0)
        variance = shadow_variance(values, self.weights, found.repetitions)
        half = _Z * np.sqrt(variance * (np.pi / 2 if found.method == "shadows_median" else 1.0))
        return found.values - half, found.values + half

    def standard_error(self, method: str, repetitions: int) -> np.ndarray:
        """[B, K] exact standard errors at the exact values; for the median of means those of the mean."""
        if method == "grouped":
            used = (self.reader.signs != 0) @ split_repetitions(repetitions, self.reader.n_settings)
            return np.sqrt(grouped_variance(self.exact, used))
        return np.sqrt(shadow_variance(self.exact, self.weights, repetitions))


def wilson(values: Any, n_used: Any) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95 % interval of a mean of ±1 outcomes; [-1, 1] where nothing was read.

    Args:
        values: estimates in [-1, 1].
        n_used: outcomes behind each.
    """
    n = np.asarray(n_used, float)
    values = np.where(n > 0, np.nan_to_num(values), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = values / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * np.sqrt((1 - values**2) / n + _Z**2 / n**2)
    return np.where(n > 0, centre - half, -1.0), np.where(n > 0, centre + half, 1.0)


def estimates(
    config: MeasurementConfig, base: str, repetitions: int, seed: int = 0, scene: Scene | None = None
) -> pd.DataFrame:
    """All observables of one basis on one state, estimated in three ways.

    Args:
        config: the settings.
        base: one of ``BASES``.
        repetitions: T, at least one a setting of the grouped reading.
        seed: of weights, sample, planes and outcomes.
        scene: the state, if it is known already.

    Returns:
        Columns: observable, weight, method, exact, estimate, low, high, standard_error (exact),
        covered, n_used, repetitions, n_settings, guaranteed_error (of the theorem, for shadows),
        seed.
    """
    scene = scene or Scene(config, base, 1, seed)
    repetitions = checked_repetitions(repetitions, scene)
    frames = [_estimated(scene, method, repetitions, seed) for method in METHODS]
    return pd.concat(frames, ignore_index=True)


def _estimated(scene: Scene, method: str, repetitions: int, seed: int) -> pd.DataFrame:
    stream = 0 if method == "grouped" else 1  # mean and median see the same shadows
    found = scene.estimate(method, repetitions, np.random.default_rng([seed, _STREAM, stream]))
    low, high = scene.interval(found)
    columns = {
        "observable": scene.names,
        "weight": scene.weights,
        "method": method,
        "exact": scene.exact[0],
        "estimate": found.values[0],
        "low": low[0],
        "high": high[0],
        "standard_error": scene.standard_error(method, repetitions)[0],
        "covered": (low[0] <= scene.exact[0]) & (scene.exact[0] <= high[0]),
        "n_used": found.n_used,
        "repetitions": repetitions,
        "n_settings": scene.reader.n_settings,
        "guaranteed_error": np.nan if method == "grouped" else guaranteed_error(scene.weights, repetitions),
        "seed": seed,
    }
    return pd.DataFrame(columns)


def checked_repetitions(repetitions: int, scene: Scene) -> int:
    """``repetitions`` if every setting gets at least one; otherwise raises."""
    total = check_int("repetitions", repetitions, 1, MAX_REPETITIONS)
    if total < scene.reader.n_settings:
        raise invalid(
            "repetitions do not suffice to read every observable once",
            f"at least {scene.reader.n_settings}, one for each measurement setting",
            f"repetitions={total}",
        )
    return total


def error_scaling(
    config: MeasurementConfig, repetitions: tuple[int, ...], n_states: int = 16, seed: int = 0
) -> Iterator[pd.DataFrame]:
    """How the error falls with T, for every basis: measured on drawn outcomes beside the exact formula.

    Args:
        config: the settings.
        repetitions: each T; those too few for a basis's settings are left out.
        n_states: random samples, each measured anew.
        seed: of weights, samples, planes and outcomes.

    Yields:
        For each basis a table: basis, method, repetitions, rms_error, expected (exact, from the
        variances), n_values, seed.
    """
    for base in config.bases:
        scene = Scene(config, base, n_states, seed)
        rows = []
        for method in ("grouped", "shadows"):
            rng = np.random.default_rng([seed, _STREAM, 2])
            for total in repetitions:
                if total < scene.reader.n_settings:
                    continue
                error = scene.estimate(method, total, rng).values - scene.exact
                expected = np.sqrt(np.mean(scene.standard_error(method, total) ** 2))
                measured = float(np.sqrt(np.mean(error**2)))
                rows.append((base, method, total, measured, float(expected), error.size, seed))
        names = ["basis", "method", "repetitions", "rms_error", "expected", "n_values", "seed"]
        yield pd.DataFrame(rows, columns=names)


def coverage(
    config: MeasurementConfig, base: str, repetitions: int, n_states: int = 200, seed: int = 0
) -> pd.DataFrame:
    """How often the 95 % intervals hold the exact value, over many states (one reading each).

    Returns:
        One row a method: share covered, standard_error of the share (observables of one state
        count together, because they are read together), n_states, n_observables, repetitions.
    """
    scene = Scene(config, base, n_states, seed)
    total = checked_repetitions(repetitions, scene)
    rows = []
    for i, method in enumerate(METHODS):
        found = scene.estimate(method, total, np.random.default_rng([seed, _STREAM, 3, i]))
        low, high = scene.interval(found)
        shares = ((low <= scene.exact) & (scene.exact <= high)).mean(axis=1)
        error = shares.std(ddof=1) / np.sqrt(n_states)
        rows.append((base, method, float(shares.mean()), float(error), n_states, len(scene.names), total, seed))
    names = ["basis", "method", "share", "standard_error", "n_states", "n_observables", "repetitions", "seed"]
    return pd.DataFrame(rows, columns=names)

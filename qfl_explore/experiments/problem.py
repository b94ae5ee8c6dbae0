"""What the polynomial experiment asks: data, target, grid for pictures, ceiling and spectrum.

A `Problem` holds all that is fixed while a model trains. Whatever costs more than a few
milliseconds is computed when it is first asked for, so that a page shows its first frame at once.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import invalid
from qfl_explore.experiments.polynomial_config import PolynomialConfig
from qfl_explore.experiments.table import Table
from qfl_explore.experiments.targets import Target, make_target
from qfl_explore.lazy import cached_property
from qfl_explore.readout import CircuitRegression
from qfl_explore.simulation.base import Backend, get_backend
from qfl_explore.theory.exact_ceiling import exact_ceiling
from qfl_explore.theory.spectrum import (
    Ceiling,
    ceiling,
    count_frequencies,
    dense_points,
    project,
    reachable_frequencies,
)
from qfl_explore.theory.wrap_around import period, wrapped

#: Frequencies times points above which no coefficients are drawn (64 MiB of complex numbers).
_MAX_ANALYSIS = 4_000_000
_GRID_SIDES = {1: 201, 2: 41}


@dataclasses.dataclass(frozen=True)
class Grid:
    """Points for pictures.

    Attributes:
        axes: one axis for each varied feature (one or two), radians.
        points: [n, F]; in C order of the axes.
        shape: (n,) or (n1, n2), the shape to give to values on ``points``.
        note: what the picture shows, where it is a slice.
    """

    axes: tuple[np.ndarray, ...]
    points: np.ndarray
    shape: tuple[int, ...]
    note: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """All that is fixed while a model trains; made by `prepare`.

    Targets for training are standardised: ``y = (raw - mean) / std`` with the training set's
    mean and standard deviation. R² is the same on either scale.

    Attributes:
        config: the settings.
        target: the target; for a table its value is that of the nearest row.
        model: circuit and readout.
        x_train: [n_train, F], radians.
        y_train: [n_train], standardised, with noise if there is any.
        x_test: [n_test, F], radians.
        y_test: [n_test], standardised, without noise.
        mean: of the raw training targets.
        std: of the raw training targets.
    """

    config: PolynomialConfig
    target: Target
    model: CircuitRegression
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    mean: float
    std: float

    @property
    def label(self) -> str:
        """The target in plain text."""
        return self.target.label

    @property
    def domain(self) -> tuple[float, float]:
        """Lowest and highest angle of every feature (radians)."""
        return self.target.domain

    @property
    def is_table(self) -> bool:
        """Whether the target is known on the rows of a table only."""
        return self.target.samples is not None

    @property
    def n_parameters(self) -> int:
        """Trainable numbers of the model."""
        return self.model.n_parameters

    @cached_property
    def n_reachable(self) -> int:
        """How many frequency vectors the circuit reaches."""
        return count_frequencies(self.config.fusion)

    @cached_property
    def grid(self) -> Grid:
        """Points for pictures: 201 for one feature, 41 × 41 for two; else a slice."""
        n_features = self.x_train.shape[1]
        side = _GRID_SIDES[min(n_features, 2)]
        axes = (np.linspace(*self.domain, side),) * min(n_features, 2)
        mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
        rest = np.median(self.x_train, axis=0) if self.is_table else np.full(n_features, sum(self.domain) / 2)
        points = np.tile(rest, (len(mesh), 1))
        points[:, : len(axes)] = mesh
        where = "the training median" if self.is_table else f"{sum(self.domain) / 2:g}"
        note = f"slice: features 3 to {n_features} rest at {where}" if n_features > 2 else ""
        return Grid(axes, points, (side,) * len(axes), note)

    @cached_property
    def grid_target(self) -> np.ndarray | None:
        """The target (raw scale) on ``grid.points``; ``None`` for a table."""
        return None if self.is_table else self.target(self.grid.points)

    @cached_property
    def ceiling(self) -> Ceiling:
        """The largest R² that any function with the reachable spectrum attains on the target.

        For a function: exact, or on points that fill the domain (scattered ones for three
        features or more, where n frequencies on N points may add up to n/N). For a table: on
        all of its rows, so that it also fits their noise and is optimistic.
        """
        fusion, n_features = self.config.fusion, self.x_train.shape[1]
        if self.target.samples is not None:
            rows, values = self.target.samples
            found = ceiling(fusion, rows, values)
            return dataclasses.replace(found, method=f"{found.method} (all rows of the table)")
        if n_features > 2 and self.domain[1] - self.domain[0] > 6.28:
            spectrum = self.target.spectrum()
            if spectrum is not None:
                return exact_ceiling(fusion, *spectrum, self.domain)
        points = dense_points(n_features, self.domain, _n_points(self.n_reachable, n_features))
        return ceiling(fusion, points, self.target(points))

    @cached_property
    def frequencies(self) -> np.ndarray | None:
        """[n, F] reachable frequencies, or ``None`` where ``coefficients_note`` says why."""
        return None if self._no_spectrum else reachable_frequencies(self.config.fusion)

    @property
    def coefficients_note(self) -> str:
        """Why there are no Fourier coefficients; empty where there are."""
        return self._no_spectrum

    @cached_property
    def target_coefficients(self) -> np.ndarray | None:
        """[n] complex, the target's coefficients (raw scale) over ``frequencies``.

        Exact for a trigonometric target; for any other the least-squares fit on the domain,
        where half-integer frequencies leave some freedom. ``None`` for a table.
        """
        if self.is_table or self.frequencies is None:
            return None
        if self.target.frequencies() is not None:
            return self._fourier @ self.target(self._period_points)
        points = dense_points(self.x_train.shape[1], self.domain, _n_points(self.n_reachable, 1))
        return project(self.frequencies, points, self.target(points)).coefficients

    def coefficients(self, params: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """[n] complex, the model's coefficients (raw scale) over ``frequencies``; exact.

        They are a discrete Fourier transform over a full period (4π where there are
        half-integer frequencies), whatever the target's domain.
        """
        if self.frequencies is None:
            return None
        same = wrapped(self._period_points, period(self.config.fusion))  # to the circuit; within its stated range
        return self._fourier @ self.predict(params, same)

    def predict(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
        """The model's predictions [B] on the target's own (raw) scale."""
        return self.mean + self.std * self.model.predict(params, x)

    def train_r2(self, loss: float) -> float:
        """R² on the training set from the mean squared error there."""
        return 1.0 - loss / float(np.var(self.y_train))

    def test_r2(self, params: Mapping[str, np.ndarray]) -> float:
        """R² on the test set: 1 - squared error / variance of the test targets."""
        error = self.model.predict(params, self.x_test) - self.y_test
        return 1.0 - float(np.mean(error**2) / np.var(self.y_test))

    @cached_property
    def _no_spectrum(self) -> str:
        n_features = self.x_train.shape[1]
        if n_features > 2:
            return f"coefficients are drawn for one or two features, not for {n_features}"
        size = self.n_reachable * self._period_side**n_features
        return "" if size <= _MAX_ANALYSIS else f"{self.n_reachable} frequencies are too many to draw"

    @property
    def _period_side(self) -> int:
        return (2 if self._half_integers else 1) * 2 * self.config.fusion.degree + 2

    @property
    def _half_integers(self) -> bool:
        fusion = self.config.fusion
        return fusion.encoding == "qubit_efficient" and fusion.signal != "phase"

    @cached_property
    def _period_points(self) -> np.ndarray:
        period = (4.0 if self._half_integers else 2.0) * np.pi
        n_features = self.x_train.shape[1]
        return dense_points(n_features, (0.0, period), max(4, self._period_side**n_features))

    @cached_property
    def _fourier(self) -> np.ndarray:
        return np.exp(-1j * (self.frequencies @ self._period_points.T)) / len(self._period_points)


def _n_points(n_frequencies: int, n_features: int) -> int:
    """Enough points to pin a spectrum down; scattered ones need more, and time bounds them."""
    factor = 4 if n_features <= 2 else 16
    return int(np.clip(factor * n_frequencies, 2048, 8192))


def prepare(config: PolynomialConfig, table: Table | None = None) -> Problem:
    """Draws the data of a run.

    A table is shuffled by the seed; a quarter of its rows (``n_test`` at most) is for testing,
    the rest (``n_train`` at most) for training.

    Args:
        config: the settings.
        table: the rows, where ``config.target.kind`` is ``table``.

    Returns:
        A `Problem`.

    Raises:
        ValueError: target and table do not go together, or the target is constant on the
            training or the test set.
    """
    if (config.target.kind == "table") != (table is not None):
        received = "no table" if table is None else f"a table and target.kind={config.target.kind!r}"
        raise invalid("target and table do not go together", "a table if, and only if, target.kind='table'", received)
    streams = np.random.SeedSequence([config.seed, 2]).spawn(3)
    data, noise = (np.random.default_rng(stream) for stream in streams[:2])
    target = make_target(config.target, config.fusion.n_features, table)
    if target.samples is None:
        x_train, x_test = _samples(config, target.domain, data)
        raw_train, raw_test = target(x_train), target(x_test)
    else:
        x_train, raw_train, x_test, raw_test = _split(config, *target.samples, data)
    raw_train = raw_train + config.noise * raw_train.std() * noise.standard_normal(len(raw_train))
    mean, std = float(raw_train.mean()), float(raw_train.std())
    for name, values in (("training", raw_train), ("test", raw_test)):
        if not values.std() > 1e-9 * max(1.0, float(np.abs(values).max())):
            raise invalid(f"the target is constant on the {name} samples", "a target that varies", f"{values[0]:g}")
    standard = ((raw_train - mean) / std, (raw_test - mean) / std)
    model = CircuitRegression(FusionCircuit(config.fusion), _engine(config))
    return Problem(config, target, model, x_train, standard[0], x_test, standard[1], mean, std)


def _engine(config: PolynomialConfig) -> Backend:
    if config.backend == "batched" and config.optimizer == "lbfgs":
        return get_backend("batched", dtype="float64")  # its line search needs the digits
    return get_backend(config.backend)


def _samples(
    config: PolynomialConfig, domain: tuple[float, float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    n_features = config.fusion.n_features
    x_test = rng.uniform(*domain, (config.n_test, n_features))
    if config.sampling == "grid":
        return dense_points(n_features, domain, max(4, config.n_train)), x_test
    return rng.uniform(*domain, (config.n_train, n_features)), x_test


def _split(
    config: PolynomialConfig, features: np.ndarray, values: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    order = rng.permutation(len(values))
    n_test = min(config.n_test, math.ceil(len(values) / 4))
    test, train = order[:n_test], order[n_test : n_test + config.n_train]
    return features[train], values[train], features[test], values[test]

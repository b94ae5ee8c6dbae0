"""The rank wall of low-rank fusion: error against rank, and other models of like size beside it.

The target is ``Π_i (x_{2i-1} + x_{2i})`` for x uniform on [-1, 1]^M, see ``theory.rank_wall``. All
models see the same samples and get the same budget of L-BFGS steps.

Source: our construction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.fusion_models import LowRankFusion, SmallNetwork, train
from qfl_explore.experiments.intervals import t_interval
from qfl_explore.optimizers import lbfgs
from qfl_explore.readout import CircuitRegression
from qfl_explore.simulation.base import ENGINES, get_backend
from qfl_explore.theory.rank_wall import check_modalities, least_error, needed_rank, relative_error, target

MODELS = {"lmf": "LMF", "quantum": "QFL", "mlp": "MLP"}
COLUMNS = ("model", "size", "seed", "error", "least_error", "n_parameters", "n_train", "n_steps")
MAX_RANK = 40
N_TEST = 4000


@dataclasses.dataclass(frozen=True, kw_only=True)
class RankWallConfig(Settings):
    """Settings of the study.

    Args:
        n_modalities: M, even, 2 to 8.
        ranks: R of LMF; ``None``: all from 1 to 2^(M/2) + 2.
        degrees: P of the Quantum Fusion Layers.
        widths: hidden units of the networks; ``None``: about as many parameters as LMF has at half
            the wall, at the wall and at twice the wall.
        n_train: samples.
        n_steps: of L-BFGS, at most.
        n_restarts: starts on every seed; the lowest training loss is kept.
        seeds: distinct; each draws samples and starting values anew.
        backend: the engine that runs the layers.

    Raises:
        ValueError: a setting is out of range or unknown.
        TypeError: a setting is of the wrong kind.
    """

    n_modalities: int = 4
    ranks: tuple[int, ...] | None = None
    degrees: tuple[int, ...] = (1, 2, 3, 4)
    widths: tuple[int, ...] | None = None
    n_train: int = 512
    n_steps: int = 300
    n_restarts: int = 1
    seeds: tuple[int, ...] = (0, 1, 2)
    backend: str = "batched"

    def __post_init__(self) -> None:
        if check_modalities(self.n_modalities) > 8:
            raise invalid("n_modalities is too large to train live", "2, 4, 6 or 8", f"{self.n_modalities}")
        check_option("backend", self.backend, ENGINES)
        for name, most in (("n_train", 100_000), ("n_steps", 10_000), ("n_restarts", 20)):
            check_int(name, getattr(self, name), 1, most)
        wall = needed_rank(self.n_modalities)
        if self.ranks is None:
            object.__setattr__(self, "ranks", tuple(range(1, wall + 3)))
        if self.widths is None:
            sizes = (2 * self.n_modalities * r for r in (wall / 2, wall, 2 * wall))
            object.__setattr__(self, "widths", tuple(dict.fromkeys(self._width(size) for size in sizes)))
        for name, least, most in (("ranks", 1, MAX_RANK), ("degrees", 1, 12), ("widths", 1, 256), ("seeds", 0, None)):
            self._check_numbers(name, least, most)

    def _check_numbers(self, name: str, least: int, most: int | None) -> None:
        values = tuple(check_int(f"each of {name}", value, least, most) for value in getattr(self, name))
        if len(set(values)) < len(values) or len(values) > 50 or (name in ("ranks", "seeds") and not values):
            raise invalid(f"{name} are not usable", "up to 50 distinct integers", f"{name}={values}")
        object.__setattr__(self, name, values)

    def _width(self, n_parameters: float) -> int:
        return max(1, math.ceil((n_parameters - 1) / (self.n_modalities + 2)))

    def fusion(self, degree: int) -> FusionConfig:
        """The layer of degree P: one scalar a modality, X, Y and Z of every qubit into a linear readout."""
        return FusionConfig(n_modalities=self.n_modalities, degree=degree, measurement="pauli")

    @property
    def n_rows(self) -> int:
        """Rows of a finished study."""
        return len(self.seeds) * (len(self.ranks) + len(self.degrees) + len(self.widths))


@dataclasses.dataclass(frozen=True)
class Progress:
    """One item of `stream`: what is being trained, and the finished row where there is one.

    Attributes:
        model: one of ``MODELS``.
        size: R, P or the number of hidden units.
        seed: of the samples and starting values.
        step: of L-BFGS.
        row: the finished row, or ``None``.
    """

    model: str
    size: int
    seed: int
    step: int = -1
    row: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class RankWallResult:
    """A finished study, or the finished part of one.

    Attributes:
        config: the settings.
        table: one row for each model, size and seed; ``error`` is E[(g - f)²] / E[f²] on x uniform on
            [-1, 1]^M, exact for LMF and on 4000 fresh points for the others.
    """

    config: RankWallConfig
    table: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        """Errors by model and size over seeds; the wall."""
        wall = needed_rank(self.config.n_modalities)
        return {"wall": wall, "models": means(self.table), "n_seeds": len(self.config.seeds)}


def means(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Median, least and largest error over seeds, and the mean with its t-interval, by model and size."""
    rows = []
    for key, group in table.groupby(["model", "size"], sort=False):
        model, size = key  # pyright: ignore[reportGeneralTypeIssues]
        interval = t_interval(group["error"])
        first = group.iloc[0]
        rows.append(
            {
                "model": model,
                "size": int(size),
                "n_parameters": int(first["n_parameters"]),
                "median": float(group["error"].median()),
                "best": float(group["error"].min()),
                "worst": float(group["error"].max()),
                "mean": interval.mean,
                "low": interval.low,
                "high": interval.high,
                "least_error": float(first["least_error"]),
                "n_seeds": len(group),
            }
        )
    return rows


def stream(config: RankWallConfig) -> Iterator[Progress]:
    """LMF on every rank and seed, then layers and networks; yields often."""
    for rank in config.ranks or ():
        for seed in config.seeds:
            yield from _lmf(config, rank, seed)
    for degree in config.degrees:
        for seed in config.seeds:
            yield from _quantum(config, degree, seed)
    for width in config.widths or ():
        for seed in config.seeds:
            yield from _network(config, width, seed)


def run(config: RankWallConfig | None = None) -> RankWallResult:
    """A whole study."""
    config = config or RankWallConfig()
    return collect(config, stream(config))


def collect(config: RankWallConfig, items: Iterable[Progress]) -> RankWallResult:
    """The finished rows among the items of `stream`."""
    return RankWallResult(config, pd.DataFrame([i.row for i in items if i.row is not None], columns=list(COLUMNS)))


def samples(config: RankWallConfig, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training points [N, M] in [-1, 1] and values [N]; all models of a seed get the same."""
    x = np.random.default_rng([seed, config.n_modalities, 11]).uniform(-1.0, 1.0, (config.n_train, config.n_modalities))
    return x, target(x)


def _test_points(config: RankWallConfig, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, config.n_modalities, 12]).uniform(-1.0, 1.0, (N_TEST, config.n_modalities))


def _row(config: RankWallConfig, model: str, size: int, seed: int, error: float, n_parameters: int) -> Progress:
    least = least_error(config.n_modalities, size) if model == "lmf" else 0.0
    values = (model, size, seed, max(0.0, error), least, n_parameters, config.n_train, config.n_steps)
    return Progress(model, size, seed, row=dict(zip(COLUMNS, values, strict=True)))


def _trained(config: RankWallConfig, name: str, size: int, seed: int, model: Any) -> Iterator[Any]:
    """Progress while training, then the parameters with the lowest loss of all restarts, and the scale."""
    x, y = samples(config, seed)
    scale = float(y.std())
    best, kept = math.inf, None
    for restart in range(config.n_restarts):
        rng = np.random.default_rng([seed, size, restart, 13])
        for step in train(model, x[:, :, None], y / scale, rng, config.n_steps, "squared", decay=0.0):
            if step.loss < best:
                best, kept = step.loss, step.params
            if step.step % 10 == 0:
                yield Progress(name, size, seed, step.step)
    yield kept, scale


def _lmf(config: RankWallConfig, rank: int, seed: int) -> Iterator[Progress]:
    model = LowRankFusion(config.n_modalities, 1, rank, bias=False)
    for item in _trained(config, "lmf", rank, seed, model):
        if isinstance(item, Progress):
            yield item
        else:
            factors = item[0]["factors"].copy()
            factors[0] *= item[1]
            yield _row(config, "lmf", rank, seed, relative_error(factors), model.n_parameters)


def _network(config: RankWallConfig, width: int, seed: int) -> Iterator[Progress]:
    model = SmallNetwork(config.n_modalities, width)
    for item in _trained(config, "mlp", width, seed, model):
        if isinstance(item, Progress):
            yield item
        else:
            points = _test_points(config, seed)
            fitted = item[1] * model.forward(item[0], points[:, :, None])[0]
            yield _row(config, "mlp", width, seed, _relative(fitted, points), model.n_parameters)


def _quantum(config: RankWallConfig, degree: int, seed: int) -> Iterator[Progress]:
    model = CircuitRegression(FusionCircuit(config.fusion(degree)), get_backend(config.backend))
    x, y = samples(config, seed)
    scale = float(y.std())
    best, kept = math.inf, None
    for restart in range(config.n_restarts):
        start = model.initial(1000 * seed + restart)
        for step in lbfgs(lambda params: model.loss_and_grad(params, x, y / scale), start, config.n_steps):
            if step.loss < best:
                best, kept = step.loss, step.params
            if step.step % 5 == 0:
                yield Progress("quantum", degree, seed, step.step)
    points = _test_points(config, seed)
    yield _row(
        config, "quantum", degree, seed, _relative(scale * model.predict(kept, points), points), model.n_parameters
    )


def _relative(fitted: np.ndarray, points: np.ndarray) -> float:
    truth = target(points)
    return float(np.sum((fitted - truth) ** 2) / np.sum(truth**2))

"""The polynomial experiment: a fusion circuit of degree P learns a target, with the ceiling beside it.

`stream` yields one frame a step for live pages, `run` drains it into a table, `wall` and
`repeat` run it over degrees and seeds.

The wall: with one feature and no constant slot, depth P reaches exactly the frequencies
|ω| ≤ P, so ``cos(kx)`` is learned from P = k on and not at all below. Source: the spectrum is
Schuld, Sweke and Meyer, arXiv:2008.08605; the experiment is our construction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qfl_explore.errors import invalid
from qfl_explore.experiments.polynomial_config import PolynomialConfig
from qfl_explore.experiments.problem import Grid, Problem, prepare
from qfl_explore.experiments.table import Table
from qfl_explore.lazy import cached_property
from qfl_explore.optimizers import Adam, AdamState, lbfgs

__all__ = [
    "Frame",
    "Grid",
    "PolynomialConfig",
    "PolynomialResult",
    "Problem",
    "Repetition",
    "WallPoint",
    "prepare",
    "repeat",
    "run",
    "stream",
    "wall",
]

Params = dict[str, np.ndarray]
#: Settings that may differ between a stream and the problem it is given.
_TRAINING_ONLY = ("learning_rate", "schedule", "n_steps", "patience", "min_delta", "initializer", "record_every")


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """Training after ``step`` steps. What costs time is computed when first asked for.

    Attributes:
        step: 0 before training.
        loss: mean squared error on the standardised training set.
        train_r2: R² on the training set.
        params: the model's parameters, a snapshot.
        problem: what is trained on.
        state: the optimiser's state, so that `stream` can go on from this frame.
    """

    step: int
    loss: float
    train_r2: float
    params: Params
    problem: Problem = dataclasses.field(repr=False)
    state: AdamState | None = dataclasses.field(default=None, repr=False)

    @cached_property
    def test_r2(self) -> float:
        """R² on the test set."""
        return self.problem.test_r2(self.params)

    @cached_property
    def prediction(self) -> np.ndarray:
        """[n] on ``problem.grid.points``, on the target's own scale."""
        return self.problem.predict(self.params, self.problem.grid.points)

    @cached_property
    def coefficients(self) -> np.ndarray | None:
        """[n] complex over ``problem.frequencies``, or ``None`` (``problem.coefficients_note``)."""
        return self.problem.coefficients(self.params)


def stream(
    config: PolynomialConfig,
    problem: Problem | None = None,
    start: Frame | Mapping[str, np.ndarray] | None = None,
) -> Generator[Frame, None, str]:
    """Trains; yields the frame before training (step 0) and one after every step.

    Closing the generator ends the training. Its return value says why it ended:
    ``budget``, ``patience`` or ``converged`` (L-BFGS only).

    Args:
        config: the settings.
        problem: from `prepare`, for the same data; ``None`` to draw it here.
        start: a `Frame` to go on from (its step and Adam's state included, so nothing is
            lost; L-BFGS gathers its curvature anew), or parameters to begin with at step 0;
            ``None`` for the initialiser's.

    Returns:
        A generator of `Frame`.

    Raises:
        ValueError: ``problem`` is for other data, or ``start`` does not fit the model.
    """
    problem = prepare(config) if problem is None else _checked_problem(config, problem)
    return _until_patience(config, _frames(config, problem, _first_frame(config, problem, start)))


def _checked_problem(config: PolynomialConfig, problem: Problem) -> Problem:
    same = {name: getattr(problem.config, name) for name in _TRAINING_ONLY}
    if config.replace(**same) == problem.config:
        return problem
    names = [field.name for field in dataclasses.fields(config)]
    differ = [name for name in names if getattr(config, name) != getattr(problem.config, name)]
    raise invalid(
        "problem was prepared for other settings",
        f"a problem whose config differs in {', '.join(_TRAINING_ONLY)} only",
        f"one that differs in {', '.join(differ)}",
    )


def _first_frame(
    config: PolynomialConfig, problem: Problem, start: Frame | Mapping[str, np.ndarray] | None
) -> tuple[int, Params, AdamState | None]:
    if start is None:
        return 0, problem.model.initial(config.seed, config.initializer), None
    if isinstance(start, Frame):
        return start.step, problem.model.checked(start.params), start.state
    return 0, problem.model.checked(start), None


def _frames(config: PolynomialConfig, problem: Problem, first: tuple[int, Params, AdamState | None]) -> Iterator[Frame]:
    return (_lbfgs_frames if config.optimizer == "lbfgs" else _adam_frames)(config, problem, *first)


def _adam_frames(
    config: PolynomialConfig, problem: Problem, step: int, params: Params, state: AdamState | None
) -> Iterator[Frame]:
    adam = Adam(config.learning_rate)
    state = adam.init(params) if state is None else state
    loss, grads = problem.model.loss_and_grad(params, problem.x_train, problem.y_train)
    yield Frame(step, loss, problem.train_r2(loss), params, problem, state)
    while step < config.n_steps:
        params, state = adam.step(params, grads, state, _learning_rate(config, step))
        loss, grads = problem.model.loss_and_grad(params, problem.x_train, problem.y_train)
        step += 1
        yield Frame(step, loss, problem.train_r2(loss), params, problem, state)


def _learning_rate(config: PolynomialConfig, step: int) -> float:
    """For the step after ``step`` steps."""
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * min(1.0, max(0.02, 2.0 * (1.0 - step / config.n_steps)))


def _lbfgs_frames(
    config: PolynomialConfig, problem: Problem, step: int, params: Params, state: AdamState | None
) -> Iterator[Frame]:
    def objective(trial: Params) -> tuple[float, Params]:
        return problem.model.loss_and_grad(trial, problem.x_train, problem.y_train)

    loss, _ = objective(params)
    yield Frame(step, loss, problem.train_r2(loss), params, problem)
    if step < config.n_steps:
        for done in lbfgs(objective, params, config.n_steps - step):
            yield Frame(step + done.step, done.loss, problem.train_r2(done.loss), done.params, problem)


def _until_patience(config: PolynomialConfig, frames: Iterator[Frame]) -> Generator[Frame, None, str]:
    best, best_step, step = np.inf, 0, 0
    for frame in frames:
        step = frame.step
        yield frame
        if frame.loss < best - config.min_delta:
            best, best_step = frame.loss, step
        if config.patience is not None and step - best_step >= config.patience and step < config.n_steps:
            return "patience"
    return "budget" if step >= config.n_steps else "converged"


@dataclasses.dataclass(frozen=True, eq=False)
class PolynomialResult:
    """What a finished run leaves.

    Attributes:
        config: the settings.
        table: one row every ``record_every`` steps and one for the last: step, loss, train_r2,
            test_r2, degree, n_modalities, feature_dim, target, seed, n_train, n_test.
        problem: data, ceiling, spectrum.
        final: the last frame.
        stopped: why training ended: ``budget``, ``patience`` or ``converged``.
    """

    config: PolynomialConfig
    table: pd.DataFrame
    problem: Problem
    final: Frame
    stopped: str

    def summary(self) -> dict[str, Any]:
        """The run in a few plain values; ``gap`` is the ceiling less the test R²."""
        config, problem = self.config, self.problem
        top = problem.ceiling
        return {
            "run_id": config.run_id,
            "target": problem.label,
            "degree": config.fusion.degree,
            "n_parameters": problem.n_parameters,
            "n_reachable": problem.n_reachable,
            "ceiling": top.r2,
            "ceiling_method": top.method,
            "train_r2": self.final.train_r2,
            "test_r2": self.final.test_r2,
            "gap": None if top.r2 is None else top.r2 - self.final.test_r2,
            "n_steps": self.final.step,
            "stopped": self.stopped,
            "n_train": len(problem.x_train),
            "n_test": len(problem.x_test),
            "seed": config.seed,
            "measurement_seed": config.fusion.seed,
            "scale": "targets standardised with the training mean and standard deviation",
        }


def run(config: PolynomialConfig, table: Table | None = None) -> PolynomialResult:
    """Trains to the end.

    Args:
        config: the settings.
        table: the rows, where ``config.target.kind`` is ``table``.

    Returns:
        A `PolynomialResult`; the same settings always give the same numbers on one machine.
    """
    problem = prepare(config, table)
    frames = stream(config, problem)
    kept: list[Frame] = []
    frame = next(frames)
    while True:
        if frame.step % config.record_every == 0:
            kept.append(frame)
        try:
            frame = next(frames)
        except StopIteration as end:
            stopped = end.value
            break
    if kept[-1] is not frame:
        kept.append(frame)
    return PolynomialResult(config, _table(problem, kept), problem, frame, stopped)


def _table(problem: Problem, frames: list[Frame]) -> pd.DataFrame:
    rows = [(frame.step, frame.loss, frame.train_r2, frame.test_r2) for frame in frames]
    fusion = problem.config.fusion
    return pd.DataFrame(rows, columns=["step", "loss", "train_r2", "test_r2"]).assign(
        degree=fusion.degree,
        n_modalities=fusion.n_modalities,
        feature_dim=fusion.feature_dim,
        target=problem.label,
        seed=problem.config.seed,
        n_train=len(problem.x_train),
        n_test=len(problem.x_test),
    )


class WallPoint(NamedTuple):
    """One degree of the wall: P, the test R² that training reached, and the ceiling."""

    degree: int
    test_r2: float
    ceiling: float | None


def wall(
    config: PolynomialConfig,
    degrees: Iterable[int] = range(1, 9),
    table: Table | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[WallPoint]:
    """Trains the same target at one degree after the other; yields each as it is done.

    Args:
        config: the settings; ``fusion.degree`` is replaced.
        degrees: each P.
        table: the rows, where ``config.target.kind`` is ``table``.
        cancelled: asked after every step; the generator ends once it answers yes.
    """
    for degree in degrees:
        deeper = config.replace(fusion=config.fusion.replace(degree=degree))
        problem = prepare(deeper, table)
        last = None
        for frame in stream(deeper, problem):
            if cancelled is not None and cancelled():
                return
            last = frame
        yield WallPoint(degree, last.test_r2, problem.ceiling.r2)


@dataclasses.dataclass(frozen=True, eq=False)
class Repetition:
    """The same settings over several seeds (samples, noise and start; the measurement stays).

    Attributes:
        config: the settings.
        table: the tables of all runs; column ``seed`` tells them apart.
        seeds: of the runs.
        finals: [n_seeds] test R² at the end.
        mean: of ``finals``.
        interval: 95 % Student-t interval of the mean; it presumes scatter that is roughly
            normal and may reach above 1: read it beside the lowest and highest.
    """

    config: PolynomialConfig
    table: pd.DataFrame
    seeds: tuple[int, ...]
    finals: np.ndarray
    mean: float
    interval: tuple[float, float]


def repeat(config: PolynomialConfig, seeds: Iterable[int] = range(5), table: Table | None = None) -> Repetition:
    """Runs the same settings with several seeds.

    Args:
        config: the settings; ``seed`` is replaced.
        seeds: two or more different ones.
        table: the rows, where ``config.target.kind`` is ``table``.

    Raises:
        ValueError: fewer than two different seeds.
    """
    from scipy.stats import t

    seeds = tuple(seeds)
    if len(set(seeds)) != len(seeds) or len(seeds) < 2:
        raise invalid("seeds do not make an interval", "two or more different seeds", f"{seeds}")
    results = [run(config.replace(seed=seed), table) for seed in seeds]
    finals = np.array([result.final.test_r2 for result in results])
    mean = float(finals.mean())
    half = float(t.ppf(0.975, len(seeds) - 1) * finals.std(ddof=1) / np.sqrt(len(seeds)))
    combined = pd.concat([result.table for result in results], ignore_index=True)
    return Repetition(config, combined, seeds, finals, mean, (mean - half, mean + half))

"""Gradient variance of every layer while training goes on, over many starts trained side by side.

Mitigations to compare: small angles, identity blocks (Grant et al., arXiv:1903.05076) and
layerwise training (Skolik et al., arXiv:2006.14904), which can be switched while it runs.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import INITIALIZERS, draw_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.gradient_variance import log_interval
from qfl_explore.experiments.intervals import Interval, t_interval
from qfl_explore.lazy import cached_property
from qfl_explore.optimizers import Adam, check_positive
from qfl_explore.simulation.base import ENGINES, Backend, check_memory, get_backend

_STREAM = 2006_14904


def _default_fusion() -> FusionConfig:
    return FusionConfig(n_modalities=8, degree=3, encoding="qubit_per_feature", measurement="global_z")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(Settings):
    """Settings of a training run over many starts.

    The mean over the circuit's observables is trained to give ``y = mean_j cos(x_j) / 2`` on
    ``n_samples`` inputs by full-batch Adam on the squared error. Source: the question is next
    check 1 of arXiv:2510.06938; task and protocol are our construction.

    Args:
        fusion: the circuit.
        initializer: ``uniform``, ``small_angle`` or ``identity_block``.
        scale: of ``small_angle``, radians, above 0.
        layerwise: trains one U after the other, ``steps_per_layer`` steps each, then all.
        steps_per_layer: 1 or more.
        n_starts: weight vectors trained side by side; the variance is taken over them. 3 or more.
        n_samples: inputs, 1 or more.
        n_steps: 0 or more.
        learning_rate: of Adam, above 0.
        repetitions: of every expectation value behind a gradient; the steps then follow
            errors and gradients with that much noise (normal, at its upper bound: variance
            1/repetitions for a value, two such shifted values for a derivative). ``None``: exact
            gradients. What a frame holds is exact in any case.
        seed: draws inputs and starts; 0 or more.
        backend: the engine's name.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    fusion: FusionConfig = dataclasses.field(default_factory=_default_fusion)
    initializer: str = "uniform"
    scale: float = 0.1
    layerwise: bool = False
    steps_per_layer: int = 15
    n_starts: int = 24
    n_samples: int = 16
    n_steps: int = 120
    learning_rate: float = 0.05
    repetitions: int | None = None
    seed: int = 0
    backend: str = "batched"

    def __post_init__(self) -> None:
        if not isinstance(self.fusion, FusionConfig):
            raise invalid("fusion is of the wrong kind", "a FusionConfig", repr(self.fusion), TypeError)
        if not isinstance(self.layerwise, bool):
            raise invalid("layerwise must be a boolean", "True or False", f"layerwise={self.layerwise!r}", TypeError)
        for name, least in {"steps_per_layer": 1, "n_starts": 3, "n_samples": 1, "n_steps": 0, "seed": 0}.items():
            object.__setattr__(self, name, check_int(name, getattr(self, name), least))
        if self.repetitions is not None:
            object.__setattr__(self, "repetitions", check_int("repetitions", self.repetitions, 1))
        for name in ("scale", "learning_rate"):
            check_positive(name, getattr(self, name))
        check_option("initializer", self.initializer, INITIALIZERS)
        check_option("backend", self.backend, ENGINES)


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingFrame:
    """All starts after ``step`` steps.

    Attributes:
        config: the settings.
        step: 0 before training.
        losses: [n_starts] mean squared errors.
        gradients: [n_starts, *weight_shape] of each start's loss.
        trained: layers whose weights the next step changes.
    """

    config: TrainingConfig
    step: int
    losses: np.ndarray
    gradients: np.ndarray
    trained: tuple[int, ...]

    @cached_property
    def loss(self) -> Interval:
        """Mean loss over starts, with its 95 % interval."""
        return t_interval(self.losses)

    @cached_property
    def layers(self) -> list[tuple[float, float, float]]:
        """For each layer the variance over starts (mean over its angles) and its 95 % interval."""
        n_starts = len(self.gradients)
        squares = (self.gradients - self.gradients.mean(axis=0)) ** 2 * (n_starts / (n_starts - 1))
        each = squares.mean(axis=(2, 3, 4))
        return [(float(column.mean()), *log_interval(column)) for column in each.T]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each layer."""
        common = {
            "step": self.step,
            "loss": self.loss.mean,
            "loss_low": self.loss.low,
            "loss_high": self.loss.high,
            "initializer": self.config.initializer,
            "layerwise": len(self.trained) <= self.config.fusion.degree,
            "n_starts": len(self.losses),
            "seed": self.config.seed,
        }
        return [
            {"layer": layer, "variance": value, "low": low, "high": high} | common
            for layer, (value, low, high) in enumerate(self.layers)
        ]


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a finished run leaves.

    Attributes:
        config: the settings.
        table: one row for each step and layer.
        first: before training.
        final: after it.
    """

    config: TrainingConfig
    table: pd.DataFrame
    first: TrainingFrame
    final: TrainingFrame

    def summary(self) -> dict[str, Any]:
        """Start and end in plain values."""
        return {
            "run_id": self.config.run_id,
            "initializer": self.config.initializer,
            "layerwise": self.config.layerwise,
            "loss_start": self.first.loss.mean,
            "loss": self.final.loss.mean,
            "loss_low": self.final.loss.low,
            "loss_high": self.final.loss.high,
            "variance_start": float(np.mean([value for value, *_ in self.first.layers])),
            "variance_end": float(np.mean([value for value, *_ in self.final.layers])),
            "n_starts": self.config.n_starts,
            "n_steps": self.final.step,
            "seed": self.config.seed,
        }


def task(config: TrainingConfig) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [B, M, D], uniform in [-π, π), and targets [B]."""
    fusion = config.fusion
    rng = np.random.default_rng([config.seed, _STREAM])
    x = rng.uniform(-np.pi, np.pi, (config.n_samples, fusion.n_modalities, fusion.feature_dim))
    return x, np.cos(x).mean(axis=(1, 2)) / 2


def stream_training(config: TrainingConfig, layerwise: Callable[[], bool] | None = None) -> Iterator[TrainingFrame]:
    """Trains all starts; yields before the first and after every step.

    Args:
        config: the settings.
        layerwise: asked before every step, so that the mitigation can be switched while it
            runs (it begins with the first layer whenever it is switched on); ``None``: as in
            the settings.

    Raises:
        ValueError: memory would not do; the message has the number.
    """
    fusion, backend = FusionCircuit(config.fusion), get_backend(config.backend)
    check_memory(backend.memory_bytes(fusion, config.n_samples), f"{config.backend} with {fusion.n_qubits} qubits")
    x, y = task(config)
    rng = np.random.default_rng(config.seed)
    params = {"weights": draw_weights(config.fusion, config.initializer, rng, config.n_starts, config.scale)}
    adam = Adam(config.learning_rate)
    state, since = adam.init(params), None  # the step at which layerwise training was switched on
    for step in range(config.n_steps + 1):
        values = np.asarray(backend.expectations(fusion, x, params["weights"]), np.float64)
        errors = values.mean(axis=2) - y
        gradients = _gradients(fusion, backend, x, params["weights"], errors)
        one_by_one = config.layerwise if layerwise is None else layerwise()
        since = (step if since is None else since) if one_by_one else None
        trained = trained_layers(config, step - (since or 0), one_by_one)
        yield TrainingFrame(config, step, (errors**2).mean(axis=1), gradients, trained)
        before = params["weights"]
        if config.repetitions is not None:
            noisy = errors + rng.normal(size=errors.shape) / np.sqrt(config.repetitions)
            gradients = _gradients(fusion, backend, x, before, noisy) + _noise(config, noisy, rng)
        params, state = adam.step(params, {"weights": gradients}, state)
        rest = [layer for layer in range(config.fusion.degree + 1) if layer not in trained]
        params["weights"][:, rest] = before[:, rest]


def _gradients(fusion: FusionCircuit, backend: Backend, x: np.ndarray, weights: np.ndarray, errors: Any) -> np.ndarray:
    """[n_starts, *weight_shape] of the mean squared error, from the errors [n_starts, B]."""
    cotangents = np.repeat(2.0 * errors[:, :, None], fusion.n_observables, axis=2)
    cotangents /= errors.shape[1] * fusion.n_observables
    return np.asarray(backend.gradients(fusion, x, weights, cotangents)[2], np.float64)


def _noise(config: TrainingConfig, errors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What finite repetitions add to the gradient of the loss; errors [n_starts, B]."""
    spread = np.sqrt(np.sum((2.0 * errors / errors.shape[1]) ** 2, axis=1) / (2.0 * (config.repetitions or math.inf)))
    return rng.normal(size=(len(errors), *config.fusion.weight_shape)) * spread[:, None, None, None, None]


def trained_layers(config: TrainingConfig, step: int, layerwise: bool) -> tuple[int, ...]:
    """Layers that are changed after ``step`` steps of layerwise training: one by one, in the end all.

    >>> config = TrainingConfig(steps_per_layer=10)
    >>> [trained_layers(config, step, True) for step in (0, 9, 10, 39, 40)]
    [(0,), (0,), (1,), (3,), (0, 1, 2, 3)]
    """
    every = tuple(range(config.fusion.degree + 1))
    turn = step // config.steps_per_layer
    return (turn,) if layerwise and turn < len(every) else every


def run_training(config: TrainingConfig) -> TrainingResult:
    """Streams to the end."""
    frames = stream_training(config)
    first = next(frames)
    rows, last = first.rows(), collections.deque([first], maxlen=1)
    for frame in frames:
        rows += frame.rows()
        last.append(frame)
    return TrainingResult(config, pd.DataFrame(rows), first, last.pop())

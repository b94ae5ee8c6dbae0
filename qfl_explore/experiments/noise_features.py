"""Features that a linear readout reads, under noise: the circuit's, and classical ones with equal noise.

Equal feature noise (our construction). Gate noise, readout errors and a finite number of
repetitions move the circuit's features from u (centred, in standard deviations) to about
``shrink · u + offset + scatter · ε``: a least-squares line through all features together and what is
left of it. Every feature of a classical model is moved in the same way, in its own standard
deviations, with ε normal and independent. Feature means what the linear readout reads: waves for
least squares, hidden units for the network, measures for logistic regression. Two circuits are
measured, trained without and with noise; classical models that adapt get the gentler noise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments.fusion_models import SmallNetwork, loss_and_cotangents
from qfl_explore.experiments.measurement_bases_task import Task
from qfl_explore.optimizers import lbfgs
from qfl_explore.simulation.base import Backend

Parts = dict[str, np.ndarray]
#: Below this much variance there is no signal whose noise could be measured.
_DEAD = 1e-12
#: Noisy copies of the training samples for a network that is trained with noise.
N_COPIES = 4
N_NETWORK_STEPS = 150
_DECAY = 1e-6


@dataclasses.dataclass(frozen=True)
class FeatureNoise:
    """How noise moves features, in standard deviations of the noiseless ones.

    Attributes:
        shrink: slope; 1 without noise.
        offset: root mean square over the features; each classical one gets it with a sign of its own.
        scatter: what is random, or not on the line.
    """

    shrink: float
    offset: float
    scatter: float

    @property
    def signal_to_noise(self) -> float:
        """What is left of the features over what scatters."""
        return abs(self.shrink) / max(self.scatter, 1e-12)

    def move(self, features: np.ndarray, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Features [N, J], whose noiseless mean and deviation are given, with this noise."""
        signs = np.random.default_rng(7).choice((-1.0, 1.0), features.shape[1])  # the same in every part
        standard = self.shrink * (features - mean) / std + self.offset * signs
        return mean + std * (standard + self.scatter * rng.standard_normal(features.shape))


def measured_noise(clean: np.ndarray, noisy: np.ndarray) -> FeatureNoise:
    """What turned features ``clean`` [N, K] into ``noisy`` [N, K], all features together.

    The slope is that of one least-squares line through all centred features, so features count by
    their variance; the scatter is the root of the unexplained over the noiseless variance.

    >>> clean = np.random.default_rng(0).normal(size=(50, 2))
    >>> found = measured_noise(clean, 0.5 * clean)
    >>> round(found.shrink, 6), found.scatter < 1e-12
    (0.5, True)
    """
    mean = clean.mean(axis=0)
    signal, moved = clean - mean, noisy - mean
    power = float(np.sum(signal**2))
    if power <= _DEAD:
        return FeatureNoise(1.0, 0.0, 0.0)
    shift = moved.mean(axis=0)
    shrink = float(np.sum(signal * moved)) / power
    rest = moved - shift - shrink * signal
    size = len(clean) / power
    return FeatureNoise(shrink, float(np.sqrt(size * np.sum(shift**2))), float(np.sqrt(np.sum(rest**2) / power)))


def quantum_features(
    engine: Backend,
    fusion: FusionCircuit,
    task: Task,
    weights: np.ndarray,
    repetitions: int | None,
    rng: np.random.Generator,
) -> Parts:
    """Expectation values [N, K] by part; with ``repetitions`` each is the mean of so many outcomes ±1."""
    values = {part: engine.expectations(fusion, x, weights) for part, x in task.x.items()}
    if repetitions is None:
        return values
    return {part: sampled(v, repetitions, rng) for part, v in values.items()}


def sampled(values: np.ndarray, repetitions: int, rng: np.random.Generator) -> np.ndarray:
    """Means of ``repetitions`` outcomes ±1 with these expectation values."""
    ones = rng.binomial(repetitions, np.clip((1.0 + values) / 2.0, 0.0, 1.0))
    return 2.0 * ones / repetitions - 1.0


def moved_parts(features: Parts, noise: FeatureNoise, rng: np.random.Generator) -> Parts:
    """Classical features under equal noise; the first column, the constant, stays."""
    mean, std = features["train"][:, 1:].mean(axis=0), features["train"][:, 1:].std(axis=0)
    std = np.where(std > 0, std, 1.0)
    return {part: np.column_stack([f[:, :1], noise.move(f[:, 1:], mean, std, rng)]) for part, f in features.items()}


class NoisyNetwork:
    """A tanh network whose hidden units meet equal feature noise before its linear readout.

    Args:
        task: the data.
        n_hidden: hidden units.
        seed: of the starting values.
    """

    def __init__(self, task: Task, n_hidden: int, seed: int) -> None:
        self.task = task
        self.x = {part: x.reshape(len(x), -1) / np.pi for part, x in task.x.items()}
        self.model = SmallNetwork(self.x["train"].shape[1], n_hidden)
        self.seed = seed

    def features(self, params: Parts) -> Parts:
        """[N, 1 + n_hidden] by part: a constant and the hidden units."""
        return {
            part: np.column_stack([np.ones(len(x)), np.tanh(x @ params["first"] + params["shift"])])
            for part, x in self.x.items()
        }

    def steps(self, noise: FeatureNoise | None, start: Parts | None = None) -> Iterator[Parts]:
        """Parameters after every step of L-BFGS.

        With ``noise`` on copies of the samples, each with noise of its own, drawn once, so that
        L-BFGS meets one fixed loss; its size follows the hidden units of the noiseless network ``start``.
        """
        y = np.tile(self.task.y["train"], 1 if noise is None else N_COPIES)
        x = np.tile(self.x["train"], (1 if noise is None else N_COPIES, 1))
        shrink, added = 1.0, np.zeros((len(x), self.model.n_hidden))
        if noise is not None and start is not None:
            hidden = self.features(start)["train"][:, 1:]
            mean, rng = hidden.mean(axis=0), np.random.default_rng([self.seed, 31])
            shrink = noise.shrink
            added = noise.move(np.tile(mean, (len(x), 1)), mean, hidden.std(axis=0), rng) - shrink * mean
        params = start if start is not None else self.model.initial(np.random.default_rng([self.seed, 30]))
        yield params
        with _threads().limit(limits=1, user_api="blas"):  # these products are small: more threads wait for each other
            for step in lbfgs(self._objective(x, y, shrink, added), params, N_NETWORK_STEPS):
                yield step.params

    def _objective(
        self, x: np.ndarray, y: np.ndarray, shrink: float, added: np.ndarray
    ) -> Callable[[Parts], tuple[float, Parts]]:
        loss = "logistic" if self.task.classes else "squared"
        share = np.full(len(x), 1.0 / len(x))

        def objective(params: Parts) -> tuple[float, Parts]:
            plain = np.tanh(x @ params["first"] + params["shift"])
            moved = shrink * plain + added
            value, cotangents = loss_and_cotangents(moved @ params["last"] + params["bias"][0], y, share, loss)
            inner = cotangents[:, None] * params["last"] * shrink * (1.0 - plain**2)
            grads = {
                "first": x.T @ inner,
                "shift": inner.sum(axis=0),
                "last": cotangents @ moved,
                "bias": np.array([cotangents.sum()]),
            }
            value += 0.5 * _DECAY * sum(float(np.sum(p**2)) for p in params.values())
            return value, {name: grad + _DECAY * params[name] for name, grad in grads.items()}

        return objective


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()

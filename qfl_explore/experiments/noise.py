"""Does a layer survive noise? Scores against strength and degree, beside classical models with equal feature noise.

For every seed and degree a circuit is trained without noise. At every strength its readout meets
the noisy features as it is (``clean``), or fitted anew to them (``refit``); and the circuit is
trained anew under the noise, with exact gradients (``noisy``). The classical models have the same
three: linear ones ``clean`` and ``refit``, a network of matched size all of them. See
`qfl_explore.experiments.noise_features` for what equal feature noise means.

There is no zero-noise extrapolation: the library for it, mitiq, does not install beside the
pinned cirq. Source: our construction on arXiv:2510.06938's layer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments import noise_features as noisy
from qfl_explore.experiments import noise_separation
from qfl_explore.experiments.alternatives import matched_width
from qfl_explore.experiments.circuit_training import train_with_readout
from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.measurement_bases_task import Task, fit_linear, make_task, with_constant
from qfl_explore.experiments.noise_config import SCORES, TASKS, NoiseConfig
from qfl_explore.simulation.base import Backend, get_backend
from qfl_explore.training import area_under_roc

__all__ = ["MODELS", "SCORES", "TASKS", "TRAININGS", "NoiseConfig", "NoiseResult", "Progress", "run", "stream"]

QUANTUM, NETWORK = "quantum", "network"
MODELS: dict[str, str] = {
    QUANTUM: "Quantum Fusion Layer",
    "fourier": "least squares on the layer's own waves",
    "measures": "logistic regression on all 30 measures",
    "angles": "logistic regression on the layer's angles",
    NETWORK: "network of matched size on the layer's angles",
    noise_separation.JOINT: "joint protocol",
    noise_separation.SEPARABLE: "best separable found, no noise",
    noise_separation.SEPARABLE_LOSS: "best separable found, same loss",
}
TRAININGS: dict[str, str] = {
    "clean": "trained without noise",
    "refit": "readout fitted anew",
    "noisy": "trained with noise",
    "none": "nothing is trained",
}
COLUMNS = (
    "seed",
    "degree",
    "strength",
    "model",
    "training",
    "score",
    "shrink",
    "scatter",
    "n_parameters",
    "n_train",
    "n_test",
)


@dataclasses.dataclass(frozen=True)
class Progress:
    """One item of a stream.

    Attributes:
        seed: of the repetition.
        degree: P.
        strength: of the noise; ``None`` while the noiseless circuit is trained.
        step: of a training.
        rows: finished rows of the table.
        n_done: finished pairs of degree and strength.
        n_total: of all.
    """

    seed: int
    degree: int
    strength: float | None = None
    step: int = 0
    rows: tuple[dict[str, Any], ...] = ()
    n_done: int = 0
    n_total: int = 0


@dataclasses.dataclass(frozen=True)
class NoiseResult:
    """What was found, whole or so far.

    Attributes:
        config: the settings.
        table: tidy, ``COLUMNS``. ``shrink`` and ``scatter``: by which factor noise contracts the
            model's features, and how far it scatters them, in standard deviations.
    """

    config: NoiseConfig
    table: pd.DataFrame

    @classmethod
    def collect(cls, config: NoiseConfig, items: Iterable[Progress]) -> NoiseResult:
        """Puts a stream's items together; they need not be complete."""
        rows = [row for item in items for row in item.rows]
        return cls(config, pd.DataFrame(rows, columns=list(COLUMNS)))

    def summary(self) -> dict[str, Any]:
        """Means with 95 % intervals, and the layer against each classical model by seed.

        Returns:
            ``rows``: degree, strength, model, training, mean, low, high, n_seeds, shrink, scatter;
            ``paired``: the layer's best training at that point less each classical model's best,
            each chosen by its mean, seed by seed, with interval and ``outcome``.
        """
        return {"rows": self._rows(), "paired": self.paired()}

    def _rows(self) -> list[dict[str, Any]]:
        found = []
        keys = ["degree", "strength", "model", "training"]
        for key, group in self.table.groupby(keys, sort=False) if len(self.table) else ():
            interval = t_interval(group["score"], overlap=self._overlap())
            interval = interval.clipped(-np.inf if self.config.task == "polynomial" else 0.0, 1.0)
            found.append(
                dict(zip(keys, key, strict=True))  # pyright: ignore[reportCallIssue]
                | {"mean": interval.mean, "low": interval.low, "high": interval.high, "n_seeds": len(group)}
                | {name: float(group[name].mean()) for name in ("shrink", "scatter")}
                | {"n_parameters": int(group["n_parameters"].iloc[0])}
            )
        return found

    def paired(self) -> list[dict[str, Any]]:
        """See `summary`."""
        ours = QUANTUM if self.config.task != "separation" else noise_separation.JOINT
        found = []
        for key, group in self.table.groupby(["degree", "strength"]) if len(self.table) else ():
            degree, strength = key  # pyright: ignore[reportGeneralTypeIssues]
            best = {model: _best(part) for model, part in group.groupby("model")}
            if ours not in best:
                continue
            for model, (training, scores) in best.items():
                differences = (best[ours][1] - scores).dropna() if model != ours else ()
                if len(differences):
                    interval = t_interval(differences, overlap=self._overlap())
                    outcome = {1: "wins", -1: "loses", 0: "undecided"}[interval.side()]
                    point = {"degree": degree, "strength": strength, "model": model, "training": training}
                    ends = {"mean": interval.mean, "low": interval.low, "high": interval.high}
                    found.append(point | ends | {"n_seeds": len(differences), "outcome": outcome})
        return found

    def _overlap(self) -> float:
        """Splits of one data set share samples; polynomials and bases are drawn anew."""
        if self.config.task != "breast_cancer" or self.table.empty:
            return 0.0
        return float(self.table["n_test"].iloc[0] / self.table["n_train"].iloc[0])


def _best(part: pd.DataFrame) -> tuple[str, pd.Series]:
    training = str(part.groupby("training")["score"].mean().idxmax())
    return training, pd.Series(part[part["training"] == training].set_index("seed")["score"])


def stream(config: NoiseConfig) -> Iterator[Progress]:
    """Runs the experiment: seeds outside, degrees inside; yields every training step."""
    n_each = len(config.strengths)
    n_total = len(config.seeds) * len(config.degrees) * n_each
    n_done = 0
    for seed in config.seeds:
        for degree in config.degrees:
            items = _separation(config, seed, degree) if config.task == "separation" else _learned(config, seed, degree)
            for item in items:
                n_done += bool(item.rows)
                yield dataclasses.replace(item, n_done=n_done, n_total=n_total)


def run(config: NoiseConfig | None = None) -> NoiseResult:
    """Runs the experiment to its end; the same settings give the same numbers on one machine."""
    config = config or NoiseConfig()
    return NoiseResult.collect(config, stream(config))


def _separation(config: NoiseConfig, seed: int, degree: int) -> Iterator[Progress]:
    yield Progress(seed, degree)  # the separable optimum may take a moment
    table = pd.DataFrame(noise_separation.rows(config, seed, degree))
    for strength, rows in table.groupby("strength", sort=False):
        yield Progress(seed, degree, strength, rows=tuple(rows.to_dict("records")))


def _learned(config: NoiseConfig, seed: int, degree: int) -> Iterator[Progress]:
    task = make_task(config.data_config(degree), seed)
    yield Progress(seed, degree)
    point = _Point(config, task, seed, degree)
    params: Any = None
    for step, params in point.train(get_backend("batched", dtype="float64")):  # noqa: B007
        yield Progress(seed, degree, None, step)
    for _ in point.settle(params["weights"]):
        yield Progress(seed, degree)
    for strength in config.strengths:
        engine = get_backend("density_matrix", noise=config.noise(strength))
        weights = params["weights"]
        if strength:
            for step, trained in point.train(engine):
                weights = trained["weights"]
                yield Progress(seed, degree, strength, step)
        rows = [*point.quantum_rows(engine, strength, weights), *point.linear_rows(strength)]
        for found in point.network_rows(strength):
            rows += found
            yield Progress(seed, degree, strength, config.n_steps)
        yield Progress(seed, degree, strength, config.n_steps, tuple(rows))


class _Point:
    """All models of one seed and degree."""

    def __init__(self, config: NoiseConfig, task: Task, seed: int, degree: int) -> None:
        self.config, self.task, self.seed, self.degree = config, task, seed, degree
        self.fusion = FusionCircuit(config.fusion(degree, seed))
        self.n_parameters = self.fusion.n_weights + self.fusion.n_observables + 1
        width = matched_width(self.fusion.config.n_features, self.n_parameters)
        self.network = noisy.NoisyNetwork(task, width, seed)

    def train(self, engine: Backend) -> Iterator[tuple[int, Any]]:
        """Circuit and readout, always from the same start."""
        start = initial_weights(self.fusion.config, "uniform", self.seed)
        config = self.config
        return train_with_readout(engine, self.task, self.fusion, start, config.learning_rate, config.n_steps)

    def settle(self, weights: np.ndarray) -> Iterator[None]:
        """Everything without gate noise: features, the network, and readouts fitted with repetitions."""
        self.weights = weights
        silent = get_backend("density_matrix")
        self.clean = self._quantum(silent, weights, None)
        read = self._quantum(silent, weights, self._rng(0.0, "readout"))
        repeated = noisy.measured_noise(self.clean["train"], read["train"])
        self.readouts = {QUANTUM: self._fit({part: with_constant(values) for part, values in read.items()})}
        for params in self.network.steps(None):
            self.hidden_params = params
            yield
        self.features = self.task.controls | {NETWORK: self.network.features(self.hidden_params)}
        for name, features in self.features.items():
            self.readouts[name] = self._fit(noisy.moved_parts(features, repeated, self._rng(0.0, f"{name}, readout")))

    def quantum_rows(self, engine: Backend, strength: float, trained: np.ndarray) -> list[dict[str, Any]]:
        """The layer; also measures the noise that the classical models get.

        Training may find a circuit that the noise hurts less. Classical models that adapt get the
        gentler of both circuits' noises, so that this is no advantage over them.
        """
        rows = []
        silent = get_backend("density_matrix")
        for training, weights in (("clean", self.weights), ("noisy", trained)):
            features = self._quantum(engine, weights, self._rng(strength, training))
            constant = {part: with_constant(values) for part, values in features.items()}
            pure = self.clean if training == "clean" else self._quantum(silent, weights, None)
            noise = noisy.measured_noise(pure["train"], features["train"])
            if training == "clean":
                self.noise = self.gentle = noise
                rows.append(self._row(strength, QUANTUM, "clean", constant, self.readouts[QUANTUM], noise))
                training = "refit"
            rows.append(self._row(strength, QUANTUM, training, constant, self._fit(constant), noise))
        self.gentle = max(self.noise, noise, key=lambda one: one.signal_to_noise)
        return rows

    def linear_rows(self, strength: float) -> list[dict[str, Any]]:
        """Given features, those of the network without noise among them, read by a linear readout."""
        rows = []
        for name, features in self.features.items():
            moved = noisy.moved_parts(features, self.noise, self._rng(strength, name))
            rows.append(self._row(strength, name, "clean", moved, self.readouts[name], self.noise))
            moved = noisy.moved_parts(features, self.gentle, self._rng(strength, f"{name}, refit"))
            rows.append(self._row(strength, name, "refit", moved, self._fit(moved), self.gentle))
        return rows

    def network_rows(self, strength: float) -> Iterator[list[dict[str, Any]]]:
        """The network of matched size, trained with noise on its hidden units."""
        params = self.hidden_params
        for params in self.network.steps(self.gentle, self.hidden_params):  # noqa: B007
            yield []
        hidden = self.network.features(params)
        moved = noisy.moved_parts(hidden, self.gentle, self._rng(strength, "network, noisy"))
        yield [self._row(strength, NETWORK, "noisy", moved, self._fit(moved), self.gentle)]

    def _quantum(self, engine: Backend, weights: np.ndarray, rng: np.random.Generator | None) -> noisy.Parts:
        repetitions = None if rng is None else self.config.repetitions
        rng = rng or np.random.default_rng(0)
        return noisy.quantum_features(engine, self.fusion, self.task, weights, repetitions, rng)

    def _fit(self, features: noisy.Parts) -> np.ndarray:
        return fit_linear(self.task, features, self.config.penalties).coefficients

    def _rng(self, strength: float, what: str) -> np.random.Generator:
        place = self.config.strengths.index(strength)
        return np.random.default_rng([self.seed, self.degree, place, *what.encode()])

    def _row(
        self,
        strength: float,
        model: str,
        training: str,
        features: noisy.Parts,
        readout: np.ndarray,
        noise: noisy.FeatureNoise,
    ) -> dict[str, Any]:
        task, outputs = self.task, features["test"] @ readout
        score = area_under_roc(outputs, task.y["test"] == 1) if task.classes else task.score(outputs)
        sizes = {QUANTUM: self.n_parameters, NETWORK: self.network.model.n_parameters}
        return {
            "seed": self.seed,
            "degree": self.degree,
            "strength": strength,
            "model": model,
            "training": training,
            "score": score,
            "shrink": noise.shrink,
            "scatter": noise.scatter,
            "n_parameters": sizes.get(model, len(readout)),
            "n_train": len(task.y["train"]),
            "n_test": len(task.y["test"]),
        }

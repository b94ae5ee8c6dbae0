"""Measurement bases: the same circuit, read in four ways, learns the same tasks.

For every seed and basis: a circuit trained together with its linear readout (``trained``); the
same circuit with random weights and a fitted readout (``frozen``, which shows what the
observables alone give); the trained circuit with expectation values from T repetitions, its
readout as it was or fitted anew to such values (``refitted``); and classical controls that are
linear in Fourier features or in the data. `stream` yields often, for live pages; `run` drains it.

Source: the random Pauli-plane measurement is arXiv:2510.06938's (our reading of it, see
`qfl_explore.circuits.measurement`); the comparison is our construction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments.circuit_training import train_with_readout
from qfl_explore.experiments.intervals import Interval, t_interval
from qfl_explore.experiments.measurement_bases_config import BASES, TASKS, MeasurementConfig
from qfl_explore.experiments.measurement_bases_features import expectations, feature_spectrum
from qfl_explore.experiments.measurement_bases_task import Task, fit_linear, make_task, with_constant
from qfl_explore.readout import Params
from qfl_explore.simulation.base import get_backend
from qfl_explore.simulation.sampling import Reader, final_states
from qfl_explore.theory.measurement import observable_axes

__all__ = ["BASES", "CONTROLS", "TASKS", "MeasurementConfig", "MeasurementResult", "Progress", "run", "stream"]

#: Classical models, linear in features that need no circuit.
CONTROLS = {
    "fourier": "least squares on the circuit's own waves",
    "angles": "logistic regression on the same angles",
    "measures": "logistic regression on all 30 measures",
}
COLUMNS = (
    "seed",
    "basis",
    "model",
    "n_observables",
    "n_parameters",
    "repetitions",
    "score",
    "validation_loss",
    "setting",
    "effective_rank",
    "condition_number",
    "n_settings",
    "ceiling",
    "n_train",
    "n_test",
)
#: The paper's basis, with which the others are compared.
REFERENCE = "random_pauli_plane"
#: Mixed into seeds, so that outcomes share no random stream with anything else.
_OUTCOMES = 13


@dataclasses.dataclass(frozen=True)
class Progress:
    """One item of a stream.

    Attributes:
        stage: ``control``, ``frozen``, ``training``, ``tested`` or ``sampled``.
        seed: of the repetition.
        basis: one of ``BASES``, or of ``CONTROLS``.
        trial: number of the learning rate, from 0.
        step: of Adam.
        rows: finished rows of the table.
        n_done: units of work done.
        n_total: of all.
        params: of the trained model, where the stage is ``tested``.
    """

    stage: str
    seed: int
    basis: str
    trial: int = 0
    step: int = 0
    rows: tuple[dict[str, Any], ...] = ()
    n_done: int = 0
    n_total: int = 0
    params: Params | None = None


@dataclasses.dataclass(frozen=True)
class MeasurementResult:
    """What was found, whole or so far.

    Attributes:
        config: the settings.
        table: tidy, ``COLUMNS``. Rows: one for each seed, basis and model (``trained``,
            ``frozen``, ``classical``) with exact expectation values (``repetitions`` missing),
            and for each number of repetitions two: ``trained``, and ``refitted``, the trained
            circuit with a readout that is fitted anew to sampled values.
    """

    config: MeasurementConfig
    table: pd.DataFrame

    @classmethod
    def collect(cls, config: MeasurementConfig, items: Iterable[Progress]) -> MeasurementResult:
        """Puts a stream's items together; they need not be complete."""
        rows = [row for item in items for row in item.rows]
        return cls(config, pd.DataFrame(rows, columns=list(COLUMNS)))

    def complete(self) -> MeasurementResult:
        """Only the seeds that every basis has finished; all rows where there is none yet.

        Means of different seeds must not stand beside each other.
        """
        last = self.table[
            (self.table["repetitions"] == max(self.config.repetitions)) & (self.table["model"] == "refitted")
        ]
        done = [seed for seed, group in last.groupby("seed") if set(self.config.bases) <= set(group["basis"])]
        return dataclasses.replace(self, table=self.table[self.table["seed"].isin(done)]) if done else self

    def summary(self) -> dict[str, Any]:
        """Means with 95 % intervals, and each basis against the random plane by seed.

        Returns:
            ``rows``: basis, model, repetitions, mean, low, high, n_seeds, n_observables,
            n_parameters; ``paired``: trained, exact score less that of ``REFERENCE`` with an
            interval at 95 % for all comparisons together (Bonferroni) and its ``outcome``;
            ``best_classical``: the control with the highest mean.
        """
        table = self.table
        keys = ["basis", "model", "repetitions"]
        groups = table.groupby(keys, dropna=False, sort=False) if len(table) else ()
        rows = [_row(self.config, dict(zip(keys, key, strict=True)), group) for key, group in groups]
        classical = [row for row in rows if row["model"] == "classical"]
        best = max(classical, key=lambda row: row["mean"])["basis"] if classical else ""
        return {"rows": rows, "paired": self.paired(), "best_classical": best}

    def scores(self, model: str = "trained", repetitions: int | None = None) -> pd.DataFrame:
        """Rows of one model; ``repetitions=None`` for exact expectation values."""
        table = self.table[self.table["model"] == model]
        counts = table["repetitions"]
        return pd.DataFrame(table[counts.isna() if repetitions is None else counts == repetitions])

    def paired(self, model: str = "trained", repetitions: int | None = None) -> list[dict[str, Any]]:
        """Each basis less ``REFERENCE``, seed by seed, at 95 % for all comparisons together (Bonferroni).

        Args:
            model: ``trained``, ``frozen`` or ``refitted``.
            repetitions: T; ``None`` for exact expectation values.

        Returns:
            Rows with basis, mean, low, high, n_seeds and outcome (``better``, ``worse``, ``undecided``).
        """
        wide = self.scores(model, repetitions).pivot(index="seed", columns="basis", values="score")
        rivals = [base for base in self.config.bases if base != REFERENCE]
        found = []
        for base in rivals if REFERENCE in wide else ():
            differences = (wide[base] - wide[REFERENCE]).dropna() if base in wide else ()
            if len(differences):
                interval = t_interval(differences, 1.0 - 0.05 / len(rivals), _overlap(self.config, self.table))
                outcome = {1: "better", -1: "worse", 0: "undecided"}[interval.side()]
                found.append({"basis": base, **_ends(interval), "outcome": outcome})
        return found


def stream(config: MeasurementConfig) -> Iterator[Progress]:
    """Runs the experiment: seeds outside, bases inside; yields every training step."""
    runner = _Runner(config)
    for seed in config.seeds:
        task = make_task(config, seed)
        for name, features in task.controls.items():
            yield runner.control(task, seed, name, features)
        for base in config.bases:
            yield from runner.basis(task, seed, base)


def run(config: MeasurementConfig | None = None) -> MeasurementResult:
    """Runs the experiment to its end; the same settings give the same numbers on one machine."""
    config = config or MeasurementConfig()
    return MeasurementResult.collect(config, stream(config))


class _Runner:
    """Trains and reads the models of one experiment."""

    def __init__(self, config: MeasurementConfig) -> None:
        self.config = config
        self.engine = get_backend(config.backend)
        self.n_done = 0
        self.n_total = len(config.seeds) * len(config.bases) * config.n_trials

    def _item(self, stage: str, seed: int, basis: str, **more: Any) -> Progress:
        return Progress(stage, seed, basis, **more, n_done=self.n_done, n_total=self.n_total)

    def control(self, task: Task, seed: int, name: str, features: dict[str, np.ndarray]) -> Progress:
        fit = fit_linear(task, features, self.config.penalties)
        score = task.score(features["test"] @ fit.coefficients)
        sizes = {"n_observables": 0, "n_parameters": len(fit.coefficients)}
        found = {"score": score, "validation_loss": fit.validation_loss, "setting": fit.penalty}
        row = _blank(task) | {"seed": seed, "basis": name, "model": "classical", **sizes, **found}
        return self._item("control", seed, name, rows=(row,))

    def basis(self, task: Task, seed: int, base: str) -> Iterator[Progress]:
        fusion = FusionCircuit(self.config.fusion(base, seed))
        start = initial_weights(fusion.config, self.config.initializer, seed)
        reader = Reader(observable_axes(fusion.observables, fusion.qubits))
        common = _blank(task) | {"seed": seed, "basis": base, "n_observables": fusion.n_observables}
        common["n_settings"] = reader.n_settings
        yield self._item("frozen", seed, base, rows=(common | self._frozen(task, fusion, start),))
        best: tuple[float, float, Params] = (math.inf, math.nan, {})
        for trial, rate in enumerate(self.config.learning_rates):
            params: Params = {}
            steps = train_with_readout(self.engine, task, fusion, start, rate, self.config.n_steps)
            for step, now in steps:
                params = now
                yield self._item("training", seed, base, trial=trial, step=step)
            loss = task.loss(_outputs(self.config, fusion, task.x["validation"], params), "validation")[0]
            best = (loss, rate, params) if not best[2] or loss < best[0] else best
            self.n_done += 1
        row = common | self._tested(task, fusion, *best)
        yield self._item("tested", seed, base, rows=(row,), params=best[2])
        for sampled in self._sampled(task, fusion, reader, best[2], seed):
            yield self._item("sampled", seed, base, rows=(row | sampled,))

    def _frozen(self, task: Task, fusion: FusionCircuit, start: np.ndarray) -> dict[str, Any]:
        values = {part: expectations(self.config, fusion, x, start) for part, x in task.x.items()}
        features = {part: with_constant(v) for part, v in values.items()}
        fit = fit_linear(task, features, self.config.penalties)
        score = task.score(features["test"] @ fit.coefficients)
        found = {"score": score, "validation_loss": fit.validation_loss, "setting": fit.penalty}
        return {"model": "frozen", "n_parameters": 1 + fusion.n_observables, **found, **_shape(values["train"])}

    def _tested(self, task: Task, fusion: FusionCircuit, loss: float, rate: float, params: Params) -> dict[str, Any]:
        values = expectations(self.config, fusion, task.x["train"], params["weights"])
        return {
            "model": "trained",
            "n_parameters": fusion.n_weights + fusion.n_observables + 1,
            "score": task.score(_outputs(self.config, fusion, task.x["test"], params)),
            "validation_loss": loss,
            "setting": rate,
            **_shape(values),
        }

    def _sampled(
        self, task: Task, fusion: FusionCircuit, reader: Reader, params: Params, seed: int
    ) -> Iterator[dict[str, Any]]:
        """Scores of the trained circuit when every expectation value comes from T repetitions.

        Twice: with the readout as trained (on exact values), and with one that is fitted anew to
        sampled values of the training set, which knows the noise.
        """
        rows = slice(0, self.config.n_sampled)
        points = task.x | {"test": task.x["test"][rows]}
        states = {part: final_states(fusion, x, params["weights"]) for part, x in points.items()}
        probabilities = {part: reader.probabilities(vectors) for part, vectors in states.items()}
        rng = np.random.default_rng([seed, _OUTCOMES])
        for total in self.config.repetitions:
            if total < reader.n_settings:
                continue  # some observable would never be read
            values = {part: reader.sample(p, total, rng).values for part, p in probabilities.items()}
            common = {"repetitions": total, "n_test": len(points["test"])}
            outputs = values["test"] @ params["readout"] + params["bias"]
            yield common | {"score": task.score(outputs, rows=rows)}
            features = {part: with_constant(v) for part, v in values.items()}
            fit = fit_linear(task, features, self.config.penalties)
            score = task.score(features["test"] @ fit.coefficients, rows=rows)
            found = {"model": "refitted", "validation_loss": fit.validation_loss, "setting": fit.penalty}
            yield common | found | {"score": score}


def _outputs(config: MeasurementConfig, fusion: FusionCircuit, x: np.ndarray, params: Params) -> np.ndarray:
    return expectations(config, fusion, x, params["weights"]) @ params["readout"] + params["bias"]


def _blank(task: Task) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan)
    ceiling = np.nan if task.ceiling is None else task.ceiling
    return row | {"ceiling": ceiling, "n_train": len(task.y["train"]), "n_test": len(task.y["test"])}


def _shape(values: np.ndarray) -> dict[str, float]:
    found = feature_spectrum(values)
    return {"effective_rank": float(found.effective_rank), "condition_number": found.condition_number}


def _row(config: MeasurementConfig, key: dict[str, Any], group: pd.DataFrame) -> dict[str, Any]:
    interval = t_interval(group["score"], overlap=_overlap(config, group)).clipped(-np.inf, 1.0)
    sizes = {name: int(group[name].iloc[0]) for name in ("n_observables", "n_parameters")}
    return key | _ends(interval) | sizes


def _ends(interval: Interval) -> dict[str, Any]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high, "n_seeds": interval.n_values}


def _overlap(config: MeasurementConfig, table: pd.DataFrame) -> float:
    """Splits of one data set share samples; polynomials are drawn anew."""
    if config.task != "breast_cancer" or table.empty:
        return 0.0
    return float(table["n_test"].max() / table["n_train"].iloc[0])

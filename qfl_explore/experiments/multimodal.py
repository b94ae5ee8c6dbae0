"""The multimodal study: the Quantum Fusion Layer and classical fusions on one data set, on equal terms.

All methods have the same data and number of trials. All fusions have the same encoders, epochs and a
width that gives at least the quantum model's parameters; linear models, boosting and the MLP see the
measures as they are. Each is chosen on the validation part and meets the test part once a
seed. `stream` yields one item an epoch for live pages, `run` drains it. What a method cannot do
is listed with its reason, never left out silently.

Source: the chain encoders → layer → head, the focal loss and early stopping follow
arXiv:2510.06938; everything else is our construction, as that study's settings are not known.
"""

from __future__ import annotations

import dataclasses
import math
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.datasets import MultimodalData
from qfl_explore.experiments.multimodal_config import ESTIMATORS, METHODS, QUANTUM, MultimodalConfig
from qfl_explore.experiments.multimodal_fit import Best, TaskTrainer
from qfl_explore.experiments.multimodal_methods import estimator, load_data, network
from qfl_explore.experiments.multimodal_resample import confirmed, resample
from qfl_explore.experiments.multimodal_summary import summarise, summarise_gradients
from qfl_explore.experiments.multimodal_tasks import Task
from qfl_explore.training import load_keras

__all__ = ["METHODS", "QUANTUM", "MultimodalConfig", "MultimodalResult", "Step", "run", "stream"]

COLUMNS = ("seed", "method", "trial", "setting", "epoch", "split", "metric", "value")
GRADIENTS = ("seed", "method", "step", "norm", "encoder_norm")


@dataclasses.dataclass(frozen=True, eq=False)
class Step:
    """One step of a study.

    Attributes:
        stage: ``loading`` (TensorFlow), ``building`` (a model), ``training`` (an epoch), ``tested`` (a method
            is finished on a seed) or ``skipped`` (it cannot take part).
        seed: the repetition.
        method: one of ``METHODS``.
        trial: number of the trial, from 0.
        setting: what the trial tries.
        epoch: of the trial; -1 where there is none.
        values: by (part, metric); empty where nothing was measured.
        norms: [n_steps, 2], gradient norms of an epoch's steps: whole, and in the encoders.
        score: the row of `MultimodalResult.scores`, where the stage is ``tested``.
        test: task, outputs and labels of the test part, where the stage is ``tested``.
        reason: why the method was skipped.
        n_done: trials finished in the whole study, those skipped included.
        n_total: trials of the whole study.
    """

    stage: str
    seed: int
    method: str
    trial: int = 0
    setting: float = math.nan
    epoch: int = -1
    values: dict[tuple[str, str], float] = dataclasses.field(default_factory=dict)
    norms: np.ndarray = dataclasses.field(default_factory=lambda: np.empty((0, 2)))
    score: dict[str, Any] | None = None
    test: tuple[Task, np.ndarray, np.ndarray] | None = None
    reason: str = ""
    n_done: int = 0
    n_total: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows, ``COLUMNS``."""
        common = {name: getattr(self, name) for name in COLUMNS[:5]}
        return [{**common, "split": part, "metric": name, "value": v} for (part, name), v in self.values.items()]


@dataclasses.dataclass(frozen=True)
class MultimodalResult:
    """What a study found, whole or so far.

    Attributes:
        config: its settings.
        table: tidy history, ``COLUMNS``.
        scores: one row for each seed and method that is finished: test scores, chosen setting, number of
            parameters, seconds and epochs over all trials, sizes of the parts.
        gradients: ``GRADIENTS``, the norms at every step of each network's chosen trial.
        skipped: by method, why it did not take part.
        task: of the data set, scaled by the first seed's training part; ``None`` before anything is tested.
        outputs: by seed and method, the outputs [n, columns] for the test part, for curves and confusions;
            forecasts are scaled as ``task`` says.
        labels: by seed, of the test part.
    """

    config: MultimodalConfig
    table: pd.DataFrame
    scores: pd.DataFrame
    gradients: pd.DataFrame
    skipped: dict[str, str]
    task: Task | None = None
    outputs: dict[tuple[int, str], np.ndarray] = dataclasses.field(default_factory=dict)
    labels: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)

    @classmethod
    def collect(cls, config: MultimodalConfig, steps: Iterable[Step]) -> MultimodalResult:
        """Puts a stream's items together; they need not be complete."""
        steps = list(steps)
        table = pd.DataFrame([row for step in steps for row in step.rows()], columns=list(COLUMNS))
        scores = pd.DataFrame([step.score for step in steps if step.score])
        skipped = {step.method: step.reason for step in steps if step.stage == "skipped"}
        tested = [(step, *step.test) for step in steps if step.test]
        task = tested[0][1] if tested else None
        outputs = {(step.seed, step.method): _in_units_of(task, own, values) for step, own, values, _ in tested}
        labels = {step.seed: labels for step, _, _, labels in tested}
        return cls(config, table, scores, _gradients(steps), skipped, task, outputs, labels)

    def summary(self) -> dict[str, Any]:
        """Means with 95 % intervals and paired tests over seeds, and intervals over resampled test samples.

        See `multimodal_summary.summarise`, `multimodal_summary.summarise_gradients` and
        `multimodal_resample.confirmed`.
        """
        summary = summarise(self.scores, self.skipped) | {"gradients": summarise_gradients(self.gradients)}
        return summary if self.task is None else confirmed(summary, resample(self.task, self.outputs, self.labels))


def stream(config: MultimodalConfig, study: Study | None = None) -> Iterator[Step]:
    """Runs a study, one epoch at a time: seeds outside, methods inside.

    The first results (estimators) come before TensorFlow is imported.

    Args:
        config: the settings.
        study: a `Study` of other data or methods; ``None`` for the usual ones.
    """
    study = study or Study(config)
    for seed in config.seeds:
        data = study.load(config, seed)
        for method in config.methods:
            yield from study.stream(method, data)


def run(config: MultimodalConfig | None = None) -> MultimodalResult:
    """Runs a whole study."""
    config = config or MultimodalConfig()
    return MultimodalResult.collect(config, stream(config))


class Study:
    """Networks are traced once and serve every seed and trial.

    Other methods or data than the usual ones go in by `network` and `load` of a subclass.
    """

    load = staticmethod(load_data)
    network = staticmethod(network)

    def __init__(self, config: MultimodalConfig) -> None:
        self.config = config
        self.n_done = 0
        self.n_total = len(config.seeds) * sum(len(config.settings_of(method)) for method in config.methods)
        self.trainers: dict[str, TaskTrainer] = {}

    def stream(self, method: str, data: MultimodalData) -> Iterator[Step]:
        """All trials of one method on one seed; the last item carries the test scores, or why there are none."""
        before, task = self.n_done, Task.of(data, self.config.gamma)
        try:
            if method in ESTIMATORS:
                yield from self._estimator(method, data, task)
            else:
                yield from self._network(method, data, task)
        except GeneratorExit:  # closed at the interpreter's exit, the globals that the next clause needs are gone
            raise
        except _CannotTakePart as error:
            self.n_done = before + len(self.config.settings_of(method))
            yield self._step("skipped", method, data, reason=str(error))

    def _step(self, stage: str, method: str, data: MultimodalData, trial: int = 0, **more: Any) -> Step:
        setting = self.config.settings_of(method)[trial]
        return Step(stage, data.seed, method, trial, setting, **more, n_done=self.n_done, n_total=self.n_total)

    def _estimator(self, method: str, data: MultimodalData, task: Task) -> Iterator[Step]:
        train, validation, best = data.part("train"), data.part("validation"), Best()
        for trial, setting in enumerate(self.config.settings_of(method)):
            began = time.perf_counter()
            model = _or_skip(estimator, method, setting, task, data, self.config.change).fit(train, validation)
            best.seconds += time.perf_counter() - began
            values = _values(
                task.loss(model.outputs(train[0]), train[1]), task.scores(model.outputs(validation[0]), validation[1])
            )
            best.offer(values["validation", "loss"], setting, model)
            self.n_done += 1
            yield self._step("training", method, data, trial, epoch=0, values=values)
        yield self._tested(method, data, task, best, best.kept)

    def _network(self, method: str, data: MultimodalData, task: Task) -> Iterator[Step]:
        if not self.trainers:
            yield self._step("loading", method, data)
            load_keras()
        yield self._step("building", method, data)
        model = _or_skip(self.network, method, self.config, data, task.columns)
        start = model.get_weights()
        if method not in self.trainers:
            self.trainers[method] = TaskTrainer(model, task)
        trainer, best = self.trainers[method], Best()
        for trial, rate in enumerate(self.config.learning_rates):
            trainer.model.set_weights(start)
            fit = self.config.fit_config(trial, data.seed)
            epochs = trainer.stream(task, data.part("train"), data.part("validation"), fit)
            lowest = math.inf
            for epoch in best.timed(epochs):
                lowest = min(lowest, epoch.validation["loss"])
                best.n_epochs += epoch.number > 0
                values = _values(epoch.train_loss, epoch.validation)
                yield self._step("training", method, data, trial, epoch=epoch.number, values=values, norms=epoch.norms)
            best.offer(lowest, rate, trainer.model.get_weights())
            self.n_done += 1
        trainer.model.set_weights(best.kept)
        yield self._tested(method, data, task, best, trainer, model.count_params())

    def _tested(
        self, method: str, data: MultimodalData, task: Task, best: Best, model: Any, n_parameters: int | None = None
    ) -> Step:
        features, labels = data.part("test")
        outputs = model.outputs(features)
        values = task.scores(outputs, labels)
        row = {
            "seed": data.seed,
            "method": method,
            "task": task.kind,
            **values,
            **task.horizon_errors(outputs, labels, data.class_names),
            "setting": best.setting,
            "n_parameters": model.n_parameters if n_parameters is None else n_parameters,
            "seconds": best.seconds,
            "n_epochs": best.n_epochs,
            "n_modalities": data.n_modalities,
            "n_train": len(data.split["train"]),
            "n_test": len(labels),
            "test_part": _fingerprint(data),
            "synthetic": data.synthetic,
        }
        trial = self.config.settings_of(method).index(best.setting)
        tested = {("test", name): value for name, value in values.items() if not math.isnan(value)}
        return self._step("tested", method, data, trial, values=tested, score=row, test=(task, outputs, labels))


class _CannotTakePart(Exception):
    """The method's own message says why."""


def _or_skip(make: Any, *arguments: Any) -> Any:
    try:
        return make(*arguments)
    except ValueError as error:
        raise _CannotTakePart(str(error)) from error


def _in_units_of(task: Task | None, own: Task, outputs: np.ndarray) -> np.ndarray:
    """Outputs of a seed's own scaling in that of the first seed; the same where nothing is scaled."""
    if task is None or own.kind != "regression":
        return outputs
    return (outputs * own.scale + own.centre - task.centre) / task.scale


def _values(train_loss: float, validation: dict[str, float]) -> dict[tuple[str, str], float]:
    known = {("validation", name): value for name, value in validation.items() if not math.isnan(value)}
    return {("train", "loss"): train_loss} | known


def _fingerprint(data: MultimodalData) -> int:
    """The same for the same test part; tells what is drawn anew from an official part."""
    rows = data.split["test"]
    names = rows if data.sample_ids is None else data.sample_ids[rows]  # rows move where training samples are left out
    return zlib.crc32(np.ascontiguousarray(data.labels[rows]).tobytes() + np.ascontiguousarray(names).tobytes())


def _gradients(steps: list[Step]) -> pd.DataFrame:
    """Norms at every step of the chosen trials."""
    chosen = {(step.seed, step.method): step.trial for step in steps if step.stage == "tested"}
    rows: list[tuple[Any, ...]] = []
    counts: dict[tuple[int, str], int] = {}
    for step in steps:
        key = (step.seed, step.method)
        if step.stage == "training" and chosen.get(key) == step.trial and len(step.norms):
            first = counts.get(key, 0)
            rows += [(*key, first + i, *map(float, pair)) for i, pair in enumerate(step.norms)]
            counts[key] = first + len(step.norms)
    return pd.DataFrame(rows, columns=list(GRADIENTS))

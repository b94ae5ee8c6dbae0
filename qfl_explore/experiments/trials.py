"""The trials of a classification study: train each setting, keep the best on validation, test that one."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from qfl_explore import baselines
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.datasets import MultimodalData
from qfl_explore.experiments.multimodal_fit import Best
from qfl_explore.experiments.study import QUANTUM, ClassificationConfig
from qfl_explore.training import load_keras, score


@dataclasses.dataclass(frozen=True)
class Progress:
    """One step of a study.

    Attributes:
        stage: ``loading`` (TensorFlow), ``building`` (a model), ``training`` (an epoch), or
            ``tested`` (a model is finished on a seed).
        seed: the repetition; -1 while loading.
        model: one of ``MODELS``.
        trial: number of the trial, from 0.
        setting: the learning rate or C of the trial.
        epoch: of the trial; -1 where there is none.
        values: by (part, metric); empty where nothing was measured.
        score: the row of `ClassificationResult.scores`, where the stage is ``tested``.
        n_done: trials finished in the whole study.
        n_total: trials of the whole study.
    """

    stage: str
    seed: int
    model: str
    trial: int = 0
    setting: float = math.nan
    epoch: int = -1
    values: dict[tuple[str, str], float] = dataclasses.field(default_factory=dict)
    score: dict[str, Any] | None = None
    n_done: int = 0
    n_total: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows: seed, model, trial, setting, epoch, split, metric, value."""
        common = {name: getattr(self, name) for name in ("seed", "model", "trial", "setting", "epoch")}
        return [
            {**common, "split": part, "metric": metric, "value": value} for (part, metric), value in self.values.items()
        ]


class Trials:
    """Trains the models of one study. Networks are traced once and serve every seed and trial.

    Args:
        config: the study's settings.
        n_total: trials of the whole study.
    """

    def __init__(self, config: ClassificationConfig, n_total: int) -> None:
        self.config = config
        self.n_total = n_total
        self.n_done = 0
        self._trainers: dict[str, Any] = {}

    def stream(self, model: str, data: MultimodalData) -> Iterator[Progress]:
        """All trials of one model on one split; the last item carries the test scores."""
        if model == "logistic_regression":
            yield from self._logistic(data)
        else:
            yield from self._network(model, data)

    def _item(self, stage: str, model: str, data: MultimodalData, trial: int = 0, **more: Any) -> Progress:
        setting = self.config.settings_of(model)[trial]
        return Progress(stage, data.seed, model, trial, setting, **more, n_done=self.n_done, n_total=self.n_total)

    def _logistic(self, data: MultimodalData) -> Iterator[Progress]:
        gamma, name = self.config.gamma, "logistic_regression"
        parts = {part: data.part(part) for part in ("train", "validation")}
        best = Best()
        for trial, penalty in enumerate(self.config.penalties):
            began = time.perf_counter()
            estimator = baselines.LogisticRegression(penalty).fit(*parts["train"])
            best.seconds += time.perf_counter() - began
            rows = {part: score(estimator.logits(x), labels, gamma) for part, (x, labels) in parts.items()}
            values = {(part, metric): value for part, row in rows.items() for metric, value in row.items()}
            best.offer(values["validation", "loss"], penalty, estimator)
            self.n_done += 1
            yield self._item("training", name, data, trial, epoch=0, values=values)
        yield self._tested(name, data, best, best.kept.logits, best.kept.n_parameters)

    def _network(self, model: str, data: MultimodalData) -> Iterator[Progress]:
        if not self._trainers:
            yield self._item("loading", model, data)
            load_keras()
        yield self._item("building", model, data)
        trainer = self._trainer(model, data)
        start = self._build(model, data).get_weights()
        best = Best()
        for trial, rate in enumerate(self.config.learning_rates):
            trainer.model.set_weights(start)
            lowest = math.inf
            epochs = trainer.stream(
                data.part("train"), data.part("validation"), self.config.fit_config(trial, data.seed)
            )
            for epoch in best.timed(epochs):
                lowest = min(lowest, epoch.values["validation", "loss"])
                best.n_epochs += epoch.number > 0
                yield self._item("training", model, data, trial, epoch=epoch.number, values=epoch.values)
            best.offer(lowest, rate, trainer.model.get_weights())
            self.n_done += 1
        trainer.model.set_weights(best.kept)
        yield self._tested(model, data, best, trainer.logits, trainer.model.count_params())

    def _tested(
        self, model: str, data: MultimodalData, best: Best, logits: Callable[[Any], Any], n_parameters: int
    ) -> Progress:
        features, labels = data.part("test")
        values = score(logits(features), labels, self.config.gamma)
        row = {
            "seed": data.seed,
            "model": model,
            **values,
            "setting": best.setting,
            "n_parameters": n_parameters,
            "seconds": best.seconds,
            "n_epochs": best.n_epochs,
            "n_train": len(data.split["train"]),
            "n_test": len(labels),
        }
        trial = self.config.settings_of(model).index(best.setting)
        tested = {("test", metric): value for metric, value in values.items()}
        return self._item("tested", model, data, trial, values=tested, score=row)

    def _trainer(self, model: str, data: MultimodalData) -> Any:
        from qfl_explore.training import Trainer

        if model not in self._trainers:
            self._trainers[model] = Trainer(self._build(model, data), self.config.gamma)
        return self._trainers[model]

    def _build(self, model: str, data: MultimodalData) -> Any:
        """A fresh Keras model whose initial weights follow from the data's seed."""
        config = self.config
        sizes, seed = (data.n_measures, data.n_classes), data.seed
        fusion = config.fusion(data.n_modalities)
        if model == QUANTUM:
            return baselines.quantum_fusion_model(*sizes, fusion, config.backend, config.initializer, seed)
        budget = quantum_parameters(config, data)
        n_outputs = baselines.n_logits(data.n_classes)
        if model == "mlp":
            n_hidden = baselines.matched_hidden(sum(data.n_measures), n_outputs, budget)
            return baselines.mlp_model(*sizes, n_hidden, seed)
        encoders = baselines.encoder_parameters(data.n_measures, fusion.feature_dim)
        n_hidden = baselines.matched_hidden(fusion.n_features, n_outputs, budget - encoders)
        return baselines.concat_fusion_model(*sizes, fusion.feature_dim, n_hidden, seed)


def quantum_parameters(config: ClassificationConfig, data: MultimodalData) -> int:
    """Trainable parameters of the quantum model: encoders, circuit and head."""
    fusion = config.fusion(data.n_modalities)
    return baselines.fusion_parameters(data.n_measures, data.n_classes, fusion, FusionCircuit(fusion).n_observables)

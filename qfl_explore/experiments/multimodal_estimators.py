"""Estimators of the multimodal study that have neither encoders nor epochs, for every task."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore import baselines
from qfl_explore.datasets import MultimodalData
from qfl_explore.errors import invalid
from qfl_explore.experiments.multimodal_tasks import Task
from qfl_explore.training import Features

#: Gradient boosting fits one model a target; above this many it stays out.
MAX_BOOSTED = 32


class Linear:
    """Logistic regression (one a label), or ridge regression of the scaled targets that are known.

    Args:
        setting: C, or 1/α of ridge regression.
        task: what is fitted.
        seed: not used; the fit is deterministic.
    """

    def __init__(self, setting: float, task: Task, seed: int = 0) -> None:
        self.setting, self.task = setting, task
        self.models: list[Any] = []

    def fit(self, train: Any, validation: Any) -> Linear:
        """Fits to the training part; the validation part is not looked at."""
        features, labels = train
        joined = np.hstack(features)
        if self.task.kind == "regression":
            targets = self.task.targets(labels).astype(np.float64)
            whole = bool(np.isfinite(targets).all())  # then all targets are solved for together
            parts = [targets] if whole else [targets[:, [j]] for j in range(targets.shape[1])]
            self.models = [self._ridge(joined, part) for part in parts]
        elif self.task.kind == "multilabel":
            self.models = [self._logistic((joined,), labels[:, j].astype(int)) for j in range(labels.shape[1])]
        else:
            self.models = [baselines.LogisticRegression(self.setting).fit(features, labels)]
        return self

    def _ridge(self, joined: np.ndarray, targets: np.ndarray) -> Any:
        from sklearn.linear_model import Ridge

        known = np.isfinite(targets).all(axis=1)
        return Ridge(alpha=1 / self.setting).fit(joined[known], targets[known])

    def _logistic(self, features: Features, labels: np.ndarray) -> Any:
        constant = _constant_logit(labels)
        return constant if constant is not None else baselines.LogisticRegression(self.setting).fit(features, labels)

    def outputs(self, features: Features) -> np.ndarray:
        """[n, columns]."""
        if self.task.kind == "regression":
            joined = np.hstack(features)
            return np.hstack([model.predict(joined).reshape(len(joined), -1) for model in self.models])
        return np.hstack([model.logits(features) for model in self.models])

    @property
    def n_parameters(self) -> int:
        """Coefficients and intercepts."""
        if self.task.kind == "regression":
            return sum(model.coef_.size + np.size(model.intercept_) for model in self.models)
        return sum(model.n_parameters for model in self.models)


class Boosting:
    """Gradient boosting, one a label or target, with the number of trees that is best on validation.

    Args:
        setting: the learning rate.
        task: what is fitted.
        seed: of the estimators.

    Raises:
        ValueError: there are too many targets.
    """

    def __init__(self, setting: float, task: Task, seed: int = 0) -> None:
        if task.kind != "classification" and task.n_classes > MAX_BOOSTED:
            raise invalid(
                "gradient boosting fits one model a target and would take too long",
                f"at most {MAX_BOOSTED} targets",
                f"{task.n_classes} targets",
            )
        self.setting, self.task, self.seed = setting, task, seed
        self.models: list[Any] = []

    def fit(self, train: Any, validation: Any) -> Boosting:
        """Fits to the training part, and chooses the number of trees on the validation part."""
        (features, labels), (held_out, held_labels) = train, validation
        if self.task.kind == "classification":
            self.models = [self._classifier(features, labels, (held_out, held_labels))]
            return self
        targets, held = self.task.targets(labels), self.task.targets(held_labels)
        fit = self._regressor if self.task.kind == "regression" else self._classifier
        self.models = [fit(features, targets[:, j], (held_out, held[:, j])) for j in range(targets.shape[1])]
        return self

    def _classifier(self, features: Features, labels: np.ndarray, validation: Any) -> Any:
        labels, held_out = labels.astype(int), (validation[0], validation[1].astype(int))
        constant = _constant_logit(labels) if self.task.kind == "multilabel" else None
        if constant is not None:
            return constant
        return baselines.GradientBoosting(self.setting, seed=self.seed).fit(features, labels, held_out)

    def _regressor(self, features: Features, targets: np.ndarray, validation: Any) -> Any:
        return baselines.BoostedForecast(self.setting, seed=self.seed).fit(features, targets, validation)

    def outputs(self, features: Features) -> np.ndarray:
        """[n, columns]."""
        return np.hstack([model.logits(features) for model in self.models])

    @property
    def n_parameters(self) -> int:
        """Of all trees that are kept."""
        return sum(model.n_parameters for model in self.models)


class Persistence:
    """The last value of a sensor (or the mean of all) stays as it is.

    Args:
        setting: not used.
        task: a regression.
        seed: not used.

    Raises:
        ValueError: the task is no forecast.
    """

    n_parameters = 0

    def __init__(self, setting: float, task: Task, seed: int = 0) -> None:
        if task.kind != "regression":
            raise invalid("persistence is a forecast", "a regression", f"a {task.kind}")
        self.task = task
        self._data: MultimodalData | None = None
        self._change = False

    def about(self, data: MultimodalData, change: bool = False) -> Persistence:
        """Remembers names and scales of the sensors, and whether labels are changes from now."""
        self._data, self._change = data, change
        return self

    def fit(self, train: Any, validation: Any) -> Persistence:
        """Nothing is fitted."""
        return self

    def outputs(self, features: Features) -> np.ndarray:
        """[n, columns], in the scaled targets' units."""
        data = self._data
        if data is None or data.scales is None or data.centres is None:
            raise invalid("persistence needs speeds", "standardised data, given to about()", "none")
        scales = zip(features, data.scales, data.centres, strict=True)
        measured = [array[:, -1:] * scale[-1] + centre[-1] for array, scale, centre in scales]
        values = 0.0 if self._change else present_values(data, measured)
        return (np.zeros((len(features[0]), data.n_classes)) + values - self.task.centre) / self.task.scale


def present_values(data: MultimodalData, features: Sequence[np.ndarray]) -> np.ndarray:
    """What each target of a forecast is now: its sensor's last value, or the mean of all sensors that are seen.

    Args:
        data: whose targets are called ``sensor, minutes``.
        features: one array [n, d] a sensor, as measured, the last column the latest.

    Returns:
        [n, targets].
    """
    now = np.stack([array[:, -1] for array in features], axis=1).astype(np.float64)
    places = {name: i for i, name in enumerate(data.modality_names)}
    sensors = [places.get(name.rsplit(", ", 1)[0]) for name in data.class_names]
    everywhere = now.mean(axis=1)
    return np.stack([everywhere if place is None else now[:, place] for place in sensors], axis=1)


@dataclasses.dataclass(frozen=True)
class Constant:
    """The answer where a label has one value only in the training part.

    Attributes:
        logit: the same for every sample.
    """

    logit: float
    n_parameters: int = 1

    def logits(self, features: Features) -> np.ndarray:
        """[n, 1]."""
        return np.full((len(features[0]), 1), self.logit)


def _constant_logit(labels: np.ndarray) -> Constant | None:
    """A `Constant` if the labels are all equal: the logit of (positives + ½) / (n + 1)."""
    if len(np.unique(labels)) > 1:
        return None
    share = (labels.sum() + 0.5) / (len(labels) + 1)
    return Constant(float(np.log(share / (1 - share))))


ESTIMATOR_CLASSES = {"linear": Linear, "boosting": Boosting, "persistence": Persistence}

"""What a task asks for: targets, loss and scores of classes, labels and forecasts, in NumPy."""

from __future__ import annotations

import dataclasses
import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.baselines import n_columns
from qfl_explore.datasets import MultimodalData
from qfl_explore.training import area_under_roc, focal_loss, keras_focal_loss, load_keras, score

#: The score that methods are compared by, and whether more of it is better.
PRIMARY = {"classification": ("auc", True), "multilabel": ("auc", True), "regression": ("mae", False)}
SCORES = ("auc", "f1", "accuracy", "mae")
#: A forecast's column of the scores by horizon, ``mae_15`` say.
HORIZON = "mae_"
_MINUTES = re.compile(r", (\d+) min$")


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """The loss and the scores of a data set.

    Attributes:
        kind: ``classification``, ``multilabel`` or ``regression``.
        n_classes: classes, labels or targets.
        gamma: γ of the focal loss.
        centre: [n_classes], means of the targets of a regression over the training part.
        scale: [n_classes], their standard deviations.
    """

    kind: str
    n_classes: int
    gamma: float
    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, data: MultimodalData, gamma: float) -> Task:
        """The task of a data set; targets are scaled by the training part."""
        centre, scale = np.zeros(data.n_classes), np.ones(data.n_classes)
        if data.task == "regression":
            labels = data.part("train")[1]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a target without any known value
                centre, scale = np.nanmean(labels, axis=0), np.nanstd(labels, axis=0)
            centre, scale = np.nan_to_num(centre), np.where(scale > 0, scale, 1.0)
        return cls(data.task, data.n_classes, gamma, centre, scale)

    @property
    def columns(self) -> int:
        """Of a model's head."""
        return n_columns(self.kind, self.n_classes)

    @property
    def primary(self) -> str:
        """The score that methods are compared by."""
        return PRIMARY[self.kind][0]

    def targets(self, labels: np.ndarray) -> np.ndarray:
        """Labels as a network takes them: integers [n], or float32 [n, C] with scaled forecasts."""
        if self.kind == "classification":
            return labels.astype(np.int32)
        return ((labels - self.centre) / self.scale).astype(np.float32)

    def loss(self, outputs: np.ndarray, labels: np.ndarray) -> float:
        """Mean focal loss, or mean squared error of the scaled targets that are known."""
        if self.kind == "classification":
            return float(focal_loss(outputs, labels, self.gamma).mean())
        if self.kind == "multilabel":
            return float(np.mean([loss.mean() for loss in self._label_losses(outputs, labels)]))
        return float(np.nanmean(np.square(outputs - (labels - self.centre) / self.scale)))

    def _label_losses(self, outputs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
        integers = labels.astype(np.int64)
        return [focal_loss(outputs[:, [j]], integers[:, j], self.gamma) for j in range(self.n_classes)]

    def scores(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """Loss and ``SCORES``; NaN where the task has no such score.

        AUC and F1 are macro means; of labels without both values in the part no AUC is taken.
        The accuracy of labels is the share of right label values. MAE is in the label's unit,
        over the targets that are known.
        """
        found = dict.fromkeys(SCORES, math.nan) | {"loss": self.loss(outputs, labels)}
        if self.kind == "classification":
            return found | {name: score(outputs, labels, self.gamma)[name] for name in ("auc", "f1", "accuracy")}
        if self.kind == "multilabel":
            return found | _label_scores(outputs, labels)
        return found | {"mae": float(np.nanmean(np.abs(outputs * self.scale + self.centre - labels)))}

    def horizon_errors(self, outputs: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict[str, float]:
        """Mean absolute error of a forecast by how far ahead it looks.

        Args:
            outputs: [n, targets].
            labels: [n, targets].
            names: of the targets, ``sensor, 15 min``; others have no horizon.

        Returns:
            ``mae_15``, ``mae_30`` and so on; empty for other tasks.
        """
        if self.kind != "regression":
            return {}
        found = [_MINUTES.search(name) for name in names]
        errors = np.abs(outputs * self.scale + self.centre - labels)
        minutes = np.array([int(match[1]) if match else -1 for match in found])
        return {f"{HORIZON}{m}": float(np.nanmean(errors[:, minutes == m])) for m in sorted({*minutes} - {-1})}

    def keras_loss(self) -> Any:
        """`loss` as a function ``(targets, outputs)`` of tensors."""
        if self.kind == "classification":
            return keras_focal_loss(self.gamma)
        tf, _ = load_keras()
        gamma = float(self.gamma)

        def labels_loss(targets: Any, outputs: Any) -> Any:
            margin = (2 * targets - 1) * outputs
            return tf.reduce_mean(tf.exp(-gamma * tf.nn.softplus(margin)) * tf.nn.softplus(-margin))

        def squared(targets: Any, outputs: Any) -> Any:
            known = tf.math.is_finite(targets)
            errors = tf.where(known, outputs - tf.where(known, targets, tf.zeros_like(targets)), tf.zeros_like(outputs))
            count = tf.maximum(tf.reduce_sum(tf.cast(known, outputs.dtype)), 1.0)
            return tf.reduce_sum(tf.square(errors)) / count

        return labels_loss if self.kind == "multilabel" else squared


def _label_scores(outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    positive, guess = labels > 0.5, outputs > 0
    areas = [area_under_roc(outputs[:, j], positive[:, j]) for j in range(labels.shape[1])]
    hits = (guess & positive).sum(axis=0)
    sizes = guess.sum(axis=0) + positive.sum(axis=0)
    known = [area for area in areas if not math.isnan(area)]
    return {
        "auc": float(np.mean(known)) if known else math.nan,
        "f1": float(np.mean(np.where(sizes > 0, 2 * hits / np.maximum(sizes, 1), 0.0))),
        "accuracy": float(np.mean(guess == positive)),
    }

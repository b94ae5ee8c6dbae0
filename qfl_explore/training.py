"""Focal loss, early stopping, and training of Keras models epoch by epoch.

TensorFlow is imported when a model is trained, never when this module is imported.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.errors import check_int, invalid
from qfl_explore.simulation.legacy_keras import require_legacy_keras, without_gpu_notes

METRICS = ("loss", "accuracy", "auc", "f1")
Features = tuple[np.ndarray, ...]
#: M arrays [n, d_m], and labels [n]; what ``MultimodalData.part`` gives.
Part = tuple[Features, np.ndarray]


def load_keras() -> tuple[Any, Any]:
    """Imports TensorFlow with Keras 2 (about 5–10 seconds the first time).

    Returns:
        The modules ``tensorflow`` and ``tf_keras``.

    Raises:
        ImportError: either is not installed here, or TensorFlow was imported with Keras 3.
    """
    missing = [name for name in ("tensorflow", "tf_keras") if importlib.util.find_spec(name) is None]
    if missing:
        raise invalid(
            "models with trained encoders need Keras",
            "the packages 'tensorflow' and 'tf_keras' to be installed; circuits with a linear readout do without them",
            f"no module named {missing[0]!r}",
            ImportError,
        )
    require_legacy_keras()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_gpu_notes():
        import tensorflow
        import tf_keras

        tensorflow.config.list_physical_devices("GPU")  # where it looks for them
    return tensorflow, tf_keras


def focal_loss(
    logits: Any, labels: Any, gamma: float = 2.0, class_weights: Sequence[float] | None = None
) -> np.ndarray:
    """Focal loss ``-w_t (1 - p_t)^γ log p_t`` of each sample, from logits, in float64.

    ``p_t`` is the probability that the model gives to the true class: from a sigmoid where
    there is one logit (two classes), from a softmax otherwise. ``γ = 0`` is cross-entropy.

    Source: Lin et al., arXiv:1708.02002. arXiv:2510.06938 uses it for imbalanced data; its γ
    is not known to us.

    Args:
        logits: [n, 1] for two classes, or [n, C].
        labels: [n], integers.
        gamma: γ, 0 or more.
        class_weights: one weight a class (the α of the source), or ``None`` for 1.

    Returns:
        [n], 0 or more.

    >>> focal_loss([[0.0]], [1], gamma=2.0).round(6).tolist()   # 0.25 log 2
    [0.173287]
    """
    pairs = _two_sided(np.asarray(logits, dtype=np.float64))
    labels = np.asarray(labels)
    true = np.arange(pairs.shape[1]) == labels[:, None]
    total = np.logaddexp.reduce(pairs, axis=1)
    log_p = pairs[true] - total
    log_rest = np.logaddexp.reduce(np.where(true, -np.inf, pairs), axis=1) - total
    loss = -np.exp(_checked_gamma(gamma) * log_rest) * log_p
    return loss if class_weights is None else loss * np.asarray(class_weights)[labels]


def keras_focal_loss(gamma: float = 2.0, class_weights: Sequence[float] | None = None) -> Any:
    """The mean of `focal_loss` over a batch, as a function ``(labels, logits)`` of tensors for Keras."""
    tf, _ = load_keras()
    gamma = _checked_gamma(gamma)

    def loss(labels: Any, logits: Any) -> Any:
        labels = tf.reshape(tf.cast(labels, tf.int32), [-1])
        pairs = tf.concat([tf.zeros_like(logits), logits], axis=1) if logits.shape[-1] == 1 else logits
        true = tf.one_hot(labels, pairs.shape[-1], dtype=pairs.dtype)
        total = tf.reduce_logsumexp(pairs, axis=1)
        log_p = tf.reduce_sum(true * pairs, axis=1) - total
        values = -log_p
        if gamma:
            log_rest = tf.reduce_logsumexp(pairs - 1e9 * true, axis=1) - total
            values *= tf.exp(gamma * log_rest)
        if class_weights is not None:
            values *= tf.gather(tf.constant(class_weights, pairs.dtype), labels)
        return tf.reduce_mean(values)

    return loss


def probabilities(logits: Any) -> np.ndarray:
    """Class probabilities [n, C] from logits [n, 1] (two classes) or [n, C]."""
    pairs = _two_sided(np.asarray(logits, dtype=np.float64))
    return np.exp(pairs - np.logaddexp.reduce(pairs, axis=1)[:, None])


def score(logits: Any, labels: Any, gamma: float = 2.0) -> dict[str, float]:
    """Mean focal loss, accuracy, AUC and macro F1.

    AUC is the area under the ROC curve; with more than two classes the macro mean of one
    class against the rest. It is NaN where a class has no sample.

    Args:
        logits: [n, 1] for two classes, or [n, C].
        labels: [n], integers.
        gamma: γ of the focal loss.

    Returns:
        One number for each of ``METRICS``; accuracy, AUC and F1 in [0, 1].
    """
    shares = probabilities(logits)
    labels = np.asarray(labels)
    guess = shares.argmax(axis=1)
    classes = range(shares.shape[1])
    if len(classes) == 2:  # ranks of logits, which do not saturate as probabilities do
        ranked = _two_sided(np.asarray(logits, dtype=np.float64))
        auc = area_under_roc(ranked[:, 1] - ranked[:, 0], labels == 1)
    else:
        auc = float(np.mean([area_under_roc(shares[:, label], labels == label) for label in classes]))
    hits = [int(np.sum((guess == label) & (labels == label))) for label in classes]
    sizes = [int(np.sum(guess == label) + np.sum(labels == label)) for label in classes]
    return {
        "loss": float(focal_loss(logits, labels, gamma).mean()),
        "accuracy": float(np.mean(guess == labels)),
        "auc": auc,
        "f1": float(np.mean([2 * hit / size if size else 0.0 for hit, size in zip(hits, sizes, strict=True)])),
    }


def area_under_roc(values: np.ndarray, positive: np.ndarray) -> float:
    """The share of (positive, negative) pairs that ``values`` put in the right order; ties count half.

    >>> area_under_roc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    from scipy.stats import rankdata

    n_positive = int(positive.sum())
    n_pairs = n_positive * (len(positive) - n_positive)
    if not n_pairs:
        return math.nan
    return float((rankdata(values)[positive].sum() - n_positive * (n_positive + 1) / 2) / n_pairs)


class EarlyStopping:
    """Watches a loss, keeps the best weights, and says when to stop.

    Args:
        patience: how many epochs without a new best are allowed; 1 or more.

    >>> stopping = EarlyStopping(patience=2)
    >>> [stopping.update(epoch, loss, weights=None) for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.5])]
    [False, False, False, True]
    >>> stopping.best_epoch
    1
    """

    def __init__(self, patience: int) -> None:
        self.patience = check_int("patience", patience, 1)
        self.best_epoch = -1
        self.best_loss = math.inf
        self.best_weights: Any = None

    def update(self, epoch: int, loss: float, weights: Any) -> bool:
        """Takes one epoch's loss and weights; returns whether to stop. A NaN loss is never best."""
        if loss < self.best_loss:
            self.best_epoch, self.best_loss, self.best_weights = epoch, loss, weights
        return epoch - self.best_epoch >= self.patience


@dataclasses.dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a model is trained: Adam on the focal loss, with early stopping on the validation part.

    Args:
        epochs: at most so many; 1 or more.
        batch_size: 1 or more; a last, smaller batch of an epoch is left out.
        learning_rate: of Adam; more than 0.
        patience: epochs without a better validation loss before training stops.
        gamma: γ of the focal loss, 0 or more.
        seed: of the order of the samples; 0 or more.

    Raises:
        ValueError: a setting is out of range.
        TypeError: a setting is of the wrong kind.
    """

    epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 0.01
    patience: int = 10
    gamma: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, minimum in (("epochs", 1), ("batch_size", 1), ("patience", 1), ("seed", 0)):
            object.__setattr__(self, name, check_int(name, getattr(self, name), minimum))
        check_learning_rate("learning_rate", self.learning_rate)
        _checked_gamma(self.gamma)


@dataclasses.dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    Attributes:
        number: 0 is before any training.
        values: by (part, metric), for the parts ``train`` and ``validation``.
        is_best: whether the validation loss is the lowest so far.
    """

    number: int
    values: dict[tuple[str, str], float]
    is_best: bool

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows: epoch, split, metric, value."""
        return [
            {"epoch": self.number, "split": part, "metric": metric, "value": value}
            for (part, metric), value in self.values.items()
        ]


class Trainer:
    """Trains one Keras model, as often as wanted; it is traced once, here.

    An epoch is a single call of one ``tf.function``, which runs all of its steps. Calls of one
    trainer must not overlap.

    Args:
        model: takes M arrays [B, d_m] and gives logits [B, 1] or [B, C].
        gamma: γ of the focal loss.
    """

    def __init__(self, model: Any, gamma: float = 2.0) -> None:
        tf, keras = load_keras()
        self._tf = tf
        self.model = model
        self.gamma = gamma
        self._loss = keras_focal_loss(gamma)
        self._optimizer = keras.optimizers.Adam(1e-3)
        self._optimizer.build(model.trainable_variables)
        floats = [tf.TensorSpec([None, *tensor.shape[1:]], tf.float32) for tensor in model.inputs]
        self._predict = tf.function(lambda inputs: model(inputs, training=False), input_signature=[floats])
        signature = [floats, tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, None], tf.int32)]
        self._train = tf.function(self._epoch, input_signature=signature)
        self._predict.get_concrete_function()
        self._train.get_concrete_function()

    def _epoch(self, inputs: list[Any], labels: Any, batches: Any) -> None:
        tf = self._tf
        variables = self.model.trainable_variables
        for step in tf.range(tf.shape(batches)[0]):
            rows = batches[step]
            with tf.GradientTape() as tape:
                logits = self.model([tf.gather(array, rows) for array in inputs], training=True)
                loss = self._loss(tf.gather(labels, rows), logits)
            self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def logits(self, features: Features) -> np.ndarray:
        """Logits [n, 1] or [n, C] of M arrays [n, d_m]."""
        return self._predict(self._tensors(features)).numpy()

    def stream(self, train: Part, validation: Part, config: FitConfig) -> Iterator[Epoch]:
        """Trains from the model's present weights; yields epoch 0 first, then one `Epoch` each.

        However the loop ends (all epochs, early stop, or the caller closing the generator),
        the model is left with the weights of the best validation loss.

        Args:
            train: what the steps are taken on.
            validation: what early stopping looks at.
            config: ``gamma`` must be the trainer's.
        """
        self._restart(config)
        (features, labels), (held_out, held_labels) = train, validation
        features, held_out = self._tensors(features), self._tensors(held_out)
        targets = self._tf.constant(labels, "int32")
        rng = np.random.default_rng(config.seed)
        stopping = EarlyStopping(config.patience)
        try:
            for number in range(config.epochs + 1):
                if number:
                    self._train(features, targets, epoch_batches(rng, len(labels), config.batch_size))
                scores = {
                    "train": score(self._predict(features).numpy(), labels, self.gamma),
                    "validation": score(self._predict(held_out).numpy(), held_labels, self.gamma),
                }
                stop = stopping.update(number, scores["validation"]["loss"], self.model.get_weights())
                values = {(part, metric): value for part, row in scores.items() for metric, value in row.items()}
                yield Epoch(number, values, stopping.best_epoch == number)
                if stop:
                    break
        finally:
            if stopping.best_weights is not None:
                self.model.set_weights(stopping.best_weights)

    def _restart(self, config: FitConfig) -> None:
        if config.gamma != self.gamma:
            raise invalid("gamma differs from the trainer's", f"gamma={self.gamma}", f"gamma={config.gamma}")
        for variable in self._optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype.as_numpy_dtype))
        self._optimizer.learning_rate.assign(config.learning_rate)

    def _tensors(self, features: Features) -> list[Any]:
        tf = self._tf
        return [tf.constant(array, tf.float32) for array in features]


def epoch_batches(rng: np.random.Generator, n_samples: int, batch_size: int) -> np.ndarray:
    """Sample indices of one epoch, [n_steps, batch], in random order; a smaller last batch is left out."""
    batch = min(batch_size, n_samples)
    n_steps = n_samples // batch
    return rng.permutation(n_samples)[: n_steps * batch].reshape(n_steps, batch).astype(np.int32)


def fit(model: Any, train: Part, validation: Part, config: FitConfig | None = None) -> pd.DataFrame:
    """Trains a Keras model and leaves it with its best weights.

    Returns:
        Tidy history: epoch, split, metric, value.
    """
    config = config or FitConfig()
    epochs = Trainer(model, config.gamma).stream(train, validation, config)
    return pd.DataFrame([row for epoch in epochs for row in epoch.rows()])


def evaluate(model: Any, part: Part, gamma: float = 2.0) -> dict[str, float]:
    """Scores a Keras model on M arrays [n, d_m] with labels [n]; see `score`."""
    features, labels = part
    return score(Trainer(model, gamma).logits(features), labels, gamma)


def check_learning_rate(name: str, value: Any) -> float:
    """Returns ``value`` if it is a finite number above 0; raises otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise invalid(f"{name} must be a number", "a finite number above 0", f"{name}={value!r}", TypeError)
    if not (value > 0 and math.isfinite(value)):
        raise invalid(f"{name} is out of range", "a finite number above 0", f"{name}={value}")
    return float(value)


def _checked_gamma(gamma: Any) -> float:
    if isinstance(gamma, bool) or not isinstance(gamma, (int, float)):
        raise invalid("gamma must be a number", "a finite number of 0 or more", f"gamma={gamma!r}", TypeError)
    if not (gamma >= 0 and math.isfinite(gamma)):
        raise invalid("gamma is out of range", "a finite number of 0 or more", f"gamma={gamma}")
    return float(gamma)


def _two_sided(logits: np.ndarray) -> np.ndarray:
    if logits.ndim != 2 or logits.shape[1] < 1:
        raise invalid("logits have the wrong shape", "shape [n, 1] or [n, C]", f"shape {list(logits.shape)}")
    return np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits

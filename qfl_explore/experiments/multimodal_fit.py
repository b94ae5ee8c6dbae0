"""Training of one Keras model on any task, with the gradient's norm at every step."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from qfl_explore.experiments.multimodal_tasks import Task
from qfl_explore.training import EarlyStopping, Features, FitConfig, Part, epoch_batches, load_keras


@dataclasses.dataclass(frozen=True, eq=False)
class FitEpoch:
    """What one epoch came to.

    Attributes:
        number: 0 is before any training.
        train_loss: over the whole training part.
        validation: loss and scores of the validation part.
        norms: [n_steps, 2], the norm of the whole gradient at each step, and of its part in the encoders.
        is_best: whether the validation loss is the lowest so far.
    """

    number: int
    train_loss: float
    validation: dict[str, float]
    norms: np.ndarray
    is_best: bool


class TaskTrainer:
    """Trains one Keras model, as often as wanted; it is traced once, here.

    Args:
        model: takes M arrays [B, d_m] and gives [B, columns].
        task: whose loss it is trained on.
    """

    def __init__(self, model: Any, task: Task) -> None:
        tf, keras = load_keras()
        self._tf = tf
        self.model = model
        self._loss = task.keras_loss()
        self._optimizer = keras.optimizers.Adam(1e-3)
        self._optimizer.build(model.trainable_variables)
        before = _before_fusion(model)
        self._is_encoder = [variable.ref() in before for variable in model.trainable_variables]
        floats = [tf.TensorSpec([None, *tensor.shape[1:]], tf.float32) for tensor in model.inputs]
        is_class = task.kind == "classification"
        labels = tf.TensorSpec([None] if is_class else [None, task.n_classes], tf.int32 if is_class else tf.float32)
        self._predict = tf.function(lambda inputs: model(inputs, training=False), input_signature=[floats])
        self._train = tf.function(self._epoch, input_signature=[floats, labels, tf.TensorSpec([None, None], tf.int32)])

    def _epoch(self, inputs: list[Any], targets: Any, batches: Any) -> Any:
        tf = self._tf
        variables = self.model.trainable_variables
        n_steps = tf.shape(batches)[0]
        norms = tf.TensorArray(tf.float32, size=n_steps, element_shape=[2])
        for step in tf.range(n_steps):
            rows = batches[step]
            with tf.GradientTape() as tape:
                outputs = self.model([tf.gather(array, rows) for array in inputs], training=True)
                loss = self._loss(tf.gather(targets, rows), outputs)
            gradients = tape.gradient(loss, variables)
            squares = [tf.reduce_sum(tf.square(gradient)) for gradient in gradients]
            early = [square for square, flag in zip(squares, self._is_encoder, strict=True) if flag]
            norms = norms.write(step, tf.sqrt(tf.stack([tf.add_n(squares), tf.add_n(early) if early else 0.0])))
            self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return norms.stack()

    def outputs(self, features: Features) -> np.ndarray:
        """[n, columns] of M arrays [n, d_m]."""
        return self._predict(self._tensors(features)).numpy()

    def stream(self, task: Task, train: Part, validation: Part, config: FitConfig) -> Iterator[FitEpoch]:
        """Trains from the model's present weights; yields epoch 0 first, then one `FitEpoch` each.

        However the loop ends, the model is left with the weights of the best validation loss.
        """
        self._restart(config.learning_rate)
        (features, labels), (held_out, held_labels) = train, validation
        features, held_out = self._tensors(features), self._tensors(held_out)
        targets = self._tf.constant(task.targets(labels))
        rng = np.random.default_rng(config.seed)
        stopping, norms = EarlyStopping(config.patience), np.empty((0, 2))
        try:
            for number in range(config.epochs + 1):
                if number:
                    norms = self._train(features, targets, epoch_batches(rng, len(labels), config.batch_size)).numpy()
                scores = task.scores(self._predict(held_out).numpy(), held_labels)
                stop = stopping.update(number, scores["loss"], self.model.get_weights())
                train_loss = task.loss(self._predict(features).numpy(), labels)
                yield FitEpoch(number, train_loss, scores, norms, stopping.best_epoch == number)
                if stop:
                    break
        finally:
            if stopping.best_weights is not None:
                self.model.set_weights(stopping.best_weights)

    def _restart(self, learning_rate: float) -> None:
        for variable in self._optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype.as_numpy_dtype))
        self._optimizer.learning_rate.assign(learning_rate)

    def _tensors(self, features: Features) -> list[Any]:
        return [self._tf.constant(array, self._tf.float32) for array in features]


def _before_fusion(model: Any) -> set[Any]:
    """References to the weights of the layers before ``angles``: those of the encoders."""
    names = [layer.name for layer in model.layers]
    if "angles" not in names:
        return set()
    return {weight.ref() for layer in model.layers[: names.index("angles")] for weight in layer.trainable_weights}


class Best:
    """The trial with the lowest validation loss, and what all trials together cost."""

    def __init__(self) -> None:
        self.loss = math.inf
        self.setting = math.nan
        self.kept: Any = None
        self.seconds = 0.0
        self.n_epochs = 0

    def offer(self, loss: float, setting: float, kept: Any) -> None:
        """Keeps a trial if it is the best so far; the first is kept in any case."""
        if self.kept is None or loss < self.loss:
            self.loss, self.setting, self.kept = loss, setting, kept

    def timed(self, epochs: Iterator[Any]) -> Iterator[Any]:
        """Passes epochs on and counts the seconds that they take, not those of a pause between."""
        while True:
            began = time.perf_counter()
            epoch = next(epochs, None)
            self.seconds += time.perf_counter() - began
            if epoch is None:
                return
            yield epoch

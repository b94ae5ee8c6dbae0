"""The models of the experiment on encoding sensitivity: one way to fit, one way to ask, for all of them.

Linear models and the MLP see standardised angles (by the training part), as anyone would give
them; the layer sees the angles themselves. The trial with the lowest validation loss is kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qfl_explore.baselines.counts import matched_hidden, mlp_parameters
from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments.circuit_training import train_params, train_with_readout
from qfl_explore.experiments.encoding_config import EncodingConfig
from qfl_explore.experiments.encoding_task import Task
from qfl_explore.simulation.base import get_backend
from qfl_explore.theory.spectrum import MAX_CEILING_FREQUENCIES, count_frequencies, design_matrix, reachable_frequencies

Params = dict[str, np.ndarray]
Ask = Callable[[np.ndarray], np.ndarray]
#: Training steps between two items of a stream.
EVERY = 10
#: Boosting is slower to converge in its learning rate than Adam: the same trials, times this.
_BOOSTING_RATE = 2.0


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A model after its trials.

    Attributes:
        ask: angles [N, F] -> outputs [N, C].
        n_parameters: trainable numbers.
        setting: the trial that was kept.
        validation_loss: its.
    """

    ask: Ask
    n_parameters: int
    setting: float
    validation_loss: float


@dataclasses.dataclass(frozen=True)
class _Seen:
    """Angles as one scaler gives them, with the task's loss."""

    x: dict[str, np.ndarray]
    loss: Callable[[np.ndarray, str], tuple[float, np.ndarray]]


def can_take_part(config: EncodingConfig, model: str, degree: int) -> bool:
    """Whether a model can be fitted; the layer's own waves must not be too many."""
    return model != "fourier" or count_frequencies(config.fusion(degree)) <= MAX_CEILING_FREQUENCIES


def fit(
    config: EncodingConfig, task: Task, model: str, degree: int, angles: dict[str, np.ndarray], seed: int
) -> Iterator[tuple[int, int] | Fitted]:
    """Fits one model; yields (trial, step) now and then, and the `Fitted` model last.

    Args:
        config: the settings.
        task: the data; its raw features are not looked at.
        model: one of ``MODELS``.
        degree: P of the layer, which also sizes the classical models.
        angles: by part, [N, F].
        seed: of the starts.
    """
    best: Any = None  # some setting is always tried
    rates = config.penalties if model in ("fourier", "linear") else config.learning_rates
    make = {"quantum": _quantum, "mlp": _network}.get(model)
    for trial, setting in enumerate(rates):
        if make is not None:
            ask, n_parameters = yield from _told(trial, make(config, task, degree, angles, setting, seed))
        else:
            ask, n_parameters = _direct(config, task, model, degree, angles, setting, seed)
            yield trial, 0
        loss = task.loss(ask(angles["validation"]), "validation")[0]
        if best is None or loss < best.validation_loss:
            best = Fitted(ask, n_parameters, setting, loss)
    yield best


def _told(trial: int, training: Iterator[Any]) -> Iterator[Any]:
    """Passes steps on with the trial's number; returns what the last item holds."""
    last = None
    for step, found in training:
        last = found
        yield trial, step
    return last


def _quantum(
    config: EncodingConfig, task: Task, degree: int, angles: dict[str, np.ndarray], rate: float, seed: int
) -> Iterator[tuple[int, Any]]:
    """Circuit and linear readout, together."""
    fusion, engine = FusionCircuit(config.fusion(degree)), get_backend(config.backend)
    shape = (-1, fusion.config.n_modalities, fusion.config.feature_dim)
    seen = _Seen({"train": angles["train"].reshape(shape)}, task.loss)
    start = initial_weights(fusion.config, config.initializer, seed)
    n_parameters = fusion.n_weights + (fusion.n_observables + 1) * task.n_outputs
    training = train_with_readout(engine, seen, fusion, start, rate, config.n_steps, task.n_outputs)
    for step, trained in _now_and_then(config, training):

        def ask(points: np.ndarray, params: Params = trained) -> np.ndarray:
            values = engine.expectations(fusion, points.reshape(shape), params["weights"])
            return values @ params["readout"] + params["bias"]

        yield step, (ask, n_parameters)


def _network(
    config: EncodingConfig, task: Task, degree: int, angles: dict[str, np.ndarray], rate: float, seed: int
) -> Iterator[tuple[int, Any]]:
    """One tanh layer, with at least the layer's parameters."""
    fusion = config.fusion(degree)
    n_inputs, n_outputs = fusion.n_features, task.n_outputs
    budget = fusion.n_weights + (FusionCircuit(fusion).n_observables + 1) * n_outputs
    n_hidden = matched_hidden(n_inputs, n_outputs, budget)
    rng, standard = np.random.default_rng([seed, 29]), _standard(angles["train"])
    params: Params = {
        "first": rng.normal(0.0, n_inputs**-0.5, (n_inputs, n_hidden)),
        "shift": rng.normal(0.0, 1.0, n_hidden),
        "last": rng.normal(0.0, n_hidden**-0.5, (n_hidden, n_outputs)),
        "bias": np.zeros(n_outputs),
    }
    x = standard(angles["train"])

    def gradients(params: Params) -> Params:
        hidden = np.tanh(x @ params["first"] + params["shift"])
        _, slope = task.loss(hidden @ params["last"] + params["bias"], "train")
        inner = (slope @ params["last"].T) * (1.0 - hidden**2)
        return {"first": x.T @ inner, "shift": inner.sum(0), "last": hidden.T @ slope, "bias": slope.sum(0)}

    n_parameters = mlp_parameters(n_inputs, n_hidden, n_outputs)
    training = train_params(params, gradients, rate, config.n_steps)
    for step, trained in _now_and_then(config, training):

        def ask(points: np.ndarray, params: Params = trained) -> np.ndarray:
            hidden = np.tanh(standard(points) @ params["first"] + params["shift"])
            return hidden @ params["last"] + params["bias"]

        yield step, (ask, n_parameters)


def _now_and_then(config: EncodingConfig, steps: Iterator[tuple[int, Params]]) -> Iterator[tuple[int, Params]]:
    """Every ``EVERY``-th step, and the last."""
    return (item for item in steps if item[0] % EVERY == 0 or item[0] == config.n_steps)


def _direct(
    config: EncodingConfig,
    task: Task,
    model: str,
    degree: int,
    angles: dict[str, np.ndarray],
    setting: float,
    seed: int,
) -> tuple[Ask, int]:
    """Models that are fitted in one go: linear ones and boosting."""
    from qfl_explore import baselines

    standard = _standard(angles["train"])
    if model == "boosting":
        kind = baselines.BoostedForecast if task.target is not None else baselines.GradientBoosting
        held_out = ((angles["validation"],), task.y["validation"])
        made = kind(_BOOSTING_RATE * setting, seed=seed).fit((angles["train"],), task.y["train"], held_out)
        return lambda points: made.logits((points,)), made.n_parameters
    features = _waves(config, degree) if model == "fourier" else standard
    x, y = features(angles["train"]), task.y["train"]
    if task.target is not None:
        from sklearn.linear_model import Ridge

        ridge = Ridge(alpha=setting).fit(x, y)
        return lambda points: ridge.predict(features(points))[:, None], x.shape[1] + 1
    logistic = baselines.LogisticRegression(1.0 / setting).fit((x,), y)
    return lambda points: logistic.logits((features(points),)), logistic.n_parameters


def _waves(config: EncodingConfig, degree: int) -> Ask:
    """Sines and cosines of all reachable frequencies; the constant is fitted apart."""
    frequencies = reachable_frequencies(config.fusion(degree), MAX_CEILING_FREQUENCIES)
    return lambda points: design_matrix(frequencies, points)[:, 1:]


def _standard(train: np.ndarray) -> Ask:
    """To mean 0 and standard deviation 1 over the training part, column by column."""
    centre, spread = train.mean(axis=0), train.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    return lambda points: (points - centre) / scale

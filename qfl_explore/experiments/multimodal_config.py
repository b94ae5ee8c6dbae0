"""Settings of the multimodal study, and which methods take part in it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any, ClassVar

from qfl_explore.baselines import ENCODERS, check_reach
from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import FusionConfig, Settings
from qfl_explore.datasets import DATASETS
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.simulation.base import ENGINES
from qfl_explore.training import FitConfig, check_learning_rate

#: In the order in which they are trained; all but the last are classical.
METHODS: dict[str, str] = {
    "persistence": "The last value stays (forecasts only)",
    "linear": "Logistic or ridge regression",
    "boosting": "Gradient boosting",
    "mlp": "MLP on all measures, matched size",
    "concat": "Concatenation, dense layer",
    "low_rank_reference": "Low-rank fusion, reference start",
    "low_rank_near_one": "Low-rank fusion, start near 1",
    "tensor": "Tensor fusion",
    "bilinear": "Factorized bilinear pooling",
    "graph": "Graph convolution",
    "quantum": "Quantum Fusion Layer",
}
QUANTUM = "quantum"
#: What has no encoders and no epochs.
ESTIMATORS = ("persistence", "linear", "boosting")
FUSION_SETTINGS = ("feature_dim", "degree", "n_blocks", "signal", "measurement", "n_observables", "entangler")
MAX_SEEDS = 50
MAX_TRIALS = 20
MAX_EPOCHS = 2000


@dataclasses.dataclass(frozen=True, kw_only=True)
class MultimodalConfig(Settings):
    """Settings of a study: every method on every seed, each with the same number of trials.

    A seed decides the split (where the data set has no official one), the initial weights and
    the order of the samples. Of each method's trials the one with the lowest loss on the
    validation part is kept, and only that one meets the test part. Every fusion has the same
    encoders, and the smallest width with which its model has at least the quantum model's
    parameters.

    Args:
        dataset: one of ``DATASETS``.
        n_modalities: M; ``None`` for all. Of leads 1, 3, 6 and 12 are the usual sets, of anything
            else the first M in the data set's order.
        n_train: training samples, for few-shot studies; ``None`` for all.
        target: of a forecast: ``mean`` of all sensors, ``all``, or one sensor's name.
        change: of a forecast: whether methods predict the change from now; errors are the same numbers.
        methods: of ``METHODS``; those that cannot take part are listed with the reason.
        encoder: ``dense`` on the features, or ``series`` on the raw signals.
        feature_dim: D, features that the encoder of each modality hands to the fusion.
        degree: P, how often the circuit calls the signal.
        n_blocks: as in `FusionConfig`; so are the next four.
        signal: as in `FusionConfig`.
        measurement: as in `FusionConfig`.
        n_observables: as in `FusionConfig`.
        entangler: as in `FusionConfig`.
        measurement_seed: draws the random measurement, which is the same for all seeds.
        initializer: of the circuit's angles.
        reach: largest angle that a feature becomes, radians; above 0, at most π.
        rank: R of low-rank fusion.
        epochs: at most so many a trial.
        batch_size: samples a step.
        learning_rates: of Adam and of gradient boosting, one a trial.
        penalties: C of logistic regression (1/C of ridge), one a trial; as many as learning rates.
        patience: epochs without a better validation loss before a trial stops.
        gamma: γ of the focal loss.
        seeds: distinct, one repetition each.
        backend: the engine that runs the circuit.

    Raises:
        ValueError: a setting is out of range or unknown.
        TypeError: a setting is of the wrong kind.
    """

    #: A study of further methods has them here, too.
    TITLES: ClassVar[dict[str, str]] = METHODS

    dataset: str = "synthetic_ecg"
    n_modalities: int | None = None
    n_train: int | None = None
    target: str = "mean"
    change: bool = False
    methods: tuple[str, ...] = tuple(METHODS)
    encoder: str = "dense"
    feature_dim: int = 2
    degree: int = 3
    n_blocks: int = 1
    signal: str = "ry"
    measurement: str = "random_pauli_plane"
    n_observables: int | None = None
    entangler: str = "full"
    measurement_seed: int = 0
    initializer: str = "uniform"
    reach: float = math.pi
    rank: int = 4
    epochs: int = 40
    batch_size: int = 32
    learning_rates: tuple[float, ...] = (0.01, 0.03, 0.1)
    penalties: tuple[float, ...] = (0.1, 1.0, 10.0)
    patience: int = 8
    gamma: float = 2.0
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    backend: str = "batched"

    def __post_init__(self) -> None:
        check_option("dataset", self.dataset, DATASETS)
        check_option("encoder", self.encoder, ENCODERS)
        check_option("initializer", self.initializer, INITIALIZERS)
        check_option("backend", self.backend, ENGINES)
        check_reach(self.reach)
        check_int("rank", self.rank, 1)
        check_int("epochs", self.epochs, 1, MAX_EPOCHS)
        for name in ("n_modalities", "n_train"):
            if getattr(self, name) is not None:
                check_int(name, getattr(self, name), 1)
        if not isinstance(self.target, str):
            raise invalid("target must be a string", "'mean', 'all' or a name", f"target={self.target!r}", TypeError)
        if not isinstance(self.change, bool):
            raise invalid("change must be a boolean", "True or False", f"change={self.change!r}", TypeError)
        self._check_methods()
        self._check_seeds()
        self._check_trials()
        self.fit_config(0, 0)
        self.fusion(self.n_modalities or DATASETS[self.dataset].n_modalities or 1)

    def _check_methods(self) -> None:
        methods = tuple(
            check_option("each of methods", name, self.TITLES) for name in _sequence("methods", self.methods)
        )
        if not methods or len(set(methods)) < len(methods):
            raise invalid("methods are not usable", "one or more, each once", f"methods={methods}")
        object.__setattr__(self, "methods", tuple(name for name in self.TITLES if name in methods))

    def _check_seeds(self) -> None:
        seeds = tuple(check_int("each of seeds", seed, 0) for seed in _sequence("seeds", self.seeds))
        if not 1 <= len(seeds) <= MAX_SEEDS or len(set(seeds)) < len(seeds):
            raise invalid("seeds are not usable", f"1 to {MAX_SEEDS} distinct integers", f"seeds={seeds}")
        object.__setattr__(self, "seeds", seeds)

    def _check_trials(self) -> None:
        for name in ("learning_rates", "penalties"):
            values = _sequence(name, getattr(self, name))
            object.__setattr__(self, name, tuple(check_learning_rate(f"each of {name}", value) for value in values))
        counts = len(self.learning_rates), len(self.penalties)
        if counts[0] != counts[1] or not 1 <= counts[0] <= MAX_TRIALS:
            raise invalid(
                "learning_rates and penalties must be equally many, for every method to get the same effort",
                f"1 to {MAX_TRIALS} of each",
                f"{counts[0]} learning_rates and {counts[1]} penalties",
            )

    def fusion(self, n_modalities: int) -> FusionConfig:
        """The settings of the quantum layer."""
        settings = {name: getattr(self, name) for name in FUSION_SETTINGS}
        return FusionConfig(n_modalities=n_modalities, seed=self.measurement_seed, **settings)

    def fit_config(self, trial: int, seed: int) -> FitConfig:
        """How trial number ``trial`` of a network is trained."""
        return FitConfig(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rates[trial],
            patience=self.patience,
            gamma=self.gamma,
            seed=seed,
        )

    def settings_of(self, method: str) -> tuple[float, ...]:
        """What the trials of a method try; persistence has nothing to tune."""
        if method == "persistence":
            return (0.0,)
        return self.penalties if method == "linear" else self.learning_rates


def _sequence(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise invalid(f"{name} must be a sequence", "a tuple", f"{name}={value!r}", TypeError)
    return tuple(value)

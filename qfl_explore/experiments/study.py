"""Settings of a classification study, and which models take part in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import FusionConfig, run_id
from qfl_explore.datasets import DATASETS, names
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.simulation.base import ENGINES
from qfl_explore.training import FitConfig, check_learning_rate

#: In the order in which they are trained. All but the last are classical.
MODELS: dict[str, str] = {
    "logistic_regression": "Logistic regression",
    "mlp": "MLP on all measures",
    "concat_fusion": "Same encoders, dense layer",
    "quantum_fusion": "Quantum Fusion Layer",
}
QUANTUM = "quantum_fusion"
#: Settings that `ClassificationConfig` hands to `FusionConfig` as they are.
FUSION_SETTINGS = (
    "feature_dim",
    "degree",
    "n_blocks",
    "encoding",
    "signal",
    "constant_slot",
    "measurement",
    "n_observables",
    "entangler",
)
MAX_SEEDS = 50
MAX_TRIALS = 20
MAX_EPOCHS = 2000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassificationConfig:
    """Settings of a study: every model on every seed, each with the same number of trials.

    A seed decides the split, the initial weights and the order of the samples. For each
    seed and model every trial's setting is tried (a learning rate for the networks, an
    inverse penalty for logistic regression), the one with the lowest focal loss on the
    validation part is kept, and only that one meets the test part.

    Args:
        dataset: one of ``DATASETS`` that is a classification.
        feature_dim: D, features that the encoder of each modality hands to the fusion.
        degree: P, how often the circuit calls the signal.
        n_blocks: as in `FusionConfig`; so are the next six.
        encoding: as in `FusionConfig`.
        signal: as in `FusionConfig`.
        constant_slot: as in `FusionConfig`.
        measurement: as in `FusionConfig`.
        n_observables: as in `FusionConfig`.
        entangler: as in `FusionConfig`.
        measurement_seed: draws the random measurement, which is the same for all seeds.
        initializer: of the circuit's angles.
        epochs: at most so many a trial.
        batch_size: samples a step.
        learning_rates: of Adam, one a trial.
        penalties: C of logistic regression, one a trial; as many as learning rates.
        patience: epochs without a better validation loss before a trial stops.
        gamma: γ of the focal loss.
        seeds: distinct, one repetition each.
        backend: the engine that runs the circuit.

    Raises:
        ValueError: a setting is out of range or unknown.
        TypeError: a setting is of the wrong kind.
    """

    dataset: str = "breast_cancer"
    feature_dim: int = 2
    degree: int = 3
    n_blocks: int = 1
    encoding: str = "qubit_efficient"
    signal: str = "ry"
    constant_slot: bool = True
    measurement: str = "random_pauli_plane"
    n_observables: int | None = None
    entangler: str = "full"
    measurement_seed: int = 0
    initializer: str = "uniform"
    epochs: int = 60
    batch_size: int = 32
    learning_rates: tuple[float, ...] = (0.01, 0.03, 0.1)
    penalties: tuple[float, ...] = (0.1, 1.0, 10.0)
    patience: int = 10
    gamma: float = 2.0
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    backend: str = "batched"

    def __post_init__(self) -> None:
        check_option("dataset", self.dataset, names("classification"))
        check_option("initializer", self.initializer, INITIALIZERS)
        check_option("backend", self.backend, ENGINES)
        check_int("epochs", self.epochs, 1, MAX_EPOCHS)
        self._check_seeds()
        self._check_trials()
        self.fit_config(0, 0)
        self.fusion(DATASETS[self.dataset].n_modalities or 2)  # 0: the files decide

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
                "learning_rates and penalties must be equally many, for every model to get the same effort",
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

    def settings_of(self, model: str) -> tuple[float, ...]:
        """What the trials of a model try."""
        return self.penalties if model == "logistic_regression" else self.learning_rates

    @property
    def n_trials(self) -> int:
        """Trials of each model on each seed."""
        return len(self.learning_rates)

    @property
    def run_id(self) -> str:
        """A short id of the settings; defaults are left out."""
        return run_id(self)

    def replace(self, **changes: Any) -> ClassificationConfig:
        """A copy with some settings changed, validated anew."""
        return dataclasses.replace(self, **changes)


def _sequence(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise invalid(f"{name} must be a sequence", "a tuple of numbers", f"{name}={value!r}", TypeError)
    return tuple(value)

"""Settings of the experiment on encoding sensitivity."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import ENCODINGS, SIGNALS, FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.targets import TARGETS
from qfl_explore.optimizers import check_positive
from qfl_explore.scalers import SCALERS
from qfl_explore.simulation.base import ENGINES

TASKS: dict[str, str] = {
    "function": "a random function of angles (R²)",
    "breast_cancer": "breast cancer, two classes (AUC)",
    "wine": "wine, three classes (AUC)",
}
#: Targets of the task ``function``: those with a finite spectrum of whole frequencies.
KINDS = tuple(kind for kind in TARGETS if kind not in ("formula", "table", "chebyshev"))


@dataclasses.dataclass(frozen=True)
class Distortion:
    """One way to spoil features.

    Attributes:
        title: in words.
        strength: what its strength is, with the unit.
        default: strengths that are tried if none are given, from harmless to harmful, or in order.
        neutral: the strength that changes nothing.
        lowest: smallest strength that is allowed.
        highest: largest strength that is allowed.
    """

    title: str
    strength: str
    default: tuple[float, ...]
    neutral: float
    lowest: float
    highest: float


#: A unit is one radian (task ``function``) or one standard deviation (data).
DISTORTIONS: dict[str, Distortion] = {
    "scale": Distortion("scaled", "factor s", (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0), 1.0, 0.001, 1000.0),
    "shift": Distortion("shifted", "shift δ (units)", (0.0, 0.25, 0.5, 1.0, 2.0, 3.1416, 6.2832), 0.0, -1000.0, 1000.0),
    "clip": Distortion("clipped", "limit ±c (units)", (4.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.2), 1000.0, 0.001, 1000.0),
    "outliers": Distortion("outliers", "share of values", (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4), 0.0, 0.0, 1.0),
    "wrap": Distortion("whole turns added", "turns of 2π, up to", (0.0, 1.0, 2.0, 3.0), 0.0, 0.0, 100.0),
}
#: When features are spoiled: a shift of distribution, or a choice of scaling.
WHEN: dict[str, str] = {"test": "at test time only", "both": "at training and test time"}
MODELS: dict[str, str] = {
    "quantum": "Quantum Fusion Layer",
    "fourier": "linear in the layer's own waves",
    "linear": "linear in the features",
    "mlp": "MLP of equal size",
    "boosting": "gradient boosting",
}
MAX_SEEDS = 50
MAX_QUBITS = 11


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodingConfig(Settings):
    """Settings: features are spoiled, become angles, and meet the layer and classical models.

    The chain is: features → distortion → scaler (fitted on the training part as the models see
    it) → angles → models. A seed draws target (or split), samples, distortion and starts. All
    models see the same angles, get the same number of trials, and the trial with the lowest
    validation loss meets the test part. Source: our construction.

    Args:
        task: one of ``TASKS``; data enter through principal components of their three modalities,
            scaled to a standard deviation of 1.
        target: of the task ``function``, one of ``KINDS``; random ones are new for every seed.
        target_degree: of the target, 1 to 64.
        distortion: one of ``DISTORTIONS``.
        strengths: of the distortion, distinct; ``None`` for its defaults.
        when: which of ``WHEN``, each once.
        scalers: which of ``SCALERS``, each once.
        degrees: P of the layer, distinct.
        models: which of ``MODELS``, each once.
        n_modalities: M of the task ``function``; data have 3.
        feature_dim: D.
        n_blocks: as in `FusionConfig`; so are the next three.
        encoding: ``qubit_efficient`` or ``qubit_per_feature``.
        signal: ``ry``, ``rx``, ``rz`` or ``phase``.
        constant_slot: whether one slot carries the identity.
        n_train: training samples of the task ``function``, 8 or more; as many again for validation.
        n_test: test samples of it.
        n_steps: Adam steps of the layer and of the MLP, 1 or more.
        learning_rates: one trial each (layer, MLP); boosting tries them times 2.
        penalties: one trial each for linear models; as many.
        initializer: of the circuit's weights.
        seeds: distinct.
        backend: the engine.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    task: str = "function"
    target: str = "random_trigonometric"
    target_degree: int = 2
    distortion: str = "scale"
    strengths: tuple[float, ...] | None = None
    when: tuple[str, ...] = tuple(WHEN)
    scalers: tuple[str, ...] = ("none",)
    degrees: tuple[int, ...] = (3,)
    models: tuple[str, ...] = tuple(MODELS)
    n_modalities: int = 2
    feature_dim: int = 1
    n_blocks: int = 1
    encoding: str = "qubit_efficient"
    signal: str = "ry"
    constant_slot: bool = True
    n_train: int = 128
    n_test: int = 256
    n_steps: int = 300
    learning_rates: tuple[float, ...] = (0.03, 0.1)
    penalties: tuple[float, ...] = (1e-4, 1e-1)
    initializer: str = "uniform"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    backend: str = "batched"

    def __post_init__(self) -> None:
        options = {"task": TASKS, "target": KINDS, "distortion": DISTORTIONS, "encoding": ENCODINGS}
        options |= {"signal": SIGNALS, "initializer": INITIALIZERS, "backend": ENGINES}
        for name, allowed in options.items():
            check_option(name, getattr(self, name), allowed)
        for name, least in (("target_degree", 1), ("n_train", 8), ("n_test", 8), ("n_steps", 1)):
            object.__setattr__(self, name, check_int(name, getattr(self, name), least))
        if self.task != "function":
            object.__setattr__(self, "n_modalities", 3)
        self._check_sequences()
        self._check_strengths()
        n_qubits = self.fusion(self.degrees[0]).n_qubits
        if n_qubits > MAX_QUBITS:
            raise invalid("the register is too large here", f"at most {MAX_QUBITS} qubits", f"{n_qubits} qubits")

    def _check_sequences(self) -> None:
        known = {"when": WHEN, "scalers": SCALERS, "models": MODELS}
        for name in (*known, "degrees", "learning_rates", "penalties", "seeds"):
            object.__setattr__(self, name, distinct(name, getattr(self, name)))
        for name, allowed in known.items():
            for value in getattr(self, name):
                check_option(f"each of {name}", value, allowed)
        for name, least in (("degrees", 1), ("seeds", 0)):
            object.__setattr__(
                self, name, tuple(check_int(f"each of {name}", value, least) for value in getattr(self, name))
            )
        for name in ("learning_rates", "penalties"):
            for value in getattr(self, name):
                check_positive(f"each of {name}", value)
        if len(self.learning_rates) != len(self.penalties):
            raise invalid(
                "learning_rates and penalties must be equally many, for every model to get the same effort",
                "as many of one as of the other",
                f"{len(self.learning_rates)} learning_rates and {len(self.penalties)} penalties",
            )
        if len(self.seeds) > MAX_SEEDS:
            raise invalid("there are too many seeds", f"at most {MAX_SEEDS}", f"{len(self.seeds)}")

    def _check_strengths(self) -> None:
        if self.strengths is None:
            return
        about = DISTORTIONS[self.distortion]
        values = distinct("strengths", self.strengths)
        for value in values:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number:
                raise invalid("each of strengths must be a number", about.strength, f"{value!r}", TypeError)
            if not about.lowest <= value <= about.highest or (self.distortion == "wrap" and value != round(value)):
                whole = "whole numbers " if self.distortion == "wrap" else ""
                raise invalid(
                    f"a strength of distortion={self.distortion!r} is out of range",
                    f"{whole}{about.lowest:g} to {about.highest:g} ({about.strength})",
                    f"{value}",
                )
        object.__setattr__(self, "strengths", tuple(float(value) for value in values))

    @property
    def tried(self) -> tuple[float, ...]:
        """The strengths in force."""
        return DISTORTIONS[self.distortion].default if self.strengths is None else self.strengths

    @property
    def neutral(self) -> float:
        """The strength that changes nothing."""
        return DISTORTIONS[self.distortion].neutral

    @property
    def metric(self) -> str:
        """``r2`` or ``auc``."""
        return "r2" if self.task == "function" else "auc"

    def fusion(self, degree: int) -> FusionConfig:
        """The circuit at one degree; every qubit is read along X, Y and Z, so the measurement limits nothing."""
        names = ("n_modalities", "feature_dim", "n_blocks", "encoding", "signal", "constant_slot")
        return FusionConfig(**{name: getattr(self, name) for name in names}, degree=degree, measurement="pauli")


def distinct(name: str, value: Any) -> tuple[Any, ...]:
    """``value`` as a tuple of one or more different items.

    Raises:
        TypeError: it is no sequence.
        ValueError: it is empty or has an item twice.
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise invalid(f"{name} must be a sequence", "a tuple", f"{name}={value!r}", TypeError)
    items = tuple(value)
    if not items or len(set(items)) < len(items):
        raise invalid(f"{name} is not usable", "one or more different values", f"{name}={items}")
    return items


#: Outliers lie this many units from 0, on either side.
OUTLIER_SPAN = (5.0, 15.0)
TURN = 2 * math.pi

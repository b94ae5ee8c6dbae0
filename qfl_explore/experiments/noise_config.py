"""Settings of the experiment on noise."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from qfl_explore.circuits.noise import KINDS, check_strength, noise_of
from qfl_explore.config import ENTANGLERS, SIGNALS, FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.measurement_bases_config import BASES, MeasurementConfig
from qfl_explore.experiments.measurement_bases_config import KINDS as TARGETS
from qfl_explore.optimizers import check_positive
from qfl_explore.simulation.density_matrix import MAX_QUBITS

TASKS: dict[str, str] = {
    "polynomial": "Learn a polynomial (R²)",
    "breast_cancer": "Malignant or benign (AUC)",
    "separation": "Decide with P queries (success)",
}
#: What is measured for each task.
SCORES: dict[str, str] = {"polynomial": "test R²", "breast_cancer": "test AUC", "separation": "success"}
MAX_SEEDS = 50
MAX_REPETITIONS = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseConfig(Settings):
    """A layer under noise of several strengths and degrees, beside classical models with equal feature noise.

    A seed draws target (or split), samples, starting weights, random planes and outcomes.

    Source: the layer is arXiv:2510.06938's; noise, tasks and the comparison are our construction.

    Args:
        task: one of ``TASKS``.
        kind: of the noise, one of ``KINDS``.
        strengths: each 0 or more; probabilities, or for ``device`` multiples of the device's rates.
            0 is always added.
        degrees: each P, 1 to 12; for ``separation`` even numbers of queries, 2 to 12.
        target: of the task ``polynomial``.
        target_degree: of the target.
        n_modalities: M; ``breast_cancer`` has 3 and ``separation`` 2 whatever is said here.
        feature_dim: D, features per modality.
        n_blocks: blocks in each U(θ).
        signal: as in `FusionConfig`; so is the next.
        entangler: as in `FusionConfig`.
        measurement: which observables are read.
        repetitions: T for every expectation value when a readout is fitted or scored; ``None``: exact.
        n_train: training samples of the task ``polynomial``, 8 or more.
        n_steps: Adam steps of each training.
        learning_rate: of Adam.
        penalties: of every model's linear readout, chosen on the validation part.
        seeds: distinct.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown, or the register has more than 6 qubits.
    """

    task: str = "polynomial"
    kind: str = "depolarizing"
    strengths: tuple[float, ...] = (0.0, 0.003, 0.01, 0.03, 0.1)
    degrees: tuple[int, ...] = (1, 2, 3)
    target: str = "random_polynomial"
    target_degree: int = 2
    n_modalities: int = 2
    feature_dim: int = 1
    n_blocks: int = 1
    signal: str = "ry"
    entangler: str = "full"
    measurement: str = "pauli"
    repetitions: int | None = 1000
    n_train: int = 96
    n_steps: int = 150
    learning_rate: float = 0.1
    penalties: tuple[float, ...] = (1e-6, 1e-3, 1.0)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        options = {"task": TASKS, "kind": KINDS, "target": TARGETS, "signal": SIGNALS, "entangler": ENTANGLERS}
        for name, allowed in (options | {"measurement": BASES}).items():
            check_option(name, getattr(self, name), allowed)
        for name, least in (("n_train", 8), ("n_steps", 1), ("target_degree", 1)):
            object.__setattr__(self, name, check_int(name, getattr(self, name), least))
        if self.repetitions is not None:
            check_int("repetitions", self.repetitions, 1, MAX_REPETITIONS)
        check_positive("learning_rate", self.learning_rate)
        own = {"breast_cancer": 3, "separation": 2}.get(self.task)
        if own is not None:
            object.__setattr__(self, "n_modalities", own)
        self._check_sequences()
        self._check_register()

    def _check_sequences(self) -> None:
        meaning = KINDS[self.kind].partition(":")[0].lower()
        strengths = {check_strength("each of strengths", s, math.inf, meaning) for s in _items(self, "strengths")}
        object.__setattr__(self, "strengths", tuple(sorted(strengths | {0.0})))
        for penalty in _items(self, "penalties"):
            check_positive("each of penalties", penalty)
        object.__setattr__(self, "penalties", _items(self, "penalties"))
        seeds = tuple(check_int("each of seeds", seed, 0) for seed in _items(self, "seeds"))
        if len(seeds) > MAX_SEEDS:
            raise invalid("there are too many seeds", f"at most {MAX_SEEDS}", f"{len(seeds)}")
        object.__setattr__(self, "seeds", seeds)
        degrees = tuple(check_int("each of degrees", degree, 1, 12) for degree in _items(self, "degrees"))
        if self.task == "separation" and any(degree % 2 for degree in degrees):
            raise invalid("two oracles are called in turn", "even numbers of queries", f"degrees={degrees}")
        object.__setattr__(self, "degrees", tuple(sorted(degrees)))

    def _check_register(self) -> None:
        n_qubits = self.fusion(1).n_qubits
        if n_qubits > MAX_QUBITS:
            raise invalid("the register is too large", f"at most {MAX_QUBITS} qubits", f"{n_qubits} qubits")

    def data_config(self, degree: int) -> MeasurementConfig:
        """The settings from which the data are drawn, in the words of the experiment on measurement bases."""
        names = ("target", "target_degree", "n_modalities", "feature_dim", "n_blocks", "signal", "entangler", "n_train")
        settings = {name: getattr(self, name) for name in names}
        task = "breast_cancer" if self.task == "breast_cancer" else "polynomial"
        return MeasurementConfig(task=task, degree=degree, bases=(self.measurement,), **settings)

    def fusion(self, degree: int, seed: int = 0) -> FusionConfig:
        """The circuit of one degree; ``seed`` draws random planes."""
        return self.data_config(degree).fusion(self.measurement, seed)

    def noise(self, strength: float) -> Any:
        """The `NoiseModel` of one strength."""
        return noise_of(self.kind, strength)


def _items(config: NoiseConfig, name: str) -> tuple[Any, ...]:
    value = getattr(config, name)
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise invalid(f"{name} must be a sequence", "a tuple", f"{name}={value!r}", TypeError)
    items = tuple(value)
    if not items or len(set(items)) < len(items):
        raise invalid(f"{name} is not usable", "one or more different values", f"{name}={items}")
    return items

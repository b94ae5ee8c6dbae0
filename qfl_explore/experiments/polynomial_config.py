"""Settings of the polynomial experiment."""

from __future__ import annotations

import dataclasses

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.targets import TargetConfig
from qfl_explore.optimizers import check_positive
from qfl_explore.simulation.base import ENGINES

SAMPLINGS = ("random", "grid")
OPTIMIZERS = ("adam", "lbfgs")
SCHEDULES = ("decay", "constant")


def _one_feature() -> FusionConfig:
    return FusionConfig(n_modalities=1, constant_slot=False)


def _cosine() -> TargetConfig:
    return TargetConfig(kind="cosine", degree=3)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PolynomialConfig(Settings):
    """Settings of one run: a fusion circuit with a linear readout fits a target.

    Source: that depth P sets the degree is arXiv:2510.06938; targets, ceiling and the wall
    are our construction.

    The defaults of ``initializer``, ``learning_rate`` and ``schedule`` are those with which no start
    got stuck on the wall (cos kx, k = 1…5, P = k…8, ten seeds each: 300 runs); with ``uniform``
    about one start in a hundred does.

    Args:
        fusion: the circuit; its ``seed`` draws the measurement.
        target: what to fit.
        n_train: training samples, 2 or more.
        n_test: test samples, 2 or more; drawn at random from the target's domain.
        sampling: training samples at ``random`` (uniform) or on a midpoint ``grid`` (one or
            two features; for two, the largest square of ``n_train`` samples or fewer).
        noise: standard deviation of Gaussian noise on the training targets, in units of their
            noiseless standard deviation; 0 or more. Test targets stay free of noise.
        optimizer: ``adam`` or ``lbfgs``, both on the whole training set.
        learning_rate: of Adam, above 0.
        schedule: of Adam: ``decay`` keeps the learning rate for the first half of ``n_steps`` and
            then lowers it linearly to 2 %; or ``constant``.
        n_steps: at most so many steps, 0 or more.
        patience: stops early after so many steps in a row without progress of the *training*
            loss (no test data is looked at); ``None``: never.
        min_delta: the drop of the loss that counts as progress; the loss starts near 1.
        initializer: of the circuit's weights: ``uniform``, ``small_angle``, ``identity_block``.
        seed: draws samples, noise and starting weights; 0 or more.
        backend: the engine's name.
        record_every: how often `run` writes a row of its table, in steps.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    fusion: FusionConfig = dataclasses.field(default_factory=_one_feature)
    target: TargetConfig = dataclasses.field(default_factory=_cosine)
    n_train: int = 256
    n_test: int = 512
    sampling: str = "random"
    noise: float = 0.0
    optimizer: str = "adam"
    learning_rate: float = 0.1
    schedule: str = "decay"
    n_steps: int = 600
    patience: int | None = None
    min_delta: float = 1e-5
    initializer: str = "identity_block"
    seed: int = 0
    backend: str = "batched"
    record_every: int = 10

    def __post_init__(self) -> None:
        for name, kind in (("fusion", FusionConfig), ("target", TargetConfig)):
            if not isinstance(getattr(self, name), kind):
                raise invalid(f"{name} is of the wrong kind", kind.__name__, repr(getattr(self, name)), TypeError)
        least = {"n_train": 2, "n_test": 2, "n_steps": 0, "seed": 0, "record_every": 1}
        for name, minimum in least.items():
            object.__setattr__(self, name, check_int(name, getattr(self, name), minimum))
        if self.patience is not None:
            object.__setattr__(self, "patience", check_int("patience", self.patience, 1))
        for name in ("noise", "min_delta"):
            if getattr(self, name) != 0:
                check_positive(name, getattr(self, name))
        check_positive("learning_rate", self.learning_rate)
        check_option("sampling", self.sampling, SAMPLINGS)
        check_option("optimizer", self.optimizer, OPTIMIZERS)
        check_option("schedule", self.schedule, SCHEDULES)
        check_option("initializer", self.initializer, INITIALIZERS)
        check_option("backend", self.backend, ENGINES)
        self._check_grid()

    def _check_grid(self) -> None:
        if self.sampling == "grid" and self.fusion.n_features > 2:
            raise invalid(
                "sampling='grid' is for one or two features",
                "sampling='random'",
                f"n_modalities·feature_dim = {self.fusion.n_features} features",
            )

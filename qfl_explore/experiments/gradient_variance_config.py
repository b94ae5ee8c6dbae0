"""Settings of the gradient-variance experiment: one circuit, and a sweep over M or P."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import ENCODINGS, FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.optimizers import check_positive
from qfl_explore.simulation.base import ENGINES

INTERVALS = ("blocks", "bootstrap")
SWEPT = ("n_modalities", "degree")
#: Draws of one block; all share one input. Large circuits take the engine's smallest full batch.
BLOCK, LARGE_BLOCK, LARGE_QUBITS = 64, 16, 11


def _default_fusion() -> FusionConfig:
    return FusionConfig(n_modalities=4, degree=3, measurement="local_z")


@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientVarianceConfig(Settings):
    """Settings of one estimate of ``Var[∂C/∂θ]`` over random weights.

    C is the expectation value of one observable at one input. Every angle has its own variance;
    the headline number is their mean over all angles, averaged over ``n_inputs`` inputs (drawn
    once from ``seed``, uniform in [-π, π)) and over the circuit's observables in turn.

    Source: the question is McClean et al., arXiv:1803.11173, and open question 4 and next check
    1 of arXiv:2510.06938; this protocol is our construction.

    Args:
        fusion: the circuit; ``fusion.seed`` draws a random measurement.
        initializer: how weights are drawn: ``uniform``, ``small_angle``, ``identity_block``.
        scale: standard deviation of ``small_angle`` in radians, above 0.
        n_inputs: 1 or more.
        precision: stop once the 95 % interval's half width is at most this share of the
            estimate; in (0, 1).
        max_draws: stop after so many draws at the latest; 1 or more (at least two blocks for
            every input are drawn in any case).
        interval: ``blocks`` (Student's t on the logarithm, from the scatter of independent
            blocks' sample variances) or ``bootstrap`` (percentiles over resampled blocks).
        seed: draws weights and inputs; 0 or more.
        backend: the engine's name.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    fusion: FusionConfig = dataclasses.field(default_factory=_default_fusion)
    initializer: str = "uniform"
    scale: float = 0.1
    n_inputs: int = 8
    precision: float = 0.05
    max_draws: int = 50_000
    interval: str = "blocks"
    seed: int = 0
    backend: str = "batched"

    def __post_init__(self) -> None:
        if not isinstance(self.fusion, FusionConfig):
            raise invalid("fusion is of the wrong kind", "a FusionConfig", repr(self.fusion), TypeError)
        for name, least in {"n_inputs": 1, "max_draws": 1, "seed": 0}.items():
            object.__setattr__(self, name, check_int(name, getattr(self, name), least))
        check_option("initializer", self.initializer, INITIALIZERS)
        check_option("interval", self.interval, INTERVALS)
        check_option("backend", self.backend, ENGINES)
        check_positive("scale", self.scale)
        check_positive("precision", self.precision)
        if self.precision >= 1:
            raise invalid("precision is out of range", "a number between 0 and 1", f"precision={self.precision}")

    @property
    def block(self) -> int:
        """Draws that share one input and are computed in one call."""
        return BLOCK if self.fusion.n_qubits < LARGE_QUBITS else LARGE_BLOCK


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepConfig(Settings):
    """The same estimate along M or P, for one or both encodings.

    Args:
        base: all other settings; ``fusion.encoding`` and the swept setting are replaced.
        over: ``n_modalities`` or ``degree``.
        values: of the swept setting, two or more different ones, ascending.
        encodings: which to compare.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown, or a circuit would be too large.
    """

    base: GradientVarianceConfig = dataclasses.field(default_factory=GradientVarianceConfig)
    over: str = "n_modalities"
    values: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8, 9, 10)
    encodings: tuple[str, ...] = ENCODINGS

    def __post_init__(self) -> None:
        if not isinstance(self.base, GradientVarianceConfig):
            raise invalid("base is of the wrong kind", "a GradientVarianceConfig", repr(self.base), TypeError)
        check_option("over", self.over, SWEPT)
        object.__setattr__(self, "values", self._checked(self.values))
        object.__setattr__(self, "encodings", tuple(self.encodings))
        if not self.encodings:
            raise invalid("encodings is empty", f"one or more of {ENCODINGS}", "()")
        for encoding in self.encodings:
            check_option("encodings", encoding, ENCODINGS)
        self.points()  # every circuit must be possible

    def _checked(self, values: Sequence[int]) -> tuple[int, ...]:
        checked = tuple(check_int("values", value, 1) for value in values)
        if len(checked) < 2 or list(checked) != sorted(set(checked)):
            raise invalid("values do not make a sweep", "two or more ascending integers", f"values={checked}")
        return checked

    def points(self) -> tuple[GradientVarianceConfig, ...]:
        """One config for each point: by value, then by encoding."""
        fusion = self.base.fusion
        return tuple(
            self.base.replace(fusion=fusion.replace(**{self.over: value, "encoding": encoding}))
            for value in self.values
            for encoding in self.encodings
        )

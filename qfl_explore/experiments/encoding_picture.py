"""Where features land: raw feature → angle → point on the Bloch circle. What the live picture shows."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from qfl_explore.errors import check_int, check_option
from qfl_explore.experiments.encoding_config import WHEN, EncodingConfig
from qfl_explore.experiments.encoding_task import angles_of, make_task, saturated
from qfl_explore.scalers import SCALERS
from qfl_explore.theory.wrap_around import natural_range

#: Samples that are drawn at most.
MAX_SAMPLES = 200
_N_GRID = 241
#: Outer rings that are drawn at most; what turns more often stays on the last.
MAX_RING = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Trace:
    """One feature's way from the raw value to the circle.

    Attributes:
        raw: [n], after the distortion, in units.
        angle: [n], radians.
        outside: [n], whether the angle is beyond the circuit's range, so that it wraps around.
        saturated: [n], whether it is clipped, or the scaler is flat there.
        grid_raw: raw values for the scaler's curve.
        grid_angle: their angles.
        feature_range: the circuit's range, radians.
        unit: of the raw values.
        seed: of the data.
        n_samples: how many there are, drawn or not.
    """

    raw: np.ndarray
    angle: np.ndarray
    outside: np.ndarray
    saturated: np.ndarray
    grid_raw: np.ndarray
    grid_angle: np.ndarray
    feature_range: tuple[float, float]
    unit: str
    seed: int
    n_samples: int

    @property
    def ring(self) -> np.ndarray:
        """[n] whole turns of 2π away from [-π, π]: 0 inside; the same point of the circle on every ring."""
        return np.floor((np.abs(self.angle) + math.pi) / (2 * math.pi) - 1e-9).astype(int)

    @property
    def circle(self) -> tuple[np.ndarray, np.ndarray]:
        """Bloch coordinates (x, z) = (sin, cos) of the angle, each [n]; z up."""
        return np.sin(self.angle), np.cos(self.angle)


def trace(config: EncodingConfig, strength: float, when: str, scaler: str, feature: int = 0) -> Trace:
    """One feature of the test part of the first seed.

    Args:
        config: the settings.
        strength: of the distortion.
        when: ``test``: the scaler has seen clean features; ``both``: spoiled ones.
        scaler: one of ``SCALERS``.
        feature: which column, from 0.

    Raises:
        ValueError: an option is unknown, or there is no such feature.
    """
    check_option("when", when, WHEN)
    check_option("scaler", scaler, SCALERS)
    seed = config.seeds[0]
    task = make_task(config, seed)
    column = check_int("feature", feature, 0, task.raw["test"].shape[1] - 1)
    angles, fitted = angles_of(config, task, scaler, strength, when, seed)
    spoiled, _ = angles_of(config, task, "none", strength, "test", seed)
    raw, angle = spoiled["test"][:, column], angles["test"][:, column]
    low, high = natural_range(config.fusion(config.degrees[0]))
    reach = max(1.0, float(np.abs(raw).max()))
    grid = np.linspace(-1.05 * reach, 1.05 * reach, _N_GRID)
    full = np.zeros((_N_GRID, spoiled["test"].shape[1]))
    full[:, column] = grid
    shown = slice(0, MAX_SAMPLES)
    return Trace(
        raw=raw[shown],
        angle=angle[shown],
        outside=((angle < low - 1e-9) | (angle > high + 1e-9))[shown],
        saturated=saturated(config, task, fitted, strength, seed)[shown, column],
        grid_raw=grid,
        grid_angle=fitted.transform(full)[:, column],
        feature_range=(low, high),
        unit=task.unit,
        seed=seed,
        n_samples=len(raw),
    )

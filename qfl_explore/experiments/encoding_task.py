"""Data, distortions, angles and bounds of the experiment on encoding sensitivity."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.experiments.encoding_config import DISTORTIONS, OUTLIER_SPAN, TURN, EncodingConfig
from qfl_explore.experiments.polynomial import PolynomialConfig, prepare
from qfl_explore.experiments.targets import Target, TargetConfig
from qfl_explore.scalers import AngleScaler, principal_axes
from qfl_explore.theory.exact_ceiling import exact_ceiling
from qfl_explore.theory.spectrum import (
    MAX_CEILING_FREQUENCIES,
    RCOND,
    count_frequencies,
    dense_points,
    design_matrix,
    reachable_frequencies,
)
from qfl_explore.theory.wrap_around import clipped_ceiling, replaced_ceiling

PARTS = ("train", "validation", "test")
#: Mixed into seeds, so that no random stream is used twice.
_VALIDATION, _DISTORTION = 7, 17
#: R² below this counts as this in means: a wild extrapolation is not ten times worse than another.
LOWEST = -1.0


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """Data of one seed.

    Attributes:
        raw: by part, features [N, F] in units (radians, or standard deviations).
        y: by part, [N]: standardised targets, or class numbers.
        n_outputs: columns of a model's output: 1, or one a class where there are more than two.
        target: of the task ``function``.
        label: the task in words.
        unit: of the raw features.
    """

    raw: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    n_outputs: int
    target: Target | None
    label: str
    unit: str

    def loss(self, outputs: np.ndarray, part: str) -> tuple[float, np.ndarray]:
        """Mean squared error or cross-entropy of outputs [N, C], and its derivative [N, C]."""
        y = self.y[part]
        if self.target is not None:
            residual = outputs - y[:, None]
            return float(np.mean(residual**2)), 2.0 * residual / len(y)
        pairs = np.hstack([np.zeros((len(y), 1)), outputs]) if self.n_outputs == 1 else outputs
        total = np.logaddexp.reduce(pairs, axis=1, keepdims=True)
        shares, true = np.exp(pairs - total), np.arange(pairs.shape[1]) == y[:, None]
        slope = (shares - true) / len(y)
        return float(np.mean(total[:, 0] - pairs[true])), slope[:, 1:] if self.n_outputs == 1 else slope

    def score(self, outputs: np.ndarray, part: str = "test") -> float:
        """R² (1 - squared error / variance), or AUC (macro mean of one class against the rest)."""
        y = self.y[part]
        if self.target is not None:
            return 1.0 - float(np.mean((outputs[:, 0] - y) ** 2) / np.var(y))
        from qfl_explore.training import score

        return score(outputs, y)["auc"]


def make_task(config: EncodingConfig, seed: int) -> Task:
    """Draws the data of one seed.

    Args:
        config: the settings.
        seed: of target or split, and of the samples; 0 or more.
    """
    return _function(config, seed) if config.task == "function" else _data(config, seed)


def _function(config: EncodingConfig, seed: int) -> Task:
    target = TargetConfig(kind=config.target, degree=config.target_degree, seed=seed)
    fusion = config.fusion(config.degrees[0])
    sizes = {"n_train": config.n_train, "n_test": config.n_test}
    problem = prepare(PolynomialConfig(fusion=fusion, target=target, seed=seed, **sizes))
    held_out = np.random.default_rng([seed, _VALIDATION]).uniform(*problem.domain, (config.n_train, fusion.n_features))
    held = (problem.target(held_out) - problem.mean) / problem.std
    raw = {"train": problem.x_train, "validation": held_out, "test": problem.x_test}
    y = {"train": problem.y_train, "validation": held, "test": problem.y_test}
    return Task(raw, y, 1, problem.target, problem.label, "radians")


def _data(config: EncodingConfig, seed: int) -> Task:
    from qfl_explore.datasets import load

    data = load(config.task, seed)
    parts = {part: data.part(part) for part in PARTS}
    axes = [principal_axes(array, config.feature_dim) for array in parts["train"][0]]
    raw = {
        part: np.hstack([array @ axis for array, axis in zip(arrays, axes, strict=True)])
        for part, (arrays, _) in parts.items()
    }
    y = {part: labels.astype(np.int64) for part, (_, labels) in parts.items()}
    label = f"{data.title}: {' / '.join(data.class_names)}"
    return Task(raw, y, 1 if data.n_classes == 2 else data.n_classes, None, label, "standard deviations")


def distorted(x: np.ndarray, kind: str, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Features with one distortion.

    Args:
        x: [N, F], in units.
        kind: one of ``DISTORTIONS``.
        strength: of the distortion.
        rng: decides which values ``outliers`` replaces and how far ``wrap`` turns; with the same
            state a stronger distortion spoils the same values and more.

    Returns:
        [N, F].
    """
    if kind == "scale":
        return strength * x
    if kind == "shift":
        return x + strength
    if kind == "clip":
        return np.clip(x, -strength, strength)
    chance, size = rng.random(x.shape), rng.random(x.shape)
    if kind == "wrap":
        return x + TURN * np.floor((2 * strength + 1) * size - strength)
    far = (OUTLIER_SPAN[0] + (OUTLIER_SPAN[1] - OUTLIER_SPAN[0]) * size) * rng.choice((-1.0, 1.0), x.shape)
    return np.where(chance < strength, far, x)


def angles_of(
    config: EncodingConfig, task: Task, scaler: str, strength: float, when: str, seed: int
) -> tuple[dict[str, np.ndarray], AngleScaler]:
    """Angles [N, F] by part, and the scaler that was fitted to the training part as the models see it.

    Args:
        config: the settings.
        task: the data.
        scaler: one of ``SCALERS``.
        strength: of the distortion.
        when: ``test``: only the test part is spoiled; ``both``: all parts are.
        seed: of the distortion.
    """
    seen = {}
    for i, part in enumerate(PARTS):
        spoiled = when == "both" or part == "test"
        rng = np.random.default_rng([seed, _DISTORTION, i])
        seen[part] = distorted(task.raw[part], config.distortion, strength, rng) if spoiled else task.raw[part]
    fitted = AngleScaler(scaler).fit(seen["train"])
    return {part: fitted.transform(values) for part, values in seen.items()}, fitted


def saturated(config: EncodingConfig, task: Task, fitted: AngleScaler, strength: float, seed: int) -> np.ndarray:
    """Which test values are hardly told apart any more: clipped, or where the scaler is flat.

    Args:
        config: the settings.
        task: the data.
        fitted: the scaler.
        strength: of the distortion.
        seed: of the distortion.

    Returns:
        [N, F] booleans.
    """
    spoiled, _ = angles_of(config, task, "none", strength, "test", seed)
    flat = fitted.saturated(spoiled["test"])
    return flat | (np.abs(task.raw["test"]) > strength) if config.distortion == "clip" else flat


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What can be reached at best, whatever the training; NaN where it is not known.

    Attributes:
        layer: ``both``: R² of the best function with the layer's spectrum, fitted to the spoiled
            angles. ``test``: R² of the best such function for clean angles, asked at spoiled ones.
        anything: no model of any kind can exceed this R².
        method: how ``layer`` was found.
    """

    layer: float = math.nan
    anything: float = math.nan
    method: str = "none: not a function of angles"


def bounds(config: EncodingConfig, task: Task, degree: int, scaler: str, strength: float, when: str) -> Bounds:
    """Bounds of one cell; exact where that is possible, else least squares on many points.

    Args:
        config: the settings.
        task: the data.
        degree: P of the layer.
        scaler: one of ``SCALERS``.
        strength: of the distortion.
        when: ``test`` or ``both``.
    """
    if task.target is None:
        return Bounds()
    fusion, spectrum = config.fusion(degree), task.target.spectrum()
    anything = _for_any_model(config.distortion, strength, spectrum)
    if count_frequencies(fusion) > MAX_CEILING_FREQUENCIES:
        return Bounds(math.nan, anything, "none: too many frequencies")
    stays = config.distortion == "shift" or (config.distortion == "scale" and strength >= 1.0)
    if stays and spectrum is not None and when == "both" and scaler == "none":
        factor = strength if config.distortion == "scale" else 1.0  # a shift leaves the reachable functions alone
        domain = (-factor * math.pi, factor * math.pi)
        top = exact_ceiling(fusion, spectrum[0] / factor, spectrum[1], domain)
        return Bounds(top.r2, anything, top.method)
    return _fitted_bounds(config, task.target, fusion, scaler, strength, when, anything)


def _for_any_model(kind: str, strength: float, spectrum: tuple[np.ndarray, np.ndarray] | None) -> float:
    if kind in ("scale", "shift", "wrap"):
        return 1.0  # nothing is lost: the target has the period 2π
    if spectrum is None:
        return math.nan
    return (clipped_ceiling if kind == "clip" else replaced_ceiling)(*spectrum, strength)


def _fitted_bounds(
    config: EncodingConfig,
    target: Target,
    fusion: FusionConfig,
    scaler: str,
    strength: float,
    when: str,
    anything: float,
) -> Bounds:
    frequencies = reachable_frequencies(fusion, MAX_CEILING_FREQUENCIES)
    n_points = int(np.clip(16 * len(frequencies), 4096, 12_000))
    points = dense_points(fusion.n_features, n_points=n_points)
    values = target(points)
    spoiled = distorted(points, config.distortion, strength, np.random.default_rng(_DISTORTION))
    fitted = AngleScaler(scaler).fit(spoiled if when == "both" else points)
    basis = design_matrix(frequencies, fitted.transform(spoiled))
    clean = basis if when == "both" else design_matrix(frequencies, fitted.transform(points))
    best = np.linalg.lstsq(clean, values, rcond=RCOND)[0]
    r2 = 1.0 - float(np.mean((basis @ best - values) ** 2) / np.var(values))
    return Bounds(r2, anything, f"least squares with {len(frequencies)} frequencies on {len(points)} points")


def is_neutral(config: EncodingConfig, strength: float) -> bool:
    """Whether a strength changes nothing, so that no model need be trained anew for it."""
    return strength == DISTORTIONS[config.distortion].neutral

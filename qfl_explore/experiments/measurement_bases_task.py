"""What is learned in the experiment on measurement bases: data, loss, score, and fits linear in features."""

from __future__ import annotations

import dataclasses

import numpy as np

from qfl_explore.experiments.measurement_bases_config import MeasurementConfig
from qfl_explore.experiments.polynomial import PolynomialConfig, prepare
from qfl_explore.experiments.targets import TargetConfig
from qfl_explore.scalers import principal_axes, squash
from qfl_explore.theory.spectrum import design_matrix, reachable_frequencies

#: Above this many frequencies the Fourier fit is left out.
MAX_FREQUENCIES = 1500
N_TEST = 512
#: Mixed into seeds, so that no random stream is used twice.
_VALIDATION = 7


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """Data of one seed.

    Attributes:
        x: by part (``train``, ``validation``, ``test``), angles [N, M, D] (radians).
        y: by part, [N]: standardised targets, or 0 and 1.
        classes: whether y are classes.
        ceiling: the best R² any function with the reachable spectrum has; ``None`` where there is none.
        controls: name -> features by part, for classical models that are linear in them.
        label: the task in words.
    """

    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    classes: bool
    ceiling: float | None
    controls: dict[str, dict[str, np.ndarray]]
    label: str

    def loss(self, outputs: np.ndarray, part: str) -> tuple[float, np.ndarray]:
        """Mean loss and its derivative with respect to the outputs: squared error, or cross-entropy of logits."""
        y = self.y[part]
        if not self.classes:
            residual = outputs - y
            return float(np.mean(residual**2)), 2.0 * residual / len(y)
        loss = np.logaddexp(0.0, outputs) - y * outputs
        return float(loss.mean()), (0.5 * (1.0 + np.tanh(outputs / 2)) - y) / len(y)

    def score(self, outputs: np.ndarray, part: str = "test", rows: slice = slice(None)) -> float:
        """R² (1 - squared error / variance), or accuracy."""
        y, outputs = self.y[part][rows], outputs[rows]
        if self.classes:
            return float(np.mean((outputs > 0) == (y == 1)))
        return 1.0 - float(np.mean((outputs - y) ** 2) / np.var(y))


def make_task(config: MeasurementConfig, seed: int) -> Task:
    """Draws the data of one seed.

    Args:
        config: the settings.
        seed: of target or split, and of the samples; 0 or more.
    """
    return _breast_cancer(config, seed) if config.task == "breast_cancer" else _polynomial(config, seed)


def _polynomial(config: MeasurementConfig, seed: int) -> Task:
    fusion = config.fusion("computational")
    target = TargetConfig(kind=config.target, degree=config.target_degree, seed=seed)
    settings = PolynomialConfig(
        fusion=fusion, target=target, n_train=config.n_train, n_test=N_TEST, noise=config.noise, seed=seed
    )
    problem = prepare(settings)
    rng = np.random.default_rng([seed, _VALIDATION])
    held_out = rng.uniform(*problem.domain, (config.n_train, fusion.n_features))
    raw = problem.target(held_out)
    raw = raw + config.noise * raw.std() * rng.standard_normal(len(raw))
    flat = {"train": problem.x_train, "validation": held_out, "test": problem.x_test}
    y = {"train": problem.y_train, "validation": (raw - problem.mean) / problem.std, "test": problem.y_test}
    controls = {}
    if problem.n_reachable <= MAX_FREQUENCIES:
        frequencies = reachable_frequencies(fusion)
        controls["fourier"] = {part: design_matrix(frequencies, points) for part, points in flat.items()}
    shape = (-1, config.n_modalities, config.feature_dim)
    x = {part: points.reshape(shape) for part, points in flat.items()}
    return Task(x, y, False, problem.ceiling.r2, controls, problem.label)


def _breast_cancer(config: MeasurementConfig, seed: int) -> Task:
    from qfl_explore.datasets import load

    data = load("breast_cancer", seed)
    parts = {part: data.part(part) for part in ("train", "validation", "test")}
    axes = [principal_axes(array, config.feature_dim) for array in parts["train"][0]]
    x = {
        part: np.stack([squash(a @ m, limit=np.pi / 2) for a, m in zip(arrays, axes, strict=True)], 1)
        for part, (arrays, _) in parts.items()
    }
    y = {part: labels.astype(float) for part, (_, labels) in parts.items()}
    flat = {part: np.column_stack([np.ones(len(v)), v.reshape(len(v), -1)]) for part, v in x.items()}
    measures = {part: np.column_stack([np.ones(len(a[0])), *a]) for part, (a, _) in parts.items()}
    return Task(x, y, True, None, {"angles": flat, "measures": measures}, "malignant or benign")


def with_constant(values: np.ndarray) -> np.ndarray:
    """[N, K] -> [N, 1 + K], a column of ones first."""
    return np.column_stack([np.ones(len(values)), values])


@dataclasses.dataclass(frozen=True)
class LinearFit:
    """A fit that is linear in given features.

    Attributes:
        coefficients: [1 + K], the first for the constant.
        penalty: the one chosen.
        validation_loss: with it.
    """

    coefficients: np.ndarray
    penalty: float
    validation_loss: float


def fit_linear(task: Task, features: dict[str, np.ndarray], penalties: tuple[float, ...]) -> LinearFit:
    """The best of several penalties on the validation part; the constant is not penalised.

    Args:
        task: the data.
        features: by part, [N, 1 + K] with a first column of ones.
        penalties: λ of ``Σ loss + λ |coefficients|²``.
    """
    fits = [_solve(task, features["train"], penalty) for penalty in penalties]
    losses = [task.loss(features["validation"] @ fit, "validation")[0] for fit in fits]
    best = int(np.argmin(losses))
    return LinearFit(fits[best], penalties[best], losses[best])


def _solve(task: Task, features: np.ndarray, penalty: float) -> np.ndarray:
    if task.classes:
        return _logistic(features, task.y["train"], penalty)
    n = features.shape[1]
    extra = np.sqrt(penalty) * np.eye(n)[1:]
    stacked = np.vstack([features, extra]), np.r_[task.y["train"], np.zeros(n - 1)]
    return np.linalg.lstsq(*stacked, rcond=None)[0]


def _logistic(features: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Penalised cross-entropy by damped Newton steps, 50 at most."""
    mask = np.r_[0.0, np.ones(features.shape[1] - 1)]

    def objective(point: np.ndarray) -> float:
        logits = features @ point
        return float(np.sum(np.logaddexp(0.0, logits) - y * logits) + penalty * mask @ point**2)

    point = np.zeros(features.shape[1])
    value = objective(point)
    for _ in range(50):
        p = 0.5 * (1.0 + np.tanh(features @ point / 2))
        gradient = features.T @ (p - y) + 2 * penalty * mask * point
        hessian = (features.T * (p * (1 - p))) @ features + np.diag(2 * penalty * mask + 1e-9)
        move, scale = np.linalg.solve(hessian, gradient), 1.0
        while scale > 1e-6 and objective(point - scale * move) > value:
            scale /= 2
        point = point - scale * move
        previous, value = value, objective(point)
        if previous - value < 1e-9 * max(1.0, abs(value)):
            break
    return point

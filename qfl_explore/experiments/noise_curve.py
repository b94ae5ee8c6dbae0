"""One trained layer (or the protocol) seen through exact noise: what a slider of the strength redraws.

Training happens once, without noise, and is remembered; a new strength costs one exact evaluation.
No repetitions are drawn here: every number is an exact expectation value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments.circuit_training import train_with_readout
from qfl_explore.experiments.measurement_bases_task import Task, fit_linear, make_task, with_constant
from qfl_explore.experiments.noise_config import NoiseConfig
from qfl_explore.experiments.noise_separation import delta_of, parts_of, says_equal
from qfl_explore.experiments.polynomial import PolynomialConfig, prepare
from qfl_explore.experiments.targets import TargetConfig
from qfl_explore.simulation.base import Backend, get_backend

#: Series of a curve, in the order in which they are drawn.
SERIES: dict[str, str] = {
    "target": "target",
    "noiseless": "without noise",
    "clean": "under noise, readout as trained",
    "refit": "under noise, readout fitted anew",
}
N_POINTS = 121
#: Points that trajectories check, and trajectories of each.
N_CHECKED, N_TRAJECTORIES = 9, 200


@dataclasses.dataclass(frozen=True, eq=False)
class _Scene:
    """What does not change with the noise."""

    task: Task
    fusion: FusionCircuit
    weights: np.ndarray
    readout: np.ndarray
    x: np.ndarray
    points: np.ndarray
    target: np.ndarray | None


def curve(config: NoiseConfig, degree: int, strength: float, seed: int = 0) -> pd.DataFrame:
    """Outputs along one line, exactly.

    - ``polynomial``: over the first feature (radians), the others at 0; standardised target.
    - ``breast_cancer``: over test samples in the order of the noiseless output; logits.
    - ``separation``: over Δ in units of δ; probability of the answer "Δ = 0".

    Args:
        config: the settings.
        degree: P.
        strength: of the noise.
        seed: of data and start.

    Returns:
        Columns series (of ``SERIES``), x, value.
    """
    if config.task == "separation":
        return _decision(config, degree, strength)
    scene = _scene(_plain(config, degree), seed)
    engine = get_backend("density_matrix", noise=config.noise(strength))
    values = {"noiseless": _outputs(get_backend("density_matrix"), scene, scene.readout)}
    values["clean"] = _outputs(engine, scene, scene.readout)
    parts = {part: scene.task.x[part] for part in ("train", "validation")}
    seen = {part: with_constant(engine.expectations(scene.fusion, x, scene.weights)) for part, x in parts.items()}
    values["refit"] = _outputs(engine, scene, fit_linear(scene.task, seen, config.penalties).coefficients)
    if scene.target is not None:
        values = {"target": scene.target} | values
    return _table(scene.points, values)


def checked_points(
    config: NoiseConfig, degree: int, strength: float, seed: int = 0, n_trajectories: int = N_TRAJECTORIES
) -> Iterator[dict[str, Any]]:
    """Points of the curve ``clean`` by qsim's trajectories, beside the exact values.

    Args:
        config: the settings.
        degree: P.
        strength: of the noise.
        seed: of data and start.
        n_trajectories: of each point, 20 or more.

    Yields:
        x, value, error (one standard error), exact; one point after the other.

    Raises:
        ImportError: qsim is not installed here.
    """
    from qfl_explore.simulation.trajectories import standard_error

    noise = config.noise(strength)
    if config.task == "separation":
        fusion, weights = parts_of(degree)
        readout = np.r_[0.5, np.zeros(fusion.n_observables - 1), 0.5]
        points, theta = _differences(degree)
        x = -2.0 * theta[:, :, None]
    else:
        scene = _scene(_plain(config, degree), seed)
        fusion, weights, readout, points, x = scene.fusion, scene.weights, scene.readout, scene.points, scene.x
    table = curve(config, degree, strength, seed)
    exact = table.loc[table["series"] == "clean", "value"].to_numpy()
    for number, place in enumerate(np.linspace(0, len(points) - 1, N_CHECKED).round().astype(int)):
        engine = get_backend("trajectories", noise=noise, n_trajectories=n_trajectories, seed=number)
        groups = engine.estimates(fusion, x[place : place + 1], weights).groups @ readout[1:] + readout[0]
        yield {
            "x": float(points[place]),
            "value": float(groups.mean()),
            "error": float(standard_error(groups)[0]),
            "exact": float(exact[place]),
        }


def _plain(config: NoiseConfig, degree: int) -> NoiseConfig:
    """The settings that decide about training without noise, so that other settings share it."""
    return config.replace(kind="depolarizing", strengths=(0.0,), degrees=(degree,), repetitions=None, seeds=(0,))


def _outputs(engine: Backend, scene: _Scene, readout: np.ndarray) -> np.ndarray:
    return with_constant(engine.expectations(scene.fusion, scene.x, scene.weights)) @ readout


def _table(points: np.ndarray, values: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.concat(
        [pd.DataFrame({"series": name, "x": points, "value": found}) for name, found in values.items()],
        ignore_index=True,
    )


@lru_cache(maxsize=32)
def _scene(config: NoiseConfig, seed: int) -> _Scene:
    degree = config.degrees[0]
    task = make_task(config.data_config(degree), seed)
    fusion = FusionCircuit(config.fusion(degree, seed))
    start, params = initial_weights(fusion.config, "uniform", seed), {}
    engine = get_backend("batched", dtype="float64")
    for _, params in train_with_readout(engine, task, fusion, start, config.learning_rate, config.n_steps):  # noqa: B007
        pass
    weights = params["weights"]
    values = {part: with_constant(engine.expectations(fusion, x, weights)) for part, x in task.x.items()}
    readout = fit_linear(task, values, config.penalties).coefficients
    if task.classes:
        order = np.argsort(values["test"] @ readout)
        return _Scene(task, fusion, weights, readout, task.x["test"][order], np.arange(1.0, len(order) + 1), None)
    points = np.linspace(-np.pi, np.pi, N_POINTS)
    x = np.zeros((N_POINTS, config.n_modalities, config.feature_dim))
    x[:, 0, 0] = points
    return _Scene(task, fusion, weights, readout, x, points, _target(config, degree, seed, x))


def _target(config: NoiseConfig, degree: int, seed: int, x: np.ndarray) -> np.ndarray:
    """The standardised target of the polynomial task at points [N, M, D]."""
    target = TargetConfig(kind=config.target, degree=config.target_degree, seed=seed)
    settings = PolynomialConfig(fusion=config.fusion(degree), target=target, n_train=config.n_train, seed=seed)
    problem = prepare(settings)
    return (problem.target(x.reshape(len(x), -1)) - problem.mean) / problem.std


def _decision(config: NoiseConfig, degree: int, strength: float) -> pd.DataFrame:
    share, theta = _differences(degree)
    values = {"noiseless": says_equal(config, degree, 0.0, theta), "clean": says_equal(config, degree, strength, theta)}
    return _table(share, values)


def _differences(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Δ in units of δ [N], and oracle angles [N, 2] that differ by it."""
    share = np.linspace(0.0, 2.0, N_POINTS)
    return share, np.stack([np.zeros(N_POINTS), -share * delta_of(degree)], axis=1)

"""What traffic data sets share: speeds become windows of the past and targets of the future."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from qfl_explore.datasets.base import MultimodalData, Problem, standardise
from qfl_explore.errors import check_int, invalid

#: Minutes between two rows.
STEP = 5
HORIZONS = (15, 30, 60)


@dataclasses.dataclass(frozen=True)
class Speeds:
    """Measured speeds of a network of sensors.

    Attributes:
        values: [T, M] in miles per hour, NaN where nothing was measured.
        sensors: M names.
        start: time of the first row.
        graph: [M, M] or ``None``.
        positions: [M, 2], degrees, or ``None``.
        problems: rows that could not be read; they count as not measured.
    """

    values: np.ndarray
    sensors: tuple[str, ...]
    start: np.datetime64
    graph: np.ndarray | None = None
    positions: np.ndarray | None = None
    problems: tuple[Problem, ...] = ()


def forecast(
    speeds: Speeds, *, history: int, horizons: Sequence[int], target: str, standardised: bool, **described: Any
) -> MultimodalData:
    """Samples of ``history`` steps of every sensor, with the speeds some minutes later as targets.

    Source: the windows and the chronological split of 70 % / 10 % / 20 % follow DCRNN, arXiv:1707.01926.

    Args:
        speeds: of the network.
        history: steps of 5 minutes that a model sees.
        horizons: minutes ahead, multiples of 5.
        target: ``all`` sensors, ``mean`` of the sensors, or one sensor's name.
        standardised: whether to standardise the inputs; targets stay in mph.
        **described: what `MultimodalData` wants to know besides.

    Returns:
        A regression with one modality a sensor, features [N, history]; ``raw`` has the same in mph.
    """
    history = check_int("history", history, 1, len(speeds.values) - 1)
    steps = [_steps(minutes) for minutes in horizons]
    if not steps or len(set(steps)) < len(steps):
        raise invalid("horizons cannot be used", "one or more, each once", f"horizons={tuple(horizons)}")
    n = len(speeds.values) - history - max(steps) + 1
    if n < 10:
        raise invalid("too few rows for a forecast", f"{history + max(steps) + 9} or more", f"{len(speeds.values)}")
    wanted, columns = _targets(speeds, target)
    labels = np.stack([wanted[history - 1 + step :][:n] for step in steps], axis=1)
    known = filled(speeds.values).astype(np.float32)
    known.setflags(write=False)
    windows = np.lib.stride_tricks.sliding_window_view(known[: n + history - 1], history, axis=0)
    series = tuple(windows[:, sensor] for sensor in range(len(speeds.sensors)))
    data = MultimodalData(
        features=series,
        raw=series,
        raw_unit="mph",
        sample_rate=1 / (60 * STEP),
        labels=labels.reshape(n, -1),
        task="regression",
        label_unit="mph",
        class_names=tuple(f"{column}, {minutes} min" for minutes in horizons for column in columns),
        split=chronological(n),
        modality_names=speeds.sensors,
        feature_names=(tuple(f"{-STEP * (history - 1 - i)} min" for i in range(history)),) * len(speeds.sensors),
        units=(("mph",) * history,) * len(speeds.sensors),
        sample_ids=speeds.start + np.arange(history - 1, history - 1 + n) * np.timedelta64(STEP, "m"),
        graph=speeds.graph,
        positions=speeds.positions,
        problems=speeds.problems,
        **described,
    )
    return standardise(data) if standardised else data


def _steps(minutes: int) -> int:
    minutes = check_int("each of horizons", minutes, STEP)
    if minutes % STEP:
        raise invalid("a horizon falls between two rows", f"a multiple of {STEP} minutes", f"{minutes}")
    return minutes // STEP


def _targets(speeds: Speeds, target: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Columns to forecast and their names."""
    if target == "all":
        return speeds.values, speeds.sensors
    if target == "mean":
        measured = np.isfinite(speeds.values)
        total = np.where(measured, speeds.values, 0.0).sum(axis=1)
        count = measured.sum(axis=1)
        return np.where(count, total / np.maximum(count, 1), np.nan)[:, None], ("mean",)
    if target in speeds.sensors:
        return speeds.values[:, [speeds.sensors.index(target)]], (target,)
    raise invalid("target is not known", "'all', 'mean' or a sensor's name", f"target={target!r}")


def filled(values: np.ndarray) -> np.ndarray:
    """Carries the last measured speed forward; before a sensor's first one, that first one stands.

    Args:
        values: [T, M], NaN where nothing was measured.

    Returns:
        [T, M] without NaN; 0 for a sensor that never measured.
    """
    measured = np.isfinite(values)
    rows = np.where(measured, np.arange(len(values))[:, None], 0)
    last = np.maximum.accumulate(rows, axis=0)
    columns = np.arange(values.shape[1])
    result = values[last, columns]
    first = values[measured.argmax(axis=0), columns]
    return np.where(np.isfinite(result), result, np.where(np.isfinite(first), first, 0.0))


def chronological(n: int) -> dict[str, np.ndarray]:
    """70 % / 10 % / 20 % in the order of time, rounded as DCRNN does."""
    n_test, n_train = round(0.2 * n), round(0.7 * n)
    rows = np.arange(n)
    return {"train": rows[:n_train], "validation": rows[n_train : n - n_test], "test": rows[n - n_test :]}

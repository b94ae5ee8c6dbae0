"""What one test part can say: scores of methods over resampled test samples.

Seeds tell how much a score depends on splits and starts. Where there is one official test part,
they say nothing about which samples happen to be in it; drawing that part's samples with
replacement does. Forecasts follow one another, so theirs are drawn in blocks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from qfl_explore.errors import check_int
from qfl_explore.experiments.multimodal_config import METHODS, QUANTUM
from qfl_explore.experiments.multimodal_tasks import Task
from qfl_explore.training import probabilities

#: Samples in a row that are drawn together from a forecast: six hours of 5-minute windows.
BLOCK = 72

Outputs = Mapping[tuple[int, str], np.ndarray]


def draws(n_samples: int, block: int, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Indices [n_draws, n_samples] with replacement; blocks of neighbours wrap around at the end.

    >>> draws(4, 2, 3, np.random.default_rng(0)).shape
    (3, 4)
    """
    block = min(block, n_samples)
    n_blocks = math.ceil(n_samples / block)
    starts = rng.integers(0, n_samples, (n_draws, n_blocks, 1))
    return ((starts + np.arange(block)) % n_samples).reshape(n_draws, -1)[:, :n_samples]


def resampled_scores(task: Task, outputs: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The task's primary score for every row of sample indices, [n_draws]; NaN where it is not defined.

    Args:
        task: of the data set.
        outputs: [n, columns] of a model.
        labels: [n] or [n, C].
        rows: [n_draws, n].
    """
    if task.kind == "regression":
        errors = np.abs(outputs * task.scale + task.centre - labels)
        known = np.isfinite(errors)
        total, count = np.where(known, errors, 0.0).sum(axis=1), known.sum(axis=1)
        return total[rows].sum(axis=1) / np.maximum(count[rows].sum(axis=1), 1)
    if task.kind == "multilabel":
        pairs = [(outputs[:, j], labels[:, j] > 0.5) for j in range(task.n_classes)]
    elif task.n_classes == 2:
        pairs = [(outputs[:, 0], labels == 1)]
    else:
        shares = probabilities(outputs)
        pairs = [(shares[:, j], labels == j) for j in range(task.n_classes)]
    areas = np.stack([_areas(values[rows], positive[rows]) for values, positive in pairs])
    known = np.isfinite(areas)
    return np.where(known, areas, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _areas(values: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """`training.area_under_roc` for every row."""
    from scipy.stats import rankdata

    n_positive = positive.sum(axis=1)
    n_pairs = n_positive * (positive.shape[1] - n_positive)
    ranks = np.where(positive, rankdata(values, axis=1), 0.0).sum(axis=1)
    return (ranks - n_positive * (n_positive + 1) / 2) / np.where(n_pairs > 0, n_pairs, np.nan)


def resample(
    task: Task, outputs: Outputs, labels: Mapping[int, np.ndarray], n_draws: int = 500, seed: int = 0
) -> list[dict[str, Any]]:
    """Percentile intervals of each method's mean score over the seeds, and of quantum minus it.

    All methods and seeds of one draw see the same samples, so that differences are paired.

    Args:
        task: of the data set.
        outputs: test outputs by seed and method.
        labels: of the test part, by seed.
        n_draws: 100 or more.
        seed: of the draws.

    Returns:
        One row a method: ``low``, ``high`` (95 %), ``difference_low``, ``difference_high``
        (NaN for the quantum layer itself), ``n_draws``, ``n_test``, ``seed``.
    """
    n_test = min((len(values) for values in labels.values()), default=0)
    found = redrawn_scores(task, outputs, labels, n_draws, seed)
    common = {"n_draws": n_draws, "n_test": n_test, "seed": seed}
    return [row | common for row in interval_rows(found)]


def redrawn_scores(
    task: Task, outputs: Outputs, labels: Mapping[int, np.ndarray], n_draws: int = 500, seed: int = 0
) -> dict[tuple[int, str], np.ndarray]:
    """The primary score [n_draws] of every seed and method; arguments as in `resample`.

    The draws depend on ``seed`` and the number of test samples only, so that runs on the same test
    part can be put together afterwards.
    """
    check_int("n_draws", n_draws, 100)
    block = BLOCK if task.kind == "regression" else 1
    n_test = min((len(values) for values in labels.values()), default=0)
    rows = draws(n_test, block, n_draws, np.random.default_rng(seed)) if n_test else np.empty((0, 0), int)
    return {(s, name): resampled_scores(task, values, labels[s], rows) for (s, name), values in outputs.items()}


def interval_rows(scores: Outputs) -> list[dict[str, Any]]:
    """What `resample` gives, from `redrawn_scores`, without ``n_draws``, ``n_test`` and ``seed``."""
    means = {}
    for method in METHODS:
        found = [values for (_, name), values in scores.items() if name == method]
        if found:
            means[method] = np.mean(found, axis=0)
    quantum = means.get(QUANTUM)
    return [{"method": method, **_ends(values, quantum, method)} for method, values in means.items()]


def confirmed(summary: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The summary with what resampling adds; on an official test part it may take a verdict back.

    There a win or loss over the seeds stands only if the interval over the samples excludes 0, too.
    """
    ends = {row["method"]: row for row in rows}
    paired = []
    for row in summary["paired"]:
        low, high = (ends[row["method"]][f"difference_{end}"] for end in ("low", "high"))
        row = row | {"sample_low": low, "sample_high": high}
        if summary["same_test_part"] and low <= 0 <= high:
            row["outcome"] = "undecided"
        paired.append(row)
    verdict = next((row["outcome"] for row in paired if row["method"] == summary["best_classical"]), "")
    return summary | {"paired": paired, "verdict": verdict, "resampled": rows}


def _ends(values: np.ndarray, quantum: np.ndarray | None, method: str) -> dict[str, float]:
    low, high = np.nanquantile(values, (0.025, 0.975))
    difference = (math.nan, math.nan)
    if quantum is not None and method != QUANTUM:
        difference = tuple(np.nanquantile(quantum - values, (0.025, 0.975)))
    return {
        "low": float(low),
        "high": float(high),
        "difference_low": float(difference[0]),
        "difference_high": float(difference[1]),
    }

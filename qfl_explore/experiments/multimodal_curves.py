"""What a multimodal study looks like from close up: learning curves, ROC, precision and recall, confusions, forecasts.

Everything is computed from the test outputs that `MultimodalResult` keeps. Bands are percentiles over test
samples drawn with replacement, the same rows for every method and seed.

Source: our construction.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.multimodal import MultimodalResult
from qfl_explore.experiments.multimodal_config import ESTIMATORS
from qfl_explore.experiments.multimodal_resample import draws
from qfl_explore.experiments.multimodal_summary import overlap_of
from qfl_explore.experiments.multimodal_tasks import Task
from qfl_explore.training import probabilities

#: kind -> what it draws.
CURVES: dict[str, str] = {"roc": "true against false positive rate", "pr": "precision against recall"}
#: Where curves are read off.
GRID = np.linspace(0.0, 1.0, 101)
PARTS = ("train", "validation")


@dataclasses.dataclass(frozen=True, eq=False)
class Band:
    """A ROC or precision-recall curve with its band.

    Attributes:
        method: whose it is.
        x: [101], false positive rate or recall.
        mean: [101], mean over the seeds.
        low: [101], 2.5 % point over the draws.
        high: [101], 97.5 % point.
        area: AUC or average precision, mean over the seeds.
        area_low: 2.5 % point over the draws.
        area_high: 97.5 % point.
        chance: the curve of a guess: NaN for ROC (its diagonal), the share of positives for precision.
        n_test: samples of the smallest test part.
        n_seeds: how many seeds.
        n_draws: how often samples were drawn.
    """

    method: str
    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: float
    area_low: float
    area_high: float
    chance: float
    n_test: int
    n_seeds: int
    n_draws: int


def learning_curves(result: MultimodalResult) -> pd.DataFrame:
    """Loss against the epoch in each network's chosen trial, mean over seeds with 95 % intervals.

    A trial that stopped early is held at the epoch whose weights were kept.

    Returns:
        method, part (``train`` or ``validation``), epoch, mean, low, high (NaN for one seed), n_seeds.
    """
    columns = ["method", "part", "epoch", "mean", "low", "high", "n_seeds"]
    if result.scores.empty:
        return pd.DataFrame(columns=columns)
    table, keys, overlap = result.table, ["seed", "method", "setting"], overlap_of(result.scores)
    losses = table[(table["metric"] == "loss") & table["split"].isin(PARTS) & ~table["method"].isin(ESTIMATORS)]
    wide = losses.merge(result.scores[keys], on=keys).pivot_table(
        index=["method", "seed", "epoch"], columns="split", values="value"
    )
    rows: list[tuple[Any, ...]] = []
    for method in [name for name in result.config.methods if name in wide.index.get_level_values(0)]:
        seeds = [group.droplevel("seed") for _, group in wide.loc[method].groupby(level="seed")]
        last = max(len(group) for group in seeds)
        for part in PARTS:
            held = np.stack([_held(group, part, last) for group in seeds])
            for epoch in range(last):
                at = t_interval(held[:, epoch], overlap=overlap).clipped(0.0, math.inf)
                rows.append((method, part, epoch, at.mean, at.low, at.high, len(seeds)))
    return pd.DataFrame(rows, columns=columns)


def _held(group: pd.DataFrame, part: str, length: int) -> np.ndarray:
    """A trial's curve, continued by the value at the epoch that was kept."""
    values = group[part].to_numpy(float)
    kept = int(np.argmin(group["validation"].to_numpy(float)))
    return np.concatenate([values, np.full(length - len(values), values[kept])])


def binary(task: Task, outputs: np.ndarray, labels: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray]:
    """How strongly each sample is said to be ``target``, and whether it is: one class against the rest, or one label.

    Raises:
        ValueError: the task is a forecast, or there is no such class.
    """
    if task.kind == "regression":
        raise invalid("a forecast has no classes", "a classification or labels", "a regression")
    check_int("target", target, 0, task.n_classes - 1)
    if task.kind == "multilabel":
        return outputs[:, target], labels[:, target] > 0.5
    if task.n_classes == 2:
        return (outputs[:, 0], labels == 1) if target else (-outputs[:, 0], labels == 0)
    return probabilities(outputs)[:, target], labels == target


def band(
    result: MultimodalResult, method: str, kind: str = "roc", target: int = 0, n_draws: int = 200, seed: int = 0
) -> Band:
    """The curve of one method for one class, averaged over the seeds.

    Args:
        result: of a classification or of labels.
        method: that was tested.
        kind: ``roc`` or ``pr``.
        target: index of the class or label.
        n_draws: 100 or more.
        seed: of the draws.

    Raises:
        ValueError: the method was not tested, or the task has no classes.
    """
    check_option("kind", kind, CURVES)
    check_int("n_draws", n_draws, 100)
    task, pairs = _tested(result, method)
    n_test = min(len(labels) for _, labels in pairs)
    rows = draws(n_test, 1, n_draws, np.random.default_rng(seed))
    counts = np.stack([np.bincount(row, minlength=n_test) for row in rows])
    samples = [[a[:n_test] for a in binary(task, outputs, labels, target)] for outputs, labels in pairs]
    found = [_curves(values, positive, counts, kind) for values, positive in samples]
    curves, areas = (np.mean([pair[i] for pair in found], axis=0) for i in (0, 1))
    shares = [float(binary(task, *pair, target)[1].mean()) for pair in pairs]
    low, high = _ends(curves[1:])
    area_low, area_high = _ends(areas[1:])
    chance = math.nan if kind == "roc" else float(np.mean(shares))
    ends = float(areas[0]), float(area_low), float(area_high)
    return Band(method, GRID, curves[0], low, high, *ends, chance, n_test, len(pairs), n_draws)


def _ends(values: np.ndarray) -> tuple[Any, Any]:
    """2.5 % and 97.5 % points over the draws that have both values; NaN where none has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanquantile(values, (0.025, 0.975), axis=0)
    return low, high


def _tested(result: MultimodalResult, method: str) -> tuple[Task, list[tuple[np.ndarray, np.ndarray]]]:
    """Test outputs and labels of each seed."""
    pairs = [(outputs, result.labels[s]) for (s, name), outputs in result.outputs.items() if name == method]
    if not pairs or result.task is None:
        tested = ", ".join(sorted({name for _, name in result.outputs})) or "none"
        raise invalid("the method has no test outputs", f"one of: {tested}", f"method={method!r}")
    return result.task, pairs


def _curves(values: np.ndarray, positive: np.ndarray, counts: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Curves on ``GRID`` and areas: of the samples as they are first, then of every draw. NaN without both values."""
    order = np.argsort(-values, kind="stable")
    weights = np.concatenate([np.ones((1, len(values))), counts])[:, order]
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)  # ties count together
    hits = np.cumsum(weights * positive[order], axis=1)[:, ends]
    misses = np.cumsum(weights * ~positive[order], axis=1)[:, ends]
    curves, areas = np.full((len(weights), len(GRID)), np.nan), np.full(len(weights), np.nan)
    for i in np.flatnonzero((hits[:, -1] > 0) & (misses[:, -1] > 0)):
        recall = np.concatenate([[0.0], hits[i] / hits[i, -1]])
        if kind == "roc":
            false = np.concatenate([[0.0], misses[i] / misses[i, -1]])
            curves[i], areas[i] = np.interp(GRID, false, recall), np.trapezoid(recall, false)
        else:
            precision = hits[i] / np.maximum(hits[i] + misses[i], 1e-12)
            at = np.minimum(np.searchsorted(recall[1:], GRID - 1e-12), len(precision) - 1)
            curves[i], areas[i] = precision[at], np.sum(np.diff(recall) * precision)
    return curves, areas


def confusion(result: MultimodalResult, method: str, names: Sequence[str], target: int | None = None) -> pd.DataFrame:
    """How often each class was taken for which, all seeds together.

    Args:
        result: of a classification or of labels.
        method: that was tested.
        names: of the classes or labels.
        target: the label that is meant; not needed for classes.

    Returns:
        truth, guess (names), count, share of the truth's row (NaN for an empty row).

    Raises:
        ValueError: the method was not tested, or the task has no classes.
    """
    task, pairs = _tested(result, method)
    if task.kind == "multilabel":
        which = check_int("target", 0 if target is None else target, 0, task.n_classes - 1)
        names = (f"not {names[which]}", names[which])
        truth = np.concatenate([labels[:, which] > 0.5 for _, labels in pairs]).astype(int)
        guess = np.concatenate([outputs[:, which] > 0 for outputs, _ in pairs]).astype(int)
    elif task.kind == "classification":
        truth = np.concatenate([labels for _, labels in pairs])
        guess = np.concatenate([o.argmax(axis=1) if o.shape[1] > 1 else (o[:, 0] > 0).astype(int) for o, _ in pairs])
    else:
        raise invalid("a forecast has no classes", "a classification or labels", "a regression")
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (truth, guess), 1)
    sums = counts.sum(axis=1)
    return pd.DataFrame(
        [
            (names[i], names[j], int(counts[i, j]), counts[i, j] / sums[i] if sums[i] else math.nan)
            for i in range(len(names))
            for j in range(len(names))
        ],
        columns=["truth", "guess", "count", "share"],
    )


def forecasts(result: MultimodalResult, target: int = 0, seed: int | None = None) -> pd.DataFrame:
    """What came and what each method had foretold for one target of a forecast, in the label's unit.

    Args:
        result: of a regression.
        target: index of the target.
        seed: one of the study's; ``None`` for the first that was tested.

    Returns:
        One row a test sample in the order of time: ``truth`` and one column a method.

    Raises:
        ValueError: the task is no forecast, or nothing was tested.
    """
    task = result.task
    if task is None or task.kind != "regression":
        raise invalid("only a forecast can be drawn against time", "a regression", task.kind if task else "no result")
    check_int("target", target, 0, task.n_classes - 1)
    seed = min(result.labels) if seed is None else seed
    if seed not in result.labels:
        raise invalid("the seed was not tested", f"one of {sorted(result.labels)}", f"seed={seed}")
    columns = {"truth": result.labels[seed][:, target]}
    for (s, method), outputs in result.outputs.items():
        if s == seed:
            columns[method] = outputs[:, target] * task.scale[target] + task.centre[target]
    return pd.DataFrame(columns)


def target_errors(result: MultimodalResult, method: str) -> np.ndarray:
    """[C], the mean absolute error of every target of a forecast over test samples and seeds, in the label's unit.

    Raises:
        ValueError: the method was not tested, or the task is no forecast.
    """
    task, pairs = _tested(result, method)
    if task.kind != "regression":
        raise invalid("only a forecast has errors by target", "a regression", f"a {task.kind}")
    errors = np.concatenate([np.abs(outputs * task.scale + task.centre - labels) for outputs, labels in pairs])
    known = np.isfinite(errors)
    return np.where(known, errors, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)

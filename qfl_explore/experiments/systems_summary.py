"""Macro F1 of the systems, with intervals, and who differs from whom, with adjusted p-values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.multimodal_config import QUANTUM
from qfl_explore.experiments.multimodal_summary import holm, overlap_of, paired_p
from qfl_explore.experiments.systems_config import CROSS, ENTANGLED, QUANTUM_SYSTEMS, SYSTEMS, WITH_CIRCUIT

#: A system, and the control that lacks its quantum part or its entanglement.
OWN_CONTROLS = ((CROSS, "cross_dense_tokens"), (CROSS, "cross_classical_only"), (ENTANGLED, "entanglement_none"))
N_DRAWS = 500


def summarise_systems(
    scores: pd.DataFrame,
    skipped: Mapping[str, str] | None = None,
    outputs: Mapping[tuple[int, str], np.ndarray] | None = None,
    labels: Mapping[int, np.ndarray] | None = None,
) -> dict[str, Any]:
    """What a comparison says so far.

    Intervals are Student's t over seeds, widened where splits of the same samples are drawn anew. Paired
    tests: each of the three systems minus the best classical method (chosen by its mean on the test part,
    which favours it), minus its own control, and the siblings minus the Quantum Fusion Layer; p-values
    adjusted by Holm's method over all of them. Where all seeds share one test part, a difference must also
    hold over its resampled samples.

    Args:
        scores: rows of `MultimodalResult.scores`.
        skipped: by method, why it did not take part.
        outputs: test outputs by seed and method.
        labels: of the test part, by seed.

    Returns:
        ``methods``: rows with macro F1, accuracy, AUC, interval ends, parameters, seconds; ``pairs``: rows
        with first, second, difference, interval, p-values and ``outcome`` (``higher``, ``lower``,
        ``undecided``); ``best_classical``; ``same_test_part``; ``skipped``.
    """
    reasons = [{"method": method, "reason": reason} for method, reason in (skipped or {}).items()]
    if scores.empty:
        return {"methods": [], "pairs": [], "best_classical": "", "same_test_part": False, "skipped": reasons}
    overlap = overlap_of(scores)
    found = set(scores["method"])
    methods = [_row(name, scores[scores["method"] == name], overlap) for name in SYSTEMS if name in found]
    classical = [row for row in methods if row["method"] not in WITH_CIRCUIT]
    best = max(classical, key=lambda row: row["f1"])["method"] if classical else ""
    same = bool(scores["test_part"].nunique() == 1 and scores["seed"].nunique() > 1)
    table = scores.pivot(index="seed", columns="method", values="f1")
    pairs = [row for pair in _pairs(best) if (row := _paired(table, *pair, overlap))]
    drawn = redrawn_f1(outputs, labels) if same and outputs and labels else {}
    for row, adjusted in zip(pairs, holm([row["p_value"] for row in pairs]), strict=True):
        sign = int(np.sign(row["difference"])) if adjusted < 0.05 else 0
        row |= {"p_adjusted": adjusted} | _over_samples(row, drawn)
        if drawn and row["sample_low"] <= 0 <= row["sample_high"]:
            sign = 0
        row["outcome"] = {1: "higher", -1: "lower", 0: "undecided"}[sign]
    return {
        "methods": methods,
        "pairs": pairs,
        "best_classical": best,
        "same_test_part": same,
        "skipped": reasons,
    }


def _pairs(best: str) -> list[tuple[str, str]]:
    """Each once; the best classical method may be a control."""
    wanted = [(name, best) for name in QUANTUM_SYSTEMS if best]
    wanted += [*OWN_CONTROLS, (CROSS, QUANTUM), (ENTANGLED, QUANTUM)]
    return list(dict.fromkeys(wanted))


def _row(method: str, rows: pd.DataFrame, overlap: float) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "title": SYSTEMS[method], "n_seeds": len(rows)}
    for name in ("f1", "accuracy", "auc"):
        values = rows[name].dropna()
        if len(values):
            interval = t_interval(values, overlap=overlap).clipped(0.0, 1.0)
            row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    row["n_parameters"] = round(float(rows["n_parameters"].mean()))
    return row | {name: float(rows[name].mean()) for name in ("seconds", "n_epochs")}


def _paired(table: pd.DataFrame, first: str, second: str, overlap: float) -> dict[str, Any] | None:
    """``first`` minus ``second`` in macro F1, seed by seed; ``None`` where there is no pair."""
    if first not in table or second not in table:
        return None
    differences = (table[first] - table[second]).dropna().to_numpy()
    if not len(differences):
        return None
    interval = t_interval(differences, overlap=overlap)
    return {
        "first": first,
        "second": second,
        "n_seeds": len(differences),
        "n_higher": int(np.sum(differences > 0)),
        "difference": interval.mean,
        "difference_low": interval.low,
        "difference_high": interval.high,
        "p_value": paired_p(differences, overlap),
    }


def _over_samples(row: dict[str, Any], drawn: Mapping[str, np.ndarray]) -> dict[str, float]:
    if row["first"] not in drawn or row["second"] not in drawn:
        return {"sample_low": math.nan, "sample_high": math.nan}
    low, high = np.quantile(drawn[row["first"]] - drawn[row["second"]], (0.025, 0.975))
    return {"sample_low": float(low), "sample_high": float(high)}


def redrawn_f1(
    outputs: Mapping[tuple[int, str], np.ndarray], labels: Mapping[int, np.ndarray], seed: int = 0
) -> dict[str, np.ndarray]:
    """Mean macro F1 over seeds on test parts whose samples are drawn anew, the same for all methods.

    Args:
        outputs: test outputs by seed and method.
        labels: of the test part, by seed, equally many.
        seed: of the draws.

    Returns:
        Method -> [N_DRAWS].
    """
    n_test = min(len(values) for values in labels.values())
    rows = np.random.default_rng(seed).integers(n_test, size=(N_DRAWS, n_test))
    found: dict[str, list[np.ndarray]] = {}
    for (number, method), values in outputs.items():
        guess = (values[:, 0] > 0).astype(int) if values.shape[1] == 1 else values.argmax(axis=1)
        found.setdefault(method, []).append(macro_f1(guess[rows], labels[number][rows]))
    return {method: np.mean(values, axis=0) for method, values in found.items()}


def macro_f1(guesses: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean over the classes of 2 hits / (guesses + labels), 0 where a class has neither; rows are draws.

    >>> macro_f1(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]])).round(4).tolist()
    [0.7333]
    """
    classes = range(int(max(guesses.max(), labels.max())) + 1)
    parts = []
    for label in classes:
        mine, true = guesses == label, labels == label
        size = mine.sum(axis=-1) + true.sum(axis=-1)
        parts.append(np.where(size > 0, 2 * (mine & true).sum(axis=-1) / np.maximum(size, 1), 0.0))
    return np.mean(parts, axis=0)

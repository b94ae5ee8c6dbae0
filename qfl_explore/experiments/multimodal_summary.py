"""Means, intervals and paired tests of a multimodal study."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.multimodal_config import METHODS, QUANTUM
from qfl_explore.experiments.multimodal_tasks import HORIZON, PRIMARY, SCORES


def summarise(scores: pd.DataFrame, skipped: dict[str, str] | None = None) -> dict[str, Any]:
    """What a study says so far.

    Intervals are Student's t over seeds, widened by n_test / n_train where splits of the same
    samples are drawn anew (Nadeau and Bengio 2003). Where all seeds share one official test part they tell about
    the starts of training only, which ``same_test_part`` says. P-values of the paired tests are
    adjusted by Holm's method over the classical methods.

    Args:
        scores: rows of `MultimodalResult.scores`.
        skipped: by method, why it did not take part.

    Returns:
        ``methods``: means, interval ends, parameters, seconds; ``paired``: quantum minus classical
        in the primary score, with interval, p-value, adjusted p-value and ``outcome`` (``wins``,
        ``loses`` or ``undecided`` at 5 % after adjustment); ``primary``; ``best_classical``, by its mean
        over the seeds that all methods have finished, empty where there is none; ``verdict`` against it;
        ``same_test_part``; ``skipped``; ``horizons``, errors of a forecast by how far ahead it looks.
    """
    reasons = [{"method": method, "reason": reason} for method, reason in (skipped or {}).items()]
    if scores.empty:
        empty: dict[str, Any] = {"methods": [], "paired": [], "horizons": []}
        return empty | {"primary": "", "best_classical": "", "verdict": "", "skipped": reasons}
    primary, more_is_better = PRIMARY[scores["task"].iloc[0]]
    overlap = overlap_of(scores)
    present = [method for method in METHODS if method in set(scores["method"])]
    methods = [_row(method, scores[scores["method"] == method], overlap) for method in present]
    sign = 1.0 if more_is_better else -1.0
    paired = [row for method in present if (row := _paired(scores, method, primary, sign, overlap))]
    for row, adjusted in zip(paired, holm([row["p_value"] for row in paired]), strict=True):
        better = int(np.sign(sign * row["difference"])) if adjusted < 0.05 else 0
        row |= {"p_adjusted": adjusted, "outcome": {1: "wins", -1: "loses", 0: "undecided"}[better]}
    best = _best_classical(scores, skipped or {}, primary, sign)
    return {
        "methods": methods,
        "paired": paired,
        "primary": primary,
        "best_classical": best,
        "verdict": next((row["outcome"] for row in paired if row["method"] == best), ""),
        "same_test_part": scores["test_part"].nunique() == 1 and scores["seed"].nunique() > 1,
        "skipped": reasons,
        "horizons": [row for method in present for row in _horizons(method, scores, overlap)],
    }


def _horizons(method: str, scores: pd.DataFrame, overlap: float) -> Iterator[dict[str, Any]]:
    rows = scores[scores["method"] == method]
    for name in (name for name in scores.columns if str(name).startswith(HORIZON)):
        interval = t_interval(rows[name], overlap=overlap).clipped(0.0, math.inf)
        ends = {"mae": interval.mean, "mae_low": interval.low, "mae_high": interval.high}
        yield {"method": method, "minutes": int(name.removeprefix(HORIZON)), **ends, "n_seeds": len(rows)}


def summarise_gradients(gradients: pd.DataFrame) -> list[dict[str, Any]]:
    """How large gradients were in training: medians over seeds of each network's chosen trial.

    Args:
        gradients: rows of `MultimodalResult.gradients`.

    Returns:
        One row a network: the norm at the ``first`` step, the ``median`` over all steps and its quartiles
        ``low`` and ``high``, the norm over the ``last`` tenth of the steps, the share of the squared norm that
        reaches the encoders, ``n_steps`` and ``n_seeds``.
    """
    found = []
    for method in (name for name in METHODS if name in set(gradients["method"])):
        runs = [run for _, run in gradients[gradients["method"] == method].groupby("seed")]
        rows = pd.DataFrame([_norms_of(run) for run in runs])
        found.append({"method": method, **rows.median().to_dict(), "n_seeds": len(runs)})
    return found


def _norms_of(run: pd.DataFrame) -> dict[str, float]:
    run = run.sort_values("step")
    norms, total = run["norm"], float(np.square(run["norm"]).sum())
    low, middle, high = np.quantile(norms, (0.25, 0.5, 0.75))
    return {
        "first": float(norms.iloc[0]),
        "median": float(middle),
        "low": float(low),
        "high": float(high),
        "last": float(norms.iloc[-max(1, len(norms) // 10) :].median()),
        "encoder_share": float(np.square(run["encoder_norm"]).sum()) / total if total else math.nan,
        "n_steps": float(len(norms)),
    }


def overlap_of(scores: pd.DataFrame) -> float:
    """n_test / n_train where splits of the same samples are drawn anew, else 0.

    Synthetic samples are drawn anew themselves, so that their repetitions are independent.
    """
    drawn = scores["test_part"].nunique() > 1 and not scores["synthetic"].to_numpy().any()
    return float(scores["n_test"].iloc[0] / scores["n_train"].iloc[0]) if drawn else 0.0


def holm(p_values: list[float]) -> list[float]:
    """Holm's adjustment; NaN stays NaN and does not count.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = [math.nan] * len(p_values), 0.0
    order = [i for i in np.argsort(p_values) if not math.isnan(p_values[i])]
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def paired_p(differences: np.ndarray, overlap: float) -> float:
    """Two-sided p-value of Student's t with the corrected variance; NaN for fewer than two differences."""
    if len(differences) < 2:
        return math.nan
    from scipy.stats import t

    spread = float(np.std(differences, ddof=1)) * math.sqrt(1 / len(differences) + overlap)
    mean = abs(float(np.mean(differences)))
    if spread == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * t.sf(mean / spread, len(differences) - 1))


def _row(method: str, rows: pd.DataFrame, overlap: float) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "title": METHODS[method], "n_seeds": len(rows)}
    for name in SCORES:
        values = rows[name].dropna()
        if len(values):
            interval = t_interval(values, overlap=overlap)
            interval = interval.clipped(0.0, math.inf if name == "mae" else 1.0)
            row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    row["n_parameters"] = round(float(rows["n_parameters"].mean()))
    return row | {name: float(rows[name].mean()) for name in ("seconds", "n_epochs")}


def _best_classical(scores: pd.DataFrame, skipped: dict[str, str], primary: str, sign: float) -> str:
    """The best mean over the seeds that all candidates and the quantum layer have finished; empty without such a seed.

    While a study runs some methods are a seed ahead, and a mean over fewer seeds may be better only because
    these are easier.
    """
    table = scores.pivot(index="seed", columns="method", values=primary).dropna(axis="columns", how="all")
    classical = [method for method in METHODS if method in table and method != QUANTUM]
    # one that was skipped on some seeds never finishes them, and the others need not wait for it
    candidates = [method for method in classical if method not in skipped] or classical
    shared = table[[method for method in table if method in (*candidates, QUANTUM)]].dropna()
    if shared.empty:
        return ""
    return max(candidates, key=lambda method: sign * float(np.mean(shared[method].to_numpy())), default="")


def _paired(scores: pd.DataFrame, method: str, primary: str, sign: float, overlap: float) -> dict[str, Any] | None:
    """Quantum minus ``method`` in the primary score, seed by seed; ``None`` where there is no pair."""
    table = scores.pivot(index="seed", columns="method", values=primary)
    if method == QUANTUM or QUANTUM not in table:
        return None
    differences = (table[QUANTUM] - table[method]).dropna().to_numpy()
    if not len(differences):
        return None
    interval = t_interval(differences, overlap=overlap)
    return {
        "method": method,
        "metric": primary,
        "n_seeds": len(differences),
        "n_better": int(np.sum(sign * differences > 0)),
        "difference": interval.mean,
        "difference_low": interval.low,
        "difference_high": interval.high,
        "p_value": paired_p(differences, overlap),
    }

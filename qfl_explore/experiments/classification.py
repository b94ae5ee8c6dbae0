"""A Quantum Fusion Layer on real data, against classical models tuned with the same effort.

Every model has the same number of trials, is chosen on the validation part and meets the test
part once a seed. `stream` yields one item an epoch for live pages, `run` drains it.

Source: the chain encoders → layer → head, the focal loss and early stopping follow
arXiv:2510.06938; the data set, the encoders, the controls of equal size and the intervals are
our construction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from qfl_explore.datasets import load
from qfl_explore.experiments.intervals import Interval, t_interval
from qfl_explore.experiments.study import MODELS, QUANTUM, ClassificationConfig
from qfl_explore.experiments.trials import Progress, Trials

__all__ = [
    "MODELS",
    "QUANTUM",
    "ClassificationConfig",
    "ClassificationResult",
    "Progress",
    "run",
    "stream",
    "summarise",
]

SCORES = ("accuracy", "auc", "f1")
COLUMNS = ("seed", "model", "trial", "setting", "epoch", "split", "metric", "value")


@dataclasses.dataclass(frozen=True)
class ClassificationResult:
    """What a study found, whole or so far.

    Attributes:
        config: its settings.
        table: tidy history, ``COLUMNS``. Logistic regression has one row set a trial, epoch 0.
        scores: one row for each seed and model that is finished: test scores, chosen setting,
            number of parameters, seconds of training over all trials, epochs over all trials.
    """

    config: ClassificationConfig
    table: pd.DataFrame
    scores: pd.DataFrame

    @classmethod
    def collect(cls, config: ClassificationConfig, items: Iterable[Progress]) -> ClassificationResult:
        """Puts a stream's items together; they need not be complete."""
        items = list(items)
        table = pd.DataFrame([row for item in items for row in item.rows()], columns=list(COLUMNS))
        return cls(config, table, pd.DataFrame([item.score for item in items if item.score]))

    def summary(self) -> dict[str, Any]:
        """Means with 95 % intervals, and the quantum layer against each classical model.

        Returns:
            ``models``: for each model its means, interval ends, parameters and seconds;
            ``paired``: quantum minus classical by seed, with intervals; ``best_classical``:
            the one with the highest mean test accuracy (then AUC); ``verdict``: ``wins``,
            ``loses`` or ``undecided`` in accuracy against it, ``""`` if it cannot be said yet.
        """
        return summarise(self.scores)

    def curves(self) -> pd.DataFrame:
        """The lowest validation loss so far, over the seeds, for each network's chosen trial.

        Early stopping keeps that loss's weights, so a stopped trial's curve goes on flat.
        Logistic regression, which has no epochs, is flat throughout.

        Returns:
            Columns: model, epoch, mean, low, high (95 % interval, at least 0; NaN where there
            is one seed).
        """
        rows = []
        for model in MODELS:
            curves = [self._chosen_curve(row) for row in self.scores.to_dict("records") if row["model"] == model]
            for epoch in range(max(map(len, curves), default=0)):
                values = [curve[min(epoch, len(curve) - 1)] for curve in curves]
                interval = t_interval(values, overlap=_overlap(self.scores)).clipped(0.0, float("inf"))
                rows.append((model, epoch, interval.mean, interval.low, interval.high))
        return pd.DataFrame(rows, columns=["model", "epoch", "mean", "low", "high"])

    def _chosen_curve(self, row: dict[str, Any]) -> list[float]:
        table = self.table
        same = [table[name] == row[name] for name in ("seed", "model", "setting")]
        chosen = same[0] & same[1] & same[2]
        losses = table[chosen & (table["split"] == "validation") & (table["metric"] == "loss")]
        curve = losses.sort_values("epoch")["value"].cummin().tolist()
        return curve * (self.config.epochs + 1) if len(curve) == 1 else curve


def stream(config: ClassificationConfig) -> Iterator[Progress]:
    """Runs a study, one epoch at a time: seeds outside, models inside.

    The first results (logistic regression) come before TensorFlow is imported.
    """
    trials = Trials(config, len(config.seeds) * len(MODELS) * config.n_trials)
    for seed in config.seeds:
        data = load(config.dataset, seed)
        for model in MODELS:
            yield from trials.stream(model, data)


def run(config: ClassificationConfig | None = None) -> ClassificationResult:
    """Runs a whole study.

    Returns:
        The result, with a tidy history, test scores and a summary.
    """
    config = config or ClassificationConfig()
    return ClassificationResult.collect(config, stream(config))


def summarise(scores: pd.DataFrame) -> dict[str, Any]:
    """What `ClassificationResult.summary` gives, from any finished rows of ``scores``."""
    if scores.empty:
        return {"models": [], "paired": [], "best_classical": "", "verdict": ""}
    overlap = _overlap(scores)
    present = [model for model in MODELS if model in set(scores["model"])]
    models = [_model_row(model, scores[scores["model"] == model], overlap) for model in present]
    classical = [row for row in models if row["model"] != QUANTUM]
    best = max(classical, key=lambda row: (row["accuracy"], row["auc"]))["model"] if classical else ""
    paired = [row for model in present if model != QUANTUM for row in _paired_rows(scores, model, overlap)]
    return {"models": models, "paired": paired, "best_classical": best, "verdict": _verdict(paired, best)}


def _model_row(model: str, rows: pd.DataFrame, overlap: float) -> dict[str, Any]:
    row: dict[str, Any] = {"model": model, "title": MODELS[model], "n_seeds": len(rows)}
    for metric in SCORES:
        row |= _ends(metric, t_interval(rows[metric], overlap=overlap).clipped())
    row["n_parameters"] = int(rows["n_parameters"].iloc[0])
    row["seconds"] = float(rows["seconds"].mean())
    row["n_epochs"] = float(rows["n_epochs"].mean())
    return row


def _paired_rows(scores: pd.DataFrame, model: str, overlap: float) -> Iterator[dict[str, Any]]:
    """Quantum minus ``model``, seed by seed: one row a metric."""
    for metric in SCORES:
        table = scores.pivot(index="seed", columns="model", values=metric)
        if QUANTUM not in table:
            return
        differences = (table[QUANTUM] - table[model]).dropna()
        if differences.empty:
            return
        interval = t_interval(differences, overlap=overlap)
        yield {"model": model, "metric": metric, "n_seeds": len(differences), **_ends("difference", interval)} | {
            "outcome": {1: "wins", -1: "loses", 0: "undecided"}[interval.side()]
        }


def _overlap(scores: pd.DataFrame) -> float:
    return float(scores["n_test"].iloc[0] / scores["n_train"].iloc[0])


def _ends(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _verdict(paired: list[dict[str, Any]], best: str) -> str:
    found = [row["outcome"] for row in paired if row["model"] == best and row["metric"] == "accuracy"]
    return found[0] if found else ""

"""Encoding sensitivity: what scaling, shifts, clipping, outliers and whole turns do to R² and AUC.

Two questions that are often mixed up are kept apart. ``test``: a model trained on clean features
meets spoiled ones (a shift of distribution). ``both``: training sees the spoiled features too (a
choice of scaling, or dirty data). Every model sees the same angles and has the same number of
trials; bounds for the layer and for any model stand beside the scores.

Source: that the encoding may saturate is arXiv:2510.06938's open question, as we read it; all
distortions, bounds and controls are our construction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.experiments.encoding_config import DISTORTIONS, MODELS, TASKS, WHEN, EncodingConfig
from qfl_explore.experiments.encoding_models import Fitted, can_take_part, fit
from qfl_explore.experiments.encoding_task import (
    LOWEST,
    Bounds,
    Task,
    angles_of,
    bounds,
    is_neutral,
    make_task,
    saturated,
)
from qfl_explore.experiments.intervals import Interval, t_interval
from qfl_explore.theory.wrap_around import natural_range

__all__ = [
    "DISTORTIONS",
    "MODELS",
    "TASKS",
    "WHEN",
    "EncodingConfig",
    "EncodingResult",
    "Progress",
    "run",
    "stream",
]

COLUMNS = (
    "seed",
    "degree",
    "scaler",
    "distortion",
    "when",
    "strength",
    "model",
    "metric",
    "score",
    "clean_score",
    "ceiling",
    "ceiling_anything",
    "ceiling_method",
    "share_outside",
    "share_saturated",
    "setting",
    "n_parameters",
    "n_train",
    "n_test",
)
#: What tells the lines of one picture apart.
KEYS = ("degree", "scaler", "when", "strength", "model")
QUANTUM = "quantum"


@dataclasses.dataclass(frozen=True)
class Progress:
    """One item of a stream.

    Attributes:
        stage: ``training`` or ``tested``.
        seed: of the repetition.
        model: one of ``MODELS``.
        degree: P.
        scaler: one of ``SCALERS``.
        strength: that training sees; NaN for clean features.
        trial: from 0.
        step: of Adam.
        rows: finished rows of the table.
        n_done: fits done.
        n_total: of all.
    """

    stage: str
    seed: int
    model: str
    degree: int
    scaler: str
    strength: float = float("nan")
    trial: int = 0
    step: int = 0
    rows: tuple[dict[str, Any], ...] = ()
    n_done: int = 0
    n_total: int = 0


@dataclasses.dataclass(frozen=True)
class EncodingResult:
    """What was found, whole or so far.

    Attributes:
        config: the settings.
        table: tidy, ``COLUMNS``: one row for each seed, degree, scaler, ``when``, strength and model.
    """

    config: EncodingConfig
    table: pd.DataFrame

    @classmethod
    def collect(cls, config: EncodingConfig, items: Iterable[Progress]) -> EncodingResult:
        """Puts a stream's items together; they need not be complete."""
        return cls(config, pd.DataFrame([row for item in items for row in item.rows], columns=list(COLUMNS)))

    def complete(self) -> EncodingResult:
        """Only seeds that are finished; all rows where none is. Means of different seeds must not be compared."""
        counts = self.table.groupby("seed").size()
        done = counts.index[counts == rows_per_seed(self.config)]
        return dataclasses.replace(self, table=self.table[self.table["seed"].isin(done)]) if len(done) else self

    def summary(self) -> dict[str, Any]:
        """Means over seeds with 95 % intervals, losses against clean features, and differences between models.

        R² below ``LOWEST`` counts as ``LOWEST``.

        Returns:
            ``rows``: degree, scaler, when, strength, model, label (in one word), mean, low, high, n_seeds, ceiling,
            ceiling_anything, share_outside. ``drops``: the same keys, score less the score on clean
            features. ``overall``: degree, scaler, when, model: mean over the strengths, seed by seed.
            ``paired``: layer less each classical model, seed by seed, at 95 % for all
            models together (Bonferroni), with its ``outcome``. ``best_classical``: for each
            ``when`` the model with the highest mean over all other cells.
        """
        if self.table.empty:
            return {"rows": [], "drops": [], "overall": [], "paired": [], "best_classical": {}}
        table = self.table.assign(
            score=self.table["score"].clip(lower=LOWEST), clean_score=self.table["clean_score"].clip(lower=LOWEST)
        )
        overlap = self.overlap
        groups = [(_named(KEYS, key), group) for key, group in table.groupby(list(KEYS), sort=False, dropna=False)]
        rows = [key | {"label": self._label(key)} | _row(group, overlap) for key, group in groups]
        drops = [
            key | _ends(t_interval(group["score"] - group["clean_score"], overlap=overlap)) for key, group in groups
        ]
        classical = table[table["model"] != QUANTUM].groupby("when", sort=False)
        best = {str(when): str(rows.groupby("model")["score"].mean().idxmax()) for when, rows in classical}
        compared = {"overall": _overall(table, overlap), "paired": _paired(table, overlap)}
        return {"rows": rows, "drops": drops, **compared, "best_classical": best}

    def _label(self, key: dict[str, Any]) -> str:
        """Names a row for sweeps; degree and scaler are left out where there is one only."""
        several = {"degree": len(self.config.degrees) > 1, "scaler": len(self.config.scalers) > 1}
        words = [str(key[name]) for name, is_several in several.items() if is_several]
        return ".".join([*words, key["when"], f"{key['strength']:g}", key["model"]])

    @property
    def overlap(self) -> float:
        """Of repeated splits, for `t_interval`: new functions are independent, splits of one data set are not."""
        if self.config.task == "function" or self.table.empty:
            return 0.0
        return float(self.table["n_test"].iloc[0] / self.table["n_train"].iloc[0])


def rows_per_seed(config: EncodingConfig) -> int:
    """Rows that a finished seed has."""
    cells = len(config.scalers) * len(config.when) * len(config.tried)
    return cells * sum(can_take_part(config, model, degree) for degree in config.degrees for model in config.models)


def stream(config: EncodingConfig) -> Iterator[Progress]:
    """Runs the experiment: seeds outside, then degrees and scalers; yields every few training steps."""
    runner = _Runner(config)
    for seed in config.seeds:
        task = make_task(config, seed)
        for degree in config.degrees:
            for scaler in config.scalers:
                yield from runner.cell(task, seed, degree, scaler)


def run(config: EncodingConfig | None = None) -> EncodingResult:
    """Runs the experiment to its end; the same settings give the same numbers on one machine."""
    config = config or EncodingConfig()
    return EncodingResult.collect(config, stream(config))


class _Runner:
    """Fits and asks the models of one experiment."""

    def __init__(self, config: EncodingConfig) -> None:
        self.config = config
        self.n_done = 0
        spoiled = sum(not is_neutral(config, s) for s in config.tried) if "both" in config.when else 0
        n_models = sum(can_take_part(config, model, p) for p in config.degrees for model in config.models)
        self.n_total = len(config.seeds) * len(config.scalers) * n_models * (1 + spoiled)

    def cell(self, task: Task, seed: int, degree: int, scaler: str) -> Iterator[Progress]:
        """One degree and scaler on one seed: clean training first, then training on spoiled features."""
        config, clean = self.config, {}
        for model in config.models:
            if can_take_part(config, model, degree):
                angles, _ = angles_of(config, task, scaler, config.neutral, "both", seed)
                fitted = yield from self._fit(task, seed, degree, scaler, model, angles)
                clean[model] = fitted, task.score(fitted.ask(angles["test"]))
        for when in config.when:
            for strength in config.tried:
                yield from self._strength(task, seed, degree, scaler, when, strength, clean)

    def _strength(
        self, task: Task, seed: int, degree: int, scaler: str, when: str, strength: float, clean: dict[str, Any]
    ) -> Iterator[Progress]:
        config = self.config
        angles, fitted_scaler = angles_of(config, task, scaler, strength, when, seed)
        low, high = natural_range(config.fusion(degree))
        common = {
            "seed": seed,
            "degree": degree,
            "scaler": scaler,
            "distortion": config.distortion,
            "when": when,
            "strength": strength,
            "metric": config.metric,
            "share_outside": float(np.mean((angles["test"] < low) | (angles["test"] > high))),
            "share_saturated": float(np.mean(saturated(config, task, fitted_scaler, strength, seed))),
            "n_train": len(task.y["train"]),
            "n_test": len(task.y["test"]),
            **_bound_columns(bounds(config, task, degree, scaler, strength, when)),
        }
        for model, (trained, clean_score) in clean.items():
            fitted = trained
            if when == "both" and not is_neutral(config, strength):
                fitted = yield from self._fit(task, seed, degree, scaler, model, angles, strength)
            score = task.score(fitted.ask(angles["test"]))
            own = {"model": model, "score": score, "clean_score": clean_score}
            own |= {"setting": fitted.setting, "n_parameters": fitted.n_parameters}
            yield self._item("tested", seed, model, degree, scaler, strength, rows=(common | own,))

    def _fit(
        self,
        task: Task,
        seed: int,
        degree: int,
        scaler: str,
        model: str,
        angles: dict[str, np.ndarray],
        strength: float = float("nan"),
    ) -> Iterator[Progress]:
        """Yields progress; returns the `Fitted` model."""
        for found in fit(self.config, task, model, degree, angles, seed):
            if isinstance(found, Fitted):
                self.n_done += 1
                return found
            trial, step = found
            yield self._item("training", seed, model, degree, scaler, strength, trial=trial, step=step)

    def _item(
        self, stage: str, seed: int, model: str, degree: int, scaler: str, strength: float, **more: Any
    ) -> Progress:
        counts = {"n_done": self.n_done, "n_total": self.n_total}
        return Progress(stage, seed, model, degree, scaler, strength, **more, **counts)


def _bound_columns(found: Bounds) -> dict[str, Any]:
    return {"ceiling": found.layer, "ceiling_anything": found.anything, "ceiling_method": found.method}


def _row(group: pd.DataFrame, overlap: float) -> dict[str, Any]:
    interval = t_interval(group["score"], overlap=overlap).clipped(LOWEST, 1.0)
    names = ("ceiling", "ceiling_anything", "share_outside", "share_saturated")
    means = {name: float(np.maximum(group[name].to_numpy(float), LOWEST).mean()) for name in names}
    return _ends(interval) | means | {"n_parameters": int(group["n_parameters"].iloc[0])}


def _overall(table: pd.DataFrame, overlap: float) -> list[dict[str, Any]]:
    keys = [name for name in KEYS if name != "strength"]
    means = table.groupby([*keys, "seed"], sort=False)["score"].mean().reset_index()
    groups = means.groupby(keys, sort=False)["score"]
    return [_named(keys, key) | _ends(t_interval(group, overlap=overlap)) for key, group in groups]


def _paired(table: pd.DataFrame, overlap: float) -> list[dict[str, Any]]:
    rivals = [model for model in MODELS if model != QUANTUM and model in set(table["model"])]
    found = []
    for key, group in table.groupby(list(KEYS[:-1]), sort=False):
        wide = group.pivot(index="seed", columns="model", values="score")
        for rival in rivals if QUANTUM in wide else ():
            differences = (wide[QUANTUM] - wide[rival]).dropna() if rival in wide else ()
            if len(differences):
                interval = t_interval(differences, 1.0 - 0.05 / len(rivals), overlap)
                outcome = {1: "better", -1: "worse", 0: "undecided"}[interval.side()]
                own = {"model": rival, **_ends(interval), "outcome": outcome}
                found.append(_named(KEYS[:-1], key) | own)
    return found


def _named(names: Sequence[str], key: Any) -> dict[str, Any]:
    return dict(zip(names, key, strict=True))


def _ends(interval: Interval) -> dict[str, Any]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high, "n_seeds": interval.n_values}

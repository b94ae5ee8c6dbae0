"""From kept runs to what a table says: means over seeds, intervals, paired tests."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.experiments.multimodal_config import METHODS
from qfl_explore.experiments.multimodal_resample import confirmed, interval_rows
from qfl_explore.experiments.multimodal_summary import summarise
from qfl_explore.results import Record, ResultStore, run_key
from qfl_explore.study.cells import EXPERIMENT
from qfl_explore.study.plan import Part


@dataclasses.dataclass(frozen=True)
class Point:
    """All seeds of one setting.

    Attributes:
        values: what is varied.
        scores: one row a seed and method.
        about: of the data; empty where nothing is known.
        summary: of `MultimodalResult.summary`, over all seeds.
        n_wanted: seeds that the plan asks for.
        seconds: that the runs took where they ran.
        errors: messages of runs that failed.
    """

    values: dict[str, Any]
    scores: pd.DataFrame
    about: dict[str, Any]
    summary: dict[str, Any]
    n_wanted: int
    seconds: float
    errors: tuple[str, ...] = ()

    @property
    def n_seeds(self) -> int:
        """Seeds that are there."""
        return int(self.scores["seed"].nunique()) if len(self.scores) else 0

    def method(self, name: str) -> dict[str, Any]:
        """The row of one method; empty where it did not take part."""
        return next((row for row in self.summary["methods"] if row["method"] == name), {})

    def pair(self, name: str) -> dict[str, Any]:
        """The paired row of one method; empty where there is none."""
        return next((row for row in self.summary["paired"] if row["method"] == name), {})

    def resampled(self, name: str) -> dict[str, Any]:
        """Ends over resampled test samples; empty where there are none."""
        return next((row for row in self.summary.get("resampled", ()) if row["method"] == name), {})

    @property
    def methods(self) -> list[str]:
        """That took part, in their usual order."""
        return [row["method"] for row in self.summary["methods"]]


def gathered(part: Part, store: ResultStore) -> list[Point]:
    """What the store has of a part, one item a point of its axes."""
    return [_point(part, values, store) for values in part.points()]


def _point(part: Part, values: Mapping[str, Any], store: ResultStore) -> Point:
    keys = [run_key(EXPERIMENT.name, part.config(values, seed).run_id) for seed in range(part.n_seeds)]
    records = list(store.get_all(keys).values())
    done = [record for record in records if record.ok]
    scores = pd.DataFrame([row for record in done for row in record.rows])
    about = done[0].summary if done else {}
    skipped = {row["method"]: row["reason"] for row in about.get("skipped", ())}
    seconds = math.fsum(record.seconds for record in done)
    errors = tuple(dict.fromkeys(record.error for record in records if not record.ok))
    return Point(dict(values), scores, about, combined(scores, skipped), part.n_seeds, seconds, errors)


def combined(scores: pd.DataFrame, skipped: dict[str, str]) -> dict[str, Any]:
    """The summary of all seeds together, confirmed by the resampled test samples."""
    summary = summarise(scores.drop(columns=["draws", "gradients"], errors="ignore"), skipped)
    if scores.empty:
        return summary
    draws = {(row.seed, row.method): np.asarray(row.draws, float) for row in scores.itertuples()}
    gradients = [row for method in METHODS if (row := _gradients(scores, method))]
    return confirmed(summary, interval_rows(draws)) | {"gradients": gradients}


def _gradients(scores: pd.DataFrame, method: str) -> dict[str, Any]:
    """Medians over seeds."""
    found = [row for row in scores[scores["method"] == method]["gradients"] if row]
    if not found:
        return {}
    table = pd.DataFrame(found).drop(columns=["method", "n_seeds"])
    return {"method": method, **table.median().to_dict(), "n_seeds": len(found)}


def versions(records: Iterable[Record]) -> dict[str, list[str]]:
    """Package → its versions among the runs."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in record.provenance.get("versions", {}).items():
            found.setdefault(name, set()).add(version)
    return {name: sorted(values) for name, values in found.items()}


def records_of(part: Part, store: ResultStore) -> list[Record]:
    """All runs of a part that the store knows."""
    keys = [run_key(EXPERIMENT.name, config.run_id) for config in part.configs(range(part.n_seeds))]
    return list(store.get_all(keys).values())

"""One run of the study: all methods on one data set, one setting and (as a rule) one seed."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import math
from typing import Any

import pandas as pd

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.datasets import MultimodalData
from qfl_explore.experiments import multimodal
from qfl_explore.experiments.multimodal import MultimodalConfig, MultimodalResult
from qfl_explore.experiments.multimodal_methods import load_data
from qfl_explore.experiments.multimodal_resample import redrawn_scores
from qfl_explore.experiments.multimodal_summary import summarise_gradients
from qfl_explore.sweeps import Experiment

#: How often the samples of a test part are drawn anew.
N_DRAWS = 500
#: Significant digits of a kept score of a draw.
DIGITS = 5


@dataclasses.dataclass(frozen=True)
class Cell:
    """What is kept of a run.

    Attributes:
        config: its settings.
        table: one row a seed and method: the columns of `MultimodalResult.scores`, ``draws`` (the primary score
            for each draw of the test samples) and ``gradients`` (see `summarise_gradients`; empty for estimators).
        about: of the data as they were used, and the methods that did not take part.
    """

    config: MultimodalConfig
    table: pd.DataFrame
    about: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """``about``."""
        return self.about


def run(config: MultimodalConfig) -> Cell:
    """Runs all methods of a config."""
    result = multimodal.run(config)
    return Cell(config, _rows(result), about(config, load_data(config, config.seeds[0]), result.skipped))


#: Not in the registry: the command alone runs it, through the sweeps.
EXPERIMENT = Experiment(
    "multimodal_cell",
    "qfl_explore.experiments.multimodal_config:MultimodalConfig",
    "qfl_explore.study.cells:run",
    "all methods on one data set and seed, with what a report needs",
)


def _rows(result: MultimodalResult) -> pd.DataFrame:
    if result.task is None:
        return result.scores
    draws = redrawn_scores(result.task, result.outputs, result.labels, N_DRAWS)
    rows = []
    for row in result.scores.to_dict("records"):
        seed, method = row["seed"], row["method"]
        mine = result.gradients[(result.gradients["seed"] == seed) & (result.gradients["method"] == method)]
        norms = summarise_gradients(mine)
        kept = [_rounded(value) for value in draws[seed, method]]
        rows.append({**row, "draws": kept, "gradients": norms[0] if norms else {}})
    return pd.DataFrame(rows)


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else math.nan


def about(config: MultimodalConfig, data: MultimodalData, skipped: dict[str, str]) -> dict[str, Any]:
    """The data as they were used, in plain values."""
    fusion = config.fusion(data.n_modalities)
    return {
        "title": data.title,
        "task": data.task,
        "synthetic": data.synthetic,
        "source": data.source,
        "licence": data.licence,
        "notes": list(data.notes),
        "n_problems": len(data.problems),
        "n_classes": data.n_classes,
        "n_modalities": data.n_modalities,
        "n_measures": list(data.n_measures),
        "parts": {part: len(rows) for part, rows in data.split.items()},
        "n_qubits": fusion.n_qubits,
        "n_observables": FusionCircuit(fusion).n_observables,
        "skipped": [{"method": method, "reason": reason} for method, reason in skipped.items()],
        "versions": {name: importlib.metadata.version(name) for name in ("tensorflow", "tf-keras")},
    }

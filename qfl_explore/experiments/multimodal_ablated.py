"""One setting of the multimodal study varied while all else stays, as a stream for live pages.

A sweep does the same over processes and keeps its rows; this stream is for somebody who watches.

Source: our construction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pandas as pd

from qfl_explore.experiments.multimodal import MultimodalConfig, MultimodalResult, Step, stream
from qfl_explore.experiments.multimodal_ablations import axes
from qfl_explore.experiments.multimodal_summary import summarise

COLUMNS = ("setting", "value", "method", "score", "low", "high", "n_seeds", "n_parameters")


@dataclasses.dataclass(frozen=True, eq=False)
class AblationStep:
    """One step of an ablation.

    Attributes:
        setting: that is varied.
        value: that is studied now.
        step: of its study, or ``None`` where the value is not possible.
        table: ``COLUMNS`` of all values so far, where a method was finished or a value left out; else ``None``.
        metric: that the scores are of; empty before the first.
        left_out: by value, why it is not possible.
        fraction: of the whole ablation that is done.
    """

    setting: str
    value: Any
    step: Step | None
    table: pd.DataFrame | None
    metric: str
    left_out: dict[Any, str]
    fraction: float


def stream_ablation(config: MultimodalConfig, ablation: str) -> Iterator[AblationStep]:
    """Studies every value of one setting in turn; a value that is not possible is left out with its reason.

    Args:
        config: all other settings.
        ablation: one of ``ABLATIONS``.

    Raises:
        ValueError: the ablation is unknown.
    """
    ((setting, values),) = axes(ablation, config.dataset).items()
    rows: list[tuple[Any, ...]] = []
    left_out: dict[Any, str] = {}
    metric = ""
    for number, value in enumerate(values):
        steps: list[Step] = []
        fresh: list[tuple[Any, ...]] = []
        try:
            for step in stream(config.replace(**{setting: value})):
                steps.append(step)
                done = (number + step.n_done / max(step.n_total, 1)) / len(values)
                table = None
                if step.stage == "tested":
                    metric, fresh = _rows(setting, value, MultimodalResult.collect(config, _scored(steps)))
                    table = _table(rows + fresh)
                yield AblationStep(setting, value, step, table, metric, dict(left_out), done)
        except ValueError as error:
            left_out[value] = str(error)
            yield AblationStep(setting, value, None, _table(rows), metric, dict(left_out), (number + 1) / len(values))
        rows += fresh


def ablation_table(config: MultimodalConfig, ablation: str) -> pd.DataFrame:
    """The whole table of `stream_ablation`, ``COLUMNS``."""
    table = _table([])
    for step in stream_ablation(config, ablation):
        table = step.table if step.table is not None else table
    return table


def _scored(steps: list[Step]) -> list[Step]:
    """Only what scores need."""
    return [step for step in steps if step.stage in ("tested", "skipped")]


def _rows(setting: str, value: Any, result: MultimodalResult) -> tuple[str, list[tuple[Any, ...]]]:
    summary = summarise(result.scores, result.skipped)
    name = summary["primary"]
    ends = (name, f"{name}_low", f"{name}_high", "n_seeds", "n_parameters")
    return name, [(setting, value, row["method"], *(row[end] for end in ends)) for row in summary["methods"]]


def _table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))

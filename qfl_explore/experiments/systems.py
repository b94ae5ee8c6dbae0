"""Three quantum fusion systems side by side: the Quantum Fusion Layer, cross-attention, feature entanglement.

The multimodal study with further methods: same data, encoders, budget, trials and tests for all. Besides
the scores it looks inside the siblings: attention weights, and what each modality and their joint term
contribute.

Source: arXiv:2510.06938, arXiv:2512.19180 and arXiv:2601.07856 for the systems; the protocol, the sizes and
every detail that the papers' descriptions leave open are our construction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from qfl_explore.datasets import MultimodalData
from qfl_explore.experiments import multimodal
from qfl_explore.experiments.multimodal import MultimodalResult, Step
from qfl_explore.experiments.systems_config import CROSS_METHODS, ENTANGLED_METHODS, TASKS, SystemsConfig, task_config
from qfl_explore.experiments.systems_look import Look, look
from qfl_explore.experiments.systems_methods import load_data, network
from qfl_explore.experiments.systems_summary import summarise_systems

__all__ = ["Look", "SystemsConfig", "SystemsResult", "compare", "run", "stream", "task_config"]


@dataclasses.dataclass(frozen=True)
class SystemsResult(MultimodalResult):
    """What a comparison found, whole or so far; see `MultimodalResult`.

    Attributes:
        looks: inside the siblings, by method, of the first seed.
    """

    looks: dict[str, Look] = dataclasses.field(default_factory=dict)

    @classmethod
    def collect(cls, config: SystemsConfig, steps: Iterable[Step | Look]) -> SystemsResult:  # type: ignore[override]
        """Puts a stream's items together; they need not be complete."""
        items = list(steps)
        looks = {item.method: item for item in reversed(items) if isinstance(item, Look)}
        plain = MultimodalResult.collect(config, [item for item in items if isinstance(item, Step)])
        known = {field.name: getattr(plain, field.name) for field in dataclasses.fields(MultimodalResult)}
        return cls(**known, looks=looks)

    def summary(self) -> dict[str, Any]:
        """See `systems_summary.summarise_systems`."""
        return summarise_systems(self.scores, self.skipped, self.outputs, self.labels)


class SystemsStudy(multimodal.Study):
    """The study with siblings."""

    load = staticmethod(load_data)
    network = staticmethod(network)

    def stream(self, method: str, data: MultimodalData) -> Iterator[Any]:
        """Steps, and after the test of a sibling on the first seed a `Look`."""
        for step in super().stream(method, data):
            yield step
            is_sibling = method in CROSS_METHODS or method in ENTANGLED_METHODS
            if step.stage == "tested" and is_sibling and data.seed == self.config.seeds[0]:
                yield look(method, self.trainers[method].model, data)


def stream(config: SystemsConfig) -> Iterator[Step | Look]:
    """Runs a comparison, one epoch at a time."""
    return multimodal.stream(config, SystemsStudy(config))


def run(config: SystemsConfig | None = None) -> SystemsResult:
    """Runs a whole comparison."""
    config = config or SystemsConfig()
    return SystemsResult.collect(config, stream(config))


def compare(tasks: Iterable[str], **changes: Any) -> pd.DataFrame:
    """Runs tasks one after the other: one table.

    Args:
        tasks: of ``TASKS``.
        **changes: of every task's `SystemsConfig`.

    Returns:
        Rows of ``summary()["methods"]`` with the columns ``task`` and ``task_title`` before them.

    Raises:
        ValueError: a task or a setting is unknown.
        MissingData: files of a task are not here.
    """
    rows = []
    for task in tasks:
        summary = run(task_config(task, **changes)).summary()
        rows += [{"task": task, "task_title": TASKS[task][0], **row} for row in summary["methods"]]
    return pd.DataFrame(rows)

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

import numpy as np
import pandas as pd

from qfl_explore import siblings
from qfl_explore.datasets import MultimodalData
from qfl_explore.experiments import multimodal
from qfl_explore.experiments.multimodal import MultimodalResult, Step
from qfl_explore.experiments.systems_config import CROSS_METHODS, ENTANGLED_METHODS, TASKS, SystemsConfig, task_config
from qfl_explore.experiments.systems_methods import load_data, network
from qfl_explore.experiments.systems_summary import summarise_systems
from qfl_explore.siblings.contributions import MAX_QUBITS

__all__ = ["SystemsConfig", "SystemsResult", "compare", "run", "stream", "task_config"]

#: Test samples that are looked at inside.
N_LOOKED = 60


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """Inside one trained sibling, on the first test samples of a seed.

    Attributes:
        seed: the repetition.
        method: of ``SYSTEMS``.
        labels: [n] true classes.
        modalities: names.
        classes: names.
        attention: direction -> weights [n, H, queries, tokens]; empty where there is none.
        contributions: of the logits, or ``None``.
        couplings: rows of first and second modality, layer and angle (radians) of each trainable coupling.
    """

    seed: int
    method: str
    labels: np.ndarray
    modalities: tuple[str, ...]
    classes: tuple[str, ...]
    attention: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    contributions: siblings.Contributions | None = None
    couplings: tuple[dict[str, Any], ...] = ()


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


def look(method: str, model: Any, data: MultimodalData) -> Look:
    """Inside a trained sibling.

    Args:
        method: of ``SYSTEMS``.
        model: from `systems_methods.network`, trained.
        data: with the test part.
    """
    features, labels = data.part("test")
    chosen = [np.asarray(array[:N_LOOKED], np.float32) for array in features]
    found = Look(data.seed, method, labels[:N_LOOKED], data.modality_names, data.class_names)
    if siblings.DIRECTIONS.get(CROSS_METHODS.get(method, "")):
        return dataclasses.replace(found, attention=siblings.attention_weights(model, chosen))
    if method not in ENTANGLED_METHODS:
        return found
    layer, head = model.get_layer("feature_entanglement"), model.layers[-1]
    weights, config = layer.angles.numpy().astype(np.float64), layer.config
    couplings = tuple(
        {
            "first": data.modality_names[a // config.register_size],
            "second": data.modality_names[b // config.register_size],
            "layer": number // max(1, len(config.joined)),
            "angle": float((weights[place] + np.pi) % (2 * np.pi) - np.pi),
        }
        for number, (place, a, b) in enumerate(config.coupling_places())
    )
    if config.n_qubits > MAX_QUBITS:
        return dataclasses.replace(found, couplings=couplings)
    from qfl_explore.training import load_keras

    _, keras = load_keras()
    angles = keras.Model(model.inputs, model.get_layer("angles").output)(chosen).numpy()
    kernel, bias = (array.astype(np.float64) for array in head.get_weights())
    parts = siblings.contributions(layer.fusion, angles, weights).through(kernel, bias)
    return dataclasses.replace(found, couplings=couplings, contributions=parts)

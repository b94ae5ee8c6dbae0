"""What the page Real data computes, as runs for the scheduler; in workers, no Panel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.runs.live import INTERVAL
from qfl_explore.dashboards.runs.scheduler import Wait

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.datasets import MultimodalData
    from qfl_explore.experiments.multimodal import MultimodalConfig, MultimodalResult, Step
    from qfl_explore.experiments.multimodal_ablated import AblationStep
    from qfl_explore.experiments.multimodal_curves import Band


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """What is drawn anew whenever a method is finished on a seed.

    Attributes:
        result: so far.
        summary: of it; with intervals over samples once the study is finished.
        curves: learning curves.
    """

    result: MultimodalResult
    summary: dict[str, Any]
    curves: pd.DataFrame


def study(config: MultimodalConfig) -> Iterator[Any]:
    """The main run.

    Yields:
        ``(step, picture)``; the picture is ``None`` unless a method was tested or left out.
    """
    from qfl_explore.experiments.multimodal import MultimodalResult, stream
    from qfl_explore.experiments.multimodal_curves import learning_curves
    from qfl_explore.experiments.multimodal_summary import summarise

    steps: list[Step] = []
    for step in stream(config):
        steps.append(step)
        if step.stage in ("tested", "skipped"):
            result = MultimodalResult.collect(config, steps)
            yield step, Picture(result, summarise(result.scores, result.skipped), learning_curves(result))
        else:
            yield step, None
        # so that the page can say that TensorFlow is loading before the import holds the interpreter
        yield Wait(2 * INTERVAL if step.stage == "loading" else 0.0)
    if steps:
        result = MultimodalResult.collect(config, steps)
        yield steps[-1], Picture(result, result.summary(), learning_curves(result))


def look(config: MultimodalConfig) -> Iterator[MultimodalData]:
    """The data of the first seed, to be drawn."""
    from qfl_explore.experiments.multimodal_methods import load_data

    yield load_data(config.replace(encoder="dense"), config.seeds[0])


@dataclasses.dataclass(frozen=True, eq=False)
class CloseUp:
    """What the tab Curves draws.

    Attributes:
        roc: by method; empty for a forecast.
        pr: by method; empty for a forecast.
        confusion: of one method, or ``None``.
        forecast: truth and foretold values, or ``None``.
        errors: of every target, or ``None``.
        method: whose confusion and errors they are.
    """

    roc: dict[str, Band]
    pr: dict[str, Band]
    confusion: pd.DataFrame | None
    forecast: pd.DataFrame | None
    errors: Any
    method: str


def close_up(result: MultimodalResult, names: tuple[str, ...], target: int, method: str) -> Iterator[CloseUp | Wait]:
    """Curves of every method for one class, and the confusion of one method.

    Args:
        result: so far.
        names: of the classes, labels or targets.
        target: index of one of them; the last where there are fewer.
        method: for the confusion; another one where it was not tested.
    """
    from qfl_explore.experiments import multimodal_curves as curves

    tested = [name for name in result.config.methods if any(m == name for _, m in result.outputs)]
    if result.task is None or not tested:
        return
    target, method = min(target, result.task.n_classes - 1), method if method in tested else tested[-1]
    if result.task.kind == "regression":
        errors = curves.target_errors(result, method)
        yield CloseUp({}, {}, None, curves.forecasts(result, target), errors, method)
        return
    found: dict[str, dict[str, Band]] = {"roc": {}, "pr": {}}
    for name in tested:
        for kind in found:
            found[kind][name] = curves.band(result, name, kind, target)
            yield Wait(0.0)
    confusion = curves.confusion(result, method, names, target if result.task.kind == "multilabel" else None)
    yield CloseUp(found["roc"], found["pr"], confusion, None, None, method)


def ablate(config: MultimodalConfig, ablation: str) -> Iterator[AblationStep | Wait]:
    """One setting varied, step by step."""
    from qfl_explore.experiments.multimodal_ablated import stream_ablation

    for step in stream_ablation(config, ablation):
        yield step
        loading = step.step is not None and step.step.stage == "loading"
        yield Wait(2 * INTERVAL if loading else 0.0)


def collapse(feature_dim: int, rank: int) -> Iterator[Any]:
    """Tables of the collapse measurement and their summaries, few modalities first.

    Args:
        feature_dim: D.
        rank: R.
    """
    import pandas as pd

    from qfl_explore.experiments.low_rank_collapse import CollapseConfig, CollapseResult, stream

    config = CollapseConfig(feature_dim=feature_dim, rank=rank)
    rows = []
    for row in stream(config):
        rows.append(row)
        if len(rows) % len(config.starts) == 0:  # every start of an M
            result = CollapseResult(config, pd.DataFrame(rows))
            yield result.table, result.summary() | {"feature_dim": feature_dim, "rank": rank}
        yield Wait(0.0)

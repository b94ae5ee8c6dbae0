"""Data sets of several modalities: loaders by name, one file a source."""

from typing import TYPE_CHECKING, Any

from qfl_explore.datasets.base import MultimodalData, Problem, standardise, stratified_split
from qfl_explore.datasets.checks import PARTS, TASKS
from qfl_explore.datasets.choose import choose_modalities, few_shot
from qfl_explore.datasets.places import MissingData, data_root
from qfl_explore.datasets.registry import DATASETS, DatasetEntry, is_here, load, names

if TYPE_CHECKING:
    from qfl_explore.datasets.getting import get, licence_text

__all__ = [
    "DATASETS",
    "PARTS",
    "TASKS",
    "DatasetEntry",
    "MissingData",
    "MultimodalData",
    "Problem",
    "choose_modalities",
    "data_root",
    "few_shot",
    "get",
    "is_here",
    "licence_text",
    "load",
    "names",
    "standardise",
    "stratified_split",
]


def __getattr__(name: str) -> Any:
    """`get` and `licence_text`, loaded when asked for: they bring the network's modules along."""
    if name in {"get", "licence_text"}:
        from qfl_explore.datasets import getting

        return getattr(getting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

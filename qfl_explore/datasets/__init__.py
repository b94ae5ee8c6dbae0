"""Data sets of several modalities: loaders by name, one file a source."""

from qfl_explore.datasets.base import MultimodalData, Problem, standardise, stratified_split
from qfl_explore.datasets.checks import PARTS, TASKS
from qfl_explore.datasets.choose import choose_modalities, few_shot
from qfl_explore.datasets.places import MissingData, data_root
from qfl_explore.datasets.registry import DATASETS, DatasetEntry, load, names

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
    "load",
    "names",
    "standardise",
    "stratified_split",
]

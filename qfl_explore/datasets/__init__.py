"""Data sets of several modalities: loaders by name, one file a source."""

from qfl_explore.datasets.base import (
    PARTS,
    MultimodalData,
    standardise,
    stratified_split,
)
from qfl_explore.datasets.registry import DATASETS, DatasetEntry, load

__all__ = [
    "DATASETS",
    "PARTS",
    "DatasetEntry",
    "MultimodalData",
    "load",
    "standardise",
    "stratified_split",
]

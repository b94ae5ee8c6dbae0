"""Which data sets there are, and `load` by name."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

from qfl_explore.datasets.base import MultimodalData
from qfl_explore.errors import check_int, check_option


@dataclasses.dataclass(frozen=True)
class DatasetEntry:
    """What the registry knows of a data set without loading it.

    Attributes:
        module: where its ``load(seed, **options)`` lives.
        title: the name that a page shows.
        n_modalities: M.
        summary: one line for pages and error messages.
        package: the installed package that carries the files; empty where they lie in ``data/``.
    """

    module: str
    title: str
    n_modalities: int
    summary: str
    package: str = ""


DATASETS: dict[str, DatasetEntry] = {
    "breast_cancer": DatasetEntry(
        "qfl_explore.datasets.breast_cancer",
        "Breast cancer Wisconsin (diagnostic)",
        3,
        "569 tumours, 10 measures of cell nuclei as mean, standard error and worst; benign or malignant",
        package="scikit-learn",
    ),
}


def load(name: str, seed: int = 0, **options: Any) -> MultimodalData:
    """Loads a data set by name.

    Args:
        name: one of ``DATASETS``.
        seed: of the split; 0 or more.
        **options: what the data set's own ``load`` takes.

    Returns:
        The data, split and standardised.

    Raises:
        ValueError: the name is unknown, or the seed is below 0.
    """
    check_option("dataset", name, DATASETS)
    module = importlib.import_module(DATASETS[name].module)
    return module.load(seed=check_int("seed", seed, 0), **options)

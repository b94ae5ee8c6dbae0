"""Which data sets there are, and `load` by name."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from typing import Any

from qfl_explore.datasets.base import MultimodalData
from qfl_explore.datasets.checks import TASKS
from qfl_explore.datasets.places import MissingData, find_folder
from qfl_explore.errors import check_int, check_option


@dataclasses.dataclass(frozen=True)
class DatasetEntry:
    """What the registry knows of a data set without loading it.

    Attributes:
        module: where its ``load(seed, standardised, **options)`` lives.
        title: the name that a page shows.
        n_modalities: M; 0 where it depends on the files.
        summary: one line for pages and error messages.
        package: the installed package that carries the files; empty where they lie in ``data/``.
        task: ``classification``, ``multilabel`` or ``regression``; the first of them if options change it.
        synthetic: whether the numbers are computed, which every view of them must say.
        licence: under which terms.
    """

    module: str
    title: str
    n_modalities: int
    summary: str
    package: str = ""
    task: str = "classification"
    synthetic: bool = False
    licence: str = ""

    @property
    def needs_files(self) -> bool:
        """Whether files must be fetched or brought along before it can be loaded."""
        return not self.package and not self.synthetic


def _entry(module: str, *values: Any, **more: Any) -> DatasetEntry:
    return DatasetEntry(f"qfl_explore.datasets.{module}", *values, **more)


DATASETS: dict[str, DatasetEntry] = {
    "breast_cancer": _entry(
        "breast_cancer",
        "Breast cancer Wisconsin (diagnostic)",
        3,
        "569 tumours, 10 measures of cell nuclei as mean, standard error and worst; benign or malignant",
        package="scikit-learn",
        licence="CC BY 4.0",
    ),
    "wine": _entry(
        "wine",
        "Wine",
        3,
        "178 wines of three growers: body and minerals, phenols, colour and proline; small and easy",
        package="scikit-learn",
        licence="CC BY 4.0",
    ),
    "digits": _entry(
        "digits",
        "Handwritten digits",
        4,
        "1797 images of 8 × 8, each quarter a modality",
        package="scikit-learn",
        licence="CC BY 4.0",
    ),
    "ptb_xl": _entry(
        "ptb_xl",
        "PTB-XL electrocardiograms",
        12,
        "clinical ECGs of 10 s, 12 leads (or 3), five diagnostic superclasses, patient-wise folds",
        task="multilabel",
        licence="CC BY 4.0",
    ),
    "metr_la": _entry(
        "metr_la",
        "METR-LA motorway speeds",
        207,
        "an hour of speeds of 207 detectors in Los Angeles; forecast 15, 30 and 60 minutes ahead",
        task="regression",
        licence="MIT",
    ),
    "cmu_mosi": _entry(
        "cmu_mosi",
        "CMU-MOSI opinions",
        3,
        "2199 spoken opinions as vectors of words, voice and face; negative or positive, no speaker in two parts",
        licence="research use",
    ),
    "spoken_digits": _entry(
        "spoken_digits",
        "Spoken and written digits",
        2,
        "recordings of six speakers, each paired with an image of the same digit",
        licence="CC BY-SA 4.0",
    ),
    "fashion_mnist": _entry(
        "fashion_mnist",
        "Fashion-MNIST",
        4,
        "images of ten kinds of clothes, each quarter a modality; the authors' test part",
        licence="MIT",
    ),
    "steel_plates": _entry(
        "steel_plates",
        "Steel plates faults",
        4,
        "1941 faults of seven kinds: place and size, brightness, plate, shape",
        licence="CC BY 4.0",
    ),
    "covtype": _entry(
        "covtype",
        "Forest cover types",
        5,
        "cells of 30 m of forest, seven cover types: terrain, distances, light, wilderness, soil",
        licence="CC BY 4.0",
    ),
    "own_folder": _entry(
        "own_folder",
        "A folder of your own",
        0,
        "your CSV tables that share ids, or one NPZ archive; each table or array is a modality",
        licence="yours",
    ),
    "synthetic_ecg": _entry(
        "synthetic_ecg",
        "Synthetic ECG (computed, nobody's heart)",
        12,
        "a heart dipole seen by 12 leads, five traits of a formula; for trying out, says nothing about patients",
        synthetic=True,
        licence="Apache-2.0",
    ),
    "synthetic_traffic": _entry(
        "synthetic_traffic",
        "Synthetic traffic (computed, no real road)",
        12,
        "congestion that spreads on a random graph, any number of sensors; forecast 15, 30 and 60 minutes ahead",
        task="regression",
        synthetic=True,
        licence="Apache-2.0",
    ),
}


def names(task: str | None = None, needs_files: bool | None = None) -> tuple[str, ...]:
    """Names of data sets.

    Args:
        task: only those of this task; ``None`` for all.
        needs_files: only those that do, or do not, need files besides the installation; ``None`` for all.
    """
    if task is not None:
        check_option("task", task, TASKS)
    return tuple(
        name
        for name, entry in DATASETS.items()
        if task in (None, entry.task) and needs_files in (None, entry.needs_files)
    )


def load(name: str, seed: int = 0, **options: Any) -> MultimodalData:
    """Loads a data set by name.

    Args:
        name: one of ``DATASETS``.
        seed: of the split; 0 or more.
        **options: what the data set's own ``load`` takes.

    Returns:
        The data, split and standardised.

    Raises:
        ValueError: the name or an option is unknown, or the seed is below 0.
        MissingData: its files are not here.
    """
    check_option("dataset", name, DATASETS)
    module = importlib.import_module(DATASETS[name].module)
    known = tuple(inspect.signature(module.load).parameters)[1:]
    for option in options:
        check_option(f"option of {name!r}", option, known)
    return module.load(seed=check_int("seed", seed, 0), **options)


def is_here(name: str) -> bool:
    """Whether a data set can be loaded without fetching anything; its files are not looked into.

    Raises:
        ValueError: the name is unknown.
    """
    check_option("dataset", name, DATASETS)
    if not DATASETS[name].needs_files:
        return True
    module = importlib.import_module(DATASETS[name].module)
    try:
        return find_folder(name, module.FOLDERS).is_dir()
    except MissingData:
        return False

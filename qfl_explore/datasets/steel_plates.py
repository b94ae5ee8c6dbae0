"""Steel plates faults (UCI 198): geometry, brightness, plate and shape of 1941 faults of seven kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qfl_explore.datasets import faults, tables
from qfl_explore.datasets.base import MultimodalData, Problem, standardise, stratified_split
from qfl_explore.datasets.places import find_file, find_folder
from qfl_explore.errors import invalid

FOLDERS = ("steel_plates", "steel_plates_faults", "steel+plates+faults")
#: UCI's own file (tabs, no header) and the same table with a header.
FILES = ("Faults.NNA", "SteelPlatesFaults.csv")
#: Column → unit, in the order of UCI's file. Where the authors give none it is "not given".
COLUMNS = {
    "X_Minimum": "pixel",
    "X_Maximum": "pixel",
    "Y_Minimum": "pixel",
    "Y_Maximum": "pixel",
    "Pixels_Areas": "pixel",
    "X_Perimeter": "pixel",
    "Y_Perimeter": "pixel",
    "Sum_of_Luminosity": "grey level",
    "Minimum_of_Luminosity": "grey level",
    "Maximum_of_Luminosity": "grey level",
    "Length_of_Conveyer": "not given",
    "TypeOfSteel_A300": "0 or 1",
    "TypeOfSteel_A400": "0 or 1",
    "Steel_Plate_Thickness": "not given",
    "Edges_Index": "1",
    "Empty_Index": "1",
    "Square_Index": "1",
    "Outside_X_Index": "1",
    "Edges_X_Index": "1",
    "Edges_Y_Index": "1",
    "Outside_Global_Index": "1",
    "LogOfAreas": "1",
    "Log_X_Index": "1",
    "Log_Y_Index": "1",
    "Orientation_Index": "1",
    "Luminosity_Index": "1",
    "SigmoidOfAreas": "1",
}
CLASSES = ("Pastry", "Z_Scratch", "K_Scatch", "Stains", "Dirtiness", "Bumps", "Other_Faults")
_NAMES = tuple(COLUMNS)
#: Our grouping.
MODALITIES: dict[str, tuple[str, ...]] = {
    "place and size": _NAMES[:7],
    "brightness": (*_NAMES[7:10], "Luminosity_Index"),
    "plate": _NAMES[10:14],
    "shape": (*_NAMES[14:25], "SigmoidOfAreas"),
}


def load(seed: int = 0, standardised: bool = True, folder: str | Path | None = None) -> MultimodalData:
    """1941 faults in four groups of measures; the grouping into modalities is ours.

    Args:
        seed: of the stratified split into 60 % training, 20 % validation, 20 % test.
        standardised: whether to standardise with the training part's mean and spread.
        folder: that holds the file; ``None`` to look under the data folder.

    Returns:
        Data with 7, 4, 4 and 12 features and seven classes.

    Raises:
        MissingData: the file is not here.
        ValueError: no record can be read.
    """
    path = find_file("steel_plates", find_folder("steel_plates", FOLDERS, folder), FILES)
    values, labels, rows, problems = _read(path)
    faults.require_records("steel_plates", len(values), problems, least=5 * len(CLASSES))
    data = MultimodalData(
        name="steel_plates",
        title="Steel plates faults",
        features=tables.grouped(values, _NAMES, MODALITIES),
        labels=labels,
        split=stratified_split(labels, seed),
        modality_names=tuple(MODALITIES),
        feature_names=tuple(tuple(name.replace("_", " ") for name in names) for names in MODALITIES.values()),
        units=tuple(tuple(COLUMNS[name] for name in names) for names in MODALITIES.values()),
        class_names=tuple(name.replace("_", " ") for name in CLASSES),
        sample_ids=rows,
        source="Semeion, M. Buscema, S. Terzi, W. Tastle: UCI Machine Learning Repository, doi:10.24432/C5J88N",
        licence="CC BY 4.0",
        seed=seed,
        notes=("The grouping into four modalities is ours.",),
        problems=problems,
    )
    return standardise(data) if standardised else data


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[Problem, ...]]:
    header = path.suffix == ".csv"
    wanted = (*COLUMNS, *CLASSES)
    names, values, problems = tables.read_numbers(path, header, "," if header else None, len(wanted))
    names = [name.removesuffix("_Fault") for name in names]  # both spellings of the kinds are about
    if header and tuple(names) != wanted:
        absent = next(name for name in wanted if name not in names or names.index(name) != wanted.index(name))
        raise invalid(f"{path.name} has other columns", f"{absent!r} in place {wanted.index(absent) + 1}", "others")
    kinds = tables.one_hot_class(np.nan_to_num(values[:, len(COLUMNS) :], nan=-1.0))
    good = np.isfinite(values).all(axis=1)
    problems += tuple(
        Problem(path.name, f"fault {row + 1}", "not exactly one kind of fault is marked")
        for row in np.flatnonzero(good & (kinds < 0))
    )
    rows = np.flatnonzero(good & (kinds >= 0))
    return values[rows, : len(COLUMNS)], kinds[rows], rows + 1, problems

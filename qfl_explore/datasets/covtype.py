"""CoverType (UCI 31): cartographic measures of forest cells of seven cover types."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qfl_explore.datasets import cache, faults, tables
from qfl_explore.datasets.base import MultimodalData, Problem, standardise, stratified_split
from qfl_explore.datasets.places import find_file, find_folder
from qfl_explore.errors import check_int

FOLDERS = ("covtype", "covertype")
#: UCI's own file (no header), and samples of it with a header.
FILES = ("covtype.data.gz", "covtype.data", "covtype.csv", "covtype_sample.csv")
VERSION = 1
#: Column → unit, in the order of UCI's file.
COLUMNS = {
    "Elevation": "m",
    "Aspect": "degree",
    "Slope": "degree",
    "Horizontal_Distance_To_Hydrology": "m",
    "Vertical_Distance_To_Hydrology": "m",
    "Horizontal_Distance_To_Roadways": "m",
    "Hillshade_9am": "0 to 255",
    "Hillshade_Noon": "0 to 255",
    "Hillshade_3pm": "0 to 255",
    "Horizontal_Distance_To_Fire_Points": "m",
    **{f"Wilderness_Area{i}": "0 or 1" for i in range(1, 5)},
    **{f"Soil_Type{i}": "0 or 1" for i in range(1, 41)},
}
_NAMES = tuple(COLUMNS)
#: Our grouping.
MODALITIES: dict[str, tuple[str, ...]] = {
    "terrain": _NAMES[:3],
    "distances": (*_NAMES[3:6], _NAMES[9]),
    "light": _NAMES[6:9],
    "wilderness": _NAMES[10:14],
    "soil": _NAMES[14:],
}
CLASSES = (
    "Spruce/Fir",
    "Lodgepole Pine",
    "Ponderosa Pine",
    "Cottonwood/Willow",
    "Aspen",
    "Douglas-fir",
    "Krummholz",
)


def load(
    seed: int = 0, standardised: bool = True, limit: int | None = None, folder: str | Path | None = None
) -> MultimodalData:
    """Forest cells of 30 m in five groups of measures; the grouping into modalities is ours.

    Args:
        seed: of the draw of ``limit`` and of the stratified split into 60 %, 20 %, 20 %.
        standardised: whether to standardise with the training part's mean and spread.
        limit: draw about so many cells, classes with their shares; ``None`` for all (581,012 in UCI's file).
        folder: that holds the file; ``None`` to look under the data folder.

    Returns:
        Data with 3, 4, 3, 4 and 40 features and seven classes.

    Raises:
        MissingData: the file is not here.
        ValueError: no record can be read.
    """
    path = find_file("covtype", find_folder("covtype", FOLDERS, folder), FILES)
    arrays, meta = cache.parsed("covtype", VERSION, [path], {}, lambda: _parse(path))
    problems = faults.from_rows(meta["problems"])
    faults.require_records("covtype", len(arrays["row"]), problems, least=5 * len(CLASSES))
    kept = _drawn(arrays["label"], limit, seed)
    labels, values = arrays["label"][kept].astype(int), arrays["values"][kept]
    data = MultimodalData(
        name="covtype",
        title="Forest cover types",
        features=tables.grouped(values, _NAMES, MODALITIES),
        labels=labels,
        split=stratified_split(labels, seed),
        modality_names=tuple(MODALITIES),
        feature_names=tuple(tuple(name.replace("_", " ") for name in names) for names in MODALITIES.values()),
        units=tuple(tuple(COLUMNS[name] for name in names) for names in MODALITIES.values()),
        class_names=CLASSES,
        sample_ids=arrays["row"][kept],
        source="J. Blackard: UCI Machine Learning Repository, doi:10.24432/C50K5N",
        licence="CC BY 4.0",
        seed=seed,
        notes=("The grouping into five modalities is ours.", "Neighbouring cells may lie in different parts."),
        problems=problems,
    )
    return standardise(data) if standardised else data


def _parse(path: Path) -> cache.Parsed:
    header = path.suffix == ".csv"
    _, values, problems = tables.read_numbers(path, header, ",", len(COLUMNS) + 1)
    kinds = np.nan_to_num(values[:, -1], nan=0.0)
    known = np.isin(kinds, range(1, len(CLASSES) + 1))
    bad = np.isfinite(values).all(axis=1) & ~known
    problems += tuple(
        Problem(path.name, f"cell {row + 1}", f"cover type {kinds[row]:g}, not 1 to 7") for row in np.flatnonzero(bad)
    )
    rows = np.flatnonzero(known)
    arrays = {
        "values": values[rows, :-1].astype(np.float32),
        "label": kinds[rows].astype(np.int8) - 1,
        "row": rows + 1,
    }
    return arrays, {"problems": faults.as_rows(problems)}


def _drawn(labels: np.ndarray, limit: int | None, seed: int) -> np.ndarray:
    """Rows in their order: all, or a draw with the classes' shares and five of each class at least."""
    if limit is None:
        return np.arange(len(labels))
    limit = check_int("limit", limit, 5 * len(CLASSES), len(labels))
    rng = np.random.default_rng(check_int("seed", seed, 0))
    drawn = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        drawn.append(rng.permutation(rows)[: max(5, round(limit * len(rows) / len(labels)))])
    return np.sort(np.concatenate(drawn))

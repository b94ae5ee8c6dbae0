"""A folder of the user's own files: CSV tables that share ids, or one NPZ archive. One table or array is one modality.

CSV: ``labels.csv`` with columns ``id``, ``label`` and, if wanted, ``split`` (train, validation, test) and ``group``;
beside it one file for each modality with a column ``id`` and columns of numbers. A unit goes in brackets:
``height [cm]``.

NPZ: an array ``labels`` [N], if wanted ``split`` and ``group`` [N], and one array [N, …] for each modality.
"""

from __future__ import annotations

import csv
import dataclasses
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from qfl_explore.datasets import faults
from qfl_explore.datasets.base import PARTS, MultimodalData, Problem, standardise, stratified_split
from qfl_explore.datasets.places import find_folder, missing
from qfl_explore.errors import check_int, check_option, invalid

FOLDERS = ("own_folder", "mine")
TASKS = ("classification", "regression")
LABELS = "labels.csv"
SPECIAL = ("labels", "split", "group")
_UNIT = re.compile(r"^(?P<name>.*\S)\s*\[(?P<unit>[^\]]*)\]$")


@dataclasses.dataclass
class Content:
    """What a folder holds, before labels become classes.

    Attributes:
        ids: of the samples.
        labels: one text or number a sample.
        arrays: modality → [N, …].
        columns: modality → headers of its columns; empty without headers.
        split: part of each sample, or ``None``.
        groups: whose each sample is, or ``None``.
        problems: samples that were left out.
    """

    ids: list[str]
    labels: list
    arrays: dict[str, np.ndarray]
    columns: dict[str, list[str]]
    split: list[str] | None
    groups: list[str] | None
    problems: tuple[Problem, ...] = ()


def load(
    seed: int = 0,
    standardised: bool = True,
    folder: str | Path | None = None,
    task: str = "classification",
    licence: str = "the user's own",
) -> MultimodalData:
    """The user's own data, matched by id; a sample with a fault is left out and named.

    Without a column ``split``, parts are drawn: 60 % / 20 % / 20 %, stratified by class, or whole groups where
    there is a column ``group``.

    Args:
        seed: of the split, where it is drawn.
        standardised: whether to standardise with the training part's mean and spread.
        folder: that holds the files; ``None`` to look under the data folder.
        task: ``classification`` (any labels) or ``regression`` (numbers).
        licence: under which terms you may use them; shown with the data.

    Returns:
        Data with one modality a file or array, in the order of their names.

    Raises:
        MissingData: there is no such folder, or neither ``labels.csv`` nor an ``.npz`` in it.
        ValueError: no sample is complete, or a file has another form.
    """
    check_option("task", task, TASKS)
    home = find_folder("own_folder", FOLDERS, folder)
    content = _content(home)
    faults.require_records("own_folder", len(content.ids), content.problems, least=5)
    labels, names = _classes(content.labels) if task == "classification" else (_numbers(content.labels), ("target",))
    groups = None if content.groups is None else np.array(content.groups)
    split = _given_split(content) or _drawn_split(labels, groups, task, check_int("seed", seed, 0))
    headers = {name: [_unit(column) for column in content.columns[name]] for name in content.arrays}
    flat = {name: array.reshape(len(array), -1) for name, array in content.arrays.items()}
    for name, array in flat.items():
        headers[name] = headers[name] or [(f"{name} {i + 1}", "not given") for i in range(array.shape[1])]
    data = MultimodalData(
        name="own_folder",
        title=f"Your folder {home.name}",
        features=tuple(flat.values()),
        raw=tuple(content.arrays.values()) if any(array.ndim > 2 for array in content.arrays.values()) else None,
        raw_unit="not given",
        labels=labels,
        task=task,
        class_names=names,
        split=split,
        modality_names=tuple(flat),
        feature_names=tuple(tuple(column for column, _ in headers[name]) for name in flat),
        units=tuple(tuple(unit for _, unit in headers[name]) for name in flat),
        sample_ids=np.array(content.ids),
        groups=groups,
        source=f"files of the user in a folder named {home.name}",
        licence=licence,
        seed=seed,
        problems=content.problems,
    )
    return standardise(data) if standardised else data


def _content(home: Path) -> Content:
    if (home / LABELS).is_file():
        return _from_csv(home)
    archives = sorted(home.glob("*.npz"))
    if len(archives) == 1:
        return _from_npz(archives[0])
    raise missing("own_folder", f"{home / LABELS}, or exactly one .npz beside it", f"{len(archives)} .npz files")


def _from_csv(home: Path) -> Content:
    problems: list[Problem] = []
    table = _table(home / LABELS, problems, words=True)
    header = table.pop("id")
    if "label" not in header:
        raise invalid(f"{LABELS} has no column 'label'", "id,label and, if wanted, split,group", f"{header}")
    paths = [path for path in sorted(home.glob("*.csv")) if path.name != LABELS]
    if not paths:
        raise missing("own_folder", f"one .csv for each modality beside {home / LABELS}", "no other .csv")
    modalities = {path.stem: _table(path, problems) for path in paths}
    columns = {name: rows.pop("id") for name, rows in modalities.items()}
    faulty = {(problem.file, problem.record) for problem in problems}
    good = []
    for key in table:
        absent = [name for name, rows in modalities.items() if key not in rows]
        if not absent:
            good.append(key)
        elif not any((f"{name}.csv", key) in faulty for name in absent):
            problems.append(Problem(f"{absent[0]}.csv", key, "no line with this id"))
    arrays = {name: np.array([rows[key] for key in good], dtype=np.float64) for name, rows in modalities.items()}
    word = {column: [table[key][header.index(column)] for key in good] for column in header}
    return Content(good, word["label"], arrays, columns, word.get("split"), word.get("group"), tuple(problems))


def _table(path: Path, problems: list[Problem], words: bool = False) -> dict[str, list]:
    """Lines by id; under the key ``id`` the other columns' names."""
    try:
        text = path.read_text(encoding="utf-8-sig").replace("\0", "")
        # line by line: a quote that is never closed must not swallow the lines after it
        lines = [next(csv.reader([line], skipinitialspace=True), []) for line in text.splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise invalid(f"{path.name} is no text in UTF-8", "a table", f"byte {error.start}") from None
    header = [name.strip() for name in lines[0]] if lines else []
    if "id" not in header or len(header) < 2 or len(set(header)) < len(header):
        raise invalid(f"{path.name} has an unusable first line", "id and other columns, each once", f"{header}")
    place = header.index("id")
    rows: dict[str, list] = {"id": [name for name in header if name != "id"]}
    for number, line in enumerate(lines[1:], start=2):
        key = line[place].strip() if len(line) > place else ""
        try:
            row = _row(line, len(header), place, words)
            if not key or key in rows:
                raise faults.BadRecord(f"id {key!r} is {'there already' if key else 'empty'} (line {number})")
            rows[key] = row
        except faults.BadRecord as error:
            problems.append(Problem(path.name, key or f"in line {number}", error.fault))
    return rows


def _row(line: list[str], n_columns: int, place: int, words: bool) -> list:
    if len(line) != n_columns:
        raise faults.BadRecord(f"{len(line)} cells instead of {n_columns}")
    cells = [cell.strip() for i, cell in enumerate(line) if i != place]
    if words:
        if "" in cells:
            raise faults.BadRecord("a cell is empty")
        return cells
    return [_number(cell) for cell in cells]


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise faults.BadRecord(f"{cell[:40]!r} is not a number") from None
    if not np.isfinite(value):
        raise faults.BadRecord(f"{cell} is not a finite number")
    return value


def _from_npz(path: Path) -> Content:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise invalid(f"{path.name} cannot be read", "an .npz of plain arrays", f"{error}") from None
    special = {name: arrays.pop(name, None) for name in SPECIAL}
    labels = special["labels"]
    sizes = {name: array.shape for name, array in {**arrays, **special}.items() if array is not None}
    if labels is None or not arrays or any(not shape or shape[:1] != labels.shape[:1] for shape in sizes.values()):
        raise invalid(f"{path.name} has other arrays", "labels [N] and one array [N, …] a modality", f"{sizes}")
    n = len(labels)
    arrays = {name: array.reshape(n, -1) if array.ndim == 1 else array for name, array in sorted(arrays.items())}
    problems, good = [], []
    for row in range(n):
        bad = next((name for name, array in arrays.items() if not _finite(array[row])), None)
        if bad is None:
            good.append(row)
        else:
            problems.append(Problem(path.name, str(row), f"{bad} has a number that is not finite"))
    given = {name: special[name] for name in ("split", "group")}
    words = {
        name: None if array is None else [str(value) for value in array[good].tolist()] for name, array in given.items()
    }
    return Content(
        [str(row) for row in good],
        labels[good].tolist(),
        {name: array[good] for name, array in arrays.items()},
        {name: [] for name in arrays},
        words["split"],
        words["group"],
        tuple(problems),
    )


def _finite(row: np.ndarray) -> bool:
    return row.dtype.kind in "biu" or (row.dtype.kind == "f" and bool(np.isfinite(row).all()))


def _classes(labels: Iterable) -> tuple[np.ndarray, tuple[str, ...]]:
    texts = [str(label) for label in labels]
    names = sorted(set(texts), key=lambda text: (0, float(text), text) if _is_number(text) else (1, 0.0, text))
    return np.array([names.index(text) for text in texts]), tuple(names)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _numbers(labels: Iterable) -> np.ndarray:
    try:
        return np.array([float(label) for label in labels])[:, None]
    except ValueError as error:
        raise invalid("labels of a regression must be numbers", "task='classification' for words", f"{error}") from None


def _given_split(content: Content) -> dict[str, np.ndarray] | None:
    if content.split is None:
        return None
    parts = np.array([check_option("split", part, PARTS) for part in content.split])
    return {part: np.flatnonzero(parts == part) for part in PARTS}


def _drawn_split(labels: np.ndarray, groups: np.ndarray | None, task: str, seed: int) -> dict[str, np.ndarray]:
    if groups is None and task == "classification":
        return stratified_split(labels, seed)
    units = np.arange(len(labels)) if groups is None else groups
    distinct = np.random.default_rng(seed).permutation(np.unique(units))
    n_held = max(1, round(0.2 * len(distinct)))
    if len(distinct) < 3:
        raise invalid("too few groups to split", "3 or more, or a column split", f"{len(distinct)}")
    of = {"test": distinct[:n_held], "validation": distinct[n_held : 2 * n_held], "train": distinct[2 * n_held :]}
    return {part: np.flatnonzero(np.isin(units, of[part])) for part in PARTS}


def _unit(column: str) -> tuple[str, str]:
    match = _UNIT.match(column)
    return (match["name"], match["unit"].strip() or "not given") if match else (column, "not given")

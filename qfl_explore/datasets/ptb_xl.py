"""PTB-XL: clinical 12-lead ECGs of 10 s, in the layout of PhysioNet (version 1.0.3). One lead is one modality."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qfl_explore.datasets import cache, ecg, faults, wfdb
from qfl_explore.datasets.base import MultimodalData, Problem, standardise
from qfl_explore.datasets.places import fetched, find_file, find_folder
from qfl_explore.errors import check_int, check_option, invalid

FOLDERS = ("ptb_xl", "ptbxl", "ptb-xl", "ptbxl_mini")
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
TARGETS = ("superclasses", "normal")
#: Sample rate → the database's column of file names.
COLUMNS = {100: "filename_lr", 500: "filename_hr"}
VERSION = 1
#: How a record begins: its number and its patient's.
_START = re.compile(r"^\d+,\d+(\.0)?,")

SOURCE = (
    "P. Wagner, N. Strodthoff, R.-D. Bousseljot, W. Samek, T. Schaeffter: PTB-XL, a large publicly available "
    "electrocardiography dataset, PhysioNet, doi:10.13026/kfzx-aw45; Scientific Data 7, 154 (2020)"
)


def load(
    seed: int = 0,
    standardised: bool = True,
    leads: int | Sequence[str] = 12,
    target: str = "superclasses",
    sample_rate: int = 100,
    limit: int | None = None,
    folder: str | Path | None = None,
) -> MultimodalData:
    """Records with their diagnostic superclasses; each lead is a modality of nine summary numbers.

    The official patient-wise folds are the split: 1–8 train, 9 validation, 10 test; the seed does not change
    it. Records without a diagnostic superclass are dropped, as the authors do. ``raw`` has the signals in mV.

    Args:
        seed: recorded, without effect on the split.
        standardised: whether to standardise the features with the training part's mean and spread.
        leads: 12, 6 (limbs), 3 (I, II, V2), 1 (II), or names of leads.
        target: ``superclasses`` (five labels, of which a record may have several) or ``normal`` (NORM or not).
        sample_rate: 100 or 500 Hz.
        limit: the first so many records of the database only; ``None`` for all that were fetched.
        folder: that holds ``ptbxl_database.csv``; ``None`` to look under the data folder.

    Returns:
        Data with features [N, 9] and raw signals [N, samples] a lead.

    Raises:
        MissingData: files of the data set are not here.
        ValueError: no record can be read, or an option is unknown.
    """
    names = ecg.chosen_leads(leads)
    check_option("target", target, TARGETS)
    if sample_rate not in COLUMNS:
        raise invalid("sample_rate is not known", "100 or 500 Hz", f"sample_rate={sample_rate!r}")
    home = find_folder("ptb_xl", FOLDERS, folder)
    limit = fetched(home).get("limit") if limit is None else limit
    rows, problems = _database(home, sample_rate, None if limit is None else check_int("limit", limit, 1))
    arrays, meta = cache.parsed(
        "ptb_xl", VERSION, _files(home, rows), {"rate": sample_rate}, lambda: _parse(home, rows, sample_rate)
    )
    problems += faults.from_rows(meta["problems"])
    faults.require_records("ptb_xl", len(arrays["row"]), problems, least=3)
    used = [rows[i] for i in arrays["row"]]
    data = _assemble(arrays, used, names, target, problems, seed, sample_rate)
    return standardise(data) if standardised else data


def _assemble(
    arrays: dict[str, np.ndarray],
    rows: list[dict[str, Any]],
    names: tuple[str, ...],
    target: str,
    problems: tuple[Problem, ...],
    seed: int,
    sample_rate: int,
) -> MultimodalData:
    which = [ecg.LEADS.index(lead) for lead in names]
    superclasses = np.array([row["labels"] for row in rows])
    folds = np.array([row["fold"] for row in rows])
    parts = {"train": folds <= 8, "validation": folds == 9, "test": folds == 10}
    normal = target == "normal"
    return MultimodalData(
        name="ptb_xl",
        title="PTB-XL electrocardiograms",
        features=tuple(arrays["features"][:, lead] for lead in which),
        raw=tuple(arrays["signals"][lead] for lead in which),
        raw_unit="mV",
        sample_rate=float(sample_rate),
        labels=superclasses[:, 0] if normal else superclasses,
        task="classification" if normal else "multilabel",
        split={part: np.flatnonzero(rows_of) for part, rows_of in parts.items()},
        modality_names=names,
        feature_names=tuple(tuple(f"{feature} of {lead}" for feature in ecg.FEATURES) for lead in names),
        units=(tuple(ecg.FEATURES.values()),) * len(names),
        class_names=("other", "NORM") if normal else SUPERCLASSES,
        sample_ids=np.array([row["id"] for row in rows]),
        groups=np.array([row["patient"] for row in rows]),
        source=SOURCE,
        licence="CC BY 4.0",
        seed=seed,
        notes=(
            "The split is the authors' patient-wise folds 1–8, 9 and 10, the same for every seed.",
            "NORM is by far the most frequent class; accuracy says little, macro AUC more.",
        ),
        problems=problems,
    )


def _database(home: Path, rate: int, limit: int | None) -> tuple[list[dict[str, Any]], tuple[Problem, ...]]:
    """Rows with a superclass, and the problems of those that cannot be understood."""
    classes = _diagnostic_classes(find_file("ptb_xl", home, ("scp_statements.csv",)))
    path = find_file("ptb_xl", home, ("ptbxl_database.csv",))
    lines = _records(path.read_text(encoding="utf-8-sig", errors="replace"))
    header = next(csv.reader(lines[:1]), [])
    needed = {"ecg_id", "patient_id", "scp_codes", "strat_fold", COLUMNS[rate]}
    lacking = sorted(needed - set(header))
    if lacking:
        raise invalid(f"{path.name} lacks columns", f"those of PTB-XL 1.0.3, among them {lacking}", "others")
    rows, problems = [], []
    for number, text in enumerate(lines[1 : None if limit is None else limit + 1], start=1):
        try:
            cells = next(csv.reader([text]), [])
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells instead of {len(header)}")
            row = _row(dict(zip(header, cells, strict=True)), classes, COLUMNS[rate])
        except (ValueError, SyntaxError, TypeError, csv.Error) as error:
            start = text.split(",")[0]
            problems.append(Problem(path.name, start if start.isdigit() else f"number {number}", _first_line(error)))
            continue
        if any(row["labels"]):
            rows.append(row)
    return rows, tuple(problems)


def _records(text: str) -> list[str]:
    """Lines, joined where a quoted cell has a line break; what looks like a new record always starts one."""
    records: list[str] = []
    for line in text.replace("\0", "").splitlines():
        if records and records[-1].count('"') % 2 and not _START.match(line):
            records[-1] += f" {line}"
        elif line.strip():
            records.append(line)
    return records


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _diagnostic_classes(path: Path) -> dict[str, str]:
    """Statement → superclass, of the statements that are diagnostic."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = list(reader.fieldnames or ())
        if not {"diagnostic", "diagnostic_class"} <= set(names):
            raise invalid(f"{path.name} is malformed", "columns diagnostic and diagnostic_class", "others")
        return {
            row[names[0]]: row["diagnostic_class"]
            for row in reader
            if row["diagnostic"] in {"1", "1.0"} and row["diagnostic_class"] in SUPERCLASSES
        }


def _row(line: dict[str, str], classes: dict[str, str], column: str) -> dict[str, Any]:
    codes = ast.literal_eval(line["scp_codes"])
    fold, file = int(float(line["strat_fold"])), line[column].strip()
    if not isinstance(codes, dict):
        raise ValueError("scp_codes are no dictionary")
    if not 1 <= fold <= 10:
        raise ValueError(f"strat_fold is {fold}, not 1 to 10")
    if not file or Path(file).is_absolute() or ".." in Path(file).parts:
        raise ValueError(f"{column} is {file!r}, not a file of the data set")
    found = {classes[code] for code in codes if code in classes}
    return {
        "id": int(line["ecg_id"]),
        "patient": int(float(line["patient_id"])),
        "fold": fold,
        "file": file,
        "labels": [int(name in found) for name in SUPERCLASSES],
    }


def _files(home: Path, rows: list[dict[str, Any]]) -> list[Path]:
    return [home / f"{row['file']}{end}" for row in rows for end in (".hea", ".dat")]


def _parse(home: Path, rows: list[dict[str, Any]], rate: int) -> cache.Parsed:
    """Signals [lead, record, sample] in mV and features [record, lead, 9] of the records that can be read."""
    good, problems = [], []
    signals = np.empty((len(ecg.LEADS), len(rows), 10 * rate), dtype=np.float32)
    for number, row in enumerate(rows):
        try:
            signals[:, len(good)] = _record(home / f"{row['file']}.hea", rate)
            good.append(number)
        except faults.BadRecord as error:
            file = str(Path(row["file"]).with_name(error.file)) if error.file else f"{row['file']}.hea"
            problems.append(Problem(file, str(row["id"]), error.fault))
    if not good:
        return {"row": np.array([], dtype=int)}, {"problems": faults.as_rows(problems)}
    signals = signals[:, : len(good)]
    features = np.stack([ecg.summary(lead) for lead in signals], axis=1)
    arrays = {"row": np.array(good), "signals": signals, "features": features}
    return arrays, {"problems": faults.as_rows(problems)}


def _record(path: Path, rate: int) -> np.ndarray:
    """[lead, sample] in mV, float32, leads in the order of `ecg.LEADS`."""
    header = wfdb.read_header(path)
    order = {ecg.canonical(name): i for i, name in enumerate(header.names)}
    lacking = [lead for lead in ecg.LEADS if lead not in order]
    if lacking:
        raise faults.BadRecord(f"lead {lacking[0]} is missing", path.name)
    if (header.sample_rate, header.n_samples) != (rate, 10 * rate):
        found = f"{header.n_samples} samples at {header.sample_rate:g} Hz"
        raise faults.BadRecord(f"{found} instead of {10 * rate} at {rate} Hz", path.name)
    samples = (wfdb.read_samples(path, header) - header.baselines) / header.gains
    return samples.T[[order[lead] for lead in ecg.LEADS]].astype(np.float32)

"""CMU-MOSI: opinions spoken to a camera; words, voice and face are the modalities, positive or negative the class.

Two layouts are read: the CSV files of the bc-LSTM repository (one folder a modality), and one ``.npz`` with
``{text,audio,video,y,idx}_{train,test}``. Both come with ``transcripts.csv``, which says whose each utterance is.
"""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

import numpy as np

from qfl_explore.datasets import cache, faults, tables
from qfl_explore.datasets.base import MultimodalData, Problem, standardise
from qfl_explore.datasets.places import find_file, find_folder, missing
from qfl_explore.errors import check_int, invalid

FOLDERS = ("cmu_mosi", "cmu-mosi", "mosi", "mosi_features")
MODALITIES = ("text", "audio", "video")
VERSION = 1
#: Share of the training videos that are kept for validation.
HELD = 0.2


def load(seed: int = 0, standardised: bool = True, folder: str | Path | None = None) -> MultimodalData:
    """2199 utterances of 93 videos as vectors of words, voice and face; the test videos are the authors'.

    A fifth of the training videos is for validation, so that no speaker is in two parts.

    Args:
        seed: of the choice of the validation videos.
        standardised: whether to standardise with the training part's mean and spread.
        folder: that holds the files; ``None`` to look under the data folder.

    Returns:
        Data with features of 100 (text), 73 (audio) and 100 (video) numbers; the class ``positive`` is 1.

    Raises:
        MissingData: the files are not here.
        ValueError: they are damaged, or do not belong together.
    """
    home = find_folder("cmu_mosi", FOLDERS, folder)
    archives = sorted(home.glob("*.npz"))
    transcripts = find_file("cmu_mosi", home, ("transcripts.csv", "data/transcripts.csv"))
    files = archives[:1] or _csv_files(transcripts.parent)
    read = (lambda: _from_npz(archives[0])) if archives else (lambda: _from_csv(transcripts.parent))
    arrays, meta = cache.parsed("cmu_mosi", VERSION, files, {}, read)
    problems = faults.from_rows(meta["problems"])
    faults.require_records("cmu_mosi", len(arrays["label"]), problems, least=20)
    ids, videos = _utterances(transcripts, arrays["place"], arrays["label"])
    data = MultimodalData(
        name="cmu_mosi",
        title="CMU-MOSI opinions",
        features=tuple(arrays[modality] for modality in MODALITIES),
        labels=arrays["label"].astype(int),
        split=_split(arrays["test"], videos, seed),
        modality_names=MODALITIES,
        feature_names=tuple(tuple(f"{m} {i + 1}" for i in range(arrays[m].shape[1])) for m in MODALITIES),
        units=tuple(("not given",) * arrays[m].shape[1] for m in MODALITIES),
        class_names=("negative", "positive"),
        sample_ids=ids,
        groups=videos,
        source="A. Zadeh, R. Zellers, E. Pincus, L.-P. Morency: MOSI, arXiv:1606.06259; features of S. Poria et al., "
        "Context-Dependent Sentiment Analysis in User-Generated Videos, ACL 2017",
        licence="research use; cite the authors",
        seed=seed,
        notes=("The features are those of Poria et al., made by their own networks, not by this package.",),
        problems=problems,
    )
    return standardise(data) if standardised else data


def _split(is_test: np.ndarray, videos: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(check_int("seed", seed, 0))
    of_training = np.unique(videos[~is_test])
    held = rng.permutation(of_training)[: max(1, round(HELD * len(of_training)))]
    validation = ~is_test & np.isin(videos, held)
    parts = {"train": ~is_test & ~validation, "validation": validation, "test": is_test}
    return {part: np.flatnonzero(rows) for part, rows in parts.items()}


def _utterances(path: Path, places: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids of the utterances and of their videos, by the utterances' places in the list of transcripts."""
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [next(csv.reader([line])) for line in text.splitlines() if line.strip()]
    if len(places) and places.max() >= len(lines):
        raise invalid(f"{path.name} is too short", f"{places.max() + 1} or more utterances", f"{len(lines)}")
    chosen = [lines[place] for place in places]
    for line, label in zip(chosen, labels, strict=True):
        if line[-1].strip() in {"0", "1"} and int(line[-1]) != label:
            expected = f"the class of the features, {int(label)}"
            raise invalid(f"{path.name} and the features do not belong together", expected, f"{line[-1]} of {line[0]}")
    ids = [line[0].strip() for line in chosen]
    return np.array(ids), np.array([name.rsplit("_", 1)[0] for name in ids])


def _from_npz(path: Path) -> cache.Parsed:
    arrays: dict[str, np.ndarray] = {}
    try:
        with np.load(path, allow_pickle=False) as stored:
            for name, key in (*zip(MODALITIES, MODALITIES, strict=True), ("label", "y"), ("place", "idx")):
                arrays[name] = np.concatenate([stored[f"{key}_{part}"] for part in ("train", "test")])
            n_train = len(stored["y_train"])
    except (OSError, KeyError, ValueError, EOFError, zlib.error) as error:
        expected = "arrays text, audio, video, y and idx, each _train and _test"
        raise invalid(f"{path.name} cannot be read", expected, f"{error}") from None
    arrays["test"] = np.arange(len(arrays["label"])) >= n_train
    return _without_bad(arrays, path.name, [])


def _csv_files(home: Path) -> list[Path]:
    lists = [home / f"text_{part}.csv" for part in ("train", "test")]
    return lists + [home / m / f"{m}_{part}0.csv" for m in MODALITIES for part in ("train", "test")]


def _from_csv(home: Path) -> cache.Parsed:
    """Each row has a modality's features and the class; the k-th rows of all files are one utterance."""
    absent = [path for path in _csv_files(home) if not path.is_file()]
    if absent:
        raise missing("cmu_mosi", f"{absent[0]} (or one .npz)", "no such file")
    problems: list[Problem] = []
    parts = []
    for part in ("train", "test"):
        columns = {"place": _numbers(home / f"text_{part}.csv", problems)[:, 0]}
        for modality in MODALITIES:
            values = _numbers(home / modality / f"{modality}_{part}0.csv", problems)
            columns[modality], columns[f"label of {modality}"] = values[:, :-1], values[:, -1]
        lengths = {name: len(array) for name, array in columns.items()}
        if len(set(lengths.values())) > 1:
            raise invalid(f"files of the {part} part disagree", "as many utterances in each", f"{lengths}")
        columns["test"] = np.full(len(columns["place"]), part == "test")
        parts.append(columns)
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    arrays["label"] = arrays.pop("label of text")
    for modality in MODALITIES[1:]:
        other = arrays.pop(f"label of {modality}")
        arrays["label"] = np.where(arrays["label"] == other, other, np.nan)
    return _without_bad(arrays, "text, audio and video", problems)


def _numbers(path: Path, problems: list[Problem]) -> np.ndarray:
    _, values, found = tables.read_numbers(path, header=False, at=f"{path.parent.name}/{path.name}")
    problems += found
    return values


def _without_bad(arrays: dict[str, np.ndarray], name: str, problems: list[Problem]) -> cache.Parsed:
    """Leaves out utterances of which a number is missing or whose class is neither 0 nor 1."""
    finite = np.ones(len(arrays["label"]), dtype=bool)
    for key in (*MODALITIES, "place"):
        finite &= np.isfinite(arrays[key].reshape(len(finite), -1)).all(axis=1)
    known = np.isin(arrays["label"], (0, 1))
    for row in np.flatnonzero(~(finite & known)):
        fault = "a number is missing" if not finite[row] else "no class 0 or 1, or files disagree on it"
        problems.append(Problem(name, f"utterance {row + 1}", fault))
    good = np.flatnonzero(finite & known)
    kept = {key: array[good] for key, array in arrays.items()}
    kept.update({m: kept[m].astype(np.float32) for m in MODALITIES}, place=kept["place"].astype(int))
    return kept, {"problems": faults.as_rows(problems)}

"""Fashion-MNIST: images of ten kinds of clothes in the authors' idx files. A piece of the image is a modality."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from qfl_explore.datasets import images
from qfl_explore.datasets.base import MultimodalData, standardise
from qfl_explore.datasets.places import find_file, find_folder
from qfl_explore.errors import check_int, invalid

FOLDERS = ("fashion_mnist", "fashion-mnist", "FashionMNIST")
PREFIX = {"train": "train", "test": "t10k"}
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
#: Code of unsigned bytes in the idx form.
UNSIGNED_BYTE = 8


def load(
    seed: int = 0,
    standardised: bool = True,
    pieces: int = 4,
    limit: int | None = None,
    folder: str | Path | None = None,
) -> MultimodalData:
    """Clothes with the official test part; a sixth of the official training part is for validation.

    Args:
        seed: of the choice of the validation part.
        standardised: whether to standardise with the training part's mean and spread.
        pieces: 4 (quarters), 2 (halves) or 16, each a modality.
        limit: the first so many images of the official training part only.
        folder: that holds the four idx files, packed or not; ``None`` to look under the data folder.

    Returns:
        Data with features [N, pixels] a piece, and the pieces as ``raw``.

    Raises:
        MissingData: files are not here.
        ValueError: a file is damaged, or images and labels disagree.
    """
    home = find_folder("fashion_mnist", FOLDERS, folder)
    archives = sorted(home.glob("*.npz"))
    read = (lambda part: _from_npz(archives[0], part)) if archives else (lambda part: _from_idx(home, part))
    (x_train, y_train), (x_test, y_test) = read("train"), read("test")
    if limit is not None:
        limit = check_int("limit", limit, 60, len(x_train))
        x_train, y_train = x_train[:limit], y_train[:limit]
    names, parts = images.cut(np.concatenate([x_train, x_test]), pieces)
    n_train = len(x_train)
    data = MultimodalData(
        name="fashion_mnist",
        title="Fashion-MNIST",
        features=tuple(images.flat(part).astype(np.float32) for part in parts),
        raw=parts,
        raw_unit="grey level, 0 to 255",
        labels=np.concatenate([y_train, y_test]).astype(int),
        split={**_validation(y_train, seed), "test": np.arange(n_train, n_train + len(x_test))},
        modality_names=names,
        feature_names=tuple(images.pixel_names(part) for part in parts),
        units=tuple(("grey level",) * images.flat(part).shape[1] for part in parts),
        class_names=CLASSES,
        source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv:1708.07747",
        licence="MIT",
        seed=seed,
        notes=("The test part is the authors'; the pieces of one image as modalities are our construction.",),
    )
    return standardise(data) if standardised else data


def _validation(labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """A sixth of each class for validation."""
    rng = np.random.default_rng(check_int("seed", seed, 0))
    held = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        held.append(rng.permutation(rows)[: max(1, len(rows) // 6)])
    validation = np.sort(np.concatenate(held))
    return {"train": np.setdiff1d(np.arange(len(labels)), validation), "validation": validation}


def _from_npz(path: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            pictures, labels = stored[f"x_{part}"], stored[f"y_{part}"]
    except (OSError, KeyError, ValueError, EOFError, zlib.error) as error:
        raise invalid(f"{path.name} cannot be read", "arrays x_train, y_train, x_test, y_test", f"{error}") from None
    return _agree(path.name, pictures, labels)


def _from_idx(home: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    stem = PREFIX[part]
    found = [
        find_file("fashion_mnist", home, (f"{stem}-{kind}-ubyte.gz", f"{stem}-{kind}-ubyte"))
        for kind in ("images-idx3", "labels-idx1")
    ]
    return _agree(found[0].name, read_idx(found[0], 3), read_idx(found[1], 1))


def _agree(name: str, pictures: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if pictures.shape != (len(labels), 28, 28):
        expected = f"{len(labels)} images of 28 × 28, one a label"
        raise invalid(f"images and labels disagree in {name}", expected, f"{pictures.shape}")
    if len(labels) and labels.max() >= len(CLASSES):
        row = int(labels.argmax())
        raise invalid(f"a label beside {name} is unknown", "0 to 9", f"{labels[row]} of record {row}")
    return pictures, labels


def read_idx(path: Path, n_axes: int) -> np.ndarray:
    """Reads an idx file of unsigned bytes.

    Args:
        path: packed (.gz) or not.
        n_axes: that it must have.

    Raises:
        ValueError: the file is damaged, or of another form; the byte counts are named.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise invalid(f"{path.name} is damaged", "a complete gzip file", f"{error}") from None
    start = 4 + 4 * n_axes
    if len(raw) < start or raw[:4] != bytes([0, 0, UNSIGNED_BYTE, n_axes]):
        raise invalid(f"{path.name} has the wrong form", f"idx of bytes with {n_axes} axes", f"it begins {raw[:4]!r}")
    shape = tuple(int(size) for size in np.frombuffer(raw, ">i4", n_axes, 4))
    if len(raw) - start != np.prod(shape):
        raise invalid(f"{path.name} has the wrong length", f"{np.prod(shape)} bytes of data", f"{len(raw) - start}")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)

"""Fewer modalities or fewer training samples of the same data, for ablations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from qfl_explore.datasets.base import MultimodalData
from qfl_explore.datasets.checks import PARTS
from qfl_explore.errors import check_int, check_option, invalid


def choose_modalities(data: MultimodalData, chosen: Sequence[str | int]) -> MultimodalData:
    """The same samples with some of the modalities, in the order given; labels and split stay.

    Args:
        data: with all modalities.
        chosen: names or indices, none twice.

    Returns:
        New data with M = len(chosen).

    Raises:
        ValueError: a name is unknown, an index is out of range, one comes twice, or none is given.
    """
    which = [_index(data, entry) for entry in chosen]
    if not which or len(set(which)) < len(which):
        raise invalid("modalities cannot be chosen", "one or more, each once", f"{list(chosen)}")
    changes = {
        name: tuple(getattr(data, name)[i] for i in which)
        for name in ("features", "modality_names", "feature_names", "units", "centres", "scales", "raw")
        if getattr(data, name) is not None
    }
    if data.graph is not None:
        changes["graph"] = data.graph[np.ix_(which, which)]
    if data.positions is not None:
        changes["positions"] = data.positions[which]
    return dataclasses.replace(data, **changes)


def _index(data: MultimodalData, entry: str | int) -> int:
    if isinstance(entry, str):
        return data.modality_names.index(check_option("modality", entry, data.modality_names))
    return check_int("modality", entry, 0, data.n_modalities - 1)


def few_shot(data: MultimodalData, n_train: int, seed: int = 0) -> MultimodalData:
    """Keeps ``n_train`` samples of the training part, drawn by class where there are classes.

    Validation and test parts stay whole, so that scores of different sizes compare. What is
    standardised already keeps the numbers of the whole training part: standardise afterwards.

    Args:
        data: not yet standardised, so that the spread of the kept samples is used.
        n_train: how many; at least one a class.
        seed: of the draw.

    Returns:
        New data without the other training samples.

    Raises:
        ValueError: ``n_train`` is out of range, or the data are standardised.
    """
    if data.is_standardised:
        expected = "data as measured: load(…, standardised=False)"
        raise invalid("few_shot needs data before standardisation", expected, "standardised data")
    rows = data.split["train"]
    least = data.n_classes if data.task == "classification" else 1
    n_train = check_int("n_train", n_train, least, len(rows))
    rng = np.random.default_rng(check_int("seed", seed, 0))
    kept = rng.permutation(rows)
    if data.task == "classification":
        kept = _round_robin(kept, data.labels[kept])
    return keep_rows(data, {**data.split, "train": kept[:n_train]})


def _round_robin(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Order in which every start of the list has about the shares that the classes have in all."""
    share = np.empty(len(rows))
    for label in np.unique(labels):
        of = np.flatnonzero(labels == label)
        share[of] = np.arange(len(of)) / len(of)
    return rows[np.argsort(share, kind="stable")]


def keep_rows(data: MultimodalData, split: dict[str, np.ndarray]) -> MultimodalData:
    """Keeps the samples that a new split names, in their old order.

    Args:
        data: with all samples.
        split: indices into ``data`` by part.

    Returns:
        New data whose split counts anew.
    """
    kept = np.sort(np.concatenate([np.asarray(split[part]) for part in PARTS]))
    changes = {
        name: tuple(array[kept] for array in getattr(data, name))
        for name in ("features", "raw")
        if getattr(data, name) is not None
    }
    for name in ("labels", "sample_ids", "groups"):
        if getattr(data, name) is not None:
            changes[name] = getattr(data, name)[kept]
    changes["split"] = {part: np.searchsorted(kept, np.sort(split[part])) for part in PARTS}
    return dataclasses.replace(data, **changes)

"""Checks of what a `MultimodalData` is made of; every message has three parts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from qfl_explore.errors import invalid

PARTS = ("train", "validation", "test")
TASKS = ("classification", "multilabel", "regression")


def frozen_copy(array: np.ndarray) -> np.ndarray:
    """A read-only array; copied only where the caller could still write into it."""
    base = array
    while base.base is not None and isinstance(base.base, np.ndarray):
        base = base.base
    if array.flags.writeable or base.flags.writeable:
        array = array.copy()
    array.setflags(write=False)
    return array


def checked_features(index: int, value: Any) -> np.ndarray:
    """Real, finite [N, d] of one modality as float64, or float32 where it came so."""
    array = np.asarray(value)
    what = f"features of modality {index}"
    if array.dtype.kind not in "fiu":
        raise invalid(f"{what} must be real numbers", "an array [N, d]", f"dtype {array.dtype}", TypeError)
    if array.ndim != 2 or 0 in array.shape:
        raise invalid(f"{what} have the wrong shape", "an array [N, d] with N and d of 1 or more", f"{array.shape}")
    array = frozen_copy(array if array.dtype in (np.float32, np.float64) else array.astype(np.float64))
    _check_finite(what, array)
    return array


def checked_raw(index: int, value: Any) -> np.ndarray:
    """Real, finite [N, …] of one modality in its own precision."""
    array = np.asarray(value)
    what = f"raw array of modality {index}"
    if array.dtype.kind not in "fiu":
        raise invalid(f"{what} must hold real numbers", "an array [N, …]", f"dtype {array.dtype}", TypeError)
    if array.ndim < 2 or 0 in array.shape:
        raise invalid(
            f"{what} has the wrong shape", "an array [N, …] of two or more axes, none empty", f"{array.shape}"
        )
    if array.dtype.kind == "f":
        _check_finite(what, array)
    return frozen_copy(array)


def _check_finite(what: str, array: np.ndarray) -> None:
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        place = f"row {where[0]}, column {where[1]}" if array.ndim == 2 else f"place {where}"
        raise invalid(f"{what} must be finite", "numbers without NaN or infinity", f"{array[where]} in {place}")


def checked_labels(value: Any, task: str, n_classes: int) -> np.ndarray:
    """Labels in the form that the task asks for, see `MultimodalData`."""
    least = 2 if task == "classification" else 1
    if n_classes < least:
        raise invalid("class_names is too short", f"{least} or more {_PLURAL[task]}", f"{n_classes}")
    labels = np.asarray(value)
    if task == "classification":
        labels = _checked_classes(labels, n_classes)
    else:
        labels = _checked_columns(labels, task, n_classes)
    labels.setflags(write=False)
    return labels


_PLURAL = {"classification": "classes", "multilabel": "labels", "regression": "targets"}


def _checked_classes(labels: np.ndarray, n_classes: int) -> np.ndarray:
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise invalid(
            "labels must be integers",
            "an integer array [N]",
            f"dtype {labels.dtype}, shape {labels.shape}",
            TypeError,
        )
    if len(labels) and (labels.min() < 0 or labels.max() >= n_classes):
        raise invalid(
            "labels do not fit class_names",
            f"integers from 0 to {n_classes - 1}",
            f"integers from {labels.min()} to {labels.max()}",
        )
    return labels.astype(np.int64)


def _checked_columns(labels: np.ndarray, task: str, n_columns: int) -> np.ndarray:
    kinds = "biu" if task == "multilabel" else "fiu"
    if labels.dtype.kind not in kinds:
        expected = "integers 0 and 1" if task == "multilabel" else "real numbers"
        raise invalid(f"labels of a {task} task have the wrong kind", expected, f"dtype {labels.dtype}", TypeError)
    if labels.ndim != 2 or labels.shape[1] != n_columns:
        expected = f"[N, {n_columns}], one column for each of class_names"
        raise invalid(f"labels of a {task} task have the wrong shape", expected, f"{labels.shape}")
    if task == "multilabel":
        if labels.size and not np.isin(labels, (0, 1)).all():
            raise invalid("labels of a multilabel task are out of range", "0 or 1", f"up to {labels.max()}")
        return labels.astype(np.int64)
    if np.isinf(labels).any():
        raise invalid("labels of a regression task must not be infinite", "numbers, or NaN where missing", "infinity")
    return labels.astype(np.float64)


def checked_split(split: Mapping[str, Any], n_samples: int) -> Mapping[str, np.ndarray]:
    """Read-only indices by part: none empty, disjoint, together all samples."""
    if set(split) != set(PARTS):
        received = ", ".join(map(repr, split)) or "none"
        raise invalid("split has the wrong parts", "train, validation and test", received)
    rows = {part: np.array(split[part], dtype=np.int64) for part in PARTS}
    empty = [part for part in PARTS if not len(rows[part])]
    if empty:
        raise invalid("a part of the split is empty", "samples in every part", f"no sample in {empty[0]!r}")
    together = np.sort(np.concatenate(list(rows.values())))
    if not np.array_equal(together, np.arange(n_samples)):
        raise invalid(
            "split is not a partition of the samples",
            f"each of the {n_samples} samples in exactly one part",
            f"{len(together)} indices, {len(np.unique(together))} of them different, "
            f"from {together[0]} to {together[-1]}",
        )
    for array in rows.values():
        array.setflags(write=False)
    return MappingProxyType(rows)


def checked_groups(groups: Any, split: Mapping[str, np.ndarray], n_samples: int) -> np.ndarray:
    """Whose each sample is; nobody's samples may lie in two parts."""
    groups = np.asarray(groups)
    if groups.shape != (n_samples,):
        raise invalid("groups have the wrong shape", f"one entry for each of {n_samples} samples", f"{groups.shape}")
    seen: dict[Any, str] = {}
    for part, rows in split.items():
        for group in np.unique(groups[rows]).tolist():
            if seen.setdefault(group, part) != part:
                raise invalid(
                    "a group lies in two parts of the split",
                    "all samples of one patient, speaker or video in the same part",
                    f"group {group!r} in {seen[group]!r} and {part!r}",
                )
    return frozen_copy(groups)


def checked_graph(graph: Any, n_modalities: int) -> np.ndarray:
    """[M, M] finite weights of 0 or more."""
    graph = np.asarray(graph, dtype=np.float64)
    if graph.shape != (n_modalities, n_modalities):
        raise invalid("graph has the wrong shape", f"[M, M] = [{n_modalities}, {n_modalities}]", f"{graph.shape}")
    if not np.isfinite(graph).all() or graph.min() < 0:
        raise invalid("graph has unusable weights", "finite numbers of 0 or more", f"a weight of {graph.min()}")
    return frozen_copy(graph)

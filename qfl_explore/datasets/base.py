"""Multimodal data: one feature array a modality, labels, and the three parts of a split."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from qfl_explore.errors import check_int, check_option, invalid

PARTS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class MultimodalData:
    """A labelled data set whose features come from M modalities. Arrays are read-only.

    Args:
        name: short name, as the registry knows it.
        title: the name that a page shows.
        features: one float array [N, d_m] a modality; finite.
        labels: [N], the class of each sample, 0 … n_classes - 1.
        split: sample indices of ``train``, ``validation`` and ``test``: none empty, disjoint,
            together all samples.
        modality_names: one a modality.
        feature_names: for each modality its d_m names.
        units: for each modality its d_m units, as measured (before any standardisation).
        class_names: one a class; the last is the positive one where there are two.
        source: where the data come from.
        licence: under which terms.
        seed: of the split; 0 or more.
        centres: for each modality the d_m means that standardisation took away, or ``None``.
        scales: for each modality the d_m standard deviations it divided by, or ``None``.

    Raises:
        ValueError: lengths disagree, a number is not finite, or the split is no partition.
        TypeError: features or labels are not numbers of the right kind.
    """

    name: str
    title: str
    features: tuple[np.ndarray, ...]
    labels: np.ndarray
    split: Mapping[str, np.ndarray]
    modality_names: tuple[str, ...]
    feature_names: tuple[tuple[str, ...], ...]
    units: tuple[tuple[str, ...], ...]
    class_names: tuple[str, ...]
    source: str
    licence: str
    seed: int = 0
    centres: tuple[np.ndarray, ...] | None = None
    scales: tuple[np.ndarray, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_int("seed", self.seed, 0))
        features = tuple(_checked_features(i, array) for i, array in enumerate(self.features))
        if not features:
            raise invalid("features are empty", "one array [N, d] for each modality", "no array")
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "labels", _checked_labels(self.labels, len(self.class_names)))
        self._check_lengths()
        object.__setattr__(self, "split", _checked_split(self.split, self.n_samples))

    def _check_lengths(self) -> None:
        lengths = [len(array) for array in self.features]
        if any(length != self.n_samples for length in lengths):
            raise invalid(
                "modalities and labels disagree on the number of samples",
                f"{self.n_samples} rows in every modality, as there are labels",
                f"rows of the modalities: {lengths}",
            )
        for name in ("modality_names", "feature_names", "units"):
            if len(getattr(self, name)) != self.n_modalities:
                raise invalid(
                    f"{name} has the wrong length",
                    f"one entry for each of {self.n_modalities} modalities",
                    f"{len(getattr(self, name))} entries",
                )
        for name in ("feature_names", "units"):
            got = tuple(len(entry) for entry in getattr(self, name))
            if got != self.n_measures:
                raise invalid(
                    f"{name} does not fit the features",
                    f"{self.n_measures} entries, by modality",
                    f"{got} entries",
                )

    @property
    def n_samples(self) -> int:
        """N, samples in all parts together."""
        return len(self.labels)

    @property
    def n_modalities(self) -> int:
        """M."""
        return len(self.features)

    @property
    def n_measures(self) -> tuple[int, ...]:
        """(d_1, …, d_M): how many raw features each modality has."""
        return tuple(array.shape[1] for array in self.features)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def is_standardised(self) -> bool:
        """Whether `standardise` has been applied."""
        return self.scales is not None

    def part(self, name: str) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Features and labels of one part.

        Args:
            name: ``train``, ``validation`` or ``test``.

        Returns:
            A tuple of M arrays [n, d_m], and labels [n].
        """
        rows = self.split[check_option("part", name, PARTS)]
        return tuple(array[rows] for array in self.features), self.labels[rows]

    def counts(self) -> dict[str, dict[str, int]]:
        """For each part, how many samples each class has."""
        return {
            part: {label: int(np.sum(self.labels[rows] == index)) for index, label in enumerate(self.class_names)}
            for part, rows in self.split.items()
        }


def standardise(data: MultimodalData) -> MultimodalData:
    """Shifts and scales every feature to mean 0 and standard deviation 1 over the *training* part.

    Validation and test samples are moved by the training part's numbers, so nothing of them
    leaks into the model. A feature that is constant in the training part is only shifted.

    Args:
        data: not yet standardised.

    Returns:
        New data with ``centres`` and ``scales`` set.

    Raises:
        ValueError: the data are standardised already.
    """
    if data.is_standardised:
        raise invalid(
            "data are standardised already",
            "data as measured",
            f"{data.name!r} with scales set",
        )
    rows = data.split["train"]
    centres = tuple(array[rows].mean(axis=0) for array in data.features)
    spreads = (array[rows].std(axis=0) for array in data.features)
    scales = tuple(np.where(spread > 0, spread, 1.0) for spread in spreads)
    features = tuple(
        (array - centre) / scale for array, centre, scale in zip(data.features, centres, scales, strict=True)
    )
    return dataclasses.replace(data, features=features, centres=centres, scales=scales)


def stratified_split(
    labels: Sequence[int] | np.ndarray,
    seed: int = 0,
    fractions: tuple[float, float] = (0.2, 0.2),
) -> dict[str, np.ndarray]:
    """Splits samples into train, validation and test so that each part has the classes' shares.

    Sizes depend on the class counts only, never on the seed.

    Args:
        labels: [N], integer classes.
        seed: of the draw; 0 or more.
        fractions: shares of validation and of test, each in (0, 1), together below 1.

    Returns:
        Sorted sample indices by part.

    Raises:
        ValueError: a fraction is out of range, or a class is too small to be in every part.
    """
    labels = np.asarray(labels)
    if len(fractions) != 2 or not all(0 < share < 1 for share in fractions) or sum(fractions) >= 1:
        raise invalid(
            "fractions are out of range",
            "two shares in (0, 1) that leave some for training",
            f"{fractions}",
        )
    rng = np.random.default_rng(check_int("seed", seed, 0))
    parts: dict[str, list[np.ndarray]] = {part: [] for part in PARTS}
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        n_validation, n_test = (round(share * len(rows)) for share in fractions)
        if min(n_validation, n_test, len(rows) - n_validation - n_test) < 1:
            raise invalid(
                f"class {label} is too small to split",
                "enough samples for one in each of train, validation and test",
                f"{len(rows)} samples with fractions={fractions}",
            )
        parts["test"].append(rows[:n_test])
        parts["validation"].append(rows[n_test : n_test + n_validation])
        parts["train"].append(rows[n_test + n_validation :])
    return {part: np.sort(np.concatenate(rows)) for part, rows in parts.items()}


def _checked_features(index: int, value: Any) -> np.ndarray:
    array = np.asarray(value)
    what = f"features of modality {index}"
    if array.dtype.kind not in "fiu":
        raise invalid(
            f"{what} must be real numbers",
            "an array [N, d]",
            f"dtype {array.dtype}",
            TypeError,
        )
    if array.ndim != 2 or 0 in array.shape:
        raise invalid(
            f"{what} have the wrong shape",
            "an array [N, d] with N and d of 1 or more",
            f"{array.shape}",
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise invalid(
            f"{what} must be finite",
            "numbers without NaN or infinity",
            f"{array[row, column]} in row {row}, column {column}",
        )
    array.setflags(write=False)
    return array


def _checked_labels(value: Any, n_classes: int) -> np.ndarray:
    labels = np.asarray(value)
    if n_classes < 2:
        raise invalid("class_names is too short", "2 or more classes", f"{n_classes}")
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
    labels = labels.astype(np.int64)
    labels.setflags(write=False)
    return labels


def _checked_split(split: Mapping[str, Any], n_samples: int) -> Mapping[str, np.ndarray]:
    if set(split) != set(PARTS):
        raise invalid(
            "split has the wrong parts",
            "train, validation and test",
            ", ".join(map(repr, split)) or "none",
        )
    rows = {part: np.array(split[part], dtype=np.int64) for part in PARTS}
    empty = [part for part in PARTS if not len(rows[part])]
    if empty:
        raise invalid(
            "a part of the split is empty",
            "samples in every part",
            f"no sample in {empty[0]!r}",
        )
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

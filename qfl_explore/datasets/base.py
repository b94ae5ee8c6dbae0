"""Multimodal data: one feature array a modality, labels, and the three parts of a split."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from qfl_explore.datasets import checks
from qfl_explore.datasets.checks import PARTS, TASKS
from qfl_explore.errors import check_int, check_option, invalid


@dataclasses.dataclass(frozen=True)
class Problem:
    """One record that a loader left out, and why.

    Attributes:
        file: relative to the data set's folder.
        record: which record in it.
        fault: what is wrong with it.
    """

    file: str
    record: str
    fault: str

    def __str__(self) -> str:
        return f"{self.file}, record {self.record}: {self.fault}"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class MultimodalData:
    """A labelled data set whose features come from M modalities. Arrays are read-only.

    Every data set has ``features``, small vectors that any model can take. Where samples are signals or
    images, ``raw`` has them as measured, for encoders and drawings.

    Args:
        name: short name, as the registry knows it.
        title: the name that a page shows.
        features: one float array [N, d_m] a modality; finite.
        labels: ``classification``: [N] integers, 0 … n_classes - 1. ``multilabel``: [N, n_classes] of 0 and 1.
            ``regression``: [N, n_classes] floats, NaN where the target is missing.
        split: sample indices of ``train``, ``validation`` and ``test``: none empty, disjoint,
            together all samples.
        modality_names: one a modality.
        feature_names: for each modality its d_m names.
        units: for each modality its d_m units, as measured (before any standardisation).
        class_names: one a class, label or target; the last is the positive one where there are two classes.
        source: where the data come from.
        licence: under which terms.
        seed: of the split; 0 or more.
        centres: for each modality the d_m means that standardisation took away, or ``None``.
        scales: for each modality the d_m standard deviations it divided by, or ``None``.
        task: ``classification``, ``multilabel`` or ``regression``.
        label_unit: of the targets of a regression.
        raw: one array [N, …] a modality, as measured, in any number format; or ``None``.
        raw_unit: of the raw arrays.
        sample_rate: of the raw arrays along axis 1, in hertz, or ``None``.
        sample_ids: [N], what the source calls each sample.
        groups: [N], whose each sample is (patient, speaker, video); nobody may be in two parts.
        graph: [M, M], weights of 0 or more between the modalities, or ``None`` (complete).
        positions: [M, 2], latitude and longitude in degrees, or ``None``.
        synthetic: whether the numbers were computed and not measured; every view of them says so.
        notes: what a reader must know, one sentence each.
        problems: records that were left out.

    Raises:
        ValueError: lengths disagree, a number is not finite, the split is no partition, or a group is in two parts.
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
    task: str = "classification"
    label_unit: str = ""
    raw: tuple[np.ndarray, ...] | None = None
    raw_unit: str = ""
    sample_rate: float | None = None
    sample_ids: np.ndarray | None = None
    groups: np.ndarray | None = None
    graph: np.ndarray | None = None
    positions: np.ndarray | None = None
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        parts = ", ".join(f"{part} {len(rows)}" for part, rows in self.split.items())
        size = f"{self.n_samples} samples, {self.n_modalities} modalities"
        return f"MultimodalData({self.name!r}: {size}, {self.task}; {parts})"

    def __post_init__(self) -> None:
        self._set("seed", check_int("seed", self.seed, 0))
        check_option("task", self.task, TASKS)
        features = tuple(checks.checked_features(i, array) for i, array in enumerate(self.features))
        if not features:
            raise invalid("features are empty", "one array [N, d] for each modality", "no array")
        self._set("features", features)
        self._set("labels", checks.checked_labels(self.labels, self.task, len(self.class_names)))
        if self.raw is not None:
            self._set("raw", tuple(checks.checked_raw(i, array) for i, array in enumerate(self.raw)))
        self._check_lengths()
        self._set("split", checks.checked_split(self.split, self.n_samples))
        self._check_extras()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_extras(self) -> None:
        if self.groups is not None:
            self._set("groups", checks.checked_groups(self.groups, self.split, self.n_samples))
        if self.graph is not None:
            self._set("graph", checks.checked_graph(self.graph, self.n_modalities))
        for name, shape in (("sample_ids", (self.n_samples,)), ("positions", (self.n_modalities, 2))):
            value = getattr(self, name)
            if value is None:
                continue
            value = np.asarray(value)
            if value.shape != shape:
                raise invalid(f"{name} have the wrong shape", f"{list(shape)}", f"{list(value.shape)}")
            self._set(name, checks.frozen_copy(value))

    def _check_lengths(self) -> None:
        lengths = [len(array) for array in (*self.features, *(self.raw or ()))]
        if any(length != self.n_samples for length in lengths):
            raise invalid(
                "modalities and labels disagree on the number of samples",
                f"{self.n_samples} rows in every modality, as there are labels",
                f"rows of the modalities: {lengths}",
            )
        for name in ("modality_names", "feature_names", "units", *(("raw",) if self.raw is not None else ())):
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
        """Number of classes, labels or targets."""
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
        """For each part, how many samples each class or label has; of a regression, how many targets are known."""
        return {part: self._count(self.labels[rows]) for part, rows in self.split.items()}

    def _count(self, labels: np.ndarray) -> dict[str, int]:
        if self.task == "classification":
            numbers = np.bincount(labels, minlength=self.n_classes)
        elif self.task == "multilabel":
            numbers = labels.sum(axis=0)
        else:
            numbers = np.isfinite(labels).sum(axis=0)
        return dict(zip(self.class_names, numbers.tolist(), strict=True))


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
    centres = tuple(array[rows].mean(axis=0, dtype=np.float64) for array in data.features)
    spreads = (array[rows].std(axis=0, dtype=np.float64) for array in data.features)
    scales = tuple(np.where(spread > 0, spread, 1.0) for spread in spreads)
    features = tuple(
        ((array - centre) / scale).astype(array.dtype, copy=False)
        for array, centre, scale in zip(data.features, centres, scales, strict=True)
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

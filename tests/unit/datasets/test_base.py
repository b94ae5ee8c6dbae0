"""MultimodalData, the split and the standardisation."""

import dataclasses

import numpy as np
import pytest

from qfl_explore.datasets import MultimodalData, standardise, stratified_split


def make(**changes):
    rng = np.random.default_rng(0)
    settings = {
        "name": "toy",
        "title": "Toy",
        "features": (rng.normal(3.0, 2.0, (10, 2)), rng.normal(size=(10, 1))),
        "labels": np.array([0, 1] * 5),
        "split": {"train": range(6), "validation": [6, 7], "test": [8, 9]},
        "modality_names": ("a", "b"),
        "feature_names": (("p", "q"), ("r",)),
        "units": (("m", "s"), ("1",)),
        "class_names": ("no", "yes"),
        "source": "made here",
        "licence": "CC0",
    }
    return MultimodalData(**(settings | changes))


def test_shapes_and_parts():
    data = make()
    assert (data.n_samples, data.n_modalities, data.n_measures, data.n_classes) == (
        10,
        2,
        (2, 1),
        2,
    )
    features, labels = data.part("validation")
    assert [array.shape for array in features] == [(2, 2), (2, 1)]
    np.testing.assert_array_equal(labels, [0, 1])
    assert data.counts()["train"] == {"no": 3, "yes": 3}


def test_is_frozen():
    data = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.name = "other"
    for array in (data.features[0], data.labels, data.split["train"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(TypeError):
        data.split["train"] = np.arange(3)


def test_the_caller_keeps_a_writeable_array():
    array = np.ones((10, 2))
    make(features=(array, np.ones((10, 1))))
    array[0, 0] = 5.0


def nan_features():
    array = np.zeros((10, 2))
    array[4, 1] = np.nan
    return (array, np.ones((10, 1)))


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (
            {"features": ()},
            ValueError,
            "features are empty. Expected: .* Received: no array",
        ),
        (
            {"features": nan_features()},
            ValueError,
            "modality 0 must be finite.*nan in row 4, column 1",
        ),
        (
            {"features": (np.ones(10), np.ones((10, 1)))},
            ValueError,
            "modality 0 have the wrong shape",
        ),
        (
            {"features": (np.full((10, 2), "x"), np.ones((10, 1)))},
            TypeError,
            "modality 0 must be real numbers",
        ),
        (
            {"features": (np.ones((9, 2)), np.ones((10, 1)))},
            ValueError,
            r"disagree.*\[9, 10\]",
        ),
        (
            {"labels": np.array([0, 2] * 5)},
            ValueError,
            "integers from 0 to 1. Received: integers from 0 to 2",
        ),
        ({"labels": np.array([0.0, 1.0] * 5)}, TypeError, "labels must be integers"),
        ({"class_names": ("only",)}, ValueError, "class_names is too short"),
        ({"modality_names": ("a",)}, ValueError, "modality_names has the wrong length"),
        ({"units": (("m",), ("1",))}, ValueError, "units does not fit the features"),
        ({"split": {"train": range(10)}}, ValueError, "split has the wrong parts"),
        (
            {"split": {"train": range(8), "validation": [8, 9], "test": []}},
            ValueError,
            "part of the split is empty.*'test'",
        ),
        (
            {"split": {"train": range(7), "validation": [6, 7], "test": [8, 9]}},
            ValueError,
            "not a partition.*11 indices, 10 of them different",
        ),
        ({"seed": -1}, ValueError, "seed is out of range"),
    ],
)
def test_errors_have_three_parts(changes, kind, message):
    with pytest.raises(kind, match=message) as caught:
        make(**changes)
    assert "Expected:" in str(caught.value)
    assert "Received:" in str(caught.value)


def test_unknown_part():
    with pytest.raises(ValueError, match="did you mean 'train'"):
        make().part("trian")


def test_standardise_uses_the_training_part_only():
    data = make()
    changed = [array.copy() for array in data.features]
    changed[0][8:] += 100.0  # the test part
    first, second = standardise(data), standardise(make(features=tuple(changed)))
    for modality in range(2):
        train = first.features[modality][first.split["train"]]
        np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-12)
        np.testing.assert_array_equal(first.centres[modality], second.centres[modality])
    np.testing.assert_allclose(first.features[0] * first.scales[0] + first.centres[0], data.features[0])
    with pytest.raises(ValueError, match="standardised already"):
        standardise(first)


def test_a_constant_feature_is_only_shifted():
    data = standardise(make(features=(np.full((10, 2), 7.0), np.ones((10, 1)))))
    np.testing.assert_array_equal(data.features[0], 0.0)
    np.testing.assert_array_equal(data.scales[0], 1.0)


def test_stratified_split_is_a_seeded_partition_with_equal_shares():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    first, again, other = (stratified_split(labels, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(np.sort(np.concatenate(list(first.values()))), np.arange(100))
    assert {part: len(rows) for part, rows in first.items()} == {
        "train": 60,
        "validation": 20,
        "test": 20,
    }
    np.testing.assert_array_equal(np.bincount(labels[first["test"]]), [10, 6, 4])
    np.testing.assert_array_equal(first["test"], again["test"])
    assert not np.array_equal(first["test"], other["test"])


def test_stratified_split_errors():
    with pytest.raises(ValueError, match="class 1 is too small to split.*2 samples"):
        stratified_split([0] * 20 + [1, 1])
    with pytest.raises(ValueError, match="fractions are out of range"):
        stratified_split([0, 1] * 20, fractions=(0.5, 0.5))

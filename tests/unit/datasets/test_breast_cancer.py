"""The breast cancer loader and the registry."""

import numpy as np
import pytest

from qfl_explore.datasets import DATASETS, breast_cancer, load


def test_three_modalities_of_ten_measures():
    data = load("breast_cancer", seed=0)
    assert data.n_measures == (10, 10, 10)
    assert data.modality_names == ("mean", "standard error", "worst")
    assert data.n_modalities == DATASETS["breast_cancer"].n_modalities
    assert data.feature_names[2][0] == "radius (worst)"
    assert np.bincount(data.labels).tolist() == [357, 212]
    assert data.class_names[1] == "malignant"
    sizes = {part: sum(classes.values()) for part, classes in data.counts().items()}
    assert sizes == {"train": 343, "validation": 113, "test": 113}


def test_raw_values_are_the_published_ones():
    """Row 0 of the published file: radius 17.99, radius error 1.095, worst radius 25.38, malignant."""
    data = breast_cancer.load(standardised=False)
    assert [array[0, 0] for array in data.features] == [17.99, 1.095, 25.38]
    assert data.labels[0] == 1
    # a worst value (mean of the three largest) is never below the mean
    assert (data.features[2] >= data.features[0]).all()


def test_standardised_on_training_and_seeded():
    data, again, other = (load("breast_cancer", seed=seed) for seed in (1, 1, 2))
    train, _ = data.part("train")
    np.testing.assert_allclose([array.mean() for array in train], 0, atol=1e-12)
    np.testing.assert_array_equal(data.split["test"], again.split["test"])
    assert not np.array_equal(data.split["test"], other.split["test"])


def test_unknown_name_has_a_suggestion():
    with pytest.raises(ValueError, match="did you mean 'breast_cancer'"):
        load("breast_cancr")
    with pytest.raises(ValueError, match="seed is out of range"):
        load("breast_cancer", seed=-1)

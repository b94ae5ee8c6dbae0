"""Labels of every task, raw arrays, groups, and fewer modalities or samples of the same data."""

import numpy as np
import pytest

from qfl_explore.datasets import MultimodalData, Problem, choose_modalities, few_shot, standardise

RNG = np.random.default_rng(0)


def make(n=20, **changes):
    settings = {
        "name": "toy",
        "title": "Toy",
        "features": (RNG.normal(size=(n, 2)), RNG.normal(size=(n, 1)), RNG.normal(size=(n, 3))),
        "raw": (np.zeros((n, 5), np.int16), np.zeros((n, 4, 4), np.float32), np.ones((n, 2), np.uint8)),
        "labels": np.arange(n) % 2,
        "split": {"train": range(12), "validation": range(12, 16), "test": range(16, n)},
        "modality_names": ("a", "b", "c"),
        "feature_names": (("p", "q"), ("r",), ("s", "t", "u")),
        "units": (("m", "s"), ("1",), ("1",) * 3),
        "class_names": ("no", "yes"),
        "source": "made here",
        "licence": "CC0",
        "graph": np.arange(9.0).reshape(3, 3),
        "positions": np.arange(6.0).reshape(3, 2),
        "sample_ids": np.arange(100, 100 + n),
        "groups": np.repeat(np.arange(n // 2), 2),
    }
    return MultimodalData(**(settings | changes))


def test_multilabel_and_regression_have_one_column_a_name():
    several = make(task="multilabel", labels=np.tile([1, 0], (20, 1)))
    assert several.counts()["train"] == {"no": 12, "yes": 0}
    values = np.ones((20, 2))
    values[0, 1] = np.nan
    forecast = make(task="regression", labels=values, label_unit="mph")
    assert forecast.counts()["train"] == {"no": 12, "yes": 11}
    one_target = make(task="regression", labels=np.ones((20, 1)), class_names=("speed",))
    assert one_target.n_classes == 1


def test_raw_arrays_keep_their_precision_and_are_read_only():
    data = make()
    assert [array.dtype.name for array in data.raw] == ["int16", "float32", "uint8"]
    with pytest.raises(ValueError, match="read-only"):
        data.raw[0][0, 0] = 1
    assert make(raw=None).raw is None


def test_single_precision_features_stay_so_and_are_not_copied():
    array = np.ones((20, 2), np.float32)
    array.setflags(write=False)
    data = make(features=(array, *make().features[1:]))
    assert data.features[0] is array
    assert standardise(data).features[0].dtype == np.float32


def test_a_view_of_a_writeable_array_is_copied():
    base = np.zeros((20, 4))
    view = base[:, :2]
    view.setflags(write=False)
    data = make(features=(view, *make().features[1:]))
    base[:] = 7
    assert data.features[0].max() == 0


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"task": "ranking"}, ValueError, "task is not a known option"),
        ({"task": "multilabel"}, ValueError, r"multilabel task have the wrong shape.*\[N, 2\].*\(20,\)"),
        ({"task": "multilabel", "labels": np.full((20, 2), 3)}, ValueError, "out of range. Expected: 0 or 1.*up to 3"),
        ({"task": "multilabel", "labels": np.ones((20, 2))}, TypeError, "multilabel task have the wrong kind"),
        ({"task": "regression", "labels": np.full((20, 2), np.inf)}, ValueError, "must not be infinite"),
        ({"task": "regression", "labels": np.full((20, 2), "x")}, TypeError, "regression task have the wrong kind"),
        ({"raw": (np.zeros((20, 5)),)}, ValueError, "raw has the wrong length.*3 modalities.*1 entries"),
        ({"raw": (np.zeros((19, 5)),) * 3}, ValueError, "disagree on the number of samples"),
        ({"raw": (np.full((20, 5), np.nan),) * 3}, ValueError, "raw array of modality 0 must be finite.*row 0"),
        ({"raw": (np.zeros(20),) * 3}, ValueError, "raw array of modality 0 has the wrong shape"),
        ({"raw": (np.full((20, 2), "x"),) * 3}, TypeError, "raw array of modality 0 must hold real numbers"),
        ({"groups": np.arange(20) % 5}, ValueError, "a group lies in two parts.*'train' and 'validation'"),
        ({"groups": np.arange(3)}, ValueError, "groups have the wrong shape"),
        ({"graph": np.zeros((2, 2))}, ValueError, "graph has the wrong shape"),
        ({"graph": -np.ones((3, 3))}, ValueError, "graph has unusable weights"),
        ({"positions": np.zeros((3, 3))}, ValueError, r"positions have the wrong shape.*\[3, 2\].*\[3, 3\]"),
        ({"sample_ids": np.zeros(3)}, ValueError, "sample_ids have the wrong shape"),
    ],
)
def test_errors_have_three_parts(changes, kind, message):
    with pytest.raises(kind, match=message) as caught:
        make(**changes)
    assert "Expected:" in str(caught.value) and "Received:" in str(caught.value)


def test_a_problem_names_file_record_and_fault():
    assert str(Problem("a.csv", "7", "no label")) == "a.csv, record 7: no label"


def test_modalities_are_chosen_by_name_or_index_in_the_order_given():
    data = make()
    fewer = choose_modalities(data, ["c", 0])
    assert fewer.modality_names == ("c", "a") and fewer.n_measures == (3, 2)
    np.testing.assert_array_equal(fewer.graph, [[8, 6], [2, 0]])
    np.testing.assert_array_equal(fewer.positions, [[4, 5], [0, 1]])
    assert fewer.raw[0] is data.raw[2]
    np.testing.assert_array_equal(fewer.labels, data.labels)
    assert len(choose_modalities(standardise(data), ["b"]).scales) == 1


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["d"], "modality is not a known option"),
        ([3], "modality is out of range"),
        ([], "one or more"),
        ([0, "a"], "once"),
    ],
)
def test_modalities_that_cannot_be_chosen(chosen, message):
    with pytest.raises(ValueError, match=message):
        choose_modalities(make(), chosen)


def test_few_shot_keeps_the_shares_and_the_other_parts():
    labels = np.r_[np.zeros(9, int), np.ones(3, int), np.arange(8) % 2]
    data = make(labels=labels)
    few = few_shot(data, 4, seed=1)
    assert few.counts()["train"] == {"no": 3, "yes": 1}
    for part in ("validation", "test"):
        np.testing.assert_array_equal(few.sample_ids[few.split[part]], data.sample_ids[data.split[part]])
        np.testing.assert_array_equal(few.part(part)[0][0], data.part(part)[0][0])
    train = few.sample_ids[few.split["train"]]
    assert set(train) <= set(range(100, 112))
    assert set(train) < set(few_shot(data, 8, seed=1).sample_ids[:8]), "smaller sets are nested in larger ones"
    assert few_shot(data, 12).n_samples == 20


def test_few_shot_of_a_regression():
    assert few_shot(make(task="regression", labels=np.ones((20, 2))), 1).n_samples == 9


def test_few_shot_errors():
    with pytest.raises(ValueError, match="n_train is out of range.*from 2 to 12.*n_train=13"):
        few_shot(make(), 13)
    with pytest.raises(ValueError, match="needs data before standardisation"):
        few_shot(standardise(make()), 4)

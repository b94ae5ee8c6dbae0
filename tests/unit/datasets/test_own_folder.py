"""The user's own files: matched by id, faults named, parts drawn or given."""

import numpy as np
import pytest

from qfl_explore.datasets import MissingData, load

N = 30


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "data" / "own_folder"
    home.mkdir(parents=True)
    ids = [f"p{i}" for i in range(N)]
    (home / "labels.csv").write_text(
        "id,label\n" + "\n".join(f"{k},{'sick' if i % 3 else 'well'}" for i, k in enumerate(ids))
    )
    (home / "blood.csv").write_text("id,iron [µg/l],age\n" + "\n".join(f"{k},{i},{i / 2}" for i, k in enumerate(ids)))
    (home / "gait.csv").write_text(
        "speed [m/s], id\n" + "\n".join(f"{i * 2}, {k}" for i, k in enumerate(reversed(ids)))
    )
    return home


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_tables_are_matched_by_id(home):
    data = load("own_folder", standardised=False)
    assert data.modality_names == ("blood", "gait") and data.class_names == ("sick", "well")
    assert data.feature_names == (("iron", "age"), ("speed",))
    assert data.units == (("µg/l", "not given"), ("m/s",))
    np.testing.assert_array_equal(data.features[0][3], [3, 1.5])
    np.testing.assert_array_equal(data.features[1][3], [2 * (N - 1 - 3)])
    assert not data.problems and data.licence == "the user's own" and not data.synthetic


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("blood.csv", "p7,7,3.5", "p7,7", "blood.csv, record p7: 2 cells instead of 3"),
        ("blood.csv", "p7,7,3.5", "p7,7,?", "blood.csv, record p7: '?' is not a number"),
        ("blood.csv", "p7,7,3.5", "p7,7,nan", "blood.csv, record p7: nan is not a finite number"),
        ("blood.csv", "p7,7,3.5\n", "", "blood.csv, record p7: no line with this id"),
        ("blood.csv", "p7,7,3.5", 'p7,"7,3.5', "blood.csv, record p7: 2 cells instead of 3"),
        ("labels.csv", "p7,sick", "p7,", "labels.csv, record p7: a cell is empty"),
        ("blood.csv", "p7,7,3.5", ",7,3.5", "blood.csv, record in line 9: id '' is empty (line 9)"),
    ],
)
def test_one_bad_line_loses_one_sample(home, file, old, new, problem):
    change(home / file, old, new)
    data = load("own_folder")
    assert data.n_samples == N - 1 and "p7" not in data.sample_ids
    assert problem in map(str, data.problems)


def test_an_id_that_comes_twice_counts_once(home):
    change(home / "blood.csv", "p8,8,4.0", "p7,8,4.0")
    data = load("own_folder", standardised=False)
    assert data.features[0][7, 0] == 7 and "p8" not in data.sample_ids
    assert "blood.csv, record p7: id 'p7' is there already (line 10)" in map(str, data.problems)


def test_a_given_split_and_groups_are_kept(home):
    parts = ["train"] * 20 + ["validation"] * 5 + ["test"] * 5
    text = "id,label,split,group\n" + "\n".join(f"p{i},{i % 2},{parts[i]},g{i // 5}" for i in range(N))
    (home / "labels.csv").write_text(text)
    data = load("own_folder")
    assert data.split["test"].tolist() == list(range(25, 30)) and data.groups[29] == "g5"
    assert data.class_names == ("0", "1")
    (home / "labels.csv").write_text(text.replace("test", "tst"))
    with pytest.raises(ValueError, match="split is not a known option.*did you mean 'test'"):
        load("own_folder")
    (home / "labels.csv").write_text(text.replace(",split", ",x"))
    drawn = load("own_folder", seed=2)
    assert sorted(len(set(drawn.groups[rows])) for rows in drawn.split.values()) == [1, 1, 4]


def test_a_regression(home):
    (home / "labels.csv").write_text("id,label\n" + "\n".join(f"p{i},{i / 4}" for i in range(N)))
    data = load("own_folder", task="regression")
    assert data.task == "regression" and data.labels.shape == (N, 1) and data.labels[3, 0] == 0.75
    change(home / "labels.csv", "p3,0.75", "p3,tall")
    with pytest.raises(ValueError, match="labels of a regression must be numbers"):
        load("own_folder", task="regression")


def test_classes_that_are_numbers_are_in_their_order(home):
    (home / "labels.csv").write_text("id,label\n" + "\n".join(f"p{i},{(2, 10)[i % 2]}" for i in range(N)))
    assert load("own_folder").class_names == ("2", "10")


def test_an_archive(home):
    for path in home.glob("*.csv"):
        path.unlink()
    pictures = np.random.default_rng(0).normal(size=(N, 3, 2))
    pictures[4, 1, 1] = np.nan
    np.savez(home / "mine.npz", labels=np.arange(N) % 2, pictures=pictures, age=np.arange(N))
    data = load("own_folder", standardised=False)
    assert data.modality_names == ("age", "pictures") and data.n_measures == (1, 6)
    assert data.raw[1].shape == (N - 1, 3, 2) and data.feature_names[1][0] == "pictures 1"
    assert str(data.problems[0]) == "mine.npz, record 4: pictures has a number that is not finite"
    np.savez(home / "mine.npz", labels=np.arange(N), x=np.ones((N - 1, 2)))
    with pytest.raises(ValueError, match="mine.npz has other arrays. Expected: labels"):
        load("own_folder")
    np.savez(home / "mine.npz", labels=np.array(3), x=np.ones((N, 2)))
    with pytest.raises(ValueError, match="mine.npz has other arrays. Expected: labels"):
        load("own_folder")
    np.savez(home / "mine.npz", labels=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="mine.npz cannot be read"):
        load("own_folder")


def test_folders_that_cannot_be_read(home):
    change(home / "blood.csv", "id,iron", "name,iron")
    with pytest.raises(ValueError, match="blood.csv has an unusable first line. Expected: id and other columns"):
        load("own_folder")
    (home / "blood.csv").write_bytes(b"id,a\n\xff\xff,1\n")
    with pytest.raises(ValueError, match="blood.csv is no text in UTF-8"):
        load("own_folder")
    (home / "blood.csv").unlink()
    (home / "gait.csv").unlink()
    with pytest.raises(MissingData, match="one .csv for each modality"):
        load("own_folder")
    (home / "labels.csv").unlink()
    with pytest.raises(MissingData, match="labels.csv, or exactly one .npz"):
        load("own_folder")

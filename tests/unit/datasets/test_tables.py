"""Small tables: wine, digits, steel plates, CoverType; their faults are named, their baselines come out."""

import gzip

import numpy as np
import pytest

from qfl_explore.datasets import DATASETS, MissingData, covtype, images, is_here, load, names, steel_plates, tables


@pytest.mark.parametrize("name", names(needs_files=False))
def test_what_needs_no_file_loads_and_is_as_the_registry_says(name):
    data, entry = load(name), DATASETS[name]
    assert (data.name, data.title, data.task) == (name, entry.title, entry.task)
    assert data.n_modalities == entry.n_modalities and data.synthetic == entry.synthetic
    assert data.is_standardised and data.source and data.licence and not data.problems


@pytest.mark.parametrize("name", names(needs_files=True))
def test_what_needs_files_says_so(name):
    with pytest.raises(
        MissingData, match=f"data of '{name}' are not here.*qfl-explore data get {name}.*data/README.md"
    ):
        load(name)


def test_what_is_here(tmp_path):
    assert is_here("wine") and is_here("synthetic_ecg") and not is_here("metr_la")
    (tmp_path / "data" / "los_speed").mkdir(parents=True)
    assert is_here("metr_la")
    with pytest.raises(ValueError, match="did you mean 'wine'"):
        is_here("win")


def test_an_unknown_option_has_a_suggestion():
    with pytest.raises(ValueError, match="option of 'digits' is not a known option.*did you mean 'pieces'"):
        load("digits", piece=2)


def test_names_by_task():
    assert "metr_la" in names("regression") and "ptb_xl" in names("multilabel")
    assert "wine" in names("classification", needs_files=False)
    assert "steel_plates" not in names("classification", needs_files=False)
    with pytest.raises(ValueError, match="task is not a known option"):
        names("ranking")


def test_wine_and_digits():
    wine = load("wine", standardised=False)
    assert wine.n_measures == (5, 4, 4) and wine.features[0][0, 0] == 14.23 and wine.features[2][0, -1] == 1065
    digits = load("digits", standardised=False)
    assert digits.n_measures == (16,) * 4 and digits.raw[0].shape == (1797, 4, 4)
    whole = np.block([[digits.raw[0][0], digits.raw[1][0]], [digits.raw[2][0], digits.raw[3][0]]])
    assert whole[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert load("digits", pieces=2).n_measures == (32, 32) and load("digits", pieces=16).n_modalities == 16
    with pytest.raises(ValueError, match="pieces are not known. Expected: 2, 4 or 16"):
        load("digits", pieces=3)
    assert images.pixel_names(digits.raw[0])[5] == "pixel 2, 2"


@pytest.fixture
def steel(tmp_path):
    """140 faults in UCI's form; the k-th has kind k mod 7."""
    home = tmp_path / "data" / "steel_plates"
    home.mkdir(parents=True)
    values = np.hstack([np.arange(140.0)[:, None] + np.arange(27), np.tile(np.eye(7), (20, 1))])
    np.savetxt(home / "Faults.NNA", values, fmt="%g", delimiter="\t")
    return home / "Faults.NNA"


def test_steel_plates_in_both_layouts(steel):
    data = load("steel_plates", standardised=False)
    assert data.n_measures == (7, 4, 4, 12) and data.n_samples == 140
    assert data.labels[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert data.features[1][3].tolist() == [10, 11, 12, 28], "brightness: columns 7, 8, 9 and 25"
    header = ",".join((*steel_plates.COLUMNS, *(f"{name}_Fault" for name in steel_plates.CLASSES[:-1]), "Other_Faults"))
    text = header + "\n" + steel.read_text().replace("\t", ",")
    steel.unlink()
    steel.with_name("SteelPlatesFaults.csv").write_text(text)
    again = load("steel_plates", standardised=False)
    np.testing.assert_array_equal(again.features[3], data.features[3])
    steel.with_name("SteelPlatesFaults.csv").write_text(text.replace("X_Maximum", "Y"))
    with pytest.raises(ValueError, match="has other columns. Expected: 'X_Maximum' in place 2"):
        load("steel_plates")


def test_steel_faults_are_named(steel):
    lines = steel.read_text().splitlines()
    lines[4] = lines[4].replace("\t", "\tx", 1)
    lines[9] = lines[9][: -len("0\t0\t0")] + "1\t0\t1"
    steel.write_text("\n".join(lines))
    data = load("steel_plates")
    assert data.n_samples == 138 and not {5, 10} & set(data.sample_ids.tolist())
    assert [str(problem) for problem in data.problems] == [
        "Faults.NNA, record line 5: cell 2 is 'x5', not a number",
        "Faults.NNA, record fault 10: not exactly one kind of fault is marked",
    ]


def test_covtype_packed_with_a_bad_cell(tmp_path):
    home = tmp_path / "data" / "covtype"
    home.mkdir(parents=True)
    values = np.hstack([np.arange(350)[:, None] + np.arange(54), np.arange(350)[:, None] % 7 + 1])
    values[3, -1] = 9
    text = "\n".join(",".join(map(str, row)) for row in values.tolist())
    (home / "covtype.data.gz").write_bytes(gzip.compress(text.encode()))
    data = load("covtype", standardised=False)
    assert data.n_measures == (3, 4, 3, 4, 40) and data.n_samples == 349
    assert data.features[1][0].tolist() == [3, 4, 5, 9], "distances: columns 3, 4, 5 and 9"
    assert str(data.problems[0]) == "covtype.data.gz, record cell 4: cover type 9, not 1 to 7"
    few = load("covtype", limit=70, seed=3)
    assert few.n_samples == 70 and set(np.bincount(few.labels)) == {10}
    (home / "covtype.data.gz").write_bytes(gzip.compress(text.encode())[:200])
    with pytest.raises(ValueError, match="covtype.data.gz is damaged. Expected: a complete gzip file"):
        load("covtype")


def test_reading_numbers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeffa,b\r\n1,2\r\n\r\n"3","4"\r\n5\r\n6,inf\r\n'.encode())
    header, values, problems = tables.read_numbers(path)
    assert header == ["a", "b"]
    np.testing.assert_array_equal(np.isfinite(values).all(axis=1), [True, True, False, False])
    assert [str(problem) for problem in problems] == [
        "t.csv, record line 5: 1 cells instead of 2",
        "t.csv, record line 6: cell 2 is inf, not a finite number",
    ]
    with pytest.raises(ValueError, match="wrong number of columns. Expected: 3. Received: 2 in its first line"):
        tables.read_numbers(path, n_columns=3)
    assert tables.one_hot_class(np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 2]])).tolist() == [1, -1, -1, 0, -1]


def test_the_real_steel_baseline(real):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    home = real("steel_plates")
    scores = []
    for seed in range(3):
        data = steel_plates.load(seed, folder=home)
        assert data.n_samples == 1941 and np.bincount(data.labels).tolist() == [158, 190, 391, 72, 55, 402, 673]
        kept = np.concatenate([data.split["train"], data.split["validation"]])
        x = np.hstack(data.features)
        model = RandomForestClassifier(100, random_state=0).fit(x[kept], data.labels[kept])
        scores.append(model.score(x[data.split["test"]], data.labels[data.split["test"]]))
    # Means over stratified fifths are 0.78, single ones 0.74 to 0.81: the published 0.80 is of one good fifth,
    # such as scikit-learn's own with seed 0 (0.797).
    assert np.mean(scores) == pytest.approx(0.78, abs=0.02)
    data = steel_plates.load(folder=home, standardised=False)
    parts = train_test_split(np.hstack(data.features), data.labels, test_size=0.2, stratify=data.labels, random_state=0)
    model = RandomForestClassifier(100, random_state=0).fit(parts[0], parts[2])
    assert model.score(parts[1], parts[3]) == pytest.approx(0.80, abs=0.02)


def test_the_real_cover_types(real):
    home = real("covtype")
    data = covtype.load(folder=home, limit=2000, standardised=False)
    assert not data.problems and data.n_classes == 7
    assert 1800 < data.features[0][:, 0].min() and data.features[0][:, 0].max() < 3900
    np.testing.assert_array_equal(data.features[3].sum(axis=1), 1)
    np.testing.assert_array_equal(data.features[4].sum(axis=1), 1)

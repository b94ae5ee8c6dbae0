"""PTB-XL: layout, labels, folds, faults, the cache; and the real records where they are."""

import time

import numpy as np
import pytest

from qfl_explore.datasets import MissingData, ecg, load, ptb_xl

NAMES = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class
NORM,normal ECG,1.0,,,NORM
IMI,inferior infarction,1.0,,,MI
NDT,non-diagnostic T,1.0,1.0,,STTC
SR,sinus rhythm,,,1.0,
"""
CODES = {1: "{'NORM': 100.0, 'SR': 0.0}", 2: "{'IMI': 50.0, 'NDT': 0.0}", 3: "{'SR': 0.0}"}


def write_record(folder, number, names=NAMES, rate=100, n_samples=1000):
    rng = np.random.default_rng(number)
    samples = rng.integers(-2000, 2000, (n_samples, len(names)), dtype=np.int16)
    samples.astype("<i2").tofile(folder / f"{number:05d}_lr.dat")
    sums = samples.sum(axis=0, dtype=np.int64) % 65536
    lines = [f"{number:05d}_lr {len(names)} {rate} {n_samples}"]
    lines += [
        f"{number:05d}_lr.dat 16 1000.0(0)/mV 16 0 {samples[0, i]} {sums[i]} 0 {name}" for i, name in enumerate(names)
    ]
    (folder / f"{number:05d}_lr.hea").write_text("\n".join(lines) + "\n")
    return samples


@pytest.fixture
def home(tmp_path):
    """Twenty records of ten patients: every third has no superclass."""
    home = tmp_path / "data" / "ptb_xl"
    records = home / "records100" / "00000"
    records.mkdir(parents=True)
    (home / "scp_statements.csv").write_text(STATEMENTS)
    lines = ["ecg_id,patient_id,scp_codes,strat_fold,filename_lr,filename_hr"]
    for number in range(1, 21):
        write_record(records, number)
        patient = (number - 1) // 2
        lines.append(f'{number},{patient}.0,"{CODES[number % 3 or 3]}",{patient + 1},records100/00000/{number:05d}_lr,')
    (home / "ptbxl_database.csv").write_text("\n".join(lines) + "\n")
    return home


def test_signals_labels_and_folds(home):
    data = load("ptb_xl", standardised=False)
    assert data.n_samples == 14 and data.task == "multilabel" and not data.problems
    assert data.modality_names == ecg.LEADS
    np.testing.assert_array_equal(data.sample_ids[:4], [1, 2, 4, 5])
    np.testing.assert_array_equal(data.labels[:2], [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]])
    samples = np.fromfile(home / "records100/00000/00002_lr.dat", "<i2").reshape(1000, 12)
    np.testing.assert_allclose(np.stack([lead[1] for lead in data.raw]), samples.T / 1000, rtol=1e-6)
    np.testing.assert_allclose(data.features[4][1, 0], samples[:, 4].mean() / 1000, atol=1e-6)
    folds = data.groups[data.split["test"]] + 1
    assert set(folds) == {10} and set(data.groups[data.split["validation"]] + 1) == {9}
    np.testing.assert_array_equal(load("ptb_xl", seed=5).split["test"], data.split["test"])


def test_fewer_leads_and_a_binary_target(home):
    data = load("ptb_xl", leads=3, target="normal")
    assert data.modality_names == ("I", "II", "V2") and data.class_names == ("other", "NORM")
    assert data.task == "classification" and data.labels[:2].tolist() == [1, 0]
    assert load("ptb_xl", leads=["avr", "V6"]).modality_names == ("aVR", "V6")


def test_leads_are_found_by_name_whatever_their_order(home):
    samples = write_record(home / "records100/00000", 1, tuple(reversed(NAMES)))
    data = load("ptb_xl", standardised=False)
    np.testing.assert_allclose(data.raw[0][0], samples[:, -1] / 1000, rtol=1e-6)


def break_short(records):
    path = records / "00004_lr.dat"
    path.write_bytes(path.read_bytes()[:-2])


def break_sum(records):
    path = records / "00004_lr.dat"
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.write_bytes(bytes(raw))


def break_header(records):
    (records / "00004_lr.hea").write_text("not a header\n")


def break_rate(records):
    write_record(records, 4, rate=250)


def break_leads(records):
    write_record(records, 4, NAMES[:11])


@pytest.mark.parametrize(
    ("damage", "file", "fault"),
    [
        (break_short, "00004_lr.dat", "23998 bytes of samples instead of 24000"),
        (break_sum, "00004_lr.dat", "checksum of III is"),
        (break_header, "00004_lr.hea", "header is malformed"),
        (break_rate, "00004_lr.hea", "1000 samples at 250 Hz instead of 1000 at 100 Hz"),
        (break_leads, "00004_lr.hea", "lead V6 is missing"),
        (lambda records: (records / "00004_lr.dat").unlink(), "00004_lr.dat", "samples cannot be read"),
        (lambda records: (records / "00004_lr.hea").unlink(), "00004_lr.hea", "header cannot be read"),
    ],
)
def test_one_bad_record_is_named_and_the_rest_is_kept(home, damage, file, fault):
    damage(home / "records100" / "00000")
    data = load("ptb_xl")
    assert data.n_samples == 13 and 4 not in data.sample_ids
    (problem,) = data.problems
    assert problem.file == f"records100/00000/{file}" and problem.record == "4" and fault in problem.fault
    assert load("ptb_xl").problems == data.problems, "the cache remembers"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("5,2.0,", "x,2.0,", "invalid literal"),
        ("\"{'IMI': 50.0, 'NDT': 0.0}\",3,", "\"{'IMI': 50.0, 'NDT': 0.0},3,", "3 cells instead of 6"),
        ("records100/00000/00005_lr,", "records100/00000/00005_lr,,", "7 cells instead of 6"),
        ("\"{'IMI': 50.0, 'NDT': 0.0}\",3,", "\"{'IMI': 50.0\",3,", "was never closed"),
        ("\"{'IMI': 50.0, 'NDT': 0.0}\",3,", '"[1]",3,', "no dictionary"),
        ("\"{'IMI': 50.0, 'NDT': 0.0}\",3,", '"{}",11,', "strat_fold is 11"),
        ("records100/00000/00005_lr", "../../secret", "not a file of the data set"),
    ],
)
def test_one_bad_row_of_the_database_is_named(home, old, new, fault):
    path = home / "ptbxl_database.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    data = load("ptb_xl")
    assert data.n_samples == 13
    (problem,) = data.problems
    assert problem.file == "ptbxl_database.csv" and problem.record in {"5", "number 5"} and fault in problem.fault


def test_a_line_break_in_a_cell_is_no_new_record(home):
    path = home / "ptbxl_database.csv"
    text = path.read_text().replace("{'IMI': 50.0, 'NDT': 0.0}", "{'IMI': 50.0,\n 'NDT': 0.0}")
    path.write_text(text.replace("records500", "records\0500"))
    assert load("ptb_xl").n_samples == 14


def test_nothing_here_says_how_to_get_it(home):
    with pytest.raises(MissingData, match="Expected: .*qfl-explore data get ptb_xl.* Received: no such folder"):
        load("ptb_xl", folder=home / "elsewhere")
    (home / "scp_statements.csv").unlink()
    with pytest.raises(MissingData, match="scp_statements.csv.* Received: no such file"):
        load("ptb_xl")


def test_all_records_bad_names_the_first_faults(home):
    for path in (home / "records100" / "00000").glob("*.dat"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"too few records of 'ptb_xl'.*00001_lr.dat, record 1: 0 bytes.*and 11 more"):
        load("ptb_xl")


def test_options_are_checked(home):
    with pytest.raises(ValueError, match="leads are not known. Expected: 1, 3, 6, 12"):
        load("ptb_xl", leads=7)
    with pytest.raises(ValueError, match="lead is not a known option.*'V9'"):
        load("ptb_xl", leads=["V9"])
    with pytest.raises(ValueError, match="target is not a known option"):
        load("ptb_xl", target="age")
    with pytest.raises(ValueError, match="100 or 500 Hz"):
        load("ptb_xl", sample_rate=250)
    (home / "ptbxl_database.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="ptbxl_database.csv lacks columns.*ecg_id"):
        load("ptb_xl")


def test_the_real_records(real):
    real("ptb_xl", "ptbxl_mini")
    data = ptb_xl.load(standardised=False, limit=500)
    began = time.perf_counter()
    again = ptb_xl.load(standardised=False, limit=500)
    assert time.perf_counter() - began < 1.0, "the second time the records come from the cache"
    np.testing.assert_array_equal(data.raw[7], again.raw[7])
    assert not data.problems and data.n_samples > 400
    signal = np.stack(data.raw[:3])
    # Einthoven's law holds up to the converter's rounding
    assert np.median(np.abs(signal[0] + signal[2] - signal[1])) <= 0.0021


def test_the_sanity_baseline_comes_out(real):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    home = real("ptbxl_mini")
    for leads, expected in ((12, 0.806), (3, 0.761)):
        data = ptb_xl.load(leads=leads, target="normal", folder=home)
        (x, y), (x_test, y_test) = data.part("train"), data.part("test")
        model = LogisticRegression(C=0.1, max_iter=2000).fit(np.hstack(x), y)
        assert roc_auc_score(y_test, model.predict_proba(np.hstack(x_test))[:, 1]) == pytest.approx(expected, abs=0.02)

"""Fashion-MNIST, spoken digits and CMU-MOSI: layouts, splits, faults; and the real data where they are."""

import gzip
import wave

import numpy as np
import pytest

from qfl_explore.datasets import MissingData, cmu_mosi, fashion_mnist, load, spoken_digits

# ---------------------------------------------------------------- Fashion-MNIST


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(np.array(n, ">i4").tobytes() for n in array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.fixture
def fashion(tmp_path):
    home = tmp_path / "data" / "fashion_mnist"
    home.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for stem, n in (("train", 120), ("t10k", 20)):
        pictures, labels = rng.integers(0, 256, (n, 28, 28)), np.arange(n) % 10
        (home / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures)))
        (home / f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return home


def test_idx_files_packed_or_not(fashion):
    data = load("fashion_mnist", standardised=False)
    assert data.n_measures == (196,) * 4 and data.raw[0].dtype == np.uint8
    assert [len(rows) for rows in data.split.values()] == [100, 20, 20]
    assert data.split["test"].tolist() == list(range(120, 140)), "the official test part stays"
    assert set(data.counts()["validation"].values()) == {2}
    for path in fashion.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    again = load("fashion_mnist", standardised=False, seed=1)
    np.testing.assert_array_equal(again.features[2], data.features[2])
    assert not np.array_equal(again.split["validation"], data.split["validation"])
    assert load("fashion_mnist", limit=60).n_samples == 80


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: gzip.compress(raw)[:-9], "train-images-idx3-ubyte.gz is damaged. Expected: a complete gzip"),
        (lambda raw: b"<html>", "is damaged"),
        (lambda raw: gzip.compress(raw[:-5]), "has the wrong length. Expected: 94080 bytes of data. Received: 94075"),
        (lambda raw: gzip.compress(b"\0\0\x0d\3" + raw[4:]), "has the wrong form. Expected: idx of bytes with 3 axes"),
        (lambda raw: gzip.compress(idx(np.zeros((7, 28, 28)))), "images and labels disagree"),
    ],
)
def test_damaged_idx_files_are_named(fashion, damage, message):
    path = fashion / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(gzip.decompress(path.read_bytes())))
    with pytest.raises(ValueError, match=message):
        load("fashion_mnist")


def test_an_unknown_kind_of_clothes_is_named(fashion):
    labels = np.arange(120) % 10
    labels[17] = 12
    (fashion / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(ValueError, match="label .* is unknown. Expected: 0 to 9. Received: 12 of record 17"):
        load("fashion_mnist")


def test_a_missing_file_is_named(fashion):
    (fashion / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(MissingData, match="t10k-labels-idx1-ubyte.gz or .*t10k-labels-idx1-ubyte"):
        load("fashion_mnist")


def test_the_real_clothes_baseline(real):
    from sklearn.linear_model import LogisticRegression

    home = real("fashion_mnist")
    data = fashion_mnist.load(folder=home, standardised=False)
    rows = np.concatenate([data.split["train"], data.split["validation"]])
    x = np.hstack(data.features) / 255
    model = LogisticRegression(C=0.05, max_iter=300).fit(x[rows], data.labels[rows])
    test = data.split["test"]
    assert model.score(x[test], data.labels[test]) == pytest.approx(0.818, abs=0.02)


# ---------------------------------------------------------------- spoken digits


def write_wave(path, samples, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())


@pytest.fixture
def spoken(tmp_path):
    """Ten recordings a digit of one speaker: a tone of 200 Hz more for each digit."""
    home = tmp_path / "data" / "fsdd" / "recordings"
    home.mkdir(parents=True)
    time = np.arange(3000) / 8000
    for digit in range(10):
        for index in range(10):
            write_wave(home / f"{digit}_ann_{index}.wav", 8000 * np.sin(2 * np.pi * (300 + 200 * digit) * time))
    return home


def test_sound_is_paired_with_an_image_of_the_same_digit_from_the_same_part(spoken):
    from sklearn.datasets import load_digits

    data = load("spoken_digits", standardised=False)
    assert data.n_measures == (192, 64) and data.n_samples == 100
    assert {name.rsplit("_", 1)[1] for name in data.sample_ids[data.split["test"]]} == set("01234")
    bunch = load_digits()
    pixels = bunch.images.reshape(-1, 64)
    seen = {}
    for part, rows in data.split.items():
        for row in rows:
            (found,) = np.flatnonzero((pixels == data.features[1][row]).all(axis=1))[:1]
            assert bunch.target[found] == data.labels[row]
            assert seen.setdefault(found, part) == part
    assert not np.array_equal(load("spoken_digits", seed=1).raw[1], data.raw[1])


def test_mel_bands_find_a_tone():
    time = np.arange(4000) / 8000
    low, high = (spoken_digits.mel_bands(np.sin(2 * np.pi * f * time)) for f in (300, 2500))
    assert low.shape == (12, 16)
    assert low.mean(axis=0).argmax() < high.mean(axis=0).argmax()
    assert spoken_digits.mel_bands(np.zeros(400)).shape == (12, 16)


def test_bad_recordings_are_named(spoken):
    write_wave(spoken / "3_ann_7.wav", np.zeros(3000), rate=16000)
    (spoken / "4_ann_7.wav").write_bytes(b"RIFF")
    (spoken / "5_ann_7.wav").write_bytes((spoken / "5_ann_7.wav").read_bytes()[:-100])
    write_wave(spoken / "6_ann_7.wav", np.zeros(10))
    write_wave(spoken / "noise.wav", np.zeros(3000))
    data = load("spoken_digits")
    assert data.n_samples == 96
    text = {problem.record: problem.fault for problem in data.problems}
    assert "16 bit at 16000 Hz instead" in text["3_ann_7"] and "no usable .wav" in text["4_ann_7"]
    assert "bytes of sound instead of 6000" in text["5_ann_7"] and "too short" in text["6_ann_7"]
    assert "not digit_speaker_number" in text["noise"]


def test_the_real_recordings(real):
    home = real("spoken_digits", "fsdd")
    data = spoken_digits.load(folder=home)
    assert data.n_samples >= 1200 and not data.problems
    assert data.counts()["test"] == {digit: 30 for digit in "0123456789"}


# ---------------------------------------------------------------- CMU-MOSI

VIDEOS = [f"video{v}" for v in range(12)]


@pytest.fixture
def mosi(tmp_path):
    """Twelve videos of five utterances; the last three are the test part."""
    home = tmp_path / "data" / "cmu_mosi"
    home.mkdir(parents=True)
    lines = [f'"{video}_{u}","words","93","{u % 2}"' for video in VIDEOS for u in range(5)]
    (home / "transcripts.csv").write_text("\n".join(lines))
    return home


def arrays(part):
    rows = np.arange(45) if part == "train" else np.arange(45, 60)
    made = {
        m: np.random.default_rng(i).normal(size=(60, d))[rows]
        for i, (m, d) in enumerate(zip(cmu_mosi.MODALITIES, (4, 3, 2), strict=True))
    }
    return {**made, "y": rows % 5 % 2, "idx": rows}


def write_npz(home, **changes):
    both = {f"{key}_{part}": array for part in ("train", "test") for key, array in arrays(part).items()}
    np.savez(home / "mosi.npz", **(both | changes))


def write_csvs(home):
    for part in ("train", "test"):
        made = arrays(part)
        np.savetxt(home / f"text_{part}.csv", np.c_[made["idx"], made["text"]], delimiter=",")
        for modality in cmu_mosi.MODALITIES:
            (home / modality).mkdir(exist_ok=True)
            quoted = "\n".join(
                ",".join(f'"{value}"' for value in row) for row in np.c_[made[modality], made["y"]].tolist()
            )
            (home / modality / f"{modality}_{part}0.csv").write_text(quoted)


def test_both_layouts_agree_and_no_video_is_in_two_parts(mosi):
    write_csvs(mosi)
    from_csv = load("cmu_mosi", standardised=False)
    write_npz(mosi)
    from_npz = load("cmu_mosi", standardised=False)
    for one, other in zip(from_csv.features, from_npz.features, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    np.testing.assert_array_equal(from_csv.labels, from_npz.labels)
    assert from_npz.n_measures == (4, 3, 2) and from_npz.sample_ids[7] == "video1_2"
    parts = [set(from_npz.groups[rows]) for rows in from_npz.split.values()]
    assert parts[2] == set(VIDEOS[9:]) and len(parts[1]) == 2 and not parts[0] & parts[1]
    assert set(load("cmu_mosi", seed=3).groups[load("cmu_mosi", seed=3).split["validation"]]) != parts[1]


def test_bad_utterances_are_named(mosi):
    y = arrays("train")["y"].copy()
    y[4] = 7
    audio = arrays("train")["audio"].copy()
    audio[8, 1] = np.nan
    write_npz(mosi, y_train=y, audio_train=audio)
    data = load("cmu_mosi")
    assert data.n_samples == 58
    assert [str(problem) for problem in data.problems] == [
        "mosi.npz, record utterance 5: no class 0 or 1, or files disagree on it",
        "mosi.npz, record utterance 9: a number is missing",
    ]


def test_files_that_do_not_belong_together(mosi):
    with pytest.raises(MissingData, match="text_train.csv .or one .npz"):
        load("cmu_mosi")
    write_csvs(mosi)
    path = mosi / "audio" / "audio_train0.csv"
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace('"', '"x', 1)
    path.write_text("\n".join(lines))
    data = load("cmu_mosi")
    assert data.n_samples == 59 and "audio/audio_train0.csv, record line 4" in str(data.problems[0])
    path.write_text("\n".join(lines[1:]))
    with pytest.raises(ValueError, match="files of the train part disagree.*'audio': 44"):
        load("cmu_mosi")
    (mosi / "mosi.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match="mosi.npz cannot be read"):
        load("cmu_mosi")
    write_npz(mosi, idx_train=np.roll(np.arange(45), 1))
    with pytest.raises(
        ValueError, match="do not belong together. Expected: the class of the features, 1. Received: 0 of"
    ):
        load("cmu_mosi")
    write_npz(mosi, idx_test=np.arange(15) + 100)
    with pytest.raises(ValueError, match="transcripts.csv is too short. Expected: 115 or more"):
        load("cmu_mosi")


def test_the_real_opinions_baselines(real):
    from sklearn.linear_model import LogisticRegression

    home = real("cmu_mosi", "mosi_features")
    data = cmu_mosi.load(folder=home)
    assert data.n_measures == (100, 73, 100) and len(data.split["test"]) == 752
    (x, y), (x_test, y_test) = data.part("train"), data.part("test")
    for chosen, expected in (([0], 0.757), ([1], 0.557), ([2], 0.515), ([0, 1, 2], 0.767)):
        model = LogisticRegression(C=0.001, max_iter=2000).fit(np.hstack([x[i] for i in chosen]), y)
        assert model.score(np.hstack([x_test[i] for i in chosen]), y_test) == pytest.approx(expected, abs=0.02)

"""Spoken digits (FSDD) beside images of digits (scikit-learn): an audio-visual task in small.

The two modalities were never recorded together: within each part of the split, a recording of a digit is paired
with a random image of the same digit, as in AV-MNIST.
"""

from __future__ import annotations

import re
import wave
from pathlib import Path

import numpy as np

from qfl_explore.datasets import cache, faults
from qfl_explore.datasets.base import PARTS, MultimodalData, Problem, standardise, stratified_split
from qfl_explore.datasets.places import find_folder, missing
from qfl_explore.errors import check_int

FOLDERS = ("spoken_digits", "fsdd", "free-spoken-digit-dataset")
RATE = 8000
#: Recordings 0 to 4 of each speaker and digit are the authors' test part.
N_TEST = 5
N_BANDS = 16
N_FRAMES = 12
VERSION = 1
_NAME = re.compile(r"^(?P<digit>\d)_(?P<speaker>[A-Za-z]+)_(?P<index>\d+)$")


def load(seed: int = 0, standardised: bool = True, folder: str | Path | None = None) -> MultimodalData:
    """Recordings as 16 mel bands in 12 stretches of time, each with an image of 64 pixels.

    The authors' test part is kept; a fifth of the rest is for validation. Speakers are in all parts, as the
    authors have it. Images are split by the seed, and none is in two parts.

    Args:
        seed: of the validation part, of the images' split and of the pairs.
        standardised: whether to standardise with the training part's mean and spread.
        folder: that holds the .wav files or ``recordings/``; ``None`` to look under the data folder.

    Returns:
        Data with features [N, 192] and [N, 64]; ``raw`` has [N, 12, 16] and [N, 8, 8].

    Raises:
        MissingData: there is no recording here.
        ValueError: none of them can be read.
    """
    home = find_folder("spoken_digits", FOLDERS, folder)
    home = home / "recordings" if (home / "recordings").is_dir() else home
    files = sorted(home.glob("*.wav"))
    if not files:
        raise missing("spoken_digits", f"recordings like 7_jackson_32.wav in {home}", "no .wav file")
    arrays, meta = cache.parsed("spoken_digits", VERSION, files, {}, lambda: _parse(files))
    problems = faults.from_rows(meta["problems"])
    faults.require_records("spoken_digits", len(arrays["digit"]), problems, least=50)
    split = _split(arrays["digit"], arrays["index"], check_int("seed", seed, 0))
    pictures = _paired(arrays["digit"], split, seed)
    sound = arrays["sound"]
    data = MultimodalData(
        name="spoken_digits",
        title="Spoken and written digits",
        features=(sound.reshape(len(sound), -1), pictures.reshape(len(pictures), -1).astype(np.float64)),
        raw=(sound, pictures),
        raw_unit="log energy; grey level, 0 to 16",
        labels=arrays["digit"],
        split=split,
        modality_names=("sound", "image"),
        feature_names=(
            tuple(f"stretch {t + 1}, band {b + 1}" for t in range(N_FRAMES) for b in range(N_BANDS)),
            tuple(f"pixel {row}, {column}" for row in range(1, 9) for column in range(1, 9)),
        ),
        units=(("log energy",) * (N_FRAMES * N_BANDS), ("grey level",) * 64),
        class_names=tuple("0123456789"),
        sample_ids=np.array(meta["names"]),
        source="Z. Jackson et al.: Free Spoken Digit Dataset; E. Alpaydin, C. Kaynak: UCI, doi:10.24432/C50P49",
        licence="CC BY-SA 4.0 (sound), CC BY 4.0 (images)",
        seed=seed,
        notes=(
            "Sound and image were never recorded together: pairs are drawn by the seed within each part.",
            "The same six speakers are in all parts.",
        ),
        problems=problems,
    )
    return standardise(data) if standardised else data


def _split(digits: np.ndarray, index: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([seed, 1])
    test = index < N_TEST
    held = []
    for digit in np.unique(digits):
        rows = np.flatnonzero(~test & (digits == digit))
        held.append(rng.permutation(rows)[: max(1, len(rows) // 5)])
    validation = np.sort(np.concatenate(held))
    return {
        "train": np.setdiff1d(np.flatnonzero(~test), validation),
        "validation": validation,
        "test": np.flatnonzero(test),
    }


def _paired(digits: np.ndarray, split: dict[str, np.ndarray], seed: int) -> np.ndarray:
    """[N, 8, 8]: for each recording an image of its digit from the same part of the images' own split."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    of_images = stratified_split(bunch.target, seed)
    rng = np.random.default_rng([seed, 2])
    chosen = np.zeros(len(digits), dtype=int)
    for part in PARTS:
        for digit in range(10):
            rows = split[part][digits[split[part]] == digit]
            pool = of_images[part][bunch.target[of_images[part]] == digit]
            chosen[rows] = rng.choice(pool, len(rows), replace=len(rows) > len(pool))
    return bunch.images[chosen].astype(np.uint8)


def _parse(files: list[Path]) -> cache.Parsed:
    sounds, digits, index, names, problems = [], [], [], [], []
    for path in files:
        try:
            match = _NAME.match(path.stem)
            if not match:
                raise faults.BadRecord("name is not digit_speaker_number")
            sounds.append(mel_bands(read_wave(path)))
        except faults.BadRecord as error:
            problems.append(Problem(path.name, path.stem, error.fault))
            continue
        digits.append(int(match["digit"]))
        index.append(int(match["index"]))
        names.append(path.stem)
    arrays = {"digit": np.array(digits, int), "index": np.array(index, int), "sound": np.array(sounds, np.float32)}
    return arrays, {"names": names, "problems": faults.as_rows(problems)}


def read_wave(path: Path) -> np.ndarray:
    """Samples of a recording, -1 to 1.

    Raises:
        BadRecord: it is damaged, or not 16 bit, mono, 8 kHz.
    """
    try:
        with wave.open(str(path)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            n_frames, raw = file.getnframes(), file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise faults.BadRecord(f"no usable .wav file ({error})") from None
    if form != (1, 2, RATE):
        found = f"{form[0]} channels of {8 * form[1]} bit at {form[2]} Hz"
        raise faults.BadRecord(f"{found} instead of 1 of 16 bit at {RATE} Hz")
    if len(raw) != 2 * n_frames:
        raise faults.BadRecord(f"{len(raw)} bytes of sound instead of {2 * n_frames}")
    if n_frames < 400:
        raise faults.BadRecord(f"{n_frames} samples are too short for a word")
    return np.frombuffer(raw, "<i2") / 32768.0


def mel_bands(sound: np.ndarray) -> np.ndarray:
    """Log energies in mel bands, averaged over equal stretches of the recording.

    Source: our construction; mel = 2595 log10(1 + f/700), windows of 32 ms every 16 ms.

    Args:
        sound: [samples] at 8 kHz, 400 or more.

    Returns:
        [12, 16].
    """
    size, step = 256, 128
    padded = np.pad(sound, (0, max(0, size + (N_FRAMES - 1) * step - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::step] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    bands = np.log(power @ _mel_filters(size).T + 1e-8)
    return np.stack([stretch.mean(axis=0) for stretch in np.array_split(bands, N_FRAMES)])


def _mel_filters(size: int) -> np.ndarray:
    """[bands, frequencies] of triangles that are equally wide in mel."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, N_BANDS + 2) / 2595) - 1)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return np.clip(np.minimum((frequency - low) / (middle - low), (high - frequency) / (high - middle)), 0, None)

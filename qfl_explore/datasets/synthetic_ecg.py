"""Synthetic 12-lead ECGs: a heart dipole seen by the leads through the Dower matrix. Needs no file, measures nobody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qfl_explore.datasets import ecg
from qfl_explore.datasets.base import MultimodalData, standardise, stratified_split
from qfl_explore.errors import check_int

#: Rows I, II, V1 … V6; columns x (to the left), y (to the feet), z (to the back) of the Frank vector.
#: Source: G. Dower, A. Bastos Machado, J. Osborne, Clinical Cardiology 3, 87 (1980).
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
#: Five classes that differ in one trait each, overlapping; traits, not diagnoses.
CLASSES = ("ordinary", "fast", "ST shift", "wide QRS", "turned axis")
RATE = 100
N_SAMPLES = 1000
#: A wave's centre (as a share of the beat, R at 0), width in seconds, and dipole in mV (x, y, z).
WAVES = {
    "P": (-0.17, 0.025, (0.08, 0.14, -0.02)),
    "Q": (-0.030, 0.010, (-0.12, 0.05, -0.25)),
    "R": (0.0, 0.012, (0.95, 0.80, 0.25)),
    "S": (0.035, 0.014, (-0.20, -0.10, 0.55)),
    "T": (0.30, 0.055, (0.25, 0.22, -0.18)),
}


def load(
    seed: int = 0,
    standardised: bool = True,
    leads: int | Sequence[str] = 12,
    n_records: int = 500,
    noise: float = 0.05,
) -> MultimodalData:
    """Ten seconds of five kinds of made-up hearts; each lead is a modality of nine summary numbers.

    The leads obey Einthoven's law exactly. Rate, amplitudes, axis, width and noise vary from record to record, so
    the classes overlap. Good scores here say nothing about real hearts.

    Source: our construction, with the Dower matrix of 1980.

    Args:
        seed: of the records and of the stratified split.
        standardised: whether to standardise the features with the training part's mean and spread.
        leads: 12, 6, 3, 1, or names of leads.
        n_records: N, 50 or more; the classes are as equal as can be.
        noise: standard deviation of the dipole's noise in mV.

    Returns:
        Data marked as synthetic, with features [N, 9] and raw signals [N, 1000] in mV a lead.
    """
    names = ecg.chosen_leads(leads)
    n = check_int("n_records", n_records, 50, 20_000)
    rng = np.random.default_rng([check_int("seed", seed, 0), 12])
    labels = rng.permutation(np.arange(n) % len(CLASSES))
    signals = leads_of(dipoles(labels, rng, noise))
    which = [ecg.LEADS.index(lead) for lead in names]
    data = MultimodalData(
        name="synthetic_ecg",
        title="Synthetic ECG (computed, nobody's heart)",
        features=tuple(ecg.summary(signals[:, lead]) for lead in which),
        raw=tuple(signals[:, lead] for lead in which),
        raw_unit="mV",
        sample_rate=float(RATE),
        labels=labels,
        split=stratified_split(labels, seed),
        modality_names=names,
        feature_names=tuple(tuple(f"{feature} of {lead}" for feature in ecg.FEATURES) for lead in names),
        units=(tuple(ecg.FEATURES.values()),) * len(names),
        class_names=CLASSES,
        source="computed by this package: a heart dipole through the Dower matrix, Clinical Cardiology 3, 87 (1980)",
        licence="Apache-2.0, as this package",
        seed=seed,
        synthetic=True,
        notes=("Synthetic: the classes are traits of a formula; a score here says nothing about patients.",),
    )
    return standardise(data) if standardised else data


def dipoles(labels: np.ndarray, rng: np.random.Generator, noise: float = 0.05) -> np.ndarray:
    """The heart's electric dipole over ten seconds.

    Args:
        labels: [N], index into ``CLASSES``.
        rng: draws everything that varies.
        noise: standard deviation in mV.

    Returns:
        [N, 1000, 3] in mV, float64.
    """
    n = len(labels)
    rate = np.where(labels == 1, rng.normal(98, 10, n), rng.normal(72, 10, n)).clip(45, 150)
    width = np.where(labels == 3, rng.normal(1.9, 0.3, n), rng.normal(1.0, 0.12, n)).clip(0.6, 3)
    shift = np.where(labels == 2, rng.normal(0.12, 0.04, n), rng.normal(0.0, 0.03, n))
    angle = np.where(labels == 4, rng.normal(-1.0, 0.25, n), rng.normal(0.0, 0.25, n))
    phase, beat = _phase(rate, rng)
    signal = np.zeros((n, N_SAMPLES, 3))
    for name, (centre, sigma, direction) in WAVES.items():
        spread = sigma * (width if name in "QRS" else np.ones(n))
        place = centre * (width if name in "QS" else np.ones(n))
        away = (phase - place[:, None] + 0.5) % 1.0 - 0.5
        bump = np.exp(-0.5 * (away * beat[:, None] / spread[:, None]) ** 2)
        amplitude = rng.normal(1.0, 0.15, (n, 1)) * np.asarray(direction) * rng.normal(1.0, 0.1, (n, 3))
        signal += bump[:, :, None] * amplitude[:, None, :]
    plateau = _between(phase, 0.06, 0.24)
    signal += (plateau * shift[:, None])[:, :, None] * np.array([0.3, 0.6, -1.0])
    wander = 0.05 * np.sin(
        2 * np.pi * rng.uniform(0.1, 0.4, (n, 1, 3)) * _time()[:, None] + rng.uniform(0, 6, (n, 1, 3))
    )
    return _turned(signal, angle) + wander + rng.normal(0, noise, signal.shape)


def _time() -> np.ndarray:
    return np.arange(N_SAMPLES) / RATE


def _phase(rate: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Share of the beat at each sample [N, 1000], and the beat's length in seconds [N]."""
    beat = 60 / rate
    breath = 0.03 * np.sin(2 * np.pi * 0.25 * _time() + rng.uniform(0, 6, (len(rate), 1)))
    return (_time() / beat[:, None] + breath + rng.uniform(0, 1, (len(rate), 1))) % 1.0, beat


def _between(phase: np.ndarray, low: float, high: float) -> np.ndarray:
    """About 1 from low to high, with soft edges."""
    return 1 / (1 + np.exp(-(phase - low) / 0.01)) * 1 / (1 + np.exp((phase - high) / 0.02))


def _turned(signal: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Turns each dipole in the frontal plane (x, y) by an angle in radians."""
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y, z = np.moveaxis(signal, 2, 0)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=2)


def leads_of(dipole: np.ndarray) -> np.ndarray:
    """What the twelve leads see of a dipole.

    Args:
        dipole: [N, samples, 3] in mV.

    Returns:
        [N, 12, samples] in mV, in the order of `ecg.LEADS`; III = II - I and the rest of Einthoven's and
        Goldberger's laws hold to rounding.
    """
    seen = np.moveaxis(dipole @ DOWER.T, 2, 1)
    one, two = seen[:, 0], seen[:, 1]
    limbs = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.concatenate([np.stack(limbs, axis=1), seen[:, 2:]], axis=1)

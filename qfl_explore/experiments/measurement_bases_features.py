"""The feature map that observables give: rank, conditioning, and the functions within reach.

K observables turn a sample into K numbers, on which a linear readout acts. How many of these
directions are different, and how different, is in the singular values of the [samples, K] matrix.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import check_int
from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.measurement_bases_config import BASES, MeasurementConfig
from qfl_explore.simulation.base import get_backend
from qfl_explore.theory.measurement import completeness, measurement_settings, needed_repetitions, observable_axes
from qfl_explore.theory.spectrum import count_frequencies

#: Directions weaker than this (relative) count as not there; values are computed in float64.
TOLERANCE = 1e-9
#: Samples of a feature map at most; 4096 · 1024 numbers are 32 MiB.
MAX_SAMPLES = 4096
#: Above this many reachable waves the union over weight draws is not computed.
MAX_UNION = 400
#: The standard error for which a cost is stated.
PRECISION = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureSpectrum:
    """Singular values of a feature map and what they come to.

    Attributes:
        singular_values: descending, of the matrix divided by sqrt(samples).
        rank: how many exceed ``TOLERANCE`` of the largest.
        effective_rank: exp of the entropy of the singular values as shares (Roy and Vetterli, 2007).
        condition_number: largest over smallest of the ``rank`` ones.
    """

    singular_values: np.ndarray
    rank: int
    effective_rank: float
    condition_number: float


def feature_spectrum(values: Any) -> FeatureSpectrum:
    """The singular values of features [samples, K].

    >>> feature_spectrum(np.eye(4)).effective_rank.round(6)
    np.float64(4.0)
    """
    matrix = np.asarray(values, np.float64)
    singular = np.linalg.svd(matrix / np.sqrt(len(matrix)), compute_uv=False)
    kept = singular[singular > TOLERANCE * singular[0]]
    shares = kept / kept.sum()
    entropy = np.exp(-np.sum(shares * np.log(shares)))
    return FeatureSpectrum(singular, len(kept), entropy, float(kept[0] / kept[-1]))


def expectations(config: MeasurementConfig, fusion: FusionCircuit, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[N, K] (or [W, N, K]) in float64, whatever engine trains."""
    options = {"dtype": "float64"} if config.backend == "batched" else {}
    return np.asarray(get_backend(config.backend, **options).expectations(fusion, x, weights), np.float64)


def function_points(fusion: FusionCircuit, seed: int = 0) -> np.ndarray:
    """[N, M, D] random angles over a full period of all reachable waves (4π), more than enough to tell them apart."""
    config = fusion.config
    most = max(min(fusion.n_observables + 1, count_frequencies(config)), min(MAX_UNION, count_frequencies(config)))
    shape = (min(MAX_SAMPLES, 2 * most + 100), config.n_modalities, config.feature_dim)
    return np.random.default_rng([seed, 11]).uniform(0.0, 4 * np.pi, shape)


@dataclasses.dataclass(frozen=True)
class FunctionSpace:
    """How many independent functions of x a linear readout can combine (the constant included).

    Attributes:
        rank: at one random setting of the weights.
        union: of many settings together: what training can choose from; ``None`` above
            ``MAX_UNION`` waves.
        n_reachable: size of the circuit's spectrum, which bounds both.
    """

    rank: int
    union: int | None
    n_reachable: int


def function_space(config: MeasurementConfig, base: str, seed: int = 0) -> FunctionSpace:
    """The function space of one basis over the circuit's reachable spectrum.

    Args:
        config: the settings.
        base: one of ``BASES``.
        seed: of weights, planes and points.
    """
    fusion = FusionCircuit(config.fusion(base, seed))
    x, n_reachable = function_points(fusion, seed), count_frequencies(fusion.config)
    ones = np.ones((len(x), 1))
    # twice as many columns as there are waves, so that a lack of draws is not mistaken for a limit
    n_draws = 1 if n_reachable > MAX_UNION else 2 + 2 * n_reachable // fusion.n_observables
    draws = [initial_weights(fusion.config, "uniform", 1000 * seed + i) for i in range(n_draws)]
    features = [expectations(config, fusion, x, draw) for draw in draws]
    rank = feature_spectrum(np.hstack([ones, features[0]])).rank
    union = None if n_draws == 1 else feature_spectrum(np.hstack([ones, *features])).rank
    return FunctionSpace(rank, union, n_reachable)


def feature_table(config: MeasurementConfig, n_draws: int = 10, n_samples: int = 256) -> pd.DataFrame:
    """Rank and conditioning of every basis at random weights, with 95 % t-intervals over draws.

    Args:
        config: the settings; samples are uniform in [-π, π).
        n_draws: weight draws (and plane draws), 2 or more.
        n_samples: 2 or more.

    Returns:
        One row a basis: n_observables, rank_of_set, needed_rank (4^n - 1), complete,
        function_rank, function_union, n_reachable, effective_rank, log10_condition (each with
        _low and _high), n_settings, repetitions_grouped, repetitions_shadows (for a standard
        error of 0.05), n_draws, first_seed.
    """
    return pd.DataFrame([feature_row(config, base, n_draws, n_samples) for base in config.bases])


def feature_row(config: MeasurementConfig, base: str, n_draws: int = 10, n_samples: int = 256) -> dict[str, Any]:
    """One row of `feature_table`."""
    spectra = spectra_of(config, base, check_int("n_draws", n_draws, 2), n_samples)
    space = function_space(config, base)
    return {
        "basis": base,
        **set_facts(config, base),
        "function_rank": space.rank,
        "function_union": space.union,
        "n_reachable": space.n_reachable,
        **_ends("effective_rank", t_interval([s.effective_rank for s in spectra])),
        **_ends("log10_condition", t_interval([np.log10(s.condition_number) for s in spectra])),
        "n_draws": n_draws,
        "n_samples": n_samples,
        "first_seed": 0,
    }


def spectra_of(config: MeasurementConfig, base: str, n_draws: int, n_samples: int) -> list[FeatureSpectrum]:
    """Feature spectra at random weights; seeds 0, 1, … draw weights, planes and samples."""
    spectra = []
    for seed in range(n_draws):
        fusion = FusionCircuit(config.fusion(base, seed))
        shape = (check_int("n_samples", n_samples, 2), fusion.config.n_modalities, fusion.config.feature_dim)
        x = np.random.default_rng([seed, 12]).uniform(-np.pi, np.pi, shape)
        values = expectations(config, fusion, x, initial_weights(fusion.config, "uniform", seed))
        spectra.append(feature_spectrum(values))
    return spectra


def set_facts(config: MeasurementConfig, base: str, seed: int = 0) -> dict[str, Any]:
    """What follows from the observables alone: K, completeness, settings, price in repetitions."""
    fusion = FusionCircuit(config.fusion(base, seed))
    axes = observable_axes(fusion.observables, fusion.qubits)
    found = completeness(axes)
    return {
        "label": BASES[base],
        "n_observables": found.n_observables,
        "rank_of_set": found.rank,
        "needed_rank": found.needed,
        "complete": found.is_complete,
        "n_settings": len(measurement_settings(axes)),
        "repetitions_grouped": needed_repetitions(axes, PRECISION),
        "repetitions_shadows": needed_repetitions(axes, PRECISION, "shadows"),
    }


def _ends(name: str, interval: Any) -> dict[str, float]:
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}


def spectrum_table(config: MeasurementConfig, base: str, n_draws: int = 10, n_samples: int = 256) -> pd.DataFrame:
    """Singular values relative to the largest, over random weights: basis, index (from 1), median, lowest, highest."""
    spectra = spectra_of(config, base, n_draws, n_samples)
    relative = np.array([s.singular_values / s.singular_values[0] for s in spectra])
    columns = {"median": np.median(relative, axis=0), "lowest": relative.min(axis=0), "highest": relative.max(axis=0)}
    index = np.arange(1, relative.shape[1] + 1)
    return pd.DataFrame({"basis": base, "index": index, **columns, "n_draws": n_draws, "first_seed": 0})

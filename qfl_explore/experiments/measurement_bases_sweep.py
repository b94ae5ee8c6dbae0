"""How the number of observables K matters, with the circuit left at random weights.

Only the readout is fitted, so that the curve shows what the observables alone give, and takes
milliseconds a point. Training the circuit too is `qfl_explore.experiments.measurement_bases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.measurement_bases_config import MeasurementConfig, most_observables
from qfl_explore.experiments.measurement_bases_features import expectations
from qfl_explore.experiments.measurement_bases_task import fit_linear, make_task, with_constant

#: Random planes are followed to this multiple of 3n, where they can bring nothing new.
_PLANES_BEYOND = 2


def observable_counts(config: MeasurementConfig, base: str) -> list[int]:
    """Which K the curve of a basis has: about six a factor of ten, up to all that the basis has."""
    n_qubits = config.fusion(base).n_qubits
    most = most_observables(base, n_qubits)
    if base == "random_pauli_plane":
        most = _PLANES_BEYOND * 3 * n_qubits
    grid = np.unique(np.round(np.geomspace(1, most, max(2, round(6 * np.log10(most)) + 1))).astype(int))
    return sorted({*grid.tolist(), n_qubits} & set(range(1, most + 1)))


def frozen_sweep(config: MeasurementConfig) -> Iterator[dict[str, Any]]:
    """Test scores against K: random weights, fitted readout, every seed and basis.

    Yields:
        Rows: basis, n_observables, seed, score, ceiling.
    """
    for seed in config.seeds:
        task = make_task(config, seed)
        for base in config.bases:
            counts = observable_counts(config, base)
            fusion = FusionCircuit(config.fusion(base, seed, counts[-1]))
            start = initial_weights(fusion.config, config.initializer, seed)
            features = {p: with_constant(expectations(config, fusion, x, start)) for p, x in task.x.items()}
            for count in counts:
                part = {name: values[:, : 1 + count] for name, values in features.items()}
                fit = fit_linear(task, part, config.penalties)
                score = task.score(part["test"] @ fit.coefficients)
                row = {"basis": base, "n_observables": count, "seed": seed, "score": score}
                yield row | {"ceiling": np.nan if task.ceiling is None else task.ceiling}


def sweep_means(table: pd.DataFrame, overlap: float = 0.0) -> pd.DataFrame:
    """Mean and 95 % t-interval over seeds: basis, n_observables, mean, low, high, n_seeds.

    Args:
        table: rows of `frozen_sweep`.
        overlap: of repeated splits, see `t_interval`.
    """
    rows = []
    for key, group in table.groupby(["basis", "n_observables"], sort=False):
        base, count = key  # pyright: ignore[reportGeneralTypeIssues]
        interval = t_interval(group["score"], overlap=overlap)
        rows.append((base, count, interval.mean, interval.low, interval.high, interval.n_values))
    return pd.DataFrame(rows, columns=["basis", "n_observables", "mean", "low", "high", "n_seeds"])

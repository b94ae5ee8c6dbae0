"""How fast exact noise is: ours against cirq's density matrices, ``python -m qfl_explore.benchmark.noise``.

Both run the same circuit with the same channels; the values must agree before anything is timed.
cirq runs one sample, ours a batch, each on one thread; the shortest of several times counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import cirq
import numpy as np
import pandas as pd

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.circuits.noise import device_noise, noisy_circuit, noisy_observables
from qfl_explore.config import FusionConfig
from qfl_explore.simulation.density_matrix import DensityMatrixBackend

#: (M, D, P).
CASES = ((2, 1, 3), (3, 2, 5), (12, 1, 3), (7, 2, 5), (16, 1, 3))
N_SAMPLES = 64


def measure(n_modalities: int, feature_dim: int, degree: int, n_repeats: int = 5) -> dict[str, Any]:
    """One row: milliseconds of both, and how far their values are apart.

    Args:
        n_modalities: M.
        feature_dim: D.
        degree: P.
        n_repeats: of ours; cirq runs once after one call that is not timed.
    """
    fusion = FusionCircuit(FusionConfig(n_modalities=n_modalities, feature_dim=feature_dim, degree=degree))
    rng, noise = np.random.default_rng(0), device_noise()
    features = rng.uniform(-np.pi, np.pi, (N_SAMPLES, n_modalities, feature_dim))
    weights = rng.uniform(-np.pi, np.pi, fusion.weight_shape)
    cotangents = rng.normal(size=(N_SAMPLES, fusion.n_observables))
    ours, theirs = DensityMatrixBackend(noise, n_threads=1), _Cirq(fusion, features[:1], weights)
    values = ours.expectations(fusion, features, weights)
    gap = float(np.abs(theirs() - values[0]).max())
    forward = _shortest(lambda: ours.expectations(fusion, features, weights), n_repeats)
    both = _shortest(lambda: ours.gradients(fusion, features, weights, cotangents), n_repeats)
    one = _shortest(theirs, 1)
    return {
        "n_qubits": fusion.n_qubits,
        "degree": degree,
        "forward_ms": forward,
        "gradient_ms": both,
        "cirq_ms_a_sample": one,
        "ratio": one * N_SAMPLES / forward,
        "largest_difference": gap,
    }


class _Cirq:
    """Values of one sample from ``cirq.DensityMatrixSimulator`` in complex128; symbols are resolved before."""

    def __init__(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> None:
        noise = device_noise()
        angles = fusion.physical.symbol_values(features, weights)[0].tolist()
        names = [symbol.name for symbol in fusion.physical.symbols]
        self.circuit = cirq.resolve_parameters(
            noisy_circuit(fusion, noise, merge_idle=True), dict(zip(names, angles, strict=True))
        )
        self.qubits, self.observables = fusion.qubits, noisy_observables(fusion, noise)
        self.place = {qubit: i for i, qubit in enumerate(fusion.qubits)}
        self.simulator = cirq.DensityMatrixSimulator(dtype=np.complex128)

    def __call__(self) -> np.ndarray:
        matrix = self.simulator.simulate(self.circuit, qubit_order=self.qubits).final_density_matrix
        found = (
            o.expectation_from_density_matrix(matrix, self.place, check_preconditions=False) for o in self.observables
        )
        return np.array([value.real for value in found])


def _shortest(call: Callable[[], Any], n_repeats: int) -> float:
    times = []
    for _ in range(n_repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def main(arguments: list[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m qfl_explore.benchmark.noise", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="of ours; the shortest time counts")
    repeats = parser.parse_args(arguments).repeats
    table = pd.DataFrame([measure(*case, n_repeats=repeats) for case in CASES])
    sys.stdout.write(
        f"{N_SAMPLES} samples, one thread, device noise\n{table.to_string(index=False, float_format='%.3g')}\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

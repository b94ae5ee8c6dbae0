"""What is timed: one circuit with its inputs, written to a file that any engine can read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cirq
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import invalid
from qfl_explore.simulation.base import get_backend

#: (M, D, P): from two scalars to the paper's largest task.
SIZES = ((2, 1, 3), (3, 4, 5), (12, 1, 3), (12, 4, 3), (207, 1, 3), (207, 4, 3))
BATCHES = (1, 64, 256)
#: How cost grows, one number at a time from (12, 1, 3) with B = 64: P, B, and M (so that n is 2 … 10).
GROWTH_DEGREES = (1, 2, 4, 8, 16)
GROWTH_BATCHES = (1, 4, 16, 64, 256, 1024)
GROWTH_MODALITIES = (1, 3, 7, 15, 31, 63, 127, 255, 511)
#: Of a central difference, radians.
_STEP = 1e-5


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the benchmark.

    Attributes:
        n_modalities, feature_dim, degree: M, D, P.
        batch_size: B.
        seed: of features, weights and cotangents.
    """

    n_modalities: int
    feature_dim: int
    degree: int
    batch_size: int
    seed: int = 0

    @property
    def config(self) -> FusionConfig:
        """The layer, with every other setting at its default."""
        return FusionConfig(n_modalities=self.n_modalities, feature_dim=self.feature_dim, degree=self.degree)

    @property
    def label(self) -> str:
        """``M×D, P, B`` in words."""
        return f"{self.n_modalities}x{self.feature_dim} P={self.degree} B={self.batch_size}"

    def write(self, folder: Path) -> Path:
        """Writes settings, inputs and reference results; returns the folder of the case."""
        path = folder / f"{self.n_modalities}_{self.feature_dim}_{self.degree}_{self.batch_size}"
        path.mkdir(parents=True, exist_ok=True)
        fusion = FusionCircuit(self.config)
        rng = np.random.default_rng(self.seed)
        features = rng.uniform(-np.pi, np.pi, (self.batch_size, self.n_modalities, self.feature_dim))
        weights = rng.uniform(-np.pi, np.pi, fusion.weight_shape)
        cotangents = rng.normal(size=(self.batch_size, fusion.n_observables))
        inputs = [array.astype(np.float32) for array in (features, weights, cotangents)]
        reference = get_backend("batched", dtype="float64").gradients(fusion, *inputs)
        check_with_cirq(fusion, *inputs)
        names = ("features", "weights", "cotangents", "values", "d_features", "d_weights")
        np.savez(path / "arrays.npz", **dict(zip(names, [*inputs, *reference], strict=True)))
        settings = {
            "config": self.config.to_dict(),
            "n_qubits": fusion.n_qubits,
            "n_index": self.config.n_index_qubits,
            "bloch": bloch_vectors(fusion).tolist(),
        }
        (path / "case.json").write_text(json.dumps(settings))
        return path


def check_with_cirq(fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray) -> None:
    """Makes sure that the reference is right: one sample, against cirq's state vectors.

    Compared are the values, and the slope of ``sum(cotangents * values)`` in a random direction
    against a central difference.

    Args:
        fusion: the circuit.
        features: [B, M, D], radians; the first sample is taken.
        weights: of ``fusion.weight_shape``, radians.
        cotangents: [B, K].

    Raises:
        RuntimeError: they differ.
    """
    x, w, c = (np.asarray(array, np.float64) for array in (features[:1], weights, cotangents[:1]))
    rng = np.random.default_rng(0)
    dx, dw = rng.normal(size=x.shape), rng.normal(size=w.shape)
    cirq_engine = get_backend("cirq")
    values, d_features, d_weights = get_backend("batched", dtype="float64").gradients(fusion, x, w, c)
    sides = [cirq_engine.expectations(fusion, x + step * dx, w + step * dw) for step in (-_STEP, _STEP)]
    slope = float(((sides[1] - sides[0]) * c).sum()) / (2 * _STEP)
    ours = float((d_features * dx).sum() + (d_weights * dw).sum())
    apart = np.abs(values - cirq_engine.expectations(fusion, x, w)).max()
    if apart > 1e-9 or abs(slope - ours) > 1e-6 * max(1.0, abs(slope)):
        raise RuntimeError(
            f"The reference is wrong: values differ from cirq's by {apart:.2g}, slopes {ours} and {slope}."
        )


def growth_cases() -> list[Case]:
    """The cases that show how cost grows with P, B and n, each once."""
    cases = [Case(12, 1, degree, 64) for degree in GROWTH_DEGREES]
    cases += [Case(12, 1, 3, batch_size) for batch_size in GROWTH_BATCHES]
    cases += [Case(n_modalities, 1, 3, 64) for n_modalities in GROWTH_MODALITIES]
    return list(dict.fromkeys(cases))


def bloch_vectors(fusion: FusionCircuit) -> np.ndarray:
    """[K, n, 3]: the X, Y, Z coefficients of observables that are sums of one-qubit Paulis.

    Raises:
        ValueError: an observable has a string on two or more qubits.
    """
    out = np.zeros((fusion.n_observables, fusion.n_qubits, 3))
    for k, observable in enumerate(fusion.observables):
        for string in observable:
            if len(string) != 1:
                raise invalid("the benchmark reads one-qubit observables only", "strings on one qubit", str(string))
            ((qubit, pauli),) = string.items()
            out[k, fusion.qubits.index(qubit), (cirq.X, cirq.Y, cirq.Z).index(pauli)] += string.coefficient.real
    return out

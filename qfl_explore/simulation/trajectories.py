"""Noise by trajectories: averages over random realisations of the channels, with standard errors.

For registers that are too large for density matrices: qsim's trajectories, and TensorFlow
Quantum's as a cross-check. A trajectory is a pure state, so an average over R of them is off by
about 1/√R; `estimates` says by how much.
"""

from __future__ import annotations

import abc
import dataclasses
import threading
from typing import Any

import cirq
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.circuits.noise import NoiseModel, noisy_circuit, noisy_observables
from qfl_explore.errors import check_int, invalid
from qfl_explore.simulation.base import Backend
from qfl_explore.simulation.density_matrix import check_noise
from qfl_explore.simulation.parameter_shift import shift_gradients, shifted_angles

#: Standard errors come from the scatter of so many averages.
N_GROUPS = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Averages:
    """What trajectories tell.

    Attributes:
        values: [B, K] averages.
        standard_errors: [B, K], from the scatter of `N_GROUPS` averages; 0 without noise.
        n_trajectories: of each sample.
        groups: [B, N_GROUPS, K], what the standard errors come from; for those of other functions of the values.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    n_trajectories: int
    groups: np.ndarray


def standard_error(groups: np.ndarray) -> np.ndarray:
    """Of a mean over axis 1, from the scatter there: [B, N_GROUPS, …] -> [B, …]."""
    return groups.std(axis=1, ddof=1) / np.sqrt(groups.shape[1])


class _Trajectories(Backend):
    """What the two engines share.

    Args:
        noise: strengths of the channels; ``None``: none.
        n_trajectories: of each sample, 20 or more; rounded up to a multiple of 20.
        seed: of the realisations; 0 or more.

    Raises:
        TypeError: an option is of the wrong kind.
        ValueError: an option is out of range.
    """

    def __init__(self, noise: NoiseModel | None = None, n_trajectories: int = 1000, seed: int = 0) -> None:
        self.noise = check_noise(noise)
        wanted = check_int("n_trajectories", n_trajectories, N_GROUPS)
        self.n_trajectories = N_GROUPS * -(-wanted // N_GROUPS)
        self.seed = check_int("seed", seed, 0)
        self._lock = threading.Lock()

    def estimates(self, fusion: FusionCircuit, features: Any, weights: Any) -> Averages:
        """Averages and their standard errors.

        Args:
            fusion: the circuit.
            features: [B, M, D], radians, finite.
            weights: of ``fusion.weight_shape``, radians, finite.

        Returns:
            Averages of [B, K] values.

        Raises:
            ValueError: a shape is wrong, a number is not finite, or memory would not do.
            TypeError: something is not an array of real numbers.
        """
        features, weights = self._checked(fusion, features, weights)
        rng = np.random.default_rng([self.seed, 1])
        groups = self._groups(fusion, fusion.physical.symbol_values(features, weights), rng)
        return Averages(groups.mean(axis=1), standard_error(groups), self.n_trajectories, groups)

    @abc.abstractmethod
    def _groups(self, fusion: FusionCircuit, angles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Averages [N, N_GROUPS, K] of circuits with angles [N, S]."""

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.estimates(fusion, features, weights).values.astype(np.float32)

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, 2])

        def shifted_values(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            plus, minus = (self._groups(fusion, moved, rng).mean(axis=1) for moved in shifted_angles(angles))
            return plus, minus

        d_features, d_weights = shift_gradients(fusion, features, weights, cotangents, shifted_values)
        values = self._expectations(fusion, features, weights)
        return values, d_features.astype(np.float32), d_weights.astype(np.float32)


class TrajectoryBackend(_Trajectories):
    """qsim's noisy trajectories in float32; gradients by parameter shift, so they scatter too.

    Args:
        noise: strengths of the channels; ``None``: none.
        n_trajectories: of each sample, 20 or more; rounded up to a multiple of 20.
        seed: of the realisations; 0 or more.
        threads: of one trajectory, 1 or more.
    """

    name = "trajectories"

    def __init__(
        self, noise: NoiseModel | None = None, n_trajectories: int = 1000, seed: int = 0, threads: int = 1
    ) -> None:
        super().__init__(noise, n_trajectories, seed)
        self.threads = check_int("threads", threads, 1)

    def _groups(self, fusion: FusionCircuit, angles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        from qsimcirq import QSimOptions, qsim

        table = _NoisyTable(fusion, self.noise)
        n_each = 1 if table.is_pure else self.n_trajectories // N_GROUPS
        options = QSimOptions(cpu_threads=self.threads, ev_noisy_repetitions=n_each).as_dict()
        groups = np.empty((len(angles), N_GROUPS, fusion.n_observables))
        for row, sample in enumerate(angles):
            seeds = rng.integers(1, 2**30, N_GROUPS).tolist()
            with self._lock:  # qsim's C++ side makes no promise about threads
                options["c"] = table.circuit(sample)
                for group, seed in enumerate(seeds[:1] if table.is_pure else seeds):
                    run = qsim.qtrajectory_simulate_expectation_values
                    groups[row, group] = np.real(run({**options, "s": seed}, table.observables, 0))
            if table.is_pure:
                groups[row, 1:] = groups[row, 0]
        return groups


class _NoisyTable:
    """A noisy circuit as rows for qsim's C++ side, so that cirq resolves no symbols."""

    def __init__(self, fusion: FusionCircuit, noise: NoiseModel) -> None:
        from qsimcirq import qsim

        kinds = {
            cirq.XPowGate: qsim.kXPowGate,
            cirq.YPowGate: qsim.kYPowGate,
            cirq.ZPowGate: qsim.kZPowGate,
            cirq.CXPowGate: qsim.kCXPowGate,
            cirq.CZPowGate: qsim.kCZPowGate,
        }
        self.n_qubits = fusion.n_qubits
        bit = {qubit: fusion.n_qubits - 1 - i for i, qubit in enumerate(fusion.qubits)}
        order = {symbol.name: i for i, symbol in enumerate(fusion.physical.symbols)}
        self._rows: list[tuple[Any, ...]] = []
        known: dict[Any, list[Any]] = {}
        for time, op in enumerate(noisy_circuit(fusion, noise, merge_idle=True).all_operations()):
            qubits = [bit[qubit] for qubit in op.qubits]
            if not isinstance(op.gate, tuple(kinds)):
                data = known.setdefault(op.gate, _channel(op.gate))
                self._rows.append((None, time, qubits, data, None))
                continue
            names = cirq.parameter_names(op)
            parameters = {
                "exponent": 1.0 if names else float(op.gate.exponent),
                "global_shift": float(op.gate.global_shift),
            }
            symbol = order[names.pop()] if names else None
            kind = next(kind for family, kind in kinds.items() if isinstance(op.gate, family))
            self._rows.append((kind, time, qubits, parameters, symbol))
        self.is_pure = not known
        self.observables = [_sum(observable, bit) for observable in noisy_observables(fusion, noise)]

    def circuit(self, angles: np.ndarray) -> Any:
        """A C++ circuit with these angles [S], radians."""
        from qsimcirq import qsim

        turns = (angles / np.pi).tolist()
        circuit = qsim.NoisyCircuit()
        circuit.num_qubits = self.n_qubits
        for kind, time, qubits, data, symbol in self._rows:
            if kind is None:
                qsim.add_channel(time, qubits, data, circuit)
                continue
            parameters = data if symbol is None else {**data, "exponent": turns[symbol]}
            qsim.add_gate_channel(kind, time, qubits, parameters, circuit)
        return circuit


def _channel(gate: cirq.Gate) -> list[Any]:
    """(least probability, matrix, whether unitary) of each Kraus operator, as qsimcirq writes them."""
    rows = []
    mixture = cirq.mixture(gate, None)
    for matrix in cirq.kraus(gate) if mixture is None else (matrix for _, matrix in mixture):
        least = float(np.linalg.svd(matrix, compute_uv=False).min() ** 2)
        numbers = np.ascontiguousarray(matrix, np.complex64).ravel().view(np.float32)
        rows.append((least, numbers, bool(cirq.is_unitary(matrix))))
    if mixture is None:
        return rows
    return [(float(p), *row[1:]) for (p, _), row in zip(mixture, rows, strict=True)]


def _sum(observable: cirq.PauliSum, bit: dict[cirq.Qid, int]) -> tuple[list[Any], int]:
    """A Pauli sum for qsim, and on how many qubits it acts."""
    from qsimcirq import qsim, qsim_circuit

    strings = []
    for string in observable:
        made = qsim.OpString()
        made.weight = string.coefficient
        for qubit, pauli in string.items():
            qsim_circuit.add_op_to_opstring(pauli.on(qubit), bit, made)
        strings.append(made)
    return strings, len(observable.qubits)


class TFQNoisyBackend(_Trajectories):
    """TensorFlow Quantum's noisy trajectories; a cross-check. Its realisations take no seed.

    Raises:
        ImportError: see `qfl_explore.simulation.tfq.import_tfq`.
        ValueError: the noise has two-qubit depolarising, which TensorFlow Quantum 0.7.6 takes and
            simulates as depolarising of the first qubit alone, without a word.
    """

    name = "tfq_noisy"

    def __init__(self, noise: NoiseModel | None = None, n_trajectories: int = 1000, seed: int = 0) -> None:
        from qfl_explore.simulation.tfq import import_tfq

        super().__init__(noise, n_trajectories, seed)
        if self.noise.depolarizing_2q:
            raise invalid(
                "TensorFlow Quantum simulates two-qubit depolarising wrongly",
                "depolarizing_2q=0, or backend 'density_matrix' or 'trajectories'",
                f"depolarizing_2q={self.noise.depolarizing_2q}",
            )
        self._tf, self._tfq = import_tfq()

    def _groups(self, fusion: FusionCircuit, angles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        tf, tfq = self._tf, self._tfq
        program = tfq.convert_to_tensor([noisy_circuit(fusion, self.noise, merge_idle=True)])
        observables = tfq.convert_to_tensor([list(noisy_observables(fusion, self.noise))])
        names = tf.constant([symbol.name for symbol in fusion.physical.symbols])
        rows = np.repeat(angles, N_GROUPS, axis=0).astype(np.float32)
        counts = tf.fill([len(rows), fusion.n_observables], self.n_trajectories // N_GROUPS)
        repeated = tf.tile(program, [len(rows)]), tf.tile(observables, [len(rows), 1])
        values = tfq.noise.expectation(repeated[0], names, tf.constant(rows), repeated[1], counts)
        return np.asarray(values, np.float64).reshape(len(angles), N_GROUPS, -1)

"""qsim (qsimcirq): float32 state vectors in C++, one circuit at a time; gradients by parameter shift."""

from __future__ import annotations

import threading
from typing import Any

import cirq
import numpy as np
import qsimcirq

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import invalid
from qfl_explore.simulation.base import Backend
from qfl_explore.simulation.parameter_shift import SHIFT, shift_gradients
from qfl_explore.simulation.pauli import PauliTable
from qfl_explore.simulation.qsim_calibration import calibration
from qfl_explore.simulation.qsim_cost import CHUNK_BYTES, Cost, device_bytes, host_bytes, predict, sums_in_engine
from qfl_explore.simulation.qsim_gates import GateTable, engine_observables
from qfl_explore.simulation.qsim_gpu import MODES, check_gpu
from qfl_explore.simulation.qsim_options import QSimSettings
from qfl_explore.simulation.sampling import Estimates, Reader
from qfl_explore.theory.measurement import observable_axes, split_repetitions

#: Random streams of one seed: values and shifted values never share their noise.
_VALUES, _SHIFTS = 0, 1


class QSimBackend(Backend):
    """Amplitudes from qsim in float32, on processors or a GPU; observables exact, or from repetitions.

    Args:
        **options: see `qfl_explore.simulation.qsim_options.QSimSettings`.

    Raises:
        TypeError: an option is of the wrong kind, or there is none of that name.
        ValueError: an option is out of range, unknown, or does not go with another.
        ImportError: ``device='gpu'``, and qsim cannot use one here; found out in another process.
    """

    name = "qsim"

    def __init__(self, **options: Any) -> None:
        self.settings = QSimSettings.of(options)
        self._lock = threading.Lock()  # qsim's C++ side makes no promise about threads
        self.gpu = check_gpu(self.settings.gpu_mode) if self.settings.gpu_mode else None
        self._engine = getattr(qsimcirq, MODES[self.settings.gpu_mode][1]) if self.gpu else qsimcirq.qsim

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """State vectors and what observables are summed from, in this machine's memory."""
        return host_bytes(fusion.config, self.settings)

    def predict(self, config: FusionConfig, n_samples: int = 1, gradients: bool = False) -> Cost:
        """Time and memory that a call will take, on a machine that is otherwise idle.

        The first time, qsim is timed on this machine for some seconds, in another process; the result is kept
        on disk.

        Args:
            config: the circuit's settings.
            n_samples: B.
            gradients: whether `gradients` will be called, or `expectations`.

        Raises:
            ValueError: ``form='circuit'``, or n_samples is out of range.
            RuntimeError: qsim could not be timed.
        """
        if self.settings.form != "physical":
            raise invalid("only the physical form is predicted", "form='physical'", f"form={self.settings.form!r}")
        return predict(config, self.settings, calibration(self.settings), n_samples, gradients)

    def estimates(self, fusion: FusionCircuit, features: Any, weights: Any) -> Estimates:
        """Values from repetitions, and how many of them told something about each observable.

        The standard error of a value v is ``sqrt((1 - v²) / n_used)``; see `theory.measurement.grouped_variance`.

        Args:
            fusion: the circuit.
            features: [B, M, D], radians, finite.
            weights: of ``fusion.weight_shape``, radians, finite.

        Returns:
            Estimates of [B, K] values.

        Raises:
            ValueError: the engine has no ``repetitions``, they are too few, or an input is wrong.
            TypeError: something is not an array of real numbers.
        """
        features, weights = self._checked(fusion, features, weights)
        if self.settings.repetitions is None:
            received = "get_backend('qsim') without repetitions"
            raise invalid("there are no repetitions to estimate from", "get_backend('qsim', repetitions=…)", received)
        question = _Question(self, fusion)
        angles = fusion.physical.symbol_values(features, weights)
        return question.sampled(angles, self._rng(_VALUES))

    def _checked(self, fusion: FusionCircuit, features: Any, weights: Any) -> tuple[np.ndarray, np.ndarray]:
        features, weights = super()._checked(fusion, features, weights)
        if self.gpu is not None:
            needed, free = device_bytes(fusion.config, self.settings), self.gpu.free_bytes
            if needed > 0.9 * free:
                what = f"qsim with {fusion.n_qubits} qubits needs too much of the GPU's memory"
                expected = f"at most 90 % of the {free / 2**30:.3g} GiB that were free"
                raise invalid(what, expected, f"{needed / 2**30:.3g} GiB")
        return features, weights

    def _rng(self, stream: int) -> np.random.Generator:
        seed = self.settings.seed
        return np.random.default_rng() if seed is None else np.random.default_rng([seed, stream])

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if self.settings.form == "circuit":
            return self._through_cirq(fusion, features, weights)
        angles = fusion.physical.symbol_values(features, weights)
        return _Question(self, fusion).values(angles, self._rng(_VALUES))

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        question, rng = _Question(self, fusion), self._rng(_SHIFTS)

        def shifted_values(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return question.shifted(angles, SHIFT, rng), question.shifted(angles, -SHIFT, rng)

        d_features, d_weights = shift_gradients(fusion, features, weights, cotangents, shifted_values)
        values = self._expectations(fusion, features, weights)
        return values, d_features.astype(np.float32), d_weights.astype(np.float32)

    def _through_cirq(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        names = [symbol.name for symbol in fusion.feature_symbols + fusion.weight_symbols]
        points = [np.concatenate([np.ravel(sample), np.ravel(weights)]).tolist() for sample in features]
        sweep = [cirq.ParamResolver(dict(zip(names, point, strict=True))) for point in points]
        simulator = qsimcirq.QSimSimulator(self.settings.for_qsim())
        with self._lock:
            values = simulator.simulate_expectation_values_sweep(
                fusion.circuit, list(fusion.observables), sweep, qubit_order=list(fusion.qubits)
            )
        return np.real(values).astype(np.float32)

    def run(self, what: str, circuit: Any, *arguments: Any, seed: int = 1) -> Any:
        """Calls a function of qsim's C++ side with a circuit and the options.

        Raises:
            MemoryError: qsim answered nothing, which is how it says that an allocation failed.
        """
        with self._lock:
            answer = getattr(self._engine, what)({**self.settings.for_qsim(), "c": circuit, "s": seed}, *arguments)
        if len(answer) == 0:
            raise invalid("qsim gave no answer", "a state vector that fits into memory", what, MemoryError)
        return answer


class _Question:
    """One circuit with its observables, translated once a call."""

    def __init__(self, backend: QSimBackend, fusion: FusionCircuit) -> None:
        self.backend, self.settings = backend, backend.settings
        self.gates = GateTable(fusion)
        self.n_observables = fusion.n_observables
        if self.settings.repetitions is not None:
            self.reader = Reader(observable_axes(fusion.observables, fusion.qubits))
            self._check_repetitions(self.settings.repetitions)
        elif sums_in_engine(fusion.config, self.settings):
            self.operators = engine_observables(fusion)
        else:
            self.paulis = PauliTable(fusion.observables, fusion.qubits)

    def _check_repetitions(self, repetitions: int) -> None:
        bases = self.reader.n_settings
        if repetitions < bases:
            what = f"repetitions do not reach all of the {bases} product bases that the observables need"
            raise invalid(what, f"repetitions of {bases} or more", f"repetitions={repetitions}")

    def values(self, angles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Observables [N, K] of circuits with angles [N, S]."""
        if self.settings.repetitions is not None:
            return self.sampled(angles, rng).values.astype(np.float32)
        if hasattr(self, "operators"):
            return self._by_engine(angles)
        values = np.empty((len(angles), self.n_observables), np.float32)
        chunk = max(1, CHUNK_BYTES // (16 * 2**self.gates.n_qubits))
        for start in range(0, len(angles), chunk):
            states = np.stack([self._state(row) for row in angles[start : start + chunk]])
            values[start : start + chunk] = self.paulis.expectations(states)
        return values

    def shifted(self, angles: np.ndarray, shift: float, rng: np.random.Generator) -> np.ndarray:
        """Observables [S, K] with each of the angles [S] in turn moved by ``shift``; few rows are held at once."""
        rows = max(1, CHUNK_BYTES // (64 * len(angles)))
        parts = []
        for start in range(0, len(angles), rows):
            moved = np.arange(start, min(start + rows, len(angles)))
            part = np.tile(angles, (len(moved), 1))
            part[np.arange(len(moved)), moved] += shift
            parts.append(self.values(part, rng))
        return np.concatenate(parts)

    def _state(self, row: np.ndarray) -> np.ndarray:
        """The final state vector [2^n], complex64, from |0…0⟩."""
        amplitudes = self.backend.run("qsim_simulate_fullstate", self.gates.circuit(row), 0)
        return np.asarray(amplitudes, np.float32).view(np.complex64)

    def _by_engine(self, angles: np.ndarray) -> np.ndarray:
        function, circuit = "qsim_simulate_expectation_values", self.gates.circuit
        rows = [self.backend.run(function, circuit(row), self.operators, 0) for row in angles]
        return np.real(rows).astype(np.float32)

    def sampled(self, angles: np.ndarray, rng: np.random.Generator) -> Estimates:
        """Estimates [N, K] from repetitions of circuits with angles [N, S]."""
        repetitions = self.settings.repetitions or 0
        shares = split_repetitions(repetitions, self.reader.n_settings)
        sums = np.empty((len(angles), self.n_observables, self.reader.n_settings))
        for i, row in enumerate(angles):
            for u, (basis, share) in enumerate(zip(self.reader.settings, shares.tolist(), strict=True)):
                circuit, seed = self.gates.circuit(row, basis), int(rng.integers(2**31 - 1))
                outcomes = self.backend.run("qsim_sample_final", circuit, share, seed=seed)
                sums[i, :, u] = self.reader.parity_sums(np.array(outcomes, np.int64))
        used = (self.reader.signs != 0) @ shares
        values = (sums * self.reader.signs).sum(axis=2) / used
        return Estimates(values, used, repetitions, "grouped")

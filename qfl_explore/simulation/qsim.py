"""qsim (qsimcirq): float32 state vectors in C++, one circuit at a time; gradients by parameter shift."""

from __future__ import annotations

import threading
from typing import Any

import cirq
import numpy as np
import qsimcirq
from qsimcirq import qsim

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import check_int, check_option
from qfl_explore.simulation.base import Backend
from qfl_explore.simulation.parameter_shift import shift_gradients, shifted_angles
from qfl_explore.simulation.pauli import PauliTable

FORMS = ("physical", "circuit")
#: State vectors that are held at once take at most about this much memory.
_CHUNK_BYTES = 2**26
_KINDS = {
    cirq.XPowGate: qsim.kXPowGate,
    cirq.YPowGate: qsim.kYPowGate,
    cirq.ZPowGate: qsim.kZPowGate,
    cirq.CXPowGate: qsim.kCXPowGate,
    cirq.CZPowGate: qsim.kCZPowGate,
}


class QSimBackend(Backend):
    """Amplitudes from qsim in float32; observables summed from them in float64.

    Resolving sympy symbols costs cirq far more than qsim's simulation (8 ms against 1 ms at
    12 qubits), so ``fusion.physical`` becomes a table of numbers once a call, from which each
    circuit is handed to qsim's C++ side directly.

    Args:
        threads: OpenMP threads of one simulation, 1 or more.
        max_fused_gate_size: how many qubits qsim fuses gates to, 2 to 6.
        form: which circuit the values come from: ``physical`` (uncontrolled gates, fast) or
            ``circuit`` (``fusion.circuit`` as it stands, through ``QSimSimulator``, slow).
            Gradients always shift the physical form.

    Raises:
        TypeError: an option is of the wrong kind.
        ValueError: an option is out of range or unknown.
    """

    name = "qsim"

    def __init__(self, threads: int = 1, max_fused_gate_size: int = 2, form: str = "physical") -> None:
        self.threads = check_int("threads", threads, 1)
        self.max_fused_gate_size = check_int("max_fused_gate_size", max_fused_gate_size, 2, 6)
        self.form = check_option("form", form, FORMS)
        self._lock = threading.Lock()  # qsim's C++ side makes no promise about threads

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """A few complex64 state vectors, and the chunk that observables are summed from."""
        return 8 * 16 * 2**fusion.n_qubits + 4 * _CHUNK_BYTES

    def _options(self) -> dict[str, Any]:
        return qsimcirq.QSimOptions(cpu_threads=self.threads, max_fused_gate_size=self.max_fused_gate_size).as_dict()

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if self.form == "circuit":
            return self._through_cirq(fusion, features, weights)
        angles = fusion.physical.symbol_values(features, weights)
        return self._values(_GateTable(fusion), PauliTable(fusion.observables, fusion.qubits), angles)

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        gates, paulis = _GateTable(fusion), PauliTable(fusion.observables, fusion.qubits)

        def shifted_values(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            plus, minus = shifted_angles(angles)
            return self._values(gates, paulis, plus), self._values(gates, paulis, minus)

        d_features, d_weights = shift_gradients(fusion, features, weights, cotangents, shifted_values)
        values = self._expectations(fusion, features, weights)
        return values, d_features.astype(np.float32), d_weights.astype(np.float32)

    def _values(self, gates: _GateTable, paulis: PauliTable, angles: np.ndarray) -> np.ndarray:
        """Observables [N, K] of circuits with angles [N, S]."""
        values = np.empty((len(angles), paulis.n_observables), np.float32)
        chunk = max(1, _CHUNK_BYTES // (16 * 2**gates.n_qubits))
        options = self._options()
        for start in range(0, len(angles), chunk):
            rows = angles[start : start + chunk]
            with self._lock:
                states = np.stack([_state({**options, "c": gates.circuit(row)}) for row in rows])
            values[start : start + chunk] = paulis.expectations(states)
        return values

    def _through_cirq(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        names = [symbol.name for symbol in fusion.feature_symbols + fusion.weight_symbols]
        points = [np.concatenate([np.ravel(sample), np.ravel(weights)]).tolist() for sample in features]
        sweep = [cirq.ParamResolver(dict(zip(names, point, strict=True))) for point in points]
        simulator = qsimcirq.QSimSimulator(self._options())
        with self._lock:
            values = simulator.simulate_expectation_values_sweep(
                fusion.circuit, list(fusion.observables), sweep, qubit_order=list(fusion.qubits)
            )
        return np.real(values).astype(np.float32)


class _GateTable:
    """``fusion.physical`` as (kind, time, qubits, parameters, symbol) rows for qsim's C++ circuits."""

    def __init__(self, fusion: FusionCircuit) -> None:
        self.n_qubits = fusion.n_qubits
        # qsim numbers qubits from the least significant one.
        bit = {qubit: fusion.n_qubits - 1 - i for i, qubit in enumerate(fusion.qubits)}
        order = {symbol.name: i for i, symbol in enumerate(fusion.physical.symbols)}
        self._rows = []
        for time, op in enumerate(fusion.physical.circuit.all_operations()):
            names = cirq.parameter_names(op)
            exponent = 1.0 if names else float(op.gate.exponent)
            parameters = {"exponent": exponent, "global_shift": float(op.gate.global_shift)}
            symbol = order[names.pop()] if names else None
            kind = next(kind for family, kind in _KINDS.items() if isinstance(op.gate, family))
            self._rows.append((kind, time, [bit[qubit] for qubit in op.qubits], parameters, symbol))

    def circuit(self, angles: np.ndarray) -> Any:
        """A C++ circuit with these angles [S], radians; every rotation is a gate to the power angle/π."""
        turns = (angles / np.pi).tolist()
        circuit = qsim.Circuit()
        circuit.num_qubits = self.n_qubits
        for kind, time, qubits, parameters, symbol in self._rows:
            if symbol is not None:
                parameters["exponent"] = turns[symbol]  # the table belongs to one call, so to one thread
            qsim.add_gate(kind, time, qubits, parameters, circuit)
        return circuit


def _state(options: dict[str, Any]) -> np.ndarray:
    """The final state vector [2^n], complex64, from |0…0⟩."""
    amplitudes = qsim.qsim_simulate_fullstate({**options, "s": 1}, 0)
    return np.asarray(amplitudes, np.float32).view(np.complex64)

"""The translator on circuits that no fusion layer has: every supported gate, merged rightly."""

import cirq
import numpy as np
import pytest
import sympy

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.simulation import program
from qfl_explore.simulation.batched import differentiate_program, run_program
from qfl_explore.simulation.translate import MULTIPLEX

QUBITS = cirq.GridQubit.rect(1, 4)
FEATURES = sympy.symbols("f0:3")
WEIGHTS = sympy.symbols("w0:4")
SYMBOLS = (*FEATURES, *WEIGHTS)


def _random_circuit(rng: np.random.Generator, n_gates: int = 60) -> cirq.Circuit:
    one_qubit = [cirq.H, cirq.X, cirq.S, cirq.T, cirq.Y**0.3, cirq.PhasedXPowGate(phase_exponent=0.2, exponent=0.7)]
    rotations = [cirq.rx, cirq.ry, cirq.rz, lambda s: cirq.ZPowGate(exponent=s / sympy.pi)]
    two_qubit = [cirq.CZ, cirq.CNOT, cirq.SWAP, cirq.ISWAP, cirq.CZ**0.5, cirq.ZZ**0.25]
    circuit = cirq.Circuit()
    for _ in range(n_gates):
        qubits = [QUBITS[i] for i in rng.permutation(4)]
        symbol = SYMBOLS[rng.integers(len(SYMBOLS))] * float(rng.choice([1.0, -0.5, 2.0]))
        rotation = rotations[rng.integers(4)](symbol)
        bits = [int(b) for b in rng.integers(0, 2, 2)]
        kind = rng.integers(6)
        if kind == 0:
            circuit.append(one_qubit[rng.integers(6)](qubits[0]))
        elif kind == 1:
            circuit.append(rotation(qubits[0]))
        elif kind == 2:
            circuit.append(two_qubit[rng.integers(6)](*qubits[:2]))
        elif kind == 3:
            circuit.append(rotation(qubits[0]).controlled_by(*qubits[1:3], control_values=bits))
        elif kind == 4:
            circuit.append(cirq.H(qubits[0]).controlled_by(qubits[1], control_values=bits[:1]))
        else:
            circuit.append(cirq.CCX(*qubits[:3]) if bits[0] else cirq.CCZ(*qubits[:3]))
    return circuit


def _observables() -> list[cirq.PauliSum]:
    a, b, c, d = QUBITS
    return [
        cirq.PauliSum.from_pauli_strings(cirq.Y(a) * cirq.Y(b) * cirq.Z(d)),
        0.3 * cirq.X(a) - 0.7 * cirq.Y(b) * cirq.X(c) + 0.25,
        cirq.PauliSum.from_pauli_strings(cirq.Y(a) * cirq.Y(b) * cirq.Y(c)),
        1.5 * cirq.Z(c) * cirq.Z(d) + 0.5 * cirq.Y(d),
    ]


def _reference(circuit: cirq.Circuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    positions = {q: i for i, q in enumerate(QUBITS)}
    rows = []
    for sample in features:
        resolver = dict(zip([s.name for s in SYMBOLS], [*sample, *weights], strict=True))
        state = cirq.Simulator(dtype=np.complex128).simulate(circuit, resolver, qubit_order=QUBITS).final_state_vector
        rows.append([o.expectation_from_state_vector(state, positions).real for o in _observables()])
    return np.array(rows)


@pytest.mark.parametrize("seed", range(8))
def test_any_circuit_agrees_with_cirq_and_finite_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = _random_circuit(rng)
    features, weights = rng.uniform(-3, 3, (5, 3)), rng.uniform(-3, 3, 4)
    cotangents = rng.normal(size=(5, 4))
    compiled = program.translate(circuit, QUBITS, FEATURES, WEIGHTS, _observables())
    values, d_features, d_weights = differentiate_program(compiled, features, weights, cotangents)
    np.testing.assert_allclose(values, _reference(circuit, features, weights), atol=1e-10)

    def loss(f: np.ndarray, w: np.ndarray) -> np.ndarray:
        return (run_program(compiled, f, w) * cotangents).sum(axis=1)

    step = 1e-6
    for i in range(3):
        shift = step * np.eye(3)[i]
        slope = (loss(features + shift, weights) - loss(features - shift, weights)) / (2 * step)
        np.testing.assert_allclose(d_features[:, i], slope, atol=1e-7)
    for i in range(4):
        shift = step * np.eye(4)[i]
        slope = (loss(features, weights + shift) - loss(features, weights - shift)).sum() / (2 * step)
        np.testing.assert_allclose(d_weights[i], slope, atol=1e-7)


def test_a_layer_is_merged_into_few_operations() -> None:
    fusion = FusionCircuit(FusionConfig(n_modalities=12, feature_dim=4, degree=3))
    compiled = program.translate(
        fusion.circuit, fusion.qubits, fusion.feature_symbols, fusion.weight_symbols, fusion.observables
    )
    n_layers, n_qubits = 4, 7
    assert len(compiled.ops) == n_layers * (n_qubits + 2) + 3, "two diagonals, a rotation a qubit, and S(x)"
    assert (compiled.ops[:, 0] == MULTIPLEX).sum() == 3


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (cirq.rx(WEIGHTS[0] * FEATURES[0])(QUBITS[0]), "cannot run an operation"),
        (cirq.rx(WEIGHTS[0] + 1)(QUBITS[0]), "cannot run an operation"),
        (cirq.rx(sympy.Symbol("stranger"))(QUBITS[0]), "unknown symbol.*Received: stranger"),
        (cirq.measure(QUBITS[0]), "cannot run an operation"),
        (cirq.X(QUBITS[0]).controlled_by(QUBITS[1], control_values=[(0, 1)]), "cannot run an operation"),
    ],
)
def test_what_cannot_run_is_named(operation: cirq.Operation, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        program.translate(cirq.Circuit(operation), QUBITS, FEATURES, WEIGHTS, _observables())


def test_a_complex_observable_is_refused() -> None:
    with pytest.raises(ValueError, match="not Hermitian"):
        program.translate(cirq.Circuit(), QUBITS, (), (), [1j * cirq.X(QUBITS[0]) + cirq.Z(QUBITS[0])])

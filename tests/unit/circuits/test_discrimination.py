"""The joint protocol in cirq: certain for every hidden base, and inside the family that training searches."""

import math

import cirq
import numpy as np
import pytest

from qfl_explore.circuits.discrimination import DiscriminationCircuit
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.circuits.qsp import hadamard_test, pattern_circuit
from qfl_explore.experiments.separation import draw_angles, protocol
from qfl_explore.simulation.base import get_backend
from qfl_explore.theory.qsp import BOOLEAN, BOOLEAN_ANGLES, response
from qfl_explore.theory.separation import joint_success


def z_of(circuit, theta):
    simulator, names = cirq.Simulator(dtype=np.complex128), [s.name for s in circuit.symbols]
    place = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    values = []
    for row in circuit.features(theta).tolist():
        run = simulator.simulate(circuit.circuit, dict(zip(names, row, strict=True)), qubit_order=circuit.qubits)
        values.append(circuit.observables[0].expectation_from_state_vector(run.final_state_vector, place).real)
    return np.array(values)


@pytest.mark.parametrize("n_oracles", [2, 3, 4, 5])
@pytest.mark.parametrize("delta", [math.pi / 6, 0.7, math.pi / 2])
@pytest.mark.parametrize(("n_rounds", "readout"), [(None, "best"), (1, "best"), (1, "z")])
def test_the_circuit_meets_the_closed_form(n_oracles, delta, n_rounds, readout):
    circuit = protocol(n_oracles, delta, n_rounds, readout)
    theta, labels = draw_angles(n_oracles, delta, 12, seed=0)
    z = z_of(circuit, theta)
    success = 0.5 + 0.5 * np.mean(np.where(labels == 0, z, -z))
    assert success == pytest.approx(joint_success(circuit.n_rounds, delta, readout), abs=1e-12)
    fusion = FusionCircuit(circuit.config)
    values = get_backend("cirq").expectations(fusion, circuit.features(theta)[:, :, None], circuit.weights())
    assert values[:, -1 if n_oracles == 2 else circuit.n_qubits - 1] == pytest.approx(z, abs=1e-12)


def test_six_queries_two_qubits_and_only_x_and_z_between():
    circuit = protocol()
    assert (circuit.n_queries, circuit.n_qubits) == (6, 2)
    fixed = [operation.gate for step in circuit.steps if not step.is_query for operation in step.operations]
    assert set(fixed) == {cirq.X, cirq.Z}
    assert [step.is_query for step in circuit.steps] == [True, False] * 6


@pytest.mark.parametrize("readout", [(0, 0, -1), (0, 1, 0), (1, 0, 0)])
def test_any_readout_direction(readout):
    circuit = DiscriminationCircuit(2, 1, readout=readout)
    z = z_of(circuit, np.zeros((1, 2)))
    assert z[0] == pytest.approx(readout[2], abs=1e-12)


def test_hadamard_test_reads_the_amplitude():
    phases, a = np.array([0.3, -0.8, 1.1, 0.2]), np.linspace(-1, 1, 7)
    test = hadamard_test(phases)
    from qfl_explore.experiments.circuit_engines import circuit_expectations

    inputs = -2 * np.arccos(a)[:, None]
    values = circuit_expectations("cirq", test.circuit, test.qubits, test.symbols, inputs, test.observables)
    amplitude = response(phases, a)
    assert values[:, 0] == pytest.approx(amplitude.real, abs=1e-12)
    assert values[:, 1] == pytest.approx(amplitude.imag, abs=1e-12)


@pytest.mark.parametrize("engine", ["cirq", "batched", "qsim"])
@pytest.mark.parametrize("name", BOOLEAN)
def test_boolean_circuits(engine, name):
    from qfl_explore.experiments.circuit_engines import TOLERANCES, circuit_expectations

    fixture = BOOLEAN[name]
    test = pattern_circuit(fixture.pattern, fixture.phases)
    inputs = -2 * np.array(BOOLEAN_ANGLES)
    z = circuit_expectations(engine, test.circuit, test.qubits, test.symbols, inputs, test.observables)[:, 0]
    assert (1 + z) / 2 == pytest.approx(np.array(fixture.p0, float), abs=TOLERANCES[engine])


def test_errors_have_three_parts():
    with pytest.raises(ValueError, match="n_oracles is out of range. Expected: .* Received: n_oracles=1"):
        DiscriminationCircuit(1, 1)
    with pytest.raises(ValueError, match="do not fit the pattern. Expected: 3 phases. Received: 1 phases"):
        pattern_circuit("AB", [0.0])

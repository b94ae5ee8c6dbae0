"""FusionCircuit: symbols, shapes, both forms of the whole circuit, and closed forms it must meet."""

import cirq
import numpy as np
import pytest
import sympy

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.circuits.ansatz import ansatz_operations
from qfl_explore.config import ENTANGLERS, SIGNALS

ATOL = 1e-12


def draw(fusion, seed=0, batch_size=1):
    rng = np.random.default_rng(seed)
    config = fusion.config
    features = rng.uniform(-np.pi, np.pi, (batch_size, config.n_modalities, config.feature_dim))
    return features, rng.uniform(-np.pi, np.pi, fusion.weight_shape)


def resolver(fusion, features, weights):
    names = [*fusion.feature_symbols, *fusion.weight_symbols]
    return dict(zip(names, [*np.ravel(features), *np.ravel(weights)], strict=True))


def unitary(fusion, features, weights):
    circuit = cirq.resolve_parameters(fusion.circuit, resolver(fusion, features, weights))
    return circuit.unitary(qubit_order=fusion.qubits, qubits_that_should_be_present=fusion.qubits)


def values(fusion, features, weights):
    state = unitary(fusion, features, weights)[:, 0]
    positions = {qubit: i for i, qubit in enumerate(fusion.qubits)}
    return [observable.expectation_from_state_vector(state, positions).real for observable in fusion.observables]


# Symbols and shapes


def test_sorting_the_names_keeps_the_stated_order():
    fusion = FusionCircuit(FusionConfig(n_modalities=12, feature_dim=11, degree=11, n_blocks=11))
    for symbols in (fusion.feature_symbols, fusion.weight_symbols, fusion.physical.symbols[: -fusion.n_weights]):
        names = [symbol.name for symbol in symbols]
        assert len(names) >= 11
        assert names == sorted(names)
        assert len(set(names)) == len(names)


def test_symbols_follow_the_axes_of_their_arrays():
    fusion = FusionCircuit(FusionConfig(n_modalities=3, feature_dim=2, degree=2, n_blocks=2))
    names = np.reshape([symbol.name for symbol in fusion.feature_symbols], (3, 2))
    assert names[2, 1] == "x_002_001"
    weights = np.reshape([symbol.name for symbol in fusion.weight_symbols], fusion.weight_shape)
    assert weights[2, 1, 3, 0] == "w_002_01_03_0"


@pytest.mark.parametrize("encoding", ["qubit_efficient", "qubit_per_feature"])
@pytest.mark.parametrize("signal_form", ["multi_controlled", "gray_code"])
def test_the_circuit_holds_exactly_its_symbols_and_qubits(encoding, signal_form):
    fusion = FusionCircuit(FusionConfig(n_modalities=3, degree=2, encoding=encoding, signal_form=signal_form))
    stated = {symbol.name for symbol in (*fusion.feature_symbols, *fusion.weight_symbols)}
    assert cirq.parameter_names(fusion.circuit) == stated
    assert fusion.circuit.all_qubits() == set(fusion.qubits)
    assert all(isinstance(qubit, cirq.GridQubit) for qubit in fusion.qubits)
    assert (*fusion.index_qubits, *fusion.value_qubits) == fusion.qubits


def test_each_weight_turns_the_gate_its_place_names():
    fusion = FusionCircuit(FusionConfig(n_modalities=3, degree=2, n_blocks=2))
    by_symbol = {}
    for operation in fusion.circuit.all_operations():
        names = cirq.parameter_names(operation)
        if len(names) == 1 and next(iter(names)).startswith("w_"):
            by_symbol[next(iter(names))] = operation
    assert len(by_symbol) == fusion.n_weights == 3 * 2 * 3 * 3
    for place, symbol in zip(np.ndindex(*fusion.weight_shape), fusion.weight_symbols, strict=True):
        operation = by_symbol[symbol.name]
        assert operation.qubits == (fusion.qubits[place[2]],)
        assert isinstance(operation.gate, (cirq.Rx, cirq.Ry, cirq.Rz)[place[3]])


@pytest.mark.parametrize(("entangler", "per_block"), [("full", 6), ("ring", 4), ("linear", 3)])
def test_each_block_has_its_entangling_gates(entangler, per_block):
    fusion = FusionCircuit(FusionConfig(n_modalities=7, degree=2, n_blocks=3, entangler=entangler))
    n_cz = sum(operation.gate == cirq.CZ for operation in fusion.circuit.all_operations())
    assert fusion.n_qubits == 4
    assert n_cz == per_block * 3 * 3  # three blocks in each of U_0, U_1, U_2


@pytest.mark.parametrize("wrong", [None, {"degree": 3}, "qubit_efficient"])
def test_only_a_config_makes_a_circuit(wrong):
    with pytest.raises(TypeError, match=r"^config is of the wrong kind\. Expected: a FusionConfig\. Received: "):
        FusionCircuit(wrong)


# One unitary, three ways to write it


@pytest.mark.parametrize("encoding", ["qubit_efficient", "qubit_per_feature"])
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("constant_slot", [True, False], ids=["constant", "no-constant"])
def test_all_forms_are_one_unitary(encoding, signal, constant_slot):
    config = FusionConfig(
        n_modalities=3, degree=2, encoding=encoding, signal=signal, constant_slot=constant_slot, entangler="ring"
    )
    fusion = FusionCircuit(config)
    features, weights = draw(fusion)
    reference = unitary(fusion, features, weights)
    gray = unitary(FusionCircuit(config.replace(signal_form="gray_code")), features, weights)
    np.testing.assert_allclose(gray, reference, rtol=0, atol=ATOL)

    physical = fusion.physical
    (angles,) = physical.symbol_values(features, weights)
    resolved = cirq.resolve_parameters(physical.circuit, dict(zip(physical.symbols, angles, strict=True)))
    np.testing.assert_allclose(resolved.unitary(qubit_order=fusion.qubits), reference, rtol=0, atol=ATOL)


def test_every_symbol_of_the_physical_form_sits_in_one_uncontrolled_gate():
    physical = FusionCircuit(FusionConfig(n_modalities=3, degree=2, signal="phase")).physical
    used = [name for operation in physical.circuit.all_operations() for name in cirq.parameter_names(operation)]
    assert sorted(used) == sorted(symbol.name for symbol in physical.symbols)
    assert not any(isinstance(operation, cirq.ControlledOperation) for operation in physical.circuit.all_operations())


def test_pull_back_is_the_transpose_of_symbol_values():
    fusion = FusionCircuit(FusionConfig(n_modalities=3, feature_dim=2, degree=3))
    physical = fusion.physical
    features, weights = draw(fusion, batch_size=4)
    cotangents = np.random.default_rng(1).normal(size=(4, len(physical.symbols)))
    # symbol_values is linear and has no constant term, so <c, J v> = <J^T c, v> on the point itself.
    d_features, d_weights = physical.pull_back(cotangents)
    left = np.sum(cotangents * physical.symbol_values(features, weights))
    right = np.sum(d_features * features.reshape(4, -1)) + np.sum(d_weights * weights.ravel())
    assert left == pytest.approx(right, abs=1e-10)


# Closed forms


@pytest.mark.parametrize("x", [-2.5, 0.0, 0.3, 1.7])
def test_one_ry_gives_a_cosine(x):
    config = FusionConfig(n_modalities=1, constant_slot=False, degree=1, measurement="computational")
    fusion = FusionCircuit(config)
    assert fusion.n_qubits == 1
    (value,) = values(fusion, [x], np.zeros(fusion.weight_shape))
    assert value == pytest.approx(np.cos(x), abs=ATOL)


@pytest.mark.parametrize("degree", [1, 2, 5])
def test_p_signals_in_a_row_give_the_chebyshev_polynomial_of_degree_p(degree):
    config = FusionConfig(n_modalities=1, constant_slot=False, degree=degree, measurement="computational")
    fusion = FusionCircuit(config)
    for x in np.linspace(-3, 3, 7):
        (value,) = values(fusion, [x], np.zeros(fusion.weight_shape))
        chebyshev = np.polynomial.Chebyshev.basis(degree)(np.cos(x))
        assert value == pytest.approx(chebyshev, abs=1e-11)


@pytest.mark.parametrize("encoding", ["qubit_efficient", "qubit_per_feature"])
@pytest.mark.parametrize("signal", SIGNALS)
def test_the_circuit_is_unitary(encoding, signal):
    fusion = FusionCircuit(FusionConfig(n_modalities=3, degree=3, encoding=encoding, signal=signal))
    matrix = unitary(fusion, *draw(fusion, seed=3))
    np.testing.assert_allclose(matrix.conj().T @ matrix, np.eye(len(matrix)), atol=1e-12)


@pytest.mark.parametrize("encoding", ["qubit_efficient", "qubit_per_feature"])
def test_swapping_unequal_modalities_changes_the_answer(encoding):
    fusion = FusionCircuit(FusionConfig(n_modalities=3, feature_dim=2, degree=2, encoding=encoding))
    (features,), weights = draw(fusion, seed=5)
    change = np.subtract(values(fusion, features[[1, 0, 2]], weights), values(fusion, features, weights))
    assert np.abs(change).max() > 1e-3


@pytest.mark.parametrize("signal", SIGNALS)
def test_equal_modalities_in_every_slot_leave_the_index_register_alone(signal):
    fusion = FusionCircuit(FusionConfig(n_modalities=4, constant_slot=False, degree=1, signal=signal))
    one = FusionCircuit(FusionConfig(n_modalities=1, constant_slot=False, degree=1, signal=signal))
    both = [
        cirq.resolve_parameters(cirq.Circuit(item.signal_layer()), dict.fromkeys(item.feature_symbols, 0.8)).unitary(
            qubit_order=item.qubits
        )
        for item in (fusion, one)
    ]
    np.testing.assert_allclose(both[0], np.kron(np.eye(4), both[1]), atol=ATOL)


def test_permuting_modalities_permutes_slots():
    """S(x) of permuted features is S(x) between the matching permutation of index states."""
    fusion = FusionCircuit(FusionConfig(n_modalities=4, constant_slot=False, degree=1))
    layer = cirq.Circuit(fusion.signal_layer())
    order = [2, 0, 3, 1]
    features = np.array([0.3, -1.1, 2.0, 0.7])

    def signal(x):
        resolved = cirq.resolve_parameters(layer, dict(zip(fusion.feature_symbols, x, strict=True)))
        return resolved.unitary(qubit_order=fusion.qubits)

    permutation = np.kron(np.eye(4)[order], np.eye(2))
    np.testing.assert_allclose(signal(features[order]), permutation @ signal(features) @ permutation.T, atol=ATOL)


@pytest.mark.parametrize("entangler", ENTANGLERS)
def test_one_block_of_the_ansatz_is_what_the_docstring_says(entangler):
    config = FusionConfig(n_modalities=1, degree=1, entangler=entangler)
    qubits = cirq.LineQubit.range(2)
    angles = np.random.default_rng(0).uniform(-3, 3, 6)
    one = [
        cirq.unitary(cirq.rz(c)) @ cirq.unitary(cirq.ry(b)) @ cirq.unitary(cirq.rx(a))
        for a, b, c in angles.reshape(2, 3)
    ]
    expected = np.diag([1, 1, 1, -1]) @ np.kron(*one)
    got = cirq.Circuit(ansatz_operations(config, qubits, angles)).unitary(qubit_order=qubits)
    np.testing.assert_allclose(got, expected, atol=ATOL)


def test_symbols_are_plain_sympy_symbols():
    fusion = FusionCircuit(FusionConfig())
    assert all(type(symbol) is sympy.Symbol for symbol in (*fusion.feature_symbols, *fusion.weight_symbols))

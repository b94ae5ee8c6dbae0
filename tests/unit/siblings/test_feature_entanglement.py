"""The feature-entanglement network: closed forms of its joint term, pooling and cost."""

import cirq
import numpy as np
import pytest
import tf_keras

from qfl_explore import get_backend, siblings
from qfl_explore.circuits.feature_entanglement import PAIRS, pooling
from qfl_explore.simulation.base import is_available

CONFIGS = [
    siblings.FeatureEntanglementConfig(n_modalities=3, feature_dim=2),
    siblings.FeatureEntanglementConfig(n_modalities=2, feature_dim=3, register_size=2, degree=1, shared=False),
    siblings.FeatureEntanglementConfig(n_modalities=5, coupling="cz", pairs="linear", n_kept=1, measurement="z"),
    siblings.FeatureEntanglementConfig(n_modalities=1, feature_dim=2),
    siblings.FeatureEntanglementConfig(n_modalities=3, qcnn=False),
]


def question(config, n=7, seed=0):
    fusion = siblings.FeatureEntanglementCircuit(config)
    rng = np.random.default_rng(seed)
    return fusion, rng.normal(size=(n, config.n_modalities, config.feature_dim)), rng.normal(size=config.n_weights)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_contributions_add_up_to_the_values(config):
    fusion, features, weights = question(config)
    parts = siblings.contributions(fusion, features, weights)
    values = get_backend("batched", dtype="float64").expectations(fusion, features, weights)
    np.testing.assert_allclose(parts.values, values, atol=1e-12)
    kernel, bias = np.random.default_rng(1).normal(size=(fusion.n_observables, 4)), np.arange(4.0)
    np.testing.assert_allclose(parts.through(kernel, bias).values, values @ kernel + bias, atol=1e-12)


def test_product_states_have_no_joint_term():
    for config in CONFIGS[:2]:
        fusion, features, weights = question(config.replace(pairs="none"))
        parts = siblings.contributions(fusion, features, weights)
        assert abs(parts.joint).max() < 1e-12 < 1e-3 < abs(parts.product).max()
        # couplings that are there but turn by nothing give product states, too
        fusion, features, weights = question(config)
        assert abs(siblings.contributions(fusion, features, weights).joint).max() > 1e-3
        weights[[place for place, *_ in config.coupling_places()]] = 0
        assert abs(siblings.contributions(fusion, features, weights).joint).max() < 1e-12
        readings = siblings.joint_readings(fusion, features, weights)
        assert abs(readings[1]).max() < 1e-6


def test_a_bell_pair_is_all_joint_term():
    """H, CNOT from rotations: single readings 0, correlation 1."""
    config = siblings.FeatureEntanglementConfig(degree=1, local="rx_ry_rz", qcnn=False)
    fusion = siblings.FeatureEntanglementCircuit(config)
    weights = np.zeros(config.n_weights)
    # |++> → exp(-iπ/4 ZZ) → RZ(π/2) on both → RX(π/2) on the second: a Bell pair up to local turns
    weights[1] = weights[4] = np.pi / 2
    weights[6] = np.pi / 2
    features = np.zeros((1, 2, 1))
    parts = siblings.contributions(fusion, features, weights)
    state_alone, joint = siblings.joint_readings(fusion, features, weights)
    np.testing.assert_allclose(state_alone, 0, atol=1e-6)
    assert abs(parts.own).max() < 1e-12
    # turn until ZZ sees the correlation: the best local turns give 1
    best = 0.0
    for a in np.linspace(0, 2 * np.pi, 9)[:-1]:
        for b in np.linspace(0, 2 * np.pi, 9)[:-1]:
            weights[7:13] = [a, b, 0, 0, b, 0]
            best = max(best, float(abs(siblings.joint_readings(fusion, features, weights)[1]).max()))
    assert best == pytest.approx(1, abs=1e-5)


def test_one_modality_alone_is_only_its_own_contribution():
    fusion, features, weights = question(CONFIGS[3])
    parts = siblings.contributions(fusion, features, weights)
    assert abs(parts.product).max() < 1e-12
    assert abs(parts.joint).max() < 1e-12


def test_pooling_is_a_measurement_with_a_turn_and_keeps_the_trace():
    kept, gone = cirq.LineQubit.range(2)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=2)
    state = cirq.testing.random_density_matrix(4, random_state=1)
    unitary = cirq.Circuit(pooling(kept, gone, (a, b))).unitary(qubit_order=[kept, gone])
    after = unitary @ state @ unitary.conj().T
    pooled = after.reshape(2, 2, 2, 2).trace(axis1=1, axis2=3)
    assert np.trace(pooled) == pytest.approx(1)
    assert np.linalg.eigvalsh(pooled).min() > 0
    turn = {0: cirq.unitary(cirq.ry(a + b)), 1: cirq.unitary(cirq.ry(b - a)) @ cirq.unitary(cirq.Z)}
    blocks = state.reshape(2, 2, 2, 2)
    want = sum(turn[k] @ blocks[:, k, :, k] @ turn[k].conj().T for k in (0, 1))
    np.testing.assert_allclose(pooled, want, atol=1e-7)


def test_the_whole_network_keeps_the_trace_of_the_density_matrix():
    fusion, features, weights = question(siblings.FeatureEntanglementConfig(n_modalities=5, n_kept=1), 1)
    symbols = (*fusion.feature_symbols, *fusion.weight_symbols)
    values = dict(zip(symbols, [*features.ravel(), *weights], strict=True))
    circuit = cirq.resolve_parameters(fusion.circuit, values)
    final = cirq.DensityMatrixSimulator(dtype=np.complex128).simulate(circuit, qubit_order=fusion.qubits)
    n = len(fusion.qubits)
    kept = [fusion.qubits.index(qubit) for qubit in fusion.kept_qubits]
    left = cirq.partial_trace(final.final_density_matrix.reshape((2,) * 2 * n), kept).reshape(2, 2)
    assert np.trace(left) == pytest.approx(1)
    paulis = [cirq.unitary(pauli) for pauli in (cirq.X, cirq.Y, cirq.Z)]
    want = [np.trace(left @ pauli).real for pauli in paulis]
    np.testing.assert_allclose(get_backend("batched").expectations(fusion, features, weights)[0], want, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS)
def test_counts_are_those_of_the_circuit(config):
    operations = siblings.FeatureEntanglementCircuit(config).operations()
    two = sum(len(op.qubits) == 2 for op in operations)
    want = {"qubits": config.n_qubits, "angles": config.n_weights}
    assert siblings.counts(config) == want | {"one_qubit_gates": len(operations) - two, "two_qubit_gates": two}


def test_cost_is_linear_in_modalities_but_for_full_coupling():
    def at(m, **more):
        return siblings.counts(siblings.FeatureEntanglementConfig(n_modalities=m, n_kept=1, shared=False, **more))

    # powers of two pool evenly: M qubits, ring of M pairs, sum over levels of (size - 1) convolutions, M - 1 poolings
    for m in (4, 8, 16):
        degree, levels = 2, int(np.log2(m))
        convolutions = sum(m // 2**level - 1 for level in range(levels))
        assert convolutions == 2 * (m - 1) - levels
        want = degree * m * 2 + convolutions + m - 1
        assert at(m)["two_qubit_gates"] == want
        assert at(m)["angles"] == 3 * m * 2 + degree * m + 6 * convolutions + 2 * (m - 1)
        assert at(m)["one_qubit_gates"] == 3 * m * 2 + degree * 2 * m + 6 * convolutions + 2 * (m - 1)
    growth = [at(2 * m)["two_qubit_gates"] / at(m)["two_qubit_gates"] for m in (4, 8)]
    full = [at(2 * m, pairs="full")["two_qubit_gates"] / at(m, pairs="full")["two_qubit_gates"] for m in (4, 8)]
    assert all(1.9 < ratio < 2.3 for ratio in growth)
    assert full[-1] > 3
    assert set(PAIRS) == {"full", "ring", "linear", "none"}


def test_too_many_qubits_for_contributions_are_explained():
    fusion, features, weights = question(siblings.FeatureEntanglementConfig(n_modalities=11), 1)
    with pytest.raises(ValueError, match=r"contributions need whole matrices. Expected: at most 10.*Received: 11"):
        siblings.contributions(fusion, features, weights)


@pytest.mark.skipif(not is_available("tfq"), reason="TensorFlow Quantum is not installed on this platform")
def test_training_is_the_same_on_tfq():
    rng, runs = np.random.default_rng(0), []
    x = [rng.normal(size=(6, size)).astype(np.float32) for size in (5, 4, 3)]
    for backend in ("batched", "tfq"):
        built = siblings.feature_entanglement_model((5, 4, 3), CONFIGS[0], columns=3, backend=backend, seed=5)
        loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        built.compile(tf_keras.optimizers.legacy.SGD(0.1), loss)
        runs.append([built.train_on_batch(x, np.arange(6) % 3) for _ in range(3)])
    assert runs[0][-1] < runs[0][0]
    np.testing.assert_allclose(*runs, rtol=1e-3)


def test_a_config_that_does_not_fit_the_data_is_explained():
    with pytest.raises(ValueError, match=r"does not fit.*Expected: n_modalities=2. Received: n_modalities=3"):
        siblings.feature_entanglement_model((5, 4), CONFIGS[0], columns=3)


def test_the_ends_of_a_whole_turn_are_one_state_and_the_ends_of_the_reach_are_not():
    fusion, _, weights = question(siblings.FeatureEntanglementConfig(n_modalities=2, degree=1), 1)
    rest = np.full((1, 2, 1), 0.3)
    for reach, same in ((np.pi, True), (siblings.REACH, False)):
        ends = np.repeat(rest, 2, axis=0)
        ends[:, 0, 0] = -reach, reach
        low, high = get_backend("cirq").expectations(fusion, ends, weights)
        assert np.allclose(low, high, atol=1e-6) == same


@pytest.mark.parametrize(
    ("reach", "kind", "received"), [(0.0, ValueError, "0.0"), (4, ValueError, "4"), (True, TypeError, "True")]
)
def test_a_reach_that_cannot_be_used_is_explained(reach, kind, received):
    with pytest.raises(kind, match=rf"reach .*Expected: radians above 0 and at most π. Received: reach={received}"):
        siblings.feature_entanglement_model(
            (5,), siblings.FeatureEntanglementConfig(n_modalities=1), columns=2, reach=reach
        )

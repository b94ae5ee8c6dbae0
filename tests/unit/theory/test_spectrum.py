"""The reachable spectrum: counts, enumeration, real circuits, projection and ceiling."""

import itertools

import cirq
import numpy as np
import pytest

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import SIGNALS, FusionConfig
from qfl_explore.theory.spectrum import (
    MAX_CEILING_FREQUENCIES,
    ceiling,
    count_frequencies,
    dense_points,
    design_matrix,
    is_reachable,
    needed_degrees,
    project,
    reachable_frequencies,
)

SMALL = list(itertools.product(("qubit_efficient", "qubit_per_feature"), SIGNALS, (True, False), (1, 2)))
#: Points an axis of the 4π-periodic grid: frequencies -3, -2.5, …, 2.5, so P = 2 leaves room above it.
N_AXIS = 12


def _config(encoding="qubit_efficient", signal="ry", constant_slot=True, n_modalities=2, degree=1, **more):
    return FusionConfig(
        encoding=encoding,
        signal=signal,
        constant_slot=constant_slot,
        n_modalities=n_modalities,
        degree=degree,
        **more,
    )


# counts and enumeration


def test_counts_of_two_features_follow_the_known_polynomials():
    degrees = range(1, 9)
    assert [count_frequencies(_config(degree=p)) for p in degrees] == [8 * p**2 + 4 * p + 1 for p in degrees]
    phase = [count_frequencies(_config(signal="phase", degree=p)) for p in degrees]
    assert phase == [3 * p**2 + 3 * p + 1 for p in degrees]
    assert [count_frequencies(_config(degree=p)) for p in (1, 2, 3)] == [13, 41, 85]
    assert phase[:3] == [7, 19, 37]


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
@pytest.mark.parametrize(("encoding", "signal", "constant_slot", "n_modalities"), SMALL)
def test_one_and_two_features_match_the_rule_checked_point_by_point(
    encoding, signal, constant_slot, n_modalities, degree
):
    config = _config(encoding, signal, constant_slot, n_modalities, degree)
    lattice = np.arange(-2 * degree - 1, 2 * degree + 2) / 2
    wanted = [omega for omega in itertools.product(lattice, repeat=n_modalities) if _allowed(config, np.array(omega))]
    np.testing.assert_array_equal(reachable_frequencies(config), wanted)


def _allowed(config, omega):
    degree, whole = config.degree, (omega == np.round(omega)).all()
    if config.encoding == "qubit_per_feature":
        return whole and (np.abs(omega) <= degree).all()
    if config.signal == "phase":
        return whole and omega[omega > 0].sum() <= degree and -omega[omega < 0].sum() <= degree
    parity = config.n_slots > config.n_features or (2 * omega.sum()) % 2 == 0
    return np.abs(omega).sum() <= degree and parity


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("n_modalities", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("constant_slot", [True, False])
@pytest.mark.parametrize("signal", ["rx", "phase"])
@pytest.mark.parametrize("encoding", ["qubit_efficient", "qubit_per_feature"])
def test_count_equals_length_of_the_enumeration(encoding, signal, constant_slot, n_modalities, degree):
    config = _config(encoding, signal, constant_slot, n_modalities, degree)
    omega = reachable_frequencies(config)
    assert len(omega) == count_frequencies(config)
    np.testing.assert_array_equal(omega, np.unique(omega, axis=0))  # distinct, in lexicographic order
    np.testing.assert_array_equal(omega, -omega[::-1])
    assert is_reachable(config, omega).all()
    deeper = reachable_frequencies(config.replace(degree=degree + 1), limit=100_000)
    assert is_reachable(config, deeper).sum() == len(omega)


def test_counts_of_many_features_are_exact():
    config = FusionConfig(n_modalities=207, degree=1)
    assert count_frequencies(config) == 1 + 2 * 207 * 2 + 4 * 207 * 206 // 2
    assert count_frequencies(config.replace(degree=50)) > 10**80
    assert count_frequencies(FusionConfig(n_modalities=12, degree=5, encoding="qubit_per_feature")) == 11**12


def test_listing_declines_above_the_limit():
    with pytest.raises(ValueError, match=r"too large to list. Expected: at most 20000 .* Received: 86113 of them"):
        reachable_frequencies(FusionConfig(n_modalities=207, degree=1))
    assert len(reachable_frequencies(FusionConfig(n_modalities=20, degree=1), limit=10**4)) == 841


def test_needed_degrees():
    omega = [[1, 0], [1, 1], [2, -1], [0.5, 0], [0.25, 0], [0, 0]]
    inf = np.inf
    np.testing.assert_array_equal(needed_degrees(_config(), omega), [1, 2, 3, 1, inf, 1])
    np.testing.assert_array_equal(needed_degrees(_config(signal="phase"), omega), [1, 2, 2, inf, inf, 1])
    per_feature = _config("qubit_per_feature", "rz")
    np.testing.assert_array_equal(needed_degrees(per_feature, omega), [1, 1, 2, inf, inf, 1])
    np.testing.assert_array_equal(needed_degrees(_config(constant_slot=False), omega), [1, 2, 3, inf, inf, 1])


# real circuits


def _signal_unitaries(fusion, grid):
    """Unitaries [N, 2^n, 2^n] of one S(x) at the points [N, F] of a grid."""
    circuit = cirq.Circuit(fusion.signal_layer())
    names = fusion.feature_symbols
    resolved = (cirq.resolve_parameters(circuit, dict(zip(names, x, strict=True))) for x in grid)
    return np.array(
        [c.unitary(qubit_order=fusion.qubits, qubits_that_should_be_present=fusion.qubits) for c in resolved]
    )


def _states(fusion, weights, signals):
    """Final states [N, 2^n] from the circuit's own layers, in complex128."""
    resolver = dict(zip(fusion.weight_symbols, weights.ravel(), strict=True))
    layers = [
        cirq.resolve_parameters(cirq.Circuit(fusion.ansatz_layer(p)), resolver).unitary(qubit_order=fusion.qubits)
        for p in range(fusion.config.degree + 1)
    ]
    states = np.tile(layers[0][:, 0], (len(signals), 1))
    for layer in layers[1:]:
        states = np.einsum("nij,nj->ni", signals, states) @ layer.T
    return states


def _fourier(values, n_features):
    """|c_ω| [K, N_AXIS^F] of values [N, K] on the 4π-periodic grid, and ω [N_AXIS^F, F]."""
    axes = tuple(range(1, n_features + 1))
    cube = values.T.reshape(-1, *[N_AXIS] * n_features)
    coefficients = np.abs(np.fft.fftn(cube, axes=axes)) / N_AXIS**n_features
    marks = np.fft.fftfreq(N_AXIS, 1 / N_AXIS) / 2
    omega = np.stack(np.meshgrid(*[marks] * n_features, indexing="ij"), axis=-1).reshape(-1, n_features)
    return coefficients.reshape(len(cube), -1), omega


def _pauli_matrices(n_qubits):
    one = [np.eye(2), *(cirq.unitary(p) for p in (cirq.X, cirq.Y, cirq.Z))]
    strings = itertools.islice(itertools.product(one, repeat=n_qubits), 1, None)
    return np.array([cirq.kron(*string) for string in strings])


@pytest.mark.parametrize(("encoding", "signal", "constant_slot", "n_modalities"), SMALL)
def test_circuits_reach_exactly_the_predicted_frequencies(encoding, signal, constant_slot, n_modalities):
    axis = 4 * np.pi * np.arange(N_AXIS) / N_AXIS
    grid = np.array(list(itertools.product(axis, repeat=n_modalities)))
    rng = np.random.default_rng(7)
    for degree in (1, 2):
        config = _config(encoding, signal, constant_slot, n_modalities, degree)
        fusion = FusionCircuit(config)
        signals = _signal_unitaries(fusion, grid) if degree == 1 else signals  # noqa: F821
        paulis = _pauli_matrices(fusion.n_qubits)
        largest = 0.0
        for _ in range(4):
            states = _states(fusion, rng.uniform(-np.pi, np.pi, fusion.weight_shape), signals)
            values = np.einsum("ni,kij,nj->nk", states.conj(), paulis, states, optimize=True).real
            coefficients, omega = _fourier(values, n_modalities)
            largest = np.maximum(largest, coefficients.max(axis=0))
        inside = is_reachable(config, omega)
        assert inside.sum() == count_frequencies(config)
        assert largest[~inside].max() < 1e-13
        assert largest[inside].min() > 1e-3


def test_layers_above_are_those_of_the_simulated_circuit():
    fusion = FusionCircuit(_config(degree=2))
    rng = np.random.default_rng(3)
    x, weights = rng.normal(size=2), rng.normal(size=fusion.weight_shape)
    values = dict(zip(fusion.feature_symbols + fusion.weight_symbols, [*x, *weights.ravel()], strict=True))
    simulated = cirq.Simulator(dtype=np.complex128).simulate(fusion.circuit, values, qubit_order=fusion.qubits)
    built = _states(fusion, weights, _signal_unitaries(fusion, x[None]))[0]
    np.testing.assert_allclose(built, simulated.final_state_vector, atol=1e-12)


# projection and ceiling


def test_design_matrix_is_a_real_basis():
    omega = reachable_frequencies(_config(degree=2))
    x = np.random.default_rng(0).uniform(-6, 6, (300, 2))
    basis = design_matrix(omega, x)
    assert basis.shape == (300, 41)
    np.testing.assert_array_equal(basis[:, 0], 1.0)
    assert np.linalg.matrix_rank(basis) == 41
    np.testing.assert_allclose(basis[:, 1:21] ** 2 + basis[:, 21:] ** 2, 1.0)


@pytest.mark.parametrize(
    ("omega", "match"),
    [([[1.0], [0.0]], "with -ω for every ω"), ([[1.0], [-1.0], [1.0]], "distinct"), ([1.0, 2.0], r"shape \[N, F\]")],
)
def test_design_matrix_refuses_what_is_no_spectrum(omega, match):
    with pytest.raises(ValueError, match=match):
        design_matrix(omega, np.zeros((3, 1)))


def test_project_finds_the_coefficients_it_is_given():
    rng = np.random.default_rng(1)
    omega = reachable_frequencies(_config(degree=2, constant_slot=True))
    coefficients = rng.normal(size=(len(omega), 2)) @ [1, 1j]
    coefficients = coefficients + coefficients[::-1].conj()  # -ω stands at the mirrored place
    x = rng.uniform(-2 * np.pi, 2 * np.pi, (400, 2))
    y = (np.exp(1j * x @ omega.T) @ coefficients).real
    found = project(omega, x, y)
    np.testing.assert_allclose(found.coefficients, coefficients, atol=1e-10)
    np.testing.assert_allclose(found.fitted, y, atol=1e-9)
    assert found.r2 == pytest.approx(1.0, abs=1e-12)
    weighted = project(omega, x, y, weights=rng.uniform(0.5, 2.0, len(y)))
    np.testing.assert_allclose(weighted.coefficients, coefficients, atol=1e-9)


def test_project_weights_decide_which_points_count():
    x, y = np.zeros((4, 1)), np.array([1.0, 1.0, 5.0, 7.0])
    assert project([[0.0]], x, y, weights=[1, 1, 0, 0]).coefficients[0] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="weights are out of range"):
        project([[0.0]], x, y, weights=[1, 1, 1, -1])
    with pytest.raises(ValueError, match=r"y must be finite. .* Received: nan at index \[2\]"):
        project([[0.0]], x, [1, 2, np.nan, 3])


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_the_ceiling_is_a_wall(k):
    x = dense_points(1, n_points=512)
    for degree in range(1, 7):
        top = ceiling(_config(n_modalities=1, constant_slot=False, degree=degree), x, np.cos(k * x[:, 0]))
        assert top.r2 == pytest.approx(float(degree >= k), abs=1e-12)
        assert top.n_frequencies == 2 * degree + 1


def test_half_integers_soften_the_wall_on_one_period_but_not_on_two():
    config = _config(n_modalities=1, degree=2)
    one, two = dense_points(1, n_points=512), dense_points(1, (-2 * np.pi, 2 * np.pi), 512)
    assert 0.05 < ceiling(config, one, np.cos(3 * one[:, 0])).r2 < 0.999
    assert ceiling(config, two, np.cos(3 * two[:, 0])).r2 == pytest.approx(0.0, abs=1e-12)


def test_ceiling_bounds_a_circuit_from_above():
    """A circuit's own output, as the target, has the ceiling 1; a deeper circuit's output less."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-np.pi, np.pi, (120, 2))
    deep, shallow = _config(degree=3, signal="phase"), _config(degree=1, signal="phase")
    fusion = FusionCircuit(deep)
    states = _states(fusion, rng.uniform(-np.pi, np.pi, fusion.weight_shape), _signal_unitaries(fusion, x))
    y = np.abs(states[:, 0]) ** 2
    assert ceiling(deep, x, y).r2 == pytest.approx(1.0, abs=1e-9)
    assert ceiling(shallow, x, y).r2 < 0.95


@pytest.mark.parametrize(("n_modalities", "degree"), [(3, 2), (4, 2), (5, 1)])
def test_an_unreachable_target_of_many_features_scores_about_chance(n_modalities, degree):
    """On N scattered points n frequencies explain about n/N of anything, and not more."""
    config = _config(n_modalities=n_modalities, degree=degree, signal="phase")
    x = dense_points(n_modalities, n_points=40 * count_frequencies(config))
    assert ceiling(config, x, np.cos(5 * x.sum(axis=1))).r2 < 0.05


def test_ceiling_says_why_there_is_none():
    x = dense_points(3, n_points=200)
    top = ceiling(_config(n_modalities=3, degree=3), x, x[:, 0])
    assert top.r2 is None and top.n_frequencies == 377 and "would fit anything" in top.method
    x = dense_points(12, n_points=64)
    top = ceiling(_config(n_modalities=12, degree=4), x, x[:, 0])
    assert top.r2 is None and top.n_frequencies > MAX_CEILING_FREQUENCIES and "limit" in top.method


def test_ceiling_checks_what_it_is_given():
    with pytest.raises(ValueError, match=r"x has the wrong shape. Expected: shape \[N, 2\]. Received: shape \[9, 1\]"):
        ceiling(_config(), np.zeros((9, 1)), np.zeros(9))
    with pytest.raises(ValueError, match=r"y has the wrong shape. Expected: shape \[9\]"):
        ceiling(_config(), np.zeros((9, 2)), np.zeros(8))


@pytest.mark.parametrize("n_features", [1, 2, 3, 8, 30])
def test_dense_points_fill_the_cube(n_features):
    points = dense_points(n_features, (-1.0, 3.0), 1024)
    assert points.shape == (1024, n_features)
    assert points.min() >= -1.0 and points.max() <= 3.0
    assert np.unique(points, axis=0).shape == points.shape
    np.testing.assert_allclose(points.mean(axis=0), 1.0, atol=0.05)
    np.testing.assert_allclose(points.std(axis=0), 4 / np.sqrt(12), atol=0.05)
    off_diagonal = np.corrcoef(points.T) - np.eye(n_features) if n_features > 1 else np.zeros(1)
    assert np.abs(off_diagonal).max() < 0.15

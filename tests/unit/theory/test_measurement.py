"""Observables as products of directions: ranks, settings, variances, against dense matrices and closed forms."""

import itertools

import cirq
import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.theory import measurement as m

PAULIS = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def dense(axes):
    """[K, 2^n, 2^n] matrices of observables."""
    matrices = []
    for rows in axes:
        matrix = np.eye(1)
        for row in rows:
            matrix = np.kron(matrix, np.tensordot(row, PAULIS, 1) if row.any() else np.eye(2))
        matrices.append(matrix)
    return np.array(matrices)


def axes_of(**settings):
    layer = FusionCircuit(FusionConfig(**settings))
    return m.observable_axes(layer.observables, layer.qubits), layer


@pytest.mark.parametrize("measurement", ["random_pauli_plane", "computational", "pauli", "all_pauli"])
def test_axes_are_the_observables(measurement):
    axes, layer = axes_of(measurement=measurement, seed=3)
    for matrix, observable in zip(dense(axes), layer.observables, strict=True):
        np.testing.assert_allclose(matrix, observable.matrix(layer.qubits), atol=1e-12)


def test_what_is_no_product_is_refused():
    a, b = cirq.LineQubit.range(2)
    entangled = cirq.X(a) * cirq.X(b) + cirq.Z(a) * cirq.Z(b)
    with pytest.raises(ValueError, match="not a product of single-qubit.*Expected: one Pauli string.*Received"):
        m.observable_axes([entangled], [a, b])
    with pytest.raises(ValueError, match="not directions.*Expected: rows of length 1 or 0.*Received: length 0.5"):
        m.check_axes([[[0.5, 0, 0]]])
    with pytest.raises(ValueError, match="measures nothing.*Expected: .*Received: the identity"):
        m.check_axes([[[0, 0, 0]]])
    with pytest.raises(ValueError, match=r"wrong shape.*Expected: shape \[K, n, 3\].*Received"):
        m.check_axes([[1, 0, 0]])


@pytest.mark.parametrize("reading", m.READINGS)
@pytest.mark.parametrize("count", [2, 7, 40])
def test_rank_is_that_of_the_dense_matrices(reading, count):
    axes = m.reading_axes(reading, 3, count, seed=1)
    found = m.completeness(axes)
    assert found.rank == np.linalg.matrix_rank(dense(axes).reshape(count, -1), tol=1e-8)
    assert found.needed == 63


@pytest.mark.parametrize("n_qubits", [1, 2, 3])
def test_most_ranks_of_the_readings(n_qubits):
    most = {name: m.completeness(m.reading_axes(name, n_qubits, 400)).rank for name in m.READINGS}
    full = 4**n_qubits - 1
    assert most == {"one_qubit": 3 * n_qubits, "every_qubit": 3**n_qubits, "random_support": full}


def test_the_four_bases_against_four_to_the_n_less_one():
    settings = {"computational": (3, 1), "random_pauli_plane": (3, 1), "pauli": (9, 3), "all_pauli": (63, 27)}
    for name, (rank, n_settings) in settings.items():
        axes, _ = axes_of(measurement=name)
        found = m.completeness(axes)
        assert (found.rank, found.is_complete) == (rank, name == "all_pauli")
        assert len(m.measurement_settings(axes)) == n_settings


def test_the_plane_this_package_trains_with_is_never_complete():
    axes, _ = axes_of(n_observables=64)
    assert m.completeness(axes).rank == 9


@pytest.mark.parametrize("reading", m.READINGS)
def test_every_observable_can_be_read_in_some_setting(reading):
    axes = m.reading_axes(reading, 3, 12, seed=5)
    settings = m.measurement_settings(axes)
    signs = m.compatible_signs(axes, settings)
    assert (signs != 0).any(axis=1).all()
    np.testing.assert_allclose(np.linalg.norm(settings, axis=2), 1.0)
    for k, u in np.argwhere(signs):
        acts = axes[k].any(axis=1)
        dots = np.einsum("qi,qi->q", axes[k], settings[u])[acts]
        np.testing.assert_allclose(np.prod(dots), signs[k, u], atol=1e-9)


def test_planes_take_one_setting_for_n_of_them():
    assert [len(m.measurement_settings(m.reading_axes("one_qubit", 3, k))) for k in (1, 3, 4, 7)] == [1, 1, 2, 3]


def test_repetitions_are_split_evenly():
    for total, count in itertools.product((1, 27, 100), (1, 3, 27)):
        shares = m.split_repetitions(total, count)
        assert shares.sum() == total and np.ptp(shares) <= 1


def test_variances_in_closed_form():
    np.testing.assert_allclose(m.grouped_variance([0.0, 0.6, 1.0], 100), [0.01, 0.0064, 0.0])
    np.testing.assert_allclose(m.shadow_variance([0.0, 0.5], [1, 3], 10), [0.3, 2.675])
    assert np.isinf(m.grouped_variance(0.0, 0))


def test_needed_repetitions_of_all_pauli_are_those_of_shadows():
    axes, _ = axes_of(measurement="all_pauli")
    assert m.needed_repetitions(axes, 0.1) == m.needed_repetitions(axes, 0.1, "shadows") == 2700
    with pytest.raises(ValueError, match="error is out of range.*Expected: a number above 0.*Received: error=0"):
        m.needed_repetitions(axes, 0)


def test_the_theorem_promises_less_than_the_variance():
    weights = np.array([1, 2, 3])
    assert m.median_groups(3, 0.05) == 10
    promise = m.guaranteed_error(weights, 1000)
    np.testing.assert_allclose(promise, np.sqrt(34 * 3.0**weights * 10 / 1000))
    assert (promise > 10 * np.sqrt(m.shadow_variance(0.0, weights, 1000))).all()
    with pytest.raises(ValueError, match="failure is out of range.*Expected: .*between 0 and 1.*Received: failure=1"):
        m.median_groups(3, 1)


def test_names_and_unknown_readings():
    assert m.observable_names(axes_of(measurement="pauli")[0])[:4] == ("XII", "YII", "ZII", "IXI")
    with pytest.raises(ValueError, match="reading is not a known option.*did you mean 'one_qubit'"):
        m.reading_axes("one_qbit", 2, 3)

"""Observables: how many, which, and the same draw for the same seed."""

import itertools

import cirq
import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.circuits.measurement import measured_observables
from qfl_explore.config import MEASUREMENTS

PLANES = [{"X", "Y"}, {"Y", "Z"}, {"Z", "X"}]


def terms(observable):
    """A Pauli sum as {((qubit column, letter), …): coefficient}."""
    found = {}
    for string in observable:
        word = tuple(sorted((qubit.col, str(pauli)) for qubit, pauli in string.items()))
        found[word] = string.coefficient
    return found


def observables(**settings):
    return [terms(observable) for observable in FusionCircuit(FusionConfig(**settings)).observables]


@pytest.mark.parametrize(
    ("measurement", "count"),
    [("random_pauli_plane", 3), ("computational", 3), ("pauli", 9), ("all_pauli", 63), ("local_z", 1), ("global_z", 1)],
)
def test_the_natural_number_of_observables(measurement, count):
    fusion = FusionCircuit(FusionConfig(measurement=measurement))
    assert fusion.n_qubits == 3
    assert fusion.n_observables == len(fusion.observables) == count
    assert all(isinstance(observable, cirq.PauliSum) for observable in fusion.observables)


@pytest.mark.parametrize("measurement", MEASUREMENTS[:4])
def test_asking_for_fewer_takes_the_first(measurement):
    everything = observables(measurement=measurement)
    assert observables(measurement=measurement, n_observables=2) == everything[:2]


def test_computational_measures_single_qubits_first_then_pairs():
    expected = [((0, "Z"),), ((1, "Z"),), ((2, "Z"),), ((0, "Z"), (1, "Z")), ((0, "Z"), (2, "Z"))]
    found = observables(measurement="computational", n_observables=5)
    assert [next(iter(found_terms.items())) for found_terms in found] == [(word, 1) for word in expected]


def test_pauli_measures_each_qubit_in_three_directions():
    expected = [{((column, letter),): 1} for column in range(3) for letter in "XYZ"]
    assert observables(measurement="pauli") == expected


def test_all_pauli_is_every_string_once():
    words = [next(iter(found)) for found in observables(measurement="all_pauli")]
    expected = {
        tuple((column, letter) for column, letter in enumerate(letters) if letter != "I")
        for letters in itertools.product("IXYZ", repeat=3)
    } - {()}
    assert set(words) == expected
    assert len(words) == len(expected)
    assert [len(word) for word in words] == sorted(len(word) for word in words)


def test_random_planes_are_unit_vectors_in_a_plane_on_qubit_k():
    found = observables(n_observables=200)
    for k, observable in enumerate(found):
        assert {column for ((column, _),) in observable} == {k % 3}
        assert any({letter for ((_, letter),) in observable} <= plane for plane in PLANES)
        assert np.linalg.norm(list(observable.values())) == pytest.approx(1.0, abs=1e-12)


def test_random_planes_use_all_planes_and_directions():
    found = observables(n_observables=300)
    planes = [frozenset(letter for ((_, letter),) in observable) for observable in found]
    counts = np.array([planes.count(frozenset(plane)) for plane in PLANES])
    # 300 draws from three equal planes: 100 each, standard deviation 8.2; four of them is 33.
    assert counts.sum() == 300
    assert np.abs(counts - 100).max() < 33
    coefficients = np.array([value for observable in found for value in observable.values()]).real
    # cos α and sin α of a uniform angle have mean 0 and variance 1/2.
    assert abs(coefficients.mean()) < 4 * np.sqrt(0.5 / 600)
    assert coefficients.min() < -0.9 < 0.9 < coefficients.max()


def test_random_planes_square_to_the_identity():
    for observable in FusionCircuit(FusionConfig(n_observables=9)).observables:
        (qubit,) = observable.qubits
        matrix = observable.matrix([qubit])
        np.testing.assert_allclose(matrix @ matrix, np.eye(2), atol=1e-12)
        np.testing.assert_allclose(np.trace(matrix), 0, atol=1e-12)


def test_the_seed_fixes_the_draw():
    assert observables(seed=4) == observables(seed=4)
    assert observables(seed=4) != observables(seed=5)


def test_nothing_but_the_seed_changes_the_draw():
    assert observables(seed=4, degree=1) == observables(seed=4, degree=6, signal="rz", n_blocks=2, entangler="ring")


def test_only_random_planes_look_at_the_seed():
    for measurement in ("computational", "pauli", "all_pauli"):
        assert observables(measurement=measurement, seed=1) == observables(measurement=measurement, seed=2)


def test_observables_sit_on_the_qubits_given():
    qubits = cirq.LineQubit.range(3)
    for measurement in ("random_pauli_plane", "pauli"):
        for observable in measured_observables(FusionConfig(measurement=measurement), qubits):
            assert set(observable.qubits) <= set(qubits)


@pytest.mark.parametrize(("encoding", "column"), [("qubit_efficient", 2), ("qubit_per_feature", 0)])
def test_local_is_z_on_a_value_qubit_and_global_z_on_all(encoding, column):
    settings = {"encoding": encoding, "n_modalities": 3}
    assert observables(measurement="local_z", **settings) == [{((column, "Z"),): 1}]
    n_qubits = FusionConfig(**settings).n_qubits
    assert observables(measurement="global_z", **settings) == [{tuple((q, "Z") for q in range(n_qubits)): 1}]

"""One battery for every engine: the same question, the same answer as an independent oracle."""

import concurrent.futures
import functools
import importlib.util
import itertools
import types

import numpy as np
import psutil
import pytest

from qfl_explore import FusionCircuit, FusionConfig, get_backend
from qfl_explore.config import ENCODINGS, ENTANGLERS, MEASUREMENTS, SIGNALS
from qfl_explore.simulation.base import ENGINES, is_available
from tests.reference.dense import oracle, random_observables_of

TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
#: id -> (engine, options, precision of its numbers)
CONTESTANTS = {
    "batched": ("batched", {}, "float32"),
    "batched64": ("batched", {"dtype": "float64"}, "float64"),
    "tfq": ("tfq", {}, "float32"),
    "qsim": ("qsim", {}, "float32"),
    "qsim_engine": ("qsim", {"readout": "engine", "max_fused_gate_size": 4}, "float32"),
    "qsim_circuit": ("qsim", {"form": "circuit", "max_fused_gate_size": 3}, "float32"),
    "cirq": ("cirq", {}, "float64"),
}


def engine_of(contestant):
    name, options, _ = CONTESTANTS[contestant]
    if not is_available(name):
        pytest.skip(f"{ENGINES[name].needs} is not installed on this platform")
    return get_backend(name, **options)


def all_cases():
    """Every encoding x signal x measurement x M, with the other settings spread over them."""
    combinations = itertools.product(ENCODINGS, SIGNALS, MEASUREMENTS[:4], (1, 2, 3, 5, 12))
    for i, (encoding, signal, measurement, n_modalities) in enumerate(combinations):
        if encoding == "qubit_per_feature" and measurement == "all_pauli" and n_modalities == 12:
            continue  # 12 qubits: refused, see test_all_pauli_of_many_qubits_is_refused
        yield dict(
            n_modalities=n_modalities,
            feature_dim=2 if n_modalities < 3 and i % 3 == 0 else 1,
            degree=1 + i % 3 if n_modalities < 4 else 1,
            n_blocks=2 if n_modalities < 6 and i % 4 == 0 else 1,
            encoding=encoding,
            signal=signal,
            signal_form=("multi_controlled", "gray_code")[i // 2 % 2],
            constant_slot=i % 7 < 4,
            measurement=measurement,
            entangler=ENTANGLERS[i % 3],
            seed=i,
        )


CASES = list(all_cases())
#: Shapes that the battery above does not meet: a doubly controlled phase whose controls are all 1
#: (cirq shortens it to CCZ), several features a modality, fewer and more observables than natural.
CASES += [
    dict(n_modalities=4, degree=2, signal="phase", constant_slot=False, measurement="pauli"),
    dict(n_modalities=2, degree=2, signal="phase", constant_slot=False),
    dict(n_modalities=8, degree=1, signal="phase", constant_slot=False),
    dict(n_modalities=3, feature_dim=4, degree=2, n_observables=3),
    dict(n_modalities=2, degree=1, n_observables=11),
    dict(n_modalities=2, degree=12, measurement="computational", n_observables=7),
    *(
        dict(n_modalities=3, degree=2, encoding=encoding, measurement=measurement)
        for encoding in ENCODINGS
        for measurement in ("local_z", "global_z")
    ),
]


def label(settings):
    return "-".join(str(value) for value in settings.values())


@functools.cache
def question(number):
    """Circuit, inputs and the oracle's answer of one case."""
    fusion = FusionCircuit(FusionConfig(**CASES[number]))
    config = fusion.config
    rng = np.random.default_rng(1000 + number)
    features = rng.uniform(-np.pi, np.pi, (2, config.n_modalities, config.feature_dim))
    weights = rng.uniform(-np.pi, np.pi, config.weight_shape)
    cotangents = rng.normal(size=(2, fusion.n_observables)) / np.sqrt(fusion.n_observables)
    drawn = random_observables_of(fusion) if config.measurement == "random_pauli_plane" else None
    return fusion, features, weights, cotangents, oracle(config, features, weights, cotangents, drawn)


def inputs(fusion, batch=3, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(batch, fusion.config.n_modalities, fusion.config.feature_dim))
    return features, rng.normal(size=fusion.weight_shape), rng.normal(size=(batch, fusion.n_observables))


@pytest.fixture
def small():
    return FusionCircuit(FusionConfig(n_modalities=2, feature_dim=2, degree=2))


@pytest.fixture(params=list(CONTESTANTS))
def contestant(request):
    return request.param


@pytest.mark.parametrize("number", range(len(CASES)), ids=[label(case) for case in CASES])
@pytest.mark.parametrize("name", [name for name in CONTESTANTS if name not in ("qsim_circuit", "qsim_engine")])
def test_values_and_gradients_equal_the_oracle(name, number):
    engine, tolerance = engine_of(name), TOLERANCE[CONTESTANTS[name][2]]
    fusion, features, weights, cotangents, expected = question(number)
    answer = engine.gradients(fusion, features, weights, cotangents)
    for got, want in zip(answer, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)
    np.testing.assert_allclose(engine.expectations(fusion, features, weights), expected[0], rtol=0, atol=tolerance)


@pytest.mark.parametrize("number", range(0, len(CASES), 9), ids=[label(case) for case in CASES[::9]])
@pytest.mark.parametrize("name", ["qsim_circuit", "qsim_engine"])
def test_other_ways_through_qsim_give_the_same_values(name, number):
    fusion, features, weights, _, (values, *_) = question(number)
    got = engine_of(name).expectations(fusion, features, weights)
    np.testing.assert_allclose(got, values, rtol=0, atol=1e-5)


def test_all_pauli_of_many_qubits_is_refused():
    with pytest.raises(ValueError, match=r"all_pauli.*Expected: at most 6 qubits.*Received: n_qubits=12"):
        FusionConfig(n_modalities=12, encoding="qubit_per_feature", measurement="all_pauli")
    assert FusionCircuit(FusionConfig(n_modalities=31, measurement="all_pauli")).n_observables == 4**6 - 1


def test_shapes_and_dtypes(contestant, small):
    precision = CONTESTANTS[contestant][2]
    features, weights, cotangents = inputs(small)
    values, d_features, d_weights = engine_of(contestant).gradients(small, features, weights, cotangents)
    assert values.shape == cotangents.shape
    assert d_features.shape == features.shape
    assert d_weights.shape == weights.shape
    assert {a.dtype for a in (values, d_features, d_weights)} == {np.dtype(precision)}
    assert engine_of(contestant).expectations(small, features, weights).dtype == precision


def test_a_batch_of_one_is_its_row_of_a_larger_batch(contestant, small):
    engine, atol = engine_of(contestant), 1e-6
    features, weights, cotangents = inputs(small)
    values, d_features, d_weights = engine.gradients(small, features, weights, cotangents)
    rows = [engine.gradients(small, features[i : i + 1], weights, cotangents[i : i + 1]) for i in range(3)]
    np.testing.assert_allclose(np.concatenate([row[0] for row in rows]), values, atol=atol)
    np.testing.assert_allclose(np.concatenate([row[1] for row in rows]), d_features, atol=4 * atol)
    np.testing.assert_allclose(sum(row[2] for row in rows), d_weights, atol=4 * atol)


def test_inputs_of_any_real_kind(contestant, small):
    engine = engine_of(contestant)
    features = np.arange(4).reshape(1, 2, 2)
    weights = np.ones(small.weight_shape)
    want = engine.expectations(small, features.astype(float), weights)
    for kind in (np.float32, np.int64):
        got = engine.expectations(small, features.astype(kind), weights.astype(kind))
        np.testing.assert_allclose(got, want, atol=1e-6)
    np.testing.assert_allclose(engine.expectations(small, features.tolist(), weights.tolist()), want, atol=1e-6)


def test_inputs_are_left_as_they_were(contestant, small):
    before = inputs(small)
    after = tuple(array.copy() for array in before)
    engine_of(contestant).gradients(small, *after)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_four_threads_get_the_answer_of_one(contestant):
    engine = engine_of(contestant)
    fusions = [FusionCircuit(FusionConfig(n_modalities=m, degree=2, seed=77)) for m in (2, 3, 2, 6)]
    alone = [engine.gradients(fusion, *inputs(fusion)) for fusion in fusions]
    jobs = [(i, fusion) for i, fusion in enumerate(fusions)] * 4
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda job: engine.gradients(job[1], *inputs(job[1])), jobs)
        for (i, _), answer in zip(jobs, together, strict=True):
            for got, want in zip(answer, alone[i], strict=True):
                np.testing.assert_allclose(got, want, rtol=0, atol=2e-6)


def test_one_instance_for_all(contestant):
    name, options, _ = CONTESTANTS[contestant]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        instances = set(pool.map(lambda _: get_backend(name, **options), range(8)))
    assert instances == {engine_of(contestant)}


WRONG_INPUTS = {
    "features of two axes": (
        0,
        lambda a: a[:, :, 0],
        ValueError,
        r"features has the wrong shape.*\[B, 2, 2\].*\[3, 2\]",
    ),
    "no samples": (0, lambda a: a[:0], ValueError, r"features has the wrong shape.*Received: shape \[0, 2, 2\]"),
    "a modality too many": (
        0,
        lambda a: np.repeat(a, 2, 1),
        ValueError,
        r"features.*Expected.*Received: shape \[3, 4, 2\]",
    ),
    "NaN features": (0, lambda a: a * np.nan, ValueError, r"features must be finite.*Expected.*Received: nan at index"),
    "infinite features": (0, lambda a: a + np.inf, ValueError, r"features must be finite.*Expected.*Received: inf"),
    "complex features": (
        0,
        lambda a: a + 1j,
        TypeError,
        r"features must be real.*Expected.*Received: dtype complex128",
    ),
    "words": (0, lambda a: a.astype(str), TypeError, r"features must be real numbers.*Expected.*Received: dtype <U"),
    "flat weights": (1, np.ravel, ValueError, r"weights has the wrong shape.*Expected.*Received: shape \[36\]"),
    "NaN weights": (1, lambda a: a * np.nan, ValueError, r"weights must be finite.*Expected.*Received: nan"),
    "complex weights": (1, lambda a: a + 1j, TypeError, r"weights must be real numbers.*Expected.*Received: dtype"),
    "cotangents of another batch": (
        2,
        lambda a: a[:1],
        ValueError,
        r"cotangents has the wrong shape.*Expected.*\[1, 4\]",
    ),
    "NaN cotangents": (2, lambda a: a * np.nan, ValueError, r"cotangents must be finite.*Expected.*Received: nan"),
    "complex cotangents": (2, lambda a: a + 1j, TypeError, r"cotangents must be real.*Expected.*Received: dtype"),
}


@pytest.mark.parametrize("wrong", list(WRONG_INPUTS))
def test_wrong_inputs_are_explained(contestant, small, wrong):
    place, spoil, kind, message = WRONG_INPUTS[wrong]
    arrays = list(inputs(small))
    arrays[place] = spoil(arrays[place])
    engine = engine_of(contestant)
    with pytest.raises(kind, match=message):
        engine.gradients(small, *arrays)
    if place < 2:
        with pytest.raises(kind, match=message):
            engine.expectations(small, *arrays[:2])


def test_a_config_is_not_a_circuit(contestant, small):
    with pytest.raises(TypeError, match=r"fusion is of the wrong kind.*Expected: a FusionCircuit.*'FusionConfig'"):
        engine_of(contestant).expectations(small.config, *inputs(small)[:2])


def test_too_many_modalities_for_memory(contestant, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=8 * 2**30))
    fusion = FusionCircuit(FusionConfig(n_modalities=30, encoding="qubit_per_feature", degree=1))
    features, weights, cotangents = inputs(fusion, batch=1)
    message = r"with 30 qubits needs too much memory.*Expected: at most 80 % of the 8 GiB.*Received: \d+ GiB"
    with pytest.raises(ValueError, match=message):
        engine_of(contestant).expectations(fusion, features, weights)
    with pytest.raises(ValueError, match=message):
        engine_of(contestant).gradients(fusion, features, weights, cotangents)


def test_an_unknown_engine_gets_a_suggestion():
    with pytest.raises(ValueError, match=r"backend is not a known option.*Expected.*'batched'.*did you mean 'batched'"):
        get_backend("bached")
    with pytest.raises(TypeError, match=r"backend must be a string.*Expected.*Received: backend=3"):
        get_backend(3)


@pytest.mark.parametrize("name", list(ENGINES))
def test_a_missing_engine_names_those_that_are_there(name, monkeypatch):
    missing, find_spec = ENGINES[name].needs, importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == missing else find_spec(wanted))
    others = "'cirq'" if name != "cirq" else "'batched'"
    message = rf"backend '{name}' is not available.*Expected.*available here: .*{others}.*Received: no module"
    with pytest.raises(ImportError, match=message):
        get_backend(name)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"threads": 0}, ValueError, r"threads is out of range.*Expected.*Received: threads=0"),
        ({"threads": "2"}, TypeError, r"threads must be an integer.*Expected.*Received"),
        ({"max_fused_gate_size": 7}, ValueError, r"max_fused_gate_size.*from 2 to 6.*Received"),
        ({"form": "circuits"}, ValueError, r"form is not a known option.*Expected.*did you mean 'circuit'"),
    ],
)
def test_wrong_options_of_qsim(options, kind, message):
    engine_of("qsim")
    with pytest.raises(kind, match=message):
        get_backend("qsim", **options)

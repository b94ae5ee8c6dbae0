"""What the fast engine promises beyond the battery: exactness where formulas are singular, threads, warm-up."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.simulation import batched, chunks
from qfl_explore.simulation.batched import BatchedBackend
from tests.reference.dense import oracle, random_observables_of

TOL = {"float32": 2e-5, "float64": 1e-10}


def _inputs(config: FusionConfig, batch_size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    fusion = FusionCircuit(config)
    features = rng.uniform(-np.pi, np.pi, (batch_size, config.n_modalities, config.feature_dim))
    return (
        features,
        rng.uniform(-np.pi, np.pi, fusion.weight_shape),
        rng.normal(size=(batch_size, fusion.n_observables)),
    )


@pytest.mark.parametrize("value", [0.0, np.pi / 2, np.pi, -np.pi, 2 * np.pi])
@pytest.mark.parametrize("signal", ["ry", "phase"])
def test_exact_where_euler_angles_are_singular(value: float, signal: str) -> None:
    config = FusionConfig(n_modalities=3, degree=2, n_blocks=2, signal=signal, measurement="pauli")
    features, weights, cotangents = _inputs(config, 3)
    weights[:] = value
    fusion = FusionCircuit(config)
    got = BatchedBackend("float64").gradients(fusion, features, weights, cotangents)
    for ours, truth in zip(got, oracle(config, features, weights, cotangents), strict=True):
        np.testing.assert_allclose(ours, truth, atol=TOL["float64"])


@pytest.mark.parametrize("batch_size", [1, 15, 16, 17, 70])
def test_samples_do_not_depend_on_their_neighbours(batch_size: int) -> None:
    config = FusionConfig(n_modalities=5, degree=2)
    features, weights, cotangents = _inputs(config, batch_size)
    fusion, backend = FusionCircuit(config), BatchedBackend("float64")
    values, d_features, d_weights = backend.gradients(fusion, features, weights, cotangents)
    alone = [backend.gradients(fusion, features[i : i + 1], weights, cotangents[i : i + 1]) for i in range(batch_size)]
    np.testing.assert_allclose(values, np.concatenate([one[0] for one in alone]), atol=1e-13)
    np.testing.assert_allclose(d_features, np.concatenate([one[1] for one in alone]), atol=1e-13)
    np.testing.assert_allclose(d_weights, sum(one[2] for one in alone), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_of_threads_changes_no_bit(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "WORTH_A_THREAD", 1)
    config = FusionConfig(n_modalities=12, feature_dim=2, degree=2)
    inputs = _inputs(config, 100)
    fusion = FusionCircuit(config)
    one = BatchedBackend(dtype, n_threads=1).gradients(fusion, *inputs)
    for n_threads in (2, 3, 7):
        many = BatchedBackend(dtype, n_threads=n_threads).gradients(fusion, *inputs)
        for a, b in zip(one, many, strict=True):
            np.testing.assert_array_equal(a, b)


def test_several_threads_may_ask_at_once() -> None:
    backend = BatchedBackend()
    configs = [FusionConfig(n_modalities=m, degree=p) for m in (1, 3, 12) for p in (1, 4)]
    asked = [(FusionCircuit(config), *_inputs(config, 40)) for config in configs]
    wanted = [backend.gradients(*question) for question in asked]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda question: backend.gradients(*question), asked * 8))
    for answer, want in zip(answers, wanted * 8, strict=True):
        for a, b in zip(answer, want, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_deep_circuit_keeps_its_scale() -> None:
    config = FusionConfig(n_modalities=2, degree=60, n_blocks=2)
    features, weights, cotangents = _inputs(config, 4)
    fusion = FusionCircuit(config)
    single = BatchedBackend("float32").gradients(fusion, features, weights, cotangents)
    double = BatchedBackend("float64").gradients(fusion, features, weights, cotangents)
    for a, b in zip(single, double, strict=True):
        np.testing.assert_allclose(a, b, atol=5e-4)


def test_programs_are_kept_but_not_without_bound() -> None:
    backend = BatchedBackend()
    fusion = FusionCircuit(FusionConfig(n_modalities=1))
    assert backend.program(fusion) is backend.program(FusionCircuit(FusionConfig(n_modalities=1)))
    for seed in range(batched._CACHED_PROGRAMS + 5):
        backend.program(FusionCircuit(FusionConfig(n_modalities=1, seed=seed)))
    assert len(backend._programs) == batched._CACHED_PROGRAMS


@pytest.mark.parametrize(
    ("options", "message"), [({"dtype": "float16"}, "dtype is not a known"), ({"n_threads": 0}, "n_threads")]
)
def test_bad_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BatchedBackend(**options)


@pytest.mark.parametrize("limit", [0, 2**30])
def test_pullback_equals_gradients(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched, "_MOST_STATES", limit)
    config = FusionConfig(n_modalities=5, degree=3, signal_form="gray_code")
    features, weights, cotangents = _inputs(config, 50)
    fusion, backend = FusionCircuit(config), BatchedBackend("float64")
    values, pull = backend.pullback(fusion, features, weights)
    for factor in (1.0, -2.0):  # it may be pulled more than once
        want = backend.gradients(fusion, features, weights, factor * cotangents)
        for a, b in zip((values, *pull(factor * cotangents)), want, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-13)
    with pytest.raises(ValueError, match="cotangents has the wrong shape"):
        pull(cotangents[:3])


@pytest.mark.parametrize("n_samples", [1, 3, 20])
@pytest.mark.parametrize("signal_form", ["multi_controlled", "gray_code"])
def test_many_draws_equal_one_at_a_time(n_samples: int, signal_form: str) -> None:
    config = FusionConfig(n_modalities=3, feature_dim=2, degree=2, n_blocks=2, signal="phase", signal_form=signal_form)
    fusion, backend = FusionCircuit(config), BatchedBackend("float64")
    features, _, cotangents = _inputs(config, n_samples)
    weights = np.random.default_rng(1).uniform(-np.pi, np.pi, (37, *fusion.weight_shape))
    values, d_features, d_weights = backend.gradients(fusion, features, weights, cotangents)
    np.testing.assert_allclose(backend.expectations(fusion, features, weights), values, atol=1e-12)
    for i, one in enumerate(weights):
        want = backend.gradients(fusion, features, one, cotangents)
        for a, b in zip((values[i], d_features[i], d_weights[i]), want, strict=True):
            np.testing.assert_allclose(a, b, atol=TOL["float64"])


def test_every_draw_may_have_its_own_cotangents() -> None:
    config = FusionConfig(n_modalities=2)
    fusion, backend = FusionCircuit(config), BatchedBackend("float64")
    features, _, _ = _inputs(config, 2)
    rng = np.random.default_rng(2)
    weights = rng.uniform(-np.pi, np.pi, (5, *fusion.weight_shape))
    cotangents = rng.normal(size=(5, 2, fusion.n_observables))
    _, d_features, d_weights = backend.gradients(fusion, features, weights, cotangents)
    _, want_features, want_weights = backend.gradients(fusion, features, weights[3], cotangents[3])
    np.testing.assert_allclose(d_features[3], want_features, atol=1e-12)
    np.testing.assert_allclose(d_weights[3], want_weights, atol=1e-12)


@pytest.mark.parametrize("signal", ["ry", "rx", "rz", "phase"])
@pytest.mark.parametrize("measurement", ["random_pauli_plane", "all_pauli"])
@pytest.mark.parametrize(("encoding", "n_modalities"), [("qubit_efficient", 12), ("qubit_per_feature", 5)])
def test_few_samples_on_many_qubits_agree_with_the_oracle(
    signal: str, measurement: str, encoding: str, n_modalities: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batched, "_FEWEST_QUBITS", 5)  # the oracle is for small registers
    config = FusionConfig(
        n_modalities=n_modalities, degree=2, encoding=encoding, signal=signal, measurement=measurement
    )
    features, weights, cotangents = _inputs(config, 2)
    fusion, backend = FusionCircuit(config), BatchedBackend("float64")
    assert batched.is_narrow(backend.program(fusion)[0], len(features))
    words = random_observables_of(fusion) if measurement == "random_pauli_plane" else None
    want = oracle(config, features, weights, cotangents, words)
    for a, b in zip(backend.gradients(fusion, features, weights, cotangents), want, strict=True):
        np.testing.assert_allclose(a, b, atol=TOL["float64"])
    np.testing.assert_allclose(backend.expectations(fusion, features, weights), want[0], atol=TOL["float64"])


@pytest.mark.parametrize(
    "config", [FusionConfig(n_modalities=207), FusionConfig(n_modalities=8, encoding="qubit_per_feature")]
)
def test_narrow_and_wide_kernels_agree_on_large_registers(
    config: FusionConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, weights, cotangents = _inputs(config, 2)
    fusion, backend = FusionCircuit(config), BatchedBackend("float64")
    assert batched.is_narrow(backend.program(fusion)[0], len(features))
    few = backend.gradients(fusion, features, weights, cotangents)
    monkeypatch.setattr(batched, "_FEW", 0)
    for a, b in zip(few, backend.gradients(fusion, features, weights, cotangents), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n_modalities", [2, 207])  # wide and narrow kernels
def test_the_kernels_find_what_is_not_finite(bad: float, n_modalities: int) -> None:
    config = FusionConfig(n_modalities=n_modalities, degree=1)
    features, weights, cotangents = _inputs(config, 2)
    fusion, backend = FusionCircuit(config), BatchedBackend()
    features[1, 1, 0] = bad
    with pytest.raises(ValueError, match=r"features must be finite.*at index \[1, 1, 0\]"):
        backend.expectations(fusion, features, weights)
    with pytest.raises(ValueError, match="features must be finite"):
        backend.pullback(fusion, features, weights)
    features[1, 1, 0] = 0
    weights[0, 0, 1, 2] = bad
    with pytest.raises(ValueError, match=r"weights must be finite.*at index \[0, 0, 1, 2\]"):
        backend.gradients(fusion, features, weights, cotangents)
    draws = np.stack([np.zeros_like(weights), weights])
    with pytest.raises(ValueError, match=r"weights must be finite.*at index \[1, 0, 0, 1, 2\]"):
        backend.gradients(fusion, features, draws, cotangents)

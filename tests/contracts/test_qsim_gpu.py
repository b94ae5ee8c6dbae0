"""The battery for qsim on a GPU: ``make test ARGS="-m gpu"``. Skipped, with the reason, where there is none."""

import functools

import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig, get_backend
from qfl_explore.simulation import qsim_gpu
from qfl_explore.simulation.base import is_available
from qfl_explore.theory.measurement import grouped_variance
from tests.contracts.test_qsim import CASES, ask

pytestmark = pytest.mark.gpu


@functools.cache
def why_not(gpu_mode):
    if not is_available("qsim"):
        return "qsimcirq is not installed on this platform"
    return qsim_gpu.ask(gpu_mode)[1]


@pytest.fixture(params=list(qsim_gpu.MODES))
def options(request):
    if why_not(request.param):
        pytest.skip(f"gpu_mode={request.param!r}: {why_not(request.param)}")
    return {"device": "gpu", "gpu_mode": request.param}


@pytest.mark.parametrize("readout", ["engine", "state"])
@pytest.mark.parametrize("name", list(CASES))
def test_values_are_those_of_cirq(options, name, readout):
    fusion, features, weights, exact = ask(CASES[name])
    got = get_backend("qsim", readout=readout, **options).expectations(fusion, features, weights)
    np.testing.assert_allclose(got, exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("fuse", [2, 3, 4, 5, 6])
def test_fusion_changes_no_value(options, fuse):
    fusion, features, weights, exact = ask(CASES["pauli"])
    got = get_backend("qsim", max_fused_gate_size=fuse, **options).expectations(fusion, features, weights)
    np.testing.assert_allclose(got, exact, rtol=0, atol=1e-5)


def test_gradients_are_those_of_cirq(options):
    fusion, features, weights, exact = ask(CASES["planes"])
    cotangents = np.random.default_rng(1).normal(size=exact.shape)
    want = get_backend("cirq").gradients(fusion, features, weights, cotangents)
    got = get_backend("qsim", **options).gradients(fusion, features, weights, cotangents)
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["planes", "pauli", "pairs"])
def test_repetitions_estimate_the_exact_values(options, name):
    fusion, features, weights, exact = ask(CASES[name])
    found = get_backend("qsim", repetitions=20_000, **options).estimates(fusion, features, weights)
    assert (np.abs(found.values - exact) <= 5 * np.sqrt(grouped_variance(exact, found.n_used)) + 1e-6).all()


@pytest.mark.parametrize("n_qubits", [1, 2, 5, 12, 20, 24])
def test_a_large_register_agrees_with_the_processor(options, n_qubits):
    config = FusionConfig(n_modalities=n_qubits, encoding="qubit_per_feature", degree=1, entangler="ring")
    fusion, rng = FusionCircuit(config), np.random.default_rng(0)
    question = fusion, rng.normal(size=(1, n_qubits, 1)), rng.normal(size=fusion.weight_shape)
    on_gpu = get_backend("qsim", **options).expectations(*question)
    np.testing.assert_allclose(on_gpu, get_backend("qsim", threads=4).expectations(*question), rtol=0, atol=1e-5)


def test_time_and_memory_are_predicted(options):
    config = FusionConfig(n_modalities=20, encoding="qubit_per_feature", degree=1)
    cost = get_backend("qsim", **options).predict(config)
    assert cost.gpu_bytes == 8 * 2**20 and 0 < cost.seconds < 60

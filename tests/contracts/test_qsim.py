"""What qsim offers beside the common question: threads, fusion, repetitions, and GPUs that may not be there."""

import json
import signal
import subprocess
import sys
import textwrap
import types

import numpy as np
import psutil
import pytest

from qfl_explore import FusionCircuit, FusionConfig, get_backend
from qfl_explore.simulation import qsim_gpu
from qfl_explore.simulation.base import is_available
from qfl_explore.theory.measurement import grouped_variance

if not is_available("qsim"):
    pytest.skip("qsimcirq is not installed on this platform", allow_module_level=True)

CASES = {
    "planes": dict(n_modalities=3, feature_dim=2, degree=2),
    "pauli": dict(n_modalities=5, degree=1, measurement="pauli", signal="phase"),
    "all strings": dict(n_modalities=3, degree=1, measurement="all_pauli"),
    "pairs": dict(n_modalities=4, encoding="qubit_per_feature", degree=1, measurement="computational", n_observables=9),
    "one long string": dict(n_modalities=9, encoding="qubit_per_feature", degree=1, measurement="global_z"),
    "more planes than qubits": dict(n_modalities=2, degree=3, n_observables=8),
}


@pytest.fixture(params=list(CASES))
def question(request):
    return ask(CASES[request.param])


def ask(settings, batch=2):
    """Circuit, features, weights, and cirq's values."""
    fusion = FusionCircuit(FusionConfig(**settings))
    rng = np.random.default_rng(5)
    features = rng.uniform(-np.pi, np.pi, (batch, fusion.config.n_modalities, fusion.config.feature_dim))
    weights = rng.uniform(-np.pi, np.pi, fusion.weight_shape)
    return fusion, features, weights, get_backend("cirq").expectations(fusion, features, weights)


@pytest.mark.parametrize(
    "options",
    [
        {"readout": "engine"},
        {"readout": "state"},
        {"readout": "engine", "max_fused_gate_size": 6, "threads": 2},
        {"max_fused_gate_size": 4, "threads": 2},
        {"denormals_are_zeros": True},
    ],
    ids=str,
)
def test_options_change_the_speed_and_not_the_answer(question, options):
    fusion, features, weights, exact = question
    got = get_backend("qsim", **options).expectations(fusion, features, weights)
    np.testing.assert_allclose(got, exact, rtol=0, atol=1e-5)


def test_gradients_summed_by_the_engine_are_those_of_cirq():
    fusion, features, weights, exact = ask(CASES["planes"])
    cotangents = np.random.default_rng(1).normal(size=exact.shape)
    want = get_backend("cirq").gradients(fusion, features, weights, cotangents)
    for got, expected in zip(
        get_backend("qsim", readout="engine").gradients(fusion, features, weights, cotangents), want, strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("repetitions", [400, 20_000])
def test_repetitions_estimate_the_exact_values(question, repetitions):
    fusion, features, weights, exact = question
    found = get_backend("qsim", repetitions=repetitions).estimates(fusion, features, weights)
    assert found.repetitions == repetitions and found.n_used.min() >= 1 and found.n_used.max() <= repetitions
    error = np.sqrt(grouped_variance(exact, found.n_used))
    assert (np.abs(found.values - exact) <= 5 * error + 1e-6).all()


def test_estimates_scatter_as_their_standard_error_says():
    fusion, features, weights, exact = ask(CASES["planes"], batch=1)
    engines = [get_backend("qsim", repetitions=300, seed=seed) for seed in range(120)]
    estimates = np.array([engine.expectations(fusion, features, weights)[0] for engine in engines])
    used = engines[0].estimates(fusion, features, weights).n_used
    z = (estimates - exact[0]) / np.sqrt(grouped_variance(exact[0], used))
    assert np.abs(z.mean(axis=0)).max() < 4 / np.sqrt(120)
    assert 0.75 < z.std() < 1.25


def test_a_seed_repeats_and_another_does_not():
    fusion, features, weights, _ = ask(CASES["planes"])
    values = [
        get_backend("qsim", repetitions=50, seed=seed).expectations(fusion, features, weights) for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()
    fresh = get_backend("qsim", repetitions=50, seed=None)
    assert (fresh.expectations(fusion, features, weights) != fresh.expectations(fusion, features, weights)).any()


def test_gradients_from_repetitions_are_near_the_exact_ones():
    fusion, features, weights, exact = ask(dict(n_modalities=2, degree=1), batch=1)
    cotangents = np.ones_like(exact)
    _, d_x, d_w = get_backend("cirq").gradients(fusion, features, weights, cotangents)
    values, got_x, got_w = get_backend("qsim", repetitions=30_000).gradients(fusion, features, weights, cotangents)
    # each slope is half a difference of K independent sums: standard error below sqrt(K / 2) / sqrt(T / bases)
    error = 5 * np.sqrt(exact.shape[1] / 2 / 30_000)
    assert np.abs(got_w - d_w).max() < error and np.abs(got_x - d_x).max() < 3 * error
    same = get_backend("qsim", repetitions=30_000).expectations(fusion, features, weights)
    np.testing.assert_array_equal(values, same)


def test_too_few_repetitions_and_none_at_all_are_explained():
    fusion, features, weights, _ = ask(dict(n_modalities=2, degree=1, measurement="pauli"))
    message = r"repetitions do not reach all of the 3 product bases.*Expected: repetitions of 3.*repetitions=2"
    with pytest.raises(ValueError, match=message):
        get_backend("qsim", repetitions=2).expectations(fusion, features, weights)
    with pytest.raises(ValueError, match=r"no repetitions.*Expected: get_backend.*Received: .*without repetitions"):
        get_backend("qsim").estimates(fusion, features, weights)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"thread": 2}, TypeError, r"no such option.*Expected: one of threads.*did you mean threads"),
        ({"repetitions": 0}, ValueError, r"repetitions is out of range.*from 1 to 10000000.*Received"),
        ({"repetitions": 1.5}, TypeError, r"repetitions must be an integer.*Expected.*Received"),
        ({"seed": -1}, ValueError, r"seed is out of range.*Expected.*Received"),
        ({"readout": "numpy"}, ValueError, r"readout is not a known option.*'state'.*Received"),
        ({"denormals_are_zeros": "no"}, TypeError, r"denormals_are_zeros must be a boolean.*True or False.*='no'"),
        ({"device": "cuda"}, ValueError, r"device is not a known option.*'gpu'.*Received: device='cuda'"),
        ({"gpu_mode": "cuda"}, ValueError, r"gpu_mode is for GPUs only.*Expected: device='gpu'.*device='cpu'"),
        ({"device": "gpu", "gpu_mode": "cu"}, ValueError, r"gpu_mode is not a known option.*did you mean 'cuda'"),
        ({"device": "gpu", "gpu_state_threads": 48}, ValueError, r"no power of two.*from 32 to 1024.*=48"),
        ({"device": "gpu", "gpu_state_threads": 16}, ValueError, r"gpu_state_threads is out of range.*Expected.*=16"),
        ({"device": "gpu", "gpu_data_blocks": 0}, ValueError, r"gpu_data_blocks is out of range.*Expected.*=0"),
        ({"form": "circuit", "repetitions": 9}, ValueError, r"form='physical' only.*Received: form='circuit' with rep"),
        (
            {"form": "circuit", "device": "gpu"},
            ValueError,
            r"device goes with form='physical'.*Expected.*Received",
        ),
    ],
    ids=str,
)
def test_wrong_options_are_explained(options, kind, message):
    with pytest.raises(kind, match=message):
        get_backend("qsim", **options)


@pytest.fixture
def asked(monkeypatch):
    """Stands in for the trial run on a GPU, and counts how often it is asked for."""
    calls = []

    def answer(code=0, stdout="", stderr="", error=None):
        def run(command, **options):
            calls.append(command)
            if error is not None:
                raise error
            return types.SimpleNamespace(returncode=code, stdout=stdout, stderr=stderr)

        monkeypatch.setattr(qsim_gpu.subprocess, "run", run)
        return calls

    qsim_gpu.ask.cache_clear()
    yield answer
    qsim_gpu.ask.cache_clear()


@pytest.mark.parametrize(
    ("stand_in", "received"),
    [
        (dict(code=1, stderr="qsimcirq 0.22.1 was built without CUDA\n"), "qsimcirq 0.22.1 was built without CUDA"),
        (dict(code=1, stderr="noise\nno NVIDIA driver on this machine"), "no NVIDIA driver on this machine"),
        (dict(code=35, stderr="CUDA error: insufficient driver"), "CUDA error: insufficient driver"),
        (dict(code=35), "ended with code 35"),
        (dict(code=-signal.SIGSEGV), "was ended by SIGSEGV"),
        (dict(code=-signal.SIGKILL, stderr="half a word"), "was ended by SIGKILL after 'half a word'"),
        (dict(stdout="nothing to see"), "without an answer; it printed 'nothing to see'"),
        (dict(error=subprocess.TimeoutExpired("python", 120)), "no answer from a trial run on the GPU within 120 s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("gpu_mode", ["cuda", "custatevec"])
def test_a_gpu_that_does_not_answer_is_a_message(asked, stand_in, received, gpu_mode):
    calls = asked(**stand_in)
    for _ in range(2):
        with pytest.raises(ImportError) as caught:
            get_backend("qsim", device="gpu", gpu_mode=gpu_mode)
        text = str(caught.value)
        assert f"qsim cannot use a GPU here (gpu_mode='{gpu_mode}'). Expected: a qsimcirq built with " in text
        assert "docs/gpu.md" in text and received in text.split("Received: ")[1]
    assert len(calls) == 1, "the trial run is made once a process"


def test_a_gpu_that_answers_has_its_memory_checked(asked, monkeypatch):
    told = {"name": "Some GPU", "total_bytes": 8 * 2**30, "free_bytes": 2**30, "compute_capability": "9.0"}
    asked(stdout="\n" + json.dumps(told))
    monkeypatch.setattr("qsimcirq.qsim_gpu", types.SimpleNamespace())
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=64 * 2**30))
    engine = get_backend("qsim", device="gpu", gpu_state_threads=64)
    assert engine.settings.gpu_mode == "cuda" and str(engine.gpu) == "Some GPU, 8 GiB, compute capability 9.0"
    fusion = FusionCircuit(FusionConfig(n_modalities=28, encoding="qubit_per_feature", degree=1))
    message = r"28 qubits needs too much of the GPU's memory.*Expected: at most 90 % of the 1 GiB.*Received: 2 GiB"
    with pytest.raises(ValueError, match=message):
        engine.expectations(fusion, np.zeros((1, 28, 1)), np.zeros(fusion.weight_shape))


def test_asking_for_a_gpu_never_ends_the_process():
    """For real, whatever this machine has: a GPU that computes, or a message in three parts."""
    code = """
        from qfl_explore import get_backend
        for gpu_mode in ("cuda", "custatevec"):
            try:
                print("computes on", get_backend("qsim", device="gpu", gpu_mode=gpu_mode).gpu)
            except ImportError as error:
                print(error)
        print("alive")
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    *answers, last = done.stdout.splitlines()
    assert last == "alive" and len(answers) == 2
    for answer in answers:
        assert answer.startswith("computes on ") or (". Expected: " in answer and ". Received: " in answer)

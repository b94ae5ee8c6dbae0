"""The part of the page Circuit for large registers: what it says before, during and after a run."""

import contextlib
import io
import time

import numpy as np
import psutil
import pytest

from qfl_explore import FusionConfig
from qfl_explore.dashboards.circuit import qsim_state as circuit_qsim_state
from qfl_explore.dashboards.circuit.qsim import QSimPart, outcome_sentence, snippet
from qfl_explore.dashboards.circuit.qsim_state import QSimState
from qfl_explore.experiments import large_circuit
from qfl_explore.experiments.large_circuit import LargeCircuitConfig, LargeCircuitResult
from qfl_explore.simulation import qsim_calibration
from qfl_explore.simulation.base import is_available
from qfl_explore.simulation.qsim_cost import Calibration, Cost
from tests.dashboards.waiting import wait_for

if not is_available("qsim"):
    pytest.skip("qsimcirq is not installed on this platform", allow_module_level=True)

ROUND = Calibration(1e-5, 1e-9, 1e-5, 1e-6, 1e-6, (10, 20), *[(1e-9, 1e-9)] * 3, 1e-7, 1e-8)
SMALL = FusionConfig(n_modalities=3, degree=1, measurement="pauli")
LARGE = FusionConfig(n_modalities=20, encoding="qubit_per_feature", degree=1)


@pytest.fixture
def timed(monkeypatch):
    """qsim has been timed on this machine before."""
    monkeypatch.setattr(large_circuit, "known", lambda settings: ROUND)
    monkeypatch.setattr(qsim_calibration, "known", lambda settings: ROUND)


@pytest.fixture
def part():
    made = QSimPart(None, QSimState())
    yield made
    made.close()


def test_memory_is_known_at_once_and_time_once_qsim_was_timed(part, monkeypatch):
    monkeypatch.setattr(qsim_calibration, "known", lambda settings: None)
    part.show_circuit(LARGE)
    assert part.cost.object.startswith("20 qubits: 10 MiB of memory. For the time, ") and "Predict" in part.cost.object
    monkeypatch.setattr(qsim_calibration, "known", lambda settings: ROUND)
    part.state.n_samples = 4
    assert part.cost.object.startswith("20 qubits, 4 circuits: about 1.7 s and 10 MiB of memory.")
    part.state.what = "gradients"
    assert "1,124 circuits: about " in part.cost.object  # 4 samples, 140 rotations
    assert not part.problem.visible


def test_a_run_says_what_it_took_and_shows_values(part, timed):
    part.show_circuit(SMALL)
    part.state.what = "1000"
    part.start()
    wait_for(lambda: part.outcome.object.startswith("It took "))
    assert "times the prediction" in part.outcome.object and "1,000 repetitions a sample" in part.outcome.object
    assert part.outcome.object.count("±") == 4 and "seed 0" in part.outcome.object


def test_cancelling_ends_the_process_at_once(part, timed):
    part.show_circuit(LARGE.replace(n_modalities=25, degree=4))
    before = len(psutil.Process().children())
    part.start()
    wait_for(lambda: len(psutil.Process().children()) > before)
    began = time.monotonic()
    part.cancel()
    assert time.monotonic() - began < 0.2 and part.outcome.object == "Cancelled."
    wait_for(lambda: len(psutil.Process().children()) == before, 2.0)


def test_what_does_not_fit_is_a_notice_in_three_parts(part, timed, monkeypatch):
    part.show_circuit(LARGE.replace(n_modalities=30))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 4 * 2**30}))
    part.start()
    wait_for(lambda: part.problem.visible)
    assert (
        "needs too much memory. Expected: at most 80 %" in part.problem.object and "Received: 8" in part.problem.object
    )
    part.state.threads = part.state.param.threads.objects[-1]
    part.draw()
    assert not part.problem.visible


def test_a_gpu_that_is_not_there_is_a_notice(part, timed, monkeypatch):
    from qfl_explore.simulation import qsim_gpu

    monkeypatch.setattr(qsim_gpu, "ask", lambda mode: (None, "no NVIDIA driver on this machine"))
    part.show_circuit(SMALL)
    part.state.device = "custatevec"
    part.start()
    wait_for(lambda: part.problem.visible)
    assert "Expected: a qsimcirq built with cuStateVec" in part.problem.object
    assert part.problem.object.endswith("Received: no NVIDIA driver on this machine.")


def test_without_qsim_the_part_says_so(part, monkeypatch):
    monkeypatch.setattr(circuit_qsim_state, "is_available", lambda name: False)
    part.show_circuit(SMALL)
    assert part.problem.object.startswith("qsim is not available on this machine. Expected: the package 'qsimcirq'")


def test_the_python_source_gives_the_part_s_numbers(part, timed):
    part.show_circuit(SMALL)
    part.state.n_samples = 4
    config = part.state.config(SMALL)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        scope = {}
        exec(snippet(config), scope)
    assert scope["result"].config == config and "4 circuits: about" in said.getvalue()
    first = ", ".join(f"{value:.4f}" for value in scope["result"].values[0][:3])
    assert first in outcome_sentence(scope["result"])


def test_sentences_of_every_phase():
    config, cost = LargeCircuitConfig(fusion=SMALL), Cost(3, 1, 0.0, 0.5, 2**20)
    assert "Timing qsim on this machine, 3 s" in outcome_sentence(LargeCircuitResult(config, elapsed_s=3.1))
    running = LargeCircuitResult(config, "running", cost, 1.26)
    assert outcome_sentence(running) == "Running in a process of its own, 1.3 s so far."
    assert outcome_sentence(LargeCircuitResult(config, "done", cost)) == ""
    done = LargeCircuitResult(config, "done", cost, 0.0, 1.0, 0.9, 3 * 2**20, np.array([[0.5, -0.25]]))
    assert outcome_sentence(done) == (
        "It took 1 s (0.9 s of the processor's time, 1.8 times the prediction) and 3 MiB of memory. "
        "First values of the first sample: 0.5000, -0.2500; seed 0."
    )

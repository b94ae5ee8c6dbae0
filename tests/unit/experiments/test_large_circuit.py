"""One large circuit on qsim: predicted, then run in another process that can be ended at any moment."""

import time

import numpy as np
import psutil
import pytest

from qfl_explore import FusionConfig, get_backend
from qfl_explore.experiments import large_circuit
from qfl_explore.experiments.large_circuit import LargeCircuitConfig, inputs, run, stream
from qfl_explore.simulation.base import is_available
from qfl_explore.simulation.qsim_cost import Calibration

if not is_available("qsim"):
    pytest.skip("qsimcirq is not installed on this platform", allow_module_level=True)

SMALL = FusionConfig(n_modalities=3, degree=1, measurement="pauli")


@pytest.fixture(autouse=True)
def timed(monkeypatch):
    """qsim has been timed on this machine before."""
    found = Calibration(1e-5, 1e-9, 1e-5, 1e-6, 1e-6, (10, 20), *[(1e-9, 1e-9)] * 3, 1e-7, 1e-8)
    monkeypatch.setattr(large_circuit, "known", lambda settings: found)


def test_a_run_gives_the_engine_s_values_and_what_it_cost():
    config = LargeCircuitConfig(fusion=SMALL, n_samples=2, seed=4)
    first, *_, last = stream(config)
    assert first.phase == "running" and first.cost.n_circuits == 2 and first.values is None and first.table.empty
    assert last.phase == "done" and last.cost == first.cost and last.measured_s > 0 and last.measured_bytes >= 0
    exact = get_backend("cirq").expectations(*inputs(SMALL, 2, 4))
    np.testing.assert_allclose(last.values, exact, rtol=0, atol=1e-5)
    assert last.standard_errors is None and len(last.table) == exact.size
    summary = last.summary()
    assert summary["n_qubits"] == 3 and summary["measured_s"] == last.measured_s and summary["seed"] == 4


def test_repetitions_bring_their_standard_errors():
    found = run(LargeCircuitConfig(fusion=SMALL, repetitions=3000))
    exact = get_backend("cirq").expectations(*inputs(SMALL, 1, 0))
    assert (np.abs(found.values - exact) <= 5 * np.maximum(found.standard_errors, 1e-3)).all()
    np.testing.assert_allclose(found.standard_errors, np.sqrt((1 - found.values**2) / 1000), atol=1e-6)
    assert set(found.table.repetitions) == {3000}


def test_closing_the_run_ends_the_other_process_at_once():
    mine = psutil.Process()
    before = {child.pid for child in mine.children()}
    config = LargeCircuitConfig(fusion=FusionConfig(n_modalities=24, encoding="qubit_per_feature", degree=4))
    running = stream(config)
    assert next(running).phase == "running" and next(running).elapsed_s >= 0
    (child,) = [child for child in mine.children() if child.pid not in before]
    began = time.monotonic()
    running.close()
    assert time.monotonic() - began < 1.0 and not child.is_running()


def test_only_a_prediction_starts_no_process(monkeypatch):
    monkeypatch.setattr(large_circuit.subprocess, "Popen", lambda *args, **options: pytest.fail("a process"))
    (found,) = stream(LargeCircuitConfig(), only_predict=True)
    assert found.phase == "done" and "20 qubits, 1 circuit: about " in str(found.cost)


def test_what_does_not_fit_is_refused_before_a_process_starts(monkeypatch):
    monkeypatch.setattr(large_circuit.subprocess, "Popen", lambda *args, **options: pytest.fail("a process"))
    fusion = FusionConfig(n_modalities=30, encoding="qubit_per_feature", degree=1, measurement="global_z")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 8 * 2**30}))
    with pytest.raises(ValueError, match=r"qsim with 30 qubits needs too much memory.*at most 80 %.*Received: 16 GiB"):
        run(LargeCircuitConfig(fusion=fusion))


@pytest.mark.parametrize(
    ("code", "stderr", "message"),
    [
        (1, "Traceback\nValueError: a is wrong. Expected: b. Received: c.", r"^a is wrong. Expected: b. Received: c.$"),
        (1, "Traceback\nKeyError: 'x'", r"ended early. Expected: code 0. Received: 'x'"),
        (-9, "", r"ended early. Expected: code 0. Received: code -9"),
    ],
)
def test_a_process_that_fails_is_a_message(code, stderr, message):
    with pytest.raises(RuntimeError, match=message):
        large_circuit._parsed(code, "", stderr)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"fusion": 3}, TypeError, r"fusion is of the wrong kind.*Expected: a FusionConfig.*Received: 3"),
        ({"n_samples": 0}, ValueError, r"n_samples is out of range.*Expected.*Received"),
        ({"gradients": 1}, TypeError, r"gradients must be a boolean.*Expected.*Received: gradients=1"),
        ({"seed": -1}, ValueError, r"seed is out of range.*Expected.*Received"),
        ({"threads": 0}, ValueError, r"threads is out of range.*Expected.*Received"),
        ({"gpu_mode": "cuda"}, ValueError, r"gpu_mode is for GPUs only.*Expected.*Received"),
    ],
    ids=str,
)
def test_wrong_settings_are_explained(settings, kind, message):
    with pytest.raises(kind, match=message):
        LargeCircuitConfig(**settings)


def test_the_run_id_and_the_options_follow_the_settings():
    one, two = LargeCircuitConfig(threads=2), LargeCircuitConfig(threads=2, seed=1)
    assert one.run_id != two.run_id and one.options == two.options == {"threads": 2}
    assert LargeCircuitConfig(repetitions=10, seed=3).options == {"repetitions": 10, "seed": 3}

"""What qsim will cost: counts that are exact, memory that is 8 bytes an amplitude, and a trial run kept on disk."""

import dataclasses
import json
import subprocess
import types

import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.simulation import qsim_calibration, qsim_cost
from qfl_explore.simulation.qsim_calibration import calibration
from qfl_explore.simulation.qsim_cost import Calibration, host_bytes, predict
from qfl_explore.simulation.qsim_options import QSimSettings
from qfl_explore.theory.measurement import measurement_settings, observable_axes, weights

MIB = 2**20
#: Round numbers in place of a trial run: 1 µs a gate, 1 ns an amplitude of a two-qubit gate.
ROUND = Calibration(
    setup_gate=1e-5,
    setup_entry=1e-9,
    setup_observable=1e-5,
    gate=1e-6,
    circuit=1e-6,
    qubits=(10, 20),
    update=(1e-9, 1e-9),
    reading=(1e-9, 2e-9),
    drawing=(1e-9, 1e-9),
    outcome=1e-7,
    product=1e-8,
)
MEASURED = [
    dict(n_modalities=3, measurement="random_pauli_plane"),
    dict(n_modalities=3, measurement="random_pauli_plane", n_observables=7),
    dict(n_modalities=3, measurement="pauli"),
    dict(n_modalities=3, measurement="pauli", n_observables=2),
    dict(n_modalities=3, measurement="all_pauli"),
    dict(n_modalities=7, measurement="computational", n_observables=9),
    dict(n_modalities=7, measurement="global_z"),
    dict(n_modalities=7, measurement="local_z"),
]


def per_feature(n, **settings):
    return FusionConfig(n_modalities=n, encoding="qubit_per_feature", **{"degree": 1, **settings})


@pytest.mark.parametrize("settings", MEASURED, ids=str)
def test_bases_and_widths_are_those_of_the_observables(settings):
    config = FusionConfig(**settings)
    fusion = FusionCircuit(config)
    axes = observable_axes(fusion.observables, fusion.qubits)
    assert qsim_cost.n_bases(config) == len(measurement_settings(axes))
    assert sorted(qsim_cost._widths(config)) == sorted(weights(axes).tolist())


def test_flips_bound_the_groups_that_numpy_sums():
    from qfl_explore.simulation.pauli import PauliTable

    for settings in MEASURED:
        fusion = FusionCircuit(FusionConfig(**settings))
        assert len(PauliTable(fusion.observables, fusion.qubits)._groups) <= qsim_cost._flips(fusion.config)


@pytest.mark.parametrize("n", [18, 20, 24, 28])
def test_memory_is_eight_bytes_an_amplitude_and_little_more(n):
    settings = QSimSettings()
    assert 0 <= host_bytes(per_feature(n), settings) - 8 * 2**n < 8 * MIB
    twice = host_bytes(per_feature(n, measurement="global_z"), settings)
    assert 0 <= twice - 16 * 2**n < 8 * MIB
    drawn = host_bytes(per_feature(n), QSimSettings(repetitions=1000))
    assert 0 <= drawn - 8 * 2**n < 8 * MIB
    assert host_bytes(per_feature(n), QSimSettings(readout="state")) > 5 * 8 * 2**n


def test_the_matrix_from_features_to_angles_is_counted():
    config = FusionConfig(n_modalities=2**13 - 1, degree=1)
    assert host_bytes(config, QSimSettings()) > 3 * 8 * 4**13


def test_on_a_gpu_the_state_is_in_its_memory():
    settings = QSimSettings(device="gpu")
    cost = predict(per_feature(24), settings, ROUND)
    assert cost.gpu_bytes == 8 * 2**24 and cost.memory_bytes < 8 * MIB
    assert predict(per_feature(24, measurement="global_z"), settings, ROUND).gpu_bytes == 16 * 2**24
    assert predict(per_feature(24), QSimSettings(), ROUND).gpu_bytes == 0


def test_time_follows_from_counts():
    config, settings = per_feature(20, entangler="full"), QSimSettings()
    one = predict(config, settings, ROUND)
    # 380 two-qubit gates, and 20 observables at 2 ns, each on 2^20 amplitudes
    assert one.seconds == pytest.approx((380 * 1e-9 + 20 * 2e-9) * 2**20, rel=0.03)
    many = predict(config, settings, ROUND, n_samples=10)
    assert many.n_circuits == 10 and many.seconds - many.setup_s == pytest.approx(10 * (one.seconds - one.setup_s))
    slopes = predict(config, settings, ROUND, gradients=True)
    assert slopes.n_circuits == 1 + 2 * 140  # two more for each of the rotations
    estimated = predict(per_feature(20, measurement="pauli"), QSimSettings(repetitions=3000), ROUND)
    assert estimated.n_circuits == 3
    with pytest.raises(ValueError, match=r"n_samples is out of range.*Expected.*Received"):
        predict(config, settings, ROUND, n_samples=0)


def test_between_and_beyond_the_measured_sizes():
    assert ROUND.at("reading", 15) == pytest.approx(np.sqrt(2) * 1e-9)
    assert [ROUND.at("reading", n) for n in (5, 29)] == pytest.approx([1e-9, 2e-9])


@pytest.fixture
def trial(monkeypatch, tmp_path):
    """Stands in for the trial run, and counts how often it is made."""
    calls = []

    def run(command, **options):
        calls.append(json.loads(command[-1]))
        return types.SimpleNamespace(returncode=0, stdout=json.dumps(dataclasses.asdict(ROUND)), stderr="")

    monkeypatch.setenv("QFL_EXPLORE_CACHE", str(tmp_path))
    monkeypatch.setattr(qsim_calibration.subprocess, "run", run)
    monkeypatch.setattr(qsim_calibration, "_known", {})
    return calls


def test_a_trial_run_is_made_once_for_each_choice_and_kept(trial, monkeypatch, tmp_path):
    assert calibration(QSimSettings()) == calibration(QSimSettings(repetitions=5)) == ROUND
    assert len(trial) == 1 and trial[0]["threads"] == 1
    calibration(QSimSettings(threads=2))
    assert len(trial) == 2 and len(list(tmp_path.glob("qsim-cost-*.json"))) == 2
    monkeypatch.setattr(qsim_calibration, "_known", {})
    assert calibration(QSimSettings()) == ROUND and len(trial) == 2
    calibration(QSimSettings(), again=True)
    assert len(trial) == 3


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps(dataclasses.asdict(ROUND) | {"update": [0.0, 1.0]})])
def test_a_file_that_cannot_be_read_is_measured_anew(trial, monkeypatch, tmp_path, content):
    calibration(QSimSettings())
    (kept,) = tmp_path.glob("qsim-cost-*.json")
    kept.write_text(content)
    monkeypatch.setattr(qsim_calibration, "_known", {})
    assert calibration(QSimSettings()) == ROUND and len(trial) == 2


def test_the_cache_can_be_switched_off(trial, monkeypatch, tmp_path):
    monkeypatch.setenv("QFL_EXPLORE_CACHE", "off")
    assert calibration(QSimSettings()) == ROUND and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("outcome", "received"),
    [
        (
            types.SimpleNamespace(returncode=1, stdout="", stderr="Traceback\nImportError: no qsim"),
            "ImportError: no qsim",
        ),
        (types.SimpleNamespace(returncode=-9, stdout="", stderr=""), "code -9"),
        (subprocess.TimeoutExpired("python", 300), "no answer within 300 s"),
    ],
    ids=["stderr", "killed", "too long"],
)
def test_a_trial_run_that_fails_is_explained(trial, monkeypatch, outcome, received):
    def run(command, **options):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(qsim_calibration.subprocess, "run", run)
    with pytest.raises(RuntimeError, match=rf"could not be timed.*Expected: a trial run.*Received: .*{received}"):
        calibration(QSimSettings())

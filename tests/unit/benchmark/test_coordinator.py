"""The benchmark's protocol: engines in processes of their own, checked, timed, and given up where they fail."""

import numpy as np
import pandas as pd
import pytest

from qfl_explore.benchmark import coordinator
from qfl_explore.benchmark.cases import Case, growth_cases
from qfl_explore.benchmark.coordinator import PEERS, Peer, run

CASE = Case(1, 1, 1, 3)

FAKES = {
    "honest": "values, slopes = case.values, (case.d_features, case.d_weights)",
    "wrong_values": "values, slopes = case.values + 1e-2, (case.d_features, case.d_weights)",
    "wrong_weights": "values, slopes = case.values, (case.d_features, case.d_weights + 1e-2)",
    "not_a_number": "values, slopes = case.values * float('nan'), (case.d_features, case.d_weights)",
    "raises": "raise RuntimeError('no such gate')",
    "crashes": "import os; os._exit(7)",
    "sleeps": "import time; time.sleep(60)",
    "talks": "print('hello'); values, slopes = case.values, (case.d_features, case.d_weights)",
}


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """Engines of two lines, registered as peers."""
    for name, body in FAKES.items():
        source = f"def version():\n    return '1'\ndef build(case):\n    {body}\n"
        (tmp_path / f"{name}.py").write_text(source + "    return lambda: values, lambda: (values, *slopes)\n")
        monkeypatch.setitem(PEERS, name, Peer(name, name, folder=tmp_path))
    (tmp_path / "no_import.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.setitem(PEERS, "no_import", Peer("no_import", "no_import", folder=tmp_path))
    monkeypatch.setitem(PEERS, "elsewhere", Peer("elsewhere", "honest", "not-installed", folder=tmp_path))


def rows_of(tmp_path, *names, **options):
    (table,) = run([CASE], names, root=tmp_path, budget_s=0.02, **options)
    return table.set_index("engine")


def test_our_engine_is_checked_and_timed(tmp_path):
    row = rows_of(tmp_path, "batched").loc["batched"]
    assert "failed" not in row
    assert row[["error_values", "error_d_features", "error_d_weights"]].max() < 1e-5
    assert 0 < row.gradient_low_ms <= row.gradient_ms <= row.gradient_high_ms < 1e4
    assert row.forward_runs >= coordinator.ROUNDS
    assert row.first_gradient_s >= row.first_forward_s > 0
    assert 0 < row.next_circuit_s < row.import_s and row.first_gradient_s < row.import_s  # kernels are loaded before
    assert row.n_qubits == 2 and row.peak_mib > 50


def test_one_engines_failure_stands_in_its_row_and_the_others_go_on(tmp_path, fakes):
    names = ["raises", "crashes", "wrong_values", "wrong_weights", "not_a_number", "no_import", "talks", "honest"]
    table = rows_of(tmp_path, *names)
    assert table.failed["raises"] == "RuntimeError: no such gate"
    assert "ended with code 7" in table.failed["crashes"]
    assert table.failed["wrong_values"].startswith("off by 0.01, more than 2e-04")
    assert table.failed["wrong_weights"].startswith("off by 0.01, more than 2e-04")
    assert table.failed["not_a_number"].startswith("off by nan")
    assert "a_package_that_is_not_there" in table.failed["no_import"]
    assert table.failed[["talks", "honest"]].isna().all()
    timed = table.gradient_ms.notna()
    assert list(table.index[timed]) == ["talks", "honest"], "what is wrong must not be timed"


def test_an_engine_over_the_patience_is_ended(tmp_path, fakes, monkeypatch):
    processes = []
    start = coordinator.Worker.__init__
    monkeypatch.setattr(coordinator.Worker, "__init__", lambda self, *a: (processes.append(self), start(self, *a))[1])
    table = rows_of(tmp_path, "sleeps", "honest", patience_s=2)
    assert table.failed["sleeps"] == "no result within 2 s"
    assert table.gradient_ms["honest"] > 0
    assert [worker.process.poll() is not None for worker in processes] == [True, True]


def test_an_engine_that_is_not_installed_is_left_out(tmp_path, fakes):
    assert list(rows_of(tmp_path, "elsewhere", "honest").index) == ["honest"]


def test_an_unknown_engine_is_refused_with_the_names_that_exist(tmp_path):
    with pytest.raises(ValueError, match=r"engine is unknown\. Expected: some of batched.*Received: qulacs\."):
        next(run([CASE], ["qulacs"], root=tmp_path))


def test_a_case_writes_what_an_engine_reads(tmp_path):
    from qfl_explore.benchmark.worker import read_case

    case = read_case(str(Case(2, 1, 2, 5).write(tmp_path)))
    assert case.features.shape == (5, 2, 1) and case.weights.shape == (3, 1, 3, 3)
    assert case.values.shape == case.cotangents.shape == (5, 3)
    np.testing.assert_allclose(np.linalg.norm(case.bloch, axis=2).sum(axis=1), 1.0)
    again = read_case(str(Case(2, 1, 2, 5).write(tmp_path)))
    np.testing.assert_array_equal(case.features, again.features)


def test_growth_changes_one_number_at_a_time():
    cases = pd.DataFrame([[c.n_modalities, c.degree, c.batch_size] for c in growth_cases()])
    assert not cases.duplicated().any()
    assert ((cases != [12, 3, 64]).sum(axis=1) <= 1).all()
    assert sorted({c.config.n_qubits for c in growth_cases()}) == list(range(2, 11))


def test_what_is_done_once_in_a_process_counts_as_loading(tmp_path, fakes, monkeypatch):
    source = (tmp_path / "honest.py").read_text()
    (tmp_path / "slow_start.py").write_text(source + "def warm_up():\n    import time; time.sleep(0.3)\n")
    monkeypatch.setitem(PEERS, "slow_start", Peer("slow_start", "slow_start", folder=tmp_path))
    table = rows_of(tmp_path, "slow_start", "honest")
    assert table.import_s["slow_start"] > 0.3 > table.import_s["honest"]
    assert table.first_gradient_s["slow_start"] < 0.3


def test_a_reference_that_cirq_contradicts_is_refused(monkeypatch):
    from qfl_explore.benchmark import cases
    from qfl_explore.simulation.batched import BatchedBackend

    fusion = cases.FusionCircuit(CASE.config)
    inputs = np.ones((2, 1, 1)), np.ones(fusion.weight_shape), np.ones((2, fusion.n_observables))
    cases.check_with_cirq(fusion, *inputs)
    right = BatchedBackend.gradients

    def wrong(self, *arguments):
        values, d_features, d_weights = right(self, *arguments)
        return values, d_features, d_weights * 1.01

    monkeypatch.setattr(BatchedBackend, "gradients", wrong)
    with pytest.raises(RuntimeError, match="reference is wrong"):
        cases.check_with_cirq(fusion, *inputs)

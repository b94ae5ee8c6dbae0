"""Whatever a task does, the sweep goes on, the failure is a row, and a retry is one call."""

import os

import pytest

from qfl_explore import sweeps
from qfl_explore.results import ResultStore
from qfl_explore.sweeps.cluster import start
from tests.unit.sweeps.toys import LOG, TOY


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """Two processes that may use little memory."""
    os.environ[LOG] = str(tmp_path_factory.mktemp("toys") / "log")
    client = start("processes", 2, memory_limit="640MB")
    yield client
    client.close()
    client.cluster.close()
    del os.environ[LOG]


@pytest.fixture
def store(tmp_path):
    return ResultStore(tmp_path / "results.sqlite")


def grid(*ways: str, n_seeds: int = 2) -> sweeps.Grid:
    return sweeps.Grid(experiment=TOY, axes={"way": ["well", *ways], "seed": range(n_seeds)})


def errors(table, way):
    """Of all runs of one way; all others have gone well."""
    assert (table["status"][table["way"] == "well"] == "done").all()
    rows = table[table["way"] == way]
    assert (rows["status"] == "failed").all()
    return set(rows["error_kind"]), set(rows["error"])


@pytest.mark.parametrize(
    ("way", "kind", "text"),
    [
        ("broken", "ValueError", "The toy is broken. Expected: a whole toy. Received: half of one."),
        ("exit", "SystemExit", "The task ended its process with 3."),
        ("no_memory", "MemoryError", "The task ran out of memory. Unable to allocate 4.00 TiB"),
        ("odd_result", "RuntimeError", "There is no summary."),
    ],
)
def test_a_task_that_raises_is_a_row_with_its_message(way, kind, text, threads, store):
    table = sweeps.run(grid(way), threads, store, progress=False)
    assert errors(table, way) == ({kind}, {text})


def test_an_exception_that_cannot_be_pickled_is_a_row_too(processes, store):
    kinds, texts = errors(sweeps.run(grid("odd_error"), processes, store, progress=False), "odd_error")
    assert kinds == {"ErrorThatCannotTravel"}
    assert "function" in texts.pop()


def test_the_same_grid_on_a_cluster_by_its_address(processes, threads, store):
    there = sweeps.run(grid("killed_once"), processes.scheduler.address, store, progress=False)
    here = sweeps.run(
        grid("killed_once").replace(axes={"way": ["well"], "seed": [0, 1]}), threads, store, progress=False
    )
    assert (there["status"] == "done").all()
    assert here["attempt"].tolist() == [1, 1] and len(store) == 4, "nothing is computed again elsewhere"
    limits = processes.run(environment_of_a_worker)
    assert set(limits.values()) == {("1", "1", "1", "1")}


def environment_of_a_worker():
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    return tuple(os.environ[name] for name in names)


def test_a_worker_that_is_killed_once_costs_nothing_but_time(processes, store):
    table = sweeps.run(grid("killed_once", n_seeds=4), processes, store, progress=False)
    assert (table["status"] == "done").all()
    assert len(table) == 8


def test_a_task_that_kills_its_worker_is_the_only_one_to_blame(processes, store):
    table = sweeps.run(grid("killed", n_seeds=1), processes, store, progress=False, batch=1)
    kinds, texts = errors(table, "killed")
    assert kinds == {"KilledWorker"}
    assert "The worker died while it ran the task. Expected: a worker that lives through it." in texts.pop()


def test_innocent_tasks_of_the_same_batch_are_not_blamed(processes, store):
    table = sweeps.run(grid("killed", n_seeds=3), processes, store, progress=False, batch=6)
    errors(table, "killed")
    assert (table["status"] == "done").sum() == 3


def test_a_task_that_needs_too_much_memory(processes, store):
    kinds, texts = errors(sweeps.run(grid("memory", n_seeds=1), processes, store, progress=False), "memory")
    assert kinds == {"MemoryError"}
    text = texts.pop()
    assert "The task needs too much memory. Expected: less than its worker may use. Received:" in text
    assert "GiB" in text


def test_a_task_that_takes_too_long(threads, store):
    table = sweeps.run(grid("sleep"), threads, store, progress=False, timeout_s=0.8)
    text = "The task took too long. Expected: at most 0.8 s. Received: more; it was stopped."
    assert errors(table, "sleep") == ({"TimeoutError"}, {text})


def test_a_task_that_takes_too_long_outside_python(processes, store, monkeypatch):
    table = sweeps.run(grid("sleep_in_c", n_seeds=1), processes, store, progress=False, timeout_s=0.8)
    kinds, texts = errors(table, "sleep_in_c")
    assert kinds == {"TimeoutError"}
    assert "at most 0.8 s" in texts.pop()


def test_a_failure_stays_until_it_is_tried_again(threads, store, monkeypatch):
    first = sweeps.run(grid("broken"), threads, store, progress=False)
    again = sweeps.run(grid("broken"), threads, store, progress=False)
    assert list(again["attempt"]) == list(first["attempt"]) == [1, 1, 1, 1]
    monkeypatch.setattr("tests.unit.sweeps.toys.Ways.broken", lambda config: None)
    mended = sweeps.run(grid("broken"), threads, store, progress=False, retry=True)
    assert (mended["status"] == "done").all()
    assert list(mended["attempt"]) == [1, 1, 2, 2]
    assert store.failures().empty
    (key,) = mended[(mended["way"] == "broken") & (mended["seed"] == 0)]["key"]
    assert [record.status for record in store.attempts(key)] == ["failed", "done"]


def test_an_experiment_that_the_worker_cannot_import_fails_row_by_row(threads, store):
    lost = sweeps.Experiment("lost", TOY.config, "no.such.module:run")
    table = sweeps.run(sweeps.Grid(experiment=lost, axes={"seed": [0, 1]}), threads, store, progress=False)
    assert list(table["error_kind"]) == ["ModuleNotFoundError"] * 2
    assert "could not run the task" in table["error"].iloc[0]

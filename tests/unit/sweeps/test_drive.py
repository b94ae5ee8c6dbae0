"""Sweeps: what is computed, what is not, where, and what they say meanwhile."""

import io
import math
import os
import subprocess
import sys
import time

import dask
import pandas as pd
import pytest

from qfl_explore import sweeps
from qfl_explore.results import ResultStore
from qfl_explore.sweeps import cluster, drive
from qfl_explore.sweeps.work import cancel_sweep, run_batch
from tests.unit.sweeps.toys import LOG, TOY


@pytest.fixture
def store(tmp_path):
    return ResultStore(tmp_path / "results.sqlite")


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The run ids that were computed, in order."""
    path = tmp_path / "log"
    monkeypatch.setenv(LOG, str(path))
    return lambda: path.read_text().split() if path.exists() else []


def grid(n_seeds: int = 6, **base) -> sweeps.Grid:
    return sweeps.Grid(experiment=TOY, base=base, axes={"inner.degree": [1, 2], "seed": range(n_seeds)})


def test_a_grid_becomes_a_table_in_its_own_order(threads, store):
    table = sweeps.run(grid(), threads, store, progress=False)
    assert list(zip(table["inner.degree"], table["seed"], strict=True)) == [(d, s) for d in (1, 2) for s in range(6)]
    assert table["score"].tolist() == pytest.approx([d + 0.1 * s for d in (1, 2) for s in range(6)])
    assert (table["seconds"] >= 0).all()
    assert store.dataset("toy")["score"].sizes == {"inner.degree": 2, "seed": 6}
    assert len(store.rows("toy")) == 24


def test_only_what_is_missing_is_computed(threads, store, log):
    sweeps.run(grid(3), threads, store, progress=False)
    assert len(log()) == 6
    table = sweeps.run(grid(5), threads, store, progress=False)
    assert len(table) == 10
    assert len(log()) == len(set(log())) == 10
    sweeps.run(grid(5), threads, store, progress=False)
    assert len(log()) == 10


def test_a_finished_grid_starts_no_worker(threads, store, monkeypatch):
    sweeps.run(grid(2), threads, store, progress=False)
    monkeypatch.setattr(drive, "connect", lambda *arguments: pytest.fail("a cluster was asked for"))
    (only,) = sweeps.stream(grid(2), store=store)
    assert only.finished and only.known == 4 and len(only.new) == 4 and only.remaining_s == 0.0


@pytest.mark.parametrize("url", ["memory://shared-by-all", "file://{tmp_path}/shared"])
def test_results_in_shared_storage(url, threads, tmp_path):
    url = url.format(tmp_path=tmp_path)
    table = sweeps.run(grid(3), threads, url, progress=False)
    pd.testing.assert_frame_equal(table, ResultStore(url).table(keys=grid(3).keys()))


def test_the_stream_tells_how_far_it_is(threads, store):
    items = list(sweeps.stream(grid(6, seconds=0.02), threads, store))
    assert items[0].done == 0 and items[0].total == 12 and not items[0].finished
    assert items[-1].finished and items[-1].remaining_s == 0.0 and items[-1].fraction == 1.0
    assert [one.done for one in items] == sorted(one.done for one in items)
    arrived = [record.key for one in items for record in one.new]
    assert sorted(arrived) == sorted(grid(6, seconds=0.02).keys())
    halfway = [one for one in items if 0 < one.done < 12 and not one.finished]
    assert all(math.isfinite(one.remaining_s) and one.remaining_s < 2.0 for one in halfway)
    assert items[-1].n_workers == 2
    assert 0.01 < items[-1].task_s < 1.0


def test_it_yields_while_nothing_arrives(threads, store):
    began = time.monotonic()
    items = list(sweeps.stream(grid(1, seconds=0.7), threads, store))
    assert time.monotonic() - began < 20
    assert len(items) >= 5


def test_short_tasks_are_sent_together(threads, store):
    items = list(sweeps.stream(grid(200), threads, store))
    assert max(one.batch for one in items) > 10
    assert items[-1].done == 400


def test_long_tasks_go_alone(threads, store):
    items = list(sweeps.stream(grid(4, seconds=0.3), threads, store))
    assert {one.batch for one in items} == {1}


def test_pausing_sends_nothing_more(threads, store, log):
    items = sweeps.stream(grid(20, seconds=0.05), threads, store)
    while not next(items).done:
        pass
    time.sleep(0.7)  # what was with the workers comes to its end
    before = len(log())
    time.sleep(0.3)
    assert len(log()) == before < 40
    assert max(one.done for one in items) == 40
    assert len(log()) == 40


def test_cancelling_interrupts_what_is_running(threads, store, log):
    items = sweeps.stream(sweeps.Grid(experiment=TOY, base={"way": "sleep"}, axes={"seed": range(8)}), threads, store)
    while not log():
        next(items)
    items.close()
    before = len(log())
    table = sweeps.run(grid(1), threads, store, progress=False)
    assert (table["status"] == "done").all(), "the workers are free again"
    assert len(log()) == before + 2
    assert len(store) == 2, "a cancelled task leaves no row"


def test_two_sweeps_at_the_same_time_share_the_workers(threads, store):
    first, second = (sweeps.stream(grid(n, seconds=0.01), threads, store) for n in (8, 12))
    last = {}
    for number, items in ((0, first), (1, second)) * 200:
        last[number] = next(items, last.get(number))
    assert last[0].finished and last[1].finished
    assert len(store) == 24


def test_the_scheduler_can_be_named_in_four_ways(threads, monkeypatch):
    address = threads.scheduler.address
    with cluster.connect(threads) as client:
        assert client is threads
    with cluster.connect(address) as client:
        assert client.scheduler.address == address
    monkeypatch.setenv("QFL_EXPLORE_SCHEDULER", address)
    assert cluster.scheduler_address() == address
    with cluster.connect() as client:
        assert client.scheduler.address == address
    monkeypatch.delenv("QFL_EXPLORE_SCHEDULER")
    with dask.config.set({"scheduler-address": address}), cluster.connect() as client:
        assert client.scheduler.address == address
    assert cluster.scheduler_address() == ""
    with threads.as_current():
        monkeypatch.setattr(cluster, "local_client", lambda *arguments: pytest.fail("another one was started"))
        with cluster.connect() as client:
            assert client is threads


def test_a_scheduler_that_is_not_there():
    with dask.config.set({"distributed.comm.timeouts.connect": "300ms"}):
        with pytest.raises(ValueError, match=r"cannot be reached. Expected: the address of a running Dask scheduler"):
            sweeps.run(grid(1), "tcp://127.0.0.1:9", "memory://nowhere", progress=False)


def test_the_cluster_of_this_process_stays_until_it_is_shut_down():
    first = sweeps.local_client("threads", 1)
    assert sweeps.local_client("threads", 1) is first
    assert cluster.dashboard_link(first).startswith("http://127.0.0.1:")
    sweeps.shutdown()
    assert first.status == "closed"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"timeout_s": 0}, ValueError, r"timeout_s is out of range. Expected: seconds above 0, or None"),
        ({"batch": 0}, ValueError, "batch is out of range"),
        ({"kind": "thread"}, ValueError, "did you mean 'threads'"),
        ({"n_workers": 0}, ValueError, "n_workers is out of range"),
        ({"retries": 1}, TypeError, "retries"),
    ],
)
def test_options_that_are_refused(options, kind, message):
    with pytest.raises(kind, match=message):
        sweeps.run(grid(1), store="memory://refused", progress=False, **options)


def test_a_scheduler_that_goes_away_is_told(store):
    client = cluster.start("threads", 1)
    items = sweeps.stream(grid(20, seconds=0.05), client, store)
    while not next(items).done:
        pass
    client.cluster.close()
    with pytest.raises(RuntimeError, match=r"the scheduler went away. Expected: .* call again to go on"):
        list(items)
    assert len(store) > 0


def test_a_line_for_the_terminal():
    file = io.StringIO()
    line = sweeps.Line(file)
    for done, seconds in ((0, 0.0), (1, 1.0), (2, 11.0), (4, 12.0)):
        line(sweeps.Progress(total=4, done=done, seconds=seconds, n_workers=1, dashboard_link="http://x/status"))
    lines = file.getvalue().splitlines()
    assert lines == [
        "Dask dashboard: http://x/status",
        "0 of 4 (0 %), 1 worker",
        "2 of 4 (50 %), 1 worker",
        "4 of 4 (100 %), took 12 s, 1 worker",
    ]


def test_a_terminal_rewrites_its_line():
    file = io.StringIO()
    file.isatty = lambda: True
    line = sweeps.Line(file)
    line(sweeps.Progress(total=10, done=1, remaining_s=75))
    line(sweeps.Progress(total=10, done=10, seconds=75))
    assert file.getvalue() == "\r1 of 10 (10 %), about 1 min 15 s left\r10 of 10 (100 %), took 1 min 15 s    \n"


def test_a_notebook_shows_one_bar_that_is_drawn_anew(monkeypatch):
    """What a Jupyter server would get: one picture, then updates of the same, at most five a second and the last."""
    import IPython.display

    class Handle:
        def __init__(self, first):
            self.drawn = [first.data]

        def update(self, now):
            self.drawn.append(now.data)

    handles = []
    monkeypatch.setattr(
        IPython.display, "display", lambda drawn, display_id: handles.append(Handle(drawn)) or handles[-1]
    )
    show = sweeps.Cell()
    for done, seconds in ((0, 0.0), (1, 0.1), (2, 0.5), (4, 0.6)):
        show(sweeps.Progress(total=4, done=done, seconds=seconds, dashboard_link='http://x/"<b>'))
    (handle,) = handles
    assert [text.partition("</progress> ")[2][:6] for text in handle.drawn] == ["0 of 4", "2 of 4", "4 of 4"]
    assert 'href="http://x/&quot;&lt;b&gt;"' in handle.drawn[0] and "href" not in handle.drawn[-1]


SCRIPT = """
import dataclasses
from qfl_explore import sweeps
from qfl_explore.config import run_id

@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    seed: int = 0
    run_id = property(run_id)

@dataclasses.dataclass
class Result:
    config: Config
    def summary(self):
        import os
        return {"square": self.config.seed ** 2, "pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}

def run(config):
    return Result(dataclasses.replace(config))

grid = sweeps.Grid(experiment=sweeps.Experiment("squares", Config, run), axes={"seed": range(8)})
table = sweeps.run(grid, n_workers=2, progress=False, batch=1)
pids = set(table["pid"])
print(table["square"].tolist(), set(table["threads"]), len(pids) <= 2, os.getpid() not in pids)
"""


def test_a_script_without_a_guard_and_with_an_experiment_of_its_own(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import os\n" + SCRIPT)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[0, 1, 4, 9, 16, 25, 36, 49] {'1'} True True"]


def test_a_batch_runs_without_a_cluster():
    (config,) = sweeps.Grid(experiment=TOY).configs()
    outcome = run_batch(drive.Batch("s", TOY, ((7, config),), 5.0, limit=False))
    ((place, fields),) = outcome.records
    assert place == 7 and fields["status"] == "done" and len(fields["rows"]) == 2


def test_a_batch_of_a_cancelled_sweep_does_nothing():
    (config,) = sweeps.Grid(experiment=TOY).configs()
    assert cancel_sweep("gone") == 0
    assert run_batch(drive.Batch("gone", TOY, ((0, config),), limit=False)).records == ()


def test_workers_that_dask_has_given_up_are_started_again():
    class Own:
        wanted, workers, asked = 2, {0: "nanny"}, 0

        def scale(self, count: int) -> None:
            self.asked = count

    client = type("Client", (), {"cluster": Own()})()
    cluster.repair(client)
    assert client.cluster.asked == 2
    cluster.repair(type("Client", (), {"cluster": None})())

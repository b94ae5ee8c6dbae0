"""``qfl-explore sweep``: a file becomes rows, a second call computes nothing, failures and Ctrl-C have their codes."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from typer.testing import CliRunner

from qfl_explore import sweeps
from qfl_explore.cli.commands import app
from qfl_explore.results import ResultStore

SMALL = """
experiment = "separation"
[base]
n_starts = 1
n_trials = 50
[axes]
seed = [5, 9]
"""
LONG = """
experiment = "polynomial"
[base]
n_steps = 4000
[axes]
"fusion.degree" = [3, 4, 5, 6, 7, 8]
seed = {start = 0, stop = 99}
"""


@pytest.fixture
def local(monkeypatch):
    """Threads of this process in place of worker processes, which take seconds to start."""
    whole = sweeps.run
    monkeypatch.setattr(sweeps, "run", lambda grid, **options: whole(grid, **{**options, "kind": "threads"}))
    yield
    sweeps.shutdown()


@pytest.fixture
def call(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)

    def run(*arguments, text=None):
        if text is not None:
            (tmp_path / "other.toml").write_text(text)
        file = tmp_path / ("small.toml" if text is None else "other.toml")
        store = str(tmp_path / "rows.sqlite")
        return CliRunner().invoke(app, ["sweep", str(file), "--store", store, *arguments])

    run.store = tmp_path / "rows.sqlite"
    return run


def test_rows_are_kept_written_and_not_computed_again(call, local, tmp_path):
    done = call("--csv", str(tmp_path / "table.csv"), "--workers", "1")
    assert done.exit_code == 0, done.output
    assert "2 points, seed (2)" in done.output and "0 of them are in" in done.output
    assert "2 of 2 (100 %)" in done.stderr
    assert pd.read_csv(tmp_path / "table.csv")["seed"].tolist() == [5, 9]
    seconds = ResultStore(call.store).table()["seconds"].tolist()
    again = call()
    assert again.exit_code == 0 and "2 of them are in" in again.output
    assert ResultStore(call.store).table()["seconds"].tolist() == seconds


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_table_for_which_there_is_no_space_ends_with_a_message_and_loses_no_row(call, local):
    done = call("--csv", "/dev/full", "--workers", "1")
    assert done.exit_code == 2 and isinstance(done.exception, SystemExit)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: the disk is full") and ". Expected: " in last and ". Received: No space" in last
    assert len(ResultStore(call.store)) == 2


def test_a_dry_run_counts_and_computes_nothing(call):
    done = call("--dry-run")
    assert done.exit_code == 0 and "0 of them are in" in done.output
    assert len(ResultStore(call.store)) == 0


def test_failures_end_with_1_and_their_message_and_are_tried_again_on_request(call, local, monkeypatch):
    from qfl_explore.experiments import separation

    whole = separation.run

    def broken(config):
        if config.seed == 9:
            raise ValueError("the seed is too bright")
        return whole(config)

    monkeypatch.setattr(separation, "run", broken)
    failed = call()
    assert failed.exit_code == 1
    assert "1 of 2 rows failed" in failed.stderr and "1 × the seed is too bright" in failed.stderr
    monkeypatch.setattr(separation, "run", whole)
    assert call().exit_code == 1
    assert "1 failed before (--retry" in call().output
    assert call("--retry").exit_code == 0


@pytest.mark.parametrize(
    ("text", "arguments", "parts"),
    [
        ("experiment = ", (), ("cannot be read as a sweep", "a TOML file", "Invalid value")),
        ('experiment = "polynomal"', (), ("not a known option", "did you mean 'polynomial'?", "polynomal")),
        ('experiment = "polynomial"\n[axes]\nsed = [1]', (), ("no setting of that name", "one of", "seed")),
        ('experiment = "polynomial"\n[axes]\nseed = [-1]', (), ("seed is out of range", "0 or more", "seed=-1")),
        ('experiment = "polynomial"\n[axes]\nseed = []', (), ("axis seed is not usable", "different values", "()")),
        ('experiment = "polynomial"\n[axis]\nseed = [1]', (), ("a key of other.toml", "did you mean 'axes'?", "axis")),
        (SMALL, ("--timeout", "soon"), ("--timeout cannot be used", "seconds above 0", "'soon'")),
        (SMALL, ("--workers", "0"), ("--workers is out of range", "from 1", "--workers=0")),
        (SMALL, ("--csv", "/nowhere/t.csv"), ("--csv cannot be used", "folder that exists", "/nowhere/t.csv")),
    ],
)
def test_what_is_wrong_with_a_file_or_option_is_said_in_three_parts(call, text, arguments, parts):
    done = call(*arguments, text=text)
    assert done.exit_code == 2, done.output
    first = done.stderr.splitlines()[0]
    assert ". Expected: " in first and ". Received: " in first
    assert all(part in first for part in parts), first


def test_a_scheduler_that_is_not_there_is_named(call, monkeypatch):
    from qfl_explore.sweeps import cluster

    monkeypatch.setattr(cluster, "_reach", _quickly(cluster._reach, monkeypatch))
    done = call("--scheduler", "tcp://127.0.0.1:1")
    assert done.exit_code == 2
    assert "the scheduler cannot be reached. Expected: the address of a running Dask scheduler" in done.stderr


def _quickly(reach, monkeypatch):
    import distributed

    whole = distributed.Client

    def with_short_timeout(address):
        monkeypatch.setattr(distributed, "Client", lambda *a, **k: whole(*a, **{**k, "timeout": 0.5}))
        return reach(address)

    return with_short_timeout


@pytest.mark.skipif(os.name != "posix", reason="signals to a process group")
def test_ctrl_c_keeps_rows_and_says_how_to_go_on(tmp_path):
    (tmp_path / "long.toml").write_text(LONG)
    store = tmp_path / "rows.sqlite"
    command = [sys.executable, "-m", "qfl_explore.cli", "sweep", "long.toml", "--store", str(store), "--workers", "1"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    end = time.monotonic() + 60
    while time.monotonic() < end and not (store.exists() and len(ResultStore(store))):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=40)
    assert process.returncode == 130, errors
    assert "the same command goes on" in errors and "Traceback" not in errors
    assert len(ResultStore(store)) >= 1

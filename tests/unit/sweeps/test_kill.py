"""A sweep that is killed again and again ends with the same table, and computes nothing twice that it has kept."""

import collections
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from qfl_explore import sweeps
from qfl_explore.results import ResultStore
from tests.unit.sweeps.killed import grid
from tests.unit.sweeps.toys import LOG

ROOT = Path(__file__).resolve().parents[3]
#: Columns that say how long it took and how often it was tried, not what came out.
OF_THE_RUN = ["seconds"]


def started(store: str, log: Path, n_seeds: int, seconds: float, kind: str = "threads") -> subprocess.Popen:
    arguments = [store, str(n_seeds), str(seconds), kind]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.sweeps.killed", *arguments],
        cwd=ROOT,
        env=os.environ | {LOG: str(log)},
        stdout=subprocess.PIPE,
        text=True,
    )


def computed(log: Path) -> collections.Counter:
    return collections.Counter(log.read_text().split()) if log.exists() else collections.Counter()


def run_ids(store: str) -> set[str]:
    return {record.run_id for record in ResultStore(store).records()}


@pytest.mark.parametrize(
    ("n_kills", "n_seeds", "where"),
    [
        (3, 40, "{}/killed.sqlite"),
        pytest.param(20, 250, "{}/killed.sqlite", marks=pytest.mark.slow),
        pytest.param(10, 120, "file://{}/killed", marks=pytest.mark.slow),
    ],
)
def test_a_sweep_survives_being_killed(n_kills, n_seeds, where, tmp_path, threads):
    store, log, seconds = where.format(tmp_path), tmp_path / "log", 0.02
    rng = random.Random(n_kills)
    kept: dict[str, int] = {}
    for _ in range(n_kills):
        process = started(store, log, n_seeds, seconds)
        process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        counts = computed(log)
        for run_id in run_ids(store):
            kept.setdefault(run_id, counts[run_id])
    assert 0 < len(kept) < 2 * n_seeds, "it was killed in the middle"

    process = started(store, log, n_seeds, seconds)
    process.communicate()
    assert process.returncode == 0
    counts = computed(log)
    assert {run_id: counts[run_id] for run_id in kept} == kept, "something that was kept has been computed again"
    assert sum(counts.values()) <= 2 * n_seeds + 4 * n_kills * sweeps.drive.MAX_BATCH

    points = grid(n_seeds, seconds)
    whole = sweeps.run(points, threads, f"memory://whole-{n_kills}", progress=False)
    pieces = ResultStore(store).table(keys=points.keys())
    assert (pieces["status"] == "done").all()
    pd.testing.assert_frame_equal(pieces.drop(columns=OF_THE_RUN), whole.drop(columns=OF_THE_RUN))
    if "://" not in store:
        assert sqlite3.connect(store).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_workers_end_with_a_sweep_that_is_killed(tmp_path):
    process = started(str(tmp_path / "killed.sqlite"), tmp_path / "log", 2000, 0.02, "processes")
    while process.stdout.readline().strip() in ("", "0"):
        assert process.poll() is None
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=20)
    for orphan in alive:
        orphan.kill()
    assert not alive

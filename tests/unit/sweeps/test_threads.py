"""A worker keeps to one core, whoever started it."""

import subprocess
import sys

import pandas as pd
import pytest

from qfl_explore.sweeps import measure
from qfl_explore.sweeps.threads import VARIABLES, environment


def printed(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_environment_names_every_library():
    assert set(VARIABLES) <= set(environment(1))
    assert {environment(2)[name] for name in VARIABLES} == {"2"}
    assert environment()["TF_USE_LEGACY_KERAS"] == "1"


def test_libraries_that_are_loaded_already_are_limited():
    code = """
import numpy, scipy.linalg, numba
from qfl_explore.simulation.base import get_backend
engine = get_backend("batched")
from qfl_explore.sweeps.threads import limit_threads
later = get_backend("batched", dtype="float64")
print(*set(limit_threads(1).values()), numba.get_num_threads(), engine.n_threads, later.n_threads)
"""
    assert set(printed(code)) == {"1"}


def test_numbas_variable_limits_the_batched_engine():
    code = "from qfl_explore.simulation.chunks import n_cores; print(n_cores())"
    assert printed("import os; os.environ['NUMBA_NUM_THREADS'] = '1'; " + code) == ["1"]


def test_the_overhead_is_measured(monkeypatch, threads):
    monkeypatch.setattr(measure.cluster, "local_client", lambda *arguments: threads)
    row = measure.overhead(2, 0.001, None, 200, "threads")
    assert set(row) == set(measure.COLUMNS)
    assert row["n_tasks"] == 200 and row["tasks_per_s"] > 0 and 0 < row["efficiency"] <= 1


def test_the_break_even_follows_from_tasks_that_are_sent_alone():
    rows = [
        ("processes", n, ms, batch, 10, 1.0, 0.1, cost)
        for n, ms, batch, cost in [(2, 0.0, 1, 2.0), (4, 0.0, 1, 3.0), (4, 0.0, 0, 0.1), (4, 10.0, 1, 9.0)]
    ]
    table = pd.DataFrame(rows, columns=list(measure.COLUMNS))
    assert measure.break_even_ms(table) == pytest.approx(60.0)

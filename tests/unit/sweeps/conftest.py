"""Clusters that the tests of a module share."""

import dask
import pytest

from qfl_explore.sweeps.cluster import start


@pytest.fixture(scope="package")
def threads():
    """Two threads of this process."""
    client = start("threads", 2)
    yield client
    client.close()
    client.cluster.close()


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch, tmp_path):
    """No scheduler and no store of the machine's user."""
    monkeypatch.delenv("QFL_EXPLORE_SCHEDULER", raising=False)
    monkeypatch.setenv("QFL_EXPLORE_RESULTS", str(tmp_path / "own.sqlite"))
    with dask.config.set({"scheduler-address": None}):
        yield

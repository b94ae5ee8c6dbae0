"""Fixtures of the data sets' tests: a cache and a data folder of their own, and the real data where they are."""

import importlib.util
import os
from pathlib import Path

import pytest

#: Read once: fixtures hide the variable from the tests that must not see it.
REAL = os.environ.get("QFL_EXPLORE_DATA")


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    """No test reads or writes the user's cache or data."""
    monkeypatch.setenv("QFL_EXPLORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path / "data"))


@pytest.fixture
def real(monkeypatch):
    """Makes the real data visible and returns a check that a data set is among them; skips where it is not."""

    def need(*folders):
        if not REAL:
            pytest.skip("real data are not here: QFL_EXPLORE_DATA names no folder")
        for folder in folders:
            if (Path(REAL) / folder).is_dir():
                monkeypatch.setenv("QFL_EXPLORE_DATA", REAL)
                return Path(REAL) / folder
        return pytest.skip(f"real data are not here: no folder {' or '.join(folders)} in QFL_EXPLORE_DATA")

    return need


@pytest.fixture(scope="session")
def http():
    """`server.serve`, whatever the way in which the tests are imported."""
    path = Path(__file__).with_name("server.py")
    spec = importlib.util.spec_from_file_location("datasets_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.serve

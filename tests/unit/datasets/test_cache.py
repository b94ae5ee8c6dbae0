"""Parsed data are kept, noticed when stale, and never trusted when damaged."""

import numpy as np
import pytest

from qfl_explore.datasets import cache


class Parser:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {"x": np.arange(5) + self.calls}, {"call": self.calls}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.csv"
    path.write_text("1")
    return path


def test_the_second_time_nothing_is_parsed(source):
    parse = Parser()
    first, second = (cache.parsed("toy", 1, [source], {"a": 1}, parse) for _ in range(2))
    assert parse.calls == 1
    np.testing.assert_array_equal(first[0]["x"], second[0]["x"])
    assert first[1] == second[1] == {"call": 1}
    assert not first[0]["x"].flags.writeable and not second[0]["x"].flags.writeable
    assert [path.suffix for path in cache.cache_root().iterdir()] == [".npz"]


def test_a_change_of_file_option_or_version_parses_anew(source):
    parse = Parser()
    cache.parsed("toy", 1, [source], {"a": 1}, parse)
    cache.parsed("toy", 1, [source], {"a": 2}, parse)
    cache.parsed("toy", 2, [source], {"a": 1}, parse)
    source.write_text("22")
    cache.parsed("toy", 1, [source], {"a": 1}, parse)
    cache.parsed("toy", 1, [source, source.with_name("absent")], {"a": 1}, parse)
    assert parse.calls == 5


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: raw[:90] + b"#" * 9 + raw[99:]]
)
def test_a_damaged_file_is_parsed_anew_and_replaced(source, damage):
    parse = Parser()
    cache.parsed("toy", 1, [source], {}, parse)
    (path,) = cache.cache_root().iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert cache.parsed("toy", 1, [source], {}, parse)[1] == {"call": 2}
    assert cache.parsed("toy", 1, [source], {}, parse)[1] == {"call": 2}


def test_a_cache_that_cannot_be_written_changes_nothing(source, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("QFL_EXPLORE_CACHE", str(tmp_path / "file" / "cache"))
    parse = Parser()
    assert cache.parsed("toy", 1, [source], {}, parse)[1] == {"call": 1}
    monkeypatch.setenv("QFL_EXPLORE_CACHE", "off")
    assert cache.cache_root() is None
    assert cache.parsed("toy", 1, [source], {}, parse)[1] == {"call": 2}

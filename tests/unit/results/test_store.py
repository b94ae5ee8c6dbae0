"""What is kept is kept once, whole, and found again; in a file, in a folder, in memory."""

import dataclasses
import json
import math
import sqlite3
import subprocess
import sys
import threading
import uuid

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments.polynomial_config import PolynomialConfig
from qfl_explore.results import Record, ResultStore, default_url, run_key
from qfl_explore.results.record import plain

KINDS = ("file", "folder", "memory")


@pytest.fixture(params=KINDS)
def url(request, tmp_path):
    names = {"file": tmp_path / "deep" / "results.sqlite", "folder": f"file://{tmp_path}/shared"}
    return names.get(request.param, f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def store(url):
    kept = ResultStore(url)
    yield kept
    kept.close()


def record(seed: int = 0, degree: int = 1, **more) -> Record:
    config = {"seed": seed, "fusion.degree": degree}
    same = {"experiment": "demo", "run_id": f"{seed}-{degree}", "config": config}
    return Record(**(same | {"summary": {"score": seed / 7 + degree}, "rows": [{"step": 0}], "seconds": 0.5} | more))


def failed(seed: int = 0, error: str = "No. Expected: yes. Received: no.") -> Record:
    return record(seed, status="failed", summary={}, rows=[], error=error, error_kind="ValueError")


def test_a_result_is_written_once(store):
    assert store.put(record())
    assert not store.put(record(summary={"score": 99.0}))
    assert not store.put(failed())
    found = store.get(record().key)
    assert found == record(attempt=1)
    assert len(store) == 1
    assert store.has(record().key) and record().key in store
    assert not store.has(record(5).key) and store.get(record(5).key) is None


def test_failures_stay_beside_the_result(store):
    assert [store.put(failed(error=text)) for text in ("a", "b")] == [True, True]
    assert not store.has(failed().key)
    assert store.get(failed().key).error == "b"
    assert store.keys() == set() and store.keys("failed") == store.keys(None) == {failed().key}
    assert list(store.failures()["error"]) == ["b"] and list(store.failures("demo")["attempt"]) == [2]
    assert store.put(record())
    assert store.get(record().key).ok and store.get(record().key).attempt == 3
    assert [(one.attempt, one.status) for one in store.attempts(record().key)] == [
        (1, "failed"),
        (2, "failed"),
        (3, "done"),
    ]
    assert store.failures().empty
    assert store.keys() == {record().key} and store.keys("failed") == set()


def test_another_store_at_the_same_place_sees_everything(store, url):
    store.put_all([record(seed) for seed in range(3)])
    other = ResultStore(url)
    assert other.keys() == store.keys()
    pd.testing.assert_frame_equal(other.table("demo"), store.table("demo"))


def test_numbers_come_back_as_they_were(store):
    values = {"third": 1 / 3, "tiny": 5e-324, "none": None, "inf": math.inf, "nan": math.nan, "text": "π", "yes": True}
    store.put(record(summary=values))
    found = store.get(record().key).summary
    assert math.isnan(found.pop("nan"))
    assert found == {name: value for name, value in values.items() if name != "nan"}


def test_many_keys_are_found_in_the_order_asked_for(store):
    records = [record(seed) for seed in range(1200)]
    some = records if "sqlite" in store.url else records[:40]
    assert store.put_all(some) == [True] * len(some)
    keys = [one.key for one in reversed(some)]
    assert list(store.get_all([*keys, "unknown"])) == keys
    assert list(store.table(keys=keys)["seed"]) == [one.config["seed"] for one in reversed(some)]


def test_experiments_and_settings_narrow_what_is_read(store):
    store.put_all([record(seed, degree) for seed in range(3) for degree in (1, 2)])
    store.put(record(experiment="other"))
    assert len(store.table()) == 7
    assert len(store.table("demo")) == 6
    assert set(store.table("demo", {"seed": 1})["seed"]) == {1}
    assert len(store.table("demo", {"seed": [0, 2], "fusion.degree": 2})) == 2
    assert len(store.table("demo", {"seed": range(2), "status": "done"})) == 4
    with pytest.raises(ValueError, match=r"where is not a known option. .* \(did you mean 'fusion.degree'"):
        store.table("demo", {"fusion.degre": 1})


def test_several_threads_write_at_the_same_time(store):
    def write(first: int) -> None:
        for seed in range(30):
            store.put(record((seed + first) % 30))

    threads = [threading.Thread(target=write, args=(7 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store) == 30
    assert all(len(store.attempts(key)) == 1 for key in store.keys())


def test_a_half_written_object_is_no_result(tmp_path):
    store = ResultStore(f"file://{tmp_path}/shared")
    store.put(record())
    (tmp_path / "shared" / "demo" / ".0123abcd").write_text('{"experiment": "de')
    (tmp_path / "shared" / "demo" / "readme.txt").write_text("Hello")
    assert len(store) == 1
    assert len(store.table()) == 1


def test_a_file_refuses_changes_from_anywhere(tmp_path):
    path = tmp_path / "results.sqlite"
    ResultStore(path).put(record())
    with sqlite3.connect(path) as db:
        for statement in ("UPDATE runs SET status = 'failed'", "DELETE FROM runs"):
            with pytest.raises(sqlite3.IntegrityError, match="written once"):
                db.execute(statement)


def test_a_transaction_that_breaks_leaves_nothing(tmp_path):
    store = ResultStore(tmp_path / "results.sqlite")

    def records():
        yield record(0)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        store.put_all(records())
    assert len(store) == 0
    assert store.put(record(0))


def test_where_results_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("QFL_EXPLORE_RESULTS", str(tmp_path / "mine.sqlite"))
    assert ResultStore().url == default_url() == str(tmp_path / "mine.sqlite")
    monkeypatch.delenv("QFL_EXPLORE_RESULTS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_url().endswith("results.sqlite")
    assert ResultStore(tmp_path).url == str(tmp_path / "results.sqlite")
    assert repr(ResultStore("memory://x")) == "ResultStore('memory://x')"


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("", TypeError, r"url is of the wrong kind. Expected: a path or a URL. Received: url=''"),
        (3, TypeError, "url is of the wrong kind"),
        ("nosuch://bucket", ValueError, r"cannot be opened. Expected: a URL that fsspec can write to"),
    ],
)
def test_urls_that_are_none(url, kind, message):
    with pytest.raises(kind, match=message):
        ResultStore(url)


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("This is not a database, and it is long enough for SQLite to see that. " * 20)
    with pytest.raises(ValueError, match=r"cannot be opened. Expected: a file of results"):
        ResultStore(path)


def test_the_key_follows_from_experiment_settings_and_version():
    keys = {run_key("a", "1", "0.1"), run_key("b", "1", "0.1"), run_key("a", "2", "0.1"), run_key("a", "1", "0.2")}
    assert len(keys) == 4
    config = PolynomialConfig(seed=3)
    one, other = Record.of("polynomial", config), Record.of("polynomial", config.replace(n_steps=600))
    assert one.key == other.key, "a default that is written out changes nothing"
    assert Record.of("polynomial", config.replace(n_steps=5)).key != one.key


def test_provenance_names_versions_engine_and_seed_and_no_machine():
    import getpass
    import platform

    kept = Record.of("polynomial", PolynomialConfig(seed=3))
    assert kept.provenance["engine"] == "batched" and kept.provenance["seed"] == 3
    assert {"qfl-explore", "python", "numpy", "numba"} <= set(kept.provenance["versions"])
    text = dataclasses.replace(kept, seconds=1.0).to_json()
    assert Record.from_json(text) == dataclasses.replace(kept, seconds=1.0)
    values = [str(value) for value in _leaves(json.loads(text))]
    assert not {platform.node(), getpass.getuser(), platform.platform()} & set(values)


def _leaves(value):
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    return [leaf for inner in value for leaf in _leaves(inner)] if isinstance(value, list) else [value]


def test_what_a_later_version_adds_is_ignored():
    text = json.dumps(json.loads(record().to_json()) | {"new_field": 1})
    assert Record.from_json(text) == record()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"status": "finished"}, "status is not a known option"), ({"experiment": "a/b"}, "no usable name")],
)
def test_records_that_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        record(**changes)


def test_plain_values():
    @dataclasses.dataclass
    class Point:
        x: float = 1.5

    table = pd.DataFrame({"a": np.array([1, 2]), "b": [None, "x"]})
    values = {"z": 1 + 2j, "point": Point(), "table": table, "set": {3}, "na": pd.NA, "path": ResultStore}
    found = plain(values)
    assert found["z"] == [1.0, 2.0] and found["point"] == {"x": 1.5} and found["set"] == [3] and found["na"] is None
    assert found["table"] == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
    assert json.loads(json.dumps(found)) == found


def test_results_load_no_engine_and_no_pictures():
    code = "import sys, qfl_explore.results; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"tensorflow", "numba", "cirq", "panel", "bokeh", "xarray", "distributed"}


def test_a_full_disk_is_a_message_and_what_was_kept_stays(tmp_path):
    kept = ResultStore(tmp_path / "results.sqlite")
    kept.put_all(record(seed) for seed in range(5))
    (pages,) = kept._kept._db.execute("PRAGMA page_count").fetchone()
    kept._kept._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own "database or disk is full"
    many = [record(seed, summary={"text": "x" * 1000}) for seed in range(100, 200)]
    for _ in range(2):  # and the second time is no other error
        with pytest.raises(ValueError, match=r"could not be kept at .*\. Expected: .* Received: .*full"):
            kept.put_all(many)
    assert len(kept) == 5 and kept.get(record(3).key).ok
    kept._kept._db.execute("PRAGMA max_page_count = 100000")
    assert all(kept.put_all(many)) and len(kept) == 105
    kept.close()

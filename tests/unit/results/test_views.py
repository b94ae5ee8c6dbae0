"""One table and one grid from many records."""

import numpy as np
import pytest

from qfl_explore.results import PROVENANCE, Record, dataset_of, rows_of, table_of


def record(seed: int = 0, degree: int = 1, **more) -> Record:
    config = {"seed": seed, "fusion.degree": degree, "basis": "z", "sizes": [1, 2], "limit": None}
    summary = {"score": 10.0 * seed + degree, "seed": seed, "fit": {"low": -1.0}, "list": [1, 2]}
    rows = [{"step": step, "seed": seed} for step in range(2)]
    same = {"experiment": "demo", "run_id": f"{seed}-{degree}", "config": config, "summary": summary, "rows": rows}
    return Record(**(same | {"seconds": 0.5, "provenance": {"engine": "batched"}} | more))


RECORDS = [record(seed, degree) for seed in (0, 1, 2) for degree in (1, 4)]


def test_the_table_has_settings_then_summary_then_provenance():
    table = table_of(RECORDS)
    settings = ["seed", "fusion.degree", "basis", "sizes", "limit"]
    assert list(table) == ["experiment", *settings, "score", "fit.low", *PROVENANCE]
    assert table["sizes"].iloc[0] == (1, 2)
    assert set(table["engine"]) == {"batched"} and set(table["status"]) == {"done"}
    assert list(table["key"]) == [one.key for one in RECORDS]


def test_a_summary_that_contradicts_a_setting_gets_its_own_column():
    table = table_of([record(0), record(1, summary={"seed": 7, "run_id": "1-1"})])
    assert table["seed"].tolist() == [0, 1]
    assert table["result.seed"].tolist()[1] == 7
    assert "result.run_id" not in table


def test_failures_are_rows_without_values():
    table = table_of([*RECORDS, record(9, status="failed", summary={}, error="No.", error_kind="ValueError")])
    last = table.iloc[-1]
    assert np.isnan(last["score"]) and last["error"] == "No." and last["status"] == "failed"


def test_no_records_make_an_empty_table():
    assert table_of([]).empty
    assert rows_of([]).empty


def test_the_runs_tables_below_each_other_with_what_differs():
    rows = rows_of([*RECORDS, record(9, status="failed")])
    assert list(rows) == ["fusion.degree", "step", "seed", "key"]
    assert len(rows) == 12
    assert rows.groupby("key").size().tolist() == [2] * 6


def test_the_grid_has_named_axes():
    grid = dataset_of(RECORDS)
    assert dict(grid.sizes) == {"seed": 3, "fusion.degree": 2}
    assert float(grid["score"].sel({"seed": 2, "fusion.degree": 4})) == 24.0
    assert grid["score"].dims == ("seed", "fusion.degree")
    assert set(grid.data_vars) == {"score", "fit.low", "seconds"}
    assert grid.attrs["basis"] == "z" and grid.attrs["experiment"] == "demo"
    assert dataset_of(RECORDS, ["fusion.degree", "seed"])["score"].dims == ("fusion.degree", "seed")


def test_what_is_missing_is_nan():
    grid = dataset_of([*RECORDS[:-1], record(2, 4, status="failed", summary={})])
    assert np.isnan(grid["score"].sel({"seed": 2, "fusion.degree": 4}))
    assert int(grid["score"].count()) == 5


def test_one_axis_and_none():
    assert dataset_of(RECORDS[:2])["score"].dims == ("fusion.degree",)
    assert float(dataset_of(RECORDS[:1])["score"]) == 1.0


def test_awkward_settings_become_labels():
    records = [
        record(config={"sizes": sizes, "on": on}, run_id=f"{sizes}{on}")
        for sizes in ([1], None)
        for on in (True, False)
    ]
    grid = dataset_of(records)
    assert grid["sizes"].values.tolist() == ["(1,)", "None"]
    assert set(grid["on"].values.tolist()) == {"True", "False"}


@pytest.mark.parametrize(
    ("records", "axes", "message"),
    [
        ([], None, "nothing to put on a grid. Expected: one or more finished runs"),
        (RECORDS, ["seed"], r"several runs are at one place of the grid. .* differ in fusion.degree too"),
        (RECORDS, ["sede"], "did you mean 'seed'"),
        ([record(), record(version="0.0.1")], None, "nothing but the package's version"),
    ],
)
def test_what_makes_no_grid(records, axes, message):
    with pytest.raises(ValueError, match=message):
        dataset_of(records, axes)

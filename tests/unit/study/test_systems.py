"""``qfl-explore study systems``: what is kept, and that the report says it."""

import argparse

import pandas as pd
import pytest

from qfl_explore.experiments.systems_config import TASKS
from qfl_explore.results import Record, ResultStore, run_key
from qfl_explore.results.record import plain
from qfl_explore.study import __main__ as command
from qfl_explore.study import systems, systems_report

SMALL = {"methods": ("linear", "cross_attention", "feature_entanglement", "entanglement_none", "quantum")}
OPTIONS = argparse.Namespace(quick=True, retry=False, workers=1)


@pytest.fixture(scope="module")
def store():
    """Wine is computed here; steel plates failed."""

    def run_here(grid, store, **options):
        for config in grid.configs():
            result = grid.definition.function(config)
            store.put(Record.of(grid.name, config, summary=result.summary(), rows=plain(result.table), seconds=1.0))

    kept = ResultStore("memory://systems")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(systems, "METHODS", SMALL["methods"])
        patch.setattr(systems, "run", run_here)
        systems.compute(["wine"], kept, OPTIONS)
        systems.compute(["wine"], kept, OPTIONS)  # nothing is left to do
        config = systems.task_config("steel_plates", **systems.settings("steel_plates", True))
        kept.put(Record.of("systems_cell", config, status="failed", error="it broke", seconds=1.0))
        yield kept


def test_the_report_says_what_was_kept_and_what_was_not(store, tmp_path):
    records = systems.kept(list(TASKS), store, True)
    assert set(records) == {"wine", "steel_plates"}
    out = tmp_path / "systems.md"
    systems_report.write(out, records, True)
    text = out.read_text()
    assert "It says nothing" in text
    assert "- Steel plates: failed. it broke" in text
    assert "- Digits, quarters: not computed." in text
    rows = pd.read_csv(tmp_path / "systems" / "scores.csv")
    assert set(rows["method"]) == set(SMALL["methods"])
    assert set(rows["seed"]) == {0, 1}
    mean = rows[rows["method"] == "quantum"]["f1"].mean()
    overview = next(line for line in text.splitlines() if line.startswith("| Wine |"))
    assert f"| {mean:.3f} [" in overview
    assert overview.endswith("| 0.967 |")


def test_counts_are_those_of_the_pairs(store):
    summary = dict(systems.kept(["wine"], store, True)["wine"].summary)
    rows = systems_report.counts({"wine": summary, "digits": summary}).splitlines()
    pair = next(p for p in summary["pairs"] if (p["first"], p["second"]) == ("feature_entanglement", "quantum"))
    row = next(line for line in rows if line.startswith("| Feature-entanglement network | Quantum Fusion Layer"))
    outcomes = [2 * (pair["outcome"] == name) for name in ("higher", "lower", "undecided")]
    assert row.split("|")[3:7] == [f" {value} " for value in (2, *outcomes)]


def test_every_task_has_a_key_of_its_own_for_each_preset():
    keys = {key for task in TASKS for quick in (True, False) for key in systems.grid_of(task, quick).keys()}
    assert len(keys) == 2 * len(TASKS)
    config = systems.task_config("wine", **systems.settings("wine"))
    assert systems.grid_of("wine").keys() == [run_key("systems_cell", config.run_id)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "wines"], "each of --only is not a known option"),
        (["--out", "nowhere/at/all.md"], "--out cannot be used. Expected: a file .md in a folder that exists"),
        (["--data", "nowhere"], "--data cannot be used. Expected: a folder that exists. Received: 'nowhere'"),
        (["--workers", "0"], "--workers is out of range"),
    ],
)
def test_wrong_options_are_explained(words, message, capsys, monkeypatch):
    with pytest.raises(SystemExit) as ended:
        command.main(["systems", *words])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err

"""The study's command: what is planned, what is kept, and that the report says what was kept."""

import dataclasses
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments import multimodal
from qfl_explore.experiments.multimodal_config import METHODS, MultimodalConfig
from qfl_explore.results import Record, ResultStore, run_key
from qfl_explore.study import __main__ as command
from qfl_explore.study import cells, compute, plan, report, tables, texts, words
from qfl_explore.study.gather import Point, combined, gathered

TINY = {"epochs": 2, "learning_rates": (0.03,), "penalties": (1.0,), "methods": ("linear", "concat", "quantum")}
PART = plan.Part(name="wine", section="main", title="Wine", dataset="wine", base={**TINY}, n_seeds=2)
DEGREES = plan.Part(
    name="degree_wine", section="degree", title="Wine", dataset="wine", base=TINY, axes={"degree": (3, 5)}, n_seeds=2
)
ABSENT = plan.Part(name="mosi", section="main", title="CMU-MOSI", dataset="cmu_mosi", base=TINY)


def run_here(grid, store, **options):
    """`sweeps.run` without a cluster."""
    for config in grid.configs():
        result = grid.definition.function(config)
        store.put(Record.of(grid.name, config, summary=result.summary(), rows=report_rows(result), seconds=1.0))


def report_rows(result):
    from qfl_explore.results.record import plain

    return plain(result.table)


@pytest.fixture(scope="module")
def store():
    kept = ResultStore("memory://study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "run", run_here)
        compute.compute([PART, DEGREES], kept, lambda text: None, quick=True)
    return kept


@pytest.fixture(scope="module")
def written(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("docs") / "study.md"
    given = ["--quick", "--data", "/somewhere/of/mine", "--store=/else/where.sqlite", "--out", str(out), "--report"]
    report.write(out, [PART, DEGREES, ABSENT], store, "quick", given)
    return out


# --- the plan -------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", list(plan.PRESETS))
def test_every_part_has_settings_that_hold_and_a_text(preset):
    parts = plan.parts(preset)
    assert len({part.name for part in parts}) == len(parts)
    assert {part.section for part in parts} <= set(texts.SECTIONS) == set(plan.SECTIONS)
    configs = {part.name: part.configs(range(part.n_seeds)) for part in parts}
    assert all(len({config.run_id for config in found}) == len(found) for found in configs.values())
    for found in configs.values():
        assert all(len(config.learning_rates) == len(config.penalties) and len(config.seeds) == 1 for config in found)


def test_the_standard_plan_is_what_was_asked_for():
    parts = {part.name: part for part in plan.parts()}
    assert parts["ptb_xl_12"].n_seeds == parts["ptb_xl_3"].n_seeds == 10
    assert {part.dataset for part in parts.values() if part.section == "main"} >= {
        *("ptb_xl", "metr_la", "cmu_mosi", "fashion_mnist", "spoken_digits", "steel_plates", "covtype"),
        *("breast_cancer", "wine", "digits"),
    }
    full = [parts[name].config({}, 0) for name in ("ptb_xl_12", "metr_la", "breast_cancer")]
    assert all(config.methods == tuple(METHODS) and config.patience >= 10 for config in full)
    assert parts["leads"].axes["n_modalities"] == (1, 3, 6, 12)
    assert (parts["sensors"].axes["n_modalities"][0], parts["sensors"].axes["n_modalities"][-1]) == (2, 207)
    assert parts["leads"].config({"n_modalities": 12}, 0) == parts["ptb_xl_12"].config({}, 0)
    assert parts["sensors"].config({"n_modalities": 207}, 0) == parts["metr_la"].config({}, 0)


def test_rounds_are_the_whole_plan_once():
    parts = plan.parts()
    found = [config for _, configs in plan.rounds(parts) for config in configs]
    wanted = [config for part in parts for config in part.configs(range(part.n_seeds))]
    assert sorted(config.run_id for config in found) == sorted(config.run_id for config in wanted)


def test_a_grid_has_the_parts_own_configs():
    parts = plan.parts()
    assert parts
    for part in parts:
        configs = part.configs((0, 1))[:3]
        assert [config.run_id for config in compute.grid_of(part, configs).configs()] == [c.run_id for c in configs]


def test_what_is_kept_is_not_computed_again(store, monkeypatch):
    grids = []
    monkeypatch.setattr(compute, "run", lambda grid, **options: grids.append(grid))
    compute.compute([PART, DEGREES], store, lambda text: None, quick=True)
    assert [grid.name for grid in grids] == ["low_rank_collapse"]  # the sweep itself finds it in the store
    more = dataclasses.replace(PART, n_seeds=3)
    compute.compute([more], store, lambda text: None, quick=True)
    assert [config.seeds for config in grids[-1].configs()] == [(2,)]


# --- what is kept ---------------------------------------------------------------------------


def test_seeds_that_ran_apart_make_the_summary_of_a_whole_run(store):
    (point,) = gathered(PART, store)
    whole = multimodal.run(MultimodalConfig(dataset="wine", seeds=(0, 1), **TINY)).summary()
    assert point.n_seeds == point.n_wanted == 2
    for name in ("methods", "paired", "resampled"):
        for mine, theirs in zip(point.summary[name], whole[name], strict=True):
            drop = {"seconds", "n_draws", "n_test", "seed"}
            numbers = {key for key in {*mine} & {*theirs} - drop if not isinstance(mine[key], str)}
            assert [mine[k] for k in numbers] == pytest.approx([theirs[k] for k in numbers], abs=2e-3, nan_ok=True)
            assert mine["method"] == theirs["method"] and len(numbers) > 1
    assert {row["method"] for row in point.summary["gradients"]} == {"concat", "quantum"}
    assert point.about["n_qubits"] == 4 and point.about["parts"]["test"] == 36
    assert point.method("boosting") == point.pair("quantum") == {}


def test_a_part_without_runs_is_empty_and_failures_are_named():
    store = ResultStore("memory://empty")
    (point,) = gathered(PART, store)
    assert point.n_seeds == 0 and point.methods == [] and combined(pd.DataFrame(), {})["methods"] == []
    config = PART.config({}, 0)
    store.put(Record.of(cells.EXPERIMENT.name, config, status="failed", error="no memory", error_kind="MemoryError"))
    assert gathered(PART, store)[0].errors == ("no memory",)
    assert run_key(cells.EXPERIMENT.name, config.run_id) in store.keys("failed")


# --- the report -----------------------------------------------------------------------------


def test_the_report_has_numbers_intervals_seeds_and_what_is_missing(written, store):
    text = written.read_text()
    (point,) = gathered(PART, store)
    row = point.method("quantum")
    assert f"{row['auc']:.3f} [{row['auc_low']:.3f}, {row['auc_high']:.3f}]" in text
    assert "seeds 0, 1." in text and "quick preset" in text and "CMU-MOSI: 0 of 5 runs" in text
    for heading in ("What came out", "What we conclude, and what we cannot", "Published figures", "How it was run"):
        assert f"## {heading}" in text
    assert "| 3 (0%) |" not in text and "P = 3 | P = 5" in text
    assert "tensorflow: " in text and "numpy: " in text


def test_the_report_names_no_place_of_this_machine(written):
    text = written.read_text()
    assert "`qfl-explore study --quick --data DATA --store STORE`" in text
    for word in ("/somewhere", "/else", str(written.parent)):
        assert word not in text


def test_tables_are_whole_and_links_lead_somewhere(written):
    text = written.read_text()
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1, block
    anchors = {words.anchor(title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(.*?)\)", text)) <= anchors
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", text):
        path = written.parent / picture
        assert path.stat().st_size < 200_000
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_all_scores_are_beside_the_report(written):
    table = pd.read_csv(written.parent / "study" / "scores.csv")
    assert set(table["table"]) == {"wine", "degree_wine"}
    assert len(table) == 3 * 2 + 2 * 3 * 2
    assert set(table["varied"].dropna()) == {'{"degree": 3}', '{"degree": 5}'}


def test_small_words():
    assert tables.number(None) == tables.p_value(math.nan) == "–"
    assert tables.with_ends({"mae": 1.234}, "mae", 2) == "1.23"
    assert (tables.better("auc"), tables.better("mae")) == (1.0, -1.0)


# --- sentences ------------------------------------------------------------------------------


def fake(verdict, difference, primary="auc", **values):
    pair = {"method": "linear", "outcome": verdict, "difference": difference, "n_better": 1, "n_seeds": 3}
    summary = {"primary": primary, "best_classical": "linear", "verdict": verdict, "paired": [pair]}
    rows = [{"method": name, primary: 0.5} for name in ("linear", "quantum")]
    summary |= {"methods": rows, "same_test_part": False, "horizons": []}
    return Point(values, pd.DataFrame({"seed": [0]}), {}, summary, 3, 1.0)


def test_the_headline_counts_and_says_plainly_that_nothing_was_won():
    parts = [dataclasses.replace(PART, name=name, title=name) for name in ("a", "b", "c")]
    points = (fake("loses", -0.1), fake("undecided", 0.01), fake("loses", 0.2, "mae"))
    found = {part.name: [point] for part, point in zip(parts, points, strict=True)}
    text = words.headline(parts, found)
    assert "better in 0 of 3 tables, worse in 2" in text and "undecided" not in text
    assert "**It won nowhere.**" in text and "behind the best classical method in 2 of 3" in text
    assert "On none of these 3 tables" in words.conclusions(parts, found)[0]
    won = words.headline(parts, found | {"b": [fake("wins", 0.1)]})
    assert "better in 1 of 3" in won and "It was better on: b." in won
    assert words.headline(parts, {}) == "Nothing is computed yet."


def test_changes_between_points_are_paired():
    rows = {"method": "quantum", "n_test": 10, "n_train": 40, "synthetic": False}
    tables_of = [
        pd.DataFrame([{**rows, "seed": s, "auc": 0.7 + 0.05 * s + gain, "test_part": s} for s in range(3)])
        for gain in (0.0, 0.1)
    ]
    one, other = (dataclasses.replace(fake("loses", -0.1), scores=table) for table in tables_of)
    assert words.change_between(one, other, "quantum") == "+0.100 [0.100, 0.100] (3 seeds)"
    same = {**one.summary, "same_test_part": True}
    drawn = [
        dataclasses.replace(p, summary=same, scores=p.scores.assign(draws=[list(np.linspace(0, w, 100))] * 3))
        for p, w in ((one, 0.0), (other, 1.0))
    ]
    assert words.change_between(*drawn, "quantum") == "+0.100 [0.025, 0.975] (3 seeds, interval over test samples)"


# --- the command ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "/no/such"], r"--data cannot be used. Expected: a folder that exists. Received: '/no/such'"),
        (["--out", "study.txt"], r"--out cannot be used. Expected: a file .md.*Received: 'study.txt'"),
        (["--only", "wines"], r"each of --only is not a known option. Expected.*Received.*did you mean 'wine'"),
        (["--workers", "0"], r"--workers is out of range. Expected.*Received: --workers=0"),
    ],
)
def test_wrong_words_are_explained(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert re.search(message, capsys.readouterr().err.replace("\n", " "))


def test_what_is_not_here_is_left_out_with_a_reason_and_ctrl_c_keeps_what_is_finished(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path))
    given = ["--quick", "--store", "memory://command", "--out", str(tmp_path / "study.md")]
    assert command.main([*given, "--list"]) == 0
    said = capsys.readouterr().out
    assert "left out: ptb_xl_12, the data of 'ptb_xl' are not here" in said
    assert re.search(r"wine +seeds 0/2; 0 s", said) and not (tmp_path / "study.md").exists()

    def interrupted(parts, *more, **options):
        assert {part.dataset for part in parts} == {"wine", "breast_cancer", "digits"}
        raise KeyboardInterrupt

    monkeypatch.setattr(compute, "compute", interrupted)
    assert command.main(given) == command.INTERRUPTED
    assert "Nothing is computed yet." in (tmp_path / "study.md").read_text()
    assert "What is finished is kept" in capsys.readouterr().out


# --- the committed report -------------------------------------------------------------------

COMMITTED = Path(__file__).parents[3] / "docs" / "study.md"


@pytest.mark.skipif(not COMMITTED.is_file(), reason="docs/study.md is not part of an installed package")
def test_the_committed_report_is_made_of_the_committed_scores():
    text = COMMITTED.read_text()
    scores = pd.read_csv(COMMITTED.with_suffix("") / "scores.csv")
    titles = {part.name: part.title for part in plan.parts()}
    assert set(scores["table"]) <= set(titles) and "quick preset" not in text
    for name, rows in scores[scores["varied"].isna()].groupby("table"):
        body = text.split(f"### {titles[name]}\n")[1].split("\n### ")[0].split("\n\n|")[1]
        for method, mine in rows.groupby("method"):
            primary = "mae" if mine["auc"].isna().all() else "auc"
            (shown,) = re.findall(rf"^\| \**{re.escape(METHODS[method])}\** \| ([\d.]+)", body, re.M)
            assert float(shown) == pytest.approx(mine[primary].mean(), abs=0.0051 if primary == "mae" else 0.00051)
    for file in COMMITTED.with_suffix("").iterdir():
        assert file.stat().st_size < 200_000, file.name

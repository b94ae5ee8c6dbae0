"""The page Systems: its state, its words, and a small run through the page without a browser."""

import math
import time

import pandas as pd
import pytest

from qfl_explore.dashboards.link import unknown_words
from qfl_explore.dashboards.systems import text
from qfl_explore.dashboards.systems.state import ATTENTIVE, SETS, TASKS, SystemsState
from qfl_explore.experiments import systems_config
from qfl_explore.experiments.systems import SystemsConfig, run
from qfl_explore.plots import systems as plots
from tests.dashboards.waiting import wait_for

PAGE = "systems"


def method(name, f1=0.9, n_seeds=5, half=0.05):
    ends = {"f1_low": f1 - half, "f1_high": f1 + half}
    sizes = {"n_parameters": 1234, "seconds": 2.5, "n_seeds": n_seeds, "accuracy": f1, "auc": 0.95}
    return {"method": name, "title": systems_config.SYSTEMS[name], "f1": f1, **ends, **sizes}


def summary(outcome="lower", n_seeds=5):
    names = {"mlp": 0.95, "cross_attention": 0.9, "cross_dense_tokens": 0.91, "quantum": 0.85}
    pairs = [("quantum", "mlp"), ("cross_attention", "mlp"), ("cross_attention", "cross_dense_tokens")]
    return {
        "methods": [method(name, f1, n_seeds) for name, f1 in names.items()],
        "pairs": [
            {"first": first, "second": second, "difference": -0.1, "difference_low": -0.15, "difference_high": -0.05}
            | {"p_adjusted": 0.01, "outcome": outcome if second == "mlp" else "undecided", "n_seeds": n_seeds}
            for first, second in pairs
        ],
        "best_classical": "mlp",
        "same_test_part": False,
        "skipped": [{"method": "tensor", "reason": "too large <b>"}],
    }


def test_the_headline_has_scores_intervals_and_what_lost():
    config = SystemsConfig(seeds=(0, 1, 2, 3, 4))
    said = text.headline(summary(), config)
    assert said.startswith(
        "5 seeds (from 0 on), macro F1: the Quantum Fusion Layer 0.850 (0.800 to 0.900); cross-attention 0.900"
    )
    assert "best classical (MLP on all measures, matched size) 0.950" in said
    assert "The Quantum Fusion Layer and cross-attention are below the best classical method." in said
    assert said.endswith("Cross-attention cannot be told apart yet from its control without a circuit.")


def test_the_headline_claims_nothing_from_few_seeds_or_none():
    said = text.headline(summary(n_seeds=2), SystemsConfig(seeds=(0, 1, 2)))
    assert said.startswith("So far, 2 seeds") and said.endswith("One or two seeds say nothing about differences.")
    assert "cannot be told apart yet" in text.headline(summary("undecided"), SystemsConfig())
    assert text.headline({"methods": [], "pairs": []}, SystemsConfig()) == ""


def test_tables_have_every_method_and_pair_and_the_reason_of_who_is_missing():
    table = text.method_table(summary())
    assert table.count('scope="row"') == 4 and "1\u202f234" in table
    assert "tensor: too large &lt;b&gt;" in table
    assert text.pair_table(summary()).count("undecided") == 1
    assert text.method_table({"methods": [], "skipped": []}) == text.pair_table({"methods": [], "pairs": []}) == ""


def test_the_page_opens_without_the_experiment_and_knows_its_words():
    assert set(TASKS.values()) == set(systems_config.TASKS)
    assert set(ATTENTIVE.values()) <= set(systems_config.CROSS_METHODS)
    assert set(plots.NAMES) == set(systems_config.SYSTEMS)
    assert set(plots.CONTROLS) == set(systems_config.CONTROLS)
    state = SystemsState(task="breast_cancer", methods="cross", n_heads=2, n_qubits=5, sample=7, pairs="full")
    other = SystemsState()
    assert other.to_query() == {}
    assert other.apply_query(state.to_query()) == []
    assert other.to_query() == state.to_query() and other.config() == state.config()
    assert unknown_words(state.to_query(), "systems") == []
    assert len(other.apply_query({"systems_task": "beer", "qubits": "11", "heads": "2"})) == 2
    for word in SETS.values():
        assert SystemsState(methods=word).config().methods[-1] == "quantum"


def test_a_task_without_its_files_is_refused_in_three_parts(monkeypatch, tmp_path):
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"'covtype' are not here. Expected.*data get covtype.*Received: none"):
        SystemsState(task="covtype").config()


def test_the_snippet_gives_the_pages_numbers():
    config = SystemsConfig(dataset="wine", methods=("linear", "boosting"), seeds=(3,))
    scope = {}
    exec(text.snippet(config).replace("print(", "("), scope)
    assert scope["config"] == config
    found, want = scope["result"].scores, run(config).scores
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), want.drop(columns="seconds"))


def test_a_small_run_fills_every_picture_and_looks_follow_without_a_restart(page):
    one = page(systems_task="wine", seeds="2", epochs="2")
    one.show()
    wait_for(lambda: one.run.drawn == "done" and one._picture is not None, 180)
    wait_for(lambda: one.headline.object.startswith("2 seeds (from 0 on), macro F1: the Quantum Fusion Layer"))
    filled = {"scores": "mean", "attention": "weights", "sizes": "joint", "one": "sum", "cost": "angles"}
    for name, layer in filled.items():
        assert len(next(iter(one.figures[name].sources[layer].data.values()))), name
    assert one.attention_note.object.startswith("Cross-attention: mean over 36 test samples, seed 0")
    assert one.sample_note.object.startswith("Test sample 1 of 36")
    assert set(one.table()["seed"]) == {0, 1}
    started = one.run
    one.state.attention, one.state.sample = "cross_dense_tokens", 5
    assert one.attention_note.object.startswith("Cross: no circuit")
    assert one.sample_note.object.startswith("Test sample 6 of 36")
    assert started.state == "done"


def test_cancel_is_quick_and_what_cannot_be_is_a_notice(page, monkeypatch, tmp_path):
    one = page(systems_task="wine", seeds="5")
    one.show()
    wait_for(lambda: one._step is not None, 180)
    began = time.monotonic()
    one.cancel()
    assert time.monotonic() - began < 0.2 and one.run.state == "cancelled"
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path))
    one.state.task = "steel_plates"
    wait_for(lambda: "'steel_plates' are not here" in one.session.notice)
    assert one.session.notice_kind == "error"


def test_a_score_without_interval_is_shown_without():
    row = method("quantum", n_seeds=1) | {"f1_low": math.nan, "f1_high": math.nan}
    assert text._score(row) == "0.900"

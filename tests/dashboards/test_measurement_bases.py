"""The page Measurement bases: its state, its words, and small runs through the page without a browser."""

import math
import time

import numpy as np
import pandas as pd

from qfl_explore.dashboards.link import unknown_words
from qfl_explore.dashboards.measurement_bases import page as page_module
from qfl_explore.dashboards.measurement_bases import text
from qfl_explore.dashboards.measurement_bases.state import MeasurementState
from qfl_explore.experiments.measurement_bases import MeasurementConfig, run
from qfl_explore.experiments.measurement_bases_features import feature_table
from qfl_explore.experiments.measurement_bases_repetitions import estimates
from tests.dashboards.waiting import wait_for

PAGE = "measurement_bases"
SMALL = {"seeds": "2", "steps": "50", "train": "16"}


def summary(low=0.9, outcome="undecided"):
    common = {"low": low, "high": 1.0, "n_seeds": 3, "n_observables": 3, "n_parameters": 31}
    rows = [
        {"basis": b, "model": "trained", "repetitions": math.nan, "mean": 0.95} | common
        for b in ("random_pauli_plane", "pauli")
    ]
    rows += [
        {"basis": b, "model": "refitted", "repetitions": 1000.0, "mean": 0.8} | common
        for b in ("random_pauli_plane", "pauli")
    ]
    rows += [{"basis": "fourier", "model": "classical", "repetitions": math.nan, "mean": 1.0} | common]
    paired = [{"basis": "pauli", "mean": -0.05, "low": -0.08, "high": -0.02, "n_seeds": 3, "outcome": outcome}]
    return {"rows": rows, "paired": paired, "best_classical": "fourier"}


def test_the_headline_has_seeds_interval_price_and_the_classical_rival():
    said = text.headline(summary(), MeasurementConfig(), 1000, "refitted")
    assert said.startswith(
        "After 3 of 5 seeds (from 0 on), with exact expectation values, the random plane has test R² 0.950"
    )
    assert (
        "95 % interval 0.900 to 1.000" in said and "No other basis can be told apart from the random plane yet." in said
    )
    assert "and a readout fitted to such values: random Pauli plane 0.800, Pauli X, Y, Z 0.800." in said
    assert said.endswith("Best classical (least squares on the circuit's own waves): 1.000.")


def test_the_headline_claims_only_what_the_interval_shows():
    worse = text.headline(summary(outcome="worse"), MeasurementConfig(), 30, "refitted")
    assert (
        "Below the random plane: Pauli X, Y, Z, by 0.050 (difference −0.080 to −0.020)." in worse
        and "repetitions" not in worse
    )
    one = summary(low=math.nan)
    for row in one["rows"]:
        row["n_seeds"] = 1
    said = text.headline(one, MeasurementConfig(), 1000, "trained")
    assert "One or two seeds say nothing about differences." in said and "nan" not in said
    assert text.headline({"rows": [], "paired": [], "best_classical": ""}, MeasurementConfig(), 1000, "trained") == ""


def test_differences_at_finite_repetitions_have_their_own_sentence():
    pairs = summary(outcome="worse")["paired"]
    said = text.headline(summary(), MeasurementConfig(), 1000, "refitted", pairs)
    assert "0.800. Below the random plane: Pauli X, Y, Z, by 0.050 (difference −0.080 to −0.020). Best" in said


def test_the_table_has_ranks_costs_and_scores():
    config = MeasurementConfig(bases=("random_pauli_plane", "pauli", "all_pauli"))
    table = text.table_html(feature_table(config, 3, 32), summary(), config, 1000, "refitted")
    assert table.count('scope="row"') == 3
    for words in ("63 of 63 (complete)", "3 of 63", "10 / 41 / 41", "400 / 1\u202f200", "T = 1\u202f000"):
        assert words in table
    assert "nan" not in table


def test_the_note_counts_the_bars_that_hold():
    note = text.reading_note(estimates(MeasurementConfig(), "all_pauli", 1000), 16)
    assert "16 of 63 observables are drawn." in note and "in 27 settings" in note and " of 63, shadows" in note


def test_the_snippet_gives_the_pages_numbers():
    config = MeasurementConfig(seeds=(3, 4), n_steps=10, learning_rates=(0.1,), penalties=(1e-3,), repetitions=(300,))
    source = text.snippet(config, "pauli", 300).replace("print(", "(")
    scope = {}
    exec(source, scope)
    assert scope["config"] == config
    pd.testing.assert_frame_equal(scope["result"].table, run(config).table)
    pd.testing.assert_frame_equal(scope["errors"], estimates(config, "pauli", 300, 0))
    pd.testing.assert_frame_equal(scope["facts"], feature_table(config))
    assert "MeasurementConfig()" in text.snippet(MeasurementConfig(), "pauli", 300)


def test_defaults_of_the_page_are_those_of_the_experiment():
    state = MeasurementState()
    assert state.config() == MeasurementConfig() and state.to_query() == {}
    assert set(MeasurementState.param.repetitions.objects) == set(MeasurementConfig().repetitions)


def test_state_to_link_and_back():
    state = MeasurementState(
        degree=3, n_observables=9, repetitions=300, basis="all_pauli", readout="trained", noise=0.1
    )
    other = MeasurementState()
    assert other.apply_query(state.to_query()) == []
    assert other.to_query() == state.to_query() and other.config() == state.config()
    assert unknown_words(state.to_query(), "measurement_bases") == []
    problems = other.apply_query({"T": "7", "K": "-3", "basis": "psychic", "P": "2"})
    assert len(problems) == 3 and all("was ignored" in problem for problem in problems) and other.degree == 2


def test_all_pauli_drops_out_where_it_would_not_be_live():
    assert "all_pauli" not in MeasurementState(n_modalities=4, feature_dim=2).config().bases
    assert "all_pauli" in MeasurementState(n_modalities=3, feature_dim=2).config().bases


def test_a_small_run_fills_every_picture(page):
    one = page(**SMALL, T="300", basis="pauli")
    one.show()
    wait_for(lambda: one.run.drawn == one.side.drawn == one.reader.drawn == "done" and one._picture is not None)
    wait_for(lambda: one.headline.object.startswith("After all 2 seeds"))
    for name, layer in (("scores", "mean"), ("repetitions", "pauli"), ("sweep", "all_pauli"), ("singular", "pauli")):
        assert len(next(iter(one.figures[name].sources[layer].data.values()))), name
    assert len(one.figures["estimates"].sources["exact"].data["x0"]) == 9
    assert "63 of 63 (complete)" in one.facts_table.object and "T = 300 repetitions" in one.note.object
    assert set(one.table()["seed"]) == {0, 1}
    assert one.query() == {**SMALL, "T": "300", "basis": "pauli"}


def test_repetitions_and_readout_do_not_train_again(page):
    one = page(**SMALL)
    one.show()
    wait_for(lambda: one.run.drawn == one.reader.drawn == "done" and one._picture is not None)
    picture, note = one._picture, one.note.object
    one.state.repetitions = 10_000
    wait_for(lambda: "T = 10\u202f000" in one.note.object)
    assert one._picture is picture and one.note.object != note
    assert "T = 10\u202f000 repetitions" in one.headline.object
    before = list(one.figures["repetitions"].sources["all_pauli"].data["y"])
    one.state.readout = "trained"
    assert one._picture is picture and list(one.figures["repetitions"].sources["all_pauli"].data["y"]) != before
    assert "as trained on exact values" in one.headline.object


def test_too_few_repetitions_become_a_sentence(page):
    one = page(**SMALL, T="30", basis="all_pauli", M="3", D="2")
    one.show()
    wait_for(lambda: "Expected: at least 81" in one.note.object)
    assert "Traceback" not in one.note.object


def test_cancel_stops_within_a_fifth_of_a_second(page):
    one = page(steps="1000", seeds="12")
    one.show()
    wait_for(lambda: one._item is not None and one._item.stage == "training")
    began = time.monotonic()
    one.cancel()
    wait_for(lambda: one.run.state == "cancelled")
    assert time.monotonic() - began < 0.2
    wait_for(
        lambda: not one.run.drawing
    )  # a worker may be drawing an earlier state, without a server in its own thread
    assert one.controls.status.object.endswith("cancelled")


def test_new_seed_and_hiding(page):
    one = page(**SMALL)
    one.show()
    wait_for(lambda: one._item is not None)
    one.new_seed()
    assert one.state.first_seed == 2 and one.current.seeds == (2, 3)
    one.hide()
    wait_for(lambda: one.run.state in ("paused", "done"))
    one.show()
    wait_for(lambda: one.run.drawn == "done")
    assert set(one._picture.result.table["seed"]) <= {2, 3}


def test_the_page_says_whose_reading_it_is():
    for words in ("arXiv:2510.06938", "Our construction", "never", "What it does not show", "parameters"):
        assert words in text.ABOUT
    assert np.all([len(title) < 70 for title in page_module._TITLES.values()])

"""The page Encoding: its state, its words, and small runs through the page without a browser."""

import math
import time

import pandas as pd

from qfl_explore.dashboards.encoding import text
from qfl_explore.dashboards.encoding.state import DISTORTIONS, EncodingState
from qfl_explore.dashboards.link import unknown_words
from qfl_explore.experiments.encoding import EncodingConfig, run
from qfl_explore.experiments.encoding_config import DISTORTIONS as KINDS
from qfl_explore.experiments.encoding_picture import trace
from qfl_explore.scalers import SCALERS
from tests.dashboards.waiting import wait_for

PAGE = "encoding"
SMALL = {"seeds": "2", "steps": "50", "train": "16", "P": "1"}


def summary(low=0.8, outcome="undecided"):
    key = {"degree": 3, "scaler": "none", "strength": 1.0}
    ends = {"low": low, "high": 1.0, "n_seeds": 3, "share_outside": 0.0}
    rows = [key | {"when": when, "model": "quantum", "mean": 0.9} | ends for when in ("test", "both")]
    rows.append(key | {"when": "test", "strength": 10.0, "model": "quantum", "mean": -1.0} | ends)
    pairs = [key | {"when": "test", "model": "mlp", "mean": 0.1, "outcome": outcome}]
    overall = [
        key | {"when": "test", "model": model, "mean": mean} | ends for model, mean in (("quantum", 0.7), ("mlp", 0.9))
    ]
    return {"rows": rows, "paired": pairs, "overall": overall, "best_classical": dict.fromkeys(("test", "both"), "mlp")}


def test_the_headline_has_seeds_intervals_and_the_rival():
    said = text.headline(summary(outcome="worse"), EncodingConfig(), "models", 3)
    assert said.startswith("After 3 of 5 seeds (from 0 on), P = 3: spoiled at test time only, the layer's test R² is")
    assert "between 0.900 (95 % interval 0.800 to 1.000) at ×1 and −1 or less at ×10" in said
    assert "Spoiled at test time only, the best classical model over all strengths is MLP of equal size; the" in said
    assert "the layer is better at 0 of 1 strengths, worse at 1, undecided at 0." in said
    assert text.headline(summary(), EncodingConfig(), "models", 0) == ""


def test_the_other_views_name_the_rival_too():
    said = text.headline(summary(), EncodingConfig(scalers=("none", "tanh")), "scalers", 5)
    assert said.startswith("After all 5 seeds (from 0 on): mean test R² over all strengths, with 95 % intervals")
    assert "spoiled at test time only: none 0.70 (0.80 to 1.00) (rival: MLP of equal size with none 0.90" in said
    assert "P = 3 0.70" in text.headline(summary(), EncodingConfig(), "degrees", 5)
    alone = text.headline(summary(low=math.nan), EncodingConfig(), "degrees", 5)
    assert "nan" not in alone


def test_every_distortion_has_its_theory_and_every_scaler_its_name():
    assert set(text.THEORY) == set(KINDS) == set(DISTORTIONS.values())
    assert set(EncodingState.param.scaler.objects) == set(SCALERS)


def test_the_note_says_what_wraps_and_what_is_saturated():
    note = text.picture_note(trace(EncodingConfig(), 5.0, "test", "none"), "scale", 5.0, "test", "none")
    assert "200 of 256 test samples of seed 0, ×5 spoiled at test time only, scaler 'none'" in note
    assert "range ±2π (dashed)" in note and "opposite sign" in note
    config = EncodingConfig(n_modalities=1, constant_slot=False)
    note = text.picture_note(trace(config, 1.0, "test", "tanh"), "scale", 1.0, "test", "tanh")
    assert "0 of them leave the circuit's range ±π" in note and "opposite" not in note


def test_the_warning_speaks_only_where_something_leaves_the_range():
    assert text.outside_words([{"share_outside": 0.0}]) == ""
    assert "Up to 37 % of the test angles" in text.outside_words([{"share_outside": 0.366}])


def test_the_snippet_gives_the_pages_numbers():
    config = EncodingState(n_seeds=2, n_steps=50, n_train=16, degree=1, distortion="wrap").config()
    scope = {}
    exec(text.snippet(config).replace("print(", "("), scope)
    assert scope["config"] == config
    pd.testing.assert_frame_equal(scope["result"].table, run(config).table)
    assert "EncodingConfig()" in text.snippet(EncodingConfig())


def test_defaults_of_the_page_are_those_of_the_experiment():
    assert EncodingState().config() == EncodingConfig() and EncodingState().to_query() == {}
    assert EncodingState(view="degrees").config().models == ("quantum", "fourier")
    assert EncodingState(view="scalers").config().scalers == tuple(SCALERS)


def test_state_to_link_and_back():
    state = EncodingState(view="scalers", distortion="clip", scaler="tanh", degree=2, at=3, when="both")
    state.constant_slot = False
    other = EncodingState()
    assert other.apply_query(state.to_query()) == []
    assert other.to_query() == state.to_query() and other.config() == state.config()
    assert unknown_words(state.to_query(), "encoding") == []
    problems = other.apply_query({"distortion": "bend", "at": "9", "slot": "perhaps", "P": "1"})
    assert len(problems) == 3 and all("was ignored" in problem for problem in problems) and other.degree == 1


def test_a_small_run_fills_every_picture(page):
    one = page(**SMALL, distortion="wrap", at="4")
    one.show()
    wait_for(lambda: one.run.drawn == one.side.drawn == "done" and one._picture is not None)
    wait_for(lambda: one.headline.object.startswith("After all 2 seeds"))
    for name, layer in (("models test", "quantum"), ("models both", "layer bound"), ("differences", "test")):
        assert len(next(iter(one.figures[name].sources[layer].data.values()))) == 4, name
    assert len(next(iter(one.figures["circle"].sources["outside"].data.values()))) > 10
    assert "3 spoiled at test time only" in one.note.object
    assert "leave the circuit's stated range" in one.warning.object
    assert set(one.table()["seed"]) == {0, 1}
    assert one.query() == {**SMALL, "distortion": "wrap", "at": "4"}


def test_the_picture_moves_without_training_again(page):
    one = page(**SMALL)
    one.show()
    wait_for(lambda: one.run.drawn == one.side.drawn == "done" and "×5" in one.note.object)
    picture = one._picture
    one.state.at = 1
    wait_for(lambda: "×0.1" in one.note.object)
    one.state.when = "both"
    wait_for(lambda: "in training too" in one.note.object)
    assert one._picture is picture and one.run.state == "done"


def test_views_have_their_own_pictures(page):
    one = page(**SMALL, view="degrees", distortion="wrap")
    one.show()
    wait_for(lambda: one.run.drawn == "done" and one.headline.object.startswith("After all 2 seeds"))
    assert len(one.figures["degrees both"].sources["4"].data["x"]) == 4
    assert not one._widgets["degree"].visible and one._differences not in one.pictures
    one.cancel()
    one.state.view = "models"
    assert one._widgets["degree"].visible and one._differences in one.pictures


def test_classes_have_no_bounds_in_the_legend(page):
    one = page(seeds="2", steps="50", P="1", task="wine", distortion="wrap")
    one.show()
    wait_for(lambda: one.run.drawn == "done" and one.headline.object.startswith("After all 2 seeds"))
    assert not one.figures["models test"].renderers["layer bound"].visible
    assert "AUC" in one.figures["models test"].figure.yaxis[0].axis_label
    assert not one._widgets["target"].visible


def test_what_cannot_be_becomes_a_sentence(page):
    one = page(**SMALL)
    one.state.param.degree.bounds = (0, 5)
    one.show()
    one.state.degree = 0
    wait_for(lambda: "each of degrees is out of range. Expected" in one.session.notice)
    assert "Traceback" not in one.session.notice


def test_cancel_stops_within_a_fifth_of_a_second(page):
    one = page(steps="1000", seeds="12")
    one.show()
    wait_for(lambda: one._item is not None and one._item.stage == "training")
    began = time.monotonic()
    one.cancel()
    wait_for(lambda: one.run.state == "cancelled")
    assert time.monotonic() - began < 0.2
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
    for words in ("arXiv:2510.06938", "Our construction", "What it does not show", "Bonferroni", "no advantage"):
        assert words in text.ABOUT

"""The page Noise: its state, its words, and small runs through the page without a browser."""

import math
import time

import pandas as pd
import pytest

from qfl_explore.dashboards.link import unknown_words
from qfl_explore.dashboards.noise import text
from qfl_explore.dashboards.noise.state import MULTIPLES, NoiseState
from qfl_explore.dashboards.pages import Session, get_page
from qfl_explore.experiments.noise import NoiseConfig, run
from qfl_explore.experiments.noise_curve import curve
from tests.dashboards.waiting import wait_for

SMALL = {"seeds": "2", "steps": "20", "train": "16", "upto": "1", "P": "1"}


@pytest.fixture
def page():
    made = []

    def make(**query):
        session = Session({"page": "noise", **query})
        made.append(get_page("noise").create(session))
        return made[-1]

    yield make
    for one in made:
        one.close()


def row(model, training, mean, strength=0.03, low=-0.05, n_seeds=5, shrink=0.5):
    ends = {"low": mean + low, "high": mean - low} if low is not None else {"low": math.nan, "high": math.nan}
    return {"degree": 3, "strength": strength, "model": model, "training": training, "mean": mean} | ends | {
        "n_seeds": n_seeds,
        "shrink": shrink,
        "scatter": 0.1,
        "n_parameters": 50,
    }  # fmt: skip


def summary(outcome="loses", n_seeds=5):
    rows = [row("quantum", "clean", 0.95, 0.0, n_seeds=n_seeds)]
    rows += [
        row("quantum", way, mean, n_seeds=n_seeds) for way, mean in (("clean", 0.4), ("refit", 0.7), ("noisy", 0.8))
    ]
    rows += [row("fourier", "refit", 0.9, n_seeds=n_seeds), row("fourier", "clean", 0.98, 0.0, n_seeds=n_seeds)]
    pair = {"degree": 3, "strength": 0.03, "model": "fourier", "training": "refit", "mean": -0.1}
    return {"rows": rows, "paired": [pair | {"low": -0.15, "high": -0.05, "n_seeds": n_seeds, "outcome": outcome}]}


def test_the_headline_has_seeds_intervals_and_the_rival():
    said = text.headline(summary(), NoiseConfig(), 3, 0.03)
    assert said.startswith(
        "Depolarising 0.03, P = 3, 5 seeds (from 0 on), T = 1000: the layer's test R² is 0.400 (0.350 to"
    )
    assert "0.700 (0.650 to 0.750) readout fitted anew, 0.800 (0.750 to 0.850) trained with noise" in said
    assert "without noise it was 0.950" in said
    assert said.endswith(
        "At its best it is below the best classical model with equal feature noise (least squares on the layer's own "
        "waves, readout fitted anew at 0.900; difference −0.100, −0.150 to −0.050). On an ordinary computer, without "
        "noise: 0.980 (least squares on the layer's own waves)."
    )


def test_the_headline_claims_only_what_the_interval_shows():
    assert "Undecided between" in text.headline(summary("undecided"), NoiseConfig(), 3, 0.03)
    assert "one or two seeds say nothing" in text.headline(summary(n_seeds=2), NoiseConfig(seeds=(0, 1)), 3, 0.03)
    assert text.headline({"rows": [], "paired": []}, NoiseConfig(), 3, 0.03) == ""


def test_the_protocols_headline_says_where_it_falls_below():
    config = NoiseConfig(task="separation", degrees=(6,), seeds=(0, 1, 2))
    said = text.headline(run(config).summary(), config, 6, 0.03)
    assert said.startswith(
        "Depolarising 0.03, 6 queries, 3 seeds (from 0 on): the joint protocol decides rightly with 0."
    )
    assert "below the best separable strategy found with as many noiseless queries (0.815)." in said
    assert said.endswith("Among the strengths tried it first falls below that at 0.03.")


def test_tables_have_every_strength_and_both_forms():
    table = text.score_table(summary(), NoiseConfig(), 3)
    assert table.count('scope="row"') == 5 and "nan" not in table
    assert "0.400 <small>(0.350 to 0.450)</small>" in table and "0.500" in table
    counts = {
        1: {
            "multi_controlled": dict(one_qubit=6, two_qubit=6, larger=2, widest=3),
            "physical": dict(one_qubit=10, two_qubit=10, depth=16),
        }
    }
    gates = text.gate_table(counts)
    assert all(f"<td>{number}</td>" in gates for number in (6, 2, 3, 10, 16))


def test_the_snippet_gives_the_pages_numbers():
    config = NoiseConfig(seeds=(3,), n_steps=5, n_train=16, degrees=(1,), strengths=(0.01,))
    scope = {}
    exec(text.snippet(config, 1, 0.02).replace("print(", "("), scope)
    assert scope["config"] == config
    pd.testing.assert_frame_equal(scope["result"].table, run(config).table)
    pd.testing.assert_frame_equal(scope["line"], curve(config, 1, 0.02, 3))
    assert "NoiseConfig()" in text.snippet(NoiseConfig(), 3, 0.03)


def test_defaults_of_the_page_are_those_of_the_experiment():
    state = NoiseState()
    assert state.config() == NoiseConfig() and state.to_query() == {}
    assert NoiseState(kind="device").config().strengths == MULTIPLES
    assert NoiseState(task="separation").config().degrees == (2, 4, 6)


def test_state_to_link_and_back():
    state = NoiseState(kind="device", multiple=2.5, repetitions=0, task="breast_cancer", n_seeds=3, degree=2)
    other = NoiseState()
    assert other.apply_query(state.to_query()) == []
    assert other.to_query() == state.to_query() and other.config() == state.config()
    assert unknown_words(state.to_query(), "noise") == []
    problems = other.apply_query({"T": "7", "strength": "9", "noise_kind": "loud", "P": "2"})
    assert len(problems) == 3 and all("was ignored" in problem for problem in problems)


def test_the_degree_that_is_drawn_follows_the_task_and_the_largest():
    assert NoiseState(degree=4, largest=2).shown_degree() == 2
    assert NoiseState(degree=2, task="separation").shown_degree() == 4


def test_a_large_register_is_refused_with_the_number():
    with pytest.raises(ValueError, match=r"too large a density matrix.*at most 5 qubits.*6 qubits, 4096 components"):
        NoiseState(n_modalities=15, feature_dim=2).config()


def test_a_small_run_fills_every_picture(page):
    one = page(**SMALL)
    one.show()
    wait_for(lambda: one.run.drawn == one.seer.drawn == "done" and one._picture is not None)
    wait_for(lambda: one.headline.object.startswith("Depolarising 0.03, P = 1, 2 seeds"))
    for name, layer in (("scores", "quantum noisy"), ("degrees", "1"), ("curve", "clean")):
        assert len(next(iter(one.figures[name].sources[layer].data.values()))), name
    assert "Gates of both forms" in one.gate_table.object and "exact density matrices" in one.note.object
    assert set(one.table()["seed"]) == {0, 1}
    assert one.query() == SMALL
    before = one.figures["curve"].sources["clean"].data["y"]
    n_runs = one.run.state
    one.state.strength = 0.1
    wait_for(lambda: "Depolarising 0.1," in one.note.object)
    after = one.figures["curve"].sources["clean"].data["y"]
    assert abs(after).max() < abs(before).max() and n_runs == one.run.state  # redrawn, nothing restarted


def test_trajectories_check_the_curve(page):
    one = page(task="separation", seeds="2", upto="2", P="2", check="1")
    one.show()
    wait_for(lambda: one.checker.drawn == "done" and "9 of 9 within" in one.checked_note.object)
    assert len(one.figures["curve"].sources["checked"].data["x"]) == 9
    assert one.figures["curve"].renderers["checked"].visible
    one.state.check = False
    wait_for(lambda: not one.checked_note.object)
    assert not one.figures["curve"].renderers["checked"].visible
    few = [{"x": 0.0, "value": 1.0, "exact": 0.0, "error": 0.1}]
    assert text.checked_note(few, 9, 200) == (
        "Trajectories, 200 a point: 0 of 1 within 4 standard errors of the curve (8 points to come)."
    )


def test_the_protocol_has_pictures_of_its_own(page):
    one = page(task="separation", seeds="2", upto="2")
    one.show()
    wait_for(lambda: one.run.drawn == one.seer.drawn == "done" and one._picture is not None)
    wait_for(lambda: "queries" in one.headline.object)
    assert one._panes["decisions"].visible and not one._panes["scores"].visible
    assert len(one.figures["decisions"].sources["joint"].data["x"]) == 5


def test_a_change_starts_anew_and_cancel_is_quick(page):
    one = page(upto="4", seeds="12")
    one.show()
    wait_for(lambda: one._item is not None)
    began = time.monotonic()
    one.cancel()
    assert time.monotonic() - began < 0.2 and one.run.state == "cancelled"
    one.state.param.update(task="separation", n_seeds=2, largest=1)
    wait_for(lambda: one.run.drawn == "done")


def test_what_cannot_be_is_a_notice(page):
    one = page(M="15", D="2")
    one.show()
    wait_for(lambda: "too large a density matrix" in one.session.notice)
    assert one.session.notice_kind == "error" and one.run.state in ("idle", "cancelled")

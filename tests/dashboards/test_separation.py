"""The page Separation: state, words, and small runs of its four parts without a browser."""

import contextlib
import io
import math
import time

import pytest

from qfl_explore.dashboards.link import unknown_words
from qfl_explore.dashboards.separation import text
from qfl_explore.dashboards.separation.queries import drawing, every_engine
from qfl_explore.dashboards.separation.state import SeparationState
from qfl_explore.experiments import rank_wall, separation, separation_learn, signal_processing
from tests.dashboards.waiting import wait_for

PAGE = "separation"
SMALL = {
    "learning": {"part": "learning", "runs": "2", "budget": "50", "restarts": "1", "angles": "32"},
    "rank": {"part": "rank", "wall_M": "2", "wall_runs": "2", "wall_budget": "50", "wall_P": "1", "wall_samples": "64"},
    "signal": {"part": "signal", "poly_on": "batched", "poly": "x^2"},
    "queries": {"trials": "200"},
}


def finished(page):
    page.show()
    wait_for(lambda: page.part.run.drawn in ("done", "failed"))
    assert page.part.run.state == "done", page.session.notice
    time.sleep(0.15)
    return page.part


def test_state_goes_to_the_link_and_back():
    state = SeparationState()
    words = {"part": "rank", "delta": "25", "wall_M": "6", "poly": "x^3", "scale": "0", "oracles": "3"}
    assert state.apply_query(words) == []
    assert state.to_query() == words
    assert state.delta == math.radians(25)
    problems = SeparationState().apply_query({"delta": "200", "wall_M": "5", "part": "nonsense", "oracles": "4"})
    assert len(problems) == 3
    assert unknown_words(SeparationState.URL.values(), "separation") == []


def test_queries_say_six_certain_and_815(page):
    part = finished(page(**SMALL["queries"]))
    assert "With 6 queries in one register the answer is certain: 200 of 200" in part.headline.object
    assert "probability 0.815" in part.headline.object
    assert "no separable strategy is ever exact" in part.headline.object
    assert part.counting.object.endswith("= 6 queries.")
    wait_for(lambda: "<svg" in part.drawing.object)
    assert len(part.figures["ladder"].sources["joint"].data["x"]) == 3
    part.step.value = 4
    assert "Queries so far: 2" in part.caption.object
    assert "1.000 if equal, 0.250" not in part.caption.object  # the base is not zero, so both have moved


def test_a_setting_starts_the_part_anew(page):
    one = page(**SMALL["queries"])
    finished(one)
    one.state.n_oracles = 3
    wait_for(lambda: "With 9 queries" in one.part.headline.object)
    assert one.query()["oracles"] == "3"
    assert "θ_A − θ_B + θ_C" in one.part.problem.object


def test_learning_shows_layer_ceiling_and_angles(page):
    part = finished(page(**SMALL["learning"]))
    said = part.headline.object
    assert "With 6 calls the layer" in said
    assert "their ceiling is 0.750" in said
    assert "Given the angles as numbers" in said
    assert part.summary.object.count("<tr>") == part.table().groupby(["model", "n_queries"]).ngroups + 1


def test_rank_wall_names_the_wall_and_the_rivals(page):
    part = finished(page(**SMALL["rank"]))
    assert "so LMF needs R ≥ 2" in part.headline.object
    assert "least possible 0.500" in part.headline.object
    assert "The best network here reaches" in part.headline.object


def test_a_polynomial_is_drawn_and_a_wrong_one_explained(page):
    one = page(**SMALL["signal"])
    part = finished(one)
    assert part.headline.object.startswith("Degree 2: one sequence, 2 queries")
    assert "scaled by 0.9900" in part.headline.object
    assert "XOR" in part.boolean.object and "no</td>" not in part.boolean.object
    one.state.polynomial = "abs(x)"
    wait_for(lambda: "not a polynomial of degree 60" in one.session.notice)
    assert "Expected:" in one.session.notice and "Received:" in one.session.notice
    one.state.polynomial = "sinn(x)"
    wait_for(lambda: "did you mean 'sin'" in one.session.notice)
    one.state.polynomial = "0.5*x"
    wait_for(lambda: one.session.notice == "" and "Degree 1" in part.headline.object)


def test_parts_open_and_pause(page):
    one = page(**SMALL["learning"], seed="0")
    one.show()
    first = one.part
    wait_for(lambda: first.run.state == "running")
    one.state.part = "signal"
    wait_for(lambda: first.run.state == "paused")
    assert one.part is not first
    one.state.part = "learning"
    wait_for(lambda: first.run.state in ("running", "done"))
    one.hide()


def test_cancel_is_immediate(page):
    one = page(part="learning", runs="10", budget="1000", restarts="6")
    one.show()
    wait_for(lambda: one.part.run.state == "running")
    began = time.monotonic()
    one.part.cancel()
    assert one.part.run.state == "cancelled"
    assert time.monotonic() - began < 0.2


@pytest.mark.parametrize("name", list(SMALL))
def test_copied_python_gives_the_pages_numbers(page, name):
    part = finished(page(**SMALL[name]))
    out = io.StringIO()
    names = {}
    with contextlib.redirect_stdout(out):
        exec(part.snippet(), names)  # what a visitor would run
    assert out.getvalue()
    again = names["result"].table
    column = {"queries": "success", "learning": "success", "rank": "error", "signal": "response"}[name]
    assert again[column].tolist() == pytest.approx(part.table()[column].tolist(), abs=1e-9)


def test_every_box_of_limits_is_there(page):
    assert set(text.NOT_SHOWN) == set(SMALL)
    assert "access to oracles" in text.NOT_SHOWN["queries"]
    assert "our construction" in text.WHOSE
    one = page(**SMALL["queries"])
    assert one.query() == {"trials": "200"}


def test_engines_come_one_by_one_and_a_missing_one_says_so(monkeypatch):
    real = separation.on_engine

    def some(engine, *rest):
        if engine == "tfq":
            raise ImportError("not here. Expected: a wheel. Received: none.")
        return real(engine, *rest)

    monkeypatch.setattr(separation, "on_engine", some)
    rows = [row for row in every_engine(2, math.pi / 6, "best", 0) if isinstance(row, dict)]
    assert [row["engine"] for row in rows] == ["cirq", "batched", "qsim", "tfq"]
    table = text.engines_html(rows)
    assert "1.0000000" in table and "not here. Expected" in table


def test_long_circuits_are_drawn_in_part():
    svg, said = drawing(separation.protocol(4, 0.3))
    assert "<svg" in svg and "one round" in said
    assert "one round" not in drawing(separation.protocol())[1]


def test_sources_name_only_what_differs():
    default = text.source("separation", "SeparationConfig", separation.SeparationConfig())
    assert "config = SeparationConfig()" in default
    other = text.source("separation_learn", "LearnConfig", separation_learn.LearnConfig(delta=0.7, seeds=(1, 2)))
    assert "delta=0.7" in other and "seeds=(1, 2)" in other and "degrees=" not in other
    walls = text.source("rank_wall", "RankWallConfig", rank_wall.RankWallConfig(n_modalities=6))
    exec(walls.split("result = ")[0], names := {})
    assert names["config"] == rank_wall.RankWallConfig(n_modalities=6)


def test_sentences_before_the_end():
    config = separation.SeparationConfig()
    empty = separation.collect(config, []).summary()
    assert text.queries_sentence(config, empty).startswith("Running")
    assert text.learning_sentence(separation_learn.LearnConfig(), []) == "Training …"
    assert (
        text.rank_sentence(rank_wall.RankWallConfig(), [])
        == "The odd|even unfolding of f has rank 4, so LMF needs R ≥ 4."
    )
    assert "rounded up to whole rounds: 12" in text.formula_sentence(
        separation.SeparationConfig(n_oracles=3, delta=math.radians(25))
    )
    both = signal_processing.run(signal_processing.SignalConfig(polynomial="0.3 + 0.5*x")).summary()
    assert "an even and an odd sequence" in text.signal_sentence(both)
    assert (text.probability(1.0), text.probability(0.99999), text.probability(math.nan)) == ("1.000", "0.999990", "–")

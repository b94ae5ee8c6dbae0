"""The page Gradient variance without a browser: views, words, refusals, cancel, and Python that repeats the page."""

import time

import numpy as np
import pandas as pd
import pytest

from qfl_explore.dashboards.gradient_variance import text
from qfl_explore.dashboards.gradient_variance.state import VIEWS, GradientVarianceState, refuse_large
from qfl_explore.experiments.gradient_variance import run
from qfl_explore.experiments.gradient_variance_sweep import Fit
from qfl_explore.experiments.gradient_variance_training import TrainingConfig, stream_training
from tests.dashboards.waiting import wait_for

FAST = {"page": "gradient_variance", "upto": "5", "precision": "0.1", "P": "1", "M": "2", "steps": "12", "starts": "4"}


def finished(page):
    wait_for(lambda: page.run.drawn == "done" and "finished" in page.controls.status.object)
    return page


@pytest.mark.parametrize("view", VIEWS.values())
def test_python_of_the_page_gives_the_page_s_table(page_of, view):
    page = finished(page_of(view=view))
    scope = {}
    exec(text.snippet(page.state.config()).replace("print", "str"), scope)
    shown = pd.read_csv(page.take_along.csv())
    again = scope["result"].table
    numbers = ["variance", "low", "high"] if "low" in shown else ["variance", "standard_error"]
    np.testing.assert_allclose(shown[numbers], again[numbers], rtol=1e-10)
    assert len(shown) == len(again)


def test_the_sweep_is_drawn_and_said(page_of):
    page = finished(page_of())
    figure = page.figures["variance sweep"]
    assert len(figure.sources["qubit_efficient points"].data["x"]) == 4
    bars = figure.sources["qubit_per_feature bars"].data
    assert (bars["y0"] < bars["y1"]).all() and (bars["x0"] == bars["x1"]).all()
    assert len(figure.sources["qubit_per_feature exact"].data["x"]) == 4
    said = page.headline.object
    assert "Qubit-efficient: variance ∝ M^−" in said and "seed 0" in said and "[" in said


def test_every_view_draws_its_own_pictures(page_of):
    page = finished(page_of(view="angles"))
    assert page.figures["variance map"].sources["map"].data["image"][0].shape == (2, 6)
    page.state.view = "training"
    wait_for(lambda: page._picture is not None and page._picture.view == "training")
    finished(page)
    assert "over 4 starts (seed 0)" in page.headline.object
    assert len(page.figures["variance layers"].sources["U1"].data["x"]) == 13
    page.state.seed = 7
    finished(page)
    wait_for(lambda: len(page.figures["variance losses"].sources["before"].data["x"]) == 13)


def test_layerwise_training_switches_without_a_restart(page_of):
    page = page_of(view="training", steps="600", M="6", P="3")
    page.state.layerwise = True  # at once: a fast machine is soon done
    wait_for(lambda: any(row["layerwise"] for row in page._rows))
    runs = page._drawn_run
    page.state.layerwise = False
    assert page._drawn_run == runs and page.run.state in ("running", "done")


def test_cancel_is_quick_even_where_a_step_is_slow(page_of):
    page = page_of(upto="16", precision="0.01")
    wait_for(lambda: page._picture is not None)
    began = time.monotonic()
    page.cancel()
    assert time.monotonic() - began < 0.2
    assert page.run.state == "cancelled" and "cancelled" in page.controls.status.object


def test_what_is_too_large_is_refused_with_the_number(page_of):
    page = finished(page_of())
    page.state.param.update(largest=12, feature_dim=2)
    notice = page.session.notice
    assert "too many qubits" in notice and "24 qubits" in notice and "Traceback" not in notice
    page.state.feature_dim = 1
    assert page.session.notice == ""


def test_too_large_has_three_parts():
    fusion = GradientVarianceState(n_modalities=16, feature_dim=1).fusion()
    with pytest.raises(ValueError, match=r"^M = 16 .* Expected: at most 12 qubits .* Received: 16 qubits, about 32"):
        refuse_large(fusion, 12)
    with pytest.raises(ValueError, match=r"seven layers\. Expected: a degree P of at most 6\. Received: P = 8\.$"):
        GradientVarianceState(view="training", degree=8).config()


def test_words_in_the_address_go_out_and_come_back():
    state = GradientVarianceState(view="training", repetitions=100, scale=0.3, layerwise=True, precision=0.05)
    other = GradientVarianceState()
    assert other.apply_query(state.to_query()) == []
    assert other.to_query() == state.to_query()
    problems = GradientVarianceState().apply_query({"precision": "much", "view": "nowhere", "M": "99"})
    assert len(problems) == 3 and all("was ignored" in problem for problem in problems)


def test_sentences_say_when_a_law_does_not_describe_the_points():
    rows = [("qubit_per_feature", m, 2.0**-m, 2.0**-m * 0.9, 2.0**-m * 1.1, 100, 2.0**-m, m) for m in (2, 3, 4)]
    columns = ["encoding", "n_modalities", "variance", "low", "high", "n_draws", "two_design", "n_qubits"]
    table = pd.DataFrame(rows, columns=columns)
    for misfit, says in ((1.0, False), (9.0, True)):
        fits = {"qubit_per_feature": {"exponential": Fit("exponential", 1.0, 0.9, 1.1, 0.0, misfit, 3)}}
        said = text.sweep_sentence(table, "n_modalities", fits, 4)
        assert "rate 1.00 [0.90, 1.10]" in said and "300 draws, seed 4" in said and ("χ² is 9" in said) == says


def test_training_sentence_names_the_layers_that_train():
    frames = list(stream_training(TrainingConfig(n_starts=4, n_samples=2, n_steps=1, layerwise=True)))
    assert "Training only U0." in text.training_sentence(frames[0], frames[1])


def test_time_left_in_words():
    for seconds, words in ((float("nan"), "unknown"), (0.4, "less than"), (30, "30 s"), (300, "5 min")):
        assert words in text.left(seconds)


def test_a_link_to_this_page_leaves_the_other_pages_alone(page_of):
    page = page_of(M="16", view="angles")
    page.cancel()
    assert page.session.notice == "" and page.state.n_modalities == 16
    assert page.session.polynomial.n_modalities == page.session.polynomial.param.n_modalities.default


def test_a_budget_that_ended_an_estimate_is_named():
    config = GradientVarianceState(n_modalities=2, degree=1).point().replace(precision=1e-4, max_draws=100)
    estimate = run(config).estimate
    assert "Stopped at its budget of draws, at a relative error of" in text.estimate_sentence(estimate, estimate.row())
    assert "Exact average" in text.estimate_sentence(estimate, estimate.row())

"""The page Real data: its words, its state, and a whole small study run through the page without a browser."""

import time

import pandas as pd
import pytest

from qfl_explore.dashboards import real_data_text as text
from qfl_explore.dashboards.pages import Session, get_page
from qfl_explore.dashboards.real_data_state import RealDataState
from qfl_explore.experiments.classification import (
    MODELS,
    QUANTUM,
    ClassificationConfig,
    ClassificationResult,
    Progress,
    summarise,
)
from qfl_explore.plots import study as plots


def rows(model, accuracies):
    fixed = {"n_parameters": 119, "seconds": 2.0, "n_epochs": 30, "n_train": 343, "n_test": 113, "setting": 0.03}
    return [
        {"seed": seed, "model": model, "accuracy": a, "auc": a, "f1": a, **fixed} for seed, a in enumerate(accuracies)
    ]


def scores(quantum, classical):
    return pd.DataFrame(rows("logistic_regression", classical) + rows(QUANTUM, quantum))


@pytest.mark.parametrize(
    ("quantum", "sentence"),
    [
        ([0.90, 0.91, 0.90], "the quantum layer wins here."),
        ([0.70, 0.71, 0.70], "the quantum layer loses here."),
        ([0.70, 0.90, 0.80], "these seeds show no difference either way."),
    ],
)
def test_verdict_says_who_is_ahead_and_how_sure(quantum, sentence):
    summary = summarise(scores(quantum, [0.80, 0.81, 0.80]))
    said = text.verdict(summary, n_planned=5)
    assert said.startswith("After 3 of 5 seeds")
    assert "(Logistic regression) 80.3 %" in said
    assert "95 % interval" in said
    assert said.endswith(sentence)
    assert text.verdict(summary, n_planned=3).startswith("After all 3 seeds")


def test_one_seed_and_none_claim_nothing():
    one = text.verdict(summarise(scores([0.95], [0.90])), n_planned=1)
    assert one.endswith("One seed says nothing about the difference.")
    assert text.verdict(summarise(pd.DataFrame()), 5) == ""
    only_classical = summarise(pd.DataFrame(rows("mlp", [0.9, 0.8])))
    assert text.verdict(only_classical, 5) == ""


def test_table_has_every_model_with_interval_and_difference():
    table = text.table_html(summarise(scores([0.90, 0.92], [0.90, 0.90])))
    assert table.count('scope="row"') == 2
    assert "91.0 % <small>(" in table
    assert "+1.0 <small>(" in table
    assert "119" in table
    assert "nan" not in table


def test_numbers_in_words():
    assert text.percent(0.9769) == "97.7 %"
    assert text.percent(float("nan")) == "–"
    assert text.points(-0.0123) == "−1.2"
    assert text.points(0.005) == "+0.5"


def test_status_names_seed_model_and_setting():
    config = ClassificationConfig(seeds=(4, 7))
    assert text.status(None, config) == ""
    assert "loading TensorFlow" in text.status(Progress("loading", 4, "mlp"), config)
    item = Progress("training", 7, QUANTUM, trial=1, setting=0.03, epoch=12)
    assert text.status(item, config) == "seed 2 of 2 · Quantum Fusion Layer · rate 0.03 (2 of 3) · epoch 12"
    item = Progress("training", 4, "logistic_regression", trial=0, setting=0.1, epoch=0)
    assert text.status(item, config).endswith("C 0.1 (1 of 3)")


def test_the_snippet_makes_the_same_config():
    config = ClassificationConfig(degree=5, seeds=(3, 4), measurement="pauli")
    source = text.snippet(config).split("result =")[0]
    scope = {}
    exec(source, scope)
    assert scope["config"] == config
    exec(text.snippet(ClassificationConfig()).split("result =")[0], scope)
    assert scope["config"] == ClassificationConfig()


def test_defaults_of_the_page_are_those_of_the_study():
    state = RealDataState()
    assert state.config() == ClassificationConfig()
    assert state.to_query() == {}


def test_state_to_link_and_back():
    state = RealDataState(degree=5, n_seeds=2, first_seed=3, measurement="pauli", gamma=0.5, metric="auc")
    other = RealDataState()
    assert other.apply_query(state.to_query()) == []
    assert other.config() == state.config()
    assert other.metric == "auc"
    assert other.config().seeds == (3, 4)


def test_invalid_link_values_are_named_and_the_rest_kept():
    state = RealDataState()
    problems = state.apply_query({"P": "99", "seeds": "2", "measurement": "psychic", "gamma": "x"})
    assert len(problems) == 3
    assert all("was ignored" in problem for problem in problems)
    assert (state.degree, state.n_seeds, state.gamma) == (3, 2, 2.0)


def study_of(n_seeds):
    items = []
    for row in pd.DataFrame([row for model in MODELS for row in rows(model, [0.9, 0.95, 0.92][:n_seeds])]).to_dict(
        "records"
    ):
        for epoch in range(4):
            values = {("validation", "loss"): 0.2 / (epoch + 1) + 0.01 * row["seed"]}
            items.append(Progress("training", row["seed"], row["model"], 0, 0.03, epoch, values))
        items.append(Progress("tested", row["seed"], row["model"], 0, 0.03, score=row))
    return ClassificationResult.collect(ClassificationConfig(), items)


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_pictures_show_what_the_result_holds(n_seeds):
    result = study_of(n_seeds)
    summary, curves = result.summary(), result.curves()
    learning, dots, differences = plots.live_learning_curves(), plots.live_scores(), plots.live_differences()
    plots.put_learning_curves(learning, curves)
    assert list(learning.sources[QUANTUM].data["y"]) == pytest.approx(
        [0.2 / (epoch + 1) + 0.01 * (n_seeds - 1) / 2 for epoch in range(4)]
    )
    assert bool(len(learning.sources[f"{QUANTUM} band"].data["xs"])) == (n_seeds > 1)
    plots.put_scores(dots, result.scores, summary, "accuracy")
    assert list(dots.sources["mlp"].data["x"]) == [0.9, 0.95, 0.92][:n_seeds]
    assert len(dots.sources["interval"].data["x0"]) == (4 if n_seeds > 1 else 0)
    assert len(dots.sources["mean"].data["x"]) == 4
    plots.put_differences(differences, result.scores, summary, "auc")
    assert list(differences.sources["mlp"].data["x"]) == [0.0] * n_seeds
    for picture in (
        plots.learning_curves(curves),
        plots.scores(result.scores, summary),
        plots.differences(summary, result.scores),
    ):
        assert len(picture) > 3


@pytest.fixture
def page():
    made = get_page("real_data").create(Session())
    made.state.param.update(n_seeds=1, epochs=5, degree=1)
    made.run.cancel()
    yield made
    made.close()


def wait_for(condition, timeout=60.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.02)


def test_a_study_runs_through_the_page(page):
    page.start()
    wait_for(lambda: page.run.state in ("done", "failed"))
    wait_for(lambda: page.controls.progress.value == 100)
    assert page.session.notice == ""
    assert "After one seed the quantum layer has" in page.verdict.object
    assert page.table.object.count('scope="row"') == 4
    for model in MODELS:
        assert len(page.scores.sources[model].data["x"]) == 1
        assert len(page.learning.sources[model].data["x"]) > 1
    assert len(page.scores_csv().getvalue().strip().splitlines()) == 5
    history = pd.read_csv(page.history_csv())
    assert set(history["model"]) == set(MODELS)
    before = list(page.scores.sources[QUANTUM].data["x"])
    page.state.metric = "auc"
    assert page.scores.figure.xaxis[0].axis_label == "test AUC"
    assert list(page.scores.sources[QUANTUM].data["x"]) != before
    assert page.run.state == "done"


def test_the_line_of_the_present_trial_starts_afresh_with_each_trial(page):
    def epochs(trial, numbers):
        return [
            Progress("training", 0, "mlp", trial, 0.03, n, {("validation", "loss"): 0.1 * n + trial}) for n in numbers
        ]

    line = page.learning.sources["now"]
    page._show_trial(epochs(0, range(4)))
    page._show_trial(epochs(0, [4]) + epochs(1, range(2)))
    assert list(line.data["x"]) == [0.0, 1.0]
    page._show_trial(epochs(1, [2]))
    assert list(line.data["x"]) == [0.0, 1.0, 2.0]
    assert list(line.data["y"]) == pytest.approx([1.0, 1.1, 1.2])


def test_pause_cancel_and_restart(page):
    page.state.epochs = 200
    wait_for(lambda: len(page.learning.sources["mlp"].data["x"]) or len(page.learning.sources["now"].data["x"]))
    page.controls.toggle()
    assert page.run.state == "paused"
    page.controls.toggle()
    assert page.run.state in ("queued", "running")
    page.hide()
    assert page.run.state == "paused"
    page.show()
    assert page.run.state in ("queued", "running")
    page.cancel()
    assert page.run.state == "cancelled"
    assert "cancelled" in page.controls.status.object
    page.state.degree = 2
    wait_for(lambda: page.run.state in ("queued", "running"))
    page.cancel()


def test_a_link_opens_the_page_with_its_state():
    page = get_page("real_data").create(Session({"page": "real_data", "P": "2", "seeds": "77"}))
    assert page.state.degree == 2
    assert page.state.n_seeds == 5
    assert "seeds=77 in the link was ignored" in page.session.notice
    other = get_page("real_data").create(Session({"page": "polynomial", "P": "2"}))
    assert other.state.degree == 3
    for made in (page, other):
        made.close()

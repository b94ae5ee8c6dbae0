"""The page Real data: its words, its state, downloads, and a whole small study run through it without a browser."""

import importlib.util
import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qfl_explore.dashboards.pages import Session, get_page
from qfl_explore.dashboards.real_data import download as downloads
from qfl_explore.dashboards.real_data import look, text, work
from qfl_explore.dashboards.real_data import state as states
from qfl_explore.dashboards.real_data.state import RealDataState, modality_options
from qfl_explore.datasets import DATASETS, load
from qfl_explore.experiments.multimodal import METHODS, MultimodalConfig, MultimodalResult, Step
from qfl_explore.experiments.multimodal_ablations import ABLATIONS
from qfl_explore.experiments.multimodal_summary import summarise
from tests.dashboards.waiting import wait_for

SERVER = Path(__file__).parents[1] / "unit" / "datasets" / "server.py"
TITLE = "Breast cancer"


# --- words --------------------------------------------------------------------------------------


def scores(**values):
    """Made-up scores: method -> AUC by seed."""
    fixed = {"task": "classification", "setting": 0.03, "seconds": 2.0, "n_epochs": 9, "n_train": 300, "n_test": 100}
    fixed |= {"synthetic": False, "mae": np.nan}
    return pd.DataFrame(
        [
            fixed | {"seed": s, "method": m, "auc": v, "f1": v, "accuracy": v, "n_parameters": 119, "test_part": s}
            for m, found in values.items()
            for s, v in enumerate(found)
        ]
    )


def config(n_seeds=3):
    return MultimodalConfig(dataset="breast_cancer", seeds=tuple(range(n_seeds)))


@pytest.mark.parametrize(
    ("quantum", "start"),
    [
        ([0.90, 0.91, 0.90], "The quantum layer wins here: "),
        ([0.70, 0.71, 0.70], "The quantum layer loses here: "),
        ([0.70, 0.90, 0.80], "Undecided here: "),
    ],
)
def test_the_headline_says_first_who_is_ahead_and_then_how_sure(quantum, start):
    summary = summarise(scores(linear=[0.80, 0.81, 0.80], mlp=[0.5, 0.7, 0.6], quantum=quantum))
    said = text.headline(summary, config(), TITLE, False)
    assert said.startswith(f"{start}over all 3 seeds on {TITLE}, test AUC ")
    assert "0.803 for the best classical method, Logistic or ridge regression (119 parameters)" in said
    assert "95 % interval" in said and "after Holm's correction" in said
    assert "Against all 2 classical methods: " in said
    assert "after 3 of 5 seeds" in text.headline(summary, config(5), TITLE, False)
    assert f"{TITLE} (synthetic)" in text.headline(summary, config(), TITLE, True)


def test_one_seed_claims_nothing_and_without_a_pair_nothing_is_said():
    one = text.headline(summarise(scores(linear=[0.5], quantum=[0.9])), config(1), TITLE, False)
    assert one.startswith("On one seed on ") and one.endswith("One seed says nothing about the difference.")
    assert "wins" not in one
    assert text.headline(summarise(pd.DataFrame()), config(), TITLE, False) == ""
    assert text.headline(summarise(scores(linear=[0.5])), config(), TITLE, False) == ""


def test_the_best_classical_score_of_the_headline_is_over_the_same_seeds():
    summary = summarise(scores(linear=[0.8, 0.2], quantum=[0.9]))
    assert "0.800 for the best classical" in text.headline(summary, config(2), TITLE, False)


def test_the_table_has_every_method_and_the_reasons_of_those_left_out():
    summary = summarise(scores(linear=[0.8, 0.9], quantum=[0.9, 0.9]), {"tensor": "too <large>. Expected: 65536"})
    table = text.table_html(summary)
    assert table.count('scope="row"') == 3 and table.index("Quantum") < table.index("Logistic")
    assert "0.850 <small>(" in table and "+0.050 <small>(" in table and "undecided" in table
    assert "not run: too &lt;large&gt;. Expected: 65536" in table and "nan" not in table


def test_numbers_in_words():
    assert text.number(-0.0123) == "−0.012" and text.number(float("nan")) == "–" and text.signed(0.5) == "+0.500"
    assert text.p_word(0.0001) == "p < 0.001" and text.p_word(0.04) == "p = 0.040"


def test_status_names_seed_method_and_setting():
    study = config(2)
    assert text.status(None, study) == ""
    assert "loading TensorFlow" in text.status(Step("loading", 0, "mlp"), study)
    step = Step("training", 1, "quantum", trial=1, setting=0.03, epoch=12)
    assert text.status(step, study) == "seed 2 of 2 · Quantum Fusion Layer · rate 0.03 (2 of 3) · epoch 12"
    assert text.status(Step("training", 0, "linear", setting=0.1, epoch=0), study).endswith("C 0.1 (1 of 3)")
    assert text.status(Step("skipped", 0, "tensor"), study).endswith("cannot take part")


def test_the_snippets_are_python_that_makes_the_same_study():
    study = config().replace(methods=("linear", "quantum"), degree=5, dataset="wine")
    scope = {}
    exec(text.snippet(study).split("result =")[0], scope)
    assert scope["config"] == study
    scope = {}
    exec(text.ablation_snippet(study, "degree").split("table =")[0], scope)
    assert scope["vary"] == {"degree": [1, 2, 3, 4, 5]}
    grid = scope["Grid"](experiment="multimodal", base=scope["base"], axes=scope["vary"])
    assert [made.degree for made in grid.configs()] == [1, 2, 3, 4, 5]
    assert next(iter(grid.configs())) == study.replace(degree=1)


# --- state --------------------------------------------------------------------------------------


def test_the_page_offers_what_the_package_has():
    assert set(states.DATASETS) == set(DATASETS)
    assert states.METHODS == tuple(METHODS)
    assert set(states.ABLATIONS.values()) == set(ABLATIONS)


def test_state_to_link_and_back():
    state = RealDataState(
        dataset="synthetic_ecg", methods=["linear", "quantum"], n_modalities=3, n_trials=1, tab="curves"
    )
    other = RealDataState()
    assert other.apply_query(state.to_query()) == []
    assert other.config() == state.config() and other.tab == "curves"
    assert other.config().methods == ("linear", "quantum") and other.config().n_modalities == 3
    assert RealDataState().to_query() == {}


def test_invalid_link_values_are_named_and_the_rest_kept():
    state = RealDataState()
    problems = state.apply_query({"P": "99", "seeds": "2", "methods": "linear,psychic", "trials": "7", "data": "moon"})
    assert len(problems) == 4 and all("was ignored" in problem for problem in problems)
    assert (state.degree, state.n_seeds, state.methods) == (3, 2, ["linear"])


def test_impossible_settings_say_so_in_three_parts():
    for changes in ({"methods": []}, {"dataset": "metr_la", "feature_dim": 4, "n_modalities": 207, "degree": 1}):
        state = RealDataState(**changes)
        if changes.get("methods") == []:
            with pytest.raises(ValueError, match=r"(?s)Expected: .*Received: "):
                state.config()
        else:
            assert state.config().fusion(207).n_qubits == 11


def test_modalities_that_can_be_chosen():
    assert modality_options("synthetic_ecg", 12) == {"All (12)": 0, "1": 1, "3": 3, "6": 6, "12": 12}
    assert list(modality_options("synthetic_traffic", 0).values())[-1] == 207


# --- the part Data ------------------------------------------------------------------------------


def test_data_are_drawn_as_what_they_are_and_synthetic_ones_say_so():
    ecg, traffic, digits, wine = (load(name) for name in ("synthetic_ecg", "synthetic_traffic", "digits", "wine"))
    assert [look.kind_of(data) for data in (ecg, traffic, digits, wine)] == ["ecg", "map", "pieces", "profile"]
    assert "Synthetic ECG" in look.title(ecg, 3) and "true class: " in look.title(ecg, 3)
    assert "speeds at that time, 2000-01-03 00:55" in look.title(traffic, 0)
    assert look.counts_html(wine).count('scope="row"') == 3 and look.counts_html(traffic) == ""
    assert "Licence: Apache-2.0" in text.facts(ecg)


# --- a whole study ------------------------------------------------------------------------------


@pytest.fixture
def page():
    made = get_page("real_data").create(Session({"page": "real_data", "seeds": "1", "epochs": "3", "trials": "1"}))
    made.state.param.update(methods=["linear", "mlp", "tensor", "quantum"])
    made.run.cancel()
    yield made
    made.close()


def test_a_study_runs_through_every_part_of_the_page(page):
    page.state.param.update(dataset="synthetic_ecg", n_train=60)
    wait_for(lambda: page.run.drawn in ("done", "failed") and page.controls.progress.value == 100)
    assert page.session.notice == ""
    assert page.headline.object.startswith("On one seed on ECG (synthetic), test AUC ")
    panels = page.open_tab.panels
    assert len(panels["quantum"].sources["validation"].data["x"]) > 1
    assert any("cannot take part" in str(getattr(part, "object", "")) for part in page.open_tab.grid[1])
    page.state.tab = "scores"
    assert len(page.open_tab.scores.sources["linear"].data["x"]) == 1
    assert "(2 + 1)^12 = 531441 products" in page.open_tab.table.object
    page.state.metric = "accuracy"
    assert page.open_tab.scores.figure.xaxis[0].axis_label == "test accuracy (share)"
    page.state.tab = "curves"
    wait_for(lambda: page.open_tab.areas.object)
    assert "linear" in page.open_tab.areas.object and len(page.open_tab.roc.sources["mlp"].data["x"]) == 101
    page.state.of = "mlp"
    wait_for(lambda: page.open_tab._shown.method == "mlp")
    page.state.tab = "data"
    assert page.open_tab.warning.visible and page.open_tab.warning.object == text.SYNTHETIC
    assert len(page.open_tab.figures["ecg"].sources["trace"].data["x"]) > 4_000
    page.state.tab = "collapse"
    wait_for(lambda: "M = 207" in page.open_tab.headline.object)
    assert "exact zeros" in page.open_tab.headline.object
    assert len(page.take_along.csv().getvalue().strip().splitlines()) == 4
    assert page.run.state == "done"  # what is drawn restarts nothing


def test_a_setting_is_varied_and_cancelled(page):
    page.state.param.update(methods=["linear"], vary="few_shot", tab="ablation", dataset="wine")
    wait_for(lambda: page.run.drawn in ("done", "failed"))
    assert page.run.state == "done", page.session.notice
    tab = page.open_tab
    assert "1 methods, 1 seeds" in tab.status.object
    scope = {}
    exec(page.snippet(), scope)  # "Copy as Python" gives the page's numbers
    assert scope["result"].scores["auc"].tolist() == page.table()["auc"].tolist()
    tab.start()
    wait_for(lambda: tab.run.drawn == "done" and tab.status.object == "finished")
    rows = pd.read_csv(tab._csv())
    assert rows["value"].tolist() == [10, 20, 50, 100] and set(rows["setting"]) == {"n_train"}
    assert "few" in page.state.vary and "best test AUC" in tab.headline.object
    assert list(tab.figures[True].sources["linear"].data["x"]) == pytest.approx([10, 20, 50, 100])
    tab.start()
    tab.cancel()
    assert tab.status.object == "cancelled"
    page.state.param.update(vary="degree")
    tab.turned()
    assert tab.status.object.startswith("1, 2, 3, 4, 5 · ")


def test_a_forecast_has_a_course_and_errors_on_the_map(page):
    page.state.param.update(
        dataset="synthetic_traffic", target="all", methods=["persistence", "linear"], tab="curves", n_modalities=2
    )
    wait_for(lambda: page.run.drawn == "done" and page.open_tab._shown is not None)
    tab = page.open_tab
    wait_for(lambda: tab._map.visible)
    assert len(tab.map.sources["sensors"].data["x"]) == 2
    assert len(tab.forecast.sources["truth"].data["x"]) == 288
    page.state.tab = "scores"
    assert "MAE at 15 min" in page.open_tab.table.object and not page.open_tab.metric.visible
    assert "mph; less is better" in page.open_tab.scores.figure.xaxis[0].axis_label


def test_pause_cancel_and_restart(page):
    page.state.param.update(methods=["mlp"], epochs=200)
    wait_for(lambda: len(page.open_tab.panels["mlp"].sources["now"].data["x"]) > 1)
    page.controls.toggle()
    assert page.run.state == "paused"
    page.controls.toggle()
    wait_for(lambda: page.run.state in ("queued", "running"))
    began = time.monotonic()
    page.cancel()
    assert page.run.state == "cancelled" and time.monotonic() - began < 0.2
    assert "cancelled" in page.controls.status.object


def test_a_link_opens_the_page_with_its_state():
    page = get_page("real_data").create(Session({"page": "real_data", "P": "2", "seeds": "77", "tab": "data"}))
    assert page.state.degree == 2 and page.state.n_seeds == 5 and page.tabs.active == 0
    assert "seeds=77 in the link was ignored" in page.session.notice
    other = get_page("real_data").create(Session({"page": "polynomial", "P": "2"}))
    assert other.state.degree == 3
    for made in (page, other):
        made.close()


def test_collect_is_enough_for_the_pictures_of_a_run_that_was_cut():
    steps = [
        item
        for item, _ in (pair for pair in work.study(config(1).replace(methods=("linear",))) if isinstance(pair, tuple))
    ]
    assert not MultimodalResult.collect(config(1), steps[:1]).scores.size


# --- downloads ----------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The steel plates in small, from a server of our own."""
    spec = importlib.util.spec_from_file_location("datasets_server", SERVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rng = np.random.default_rng(0)
    rows = ((*rng.normal(size=27), *np.eye(7)[i % 7]) for i in range(140))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("Faults.NNA", "\n".join("\t".join(f"{value:.4f}" for value in row) for row in rows))
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("QFL_EXPLORE_CACHE", "off")
    downloads._running.clear()
    with module.serve({"/steel_plates/steel_plates_faults.zip": stream.getvalue()}) as (url, files):
        monkeypatch.setenv("QFL_EXPLORE_MIRROR", url)
        yield files


def test_missing_data_are_fetched_after_the_licence_and_the_study_begins(site, page):
    page.state.param.update(dataset="steel_plates", methods=["linear"])
    assert page.session.notice.startswith("Steel plates faults is not on this machine. Expected: the button Get data.")
    getter = page.getter
    assert getter.main.visible and "CC BY 4.0" in getter.words.object and not site.log
    getter.ask()
    assert getter.dialog.open and "creativecommons.org" in getter.licence.object and not site.log
    getter.accept()
    wait_for(lambda: page.run.drawn == "done" and page.data is not None)  # what is drawn last comes after the state
    assert not getter.dialog.open and not getter.main.visible and len(site.log) == 1
    assert page.session.notice == "" and page.data.n_samples == 140


def test_a_download_is_cancelled_goes_on_and_failures_have_three_parts(site, page):
    page.state.param.update(dataset="steel_plates", methods=["linear"])
    getter = page.getter
    site.pieces.clear()
    getter.accept()
    assert getter.cancel_button.visible
    wait_for(lambda: site.log)
    getter.cancel()
    site.pieces.set()
    wait_for(lambda: not getter.cancel_button.visible)
    assert getter.main.visible and "stopped" in getter.words.object
    content = dict(site.content)
    site.content.clear()
    getter.accept()
    wait_for(lambda: not getter.cancel_button.visible and "Received: HTTP 404" in page.session.notice)
    assert not getter.get_button.disabled and "failed" in getter.words.object
    site.content.update(content)
    getter.accept()
    wait_for(lambda: page.run.drawn == "done")


def test_two_visitors_share_one_download(site):
    site.pieces.clear()
    first = downloads.start("steel_plates")
    assert downloads.start("steel_plates") is first
    site.pieces.set()
    wait_for(lambda: first.is_over)
    assert first.told.state == "done" and downloads.start("steel_plates") is not first


def test_a_folder_of_ones_own_is_explained(page, monkeypatch, tmp_path):
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path))
    page.state.dataset = "own_folder"
    assert page.getter.main.visible and not page.getter.get_button.visible
    assert "labels.csv" in page.getter.words.object
    assert "Received: no files" in page.session.notice

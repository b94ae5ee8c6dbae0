"""The page Sweeps without a browser: rows arrive, failures have a retry, cancel is quick, Python and TOML repeat it."""

import time

import numpy as np
import pandas as pd
import pytest

from qfl_explore import sweeps
from qfl_explore.dashboards.sweeps import text
from qfl_explore.dashboards.sweeps.presets import NOTHING, PRESETS
from qfl_explore.dashboards.sweeps.state import SweepsState, parse_settings, parse_values, settings_of
from qfl_explore.dashboards.sweeps.work import SweepWork, n_workers
from qfl_explore.plots.sweeps_names import label_of
from qfl_explore.results.record import plain
from qfl_explore.sweeps import Grid
from tests.dashboards.waiting import wait_for

FAST = {"page": "sweeps", "xs": "1..3", "each_line": "1, 2", "seeds": "2", "settings": "n_steps = 40; n_train = 32"}

ENCODINGS = {"each_line": "qubit_efficient, qubit_per_feature"}


@pytest.fixture(autouse=True)
def local(monkeypatch, tmp_path):
    """Threads of this process in place of worker processes, and a store of one's own."""
    whole = sweeps.stream
    monkeypatch.setenv("QFL_EXPLORE_RESULTS", str(tmp_path / "rows.sqlite"))
    monkeypatch.setattr(
        sweeps, "stream", lambda *a, **options: whole(*a, **{**options, "kind": "threads", "n_workers": 1})
    )


@pytest.fixture(scope="module", autouse=True)
def no_workers_left():
    yield
    sweeps.shutdown()


def finished(page):
    wait_for(lambda: page.run.drawn == "done" and "finished" in page.controls.status.object)
    return page


def test_rows_arrive_are_drawn_and_said(page_of):
    page = finished(page_of())
    assert page.controls.status.object.startswith("24 of 24 (100 %)") and page.controls.progress.value == 100
    assert sorted(key for key in page.figures) == [(False, 0), (False, 1)]
    for number, noise in enumerate(("noise = 0", "noise = 0.5")):
        figure = page.figures[False, number]
        assert figure.figure.title.text == noise
        assert len(figure.sources["runs"].data["x"]) == 12
        assert list(figure.sources["line 1"].data["x"]) == [1.0, 2.0, 3.0]
        assert not len(figure.sources["line 2"].data["x"])
    assert "k = 1" in page.legend.object and "k = 2" in page.legend.object
    assert page.headline.object.startswith("test R²: highest ") and "24 runs, seeds 0 to 1" in page.headline.object
    assert "8 rows" in page.newest.object and not page.retry_button.visible and not page.failures_box.visible


def test_the_same_sweep_comes_from_the_store_at_once(page_of):
    first = finished(page_of())
    again = finished(page_of())
    assert "24 were computed before" in again.controls.status.object
    pd.testing.assert_frame_equal(first._seen.means, again._seen.means)


def test_a_known_sweep_that_is_paused_too_late_is_finished(page_of):
    page = finished(page_of())
    page.run.start(lambda: page.work(SweepWork(page.state.grid())), allowance=1)  # a pause after the first item
    wait_for(lambda: "24 were computed before" in page.controls.status.object)
    assert "100 %" in page.controls.status.object
    finished(page)


def test_python_of_the_page_gives_the_page_s_numbers(page_of):
    page = finished(page_of())
    scope = {}
    exec(page.take_along._snippet().replace("print(", "str("), scope)
    shown = pd.read_csv(page.take_along.csv()).sort_values(list(scope["grid"].axis_names))
    again = scope["table"].sort_values(list(scope["grid"].axis_names))
    np.testing.assert_allclose(shown["test_r2"], again["test_r2"], rtol=1e-12)
    assert len(scope["picture"]) == 2


def test_toml_of_the_page_is_the_same_grid(page_of, tmp_path):
    page = page_of(
        experiment="gradient_variance", settings="precision = 0.2; fusion.constant_slot = false", **ENCODINGS
    )
    page.cancel()
    file = tmp_path / "grid.toml"
    file.write_text(page.take_along._toml())
    again, grid = Grid.from_toml(file), page.state.grid()
    assert again.keys() == grid.keys()
    assert list(again.axes) == list(grid.axes)


def test_failures_are_rows_with_their_message_and_can_be_tried_again(page_of, monkeypatch):
    from qfl_explore.experiments import polynomial

    whole = polynomial.run

    def broken(config):
        if config.fusion.degree == 3:
            raise ValueError("three is too many. Expected: fewer. Received: 3.")
        return whole(config)

    monkeypatch.setattr(polynomial, "run", broken)
    page = finished(page_of(pictures=NOTHING))
    assert "12 of 12 (100 %), 4 failed" in page.controls.status.object
    assert page.failures_box.visible and page.retry_button.visible
    assert "4 rows failed" in page.failures.object and "three is too many" in page.failures.object
    assert (page._seen.table["status"] == "failed").sum() == 4
    monkeypatch.setattr(polynomial, "run", whole)
    page.retry()
    wait_for(lambda: "12 of 12 (100 %), took" in page.controls.status.object)
    finished(page)
    assert not page.failures_box.visible and not page.retry_button.visible
    assert "8 were computed before" in page.controls.status.object


def test_cancel_is_quick_stops_the_work_and_keeps_rows(page_of):
    page = page_of(settings="n_steps = 3000", xs="3..8", seeds="5")
    wait_for(lambda: page._seen is not None and page._seen.progress.done > 0)
    work, began = page._work, time.monotonic()
    page.cancel()
    assert time.monotonic() - began < 0.2
    assert page.run.state == "cancelled" and "cancelled" in page.controls.status.object
    wait_for(lambda: work._generator.gi_frame is None, 5)
    assert len(page._seen.table) > 0


def test_pause_sends_nothing_more_and_start_goes_on(page_of):
    page = page_of(settings="n_steps = 400", seeds="1")
    wait_for(lambda: page._seen is not None and page._seen.progress.done > 0)
    page.controls.toggle()
    assert page.run.state == "paused"
    wait_for(lambda: "paused" in page.controls.status.object and page.controls._start_pause.label == "Start")
    time.sleep(0.3)
    done = page._seen.progress.done
    time.sleep(0.5)
    assert page._seen.progress.done == done < page._seen.progress.total
    page.controls.toggle()
    finished(page)


def test_other_settings_wait_for_start_and_another_result_does_not(page_of):
    page = finished(page_of())
    run = page._drawn_run
    page.state.y = "n_parameters"
    assert page.figures[False, 0].figure.yaxis[0].axis_label == "parameters (count)"
    page.state.log = True
    assert page.figures[True, 0].figure.yaxis[0].axis_label == "parameters (count)"
    assert len(page.pictures[0]) == 2 and page._drawn_run == run
    page.state.x_values = "1..2"
    assert page.controls.status.object == text.CHANGED and page._drawn_run == run
    assert "[1, 2, 3]" in page.take_along._snippet()  # what is shown, not what is not yet computed
    page.start()
    wait_for(lambda: page._drawn_run > run)
    finished(page)
    assert page.controls.status.object.startswith("16 of 16")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"x_values": ""}, ("fusion.degree has no values", "1..8", "''")),
        ({"x_values": "1..9999"}, ("cannot be read", "upwards", "1..9999")),
        ({"x_values": "0"}, ("degree is out of range", "1 or more", "degree=0")),
        ({"x_values": "1..100", "seeds": 10}, ("too large for the page", "at most 600 rows", "4000 rows")),
        ({"settings": "n_steps"}, ("other settings cannot be read", "name = value", "'n_steps'")),
        ({"settings": "n_step = 3"}, ("no setting of that name", "n_steps", "did you mean 'n_steps'")),
        ({"settings": "n_steps = 3; n_steps = 4"}, ("given twice", "each once", "'n_steps'")),
        ({"lines": "fusion.degree"}, ("", "Expected", "Received")),
        ({"lines_values": "1..7"}, ("too many values", "at most 6 lines", "7")),
        (
            {"settings": "fusion.n_modalities = 13; fusion.encoding = qubit_per_feature"},
            ("too large", "12 qubits", "13 qubits"),
        ),
    ],
)
def test_what_cannot_be_computed_is_said_in_three_parts(page_of, changes, parts):
    page = page_of()
    page.cancel()
    page.state.param.update(**changes)
    page.start()
    notice = page.session.notice
    assert "Expected: " in notice and "Received: " in notice and page.session.notice_kind == "error"
    assert all(part in notice for part in parts), notice
    assert page.run.state in ("cancelled", "done")


@pytest.mark.parametrize("experiment", PRESETS)
def test_every_experiment_can_be_chosen_and_computes_what_it_offers_to_draw(experiment):
    state = SweepsState(experiment=experiment)
    grid, shape = state.grid(), state.shape()
    assert {state.x, state.lines, state.panels} - {NOTHING} <= set(settings_of(experiment))
    assert grid.size <= 120 and shape.values[state.x]
    summary = plain(sweeps.get(experiment).function(grid.configs()[0]).summary())
    found = {*summary, *grid.definition.columns(summary)}
    measures = PRESETS[experiment].measures
    assert set(measures) - {"seconds"} <= found
    assert all(label_of(name) != name for name in measures), "an axis needs a name that people read"


def test_words_in_the_address_go_out_and_come_back():
    state = SweepsState(experiment="gradient_variance", x_values="2, 3", y="exact", log=False, seeds=1)
    other = SweepsState()
    assert other.apply_query(state.to_query()) == []
    assert other.to_query() == state.to_query()
    assert SweepsState().to_query() == {}
    problems = SweepsState().apply_query({"experiment": "nothing", "x": "nowhere", "seeds": "99", "log": "yes"})
    assert len(problems) == 4 and all("was ignored" in problem for problem in problems)


def test_texts_become_values():
    assert parse_values("a", "1..3, 8, 0.5, ry") == [1, 2, 3, 8, 0.5, "ry"]
    assert parse_settings("a = true\nb.c = [1, 2];") == {"a": True, "b.c": [1, 2]}


def test_the_dashboard_s_link_says_where_it_opens():
    assert text.dashboard("", "localhost") == ""
    assert "only" not in text.dashboard("http://127.0.0.1:8787/status", "localhost")
    assert "server's own machine only" in text.dashboard("http://127.0.0.1:8787/status", "my-host")
    assert "only" not in text.dashboard("http://cluster:8787/status", "my-host")
    assert "<script" not in text.dashboard('http://x/"><script>', "")


def test_the_workers_of_all_visitors_leave_a_core_to_the_pages():
    assert 1 <= n_workers() <= 4


def test_a_closed_page_frees_the_workers(page_of):
    page = page_of(settings="n_steps = 3000", xs="3..8")
    wait_for(lambda: page._work._generator is not None)
    page.close()
    wait_for(lambda: page._work._generator.gi_frame is None, 5)


def test_two_visitors_share_one_cluster(page_of, monkeypatch):
    from qfl_explore.sweeps import cluster

    one, two = page_of(), page_of(xs="2..4")
    finished(one)
    finished(two)
    assert len([key for key in cluster._own if key[0] == "threads"]) == 1
    assert isinstance(one._work, SweepWork)

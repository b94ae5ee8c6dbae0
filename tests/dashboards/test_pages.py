"""Pages without a browser: registry, figures, the page's reaction to changes, and what is imported."""

import subprocess
import sys
import time

import numpy as np
import pytest

from qfl_explore.config import FusionConfig
from qfl_explore.dashboards.circuit.page import circuit_sentence, count_table
from qfl_explore.dashboards.pages import PAGES, Page, Session, get_page
from qfl_explore.dashboards.parts.buttons import copy_button
from qfl_explore.dashboards.parts.diagram import diagrams, slot_rows
from qfl_explore.plots.style import COLOURS, LiveFigure, copy_of
from tests.dashboards.waiting import wait_for


def test_first_page_needs_no_tensorflow():
    code = (
        "import sys, time; from qfl_explore.dashboards.frame.shell import Shell\n"
        "s = Shell(); v = s._views['polynomial']\n"
        "end = time.monotonic() + 30\n"
        "while not v._records and time.monotonic() < end: time.sleep(0.05)\n"
        "s.open('circuit'); s.close(); assert v._records\n"
        "print([m for m in ('tensorflow', 'tensorflow_quantum', 'tf_keras', 'jax') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr[-2000:]


def test_registry():
    assert [page.name for page in PAGES][:2] == ["polynomial", "circuit"]
    with pytest.raises(ValueError, match="page is not a known option.*did you mean 'circuit'"):
        get_page("circiut")


def test_the_first_page_trains_by_itself_and_says_what_it_sees(shell):
    page = shell(P="2", steps="60")._views["polynomial"]
    wait_for(lambda: page.run.drawn == "done" and page.headline.object)
    wait_for(lambda: "60 steps" in page.headline.object)
    assert page.headline.object.startswith("P = 2 < 3: no model of degree 2 can fit cos(3x)")
    assert [step for step, _, _ in page._records] == list(range(61))
    assert len(page.figures["learning"].sources["train"].data["x"]) == 61
    assert page.query() == {"P": "2", "steps": "60"}


def test_a_change_restarts_and_two_features_get_maps(shell):
    page = shell()._views["polynomial"]
    wait_for(lambda: page._records)
    run = page._drawn_run
    page.state.param.update(n_modalities=2, constant_slot=True, target="product", target_degree=1)
    wait_for(lambda: page._drawn_run > run)
    wait_for(lambda: len(page.figures.top) == 3)
    wait_for(lambda: page._picture.step > 5)
    wait_for(lambda: page.figures["map_model"].sources["map"].data["image"][0].std() > 0)
    image = page.figures["map_model"].sources["map"].data["image"][0]
    assert image.shape == (41, 41) and np.isfinite(image).all()


def test_the_wall_strip_rises_at_the_target_degree(shell):
    page = shell(k="2", steps="200")._views["polynomial"]
    wait_for(lambda: len(page.figures["wall"].sources["trained"].data["x"]) == 8, timeout=60)
    trained = page.figures["wall"].sources["trained"].data["y"]
    assert trained[0] < 0.05 and min(trained[1:]) > 0.95


def test_a_refused_setting_becomes_a_notice_and_the_next_one_runs(shell):
    made = shell(steps="20")
    page = made._views["polynomial"]
    page.state.param.update(n_modalities=12, feature_dim=4, encoding="qubit_per_feature")
    assert made.session.notice_kind == "error" and "Expected: at most 30 qubits" in made.session.notice
    page.state.param.update(n_modalities=1, feature_dim=1, encoding="qubit_efficient")
    assert made.session.notice == ""
    wait_for(lambda: page.run.drawn == "done")


def test_a_target_that_cannot_be_built_becomes_a_notice(shell):
    made = shell(target="formula", formula="cos(x9)")
    wait_for(lambda: made.session.notice)
    assert "Expected:" in made.session.notice and "Traceback" not in made.session.notice


def test_pinning_keeps_a_run_beside_the_next(shell):
    page = shell(steps="30")._views["polynomial"]
    wait_for(lambda: page.run.drawn == "done")
    page.pins.pin()
    pinned = np.array(page.figures["curve"].sources["pinned"].data["y"])
    assert len(page.pins.pinned) == 1 and len(pinned) == 201
    page.state.degree = 1
    wait_for(lambda: page._problem.config.fusion.degree == 1 and page.run.drawn == "done")
    assert np.array_equal(page.figures["curve"].sources["pinned"].data["y"], pinned)
    said = page.pins.box[0].object
    assert "<td>1</td><td>3</td>" in said and "The runs differ in one setting" in said
    page.pins.unpin(page.pins.pinned[0])
    assert not list(page.pins.box) and len(page.figures["curve"].sources["pinned"].data["y"]) == 0


def test_closing_stops_every_run(shell):
    made = shell(steps="5000")
    page = made._views["polynomial"]
    wait_for(lambda: page._records)
    made.close()
    time.sleep(0.3)
    n_records = len(page._records)
    time.sleep(0.3)
    assert page.run.state == "cancelled" and len(page._records) == n_records


def test_a_page_that_fails_to_build_leaves_a_message(shell, monkeypatch):
    made = shell()
    broken = Page("broken", "Broken", "qfl_explore.nowhere")
    monkeypatch.setattr("qfl_explore.dashboards.frame.shell.get_page", lambda name: broken)
    made.open("broken")
    assert "could not be opened" in made.session.notice


def test_bad_words_in_the_link_stay_visible_after_the_run_began(shell):
    made = shell(P="99", page="nowhere")
    wait_for(lambda: made._views["polynomial"]._records)
    assert "P=99" in made.session.notice and "page=nowhere" in made.session.notice


@pytest.mark.parametrize("dark", [False, True])
def test_figures_are_named_recoloured_and_independent(dark):
    from qfl_explore.plots.fit import live_fit_curve

    one, two = copy_of("test", live_fit_curve), copy_of("test", live_fit_curve)
    assert isinstance(one, LiveFigure) and one.figure.id != two.figure.id
    one.set_dark(dark)
    assert one.renderers["model"].glyph.line_color == COLOURS["model"][dark]
    one.put("model", [0.0, 1.0], [2.0, 3.0])
    one.stream("model", 2.0, 4.0)
    assert list(one.sources["model"].data["y"]) == [2.0, 3.0, 4.0]
    assert list(two.sources["model"].data["y"]) != [2.0, 3.0, 4.0]
    assert all(axis.axis_label for axis in one.figure.axis)


def test_count_table_grows_as_the_theory_says():
    table = count_table(FusionConfig(n_modalities=2, feature_dim=4, degree=3))
    modalities, qubits = table["qubits"]["QFL"]
    assert dict(zip(modalities, qubits, strict=True))[207] == 11
    assert max(table["qubits"]["QFL per feature"][1]) <= 30
    assert dict(zip(*table["parameters"]["TFN"], strict=True))[3] == 126


def test_slots_and_diagrams():
    config = FusionConfig(n_modalities=2, feature_dim=1, degree=2)
    assert slot_rows(config) == [
        ("|00⟩", "x1 (modality 1, feature 1)", "RY(x)"),
        ("|01⟩", "x2 (modality 2, feature 1)", "RY(x)"),
        ("|10⟩", "constant slot", "identity"),
        ("|11⟩", "padding", "identity"),
    ]
    ((title, svg),) = diagrams(config)
    assert title.startswith("The whole circuit") and "Ry(x2)" in svg and "Rx(θ0)" in svg
    big = diagrams(config.replace(n_modalities=12, feature_dim=4, degree=8))
    assert "S(x)" in big[0][1] and len(slot_rows(config.replace(n_modalities=100))) == 16
    assert "3 qubits (2 index and 1 value qubit)" in circuit_sentence(config)


def test_session_notices():
    session = Session()
    session.notify("careful")
    session.settle()
    assert session.notice == "careful"
    session.notify("wrong", "error")
    session.settle()
    assert session.notice == ""


def test_a_copied_text_never_becomes_markup() -> None:
    shown = copy_button("cos(x1)'\"><script>alert(1)</script>").object
    assert "<script" not in shown and shown.count("<") == 2  # the button's own tags

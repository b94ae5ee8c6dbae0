"""Words that are explained, presets, tours and the page Teach, without a browser."""

import html
import re

import panel as pn
import pytest
from bokeh.document import Document

from qfl_explore.dashboards.frame.teaching_bar import become, entered
from qfl_explore.dashboards.link import words_of
from qfl_explore.dashboards.parts.terms import explained, mark, popover
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.sweeps.state import SweepsState
from qfl_explore.dashboards.teach.page import found
from qfl_explore.teaching.content import glossary, preset, tours
from tests.dashboards.waiting import wait_for


def shown(markup: str) -> str:
    """What a reader sees of it."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def is_off(widget):
    return widget.styles.get("display") == "none"


def test_the_first_occurrence_of_a_word_is_marked_and_reached_by_key():
    marked = mark("The ceiling of the ceilings; a Ceiling. Re-uploading-like, xceiling.")
    assert marked.count("<dfn") == 1 and 'tabindex="0" data-term="ceiling" title="ceiling: The best score' in marked
    assert shown(marked) == "The ceiling of the ceilings; a Ceiling. Re-uploading-like, xceiling."
    assert mark("95 % intervals of the degree P").count("<dfn") == 2


def test_a_word_with_two_meanings_is_explained_with_the_right_one():
    assert 'data-term="degree-of-freedom"' in mark("χ² is 170 a degree of freedom")
    assert 'data-term="gate-fusion"' in mark("gate fusion") and 'data-term="amplitude-damping"' in mark(
        "amplitude damping"
    )


def test_markup_code_links_and_formulas_are_left_alone():
    text = '`ceiling` [degree](#degree) $$ceiling$$ <a title="degree P">x</a>'
    assert mark(text) == text


def test_what_a_visitor_typed_stays_text():
    made = Text('<img src=x onerror="alert(1)"> & the ceiling')
    markup = made._pane.object
    assert "<img" not in markup and "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; the <dfn" in markup
    assert made.object == '<img src=x onerror="alert(1)"> & the ceiling'
    assert "<dfn" not in Text("no ceiling", error=True)._pane.object


def test_a_text_that_changes_sends_its_text_alone():
    made, document = Text("the ceiling"), Document()
    model = made._pane.get_root(document)
    document.add_root(model)
    sent = []
    document.on_change(lambda event: sent.append((event.attr, event.model)))
    made.object = "half & half"
    assert sent == [("text", model)]
    assert model.text == pn.pane.HTML(made._pane.object).get_root().text


def test_a_control_says_what_it_is_or_nothing():
    said = explained(SweepsState(), "seeds")
    assert said["description"].startswith("seed: Fixes every draw") and said["css_classes"] == ["term-seed"]
    assert explained(SweepsState(), "x_values") == {"description": ""}


def test_the_script_knows_every_word():
    script = popover().object
    assert all(f'"{term.anchor}":' in script for term in glossary()) and "TEXTS" not in script


def test_a_preset_is_one_change_and_resets_the_rest(shell):
    made = shell(P="5", k="2", steps="20", pace="300")
    page, bar = made._views["polynomial"], made.teaching
    changes = []
    page.state.param.watch(lambda *events: changes.append({event.name for event in events}), list(page.state.URL))
    bar.take(preset("polynomial", "the wall"))
    assert page.query() == {"P": "2", "pace": "300.0"}  # the pace is the visitor's own
    assert len(changes) == 1 and {"degree", "target_degree", "n_steps"} <= changes[0]
    assert bar._see.object.startswith("The wall: P = 2")
    page.state.degree = 4
    assert bar._see.object == ""  # it no longer holds


def test_a_preset_of_a_sweep_takes_its_experiment_with_it():
    state = SweepsState()
    assert become(state, preset("sweeps", "the plateau, as a grid").words) == []
    assert state.experiment == "gradient_variance" and state.x == "fusion.n_modalities"
    assert become(state, preset("sweeps", "the wall, as a grid").words) == []
    assert state.to_query() == dict(preset("sweeps", "the wall, as a grid").words)


def test_a_link_opens_a_step_with_its_settings(shell):
    made = shell(page="separation", tour="4")
    assert made._views["separation"].query() == {"delta": "15"} and made.session.notice == ""
    assert made.teaching.number == 4 and "12" in made.teaching.card.choices[1].label
    assert made.session.address() == "?page=separation&delta=15&tour=4"
    own, number, problems = entered({"page": "separation", "tour": "4", "delta": "20"}, "separation")
    assert "delta" in own and own["delta"] == "20" and (number, problems) == (4, [])  # the link's own settings win


@pytest.mark.parametrize("word", ["0", "9", "x", "-1", "²", "99999999999999999999"])
def test_a_step_that_is_not_there_is_a_notice(shell, word):
    made = shell(tour=word)
    assert "tour in the link was ignored: expected a step from 1 to 5" in made.session.notice
    assert made.teaching.number == 0


def test_a_run_waits_for_the_prediction_and_goes_on_with_the_answer(shell):
    made = shell(steps="60")
    page, bar = made._views["polynomial"], made.teaching
    wait_for(lambda: page.run.drawn == "done")
    bar.go(2)
    assert bar._step.predict and page.query() == {"P": "2"}
    wait_for(lambda: page.run.state == "paused")
    assert "waits for your answer" in bar.card.ask.object and bar.card.told.object == ""
    assert is_off(made._body)  # the headline says the answer
    made.open("teach")
    assert not is_off(made._body)
    made.open("polynomial")
    assert is_off(made._body)
    bar.answer(1)
    assert not is_off(made._body)
    assert "The answer is: Near 0." in shown(bar.card.told.object) and "orthogonal" in bar.card.told.object
    assert "What this does not show." in bar.card.told.object
    assert page.run.state in ("queued", "running", "done")
    bar.go(3)
    assert bar.card.told.object == "" and bar.card.ask.object
    bar.go(2)
    assert "orthogonal" in bar.card.told.object  # what was answered stays answered
    bar.go(4)
    assert is_off(made._body)
    bar.close()
    assert bar.number == 0 and "tour" not in made.session.address()
    assert not is_off(made._body)


def test_a_preset_ends_the_tour_and_shows_the_page(shell):
    made = shell(tour="2", steps="10")
    assert is_off(made._body)
    made.teaching.take(preset("polynomial", "two modalities"))
    assert made.teaching.number == 0 and not is_off(made._body)
    assert "tour" not in made.session.address() and made.teaching._see.object.startswith("Two modalities")


def walk(made, page):
    """Every step of a tour, with the page hidden, so that nothing trains."""
    made.open(page)
    made._views[page].hide()
    for number in range(1, len(tours()[page].steps) + 1):
        made.teaching.go(number)
        assert made.session.notice == "", f"{page}, step {number}: {made.session.notice}"
        made.teaching.answer(0)
        assert "What this does not show" in made.teaching.card.told.object
    made.teaching.close()


def test_a_tour_through_the_parts_of_a_page_can_be_walked(shell):
    walk(shell(steps="10"), "separation")


@pytest.mark.slow
def test_every_tour_can_be_walked(shell):
    made = shell(steps="10")
    for page in tours():
        walk(made, page)


def test_another_page_has_its_own_chips_and_its_own_tour(shell):
    made = shell(tour="2", steps="10")
    made.open("noise")
    made._views["noise"].hide()
    assert made.teaching.number == 0 and len(made.teaching.main[0]) > 4
    made.open("teach")
    assert len(made.teaching.main[0]) == 0
    made.open("polynomial")
    assert made.teaching.number == 2


def test_the_page_teach_has_links_that_the_app_understands(shell):
    page = shell(page="teach", lesson="90")._views["teach"]
    links = re.findall(r'href="([^"]+)"', page.plan.object)
    assert len(links) > 12
    for link in links:
        words = dict(part.split("=") for part in html.unescape(link)[1:].replace("%2C", ",").split("&"))
        opened = entered(words, words["page"])
        assert opened[2] == []
        shown = [word for word in words.get("show", "").split(",") if word]
        assert set(shown) <= set(words_of(words["page"])) and words.get("hide", "presets") == "presets"
    assert "only Largest M of the sweep, Degree P and Observable C can be changed" in page.plan.object
    page.state.lesson = "45"
    assert "0–4 min" in page.plan.object and "84–90 min" not in page.plan.object
    page.state.find = "plateau"
    assert "barren plateau" in page.words.object and "macro F1" not in page.words.object
    assert page.query() == {"find": "plateau"}
    page.state.find = "<b>"
    assert page.words.object == "<p>No word matches.</p>"


def test_words_are_found_by_their_forms_and_sources():
    assert [term.name for term in found("QFL")][:1] and found("shots")[0].name == "repetitions"
    assert len(found("")) == len(glossary())

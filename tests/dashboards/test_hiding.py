"""Links that hide controls: on every page, what they name and what they leave, and the picker that makes them."""

import panel as pn
import panel_material_ui as pmui
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qfl_explore.dashboards.hiding import EXTRA, Frame, Hiding
from qfl_explore.dashboards.link import words_of
from qfl_explore.dashboards.pages import PAGES, get_page, states_of
from qfl_explore.dashboards.share.exercise import ELSEWHERE, Picker, grouped

#: Label of a widget -> why no link carries it.
NOT_IN_LINKS = {
    "Example": "sets the polynomial, which is in the link",
    "Choose a CSV file": "a visitor's own file stays on the visitor's machine",
}
NAMES = [page.name for page in PAGES]


def is_off(widget):
    return widget.styles.get("display") == "none"


def built(session):
    return [control for title, group in grouped(session).items() if title != ELSEWHERE for control in group]


@pytest.mark.parametrize("name", NAMES)
def test_any_control_of_any_page_can_be_hidden(opened, name):
    session, view = opened(name)
    assert [type(state) for state in states_of(view)] == get_page(name).state_classes()
    hiding, words, found = session.hiding_of(name), list(words_of(name)), built(session)
    assert {control.word for control in found} <= set(words) and len(found) >= min(5, len(words))
    assert hiding.apply_query({"hide": f"{words[0]},{words[-1]}"}) == []
    assert all(is_off(control.widget) == (control.word in (words[0], words[-1])) for control in found)
    assert session.address().endswith(f"hide={','.join(dict.fromkeys((words[0], words[-1])))}") or len(words) < 3
    assert hiding.apply_query({"show": words[0]}) == []
    assert all(is_off(control.widget) == (control.word != words[0]) for control in found)
    hiding.show_all()
    assert not any(is_off(control.widget) for control in found) and "hide" not in session.address()


@pytest.mark.parametrize("name", NAMES)
def test_every_control_of_a_drawer_is_in_the_link(opened, name):
    """A widget that a visitor turns is either a word of the link or stands here with its reason."""
    session, view = opened(name)
    known = {id(control.widget) for control in session.hiding_of(name).controls}
    widgets = [one for root in view.sidebar for one in pn.panel(root).select(pmui.widgets.base.MaterialWidget)]
    strangers = [one for one in widgets if id(one) not in known and not isinstance(one, pmui.Button)]
    assert {one.label for one in strangers} <= set(NOT_IN_LINKS), [one.label for one in strangers]
    names = {name for state in states_of(view) for name in state.URL.values()}
    assert {control.word for control in session.hiding_of(name).controls} <= names | set(EXTRA)


@pytest.mark.parametrize("name", NAMES)
def test_the_picker_offers_everything_once(opened, name):
    picker = Picker(opened(name)[0], lambda: "http://room/app")
    offered = [word for boxes in picker.groups.values() for word in boxes.options.values()]
    assert sorted(offered) == sorted(words_of(name))


def test_what_is_around_the_page_can_be_hidden(shell):
    made = shell(page="circuit", hide="P,pages,presets", only="noise")
    assert is_off(made._tabs) and is_off(made.teaching.main[0])
    assert [page.name for page in made.pages] == ["circuit", "noise"] and len(made._tabs) == 2
    assert made.hidden_line.text.object.startswith("4 controls are hidden by the link")
    assert "<dfn" not in made.hidden_line.text._pane.object  # a control of a comparison is something else
    assert made.session.address() == "?page=circuit&hide=P,pages,presets&only=circuit,noise"
    made._tabs.active = 1
    assert made.session.address() == "?page=noise&hide=pages,presets&only=circuit,noise"
    made.hidden_line.button.clicks += 1
    assert not is_off(made._tabs) and len(made._tabs) == len(made.pages) == len(PAGES)
    assert made._tabs.active == NAMES.index("noise") and made.session.address() == "?page=noise"
    assert len(made.hidden_line.main) == 0


def test_what_is_left_a_section_that_goes_and_a_value_that_stays(shell):
    made = shell(page="noise", show="P,strength", P="2", n_blocks="3", blocks="2")
    left = {control.word for control in built(made.session) if not is_off(control.widget)}
    assert left == {"P", "strength"}
    gone = {title for title, widget, _ in made.session.hiding_of("noise").sections if is_off(widget)}
    assert gone == {"Task", "Circuit", "Training and seeds"}
    view = made._views["noise"]
    assert view.state.n_blocks == 2 and "did you mean blocks?" in made.session.notice
    assert made.session.address() == "?page=noise&P=2&blocks=2&show=strength,P"


def test_the_part_of_the_drawer_that_an_exercise_leaves_is_open(shell):
    def folded(**words):
        sections = shell(page="real_data", **words).session.hiding_of("real_data").sections
        return {title: widget.collapsed for title, widget, _ in sections if not is_off(widget)}

    assert folded()["Study"] and folded(hide="patience")["Study"]
    assert folded(show="D,rank") == {"Quantum Fusion Layer": False, "Study": False}


def test_wrong_names_are_named_and_the_rest_hidden(shell):
    made = shell(page="circuit", hide="degree,entanglr,section,<b>", only="nois,noise")
    notice = made.session.notice
    assert (
        "hide=entanglr in the link was ignored: there is no such control on the page; did you mean entangler?" in notice
    )
    assert "only=nois in the link was ignored: there is no such page; did you mean noise?" in notice
    assert "hide=section" in notice and "<" not in notice
    assert made.session.hiding_of("circuit").hidden == ("P",) and [p.name for p in made.pages] == ["circuit", "noise"]


def test_other_pages_keep_their_controls_and_parts_that_open_later_lose_theirs(shell):
    made = shell(page="separation", hide="wall_M,seed")
    made._views["separation"].state.part = "rank"
    assert [c.word for c in built(made.session) if is_off(c.widget)] == ["wall_M", "draw"]
    made.open("noise")
    assert not any(is_off(control.widget) for control in built(made.session))
    assert len(made.hidden_line.main) == 0 and made.session.address() == "?page=noise"
    made.open("separation")
    assert made.session.address() == "?page=separation&part=rank&hide=draw,wall_M"


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_what_is_hidden_survives_the_link(name, data):
    one, other = Hiding(name, Frame()), Hiding(name, Frame())
    one.hidden = tuple(word for word in one.words if data.draw(st.booleans()))
    others = data.draw(st.sets(st.sampled_from([page for page in NAMES if page != name]), max_size=8))
    only = tuple(page for page in NAMES if page in others or page == name) if others else ()
    one.frame.param.update(extras=tuple(data.draw(st.sets(st.sampled_from(sorted(EXTRA))))), only=only)
    assert other.apply_query(one.to_query()) == []
    assert (other.hidden, other.frame.only) == (one.hidden, only)
    assert set(other.frame.extras) == set(one.frame.extras)


def test_the_picker_hides_at_once_and_makes_the_link(shell):
    made = shell(page="noise", P="2")
    picker = Picker(made.session, lambda: "http://room/app")
    circuit = picker.groups["Circuit"]
    circuit.value = [word for word in circuit.value if word != "signal"]
    picker.groups["Task"].value = []
    picker.pages.value = ["noise"]
    link = picker._link[0][0].value
    assert link == "http://room/app?page=noise&P=2&hide=task,target,k,M,signal&only=noise"
    assert {c.word for c in built(made.session) if is_off(c.widget)} == {"task", "target", "k", "M", "signal"}
    made.hidden_line.button.clicks += 1
    assert circuit.value == list(circuit.options.values()) and len(picker.pages.value) == len(PAGES)
    assert picker._link[0][0].value == "http://room/app?page=noise&P=2"

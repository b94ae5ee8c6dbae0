"""What a page costs: folded parts of the drawer are not drawn, and a session that ended leaves nothing behind."""

import collections
import gc
import weakref
from types import SimpleNamespace

import panel as pn
import panel_material_ui as pmui
import pytest
from bokeh.document import Document
from bokeh.models import Div, Plot
from panel.io import application as panel_application
from panel.io.state import set_curdoc

from qfl_explore.dashboards.frame.shell import WAITING, Shell
from qfl_explore.dashboards.pages import PAGES
from qfl_explore.dashboards.parts.settings import Section
from qfl_explore.dashboards.runs import remains
from tests.dashboards.waiting import wait_for


class Context:
    """As much of a server's session as a page asks for."""

    def __init__(self, document):
        self.id, self.session, self.destroyed, self._document = "one", None, False, document
        self.request = SimpleNamespace(arguments={}, headers={}, cookies={}, path="/app")
        self.server_context, self.token_payload = SimpleNamespace(sessions=[], application_context=None), {}


def visit(query=None):
    """A visitor's page as the server builds it: shell, document, session's context."""
    document = Document()
    context = Context(document)
    document._session_context = weakref.ref(context)
    with set_curdoc(document):
        shell = Shell(query or {})
        shell.page.server_doc(document)
    return shell, document, context


def leave(document, context):
    """The session ends, as the server does it; what waited for the browser's sign was called before."""
    pn.state._onload.pop(document, None)
    for callback in list(document.callbacks.session_destroyed_callbacks):
        callback(context)
    document.callbacks.on_change_dispatch_to(context)  # as a session does, and takes back then
    document.destroy(context)


@pytest.fixture
def visitor():
    shell, document, context = visit()
    yield shell, document
    leave(document, context)


def labels(document):
    found = [getattr(model, "label", None) for model in document.models]
    return {label for label in found if isinstance(label, str)}


def test_a_folded_section_is_drawn_when_it_is_opened_first(visitor):
    shell, document = visitor
    training = next(one for one in shell.page.select(Section) if one.title == "Training")
    assert training.collapsed and len(training.objects) > 5, "the widgets are there"
    assert "Degree P" in labels(document) and "Seed" not in labels(document)
    seed = next(one for one in training if one.label == "Seed")
    with set_curdoc(document):  # an event of the browser
        seed.value = 5  # as a tour's step does
        training.collapsed = False
    assert "Seed" in labels(document)
    (model,) = (one for one in document.models if getattr(one, "label", None) == "Seed")
    assert model.value == 5
    with set_curdoc(document):
        training.collapsed = True
    assert "Seed" in labels(document), "what was drawn stays"


def test_outside_a_server_nothing_is_left_out():
    shell = Shell({})
    document = Document()
    document.add_root(shell.page.get_root(document))
    assert "Seed" in labels(document)
    shell.close()


def figures(document):
    return [model for model in document.models if isinstance(model, Plot)]


def test_the_controls_come_first_and_the_figures_when_the_browser_shows_them(visitor):
    shell, document = visitor
    assert "Degree P" in labels(document) and "Cancel" not in labels(document) and not figures(document)
    assert len(document.models) < 200, "each takes its time in the server and in the browser"
    pn.state._on_load(document)
    assert "Cancel" in labels(document) and figures(document)
    assert len(document.models) < 450
    assert not [pane for pane in shell._body.select(pn.pane.HTML) if pane.object == WAITING]


def test_a_page_that_was_left_before_it_was_drawn_is_not_drawn(visitor):
    shell, document = visitor
    with set_curdoc(document):
        shell.open("circuit")
    pn.state._on_load(document)
    assert shell._body[:] == shell._views["circuit"].main
    assert shell._views["polynomial"].main[0] not in shell._body


def test_a_visitor_who_left_is_forgotten():
    shell = Shell({"P": "2"})
    known = [weakref.ref(one) for one in (shell, shell.session.view, shell.page)]
    shell.close()
    del shell

    def forgotten():
        gc.collect()
        return [one() for one in known] == [None, None, None]

    wait_for(forgotten, every=0.2)  # a worker lets go of the run after its present slice


def test_no_widget_belongs_to_two_visitors():
    """Else taking apart what one leaves would take it from the other."""
    one, other = Shell({}), Shell({})
    for page in PAGES:
        one.open(page.name)
        other.open(page.name)
    assert len(one.parts()) > 500 and not one.parts() & other.parts()
    one.close()
    other.close()


def test_what_a_session_leaves_is_taken_apart_later(monkeypatch):
    monkeypatch.setattr(remains, "_waiting", collections.deque())
    shell, document, context = visit()
    widgets, slider = shell.parts(), shell.page.select(pmui.IntSlider)[0]
    leave(document, context)
    assert not remains.take_one_apart(later_s=600.0) and slider.value, "something of it may still be in use"
    assert remains.take_one_apart(later_s=0.0) and not remains.take_one_apart(later_s=0.0)
    assert not any(vars(widget) for widget in widgets)


def test_the_server_leaves_the_models_too(monkeypatch):
    monkeypatch.setattr(remains, "_waiting", collections.deque())
    monkeypatch.setattr(panel_application, "_destroy_document", panel_application._destroy_document)
    remains.keep_models()
    document, model = Document(), Div()
    document.add_root(model)
    document.destroy = lambda session: None  # as the server sets it, and its own function takes it back
    panel_application._destroy_document(document, None)
    assert remains.take_one_apart(later_s=0.0) and not vars(model)

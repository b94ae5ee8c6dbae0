"""What a page costs: folded parts of the drawer are not drawn, and a session that ended leaves nothing behind."""

import gc
import weakref
from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from qfl_explore.dashboards.frame.shell import Shell
from qfl_explore.dashboards.parts.settings import Section
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


def test_the_first_page_has_few_models(visitor):
    assert len(visitor[1].models) < 450, "each takes its time in the server and in the browser"


def test_a_visitor_who_left_is_forgotten():
    shell = Shell({"P": "2"})
    known = [weakref.ref(one) for one in (shell, shell.session.view, shell.page)]
    shell.close()
    del shell

    def forgotten():
        gc.collect()
        return [one() for one in known] == [None, None, None]

    wait_for(forgotten, every=0.2)  # a worker lets go of the run after its present slice

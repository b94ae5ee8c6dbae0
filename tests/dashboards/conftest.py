"""Visitors without a browser; whatever they started ends with the test."""

import pytest

from qfl_explore.dashboards.frame.shell import Shell
from qfl_explore.dashboards.pages import Session, get_page
from qfl_explore.dashboards.runs import live, shared_runs
from tests.dashboards.waiting import TURNS


@pytest.fixture(autouse=True)
def nothing_shared_yet():
    """No run that another test computed is played again."""
    shared_runs.forget()


@pytest.fixture(autouse=True)
def drawn_in_turn(monkeypatch, request):
    """Pages without a document draw where the test waits, not in a worker beside what the test does with them.

    Modules that test the runs themselves say ``DRAWN_BY_WORKERS``.
    """
    if getattr(request.module, "DRAWN_BY_WORKERS", False):
        yield
        return

    def schedule(handle, function):
        if handle._document is None:
            TURNS.append(function)
        else:
            real(handle, function)

    real = live.RunHandle._schedule
    monkeypatch.setattr(live.RunHandle, "_schedule", schedule)
    yield
    TURNS.clear()


@pytest.fixture
def shell():
    """``shell(**query)``: the app as a visitor with this link gets it, the page shown."""
    made = []

    def make(**query):
        made.append(Shell(query))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def page_of(shell, request):
    """``page_of(**query)``: the page that the test module's ``FAST`` names, with those words, inside the app."""
    fast = request.module.FAST
    return lambda **query: shell(**{**fast, **query})._views[fast["page"]]


@pytest.fixture
def page(request):
    """``page(**query)``: the page that the test module's ``PAGE`` names, on its own and not shown yet."""
    made, name = [], request.module.PAGE

    def make(**query):
        made.append(get_page(name).create(Session({"page": name, **query})))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def opened():
    """``opened(name)``: session and page of that name, built once for all tests; hidden, so that nothing runs."""
    made = {}

    def make(name):
        if name not in made:
            session = Session({"page": name})
            view = get_page(name).create(session)
            view.hide()
            session.opened(name, view)
            made[name] = session, view
        return made[name]

    yield make
    for _, view in made.values():
        view.close()

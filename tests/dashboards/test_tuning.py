"""When the server searches for garbage: not while a room of visitors would wait for it."""

import pytest

from qfl_explore.dashboards.runs import remains, tuning


@pytest.fixture
def searches(monkeypatch):
    """Whole searches so far; one session has been closed."""
    found = []
    monkeypatch.setattr(tuning.gc, "collect", lambda: found.append(1))
    monkeypatch.setattr(tuning, "_garbage", {"closed": 0, "since": 0.0})
    monkeypatch.setattr(remains, "_waiting", remains.collections.deque())
    tuning.note_closed()
    return found


def test_nothing_is_searched_while_somebody_is_there(searches):
    tuning.tidy(1)
    assert not searches
    tuning.tidy(0)
    assert len(searches) == 1
    tuning.tidy(0)
    assert len(searches) == 1  # nobody has left since


def test_the_closed_sessions_are_taken_apart_first(searches):
    remains.leave([object()])
    tuning.tidy(0)
    assert not searches


def test_many_closed_sessions_are_searched_in_any_case(searches):
    for _ in range(tuning.MOST_CLOSED - 1):
        tuning.tidy(30)
        assert not searches
        tuning.note_closed()
    tuning.tidy(30)
    assert len(searches) == 1

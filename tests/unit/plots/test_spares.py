"""Spare figures: one's own each time, made again only when nobody opens a page."""

import time

import pytest

from qfl_explore.plots import style
from qfl_explore.plots.style import Spares


@pytest.fixture
def spares(monkeypatch):
    """Figures that are only numbers, with the times at which they were made."""
    made = []

    def copy_of(key, builder):
        if key in "abc":  # not a page's, which is still being made in the background
            made.append((key, time.monotonic()))
        return builder()

    monkeypatch.setattr(style, "copy_of", copy_of)
    monkeypatch.setattr(Spares, "every", [])
    monkeypatch.setattr(Spares, "REST_S", 0.3)
    monkeypatch.setattr(Spares, "_restocking", False)
    one = Spares({"a": object, "b": object})
    one.made = made
    return one


def settled(spares):
    """Waits until nothing is made in the background."""
    end = time.monotonic() + 10.0
    while Spares._restocking:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_nobody_gets_the_figure_of_another(spares):
    spares.fill()
    figures = [spares.take(key) for key in "aabab"]
    assert len({id(figure) for figure in figures}) == 5
    settled(spares)


def test_what_was_taken_is_made_again_after_a_rest(spares):
    spares.fill(("a",))
    spares.take("a")
    time.sleep(0.2)
    spares.take("b")
    last = time.monotonic()
    settled(spares)
    again = [(key, at) for key, at in spares.made if at > last]
    assert sorted(key for key, _ in again) == ["a", "b"]
    assert min(at for _, at in again) >= last + Spares.REST_S - 0.05
    assert sorted(spares._ready) == ["a", "b"]


def test_what_may_be_wanted_is_made_after_a_rest(spares):
    began = time.monotonic()
    spares.fill_later()
    settled(spares)
    assert sorted(spares._ready) == ["a", "b"]
    assert all(at >= began + Spares.REST_S - 0.05 for _, at in spares.made)


def test_after_an_error_the_others_spares_are_made_all_the_same(spares, caplog):
    broken = Spares({"c": lambda: 1 / 0})
    spares.fill(("a",))
    spares.take("a")
    broken._wanted.append("c")
    settled(spares)
    assert list(spares._ready) == ["a"] and not broken._wanted and not broken._ready
    spares.take("b")
    settled(spares)
    assert sorted(spares._ready) == ["a", "b"]


def test_a_wish_that_comes_when_the_last_is_made_is_heard(spares, monkeypatch):
    answers, real = [], Spares._next_wish

    def next_wish():
        answers.append(real())
        if answers.count(None) == 1 and answers[-1] is None:  # the thread is about to end
            spares.fill_later(("a",))
        return answers[-1]

    monkeypatch.setattr(Spares, "_next_wish", next_wish)
    spares.fill_later(("b",))
    end = time.monotonic() + 10.0
    while sorted(spares._ready) != ["a", "b"]:
        assert time.monotonic() < end
        time.sleep(0.005)

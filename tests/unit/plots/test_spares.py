"""Spare figures: one's own each time, made again only when nobody opens a page."""

import threading
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
    monkeypatch.setattr(Spares, "_restocking", threading.Lock())
    one = Spares({"a": object, "b": object})
    one.made = made
    return one


def settled(spares):
    """Waits until nothing is made in the background."""
    assert Spares._restocking.acquire(timeout=10.0)
    Spares._restocking.release()


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


def test_after_an_error_spares_are_still_made(spares, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    broken = Spares({"c": lambda: 1 / 0})
    spares.fill(("a",))
    spares.take("a")
    broken._wanted.append("c")
    settled(spares)
    spares.take("b")
    settled(spares)
    assert set(spares._ready) >= {"b"}

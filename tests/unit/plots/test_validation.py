"""Threads turn Bokeh's checks off and on at the same time; no figure goes wrong."""

import threading

import pytest
from bokeh.core.property import bases
from bokeh.core.property.validation import validate
from bokeh.models import Title
from bokeh.plotting import figure

from qfl_explore.plots.style import use_bokeh


@pytest.fixture(autouse=True)
def _a_picture_is_made():
    use_bokeh()


def _in_a_thread(task):
    found = []
    thread = threading.Thread(target=lambda: found.append(task()))
    thread.start()
    thread.join(30.0)
    return found[0]


def test_a_figure_has_a_title_while_another_thread_checks_nothing():
    with validate(False):
        assert not bases.validation_on()
        other = _in_a_thread(lambda: figure(title="one"))
    assert isinstance(other.title, Title) and other.title.text == "one"
    assert bases.validation_on()


def test_two_threads_that_overlap_leave_the_checks_on():
    first = validate(False)
    second = _in_a_thread(lambda: validate(False))
    first.__exit__(None, None, None)
    _in_a_thread(lambda: second.__exit__(None, None, None))
    assert bases.validation_on()
    assert isinstance(figure(title="two").title, Title)


def test_within_a_thread_blocks_nest_as_before():
    with validate(False):
        with validate(True):
            assert bases.validation_on()
        assert not bases.validation_on()
    assert bases.validation_on()


def test_the_library_is_the_one_that_is_changed():
    """Bokeh asks this function, by this name, before it checks or converts a value."""
    assert "validation_on" in bases.Property.prepare_value.__code__.co_names
    assert "validation_on" in bases.Property.is_valid.__code__.co_names

"""Pages called from Python: however they are imported, with settings, to the end of a run, and as a plain form."""

import importlib
import io
import pydoc
import subprocess
import sys

import ipywidgets
import pytest
from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.models import ColumnDataSource
from PIL import Image

from qfl_explore import dashboards
from qfl_explore.dashboards.jupyter.notebook import NotebookPage
from qfl_explore.dashboards.link import words_of
from qfl_explore.dashboards.pages import PAGES, states_of
from qfl_explore.dashboards.runs.kernel import without_repeats
from qfl_explore.plots import static
from tests.dashboards.waiting import wait_for

DRAWN_BY_WORKERS = True  # `page.wait` does
SHORT = {"P": 1, "k": 1, "steps": 50, "train": 32}
each = pytest.mark.parametrize("name", [page.name for page in PAGES])


@pytest.fixture
def made():
    """What a test opened; closed after it."""
    opened = []
    yield lambda one: opened.append(one) or one
    for one in opened:
        one.close()


# how they are called


@each
def test_every_page_is_a_package_that_can_be_called(name):
    module = importlib.import_module(f"qfl_explore.dashboards.{name}")
    assert getattr(dashboards, name) is module
    assert callable(module)
    assert f"dashboards.{name}()" in pydoc.render_doc(module, renderer=pydoc.plaintext)
    assert set(module.settings()["word"]) == set(words_of(name))


@pytest.mark.parametrize(
    "line",
    [
        "import qfl_explore.dashboards.polynomial as polynomial",
        "from qfl_explore.dashboards import polynomial",
        "import qfl_explore.dashboards.polynomial.code, qfl_explore.dashboards as d; polynomial = d.polynomial",
        "import importlib; polynomial = importlib.import_module('qfl_explore.dashboards.polynomial')",
    ],
)
def test_whichever_import_comes_first(line):
    code = f"{line}\nassert callable(polynomial) and polynomial.settings().shape[1] == 5"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_completion_offers_the_pages_and_their_signature():
    from inspect import signature

    from IPython.core.completer import IPCompleter, provisionalcompleter

    completer = IPCompleter(namespace={"dashboards": dashboards}, use_jedi=False)
    with provisionalcompleter():
        offered = {one.text.rpartition(".")[2] for one in completer.completions("dashboards.", 11)}
    assert {page.name for page in PAGES} <= offered
    assert not offered & {"sys", "importlib", "Path"}
    assert "form" in signature(dashboards.polynomial).parameters


def test_the_settings_say_what_is_possible():
    told = dashboards.noise.settings().set_index("word")
    assert told.loc["P", "name"] == "degree"
    assert told.loc["check", "values"] == "True, False"
    assert "depolarizing" in told.loc["noise_kind", "values"]
    low, high = told.loc["train", "values"].split(" to ")
    assert int(low) < int(high)


def test_a_page_has_the_settings_of_its_call_by_word_name_and_link(made):
    page = made(dashboards.polynomial("?k=2", P=2, n_train=64))
    assert isinstance(page, NotebookPage)
    assert (page.settings["degree"], page.settings["target_degree"], page.settings["n_train"]) == (2, 2, 64)
    assert "P=2" in page.link
    assert page.config().fusion.degree == 2
    compile(page.code, "snippet", "exec")
    for wrong, told in (({"degre": 2}, "did you mean"), ({"P": 99}, "out of range"), ({"theme": "blue"}, "theme")):
        with pytest.raises(ValueError, match=told):
            dashboards.polynomial(**wrong)


def test_a_run_gives_its_table_and_result_without_a_browser(made):
    page = made(dashboards.polynomial(**SHORT))
    assert (page.table(), page.result) == (None, None)
    assert page.wait(60) is page
    assert page.state == "done"
    assert page.table()["step"].iloc[-1] == SHORT["steps"]
    assert page.result is not None


def test_rows_are_not_sent_twice_when_the_browser_comes_late():
    document, source, other = Document(), ColumnDataSource({"x": [0]}), ColumnDataSource({"x": [0]})
    document.add_root(source)
    document.add_root(other)
    document.hold("combine")
    source.data = {"x": [1]}
    source.stream({"x": [2, 3]})
    other.stream({"x": [1]})
    without_repeats(document)
    whole, added = document.callbacks._held_events
    assert (whole.model, whole.kind, added.model, added.kind) == (source, "ColumnDataChanged", other, "ColumnsStreamed")
    assert whole.to_serializable(Serializer())["data"]["entries"] == [("x", [1, 2, 3])]  # with the rows added later


# the form


@pytest.fixture
def form(made):
    """A form of a short page, not run."""
    return made(dashboards.polynomial(form=True, **SHORT))


def test_a_form_has_a_widget_for_every_setting(form):
    assert set(form.widgets) == set(words_of("polynomial").values())
    assert all(isinstance(widget, ipywidgets.ValueWidget) for widget in form.widgets.values())
    assert form.widgets["degree"].value == 1
    assert "application/vnd.jupyter.widget-view+json" in form._repr_mimebundle_()


def test_a_form_runs_and_shows_a_still_picture_and_the_table(form):
    form.run_button.click()
    form.page.wait(60)
    assert Image.open(io.BytesIO(form.picture.value)).width > 800
    assert form.picture.layout.visibility == "visible"
    assert form.progress.value == 100
    assert "<table" in form.rows.value
    assert form.stop_button.disabled
    wait_for(lambda: form.page._document.drain() or "R²" in form.headline.value)  # another job computes the ceiling


def test_a_form_follows_both_ways_and_says_what_cannot_be(form):
    form.widgets["degree"].value = 2
    assert form.page.settings["degree"] == 2
    assert "press Run" in form.status.value
    form.page.set(P=3)
    assert form.widgets["degree"].value == 3
    form.widgets["target"].value = "formula"
    form.widgets["formula"].value = "import os"
    assert form.page.settings["target"] == "formula"
    form.run_button.click()
    with pytest.raises(RuntimeError):
        form.page.wait(60)
    assert "color:" in form.status.value
    assert "Traceback" not in form.status.value


def test_a_form_can_be_run_again_with_other_settings(form):
    form.run_button.click()
    form.page.wait(60)
    form.widgets["n_steps"].value = 60
    form.run_button.click()
    form.page.wait(60)
    assert form.page.table()["step"].iloc[-1] == 60


def test_a_page_that_computes_nothing_has_no_form():
    with pytest.raises(ValueError, match=r"no plain form\. Expected: .* Received: 'teach'"):
        dashboards.teach(form=True)


def test_a_form_of_another_page_runs_to_its_end(made):
    form = made(dashboards.gradient_variance(form=True, upto=4, precision=0.1))
    form.run_button.click()
    form.page.wait(60)
    assert form.progress.value == 100 and "finished" in form.status.value
    assert "variance ∝" in form.headline.value and len(form.page.table()) == 6
    assert Image.open(io.BytesIO(form.picture.value)).width > 800


@each
def test_every_figure_of_every_page_can_be_drawn_still(opened, name):
    _, view = opened(name)
    parts = [view, *getattr(view, "parts", {}).values()] if isinstance(getattr(view, "parts", None), dict) else [view]
    for part in parts:
        for figure in getattr(part, "figures", {}).values():
            kinds = {type(renderer.glyph).__name__ for renderer in figure.renderers.values()}
            assert kinds <= set(static._GLYPHS), kinds
    assert states_of(view) is not None

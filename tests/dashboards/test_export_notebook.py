"""Pages as notebooks: the page's config in every one, cells that compile, and three pages run in one session."""

import ast
import io

import nbformat
import pytest
from nbclient import NotebookClient

from qfl_explore.dashboards.pages import PAGES, states_of
from qfl_explore.dashboards.share.drawings import DRAWN
from qfl_explore.dashboards.share.notebook import OWN_TABLE, as_file, chapter, notebook
from qfl_explore.dashboards.share.views import exported, written
from qfl_explore.experiments.polynomial import PolynomialConfig

BASE = "http://room/app"
#: Page and words; the views whose snippets or pictures differ.
CASES = [
    *({"page": page.name, "P": "2"} for page in PAGES if page.name not in ("separation", "sweeps", "teach")),
    {"page": "polynomial", "M": "2", "target": "formula", "formula": "cos(x1)*x2 | <b>`x`"},
    {"page": "gradient_variance", "view": "training", "layerwise": "1"},
    {"page": "gradient_variance", "view": "angles"},
    *({"page": "separation", "part": part} for part in ("queries", "learning", "rank", "signal")),
    {"page": "encoding", "view": "degrees"},
    {"page": "noise", "task": "separation", "upto": "2"},
    {"page": "sweeps", "seeds": "1"},
]


@pytest.fixture
def made(opened):
    """``made(query)``: session and page with these words; back at the defaults after the test."""
    touched = []

    def reset(view):
        for state in states_of(view):
            state.param.update(**{name: getattr(type(state)(), name) for name in state.URL})

    def make(query):
        session, view = opened(query["page"])
        touched.append(view)
        reset(view)
        for state in states_of(view):
            assert state.apply_query(query) == []
        return session, view

    yield make
    for view in touched:
        reset(view)


def code_of(found):
    return [cell.source for cell in found.cells if cell.cell_type == "code"]


def config_of(snippet):
    """What the snippet calls ``config`` (or ``grid``), without running the experiment."""
    wanted = (ast.Import, ast.ImportFrom)
    tree = ast.parse(snippet)
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, wanted) or (isinstance(node, ast.Assign) and node.targets[0].id in ("config", "grid"))
    ]
    scope = {}
    exec(compile(tree, "snippet", "exec"), scope)
    return scope.get("config", scope.get("grid"))


def page_config(query, view):
    if query["page"] == "circuit":
        return view.state.fusion_config()
    source = getattr(view, "part", view)
    found = source.config()
    return getattr(found, "grid", found)


@pytest.mark.parametrize("query", CASES, ids=lambda query: "-".join(query.values())[:40])
def test_the_notebook_has_the_page_s_config_link_and_notes(made, query):
    session, view = made(query)
    one = chapter(session, query["page"], view, BASE)
    found = notebook([one])
    nbformat.validate(found)
    assert config_of(one.snippet) == page_config(query, view)
    for source in code_of(found):
        compile(source, "cell", "exec")
        assert len(source.splitlines()) <= 26
    text = "\n".join(cell.source for cell in found.cells if cell.cell_type == "markdown")
    assert one.link in text and "### What this shows, and what it does not" in text and "| numpy |" in text
    assert "<b>" not in text and not any(escape in text for escape in ("\\u", "\\x", "\\N"))
    assert as_file(found).read() == as_file(notebook([one])).read()


def test_every_page_that_computes_can_be_exported():
    assert set(DRAWN) == {page.name for page in PAGES} - {"teach"}  # which computes nothing


def test_an_own_table_is_not_in_the_notebook(made):
    session, view = made({"page": "polynomial"})
    session.polynomial.target = "table"
    one = chapter(session, "polynomial", view, BASE)
    assert OWN_TABLE in one.notes and "read_table('your.csv')" in one.snippet
    assert isinstance(config_of(one.snippet), PolynomialConfig)


def test_a_page_that_is_not_possible_is_left_out_with_a_notice(shell):
    made = shell(page="noise", M="15", D="4")
    made.open("circuit")
    found = nbformat.reads(written(made.session, exported(made.session)).read(), 4)
    assert "noise is not in the notebook: the register is too large" in made.session.notice
    assert [cell.source.splitlines()[0] for cell in found.cells if cell.source.startswith("## ")] == ["## Circuit"]


def test_a_grid_that_cannot_run_is_no_notebook(made):
    session, view = made({"page": "sweeps", "settings": "noise = 0"})  # the axis of the pictures is noise, too
    with pytest.raises(ValueError, match="a setting is given twice"):
        chapter(session, "sweeps", view, BASE)


def test_a_session_of_three_pages_runs(shell):
    made = shell(steps="10", train="16")
    made.open("separation")
    made._views["separation"].state.param.update(part="signal", signal_engine="batched")
    made.open("gradient_variance")
    made._views["gradient_variance"].state.param.update(view="angles", precision=0.1)
    text = written(made.session, exported(made.session)).read()
    made.close()
    found = nbformat.read(io.StringIO(text), 4)
    NotebookClient(found, timeout=300).execute()
    printed = [str(output) for cell in found.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("test_r2" in one for one in printed)
    drawn = [one for one in printed if "application/vnd.holoviews_exec" in one or "text/html" in one]
    assert len(drawn) >= 6

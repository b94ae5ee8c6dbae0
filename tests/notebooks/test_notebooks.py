"""The notebooks are one course of clean, short cells; and each runs from top to bottom."""

import ast
import re

import nbformat
import pytest
from nbclient import NotebookClient

from qfl_explore.dashboards.pages import get_page
from tests.notebooks.course import FOLDER, NOTEBOOKS, each, environment

MAX_LINES = 20
#: Seconds for a cell. Where an answer's arrival goes unnoticed (pyzmq's issue 2173) this is also when it is looked for.
PATIENCE_S = 60
#: What every notebook says at its top, and how it ends.
TOP = ("You will learn", "You need", "Time", "In the app")
END = ("Whose statements, and what they do not show", "Exercises", "The same, live")
#: In the column "whose".
SOURCES = re.compile(r"paper|ours|arXiv|Acín|textbooks|Dask|cirq_google")
SOLUTION = re.compile(r"<details>.*?</details>", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)

pytestmark = pytest.mark.notebook


def _cells(path, kind):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def _text(path):
    return "\n\n".join(cell.source for cell in _cells(path, "markdown"))


def _last(path):
    return _cells(path, "code")[-1].source


def _solutions(path):
    hidden = [block for cell in _cells(path, "markdown") for block in SOLUTION.findall(cell.source)]
    return [block for text in hidden for block in PYTHON.findall(text)]


def test_there_are_notebooks():
    assert FOLDER / "01_polynomial_expressivity.ipynb" in NOTEBOOKS


@each
def test_no_outputs_are_committed(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert len({cell["id"] for cell in notebook.cells}) == len(notebook.cells)
    assert all(cell.source.strip() for cell in notebook.cells)
    assert "widgets" not in notebook.metadata
    for cell in _cells(path, "code"):
        assert cell.outputs == []
        assert cell.execution_count is None


@each
def test_cells_are_short_python_without_magics(path):
    for cell in _cells(path, "code"):
        assert len(cell.source.splitlines()) <= MAX_LINES, cell.source
        assert not re.search(r"^\s*[%!]", cell.source, re.MULTILINE), cell.source
        ast.parse(cell.source)


@each
def test_the_first_code_cell_holds_the_preset(path):
    source = _cells(path, "code")[0].source
    for preset, variables in (("tiny", {"QFL_PRESET": "tiny"}), ("full", {"QFL_PRESET": ""})):
        names = {}
        code = source.replace("os.environ", repr(variables))
        exec(compile(code, str(path), "exec"), names)
        assert names["PRESET"] == preset


@each
def test_the_top_states_goals_prerequisites_and_time(path):
    top = _cells(path, "markdown")[0].source
    assert top.startswith(f"# {int(path.name[:2])} · ")
    for word in TOP:
        assert f"| **{word}** |" in top
    assert "**Our construction:**" in top
    (needed,) = re.findall(r"\| \*\*You need\*\* \|(.*)", top)
    earlier = re.findall(r"\]\((\d\d)_\w+\.ipynb\)", needed)
    assert all(number < path.name[:2] for number in earlier)
    assert earlier or path.name.startswith("01")


def test_all_notebooks_are_set_up_by_the_same_cell():
    assert len({_cells(path, "code")[2].source for path in NOTEBOOKS}) == 1


@each
def test_sections_are_numbered_and_end_alike(path):
    text, chapter = _text(path), int(path.name[:2])
    sections = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert [name.split()[0] for name in sections] == [f"{chapter}.{i + 1}" for i in range(len(sections))]
    assert tuple(name.partition(" ")[2] for name in sections[-3:]) == END
    named = re.findall(rf"(?:[Ss]ection|see|here|of|in|\() ?({chapter}\.\d+)\b", text)
    assert set(named) <= {name.split()[0] for name in sections}


@each
def test_it_says_whose_each_statement_is(path):
    table = _text(path).partition("| statement | whose |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    owners = [row.strip("| ").rpartition(" | ")[2] for row in table]
    assert all(SOURCES.search(owner) for owner in owners), owners
    assert any("ours, measured" in owner or "all scores" in row for owner, row in zip(owners, table, strict=True))


@each
def test_links_lead_to_something_and_on_to_the_next_notebook(path):
    text = _text(path)
    local = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [link for link in local if not (FOLDER / link).exists()] == []
    after = NOTEBOOKS[NOTEBOOKS.index(path) + 1 :]
    assert text.count("**Next:**") == 1
    assert not after or after[0].name in text.partition("**Next:**")[2]


@each
def test_the_last_cell_is_a_page_of_the_app(path):
    called = re.fullmatch(r"from qfl_explore import dashboards\n\npage = dashboards\.(\w+)\(.*\)\npage", _last(path))
    assert called
    assert f"the page *{get_page(called[1]).title}*" in _cells(path, "markdown")[0].source


@each
def test_exercises_have_hidden_solutions(path):
    text = _text(path).partition("Exercises\n")[2]
    numbers = re.findall(r"^\*\*(\d+)\.\*\* ", text, re.MULTILINE)
    assert numbers == [str(i + 1) for i in range(len(numbers))]
    assert text.count("<details><summary>Solution</summary>") == text.count("</details>") == len(numbers) >= 3
    # Markdown inside <details> is only rendered after an empty line
    assert not re.search(r"</summary>\n[^\n]", text)
    assert len(_solutions(path)) == len(numbers)


@each
def test_it_runs_from_top_to_bottom_and_so_do_its_solutions(path, tmp_path):
    notebook = nbformat.read(path, 4)
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in _solutions(path)]
    client = NotebookClient(
        notebook, timeout=PATIENCE_S, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute(env=environment(tmp_path))
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    # ipywidgets keeps what a control draws, errors included, in the state of its output area
    states = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for state in states.values():
        outputs += state["state"].get("outputs", [])
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]
    figures = [output for output in outputs if "application/vnd.holoviews_exec.v0+json" in output.get("data", {})]
    assert len(figures) >= 10
    (page,) = [cell for cell in notebook.cells if cell.source == _last(path)]
    assert any("application/vnd.holoviews_exec.v0+json" in output["data"] for output in page.outputs)

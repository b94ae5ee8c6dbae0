"""Every notebook is clean, short-celled and free of magics, runs from top to bottom, and is served by Panel."""

import ast
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MAX_LINES = 20
SOLUTION = re.compile(r"<details>.*?</details>", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)

pytestmark = pytest.mark.notebook
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def _cells(path, kind):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def _solutions(path):
    hidden = [block for cell in _cells(path, "markdown") for block in SOLUTION.findall(cell.source)]
    return [block for text in hidden for block in PYTHON.findall(text)]


def _environment(tmp_path):
    return os.environ | {"QFL_PRESET": "tiny", "OMP_NUM_THREADS": "1", "IPYTHONDIR": str(tmp_path)}


def test_there_are_notebooks():
    assert FOLDER / "01_polynomial_expressivity.ipynb" in NOTEBOOKS


@each
def test_no_outputs_are_committed(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
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
    for preset, environment in (("tiny", {"QFL_PRESET": "tiny"}), ("full", {"QFL_PRESET": ""})):
        names = {}
        code = source.replace("os.environ", repr(environment))
        exec(compile(code, str(path), "exec"), names)
        assert names["PRESET"] == preset


@each
def test_the_top_states_goals_prerequisites_and_time(path):
    top = _cells(path, "markdown")[0].source
    for word in ("You will learn", "You need", "Time"):
        assert word in top


@each
def test_exercises_have_hidden_solutions(path):
    text = "\n".join(cell.source for cell in _cells(path, "markdown"))
    assert text.count("<details>") == text.count("</details>") >= 3
    # Markdown inside <details> is only rendered after an empty line
    assert not re.search(r"</summary>\n[^\n]", text)
    assert _solutions(path)


@each
def test_it_runs_from_top_to_bottom_and_so_do_its_solutions(path, tmp_path):
    notebook = nbformat.read(path, 4)
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in _solutions(path)]
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute(env=_environment(tmp_path))
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    # ipywidgets keeps what a control draws, errors included, in the state of its output area
    states = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for state in states.values():
        outputs += state["state"].get("outputs", [])
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]
    figures = [output for output in outputs if "application/vnd.holoviews_exec.v0+json" in output.get("data", {})]
    assert len(figures) >= 10


@each
def test_panel_serves_it(path, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log.txt"
    command = [sys.executable, "-m", "panel", "serve", str(path), "--address=127.0.0.1", f"--port={port}"]
    with log.open("w") as stream:
        server = subprocess.Popen(command, env=_environment(tmp_path), cwd=tmp_path, stdout=stream, stderr=stream)
    try:
        page = _fetch(f"http://127.0.0.1:{port}/{path.stem}", server)
    finally:
        server.terminate()
        server.wait(20)
    assert page.count("data-root-id") >= 10, log.read_text()[-3000:]
    assert "Traceback" not in log.read_text()
    assert "error" not in log.read_text().lower()


def _fetch(url, server, patience=120):
    """The page's text; the server runs the whole notebook before it answers."""
    end = time.monotonic() + patience
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=patience) as answer:
                return answer.read().decode()
        except urllib.error.URLError as problem:
            if isinstance(problem, urllib.error.HTTPError):
                pytest.fail(f"the server answered {problem}")
            time.sleep(0.3)
    pytest.fail(f"no answer from {url}")

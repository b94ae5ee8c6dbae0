"""``qfl-explore notebooks``: lists and copies the course, and never replaces a file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import qfl_explore
from qfl_explore.cli.commands import app
from qfl_explore.cli.notebooks import find_notebooks

COURSE = sorted((Path(__file__).parents[3] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, ["notebooks", *map(str, arguments)], prog_name="qfl-explore")


def test_a_line_for_each_notebook_with_its_title(run):
    lines = run("--list").output.splitlines()
    assert [line.split()[0] for line in lines] == [path.name for path in COURSE]
    assert lines[0].endswith("1 · From one rotation to the wall")


def test_copies_are_the_same_and_the_folder_is_made(run, tmp_path):
    done = run(tmp_path / "a" / "course")
    assert done.exit_code == 0 and "9 notebooks are in" in done.output
    copies = sorted((tmp_path / "a" / "course").iterdir())
    assert [copy.name for copy in copies] == [path.name for path in COURSE]
    assert all(copy.read_bytes() == path.read_bytes() for copy, path in zip(copies, COURSE, strict=True))


def test_nothing_is_replaced_and_nothing_is_copied_half(run, tmp_path):
    mine = tmp_path / COURSE[3].name
    mine.write_text("my own work")
    done = run(tmp_path)
    assert done.exit_code == 2 and mine.read_text() == "my own work"
    assert list(tmp_path.iterdir()) == [mine]
    assert done.stderr.startswith("Error: Nothing was copied. Expected: a folder without notebooks of these names")
    assert COURSE[3].name in done.stderr.split("Received: ")[1]


def test_a_file_is_no_folder(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run(tmp_path / "file")
    assert done.exit_code == 2 and "Expected: a folder. Received: the file" in done.stderr


def test_an_installed_package_has_them_inside(tmp_path, monkeypatch):
    inside = tmp_path / "qfl_explore" / "notebooks"
    inside.mkdir(parents=True)
    monkeypatch.setattr(qfl_explore, "__file__", str(tmp_path / "qfl_explore" / "__init__.py"))
    with pytest.raises(FileNotFoundError, match="not here. Expected: notebooks in the installed package"):
        find_notebooks()
    (inside / "01_a.ipynb").write_text("{}")
    assert find_notebooks() == [inside / "01_a.ipynb"]

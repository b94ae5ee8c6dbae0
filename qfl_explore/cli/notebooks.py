"""The notebooks of the course, for ``qfl-explore notebooks``: which there are, and copies to work in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import qfl_explore
from qfl_explore.errors import invalid


def find_notebooks() -> list[Path]:
    """The notebooks that came with this installation, in the order of the course.

    An installed package has them inside; a checkout has them beside the package.

    Raises:
        FileNotFoundError: there are none.
    """
    package = Path(qfl_explore.__file__).parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
        if found:
            return found
    raise invalid("The notebooks are not here", "notebooks in the installed package", str(package), FileNotFoundError)


def title(path: Path) -> str:
    """The first heading of a notebook."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("# "):
                return line.removeprefix("# ").strip()
    return path.stem


def listing() -> str:
    """A line for each notebook: file and title."""
    found = find_notebooks()
    width = max(len(path.name) for path in found)
    return "\n".join(f"{path.name:<{width}}  {title(path)}" for path in found)


def copy_out(folder: Path) -> list[Path]:
    """Copies all notebooks into a folder, which is made where it is missing.

    Args:
        folder: where to; nothing in it is ever replaced.

    Returns:
        The copies.

    Raises:
        FileExistsError: the folder has a file of the same name; then nothing is copied at all.
        NotADirectoryError: the path is a file.
    """
    found = find_notebooks()
    if folder.exists() and not folder.is_dir():
        raise invalid("Notebooks cannot be copied there", "a folder", f"the file {folder}", NotADirectoryError)
    taken = [path.name for path in found if (folder / path.name).exists()]
    if taken:
        expected = "a folder without notebooks of these names, so that nothing of yours is lost"
        raise invalid("Nothing was copied", expected, f"{folder} with {', '.join(taken)}", FileExistsError)
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(path, folder / path.name)) for path in found]

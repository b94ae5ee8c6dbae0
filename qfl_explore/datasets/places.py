"""Where files of data sets lie, and what is said when they do not."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from qfl_explore.errors import invalid

#: A folder that holds one folder for each data set.
VARIABLE = "QFL_EXPLORE_DATA"
#: What a download writes into its folder: from where, when, under which licence, with which checksums.
RECORD = "download.json"


class MissingData(FileNotFoundError, ValueError):
    """The files of a data set are not here. A `FileNotFoundError` whose message has three parts."""


def data_root() -> Path:
    """What ``QFL_EXPLORE_DATA`` says; else ``data/`` of the checkout; else a folder of the user's own."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    checkout = Path(__file__).resolve().parents[2] / "data"
    if (checkout / "README.md").is_file():
        return checkout
    import platformdirs

    return Path(platformdirs.user_data_dir("qfl-explore", appauthor=False)) / "data"


def find_folder(name: str, folders: tuple[str, ...], folder: str | Path | None = None) -> Path:
    """The folder that holds a data set's files.

    Args:
        name: of the data set.
        folders: names that it may have under the root, the preferred one first.
        folder: the user's own choice, which needs no particular name; ``None`` to look under the root.

    Returns:
        A folder that exists.

    Raises:
        MissingData: there is none.
    """
    if folder is not None:
        if Path(folder).expanduser().is_dir():
            return Path(folder).expanduser()
        raise missing(name, f"the folder {folder}", "no such folder")
    root = data_root()
    for candidate in folders:
        if (root / candidate).is_dir():
            if not fetched(root / candidate).get("complete", True):
                raise missing(name, f"all of its files in {root / candidate}", "a download that did not end")
            return root / candidate
    raise missing(name, f"its files in {root / folders[0]}", "no such folder")


def fetched(folder: Path) -> dict[str, Any]:
    """What a download wrote into a folder; empty where the user put the files there."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    return {}


def find_file(name: str, folder: Path, files: tuple[str, ...]) -> Path:
    """The first of some files that exists in a folder.

    Raises:
        MissingData: none of them does.
    """
    for file in files:
        if (folder / file).is_file():
            return folder / file
    raise missing(name, " or ".join(str(folder / file) for file in files), "no such file")


def missing(name: str, expected: str, received: str) -> MissingData:
    """Builds the error that says what is not here and how to get it."""
    hint = f"{expected} (`qfl-explore data get {name}` fetches or explains them; data/README.md says what goes where)"
    return invalid(f"the data of {name!r} are not here", hint, received, MissingData)

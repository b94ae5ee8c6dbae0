"""What a visitor did, as a notebook that runs: link, settings, the page's own Python, its pictures, its honest notes.

Nothing of a visitor's own data is put into it; where there were some, the notebook says where the file goes.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import io
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.link import query_of
from qfl_explore.dashboards.pages import Session, View, get_page, states_of
from qfl_explore.dashboards.share.drawings import cells, notes

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Packages whose versions the notebook names.
PACKAGES = (
    "qfl-explore",
    "numpy",
    "cirq-core",
    "pyqsp",
    "qsimcirq",
    "tensorflow-quantum",
    "holoviews",
    "bokeh",
    "panel",
)
SETUP = """\
import holoviews as hv
import panel as pn

hv.extension("bokeh", inline=True, logo=False)
pn.extension(inline=True)


def show(picture):
    # below the cell, with nothing fetched from the network; each picture keeps its own axes
    return pn.pane.HoloViews(picture, linked_axes=False)"""
OWN_TABLE = (
    "**Your own table is not in this notebook.** Put the CSV file beside it and write its name where it says "
    "`your.csv`: a header row, then numbers, the last column being the target."
)
OWN_FOLDER = (
    "**Your own data are not in this notebook.** Put `labels.csv` and one CSV file a modality, or one NPZ archive, "
    "into the folder `own_folder` of the data folder; `data/README.md` says how."
)


@dataclasses.dataclass(frozen=True)
class Chapter:
    """One page in a notebook.

    Attributes:
        page: name in the registry.
        link: address that opens the page with these settings.
        settings: label -> value as the link says it, of all settings.
        snippet: Python that computes.
        drawings: Python cells that draw.
        notes: paragraphs of Markdown.
    """

    page: str
    link: str
    settings: dict[str, str]
    snippet: str
    drawings: list[str]
    notes: list[str]


def chapter(session: Session, page: str, view: View, base: str) -> Chapter:
    """A page as it is now.

    Args:
        session: what the pages share.
        page: name in the registry.
        view: of the page.
        base: the app's address, before the question mark.

    Raises:
        ValueError: the settings are not possible together.
    """
    state = states_of(view)[0]
    source = getattr(view, "part", view)  # a page of parts hands out what the open part has
    needs = _needs(page, state)
    if needs not in (OWN_TABLE, OWN_FOLDER) and hasattr(source, "config"):
        source.config()  # type: ignore[attr-defined]  # raises where a notebook of it could not run
    found = [needs, *notes(page, state)]
    return Chapter(
        page,
        base + query_of(session.link_words(page, view.query())),
        settings_of(view),
        source.snippet(),  # type: ignore[attr-defined]
        cells(page, state),
        [text for text in found if text],
    )


def settings_of(view: View) -> dict[str, str]:
    """Label -> value of what differs from the defaults, as a link says it."""
    labels = {word: state.param[name].doc or name for state in states_of(view) for name, word in state.URL.items()}
    return {f"{labels[word]} ({word})": text for word, text in view.query().items()}


def _needs(page: str, state: Any) -> str:
    """Where the notebook's reader gets what it reads."""
    if page == "polynomial" and state.target == "table":
        return OWN_TABLE
    if page == "real_data" and state.dataset == "own_folder":
        return OWN_FOLDER
    if page in ("real_data", "systems"):
        return (
            "Data sets that are not part of the package have to be on the machine that runs this: "
            "`qfl-explore data get NAME` fetches them or says where their files go."
        )
    return ""


def notebook(chapters: list[Chapter]) -> NotebookNode:
    """A notebook of these pages, in their order.

    Args:
        chapters: at least one.
    """
    from nbformat import v4

    titles = [get_page(one.page).title for one in chapters]
    head = [f"# qfl_explore: {titles[0] if len(titles) == 1 else 'a session'}", ""]
    head += ["What the app's pages showed, as Python that computes and draws it again."] + ["", _versions()]
    made = [v4.new_markdown_cell("\n".join(head)), v4.new_code_cell(SETUP)]
    for title, one in zip(titles, chapters, strict=True):
        made.append(v4.new_markdown_cell(_introduction(title, one)))
        made += [v4.new_code_cell(source.strip()) for source in (one.snippet, *one.drawings)]
        made.append(v4.new_markdown_cell("### What this shows, and what it does not\n\n" + "\n\n".join(one.notes)))
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number}"  # the same settings give the same file
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def as_file(found: NotebookNode) -> io.StringIO:
    """A notebook as what is downloaded."""
    import nbformat

    return io.StringIO(nbformat.writes(found))


def _introduction(title: str, one: Chapter) -> str:
    lines = [f"## {title}", "", f"The page: <{one.link}>", ""]
    if one.settings:
        lines += ["What differs from the defaults:", "", *_table(("setting", "value"), one.settings)]
    else:
        lines.append("All settings are at their defaults.")
    return "\n".join(lines)


def _versions() -> str:
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "\n".join(["Written with:", "", *_table(("package", "version"), found)])


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> list[str]:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return [*lines, *(f"| {_plain(name)} | {_plain(value)} |" for name, value in rows.items())]


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is: whatever a visitor typed is no markup."""
    return "".join(letter if letter.isalnum() or letter in " .,:;-+=" else f"&#{ord(letter)};" for letter in text)

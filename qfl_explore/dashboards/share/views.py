"""What every page offers for others: a link to a part of it, and a notebook that runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui

from qfl_explore.dashboards.pages import Session, View
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import message

HOW = (
    "A notebook with the settings, the link, the page's own Python and its pictures. It computes everything again; "
    "your own files are not in it. To run it: an environment with qfl-explore and JupyterLab."
)


def views_of(session: Session) -> dict[str, tuple[str, str, Callable[[], Any]]]:
    """Views for `take_along.TakeAlong`: name -> label, icon, and what makes it when a visitor asks for it.

    Args:
        session: what the pages share.
    """

    def exercise() -> Any:
        from qfl_explore.dashboards.share.exercise import Picker
        from qfl_explore.dashboards.share.take_along import base_address

        return Picker(session, base_address)

    return {
        "notebook": ("Notebook", "menu_book", lambda: notebook_view(session)),
        "exercise": ("Exercise link", "school", exercise),
    }


def notebook_view(session: Session) -> pmui.Column:
    """Two downloads: the page that is open, and every page that the visitor opened."""
    from qfl_explore.dashboards.parts.buttons import download

    page, view = session.page, session.view
    pages = exported(session)
    one = download(lambda: written(session, [(page, view)] if view else []), f"{page}.ipynb", "This page")
    every = download(lambda: written(session, exported(session)), "session.ipynb", f"All {len(pages)} opened pages")
    buttons = [one, every] if len(pages) > 1 else [one]
    return pmui.Column(
        Text(HOW, size=13), pmui.FlexBox(*buttons, gap="8px", margin=(4, 10)), sizing_mode="stretch_width"
    )


def exported(session: Session) -> list[tuple[str, View]]:
    """The pages that were opened, in that order, and that compute something."""
    from qfl_explore.dashboards.share.drawings import DRAWN

    return [(page, view) for page, view in session.visited if page in DRAWN]


def written(session: Session, pages: list[tuple[str, View]]) -> io.StringIO:
    """Pages as a notebook; one whose settings are not possible is left out, and the visitor is told.

    Args:
        session: what the pages share.
        pages: name and view of each.
    """
    from qfl_explore.dashboards.share.notebook import as_file, chapter, notebook
    from qfl_explore.dashboards.share.take_along import base_address

    chapters, problems = [], []
    for page, view in pages:
        try:
            chapters.append(chapter(session, page, view, base_address()))
        except (ValueError, TypeError, ImportError) as error:
            problems.append(f"{page} is not in the notebook: {message(error)}")
    if problems:
        session.notify(" ".join(problems), "error")
    return as_file(notebook(chapters)) if chapters else io.StringIO("")

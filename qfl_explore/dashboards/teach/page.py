"""The page Teach: lesson plans with links, a worksheet to print, all presets, tours and words."""

from __future__ import annotations

from itertools import chain
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parameters import MAX_TEXT
from qfl_explore.dashboards.parts.settings import section
from qfl_explore.dashboards.parts.terms import STYLE
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.run_page import from_link
from qfl_explore.dashboards.teach import text
from qfl_explore.dashboards.teach.state import TeachState
from qfl_explore.teaching.content import glossary, lessons, presets, tours
from qfl_explore.teaching.model import Term, plain


def create(session: Session) -> TeachPage:
    """The registry's factory."""
    return TeachPage(session)


def found(asked: str) -> list[Term]:
    """Terms whose name, forms or explanation hold the text; all for an empty one."""
    asked = asked.strip().lower()
    return [term for term in glossary() if asked in " ".join((term.plain, *term.forms, plain(term.source))).lower()]


class TeachPage:
    """One visitor's page; see `pages.View` for what the app expects. Nothing is computed here."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = from_link(session, "teach", TeachState())
        look: dict[str, Any] = {"stylesheets": [STYLE, text.STYLE], "sizing_mode": "stretch_width", "margin": (4, 12)}
        self.plan, self.words = pn.pane.HTML("", **look), pn.pane.HTML("", **look)
        self.sheets = pn.pane.HTML("", **look)
        choice = pmui.RadioButtonGroup.from_param(
            self.state.param.lesson, label="", description="", margin=(10, 12), sizing_mode="stretch_width"
        )
        find = pmui.TextInput.from_param(
            self.state.param.find, label="Find a word", description="", size="small", margin=(12, 12, 8, 12)
        )
        find.sizing_mode = "stretch_width"
        control(self.state, "lesson", choice)
        control(self.state, "find", find)
        find.param.watch(lambda event: self.state.param.update(find=event.new[:MAX_TEXT]), "value_input")
        all_presets = pn.pane.HTML(text.listed_presets(chain.from_iterable(presets().values())), **look)
        self.main = [
            pmui.Column(
                Text(text.INTRO, size=14),
                Text(text.WHOSE, size=13, margin=(4, 10, 8, 10)),
                self.sheets,
                self.plan,
                section("Guided tours of all pages", pn.pane.HTML(text.listed_tours(tours().values()), **look)),
                section("Presets of all pages", all_presets, collapsed=True),
                section("Words", find, self.words),
                margin=(8, 12),
                sizing_mode="stretch_width",
            )
        ]
        self.sidebar = [section("Lesson", choice)]
        self._draw_lesson()
        self._draw_words()
        self.state.param.watch(lambda _: self._draw_lesson(), "lesson")
        self.state.param.watch(lambda _: self._draw_words(), "find")

    def _draw_lesson(self) -> None:
        lesson = lessons()[self.state.lesson]
        self.plan.object, self.sheets.object = text.plan(lesson), text.sheets(lesson)

    def _draw_words(self) -> None:
        self.words.object = text.words(found(self.state.find))

    def query(self) -> dict[str, str]:
        """The state as URL words."""
        return self.state.to_query()

    def show(self) -> None:
        """Nothing runs here."""

    def hide(self) -> None:
        """Nothing runs here."""

    def close(self) -> None:
        """Nothing runs here."""

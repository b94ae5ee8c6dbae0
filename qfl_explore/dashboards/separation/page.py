"""The page Separation: what joint access to oracles buys, what it does not, and two relatives of the question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import prose
from qfl_explore.dashboards.run_page import from_link
from qfl_explore.dashboards.separation import text
from qfl_explore.dashboards.separation.learning import LearningPart, RankPart
from qfl_explore.dashboards.separation.part import Part
from qfl_explore.dashboards.separation.queries import QueriesPart
from qfl_explore.dashboards.separation.signal import SignalPart
from qfl_explore.dashboards.separation.state import PARTS, SeparationState

KINDS: dict[str, Callable[[Session, SeparationState], Part]] = {
    "queries": QueriesPart,
    "learning": LearningPart,
    "rank": RankPart,
    "signal": SignalPart,
}


def create(session: Session) -> SeparationPage:
    """The registry's factory."""
    return SeparationPage(session)


class SeparationPage:
    """One visitor's page; see `pages.View` for what the app expects. Parts are built when first opened."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = from_link(session, "separation", SeparationState())
        self._parts: dict[str, Part] = {}
        self._shown = False
        names = list(PARTS.values())
        self.tabs = pmui.Tabs(
            *((title, pn.Spacer(height=0)) for title in PARTS), active=names.index(self.state.part), margin=(0, 20)
        )
        control(self.state, "part", self.tabs)
        self._body = pn.Column(sizing_mode="stretch_width")
        self._side = pn.Column(sizing_mode="stretch_width")
        self.main = [
            pmui.Column(
                self.tabs,
                self._body,
                prose(text.WHOSE, 12, margin=(4, 22)),
                margin=0,
            )
        ]
        self.sidebar = [self._side]
        self._place(self.part)
        self.tabs.param.watch(lambda event: self.state.param.update(part=names[event.new]), "active")
        self.state.param.watch(self._turned, "part")

    @property
    def part(self) -> Part:
        """The part that is open, built the first time."""
        name = self.state.part
        if name not in self._parts:
            self._parts[name] = KINDS[name](self.session, self.state)
        return self._parts[name]

    def _place(self, part: Part) -> None:
        self._body[:] = part.main
        self._side[:] = part.sidebar

    def _turned(self, event: Any) -> None:
        if event.old in self._parts:
            self._parts[event.old].hide()
        self.tabs.active = list(PARTS.values()).index(event.new)
        self._place(self.part)
        if self._shown:
            self.part.show()

    # what the app calls

    def query(self) -> dict[str, str]:
        """The state as URL words."""
        return self.state.to_query()

    def show(self) -> None:
        """Starts, or goes on where the visitor left."""
        self._shown = True
        self.part.show()

    def hide(self) -> None:
        """Pauses while another page is open."""
        self._shown = False
        self.part.hide()

    def close(self) -> None:
        """The session ended."""
        for part in self._parts.values():
            part.close()

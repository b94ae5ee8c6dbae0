"""What the four parts of the page Separation have in common."""

from __future__ import annotations

from collections.abc import Mapping

import panel as pn

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import prose
from qfl_explore.dashboards.parts.settings import section
from qfl_explore.dashboards.run_page import RunPage
from qfl_explore.dashboards.separation import text
from qfl_explore.dashboards.separation.state import SeparationState
from qfl_explore.plots.style import LiveFigure


class Part(RunPage):
    """One part: a page of its own, with a box of limits; the parts share their settings.

    Args:
        session: what the pages share.
        state: the settings of all parts.
        figures: of this part.
    """

    name = "separation"
    #: The part's word in the URL.
    part = ""

    def __init__(self, session: Session, state: SeparationState, figures: Mapping[str, LiveFigure]) -> None:
        super().__init__(session, state, figures)

    def restarts(self) -> list[str]:
        """The part's own settings."""
        return list(SeparationState.RESTARTS[self.part])

    def limits(self) -> pn.viewable.Viewable:
        """The box that says what the result does not show."""
        return section("What this does not show", prose(text.NOT_SHOWN[self.part]))

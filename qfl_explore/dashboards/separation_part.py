"""What the four parts of the page Separation have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards import separation_text as text
from qfl_explore.dashboards.live import RunHandle, Update, message
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.separation_state import SeparationState
from qfl_explore.dashboards.settings import section
from qfl_explore.dashboards.take_along import TakeAlong
from qfl_explore.dashboards.text import Text
from qfl_explore.plots.style import LiveFigure


class Part:
    """One part: a run, its pictures, a headline, a box of limits, and things to take along.

    Subclasses set ``name`` and ``filename`` and give `config`, `job`, `received`, `table`, `snippet`.

    Args:
        session: what the pages share.
        state: the settings of all parts.
        query: the page's state as URL words.
    """

    name = ""
    filename = ""

    def __init__(self, session: Session, state: SeparationState, query: Callable[[], dict[str, str]]) -> None:
        self.session, self.state = session, state
        self.figures: dict[str, LiveFigure] = {}
        self.run = RunHandle(self._update, document=pn.state.curdoc)
        self.headline = Text("", size=15, weight=500, live=True, margin=(6, 10, 8, 10))
        self.take_along = TakeAlong(
            table=self.table,
            filename=self.filename,
            snippet=self.snippet,
            query=query,
            notify=session.notify,
            page="separation",
        )
        self.current: Any = None
        self._drawn_run, self._stale, self._left_running = 0, True, False
        self.sidebar: list[Any] = []
        self.main: Any = None

    # what a subclass gives

    def config(self) -> Any:
        """The part's config; may raise."""
        raise NotImplementedError

    def job(self, config: Any) -> Iterator[Any]:
        """The run for the scheduler; in a worker."""
        raise NotImplementedError

    def begin(self) -> None:
        """A new run: forget what the old one gave."""

    def received(self, update: Update) -> None:
        """Draws what a flush brought; on the server's loop."""
        raise NotImplementedError

    def table(self) -> Any:
        """The result as a tidy table, or ``None``."""
        raise NotImplementedError

    def snippet(self) -> str:
        """Python source that repeats the run."""
        raise NotImplementedError

    # what the page does

    def open(self) -> None:
        """The visitor came: starts where something changed, or goes on."""
        if self._stale or self.run.state == "idle":
            self.start()
        elif self._left_running and self.run.state == "paused":
            self.run.resume()

    def leave(self) -> None:
        """The visitor went: pauses."""
        self._left_running = self.run.state in ("running", "queued")
        self.run.pause()

    def changed(self, visible: bool) -> None:
        """A setting changed: starts anew, now or when the visitor comes."""
        self._stale = True
        if visible:
            self.start()
        else:
            self.run.cancel()

    def start(self) -> None:
        """Cancels the current run and begins one with the present settings."""
        try:
            config = self.config()
        except (ValueError, TypeError, ImportError) as error:
            self.run.cancel()
            self.session.notify(message(error), "error")
            return
        self.session.settle()
        self.current, self._stale = config, False
        self.run.start(lambda: self.job(config))

    def cancel(self) -> None:
        """Stops for good; what was found stays."""
        if self.run.state in ("running", "queued", "paused"):
            self.run.cancel()
            self.stopped()

    def stopped(self) -> None:
        """Says that the run was cancelled."""

    def close(self) -> None:
        """The session ended."""
        self.run.close()

    def set_dark(self, dark: bool) -> None:
        """Recolours the pictures."""
        for figure in self.figures.values():
            figure.set_dark(dark)

    def _update(self, update: Update) -> None:
        if update.error:
            self.session.notify(update.error, "error")
        if update.run != self._drawn_run:
            self._drawn_run = update.run
            self.begin()
        self.received(update)
        if update.state == "done":
            self.take_along.refresh()

    def limits(self) -> Any:
        """The box that says what the result does not show."""
        return pn.pane.Markdown(text.NOT_SHOWN[self.name], margin=(4, 16), sizing_mode="stretch_width")


def pane(figure: LiveFigure) -> pn.pane.Bokeh:
    """A figure that takes the width it gets."""
    return pn.pane.Bokeh(figure.figure, sizing_mode="stretch_width", height=figure.figure.height)


def titled(title: str, figure: LiveFigure, basis: int = 340) -> pmui.Column:
    """A figure under its title, as one item of a row that wraps."""
    style = {"flex": f"1 1 {basis}px", "min-width": f"{basis}px"}
    return pmui.Column(Text(title, size=14, weight=600), pane(figure), styles=style, sizing_mode="stretch_width")


def row(*objects: Any) -> pn.FlexBox:
    """Objects side by side, wrapping on narrow screens."""
    return pn.FlexBox(*objects, gap="8px", align_items="flex-start", sizing_mode="stretch_width")


def box(title: str, *objects: Any, collapsed: bool = False) -> Any:
    """A box that folds."""
    return section(title, *objects, collapsed=collapsed)

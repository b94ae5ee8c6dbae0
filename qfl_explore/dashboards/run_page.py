"""What pages with a run have in common: settings from the link, start, cancel, show, hide, things to take along.

CONTRIBUTING.md says how to write one. `gradient_variance.page` is a whole example; `measurement_bases.page` has further
runs beside the main one (`RunPage.side_run`).

Why a base class and not a helper that pages own: nearly everything here is a callback (of the run, the buttons, the
app, the state), so a helper would be handed a dozen functions of the page and the page would still forward what the
app calls. What a page may give is the list of hooks below; everything else is final.
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, final

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.compare import MOST, Pins, Present
from qfl_explore.dashboards.parts.controls import RunControls
from qfl_explore.dashboards.parts.desk import Bar, settings_words
from qfl_explore.dashboards.parts.differences import settings_of
from qfl_explore.dashboards.parts.history import history_of
from qfl_explore.dashboards.parts.layout import framed
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import RunHandle, Update, message, when_loaded
from qfl_explore.dashboards.runs.scheduler import LIVE
from qfl_explore.dashboards.share.take_along import TakeAlong
from qfl_explore.dashboards.share.views import views_of
from qfl_explore.dashboards.state import State
from qfl_explore.plots.style import LiveFigure

if TYPE_CHECKING:
    import pandas as pd

_ACTIVE = ("queued", "running")
ON_ITS_WAY = "computing the first result …"
_STATE = TypeVar("_STATE", bound=State)


def from_link(session: Session, page: str, state: _STATE) -> _STATE:
    """The state with the link's words in it, where the link is to this page; words that do not fit become a notice."""
    state.hiding = session.hiding_of(page)
    if session.query.get("page") == page:
        session.complain(state.apply_query(session.query))
    return state


class RunPage(abc.ABC):
    """A page around one run; see `pages.View` for what the app expects.

    Args:
        session: what the pages share.
        state: the settings, with the link's words in them (`from_link`).
        figures: name -> figure; they follow the theme.
        **along: further arguments of `TakeAlong`, such as ``extra`` or ``toml``.

    Attributes:
        run: the main run.
        controls: its bar, with a Cancel button.
        bar: Pin, undo, redo, keys; part of ``controls``, a page without them places it itself.
        pins: results that were kept, and their ``box``; likewise.
        current: config of the run that was started last, or ``None``.
        headline: the sentence that states the result.
        take_along: table, CSV, Python, link.
        sidebar: to be set by the page.
        main: to be set by the page; see `body`.
    """

    #: The page's word in the URL.
    name = ""
    #: Of the CSV.
    filename = ""
    #: What the status line calls a running run.
    running = "running"
    #: Whether Step, Rewind and New seed make sense.
    stepping = True
    #: How many results may be pinned.
    most_pins = MOST

    def __init__(
        self, session: Session, state: Any, figures: Mapping[str, LiveFigure] | None = None, **along: Any
    ) -> None:
        self.session, self.state = session, state
        self._document = pn.state.curdoc
        self.figures = {} if figures is None else figures
        self.current: Any = None
        self.sidebar: list[Any] = []
        self.main: list[Any] = []
        self.run = RunHandle(self._update, record=self.record, derive=self.derive, document=pn.state.curdoc)
        self.controls = RunControls(
            self.run, self.start, self.new_seed, self.running, cancel=self.cancel, stepping=self.stepping
        )
        self.settings = settings_of(state)
        self._hinted: list[LiveFigure] = []
        self.pins = Pins(
            *(state, self._present, self.pinned_figures, session.notify, session.dark, pn.state.curdoc),
            most=self.most_pins,
            changed=self._pins_changed,
        )
        self.bar = Bar(state, history_of(state, self.restore), self._acts(), self.name)
        self.controls.extra.append(self.bar)
        self.controls.below.append(self.pins.box)
        self.headline = Text("", size=15, weight=500, live=True, margin=(6, 10))
        self.take_along = TakeAlong(
            table=self.table,
            filename=self.filename,
            snippet=self.snippet,
            query=lambda: session.link_words(self.name, self.query()),
            notify=session.notify,
            more=views_of(session),
            **along,
        )
        self._sides: list[tuple[RunHandle, bool]] = []
        self._drawn_run = 0
        self._stale, self._hidden, self._left_running = True, False, False
        self.set_dark(session.dark)
        self.hint()
        self.state.param.watch(self._changed, self.restarts())
        if drawn := self.redraws():
            self.state.param.watch(self._redrawn, drawn)
        session.param.watch(lambda event: self._turn_dark(event.new), "dark")

    # hooks: what a page gives

    def config(self) -> Any:
        """The run's config.

        Raises:
            ValueError: the combination is not possible.
        """
        return self.state.config()

    @abc.abstractmethod
    def work(self, config: Any) -> Iterator[Any]:
        """The run for the scheduler, in a worker: yields often, at most some tens of milliseconds apart."""

    def record(self, item: Any) -> Any:
        """What ``Update.items`` keeps of an item; in a worker, cheap."""
        return item

    def derive(self, item: Any) -> Any:
        """Item -> ``Update.picture``; in a worker, only for items that are shown."""
        return item

    def starting(self, config: Any) -> None:
        """The settings are good and the run is about to start: the place to start runs beside it."""
        return

    @abc.abstractmethod
    def begin(self) -> None:
        """The first flush of a new run (also after Rewind): forget and clear what the old one gave."""

    @abc.abstractmethod
    def draw(self, update: Update) -> None:
        """Draws what a flush brought; on the server's loop, so no numerics here."""

    def ended(self) -> None:
        """The run was cancelled, or the session ended: frees what it holds outside its generator."""
        return

    def where(self, update: Update) -> str:
        """Where the run is, for the status line: "step 12 of 100". Empty: only its state is said."""
        return ""

    def fraction(self) -> float | None:
        """Progress from 0 to 1; ``None``: unknown."""
        return None

    @abc.abstractmethod
    def table(self) -> pd.DataFrame | None:
        """The result as a tidy table, or ``None`` while there is none."""

    @abc.abstractmethod
    def snippet(self) -> str:
        """Python source that gives the page's numbers again."""

    def new_seed(self) -> None:
        """Other seeds; the change of the state restarts the run."""
        self.state.seed = (self.state.seed + 1) % 10_000

    def restarts(self) -> list[str]:
        """Settings that start the run anew when they change."""
        return [name for name in self.state.URL if name not in self.state.DRAWN]

    def redraws(self) -> list[str]:
        """Settings whose change is seen at once, without another run."""
        return [name for name in self.state.URL if name not in self.restarts()]

    def set_dark(self, dark: bool) -> None:
        """Recolours the pictures."""
        for figure in self.figures.values():
            figure.set_dark(dark)

    def restore(self, values: dict[str, Any]) -> None:
        """Sets settings back, or forth again, as one change."""
        self.state.param.update(**values)

    def pinned_figures(self) -> list[LiveFigure] | None:
        """The pictures that are kept when the visitor pins: those in sight that are not empty; ``None``: no result."""
        return [figure for figure in framed(self.figures.values(), self.main) if not figure.is_empty] or None

    def overlay(self, pinned: bool) -> None:
        """A result was pinned, or none is any more: for a page that draws it into a picture, too."""
        return

    # help for the page

    @final
    def side_run(self, draw: Callable[[Update], None], lasting: bool = False, quiet: bool = False) -> RunHandle:
        """A further run; it ends with the page.

        Args:
            draw: gets its updates, on the server's loop.
            lasting: goes on where the main run is cancelled.
            quiet: ``draw`` shows errors itself; else they become notices.
        """

        def tell(update: Update) -> None:
            if update.error and not quiet:
                self.session.notify(update.error, "error")
            draw(update)
            self._take_hints_back()
            self.pins.refresh()

        handle = RunHandle(tell, document=pn.state.curdoc)
        self._sides.append((handle, lasting))
        return handle

    @final
    def body(self, *objects: Any) -> list[Any]:
        """``main`` for these objects, one below the other."""
        return [pmui.Column(*objects, margin=(8, 12), sizing_mode="stretch_width")]

    # what the app calls

    @final
    def query(self) -> dict[str, str]:
        """The state as URL words."""
        return self.state.to_query()

    @final
    def show(self) -> None:
        """Starts where something changed, or goes on where the visitor left."""
        self._hidden = False
        when_loaded(self._open)

    def _open(self) -> None:
        if self._stale:
            self.start()
        elif self._left_running and self.run.state == "paused":
            self.run.resume()

    @final
    def hide(self) -> None:
        """Pauses while another page is open."""
        self._hidden, self._left_running = True, self.run.state in _ACTIVE
        self.run.pause()

    @final
    def close(self) -> None:
        """The session ended."""
        for handle in (self.run, *(handle for handle, _ in self._sides)):
            handle.close()
        self.ended()

    # what the visitor does

    @final
    def start(self) -> None:
        """Cancels the current run and begins one with the present settings."""
        try:
            config = self.config()
        except (ValueError, TypeError, ImportError) as error:
            self._halt()
            self.session.notify(message(error), "error")
            self.controls.show(Update(0, [], None, "failed", 0, message(error)), "")
            self._take_hints_back(over=True)
            return
        with self._held():
            self._begin_run(config)

    def _begin_run(self, config: Any) -> None:
        self.session.settle()
        self.current, self._stale = config, False
        self.settings = settings_of(self.state)
        self.bar.describe(config, settings_words(self.state))
        self.starting(config)
        self.hint()
        self.run.start(lambda: self.work(config))

    @final
    def cancel(self) -> None:
        """Stops for good; what was found stays on the page."""
        was_live = self.run.state in LIVE
        self._halt()
        if was_live:
            update = Update(0, [], None, "cancelled", 0, "")
            self.controls.show(update, self.where(update))
            self._take_hints_back()

    def _halt(self) -> None:
        for handle in (self.run, *(handle for handle, lasting in self._sides if not lasting)):
            handle.cancel()
        self.ended()

    def _changed(self, *_: Any) -> None:
        """A setting changed: starts anew, now or when the visitor comes."""
        if self._hidden:
            self._stale = True
            self._halt()
        else:
            self.start()

    # what the run brings, on the server's loop

    def _update(self, update: Update) -> None:
        if update.error:
            self.session.notify(update.error, "error")
        if update.run != self._drawn_run:
            self._drawn_run = update.run
            self.begin()
            self.hint()
        self.draw(update)
        self.controls.show(update, self.where(update), self.fraction())
        self._take_hints_back()
        self.pins.refresh()
        if update.state == "done":
            self.take_along.refresh()

    # what is pinned, and what is not there yet

    def _acts(self) -> dict[str, Callable[[], Any]]:
        """Meaning of a key -> what it does."""
        steps = {"step": self.controls.step, "rewind": self.controls.rewind} if self.stepping else {}
        return {"toggle": self.controls.toggle, "pin": self.pins.pin} | steps

    def _present(self) -> Present:
        return Present(self.settings, self.headline.object, self.controls.status.object, self.run.state)

    def _pins_changed(self) -> None:
        self.overlay(bool(self.pins.pinned))

    def _held(self) -> contextlib.AbstractContextManager[Any]:
        """What a widget's event changes in figures goes out in one go; outside of this Bokeh refuses it."""
        known = self._document is not None and self._document.session_context
        return pn.io.hold(self._document) if known else contextlib.nullcontext()

    def _turn_dark(self, dark: bool) -> None:
        with self._held():
            self.set_dark(dark)
            self.pins.set_dark(dark)

    def _redrawn(self, *events: Any) -> None:
        self.settings = self.settings | {event.name: event.new for event in events}
        with self._held():
            self.pins.refresh()

    @final
    def hint(self) -> None:
        """Says in empty axes that their first result is on its way."""
        self._hinted = [figure for figure in self.figures.values() if figure.is_empty]
        for figure in self._hinted:
            figure.say(ON_ITS_WAY)

    def _take_hints_back(self, over: bool = False) -> None:
        over = over or self.run.state not in (*_ACTIVE, "paused", "idle")
        gone = [figure for figure in self._hinted if over or not figure.is_empty]
        for figure in gone:
            figure.say("")
        self._hinted = [figure for figure in self._hinted if not any(figure is other for other in gone)]

"""The frame around the pages: header with tabs, drawer, notice, dark mode; one `Shell` for each visitor."""

from __future__ import annotations

import logging
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from qfl_explore.dashboards.frame import admission
from qfl_explore.dashboards.frame.address import Address
from qfl_explore.dashboards.frame.connection import Connection
from qfl_explore.dashboards.frame.teaching_bar import TeachingBar, entered
from qfl_explore.dashboards.hiding import display
from qfl_explore.dashboards.link import unknown_words
from qfl_explore.dashboards.pages import PAGES, Page, Session, View, get_page
from qfl_explore.dashboards.parts import look, sizes
from qfl_explore.dashboards.parts.terms import popover
from qfl_explore.dashboards.parts.text import as_markup
from qfl_explore.dashboards.runs.live import message, when_loaded
from qfl_explore.dashboards.runs.remains import leave
from qfl_explore.dashboards.share.exercise import HiddenLine
from qfl_explore.plots.style import Spares

_LOG = logging.getLogger(__name__)
TITLE = "qfl_explore · Quantum Fusion Layer"
THEME = look.theme()
#: In the place of a page until it is drawn.
WAITING = '<p role="status" style="color: var(--mui-palette-text-secondary)">Drawing the page …</p>'
#: Pages that share the polynomial's state.
SHARING = ("polynomial", "circuit")


class Shell:
    """The app for one visitor.

    Args:
        query: the URL's parameters, ``{name: text}``.
        dark: starts in the dark theme.

    Attributes:
        page: the `panel_material_ui.Page` to be served.
        address: keeps the browser's address bar in step.
        hidden_line: says what the link hides.
        session: what the pages share.
        scaling: the font scale.
        teaching: presets and tours above the page.
    """

    def __init__(self, query: dict[str, str] | None = None, dark: bool = False) -> None:
        query = dict(query or {})
        dark = dark or query.get("theme") == "dark"
        self.session = Session(query, dark=dark)
        self._views: dict[str, View] = {}
        self._problems: list[str] = []
        self._open = self._first_page(query)
        query, step, said = entered(query, self._open)
        self.session.query = query
        self._problems += [*unknown_words(query, self._open), *said]
        if self._open in SHARING:  # other pages read the same words in their own way
            self._problems += self.session.polynomial.apply_query(query)
        hiding = self.session.hiding_of(self._open)
        self._problems += hiding.apply_query(query)
        self._frame = hiding.frame
        self._titles = [page.title for page in self.pages]
        scale, wrong = sizes.read(query)
        self._problems += wrong
        self._below = pn.Spacer(height=0)  # one for all tabs: the page itself stands elsewhere
        self._tabs = pmui.Tabs(
            *((page.title, self._below) for page in self.pages),
            active=[page.name for page in self.pages].index(self._open),
            margin=(0, 8, 0, 16),
            color="default",
            sx=look.tabs(scale),
            styles={"min-width": "0", "flex": "1 1 auto"},
        )
        self._notice = pmui.Alert("", severity="warning", visible=False, margin=(8, 12, 0, 12), closeable=True)
        self._body = pn.Column(pn.pane.HTML(WAITING, margin=(8, 12)), sizing_mode="stretch_width")
        self._bar = pn.Row(width=0, height=0, margin=0)
        self.scaling = sizes.Scaling(self.session, self._body, scale=scale)
        self.teaching = TeachingBar(self.session, self._body, self._open, step)
        self.hidden_line = HiddenLine(self.session)
        self.page = pmui.Page(
            title="qfl_explore",
            meta_title=TITLE,
            header=[pn.pane.HTML(look.SKIP, stylesheets=[look.SKIP_STYLE], margin=0), self._tabs, self.scaling.buttons],
            main=[self._notice, self.hidden_line.main, self.teaching.main, self._body, self._bar],
            theme_config=look.theme(scale),
            sx=look.frame(scale),
            dark_theme=dark,
            sidebar_width=sizes.drawer(scale),
            sidebar_resizable=False,
            busy_indicator=None,
        )
        leave_busy(self.page)
        self.scaling.follow(self.page, self._tabs)
        self._tabs.param.watch(self._turned, "active")
        self._frame.param.watch(self._framed, ["extras", "only"])
        self.page.param.watch(lambda event: self.session.param.update(dark=event.new), "dark_theme")
        self.session.param.watch(self._show_notice, ["notice", "notice_kind"])
        self._notice.param.watch(lambda event: event.new and self.session.notify(""), "closed")
        self._framed()
        self.open(self._open)
        self.address = Address(self.session)
        self._bar[:] = [self.address.bar, popover(), Connection()]
        self.session.complain(self._problems)
        if pn.state.curdoc is not None and pn.state.curdoc.session_context:
            pn.state.on_session_destroyed(self._ended)

    @property
    def pages(self) -> list[Page]:
        """Those that the link leaves."""
        return [page for page in PAGES if not self._frame.only or page.name in self._frame.only]

    def _turned(self, event: Any) -> None:
        if 0 <= event.new < len(self.pages) and self.pages[event.new].name != self._open:
            self.open(self.pages[event.new].name)

    def _framed(self, *_: Any) -> None:
        """The link hides, or shows again, what is around the pages."""
        titles, names = [page.title for page in self.pages], [page.name for page in self.pages]
        if titles != self._titles:
            self._titles = titles
            self._tabs[:] = [(title, self._below) for title in titles]
            self._tabs.active = names.index(self._open)
        display(self._tabs, "pages" not in self._frame.extras)
        display(self.teaching.main[0], "presets" not in self._frame.extras)

    def _first_page(self, query: dict[str, str]) -> str:
        wanted = query.get("page", PAGES[0].name)
        try:
            return get_page(wanted).name
        except ValueError as error:
            self._problems.append(f"page={wanted} in the link was ignored: {error}")
            return PAGES[0].name

    def open(self, name: str) -> None:
        """Shows a page, building it the first time; the one left behind is paused."""
        if self._open != name and self._open in self._views:
            self._views[self._open].hide()
        self._open = name
        if name not in self._views:
            try:
                self._views[name] = get_page(name).create(self.session)
            except Exception as error:  # the visitor gets a message, the server's log the rest
                _LOG.exception("page %s could not be built", name)
                self.session.notify(f"The page {name} could not be opened. {message(error)}", "error")
                self._body[:], self.page.sidebar = [], []
                self.teaching.show(name, None)
                return
        view = self._views[name]
        self.session.opened(name, view)
        self.page.sidebar = view.sidebar
        when_loaded(lambda: self._draw(name))

    def _draw(self, name: str) -> None:
        """Puts the page's own part below the frame; the first time the browser already shows the controls.

        A browser lays the whole document out again for each control that it makes: with figures in it from the
        start, that takes longer than everything else.
        """
        if name == self._open:  # not left meanwhile
            view = self._views[name]
            self.teaching.show(name, view)
            self._body[:] = view.main
            self.scaling.apply()
            view.show()

    def _show_notice(self, *_: Any) -> None:
        session = self.session
        shown, kind = as_markup(session.notice), session.notice_kind
        self._notice.param.update(object=shown, severity=kind, visible=bool(session.notice), closed=False)

    def close(self, *_: Any) -> None:
        """Every page stops."""
        for view in self._views.values():
            view.close()

    def _ended(self, *_: Any) -> None:
        """The session ended, and what it showed is nobody's any more."""
        self.close()
        leave(self.parts())

    def parts(self) -> set[Viewable]:
        """All widgets and layouts, also those of pages that are not open."""
        tops = [self.page, *(top for view in self._views.values() for top in (*view.main, *view.sidebar))]
        return {part for top in tops for part in top.select(Viewable)}


def create_app() -> pmui.Page:
    """Builds the app for the present visitor, with the state that the URL holds."""
    Spares.stir()
    if not admission.admit(pn.state.curdoc):
        page = admission.full_page(THEME, look.frame())
        leave_busy(page)
        return page
    arguments = pn.state.session_args or {}
    shell = Shell({name: values[0].decode("utf-8", "replace") for name, values in arguments.items()})
    twice = [name for name, values in arguments.items() if len(values) > 1 and name.isidentifier() and len(name) < 40]
    if twice:
        shell.session.complain([f"In the link more than once, and only the first counts: {', '.join(twice[:5])}."])
    return shell.page


def leave_busy(page: pmui.Page) -> None:
    """Takes a page from the list of those who watch whether the process is busy.

    Every page puts itself there for an indicator that ours do not have, and nothing would ever let go of it, nor of
    the session that it belongs to.
    """
    for watcher in list(pn.state.param.watchers.get("busy", {}).get("value", ())):
        if getattr(getattr(watcher.fn, "__self__", None), "self", None) is page:
            pn.state.param.unwatch(watcher)

"""A page of the app below a cell of a notebook: settings beside the result, and the result in Python."""

from __future__ import annotations

import contextlib
import time
import urllib.parse
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from panel.io.notebook import block_comm, push_notebook
from panel.io.state import set_curdoc

from qfl_explore.dashboards.jupyter import assets as notebook_assets
from qfl_explore.dashboards.jupyter.settings import apply
from qfl_explore.dashboards.link import query_of, unknown_words
from qfl_explore.dashboards.pages import PAGES, Session, get_page, states_of
from qfl_explore.dashboards.runs import kernel
from qfl_explore.dashboards.runs.scheduler import FINAL
from qfl_explore.errors import check_option, invalid

if TYPE_CHECKING:
    import pandas as pd

#: Of the settings, in pixels.
SETTINGS_WIDTH = 310
_THEMES = ("light", "dark")
#: Cell -> the page that it shows.
_shown: weakref.WeakValueDictionary[str, NotebookPage] = weakref.WeakValueDictionary()


def open(link: str) -> NotebookPage:
    """The page that a link of the app names, with the link's settings.

    Args:
        link: ``?page=noise&noise_kind=dephasing`` or a whole address.
    """
    return open_page(_words(link).get("page", PAGES[0].name), link)


def open_page(
    name: str, link: str = "", /, *, theme: str | None = None, form: bool = False, **settings: Any
) -> NotebookPage | Any:
    """A page of the app, for a notebook.

    Args:
        name: of the page, such as ``"noise"``.
        link: of the app, with settings; what it says wrongly is named above the page, and the rest is taken.
        theme: ``"light"`` or ``"dark"``; none: JupyterLab's own where it says which, else light.
        form: ipywidgets and static pictures instead, for places without Panel's extension; see `widget_form.Form`.
        **settings: by the parameter's name or by its word in links: ``degree=3`` is ``P=3``.

    Returns:
        A `NotebookPage`, or a `widget_form.Form`.

    Raises:
        ValueError: there is no such page or setting, or a value is not possible.
        TypeError: a value is of the wrong kind.
    """
    if form:
        from qfl_explore.dashboards.jupyter.widget_form import form as make

        return make(name, link, **settings)
    if theme is not None:
        check_option("theme", theme, _THEMES)
    return NotebookPage(name, link, theme, settings)


class NotebookPage:
    """One page, shown where it is the last line of a cell; it starts once it is seen.

    Runs go on while other cells are edited; what they bring is drawn between cells. They stop when the cell is run
    again, cleared or deleted, and with the kernel.

    Args:
        name: of the page.
        link: with settings; may be empty.
        theme: ``"light"``, ``"dark"`` or ``None``.
        settings: by name or word.
        shown: whether it is drawn; if not, nothing of Panel's extension is loaded.

    Attributes:
        view: the page itself; see `pages.View`.
        session: theme and notices.
        begun: whether it was started.
        drawn: called after every update.
    """

    def __init__(
        self, name: str, link: str, theme: str | None, settings: Mapping[str, Any], shown: bool = True
    ) -> None:
        self.name = get_page(name).name
        words = _words(link)
        if words.get("page", self.name) != self.name:
            raise invalid("the link is to another page", self.name, words["page"])
        if shown:
            notebook_assets.load()
        self.session = Session({**words, "page": self.name}, dark=(theme or words.get("theme")) == "dark")
        served = pn.state.curdoc if pn.state.curdoc is not None and pn.state.curdoc.session_context else None
        self._document: Any = served or kernel.KernelDocument(self._together)
        problems = unknown_words(words, self.name)
        if self.name in ("polynomial", "circuit"):  # they share their settings, and no page reads them from the link
            problems += self.session.polynomial.apply_query(words)
        with set_curdoc(self._document) if served is None else contextlib.nullcontext():
            self.view = get_page(self.name).create(self.session)
        self.session.complain(problems)
        self.view.hide()  # settings come before the first run
        self.set(**settings)
        self.begun = False
        self.drawn: Callable[[], None] | None = None
        self._layout: Any = None
        if served is not None:
            pn.state.on_session_destroyed(self.close)

    def __repr__(self) -> str:
        return f"<the page {get_page(self.name).title}, {self.state}>"

    # settings

    def set(self, **settings: Any) -> NotebookPage:
        """Changes settings; a page that was started starts anew where they matter.

        Raises:
            ValueError: there is no such setting, or a value is not possible.
        """
        apply(self.name, self.view, settings)
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting by its parameter's name."""
        return {name: getattr(state, name) for state in states_of(self.view) for name in state.URL}

    @property
    def link(self) -> str:
        """What follows the app's address for the same settings."""
        return query_of(self.session.link_words(self.name, self.view.query()))

    def config(self) -> Any:
        """The experiment's config for the present settings.

        Raises:
            ValueError: the combination is not possible.
        """
        return self.part.config()

    @property
    def code(self) -> str:
        """Python source that gives the page's numbers again, without the page."""
        return self.part.snippet()

    # the result

    def table(self) -> pd.DataFrame | None:
        """The result so far as a tidy table, or ``None``; `wait` for the whole of it."""
        return self.part.table()

    @property
    def result(self) -> Any:
        """The experiment's own result object so far where the page has one, else the table; ``None`` before it."""
        found = getattr(self.part, "result", None)
        return found() if callable(found) else self.table()

    def wait(self, timeout_s: float = 600.0) -> NotebookPage:
        """Starts the page if need be, and returns once its run is finished or paused.

        Raises:
            RuntimeError: the run failed, or was cancelled.
            TimeoutError: it takes longer.
        """
        self.start()
        end = time.monotonic() + timeout_s
        while not self._rests():
            if time.monotonic() > end:
                raise invalid("the page is not finished", f"at most {timeout_s:g} s", self._said(), TimeoutError)
            if isinstance(self._document, kernel.KernelDocument):
                self._document.drain()
            time.sleep(0.02)
        if self.state in ("failed", "cancelled", "idle"):
            raise invalid("the run did not finish", "a finished run", self._said(), RuntimeError)
        return self

    def start(self) -> None:
        """Starts the page as the app does when a visitor opens it; it comes by itself when the page is shown."""
        if not self.begun:
            self.begun = True
            self.view.show()

    def later(self, call: Callable[[], None], seconds: float) -> None:
        """Calls a function after some time, between cells; `drawn` follows it."""
        self._document.add_timeout_callback(call, round(1000 * seconds))

    def close(self, *_: Any) -> None:
        """Stops every run of the page."""
        self.view.close()

    @property
    def part(self) -> Any:
        """The page, or the part of it that is open."""
        return getattr(self.view, "part", self.view)

    def _handle(self) -> Any:
        return getattr(self.part, "run", None)

    @property
    def state(self) -> str:
        """Of the run: ``idle``, ``queued``, ``running``, ``paused``, ``done``, ``failed``, ``cancelled``."""
        handle = self._handle()
        return "ready" if handle is None else handle.state

    def _rests(self) -> bool:
        handle = self._handle()
        if handle is None or handle.state in ("cancelled", "idle"):
            return True
        return handle.state in (*FINAL, "paused") and handle.drawn == handle.state and not handle.drawing

    def _said(self) -> str:
        return self.session.notice.rstrip(".") or self.state

    # on the screen

    def __panel__(self) -> Any:
        """Settings and result, side by side; on a narrow screen below each other."""
        if self._layout is None:
            self._layout = self._arranged()
        if not isinstance(self._document, kernel.KernelDocument):
            self.start()
        return self._layout

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        layout, here = self.__panel__(), kernel.cell()
        if here and _shown.get(here, self) is not self:
            _shown[here].close()  # the cell is run again
        if here:
            _shown[here] = self
        bundle = layout._repr_mimebundle_(include, exclude)
        notebook_assets.bring(bundle)
        self._await_browser(layout)
        return bundle

    def _await_browser(self, layout: Any) -> None:
        """Starts when the browser has drawn the page; at once where nothing tells."""
        comms = [client for _, client in layout._comms.values() if client is not None]
        if not comms or not hasattr(comms[-1], "_on_open"):
            self.start()
            return
        comm, opened = comms[-1], comms[-1]._on_open

        def begin(message: Any) -> None:
            opened(message)
            _push(layout)
            self.start()

        comm._on_open = begin
        notebook_assets.when_deleted(list(layout._models), self.close)

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """What happens inside reaches the browser as one message."""
        with block_comm():
            yield
        if self._layout is not None and any(server._comm for server, _ in self._layout._comms.values()):
            _push(self._layout)
        if self.drawn is not None:
            self.drawn()

    def _arranged(self) -> Any:
        notice = pmui.Alert("", visible=False, margin=(8, 12, 0, 12), closeable=True)

        def tell(*_: Any) -> None:
            session = self.session
            notice.param.update(object=session.notice, severity=session.notice_kind, visible=bool(session.notice))

        self.session.param.watch(tell, ["notice", "notice_kind"])
        tell()
        side = pmui.Column(
            *self.view.sidebar,
            width=SETTINGS_WIDTH,
            styles={"flex": f"0 0 {SETTINGS_WIDTH}px", "max-height": "1100px", "overflow-y": "auto"},
        )
        main = pmui.Column(
            notice, *self.view.main, sizing_mode="stretch_width", styles={"flex": "1 1 480px", "min-width": "0"}
        )
        both = pn.FlexBox(side, main, gap="4px", align_items="flex-start", sizing_mode="stretch_width")
        return notebook_assets.themed(both, self.session)


def _push(layout: Any) -> None:
    """Sends what changed to the browser."""
    for ref in layout._models:
        if ref in pn.state._views:
            kernel.without_repeats(pn.state._views[ref][2])
    push_notebook(layout)


def _words(link: str) -> dict[str, str]:
    """The words of a link, a query or a whole address."""
    query = link.partition("?")[2] if "?" in link else link
    return dict(urllib.parse.parse_qsl(query.partition("#")[0], keep_blank_values=True))

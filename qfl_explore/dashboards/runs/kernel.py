"""Pages outside a server: updates run on the notebook's own loop, between cells, and reach the browser in one go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from bokeh.document import Document
from bokeh.document.events import ColumnDataChangedEvent, ColumnsPatchedEvent, ColumnsStreamedEvent

_ROWS = (ColumnsStreamedEvent, ColumnsPatchedEvent)
_LOG = logging.getLogger(__name__)


def in_kernel() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def cell() -> str:
    """What the front end calls the cell that is being run, or nothing where it does not say."""
    if not in_kernel():
        return ""
    shell = sys.modules["IPython"].get_ipython()
    with contextlib.suppress(Exception):  # only some front ends and kernels say it
        return str(shell.get_parent()["metadata"].get("cellId", ""))
    return ""


def without_repeats(document: Any) -> None:
    """Rows that go with a source's whole data are not sent again.

    In a notebook changes wait until they are pushed. A changed ``data`` is read only then, with all rows that were
    added in the meantime, so that the events that added them would add them a second time.

    Args:
        document: a Bokeh document on hold.
    """
    held = document.callbacks._held_events
    whole = {event.model.id: event for event in held if isinstance(event, ColumnDataChangedEvent)}
    for event in held:
        if isinstance(event, _ROWS) and event.model.id in whole:
            whole[event.model.id].cols = None  # all columns
    held[:] = [event for event in held if not (isinstance(event, _ROWS) and event.model.id in whole)]


class KernelDocument(Document):
    """What a page takes for its Bokeh document: callbacks run on the kernel's loop, between two cells.

    A worker thread puts them here; nothing but the thread of the loop touches widgets and figures. Without a loop, as
    in a script, they wait for `drain`.

    Args:
        around: a context in which they run, several at a time.
    """

    def __init__(self, around: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext) -> None:
        super().__init__()
        self._around = around
        self._due: deque[Callable[[], None]] = deque()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def add_next_tick_callback(self, callback: Callable[[], None]) -> Any:
        """Runs a function soon; from any thread."""
        self._due.append(callback)
        self._wake()

    def add_timeout_callback(self, callback: Callable[[], None], timeout_milliseconds: int) -> Any:
        """Runs a function in so many milliseconds; from any thread."""
        timer = threading.Timer(timeout_milliseconds / 1000, self.add_next_tick_callback, (callback,))
        timer.daemon = True
        timer.start()

    def _wake(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the kernel ends
                self._loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        """Runs what is due, in the thread of the loop."""
        if not self._due:
            return
        with self._around():
            for _ in range(len(self._due)):
                callback = self._due.popleft()
                try:
                    callback()
                except Exception:
                    _LOG.exception("an update of a page failed")
        if self._due:
            self._wake()

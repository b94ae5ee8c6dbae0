"""Visitors' pages draw one after the other, and between two of them the loop answers whoever asks.

Thirty visitors of one shared run get its next step at the same moment, and all want to draw it. Tornado does in one
round whatever has been asked for by then, clicks come after that: a tenth of a second later. Here the loop is given
one page to draw in each of its rounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

Draw = tuple[Any, Callable[[], None]]


class Line:
    """Who waits to draw on one loop, in order of arrival.

    Args:
        loop: that the documents' callbacks run on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._lock = threading.Lock()
        self._waiting: deque[Draw] = deque()
        self._moving = False

    def enter(self, document: Any, draw: Callable[[], None]) -> None:
        """Asks for a turn; from any thread.

        Args:
            document: that is drawn into; one that has ended meanwhile loses its turn, and the others go on.
            draw: called on the loop, as a callback of the document.
        """
        with self._lock:
            self._waiting.append((document, draw))
            first, self._moving = not self._moving, True
        loop = self._loop()
        if first and loop is not None:
            with contextlib.suppress(RuntimeError):  # the server ended
                loop.call_soon_threadsafe(self._next)

    def _next(self) -> None:
        with self._lock:
            document, draw = self._waiting.popleft()
        ask(document, draw)  # it draws in the loop's next round
        with self._lock:
            self._moving = bool(self._waiting)
            if self._moving:
                asyncio.get_running_loop().call_soon(self._next)


def ask(document: Any, draw: Callable[[], None]) -> None:
    """Has a document call a function on the loop; where it has ended nobody looks, and nothing happens."""
    with contextlib.suppress(RuntimeError, AttributeError):
        document.add_next_tick_callback(draw)


_lines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Line] = weakref.WeakKeyDictionary()


def line_of(document: Any) -> Line | None:
    """The line of the loop that this is called on; ``None`` where there is no server session (a notebook, a test)."""
    if document is None or getattr(document, "session_context", None) is None:
        return None
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return _lines.setdefault(loop, Line(loop))

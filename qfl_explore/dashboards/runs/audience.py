"""Is the visitor there, and does the browser keep up? Else runs rest, or fewer pictures are sent.

Bokeh keeps the session of a lost websocket for a while, so that a browser may come back to it; without this module
its runs would go on as long. Here every session is looked at twice a second, on the server's loop. Nothing is asked
of the browser but the answer to a ping, which every browser gives by itself.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from typing import TYPE_CHECKING, Any

from tornado.websocket import WebSocketClosedError

if TYPE_CHECKING:
    from qfl_explore.dashboards.runs.live import RunHandle

#: Seconds between two looks.
ROUND_S = 0.4
#: Pictures that may be on their way to a browser.
MOST_UNDERWAY = 3
#: Where nothing but pongs is missing, one picture is let through after so many seconds: some proxies swallow them.
TRICKLE_S = 2.0
#: A browser that takes nothing for so long counts as gone until it does.
PATIENCE_S = 15.0


class Audience:
    """The browser of one session, seen from the server; made by `audience_of`.

    Attributes:
        away: the tab is closed or takes nothing; runs rest.
    """

    def __init__(self, document: Any) -> None:
        self._document = weakref.ref(document)
        self._handles: weakref.WeakSet[RunHandle] = weakref.WeakSet()
        self._came = False
        self._behind_since: float | None = None
        self._let_through = 0.0
        self.away = False

    def add(self, handle: RunHandle) -> None:
        """A run that this visitor watches."""
        self._handles.add(handle)

    def _connections(self) -> list[Any] | None:
        """Open websockets; ``None`` where the session has ended."""
        document = self._document()
        context = document.session_context if document is not None else None
        session = context.session if context else None
        if session is None:
            return [] if context else None
        return None if session.destroyed else list(getattr(session, "_subscribed_connections", ()))

    def ready(self) -> bool:
        """Whether the browser has taken what was sent so far; on the loop."""
        waits = [_underway(connection) for connection in self._connections() or ()]
        if not any(unsent or pongs > MOST_UNDERWAY for unsent, pongs in waits):
            self._behind_since = None
            return True
        now = time.monotonic()
        self._behind_since = self._behind_since or now
        if not any(unsent for unsent, _ in waits) and now - max(self._behind_since, self._let_through) > TRICKLE_S:
            self._let_through = now
            return True
        return False

    def sent(self) -> None:
        """A picture was sent: asks for a sign that it arrived; on the loop."""
        for connection in self._connections() or ():
            socket = getattr(connection, "_socket", None)
            if getattr(socket, "ws_connection", None) is not None:
                with contextlib.suppress(WebSocketClosedError):  # the tab was closed a moment ago
                    connection.send_ping()

    def look(self) -> bool:
        """One round; on the loop.

        Returns:
            Whether the session still exists.
        """
        connections = self._connections()
        if connections is None:
            return False
        self._came = self._came or bool(connections)
        self.ready()
        stuck = self._behind_since is not None and time.monotonic() - self._behind_since > PATIENCE_S
        away = self._came and (not connections or stuck)
        if away != self.away:
            self.away = away
            for handle in list(self._handles):
                (handle.suspend if away else handle.restore)()
        if not away:
            for handle in list(self._handles):
                handle.look()
        return True


def _underway(connection: Any) -> tuple[bool, int]:
    """Whether bytes wait to be sent to a browser, and how many pings it has not answered."""
    socket = getattr(connection, "_socket", None)
    stream = getattr(getattr(socket, "ws_connection", None), "stream", None)
    unsent = stream is not None and not stream.closed() and stream.writing()
    asked, answered = getattr(connection, "_ping_count", 0) - 1, getattr(socket, "latest_pong", -1)
    return unsent, max(0, asked - answered)


_audiences: weakref.WeakKeyDictionary[Any, Audience] = weakref.WeakKeyDictionary()
_rounds: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def audience_of(document: Any) -> Audience | None:
    """The one audience of a document; ``None`` where there is no server session (a notebook, a test)."""
    if document is None or getattr(document, "session_context", None) is None:
        return None
    if document not in _audiences:
        _audiences[document] = Audience(document)
        _begin_rounds()
    return _audiences[document]


def _begin_rounds() -> None:
    """Looks at everybody from now on; called on the server's loop."""
    from tornado.ioloop import IOLoop, PeriodicCallback

    loop = IOLoop.current(instance=False)
    if loop is not None and loop not in _rounds:
        _rounds[loop] = PeriodicCallback(_round, 1000 * ROUND_S)
        _rounds[loop].start()


def _round() -> None:
    from qfl_explore.dashboards.runs.tuning import note_closed, tidy

    for document, audience in list(_audiences.items()):
        if not audience.look():
            _audiences.pop(document, None)
            note_closed()
    tidy(len(_audiences))

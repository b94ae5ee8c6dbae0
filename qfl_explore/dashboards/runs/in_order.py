"""Messages reach a browser in the order in which they were made, and each of them does.

Bokeh keeps the messages of a callback until it ends, and gives up the loop between the parts of each; Panel writes
its own past them, or puts them aside while Bokeh is writing, and may then forget what it put aside until the next
message comes. A page under load could so show an older state for good: the last step of a run missing. Here every
message is handed to the socket whole, in one write, when it is made; the socket keeps the order.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Sequence
from typing import Any

from bokeh.server.views.ws import WSHandler
from panel.io import document as panel_document
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

_LOG = logging.getLogger("bokeh.server.views.ws")


@functools.cache
def keep_order() -> None:
    """From now on all messages of this process keep their order; called before the first browser connects."""
    WSHandler.send_message = _send
    panel_document.dispatch_tornado = _dispatch
    panel_document.schedule_write_events = panel_document.write_events


def _dispatch(connection: Any, events: Any = None, msg: Any = None) -> Sequence[Awaitable[None]]:
    """As Panel calls it."""
    if msg is None and events:
        msg = connection.protocol.create("PATCH-DOC", events)
    return [connection._socket.send_message(msg)] if msg is not None else []


class _Together:
    """In the place of a socket's stream: collects what would be written."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self._written = asyncio.get_running_loop().create_future()
        self._written.set_result(None)

    def write(self, frame: bytes) -> Awaitable[None]:
        self.frames.append(frame)
        return self._written


def _send(socket: WSHandler, message: Any) -> Awaitable[None]:
    """Hands a message to its socket; the result can be awaited, and is there when the network has taken it.

    A message has three parts, and two more for each buffer. They go out in one write: after every write a computing
    thread has the interpreter, and the loop waits until it gets it back.
    """
    parts: list[tuple[Any, bool]] = [
        (text, False) for text in (message.header_json, message.metadata_json, message.content_json)
    ]
    for buffer in message._buffers:
        parts += [(buffer.ref, False), (buffer.to_bytes(), True)]
    try:
        return asyncio.ensure_future(_taken(_write(socket, parts)))
    except (WebSocketClosedError, StreamClosedError):
        _LOG.warning("Failed sending message as connection was closed")
        return asyncio.ensure_future(_taken())


def _write(socket: WSHandler, parts: list[tuple[Any, bool]]) -> Awaitable[None]:
    protocol, together = socket.ws_connection, _Together()
    if protocol is None or protocol.is_closing():
        raise WebSocketClosedError
    stream, protocol.stream = protocol.stream, together  # pyright: ignore[reportAttributeAccessIssue]
    try:
        for part, binary in parts:  # past Bokeh's own method, which waits for a lock
            protocol.write_message(part, binary)
    finally:
        protocol.stream = stream  # pyright: ignore[reportAttributeAccessIssue]
    return stream.write(b"".join(together.frames))


async def _taken(written: Awaitable[None] | None = None) -> None:
    """When the network has taken it; a connection that is closed meanwhile takes the rest."""
    if written is not None:
        with contextlib.suppress(StreamClosedError):
            await written

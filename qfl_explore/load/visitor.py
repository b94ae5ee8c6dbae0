"""A browser without a screen: opens a page, keeps its websocket, counts pictures, moves a slider."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from qfl_explore.errors import invalid

#: Events that change what a plot shows.
_DRAWN = ('"ColumnDataChanged"', '"ColumnsStreamed"')
#: Messages closer than this are one update, in seconds.
_SAME_UPDATE_S = 0.02
_READY = {"kind": "MessageSent", "msg_type": "bokeh_event"} | {
    "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map", "entries": []}}
}
_MOST_BYTES = 64 * 2**20


class Visitor:
    """One visitor of the app.

    Args:
        url: of the server, such as ``http://localhost:5006``.
        query: words of the link, ``{name: text}``.

    Attributes:
        times: when plot updates came (``time.monotonic``).
        n_bytes: received so far, text and buffers.
        first_picture_s: seconds from the request to the first plot update; ``None`` before.
        closed: whether the server ended the connection.
    """

    def __init__(self, url: str, query: dict[str, str] | None = None) -> None:
        self._page = f"{url}/app" + (f"?{urlencode(query)}" if query else "")
        self._socket_url = url.replace("http", "ws", 1) + "/app/ws"
        self._socket: WebSocketClientConnection | None = None
        self._listening: asyncio.Task | None = None
        self._reading = asyncio.Event()
        self._reading.set()
        self._awaited: tuple[str, asyncio.Future] | None = None
        self._document: Any = None
        self.times: list[float] = []
        self.n_bytes = 0
        self.first_picture_s: float | None = None
        self.closed = False

    async def open(self, timeout_s: float = 60.0) -> float:
        """Fetches the page and its document, and says that it is drawn.

        Returns:
            Seconds until the document was here.
        """
        self._begin = time.monotonic()
        client = AsyncHTTPClient(force_instance=True, max_body_size=_MOST_BYTES)
        try:
            answer = await client.fetch(HTTPRequest(self._page, request_timeout=timeout_s))
        finally:
            client.close()
        found = re.search(r'"token":\s*"([^"]+)"', answer.body.decode("utf-8"))
        if found is None:
            raise invalid("the page has no session", "a page of the app", self._page, RuntimeError)
        self._socket = await websocket_connect(
            HTTPRequest(self._socket_url, connect_timeout=timeout_s, request_timeout=timeout_s),
            subprotocols=["bokeh", found.group(1)],
            max_message_size=_MOST_BYTES,
        )
        await asyncio.wait_for(self._message(), timeout_s)  # ACK
        await self._send("PULL-DOC-REQ", {})
        kind, text = "", ""
        while kind != "PULL-DOC-REPLY":
            kind, text = await asyncio.wait_for(self._message(), timeout_s)
        self._document = json.loads(text)["doc"]
        pulled = time.monotonic() - self._begin
        await self._send("PATCH-DOC", {"events": [_READY]})
        self._listening = asyncio.create_task(self._listen())
        return pulled

    async def _send(self, kind: str, content: Any) -> None:
        for part in ({"msgid": uuid.uuid4().hex, "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(part))

    async def _fragment(self) -> str | bytes:
        fragment = await self._socket.read_message()
        if fragment is None:
            raise ConnectionError("the server closed the connection")
        self.n_bytes += len(fragment)
        return fragment

    async def _message(self) -> tuple[str, str]:
        """The next message: its kind and its content."""
        header = json.loads(await self._fragment())
        await self._fragment()
        content = await self._fragment()
        for _ in range(2 * header.get("num_buffers", 0)):
            await self._fragment()
        return header["msgtype"], str(content)

    async def _listen(self) -> None:
        try:
            while True:
                await self._reading.wait()
                kind, text = await self._message()
                if kind == "PATCH-DOC":
                    self._look(text)
        except (ConnectionError, OSError):
            self.closed = True

    def _look(self, text: str) -> None:
        now = time.monotonic()
        if any(word in text for word in _DRAWN):
            if not self.times or now - self.times[-1] > _SAME_UPDATE_S:
                self.times.append(now)
            if self.first_picture_s is None:
                self.first_picture_s = now - self._begin
        if self._awaited is not None and self._awaited[0] in text and not self._awaited[1].done():
            self._awaited[1].set_result(now)

    def stop_reading(self, stop: bool = True) -> None:
        """Leaves what comes in the socket, as a browser does that cannot keep up."""
        (self._reading.clear if stop else self._reading.set)()

    async def move(self, label: str, value: int, sign: str, timeout_s: float = 10.0) -> float:
        """Moves a slider.

        Args:
            label: of the slider.
            value: to set.
            sign: text in a message that shows the answer.
            timeout_s: after which infinity is returned.

        Returns:
            Seconds until the sign came.
        """
        widget = self._widget(label)
        future = asyncio.get_running_loop().create_future()
        self._awaited = (sign, future)
        begin = time.monotonic()
        change = {"kind": "ModelChanged", "model": {"id": widget}, "attr": "value", "new": value}
        await self._send("PATCH-DOC", {"events": [change]})
        try:
            return await asyncio.wait_for(future, timeout_s) - begin
        except asyncio.TimeoutError:
            return float("inf")
        finally:
            self._awaited = None

    def _widget(self, label: str) -> str:
        """The id of the model that holds a widget's value."""
        for model in _models(self._document):
            attributes = model.get("attributes", {})
            if attributes.get("label") == label and "value" in attributes:
                return model["id"]
        raise invalid("the page has no such widget", "a slider of the page Polynomial", label, RuntimeError)

    def rate(self, begin: float, end: float) -> float:
        """Plot updates a second between two times."""
        return sum(begin <= when < end for when in self.times) / (end - begin)

    async def close(self) -> None:
        """Closes the tab."""
        if self._listening is not None:
            self._listening.cancel()
        if self._socket is not None:
            self._socket.close()
        await asyncio.sleep(0)


def _models(part: Any) -> Any:
    """Every model in a document, itself a tree of dictionaries and lists."""
    if isinstance(part, dict):
        if part.get("type") == "object" and "id" in part:
            yield part
        for value in part.values():
            yield from _models(value)
    elif isinstance(part, list):
        for value in part:
            yield from _models(value)

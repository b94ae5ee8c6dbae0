"""What a document says reaches its browser whole and in that order, however slowly the browser reads."""

import asyncio
import json
import re
import uuid
from types import SimpleNamespace

import panel as pn
from bokeh.models import Div
from bokeh.server.views.ws import WSHandler
from panel.io.server import get_server
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from qfl_explore.dashboards.runs.in_order import keep_order

N = 60
READY = {"type": "event", "name": "document_ready", "values": {"type": "map", "entries": []}}


async def send(socket, kind, content):
    for part in ({"msgid": uuid.uuid4().hex, "msgtype": kind}, {}, content):
        await socket.write_message(json.dumps(part))


async def say_ready(socket):
    await send(socket, "PATCH-DOC", {"events": [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": READY}]})


async def message(socket):
    """The next message's kind and content."""
    header, _, content = [await asyncio.wait_for(socket.read_message(), 10) for _ in range(3)]
    header = json.loads(header)
    assert not header.get("num_buffers", 0)
    return header["msgtype"], json.loads(content)


async def read_a_count():
    """Counts up in a document, now Bokeh's way, now Panel's; the numbers as a slow browser gets them."""
    shown, documents = [], []

    def page():
        shown.append(Div(text="0"))
        documents.append(pn.state.curdoc)
        return pn.pane.Bokeh(shown[0])

    def count(number):
        text = f"{number} {'x' * 100_000}"  # more than the network takes at once
        if number % 3:
            with pn.io.hold(documents[0]):
                shown[0].text = text
        else:
            shown[0].text = text

    server = get_server({"/": page}, port=0, address="localhost", loop=IOLoop.current(), start=True, show=False)
    url = f"localhost:{server.port}"
    answer = await AsyncHTTPClient(force_instance=True).fetch(f"http://{url}/")
    token = re.search(r'"token":\s*"([^"]+)"', answer.body.decode()).group(1)
    socket = await websocket_connect(f"ws://{url}/ws", subprotocols=["bokeh", token], max_message_size=2**26)
    try:
        await message(socket)
        await send(socket, "PULL-DOC-REQ", {})
        await message(socket)
        await say_ready(socket)
        await message(socket)
        for number in range(1, N + 1):
            documents[0].add_next_tick_callback(lambda number=number: count(number))
            await say_ready(socket)  # the server's answer is written between its own messages
            if number % 7 == 0:
                await asyncio.sleep(0.005)
        numbers = []
        while not numbers or numbers[-1] != N:
            kind, content = await message(socket)
            texts = [event["new"] for event in content.get("events", ()) if event.get("attr") == "text"]
            numbers += [int(text.split()[0]) for text in texts]
            await asyncio.sleep(0.002)
        return numbers
    finally:
        socket.close()
        server.stop()


def test_a_slow_browser_gets_every_change_and_the_last_one_last():
    keep_order()
    assert asyncio.run(read_a_count()) == list(range(1, N + 1))


def test_a_connection_that_closes_takes_the_rest_quietly():
    keep_order()

    async def speak():
        message = SimpleNamespace(header_json="{}", metadata_json="{}", content_json="{}", _buffers=[])
        return await asyncio.wait_for(WSHandler.send_message(SimpleNamespace(ws_connection=None), message), 5)

    assert asyncio.run(speak()) is None


def test_a_message_with_buffers_is_one_write():
    keep_order()
    written = []

    class Protocol:
        stream = SimpleNamespace(write=lambda data: written.append(data) or asyncio.sleep(0))
        is_closing = staticmethod(lambda: False)

        def write_message(self, part, binary):
            assert isinstance(part, bytes) == binary
            return self.stream.write(part if binary else part.encode())

    async def speak():
        buffer = SimpleNamespace(ref="[ref]", to_bytes=lambda: b"[bytes]")
        message = SimpleNamespace(header_json="head", metadata_json="{}", content_json="content", _buffers=[buffer])
        protocol = Protocol()
        await WSHandler.send_message(SimpleNamespace(ws_connection=protocol), message)
        return protocol.stream is Protocol.stream

    assert asyncio.run(speak())
    assert written == [b"head{}content[ref][bytes]"]

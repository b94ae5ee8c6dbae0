"""A cut connection, a sleeping tab, a restarted server: the visitor is told, and gets back what was there."""

import contextlib
import re
import socket
import threading
import time

import pytest

pytestmark = pytest.mark.browser

STEP = re.compile(r"step (\d+) of")
#: Length of the longest curve on the page: the learning curve.
RECORDS = """() => Math.max(...Bokeh.documents.flatMap((one) => [...one.all_models]).filter(
    (model) => model.type === "ColumnDataSource").map((model) => model.get_length() ?? 0))"""

#: A tab that was hidden for a minute and is looked at again.
SLEPT = """() => {
    const seen = (state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    };
    seen("hidden");
    window.qflConnection.hidden -= 60000;
    seen("visible");
}"""
ANSWERED = """() => {
    const { asked, model } = window.qflConnection;
    return asked > 0 && model.data.echo === asked;
}"""

#: The connection breaks when a message is under way.
HALF_A_MESSAGE = """() => {
    const connection = window.qflConnection.event.connection.deref();
    connection._receiver.consume("{}");
    connection.socket.close(4000);
}"""


class Cable:
    """Between browser and server; it can be cut, mended, led to another server, or swallow what is sent.

    Attributes:
        to: port of the server.
        swallows: a websocket that is opened from now on stays open and brings nothing.
    """

    def __init__(self):
        self.listener = socket.create_server(("localhost", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://localhost:{self.port}/app"
        self.to, self.whole, self.ends = 0, True, []
        self.swallows, self.sockets, self.dumb = False, set(), set()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("localhost", self.to)) if self.whole else None
                except OSError:
                    far = None
                if far is None:
                    near.close()
                    continue
                self.ends += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if b"Upgrade: websocket" in data:
                    (self.dumb if self.swallows else self.sockets).update((source, sink))
                if source not in self.dumb:
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.whole = False
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.ends.clear()

    def mend(self):
        self.whole = True

    def hush(self):
        """Nothing goes through the websockets that are open now; nobody is told. What is opened later is as usual."""
        self.dumb |= self.sockets


@pytest.fixture
def cable():
    one = Cable()
    yield one
    one.cut()
    one.listener.close()


@pytest.fixture
def tab(chromium):
    one = chromium.new_page(viewport={"width": 1440, "height": 900})
    one.set_default_timeout(60_000)
    yield one
    one.close()


def _step(tab):
    """The step that the page shows."""
    return int(STEP.search(tab.get_by_text(STEP).first.inner_text()).group(1))


def _poll(condition, timeout=60.0):
    end = time.monotonic() + timeout
    while True:
        with contextlib.suppress(Exception):
            if condition():
                return
        assert time.monotonic() < end, "timed out"
        time.sleep(0.1)


def _bar(tab):
    return tab.locator("#qfl-connection")


def test_what_was_lost_comes_back(cable, tab, own_server):
    origin = {"BOKEH_ALLOW_WS_ORIGIN": f"localhost:{cable.port}"}
    with own_server(**origin) as url:
        cable.to = int(url.rpartition(":")[2])
        tab.goto(f"{cable.url}?P=2&steps=5000")
        _poll(lambda: _step(tab) >= 20)
        tab.evaluate("() => { window.stayed = true; }")

        cable.cut()
        _bar(tab).get_by_text("The connection was lost").wait_for()
        before = _step(tab)
        cable.mend()
        tab.wait_for_function("() => window.qflConnection.since === 0")
        _poll(lambda: _step(tab) > before + 30)
        assert tab.evaluate("() => window.stayed") is True  # the same page, the same session
        assert tab.evaluate(RECORDS) > before  # every record since the first step is there

        sleeping = tab.context.new_cdp_session(tab)
        sleeping.send("Page.setWebLifecycleState", {"state": "frozen"})
        cable.cut()
        time.sleep(1.0)
        cable.mend()
        sleeping.send("Page.setWebLifecycleState", {"state": "active"})
        before = _step(tab)
        _poll(lambda: _step(tab) > before + 30)
        assert tab.evaluate("() => window.stayed") is True

        tab.evaluate(HALF_A_MESSAGE)
        tab.wait_for_function("() => window.qflConnection.since > 0")
        tab.wait_for_function("() => window.qflConnection.since === 0")
        assert tab.evaluate("() => window.stayed") is True

        tab.get_by_role("slider", name="Degree P").press("ArrowRight")
        tab.wait_for_function("() => location.search.includes('P=3') || !location.search.includes('P=')")
        address = tab.evaluate("() => location.search")
        cable.cut()
    _bar(tab).wait_for()
    with own_server(**origin) as url:  # a restart
        cable.to = int(url.rpartition(":")[2])
        cable.mend()
        tab.wait_for_function("() => window.stayed === undefined")
        _poll(lambda: _step(tab) >= 5)
        assert tab.evaluate("() => location.search") == address and "steps=5000" in address
        assert tab.get_by_role("slider", name="Degree P").get_attribute("aria-valuenow") == "3"


def test_a_socket_that_is_open_and_silent_is_found_out(cable, tab, own_server):
    with own_server(BOKEH_ALLOW_WS_ORIGIN=f"localhost:{cable.port}") as url:
        cable.to = int(url.rpartition(":")[2])
        tab.goto(f"{cable.url}?P=2&steps=5000")
        _poll(lambda: _step(tab) >= 5)
        tab.evaluate("() => { window.stayed = true; }")
        tab.evaluate(SLEPT)
        tab.wait_for_function(ANSWERED)  # asked after a sleep, and the server answers

        cable.hush()
        tab.evaluate("() => window.dispatchEvent(new Event('online'))")  # another network
        tab.wait_for_function("() => window.stayed === undefined")
        _poll(lambda: _step(tab) >= 5)
        assert tab.evaluate("() => location.search") == "?P=2&steps=5000"

        tab.evaluate("() => { window.stayed = true; }")
        cable.swallows = True
        cable.cut()
        cable.mend()
        tab.wait_for_function("() => window.qflConnection.trying")  # pages come, sockets open, and nothing follows
        assert tab.evaluate("() => window.stayed") is True
        tab.on("framenavigated", lambda _: setattr(cable, "swallows", False))
        tab.evaluate("() => { window.qflConnection.tried -= 60000; }")
        tab.wait_for_function("() => window.stayed === undefined")
        _poll(lambda: _step(tab) >= 5)
        assert tab.evaluate("() => location.search") == "?P=2&steps=5000"

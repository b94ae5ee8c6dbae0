"""A server for a room, with a password behind a prefix: who gets in, and what strangers cannot do to it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from tests.browser.conftest import ROOT, free_port, wait_until_up

pytestmark = pytest.mark.browser

PASSWORD = "open sesame / ünïcode"
IMAGE = "<img src=x onerror='window.hit=1'>"
SCRIPT = "</div></textarea><script>window.hit=1</script>"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """The address of the app, and its process."""
    folder, port = tmp_path_factory.mktemp("room"), free_port()
    secret = folder / "password"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    secret.chmod(0o600)
    words = ["serve", "--room", "--address", "localhost", "--port", str(port), "--prefix", "/lab", "--visitors", "3"]
    command = [sys.executable, "-m", "qfl_explore.cli", *words, "--password-file", str(secret)]
    log = (folder / "log.txt").open("w+")
    _hostile_data(folder / "own_folder")
    places = {"QFL_EXPLORE_RESULTS": str(folder / "results.sqlite"), "QFL_EXPLORE_DATA": str(folder)}
    environment = os.environ | places
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_up(f"http://localhost:{port}", process)
        yield f"http://localhost:{port}/lab", process
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.seek(0)
        text = log.read()
        log.close()
    assert not re.search(r'File ".*qfl_explore/', text), text[-3000:]
    assert PASSWORD not in text and "window.hit" not in text


def _hostile_data(folder):
    """A data set whose files, columns, units and classes have names that would run in a careless page."""
    folder.mkdir()
    labels = "\n".join(f"{i},{IMAGE if i % 2 else 'b'}" for i in range(60))
    (folder / "labels.csv").write_text(f"id,label\n{labels}\n")
    for name in ("a", "<img src=x onerror=window.hit=2>"):
        rows = "\n".join(f"{i},{(i * 7) % 11},{i % 2 + i / 60}" for i in range(60))
        (folder / f"{name}.csv").write_text(f"id,{IMAGE},c [{IMAGE}]\n{rows}\n")


@pytest.fixture(scope="module")
def cookie(room):
    """The cookie of a visitor who knows the password."""
    url, _ = room

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    data = urllib.parse.urlencode({"password": PASSWORD}).encode()
    try:
        urllib.request.build_opener(Stay).open(f"{url}/login", data, timeout=20)
    except urllib.error.HTTPError as answer:
        assert answer.code == 302 and answer.headers["Location"] == "./"
        return "; ".join(part.split(";")[0] for part in answer.headers.get_all("Set-Cookie"))
    raise AssertionError("no redirect after the right password")


@pytest.fixture
def context(chromium):
    """Tabs of one visitor, closed with the test."""
    made = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield made
    made.close()


def run(coroutine):
    """Runs it beside the browser's own loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def enter(page, url, query=""):
    page.goto(f"{url}/app{query}")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open the app").click()
    page.get_by_role("button", name="Step").wait_for()


def test_the_password_s_page_works_offline_and_keeps_the_link(context, room):
    url, _ = room
    tab = context.new_page()
    outside = []
    inside = (url.removesuffix("/lab"), "data:", "blob:")
    tab.on("request", lambda r: None if r.url.startswith(inside) else outside.append(r.url))
    tab.goto(f"{url}/app?P=2&k=2")
    assert tab.get_by_role("heading").inner_text() == "Quantum Fusion Layer, live"
    tab.get_by_label("Password").fill("open sesame")
    tab.get_by_role("button", name="Open the app").click()
    assert tab.get_by_role("alert").inner_text() == "This password is not right."
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_label("Password").press("Enter")
    tab.get_by_text(re.compile("P = 2 reaches every frequency of cos")).wait_for()
    assert "/lab/app?" in tab.url and "P=2" in tab.url
    assert not outside


def test_without_the_password_nothing_of_the_app_is_had(room):
    url, _ = room

    async def socket(origin, headers=None):
        request = HTTPRequest(f"ws{url[4:]}/app/ws", headers={"Origin": origin, **(headers or {})})
        await websocket_connect(request, subprotocols=["bokeh", "token"])

    with urllib.request.urlopen(f"{url}/app", timeout=20) as answer:
        assert answer.url.startswith(f"{url}/login?") and b"bokeh" not in answer.read()
    for origin, cookie in (("http://localhost:1", ""), (url, ""), (url, "user=visitor; id_token=x")):
        with pytest.raises(HTTPClientError) as refused:
            run(socket(origin, {"Cookie": cookie}))
        assert refused.value.code == 403


def test_another_page_s_origin_is_refused_even_with_the_password(room, cookie):
    url, _ = room
    request = HTTPRequest(f"ws{url[4:]}/app/ws", headers={"Origin": "http://evil.example", "Cookie": cookie})

    async def socket():
        await websocket_connect(request, subprotocols=["bokeh", "token"])

    with pytest.raises(HTTPClientError) as refused:
        run(socket())
    assert refused.value.code == 403


def test_large_and_broken_messages_end_their_own_connection_only(room, cookie):
    url, process = room
    before = psutil.Process(process.pid).memory_info().rss
    run(_flood(url, cookie))
    assert psutil.Process(process.pid).memory_info().rss - before < 150e6
    with pytest.raises((urllib.error.HTTPError, OSError)):
        urllib.request.urlopen(f"{url}/login", b"password=" + b"x" * 3_000_000, timeout=20)
    with urllib.request.urlopen(f"{url}/login", timeout=20) as answer:
        assert answer.status == 200


async def _flood(url, cookie):
    header = {"msgid": "1", "msgtype": "PATCH-DOC", "num_buffers": 10**6}
    floods = {
        "one message of 5 MB": ["x" * 5_000_000],
        "a million parts": [json.dumps(header), "{}", '{"events": []}', *['{"id": "a"}', b"x" * 1_000_000] * 60],
        "no JSON": ["window.hit", "window.hit", "window.hit"],
        "deep JSON": [json.dumps({"msgid": "1", "msgtype": "PATCH-DOC"}), "{}", "[" * 100_000],
        "bytes": [b"\xff\xfe"],
    }
    for what, fragments in floods.items():
        connection = await _connected(url, cookie)
        try:
            for fragment in fragments:
                await connection.write_message(fragment, binary=isinstance(fragment, bytes))
        except Exception:  # closed while we send: as it should be
            connection.close()
            continue
        for _ in range(1000):
            if await asyncio.wait_for(connection.read_message(), 60) is None:
                break
        else:
            raise AssertionError(f"{what}: the connection stays open")


async def _page(url, cookie):
    request = urllib.request.Request(f"{url}/app", headers={"Cookie": cookie})
    return await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=60).read().decode())


async def _connected(url, cookie):
    token = re.search(r'"token":"([^"]+)"', await _page(url, cookie))[1]
    request = HTTPRequest(f"ws{url[4:]}/app/ws", headers={"Origin": url, "Cookie": cookie})
    return await websocket_connect(request, subprotocols=["bokeh", token])


def test_nothing_that_a_visitor_names_is_executed(context, room, tmp_path):
    url, process = room
    page, said = context.new_page(), []
    page.set_default_timeout(90_000)  # TensorFlow is loaded on the way
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: said.append(e.stack or str(e)))
    hostile = urllib.parse.urlencode(
        {"formula": IMAGE, "k": SCRIPT, SCRIPT: IMAGE, "target": "formula", "theme": IMAGE}
    )
    enter(page, url, f"?{hostile}")
    page.get_by_text(re.compile("k=.* in the link was ignored")).wait_for()
    rows = "\n".join(f"{i / 50},{(i % 10) / 10}" for i in range(50))
    page.get_by_role("combobox", name=re.compile("^Target")).click()
    page.get_by_role("menuitem", name=re.compile("Table")).click()
    upload = page.locator("input[type=file]")
    for name, table in ((f"{IMAGE}.csv", f"{IMAGE},{IMAGE} y\n{rows}"), ("b.csv", f"a,y\n{rows}\n{SCRIPT},{IMAGE}")):
        upload.set_input_files({"name": name, "mimeType": "text/csv", "buffer": table.encode()})
        page.get_by_text(re.compile(r"csv \(50 rows|b\.csv, row 52")).first.wait_for()
    for name in ("Table", "Copy as Python", "Link"):
        page.get_by_role("button", name=name, exact=True).first.click()
    before = psutil.Process(process.pid).memory_info().rss
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(200_000_000)
    upload.set_input_files(large)
    page.get_by_text(re.compile("the file cannot be used. Expected: a file of at most 5 MB")).wait_for()
    assert psutil.Process(process.pid).memory_info().rss - before < 100e6
    assert page.evaluate("window.hit") is None
    page.goto(f"{url}/app?page=real_data&data=own_folder&seeds=1&epochs=5")
    for name in ("Scores", "Curves", "Data"):
        page.get_by_role("tab", name=name, exact=True).click()
        page.wait_for_timeout(1000)
    page.get_by_text(re.compile(re.escape(IMAGE))).first.wait_for()  # a class, among the counts of samples
    assert page.evaluate("window.hit") is None
    page.get_by_role("tab", name="Sweeps").click()
    page.get_by_role("textbox", name="Other settings").fill(f"{IMAGE} = 1")
    page.get_by_role("textbox", name="Other settings").press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text(re.compile("Expected: .*Received: ")).first.wait_for()
    assert page.evaluate("window.hit") is None
    assert not [text for text in said if "Upload error" not in text]


def test_one_tab_too_many_is_told_so_and_gets_in_later(room, cookie):
    url, _ = room
    run(_crowd(url, cookie))


async def _crowd(url, cookie):
    inside = [await _connected(url, cookie) for _ in range(3)]
    for connection in inside:
        assert "ACK" in await asyncio.wait_for(connection.read_message(), 60)
    full = await _page(url, cookie)
    assert "<title>qfl_explore · the room is full</title>" in full
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//(?!localhost)[^"']*""", full), "it asks another machine"
    inside.pop().close()
    for _ in range(100):
        if "the room is full" not in await _page(url, cookie):
            break
        await asyncio.sleep(0.1)
    else:
        raise AssertionError("a place that was left stays taken")
    for connection in inside:
        connection.close()

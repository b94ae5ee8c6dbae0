"""Scripts go packed: who gets what, that it is the same file, and that nobody waits for the packing."""

import asyncio
import gzip
import inspect
import os
import random
import socket

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.web import Application, StaticFileHandler

from qfl_explore.dashboards.frame import packed
from tests.dashboards.waiting import wait_for

TEXT = b"const answer = 42; // and so on\n" * 2_000


@pytest.fixture
def shelf(monkeypatch):
    """One of its own, used by Tornado's handler as the server does."""
    found, made = StaticFileHandler.set_headers, packed.Shelf()
    monkeypatch.setattr(packed, "SHELF", made)
    StaticFileHandler.set_headers = inspect.unwrap(found)  # another test may have opened the app
    packed.pack_scripts.__wrapped__()
    yield made
    StaticFileHandler.set_headers = found


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "large.js").write_bytes(TEXT)
    (tmp_path / "small.js").write_bytes(b"1;\n")
    (tmp_path / "picture.png").write_bytes(TEXT)
    (tmp_path / "noise.js").write_bytes(random.Random(0).randbytes(50_000))
    return tmp_path


def asked(folder, *requests, method="GET"):
    """The answers to ``(name, headers)``, one after the other."""

    async def ask():
        app = Application([(r"/(.*)", StaticFileHandler, {"path": str(folder)})])
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            port = probe.getsockname()[1]
        server = app.listen(port, "localhost")
        client = AsyncHTTPClient()
        try:
            return [
                await client.fetch(
                    HTTPRequest(f"http://localhost:{port}/{name}", method, headers, decompress_response=False),
                    raise_error=False,
                )
                for name, headers in requests
            ]
        finally:
            client.close()
            server.stop()

    return asyncio.run(ask())


GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def test_the_first_gets_the_file_and_the_next_gets_it_packed(shelf, folder):
    (first,) = asked(folder, ("large.js", GZIP))
    assert first.body == TEXT and "Content-Encoding" not in first.headers
    assert first.headers["Vary"] == "Accept-Encoding"
    wait_for(lambda: shelf.n_bytes)
    (second,) = asked(folder, ("large.js", GZIP))
    assert second.headers["Content-Encoding"] == "gzip" and gzip.decompress(second.body) == TEXT
    assert int(second.headers["Content-Length"]) == len(second.body) == shelf.n_bytes < len(TEXT) / 10
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert second.headers["Etag"] != first.headers["Etag"]


def test_who_has_it_already_is_told_so_and_who_accepts_nothing_gets_the_file(shelf, folder):
    shelf.packed(str(folder / "large.js"))
    wait_for(lambda: shelf.n_bytes)
    (new,) = asked(folder, ("large.js", GZIP))
    again, other, part, nothing, none = asked(
        folder,
        ("large.js", GZIP | {"If-None-Match": new.headers["Etag"]}),
        ("large.js", {"Accept-Encoding": "br;q=1, gzip;q=0.0, *"}),
        ("large.js", GZIP | {"Range": "bytes=0-9"}),
        ("large.js", {}),
        ("missing.js", GZIP),
    )
    assert again.code == 304 and not again.body
    assert other.body == nothing.body == TEXT and part.code == 206 and part.body == TEXT[:10]
    assert none.code == 404
    (head,) = asked(folder, ("large.js", GZIP), method="HEAD")
    assert head.headers["Content-Length"] == new.headers["Content-Length"] and not head.body


def test_what_is_small_or_packed_already_goes_as_it_is(shelf, folder):
    names = ("small.js", "picture.png", "noise.js")
    for name in names:
        shelf.packed(str(folder / name))
    shelf._packer.submit(lambda: None).result()
    for answer in asked(folder, *((name, GZIP) for name in names)):
        assert answer.code == 200 and "Content-Encoding" not in answer.headers
    assert shelf.n_bytes == 0


def test_a_file_that_has_changed_is_packed_anew_and_the_room_is_bounded(shelf, folder, monkeypatch):
    path = folder / "large.js"
    shelf.packed(str(path))
    wait_for(lambda: shelf.n_bytes)
    path.write_bytes(TEXT + TEXT)
    os.utime(path, (1, 1))
    assert shelf.packed(str(path)) is None
    wait_for(lambda: shelf.packed(str(path)))
    assert gzip.decompress(shelf.packed(str(path))) == TEXT + TEXT
    monkeypatch.setattr(packed, "ROOM_BYTES", 0)
    (folder / "other.js").write_bytes(TEXT)
    assert shelf.packed(str(folder / "other.js")) is None and len(shelf._packed) == 2


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ("gzip", True),
        ("br, GZIP ; q=0.1", True),
        ("*", True),
        ("gzip;q=1.0", True),
        ("", False),
        ("identity", False),
        ("gzip; q=0.00, *", False),
        ("*;q=0, gzip", True),
        ("*;q=0", False),
    ],
)
def test_what_a_browser_accepts(said, accepted):
    assert packed._accepts(said) == accepted


def test_the_largest_scripts_are_where_they_are_said_to_be():
    assert all(path.stat().st_size > 200_000 for path in packed.largest())

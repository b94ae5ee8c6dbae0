"""Scripts and styles go packed to the browsers: a third of the bytes, for thirty visitors in one wireless network.

Panel and Bokeh send theirs as they are, more than four megabytes for somebody who was never there. Here each file is
packed once, in the background, and from then on whoever accepts that gets it packed; until then, as it is.
"""

from __future__ import annotations

import functools
import gzip
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import panel
import panel_material_ui
from bokeh.settings import settings
from tornado.web import StaticFileHandler

#: What is worth packing; pictures and fonts are packed already.
SUFFIXES = (".js", ".mjs", ".css", ".svg", ".json")
#: Smaller files fit into one packet of the network; larger ones than these are not of ours.
LEAST_BYTES, MOST_BYTES = 1_400, 8_000_000
#: Bytes that all packed files may take.
ROOM_BYTES = 32_000_000


class Shelf:
    """Packed files by path and time of their last change; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._packed: dict[tuple[str, float], bytes | None] = {}  # None: it is being packed, or is not worth it
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="qfl-packing")
        self.n_bytes = 0

    def packed(self, path: str) -> bytes | None:
        """A file, packed; ``None`` where it is not yet, and then it will be, or where packing is of no use."""
        about = Path(path)
        if about.suffix not in SUFFIXES:
            return None
        try:
            found = about.stat()
        except OSError:
            return None
        key = path, found.st_mtime
        with self._lock:
            if key in self._packed or not LEAST_BYTES <= found.st_size <= MOST_BYTES or self.n_bytes > ROOM_BYTES:
                return self._packed.get(key)
            self._packed[key] = None
        self._packer.submit(self._pack, key, found.st_size)
        return None

    def _pack(self, key: tuple[str, float], size: int) -> None:
        data = gzip.compress(Path(key[0]).read_bytes(), 9, mtime=0)
        if len(data) < 0.9 * size:
            with self._lock:
                self._packed[key] = data
                self.n_bytes += len(data)


SHELF = Shelf()


@functools.cache
def pack_scripts() -> None:
    """Has the server's static files go packed from now on."""
    plain = StaticFileHandler.set_headers

    @functools.wraps(plain)
    def set_headers(self: Any) -> None:
        plain(self)
        if Path(self.absolute_path).suffix not in SUFFIXES:
            return
        self.set_header("Vary", "Accept-Encoding")
        asked = self.request.headers
        if "Range" in asked or not _accepts(asked.get("Accept-Encoding", "")):
            return
        packed = SHELF.packed(self.absolute_path)
        if packed is not None:
            self.set_header("Content-Encoding", "gzip")
            if tag := self._headers.get("Etag"):  # another one: a cache in between may hold both
                self.set_header("Etag", f'{tag[:-1]}-gzip"')
            self.get_content_size = lambda: len(packed)
            self.get_content = lambda *_: packed

    StaticFileHandler.set_headers = set_headers


def begin_packing() -> None:
    """Has the largest files packed, so that the first visitor gets them so."""
    for path in largest():
        SHELF.packed(str(path))


def largest() -> Iterable[Path]:
    """The scripts that every page needs."""
    for name in ("bokeh", "bokeh-widgets", "bokeh-tables"):
        yield Path(settings.bokehjs_path()) / "js" / f"{name}.min.js"
    yield Path(panel.__file__).parent / "dist" / "panel.min.js"
    yield Path(panel_material_ui.__file__).parent / "dist" / "panel-material-ui.bundle.js"


def _accepts(encodings: str) -> bool:
    """Whether a list such as ``gzip, br;q=0.5`` allows gzip."""
    weights = {}
    for entry in encodings.lower().split(","):
        name, _, weight = entry.partition(";")
        weights[name.strip()] = weight.replace(" ", "")
    said = weights.get("gzip", weights.get("*", "q=0"))
    return said.rstrip("0.") != "q="

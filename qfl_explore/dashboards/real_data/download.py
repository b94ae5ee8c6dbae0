"""Downloads that a page watches: each in its own thread, one for each data set in the whole process."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from qfl_explore.dashboards.runs.live import INTERVAL, message
from qfl_explore.dashboards.runs.scheduler import Wait
from qfl_explore.errors import invalid

#: Environment variable: with 0 no visitor may fetch a data set.
VARIABLE = "QFL_EXPLORE_DOWNLOADS"


@dataclasses.dataclass(frozen=True)
class Told:
    """How far a download is.

    Attributes:
        text: for the page.
        share: of the whole, 0 to 1; ``None`` where it is not known.
        state: ``running``, ``done``, ``cancelled`` or ``failed``.
        error: what went wrong, in three parts; else empty.
    """

    text: str
    share: float | None
    state: str = "running"
    error: str = ""


class Download:
    """Fetches one data set in a thread of its own; the worker threads of the app stay free.

    Args:
        name: of the data set, whose licence has been accepted.
        limit: of PTB-XL, so many records; ``None`` for all.
    """

    def __init__(self, name: str, limit: int | None = None) -> None:
        self.name, self.limit = name, limit
        self.told = Told("connecting", None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"qfl-get-{name}", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.told.state != "running"

    def cancel(self) -> None:
        """Stops soon; what arrived is kept."""
        self._stop.set()

    def _work(self) -> None:
        from qfl_explore.datasets.fetch import DownloadCancelled
        from qfl_explore.datasets.getting import get, source_of

        size = source_of(self.name).size * 1e6 if self.limit is None else None
        try:
            get(self.name, True, limit=self.limit, progress=self._progress(size), cancelled=self._stop.is_set)
        except DownloadCancelled:
            self.told = Told("stopped; what arrived is kept, and the next Get goes on from there", None, "cancelled")
        except Exception as error:  # becomes a notice in the page
            self.told = Told("failed", None, "failed", message(error))
        else:
            self.told = Told("here", 1.0, "done")

    def _progress(self, size: float | None) -> Callable[[Any], None]:
        def show(progress: Any) -> None:
            done, total = progress.n_files, progress.total_files
            share = min(1.0, progress.n_bytes / size) if size else done / total if total else None
            words = f"{progress.n_bytes / 1e6:.1f} MB, {done} of {total} file{'s' if total != 1 else ''}"
            self.told = Told(words, share)

        return show


_running: dict[str, Download] = {}
_lock = threading.Lock()


def allowed() -> bool:
    """Whether visitors may fetch data sets onto this machine; not in a room, see `qfl_explore.cli.serve`."""
    return os.environ.get(VARIABLE, "") != "0"


def start(name: str, limit: int | None = None) -> Download:
    """The running download of a data set, or a new one: two visitors do not fetch the same files twice.

    Raises:
        ValueError: visitors may not fetch anything.
    """
    if not allowed():
        raise invalid("data sets cannot be fetched from here", f"qfl-explore data get {name} on the server", VARIABLE)
    with _lock:
        found = _running.get(name)
        if found is None or found.is_over:
            found = _running[name] = Download(name, limit)
        return found


def watch(download: Download) -> Iterator[Any]:
    """A run for the scheduler that holds no worker: what the download tells, until it is over."""
    while not download.is_over:
        yield download.told
        yield Wait(2 * INTERVAL)
    yield download.told

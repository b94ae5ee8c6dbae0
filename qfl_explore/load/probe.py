"""What ``panel serve --setup`` runs under the load test: the app's own preparation, and a diary of the process.

The diary is a file with one JSON object a line, named by the environment variable ``QFL_LOAD_DIARY``: the time, how
late the loop's beats were since the last line (seconds), memory, the results kept for others (bytes), CPU time, how
many runs are being computed, and whether pages are still being prepared.
"""

import json
import os
import runpy
import threading
import time
from pathlib import Path

import psutil
from tornado.ioloop import IOLoop

import qfl_explore
from qfl_explore.dashboards.runs.scheduler import shared_scheduler
from qfl_explore.dashboards.runs.shared_runs import n_kept_bytes
from qfl_explore.load.server import BEAT_S

LINE_S = 0.1


class Diary:
    """Writes what the process does, every ``LINE_S`` seconds.

    Args:
        path: of the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = IOLoop.current()
        self._lags: list[float] = []
        self._process = psutil.Process()
        self._written = 0.0

    def beat(self, due: float) -> None:
        """Notes how late it comes and asks for the next."""
        now = time.monotonic()
        self._lags.append(round(now - due, 5))
        if now - self._written >= LINE_S:
            self._write(now)
        self._loop.call_later(BEAT_S, self.beat, time.monotonic() + BEAT_S)

    def _write(self, now: float) -> None:
        times = self._process.cpu_times()
        entry = {
            "time": now,
            "lags": self._lags,
            "rss": self._process.memory_info().rss,
            "cpu": times.user + times.system,
            "kept": n_kept_bytes(),
            "runs": shared_scheduler().counts(),
            "preparing": any(thread.name == "qfl-prepare" for thread in threading.enumerate()),
        }
        with Path(self._path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        self._written, self._lags = now, []


runpy.run_path(str(Path(qfl_explore.__file__).parent / "dashboards" / "frame" / "preload.py"))
diary = Diary(os.environ["QFL_LOAD_DIARY"])
IOLoop.current().call_later(0.0, diary.beat, time.monotonic())

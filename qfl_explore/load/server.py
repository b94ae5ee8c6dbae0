"""The servers under test: the app as ``qfl-explore serve`` runs it, with a diary beside it, and a plain Panel page."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import qfl_explore
from qfl_explore.errors import invalid

PACKAGE = Path(qfl_explore.__file__).parent
#: As ``qfl-explore serve`` does.
KEEPING = {"keep-alive": 10000, "check-unused-sessions": 5000, "unused-session-lifetime": 30000}
#: Between two beats of the diary, in seconds.
BEAT_S = 0.01
_START_S = 120.0
APP = PACKAGE / "app.py"


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: its address.
        folder: its diary and its log.
        ready_s: seconds from its start until it answered.
        ready_at: when it did (``time.monotonic``).
    """

    url: str
    folder: Path
    ready_s: float
    ready_at: float

    def diary(self, begin: float = 0.0, end: float = float("inf")) -> list[dict[str, Any]]:
        """Lines between two times (``time.monotonic``, which processes of one machine share)."""
        lines = (self.folder / "diary.jsonl").read_text().splitlines()
        entries = [json.loads(line) for line in lines if line.endswith("}")]
        return [entry for entry in entries if begin <= entry["time"] <= end]

    def lags_ms(self, begin: float, end: float) -> np.ndarray:
        """How late the loop was between two times, in milliseconds.

        One late beat stands for all that would have come meanwhile: a stall of a second is a hundred samples.
        """
        found = [np.arange(lag, 0.0, -BEAT_S) for entry in self.diary(begin, end) for lag in entry["lags"] if lag > 0]
        return 1000.0 * np.concatenate(found or [np.array([np.nan])])

    def latest(self) -> dict[str, Any]:
        """The last line of the diary."""
        with (self.folder / "diary.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 8192))
            lines = file.read().decode("utf-8").splitlines()
        return json.loads([line for line in lines if line.startswith("{") and line.endswith("}")][-1])

    def memory_mb(self) -> float:
        """Resident memory in MB, now."""
        return self.latest()["rss"] / 1e6

    def cpu(self, begin: float, end: float) -> float:
        """Cores that the server used between two times."""
        entries = self.diary(begin, end)
        return (entries[-1]["cpu"] - entries[0]["cpu"]) / (entries[-1]["time"] - entries[0]["time"])

    def runs(self) -> dict[str, int]:
        """How many runs are active, queued and busy."""
        return self.latest()["runs"]

    def log_lines(self) -> int:
        """How many lines the server's log has."""
        return len((self.folder / "log.txt").read_text().splitlines())


@contextlib.contextmanager
def served(folder: Path, script: Path = APP, **keeping: int) -> Iterator[Server]:
    """Starts a server and ends it.

    Args:
        folder: for diary and log.
        script: what it serves; with a diary where that is our app.
        **keeping: milliseconds that replace those of ``KEEPING``, with ``_`` for ``-``.

    Raises:
        RuntimeError: it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    diary = folder / "diary.jsonl"
    diary.write_text("")
    port = _free_port()
    command = [sys.executable, "-m", "panel", "serve", str(script), "--port", str(port)]
    command += ["--setup", str(PACKAGE / "load" / "probe.py")] if script == APP else []
    for name, value in (KEEPING | {key.replace("_", "-"): value for key, value in keeping.items()}).items():
        command += [f"--{name}", str(value)]
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "QFL_LOAD_DIARY": str(diary)}
    begin = time.monotonic()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        url = f"http://localhost:{port}"
        _wait(url, process, folder)
        now = time.monotonic()
        yield Server(url, folder, now - begin, now)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        if process.poll() is None:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _wait(url: str, process: subprocess.Popen, folder: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url + "/favicon.ico", timeout=1.0).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    said = (folder / "log.txt").read_text()[-800:]
    raise invalid("the server did not start", f"an answer within {_START_S:g} s", said or "nothing", RuntimeError)

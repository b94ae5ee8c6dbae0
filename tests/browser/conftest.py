"""A real server in its own process and a headless Chromium that may talk to localhost only."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (p for p in (shutil.which("chromium"), shutil.which("chromium-browser"), "/usr/bin/chromium") if p), None
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def wait_until_up(url: str, process: subprocess.Popen, timeout: float = 60.0) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        try:
            urllib.request.urlopen(url + "/favicon.ico", timeout=1.0).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not come up")


@contextlib.contextmanager
def served(folder: Path, **environment: str):
    """The app as a visitor gets it: ``panel serve qfl_explore/app.py``."""
    port = free_port()
    log = (folder / "log.txt").open("w+")
    command = [sys.executable, "-m", "panel", "serve", "qfl_explore/app.py", "--port", str(port)]
    environment = os.environ | environment
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://localhost:{port}"
    try:
        wait_until_up(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.seek(0)
        text = log.read()
        log.close()
    assert not re.search(r'File ".*qfl_explore/(?!app\.py)', text), text[-3000:]  # no traceback of ours


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of the app, one server for all tests."""
    with served(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def own_server(tmp_path):
    """Starts a server of the test's own with further environment variables."""
    return functools.partial(served, tmp_path)


@pytest.fixture(scope="session")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM or not Path(CHROMIUM).exists():
        pytest.skip("no chromium on this machine")
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(chromium):
    """Where tabs of most tests open: what one has fetched, the others need not fetch and compile again."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(window):
    """A tab that fails its test on a console error, a page error or a request to the outside."""
    tab = window.new_page()
    tab.set_default_timeout(20_000)
    problems: list[str] = []
    tab.on("console", lambda m: problems.append(f"console: {m.text}") if m.type == "error" else None)
    tab.on("pageerror", lambda e: problems.append(f"page error: {e.stack or e}"))
    inside = ("http://localhost", "ws://localhost", "data:", "blob:")
    tab.on("request", lambda r: None if r.url.startswith(inside) else problems.append(f"outside: {r.url}"))
    yield tab
    if tab.url.startswith("http"):
        tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    tab.close()
    window.clear_cookies()
    assert not problems, "\n".join(problems)

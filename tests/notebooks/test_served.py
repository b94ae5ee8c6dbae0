"""Panel serves each notebook; a file of its own, which another process may run beside the other tests of notebooks."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from panel.io.handlers import parse_notebook

from tests.notebooks.course import NOTEBOOKS, each, environment

pytestmark = pytest.mark.notebook


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Address, process and log of one server for all notebooks, which pays for the imports once."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log.txt"
    command = [sys.executable, "-m", "panel", "serve", *map(str, NOTEBOOKS), "--address=127.0.0.1", f"--port={port}"]
    with log.open("w") as stream:
        server = subprocess.Popen(command, env=environment(folder), cwd=folder, stdout=stream, stderr=stream)
    yield f"http://127.0.0.1:{port}", server, log
    server.terminate()
    server.wait(20)


@each
def test_what_panel_makes_of_it_is_python(path):
    """Panel puts all text into one script, where a backslash may begin an escape."""
    _, script, _ = parse_notebook(str(path))
    compile(script, str(path), "exec")


@each
def test_panel_serves_it(path, served):
    address, server, log = served
    before = len(log.read_bytes())
    page = _fetch(f"{address}/{path.stem}", server)
    said = log.read_bytes()[before:].decode()
    assert page.count("data-root-id") >= 10, said[-3000:]
    assert "Traceback" not in said
    assert "error" not in said.lower()


def _fetch(url, server, patience=120):
    """The page's text; the server runs the whole notebook before it answers."""
    end = time.monotonic() + patience
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=patience) as answer:
                return answer.read().decode()
        except urllib.error.URLError as problem:
            if isinstance(problem, urllib.error.HTTPError):
                pytest.fail(f"the server answered {problem}")
            time.sleep(0.3)
    pytest.fail(f"no answer from {url}")

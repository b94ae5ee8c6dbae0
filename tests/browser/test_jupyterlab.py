"""Notebook 01 in a real JupyterLab and a real browser: it runs, its controls move its figures, offline."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import pytest

playwright = pytest.importorskip("playwright.sync_api")

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_polynomial_expressivity.ipynb"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOCAL = ("localhost", "127.0.0.1")
#: JupyterLab draws only the cells in sight unless told otherwise.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}',
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": '{"fetchNews": "false"}',
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab on a free port with a copy of the notebook; its address."""
    home = tmp_path_factory.mktemp("lab")
    work, settings = home / "work", home / "settings"
    work.mkdir()
    shutil.copy(NOTEBOOK, work)
    for name, text in SETTINGS.items():
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / name).write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ip=127.0.0.1", f"--notebook-dir={work}"]
    options += ["--IdentityProvider.token=", "--ServerApp.password=", "--allow-root", "--no-browser"]
    options += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None"]
    environment = os.environ | {
        "QFL_PRESET": "tiny",
        "OMP_NUM_THREADS": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [sys.executable, "-m", "jupyterlab", *options]
    with (home / "log.txt").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status", server, home / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_for(url, server, log):
    for _ in range(240):
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"JupyterLab did not answer: {log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def visit(lab):
    """The notebook after "Run All Cells", with the requests and page errors so far."""
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1"]
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.requested, page.problems = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(f"{lab}/lab/tree/{NOTEBOOK.name}?reset")
        page.get_by_text("Kernel status: Idle").first.wait_for(state="attached", timeout=90_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        _wait_until_run(page)
        yield page
        browser.close()


def _wait_until_run(page):
    """Until every code cell that holds something bears a number."""
    script = """() => {
        if (document.querySelector("[data-mime-type='application/vnd.jupyter.error']")) return true;
        const prompts = [...document.querySelectorAll('.jp-CodeCell')].map(
            cell => cell.querySelector('.jp-InputArea-prompt').innerText);
        return prompts.length > 10 && prompts.slice(0, -1).every(text => /\\[\\d+\\]/.test(text));
    }"""
    page.wait_for_function(script, timeout=240_000)
    page.wait_for_timeout(1500)


def _cell(page, text):
    return page.locator(".jp-CodeCell").filter(has=page.locator(".jp-InputArea", has_text=text))


#: The titles of all figures on the page, from Bokeh's own models.
TITLES = """() => Bokeh.documents.flatMap(
    document => [...document.all_models].filter(model => model.type === 'Title').map(model => model.text))"""


def _move(page, cell, keys, before, after):
    """Moves the cell's first slider by keys; the figure's title must turn from ``before`` into ``after``."""
    titles = page.evaluate(TITLES)
    assert any(re.search(before, title) for title in titles), titles
    assert not any(re.search(after, title) for title in titles), titles
    cell.locator(".bk-Figure").first.scroll_into_view_if_needed()
    cell.locator(".noUi-handle").first.focus()
    for key in keys:
        page.keyboard.press(key)
    script = f"() => ({TITLES})().some(title => /{after}/.test(title))"
    page.wait_for_function(script, timeout=20_000)
    playwright.expect(cell.locator(".bk-Figure").first).to_be_visible()


def test_all_cells_ran_without_an_error(visit):
    errors = visit.locator("[data-mime-type='application/vnd.jupyter.error']")
    assert errors.count() == 0, errors.first.inner_text()
    assert visit.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert visit.locator(".bk-Figure").count() >= 10
    assert visit.get_by_text("Javascript Error").count() == 0


def test_the_panel_slider_moves_the_film(visit):
    _move(visit, _cell(visit, "def film(step)"), ["End"], "^Step 8: test R²", "^Step 40: test R²")


def test_letting_go_of_the_degree_retrains(visit):
    before, after = "^cos 3x with P = 2: test R²", "^cos 3x with P = 3: test R²"
    _move(visit, _cell(visit, "def live(P, k)"), ["ArrowRight"], before, after)


def test_the_ipywidgets_slider_moves_the_spectrum(visit):
    before, after = "^P = 3, ry: the ceiling", "^P = 4, ry: the ceiling"
    _move(visit, _cell(visit, "def spectrum_of("), ["ArrowRight"], before, after)


def test_solutions_are_hidden_until_asked_for(visit):
    solution = visit.locator("details").first
    hidden = solution.get_by_text("Five equal rotations add up")
    assert not hidden.is_visible()
    solution.locator("summary").click()
    assert hidden.is_visible()


def test_nothing_left_this_machine_and_nothing_failed(visit):
    hosts = {urlparse(url).hostname for url in visit.requested if re.match(r"https?:|wss?:", url)}
    assert hosts <= set(LOCAL), hosts
    assert not visit.problems

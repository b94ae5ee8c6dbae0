"""A real JupyterLab in a real browser, offline: notebook 01 and its controls; pages below cells, and the plain form."""

import json
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

import nbformat
import pytest

playwright = pytest.importorskip("playwright.sync_api")

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_polynomial_expressivity.ipynb"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOCAL = ("localhost", "127.0.0.1")
#: Cells of a second notebook: two pages of the app and the plain form.
PAGES = (
    "from qfl_explore import dashboards\n\npage = dashboards.polynomial(P=2, k=2, steps=60)\npage",
    "page.wait(200)\nprint(len(page.table()), 'rows,', page.state, type(page.result).__name__)",
    "other = dashboards.circuit(P=1)\nother",
    "form = dashboards.polynomial(form=True, P=1, k=1, steps=60)\nform",
)
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
    cells = [nbformat.v4.new_code_cell(source) for source in PAGES]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), work / "pages.ipynb")
    for name, text in SETTINGS.items():
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / name).write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ip=127.0.0.1", f"--notebook-dir={work}"]
    options += ["--IdentityProvider.token=", "--ServerApp.password=", "--allow-root", "--no-browser"]
    options += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None"]
    options += ["--LabApp.expose_app_in_browser=True"]
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
def browser():
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1"]
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


#: What a run may be asked for after: before the kernel has answered, JupyterLab forgets it.
READY = """async () => {
    const session = window.jupyterapp.shell.currentWidget.context.sessionContext;
    await session.ready;
    await session.session.kernel.info;
}"""


def _open(browser, lab, name):
    """A notebook whose kernel is ready, with the requests and page errors so far."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.requested, page.problems = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(f"{lab}/lab/tree/{name}?reset")
    page.get_by_text("Kernel status: Idle").first.wait_for(state="attached", timeout=180_000)
    page.evaluate(READY)
    return page


def _command(page, name, **options):
    page.evaluate("([name, options]) => { window.jupyterapp.commands.execute(name, options); }", [name, options])


@pytest.fixture(scope="module")
def visit(lab, browser):
    """Notebook 01 after "Run All Cells"."""
    page = _open(browser, lab, NOTEBOOK.name)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    _wait_until_run(page, least=10)
    yield page
    page.close()


@pytest.fixture(scope="module")
def pages(lab, browser):
    """The notebook of pages after all its cells were run."""
    page = _open(browser, lab, "pages.ipynb")
    _command(page, "runmenu:run-all")
    _wait_until_run(page, least=4)
    yield page
    page.close()


def _wait_until_run(page, least):
    """Until every code cell that holds something bears a number."""
    script = """least => {
        if (document.querySelector("[data-mime-type='application/vnd.jupyter.error']")) return true;
        const cells = [...document.querySelectorAll('.jp-CodeCell')].filter(
            cell => !cell.querySelector('.jp-InputArea').innerText.includes('# your own'));
        const prompts = cells.map(
            cell => cell.querySelector('.jp-InputArea-prompt').innerText);
        return prompts.length >= least && prompts.every(text => /\\[\\d+\\]/.test(text));
    }"""
    page.wait_for_function(script, arg=least, timeout=400_000)
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


def test_the_same_live_shows_the_page_below_the_last_cell(visit):
    page = _cell(visit, "page = dashboards.polynomial")
    page.scroll_into_view_if_needed()
    playwright.expect(page.get_by_text("Degree P").first).to_be_visible(timeout=60_000)
    playwright.expect(page.locator(".bk-Figure").first).to_be_visible()


# pages of the app, called in a notebook of one's own


def test_a_page_shows_below_its_cell_and_lives(pages):
    page = pages.locator(".jp-CodeCell").nth(0)
    playwright.expect(page.get_by_text("Degree P").first).to_be_visible()
    playwright.expect(page.locator(".bk-Figure").first).to_be_visible()
    playwright.expect(page.get_by_text(re.compile(r"After 60 steps: test R²"))).to_be_visible(timeout=60_000)


def test_a_value_that_changed_meanwhile_does_not_come_back_here_either(pages):
    code = """() => [...Bokeh.documents.flatMap(document => [...document.all_models])]
        .find(model => model.usesMui)._render_code()"""
    assert "own.current = false" in pages.evaluate(code)


def test_its_result_is_there_in_python(pages):
    assert "61 rows, done" in pages.locator(".jp-CodeCell").nth(1).inner_text()


def test_a_second_page_shows_beside_it(pages):
    other = pages.locator(".jp-CodeCell").nth(2)
    other.scroll_into_view_if_needed()
    playwright.expect(other.locator(".bk-Figure").first).to_be_visible()


def test_the_plain_form_runs_and_shows_a_picture(pages):
    form = pages.locator(".jp-CodeCell").nth(3)
    form.scroll_into_view_if_needed()
    form.get_by_role("button", name="Run").click()
    playwright.expect(form.get_by_text("finished")).to_be_visible(timeout=120_000)
    box = form.locator("img").first.bounding_box()
    assert box["width"] > 500
    assert box["height"] > 200


def test_the_page_follows_the_dark_theme(pages):
    colours = """() => Bokeh.documents.flatMap(document => [...document.all_models]
        .filter(model => model.type === 'Figure').map(model => String(model.background_fill_color)))"""
    light = pages.evaluate(colours)
    _command(pages, "apputils:change-theme", theme="JupyterLab Dark")
    script = "before => JSON.stringify((" + colours + ")()) !== before"
    pages.wait_for_function(script, arg=json.dumps(light, separators=(",", ":")), timeout=60_000)


def test_it_comes_back_after_a_restart_of_the_kernel(pages):
    _command(pages, "editmenu:clear-all")
    playwright.expect(pages.locator(".jp-OutputArea-output")).to_have_count(0)
    _command(pages, "runmenu:restart-and-run-all")
    pages.get_by_role("button", name="Confirm Kernel Restart").click()
    _wait_until_run(pages, least=4)
    page = pages.locator(".jp-CodeCell").nth(0)
    playwright.expect(page.get_by_text(re.compile(r"After 60 steps: test R²"))).to_be_visible(timeout=60_000)
    assert pages.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


@pytest.mark.parametrize("notebook", ["visit", "pages"])
def test_nothing_left_this_machine_and_nothing_failed(notebook, request):
    page = request.getfixturevalue(notebook)
    hosts = {urlparse(url).hostname for url in page.requested if re.match(r"https?:|wss?:", url)}
    assert hosts <= set(LOCAL), hosts
    assert not page.problems

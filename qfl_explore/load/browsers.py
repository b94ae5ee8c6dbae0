"""Real browsers: how soon a page is seen, and how often its plots change."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
_ARGUMENTS = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"]
_WAIT_MS = 60_000
#: Whether the slider Degree P has a place on the screen, in whatever shadow root. Asked before every frame; the
#: ``wait_for`` of Playwright asks twice a second.
_SEEN = """
() => {
  const walk = (root) => [...root.querySelectorAll('*')].some((one) => (one.shadowRoot && walk(one.shadowRoot))
    || (one.matches('input[type=range][aria-label="Degree P"]') && one.getBoundingClientRect().width > 0));
  return walk(document);
}
"""
#: Whether the first picture of the run is drawn.
_DRAWN = """
() => [...(window.Bokeh?.documents[0]?._all_models.values() ?? [])].some(
  m => m.name === 'model' && m.data_source && Object.values(m.data_source.data).some(column => column.length > 0))
"""
#: Bytes that the server sent for what a page needs, without its websocket.
_FETCHED = """
() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, entry) => sum + entry.transferSize, 0)
"""
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_UPDATES = """
(seconds) => new Promise((done) => {
  const sources = [...Bokeh.documents[0]._all_models.values()].filter(m => m.name === 'model' && m.data_source)
    .map(m => m.data_source);
  const last = new Map(sources.map(s => [s, s.data]));
  let updates = 0, frames = 0;
  const begin = performance.now();
  const look = (now) => {
    frames += 1;
    let changed = 0;
    for (const s of sources) if (s.data !== last.get(s)) { last.set(s, s.data); changed = 1; }
    updates += changed;
    if (now - begin < 1000 * seconds) requestAnimationFrame(look);
    else done({updates: 1000 * updates / (now - begin), frames: 1000 * frames / (now - begin)});
  };
  requestAnimationFrame(look);
})
"""


def why_not() -> str:
    """Why there is no browser to measure with; empty where there is."""
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed (it comes with the packages for development)"
    return "" if _executable() else "Chromium is not installed"


def _executable() -> str | None:
    found = next((path for path in map(shutil.which, _CHROMIUM) if path), None)
    return found or (str(path) if (path := Path("/usr/bin/chromium")).exists() else None)


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    """A browser without a window."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_executable(), args=_ARGUMENTS)
        blank = await browser.new_page()  # so that the browser's own start is not counted
        await blank.goto("about:blank")
        try:
            yield browser
        finally:
            await browser.close()


async def visit(browser: Any, address: str) -> tuple[Any, float]:
    """Opens a page as somebody who was never there: with an empty cache.

    Returns:
        The tab; seconds until its controls were seen.
    """
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    tab = await context.new_page()
    tab.set_default_timeout(_WAIT_MS)
    begin = time.monotonic()
    await tab.goto(address, wait_until="commit")
    await tab.wait_for_function(_SEEN)
    await tab.evaluate(_PAINTED)
    return tab, time.monotonic() - begin


async def drawn(tab: Any) -> float:
    """Waits for the run's first picture, once the controls are seen; how long, in seconds."""
    begin = time.monotonic()
    await tab.wait_for_function(_DRAWN)
    return time.monotonic() - begin


async def fetched(tab: Any) -> int:
    """Bytes of documents, scripts, styles and fonts that it got so far."""
    return await tab.evaluate(_FETCHED)


async def updates(tab: Any, seconds: float) -> dict[str, float]:
    """``updates`` of plots and ``frames`` a second."""
    return await tab.evaluate(_UPDATES, seconds)

"""Measures what the live page promises, in a real browser: ``python tests/browser/measure_live.py``.

- from a key press on the degree slider to the first picture of the new run: at most 300 ms;
- while training: plot updates a second (10 asked) and browser frames a second (at least 45);
- lag of the server's event loop while training: at most 50 ms at the 99th percentile.

The server runs in a process of its own; headless Chromium paces frames at 60 a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SHORTEST_BEAT = 0.005

BARS = """
() => {
  window.source = (layer, column) => [...Bokeh.documents[0]._all_models.values()].find(
    m => m.name === layer && m.data_source && m.data_source.data[column] !== undefined)?.data_source;
  window.pressed = 0;
  document.addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
}
"""
FIRST_FRAME = """
(n) => new Promise((done) => {
  const look = () => {
    const bars = window.source('model', 'left');
    if (bars && bars.data.left.length === n && window.pressed) done(performance.now() - window.pressed);
    else requestAnimationFrame(look);
  };
  look();
})
"""
RATES = """
([seconds, column]) => new Promise((done) => {
  let frames = 0, updates = 0;
  const source = window.source(column === 'image' ? 'map' : 'model', column);
  const sources = column === 'image'
    ? [...Bokeh.documents[0]._all_models.values()].filter(m => m.name === 'map' && m.data_source)
        .map(m => m.data_source)
    : [source];
  const last = new Map(sources.map(s => [s, s.data]));
  const start = performance.now();
  let previous = start; const gaps = [];
  const tick = (now) => {
    frames += 1; gaps.push(now - previous); previous = now;
    let changed = 0;
    for (const s of sources) if (s.data !== last.get(s)) { last.set(s, s.data); changed = 1; }
    updates += changed;
    if (now - start < 1000 * seconds) requestAnimationFrame(tick);
    else {
      gaps.sort((a, b) => a - b);
      done({frames: 1000 * frames / (now - start), updates: 1000 * updates / (now - start),
            longest: gaps[gaps.length - 1]});
    }
  };
  requestAnimationFrame(tick);
})
"""


def serve(port: int, lag_file: str) -> None:
    """The app, with a beat on its event loop that notes how late it comes."""
    import panel as pn
    from tornado.ioloop import IOLoop

    lags: list[tuple[float, float]] = []

    def beat(due: float) -> None:
        now = time.monotonic()
        lags.append((time.time(), now - due))
        loop.call_later(2 * SHORTEST_BEAT, beat, now + 2 * SHORTEST_BEAT)
        if len(lags) % 20 == 0:
            with open(lag_file, "a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(entry)}\n" for entry in lags[-20:])

    app = {"app": str(ROOT / "qfl_explore" / "app.py")}
    server = pn.io.server.get_server(app, port=port, show=False, start=False)
    loop = IOLoop.current()
    loop.call_later(0.0, beat, time.monotonic())
    server.run_until_shutdown()


def measure(page, url: str, lag_file: Path, seconds: float) -> dict[str, float]:
    """All figures, in milliseconds and per second."""
    found: dict[str, float] = {}
    for name in ("load_cold_s", "load_s"):
        begin = time.perf_counter()
        page.goto(f"{url}/app?P=3")
        page.get_by_role("button", name="Pause", exact=True).wait_for()
        page.evaluate(BARS)
        page.evaluate(FIRST_FRAME.replace("&& window.pressed", ""), 7)
        found[name] = time.perf_counter() - begin
    time.sleep(6.0)
    waits = []
    slider = page.get_by_role("slider", name="Degree P")
    slider.focus()
    for degree in (4, 5, 6, 5, 4, 3, 2, 1, 2, 3) * 2:
        page.evaluate("() => { window.pressed = 0; }")
        now = int(slider.get_attribute("aria-valuenow"))
        slider.press("ArrowRight" if degree > now else "ArrowLeft")
        waits.append(page.evaluate(FIRST_FRAME, 2 * degree + 1))
        time.sleep(0.7)
    found |= {"first_frame_median_ms": float(np.median(waits)), "first_frame_worst_ms": float(max(waits))}
    cases = {"curve": ("?P=3&steps=5000", "x"), "maps": ("?P=3&M=2&constant=1&target=product&k=1&steps=5000", "image")}
    for case, (query, column) in cases.items():
        page.goto(f"{url}/app{query}")
        page.get_by_role("button", name="Pause", exact=True).wait_for()
        page.evaluate(BARS)
        time.sleep(8.0)  # the wall strip is done by then
        begin = time.time()
        rates = page.evaluate(RATES, [seconds, column])
        end = time.time()
        found |= {f"{case}_{key}": value for key, value in rates.items()}
        page.get_by_role("button", name="Pause", exact=True).click()
        time.sleep(1.0)
        found[f"{case}_frames_paused"] = page.evaluate(RATES, [3.0, column])["frames"]
        found[f"{case}_lag_p99_ms"] = lag_percentile(lag_file, begin, end)
    return found


def lag_percentile(lag_file: Path, begin: float, end: float) -> float:
    """99th percentile of the loop's lag between two times, in milliseconds."""
    time.sleep(0.5)
    entries = [json.loads(line) for line in lag_file.read_text().splitlines() if line.endswith("]")]
    return 1000 * float(np.percentile([lag for when, lag in entries if begin <= when <= end], 99))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long rates are counted")
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(int(options.serve[0]), options.serve[1])
        return
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, free_port, wait_until_up

    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        lag_file = Path(folder) / "lag.txt"
        command = [sys.executable, __file__, "--serve", str(port), str(lag_file)]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
        try:
            wait_until_up(f"http://localhost:{port}", process)
            with sync_playwright() as playwright:
                arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"]
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                figures = measure(page, f"http://localhost:{port}", lag_file, options.seconds)
                browser.close()
        finally:
            process.terminate()
            process.wait(timeout=10)
    figures["load_average"] = os.getloadavg()[0]
    for name, value in figures.items():
        print(f"{name:24s} {value:8.1f}")  # noqa: T201


if __name__ == "__main__":
    main()

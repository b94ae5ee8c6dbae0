"""Takes the handbook's pictures: starts the app, opens each page with one of its presets, and photographs it.

    make pictures                            # all of them, into docs/pictures (ten minutes)
    make pictures ARGS="noise encoding"      # some

It needs Playwright and Chromium (`make setup-dev`; Chromium from the system). Each picture is a PNG of at most 150 kB.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from qfl_explore.load.server import served
from qfl_explore.results.store import VARIABLE
from qfl_explore.teaching import content

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000
#: Colours of a picture, tried in turn until it is small enough.
COLOURS = (256, 128, 64, 32)
_RUN_MS = 420_000
_SETTLE_MS = 8_000
#: Styles come last on a busy machine.
_STYLED = """async (bar) => {
  while (getComputedStyle(bar).backgroundColor === 'rgba(0, 0, 0, 0)') await new Promise(requestAnimationFrame);
}"""
_VIEW = {"width": 1440, "height": 900}
_DONE = re.compile(r"(^|· )finished")


@dataclasses.dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        name: of the file, without its ending.
        page: of the app.
        preset: whose words the link has; the handbook names it beside the picture.
        more: further words of the link.
        done: text that the page has when it is ready.
    """

    name: str
    page: str
    preset: str
    more: tuple[tuple[str, str], ...] = ()
    done: re.Pattern[str] = _DONE

    def link(self) -> str:
        """The query of the address."""
        return content.preset(self.page, self.preset).link + "".join(f"&{word}={text}" for word, text in self.more)


PICTURES = (
    Picture("app", "polynomial", "over the wall"),
    Picture("app_dark", "polynomial", "over the wall", (("theme", "dark"),)),
    Picture("polynomial", "polynomial", "the wall"),
    Picture("circuit", "circuit", "twelve leads", done=re.compile("The whole circuit")),
    Picture("real_data", "real_data", "tumours, quickly"),
    Picture("systems", "systems", "three systems"),
    Picture("gradient_variance", "gradient_variance", "the plateau"),
    Picture("separation", "separation", "six queries", done=re.compile("Step 12 of 12")),
    Picture("measurement_bases", "measurement_bases", "four bases"),
    Picture("encoding", "encoding", "scaled"),
    Picture("noise", "noise", "gates that err"),
    Picture("sweeps", "sweeps", "the wall, as a grid"),
)


def take(tab: Any, address: str, picture: Picture) -> bytes:
    """Opens a page, waits for its result, and photographs what a visitor sees first."""
    tab.goto(f"{address}/app{picture.link()}", timeout=_RUN_MS)
    tab.get_by_text(picture.done).first.wait_for(timeout=_RUN_MS)
    tab.locator(".MuiAppBar-root").first.evaluate(_STYLED)
    tab.wait_for_timeout(_SETTLE_MS)  # what is drawn beside the run, and figures that fade in
    return tab.screenshot()


def small(png: bytes) -> bytes:
    """The same picture with fewer colours, as many as ``MOST_BYTES`` allow; rare ones (a thin line's) are kept true.

    Raises:
        ValueError: it does not become small enough.
    """
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in COLOURS:
        buffer = io.BytesIO()
        image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= MOST_BYTES:
            return buffer.getvalue()
    raise ValueError(f"a picture is too large. Expected: at most {MOST_BYTES} bytes. Received: {buffer.tell()}.")


def main(arguments: list[str]) -> int:
    """Takes the pictures that are named, or all; 1 where one failed."""
    from playwright.sync_api import Error, sync_playwright

    names = [picture.name for picture in PICTURES]
    parser = argparse.ArgumentParser(description="Takes the handbook's pictures into docs/pictures.")
    parser.add_argument("names", nargs="*", help=f"which; none: all of {', '.join(names)}")
    wanted = parser.parse_args(arguments).names or names
    if unknown := set(wanted) - set(names):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}. Expected: some of {', '.join(names)}.")
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    FOLDER.mkdir(exist_ok=True)
    failed = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads that wait for each other slow a busy machine down
        os.environ[VARIABLE] = f"{folder}/results.sqlite"  # rows of the sweep are not mixed with anybody's own
        with served(Path(folder)) as server:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            tab = browser.new_page(viewport=_VIEW)
            for picture in sorted(
                (one for one in PICTURES if one.name in wanted), key=lambda one: wanted.index(one.name)
            ):
                try:
                    png = small(take(tab, server.url, picture))
                except Error as error:
                    failed.append(picture.name)
                    sys.stderr.write(f"{picture.name}: {str(error).splitlines()[0]}\n")
                    continue
                (FOLDER / f"{picture.name}.png").write_bytes(png)
                print(f"{picture.name}.png {len(png) // 1000} kB", flush=True)  # noqa: T201
            browser.close()
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Keys, pin, undo and saved pictures in a real browser."""

import re
import struct
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

DEGREE = re.compile("^Degree P")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True).first


def saved(page, kind, number=0):
    with page.expect_download() as download:
        button_of = page.get_by_role("button", name=f"Save as {kind}", exact=True)
        button_of.nth(number).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def colours_of(png):
    """Width, height, and how many different pixels a PNG of 8 bits a channel has."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + length] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += length + 12
    assert depth == 8 and kind in (2, 6)
    return width, height, len(set(zlib.decompress(data)))


def check_pictures(page, name):
    file, png = saved(page, "PNG")
    width, height, n_values = colours_of(png)
    assert re.fullmatch(rf"qfl_{name}_[a-z0-9-]+_[0-9a-f]{{12}}\.png", file), file
    assert width > 400 and height > 100 and n_values > 20
    file, svg = saved(page, "SVG")
    root = ET.fromstring(svg)
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    drawn = sum(tags.count(tag) for tag in ("path", "line", "rect"))  # a diagram has no paths
    assert file.endswith(".svg") and root.tag.endswith("svg") and drawn > 10 and tags.count("text") > 5
    assert "image" not in tags and next(root.iter("{http://www.w3.org/2000/svg}desc")).text.startswith("Degree P: 2")
    assert 'fill="rgb(255, 255, 255)"' in svg.decode()  # the page's background


def test_keys_pin_undo_and_the_list(page, server):
    page.goto(f"{server}/app?steps=5000")
    status = page.get_by_text(re.compile(r"step \d+ of 5000")).first
    page.get_by_text(re.compile(r"step [1-9]\d+ of 5000")).first.wait_for()
    page.locator("[data-qfl-desk]").wait_for(state="attached")  # it listens
    page.keyboard.press(" ")
    page.get_by_text(re.compile("· paused")).first.wait_for()
    before = int(re.search(r"step (\d+)", status.inner_text())[1])
    page.keyboard.press("ArrowRight")
    page.get_by_text(re.compile(f"step {before + 1} of .* paused")).first.wait_for()
    page.keyboard.press("p")
    page.get_by_text("Side by side").wait_for()
    slider = page.get_by_role("slider", name=DEGREE)
    slider.focus()
    page.keyboard.press("ArrowLeft")  # the slider's, not the run's
    page.get_by_text(re.compile("The runs differ in one setting")).wait_for()
    page.get_by_role("rowheader", name="Degree P").wait_for()
    page.keyboard.press("Control+z")
    page.get_by_text(re.compile("The settings are the same")).wait_for()
    assert slider.input_value() == "3"
    page.keyboard.press("Control+Shift+z")
    page.get_by_text(re.compile("The runs differ in one setting")).wait_for()
    button(page, "Unpin").click()
    page.get_by_text("Side by side").wait_for(state="detached")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowLeft")
    page.get_by_text(re.compile("step 0 of .* paused")).first.wait_for()
    button(page, "Keyboard shortcuts").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("start or pause the run").wait_for()
    dialog.get_by_role("switch").or_(dialog.get_by_role("checkbox")).first.click()
    page.wait_for_function("() => Object.values(localStorage).includes('off')")
    button(page, "Close").click()
    dialog.wait_for(state="detached")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("p")
    page.keyboard.press(" ")
    page.keyboard.press("Control+z")  # with a modifier it is no single key, and stays
    page.wait_for_function("() => location.search.includes('steps=5000') && !location.search.includes('P=2')")
    assert page.get_by_text("Side by side").count() == 0


def test_pictures_are_saved_by_the_browser_alone(page, server):
    page.goto(f"{server}/app?steps=20&P=2")
    page.get_by_text(re.compile("· finished")).first.wait_for()
    check_pictures(page, "polynomial")
    page.goto(f"{server}/app?page=circuit&P=2")
    page.get_by_role("img", name="Circuit diagram").first.wait_for()
    check_pictures(page, "circuit")  # the first one is the diagram, which is no Bokeh figure

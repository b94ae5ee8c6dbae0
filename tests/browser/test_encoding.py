"""The page Encoding in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_it_runs_moves_the_picture_and_takes_along(page, server):
    page.goto(f"{server}/app?page=encoding&seeds=2&steps=50&train=32&P=1&distortion=shift")
    page.get_by_text(re.compile("After all 2 seeds .* the layer's test R² is between")).wait_for(timeout=60_000)
    page.get_by_text(re.compile("test samples of seed 0, π spoiled at test time only")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("Strength in the picture"))
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text(re.compile("test samples of seed 0, 2π spoiled at test time only")).wait_for()
    page.get_by_text(re.compile("the Keras layer warns about that")).wait_for()
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text(re.compile("from qfl_explore.experiments.encoding import")).first.wait_for()
    page.get_by_role("button", name="Table").click()
    page.get_by_role("cell", name="quantum").first.wait_for()

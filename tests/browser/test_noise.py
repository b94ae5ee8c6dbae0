"""The page Noise in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_it_trains_redraws_and_takes_along(page, server):
    page.goto(f"{server}/app?page=noise&seeds=2&steps=20&train=32&upto=1&P=1")
    page.get_by_text(re.compile("Depolarising 0.03, P = 1, 2 seeds .* the layer's test R² is")).wait_for(timeout=60_000)
    page.get_by_text("Gates of both forms").wait_for()
    page.get_by_text(re.compile("Depolarising 0.03, P = 1: exact density matrices")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("Strength of the curve"))
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    page.get_by_text(re.compile("Depolarising 0.033, P = 1: exact density matrices")).wait_for()
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text(re.compile("from qfl_explore.experiments.noise import")).first.wait_for()
    page.get_by_role("button", name="Table").click()
    page.get_by_role("cell", name="fourier").first.wait_for()


def test_the_protocol_and_the_device(page, server):
    page.goto(f"{server}/app?page=noise&task=separation&noise_kind=device&seeds=2&upto=2&P=2&theme=dark")
    page.get_by_text(re.compile("Device noise times 1, 4 queries, 2 seeds .* the joint protocol")).wait_for()
    page.get_by_text("Right decisions against strength").wait_for()

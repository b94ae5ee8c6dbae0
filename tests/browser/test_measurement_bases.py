"""The page Measurement bases in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_it_trains_reads_and_takes_along(page, server):
    page.goto(f"{server}/app?page=measurement_bases&seeds=2&steps=50&train=32&basis=pauli")
    page.get_by_text(re.compile("After all 2 seeds .* the random plane has test R²")).wait_for(timeout=60_000)
    page.get_by_text(re.compile("63 of 63")).first.wait_for()
    page.get_by_text(re.compile(r"T = 1.000 repetitions: bit strings in 3 settings")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("Repetitions T"))
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text(re.compile(r"T = 3.000 repetitions: bit strings in 3 settings")).wait_for()
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text(re.compile("from qfl_explore.experiments.measurement_bases import")).first.wait_for()
    page.get_by_role("button", name="Table").click()
    page.get_by_role("cell", name="random_pauli_plane").first.wait_for()

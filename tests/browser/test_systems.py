"""The page Systems in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_it_trains_looks_inside_and_takes_along(page, server):
    page.goto(f"{server}/app?page=systems&seeds=2&epochs=2")
    page.get_by_text(re.compile("2 seeds .* macro F1: the Quantum Fusion Layer")).wait_for(timeout=180_000)
    page.get_by_text(re.compile("Cross-attention: mean over 36 test samples")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("Test sample"))
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text(re.compile("Test sample 2 of 36")).wait_for()
    page.get_by_text("Feature entanglement: cost against modalities").wait_for()
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text(re.compile("from qfl_explore.experiments.systems import")).first.wait_for()
    page.get_by_role("button", name="Table").click()
    page.get_by_role("cell", name="feature_entanglement").first.wait_for()

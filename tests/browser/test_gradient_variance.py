"""The page Gradient variance in a browser: it runs by itself, switches views, refuses, and gives things along."""

import re

import pytest

pytestmark = pytest.mark.browser

ADDRESS = "/app?page=gradient_variance&upto=5&P=1&M=2&precision=0.1&steps=20&starts=4"


def test_sweep_views_table_and_code(page, server):
    page.goto(server + ADDRESS)
    page.get_by_text(re.compile(r"8 of 8 points · finished")).wait_for()
    page.get_by_text(re.compile(r"One qubit per feature: variance ∝ 2\^\(−\d")).wait_for()
    page.get_by_role("button", name="Table", exact=True).click()
    page.get_by_role("columnheader", name="two_design").wait_for()
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text("run_sweep", exact=False).first.wait_for()
    page.get_by_role("button", name="Angle by angle", exact=True).click()
    page.get_by_text(re.compile(r"Mean over \d+ angles: .*seed 0")).wait_for()
    page.get_by_role("button", name="During training", exact=True).click()
    page.get_by_text(re.compile(r"After 20 steps: mean loss .* over 4 starts")).wait_for()


@pytest.mark.alone
def test_a_long_run_is_cancelled_and_too_much_is_refused(page, server):
    page.goto(f"{server}/app?page=gradient_variance&upto=16&precision=0.01")
    page.get_by_text(re.compile(r"left · running")).wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text(re.compile(r"· cancelled")).wait_for(timeout=2000)
    page.goto(f"{server}/app?page=gradient_variance&upto=12&D=2")
    page.get_by_role("alert").get_by_text(re.compile(r"Received: 24 qubits, about .* MiB")).wait_for()

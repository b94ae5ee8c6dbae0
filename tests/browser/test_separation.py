"""The page Separation in a real browser: it runs by itself, its parts open, a polynomial is typed."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_six_queries_then_a_rank_wall_and_a_polynomial(page, server):
    page.goto(f"{server}/app?page=separation&wall_M=2&wall_runs=2&wall_budget=50&poly_on=batched")
    page.get_by_text(re.compile("With 6 queries in one register the answer is certain")).wait_for()
    page.get_by_text(re.compile("right with probability 0.815")).wait_for()
    page.get_by_text(re.compile("Step 12 of 12")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("Oracles M"))
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text(re.compile("With 9 queries")).wait_for()
    page.get_by_role("tab", name="Rank wall").click()
    page.get_by_text(re.compile("so LMF needs R ≥ 2")).wait_for()
    page.get_by_role("tab", name="Polynomials").click()
    page.get_by_text(re.compile("Degree 5: one sequence")).wait_for()
    box = page.get_by_role("textbox", name=re.compile("Polynomial in x"))
    box.fill("abs(x)")
    box.press("Enter")
    page.get_by_text(re.compile("not a polynomial of degree 60")).first.wait_for()
    box.fill("0.5*x^3 - 0.2*x")
    box.press("Enter")
    page.get_by_text(re.compile("Degree 3: one sequence")).wait_for()
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text(re.compile("SignalConfig")).first.wait_for()

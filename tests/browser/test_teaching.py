"""A learner takes a tour and looks words up; a teacher follows a link and prints the worksheet."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_a_tour_from_end_to_end(page, server):
    page.goto(f"{server}/app?tour=1")
    step = page.get_by_role("heading", name=re.compile("Step 1 of 5"))
    step.wait_for()
    page.get_by_text("waits for your answer").first.wait_for()
    page.get_by_text("paused").first.wait_for(state="hidden")  # and so is the headline, which says the answer
    page.get_by_role("button", name="Yes, its R² will come close to 1").click()
    page.get_by_text("That is right.").wait_for()
    page.get_by_text("What this does not show.").first.wait_for()
    page.get_by_text(re.compile(r"test R² = (1\.000|0\.99)")).wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name=re.compile("Step 2 of 5")).wait_for()
    page.get_by_text("waits for your answer").wait_for()
    assert page.get_by_text("orthogonal to every wave").count() == 0
    page.get_by_role("button", name="About 2/3").click()
    page.get_by_text("The answer is: Near 0.").wait_for()
    page.get_by_text(re.compile(r"no model of degree 2 can fit cos\(3x\)")).wait_for()
    page.wait_for_url(re.compile(r"\?P=2&tour=2$"))
    for number in (3, 4, 5):
        page.get_by_role("button", name="Next").click()
        page.get_by_role("heading", name=re.compile(f"Step {number} of 5")).wait_for()
        page.get_by_role("button", name="Show the answer").click()
        page.get_by_text("What this does not show.").first.wait_for()
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name=re.compile("Step 5 of 5")).wait_for(state="detached")
    page.get_by_role("button", name="the wall", exact=True).click()
    page.get_by_text("whose frequency 3 the layer cannot reach").wait_for()
    page.wait_for_url(re.compile(r"\?P=2$"))


def test_words_are_explained_on_hover_by_key_and_by_click(page, server):
    page.goto(f"{server}/app?P=2&steps=10")
    word = page.locator("dfn[data-term=ceiling]").first
    word.wait_for()
    box = page.locator("#qfl-term")
    word.hover()
    box.get_by_text("The best score that any function with the layer's reachable frequencies").wait_for()
    box.hover()  # the pointer may go there
    assert box.is_visible()
    page.keyboard.press("Escape")
    assert not box.is_visible()
    page.mouse.move(5, 300)
    other = page.locator("dfn[data-term=seed]").first
    other.focus()
    box.get_by_text("Fixes every draw").wait_for()
    word.click()
    box.get_by_text("The best score").wait_for()
    page.mouse.click(5, 600)
    box.wait_for(state="hidden")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    box.get_by_text("QFL(x) =").wait_for()  # the control's own word, with its formula
    said, drawer = box.bounding_box(), page.locator(".MuiDrawer-paper").bounding_box()
    assert said["x"] >= drawer["x"] + drawer["width"] - 30, "it covers the controls below"
    page.keyboard.press("ArrowRight")
    box.wait_for(state="hidden")


def test_a_teachers_link_opens_that_state_and_the_worksheet_is_printed(page, server):
    page.goto(f"{server}/app?page=teach")
    link = page.get_by_role("link", name="Open Gradient variance, tour, step 1")
    with page.context.expect_page() as opened:
        link.click()
    tab = opened.value
    tab.get_by_role("heading", name=re.compile("Two registers, one question")).wait_for()
    assert tab.url.endswith("?page=gradient_variance&tour=1") or "precision=0.05" in tab.url
    tab.get_by_text("5 %", exact=True).wait_for()  # the step's precision
    tab.close()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Print the worksheet").click()
    sheet = opened.value
    sheet.get_by_role("heading", name="Worksheet, 45 minutes").wait_for()
    assert f"{server}/app?page=polynomial&tour=1" in sheet.content().replace("&amp;", "&")
    sheet.close()
    page.get_by_label("Find a word").fill("shots")
    page.get_by_text("often called shots").wait_for()
    page.get_by_text("barren plateau", exact=True).wait_for(state="detached")

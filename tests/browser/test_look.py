"""How the app looks and is reached: axe on every page, the Tab key, three sizes of fonts, small screens."""

import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from qfl_explore.dashboards.pages import PAGES

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
#: What cannot be mended from outside: rule, what its selector matches, and why it stays.
ALLOWED = (
    (
        "aria-prohibited-attr",
        r'(^|> )span\[sx="\[object Object\]"\]',
        "panel-material-ui hangs a tooltip on an empty span inside a label; the text is also a title that is read",
    ),
)
#: Words that only this page has, drawn when it is open.
SIGNS = {
    "polynomial": "reaches every",
    "circuit": "Counts against the number of",
    "real_data": "Methods",
    "systems": "Look inside",
    "gradient_variance": "Cost and start",
    "separation": "Which is it?",
    "measurement_bases": "One circuit",
    "encoding": "angles go round in circles",
    "noise": "Does a layer survive noise?",
    "sweeps": "Other settings",
}
AXE = """(rules) => axe.run({runOnly: rules, resultTypes: ["violations"]}).then(({violations}) => violations.flatMap(
  ({id, nodes}) => nodes.map(({html, target, any, all, none}) =>
    [id, html.slice(0, 200), [...any, ...all, ...none].map(({message}) => message).join("; "), target.flat().at(-1)]
  )))"""


def violations(page):
    """What axe finds, and still finds after some seconds (colours fade from one theme to the other)."""
    for _ in range(5):
        found = page.evaluate(AXE, RULES)
        left = [
            one for one in found if not any(one[0] == rule and re.search(said, one[3]) for rule, said, _ in ALLOWED)
        ]
        if not left:
            break
        page.wait_for_timeout(1500)
    return left


def open_tab(page, one):
    page.get_by_role("tab", name=one.title, exact=True).click()
    sign = "name => (new URLSearchParams(location.search).get('page') ?? 'polynomial') === name"
    page.wait_for_function(sign, arg=one.name)
    page.get_by_text(SIGNS.get(one.name, one.title)).first.wait_for()
    page.wait_for_timeout(400)  # what moves has come to rest


def turn_theme(page):
    """Light to dark, or back; until the last button has its colour, which takes a while on a busy machine."""
    buttons = page.locator("button.MuiButton-outlined:not(.Mui-disabled)")
    last = buttons.nth(buttons.count() - 1) if buttons.count() else page.locator("body")
    colour = "element => getComputedStyle(element).color"
    before = last.evaluate(colour)
    page.get_by_role("button", name="Toggle theme").click()
    for _ in range(50):
        page.wait_for_timeout(200)
        if last.evaluate(colour) != before:
            break
    page.wait_for_timeout(300)  # it fades


def first_page(page, server, query="?steps=20"):
    page.goto(f"{server}/app{query}")
    page.get_by_role("button", name="Step").wait_for()


def test_axe_finds_nothing_on_any_page_light_or_dark(page, server):
    """The page's fixture also fails where any of them asks another server for anything, or reports an error."""
    first_page(page, server)
    page.evaluate(AXE_SCRIPT)
    found = []
    for one in PAGES:
        open_tab(page, one)
        found += [(one.name, "as the page before", *each) for each in violations(page)]
        turn_theme(page)
        found += [(one.name, "the other theme", *each) for each in violations(page)]
    assert not found, "\n".join(map(str, found))


ALL_LIGHT = """() => {
  const inside = (part) => [part, ...(part.shadowRoot ? parts(part.shadowRoot) : [])];
  const parts = (root) => [...root.querySelectorAll("*")].flatMap(inside);
  return parts(document).every((part) => !part.classList.contains("mui-dark"));
}"""


@pytest.mark.parametrize("after", [150, 400])
def test_a_theme_that_turns_while_a_page_is_drawn_reaches_all_of_it(page, server, after):
    first_page(page, server, "?steps=20&theme=dark")
    page.wait_for_timeout(1000)
    page.get_by_role("tab", name="Circuit", exact=True).click()
    page.wait_for_timeout(after)
    page.get_by_role("button", name="Toggle theme").click()
    assert "theme" not in page.url
    page.get_by_text(SIGNS["circuit"]).first.wait_for()
    page.wait_for_timeout(1500)
    assert "theme" not in page.url  # the server had not heard of it when it wrote the page's name
    assert "page=circuit" in page.url
    page.wait_for_function(ALL_LIGHT)
    page.get_by_role("button", name="Toggle theme").click()
    page.wait_for_function("() => location.search === '?page=circuit&steps=20&theme=dark'")


def test_axe_finds_nothing_in_what_opens(page, server):
    first_page(page, server)
    page.evaluate(AXE_SCRIPT)
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text(re.compile("PolynomialConfig")).first.wait_for()
    found = violations(page)
    folded = page.get_by_role("button", name="show more", expanded=False)
    while folded.count():
        folded.first.click()
        page.wait_for_timeout(300)
    page.get_by_label("Optimiser").first.wait_for()
    page.wait_for_timeout(500)
    found += violations(page)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("dialog").wait_for()
    page.wait_for_timeout(400)
    found += violations(page)
    assert not found, "\n".join(map(str, found))


FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const box = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const name = at.getAttribute("aria-label") || at.labels?.[0]?.textContent || at.textContent || "";
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none"
    || at.closest(".Mui-focusVisible, .Mui-focused") !== null;
  return [at.tagName, name.trim().slice(0, 40), box.x, box.y, box.width, box.height, ring];
}"""


def test_the_tab_key_reaches_every_control_in_order_and_is_seen(page, server):
    first_page(page, server, "?steps=20")
    page.get_by_text(re.compile("· finished")).wait_for()
    page.get_by_role("button", name="Close drawer").focus()
    stops = []
    while len(stops) < 90:
        stop = page.evaluate(FOCUSED)
        if stop[0] == "BODY":
            break
        stops.append(stop)
        page.keyboard.press("Tab")
    names = [name for _, name, *_ in stops]

    def place(name):
        return next(i for i, said in enumerate(names) if said.startswith(name))

    order = (
        "Close drawer",
        "To the result",
        "Polynomial",
        "Larger text",
        "Toggle theme",
        "Degree P",
        "play_arrowStart",
        "Save as PNG",
        "table_rows",
    )
    places = [place(name) for name in order]
    assert places == sorted(places), names
    for tag, name, _, _, width, height, ring in stops:
        assert width > 0 and height > 0, (tag, name)
        assert ring, f"nothing shows that {name or tag} has the focus"
    assert len(stops) < 90, "the Tab key does not come round"


def test_the_way_past_the_tabs_leads_to_the_result(page, server):
    first_page(page, server)
    page.get_by_text(re.compile("· finished")).wait_for()
    page.get_by_role("button", name="To the result").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        """() => { let at = document.activeElement;
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        return at.textContent.includes("reaches every frequency"); }"""
    )


SIZES = """() => {
  const walk = (node, found = []) => {
    for (const child of node.querySelectorAll('*')) {
      found.push(child);
      if (child.shadowRoot) walk(child.shadowRoot, found);
    }
    return found;
  };
  const all = walk(document);
  const main = all.find((one) => one.matches('.main-content'));
  const bar = all.find((one) => one.matches('.MuiAppBar-root')).getBoundingClientRect();
  const figures = all.filter((one) => one.matches('[role=figure]')).map((one) => one.getBoundingClientRect());
  const tabs = all.filter((one) => one.matches('[role=tab]')).map((one) => one.getBoundingClientRect())
    .filter((box) => box.y < 40);
  const words = all.find((one) => one.matches('[role=status]') && one.textContent.trim());
  return {
    sideways: main.scrollWidth - main.clientWidth,
    top: main.getBoundingClientRect().y - bar.bottom,
    tabs: Math.max(...tabs.map((box) => box.bottom)) - bar.bottom,
    letters: words ? parseFloat(getComputedStyle(words).fontSize) : 0,
    heights: figures.map((box) => box.height),
    overlap: figures.some((a, i) => figures.some((b, j) => i < j && a.width && b.width
      && Math.min(a.right, b.right) - Math.max(a.x, b.x) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.y, b.y) > 2)),
  };
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768)])
def test_large_fonts_fit_and_stay_in_the_link(page, server, width, height):
    page.set_viewport_size({"width": width, "height": height})
    first_page(page, server)
    page.get_by_text("reaches every").first.wait_for()
    page.get_by_text(re.compile("· finished")).wait_for()
    small = page.evaluate(SIZES)
    for _ in range(2):
        page.get_by_role("button", name=re.compile("Larger text")).click()
        page.wait_for_timeout(600)
    page.wait_for_function("() => location.search.includes('font=150')")
    for _ in range(50):
        large = page.evaluate(SIZES)
        if large["letters"] > 1.4 * small["letters"]:
            break
        page.wait_for_timeout(200)
    page.wait_for_timeout(500)  # the figures follow the letters
    large = page.evaluate(SIZES)
    assert large["letters"] == pytest.approx(1.5 * small["letters"])
    assert large["heights"] == pytest.approx([1.5 * one for one in small["heights"]], abs=3)
    for one in (PAGES[0], *(page for page in PAGES if page.name in ("circuit", "noise", "separation"))):
        open_tab(page, one)
        seen = page.evaluate(SIZES)
        assert seen["sideways"] <= 1 and not seen["overlap"], one.name
        assert seen["top"] >= -1 and seen["tabs"] <= 1, one.name


@pytest.mark.parametrize(("width", "height"), [(768, 1024), (390, 844)])
def test_pages_fit_a_tablet_upright_and_a_phone(chromium, server, width, height):
    context = chromium.new_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    first_page(page, server)
    if width < 600:
        page.touchscreen.tap(width - 20, height // 2)  # beside the drawer, which lies over the page here
    page.get_by_text("reaches every").first.wait_for()
    seen = page.evaluate(SIZES)
    assert not seen["overlap"] and seen["sideways"] <= 1
    page.get_by_text(re.compile("· finished")).wait_for()
    assert page.get_by_role("button", name="Start", exact=True).bounding_box()["height"] >= 32
    assert page.get_by_role("tablist").first.bounding_box()["width"] >= 120, "no room for the tabs"
    context.close()

"""The app in a real browser: pages load, sliders move, training runs, nothing leaves localhost."""

import gzip
import re
import urllib.request

import pytest

from qfl_explore.dashboards.pages import PAGES

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

LAYER = """
(key) => {
  const [layer, n] = key;
  for (const model of Bokeh.documents[0]._all_models.values())
    if (model.name === layer && model.data_source) {
      const column = Object.values(model.data_source.data)[0];
      if (n === "any" || model.data_source.data[n] !== undefined) return column.length;
    }
  return -1;
}
"""


def rows(page, layer, column="any"):
    """Rows in a layer's data source, -1 where there is none."""
    return page.evaluate(LAYER, [layer, column])


def step(page):
    found = re.search(r"step (\d+) of (\d+)", page.get_by_text(re.compile(r"step \d+ of")).first.inner_text())
    return int(found[1])


def wait_for_step(page, least):
    page.wait_for_function(
        """(least) => {
          const seen = [];
          const walk = (node) => {
            if (node.shadowRoot) walk(node.shadowRoot);
            for (const child of node.children || []) walk(child);
            if (!node.children?.length && /step \\d+ of/.test(node.textContent)) seen.push(node.textContent);
          };
          walk(document.body);
          return seen.some((text) => Number(text.match(/step (\\d+) of/)[1]) >= least);
        }""",
        arg=least,
    )


#: Sets a button's label, and another one while the first is being drawn; what the label was, and what is seen.
TWICE = """
(button) => new Promise((done) => {
  const data = [...Bokeh.documents[0]._all_models.values()].find((model) => model.data?.label === "Step").data;
  const words = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
  while (words.nextNode().nodeValue !== "Step");
  const labels = [];
  data.properties.label.change.connect(() => labels.push(data.label));
  const own = Object.getOwnPropertyDescriptor(Node.prototype, "nodeValue");
  Object.defineProperty(words.currentNode, "nodeValue", {get: own.get, configurable: true, set(text) {
    own.set.call(this, text);
    delete this.nodeValue;
    data.setv({label: "second"});
    setTimeout(() => done([...labels, words.currentNode.nodeValue]), 1000);
  }});
  data.setv({label: "first"});
})
"""


def open_page(page, server, query=""):
    page.goto(f"{server}/app{query}")
    page.get_by_role("button", name="Step").wait_for()


def test_training_starts_by_itself_and_its_curve_grows(page, server):
    open_page(page, server, "?steps=5000")  # it goes on while a busy browser comes to the button
    wait_for_step(page, 20)
    first = rows(page, "train")
    wait_for_step(page, first + 20)
    assert rows(page, "train") > first > 0
    assert rows(page, "model", "x") == 201
    page.get_by_text(re.compile("P = 3 reaches every frequency of cos")).wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_text(re.compile("· paused")).wait_for()


def test_whoever_comes_later_gets_the_scripts_packed(page, server):
    open_page(page, server)
    sizes = page.evaluate(
        """() => Object.fromEntries(performance.getEntriesByType("resource")
          .filter((entry) => entry.decodedBodySize > 200000 && entry.name.includes("js"))
          .map((entry) => [entry.name, entry.decodedBodySize]))"""
    )
    assert len(sizes) >= 5 and sum(sizes.values()) > 4e6
    page.wait_for_timeout(2000)  # the first visitor of a server gets them as they are, and here that was this one
    for address, size in sizes.items():
        asked = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            data = answer.read()
        assert answer.headers["Content-Encoding"] == "gzip" and len(gzip.decompress(data)) == size > 3 * len(data)


def test_moving_the_degree_restarts_below_the_wall(page, server):
    open_page(page, server)
    wait_for_step(page, 10)
    slider = page.get_by_role("slider", name=re.compile("Degree P"))
    slider.focus()
    slider.press("ArrowLeft")
    page.get_by_text(re.compile(r"P = 2 < 3: no model of degree 2 can fit cos\(3x\)")).wait_for()
    assert rows(page, "model", "left") == 5  # frequencies -2 … 2


def test_pause_step_rewind(page, server):
    open_page(page, server, "?steps=5000")  # it goes on while a busy browser comes to the button
    wait_for_step(page, 5)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text(re.compile("· paused")).wait_for()
    before = step(page)
    page.get_by_role("button", name="Step").click()
    page.get_by_text(re.compile(f"step {before + 1} of .* paused")).wait_for()
    page.get_by_role("button", name="Rewind").click()
    page.get_by_text(re.compile("step 0 of .* paused")).wait_for()
    page.get_by_role("button", name="Start").click()
    wait_for_step(page, 10)


def test_two_features_are_drawn_as_maps_in_the_dark_theme(page, server):
    open_page(page, server, "?M=2&constant=1&target=product&k=1&theme=dark")
    wait_for_step(page, 10)
    page.get_by_text(re.compile(r"P = 3 reaches every frequency of cos\(x1\) · cos\(x2\)")).wait_for()
    assert rows(page, "map") == 1
    assert rows(page, "support") == 85


def test_a_bad_word_in_the_link_is_named_and_the_rest_kept(page, server):
    open_page(page, server, "?P=99&k=2&engine=nonsense")
    page.get_by_text(re.compile("P=99 in the link was ignored")).wait_for()
    page.get_by_text(re.compile("engine=nonsense in the link was ignored")).wait_for()
    page.get_by_text(re.compile(r"cos\(2x\)")).first.wait_for()


def test_a_wrong_formula_is_explained_beside_its_box(page, server):
    open_page(page, server, "?target=formula&formula=cos(2*x1)")
    page.get_by_text(re.compile(r"cos\(2")).first.wait_for()
    box = page.get_by_role("textbox", name=re.compile("Formula"))
    box.fill("cos(x1) + sinn(x1)")
    box.press("Enter")
    page.get_by_text(re.compile("Expected: .* Received: ")).first.wait_for()


def test_circuit_page_draws_and_hides_nothing(page, server):
    open_page(page, server)
    page.get_by_role("tab", name="Circuit").click()
    page.get_by_role("img", name="Circuit diagram").first.wait_for()
    page.get_by_text(re.compile("1 feature on 1 qubit")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("Modalities M"))
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text(re.compile("2 features on 2 qubits")).wait_for()
    page.get_by_role("tab", name="Polynomial").click()
    page.get_by_role("button", name="Step").wait_for()


@pytest.mark.parametrize("width", [1024, 1440])
def test_every_page_is_in_sight_and_reached_by_keyboard(page, server, width):
    page.set_viewport_size({"width": width, "height": 768})
    open_page(page, server, "?steps=20")
    tabs = page.get_by_role("tablist").first.get_by_role("tab")
    assert tabs.all_inner_texts() == [one.title for one in PAGES]
    for tab in tabs.all():
        box = tab.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= 70
        assert box["height"] >= 24  # a target that a finger finds
    tabs.first.focus()
    for tab in tabs.all()[1:]:
        page.keyboard.press("ArrowRight")
        assert tab.evaluate("tab => tab.getRootNode().activeElement === tab")
    tabs.nth(1).focus()
    page.keyboard.press("Enter")
    page.get_by_role("img", name="Circuit diagram").first.wait_for()
    assert tabs.nth(1).get_attribute("aria-selected") == "true"


def test_take_along_link_and_code(page, server):
    open_page(page, server, "?P=2&steps=5000")  # which does not end meanwhile: then the code is drawn anew
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text(re.compile("PolynomialConfig")).first.wait_for()
    first_line = page.locator(".codehilite pre").get_by_text("from", exact=True).first
    sync_api.expect(first_line).to_be_in_viewport(timeout=20_000)  # it opens below the window, and comes into sight
    ends = [page.locator(".codehilite").element_handle(), first_line.element_handle()]
    both = "(ends) => ends.map((one) => one.getBoundingClientRect().toJSON())"  # at once: the page is still scrolling
    box, line = page.evaluate(both, ends)
    assert box["top"] < line["top"] < box["bottom"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy", exact=True).click()
    page.wait_for_timeout(300)
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("from qfl_explore import FusionConfig") and "degree=2" in copied
    page.get_by_role("button", name="Link", exact=True).click()
    box = page.get_by_role("textbox", name="Link to this state")
    box.wait_for()
    assert box.input_value().endswith("/app?P=2&steps=5000")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").or_(page.get_by_role("link", name="Download CSV")).first.click()
    assert download.value.suggested_filename == "learning_curve.csv"


def test_dark_mode_is_one_click(page, server):
    open_page(page, server)
    page.get_by_role("button", name=re.compile("(dark|light|theme)", re.I)).first.click()
    page.wait_for_function("() => getComputedStyle(document.body).colorScheme !== ''")
    page.wait_for_function(
        """() => [...Bokeh.documents[0]._all_models.values()]
          .some(m => m.name === 'model' && m.glyph && m.glyph.line_color?.value === '#56B4E9'
                     || m.name === 'model' && m.glyph && m.glyph.line_color === '#56B4E9')"""
    )


def test_presets_pin_and_new_seed(page, server):
    open_page(page, server, "?steps=40")
    page.get_by_text(re.compile("· finished")).wait_for()
    page.get_by_role("button", name="Pin", exact=True).click()
    page.get_by_text("Side by side").wait_for()
    page.get_by_role("button", name="the wall", exact=True).click()
    page.get_by_text(re.compile(r"P = 2 < 3: no model of degree 2 can fit cos\(3x\)")).wait_for()
    assert rows(page, "pinned") == 201
    page.get_by_role("button", name="New seed").click()
    page.get_by_text(re.compile("seed 1")).first.wait_for()


def test_a_table_is_fitted_and_a_bad_one_explained(page, server):
    open_page(page, server, "?P=2&k=2")
    page.get_by_role("combobox", name=re.compile("^Target")).click()
    page.get_by_role("menuitem", name=re.compile("Table")).click()
    page.get_by_text(re.compile("there is no table yet. Expected")).wait_for()
    upload = page.locator("input[type=file]")
    good = "a,y\n" + "\n".join(f"{i / 50},{(i % 10) / 10}" for i in range(50))
    upload.set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": good.replace("0.4,", "x,").encode()})
    page.get_by_text(re.compile("bad.csv, row .*column 'a'")).wait_for()
    upload.set_input_files({"name": "good.csv", "mimeType": "text/csv", "buffer": good.encode()})
    page.get_by_text(re.compile("good.csv \\(50 rows")).first.wait_for()
    wait_for_step(page, 5)
    page.get_by_text(re.compile("37 training and 13 test points")).wait_for()


def test_the_first_frame_never_gets_lost(page, server):
    for _ in range(4):
        open_page(page, server, "?P=2")
        wait_for_step(page, 2)
        ends = page.evaluate(
            """() => {
              const figures = [...Bokeh.documents[0]._all_models.values()].filter(m => m.x_range && m.renderers);
              return figures.filter(f => f.renderers.some(r => r.name === 'pinned') &&
                f.renderers.some(r => r.name === 'target')).map(f => f.x_range.end);
            }"""
        )
        assert ends == [pytest.approx(3.14159, abs=1e-3)]
        assert rows(page, "target") > 0


def test_a_value_that_changed_meanwhile_does_not_come_back(page, server):
    open_page(page, server, "?steps=20")
    page.get_by_text(re.compile("· finished")).wait_for()
    button = page.get_by_role("button", name="Step")
    assert button.element_handle().evaluate(TWICE) == ["first", "second", "second"]

"""The page Sweeps in a browser: rows arrive, failures are tried again, cancel, pause, and bad input is named."""

import re

import pytest

pytestmark = pytest.mark.browser

ADDRESS = "/app?page=sweeps&xs=1..3&each_line=1,2&seeds=1&pictures=(none)&settings=n_steps%20%3D%2030"
#: A first sweep starts the worker processes and their imports.
PATIENCE = 60_000


def test_rows_table_python_toml_and_failures(page, server):
    page.goto(server + ADDRESS)
    page.get_by_text(re.compile(r"6 of 6 \(100 %\).* · finished")).wait_for(timeout=PATIENCE)
    page.get_by_text(re.compile(r"test R²: highest .* 6 runs, seed 0\.")).wait_for()
    page.get_by_text("The newest rows").wait_for()
    page.get_by_text("k = 2", exact=True).wait_for()
    page.get_by_role("link", name="Dask dashboard").wait_for()
    page.get_by_role("button", name="Table", exact=True).click()
    page.get_by_text("6 rows").nth(1).wait_for()
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text("small_multiples", exact=False).first.wait_for()
    page.get_by_role("button", name="Copy as TOML").click()
    page.get_by_text("[axes]", exact=False).first.wait_for()

    page.goto(server + ADDRESS.replace("each_line=1,2", "lines=target.kind&each_line=cosine,table"))
    page.get_by_text(re.compile(r"6 of 6 \(100 %\), 3 failed.* · finished")).wait_for(timeout=PATIENCE)
    page.get_by_text("3 rows failed; the others are not affected.").wait_for()
    page.get_by_text("target and table do not go together", exact=False).first.wait_for()
    page.get_by_role("button", name="Retry failed rows").click()
    page.get_by_text(re.compile(r"3 failed.*3 were computed before · finished")).wait_for(timeout=PATIENCE)


@pytest.mark.alone
def test_a_long_sweep_is_cancelled_and_goes_on_and_too_much_is_refused(page, server):
    page.goto(server + ADDRESS.replace("xs=1..3", "xs=3..8").replace("%20%3D%2030", "%3D4000"))
    page.get_by_text(re.compile(r"[1-9]\d* of 12 .*left, .* · running")).wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text(re.compile(r"· cancelled")).wait_for(timeout=2000)
    page.get_by_role("button", name="Start").click()
    page.get_by_text(re.compile(r"[1-9]\d* were computed before · running")).wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text(re.compile(r"· paused")).wait_for(timeout=2000)
    page.goto(server + ADDRESS.replace("xs=1..3", "xs=0"))
    page.get_by_role("alert").get_by_text(
        re.compile(r"degree is out of range\. Expected: .*Received: degree=0")
    ).wait_for()

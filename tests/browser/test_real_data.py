"""The page Real data in a real browser: a study through every part, an ablation, and a download with its licence."""

import importlib.util
import io
import re
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

ADDRESS = "/app?page=real_data&seeds=2&epochs=3&trials=1&methods=linear,tensor,quantum"
SERVER = Path(__file__).parents[1] / "unit" / "datasets" / "server.py"
#: The first study of a server imports TensorFlow and makes figures; on a loaded machine that takes its time.
PATIENCE = 240_000


def open_part(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def test_a_study_is_trained_scored_and_taken_along(page, server):
    page.goto(f"{server}{ADDRESS}&data=synthetic_ecg&D=1", timeout=PATIENCE)
    page.get_by_text(re.compile(r"(wins|loses|Undecided) here: over all 2 seeds on ECG \(synthetic\), ")).wait_for(
        timeout=PATIENCE
    )
    page.get_by_text(re.compile("finished")).first.wait_for()
    open_part(page, "Scores")
    page.get_by_role("rowheader", name="Quantum Fusion Layer").wait_for()
    page.get_by_text("Mean over 2 seeds with 95 % interval", exact=False).wait_for()
    open_part(page, "Curves")
    page.get_by_text(re.compile(r"AUC: quantum 0\.\d+ .* Average precision: ")).wait_for(timeout=PATIENCE)
    open_part(page, "Data")
    page.get_by_text("Synthetic: these numbers were computed, not measured.", exact=False).wait_for()
    page.get_by_text(re.compile("sample 0 · true class: ")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("Sample"))
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text(re.compile("sample 1 · true class: ")).wait_for()
    open_part(page, "Collapse")
    page.get_by_text(re.compile("At M = 207 .* the reference start: median 10")).wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Copy as Python").click()
    page.get_by_text("from qfl_explore.experiments.multimodal import", exact=False).first.wait_for()
    page.get_by_role("button", name="Table").click()
    page.get_by_role("cell", name="quantum").first.wait_for()


def test_one_setting_is_varied_and_stopped(page, server):
    link = ADDRESS.replace("linear,tensor,quantum", "linear") + "&data=wine&tab=ablation&vary=few_shot"
    page.goto(f"{server}{link}", timeout=PATIENCE)
    page.get_by_text("10, 20, 50, 100 · 1 methods, 2 seeds for each value").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Vary it").click()
    page.get_by_text(re.compile("At training samples = 100: best test AUC")).wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Vary it").click()
    page.get_by_role("button", name="Cancel", exact=True).last.click()
    page.get_by_role("combobox", name=re.compile("What is varied")).click()
    page.get_by_role("menuitem", name="Degree P").click()
    page.get_by_text("1, 2, 3, 4, 5 · 1 methods").wait_for()


def test_a_data_set_is_fetched_once_its_licence_is_accepted(page, own_server, tmp_path):
    spec = importlib.util.spec_from_file_location("datasets_server", SERVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        rows = [
            [f"{(7 * i + j) % 31}" for j in range(27)] + [str(int(i % 7 == c)) for c in range(7)] for i in range(140)
        ]
        archive.writestr("Faults.NNA", "\n".join("\t".join(row) for row in rows))
    files = {"/steel_plates/steel_plates_faults.zip": stream.getvalue()}
    with module.serve(files) as (mirror, site):
        places = {"QFL_EXPLORE_DATA": str(tmp_path / "data"), "QFL_EXPLORE_CACHE": "off", "QFL_EXPLORE_MIRROR": mirror}
        with own_server(**places) as url:
            page.goto(f"{url}{ADDRESS.replace(',tensor,quantum', '')}&data=steel_plates", timeout=PATIENCE)
            notice = page.get_by_role("alert").get_by_text(
                "is not on this machine. Expected: the button Get data", exact=False
            )
            notice.wait_for(timeout=PATIENCE)
            page.get_by_role("button", name="Get data").click()
            page.get_by_text("Licence: CC BY 4.0", exact=False).wait_for()
            assert not site.log
            page.get_by_role("button", name="Accept and fetch").click()
            page.get_by_text(re.compile("finished")).first.wait_for(timeout=PATIENCE)
            assert len(site.log) == 1
            open_part(page, "Data")
            page.get_by_text(re.compile("Steel plates faults: 140 samples")).wait_for(timeout=PATIENCE)

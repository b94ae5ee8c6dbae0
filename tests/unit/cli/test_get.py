"""``qfl-explore data get NAME`` against a local server: licence, progress, Ctrl-C, and what cannot be fetched."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from qfl_explore.cli.commands import app

SERVER = Path(__file__).parents[1] / "datasets" / "server.py"


@pytest.fixture
def run():
    return lambda *words, **more: CliRunner().invoke(app, ["data", *words], prog_name="qfl-explore", **more)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The steel plates in small; their archive has no published checksum."""
    spec = importlib.util.spec_from_file_location("datasets_server", SERVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rng = np.random.default_rng(0)
    faults = "\n".join(
        "\t".join(f"{value:.4f}" for value in (*rng.normal(size=27), *np.eye(7)[row % 7])) for row in range(140)
    )
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("QFL_EXPLORE_CACHE", "off")
    with module.serve({"/steel_plates/steel_plates_faults.zip": zipped({"Faults.NNA": faults})}) as (url, files):
        monkeypatch.setenv("QFL_EXPLORE_MIRROR", url)
        yield files


def zipped(members):
    import io
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return stream.getvalue()


def test_the_licence_is_shown_and_a_no_fetches_nothing(run, site, tmp_path):
    for answer in ("n\n", "", None):
        done = run("get", "steel_plates", input=answer)
        assert done.exit_code == 2 and "Licence: CC BY 4.0, https://creativecommons.org" in done.output
        assert "\nError: the licence" in done.output, "on a line of its own"
        assert "is not accepted. Expected: your yes, or the option --yes. Received: no" in " ".join(done.output.split())
    assert not site.log and not (tmp_path / "data").exists()


def test_a_yes_fetches_unpacks_and_loads(run, site, tmp_path):
    done = run("get", "steel_plates", input="y\n")
    assert done.exit_code == 0, done.output
    assert "140 samples, 4 modalities" in done.output and str(tmp_path / "data" / "steel_plates") in done.output
    assert "1 of 1 files" in done.output
    assert run("get", "steel_plates", "--yes").exit_code == 0 and len(site.log) == 1
    assert "140 samples" in run("steel_plates").output


def test_a_failure_has_three_parts_and_leaves_no_empty_folder(run, site, tmp_path):
    site.content.clear()
    done = run("get", "steel_plates", "--yes")
    assert done.exit_code == 2 and "Received: HTTP 404" in done.output
    assert not (tmp_path / "data" / "steel_plates").exists(), "an empty folder would look like data"


def test_what_cannot_be_fetched_is_explained(run, site, tmp_path):
    assert "labels.csv" in run("get", "own_folder").output
    assert "computed from a seed" in run("get", "synthetic_ecg").output
    (tmp_path / "data" / "fsdd").mkdir(parents=True)
    assert "spoken_digits is here" in run("get", "spoken_digits").output


def test_ctrl_c_keeps_what_arrived(site, tmp_path):
    site.content["/steel_plates/steel_plates_faults.zip"] = os.urandom(2_000_000)
    site.pieces.clear()
    process = subprocess.Popen(
        [sys.executable, "-m", "qfl_explore.cli", "data", "get", "steel_plates", "--yes"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert b"0 of 1 files" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    site.pieces.set()
    text = process.stderr.read().decode()
    assert process.wait(20) == 130 and "goes on from there" in text and "Traceback" not in text

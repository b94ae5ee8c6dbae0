"""What goes into the wheel, and the notices of the packages that it needs."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel_files():
    """Path inside the wheel -> path in the tree, as the build would put them."""
    builders = pytest.importorskip("hatchling.builders.wheel", reason="hatchling comes with make setup-dev")
    files = builders.WheelBuilder(str(ROOT)).recurse_included_files()
    return {file.distribution_path.replace("\\", "/"): Path(file.path) for file in files}


def _tracked(folder):
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return listed.stdout.splitlines()


def test_every_file_of_the_package_travels(wheel_files):
    tracked = _tracked("qfl_explore")
    assert len(tracked) > 200 and {Path(name).suffix for name in tracked} > {".py", ".toml", ".js", ".html"}
    assert not [name for name in tracked if name not in wheel_files and (ROOT / name).exists()]


def test_the_notebooks_travel_inside_the_package(wheel_files):
    inside = {Path(name).name for name in wheel_files if name.startswith("qfl_explore/notebooks/")}
    assert inside >= {Path(name).name for name in _tracked("notebooks")}


def test_nothing_else_travels(wheel_files):
    assert {name.split("/")[0] for name in wheel_files} == {"qfl_explore"}
    assert {Path(name).suffix for name in wheel_files} <= {".py", ".toml", ".js", ".css", ".html", ".txt", ".ipynb"}


def _third_party():
    spec = importlib.util.spec_from_file_location("third_party", ROOT / "scripts" / "third_party.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_locked_package_has_its_notice():
    script = _third_party()
    rows = [line.strip("| ").split(" | ") for line in script.NOTICES.read_text().splitlines() if line.startswith("| ")]
    told = {tuple(row[:2]): row[2] for row in rows if len(row) == 3}
    assert set(script.locked()) == set(told) - {("package", "version")}, "run python scripts/third_party.py"
    assert all(told.values())


def test_a_licence_that_nobody_knows_is_an_error():
    with pytest.raises(LookupError, match="nothing-of-that-name is not installed here. Expected: a line in ELSEWHERE"):
        _third_party().licence("nothing-of-that-name")

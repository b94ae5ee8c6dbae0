"""pyproject.toml, the two lock files and environment.yml say the same thing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import qfl_explore
from qfl_explore.cli.serve import decide

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}

#: Where the package must install; each is what pip sees there.
PLATFORMS = {
    f"{system}-{machine}-{python}": {
        "sys_platform": system,
        "platform_machine": machine,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "os_name": "nt" if system == "win32" else "posix",
        "python_version": python,
        "python_full_version": f"{python}.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    for system, machine in [
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("darwin", "arm64"),
        ("darwin", "x86_64"),
        ("win32", "AMD64"),
    ]
    for python in ("3.10", "3.11", "3.12")
}


def read_lock(name: str) -> list[Requirement]:
    return [Requirement(line) for line in LOCKS[name].read_text().splitlines()]


def applies(marker: Marker | None, platform: dict[str, str]) -> bool:
    return marker is None or marker.evaluate(platform)


def pinned(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    return specifier.version


def versions_on(platform: dict[str, str], name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for requirement in read_lock(name):
        if applies(requirement.marker, platform):
            found.setdefault(canonicalize_name(requirement.name), []).append(pinned(requirement))
    return found


def declared(group: str) -> list[Requirement]:
    extras = PROJECT["optional-dependencies"] if group == "dev" else {}
    return [Requirement(text) for part in (PROJECT["dependencies"], *extras.values()) for text in part]


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_one_exact_pin(name):
    lines = LOCKS[name].read_text().splitlines()
    assert len(lines) > 100
    for line in lines:
        requirement = Requirement(line)
        assert re.fullmatch(r"==[0-9][0-9a-z.+]*", str(requirement.specifier)), line
        assert requirement.url is None and not re.search(r"://|@|file:|--", line), line


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("group", LOCKS)
def test_a_lock_holds_what_the_project_declares_and_nothing_it_excludes(group, platform):
    environment = PLATFORMS[platform]
    versions = versions_on(environment, group)
    assert all(len(found) == 1 for found in versions.values()), "two versions of one package"
    for requirement in declared(group):
        name = canonicalize_name(requirement.name)
        if applies(requirement.marker, environment):
            assert name in versions, f"{name} is declared and not locked"
            assert requirement.specifier.contains(versions[name][0], prereleases=True), (
                f"{requirement}: {versions[name]}"
            )
        else:
            assert name not in versions, f"{name} is locked where it is not declared"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_development_lock_only_adds(platform):
    run, dev = (versions_on(PLATFORMS[platform], name) for name in LOCKS)
    assert run == {name: dev[name] for name in run}
    assert set(dev) > set(run)


def test_tensorflow_quantum_is_for_one_platform_only():
    with_it = {name for name, env in PLATFORMS.items() if "tensorflow-quantum" in versions_on(env, "run")}
    assert with_it == {f"linux-x86_64-{python}" for python in ("3.10", "3.11", "3.12")}


def test_the_conda_environment_installs_the_same_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-r requirements.lock", "-e ."]}
    assert "pip" in conda
    (python,) = (item.removeprefix("python=") for item in conda if item.startswith("python="))
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)
    assert {item.split("=")[0] for item in conda} == {"python", "pip"}, "versions belong in the lock"
    assert environment["variables"] == {"TF_USE_LEGACY_KERAS": "1"}


def test_the_makefile_sets_the_same_keras_switch_and_locks():
    makefile = (ROOT / "Makefile").read_text()
    assert "export TF_USE_LEGACY_KERAS := 1" in makefile
    assert "-r requirements.lock" in makefile
    assert "-r requirements-dev.lock" in makefile


def test_python_versions_agree():
    supported = SpecifierSet(PROJECT["requires-python"])
    assert [minor for minor in range(8, 16) if supported.contains(f"3.{minor}.1")] == [10, 11, 12]
    script = (ROOT / "scripts" / "find_python.sh").read_text()
    assert "3.10 | 3.11 | 3.12)" in script


def test_the_package_states_the_projects_version():
    assert qfl_explore.__version__ == PROJECT["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_makefile_serves_what_the_command_serves():
    words = ["make", "--no-print-directory", "-n", "app", "PORT=5123", "ADDRESS=h", "ORIGIN=a:1 b:2", "ARGS=--room"]
    *_, last = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    options = "--port 5123 --address h --origin a:1 --origin b:2 --room"
    assert last.split() == [".venv/bin/qfl-explore", "serve", *options.split()]
    arguments = decide(5123).arguments()
    assert Path(arguments[0]).is_file() and Path(arguments[arguments.index("--setup") + 1]).is_file()
    assert sorted(PROJECT["scripts"]) == ["qfl-explore"]


def test_the_servers_first_steps_run_without_tensorflow():
    steps = """
import runpy, sys, threading, time
from qfl_explore.plots.style import Spares
Spares.REST_S, time.sleep = 0.0, lambda seconds: None  # nobody else needs the interpreter here
runpy.run_path("qfl_explore/dashboards/frame/preload.py")
[thread.join() for thread in threading.enumerate() if thread.name == "qfl-prepare"]
print(sum(len(spares.keys) for spares in Spares.every), sum(map(len, (spares._ready for spares in Spares.every))))
print(*{name.split(".")[0] for name in sys.modules})
"""
    done = subprocess.run([sys.executable, "-c", steps], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wanted, ready = map(int, done.stdout.splitlines()[-2].split())
    assert wanted == ready > 50, "the figures of every page are ready for the next visitor"
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"panel", "numba", "cirq"} <= loaded
    assert not loaded & {"tensorflow", "tf_keras"}


@pytest.mark.parametrize(
    ("says", "complaint"), [("exit 127", "does not run"), ("echo 3.9", "Python 3.9")], ids=["does-not-run", "too-old"]
)
def test_an_unusable_python_is_named_with_what_is_needed(says, complaint, tmp_path):
    """A stub that exists and does not run, as version managers leave behind; and an old Python."""
    stub = tmp_path / "python"
    stub.write_text(f"#!/bin/sh\n{says}\n")
    stub.chmod(0o755)
    done = subprocess.run(
        ["sh", "scripts/find_python.sh"],
        cwd=ROOT,
        env=os.environ | {"PYTHON": str(stub)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Needed: Python 3.10, 3.11 or 3.12" in done.stderr
    assert str(stub) in done.stderr
    assert complaint in done.stderr


def test_a_usable_python_is_found():
    done = subprocess.run(
        ["sh", "scripts/find_python.sh"],
        cwd=ROOT,
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, sys.executable)

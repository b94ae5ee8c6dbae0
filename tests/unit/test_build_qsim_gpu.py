"""The script behind ``make qsim-gpu``: what it changes, and what it says where it cannot build."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "build_qsim_gpu.py"


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("build_qsim_gpu", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path):
    """The three files of the source package that are changed."""
    for name, text in {
        "pybind_interface/GetPybind11.cmake": "include(FetchContent)\n",
        "setup.py": 'build_args += ["--", "-j2"]\n',
        "qsimcirq/_version.py": '__version__ = "0.22.0"\n',
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "arch"),
    [("90", "90"), ("9.0", "90"), ("8.0,9.0", "80;90"), (" 80;90 ", "80;90"), ("90a-real", "90a-real")],
)
def test_compute_capabilities_are_read(script, text, arch):
    assert script.check_arch(text) == arch


@pytest.mark.parametrize("text", ["", "H200", "9", "80;;x"])
def test_others_are_explained(script, text):
    with pytest.raises(script.CannotBuild, match=r"cannot be read. Expected: such as 90.*Received: '"):
        script.check_arch(text)


def test_the_source_is_changed_where_it_must_be(script, source):
    script.change(source, 7)
    assert "find_package(pybind11 CONFIG" in (source / "pybind_interface/GetPybind11.cmake").read_text()
    assert '"-j7"' in (source / "setup.py").read_text()
    assert '"0.22.0+cuda"' in (source / "qsimcirq/_version.py").read_text()
    with pytest.raises(script.CannotBuild, match=r"setup.py .* not as it was. Expected: the text .*Received: "):
        script.change(source, 7)


def test_a_missing_compiler_or_a_space_is_explained(script, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(script.shutil, "which", lambda name: None if name == "nvcc" else f"/usr/bin/{name}")
    with pytest.raises(script.CannotBuild, match=r"nvcc is not here. Expected: .*toolkit.*Received: no nvcc on PATH"):
        script.check_machine(tmp_path)
    monkeypatch.setattr(script.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(script.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(script.CannotBuild, match=r"C headers are not here. Expected: .*python3-dev.*Received: no such"):
        script.check_machine(tmp_path)
    (tmp_path / "Python.h").touch()
    with pytest.raises(script.CannotBuild, match=r"has a space. Expected: --folder.*Received: '.*my folder'"):
        script.check_machine(tmp_path / "my folder")
    script.check_machine(tmp_path)


def test_the_command_ends_with_code_2_and_three_parts():
    done = subprocess.run([sys.executable, SCRIPT, "--arch", "new"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        "Error: compute capabilities cannot be read. Expected: such as 90, or 80;90 for two. Received: 'new'.\n"
    )


def test_without_a_gpu_nothing_is_guessed(script, monkeypatch):
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    assert script.compute_capabilities() == ""
    monkeypatch.setattr(script.shutil, "which", lambda name: name)
    answer = subprocess.CompletedProcess([], 0, "9.0\n8.0\n9.0\n")
    monkeypatch.setattr(script.subprocess, "run", lambda *args, **options: answer)
    assert script.compute_capabilities() == "8.0;9.0"

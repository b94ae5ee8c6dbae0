"""Builds a qsimcirq wheel with a CUDA module from its source package; ``make qsim-gpu`` runs this.

The wheels of qsimcirq on package indexes compute on processors only. This takes the source package of
version 0.22.0 (0.22.1 has none), changes four lines so that it builds without a network, and compiles it with
nvcc. The wheel lands in ``build/qsim-gpu/wheel``; it is installed only with ``--install``. No GPU is needed to
build it. Needs Python's own library only; the tools for building go to an environment of their own.

Examples:
    python scripts/build_qsim_gpu.py
    python scripts/build_qsim_gpu.py --arch 90 --jobs 8 --install
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
from pathlib import Path

VERSION = "0.22.0"
#: What the build needs beside compilers; the versions that qsimcirq's own build asks for.
TOOLS = ("cmake~=3.31.0", "pybind11[global]==2.13.6", "setuptools>=77", "wheel", "packaging")
#: Machine code for compute capability 7.5, and code that the driver of any later GPU compiles for itself.
ANY_GPU = "75"
_PYBIND = """\
find_package(pybind11 CONFIG REQUIRED GLOBAL)
set(pybind11_SOURCE_DIR "${pybind11_INCLUDE_DIR}/..")
"""


class CannotBuild(Exception):
    """A reason in three parts."""

    def __init__(self, what: str, expected: str, received: str) -> None:
        super().__init__(f"{what}. Expected: {expected}. Received: {received}.")


def main() -> None:
    """Runs the command; what is missing ends it with a message in three parts and code 2."""
    options = parser().parse_args()
    began = time.monotonic()
    try:
        arch = check_arch(options.arch or compute_capabilities() or ANY_GPU)
        check_machine(options.folder)
        wheel = build(options.folder, arch, options.jobs)
        say(f"{wheel} after {(time.monotonic() - began) / 60:.1f} minutes, for compute capability {arch}")
        if options.install:
            install(wheel)
        else:
            say(f"To use it: {sys.executable} -m pip install --no-deps --force-reinstall {wheel}")
    except CannotBuild as problem:
        sys.stderr.write(f"Error: {problem}\n")
        sys.exit(2)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--arch", help="compute capabilities such as 90 or 80;90 (default: this machine's GPUs, or 75)")
    found.add_argument("--jobs", type=int, default=2, help="compilers at a time, about 2 GB each (default 2)")
    found.add_argument("--folder", type=Path, default=Path("build/qsim-gpu"), help="where everything goes")
    found.add_argument("--install", action="store_true", help="replace the qsimcirq of this Python by the wheel")
    return found


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"qsim-gpu: {text}\n")
    sys.stdout.flush()


def check_arch(text: str) -> str:
    """Compute capabilities as CMake writes them: ``9.0`` and ``8.0,9.0`` become ``90`` and ``80;90``."""
    arch = ";".join(part.replace(".", "") for part in re.split(r"[;, ]+", text.strip()) if part)
    if not re.fullmatch(r"\d{2,3}[a-z]?(-real|-virtual)?(;\d{2,3}[a-z]?(-real|-virtual)?)*", arch):
        raise CannotBuild("compute capabilities cannot be read", "such as 90, or 80;90 for two", repr(text))
    return arch


def compute_capabilities() -> str:
    """Those of the GPUs here, such as ``80;90``; empty where there is none."""
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return ""
    asked = [smi, "--query-gpu=compute_cap", "--format=csv,noheader"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    found = sorted(set(re.findall(r"^\d+\.\d+$", answer.stdout, re.MULTILINE))) if answer.returncode == 0 else []
    return ";".join(found)


def check_machine(folder: Path) -> None:
    """Compilers, headers and a path that CMake's arguments can hold.

    Raises:
        CannotBuild: something is missing.
    """
    if sys.platform != "linux":
        raise CannotBuild("qsim's CUDA module is built on Linux only", "Linux with nvcc", sys.platform)
    for name, remedy in (("nvcc", "the CUDA toolkit's compiler on PATH"), ("g++", "GNU's C++ compiler, and make")):
        if shutil.which(name) is None:
            raise CannotBuild(f"{name} is not here", remedy, f"no {name} on PATH")
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if not headers.exists():
        raise CannotBuild("Python's C headers are not here", f"the package python3-dev, {headers}", "no such file")
    if re.search(r"\s", str(folder.resolve())):
        raise CannotBuild("the folder's name has a space", "--folder with a path without spaces", repr(str(folder)))


def build(folder: Path, arch: str, jobs: int) -> Path:
    """Fetches, changes and compiles; returns the wheel."""
    folder = folder.resolve()
    python = make_environment(folder / "env")
    source = unpack(fetch(python, folder / "sdist"), folder / "source")
    change(source, jobs)
    cmake = run([python, "-m", "pybind11", "--cmakedir"], capture=True).strip()
    arguments = (
        f"-Dpybind11_DIR={cmake}",
        f"-DCMAKE_CUDA_ARCHITECTURES={arch}",
        f"-DPYTHON_INCLUDE_DIRS={sysconfig.get_path('include')}",
    )
    environment = os.environ | {
        "CMAKE_ARGS": " ".join(arguments),
        "CUDAARCHS": arch,
        "PATH": f"{folder / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    target = folder / "wheel"
    shutil.rmtree(target, ignore_errors=True)
    say(f"compiling for compute capability {arch}; about 11 minutes on two cores, log in {folder / 'log.txt'}")
    command = [python, "-m", "pip", "wheel", "--verbose", "--no-build-isolation", "--no-deps", "-w", str(target), "."]
    with (folder / "log.txt").open("w") as log:
        done = subprocess.run(command, cwd=source, env=environment, stdout=log, stderr=log, check=False)
    wheels = sorted(target.glob("qsimcirq-*.whl"))
    if done.returncode or not wheels:
        said = [line for line in (folder / "log.txt").read_text().splitlines() if "error" in line.lower()]
        raise CannotBuild("the build failed", f"a wheel; the log is {folder / 'log.txt'}", (said or ["no wheel"])[0])
    return wheels[0]


def make_environment(path: Path) -> str:
    """An environment of this Python with the tools for building; returns its Python."""
    python = path / "bin" / "python"
    if not python.exists():
        say(f"making an environment for building in {path}")
        run([sys.executable, "-m", "venv", "--clear", str(path)])
    run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS])
    return str(python)


def fetch(python: str, path: Path) -> Path:
    """The source package, from the index that pip is set to; kept for the next time."""
    archive = path / f"qsimcirq-{VERSION}.tar.gz"
    if not archive.exists():
        say(f"fetching the source package of qsimcirq {VERSION}")
        options = ["--no-deps", "--no-binary", "qsimcirq", "--no-build-isolation", "--disable-pip-version-check"]
        run([python, "-m", "pip", "download", "--quiet", *options, "-d", str(path), f"qsimcirq=={VERSION}"])
    return archive


def unpack(archive: Path, path: Path) -> Path:
    """The package's files, fresh."""
    shutil.rmtree(path, ignore_errors=True)
    with tarfile.open(archive) as packed:
        if hasattr(tarfile, "data_filter"):
            packed.extractall(path, filter="data")
        else:  # a Python older than the filter
            packed.extractall(path)
    return path / f"qsimcirq-{VERSION}"


def change(source: Path, jobs: int) -> None:
    """pybind11 from the environment in place of a download, our number of compilers, a version that says CUDA."""
    (source / "pybind_interface" / "GetPybind11.cmake").write_text(_PYBIND)
    replace(source / "setup.py", '"-j2"', f'"-j{jobs}"')
    replace(source / "qsimcirq" / "_version.py", f'"{VERSION}"', f'"{VERSION}+cuda"')


def replace(file: Path, old: str, new: str) -> None:
    """Replaces a text that must be there."""
    text = file.read_text()
    if old not in text:
        raise CannotBuild(f"{file.name} of the source package is not as it was", f"the text {old}", "another file")
    file.write_text(text.replace(old, new))


def install(wheel: Path) -> None:
    """Replaces the qsimcirq of this Python."""
    packer = Path(sys.executable).with_name("uv")
    if packer.exists():
        command = [str(packer), "pip", "install", "--python", sys.executable, "--no-deps", "--reinstall", str(wheel)]
    else:
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--force-reinstall", str(wheel)]
    run(command)
    say(f"installed into {sys.prefix}; back to the usual one: pip install --no-deps --force-reinstall qsimcirq==0.22.1")


def run(command: list[str], capture: bool = False) -> str:
    """Runs a command that must succeed.

    Raises:
        CannotBuild: it did not.
    """
    done = subprocess.run(command, stdout=subprocess.PIPE if capture else None, text=True, check=False)
    if done.returncode:
        raise CannotBuild("a step failed", f"{' '.join(command)} to succeed", f"code {done.returncode}")
    return done.stdout or ""


if __name__ == "__main__":
    main()

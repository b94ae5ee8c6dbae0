"""What this machine has, and how to get the rest, for ``qfl-explore doctor``. Imports nothing heavy itself."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from qfl_explore import __version__
from qfl_explore.cli import probes

MARKS = {"ok": "ok", "missing": "--", "note": " ·", "broken": "!!"}
#: Engine -> (module that must be there, distribution, what to do without it).
ENGINES = {
    "batched": ("numba", "numba", "the fast engine of the live pages; pip install numba"),
    "tfq": (
        "tensorflow_quantum",
        "tensorflow-quantum",
        "only on x86-64 Linux with Python 3.10 to 3.12: pip install tensorflow-quantum==0.7.6 tf-keras==2.18.0",
    ),
    "qsim": ("qsimcirq", "qsimcirq", "pip install qsimcirq==0.22.1"),
    "cirq": ("cirq", "cirq-core", "pip install cirq-core==1.5.0"),
}
#: The same for the engines of ``get_backend(name, noise=...)``.
NOISY_ENGINES = {
    "density_matrix": (*ENGINES["batched"][:2], "exact noise, for the page Noise; pip install numba"),
    "trajectories": ENGINES["qsim"],
    "tfq_noisy": ENGINES["tfq"],
}
#: Without these the app does not run.
NEEDED = ("batched", "cirq", "density_matrix")
OTHERS = ("panel", "bokeh", "holoviews", "numpy", "tensorflow", "dask", "distributed")
PEERS = ("pennylane", "tensorcircuit", "torch")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Whether a task is handed to a cluster, in the order in which Dask looks for one.
SCHEDULERS = ("QFL_EXPLORE_SCHEDULER", "DASK_SCHEDULER_ADDRESS")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        topic: its heading.
        name: what was looked for.
        state: ``ok``, ``missing`` (the app runs without it), ``note`` or ``broken``.
        text: what was found.
        remedy: how to get it, where it is missing or broken.
    """

    topic: str
    name: str
    state: str
    text: str
    remedy: str = ""


def examine(run: bool = False) -> list[Finding]:
    """Looks at everything.

    Args:
        run: also computes one circuit on each engine, each in a process of its own.
    """
    parts = (machine(), engines(run), gpu(), browser(), datasets(), peers(), sweeps())
    return [finding for part in parts for finding in part]


def machine() -> Iterator[Finding]:
    """Python, processor, memory and the versions that matter."""
    import psutil

    free = psutil.virtual_memory()
    python = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    good = (3, 10) <= sys.version_info[:2] < (3, 13)
    remedy = "" if good else "TensorFlow 2.18 needs Python 3.10, 3.11 or 3.12"
    yield Finding("This machine", "qfl_explore", "ok", __version__)
    yield Finding("This machine", "python", "ok" if good else "broken", python, remedy)
    cores = f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} of them usable"
    yield Finding("This machine", "cores", "ok", cores)
    yield Finding("This machine", "memory", "ok", f"{free.total / 2**30:.1f} GiB, {free.available / 2**30:.1f} free")
    versions = ", ".join(f"{name} {version_of(name)}" for name in OTHERS if version_of(name))
    yield Finding("This machine", "packages", "ok", versions)


def engines(run: bool = False) -> Iterator[Finding]:
    """All engines; with ``run`` each computes one circuit, to be compared with cirq's answer."""
    for topic, group in (("Engines", ENGINES), ("Engines under noise", NOISY_ENGINES)):
        for name, (module, distribution, remedy) in group.items():
            if importlib.util.find_spec(module) is None:
                yield Finding(topic, name, "broken" if name in NEEDED else "missing", "not installed", remedy)
                continue
            text = f"{distribution} {version_of(distribution)}"
            if not run:
                yield Finding(topic, name, "ok", text)
                continue
            answer, problem = probes.engine(name, noisy=group is NOISY_ENGINES)
            state = "ok" if not problem else "broken"
            yield Finding(topic, name, state, f"{text}; {answer or problem}", "" if not problem else remedy)


def gpu() -> Iterator[Finding]:
    """NVIDIA GPUs that the driver offers, and whether qsim, the one engine that could, computes on them."""
    devices, problem = probes.gpus()
    if not devices:
        yield Finding("GPU", "cuda", "missing", problem, "nothing needs one: all engines here compute on the processor")
    for device in devices:
        yield Finding("GPU", "cuda", "ok", device)
    built = [mode for mode in probes.GPU_MODULES if probes.GPU_MODULES[mode] in probes.files_of("qsimcirq")]
    for mode in built:
        found, problem = probes.qsim_on_gpu(mode)
        text = f"computes on {found} (gpu_mode={mode!r})" if found else f"gpu_mode={mode!r}: {problem}"
        yield Finding("GPU", "qsim", "ok" if found else "missing", text, "" if found else "see docs/gpu.md")
    if devices and not built:
        text = "none of the engines uses it: the installed qsimcirq is for processors"
        yield Finding("GPU", "engines", "note", text, "make qsim-gpu, in the checkout (docs/gpu.md)")


def browser() -> Iterator[Finding]:
    """What the browser tests drive."""
    if importlib.util.find_spec("playwright") is None:
        yield Finding("Browser for tests", "playwright", "missing", "not installed", "make test installs it")
    else:
        yield Finding("Browser for tests", "playwright", "ok", version_of("playwright"))
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        yield Finding("Browser for tests", "chromium", "ok", found)
    else:
        remedy = "apt-get install chromium (the tests that need it are skipped)"
        yield Finding("Browser for tests", "chromium", "missing", "not found", remedy)


def datasets() -> Iterator[Finding]:
    """The registered data sets."""
    from qfl_explore.cli.data import missing, place_of
    from qfl_explore.datasets.registry import DATASETS

    for name in DATASETS:
        place = place_of(name)
        if place:
            yield Finding("Data", name, "ok", place)
        else:
            yield Finding("Data", name, "missing", missing(name))


def peers() -> Iterator[Finding]:
    """What the benchmark compares with; each family in an environment of its own."""
    folder = Path(".venv-peers")
    version = version_of("jax")
    yield Finding("Peers of the benchmark", "jax", "ok" if version else "missing", version or "not installed")
    for name in PEERS:
        if (folder / name / "bin" / "python").exists():
            yield Finding("Peers of the benchmark", name, "ok", f".venv-peers/{name}")
        else:
            remedy = "make benchmark-peers, in the checkout (2 GB for all)"
            yield Finding("Peers of the benchmark", name, "missing", "no environment here", remedy)


def sweeps() -> Iterator[Finding]:
    """Where rows of sweeps are kept, and who computes them."""
    from qfl_explore.results import VARIABLE, default_url

    location = default_url()
    there = "://" in location or Path(location).exists()
    words = location if there else f"{location} (made by the first sweep; {VARIABLE} or --store names another)"
    yield Finding("Sweeps", "results", "ok" if there else "note", words)
    address = next((os.environ[name] for name in SCHEDULERS if os.environ.get(name)), "")
    if address:
        yield Finding("Sweeps", "scheduler", "ok", address)
    else:
        remedy = "for a cluster: dask scheduler, dask worker tcp://host:8786, then --scheduler tcp://host:8786"
        yield Finding("Sweeps", "scheduler", "note", "none named: sweeps run on this machine", remedy)


def version_of(distribution: str) -> str:
    """The installed version, or an empty text."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def as_text(findings: list[Finding]) -> str:
    """The report for people."""
    lines: list[str] = []
    width = max(len(finding.name) for finding in findings) + 2
    topic = ""
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            lines += ["", topic] if lines else [topic]
        lines.append(f"  {MARKS[finding.state]:3} {finding.name:{width}}{finding.text}")
        if finding.remedy:
            lines.append(f"      {'':{width}}→ {finding.remedy}")
    legend = "ok: there   --: missing, the app runs without it   !!: broken   ·: for your information"
    return "\n".join([*lines, "", legend])


def as_json(findings: list[Finding]) -> str:
    """The report for programs: a list of objects."""
    return json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2)

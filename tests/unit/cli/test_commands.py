"""The command ``qfl-explore``: help with examples, three-part errors with code 2, and what each command says."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from qfl_explore import __version__
from qfl_explore.cli import commands, doctor, probes
from qfl_explore.cli.commands import app
from qfl_explore.datasets.registry import DATASETS
from qfl_explore.simulation.base import ENGINES, NOISY_ENGINES

COMMANDS = ("serve", "sweep", "benchmark", "study", "load", "data", "notebooks", "doctor")


@pytest.fixture
def run():
    def call(*arguments):
        return CliRunner().invoke(app, list(arguments), prog_name="qfl-explore")

    return call


@pytest.fixture
def handed(monkeypatch):
    """What would be run in place of this process."""
    seen = []
    monkeypatch.setattr(commands, "hand_over", seen.append)
    return seen


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run, command):
    done = run(command, "--help")
    assert done.exit_code == 0
    text = " ".join(done.output.split())
    assert f"Usage: qfl-explore {command}" in text
    assert "Example" in text and f"qfl-explore {command}" in text.split("Example", 1)[1]


def test_help_names_every_command_and_the_version_is_the_package_s(run):
    text = run("--help").output
    assert all(f"\n  {command} " in text for command in COMMANDS)
    assert run("--version").output.split() == ["qfl-explore", __version__]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["swep"], ("no such command", "did you mean sweep?", "Received: 'swep'")),
        (["--nothing"], ("no such option", "Expected: one of --version", "Received: '--nothing'")),
        (["serve", "--prt", "1"], ("serve has no such option", "did you mean --port?", "'--prt'")),
        (["serve", "--port", "abc"], ("--port must be an integer", "from 0 to 65535", "'abc'")),
        (["serve", "--port", "70000"], ("--port is out of range", "from 0 to 65535", "70000")),
        (["serve", "too", "much"], ("cannot read its arguments", "--help shows them", "too")),
        (["sweep"], ("needs FILE.toml", "A grid", "Received: nothing")),
        (["sweep", "--store"], ("cannot read its arguments", "Expected", "--store")),
        (["sweep", "absent.toml"], ("", "Expected: ", "absent.toml")),
        (["data", "brest_cancer"], ("not a known option", "did you mean 'breast_cancer'?", "'brest_cancer'")),
        (["data", "get"], ("data get needs a NAME", "one of ptb_xl", "nothing")),
        (["data", "get", "nothing"], ("not a known option", "one of", "nothing")),
        (["doctor", "everything"], ("cannot read its arguments", "Expected", "everything")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_three_parts_and_code_2(run, arguments, parts):
    done = run(*arguments)
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
    first = done.stderr.splitlines()[0]
    assert first.startswith("Error: ") and "Traceback" not in done.stderr
    assert ". Expected: " in first and ". Received: " in first
    assert all(part in first for part in parts), first


def test_benchmark_passes_on_what_it_does_not_know(run, handed):
    run("benchmark", "--engines", "batched", "jax", "--sizes", "3,2,5")
    run("benchmark", "--", "--help")
    assert handed[0] == ["qfl_explore.benchmark", "--engines", "batched", "jax", "--sizes", "3,2,5"]
    assert handed[1] == ["qfl_explore.benchmark", "--help"]
    run("study", "--quick", "--workers", "2")
    assert handed[2] == ["qfl_explore.study", "--quick", "--workers", "2"]
    run("load", "--sessions", "20", "--quick")
    assert handed[3] == ["qfl_explore.load", "--sessions", "20", "--quick"]


def test_data_lists_the_registry_and_describes_one(run):
    listed = run("data").output
    assert all(f"\n  {name}: " in listed for name in DATASETS) and "package scikit-learn" in listed
    described = run("data", "breast_cancer").output
    assert "569 samples" in described and "215 benign, 128 malignant" in described and "CC BY 4.0" in described


def test_data_that_are_not_here_are_explained(run, monkeypatch, tmp_path):
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path))
    explained = run("data", "get", "own_folder").output
    assert str(tmp_path / "own_folder") in explained.replace("\n", "") and "labels.csv" in explained
    missing = run("data", "covtype")
    assert missing.exit_code == 2 and ". Received: no such folder" in missing.stderr
    (tmp_path / "covtype").mkdir()
    assert "covtype is here" in run("data", "get", "covtype").output
    assert "computed from a seed" in run("data", "get", "synthetic_ecg").output


def test_data_of_many_modalities_are_described_in_short(run):
    described = run("data", "synthetic_traffic").output
    assert "12 modalities, regression" in described and "… and 7 more modalities" in described
    assert len(described.splitlines()) < 20


def test_doctor_finds_what_is_there_and_says_how_to_get_the_rest(run, monkeypatch):
    monkeypatch.setattr(probes, "gpus", lambda: ([], "no NVIDIA driver on this machine"))
    missing = {"qsimcirq", "playwright"}
    found = doctor.importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name in missing else found(name))
    done = run("doctor")
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.output.splitlines() if line.strip()]
    states = {words[1]: words[0] for words in lines if len(words) > 2 and words[0] in ("ok", "--", "!!", "·")}
    assert states["batched"] == states["cirq"] == states["python"] == "ok"
    assert states["qsim"] == states["trajectories"] == states["playwright"] == states["cuda"] == "--"
    assert "pip install qsimcirq" in done.output and "no NVIDIA driver" in done.output


def test_doctor_ends_with_1_where_the_fast_engine_is_missing(run, monkeypatch):
    monkeypatch.setattr(probes, "gpus", lambda: (["Some GPU, 8 GiB"], ""))
    found = doctor.importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name == "numba" else found(name))
    done = run("doctor", "--json")
    assert done.exit_code == 1
    findings = {finding["name"]: finding for finding in json.loads(done.output)}
    for engine in ("batched", "density_matrix"):
        assert findings[engine]["state"] == "broken" and "numba" in findings[engine]["remedy"]
    assert findings["cuda"]["text"] == "Some GPU, 8 GiB" and "none of the engines" in findings["engines"]["text"]


@pytest.mark.parametrize(
    ("found", "problem", "state", "text"),
    [
        ("Some GPU, 8 GiB", "", "ok", "computes on Some GPU, 8 GiB (gpu_mode='cuda')"),
        ("", "no NVIDIA driver on this machine", "missing", "gpu_mode='cuda': no NVIDIA driver on this machine"),
    ],
)
def test_doctor_says_whether_qsim_computes_on_the_gpu(monkeypatch, found, problem, state, text):
    monkeypatch.setattr(probes, "gpus", lambda: ([found], "") if found else ([], problem))
    monkeypatch.setattr(probes, "files_of", lambda name: "qsimcirq/qsim_cuda.so")
    monkeypatch.setattr(probes, "qsim_on_gpu", lambda mode: (found, problem))
    findings = {finding.name: finding for finding in doctor.gpu()}
    assert (findings["qsim"].state, findings["qsim"].text) == (state, text)
    assert (findings["qsim"].remedy == "") == (state == "ok")
    assert "engines" not in findings


def test_an_engine_is_really_run_and_compared():
    answer, problem = probes.engine("batched")
    assert problem == "" and answer.startswith("agrees with cirq to ")
    assert "is not a known option" in probes.engine("bached")[1]


def test_engines_under_noise_are_run_and_compared():
    exact, problem = probes.engine("density_matrix", noisy=True)
    assert problem == "" and exact.startswith("agrees with cirq's density matrices to ")
    scattered, problem = probes.engine("trajectories", noisy=True)
    assert problem == "" and "standard errors" in scattered
    assert "unexpected keyword argument 'noise'" in probes.engine("batched", noisy=True)[1]


def test_doctor_knows_every_engine_and_what_it_needs():
    for mine, theirs in ((doctor.ENGINES, ENGINES), (doctor.NOISY_ENGINES, NOISY_ENGINES)):
        assert {name: module for name, (module, *_) in mine.items()} == {n: e.needs for n, e in theirs.items()}


def test_a_probe_that_dies_or_hangs_is_an_answer():
    assert probes.python("import os; os._exit(3)", 20) == ("", "the process ended with code 3")
    assert probes.python("import time; time.sleep(9)", 0.5) == ("", "no answer within 0 s")


def test_the_real_command_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['qfl-explore', '--help']\n"
        "from qfl_explore.cli import main\n"
        "try:\n    main()\nfinally:\n    print(*{m.split('.')[0] for m in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "doctor" in done.stdout
    assert not set(done.stderr.split()) & {"cirq", "numba", "tensorflow", "panel", "dask", "distributed", "pandas"}


def test_the_installed_command_ends_a_wrong_call_with_code_2():
    done = subprocess.run(
        [sys.executable, "-m", "qfl_explore.cli", "serve", "--port", "x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Error: --port must be an integer. Expected: ")

"""Large circuits on qsim: the command, its report, and whether its predictions hold."""

import pandas as pd
import pytest

from qfl_explore.benchmark import __main__ as command
from qfl_explore.benchmark import large, large_report
from qfl_explore.simulation import qsim_gpu
from qfl_explore.simulation.base import get_backend, is_available
from qfl_explore.simulation.qsim_cost import Calibration

needs_qsim = pytest.mark.skipif(not is_available("qsim"), reason="qsimcirq is not installed on this platform")
CALIBRATION = Calibration(1e-5, 1e-9, 1e-5, 1e-6, 1e-6, (10, 20), *[(1e-9, 1e-9)] * 3, 1e-7, 1e-8)
BOTH = {"degree": 1, "entangler": "full", "n_samples": 1, "gradients": False, "repetitions": None}


def row(n, device, seconds=None, **more):
    found = {**BOTH, "n_qubits": n, "device": device, "options": {"device": device}, "predicted_s": 1.0}
    found |= {"predicted_bytes": 2**20, "predicted_gpu_bytes": 0, "n_circuits": 1}
    return found | ({} if seconds is None else {"measured_s": seconds, "cpu_s": seconds, "measured_bytes": 0}) | more


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(qsim_gpu, "ask", lambda mode: (None, "no NVIDIA driver on this machine"))
    monkeypatch.setattr("qfl_explore.simulation.qsim.calibration", lambda settings: CALIBRATION)


@needs_qsim
def test_a_run_without_a_gpu_says_so_and_writes_a_report(no_gpu, capsys, tmp_path):
    command.main(["qsim", "--qubits", "3", "5", "--threads", "1", "--out", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[0].startswith(" 3 qubits, cpu: ") and "MiB measured; error" in lines[0]
    assert "Received: no NVIDIA driver" in lines[1]
    text = (tmp_path / "qsim.md").read_text()
    assert "Not measured on a GPU: no GPU at hand." in text and text.count("not measured: no GPU at hand") == 2
    table = pd.read_csv(tmp_path / "qsim.csv")
    assert list(table.n_qubits) == [3, 3, 5, 5] and table.error.max() < 1e-5


@needs_qsim
def test_predictions_alone_run_nothing_and_long_rows_are_left_out(no_gpu, capsys, monkeypatch):
    monkeypatch.setattr(large, "measured", lambda row: pytest.fail("something was run"))
    command.main(["qsim", "--qubits", "20-21", "--devices", "cpu", "--predict"])
    assert len(capsys.readouterr().out.splitlines()) == 2
    command.main(["qsim", "--qubits", "30", "--devices", "cpu", "--limit", "10"])
    assert "not run: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--qubits", "31"], "numbers of qubits cannot be read. Expected: such as 20"),
        (["--qubits", "12-10"], "numbers of qubits cannot be read"),
        (["--devices", "cuda"], "device is not a known option. Expected: one of 'cpu', 'gpu'"),
        (["--gpu-mode", "hip"], "gpu_mode is not a known option"),
        (["--fuse", "7"], "--fuse is out of range. Expected: an integer from 2 to 6"),
        (["--threads", "0"], "--threads is out of range"),
        (["--repetitions", "0"], "--repetitions is out of range"),
    ],
)
def test_wrong_input_ends_with_three_parts_and_code_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["qsim", *arguments])
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said and "Received: " in said


def test_where_the_gpu_starts_to_pay():
    speeds = {10: 0.2, 14: 0.9, 16: 1.1, 18: 4.0, 20: 12.0}
    table = pd.DataFrame([one for n, s in speeds.items() for one in (row(n, "cpu", s), row(n, "gpu", 1.0, speed_up=s))])
    text = large_report.where_it_pays(table)
    assert text == "The GPU is faster from 16 qubits on; most at 20, where it is 12.0 times as fast."
    slow = pd.DataFrame([row(10, "cpu", 0.1), row(10, "gpu", 1.0, speed_up=0.1)])
    assert "slower at every size up to 10" in large_report.where_it_pays(slow)
    assert "not asked for" in large_report.where_it_pays(pd.DataFrame([row(10, "cpu", 0.1)]))


def test_a_row_that_fails_says_why():
    assert "threads is out of range" in large.measured(row(3, "cpu", options={"threads": 0}))["problem"]


@needs_qsim
@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_qubits", "more"),
    [
        *((n, {}) for n in (4, 8, 12, 16, 20, 22, 23)),
        *((n, {"entangler": "ring", "degree": 2}) for n in (8, 16, 22)),
        *((n, {"gradients": True, "n_samples": 2}) for n in (4, 8, 12)),
        (20, {"options": {"repetitions": 100_000}}),
        (20, {"options": {"max_fused_gate_size": 4}}),
        (14, {"n_samples": 20}),
    ],
)
def test_predictions_hold_to_a_factor_of_two(n_qubits, more):
    """Processor time of one thread against the prediction; memory where it is more than Python's own noise."""
    asked = {**BOTH, "n_qubits": n_qubits, **more}
    asked["options"] = {"threads": 1, **more.get("options", {})}
    config = large.config_of(n_qubits, asked["degree"], asked["entangler"])
    cost = get_backend("qsim", **asked["options"]).predict(config, asked["n_samples"], asked["gradients"])
    found = large.measured(asked)
    assert "problem" not in found, found
    assert 0.5 < found["cpu_s"] / cost.seconds < 2.0, (found["cpu_s"], cost)
    if cost.memory_bytes > 8 * 2**20:
        assert 0.5 < found["measured_bytes"] / cost.memory_bytes < 2.0, (found["measured_bytes"], cost)

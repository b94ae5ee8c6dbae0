"""Rows to Markdown and picture, and the command's answers to wrong input."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from qfl_explore.benchmark import __main__ as command
from qfl_explore.benchmark.cases import Case
from qfl_explore.benchmark.machine import describe, with_floors
from qfl_explore.benchmark.report import markdown, summary, write_report

MACHINE = {
    "cpu": "A processor", "cores": 2, "peak_core_gflops": 100.0, "peak_all_gflops": 200.0,
    "python": "3.11.7", "date": "2026-01-02", "command": "python -m qfl_explore.benchmark --budget 1",
}  # fmt: skip


def rows(case=(2, 1, 3, 64), part="sizes"):
    m, d, p, b = case
    base = {"n_modalities": m, "feature_dim": d, "degree": p, "batch_size": b, "part": part}
    base["import_s"] = 0.5
    base["n_qubits"] = Case(m, d, p, b).config.n_qubits
    errors = {"error_values": 1e-7, "error_d_features": 3e-7, "error_d_weights": 2e-7}
    ours = {"engine": "batched", "version": "0.1", "forward_ms": 0.1, "gradient_ms": 0.5, "first_gradient_s": 0.02}
    rival = {"engine": "rival", "version": "9.9", "forward_ms": 0.3, "gradient_ms": 100.0, "first_gradient_s": 4.0}
    both = [
        {**base, **errors, **row, "next_circuit_s": row["first_gradient_s"], "peak_mib": 123.4} for row in (ours, rival)
    ]
    broken = {**base, "engine": "broken", "version": "1", "failed": "no result\nwithin 2 s | killed"}
    return with_floors(pd.DataFrame([*both, broken]), MACHINE)


def test_the_table_tells_ratios_errors_failures_and_the_machine():
    text = markdown(rows(), 2e-4)
    for part in ("A processor, 2 cores", "2026-01-02", "`python -m qfl_explore.benchmark --budget 1`", "100 GFLOP/s"):
        assert part in text
    assert "## M = 2, D = 1, P = 3, B = 64 (3 qubits)" in text
    assert "| rival | 0.3 | 3 | 100 | 200 | 0.5 | 4 | 200 | 4 | 200 | 123 | 3e-07 |  |  |" in text
    assert "| broken | no result within 2 s \\| killed |" in text
    assert "- rival: 9.9" in text
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1, "every line of a table has as many cells as its header"


def test_the_share_of_the_peak_is_operations_over_time():
    ours, rival, _ = (row for _, row in rows().iterrows())
    want = ours.gradient_mflop * 1e6 / 0.5e-3 / 200e9
    np.testing.assert_allclose(ours.gradient_peak_share, want)
    np.testing.assert_allclose(ours.gradient_core_share, 2 * want)
    assert np.isnan(rival.gradient_peak_share)


def test_what_is_printed_holds_ratios_and_reasons():
    shown = summary(rows()).set_index("engine")
    assert shown.loc["rival", "gradient x"] == pytest.approx(200.0)
    assert shown.loc["broken", "note"].startswith("no result")


def test_a_case_where_everything_failed_still_makes_a_report(tmp_path):
    table = rows()[lambda t: t.engine == "broken"].dropna(axis=1)
    write_report(table, tmp_path)
    assert "broken" in (tmp_path / "results.md").read_text()


def test_files_are_written_and_the_picture_is_an_image(tmp_path):
    growth = [rows(case, "growth") for case in ((12, 1, 1, 64), (12, 1, 3, 64), (12, 1, 3, 256), (63, 1, 3, 64))]
    write_report(pd.concat([rows(), rows((3, 4, 5, 64)), *growth], ignore_index=True), tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert sorted(path.name for path in folder.iterdir()) == ["results.csv", "results.md", "results.svg"]
    root = ElementTree.parse(folder / "results.svg").getroot()
    assert root.tag.endswith("svg") and len(list(root.iter())) > 200
    read = pd.read_csv(folder / "results.csv")
    assert len(read) == 18
    assert markdown(read, 2e-4).count("\n## M = ") == 2, "growth is in the picture only"


def test_the_machine_is_described(monkeypatch):
    monkeypatch.setattr("qfl_explore.benchmark.machine.measured_peak", lambda n: 1e9 * n)
    machine = describe(["--sizes", "2,1,3", "--out", "a folder"])
    assert machine["command"] == "python -m qfl_explore.benchmark --sizes 2,1,3 --out 'a folder'"
    assert machine["peak_core_gflops"] == 1.0 and machine["cpu"] and re.fullmatch(r"\d{4}-\d\d-\d\d", machine["date"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engines", "qulacs"], r"engine is not a known option\. Expected: .*'batched'.*\. Received: .*'qulacs'"),
        (["--growth", "tqf"], r"engine is not a known option\. .*did you mean 'tfq'"),
        (["--sizes", "3x4"], r"a size cannot be read\. Expected: three integers .*\. Received: '3x4'"),
        (["--sizes", "3,0,1"], r"a size cannot be read\. .*Received: '3,0,1'"),
        (["--sizes", "9999999999,9,1"], r"too large a register.*Expected: at most 30 qubits"),
        (["--batches", "-4"], r"batch size is out of range\. Expected: an integer of 1 or more\. Received: .*-4"),
        (["--batches", "many"], r"a batch size cannot be read\. .*Received: 'many'"),
        (["--budget", "nan"], r"--budget cannot be used\. Expected: seconds above 0\. Received: 'nan'"),
        (["--patience", "0"], r"--patience cannot be used\. .*Received: '0'"),
    ],
)
def test_wrong_input_ends_the_command_with_three_parts(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2
    assert re.search(message, capsys.readouterr().err.replace("\n", " "))


def test_the_command_prints_a_case_and_writes_the_report(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("qfl_explore.benchmark.machine.measured_peak", lambda n: 1e11 * n)
    arguments = ["--engines", "batched", "--sizes", "1,1,1", "--batches", "2", "--budget", "0.02"]
    command.main([*arguments, "--out", str(tmp_path)])
    assert "M=1 D=1 P=1 B=2, 2 qubits" in capsys.readouterr().out
    assert "| batched |" in (tmp_path / "results.md").read_text()

"""Where a benchmark ran: in columns beside its rows, so that a table explains itself."""

from __future__ import annotations

import datetime
import platform
import shlex
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.benchmark.floors import flops, measured_peak
from qfl_explore.simulation.chunks import n_cores


def cpu_model() -> str:
    """The processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if (info.exists())
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def describe(arguments: Sequence[str]) -> dict[str, object]:
    """What each row carries: processor, cores, measured float32 peaks, Python, date, command."""
    return {
        "cpu": cpu_model(),
        "cores": n_cores(),
        "peak_core_gflops": measured_peak(1) / 1e9,
        "peak_all_gflops": measured_peak(n_cores()) / 1e9,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        "command": shlex.join(["python", "-m", "qfl_explore.benchmark", *arguments]),
    }


def with_floors(table: pd.DataFrame, machine: dict[str, object]) -> pd.DataFrame:
    """The rows of one case with the machine, and for ``batched`` operations and their share of the peak.

    The share is of all cores' peak together: ``forward_peak_share`` and ``gradient_peak_share``.
    """
    table = table.assign(**machine)
    first = table.iloc[0]
    config = FusionConfig(
        n_modalities=int(first.n_modalities), feature_dim=int(first.feature_dim), degree=int(first.degree)
    )
    ours = table.engine == "batched"
    for what, count in flops(FusionCircuit(config), int(first.batch_size)).items():
        table.loc[ours, f"{what}_mflop"] = count / 1e6
        if f"{what}_ms" in table:
            rate = count / (table.loc[ours, f"{what}_ms"] * 1e-3) / 1e9
            table.loc[ours, f"{what}_core_share"] = rate / machine["peak_core_gflops"]
            table.loc[ours, f"{what}_peak_share"] = rate / machine["peak_all_gflops"]
    return table

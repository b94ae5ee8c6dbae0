"""How a circuit runs on qsim, as a visitor of the page Circuit chooses it: plain parameters, no Panel."""

from __future__ import annotations

from typing import Any

import param

from qfl_explore.config import FusionConfig
from qfl_explore.dashboards.state import State
from qfl_explore.errors import invalid
from qfl_explore.simulation.base import is_available
from qfl_explore.simulation.chunks import n_cores

WHAT: dict[str, dict[str, Any]] = {
    "values": {},
    "gradients": {"gradients": True},
    "1000": {"repetitions": 1000},
    "100000": {"repetitions": 100_000},
}
_WHAT_WORDS = {
    "values": "values",
    "values and gradients": "gradients",
    "values from 1,000 repetitions": "1000",
    "values from 100,000 repetitions": "100000",
}
DEVICES: dict[str, dict[str, Any]] = {
    "processor": {},
    "cuda": {"device": "gpu", "gpu_mode": "cuda"},
    "custatevec": {"device": "gpu", "gpu_mode": "custatevec"},
}
_DEVICE_WORDS = {"processor": "processor", "GPU (CUDA)": "cuda", "GPU (cuStateVec)": "custatevec"}


class QSimState(State):
    """How the circuit runs on qsim; a link may ask for more threads than this machine has, and is told so."""

    what = param.Selector(default="values", objects=_WHAT_WORDS, doc="What")
    n_samples = param.Selector(default=1, objects=[1, 4, 16, 64], doc="Samples B")
    threads = param.Selector(
        default=1, objects=sorted({1, 2, 4, 8, n_cores()} & set(range(1, n_cores() + 1))), doc="Threads"
    )
    max_fused_gate_size = param.Selector(default=2, objects=[2, 3, 4, 5, 6], doc="Fused gates, qubits")
    device = param.Selector(default="processor", objects=_DEVICE_WORDS, doc="Device")

    URL = {
        "what": "qsim",
        "n_samples": "qsim_B",
        "threads": "qsim_threads",
        "max_fused_gate_size": "qsim_fused",
        "device": "qsim_device",
    }

    def config(self, fusion: FusionConfig) -> Any:
        """The run's `LargeCircuitConfig`.

        Raises:
            ImportError: qsimcirq is not installed.
        """
        if not is_available("qsim"):
            expected, received = "the package 'qsimcirq' to be installed", "no module named 'qsimcirq'"
            raise invalid("qsim is not available on this machine", expected, received, ImportError)
        from qfl_explore.experiments.large_circuit import LargeCircuitConfig

        return LargeCircuitConfig(
            fusion=fusion,
            n_samples=self.n_samples,
            threads=self.threads,
            max_fused_gate_size=self.max_fused_gate_size,
            **WHAT[self.what],
            **DEVICES[self.device],
        )

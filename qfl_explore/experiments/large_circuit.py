"""One large circuit on qsim: what it will cost, then what it did cost, in a process of its own.

qsim holds Python's lock while it computes, so a page would stand still; and another process can be ended at
any moment, has a peak of memory of its own, and may be ended by a GPU without harm.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig, Settings
from qfl_explore.errors import check_int, invalid
from qfl_explore.simulation.base import check_memory, get_backend
from qfl_explore.simulation.qsim_calibration import command, keep, known
from qfl_explore.simulation.qsim_cost import Cost, predict
from qfl_explore.simulation.qsim_options import QSimSettings

#: The fastest of so many runs counts, unless they would take longer than so many seconds together.
_MOST_RUNS, _RUNS_UP_TO_S = 3, 5.0
_POLL_S = 0.03


@dataclasses.dataclass(frozen=True, kw_only=True)
class LargeCircuitConfig(Settings):
    """Settings of one run.

    Args:
        fusion: the circuit.
        n_samples: B, 1 or more.
        gradients: values and gradients, or values alone.
        threads: of the engine, as the next four; see `qfl_explore.simulation.qsim_options.QSimSettings`.
        max_fused_gate_size: up to how many qubits gates are fused.
        repetitions: of each circuit; ``None`` for exact values.
        device: ``cpu`` or ``gpu``.
        gpu_mode: how a GPU computes; ``None`` for the usual way.
        seed: of features, weights and repetitions; 0 or more.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    fusion: FusionConfig = FusionConfig(n_modalities=20, encoding="qubit_per_feature", degree=1)
    n_samples: int = 1
    gradients: bool = False
    threads: int = 1
    max_fused_gate_size: int = 2
    repetitions: int | None = None
    device: str = "cpu"
    gpu_mode: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.fusion, FusionConfig):
            raise invalid("fusion is of the wrong kind", "a FusionConfig", repr(self.fusion), TypeError)
        object.__setattr__(self, "n_samples", check_int("n_samples", self.n_samples, 1))
        object.__setattr__(self, "seed", check_int("seed", self.seed, 0))
        if not isinstance(self.gradients, bool):
            received = f"gradients={self.gradients!r}"
            raise invalid("gradients must be a boolean", "True or False", received, TypeError)
        self.settings  # noqa: B018  (raises)

    @property
    def options(self) -> dict[str, Any]:
        """Of ``get_backend("qsim", …)``; what is usual is left out."""
        names = ("threads", "max_fused_gate_size", "repetitions", "device", "gpu_mode")
        usual = {field.name: field.default for field in dataclasses.fields(QSimSettings)}
        found = {name: getattr(self, name) for name in names if getattr(self, name) != usual[name]}
        return found | ({"seed": self.seed} if self.repetitions else {})

    @property
    def settings(self) -> QSimSettings:
        """The engine's options, checked."""
        return QSimSettings.of(self.options)


@dataclasses.dataclass(frozen=True)
class LargeCircuitResult:
    """What is known of a run, before it, while it lasts, and after it.

    Attributes:
        config: the settings.
        phase: ``timing`` (qsim is timed on this machine), ``running`` or ``done``.
        cost: the prediction; ``None`` while qsim is being timed.
        elapsed_s: since the phase began.
        measured_s: seconds of the call, the fastest of a few; ``None`` before the end.
        cpu_s: of the process's own time.
        measured_bytes: of memory at the peak, beside what the process had before.
        values: [B, K].
        standard_errors: [B, K] where there are repetitions.
    """

    config: LargeCircuitConfig
    phase: str = "timing"
    cost: Cost | None = None
    elapsed_s: float = 0.0
    measured_s: float | None = None
    cpu_s: float | None = None
    measured_bytes: int | None = None
    values: np.ndarray | None = None
    standard_errors: np.ndarray | None = None

    def summary(self) -> dict[str, Any]:
        """Numbers in a flat dict."""
        found: dict[str, Any] = {"n_qubits": self.config.fusion.n_qubits, "seed": self.config.seed}
        if self.cost is not None:
            found |= {"n_circuits": self.cost.n_circuits, "predicted_s": self.cost.seconds}
            found |= {"predicted_bytes": self.cost.memory_bytes, "predicted_gpu_bytes": self.cost.gpu_bytes}
        measured = {"measured_s": self.measured_s, "cpu_s": self.cpu_s, "measured_bytes": self.measured_bytes}
        return found | {name: value for name, value in measured.items() if value is not None}

    @property
    def table(self) -> pd.DataFrame:
        """A row for each sample and observable: value, and its standard error from repetitions."""
        if self.values is None:
            return pd.DataFrame(columns=["sample", "observable", "value", "standard_error", "repetitions", "seed"])
        b, k = np.indices(self.values.shape).reshape(2, -1)
        errors = np.full(self.values.size, np.nan) if self.standard_errors is None else self.standard_errors.ravel()
        columns = {"sample": b, "observable": k, "value": self.values.ravel(), "standard_error": errors}
        return pd.DataFrame(columns).assign(repetitions=self.config.repetitions, seed=self.config.seed)


def stream(config: LargeCircuitConfig, only_predict: bool = False) -> Iterator[LargeCircuitResult]:
    """First the prediction, then the run; closing the generator ends both at once.

    Args:
        config: the settings.
        only_predict: stop before the run.

    Raises:
        ImportError: ``device='gpu'``, and qsim cannot use one here.
        ValueError: memory would not do.
        RuntimeError: qsim could not be timed, or the run ended otherwise than it should.
    """
    settings, what = config.settings, f"qsim with {config.fusion.n_qubits} qubits"
    engine = get_backend("qsim", **config.options)
    check_memory(engine.memory_bytes(FusionCircuit(config.fusion), config.n_samples), what)
    now = LargeCircuitResult(config)
    calibration = known(settings)
    if calibration is None:
        calibration = keep(settings, *(yield from _elsewhere(command(settings), now)))
    cost = predict(config.fusion, settings, calibration, config.n_samples, config.gradients)
    now = dataclasses.replace(now, phase="done" if only_predict else "running", cost=cost)
    yield now
    if not only_predict:
        yield dataclasses.replace(now, phase="done", **_parsed(*(yield from _elsewhere(child_command(config), now))))


def run(config: LargeCircuitConfig) -> LargeCircuitResult:
    """Predicts and runs."""
    *_, last = stream(config)
    return last


def _elsewhere(asked: list[str], now: LargeCircuitResult) -> Generator[LargeCircuitResult, None, tuple[int, str, str]]:
    """Runs a command, yields while it lasts, and ends it where nobody waits any more."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        said, complained = Path(folder, "stdout"), Path(folder, "stderr")
        with said.open("w") as stdout, complained.open("w") as stderr:
            child = subprocess.Popen(asked, stdout=stdout, stderr=stderr)
        try:
            while child.poll() is None:
                yield dataclasses.replace(now, elapsed_s=time.monotonic() - began)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(_POLL_S)
        finally:
            child.kill()
            code = child.wait()
        return code, said.read_text(), complained.read_text()


def child_command(config: LargeCircuitConfig) -> list[str]:
    """What to run in another process; its last line of output is a JSON object, see `measure`."""
    asked = {"fusion": config.fusion.to_dict(), "n_samples": config.n_samples, "gradients": config.gradients}
    asked |= {"options": config.options, "seed": config.seed}
    return [sys.executable, "-m", "qfl_explore.experiments.large_circuit", json.dumps(asked)]


def _parsed(code: int, stdout: str, stderr: str) -> dict[str, Any]:
    if code:
        lines = stderr.strip().splitlines()
        _, _, text = (lines[-1] if lines else "").partition("Error: ")
        if ". Expected: " in text:
            raise RuntimeError(text)
        raise invalid("the run on qsim ended early", "code 0", text or f"code {code}", RuntimeError)
    found = json.loads(stdout.strip().splitlines()[-1])
    arrays = {name: np.array(found[name]) for name in ("values", "standard_errors") if found.get(name) is not None}
    return {name: found[name] for name in ("measured_s", "cpu_s", "measured_bytes")} | arrays


def measure(asked: dict[str, Any]) -> dict[str, Any]:
    """Runs a circuit in this process.

    Args:
        asked: ``fusion`` (a dict), ``n_samples``, ``gradients``, ``options`` of qsim, ``seed``.

    Returns:
        ``measured_s`` and ``cpu_s`` (fastest of a few runs), ``measured_bytes`` (peak), ``values``,
        ``standard_errors`` (``None`` without repetitions).
    """
    engine: Any = get_backend("qsim", **asked["options"])
    small = FusionConfig(n_modalities=2, degree=1, measurement="computational")
    _call(engine, *inputs(small, 1, 0), asked["gradients"])  # what is slow only once in a process
    before = memory_peak(reset=True)
    config = FusionConfig(**asked["fusion"])
    wall, processor = [], []
    while len(wall) < _MOST_RUNS and sum(wall) < _RUNS_UP_TO_S:
        began = time.perf_counter(), time.process_time()
        question = inputs(config, asked["n_samples"], asked["seed"])
        values = _call(engine, *question, asked["gradients"])
        wall.append(time.perf_counter() - began[0])
        processor.append(time.process_time() - began[1])
    found = {"measured_s": min(wall), "cpu_s": min(processor), "measured_bytes": max(0, memory_peak() - before)}
    return found | {"values": np.asarray(values, float).tolist(), "standard_errors": _errors(engine, question)}


def _errors(engine: Any, question: tuple[Any, ...]) -> list[list[float]] | None:
    if engine.settings.repetitions is None:
        return None
    found = engine.estimates(*question)
    return np.sqrt((1 - found.values**2) / found.n_used).tolist()


def inputs(config: FusionConfig, n_samples: int, seed: int) -> tuple[FusionCircuit, np.ndarray, np.ndarray]:
    """Circuit, features [B, M, D] and weights, radians, uniform between -π and π."""
    rng, fusion = np.random.default_rng(seed), FusionCircuit(config)
    features = rng.uniform(-np.pi, np.pi, (n_samples, config.n_modalities, config.feature_dim))
    return fusion, features, rng.uniform(-np.pi, np.pi, fusion.weight_shape)


def _call(engine: Any, fusion: FusionCircuit, features: Any, weights: Any, gradients: bool) -> np.ndarray:
    if gradients:
        return engine.gradients(fusion, features, weights, np.ones((len(features), fusion.n_observables)))[0]
    return engine.expectations(fusion, features, weights)


def memory_peak(reset: bool = False) -> int:
    """The most memory that this process has had, in bytes.

    Args:
        reset: forget what was before, where the system can (Linux).
    """
    status, forget = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if status.exists():
        if reset:
            with contextlib.suppress(OSError):
                forget.write_text("5")
        (peak,) = (text.split()[1] for text in status.read_text().splitlines() if text.startswith("VmHWM"))
        return 1024 * int(peak)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(json.loads(sys.argv[1]))) + "\n")

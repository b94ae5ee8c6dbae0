"""Measures qsim on this machine for `qsim_cost`: a few seconds in another process, kept on disk.

Another process, because qsim holds Python's lock while it computes, and because a GPU may end it.
``python -m qfl_explore.simulation.qsim_calibration`` prints what it measures.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import hashlib
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.errors import invalid
from qfl_explore.simulation.chunks import n_cores
from qfl_explore.simulation.qsim_cost import Calibration
from qfl_explore.simulation.qsim_options import QSimSettings

#: A folder for what was measured; ``off`` keeps nothing. The same as for parsed data.
VARIABLE = "QFL_EXPLORE_CACHE"
#: Numbers of qubits at which passes over the state are timed: inside the caches, and beyond them.
_QUBITS = (10, 13, 16, 18, 20, 22, 24)
_FORMAT = 4
_PATIENCE_S = 300.0
#: Of these options time depends.
_MATTER = (
    "threads",
    "max_fused_gate_size",
    "denormals_are_zeros",
    "device",
    "gpu_mode",
    "gpu_state_threads",
    "gpu_data_blocks",
)
_known: dict[str, Calibration] = {}
_lock = threading.Lock()


def calibration(settings: QSimSettings, again: bool = False) -> Calibration:
    """What qsim takes on this machine with these options: measured once, then read from disk.

    Args:
        settings: qsim's options.
        again: measure anew.

    Raises:
        RuntimeError: qsim could not be measured.
    """
    key = _key(settings)
    with _lock:
        if again or key not in _known:
            found = None if again else _read(key)
            _known[key] = found or _measure_elsewhere(settings)
        return _known[key]


def _relevant(settings: QSimSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _MATTER}


def _key(settings: QSimSettings) -> str:
    where = [platform.node(), platform.machine(), n_cores(), version("qsimcirq"), _FORMAT]
    return hashlib.sha256(json.dumps([where, _relevant(settings)]).encode()).hexdigest()[:16]


def _path(key: str) -> Path | None:
    named = os.environ.get(VARIABLE)
    if named == "off":
        return None
    if named:
        return Path(named).expanduser() / f"qsim-cost-{key}.json"
    import platformdirs

    return Path(platformdirs.user_cache_dir("qfl-explore", appauthor=False)) / f"qsim-cost-{key}.json"


def _read(key: str) -> Calibration | None:
    path = _path(key)
    if path is None:
        return None
    try:
        return parse(path.read_text())
    except (OSError, ValueError, TypeError, KeyError):
        return None


def parse(text: str) -> Calibration:
    """A calibration from JSON.

    Raises:
        ValueError, TypeError: the text is none.
    """
    told = json.loads(text)
    if not isinstance(told, dict):
        raise ValueError(text)
    found = Calibration(**{name: tuple(value) if isinstance(value, list) else value for name, value in told.items()})
    tables = (found.update, found.reading, found.drawing)
    if any(len(table) != len(found.qubits) or min(table) <= 0 for table in tables):
        raise ValueError(text)
    return found


def known(settings: QSimSettings) -> Calibration | None:
    """What was measured before with these options; ``None``: nothing."""
    key = _key(settings)
    with _lock:
        found = _known.get(key) or _read(key)
        if found is not None:
            _known[key] = found
        return found


def command(settings: QSimSettings) -> list[str]:
    """What to run in another process to measure; its last line of output is for `keep`."""
    return [sys.executable, "-m", "qfl_explore.simulation.qsim_calibration", json.dumps(_relevant(settings))]


def keep(settings: QSimSettings, code: int, stdout: str, stderr: str) -> Calibration:
    """Takes over what the other process measured, and writes it to disk.

    Args:
        settings: qsim's options.
        code: the process's exit code.
        stdout: what it printed.
        stderr: what it complained about.

    Raises:
        RuntimeError: it measured nothing.
    """
    try:
        found = parse(stdout.strip().splitlines()[-1]) if code == 0 else None
        problem = (stderr.strip().splitlines() or [f"code {code}"])[-1]
    except (ValueError, TypeError, IndexError) as error:
        found, problem = None, f"{type(error).__name__}: {error}"
    if found is None:
        raise _not_timed(problem)
    key = _key(settings)
    _known[key] = found
    path = _path(key)
    if path is not None:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps(dataclasses.asdict(found)))
            part.replace(path)
    return found


def _not_timed(problem: str) -> Exception:
    return invalid("qsim could not be timed on this machine", "a trial run of some seconds", problem, RuntimeError)


def _measure_elsewhere(settings: QSimSettings) -> Calibration:
    asked = command(settings)
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise _not_timed(f"no answer within {_PATIENCE_S:.0f} s") from None
    return keep(settings, done.returncode, done.stdout, done.stderr)


def measure(options: dict[str, Any]) -> Calibration:
    """Times qsim in this process, a few seconds.

    Args:
        options: of ``get_backend("qsim", …)``.
    """
    timer = _Timer(options)
    setup_gate, setup_entry = timer.setup()
    gate, circuit = timer.gate()
    rows = [timer.passes(n, gate, circuit) for n in _QUBITS]
    update, reading, drawing = zip(*rows, strict=True)
    made = f"{platform.node()}, {n_cores()} cores, {datetime.date.today().isoformat()}"
    setup = setup_gate, setup_entry, timer.observable()
    ends = timer.outcome(), timer.product(), made
    return Calibration(*setup, gate, circuit, _QUBITS, update, reading, drawing, *ends)


class _Timer:
    """Small circuits, and how long their parts take: the fastest of a few runs."""

    def __init__(self, options: dict[str, Any]) -> None:
        from qfl_explore.simulation.base import get_backend

        self.backend: Any = get_backend("qsim", **options)
        self._alone = self.backend.settings.threads == 1 and self.backend.settings.device == "cpu"

    def setup(self) -> tuple[float, float]:
        """Seconds a gate, and a matrix entry, from settings to the table."""
        from qfl_explore.theory.counts import circuit_counts

        self._table_seconds(FusionConfig(n_modalities=3))  # what is slow only once in a process
        small, large = (FusionConfig(n_modalities=m, degree=1) for m in (31, 511))
        times = [self._table_seconds(config) for config in (small, large)]
        gates = [circuit_counts(config).n_gates for config in (small, large)]
        entries = 512 * 511
        a_gate = times[0] / gates[0]
        return a_gate, max(times[1] - a_gate * gates[1], 0.0) / entries

    def _table_seconds(self, config: FusionConfig) -> float:
        from qfl_explore.circuits.fusion import FusionCircuit
        from qfl_explore.simulation.qsim_gates import GateTable

        return self._once(lambda: GateTable(FusionCircuit(config)))

    def observable(self) -> float:
        """Seconds to make and translate an observable, for each qubit that it acts on."""
        from qfl_explore.circuits.fusion import FusionCircuit
        from qfl_explore.simulation.pauli import PauliTable

        fusion = FusionCircuit(FusionConfig(n_modalities=7, degree=1, measurement="all_pauli"))
        n_letters = sum(len(string) for observable in fusion.observables for string in observable)
        fresh = FusionCircuit(fusion.config)
        return self._once(lambda: PauliTable(fresh.observables, fresh.qubits)) / n_letters

    def gate(self) -> tuple[float, float]:
        """Seconds a gate, and a circuit, where the state is tiny."""
        short, long = (self._ready(4, degree) for degree in (1, 16))
        times = [self._fastest(functools.partial(self._simulate, *ready), 20) for ready in (short, long)]
        a_gate = (times[1] - times[0]) / (long[2] - short[2])
        return a_gate, max(times[0] - a_gate * short[2], 1e-7)

    def passes(self, n_qubits: int, gate: float, circuit: float) -> tuple[float, float, float]:
        """Seconds an amplitude: of a two-qubit gate, of summing an observable, of drawing bit strings."""
        table, angles, n_gates, operators = self._ready(n_qubits, 1)
        made, size = table.circuit(angles), 2**n_qubits

        def seconds(what: str, *arguments: Any) -> float:
            repeats = 6 if n_qubits <= 20 else 2 if n_qubits <= 22 else 0  # the largest runs once
            return self._fastest(lambda: self.backend.run(what, made, *arguments), repeats)

        few, many = (seconds("qsim_simulate_expectation_values", operators[:count], 0) for count in (1, 9))
        drawn = seconds("qsim_sample_final", 1)
        reading = max((many - few) / 8, 1e-11 * size)
        pairs = 2 * n_qubits
        update = max(few - reading - circuit - gate * n_gates / 2, 0.2 * few) / pairs
        return update / size, reading / size, max(drawn - (few - reading), 0.05 * drawn) / size

    def outcome(self) -> float:
        """Seconds a bit string."""
        table, angles, _, _ = self._ready(6, 1)
        made = table.circuit(angles)
        return self._fastest(lambda: self.backend.run("qsim_sample_final", made, 20_000), 3) / 20_000

    def product(self) -> float:
        """Seconds that numpy takes for observables that flip the same qubits, an amplitude."""
        from qfl_explore.circuits.fusion import FusionCircuit
        from qfl_explore.simulation.pauli import PauliTable

        config = FusionConfig(n_modalities=6, encoding="qubit_per_feature", measurement="pauli")
        fusion = FusionCircuit(config)
        table = PauliTable(fusion.observables, fusion.qubits)
        states = np.ones((48, 2**config.n_qubits), np.complex64)
        units = config.n_qubits + 1 + fusion.n_observables / 8  # as `qsim_cost` counts
        return self._fastest(lambda: table.expectations(states), 3) / (states.size * units)

    def _fastest(self, work: Callable[[], Any], repeats: int) -> float:
        """Seconds of the fastest of some runs, after one that does not count (unless it is the only one).

        One thread's own time counts, so that other work on the machine does not; of several, all time.
        """
        first = self._once(work)
        return min((self._once(work) for _ in range(repeats)), default=first)

    def _once(self, work: Callable[[], Any]) -> float:
        clock = time.process_time if self._alone else time.perf_counter
        began = clock()
        work()
        return clock() - began

    def _simulate(self, table: Any, angles: Any, n_gates: int, operators: Any) -> None:
        self.backend.run("qsim_simulate_expectation_values", table.circuit(angles), operators[:1], 0)

    def _ready(self, n_qubits: int, degree: int) -> tuple[Any, Any, int, Any]:
        """Table, angles, number of gates and observables of a circuit with a ring of CZ gates a layer."""
        from qfl_explore.circuits.fusion import FusionCircuit
        from qfl_explore.simulation.qsim_gates import GateTable, engine_observables
        from qfl_explore.theory.counts import circuit_counts

        settings = {"encoding": "qubit_per_feature", "entangler": "ring", "degree": degree}
        fusion = FusionCircuit(FusionConfig(n_modalities=n_qubits, **settings))
        angles = np.random.default_rng(0).uniform(-np.pi, np.pi, len(fusion.physical.symbols))
        return GateTable(fusion), angles, circuit_counts(fusion.config).n_gates, engine_observables(fusion)


if __name__ == "__main__":
    wanted = {name: value for name, value in json.loads((sys.argv[1:] or ["{}"])[0]).items() if value is not None}
    sys.stdout.write(json.dumps(dataclasses.asdict(measure(wanted))) + "\n")

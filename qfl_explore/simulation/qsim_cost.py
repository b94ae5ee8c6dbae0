"""How long qsim takes and how much memory it needs, before anything runs.

Memory follows from sizes: 8 bytes an amplitude, 2^n amplitudes, and as many copies as the way to the
observables makes. Time follows from counts (circuits, gates, passes over the state) and from a few
numbers measured once on this machine, see `qsim_calibration`. Our construction; a test outside the default
ones holds the prediction to a factor of 2.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int
from qfl_explore.simulation.qsim_options import QSimSettings
from qfl_explore.theory.counts import CircuitCounts, circuit_counts, n_observables

#: State vectors that are held at once for numpy take at most about this much memory.
CHUNK_BYTES = 2**26
#: From so many qubits on, qsim sums observables faster than numpy does.
_ENGINE_FROM = 7
#: Above so many qubits of one observable, qsim needs a second state vector.
_IN_PLACE = 6
_AMPLITUDE_BYTES = 8
#: A gate as cirq's operation, as a row of numbers and as qsim's gate.
_GATE_BYTES = 4000
#: A bit string as qsim's number, Python's integer and numpy's.
_OUTCOME_BYTES = 56


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What was measured on a machine for one choice of threads, fusion and device; all times in seconds.

    Attributes:
        setup_gate: from settings to qsim's table of numbers, a gate.
        setup_entry: likewise, an entry of the matrix from features to angles.
        setup_observable: making and translating an observable, for each qubit that it acts on.
        gate: making and fusing one gate of one circuit, whatever the number of qubits.
        circuit: a circuit without gates.
        qubits: increasing numbers of qubits at which the next three were measured.
        update: for each of ``qubits``, a two-qubit gate, an amplitude.
        reading: for each of ``qubits``, a pass that sums an observable, an amplitude.
        drawing: for each of ``qubits``, a pass that draws bit strings, an amplitude.
        outcome: one bit string that was drawn.
        product: numpy's work on observables that flip the same qubits, an amplitude.
        made: where and when, in words.
    """

    setup_gate: float
    setup_entry: float
    setup_observable: float
    gate: float
    circuit: float
    qubits: tuple[int, ...]
    update: tuple[float, ...]
    reading: tuple[float, ...]
    drawing: tuple[float, ...]
    outcome: float
    product: float
    made: str = ""

    def at(self, what: str, n_qubits: int) -> float:
        """``update``, ``reading`` or ``drawing`` at n qubits, between measured ones on a logarithmic scale."""
        return float(np.exp(np.interp(n_qubits, self.qubits, np.log(getattr(self, what)))))


@dataclasses.dataclass(frozen=True)
class Cost:
    """A prediction for one call.

    Attributes:
        n_qubits: n.
        n_circuits: how many circuits qsim simulates.
        setup_s: seconds once for each circuit of new settings, before the first simulation.
        seconds: all seconds, ``setup_s`` included.
        memory_bytes: of this machine's memory, beside what the process has already.
        gpu_bytes: of the GPU's memory; 0 on a processor.
    """

    n_qubits: int
    n_circuits: int
    setup_s: float
    seconds: float
    memory_bytes: int
    gpu_bytes: int = 0

    def __str__(self) -> str:
        qubits = f"{self.n_qubits} qubit{'s' if self.n_qubits > 1 else ''}"
        text = f"{qubits}, {self.n_circuits:,} circuit{'s' if self.n_circuits > 1 else ''}: "
        text += f"about {in_seconds(self.seconds)} and {in_bytes(self.memory_bytes)} of memory"
        return text + (f", {in_bytes(self.gpu_bytes)} of the GPU's" if self.gpu_bytes else "")


def in_seconds(seconds: float) -> str:
    """A duration in words with two digits.

    >>> in_seconds(0.0123), in_seconds(4.56), in_seconds(300), in_seconds(1e5)
    ('12 ms', '4.6 s', '5 minutes', '28 hours')
    """
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.2g} s" if seconds >= 0.1 else f"{1e3 * seconds:.2g} ms"


def in_bytes(n_bytes: int) -> str:
    """A size in words with two digits or more.

    >>> in_bytes(300_000), in_bytes(10 * 2**20), in_bytes(8 * 2**30)
    ('0.29 MiB', '10 MiB', '8 GiB')
    """
    size, unit = (n_bytes / 2**30, "GiB") if n_bytes >= 2**30 else (n_bytes / 2**20, "MiB")
    return f"{size:.2g} {unit}" if size < 10 else f"{size:,.0f} {unit}"


def predict(
    config: FusionConfig,
    settings: QSimSettings,
    calibration: Calibration,
    n_samples: int = 1,
    gradients: bool = False,
) -> Cost:
    """Time and memory of one call of ``expectations`` or ``gradients``.

    Args:
        config: the circuit's settings.
        settings: qsim's options; ``form='physical'``.
        calibration: measured on this machine with the same options.
        n_samples: B, 1 or more.
        gradients: whether gradients are asked for, too: two circuits for every angle of every sample.

    Returns:
        The prediction.
    """
    n_samples = check_int("n_samples", n_samples, 1)
    counts, n = circuit_counts(config), config.n_qubits
    n_values = n_samples * (1 + 2 * counts.n_rotations if gradients else 1)
    bases = n_bases(config) if settings.repetitions else 1
    n_circuits = n_values * bases
    setup = calibration.setup_gate * counts.n_gates + calibration.setup_entry * _matrix_size(config)
    setup += calibration.setup_observable * sum(_widths(config))
    one = calibration.circuit + calibration.gate * counts.n_gates
    one += max(counts.n_two_qubit, n) * 2**n * calibration.at("update", n) * _fusion_factor(counts, n)
    seconds = setup + n_circuits * one + n_values * _readout_seconds(config, settings, calibration, bases)
    rows = 2 * counts.n_rotations if gradients else n_samples
    return Cost(n, n_circuits, setup, seconds, host_bytes(config, settings, rows), device_bytes(config, settings))


def _fusion_factor(counts: CircuitCounts, n_qubits: int) -> float:
    """Rotations are fused into two-qubit gates; where these are few, what is left costs a pass a qubit."""
    return 1.0 if counts.n_two_qubit >= n_qubits else 0.5


def _readout_seconds(config: FusionConfig, settings: QSimSettings, calibration: Calibration, bases: int) -> float:
    """Of one sample, after its circuits."""
    n, count = config.n_qubits, n_observables(config)
    if settings.repetitions:
        turns = 2 * n * calibration.gate + 0.5 * n * 2**n * calibration.at("update", n)
        drawing = 2**n * calibration.at("drawing", n)
        return bases * (turns + drawing) + settings.repetitions * calibration.outcome * (1 + 0.1 * count)
    if not sums_in_engine(config, settings):
        return (_flips(config) + count / 8) * 2**n * calibration.product
    return sum(_passes(width, n) for width in _widths(config)) * 2**n * calibration.at("reading", n)


def _passes(width: int, n_qubits: int) -> float:
    """Passes over the state for a Pauli string on so many qubits, in units of one for a single qubit."""
    return 2.0 ** max(0, width - 2) if width <= _IN_PLACE else 3.0 + math.ceil(width / 2)


def _widths(config: FusionConfig) -> list[int]:
    """On how many qubits each observable acts."""
    n, count = config.n_qubits, n_observables(config)
    if config.measurement == "global_z":
        return [n]
    if config.measurement not in ("computational", "all_pauli"):
        return [1] * count
    letters = 1 if config.measurement == "computational" else 3
    widths: list[int] = []
    for width in range(1, n + 1):
        missing = count - len(widths)
        widths += [width] * min(missing, math.comb(n, width) * letters**width)
    return widths


def _flips(config: FusionConfig) -> int:
    """How many different sets of qubits the observables flip; those with one set share numpy's work."""
    if config.measurement == "all_pauli":
        return 2**config.n_qubits
    return 1 + (config.n_qubits if config.measurement in ("pauli", "random_pauli_plane") else 0)


def n_bases(config: FusionConfig) -> int:
    """Product bases in which all observables can be read."""
    n, count = config.n_qubits, n_observables(config)
    if config.measurement == "random_pauli_plane":
        return math.ceil(count / n)
    if config.measurement == "pauli":
        return min(3, count)
    return 3**n if config.measurement == "all_pauli" else 1


def _matrix_size(config: FusionConfig) -> int:
    """Entries of the matrix from features to the signal's angles."""
    return (1 << config.n_index_qubits) * config.n_features if config.n_index_qubits else config.n_features**2


def sums_in_engine(config: FusionConfig, settings: QSimSettings) -> bool:
    """Whether qsim sums the observables; else numpy does, from the amplitudes."""
    if settings.readout == "auto":
        return settings.device == "gpu" or config.n_qubits >= _ENGINE_FROM
    return settings.readout == "engine"


def host_bytes(config: FusionConfig, settings: QSimSettings, n_rows: int | None = None) -> int:
    """Memory that one call needs on this machine, circuit included, in bytes.

    Args:
        config: the circuit's settings.
        settings: qsim's options.
        n_rows: how many states numpy may hold at once; ``None``: as many as ever.
    """
    counts, state = circuit_counts(config), _AMPLITUDE_BYTES << config.n_qubits
    around = counts.n_gates * _GATE_BYTES + 3 * 8 * _matrix_size(config)
    on_gpu = settings.device == "gpu"
    if settings.repetitions:
        share = math.ceil(settings.repetitions / n_bases(config))
        return around + _OUTCOME_BYTES * share + (0 if on_gpu else state)
    if sums_in_engine(config, settings) or settings.form == "circuit":
        return around + (0 if on_gpu else state * _engine_copies(config))
    rows = max(1, CHUNK_BYTES // (2 * state))
    rows = rows if n_rows is None else min(rows, n_rows)
    together = math.ceil(n_observables(config) / (1 if config.measurement == "computational" else 2))
    return around + state * (1 + 5 * rows + 4 * together)


def _engine_copies(config: FusionConfig) -> int:
    """State vectors inside qsim."""
    return 2 if max(_widths(config)) > _IN_PLACE else 1


def device_bytes(config: FusionConfig, settings: QSimSettings) -> int:
    """Memory that one call needs on the GPU; 0 on a processor."""
    if settings.device == "cpu":
        return 0
    share = math.ceil((settings.repetitions or 0) / n_bases(config))
    return (_AMPLITUDE_BYTES << max(5, config.n_qubits)) * _engine_copies(config) + 16 * share

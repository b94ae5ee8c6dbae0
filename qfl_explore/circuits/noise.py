"""Noise on a fusion circuit: which channels, how strong, and where they act on its physical form.

The physical form has uncontrolled gates only: the signal as a ladder of rotations and two-qubit
gates (UCRY), one RX-RY-RZ triple a block and qubit (one gate on a device), CZ gates. Gates start
as soon as their qubits are free, which sorts them into moments. After every moment come:

1. depolarising on the qubits of each gate of that moment;
2. dephasing, then amplitude damping, on *every* qubit, idle ones too: they grow with depth.

Readout errors act on the outcomes, so they change the observables (`noisy_observables`).
Source: the channels are textbook ones; that they sit on this form in this order is our construction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import cirq
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import check_option, invalid

#: Field -> (largest value, what it is).
STRENGTHS: dict[str, tuple[float, str]] = {
    "depolarizing_1q": (0.75, "probability of a Pauli error after a one-qubit gate"),
    "depolarizing_2q": (0.9375, "probability of a Pauli error after a two-qubit gate"),
    "dephasing": (0.5, "probability of a Z error on every qubit after every moment"),
    "amplitude_damping": (1.0, "probability that |1⟩ decays to |0⟩ on every qubit in every moment"),
    "readout_0": (0.5, "probability that an outcome 0 is read as 1"),
    "readout_1": (0.5, "probability that an outcome 1 is read as 0"),
}
#: Names of `noise_of`, and what a strength means there.
KINDS: dict[str, str] = {
    "depolarizing": "Depolarising: two-qubit gates err with this probability, one-qubit gates with a tenth of it",
    "dephasing": "Dephasing: a Z error on every qubit in every moment",
    "amplitude_damping": "Amplitude damping: |1⟩ decays on every qubit in every moment",
    "readout": "Readout error: an outcome is read wrongly, alike for 0 and 1",
    "device": "A device: multiples of the median rates of Google's processor Weber",
}
#: Medians that ship with cirq_google 1.5.0 for the processor Weber (calibration of 2021-11-03, and
#: what its noise properties make of it); times in nanoseconds, errors as Pauli errors.
WEBER: dict[str, float] = {
    "error_1q": 0.0024362796,
    "error_2q": 0.0211557176,
    "t1": 15247.699,
    "t_phi": 27980.187,
    "time_1q": 25.0,
    "time_2q": 32.0,
    "readout_0": 0.0088,
    "readout_1": 0.0512,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseModel:
    """Strengths of all channels; 0 everywhere is no noise.

    Args:
        depolarizing_1q: probability of a Pauli error after each one-qubit gate, at most 3/4.
        depolarizing_2q: the same after each two-qubit gate, at most 15/16.
        dephasing: probability of Z on every qubit after each moment, at most 1/2.
        amplitude_damping: γ on every qubit after each moment, at most 1.
        readout_0: probability that 0 is read as 1, at most 1/2.
        readout_1: probability that 1 is read as 0, at most 1/2.

    Raises:
        TypeError: a strength is not a number.
        ValueError: a strength is out of range.

    >>> NoiseModel(dephasing=0.01).scaled(3).dephasing
    0.03
    """

    depolarizing_1q: float = 0.0
    depolarizing_2q: float = 0.0
    dephasing: float = 0.0
    amplitude_damping: float = 0.0
    readout_0: float = 0.0
    readout_1: float = 0.0

    def __post_init__(self) -> None:
        for name, (most, meaning) in STRENGTHS.items():
            object.__setattr__(self, name, check_strength(name, getattr(self, name), most, meaning))

    def scaled(self, factor: float) -> NoiseModel:
        """All strengths times ``factor`` (0 or more), each capped at its largest value."""
        factor = check_strength("factor", factor, math.inf, "a multiple")
        return NoiseModel(**{name: min(most, factor * getattr(self, name)) for name, (most, _) in STRENGTHS.items()})


def check_strength(name: str, value: Any, most: float, meaning: str) -> float:
    """``value`` as a float from 0 to ``most``; otherwise raises.

    Raises:
        TypeError: not a number.
        ValueError: out of range.
    """
    expected = f"{meaning}, from 0 to {most:g}" if math.isfinite(most) else f"{meaning}, 0 or more"
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise invalid(f"{name} must be a number", expected, f"{name}={value!r}", TypeError)
    if not 0 <= value <= most or not math.isfinite(value):
        raise invalid(f"{name} is out of range", expected, f"{name}={value}")
    return float(value)


def device_noise() -> NoiseModel:
    """Median rates of Google's processor Weber, as `cirq_google` 1.5.0 ships them.

    Decoherence over a moment (32 ns, the longer gate time) follows from T1 = 15.2 µs and
    T_φ = 28.0 µs; it is taken off the measured Pauli errors (0.24 % and 2.1 %), as cirq does. The
    calibration knows the √iSWAP gate; we take its error for CZ and CNOT, which is optimistic, as
    each of them needs two.

    >>> round(device_noise().depolarizing_2q, 4)
    0.0179
    """
    w = WEBER
    by_time = {name: cirq.qis.decoherence_pauli_error(w["t1"], w["t_phi"], w[name]) for name in ("time_1q", "time_2q")}
    return NoiseModel(
        depolarizing_1q=w["error_1q"] - by_time["time_1q"],
        depolarizing_2q=w["error_2q"] - 2 * by_time["time_2q"],
        dephasing=0.5 * -math.expm1(-w["time_2q"] / w["t_phi"]),
        amplitude_damping=-math.expm1(-w["time_2q"] / w["t1"]),
        readout_0=w["readout_0"],
        readout_1=w["readout_1"],
    )


def noise_of(kind: str, strength: float) -> NoiseModel:
    """The model of a kind of noise at one strength.

    Args:
        kind: one of ``KINDS``.
        strength: a probability; for ``device`` a multiple of the device's rates. 0 or more, and
            capped where the channel cannot be stronger.

    >>> noise_of("depolarizing", 0.01)
    NoiseModel(depolarizing_1q=0.001, depolarizing_2q=0.01, dephasing=0.0, amplitude_damping=0.0, readout_0=0.0, readout_1=0.0)
    """  # noqa: E501
    unit = {
        "depolarizing": NoiseModel(depolarizing_1q=0.05, depolarizing_2q=0.5),
        "dephasing": NoiseModel(dephasing=0.5),
        "amplitude_damping": NoiseModel(amplitude_damping=0.5),
        "readout": NoiseModel(readout_0=0.5, readout_1=0.5),
        "device": device_noise(),
    }[check_option("kind", kind, KINDS)]
    strength = check_strength("strength", strength, math.inf, "a strength")
    return unit.scaled(strength if kind == "device" else 2.0 * strength)


@dataclasses.dataclass(frozen=True)
class PhysicalGate:
    """One gate of the physical form.

    Attributes:
        operations: one two-qubit gate, one signal rotation, or the RX-RY-RZ triple of a block.
        qubits: the one or two qubits it acts on.
    """

    operations: tuple[cirq.Operation, ...]
    qubits: tuple[cirq.Qid, ...]


def physical_moments(fusion: FusionCircuit) -> list[list[PhysicalGate]]:
    """The gates of ``fusion.physical``, each in the first moment in which its qubits are free."""
    free: dict[cirq.Qid, int] = dict.fromkeys(fusion.qubits, 0)
    moments: list[list[PhysicalGate]] = []
    for gate in _gates(fusion):
        start = max(free[qubit] for qubit in gate.qubits)
        if start == len(moments):
            moments.append([])
        moments[start].append(gate)
        free.update(dict.fromkeys(gate.qubits, start + 1))
    return moments


def _gates(fusion: FusionCircuit) -> Iterator[PhysicalGate]:
    """Rotations of one block on one qubit together, in an order that keeps the circuit's meaning."""
    open_gates: dict[cirq.Qid, tuple[str, list[cirq.Operation]]] = {}

    def closed(*qubits: cirq.Qid) -> Iterator[PhysicalGate]:
        for qubit in qubits:
            if qubit in open_gates:
                yield PhysicalGate(tuple(open_gates.pop(qubit)[1]), (qubit,))

    for operation in fusion.physical.circuit.all_operations():
        block = min(cirq.parameter_names(operation), default="").rpartition("_")[0]
        is_weight = block.startswith("w_")
        if is_weight and open_gates.get(operation.qubits[0], ("",))[0] == block:
            open_gates[operation.qubits[0]][1].append(operation)
            continue
        yield from closed(*operation.qubits)
        if is_weight:
            open_gates[operation.qubits[0]] = (block, [operation])
        else:
            yield PhysicalGate((operation,), operation.qubits)
    yield from closed(*fusion.qubits)


def noisy_circuit(fusion: FusionCircuit, noise: NoiseModel, merge_idle: bool = False) -> cirq.Circuit:
    """The physical form with its channels, over ``fusion.physical.symbols``; without readout errors.

    Args:
        fusion: the circuit.
        noise: the strengths; channels of strength 0 are left out.
        merge_idle: writes a qubit's decoherence over the moments in which it waits as one channel
            (exactly the same: dephasing and damping commute), which trajectories run faster.
    """
    moments: list[cirq.Moment] = []
    waited: dict[cirq.Qid, int] = dict.fromkeys(fusion.qubits, 0)
    strengths = {1: noise.depolarizing_1q, 2: noise.depolarizing_2q}
    for gates in physical_moments(fusion):
        busy = [qubit for gate in gates for qubit in gate.qubits]
        moments += _decoherence(noise, {qubit: waited[qubit] for qubit in busy if waited[qubit]})
        for i in range(max(len(gate.operations) for gate in gates)):
            moments.append(cirq.Moment(gate.operations[i] for gate in gates if i < len(gate.operations)))
        channels = [(strengths[len(gate.qubits)], gate.qubits) for gate in gates]
        moments.append(cirq.Moment(cirq.depolarize(p, len(qubits)).on(*qubits) for p, qubits in channels if p))
        waited.update(dict.fromkeys(busy, 0))
        waited = {qubit: count + 1 for qubit, count in waited.items()}
        if not merge_idle:
            moments += _decoherence(noise, waited)
            waited = dict.fromkeys(waited, 0)
    moments += _decoherence(noise, {qubit: count for qubit, count in waited.items() if count})
    return cirq.Circuit(moment for moment in moments if moment)


def _decoherence(noise: NoiseModel, times: dict[cirq.Qid, int]) -> list[cirq.Moment]:
    """Dephasing, then amplitude damping, of qubits over so many moments each."""
    flips = {qubit: 0.5 * (1.0 - (1.0 - 2.0 * noise.dephasing) ** count) for qubit, count in times.items()}
    decays = {qubit: 1.0 - (1.0 - noise.amplitude_damping) ** count for qubit, count in times.items()}
    return [
        cirq.Moment(cirq.phase_flip(p).on(qubit) for qubit, p in flips.items() if p),
        cirq.Moment(cirq.amplitude_damp(gamma).on(qubit) for qubit, gamma in decays.items() if gamma),
    ]


def noisy_observables(fusion: FusionCircuit, noise: NoiseModel) -> tuple[cirq.PauliSum, ...]:
    """Observables whose exact values are those that wrong readings give on average.

    Every observable is a product of one-qubit directions; reading a qubit along ``a·σ`` gives
    ``(1 - e0 - e1) a·σ + (e1 - e0)`` on average. With e0 = e1 = e a string on w qubits shrinks
    by ``(1 - 2e)^w``.

    Returns:
        K Pauli sums, in the order of ``fusion.observables``.
    """
    shrink, offset = 1.0 - noise.readout_0 - noise.readout_1, noise.readout_1 - noise.readout_0
    if shrink == 1.0 and offset == 0.0:
        return fusion.observables
    found = []
    for observable in fusion.observables:
        strings = list(observable)
        if len(strings) > 1:  # a direction between the axes, on one qubit
            found.append(shrink * observable + offset)
            continue
        string = strings[0]
        total = cirq.PauliSum.from_pauli_strings(cirq.PauliString(coefficient=string.coefficient))
        for qubit, pauli in string.items():
            total = total * (shrink * cirq.PauliString({qubit: pauli}) + offset)
        found.append(total)
    return tuple(found)


def gate_counts(fusion: FusionCircuit) -> dict[str, dict[str, int]]:
    """How many gates both forms have.

    Returns:
        ``multi_controlled``: one_qubit, two_qubit, larger (on three qubits or more) and widest
        (qubits of the widest gate); ``physical``: one_qubit, two_qubit, larger, widest and depth
        (moments). RX, RY and RZ of one block count as one gate in both.

    >>> from qfl_explore.config import FusionConfig
    >>> gate_counts(FusionCircuit(FusionConfig(degree=2)))["physical"]
    {'one_qubit': 17, 'two_qubit': 17, 'larger': 0, 'widest': 2, 'depth': 28}
    """
    config = fusion.config
    moments = physical_moments(fusion)
    physical = [len(gate.qubits) for moment in moments for gate in moment]
    abstract = FusionCircuit(config.replace(signal_form="multi_controlled"))
    widths = [len(op.qubits) for op in abstract.operations()]
    widths = sorted(widths)[2 * config.n_weights // 3 :]  # of each triple, one gate remains
    return {
        "multi_controlled": _count(widths),
        "physical": _count(physical) | {"depth": len(moments)},
    }


def _count(widths: list[int]) -> dict[str, int]:
    return {
        "one_qubit": widths.count(1),
        "two_qubit": widths.count(2),
        "larger": sum(width > 2 for width in widths),
        "widest": max(widths),
    }

"""The circuit's diagram as SVG: gate by gate where it is small, else a schematic and one layer expanded."""

from __future__ import annotations

import functools
import re
import threading

import cirq

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.plots.circuit import schematic

#: Operations up to which a circuit is drawn gate by gate; drawing takes about 8 ms each.
MAX_OPERATIONS = 60
_drawing = threading.Lock()  # cirq measures text with matplotlib, which is not thread-safe


@functools.lru_cache(maxsize=128)
def diagrams(config: FusionConfig) -> tuple[tuple[str, str], ...]:
    """Titles and SVG texts for a config; call it off the event loop.

    Args:
        config: the circuit's settings.

    Returns:
        One diagram of the whole circuit, or a schematic and (where that is not too large
        either) the gates of its first signal layer and one U(θ).
    """
    fusion = FusionCircuit(config)
    operations = list(fusion.circuit.all_operations())
    if len(operations) <= MAX_OPERATIONS:
        return ((f"The whole circuit, {len(operations)} gates", draw(fusion, operations)),)
    pictures = [("The whole circuit: signal and trainable layers in turn", schematic(fusion))]
    layer = [*fusion.signal_layer(), *fusion.ansatz_layer(1)]
    if len(layer) <= MAX_OPERATIONS:
        pictures.append((f"One S(x) and U(θ1), {len(layer)} gates", draw(fusion, layer)))
    return tuple(pictures)


def draw(fusion: FusionCircuit, operations: list[cirq.Operation]) -> str:
    """Gates as SVG; symbols are shortened to θ0, θ1, … and x1, x2, …"""
    short = {symbol.name: f"θ{i}" for i, symbol in enumerate(fusion.weight_symbols)}
    short |= {symbol.name: f"x{i + 1}" for i, symbol in enumerate(fusion.feature_symbols)}
    named = {qubit: cirq.NamedQubit(name) for qubit, name in zip(fusion.qubits, qubit_names(fusion), strict=True)}
    shown = [_Drawn.of(operation, short).on(*(named[qubit] for qubit in operation.qubits)) for operation in operations]
    return svg_of(cirq.Circuit(shown))


def svg_of(circuit: cirq.Circuit) -> str:
    """Any circuit as SVG; call it off the event loop."""
    from cirq.contrib.svg import circuit_to_svg

    with _drawing:
        return _themed(circuit_to_svg(circuit))


class _Drawn(cirq.Gate):
    """A gate that only knows what it looks like."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self._symbols = symbols

    @classmethod
    def of(cls, operation: cirq.Operation, short: dict[str, str]) -> _Drawn:
        """The look of an operation: controls as dots, rotations with their short symbol."""
        if operation.gate == cirq.CZ:
            return cls(("@", "@"))
        controlled = operation.untagged
        gate, values = controlled.gate, ()
        if isinstance(controlled, cirq.ControlledOperation):
            gate, values = controlled.sub_operation.gate, next(iter(controlled.control_values.expand()))
        elif isinstance(gate, cirq.ControlledGate):
            gate, values = gate.sub_gate, next(iter(gate.control_values.expand()))
        (symbol,) = cirq.parameter_symbols(operation)
        name = type(gate).__name__ if type(gate).__name__ in ("Rx", "Ry", "Rz") else "Phase"
        return cls((*("@" if value else "(0)" for value in values), f"{name}({short[symbol.name]})"))

    def _num_qubits_(self) -> int:
        return len(self._symbols)

    def _circuit_diagram_info_(self, args: cirq.CircuitDiagramInfoArgs) -> cirq.CircuitDiagramInfo:
        return cirq.CircuitDiagramInfo(wire_symbols=self._symbols)


def qubit_names(fusion: FusionCircuit) -> list[str]:
    """index 0, index 1, …, value."""
    index = [f"index {i}" for i in range(len(fusion.index_qubits))]
    values = ["value"] if len(fusion.value_qubits) == 1 else [f"value {i}" for i in range(len(fusion.value_qubits))]
    return [*index, *values]


#: cirq's own look -> one in the page's colours, light or dark; outside the app it is ink on white paper.
_INK = (
    ('stroke="black"', 'stroke="currentColor"'),
    ('fill="white"', 'style="fill:var(--panel-surface-color, #ffffff)"'),
    ('stroke="#1967d2"', 'style="stroke:var(--panel-primary-color, #0072B2)"'),
)


def _themed(text: str) -> str:
    """A drawing that takes the page's colours and font scale."""
    for plain, themed in _INK:
        text = text.replace(plain, themed)
    text = re.sub(r' font-family="[^"]*"', ' font-family="system-ui, sans-serif"', text)
    style = "fill:currentColor;background:var(--panel-surface-color, #ffffff);zoom:var(--qfl-scale, 1)"
    return re.sub(r"<svg ([^>]*)>", rf'<svg \1 style="{style}">', text, count=1)


def slot_rows(config: FusionConfig, most: int = 16) -> list[tuple[str, str, str]]:
    """The registers: (address, content, rotation) for each slot or qubit; long lists are cut."""
    rotation = {"phase": "diag(1, e^ix)"}.get(config.signal, config.signal.upper() + "(x)")
    rows = []
    if config.encoding == "qubit_per_feature":
        for j in range(config.n_features):
            rows.append((f"qubit {j}", _feature(config, j), rotation))
    else:
        for j in range(config.n_slots):
            address = f"|{j:0{config.n_index_qubits}b}⟩" if config.n_index_qubits else "(no index)"
            if j < config.n_features:
                rows.append((address, _feature(config, j), rotation))
            else:
                constant = config.constant_slot and j == config.n_features
                rows.append((address, "constant slot" if constant else "padding", "identity"))
    if len(rows) > most:
        rows = [*rows[: most - 2], ("…", f"{len(rows) - most + 1} more", "…"), rows[-1]]
    return rows


def _feature(config: FusionConfig, j: int) -> str:
    modality, feature = divmod(j, config.feature_dim)
    return f"x{j + 1} (modality {modality + 1}, feature {feature + 1})"

"""Pictures of a circuit: counts against the number of modalities, its spectrum, and a schematic."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import holoviews as hv
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh

#: Dash, marker and role of each model, so that nobody needs the colours.
MODEL_STYLES: dict[str, tuple[str, str, str]] = {
    "QFL": ("solid", "circle", "model"),
    "QFL per feature": ("dashed", "square", "test"),
    "LMF": ("dotted", "triangle", "ceiling"),
    "TFN": ("dashdot", "diamond", "pinned"),
    "MLP": ("dotdash", "inverted_triangle", "other"),
}


def counts_plot(counts: Mapping[str, tuple[Any, Any]], label: str) -> hv.Overlay:
    """Counts against M, both axes logarithmic.

    Args:
        counts: model -> (M, count); the names of ``MODEL_STYLES`` have their own look.
        label: name and unit of the vertical axis.
    """
    use_bokeh()
    x, y = hv.Dimension("x", label="modalities M (count)"), hv.Dimension("y", label=label)
    layers = []
    for name, (modalities, values) in counts.items():
        dash, marker, role = MODEL_STYLES.get(name, ("solid", "circle", "target"))
        layers.append(hv.Curve((modalities, values), x, y, label=name).opts(line_dash=dash, color=colour(role)))
        layers.append(
            hv.Scatter((modalities, values), x, y, label=name).opts(marker=marker, size=7, color=colour(role))
        )
    return hv.Overlay(layers).opts(logx=True, logy=True, **tools())


def live_counts_plot(counts: Mapping[str, tuple[Any, Any]], label: str, height: int = 330) -> LiveFigure:
    """`counts_plot` as a figure; layers ``<model>`` and ``<model> points``."""
    names, roles = [], []
    for name in counts:
        names += [name, f"{name} points"]
        roles += [MODEL_STYLES.get(name, ("", "", "target"))[2]] * 2
    figure = freeze(counts_plot(counts, label), names, roles, height, legend="top")
    for legend in figure.figure.legend:
        legend.ncols = 2
    return figure


def spectrum_support(frequencies: np.ndarray, other: np.ndarray) -> hv.Overlay:
    """Reachable frequencies of two encodings, for one or two features.

    Args:
        frequencies: [n, F] of the qubit-efficient encoding.
        other: [n, F] of one qubit per feature.
    """
    use_bokeh()
    x = hv.Dimension("x", label="frequency ω1 (1/rad)")
    y = hv.Dimension("y", label="frequency ω2 (1/rad)" if frequencies.shape[1] > 1 else "(one feature only)")

    def points(omega: np.ndarray, shift: float) -> tuple[np.ndarray, np.ndarray]:
        return omega[:, 0], omega[:, 1] if omega.shape[1] > 1 else np.full(len(omega), shift)

    return hv.Overlay(
        [
            hv.Scatter(points(other, -0.5), x, y, label="one qubit per feature").opts(
                marker="square", size=12, fill_alpha=0.0, line_width=2, color=colour("ceiling")
            ),
            hv.Scatter(points(frequencies, 0.5), x, y, label="qubit-efficient").opts(
                marker="circle", size=6, color=colour("model")
            ),
        ]
    ).opts(**tools())


def live_spectrum_support(height: int = 330) -> LiveFigure:
    """`spectrum_support` as a figure; layers ``other``, ``efficient``."""
    overlay = spectrum_support(np.zeros((1, 2)), np.zeros((1, 2)))
    return freeze(overlay, ("other", "efficient"), ("ceiling", "model"), height)


def schematic(fusion: FusionCircuit) -> str:
    """The circuit as registers and boxes, for circuits too large to draw gate by gate: an SVG."""
    config = fusion.config
    wires = [(f"index register ({config.n_index_qubits})", bool(config.n_index_qubits))]
    wires.append((f"value register ({config.n_value_qubits})", True))
    names = [name for name, there in wires if there]
    shown = _shown_layers(config.degree)
    step, left, top, gap = 92, 170, 30, 56
    width, height = left + step * len(shown) + 60, top + gap * len(names) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="system-ui, sans-serif" font-size="13" fill="currentColor" style="zoom:var(--qfl-scale, 1)">'
    ]
    for row, name in enumerate(names):
        y = top + gap * row + gap / 2
        parts.append(f'<line x1="{left - 10}" y1="{y}" x2="{width - 30}" y2="{y}" stroke="currentColor"/>')
        parts.append(f'<line x1="{left - 4}" y1="{y + 7}" x2="{left + 6}" y2="{y - 7}" stroke="currentColor"/>')
        parts.append(f'<text x="8" y="{y + 4}">{escape(name)}</text>')
    for column, text in enumerate(shown):
        parts.append(_box(left + 20 + step * column, top + 4, 68, gap * len(names) - 8, text))
    return "".join([*parts, "</svg>"])


def _shown_layers(degree: int) -> list[str]:
    layers = ["U(θ0)"]
    for layer in range(1, degree + 1):
        layers += ["S(x)", f"U(θ{layer})"]
    return layers if len(layers) <= 13 else [*layers[:5], "…", *layers[-4:]]


def _box(x: float, y: float, width: float, height: float, text: str) -> str:
    middle = f'<text x="{x + width / 2}" y="{y + height / 2 + 5}" text-anchor="middle">{escape(text)}</text>'
    if text == "…":
        return middle.replace("<text", '<text font-size="20"')
    fill = "#E69F00" if text.startswith("S") else "#0072B2"
    box = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="none"/>'
    ink = "#000000" if text.startswith("S") else "#FFFFFF"
    return box + middle.replace("<text", f'<text fill="{ink}" font-weight="600"')

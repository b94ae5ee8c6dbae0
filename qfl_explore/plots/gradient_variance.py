"""Pictures of gradient variance: sweeps with fits, a map over angles, a histogram, layers during training.

Each function draws with HoloViews; ``live_…`` makes it a figure that updates stream into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.style import MAP_VALUES, LiveFigure, colour, freeze, tools, use_bokeh

if TYPE_CHECKING:
    from qfl_explore.experiments.gradient_variance import Estimate
    from qfl_explore.experiments.gradient_variance_sweep import Fit

#: encoding -> (role of its colour, marker, name).
LOOKS = {
    "qubit_efficient": ("model", "circle", "qubit-efficient"),
    "qubit_per_feature": ("ceiling", "triangle", "qubit per feature"),
}
VARIANCE = "variance of ∂C/∂θ (1/rad²)"
SWEPT = {"n_modalities": "modalities M (count)", "degree": "degree P (signal layers)"}
LAYER_LOOKS = (
    ("model", "solid"),
    ("ceiling", "dashed"),
    ("test", "dotdash"),
    ("pinned", "dotted"),
    ("other", "solid"),
    ("quiet", "dashed"),
    ("target", "dotdash"),
)
_CORNERS = ("x0", "y0", "x1", "y1")
_SWEEP_LAYERS = ("bars", "fit", "two_design", "exact", "points")


def sweep(table: pd.DataFrame, over: str, fits: Mapping[str, Mapping[str, Fit]]) -> hv.Overlay:
    """Variance against M or P on a log scale: estimates with 95 % intervals, fits, exact values, 2-design lines.

    The law that is drawn is the one of `drawn_law`.

    Args:
        table: rows of `Estimate.row`.
        over: ``n_modalities`` or ``degree``.
        fits: encoding -> law -> fit.
    """
    use_bokeh()
    axes = hv.Dimension("x", label=SWEPT[over]), hv.Dimension("y", label=VARIANCE)
    layers: list[Any] = []
    for encoding, (role, marker, name) in LOOKS.items():
        data = _sweep_data(table, over, fits, encoding)
        look = {"color": colour(role)}
        bars = hv.Segments(_as_corners(data["bars"]), [hv.Dimension(corner) for corner in _CORNERS])
        layers += [
            bars.opts(line_width=2, **look),
            hv.Curve(data["fit"], *axes, label="").opts(line_width=1.5, line_dash="dashed", **look),
            hv.Curve(data["two_design"], *axes, label="").opts(line_width=1.5, line_dash="dotted", **look),
            hv.Scatter(data["exact"], *axes, label="").opts(
                marker="circle", size=15, line_width=1.5, fill_alpha=0, **look
            ),
            hv.Scatter(data["points"], *axes, label=name).opts(marker=marker, size=8, **look),
        ]
    return hv.Overlay(layers).opts(
        logy=True, xlabel=axes[0].label, ylabel=axes[1].label, ylim=_decades(table), **tools()
    )


def drawn_law(encoding: str, over: str) -> str:
    """The law that theory suggests: exponential in M for one qubit per feature, else a power."""
    return "exponential" if (encoding, over) == ("qubit_per_feature", "n_modalities") else "power"


def live_sweep(height: int = 400) -> LiveFigure:
    """`sweep` to stream into; see `put_sweep`."""
    from qfl_explore.experiments.gradient_variance_sweep import Fit

    rows = [(encoding, x, 0.1, 0.09, 0.11, 0.1, 0.1) for encoding in LOOKS for x in (1, 2)]
    columns = ["encoding", "n_modalities", "variance", "low", "high", "two_design", "exact"]
    laws = {encoding: drawn_law(encoding, "n_modalities") for encoding in LOOKS}
    fits = {encoding: {law: Fit(law, 1.0, 0.9, 1.1, 0.0, 1.0, 3)} for encoding, law in laws.items()}
    overlay = sweep(pd.DataFrame(rows, columns=columns), "n_modalities", fits)
    names = [f"{encoding} {layer}" for encoding in LOOKS for layer in _SWEEP_LAYERS]
    roles = [LOOKS[encoding][0] for encoding in LOOKS for _ in _SWEEP_LAYERS]
    figure = freeze(overlay, names, roles, height, legend="top_right")
    figure.clear(*names)
    return figure


def put_sweep(
    figure: LiveFigure, table: pd.DataFrame, over: str, fits: Mapping[str, Mapping[str, Fit]], values: Sequence[int]
) -> None:
    """Redraws `sweep`.

    Args:
        figure: from `live_sweep`.
        table: rows of `Estimate.row` so far.
        over: the swept setting.
        fits: encoding -> law -> fit.
        values: the whole range to come.
    """
    for encoding in LOOKS:
        for layer, columns in _sweep_data(table, over, fits, encoding).items():
            names = _CORNERS if layer == "bars" else ("x", "y")
            figure.sources[f"{encoding} {layer}"].data = dict(zip(names, map(np.asarray, columns), strict=True))
    figure.figure.xaxis[0].update(axis_label=SWEPT[over], ticker=list(values))
    figure.figure.xgrid[0].ticker = figure.figure.xaxis[0].ticker
    pad = 0.04 * (max(values) - min(values))
    figure.set_range((min(values) - pad - 0.2, max(values) + pad + 0.2), _decades(table))


def _sweep_data(table: pd.DataFrame, over: str, fits: Mapping[str, Any], encoding: str) -> dict[str, tuple[Any, ...]]:
    rows = table[table["encoding"] == encoding] if len(table) else table
    if not len(rows):
        empty: tuple[Any, ...] = ([], [])
        return dict.fromkeys(_SWEEP_LAYERS, empty) | {"bars": ([], [], [], [])}
    rows = rows.sort_values(over)
    shift = -0.06 if encoding == "qubit_efficient" else 0.06
    x = rows[over].to_numpy(float)
    high = np.minimum(rows["high"], 1e3 * rows["variance"])
    low = np.maximum(rows["low"], 1e-3 * rows["variance"])
    known = rows["exact"].notna().to_numpy() if "exact" in rows else np.zeros(len(rows), bool)
    fit = fits.get(encoding, {}).get(drawn_law(encoding, over))
    line = np.linspace(x.min(), x.max(), 60) if fit is not None and np.isfinite(fit.exponent) else np.zeros(0)
    return {
        "bars": (x + shift, low.to_numpy(float), x + shift, high.to_numpy(float)),
        "fit": (line, fit(line) if len(line) else line),
        "two_design": (x, rows["two_design"].to_numpy(float)),
        "exact": (x[known] + shift, rows["exact"].to_numpy(float)[known]),
        "points": (x + shift, rows["variance"].to_numpy(float)),
    }


def _as_corners(columns: tuple[Any, ...]) -> list[tuple[float, ...]]:
    return list(zip(*columns, strict=True))


def _decades(table: pd.DataFrame) -> tuple[float, float]:
    if not len(table):
        return 1e-4, 1.0
    seen = np.concatenate([table["variance"].to_numpy(float), table["two_design"].to_numpy(float)])
    seen = seen[seen > 0]
    return (float(seen.min()) / 3, float(seen.max()) * 6) if len(seen) else (1e-4, 1.0)


def angle_map(per_angle: np.ndarray) -> hv.Image:
    """The variance of every angle: qubits from the top, layers (blocks within) of RX, RY, RZ from the left.

    Args:
        per_angle: of the circuit's ``weight_shape``.
    """
    use_bokeh()
    values = _cells(per_angle)
    n_columns, n_qubits = values.shape
    axes = [hv.Dimension("x", label="layer U0 … UP; in each block RX, RY, RZ"), hv.Dimension("y", label="qubit")]
    centres = np.arange(n_columns) + 0.5, np.arange(n_qubits) + 0.5
    top = float(values.max()) or 1.0
    image = hv.Image((*centres, values.T), axes, hv.Dimension("value", label=VARIANCE, range=(0.0, top)))
    where, names, rows = _map_ticks(per_angle.shape)
    return image.opts(
        cmap=MAP_VALUES,
        colorbar=True,
        clim=(0.0, top),
        xticks=list(zip(where, names, strict=True)),
        yticks=rows,
        **tools(),
    )


def _cells(per_angle: np.ndarray) -> np.ndarray:
    """[column, qubit], the first qubit on top."""
    columns = np.moveaxis(per_angle, 2, 3)  # layer, block, axis, qubit
    return columns.reshape(-1, per_angle.shape[2])[:, ::-1]


def _map_ticks(shape: Sequence[int]) -> tuple[list[float], list[str], list[tuple[float, str]]]:
    n_layers, n_blocks, n_qubits, _ = shape
    width = 3 * n_blocks
    step = 1 if n_qubits <= 10 else 2
    rows = [(n_qubits - 0.5 - qubit, str(qubit)) for qubit in range(0, n_qubits, step)]
    return [width * (layer + 0.5) for layer in range(n_layers)], [f"U{layer}" for layer in range(n_layers)], rows


def live_angle_map(height: int = 380) -> LiveFigure:
    """`angle_map` to stream into; one layer, ``map``."""
    figure = freeze(angle_map(np.ones((2, 1, 2, 3))), ["map"], ["model"], height, legend=None)
    figure.figure.min_border_left = 48
    return figure


def put_angle_map(figure: LiveFigure, per_angle: np.ndarray) -> None:
    """Redraws `angle_map`."""
    from bokeh.models import FixedTicker

    values = _cells(per_angle)
    n_columns, n_qubits = values.shape
    source = figure.sources["map"]
    image = np.ascontiguousarray(values.T, dtype=np.float32)
    source.data = {**source.data, "image": [image], "x": [0], "y": [0], "dw": [n_columns], "dh": [n_qubits]}
    figure.set_range((0, n_columns), (0, n_qubits))
    figure.renderers["map"].glyph.color_mapper.update(low=0.0, high=float(values.max()) or 1.0)
    where, names, rows = _map_ticks(per_angle.shape)
    ticks = (dict(zip(where, names, strict=True)), dict(rows))
    for axis, labels in zip((figure.figure.xaxis[0], figure.figure.yaxis[0]), ticks, strict=True):
        axis.update(ticker=FixedTicker(ticks=list(labels)), major_label_overrides=labels)


def histogram(estimate: Estimate) -> hv.Overlay:
    """Density of the derivatives of all angles, and the normal density of the same variance."""
    use_bokeh()
    axes = hv.Dimension("x", label="derivative ∂C/∂θ (1/rad)"), hv.Dimension("y", label="density (rad)")
    steps, normal = _densities(estimate)
    area = hv.Area(steps, *axes, label="all angles").opts(alpha=0.35, line_alpha=0, color=colour("model"))
    same = hv.Curve(normal, *axes, label="normal, same variance")
    return hv.Overlay([area, same.opts(line_dash="dashed", line_width=2, color=colour("target"))]).opts(**tools())


def live_histogram(height: int = 380) -> LiveFigure:
    """Like `histogram`, to stream into; layers ``steps`` and ``normal``."""
    use_bokeh()
    axes = hv.Dimension("x", label="derivative ∂C/∂θ (1/rad)"), hv.Dimension("y", label="density (rad)")
    seeded = ([0.0, 1.0], [0.0, 1.0])
    steps = hv.Curve(seeded, *axes, label="all angles").opts(line_width=2.5)
    normal = hv.Curve(seeded, *axes, label="normal, same variance").opts(line_dash="dashed", line_width=2)
    figure = freeze(hv.Overlay([steps, normal]).opts(**tools()), ["steps", "normal"], ["model", "target"], height)
    figure.clear("steps", "normal")
    return figure


def put_histogram(figure: LiveFigure, estimate: Estimate) -> None:
    """Redraws `histogram`."""
    steps, normal = _densities(estimate)
    figure.put("steps", *steps)
    figure.put("normal", *normal)
    # a spike at 0 (angles that do not move C at all) may leave the picture
    top = 1.25 * max(float(np.sort(steps[1])[-4:].min()), float(normal[1].max()))
    figure.set_range((float(estimate.edges[0]), float(estimate.edges[-1])), (0.0, top))


def _densities(estimate: Estimate) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    edges, counts = estimate.edges, estimate.counts
    density = counts / (estimate.n_draws * estimate.per_angle.size * np.diff(edges))
    steps = np.repeat(edges, 2)[1:-1], np.repeat(density, 2)
    x = np.linspace(edges[0], edges[-1], 161)
    variance = max(estimate.variance, 1e-30)
    return steps, (x, np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))


def layers_during_training(table: pd.DataFrame) -> hv.Overlay:
    """Gradient variance of each layer against the step, log scale, with 95 % bands over starts.

    Args:
        table: rows of `TrainingFrame.rows`; seven layers at most.
    """
    use_bokeh()
    axes = hv.Dimension("x", label="training step"), hv.Dimension("y", label="variance of ∂loss/∂θ (1/rad²)")
    bands, lines = [], []
    for layer, rows in table.groupby("layer"):
        role, dash = LAYER_LOOKS[int(layer)]
        x, low, high = (rows[name].to_numpy(float) for name in ("step", "low", "high"))
        outline = np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])])
        band = hv.Polygons([outline], list(axes))
        bands.append(band.opts(alpha=0.10, line_alpha=0, color=colour(role)))
        line = hv.Curve((x, rows["variance"]), *axes, label=f"U{layer}")
        lines.append(line.opts(line_dash=dash, line_width=2.5, color=colour(role)))
    return hv.Overlay(bands + lines).opts(logy=True, **tools())


def live_layers(height: int = 400) -> LiveFigure:
    """`layers_during_training` to stream into; layers ``U0`` … ``U6`` and their bands."""
    rows = [(layer, step, 0.1, 0.05, 0.2) for layer in range(len(LAYER_LOOKS)) for step in (0, 1)]
    overlay = layers_during_training(pd.DataFrame(rows, columns=["layer", "step", "variance", "low", "high"]))
    layers = [f"U{layer}" for layer in range(len(LAYER_LOOKS))]
    roles = [role for role, _ in LAYER_LOOKS]
    figure = freeze(overlay, [f"{name} band" for name in layers] + layers, roles * 2, height, legend="right")
    put_layers(figure, pd.DataFrame(rows[:0], columns=["layer", "step", "variance", "low", "high"]), 1, 1)
    return figure


def put_layers(figure: LiveFigure, table: pd.DataFrame, n_layers: int, n_steps: int) -> None:
    """Redraws `layers_during_training`; the range grows with the data."""
    for layer in range(len(LAYER_LOOKS)):
        rows = table[table["layer"] == layer]
        x, middle, low, high = (rows[name].to_numpy(float) for name in ("step", "variance", "low", "high"))
        figure.put(f"U{layer}", x, middle)
        source = figure.sources[f"U{layer} band"]
        outline = ([[[np.concatenate([x, x[::-1]])]]], [[[np.concatenate([low, high[::-1]])]]]) if len(x) else ([], [])
        source.data = {"xs": outline[0], "ys": outline[1]}
        figure.show_layer(f"U{layer}", layer < n_layers)
    seen = table["variance"].to_numpy(float) if len(table) else np.array([1.0])
    seen = np.maximum(seen[seen > 0], 1e-14) if (seen > 0).any() else np.array([1.0])
    figure.set_range((-0.01 * n_steps, 1.01 * n_steps), (float(seen.min()) / 3, float(seen.max()) * 4))


def losses(curves: Mapping[str, pd.DataFrame]) -> hv.Overlay:
    """Mean loss over starts against the step, for several ways to start or train.

    Args:
        curves: label -> columns step, loss; six at most.
    """
    use_bokeh()
    axes = hv.Dimension("x", label="training step"), hv.Dimension("y", label="mean squared error")
    lines = []
    for (label, rows), (role, dash) in zip(curves.items(), LAYER_LOOKS, strict=False):
        line = hv.Curve((rows["step"], np.maximum(rows["loss"], 1e-12)), *axes, label=label)
        lines.append(line.opts(color=colour(role), line_dash=dash, line_width=2.5))
    return hv.Overlay(lines).opts(logy=True, **tools())


def live_losses(height: int = 400) -> LiveFigure:
    """The loss of this run and of the one before; layers ``now`` and ``before``."""
    seeded = pd.DataFrame({"step": [0, 1], "loss": [0.1, 0.05]})
    figure = freeze(losses({"this run": seeded, "run before": seeded}), ["now", "before"], ["model", "pinned"], height)
    figure.clear("now", "before")
    return figure


def put_losses(figure: LiveFigure, now: pd.DataFrame, before: pd.DataFrame, n_steps: int) -> None:
    """Redraws the losses; the range grows with the data."""
    seen = [1e-3, 1e-1]
    figure.show_layer("before", len(before) > 0)
    for layer, rows in (("now", now), ("before", before)):
        loss = np.maximum(rows["loss"].to_numpy(float), 1e-12)
        figure.put(layer, rows["step"].to_numpy(float), loss)
        seen += list(loss)
    figure.set_range((-0.01 * n_steps, 1.01 * n_steps), (max(1e-9, min(seen) / 2), max(seen) * 2))

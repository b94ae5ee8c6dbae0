"""Pictures of one sample: ECG leads on ruled paper, a map of sensors, pieces of an image, the features of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np

from qfl_explore.plots.layers import Columns, Layer, columns_of, live, overlay, put, set_colour_span
from qfl_explore.plots.style import LiveFigure

if TYPE_CHECKING:
    from qfl_explore.datasets import MultimodalData

ECG = (
    Layer("pulse", "line", "target", size=1.4),
    Layer("trace", "line", "target", size=1.4),
    Layer("names", "text", "model", size=13),
)
#: Paper of clinics: small squares of 0.04 s and 0.1 mV, large ones of 0.2 s and 0.5 mV.
_PAPER = {"grid_line_color": "rgba(200, 60, 60, 0.40)", "minor_grid_line_color": "rgba(200, 60, 60, 0.16)"}
#: Pixels of 1 mV, so that squares are about square on a wide page.
_PIXELS = 44
_TIME, _VOLTAGE = "time (s)", "voltage (mV; the pulse on the left is 1 mV)"


def ecg_rows(names: Sequence[str]) -> list[list[str]]:
    """Leads by row: twelve as clinics print them, with lead II below; fewer one below the other.

    >>> ecg_rows(["I", "II", "V2"])
    [['I'], ['II'], ['V2']]
    """
    if len(names) < 12:
        return [[name] for name in names]
    rows = [[names[column * 3 + row] for column in range(4)] for row in range(3)]
    return [*rows, [names[1]]]


def ecg_columns(signals: np.ndarray, names: Sequence[str], sample_rate: float) -> tuple[Columns, float, list[float]]:
    """Columns of ``ECG``, the rows' distance in mV and the height of each row's 0 mV.

    Args:
        signals: [M, samples] in mV.
        names: of the M leads.
        sample_rate: in hertz.
    """
    rows, signals = ecg_rows(names), np.asarray(signals, float)
    distance = max(2.0, np.ceil(2 * np.quantile(np.ptp(signals, axis=1), 0.75)) / 2)
    n = signals.shape[1]
    traces, pulses, words, bases = [], [], [], []
    for number, leads in enumerate(rows):
        base = -distance * number
        bases.append(base)
        pulses.append((np.array([-0.5, -0.4, -0.4, -0.2, -0.2, -0.1, np.nan]), base + np.array([0, 0, 1, 1, 0, 0, 0])))
        share = n // len(leads)
        for place, lead in enumerate(leads):
            part = slice(place * share, (place + 1) * share)
            time = np.arange(n)[part] / sample_rate
            traces.append((np.append(time, np.nan), np.append(signals[list(names).index(lead), part] + base, np.nan)))
            words.append((time[0] + 0.06, base + 0.42 * distance, lead))
    trace, pulse = (tuple(np.concatenate([p[i] for p in parts]) for i in (0, 1)) for parts in (traces, pulses))
    x, y, text = zip(*words, strict=True)
    return {"trace": trace, "pulse": pulse, "names": (x, y, text)}, float(distance), bases


def _ecg_span(bases: Sequence[float], distance: float) -> tuple[float, float]:
    return bases[-1] - 0.6 * distance, bases[0] + 0.7 * distance


def ecg_height(bases: Sequence[float], distance: float) -> int:
    """Pixels, so that the paper's squares are about square."""
    low, high = _ecg_span(bases, distance)
    return int(np.clip(60 + _PIXELS * (high - low), 220, 620))


def ecg(signals: np.ndarray, names: Sequence[str], sample_rate: float, title: str = "") -> hv.Overlay:
    """Leads on clinical paper: large squares are 0.2 s and 0.5 mV, the pulse on the left is 1 mV."""
    columns, distance, bases = ecg_columns(signals, names, sample_rate)
    options = {"yticks": _zeros(bases), "ylim": _ecg_span(bases, distance), "hooks": [_rule], "title": title}
    span = (-0.6, np.shape(signals)[1] / sample_rate + 0.1)
    size = {"height": ecg_height(bases, distance), "responsive": True, "xlim": span}
    return overlay(ECG, columns, _TIME, _VOLTAGE, **options, **size)


def _zeros(bases: Sequence[float]) -> list[tuple[float, str]]:
    return [(base, "0") for base in bases]


def _rule(plot: Any, _: Any = None) -> None:
    """Rules a figure like ECG paper."""
    from bokeh.models import SingleIntervalTicker

    figure = plot.state
    for grid, interval in ((figure.xgrid[0], 0.2), (figure.ygrid[0], 0.5)):
        grid.update(ticker=SingleIntervalTicker(interval=interval, num_minor_ticks=5), visible=True, **_PAPER)


def live_ecg(height: int = 480) -> LiveFigure:
    """`ecg` to stream into."""
    return live(ECG, _TIME, _VOLTAGE, height, legend=None, hooks=[_rule], yticks=[(0.0, "0")])


def put_ecg(figure: LiveFigure, signals: np.ndarray, names: Sequence[str], sample_rate: float) -> int:
    """Redraws `ecg`; returns the height in pixels that its paper asks for."""
    columns, distance, bases = ecg_columns(signals, names, sample_rate)
    put(figure, ECG, columns)
    axis = figure.figure.yaxis[0]
    axis.ticker.ticks, axis.major_label_overrides = list(bases), dict.fromkeys(bases, "0")
    figure.set_range((-0.6, np.shape(signals)[1] / sample_rate + 0.1), _ecg_span(bases, distance))
    height = ecg_height(bases, distance)
    figure.set_height(height)
    return height


SPEED, ERROR = "speed (mph)", "mean absolute error (mph)"
MAP = (
    Layer("roads", "bars", "quiet", size=1, alpha=0.5),
    Layer("sensors", "marks", "", marker="circle", size=11, span=(20.0, 70.0), bar=SPEED),
)
_DEGREES = ("longitude (degrees)", "latitude (degrees)")


def map_columns(positions: np.ndarray, values: np.ndarray, graph: np.ndarray | None = None) -> Columns:
    """Columns of ``MAP``.

    Args:
        positions: [M, 2], latitude and longitude in degrees.
        values: [M].
        graph: [M, M] weights, or ``None``; each sensor is joined to its nearest three.
    """
    positions = np.asarray(positions, float)
    y, x = positions.T
    pairs: list[tuple[float, ...]] = []
    if graph is not None:
        weights = np.maximum(graph, graph.T) - np.diag(np.diag(np.maximum(graph, graph.T)))
        near = {tuple(sorted((i, int(j)))) for i, row in enumerate(weights) for j in np.argsort(-row)[:3] if row[j] > 0}
        pairs = [(x[i], y[i], x[j], y[j]) for i, j in sorted(near)]
    return {"roads": columns_of(pairs, 4), "sensors": (x, y, np.asarray(values, float))}


def traffic_map(
    positions: np.ndarray,
    values: np.ndarray,
    graph: np.ndarray | None = None,
    unit: str = SPEED,
    title: str = "",
) -> hv.Overlay:
    """Sensors where they are, in the colour of their speed or of a forecast's error.

    Args:
        positions: [M, 2], latitude and longitude in degrees.
        values: [M].
        graph: [M, M] weights between the sensors.
        unit: what the colour means, with its unit.
        title: say "synthetic" there where it is so.
    """
    span = map_span(values, unit)
    layers = (MAP[0], Layer("sensors", "marks", "", marker="circle", size=11, span=span, bar=unit))
    return overlay(layers, map_columns(positions, values, graph), *_DEGREES, title=title, height=420, responsive=True)


def map_span(values: np.ndarray, unit: str) -> tuple[float, float]:
    """Ends of the colour map: 20 to 70 mph for speeds, 0 to the largest for errors."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if unit == SPEED or not len(known):
        return 20.0, 70.0
    return 0.0, max(float(known.max()), 1e-3)


def live_map(height: int = 440) -> LiveFigure:
    """`traffic_map` to stream into."""
    return live(MAP, *_DEGREES, height, legend=None)


def put_map(
    figure: LiveFigure, positions: np.ndarray, values: np.ndarray, graph: np.ndarray | None = None, unit: str = SPEED
) -> None:
    """Redraws `traffic_map`."""
    put(figure, MAP, map_columns(positions, values, graph))
    set_colour_span(figure, "sensors", *map_span(values, unit), title=unit)
    y, x = np.asarray(positions, float).T
    pad = 0.06 * max(float(np.ptp(x)), float(np.ptp(y)), 1e-3)
    figure.set_range((x.min() - pad, x.max() + pad), (y.min() - pad, y.max() + pad))


PIECES = (
    Layer("pixels", "tiles", "", span=(0.0, 1.0), bar="share of the largest value", palette="gray"),
    Layer("names", "text", "model", align="center", size=13),
)
_QUARTERS = {"upper left": (0, 1), "upper right": (1, 1), "lower left": (0, 0), "lower right": (1, 0)}


def piece_columns(images: Sequence[np.ndarray], names: Sequence[str]) -> Columns:
    """Columns of ``PIECES``: quarters in their places, anything else side by side, all of the same height.

    Args:
        images: one array [rows, columns] a modality.
        names: of the modalities.
    """
    tiles, words = [], []
    for number, (image, name) in enumerate(zip(images, names, strict=True)):
        image = np.asarray(image, float)
        column, row = _QUARTERS.get(name, (number, 0))
        left, bottom = 1.12 * column, 1.24 * row
        n_rows, n_columns = image.shape
        i, j = np.mgrid[:n_rows, :n_columns]
        x, y = left + j.ravel() / n_columns, bottom + 1 - (i.ravel() + 1) / n_rows
        low, high = float(image.min()), float(image.max())
        low = min(low, 0.0) if low >= 0 else low
        value = (image.ravel() - low) / max(high - low, 1e-9)
        tiles.append(np.stack([x, y, x + 1 / n_columns, y + 1 / n_rows, value]))
        words.append((left + 0.5, bottom - 0.09, name))
    return {"pixels": tuple(np.concatenate(tiles, axis=1)), "names": tuple(zip(*words, strict=True))}


def pieces(images: Sequence[np.ndarray], names: Sequence[str], title: str = "") -> hv.Overlay:
    """The images of one sample, one a modality; each is scaled by its own largest value."""
    columns = piece_columns(images, names)
    size = {"height": 340, "width": 420, "xaxis": None, "yaxis": None, "show_grid": False}
    bottom = float(columns["pixels"][1].min())
    return overlay(PIECES, columns, " ", "  ", title=title, ylim=(bottom - 0.2, bottom + 2.32), **size)


def live_pieces(height: int = 360) -> LiveFigure:
    """`pieces` to stream into."""
    figure = live(PIECES, " ", " ", height, legend=None, xaxis=None, yaxis=None, show_grid=False)
    figure.figure.min_border_left = 12
    return figure


def put_pieces(figure: LiveFigure, images: Sequence[np.ndarray], names: Sequence[str]) -> None:
    """Redraws `pieces`."""
    columns = piece_columns(images, names)
    put(figure, PIECES, columns)
    left, bottom, right, top, _ = columns["pixels"]
    wide, tall = right.max() - left.min(), top.max() - bottom.min() + 0.2
    space = max(wide, 2.6 * tall)  # so that pixels are about square on a wide page
    middle = (right.max() + left.min()) / 2
    figure.set_range((middle - space / 2, middle + space / 2), (bottom.min() - 0.2, top.max() + 0.04))


PROFILE = (
    Layer("zero", "line", "quiet", dash="dotted", size=1.2),
    Layer("others", "points", "quiet", "means of the other classes", marker="square", size=6, alpha=0.8),
    Layer("own", "points", "ceiling", "mean of its class", marker="square", size=8),
    Layer("sample", "points", "model", "this sample", marker="circle", size=9),
    Layer("names", "text", "target", align="left", size=12),
)
#: More features than that are not told apart.
MAX_FEATURES = 60


def profile_columns(data: MultimodalData, sample: int) -> Columns:
    """Columns of ``PROFILE``: one sample's standardised features, and the mean of every class.

    Args:
        data: standardised.
        sample: index.
    """
    joined = np.concatenate([array[sample] for array in data.features])[:MAX_FEATURES]
    x = np.arange(len(joined), dtype=float)
    columns: dict[str, Any] = {"sample": (x, joined), "zero": ([-0.5, len(joined) - 0.5], [0.0, 0.0])}
    rows = data.split["train"]
    if data.task == "classification":
        every = np.concatenate([array[rows] for array in data.features], axis=1)[:, :MAX_FEATURES]
        means = [every[data.labels[rows] == c].mean(axis=0) for c in range(data.n_classes)]
        others = [mean for c, mean in enumerate(means) if c != data.labels[sample]]
        columns["own"] = (x, means[data.labels[sample]])
        columns["others"] = (np.tile(x, len(others)), np.concatenate(others))
    starts = np.cumsum([0, *data.n_measures[:-1]])
    shown = [(start, name) for start, name in zip(starts, data.modality_names, strict=True) if start < len(joined)]
    high = max(3.0, float(np.max(np.abs(joined))))
    columns["names"] = (
        [float(start) for start, _ in shown],
        [1.12 * high] * len(shown),
        [f"{name} →" for _, name in shown],
    )
    return columns


def profile(data: MultimodalData, sample: int, title: str = "") -> hv.Overlay:
    """One sample of a table: its standardised features against those of the classes' means."""
    columns = profile_columns(data, sample)
    size = {"height": 340, "responsive": True, "legend_position": "right", "ylim": _profile_span(columns)}
    return overlay(PROFILE, columns, *_FEATURE, title=title, **size)


def _profile_span(columns: Columns) -> tuple[float, float]:
    high = max(3.0, float(np.max(np.abs(columns["sample"][1]))))
    return -1.15 * high, 1.3 * high


_FEATURE = ("feature (number)", "standardised value (training spreads)")


def live_profile(height: int = 360) -> LiveFigure:
    """`profile` to stream into."""
    return live(PROFILE, *_FEATURE, height, legend="bottom_right")


def put_profile(figure: LiveFigure, data: MultimodalData, sample: int) -> None:
    """Redraws `profile`."""
    columns = profile_columns(data, sample)
    put(figure, PROFILE, columns)
    figure.set_range((-1.0, len(columns["sample"][0]) + 0.5), _profile_span(columns))

"""Small multiples of a sweep: one picture for each value of an axis, one line for each value of another.

Runs that share a place are averaged, with Student's 95 % interval; every single run is a dot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.errors import check_option, invalid
from qfl_explore.plots.style import LiveFigure, colour, freeze, tools, use_bokeh
from qfl_explore.plots.sweeps_names import label_of, name_of, word

#: Role of the colour, dash and marker of each line.
LOOKS = (
    ("model", "solid", "circle"),
    ("ceiling", "dashed", "triangle"),
    ("test", "dotdash", "square"),
    ("pinned", "dotted", "diamond"),
    ("other", "solid", "inverted_triangle"),
    ("target", "dashed", "hex"),
)
MAX_LINES = len(LOOKS)
MAX_PANELS = 6
#: How an experiment calls a mean whose interval stands beside it as ``low`` and ``high``.
OWN_MEANS = ("mean", "success")
_BARS = ("x0", "y0", "x1", "y1")


@dataclasses.dataclass(frozen=True)
class Shape:
    """Which axis of a grid goes where in the picture.

    Args:
        x: setting along the horizontal axis, by dotted name.
        y: column of the table that is drawn.
        lines: setting with a line for each of its values, or an empty text.
        panels: setting with a picture for each of its values, or an empty text.
        log: draws y on a logarithmic axis.
        values: setting -> all values that are to come, in their order; a setting that is not in it
            gets those of the table.

    Raises:
        ValueError: two parts are the same setting, or there are too many lines or panels.
    """

    x: str
    y: str
    lines: str = ""
    panels: str = ""
    log: bool = False
    values: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        used = [name for name in (self.x, self.lines, self.panels) if name]
        if not self.x or len(set(used)) < len(used):
            raise invalid("the picture needs different settings", "another one for x, lines and panels", f"{used}")
        for name, most in ((self.lines, MAX_LINES), (self.panels, MAX_PANELS)):
            count = len(self.values.get(name, ())) if name else 0
            if count > most:
                where = "lines" if name == self.lines else "pictures"
                raise invalid(f"{name} has too many values to be told apart", f"at most {most} {where}", f"{count}")

    def values_of(self, name: str, table: pd.DataFrame) -> list[Any]:
        """All values of a setting: those announced, or those that the table has."""
        if not name:
            return [None]
        if name in self.values:
            return list(self.values[name])
        found = list(dict.fromkeys(table[name])) if name in table else []
        return sorted(found) if all(isinstance(value, (int, float)) for value in found) else found

    def place(self, value: Any, table: pd.DataFrame) -> float:
        """Where a value stands along x: a number by itself, a word by its turn."""
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
            return float(value)
        return float(self.values_of(self.x, table).index(value))

    def is_numeric(self, table: pd.DataFrame) -> bool:
        """Whether x has numbers."""
        numbers = (int, float, np.number)
        return all(isinstance(v, numbers) and not isinstance(v, bool) for v in self.values_of(self.x, table))


def means(table: pd.DataFrame, shape: Shape) -> pd.DataFrame:
    """Mean and 95 % interval (Student's t) of y over the runs at each place of the picture.

    Args:
        table: one row a run, as ``ResultStore.table`` gives it; failures are left out.
        shape: of the picture.

    Returns:
        Columns panel, line, x, mean, low, high and n_runs. Where there is one run only, low and high are
        its own interval if the experiment gave one (see `own_ends`), else NaN.

    Raises:
        ValueError: the table has no column of that name.
    """
    from qfl_explore.experiments.intervals import t_interval

    columns = ["panel", "line", "x", "mean", "low", "high", "n_runs"]
    rows = _usable(table, shape)
    found = []
    names, own = [name for name in (shape.panels, shape.lines, shape.x) if name], own_ends(shape.y, rows)
    for key, group in rows.groupby(names, sort=False) if len(rows) else ():
        place = dict(zip(names, key, strict=True))
        interval = t_interval(group[shape.y].to_numpy(float))
        ends = (interval.low, interval.high)
        if len(group) == 1 and own is not None:
            ends = tuple(float(group[name].iloc[0]) for name in own)
        where = place.get(shape.panels), place.get(shape.lines), place[shape.x]
        found.append((*where, interval.mean, *ends, interval.n_values))
    return pd.DataFrame(found, columns=columns)


def own_ends(y: str, table: pd.DataFrame) -> tuple[str, str] | None:
    """Columns of the 95 % interval that a run itself gives for a result, or ``None``."""
    stem, _, last = y.rpartition(".")
    names = (f"{stem}.low", f"{stem}.high") if stem and last in OWN_MEANS else (f"{y}_low", f"{y}_high")
    for low, high in (names, ("low", "high") if y == "variance" else names):
        if low in table and high in table:
            return low, high
    return None


def _usable(table: pd.DataFrame, shape: Shape) -> pd.DataFrame:
    """Finished runs whose y can be drawn."""
    if not len(table) or ("status" in table and not (table["status"] == "done").any()):
        return table.iloc[:0]
    for name in (shape.x, shape.y, shape.lines, shape.panels):
        if name:
            check_option("column", name, [str(column) for column in table])
    y = pd.to_numeric(table[shape.y], errors="coerce")
    keep = np.isfinite(y) & ((y > 0) | (not shape.log))
    return table.assign(**{shape.y: y})[keep]


@dataclasses.dataclass(frozen=True)
class Picture:
    """All that one of the small pictures draws; made in a worker, put into a figure on the server's loop.

    Attributes:
        title: its panel's value.
        layers: ``runs`` (x, y of single runs), and for each line ``line i`` (x, mean) and ``bars i``
            (corners of the intervals).
        names: of the lines.
        x_range: of all pictures.
        y_range: of all pictures.
        ticks: place and word; ``None``: as the axis likes.
        labels: of both axes.
        log: whether y is logarithmic.
    """

    title: str
    layers: Mapping[str, tuple[Any, ...]]
    names: tuple[str, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    ticks: list[tuple[float, str]] | None
    labels: tuple[str, str]
    log: bool

    @property
    def has_repeats(self) -> bool:
        """Whether there are more single runs than means, so that their dots say something."""
        n_means = sum(len(xy[0]) for name, xy in self.layers.items() if name.startswith("line"))
        return len(self.layers["runs"][0]) > n_means


def pictures(table: pd.DataFrame, shape: Shape, averaged: pd.DataFrame | None = None) -> list[Picture]:
    """One picture for each value of ``shape.panels``, all with the same ranges.

    Args:
        table: one row a run, so far.
        shape: which axis goes where; its ``values`` name what is to come.
        averaged: `means` of the same table, where they are known already.
    """
    names = [name for name in (shape.x, shape.lines, shape.panels) if name]
    shape = dataclasses.replace(shape, values={name: shape.values_of(name, table) for name in names})
    rows, averaged = _usable(table, shape), means(table, shape) if averaged is None else averaged
    lines = shape.values_of(shape.lines, table)
    x_range, y_range = _ranges(rows, averaged, shape)
    same = {
        "names": tuple(name_of(shape.lines, value) for value in lines) if shape.lines else ("",),
        "x_range": x_range,
        "y_range": y_range,
        "ticks": _ticks(shape, table),
        "labels": (label_of(shape.x), label_of(shape.y)),
        "log": shape.log,
    }
    found = []
    for value in shape.values_of(shape.panels, table):
        runs, its_means = rows, averaged
        if shape.panels and len(rows):
            runs, its_means = rows[rows[shape.panels] == value], averaged[averaged["panel"] == value]
        title = name_of(shape.panels, value) if shape.panels else ""
        found.append(Picture(title, _layers(runs, its_means, shape, lines), **same))
    return found


def _layers(rows: pd.DataFrame, averaged: pd.DataFrame, shape: Shape, lines: list[Any]) -> dict[str, tuple[Any, ...]]:
    places = {value: shape.place(value, rows) for value in shape.values_of(shape.x, rows)}
    xs = [places[value] for value in rows[shape.x]] if len(rows) else []
    found: dict[str, tuple[Any, ...]] = {"runs": (xs, rows[shape.y].to_list() if len(rows) else [])}
    for number, value in enumerate(lines):
        mine = averaged[averaged["line"] == value] if shape.lines else averaged
        mine = mine.assign(x=[places[x] for x in mine["x"]]).sort_values("x")
        known = mine[mine["low"].notna()]
        low = np.maximum(known["low"], known["mean"] * 1e-3) if shape.log else known["low"]
        x = known["x"].to_list()
        found[f"line {number}"] = (mine["x"].to_list(), mine["mean"].to_list())
        found[f"bars {number}"] = (x, low.to_list(), x, known["high"].to_list())
    return found


def _ticks(shape: Shape, table: pd.DataFrame) -> list[tuple[float, str]] | None:
    values = shape.values_of(shape.x, table)
    if len(values) > 8 and shape.is_numeric(table):
        return None
    return [(shape.place(value, table), word(value)) for value in values]


def _ranges(
    rows: pd.DataFrame, averaged: pd.DataFrame, shape: Shape
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of x and y that hold all runs, and intervals where they are not far outside."""
    places = [shape.place(value, rows) for value in shape.values_of(shape.x, rows)] or [0.0, 1.0]
    pad = 0.06 * (max(places) - min(places)) or 0.5
    x_range = (min(places) - pad, max(places) + pad)
    values = rows[shape.y].to_numpy(float) if len(rows) else np.array([0.1, 1.0])
    low, high = float(values.min()), float(values.max())
    if shape.log:
        return x_range, (low / 2.5, high * 2.5)
    ends = averaged[["low", "high"]].to_numpy(float)
    ends = ends[np.isfinite(ends).all(axis=1)]
    span = high - low or abs(high) or 1.0
    if len(ends):
        low, high = max(low - span, min(low, ends.min())), min(high + span, max(high, ends.max()))
    least = 0.002 * max(abs(low), abs(high))  # smaller differences are rounding, and would fill the picture
    if high - low < least:
        low, high = 0.5 * (low + high - least), 0.5 * (low + high + least)
    margin = 0.06 * (high - low or 1.0)
    return x_range, (low - margin, high + margin)


def small_multiples(table: pd.DataFrame, shape: Shape, width: int = 330, height: int = 260) -> hv.Layout:
    """A sweep's result as small pictures side by side, all with the same y axis.

    Args:
        table: one row a run, as `sweeps.run` returns it.
        shape: which axis goes where.
        width: of each picture, in pixels.
        height: of each picture, in pixels.
    """
    use_bokeh()
    drawn = [
        _draw(picture, legend=number == 0).opts(
            width=width + (120 if number == 0 and shape.lines else 0), height=height
        )
        for number, picture in enumerate(pictures(table, shape))
    ]
    return hv.Layout(drawn).opts(shared_axes=False, toolbar="right").cols(3)


def _draw(picture: Picture, legend: bool) -> hv.Overlay:
    axes = hv.Dimension("x", label=picture.labels[0]), hv.Dimension("y", label=picture.labels[1])
    dots = hv.Scatter(picture.layers["runs"], *axes, label="")
    layers: list[Any] = [dots.opts(color=colour("quiet"), size=4, alpha=0.45)]
    for number, ((role, dash, marker), name) in enumerate(zip(LOOKS, picture.names, strict=False)):
        look, label = {"color": colour(role)}, name if legend else ""
        corners = list(zip(*picture.layers[f"bars {number}"], strict=True))
        line = picture.layers[f"line {number}"]
        layers += [
            hv.Segments(corners, [hv.Dimension(corner) for corner in _BARS]).opts(line_width=1.5, **look),
            hv.Curve(line, *axes, label=label).opts(line_width=2, line_dash=dash, **look),
            hv.Scatter(line, *axes, label=label).opts(marker=marker, size=7, **look),
        ]
    shown = legend and any(picture.names)
    options: dict[str, Any] = {"xlim": picture.x_range, "ylim": picture.y_range, "logy": picture.log}
    options |= {"xlabel": picture.labels[0], "ylabel": picture.labels[1], "title": picture.title}
    options |= {"show_legend": shown, "legend_position": "right" if shown else "top"}
    if picture.ticks:
        options["xticks"] = picture.ticks
    return hv.Overlay(layers).opts(**options, **tools())


def live_panel(log: bool = False, height: int = 240) -> LiveFigure:
    """One picture to stream into, see `put_panel`; layers ``runs``, ``bars i``, ``line i`` and ``marks i``."""
    use_bokeh()
    rows = [{"x": x, "y": 0.5, "line": line} for line in range(MAX_LINES) for x in (1, 2)]
    (picture,) = pictures(pd.DataFrame(rows), Shape(x="x", y="y", lines="line", log=log))
    names, roles = ["runs"], ["quiet"]
    for number, (role, *_) in enumerate(LOOKS):
        names += [f"bars {number}", f"line {number}", f"marks {number}"]
        roles += [role] * 3
    figure = freeze(_draw(picture, legend=False), names, roles, height, legend=None)
    figure.clear(*names)
    return figure


def put_panel(figure: LiveFigure, picture: Picture) -> None:
    """Redraws one picture.

    Args:
        figure: from `live_panel`, with the same kind of y axis.
        picture: from `pictures`.
    """
    from bokeh.models import BasicTicker, FixedTicker

    empty: tuple[Any, ...] = ([], [])
    figure.put("runs", *picture.layers["runs"])
    for number in range(MAX_LINES):
        line = picture.layers.get(f"line {number}", empty)
        figure.put(f"line {number}", *line)
        figure.put(f"marks {number}", *line)
        bars = picture.layers.get(f"bars {number}", ([], [], [], []))
        figure.sources[f"bars {number}"].data = dict(zip(_BARS, map(np.asarray, bars), strict=True))
    figure.set_range(picture.x_range, picture.y_range)
    axis = figure.figure.xaxis[0]
    axis.axis_label, figure.figure.yaxis[0].axis_label = picture.labels
    axis.ticker = FixedTicker(ticks=[place for place, _ in picture.ticks]) if picture.ticks else BasicTicker()
    axis.major_label_overrides = dict(picture.ticks or ())
    figure.figure.xgrid[0].ticker = axis.ticker
    figure.figure.title.text = picture.title

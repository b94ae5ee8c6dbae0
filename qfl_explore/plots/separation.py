"""Pictures of the separation study: query ladders, Bloch spheres, learned success, the rank wall, responses.

For each picture there is a list of layers, a function that makes its columns from a result's table,
an overlay for notebooks and a live figure for the page.
"""

from __future__ import annotations

import math
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.layers import Columns, Layer, columns_of, live, overlay, put
from qfl_explore.plots.style import LiveFigure

QUERIES = "queries in all (count)"
SUCCESS = "probability of being right"
SUCCESS_RANGE = (0.45, 1.06)

LADDER = (
    Layer("certain", "line", "quiet", dash="dotted", size=1.5),
    Layer("bound", "line", "model", "joint, closed form", size=2.5),
    Layer("separable", "line", "ceiling", "separable, best found", dash="dashed", size=2),
    Layer("separable dots", "points", "ceiling", marker="triangle", size=9),
    Layer("interval", "bars", "model", size=2.5),
    Layer("joint", "points", "model", "joint, measured, 95 % interval", marker="circle", size=9),
)


def ladder_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``LADDER`` from the rows of `experiments.separation` that are there."""
    joint = table[table["strategy"] == "joint"]
    apart = table[table["strategy"] == "separable"]
    most = float(table["n_queries"].max()) if len(table) else 1.0
    return {
        "certain": ([0.0, most], [1.0, 1.0]),
        "bound": ([0.0, *joint["n_queries"]], [0.5, *joint["exact"]]),
        "separable": ([0.0, *apart["n_queries"]], [0.5, *apart["success"]]) if len(apart) else ([], []),
        "separable dots": (apart["n_queries"], apart["success"]),
        "interval": (joint["n_queries"], joint["low"], joint["n_queries"], joint["high"]),
        "joint": (joint["n_queries"], joint["success"]),
    }


def ladder(table: pd.DataFrame) -> hv.Overlay:
    """Success against queries: the joint protocol beside the best separable strategy."""
    return overlay(LADDER, ladder_columns(table), QUERIES, SUCCESS, ylim=SUCCESS_RANGE, legend_position="bottom_right")


def live_ladder(height: int = 380) -> LiveFigure:
    """`ladder` to stream into."""
    return live(LADDER, QUERIES, SUCCESS, height, legend="bottom_right", n_legend_columns=1, ylim=SUCCESS_RANGE)


def put_ladder(figure: LiveFigure, table: pd.DataFrame, most: float) -> None:
    """Redraws `ladder`; the axis goes up to ``most`` queries."""
    put(figure, LADDER, ladder_columns(table))
    figure.set_range(x=(0.0, 1.04 * most), y=SUCCESS_RANGE)


#: The viewer looks from between +x and +y, a little from above.
_TURN, _TILT = math.radians(28.0), math.radians(16.0)


def project(vectors: Any) -> np.ndarray:
    """Bloch vectors [n, 3] as seen: horizontal and vertical coordinates [n, 2]."""
    x, y, z = np.asarray(vectors, float).reshape(-1, 3).T
    right = y * math.cos(_TURN) - x * math.sin(_TURN)
    front = x * math.cos(_TURN) + y * math.sin(_TURN)
    return np.stack([right, z * math.cos(_TILT) - front * math.sin(_TILT)], axis=1)


SPHERE = (
    Layer("outline", "line", "quiet", size=1.5),
    Layer("equator", "line", "quiet", dash="dotted", size=1.2),
    Layer("meridian", "line", "quiet", dash="dotted", size=1.2),
    Layer("axes", "bars", "quiet", size=1),
    Layer("path", "line", "other", size=2, alpha=0.8),
    Layer("last", "line", "ceiling", size=3.5),
    Layer("arrow", "bars", "model", size=3.5),
    Layer("state", "points", "model", size=11),
)
_ENDS = (("|0⟩", (0, 0, 1.17)), ("|1⟩", (0, 0, -1.17)), ("x", (1.28, 0, 0)), ("y", (0, 1.16, 0)))


def arcs(path: pd.DataFrame, step: int, n_points: int = 24) -> np.ndarray:
    """Points [n, 3] of the way from one step to the next: about x for a query, about z otherwise.

    Args:
        path: from ``experiments.separation.bloch_path``.
        step: where the way ends, 1 or more.
        n_points: on the way, both ends included.
    """
    rows = path.set_index("step")
    begin, end = (rows.loc[k, ["x", "y", "z"]].to_numpy(float) for k in (step - 1, step))
    if rows.loc[step, "label"] in ("prepare", "readout"):
        return _great_arc(begin, end, n_points)
    axis = 0 if rows.loc[step, "is_query"] else 2
    i, j = (1, 2) if axis == 0 else (0, 1)
    radius = math.hypot(begin[i], begin[j])
    first = math.atan2(begin[j], begin[i])
    turn = math.remainder(math.atan2(end[j], end[i]) - first, 2 * math.pi) if radius > 1e-9 else 0.0
    angle = first + turn * np.linspace(0.0, 1.0, n_points)
    points = np.full((n_points, 3), begin[axis])
    points[:, i], points[:, j] = radius * np.cos(angle), radius * np.sin(angle)
    return points


def _great_arc(begin: np.ndarray, end: np.ndarray, n_points: int) -> np.ndarray:
    share = np.linspace(0.0, 1.0, n_points)[:, None]
    points = (1 - share) * begin + share * end
    return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)


def sphere_columns(path: pd.DataFrame | None, step: int = 0) -> Columns:
    """Columns of ``SPHERE``: the way up to a step, the last move in front, and the state.

    Args:
        path: from ``experiments.separation.bloch_path``; ``None`` for the bare sphere.
        step: how many steps have been taken.
    """
    angle = np.linspace(0.0, 2 * math.pi, 73)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    zero = np.zeros(len(angle))
    equator = project(np.stack([circle[:, 0], circle[:, 1], zero], axis=1))
    meridian = project(np.stack([zero, circle[:, 0], circle[:, 1]], axis=1))
    tips = project(np.eye(3) * 1.05)
    columns = {
        "outline": columns_of(circle),
        "equator": columns_of(equator),
        "meridian": columns_of(meridian),
        "axes": columns_of(np.concatenate([-tips, tips], axis=1), 4),
    }
    if path is None:
        return columns
    step = min(step, int(path["step"].max()))
    here = project(path.loc[path["step"] == step, ["x", "y", "z"]].to_numpy())[0]
    ways = [project(arcs(path, k)) for k in range(1, step + 1)]
    columns["path"] = columns_of(np.concatenate(ways)) if ways else ([], [])
    columns["last"] = columns_of(ways[-1]) if ways else ([], [])
    columns["arrow"] = ([0.0], [0.0], [here[0]], [here[1]])
    columns["state"] = ([here[0]], [here[1]])
    return columns


def sphere(path: pd.DataFrame, step: int, title: str = "") -> hv.Overlay:
    """The value qubit's way on its Bloch sphere, seen from between +x and +y."""
    drawn = overlay(SPHERE, sphere_columns(path, step), "y and −x, as seen", "z, as seen", title=title)
    ends = [(*project(place)[0], text) for text, place in _ENDS]
    labels = hv.Labels(ends, ["x", "y"], "text").opts(text_font_size="13px", text_color="#6B7280")
    return (drawn * labels).opts(**_BARE)


_BARE: dict[str, Any] = {"xlim": (-1.35, 1.35), "ylim": (-1.35, 1.35), "xaxis": None, "yaxis": None, "show_grid": False}


def live_sphere(height: int = 260) -> LiveFigure:
    """`sphere` to stream into."""
    from bokeh.models import Label

    figure = live(SPHERE, "y and −x, as seen", "z, as seen", height, legend=None, **_BARE)
    figure.figure.outline_line_color = None  # a sphere needs no frame, in the dark theme neither
    figure.figure.update(min_border_left=4, sizing_mode="fixed", width=height, height=height, toolbar_location=None)
    for text, place in _ENDS:
        x, y = project(place)[0]
        look = {"text_align": "center", "text_baseline": "middle", "text_font_size": "13px", "text_color": "#868E99"}
        figure.figure.add_layout(Label(x=float(x), y=float(y), text=text, **look))
    return figure

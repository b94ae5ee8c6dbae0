"""Pictures of the three quantum fusion systems: scores, attention, parts of a decision, cost.

For each picture there is a function for notebooks and a live figure with its ``put_`` for the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from qfl_explore.plots.layers import Columns, Layer, columns_of, live, overlay, put, set_colour_span
from qfl_explore.plots.style import LiveFigure

#: Group -> (role of its colour, marker, name).
GROUPS: dict[str, tuple[str, str, str]] = {
    "classical": ("quiet", "square", "classical"),
    "cross": ("other", "diamond", "cross-attention"),
    "entangled": ("test", "triangle", "feature entanglement"),
    "quantum": ("model", "circle", "Quantum Fusion Layer"),
}
#: Short names for the axis, word by word of the methods.
NAMES: dict[str, str] = {
    "linear": "linear",
    "boosting": "boosting",
    "mlp": "MLP",
    "concat": "dense layer",
    "low_rank_reference": "low rank, reference",
    "low_rank_near_one": "low rank",
    "tensor": "tensor",
    "bilinear": "bilinear",
    "cross_attention": "cross-attention",
    "cross_quantum_only": "cross: quantum only",
    "cross_classical_only": "cross: classical only",
    "cross_concatenation": "cross: side by side",
    "cross_quantum_to_classical": "cross: quantum asks",
    "cross_bidirectional": "cross: both ways",
    "cross_dense_tokens": "cross: no circuit",
    "feature_entanglement": "entanglement",
    "entanglement_none": "entangl.: not joined",
    "entanglement_no_qcnn": "entangl.: no QCNN",
    "quantum": "QFL",
}
#: Variants without a circuit.
CONTROLS = ("cross_classical_only", "cross_dense_tokens")
SCORES = (
    Layer("paper", "line", "pinned", "paper's figure (context)", dash="dashed", size=1.8),
    Layer("interval", "bars", "target", size=2.5),
    *(Layer(name, "points", role, label, marker=marker, size=9, alpha=0.8)
      for name, (role, marker, label) in GROUPS.items()),
    Layer("mean", "points", "target", "mean, 95 %", marker="diamond_cross", size=11),
)  # fmt: skip
F1 = "test macro F1 (share)"
SIZES = (
    Layer("sizes", "bars", "model", size=13, alpha=0.75),
    Layer("joint", "bars", "ceiling", size=13, alpha=0.85),
    Layer("interval", "bars", "target", size=2),
)
ONE = (
    Layer("zero", "line", "quiet", dash="dashed", size=1.5),
    Layer("parts", "bars", "model", size=13, alpha=0.75),
    Layer("joint", "bars", "ceiling", size=13, alpha=0.85),
    Layer("sum", "bars", "target", size=13, alpha=0.6),
)
ATTENTION = (
    Layer("weights", "tiles", "", span=(0.0, 1.0), bar="weight"),
    Layer("pale", "text", "on_light", size=13, align="center"),
    Layer("deep", "text", "on_dark", size=13, align="center"),
)
COSTS: dict[str, tuple[str, Any, str]] = {
    "two_qubit_gates": ("test", "solid", "entanglement: two-qubit gates"),
    "angles": ("model", "solid", "entanglement: angles"),
    "full": ("other", "dashed", "two-qubit gates, all pairs joined"),
    "tensor": ("ceiling", "dotdash", "tensor fusion: products"),
}
COST = tuple(Layer(name, "line", role, label, dash=dash) for name, (role, dash, label) in COSTS.items())


def group_of(method: str) -> str:
    """One of ``GROUPS``."""
    if method == "quantum":
        return method
    if method in CONTROLS or not method.startswith(("cross", "feature", "entanglement")):
        return "classical"
    return "cross" if method.startswith("cross") else "entangled"


def score_rows(summary: Mapping[str, Any]) -> list[str]:
    """Methods from the top: the three systems' own rows come last in training and first here."""
    return [row["method"] for row in summary["methods"]][::-1]


def score_columns(table: pd.DataFrame, summary: Mapping[str, Any], paper: float | None = None) -> Columns:
    """Columns of ``SCORES``.

    Args:
        table: scores, one row a seed and method.
        summary: of the same result.
        paper: its macro F1, or ``None``.
    """
    order = score_rows(summary)
    height = {method: float(len(order) - 1 - i) for i, method in enumerate(order)}
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in GROUPS}
    for method, y in height.items():
        values = table.loc[table["method"] == method, "f1"].to_numpy(float)
        points[group_of(method)] += [(x, y - 0.12 - 0.06 * (i % 5)) for i, x in enumerate(values)]
    bars = [(row["f1_low"], height[row["method"]], row["f1_high"], height[row["method"]])
            for row in summary["methods"] if row["f1_low"] == row["f1_low"]]  # fmt: skip
    columns: dict[str, Any] = {name: columns_of(found) for name, found in points.items()}
    columns |= {
        "interval": columns_of(bars, 4),
        "mean": columns_of([(row["f1"], height[row["method"]]) for row in summary["methods"]]),
    }
    return columns | ({"paper": ([paper, paper], [-0.6, max(len(order), 1) - 0.4])} if paper else {})


def score_span(columns: Columns) -> tuple[float, float]:
    """Range of macro F1, with all intervals."""
    parts = [columns[name][0] for name in (*GROUPS, "mean", "paper", "interval") if name in columns]
    parts += [columns["interval"][2]] if len(columns.get("interval", ())) > 2 else []
    values = np.concatenate([np.asarray(part, float) for part in parts])
    if not len(values):
        return 0.5, 1.0
    low, high = float(values.min()), float(values.max())
    reach = max(high - low, 0.05)
    return max(-0.02, low - 0.08 * reach), min(1.02, high + 0.08 * reach)


def scores(table: pd.DataFrame, summary: Mapping[str, Any], paper: float | None = None) -> hv.Overlay:
    """Macro F1 of every method: a mark a seed, mean and 95 % interval, the paper's figure as context."""
    columns, order = score_columns(table, summary, paper), score_rows(summary)
    layers = [layer for layer in SCORES if layer.name in columns]
    options = {"yticks": _ticks(order), "ylim": (-0.6, max(len(order), 1) - 0.4), "xlim": score_span(columns)}
    options |= {"height": 110 + 30 * max(len(order), 3), "responsive": True, "legend_position": "top", "legend_cols": 2}
    return overlay(layers, columns, F1, " ", **options)


def _ticks(order: Sequence[str], names: Mapping[str, str] = NAMES) -> list[tuple[float, str]]:
    return [(float(len(order) - 1 - i), names.get(word, word)) for i, word in enumerate(order)]


def live_scores(height: int = 430) -> LiveFigure:
    """`scores` to stream into."""
    figure = live(SCORES, F1, " ", height, n_legend_columns=2, yticks=[(0.0, "")])
    figure.figure.min_border_left = 150
    return figure


def put_scores(figure: LiveFigure, table: pd.DataFrame, summary: Mapping[str, Any], paper: float | None = None) -> None:
    """Redraws `scores`."""
    columns, order = score_columns(table, summary, paper), score_rows(summary)
    put(figure, SCORES, columns)
    _name_rows(figure, order)
    figure.show_layer("paper", paper is not None)
    figure.set_range(score_span(columns), (-0.6, max(len(order), 1) - 0.4))


def _name_rows(figure: LiveFigure, order: Sequence[str], names: Mapping[str, str] = NAMES) -> None:
    ticks, axis = _ticks(order, names), figure.figure.yaxis[0]
    axis.ticker.ticks = [height for height, _ in ticks]
    axis.major_label_overrides = {height: name for height, name in ticks}


def attention_columns(table: pd.DataFrame) -> tuple[Columns, list[str], list[str]]:
    """Columns of ``ATTENTION``, the tokens from left to right and the queries from the top.

    Args:
        table: ``query``, ``token`` and ``weight`` of one direction.
    """
    tokens, queries = list(dict.fromkeys(table["token"])), list(dict.fromkeys(table["query"]))
    x = table["token"].map(tokens.index).to_numpy(float)
    y = len(queries) - 1.0 - table["query"].map(queries.index).to_numpy(float)
    weights = table["weight"].to_numpy(float)
    words = np.array([f"{value:.2f}" for value in weights])
    columns: dict[str, Any] = {"weights": (x - 0.5, y - 0.5, x + 0.5, y + 0.5, weights)}
    bright = weights > 0.55 * max(0.05, float(weights.max()))
    for name, here in (("pale", bright), ("deep", ~bright)):
        columns[name] = (x[here], y[here], words[here])
    return columns, tokens, queries


def attention(table: pd.DataFrame, title: str = "") -> hv.Overlay:
    """Who looks at which token: rows are queries, each sums to 1; equal weights carry no choice."""
    columns, tokens, queries = attention_columns(table)
    span = (0.0, max(0.05, float(table["weight"].max())))
    layers = [Layer("weights", "tiles", "", span=span, bar="weight"), *ATTENTION[1:]]
    options = {"xticks": list(enumerate(tokens)), "yticks": _ticks(queries), "title": title, "show_legend": False}
    options |= {"xlim": (-0.5, len(tokens) - 0.5), "ylim": (-0.5, len(queries) - 0.5), "show_grid": False}
    return overlay(layers, columns, "token", "query", height=130 + 48 * len(queries), responsive=True, **options)


def live_attention(height: int = 280) -> LiveFigure:
    """`attention` to stream into."""
    figure = live(ATTENTION, "token", "query", height, legend=None, xticks=[(0, "")], yticks=[(0, "")])
    figure.figure.min_border_left = 150
    figure.figure.grid.visible = False
    return figure


def put_attention(figure: LiveFigure, table: pd.DataFrame) -> None:
    """Redraws `attention`."""
    columns, tokens, queries = attention_columns(table)
    put(figure, ATTENTION, columns)
    set_colour_span(figure, "weights", 0.0, max(0.05, float(table["weight"].max())))
    _name_rows(figure, queries)
    axis = figure.figure.xaxis[0]
    axis.ticker.ticks = [float(i) for i in range(len(tokens))]
    axis.major_label_overrides = {float(i): name for i, name in enumerate(tokens)}
    figure.set_range((-0.5, len(tokens) - 0.5), (-0.5, len(queries) - 0.5))


def _bars(parts: Sequence[str], values: Sequence[float]) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    rows = [(0.0, len(parts) - 1.0 - i, float(v), len(parts) - 1.0 - i) for i, v in enumerate(values)]
    joint = [row for row, part in zip(rows, parts, strict=True) if part == "joint term"]
    return [row for row in rows if row not in joint], joint


def size_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``SIZES`` from ``part``, ``mean``, ``low`` and ``high``."""
    plain, joint = _bars(list(table["part"]), list(table["mean"]))
    heights = len(table) - 1.0 - np.arange(len(table))
    interval = (table["low"], heights, table["high"], heights)
    return {"sizes": columns_of(plain, 4), "joint": columns_of(joint, 4), "interval": interval}


SIZE_LABEL = "mean absolute part of the decision (logit)"
ONE_LABEL = "for (right) or against (left) the chosen class (logit)"


def part_sizes(table: pd.DataFrame) -> hv.Overlay:
    """How much each part of the decision weighs over test samples, with 95 % intervals; the joint term apart."""
    return _rows_of(SIZES, size_columns(table), list(table["part"]), SIZE_LABEL, _reach(table["high"], True))


def one_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``ONE`` for the rows of one sample."""
    parts = [*table["part"], "decision"]
    plain, joint = _bars(parts, [*table["value"], table["value"].sum()])
    zero = ([0.0, 0.0], [-0.6, len(parts) - 0.4])
    return {"zero": zero, "parts": columns_of(plain[:-1], 4), "joint": columns_of(joint, 4),
            "sum": columns_of(plain[-1:], 4)}  # fmt: skip


def one_decision(table: pd.DataFrame) -> hv.Overlay:
    """What speaks for the chosen class of one sample: parts that add up to the decision."""
    parts = [*table["part"], "decision"]
    return _rows_of(ONE, one_columns(table), parts, ONE_LABEL, _reach([*table["value"], table["value"].sum()]))


def _reach(values: Any, positive: bool = False) -> tuple[float, float]:
    reach = 1.1 * max(1e-3, float(np.nanmax(np.abs(np.asarray(values, float)))))
    return (0.0 if positive else -reach), reach


def _rows_of(
    layers: Sequence[Layer], columns: Columns, parts: Sequence[str], label: str, span: tuple[float, float]
) -> hv.Overlay:
    options = {"yticks": _ticks(parts), "ylim": (-0.6, len(parts) - 0.4), "xlim": span, "show_legend": False}
    return overlay(layers, columns, label, " ", height=90 + 30 * len(parts), responsive=True, **options)


def live_sizes(height: int = 280) -> LiveFigure:
    """`part_sizes` to stream into."""
    return _live_rows(SIZES, SIZE_LABEL, height)


def live_one(height: int = 280) -> LiveFigure:
    """`one_decision` to stream into."""
    return _live_rows(ONE, ONE_LABEL, height)


def _live_rows(layers: Sequence[Layer], label: str, height: int) -> LiveFigure:
    figure = live(layers, label, " ", height, legend=None, yticks=[(0.0, "")])
    figure.figure.min_border_left = 150
    return figure


def put_sizes(figure: LiveFigure, table: pd.DataFrame) -> None:
    """Redraws `part_sizes`."""
    put(figure, SIZES, size_columns(table))
    _name_rows(figure, list(table["part"]))
    figure.set_range(_reach(table["high"], True), (-0.6, len(table) - 0.4))


def put_one(figure: LiveFigure, table: pd.DataFrame) -> None:
    """Redraws `one_decision`."""
    put(figure, ONE, one_columns(table))
    _name_rows(figure, [*table["part"], "decision"])
    figure.set_range(_reach([*table["value"], table["value"].sum()]), (-0.6, len(table) + 0.6))


def cost_columns(table: pd.DataFrame) -> Columns:
    """Columns of ``COST`` from ``n_modalities`` and the names of ``COSTS``."""
    return {name: (table["n_modalities"], table[name]) for name in COSTS}


def cost(table: pd.DataFrame) -> hv.Overlay:
    """Gates and angles against M, both axes logarithmic: a straight line of slope 1 is linear cost."""
    options = {"logx": True, "logy": True, "height": 340, "responsive": True, "legend_position": "top_left"}
    options["ylim"] = (3, 4 * float(table["full"].max()))
    return overlay(COST, cost_columns(table), "modalities M (count)", "count", **options)


def live_cost(height: int = 300) -> LiveFigure:
    """`cost` to stream into."""
    return live(COST, "modalities M (count)", "count", height, n_legend_columns=2, logx=True, logy=True)


def put_cost(figure: LiveFigure, table: pd.DataFrame) -> None:
    """Redraws `cost`."""
    put(figure, COST, cost_columns(table))
    largest = float(table["n_modalities"].max())
    figure.set_range((float(table["n_modalities"].min()), largest), (3.0, 4 * float(table["full"].max())))

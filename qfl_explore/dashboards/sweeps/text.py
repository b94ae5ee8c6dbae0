"""What the page Sweeps says: sentences, the legend, and a grid as Python and as TOML."""

from __future__ import annotations

import html
import json
import urllib.parse
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts.look import px
from qfl_explore.plots.style import colour
from qfl_explore.plots.sweeps import LOOKS
from qfl_explore.plots.sweeps_names import label_of, name_of

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.plots.sweeps import Picture, Shape
    from qfl_explore.sweeps import Grid, Progress

WHOSE = (
    "Which statements are the paper's (arXiv:2510.06938) stands on each experiment's own page; grids, averages and "
    "pictures here are our construction."
)
NOT_SHOWN = (
    "What it does not show: choosing the best point of a grid by its test score makes that score look better than it "
    "is. To report a choice, make it on other data or compute it again on new seeds."
)
KEPT = (
    "Every row is kept on the server under its settings and the package's version: a sweep goes on where it stopped, "
    "and what anybody computed before appears at once."
)
CHANGED = "Settings changed: press Start to compute them."
_MARKS = {
    "circle": '<circle cx="18" cy="6" r="4"/>',
    "triangle": '<path d="M18 1 L22.5 10 L13.5 10 Z"/>',
    "square": '<rect x="14" y="2" width="8" height="8"/>',
    "diamond": '<path d="M18 0.5 L23 6 L18 11.5 L13 6 Z"/>',
    "inverted_triangle": '<path d="M18 11 L22.5 2 L13.5 2 Z"/>',
    "hex": '<path d="M14 3.5 L18 1 L22 3.5 L22 8.5 L18 11 L14 8.5 Z"/>',
}
_DASHES = {"solid": "", "dashed": "6 4", "dotted": "2 3", "dotdash": "2 3 6 3"}


def legend(picture: Picture | None, dark: bool) -> str:
    """The lines' looks and names as HTML; one legend for all pictures."""
    names = [name for name in (picture.names if picture else ()) if name]
    items = []
    for (role, dash, marker), name in zip(LOOKS, names, strict=False):
        line = f'<line x1="0" y1="6" x2="36" y2="6" stroke-width="2" stroke-dasharray="{_DASHES[dash]}"/>'
        paint = colour(role, dark)
        drawn = line + _MARKS[marker]
        svg = f'<svg width="36" height="12" stroke="{paint}" fill="{paint}" aria-hidden="true">{drawn}</svg>'
        items.append(f'<span style="white-space:nowrap;margin-right:18px">{svg} {html.escape(name)}</span>')
    dots = '<span style="white-space:nowrap;opacity:0.75">small grey dots: single runs</span>'
    runs = dots if picture and picture.has_repeats else ""
    return f'<div style="font-size:{px(13)};line-height:1.8">{"".join(items)}{runs}</div>'


def status(progress: Progress, state: str) -> str:
    """How far the sweep is, with the time that is left while it is not over."""
    if state == "cancelled":
        return f"{progress.done + progress.failed} of {progress.total} rows"
    known = f"; {progress.known} were computed before" if progress.known else ""
    return progress.text() + known


def headline(means: pd.DataFrame, progress: Progress, shape: Shape, n_seeds: int) -> str:
    """The result in one sentence: the highest and the lowest mean, with interval and count.

    Args:
        means: of the pictures.
        progress: of the sweep.
        shape: of the pictures.
        n_seeds: that are averaged; 0 where every run averages over its own.
    """
    if not len(means):
        return ""
    best, worst = means.loc[means["mean"].idxmax()], means.loc[means["mean"].idxmin()]
    runs = f"{int(means['n_runs'].sum())} runs"
    seeds = {0: "each over the seeds in its settings", 1: "seed 0"}.get(n_seeds, f"seeds 0 to {n_seeds - 1}")
    interval = ""
    if means["low"].notna().any():
        whose = "over the seeds (Student's t)" if n_seeds > 1 else "of each run"
        interval = f"; brackets and bars are 95 % intervals {whose}"
    so_far = "" if progress.finished else " so far"
    return (
        f"{label_of(shape.y)}{so_far}: highest {_place(best, shape)}, lowest {_place(worst, shape)}. "
        f"{runs}, {seeds}{interval}."
    )


def _place(row: Any, shape: Shape) -> str:
    value = _number(row["mean"])
    if row["low"] == row["low"]:
        value += f" [{_number(row['low'])}, {_number(row['high'])}]"
    parts = [(shape.x, row["x"]), (shape.lines, row["line"]), (shape.panels, row["panel"])]
    return value + " at " + ", ".join(f"{name_of(name, setting)}" for name, setting in parts if name)


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def failures(count: int) -> str:
    """A heading for the rows that failed."""
    return "" if not count else f"{count} row{'s' * (count > 1)} failed; the others are not affected."


def dashboard(link: str, visitor: str) -> str:
    """A link to Dask's own dashboard as HTML, and where it can be opened.

    Args:
        link: empty where there is none.
        visitor: host name in the visitor's address bar.
    """
    if not link:
        return ""
    host = urllib.parse.urlsplit(link).hostname or ""
    shown = html.escape(link, quote=True)
    anchor = f'<a href="{shown}" target="_blank" rel="noopener" style="color:inherit">Dask dashboard</a>'
    here = host not in ("localhost", "127.0.0.1", "::1") or visitor in ("", "localhost", "127.0.0.1", "::1")
    note = "" if here else " (opens on the server's own machine only)"
    return f'<div style="font-size:{px(13)}">{anchor}{note}</div>'


def snippet(grid: Grid, shape: Shape) -> str:
    """Python source that computes the page's rows and draws them."""
    lines = [
        "from qfl_explore.plots.sweeps import Shape, small_multiples",
        "from qfl_explore.sweeps import Grid, run",
        "",
    ]
    lines += ["grid = Grid(", f"    experiment={grid.name!r},", f"    base={dict(grid.base)!r},", "    axes={"]
    lines += [f"        {name!r}: {list(values)!r}," for name, values in grid.axes.items()]
    parts = {"x": shape.x, "y": shape.y, "lines": shape.lines, "panels": shape.panels, "log": shape.log}
    words = ", ".join(f"{name}={value!r}" for name, value in parts.items() if value)
    lines += ["    },", ")", "table = run(grid)  # resumable: rows that are kept are not computed again"]
    lines += [f"print(table[{[*grid.axis_names, shape.y]!r}])", f"picture = small_multiples(table, Shape({words}))"]
    return "\n".join(lines)


def toml(grid: Grid) -> str:
    """The grid as a file for ``qfl-explore sweep``."""
    lines = ["# qfl-explore sweep FILE.toml", f"experiment = {_toml(grid.name)}", "", "[base]"]
    lines += [f"{_key(name)} = {_toml(value)}" for name, value in grid.base.items()]
    lines += ["", "[axes]"] + [f"{_key(name)} = {_toml(list(values))}" for name, values in grid.axes.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)

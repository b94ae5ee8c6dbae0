"""Figures against targets, as text for the terminal and for docs/load.md."""

from __future__ import annotations

import dataclasses
import datetime
import math
import os
import platform
import statistics
from typing import Any

from qfl_explore import __version__
from qfl_explore.dashboards.runs.shared_runs import MOST_BYTES
from qfl_explore.load.measure import N_SETTINGS, Figures, Plan


@dataclasses.dataclass(frozen=True)
class Target:
    """One line of the table.

    Attributes:
        what: is measured.
        found: the figure.
        limit: it should not pass.
        unit: of both.
        at_least: whether the figure should be above the limit, not below.
        note: what the figure is.
    """

    what: str
    found: float
    limit: float
    unit: str
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is met; a figure that is missing does not meet it."""
        if math.isnan(self.found):
            return False
        return self.found >= self.limit if self.at_least else self.found <= self.limit


def targets(figures: Figures) -> list[Target]:
    """Every target with what was found."""
    start, own, same, slider = figures["start"], figures["own"], figures["same"], figures["slider"]
    churn, stop, slow = figures["churn"], figures["stop"], figures["slow"]
    first, later = _plain(figures)
    return [
        Target("first page seen after the server is ready", start["first_page_s"], 2.0, "s", note=start["by"] + first),
        Target("later visitors' page seen", max(start["later_pages_s"]), 1.5, "s", note="worst of three" + later),
        Target("plot updates of the worst session, own settings", own["rates"]["least"], 2.0, "/s", at_least=True),
        Target("lag of the loop, own settings, p99", own["lag_ms"]["p99"], 100.0, "ms", note="weighted by time"),
        Target("plot updates of the worst session, same link", same["rates"]["least"], 2.0, "/s", at_least=True),
        Target("lag of the loop, same link, p99", same["lag_ms"]["p99"], 100.0, "ms", note="weighted by time"),
        Target("answer to a slider, p95", slider["answers_ms"]["p95"], 500.0, "ms", note=f"{slider['n_moves']} moves"),
        Target("lag of the loop while sliders move, p99", slider["lag_ms"]["p99"], 100.0, "ms"),
        Target("memory of a session after the first", own["memory_mb"], 25.0, "MB"),
        Target("memory that a closed session leaves", churn["slope_mb"], 0.1, "MB", note="second half of the cycles"),
        Target("work of closed tabs stopped", stop["seconds"], 2.0, "s", note=f"{stop['n_runs']} runs"),
        Target("updates piled up for a browser that takes none", slow["piled_updates"], 20.0, "", note=_slow(slow)),
        Target("connections that the server lost", own["n_lost"] + same["n_lost"], 0.0, ""),
    ]


def _plain(figures: Figures) -> tuple[str, str]:
    """What the first and the later pages are compared with."""
    if "plain" not in figures:
        return "", ""
    plain = figures["plain"]
    times = plain["first_page_s"], max(plain["later_pages_s"])
    first, later = (f"; a plain Panel page with one slider, on this machine: {_number(time)} s" for time in times)
    return first, later


def _slow(slow: Figures) -> str:
    return f"for {slow['seconds']:g} s; the worst of the others had {slow['others']['least']:.1f} updates/s meanwhile"


def table(found: list[Target]) -> list[str]:
    """Markdown, one line a target."""
    lines = ["| what | target | found | |", "|---|---|---|---|"]
    for target in found:
        limit = f"{'≥' if target.at_least else '≤'} {target.limit:g} {target.unit}".strip()
        value = f"{_number(target.found)} {target.unit}".strip()
        verdict = "met" if target.met else "**missed**"
        lines.append(f"| {target.what} | {limit} | {value} | {'; '.join(filter(None, (verdict, target.note)))} |")
    return lines


def page(figures: Figures, plan: Plan) -> str:
    """docs/load.md as a whole."""
    found = targets(figures)
    missed = [target.what for target in found if not target.met]
    verdict = "Every target was met." if not missed else "Missed: " + "; ".join(missed) + "."
    load = figures["machine_load"]
    busy = f"Before it began the machine's load average was {load:.1f}" + (
        ": other work shared the cores, so that these figures are pessimistic." if load > 0.7 else ": it was quiet."
    )
    lines = [
        "# A room of visitors on one small server",
        "",
        "Written by `make load` (`python -m qfl_explore.load`); do not edit.",
        "",
        f"{datetime.date.today():%d %B %Y}, qfl_explore {__version__}, {_machine()}. {busy} The clients ran on the same"
        " machine, as they do not in a workshop.",
        "",
        f"**{verdict}**",
        "",
        *table(found),
        "",
        "## What was done",
        "",
        *_story(figures, plan),
    ]
    return "\n".join(lines) + "\n"


def _story(figures: Figures, plan: Plan) -> list[str]:
    start, own, same = figures["start"], figures["own"], figures["same"]
    churn, slow = figures["churn"], figures["slow"]
    arrival, arrival_same, slider = figures["arrival"], figures["arrival_same"], figures["slider"]
    memory = ", ".join(f"{n}: {mb:.0f}" for n, mb in churn["memory_mb"])
    return [
        f"- **First page.** The server answered {start['ready_s']:.1f} s after its start. By {start['by']}: the first "
        f"page was seen after {start['first_page_s']:.2f} s, later ones after {_list(start['later_pages_s'])} s"
        + (
            f"; the run's first picture after {start['first_drawn_s']:.2f} s, later {_list(start['later_drawn_s'])} s."
            if "first_drawn_s" in start
            else "."
        )
        + _compared(figures),
        *_network(figures, plan),
        f"- **Arrival.** {plan.n_sessions} visitors ask for the page at the same moment. They saw the first picture of "
        f"their run after {_spread(arrival['pictures_s'], 's')}; with the same link for all after "
        f"{_spread(arrival_same['pictures_s'], 's')}. Pages are built one after the other, and while one is built "
        f"the loop does nothing else: its lag reached {arrival['lag_ms']['most'] / 1000:.1f} s.",
        f"- **Own settings.** {plan.n_sessions} visitors train live, each with a seed of its own, so that nothing is "
        f"shared. Over {plan.seconds:g} s a session had {_spread(own['rates'], 'plot updates/s')}. Loop lag: median "
        f"{own['lag_ms']['median']:.1f}, p99 {own['lag_ms']['p99']:.0f}, most {own['lag_ms']['most']:.0f} ms. The "
        f"server used {own['cores']:.2f} cores and {own['memory_total_mb']:.0f} MB in all.",
        f"- **Sliders.** Meanwhile {slider['n_moves']} moves of the slider Degree P by visitors in random order; the "
        f"answer, the spectrum of the new run, came after {_spread(slider['answers_ms'], 'ms')}.",
        f"- **Same link.** {plan.n_sessions} visitors with one seed: {_spread(same['rates'], 'plot updates/s')}, lag "
        f"p99 {same['lag_ms']['p99']:.0f} ms, {same['cores']:.2f} cores.",
        _browsers(figures["browsers"]),
        f"- **A browser that takes nothing** for {slow['seconds']:g} s: {slow['piled_updates']} updates waited for it "
        f"(without back-pressure it would be about {own['rates']['median'] * slow['seconds']:.0f}), the server's "
        f"memory changed by {slow['memory_mb']:.1f} MB, and afterwards it had {slow['again']:.1f} updates/s.",
        f"- **Closed tabs.** {figures['stop']['n_runs']} runs were at rest {figures['stop']['seconds']:.1f} s after "
        "everybody had left.",
        f"- **Opening and closing** {churn['n']} sessions, four at a time, first picture after "
        f"{_spread(churn['pictures_s'], 's')}. Their settings repeat after {N_SETTINGS}, because results are kept for "
        f"others: {churn['kept_mb']:.1f} MB in the end, at most {MOST_BYTES / 1e6:.0f} MB. Memory in MB after so many "
        f"sessions: {memory}.",
        f"- The server's log had {figures['log_lines']} lines in the end.",
    ]


def _compared(figures: Figures) -> str:
    if "plain" not in figures:
        return ""
    plain, start = figures["plain"], figures["start"]
    ratio = statistics.median(start["later_pages_s"]) / statistics.median(plain["later_pages_s"])
    return (
        " Right before, in the same way, a page of plain Panel with one slider and nothing to compute "
        f"(`load/plain.py`): first {plain['first_page_s']:.2f} s, later {_list(plain['later_pages_s'])} s. By the "
        f"medians of later pages ours takes {ratio:.2f} times as long."
    )


def _network(figures: Figures, plan: Plan) -> list[str]:
    start = figures["start"]
    if "fetched_mb" not in start:
        return []
    all_mb = start["fetched_mb"] + start["page_mb"]
    return [
        f"- **The network.** A browser that was never there gets {start['fetched_mb']:.2f} MB of scripts, styles and "
        f"fonts, and {start['page_mb']:.2f} MB that are its page until the run's first picture: "
        f"{plan.n_sessions * all_mb:.0f} MB for {plan.n_sessions} visitors. While it trains, with settings of its own, "
        f"a page gets {_number(figures['own']['kb_per_s'])} kB/s, all together "
        f"{plan.n_sessions * figures['own']['kb_per_s'] / 125:.2g} Mbit/s."
    ]


def _browsers(found: Figures) -> str:
    if "left_out" in found:
        return f"- **Real browsers** were left out: {found['left_out']}."
    return (
        f"- **Real browsers.** {found['n']} Chromium tabs took the places of clients: they had "
        f"{_list(found['updates'])} plot updates/s and drew {_list(found['frames'])} frames/s; the clients had "
        f"{_spread(found['others'], 'updates/s')}, loop lag p99 {found['lag_ms']['p99']:.0f} ms. The browsers, without "
        "a graphics card, share the cores with the server here."
    )


def _spread(found: dict[str, float], unit: str) -> str:
    values = ", ".join(f"{name} {_number(found[name])}" for name in ("least", "median", "p95", "most"))
    return f"{values} {unit}"


def _list(values: list[float]) -> str:
    return ", ".join(_number(value) for value in values)


def _number(value: float) -> str:
    if math.isinf(value):
        return "never"
    return "none" if math.isnan(value) else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores ({_processor()}), Python {platform.python_version()}, {platform.system()}"


def _processor() -> str:
    try:
        from pathlib import Path

        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures with whether each target was met."""
    return figures | {"targets": [dataclasses.asdict(target) | {"met": target.met} for target in targets(figures)]}

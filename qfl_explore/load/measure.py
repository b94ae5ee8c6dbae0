"""The scenes of the load test; each returns figures by name."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qfl_explore.load import browsers, plain
from qfl_explore.load.server import Server, served
from qfl_explore.load.visitor import Visitor

#: Long enough to last for the whole test.
_STEPS = {"steps": "5000"}
_LIVE_DEGREES = (1, 8)
Figures = dict[str, Any]


#: Different settings of those who open and close: results are kept for others on purpose, up to a bound.
N_SETTINGS = 40


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        n_sessions: visitors at once.
        n_browsers: of them, real browsers in one of the scenes.
        seconds: that rates are counted.
        settle_s: before that.
        n_moves: of a slider.
        n_cycles: of opening and closing.
        slow_s: that one browser takes nothing.
    """

    n_sessions: int = 30
    n_browsers: int = 3
    seconds: float = 20.0
    settle_s: float = 8.0
    n_moves: int = 60
    n_cycles: int = 200
    slow_s: float = 10.0


QUICK = Plan(n_sessions=6, n_browsers=1, seconds=6.0, settle_s=3.0, n_moves=12, n_cycles=24, slow_s=5.0)


def measure(plan: Plan, say: Callable[[str], None]) -> Figures:
    """Runs all scenes, in servers one after the other.

    Args:
        plan: how much.
        say: gets a line before each scene.
    """
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        if not browsers.why_not():
            say("a page of plain Panel, to compare with")
            with served(Path(folder) / "plain", plain.write(Path(folder))) as server:
                figures["plain"] = asyncio.run(_plain_pages(server))
        say("starting a server")
        with served(Path(folder) / "room") as server:
            figures["start"] = {"ready_s": server.ready_s}
            asyncio.run(_room(server, plan, say, figures))
            figures["log_lines"] = server.log_lines()
        say(f"opening and closing {plan.n_cycles} sessions on a second server")
        # sessions are forgotten at once here, so that what is left of them shows
        with served(Path(folder) / "churn", unused_session_lifetime=500, check_unused_sessions=500) as server:
            figures["churn"] = asyncio.run(_churn(server, plan))
    return figures


async def _room(server: Server, plan: Plan, say: Callable[[str], None], figures: Figures) -> None:
    say("first page")
    figures["start"] |= await _first_pages(server)
    first = Visitor(server.url, _STEPS)
    await first.open()
    await _until(lambda: not server.latest()["preparing"], 90.0)
    await asyncio.sleep(plan.settle_s)
    before = server.memory_mb()
    say(f"{plan.n_sessions} visitors, every one with settings of their own")
    queries = [_STEPS | {"seed": str(number + 1)} for number in range(plan.n_sessions)]
    visitors, figures["arrival"] = await _arrive(server, queries)
    figures["own"] = await _rates(server, visitors, plan)
    figures["own"]["memory_mb"] = (server.memory_mb() - before) / plan.n_sessions
    figures["own"]["memory_total_mb"] = server.memory_mb()
    say("sliders")
    figures["slider"] = await _slide(server, visitors, plan)
    say("a browser that takes nothing")
    figures["slow"] = await _slow_reader(server, visitors, plan)
    if (why := browsers.why_not()) or not plan.n_browsers:
        figures["browsers"] = {"left_out": why or "not asked for"}
    else:
        say(f"{plan.n_browsers} real browsers among them")
        figures["browsers"] = await _with_browsers(server, visitors, plan)
    say("everybody closes the tab")
    figures["stop"] = await _leave(server, [first, *visitors])
    say(f"{plan.n_sessions} visitors with the same link")
    visitors, figures["arrival_same"] = await _arrive(server, [_STEPS | {"seed": "77"}] * plan.n_sessions)
    figures["same"] = await _rates(server, visitors, plan)
    await _leave(server, visitors)


async def _first_pages(server: Server) -> Figures:
    """Seconds from asking for the page until it is seen: the first visitor, and three later ones."""
    address = f"{server.url}/app?steps=50"
    if browsers.why_not():
        times = []
        for _ in range(4):
            visitor = Visitor(server.url, {"steps": "50"})
            await visitor.open()
            await _until(lambda visitor=visitor: visitor.first_picture_s is not None, 30.0)
            times.append(visitor.first_picture_s)
            await visitor.close()
        return {"by": "websocket clients", "first_page_s": times[0], "later_pages_s": times[1:]}
    seen, drawn = [], []
    async with browsers.chromium() as browser:
        waited = time.monotonic() - server.ready_at
        for _ in range(4):
            tab, visible = await browsers.visit(browser, address)
            seen.append(visible)
            drawn.append(visible + await browsers.drawn(tab))
            n_fetched = await browsers.fetched(tab)
            await tab.context.close()
            await asyncio.sleep(1.0)
    visitor = Visitor(server.url, {"steps": "50"})
    await visitor.open()
    await _until(lambda: visitor.first_picture_s is not None, 30.0)
    n_page = visitor.n_bytes
    await visitor.close()
    return {
        "by": "Chromium, with an empty cache each time",
        "asked_after_s": waited,
        "first_page_s": seen[0],
        "first_drawn_s": drawn[0],
        "later_pages_s": seen[1:],
        "later_drawn_s": drawn[1:],
        "fetched_mb": n_fetched / 1e6,
        "page_mb": n_page / 1e6,
    }


async def _plain_pages(server: Server) -> Figures:
    """The same for a page with one slider, which is what Panel and this machine's browser need in any case."""
    seen = []
    async with browsers.chromium() as browser:
        for _ in range(4):
            tab, visible = await browsers.visit(browser, f"{server.url}/plain")
            seen.append(visible)
            await tab.context.close()
            await asyncio.sleep(1.0)
    return {"first_page_s": seen[0], "later_pages_s": seen[1:]}


async def _arrive(server: Server, queries: list[dict[str, str]]) -> tuple[list[Visitor], Figures]:
    """All open the page at the same moment, as a room does when the link is on the wall."""
    visitors = [Visitor(server.url, query) for query in queries]
    begin = time.monotonic()
    await asyncio.gather(*(visitor.open(120.0) for visitor in visitors))
    await _until(lambda: all(visitor.first_picture_s is not None for visitor in visitors), 60.0)
    pictures = [visitor.first_picture_s or float("inf") for visitor in visitors]
    return visitors, {
        "pictures_s": _spread(pictures),
        "lag_ms": _lag(server, begin, time.monotonic()),
        "all_s": time.monotonic() - begin,
    }


async def _rates(server: Server, visitors: list[Visitor], plan: Plan) -> Figures:
    await asyncio.sleep(plan.settle_s)
    begin, n_before = time.monotonic(), sum(visitor.n_bytes for visitor in visitors)
    await asyncio.sleep(plan.seconds)
    end, n_bytes = time.monotonic(), sum(visitor.n_bytes for visitor in visitors) - n_before
    return {
        "rates": _spread([visitor.rate(begin, end) for visitor in visitors]),
        "kb_per_s": n_bytes / (end - begin) / len(visitors) / 1e3,
        "lag_ms": _lag(server, begin, end),
        "cores": server.cpu(begin, end),
        "n_lost": sum(visitor.closed for visitor in visitors),
    }


async def _slide(server: Server, visitors: list[Visitor], plan: Plan) -> Figures:
    """Visitors in random order move the slider of the degree; the answer is the new run's spectrum."""
    dice, begin = random.Random(1), time.monotonic()
    low, high = _LIVE_DEGREES
    degrees = dict.fromkeys(range(len(visitors)), 3)
    waits = []
    for _ in range(plan.n_moves):
        who = dice.randrange(len(visitors))
        degrees[who] = dice.choice([d for d in range(low, high + 1) if abs(d - degrees[who]) in (1, 2)])
        sign = f'"shape":[{2 * degrees[who] + 1}]'  # so many bars does the spectrum have
        waits.append(await visitors[who].move("Degree P", degrees[who], sign))
        await asyncio.sleep(dice.uniform(0.1, 0.4))
    return {
        "answers_ms": {name: 1000 * value for name, value in _spread(waits).items()},
        "n_moves": len(waits),
        "lag_ms": _lag(server, begin, time.monotonic()),
    }


async def _slow_reader(server: Server, visitors: list[Visitor], plan: Plan) -> Figures:
    """One stops reading; the others must not notice, and the server must not pile up what it does not take."""
    slow, others = visitors[0], visitors[1:]
    before, n_updates = server.memory_mb(), len(slow.times)
    slow.stop_reading()
    begin = time.monotonic()
    await asyncio.sleep(plan.slow_s)
    end = time.monotonic()
    after = server.memory_mb()
    slow.stop_reading(False)
    await asyncio.sleep(1.0)
    piled = len([when for when in slow.times[n_updates:] if when <= end + 0.5])
    await asyncio.sleep(2.0)
    return {
        "seconds": plan.slow_s,
        "piled_updates": piled,
        "memory_mb": after - before,
        "others": _spread([visitor.rate(begin, end) for visitor in others]),
        "again": slow.rate(end + 1.0, time.monotonic()),
    }


async def _with_browsers(server: Server, visitors: list[Visitor], plan: Plan) -> Figures:
    """The last visitors give their places to browsers; they share the machine's cores with the server."""
    for visitor in visitors[len(visitors) - plan.n_browsers :]:
        await visitor.close()
        visitors.remove(visitor)
    async with browsers.chromium() as browser:
        address = f"{server.url}/app?steps=5000&seed="
        tabs = [(await browsers.visit(browser, f"{address}{500 + number}"))[0] for number in range(plan.n_browsers)]
        await asyncio.sleep(plan.settle_s)
        begin = time.monotonic()
        found = await asyncio.gather(*(browsers.updates(tab, plan.seconds) for tab in tabs))
        end = time.monotonic()
    return {
        "n": plan.n_browsers,
        "updates": [each["updates"] for each in found],
        "frames": [each["frames"] for each in found],
        "others": _spread([visitor.rate(begin, end) for visitor in visitors]),
        "lag_ms": _lag(server, begin, end),
    }


async def _leave(server: Server, visitors: list[Visitor]) -> Figures:
    """Seconds until nothing is computed any more."""
    n_runs = server.runs()["active"]
    begin = time.monotonic()
    for visitor in visitors:
        await visitor.close()
    await _until(lambda: server.runs()["active"] == 0 and server.runs()["busy"] == 0, 40.0)
    return {"seconds": time.monotonic() - begin, "n_runs": n_runs}


async def _churn(server: Server, plan: Plan) -> Figures:
    """Opens and closes sessions, four at a time; memory is noted when there is none."""
    memory, times = [], []
    await _until(lambda: not server.latest()["preparing"], 90.0)
    for done in range(0, plan.n_cycles, 4):
        seeds = [number % N_SETTINGS for number in range(done, done + 4)]
        group = [Visitor(server.url, {"steps": "50", "seed": str(seed)}) for seed in seeds]
        await asyncio.gather(*(visitor.open() for visitor in group))
        await _until(lambda group=group: all(visitor.first_picture_s is not None for visitor in group), 30.0)
        times += [visitor.first_picture_s for visitor in group]
        for visitor in group:
            await visitor.close()
        if done % 20 == 16:
            await asyncio.sleep(1.5)
            memory.append((done + 4, server.memory_mb()))
    await asyncio.sleep(3.0)
    memory.append((plan.n_cycles, server.memory_mb()))
    half = [(n, mb) for n, mb in memory if n >= plan.n_cycles / 2]
    slope = float(np.polyfit(*np.array(half).T, 1)[0]) if len({n for n, _ in half}) > 1 else float("nan")
    kept = server.latest()["kept"] / 1e6
    return {"n": plan.n_cycles, "memory_mb": memory, "slope_mb": slope, "kept_mb": kept, "pictures_s": _spread(times)}


def _spread(values: list[float]) -> dict[str, float]:
    found = np.array(values or [np.nan], dtype=float)
    return {
        "least": float(found.min()),
        "median": float(np.median(found)),
        "p95": float(np.percentile(found, 95, method="higher")),
        "most": float(found.max()),
    }


def _lag(server: Server, begin: float, end: float) -> dict[str, float]:
    lags = server.lags_ms(begin, end)
    return {"median": float(np.median(lags)), "p99": float(np.percentile(lags, 99)), "most": float(lags.max())}


async def _until(true: Callable[[], bool], timeout_s: float) -> None:
    """Waits for it, but not for ever: what did not come shows in the figures."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_poll(true), timeout_s)


async def _poll(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.02)

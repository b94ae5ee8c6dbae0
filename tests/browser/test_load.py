"""The load test's visitor against a real server: it is counted, answered, and left alone when it goes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from qfl_explore.load import plain
from qfl_explore.load.measure import QUICK, Plan, _plain_pages
from qfl_explore.load.report import page, targets
from qfl_explore.load.server import served
from qfl_explore.load.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_visitor_sees_pictures_and_moves_a_slider(server):
    async def visit():
        visitor = Visitor(server, {"steps": "5000", "seed": "31"})
        await visitor.open()
        while len(visitor.times) < 5:
            await asyncio.sleep(0.05)
        answer = await visitor.move("Degree P", 5, '"shape":[11]')
        with pytest.raises(RuntimeError, match="no such widget"):
            await visitor.move("Degree of nothing", 5, "")
        visitor.stop_reading()
        await asyncio.sleep(0.3)
        n_seen = len(visitor.times)
        await asyncio.sleep(0.7)
        still = len(visitor.times) - n_seen
        visitor.stop_reading(False)
        while len(visitor.times) <= n_seen + still:
            await asyncio.sleep(0.05)
        await visitor.close()
        return visitor, answer, still

    # in a thread: the browser of other tests has a loop of its own in this one
    with ThreadPoolExecutor(1) as thread:
        visitor, answer, still = thread.submit(lambda: asyncio.run(asyncio.wait_for(visit(), 60.0))).result()
    assert visitor.first_picture_s is not None and visitor.n_bytes > 100_000 and not visitor.closed
    assert 0.0 < answer < 10.0
    assert still <= 1  # one message may have been under way


def figures(rate, answer):
    spread = {"least": rate, "median": rate + 1.0, "p95": rate + 1.0, "most": rate + 2.0}
    lag = {"median": 1.0, "p99": 30.0, "most": 80.0}
    rates = {"rates": spread, "lag_ms": lag, "cores": 1.2, "n_lost": 0, "memory_mb": 12.0, "memory_total_mb": 800.0}
    rates["kb_per_s"] = 20.0
    arrival = {"pictures_s": spread, "lag_ms": lag, "all_s": 9.0}
    return {
        "machine_load": 0.2,
        "start": {"ready_s": 5.0, "by": "websocket clients", "first_page_s": 1.0, "later_pages_s": [0.9, 1.0, 1.1]},
        "arrival": arrival,
        "arrival_same": arrival,
        "own": rates,
        "same": rates,
        "slider": {"answers_ms": {**spread, "p95": answer, "most": float("inf")}, "n_moves": 60, "lag_ms": lag},
        "slow": {"seconds": 10.0, "piled_updates": 4, "memory_mb": 0.1, "others": spread, "again": 9.0},
        "browsers": {"left_out": "Chromium is not installed"},
        "stop": {"seconds": 0.6, "n_runs": 60},
        "churn": {
            "n": 8,
            "memory_mb": [(4, 300.0), (8, 301.0)],
            "slope_mb": 0.02,
            "kept_mb": 2.5,
            "pictures_s": spread,
        },
        "log_lines": 12,
    }


def test_the_report_says_what_was_met_and_what_was_missed():
    good, bad = figures(2.5, 300.0), figures(1.5, 900.0)
    assert all(target.met for target in targets(good))
    assert "Every target was met." in page(good, Plan())
    missed = [target.what for target in targets(bad) if not target.met]
    assert missed == [
        "plot updates of the worst session, own settings",
        "plot updates of the worst session, same link",
        "answer to a slider, p95",
    ]
    text = page(bad, QUICK)
    assert "Missed: plot updates of the worst session" in text and text.count("**missed**") == 3
    assert "Chromium is not installed" in text and "never" in text
    assert "plain Panel" not in text
    bad["plain"] = {"first_page_s": 1.9, "later_pages_s": [0.4, 0.5, 0.7]}
    text = page(bad, QUICK)
    assert (
        "a plain Panel page with one slider, on this machine: 1.9 s" in text
        and "one slider, on this machine: 0.7 s" in text
    )
    assert "ours takes 2.00 times as long" in text
    bad["start"] |= {"fetched_mb": 1.4, "page_mb": 0.4}
    assert "54 MB for 30 visitors" in page(bad, Plan()) and "all together 4.8 Mbit/s" in page(bad, Plan())
    bad["churn"]["slope_mb"] = float("nan")
    assert "memory that a closed session leaves" in [target.what for target in targets(bad) if not target.met]


def test_the_page_to_compare_with_is_plain_panel(tmp_path):
    assert "qfl_explore" not in plain.SCRIPT
    with served(tmp_path / "plain", plain.write(tmp_path)) as other, ThreadPoolExecutor(1) as thread:
        found = thread.submit(lambda: asyncio.run(_plain_pages(other))).result()
    assert 0.0 < found["first_page_s"] < 60.0 and len(found["later_pages_s"]) == 3


def test_options_that_make_no_sense_are_named(capsys, monkeypatch):
    from qfl_explore.load import __main__ as command

    monkeypatch.setattr("sys.argv", ["load", "--sessions", "one"])
    assert command.main() == 2
    assert "--sessions" in capsys.readouterr().err

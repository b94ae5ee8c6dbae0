"""Shared runs: computed once, played by everybody at an own pace, bounded, and a crash stays with who met it."""

import dataclasses
import functools
import threading
import time

import numpy as np
import pytest

from qfl_explore.dashboards.runs import shared_runs
from qfl_explore.dashboards.runs.live import RunHandle
from qfl_explore.dashboards.runs.scheduler import Scheduler, Wait, paced
from qfl_explore.dashboards.runs.shared_runs import Tapes, footprint
from tests.dashboards.waiting import wait_for as wait_at_all

DRAWN_BY_WORKERS = True
wait_for = functools.partial(wait_at_all, timeout=5.0, every=0.002)


@pytest.fixture
def scheduler():
    made = Scheduler(n_workers=3, slice_s=0.005)
    yield made
    made.shutdown()


class Counted:
    """A run of ``n`` items that counts how often each is computed."""

    def __init__(self, n=60, fails_at=None):
        self.n, self.fails_at, self.computed, self.starts = n, fails_at, [], 0

    def __call__(self):
        self.starts += 1
        for number in range(self.n):
            time.sleep(0.001)
            if number == self.fails_at:
                self.fails_at = None  # the first to come here meets it
                raise ValueError("the run broke. Expected: luck. Received: none.")
            self.computed.append(number)
            yield Wait(0.0)
            yield number


def played(scheduler, run):
    items, handle = [], None

    def keep(update):
        items.extend(update.items)

    handle = RunHandle(keep, scheduler=scheduler, interval=0.0)
    handle.start(run)
    return handle, items


def values(run):
    return [item for item in run if not isinstance(item, Wait)]


def test_thirty_visitors_compute_a_run_once_and_each_gets_all_of_it(scheduler):
    tapes, source = Tapes(), Counted()
    visits = [played(scheduler, lambda: tapes.play("key", source)) for _ in range(30)]
    wait_for(lambda: all(handle.state == "done" for handle, _ in visits))
    wait_for(lambda: all(items == list(range(60)) for _, items in visits))
    assert source.computed == list(range(60)) and source.starts == 1
    late = values(tapes.play("key", source))
    assert late == list(range(60)) and source.starts == 1


def test_pause_step_and_rewind_are_each_visitors_own(scheduler):
    tapes, source = Tapes(), Counted(n=10_000)
    slow, seen = played(scheduler, lambda: paced(tapes.play("key", source), lambda: 1000.0))
    slow.pause()
    fast, _ = played(scheduler, lambda: tapes.play("key", source))
    wait_for(lambda: len(source.computed) > len(seen) + 20)
    before = len(seen)
    slow.step()
    wait_for(lambda: slow.state == "paused" and len(seen) == before + 1)
    assert seen == list(range(before + 1))
    seen.clear()
    slow.rewind()
    wait_for(lambda: slow.state == "paused" and seen == [0])
    assert source.starts == 1
    fast.close()


def test_other_keys_are_other_runs_and_nothing_is_computed_when_nobody_plays():
    tapes, source = Tapes(), Counted()
    first = tapes.play("a", source)
    assert [item for item in (next(first) for _ in range(4)) if not isinstance(item, Wait)] == [0]
    first.close()
    computed = len(source.computed)
    other = Counted(n=3)
    assert values(tapes.play("b", other)) == [0, 1, 2]
    assert len(source.computed) == computed
    assert values(tapes.play("a", source)) == list(range(60)) and source.starts == 1


def test_a_crash_is_met_by_one_visitor_and_the_others_go_on(scheduler):
    tapes, source = Tapes(), Counted(fails_at=20)
    visits = [played(scheduler, lambda: tapes.play("key", source)) for _ in range(5)]
    wait_for(lambda: all(handle.state in ("done", "failed") for handle, _ in visits))
    assert sorted(handle.state for handle, _ in visits) == ["done"] * 4 + ["failed"]
    wait_for(lambda: sum(items == list(range(60)) for _, items in visits) == 4)
    assert source.starts == 2


def test_a_long_tape_forgets_its_beginning_and_who_needs_it_computes_alone():
    def long():
        return (np.full(1000, number) for number in range(100))

    tapes = Tapes(most_of_one=100_000)
    slow = tapes.play("key", long)
    first = next(slow)
    fast = [item[0] for item in values(tapes.play("key", long))]
    assert fast == list(range(100))
    (tape,) = tapes._tapes.values()
    assert tape.n_bytes <= 100_000 and tape._first > 0
    assert [first[0], *(item[0] for item in values(slow))] == list(range(100))
    assert [item[0] for item in values(tapes.play("key", long))] == list(range(100))


def test_memory_of_finished_and_abandoned_runs_is_bounded():
    tapes = Tapes(most_bytes=50_000)
    for key in range(20):
        assert len(values(tapes.play(key, lambda: iter([np.zeros(1000)])))) == 1
    assert sum(tape.n_bytes for tape in tapes._tapes.values()) <= 60_000
    begun = [tapes.play(("begun", key), lambda: iter([1, 2, 3])) for key in range(10)]
    for run in begun:
        next(run)
        run.close()
    assert sum(tape.abandoned for tape in tapes._tapes.values()) <= shared_runs.MOST_ABANDONED


def test_a_footprint_counts_arrays_once_and_looks_into_containers():
    @dataclasses.dataclass
    class Holder:
        table: object
        name: str

    data = np.zeros(10_000)
    seen = {}
    assert 80_000 < footprint(Holder({"x": [data]}, "a"), seen) < 82_000
    assert footprint(Holder({"x": [data]}, "b"), seen) < 2_000


def test_the_polynomial_page_shares_what_its_config_determines(monkeypatch):
    from qfl_explore.dashboards.pages import Session, get_page
    from qfl_explore.experiments import polynomial

    prepared = []
    original = polynomial.prepare
    monkeypatch.setattr(polynomial, "prepare", lambda *given: prepared.append(given) or original(*given))
    sessions = [Session() for _ in range(3)]
    for session, seed in zip(sessions, (4241, 4241, 4242), strict=True):
        session.polynomial.param.update(n_steps=10, pace=None, n_train=17, seed=seed)
    pages = [get_page("polynomial").create(session) for session in sessions]
    for page in pages:
        frames = values(page.work(page.config()))
        assert [frame.step for frame in frames] == list(range(11)) and frames[0].problem.config == page.config()
    assert len(prepared) == 2  # the third has another seed
    for page in pages:
        page.close()


def test_a_cached_value_of_one_object_does_not_wait_for_that_of_another():
    from qfl_explore.lazy import cached_property

    held, entered = threading.Event(), threading.Event()

    class Thing:
        def __init__(self, slow):
            self.slow = slow

        @cached_property
        def value(self):
            if self.slow:
                entered.set()
                assert held.wait(5.0)
            return object()

    slow, quick = Thing(True), Thing(False)
    thread = threading.Thread(target=lambda: slow.value)
    thread.start()
    assert entered.wait(5.0)
    assert quick.value is quick.value and not held.is_set()
    held.set()
    thread.join()
    assert slow.value is slow.value

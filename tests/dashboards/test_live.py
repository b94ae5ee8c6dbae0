"""The scheduler and the run handle, with fake runs: fairness, cancel latency, coalescing, errors."""

import functools
import itertools
import threading
import time
from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from qfl_explore.dashboards.runs.live import RunHandle, Update
from qfl_explore.dashboards.runs.scheduler import Scheduler, paced
from tests.dashboards.waiting import wait_for as wait_at_all

DRAWN_BY_WORKERS = True
wait_for = functools.partial(wait_at_all, timeout=5.0, every=0.002)


@pytest.fixture
def scheduler():
    made = Scheduler(n_workers=2, slice_s=0.01, max_active=3, max_jobs=5)
    yield made
    made.shutdown()


def counting(n=10**9, pause=0.001):
    for number in range(n):
        time.sleep(pause)
        yield number


class Recorder:
    """Collects updates; without a document they come in the worker thread."""

    def __init__(self):
        self.updates: list[Update] = []
        self.times: list[float] = []

    def __call__(self, update):
        self.updates.append(update)
        self.times.append(time.monotonic())

    @property
    def items(self):
        last = self.updates[-1].run
        return [item for update in self.updates if update.run == last for item in update.items]


def visitors_document():
    """A document as a server's session has it, as far as a run asks."""
    document = Document()
    context = SimpleNamespace(id="one", session=None, destroyed=False)
    document._session_context = lambda: context
    return document


def make_handle(scheduler, **options):
    recorder = Recorder()
    return RunHandle(recorder, scheduler=scheduler, **options), recorder


def test_a_run_delivers_every_item_once_and_in_order(scheduler):
    handle, seen = make_handle(scheduler, interval=0.02)
    handle.start(lambda: counting(200, 0.0005))
    wait_for(lambda: seen.updates and seen.updates[-1].state == "done")
    assert seen.items == list(range(200))
    assert seen.updates[-1].picture is not None or any(u.picture == 199 for u in seen.updates)


def test_flushes_are_coalesced_to_the_interval(scheduler):
    handle, seen = make_handle(scheduler, interval=0.1)
    handle.start(lambda: counting(pause=0.001))
    time.sleep(1.05)
    handle.close()
    assert 7 <= len(seen.updates) <= 12
    assert max(len(u.items) for u in seen.updates) > 20


def test_only_shown_items_are_derived(scheduler):
    derived = []
    handle, seen = make_handle(scheduler, interval=0.1, derive=lambda item: derived.append(item) or item)
    handle.start(lambda: counting(400, 0.001))
    wait_for(lambda: seen.updates and seen.updates[-1].state == "done")
    assert derived[0] == 0 and derived[-1] == 399
    assert len(derived) <= len(seen.updates) < 40


def test_cancel_takes_less_than_200_ms_even_from_a_slow_step(scheduler):
    started = threading.Event()

    def slow():
        for number in itertools.count():
            started.set()
            time.sleep(0.5)
            yield number

    handle, seen = make_handle(scheduler)
    handle.start(slow)
    assert started.wait(2.0)
    begin = time.monotonic()
    handle.start(lambda: iter(["second"]))
    wait_for(lambda: "second" in seen.items if seen.updates else False)
    assert time.monotonic() - begin < 0.2
    time.sleep(0.6)  # the slow step ends now; nobody may see it
    assert seen.items == ["second"]


def test_runs_share_the_workers_fairly(scheduler):
    counts = [0, 0, 0]

    def work(which):
        while True:
            end = time.perf_counter() + (0.001 if which else 0.003)
            while time.perf_counter() < end:
                time.sleep(0.0005)
            counts[which] += 1
            yield which

    jobs = [scheduler.submit(lambda i=i: work(i), lambda item: None) for i in range(3)]
    time.sleep(1.0)
    for job in jobs:
        job.cancel()
    times = [counts[0] * 3, counts[1], counts[2]]
    assert min(times) > 0.4 * max(times)


def test_a_run_beyond_the_places_waits_and_knows_its_position(scheduler):
    jobs = [scheduler.submit(lambda: counting(), lambda item: None) for _ in range(3)]
    handle, seen = make_handle(scheduler)
    handle.start(lambda: iter("ab"))
    second, later = make_handle(scheduler)
    second.start(lambda: iter("cd"))
    wait_for(lambda: later.updates)
    assert (seen.updates[-1].state, seen.updates[-1].position) == ("queued", 1)
    assert (later.updates[-1].state, later.updates[-1].position) == ("queued", 2)
    jobs[0].cancel()
    wait_for(lambda: later.updates[-1].state == "done")
    assert seen.items == ["a", "b"] and later.items == ["c", "d"]


def test_too_many_runs_are_refused_with_a_message(scheduler):
    jobs = [scheduler.submit(lambda: counting(), lambda item: None) for _ in range(5)]
    handle, seen = make_handle(scheduler)
    handle.start(lambda: iter("a"))
    assert seen.updates[-1].state == "failed"
    assert "at most 5 runs" in seen.updates[-1].error and "Traceback" not in seen.updates[-1].error
    with pytest.raises(RuntimeError, match="server is busy"):
        scheduler.submit(lambda: counting(), lambda item: None)
    assert len(jobs) == 5


def test_pause_step_resume_and_rewind(scheduler):
    handle, seen = make_handle(scheduler, interval=0.0)
    handle.start(lambda: counting(), allowance=2)
    wait_for(lambda: handle.state == "paused" and len(seen.items) == 2)
    handle.step()
    wait_for(lambda: handle.state == "paused" and len(seen.items) == 3)
    handle.resume()
    wait_for(lambda: len(seen.items) > 20)
    handle.pause()
    wait_for(lambda: seen.updates[-1].state == "paused")
    time.sleep(0.05)
    n_items = len(seen.items)
    time.sleep(0.1)
    assert len(seen.items) == n_items
    handle.rewind()
    wait_for(lambda: handle.state == "paused" and seen.items == [0])


@pytest.mark.parametrize("where", ["make", "run", "derive"])
def test_an_exception_becomes_a_message(scheduler, where):
    def fail(*_):
        raise ValueError("degree is out of range. Expected: 1 or more. Received: 0.")

    def run():
        yield 1
        fail()

    make = fail if where == "make" else run if where == "run" else (lambda: iter([1]))
    handle, seen = make_handle(scheduler, derive=fail if where == "derive" else lambda item: item)
    handle.start(make)
    wait_for(lambda: seen.updates and seen.updates[-1].error)
    assert seen.updates[-1].state == "failed" or where == "derive"
    assert seen.updates[-1].error == "degree is out of range. Expected: 1 or more. Received: 0."
    handle.start(lambda: iter([])) if where == "derive" else handle.start(lambda: iter("ok"))
    wait_for(lambda: seen.updates[-1].state == "done" and not seen.updates[-1].error)


def test_unexpected_errors_carry_their_kind_but_no_traceback(scheduler):
    handle, seen = make_handle(scheduler)
    handle.start(lambda: (1 // 0 for _ in range(1)))
    wait_for(lambda: seen.updates and seen.updates[-1].state == "failed")
    assert "ZeroDivisionError" in seen.updates[-1].error and "line" not in seen.updates[-1].error


class FakeDocument:
    """Runs callbacks when told to, as the server's loop would."""

    def __init__(self):
        self.pending = []

    def add_next_tick_callback(self, function):
        self.pending.append(function)


def test_a_run_has_not_ended_for_the_page_before_its_last_picture_is_there(scheduler, monkeypatch):
    monkeypatch.setattr(RunHandle, "_held", lambda self: __import__("contextlib").nullcontext())
    document, seen, begun, may = FakeDocument(), [], threading.Event(), threading.Event()

    def derive(item):
        if item == 3:
            begun.set()
            assert may.wait(5.0)
        return f"picture of {item}"

    handle = RunHandle(seen.append, derive=derive, document=document, scheduler=scheduler, interval=10.0)
    handle.start(lambda: iter(range(4)))
    assert begun.wait(5.0)  # the first picture waits to be drawn, and the last is being made
    assert handle.state == "done" and len(document.pending) == 1
    document.pending.pop()()
    assert (seen[0].state, seen[0].picture, seen[0].items) == ("running", "picture of 0", [0, 1, 2, 3])
    assert handle.drawn == "running"
    may.set()
    wait_for(lambda: document.pending)
    document.pending.pop()()
    assert (seen[1].state, seen[1].picture, seen[1].items) == ("done", "picture of 3", [])
    assert handle.drawn == "done" and not document.pending


def test_an_older_picture_that_comes_late_does_not_replace_a_newer_one(scheduler):
    handle, seen = make_handle(scheduler)
    slow, may = threading.Event(), threading.Event()

    def derive(item):
        if item == "old":
            slow.set()
            assert may.wait(5.0)
        return item

    handle._derive = derive
    handle._run, handle._next_flush, handle._first = 1, 1e12, False
    handle._collect(1, "old")
    late = threading.Thread(target=handle._offer, args=(1,))
    late.start()
    assert slow.wait(5.0)
    handle._collect(1, "new")
    handle._outstanding = True
    handle._offer(1)
    may.set()
    late.join(5.0)
    assert handle._picture == "new" and handle._n_derived == handle._n_given == 2


def test_at_most_one_flush_is_outstanding(scheduler, monkeypatch):
    monkeypatch.setattr(RunHandle, "_held", lambda self: __import__("contextlib").nullcontext())
    document = FakeDocument()
    handle, seen = make_handle(scheduler, document=document, interval=0.0)
    handle.start(lambda: counting(100, 0.0))
    wait_for(lambda: handle.state == "done")
    assert len(document.pending) == 1 and not seen.updates
    while document.pending:
        document.pending.pop(0)()
    assert seen.items == list(range(100)) and seen.updates[-1].state == "done"


def test_a_closed_handle_flushes_nothing_and_frees_its_place(scheduler):
    document = FakeDocument()
    handle, seen = make_handle(scheduler, document=document)
    handle.start(lambda: counting())
    wait_for(lambda: document.pending)
    handle.close()
    document.pending.pop(0)()
    time.sleep(0.15)
    assert not seen.updates and not document.pending and handle.state == "cancelled"
    assert not scheduler._active
    handle.start(lambda: counting())
    assert handle.state == "cancelled"


def test_pace_is_kept_and_waiting_runs_hold_no_worker(scheduler):
    handles = [make_handle(scheduler, interval=0.05) for _ in range(3)]  # more than workers
    for handle, _ in handles:
        handle.start(lambda: paced(itertools.count(), lambda: 50.0))
    time.sleep(1.0)
    for handle, seen in handles:
        handle.pause()
        wait_for(lambda seen=seen: seen.updates[-1].state == "paused")
        assert 35 <= len(seen.items) <= 56


def test_stepping_a_paced_run_is_not_held_up(scheduler):
    handle, seen = make_handle(scheduler)
    handle.start(lambda: paced(itertools.count(), lambda: 20.0), allowance=1)
    wait_for(lambda: handle.state == "paused")
    handle.step()
    wait_for(lambda: seen.items == [0, 1], timeout=0.3)


def test_a_flush_draws_in_its_own_document_whoever_asked_for_it(scheduler):
    mine, other = visitors_document(), visitors_document()
    seen = []
    handle = RunHandle(lambda update: seen.append(pn.state.curdoc), scheduler=scheduler, document=mine)
    handle.start(lambda: counting(1))
    wait_for(lambda: handle.state == "done")
    with set_curdoc(other):
        handle._flush()
        assert pn.state.curdoc is other
    assert seen == [mine]

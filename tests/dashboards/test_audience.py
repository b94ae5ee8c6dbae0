"""Who looks and who keeps up: closed tabs rest, slow browsers get fewer pictures, a long step says so."""

import contextlib
import functools
import itertools
import threading
import time
from types import SimpleNamespace

import pytest

from qfl_explore.dashboards.parts.controls import status_words
from qfl_explore.dashboards.runs import audience, live
from qfl_explore.dashboards.runs.live import RunHandle, Update
from qfl_explore.dashboards.runs.pacing import Pacer
from qfl_explore.dashboards.runs.scheduler import Scheduler
from tests.dashboards.waiting import wait_for as wait_at_all

DRAWN_BY_WORKERS = True
wait_for = functools.partial(wait_at_all, timeout=5.0, every=0.002)


class Socket:
    """A websocket whose browser answers pings, or not."""

    def __init__(self):
        self.unsent, self.answers, self.latest_pong = False, True, -1
        self.stream = SimpleNamespace(closed=lambda: False, writing=lambda: self.unsent)
        self.ws_connection = SimpleNamespace(stream=self.stream)


class Connection:
    def __init__(self):
        self._socket, self._ping_count = Socket(), 0

    def send_ping(self):
        if self._socket.answers:
            self._socket.latest_pong = self._ping_count
        self._ping_count += 1


class FakeDocument:
    """A document of a session; callbacks run when told to, as the server's loop would."""

    def __init__(self):
        self.connection = Connection()
        self.session = SimpleNamespace(destroyed=False, _subscribed_connections={self.connection})
        self.session_context = SimpleNamespace(session=self.session)
        self.pending, self.later = [], []

    def add_next_tick_callback(self, function):
        self.pending.append(function)

    def add_timeout_callback(self, function, milliseconds):
        assert milliseconds > 0
        self.later.append(function)

    def tick(self):
        """One turn of the loop."""
        now, self.pending, self.later = [*self.pending, *self.later], [], []
        for function in now:
            function()


@pytest.fixture
def scheduler():
    made = Scheduler(n_workers=2, slice_s=0.005)
    yield made
    made.shutdown()


@pytest.fixture
def room(scheduler, monkeypatch):
    """A visitor with a document, the run's handle, its updates and its audience."""
    monkeypatch.setattr(RunHandle, "_held", lambda self: contextlib.nullcontext())
    document, updates = FakeDocument(), []
    handle = RunHandle(updates.append, document=document, interval=0.0, scheduler=scheduler)
    yield SimpleNamespace(
        document=document, updates=updates, handle=handle, audience=audience.audience_of(document), scheduler=scheduler
    )
    handle.close()


def counting(computed):
    for number in itertools.count():
        time.sleep(0.001)
        computed.append(number)
        yield number


def test_the_run_of_a_closed_tab_rests_and_goes_on_when_the_browser_is_back(room):
    computed = []
    room.handle.start(lambda: counting(computed))
    room.audience.look()
    wait_for(lambda: len(computed) > 5)
    room.session_lost = room.document.session._subscribed_connections.pop()
    room.audience.look()
    wait_for(lambda: room.handle.state == "paused")
    time.sleep(0.05)
    n_computed = len(computed)
    time.sleep(0.1)
    assert len(computed) == n_computed and room.scheduler.counts()["active"] == 0
    room.document.session._subscribed_connections.add(Connection())
    room.audience.look()
    wait_for(lambda: len(computed) > n_computed + 5)
    assert computed == list(range(len(computed)))


def test_a_pause_of_the_visitor_and_the_steps_left_survive_a_lost_connection(room):
    computed = []
    room.handle.start(lambda: counting(computed), allowance=3)
    wait_for(lambda: room.handle.state == "paused")
    room.handle.suspend()
    room.handle.restore()
    time.sleep(0.05)
    assert room.handle.state == "paused" and len(computed) == 3


def test_a_run_that_starts_while_nobody_looks_rests(room):
    room.audience.look()
    room.document.session._subscribed_connections.clear()
    room.audience.look()
    computed = []
    room.handle.start(lambda: counting(computed))
    wait_for(lambda: room.handle.state == "paused")
    assert len(computed) < 20


@pytest.mark.parametrize("how", ["unsent bytes", "unanswered pings"])
def test_a_slow_browser_gets_no_more_until_it_has_taken_what_was_sent(room, how):
    computed, socket = [], room.document.connection._socket
    room.handle.start(lambda: counting(computed))
    wait_for(lambda: room.document.pending)
    room.document.tick()
    assert room.updates
    if how == "unsent bytes":
        socket.unsent = True
    else:
        socket.answers = False
    for _ in range(60):
        time.sleep(0.002)
        room.document.tick()
    assert len(room.updates) <= 2 + audience.MOST_UNDERWAY
    n_updates, n_computed = len(room.updates), len(computed)
    wait_for(lambda: len(computed) > n_computed + 20)  # the run itself goes on
    socket.unsent, socket.latest_pong = False, room.document.connection._ping_count - 1
    wait_for(lambda: room.document.tick() or len(room.updates) > n_updates)
    items = [item for update in room.updates for item in update.items]
    assert items == list(range(len(items))) and len(items) > n_computed  # nothing is lost


def test_a_browser_that_takes_nothing_for_long_counts_as_gone(room, monkeypatch):
    monkeypatch.setattr(audience, "PATIENCE_S", 0.05)
    room.handle.start(lambda: counting([]))
    room.document.connection._socket.unsent = True
    room.audience.look()
    time.sleep(0.06)
    room.audience.look()
    assert room.audience.away
    wait_for(lambda: room.handle.state == "paused")
    room.document.connection._socket.unsent = False
    room.audience.look()
    assert not room.audience.away
    wait_for(lambda: room.handle.state == "running")


def test_an_ended_session_is_no_longer_looked_at(room):
    assert room.audience.look()
    room.document.session.destroyed = True
    assert not room.audience.look()


def test_a_long_step_and_a_wait_are_said_in_the_page(room, monkeypatch):
    monkeypatch.setattr(live, "SILENCE_S", 0.05)
    leave = threading.Event()

    def long():
        leave.wait(5.0)
        yield 1

    room.handle.start(long)
    wait_for(lambda: room.scheduler.counts()["busy"] == 1)
    time.sleep(0.07)
    room.audience.look()
    wait_for(lambda: room.document.tick() or (room.updates and room.updates[-1].waiting))
    assert status_words(room.updates[-1]) == "computing a long step"
    leave.set()
    wait_for(lambda: room.document.tick() or room.updates[-1].state == "done")
    assert status_words(room.updates[-1]) == "finished"
    assert status_words(Update(1, [], None, "queued", 2, "")) == "waiting, number 2 in the queue"


def test_long_steps_of_some_hold_up_nobody_else():
    scheduler, leave, done = Scheduler(n_workers=2, slice_s=0.01, overrun_s=0.05), threading.Event(), []
    try:
        stuck = [scheduler.submit(lambda: (leave.wait(10.0) for _ in range(2)), lambda item: None) for _ in range(3)]
        time.sleep(0.02)
        scheduler.submit(lambda: iter(range(50)), done.append)
        wait_for(lambda: len(done) == 50, timeout=3.0)
        assert not leave.is_set() and all(job.state == "running" for job in stuck)
        leave.set()
        wait_for(lambda: all(job.state == "done" for job in stuck))
        wait_for(lambda: len(scheduler._threads) == 2 or scheduler.errand(lambda: None))  # the stand-ins have left
    finally:
        leave.set()
        scheduler.shutdown()


def test_who_takes_long_steps_gets_as_much_time_and_not_as_many_steps():
    scheduler, spent = Scheduler(n_workers=2, slice_s=0.005), [0.0] * 8

    def work(which):
        while True:
            seconds = 0.06 if which == 0 else 0.001
            time.sleep(seconds)
            spent[which] += seconds
            yield which

    try:
        for which in range(8):
            scheduler.submit(lambda which=which: work(which), lambda item: None)
        time.sleep(1.5)
        assert spent[0] < 3 * sorted(spent)[4] and min(spent) > 0.3 * sorted(spent)[4]
    finally:
        scheduler.shutdown()


def test_thirty_runs_and_their_side_runs_all_advance(scheduler):
    counts = [0] * 60

    def work(which):
        while True:
            time.sleep(0.0005)
            counts[which] += 1
            yield which

    for which in range(60):
        scheduler.submit(lambda which=which: work(which), lambda item: None, weight=1.0 if which < 30 else 0.5)
    wait_for(lambda: min(counts) > 0)
    assert scheduler.counts() == {"active": 60, "queued": 0, "busy": scheduler.counts()["busy"]}


@pytest.mark.parametrize("error", [ValueError("no"), MemoryError(), SystemExit(3), RecursionError("deep")])
def test_a_crash_is_a_message_in_its_own_page_and_the_others_go_on(scheduler, error):
    updates, computed = [], []

    def crash():
        yield 1
        raise error

    other = RunHandle(lambda update: None, scheduler=scheduler)
    other.start(lambda: counting(computed))
    broken = [RunHandle(updates.append, scheduler=scheduler) for _ in range(4)]
    for handle in broken:
        handle.start(crash)
    wait_for(lambda: all(handle.state == "failed" for handle in broken))
    wait_for(lambda: sum(bool(update.error) for update in updates) == 4)
    n_computed = len(computed)
    wait_for(lambda: len(computed) > n_computed + 10)
    other.close()


def test_a_fault_in_a_pages_callback_does_not_take_a_worker(scheduler, caplog):
    def fault(*_):
        raise KeyError("a page's own fault")

    for _ in range(4):
        scheduler.errand(fault)
    done = []
    scheduler.submit(lambda: iter(range(5)), done.append)
    wait_for(lambda: len(done) == 5)
    assert "a callback of a run failed" in caplog.text


def test_many_pages_draw_less_often_each():
    pacer = Pacer(share=0.5)
    assert pacer.interval(0.1) == 0.1
    for who in range(30):
        pacer.note(who, 0.01)
    time.sleep(0.21)
    assert pacer.interval(0.1) == pytest.approx(0.6)

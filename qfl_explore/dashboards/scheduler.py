"""A process-wide, bounded, fair scheduler: many visitors' runs share a few worker threads.

A run is a generator. A worker takes the next run, asks it for items for one short slice,
and puts it back at the end of the line, so that runs advance side by side. Nothing here
knows Panel or Bokeh.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from qfl_explore.errors import invalid

#: What a job may be: only ``running`` jobs get slices, ``queued`` ones wait for a place.
LIVE = ("queued", "running", "paused")
FINAL = ("done", "failed", "cancelled")


@dataclasses.dataclass(frozen=True)
class Wait:
    """A run may yield this instead of an item: "come back in so many seconds"; it holds no worker."""

    seconds: float


def paced(items: Iterable[Any], rate: Callable[[], float | None]) -> Iterator[Any]:
    """Slows a run down so that eyes can follow.

    Args:
        items: the run.
        rate: items a second, asked after every item; ``None``: as fast as it goes.
    """
    due = time.monotonic()
    for item in items:
        yield item
        wanted, now = rate(), time.monotonic()
        due = now if wanted is None else max(due + 1.0 / wanted, now - 0.05)
        if due > now + 0.005:
            yield Wait(due - now)


class Job:
    """One run inside the scheduler; made by `Scheduler.submit`.

    ``on_item`` runs in a worker thread, ``on_change`` in whichever thread made the change;
    both must be quick and may come once more while `cancel` is on its way.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        make: Callable[[], Iterator[Any]],
        on_item: Callable[[Any], None],
        on_change: Callable[[Job], None],
        allowance: int | None,
    ) -> None:
        self._scheduler = scheduler
        self._make = make
        self._iterator: Iterator[Any] | None = None
        self._on_item = on_item
        self._on_change = on_change
        self._allowance = allowance  # items it may still give; None: as many as it has
        self._busy = False
        self._due = 0.0  # not before this time
        self.state = "queued"
        self.error: Exception | None = None

    @property
    def position(self) -> int:
        """Place in the queue: 1 is next; 0 for a job that is not waiting."""
        return self._scheduler.position(self)

    def cancel(self) -> None:
        """Stops for good. A step that is being computed ends unseen."""
        self._move("cancelled")

    def pause(self) -> None:
        """Stops giving items until `resume` or `step`."""
        self._allow(0)

    def resume(self) -> None:
        """Goes on without limit."""
        self._allow(None)

    def step(self, count: int = 1) -> None:
        """Gives ``count`` more items, then pauses."""
        self._allow(count)

    def _allow(self, count: int | None) -> None:
        with self._scheduler.lock:
            self._allowance = count
        if count == 0:
            self._move("paused", within=("running", "queued"))
        else:
            self._move("queued", within=("paused",))

    def _move(self, state: str, error: Exception | None = None, within: tuple[str, ...] = LIVE) -> None:
        """Changes the state if it is ``within``; callbacks run after the lock is free."""
        with self._scheduler.lock:
            if self.state not in within:
                return
            self.state, self.error = state, error
            others = self._scheduler._rearrange(self)
        self._on_change(self)
        for other in others:
            other._on_change(other)

    def _slice(self, deadline: float) -> None:
        """Runs items until the deadline; called by one worker at a time."""
        while self.state == "running" and self._next() and time.monotonic() < deadline:
            pass
        if self.state in FINAL:
            self._iterator = None

    def _next(self) -> bool:
        try:
            if self._iterator is None:
                self._iterator = iter(self._make())
            item = next(self._iterator)
            if isinstance(item, Wait):
                self._due = time.monotonic() + item.seconds
                return False
            with self._scheduler.lock:
                if self.state in FINAL:
                    return False
                if self._allowance is not None:
                    self._allowance = max(0, self._allowance - 1)
            self._on_item(item)
        except StopIteration:
            self._move("done")
            return False
        except Exception as error:  # whatever a run raises becomes a message in the page
            self._move("failed", error)
            return False
        if self._allowance == 0:
            self._move("paused", within=("running",))
        return self.state == "running"


class Scheduler:
    """A few worker threads that advance up to ``max_active`` jobs in turns.

    Args:
        n_workers: threads; ``None``: the machine's cores, at most 4 and at least 2, so that
            one slow step does not hold up the next visitor.
        slice_s: how long a job keeps a worker, in seconds.
        max_active: jobs that share the workers; the rest wait in order of arrival.
        max_jobs: jobs in all; beyond it `submit` refuses.
    """

    def __init__(
        self, n_workers: int | None = None, slice_s: float = 0.02, max_active: int = 12, max_jobs: int = 200
    ) -> None:
        self._n_workers = n_workers or min(4, max(2, os.cpu_count() or 2))
        self._slice_s = slice_s
        self._max_active = max_active
        self._max_jobs = max_jobs
        self._turn: deque[Job] = deque()
        self._errands: deque[Callable[[], None]] = deque()
        self._active: set[Job] = set()
        self._waiting: list[Job] = []
        #: Guards every job's state too; reentrant, and never held while a job computes.
        self.lock = threading.Condition(threading.RLock())
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def submit(
        self,
        make: Callable[[], Iterator[Any]],
        on_item: Callable[[Any], None],
        on_change: Callable[[Job], None] = lambda job: None,
        allowance: int | None = None,
    ) -> Job:
        """Queues a run.

        Args:
            make: builds the generator; called in a worker.
            on_item: gets every item, in a worker.
            on_change: gets the job whenever its state or queue position changed.
            allowance: items after which it pauses; ``None``: none.

        Raises:
            RuntimeError: too many runs wait already.
        """
        job = Job(self, make, on_item, on_change, allowance)
        with self.lock:
            n_jobs = len(self._active) + len(self._waiting)
            if n_jobs >= self._max_jobs:
                raise invalid("the server is busy", f"at most {self._max_jobs} runs", f"{n_jobs} runs", RuntimeError)
            self._start_threads()
            self._rearrange(job)
        return job

    def position(self, job: Job) -> int:
        """1 for the job that gets the next free place; 0 for one that does not wait."""
        with self.lock:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def errand(self, function: Callable[[], None]) -> None:
        """Runs a short function in a worker before any job's next slice."""
        with self.lock:
            self._errands.append(function)
            self._start_threads()
            self.lock.notify()

    def shutdown(self) -> None:
        """Cancels every job and ends the threads."""
        with self.lock:
            self._stopped = True
            jobs = [*self._active, *self._waiting]
            self.lock.notify_all()
        for job in jobs:
            job.cancel()
        for thread in self._threads:
            thread.join(timeout=2.0)

    def _start_threads(self) -> None:
        while len(self._threads) < self._n_workers:
            name = f"qfl-worker-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _rearrange(self, job: Job) -> list[Job]:
        """Puts a job whose state changed into its place; returns the others that moved up."""
        before = list(self._waiting)
        if job.state == "queued":
            self._waiting.append(job)
        else:
            if job in self._waiting:
                self._waiting.remove(job)
            if job in self._turn:
                self._turn.remove(job)
            self._active.discard(job)
        while self._waiting and len(self._active) < self._max_active:
            self._promote(self._waiting.pop(0))
        return [other for other in before if other is not job and before != self._waiting]

    def _promote(self, job: Job) -> None:
        job.state = "running"
        self._active.add(job)
        if not job._busy:
            self._turn.append(job)
            self.lock.notify()

    def _choose(self) -> tuple[Callable[[], None] | None, Job | None]:
        """The next errand, or the next job whose time has come."""
        if self._errands:
            return self._errands.popleft(), None
        now = time.monotonic()
        for job in self._turn:
            if job._due <= now:
                self._turn.remove(job)
                job._busy = True
                return None, job
        return None, None

    def _work(self) -> None:
        while True:
            with self.lock:
                errand, job = self._choose()
                while errand is None and job is None and not self._stopped:
                    now = time.monotonic()
                    self.lock.wait(min((max(0.001, other._due - now) for other in self._turn), default=None))
                    errand, job = self._choose()
                if self._stopped:
                    return
            if errand is not None:
                errand()
                continue
            job._slice(time.monotonic() + self._slice_s)
            with self.lock:
                job._busy = False
                if job in self._active and job.state == "running" and job not in self._turn:
                    self._turn.append(job)
                    self.lock.notify()
            time.sleep(0)  # lets the server's loop take the interpreter


_shared: Scheduler | None = None
_shared_lock = threading.Lock()


def shared_scheduler() -> Scheduler:
    """The one scheduler of this process; its threads start with the first run."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Scheduler()
        return _shared

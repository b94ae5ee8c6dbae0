"""A process-wide, bounded, fair scheduler: many visitors' runs share a few worker threads.

A run is a generator. A worker takes the run that has had the least time so far, asks it for
items for one short slice, and puts it back, so that runs advance side by side: a run whose
single step takes a second gets fewer turns than one whose steps take a millisecond. The more
runs there are, the shorter the slices. A step that does not end in time holds up nobody: while
it lasts, a further thread takes its place. Nothing here knows Panel or Bokeh.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from qfl_explore.dashboards.runs.job import FINAL, LIVE, Job, Wait, paced
from qfl_explore.errors import invalid

__all__ = ["FINAL", "LIVE", "Job", "Scheduler", "Wait", "paced", "shared_scheduler"]

#: Of the worker threads, added to the process's own.
NICENESS = 4
_LOG = logging.getLogger(__name__)


class Scheduler:
    """A few worker threads that advance up to ``max_active`` jobs in turns.

    Args:
        n_workers: threads; ``None``: the machine's cores, at most 4 and at least 2.
        slice_s: how long a job keeps a worker at most, in seconds, where there are few.
        max_active: jobs that share the workers; the rest wait in order of arrival.
        max_jobs: jobs in all; beyond it `submit` refuses.
        round_s: about how long every job should have had a slice, in seconds; slices get shorter for it, down
            to a fifth.
        overrun_s: a slice that lasts longer no longer counts as a worker, in seconds.
        n_extra: threads that may stand in for such ones.
    """

    def __init__(
        self,
        n_workers: int | None = None,
        slice_s: float = 0.02,
        max_active: int = 100,
        max_jobs: int = 300,
        round_s: float = 0.15,
        overrun_s: float = 0.25,
        n_extra: int = 4,
    ) -> None:
        self._n_workers = n_workers or min(4, max(2, os.cpu_count() or 2))
        self._slice_s, self._round_s = slice_s, round_s
        self._overrun_s, self._n_extra = overrun_s, n_extra
        self._max_active = max_active
        self._max_jobs = max_jobs
        self._turn: list[Job] = []
        self._errands: deque[Callable[[], None]] = deque()
        self._active: set[Job] = set()
        self._waiting: list[Job] = []
        self._slices: set[Job] = set()
        self._least_s = 0.0  # a newcomer starts level with those who have had least
        #: Guards every job's state too; reentrant, and never held while a job computes.
        self.lock = threading.Condition(threading.RLock())
        self._threads: list[threading.Thread] = []
        self._watching = False
        self._stopped = False

    def submit(
        self,
        make: Callable[[], Iterator[Any]],
        on_item: Callable[[Any], None],
        on_change: Callable[[Job], None] = lambda job: None,
        allowance: int | None = None,
        weight: float = 1.0,
        used_s: float = 0.0,
    ) -> Job:
        """Queues a run.

        Args:
            make: builds the generator; called in a worker.
            on_item: gets every item, in a worker.
            on_change: gets the job whenever its state or queue position changed.
            allowance: items after which it pauses; ``None``: none.
            weight: 1 for what a visitor looks at, less for what is computed beside it.
            used_s: ``Job.used_s`` of the run that it replaces, so that restarting gains nothing.

        Raises:
            RuntimeError: too many runs wait already.
        """
        with self.lock:
            job = Job(self, make, on_item, on_change, allowance, weight, max(used_s, self._least_s))
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

    def counts(self) -> dict[str, int]:
        """How many runs share the workers (``active``), wait for a place (``queued``), and compute (``busy``)."""
        with self.lock:
            return {"active": len(self._active), "queued": len(self._waiting), "busy": len(self._slices)}

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
        """Under the lock: as many as there should be, not counting those whose slice does not end."""
        now = time.monotonic()
        n_stuck = sum(now - job.begun > self._overrun_s for job in self._slices)
        while len(self._threads) < self._n_workers + min(n_stuck, self._n_extra):
            thread = threading.Thread(target=self._work, name=f"qfl-worker-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="qfl-worker-watch", daemon=True).start()

    def _watch(self) -> None:
        """Lets another thread stand in for one that is stuck in a long step; ends where nothing runs."""
        while True:
            time.sleep(self._overrun_s / 2)
            with self.lock:
                if self._stopped or not (self._active or self._slices):
                    self._watching = False
                    return
                self._start_threads()

    def _superfluous(self) -> bool:
        """Under the lock: whether the calling thread was a stand-in that nobody needs any more."""
        now = time.monotonic()
        n_stuck = sum(now - job.begun > self._overrun_s for job in self._slices)
        if len(self._threads) <= self._n_workers + min(n_stuck, self._n_extra):
            return False
        self._threads.remove(threading.current_thread())
        return True

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
        """The next errand, or, of the jobs whose time has come, the one that had least."""
        if self._errands:
            return self._errands.popleft(), None
        now = time.monotonic()
        job = min((job for job in self._turn if job._due <= now), key=lambda job: job.used_s, default=None)
        if job is None:
            return None, None
        self._turn.remove(job)
        self._least_s = max(self._least_s, job.used_s)
        # who waited on purpose gets no more than one slice of advantage for it
        job.used_s = max(job.used_s, self._least_s - self._slice_s)
        job._busy, job.begun = True, now
        self._slices.add(job)
        return None, job

    def _deadline(self) -> float:
        """Until when the next slice lasts."""
        share = self._round_s * self._n_workers / max(1, len(self._active))
        return time.monotonic() + min(self._slice_s, max(self._slice_s / 5, share))

    def _work(self) -> None:
        _be_nice()
        while True:
            with self.lock:
                if self._superfluous():
                    return
                errand, job = self._choose()
                while errand is None and job is None and not self._stopped:
                    now = time.monotonic()
                    self.lock.wait(min((max(0.001, other._due - now) for other in self._turn), default=None))
                    errand, job = self._choose()
                if self._stopped:
                    return
                deadline = self._deadline()
            try:
                if errand is not None:
                    errand()
                else:
                    job._slice(deadline)
            except BaseException:  # a fault in a callback of one page must not take the worker from the others
                _LOG.exception("a callback of a run failed")
            if job is not None:
                with self.lock:
                    self._put_back(job)
            time.sleep(0)  # lets the server's loop take the interpreter

    def _put_back(self, job: Job) -> None:
        """Under the lock: the slice is over."""
        job.used_s += (time.monotonic() - job.begun) / job._weight
        job._busy, job.begun = False, 0.0
        self._slices.discard(job)
        if job in self._active and job.state == "running" and job not in self._turn:
            self._turn.append(job)
            self.lock.notify()


def _be_nice() -> None:
    """Where cores are few, the thread that answers visitors comes before those that compute (Linux)."""
    with contextlib.suppress(AttributeError, OSError):
        nice = os.getpriority(os.PRIO_PROCESS, os.getpid()) + NICENESS
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


_shared: Scheduler | None = None
_shared_lock = threading.Lock()


def shared_scheduler() -> Scheduler:
    """The one scheduler of this process; its threads start with the first run."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Scheduler()
        return _shared

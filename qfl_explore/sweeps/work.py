"""What a worker does: runs a batch of configs, each with its own time limit, and reports every outcome."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from qfl_explore.results import DONE, FAILED
from qfl_explore.results.record import plain, provenance_of
from qfl_explore.sweeps.registry import Experiment
from qfl_explore.sweeps.threads import limit_threads

#: A task that computes outside Python cannot be interrupted; after so many seconds its process ends.
GRACE_S = 3.0


class Overdue(BaseException):
    """The task took longer than it may."""


class Cancelled(BaseException):
    """The sweep was cancelled."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """What is sent to a worker.

    Attributes:
        sweep: an id, so that a sweep cancels its own tasks only.
        experiment: what to run.
        tasks: place in the grid and config.
        timeout_s: of each task; ``None``: none.
        limit: whether the worker keeps itself to one core.
    """

    sweep: str
    experiment: Experiment
    tasks: tuple[tuple[int, Any], ...]
    timeout_s: float | None = None
    limit: bool = True


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a batch.

    Attributes:
        records: place in the grid and fields of its record; tasks of a cancelled sweep have none.
        seconds: that the tasks took, without importing.
    """

    records: tuple[tuple[int, dict[str, Any]], ...]
    seconds: float


def run_batch(batch: Batch) -> Outcome:
    """Runs the tasks of a batch, one after the other."""
    prepare(batch.experiment, batch.limit)
    records, began = [], time.perf_counter()
    watch = Watch(batch.sweep, batch.timeout_s)
    try:
        for place, config in batch.tasks:
            records.append((place, _run(batch, place, config, watch)))
    except Cancelled:
        pass
    finally:
        watch.close()
    return Outcome(tuple(records), time.perf_counter() - began)


def _run(batch: Batch, place: int, config: Any, watch: Watch) -> dict[str, Any]:
    began = time.perf_counter()
    outcome: dict[str, Any]
    try:
        watch.begin(place)
        try:
            result = batch.experiment.function(config)
            rows = getattr(result, "table", None)
            summary = plain(result.summary())
            summary |= batch.experiment.columns(summary)
            outcome = {"status": DONE, "summary": summary, "rows": [] if rows is None else plain(rows)}
        finally:
            watch.end()
    except Overdue:
        outcome = overdue(batch.timeout_s)
    except MemoryError as error:
        outcome = failure(f"The task ran out of memory. {error}".strip(), "MemoryError")
    except Exception as error:  # whatever a run raises becomes a row
        outcome = failure(str(error) or repr(error), type(error).__name__)
    except SystemExit as error:
        outcome = failure(f"The task ended its process with {error.code!r}.", "SystemExit")
    return outcome | {"seconds": time.perf_counter() - began, "provenance": provenance_of(config)}


def failure(message: str, kind: str) -> dict[str, Any]:
    """Fields of a record that failed."""
    return {"status": FAILED, "error": message, "error_kind": kind}


def overdue(timeout_s: float | None) -> dict[str, Any]:
    """Fields of a record whose task took too long."""
    text = f"The task took too long. Expected: at most {timeout_s:g} s. Received: more; it was stopped."
    return failure(text, "TimeoutError")


def topic_of(sweep: str) -> str:
    """Dask's topic under which a worker says that it must end itself."""
    return f"qfl-explore-overdue-{sweep}"


def prepare(experiment: Experiment, limit: bool = True) -> None:
    """Imports what an experiment needs and limits threads, once in a process."""
    if limit:
        _limited()
    _ = experiment.config_class, experiment.function


@functools.cache
def _limited() -> None:
    limit_threads(1)


_watches: set[Watch] = set()
_cancelled: set[str] = set()  # sweeps; a batch may still be importing
_watches_lock = threading.Lock()


def cancel_sweep(sweep: str) -> int:
    """Interrupts the tasks of a sweep in this process; runs in the worker's loop, beside the task."""
    with _watches_lock:
        _cancelled.add(sweep)
        mine = [watch for watch in _watches if watch.sweep == sweep]
    for watch in mine:
        watch.interrupt()
    return len(mine)


class Watch:
    """Interrupts the task of the thread that made it, when its time is over or its sweep cancelled.

    Python code is interrupted at once, code outside Python when it returns. Where it does not
    return within ``GRACE_S``, and the process is a worker's own, the process ends itself (its
    nanny starts another one) after it has said why.
    """

    def __init__(self, sweep: str, timeout_s: float | None) -> None:
        self.sweep = sweep
        self._timeout_s = timeout_s
        self._thread_id = threading.get_ident()
        self._changed = threading.Condition(threading.RLock())
        self._place: int | None = None
        self._deadline = 0.0
        self._closed = self._told = False
        self._end_process = _process_ender()
        if timeout_s is not None:
            threading.Thread(target=self._wait, name="qfl-watch", daemon=True).start()
        with _watches_lock:
            _watches.add(self)

    def begin(self, place: int) -> None:
        """The thread starts a task."""
        with self._changed:
            if self.sweep in _cancelled:
                raise Cancelled
            self._place = place
            self._told = False
            if self._timeout_s is not None:
                self._deadline = time.monotonic() + self._timeout_s
                self._changed.notify()

    def end(self) -> None:
        """The task is over; no interruption comes after this."""
        with self._changed:
            self._place = None
            _raise_in(self._thread_id, None)

    def interrupt(self) -> None:
        """Cancels the task that is running, if one is."""
        with self._changed:
            if self._place is not None:
                _raise_in(self._thread_id, Cancelled)

    def close(self) -> None:
        """The batch is over."""
        with _watches_lock:
            _watches.discard(self)
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _wait(self) -> None:
        with self._changed:
            while not self._closed:
                left = self._deadline - time.monotonic()
                if self._place is None:
                    self._changed.wait()
                elif left > 0:
                    self._changed.wait(left)
                elif not self._told:
                    self._told = True
                    self._deadline = time.monotonic() + GRACE_S
                    _raise_in(self._thread_id, Overdue)
                else:
                    if self._end_process is not None:
                        self._end_process(topic_of(self.sweep), {"place": self._place})
                    self._changed.wait()


def _raise_in(thread_id: int, kind: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread_id), None if kind is None else ctypes.py_object(kind)
    )


def _process_ender() -> Callable[[str, dict[str, Any]], None] | None:
    """A function that ends this process, where that harms nobody: a worker with a nanny and one thread."""
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:
        return None
    if worker.nanny is None or worker.state.nthreads > 1:
        return None

    def end(topic: str, message: dict[str, Any]) -> None:
        worker.log_event(topic, message)
        time.sleep(0.5)  # the message goes first
        os._exit(1)

    return end

"""A run inside the scheduler: its states, its pace, and how it is paused, stepped and stopped."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.runs.kernel import in_kernel

if TYPE_CHECKING:
    from qfl_explore.dashboards.runs.scheduler import Scheduler

#: What a job may be: only ``running`` jobs get slices, ``queued`` ones wait for a place.
LIVE = ("queued", "running", "paused")
FINAL = ("done", "failed", "cancelled")
_LOG = logging.getLogger(__name__)


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
        if isinstance(item, Wait):
            continue
        wanted, now = rate(), time.monotonic()
        due = now if wanted is None else max(due + 1.0 / wanted, now - 0.05)
        if due > now + 0.005:
            yield Wait(due - now)


class Job:
    """One run inside the scheduler; made by `Scheduler.submit`.

    ``on_item`` runs in a worker thread, ``on_change`` in whichever thread made the change;
    both must be quick and may come once more while `cancel` is on its way.

    Attributes:
        state: ``queued``, ``running``, ``paused``, ``done``, ``failed`` or ``cancelled``.
        error: why it failed.
        used_s: time that it was given, divided by its weight; the smallest goes next.
        begun: when its present slice began (``time.monotonic``); 0 between slices.
        last_item: when it gave its last item, or was made.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        make: Callable[[], Iterator[Any]],
        on_item: Callable[[Any], None],
        on_change: Callable[[Job], None],
        allowance: int | None,
        weight: float = 1.0,
        used_s: float = 0.0,
    ) -> None:
        self._scheduler = scheduler
        self._make = make
        self._iterator: Iterator[Any] | None = None
        self._on_item = on_item
        self._on_change = on_change
        self._allowance = allowance  # items it may still give; None: as many as it has
        self._busy = False
        self._due = 0.0  # not before this time
        self._weight = weight
        self._suspended: tuple[int | None] | None = None  # the allowance it gets back
        self.used_s = used_s
        self.begun = 0.0
        self.last_item = time.monotonic()
        self.state = "queued"
        self.error: BaseException | None = None

    @property
    def resting(self) -> bool:
        """Whether it rests because it asked to."""
        return self._due > time.monotonic()

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

    def suspend(self) -> None:
        """Holds it because nobody looks; `restore` goes on as if nothing had been."""
        with self._scheduler.lock:
            if self.state not in ("running", "queued"):
                return
            allowance = self._allowance
        self._allow(0)
        with self._scheduler.lock:
            self._suspended = (allowance,)

    def restore(self) -> None:
        """Ends `suspend`, if that is what holds it."""
        with self._scheduler.lock:
            held = self._suspended if self.state == "paused" else None
        if held is not None:
            self._allow(*held)

    def _allow(self, count: int | None) -> None:
        with self._scheduler.lock:
            self._allowance, self._suspended = count, None
        if count == 0:
            self._move("paused", within=("running", "queued"))
        else:
            self._move("queued", within=("paused",))

    def _move(self, state: str, error: BaseException | None = None, within: tuple[str, ...] = LIVE) -> None:
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
        except BaseException as error:  # whatever a run raises, even an exit, becomes a message in its own page
            if self.state not in FINAL and _is_a_fault(error):
                _LOG.warning("a run failed", exc_info=error)
            self._move("failed", error)
            return False
        self.last_item = time.monotonic()
        if self._allowance == 0:
            self._move("paused", within=("running",))
        return self.state == "running"


def _is_a_fault(error: BaseException) -> bool:
    """Whether whoever runs the server wants to know where: no refusal of ours, and not because the server ends.

    A notebook has the message, and nobody who reads logs.
    """
    return "Expected: " not in str(error) and threading.main_thread().is_alive() and not in_kernel()

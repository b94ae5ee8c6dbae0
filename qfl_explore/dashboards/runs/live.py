"""A visitor's run: start, pause, step, rewind; results reach the page in coalesced flushes.

The worker thread only collects; the page's function runs on the server's loop, at most one
flush outstanding and flushes at least ``interval`` seconds apart (more where many visitors draw,
see `pacing`, or where the browser is slow, see `audience`), inside ``pn.io.hold``. The worker
touches no Bokeh model.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from qfl_explore.dashboards.runs.audience import audience_of
from qfl_explore.dashboards.runs.in_turn import ask, line_of
from qfl_explore.dashboards.runs.kernel import in_kernel
from qfl_explore.dashboards.runs.pacing import PACER
from qfl_explore.dashboards.runs.scheduler import FINAL, Job, Scheduler, shared_scheduler
from qfl_explore.errors import full_disk

#: Seconds between two flushes; ten pictures a second.
INTERVAL = 0.1
#: Seconds until a browser that is behind is asked again.
SLOW_S = 0.05
#: A run that gives nothing for so many seconds says why.
SILENCE_S = 1.2
#: Who restarts more often than once in so many seconds waits for the others.
RESTART_S = 1.0


@dataclasses.dataclass(frozen=True)
class Update:
    """What one flush brings to the page.

    Attributes:
        run: counts the starts of this handle; a new number means: clear what is drawn.
        items: everything the run gave since the last flush, in order (records, not frames).
        picture: the newest derived picture, or ``None`` where nothing new came.
        state: ``queued``, ``running``, ``paused``, ``done``, ``failed``, ``cancelled``.
        position: place in the queue, 0 where the run does not wait.
        error: a message for the visitor where the run failed, else an empty text.
        waiting: why a running run gives nothing at the moment, else an empty text.
    """

    run: int
    items: list[Any]
    picture: Any
    state: str
    position: int
    error: str
    waiting: str = ""


def message(error: BaseException) -> str:
    """An exception as a sentence for the page; never a traceback."""
    text = full_disk(error) or str(error).strip()
    if "Expected: " in text and "Received: " in text:  # ours
        return text
    if isinstance(error, (ValueError, TypeError, ImportError, RuntimeError)) and text:
        return text
    return f"The run stopped: {type(error).__name__}{': ' + text if text else ''}."


def when_loaded(function: Callable[[], None]) -> None:
    """Calls a function once the visitor's browser shows the page; at once where it does already.

    What is drawn between the page's delivery and the opening of its socket can get lost, so
    runs begin only then. Where the app is only tried out, without a visitor (``panel serve
    --warm``), it is never called; without a server session (a notebook, a test) at once.
    """
    import panel as pn

    document = pn.state.curdoc
    if document is None or in_kernel() or (document.session_context and pn.state.loaded):
        function()
    elif document.session_context:
        pn.state.onload(function)


class RunHandle:
    """One visitor's run and its controls.

    Args:
        on_update: draws; gets an `Update` on the server's loop (without a document, as in
            tests and notebooks: in the worker thread).
        record: item -> what ``Update.items`` keeps of it; cheap, in the worker, every item.
        derive: item -> ``Update.picture``; in the worker, only for items that are shown.
        document: Bokeh document of the session; ``None``: none.
        interval: least time between flushes, in seconds.
        scheduler: who runs it; ``None``: the shared one.
        weight: of its share of the workers: 1 for what the visitor looks at, less for what is computed beside it.
    """

    def __init__(
        self,
        on_update: Callable[[Update], None],
        record: Callable[[Any], Any] = lambda item: item,
        derive: Callable[[Any], Any] = lambda item: item,
        document: Any = None,
        interval: float = INTERVAL,
        scheduler: Scheduler | None = None,
        weight: float = 1.0,
    ) -> None:
        self._on_update = on_update
        self._record = record
        self._derive = derive
        self._document = document
        self._interval = interval
        self._scheduler = scheduler or shared_scheduler()
        self._lock = threading.Lock()
        self._make: Callable[[], Iterator[Any]] | None = None
        self._job: Job | None = None
        self._run = 0
        self._items: list[Any] = []
        self._latest: Any = None
        self._n_given = self._n_derived = 0  # items that came, and those that the newest picture knows of
        self._picture: Any = None
        self._error = ""
        self._first = True
        self._dirty = False
        self._outstanding = False
        self._next_flush = 0.0
        self._closed = False
        self._weight = weight
        self._started = 0.0
        self._waiting = ""
        self._line = line_of(document)
        self._audience = audience_of(document)
        if self._audience is not None:
            self._audience.add(self)
        self.n_flushes = 0
        self.drawn = "idle"  # the state that the page has been told of

    @property
    def drawing(self) -> bool:
        """Whether something is still to be drawn."""
        return self._outstanding

    @property
    def state(self) -> str:
        """The current run's state; ``idle`` before the first."""
        return self._job.state if self._job else "idle"

    def start(self, make: Callable[[], Iterator[Any]], allowance: int | None = None) -> None:
        """Cancels the current run and starts another.

        Args:
            make: builds the generator; called in a worker.
            allowance: items after which it pauses; ``None``: runs on.
        """
        with self._lock:
            if self._closed:
                return
            old, self._job = self._job, None
            self._make = make
            self._run += 1
            self._items, self._latest, self._picture = [], None, None
            self._n_given = self._n_derived = 0
            self._error, self._first, self._dirty, self._waiting = "", True, False, ""
            self.drawn = "queued"
            run = self._run
            now = time.monotonic()
            hasty, self._started = now - self._started < RESTART_S, now
        if old is not None:
            old.cancel()
        try:
            job = self._scheduler.submit(
                make,
                lambda item: self._collect(run, item),
                lambda job: self._changed(run, job),
                allowance,
                self._weight,
                old.used_s if old is not None and hasty else 0.0,
            )
        except RuntimeError as error:
            self._on_update(Update(run, [], None, "failed", 0, message(error)))
            return
        with self._lock:
            current = self._run == run and not self._closed
            if current:
                self._job = job
        if not current:
            job.cancel()
        elif job.state in FINAL or job.state == "queued":
            self._changed(run, job)
        if self._audience is not None and self._audience.away:
            job.suspend()

    def rewind(self, allowance: int | None = 1) -> None:
        """The same run from its beginning (same seed), by default paused at its first item."""
        if self._make is not None:
            self.start(self._make, allowance)

    def pause(self) -> None:
        """Pauses; what was computed stays."""
        if self._job:
            self._job.pause()

    def resume(self) -> None:
        """Goes on."""
        if self._job:
            self._job.resume()

    def step(self, count: int = 1) -> None:
        """Gives ``count`` more items, then pauses."""
        if self._job:
            self._job.pause()
            self._job.step(count)

    def cancel(self) -> None:
        """Stops the run for good; the handle can start another."""
        if self._job:
            self._job.cancel()

    def close(self, *_: Any) -> None:
        """The session ended: cancels, and flushes nothing any more."""
        with self._lock:
            self._closed = True
            job = self._job
        if job:
            job.cancel()

    def suspend(self) -> None:
        """Nobody looks: the run rests."""
        if self._job:
            self._job.suspend()

    def restore(self) -> None:
        """Somebody looks again: the run goes on where it was, and the page is brought up to date."""
        job, run = self._job, self._run
        if job:
            job.restore()
            self._scheduler.errand(lambda: self._offer(run))

    def look(self) -> None:
        """Says so in the page if the run gives nothing for a while; on the loop, now and then."""
        job = self._job
        silent = job is not None and job.state == "running" and time.monotonic() - job.last_item > SILENCE_S
        waiting = self._reason(job) if silent else ""
        if waiting != self._waiting:
            self._waiting, run = waiting, self._run
            self._scheduler.errand(lambda: self._offer(run))

    def _reason(self, job: Job) -> str:
        if job.begun and time.monotonic() - job.begun > SILENCE_S:
            return "computing a long step"
        n_others = self._scheduler.counts()["active"] - 1
        return (
            f"waiting for its turn, {n_others} other runs share this server" if n_others > 2 and not job.resting else ""
        )

    def _collect(self, run: int, item: Any) -> None:
        record = self._record(item)
        with self._lock:
            if run != self._run or self._closed:
                return
            self._items.append(record)
            self._latest = item
            self._n_given += 1
            rested = not self._outstanding and time.monotonic() >= self._next_flush
            due, self._first = rested or self._first, False
        if due:
            self._offer(run)

    def _changed(self, run: int, job: Job) -> None:
        if job.state == "cancelled":
            return
        if job.state == "paused":
            self._scheduler.errand(lambda: self._offer(run))
        else:
            self._offer(run)

    def _offer(self, run: int) -> None:
        """Derives the newest picture (here, in the worker) and asks for a flush."""
        with self._lock:
            if run != self._run or self._closed:
                return
            latest, self._latest, n_known = self._latest, None, self._n_given
        picture, error = None, ""
        try:
            picture = self._derive(latest) if latest is not None else None
        except Exception as problem:  # becomes a message in the page
            error = message(problem)
        with self._lock:
            if run != self._run or self._closed:
                return
            self._error = self._error or error
            if latest is not None and n_known > self._n_derived:  # else another thread was quicker with a newer one
                self._n_derived = n_known
                self._picture = picture if picture is not None else self._picture
            self._dirty = True
            if self._outstanding:
                return
            self._outstanding = True
            # a regular beat: a little late now is made up for, a pause is not
            interval = PACER.interval(self._interval) if self._document is not None else self._interval
            self._next_flush = max(self._next_flush + interval, time.monotonic() + 0.8 * interval)
        self._schedule(self._flush)

    def _schedule(self, function: Callable[[], None]) -> None:
        if self._document is None:
            function()
            return
        if self._line is not None:
            self._line.enter(self._document, function)
        else:
            ask(self._document, function)

    def _flush(self) -> None:
        """On the server's loop: hands over everything collected so far, if the browser keeps up."""
        if self._audience is not None and not self._closed and not self._audience.ready():
            with contextlib.suppress(RuntimeError, AttributeError):  # the document is gone
                self._document.add_timeout_callback(lambda: self._schedule(self._flush), int(1000 * SLOW_S))
            return
        with self._lock:
            if self._closed:
                return
            job, run = self._job, self._run
            state = job.state if job else "queued"  # before the items: those of a run that is done are all there
            items, self._items = self._items, []
            picture, self._picture = self._picture, None
            error, self._dirty = self._error, False
            if state in ("done", "failed") and self._n_derived < self._n_given:
                state = "running"  # its last picture is on its way, and says so then
        update = Update(
            run,
            items,
            picture,
            state,
            job.position if job else 0,
            message(job.error) if job and job.error else error,
            self._waiting,
        )
        try:
            self._show(update)
        finally:
            with self._lock:
                self.drawn = update.state
                self.n_flushes += 1
                cancelled = job is not None and job is self._job and job.state == "cancelled" != update.state
                self._outstanding = again = self._dirty or cancelled  # cancelled while it was drawn: nobody tells
            if again:
                self._schedule(self._flush)

    def _show(self, update: Update) -> None:
        """Lets the page draw, and notes what it cost."""
        begin = time.monotonic()
        with self._held():
            self._on_update(update)
        if self._document is not None:
            PACER.note(id(self), time.monotonic() - begin)
        if self._audience is not None:
            self._audience.sent()

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """The document is the current one and holds its changes.

        A flush may have been asked for by what another visitor did, whose document is the current one then.
        """
        if self._document is None:
            yield
            return
        import panel as pn
        from panel.io.state import set_curdoc

        with set_curdoc(self._document if self._document.session_context else None), pn.io.hold(self._document):
            yield

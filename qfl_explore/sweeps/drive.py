"""Runs a grid: sends what the store does not have to Dask, keeps what comes back, says how far it is."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import math
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qfl_explore.errors import check_int, invalid
from qfl_explore.results import Record, ResultStore
from qfl_explore.sweeps.cluster import connect, dashboard_link, repair
from qfl_explore.sweeps.grid import Grid
from qfl_explore.sweeps.progress import Progress, shown_here, silent
from qfl_explore.sweeps.work import Batch, Outcome, cancel_sweep, failure, overdue, run_batch, topic_of

if TYPE_CHECKING:
    from distributed import Client, Future

#: Short tasks are sent together until they take about so long.
BATCH_S = 0.25
MAX_BATCH = 500
#: Batches that a worker has: one that it computes and one that waits there.
AHEAD = 2
#: After so many deaths of workers that had a task, the task is tried once more with nothing beside it.
MAX_DEATHS = 2
#: What has been computed is fetched within so many seconds, or asked for once more.
FETCH_S = 2.0
#: At most so long between two items of a stream.
TICK_S = 0.1
_MEMORY_TOPIC = "worker-restart-memory"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How a sweep is run.

    Args:
        retry: whether points whose last attempt failed are tried again.
        timeout_s: seconds that one task may take; ``None``: any time.
        batch: tasks that are sent together; ``None``: as their length suggests.
        kind: ``processes`` or ``threads``, of the cluster that starts by itself.
        n_workers: of that cluster; ``None``: one for each core.

    Raises:
        ValueError: a value is out of range.
    """

    retry: bool = False
    timeout_s: float | None = None
    batch: int | None = None
    kind: str = "processes"
    n_workers: int | None = None

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not 0 < self.timeout_s < math.inf:
            raise invalid("timeout_s is out of range", "seconds above 0, or None", f"timeout_s={self.timeout_s}")
        if self.batch is not None:
            check_int("batch", self.batch, 1)


def run(
    grid: Grid,
    client: Client | str | None = None,
    store: ResultStore | str | Path | None = None,
    progress: Callable[[Progress], None] | bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Computes what the store does not have yet; returns the whole grid as one table.

    Call it again to go on after an interruption, and with ``retry=True`` to try failed points
    once more.

    Args:
        grid: what to compute.
        client: a Dask client, the address of a scheduler, or ``None`` (see `cluster.connect`).
        store: a store, or a path or URL of one; ``None`` for the user's own.
        progress: gets every `Progress`; ``True`` shows a line (a bar in a notebook), ``False`` is silent.
        **options: of `Options`.

    Returns:
        One row for each point, in the grid's order: settings, summary, provenance. A point that
        failed is a row, too: ``status`` is ``failed`` and ``error`` says why.
    """
    show = progress if callable(progress) else shown_here() if progress else silent
    with _opened(store) as kept:
        for item in stream(grid, client, kept, **options):
            show(item)
        return kept.table(keys=list(dict.fromkeys(grid.keys())))


@contextlib.contextmanager
def _opened(store: ResultStore | str | Path | None) -> Iterator[ResultStore]:
    """The store itself, or the one at a path or URL, which is closed again."""
    if isinstance(store, ResultStore):
        yield store
    else:
        with contextlib.closing(ResultStore(store)) as ours:
            yield ours


def stream(
    grid: Grid,
    client: Client | str | None = None,
    store: ResultStore | str | Path | None = None,
    **options: Any,
) -> Iterator[Progress]:
    """As `run`; yields ten times a second.

    The first item has the records that the store knows already. Nothing new is sent to the
    workers while the caller does not ask for the next item, which is how to pause; closing the
    generator interrupts the tasks that are running.

    Raises:
        ValueError: the grid has an impossible point, or the scheduler cannot be reached.
        RuntimeError: the scheduler went away.
    """
    chosen = Options(**options)
    with _opened(store) as kept:
        sweep = _Sweep(grid, kept, chosen)
        yield sweep.progress(sweep.known)
        if sweep.pending:
            yield dataclasses.replace(sweep.progress(), note="starting workers")
            with connect(client, chosen.kind, chosen.n_workers) as connected:
                yield from sweep.drive(connected)


class _Sweep:
    """One pass over a grid."""

    def __init__(self, grid: Grid, store: ResultStore, options: Options) -> None:
        self.id = uuid.uuid4().hex
        self.grid, self.store, self.options = grid, store, options
        self.configs = dict(zip(grid.keys(), grid.configs(), strict=True))
        self.keys = list(self.configs)
        found = store.get_all(self.keys)
        if options.retry:
            found = {key: record for key, record in found.items() if record.ok}
        self.known = tuple(found.values())
        self.n_known = sum(record.ok for record in self.known)
        self.n_done, self.n_failed = self.n_known, len(self.known) - self.n_known
        self.pending = collections.deque(place for place, key in enumerate(self.keys) if key not in found)
        self.suspects: collections.deque[int] = collections.deque()  # each was with a worker that died
        self.accused: collections.deque[int] = collections.deque()  # each was so MAX_DEATHS times
        self.on_trial: int | None = None
        self.deaths: collections.Counter[int] = collections.Counter()
        self.sent: dict[Future, tuple[int, ...]] = {}
        self.recent: collections.deque[tuple[int, float]] = collections.deque(maxlen=32)
        self.began = time.monotonic()
        self.n_slots, self.link = 0, ""
        self._counted = -math.inf

    def progress(self, new: tuple[Record, ...] = ()) -> Progress:
        """How far it is."""
        left = len(self.keys) - self.n_done - self.n_failed
        each = self.task_s
        return Progress(
            total=len(self.keys),
            done=self.n_done,
            failed=self.n_failed,
            known=self.n_known,
            new=new,
            running=sum(map(len, self.sent.values())),
            seconds=time.monotonic() - self.began,
            remaining_s=left * each / max(1, self.n_slots) if left else 0.0,
            task_s=each,
            batch=self._batch_size(),
            n_workers=self.n_slots,
            dashboard_link=self.link,
            note=self._note() if left else "",
        )

    def _note(self) -> str:
        if not self.n_slots:
            return "waiting for a worker" if math.isfinite(self._counted) else ""
        return "" if self.recent else "the workers load what they need, once"

    @property
    def task_s(self) -> float:
        """Mean time of the tasks of the last batches."""
        n_tasks = sum(count for count, _ in self.recent)
        return sum(seconds for _, seconds in self.recent) / n_tasks if n_tasks else math.nan

    def drive(self, client: Client) -> Iterator[Progress]:
        """Sends, receives and keeps until nothing is left."""
        from distributed import as_completed

        self.link = dashboard_link(client)
        completed = as_completed([], loop=client.loop)
        told = 0.0
        with _one_core_each(client), self._ended(client):
            while self.pending or self.suspects or self.accused or self.sent:
                self._send(client, completed)
                ended = completed.next_batch(block=False)
                new = self._keep([record for future in ended for record in self._take(client, completed, future)])
                now = time.monotonic()
                if new or now - told >= TICK_S:
                    told = now
                    yield self.progress(new)
                else:
                    _wait(completed)

    @contextlib.contextmanager
    def _ended(self, client: Client) -> Iterator[None]:
        """Interrupts what is running when the caller leaves; says so where the scheduler has left."""
        try:
            yield
        except Exception as error:
            if client.status == "running":
                raise
            raise _scheduler_gone(f"the client is {client.status}") from error
        finally:
            if self.sent:
                with contextlib.suppress(Exception):
                    client.cancel(list(self.sent), force=True)
                    client.run(cancel_sweep, self.id, on_error="ignore")
                self.sent.clear()

    def _keep(self, records: list[Record]) -> tuple[Record, ...]:
        if not records:
            return ()
        self.store.put_all(records)
        n_done = sum(record.ok for record in records)
        self.n_done += n_done
        self.n_failed += len(records) - n_done
        return tuple(records)

    def _send(self, client: Client, completed: Any) -> None:
        self._count_workers(client)
        while self.pending and len(self.sent) < AHEAD * self.n_slots:
            size = min(self._batch_size(), len(self.pending))
            self._submit(client, completed, tuple(self.pending.popleft() for _ in range(size)))
        while self.suspects and not self.pending and len(self.sent) < self.n_slots:
            self._submit(client, completed, (self.suspects.popleft(),))
        if self.accused and self.n_slots and not (self.pending or self.suspects or self.sent):
            self.on_trial = self.accused.popleft()
            self._submit(client, completed, (self.on_trial,))

    def _submit(self, client: Client, completed: Any, places: tuple[int, ...]) -> None:
        tasks = tuple((place, self.configs[self.keys[place]]) for place in places)
        batch = Batch(self.id, self.grid.definition, tasks, self.options.timeout_s, not _is_here(client))
        key = f"{self.grid.name}-{self.id[:8]}-{uuid.uuid4().hex[:8]}"
        future = client.submit(run_batch, batch, key=key, pure=False)
        self.sent[future] = places
        completed.add(future)

    def _batch_size(self) -> int:
        if self.options.batch is not None:
            return self.options.batch
        each = self.task_s
        if not math.isfinite(each):
            return 1
        fair = math.ceil(len(self.pending) / (AHEAD * max(1, self.n_slots)))
        return max(1, min(int(BATCH_S / max(each, 1e-6)), fair, MAX_BATCH))

    def _count_workers(self, client: Client) -> None:
        if time.monotonic() - self._counted > (1.0 if self.n_slots else 0.1):
            repair(client)
            self.n_slots = sum(client.nthreads().values())
            self._counted = time.monotonic()

    def _take(self, client: Client, completed: Any, future: Future) -> list[Record]:
        """What came of one batch."""
        from distributed import CancelledError, KilledWorker
        from distributed import TimeoutError as Late

        places = self.sent.pop(future)
        try:
            return self._finished(places, future.result(timeout=FETCH_S))
        except Late:  # its worker died before the outcome was fetched, and Dask computes it again
            self.sent[future] = places
            completed.add(future)
            return []
        except CancelledError as error:
            raise _scheduler_gone("a batch was cancelled") from error
        except KilledWorker as error:
            return self._killed(client, places, error)
        except Exception as error:
            text = f"The worker could not run the task: {type(error).__name__}: {error}"
            return [self._record(place, failure(text, type(error).__name__)) for place in places]

    def _finished(self, places: tuple[int, ...], outcome: Outcome) -> list[Record]:
        if outcome.records:
            self.recent.append((len(outcome.records), outcome.seconds))
        missing = set(places) - {place for place, _ in outcome.records}
        self.pending.extendleft(sorted(missing, reverse=True))
        return [self._record(place, fields) for place, fields in outcome.records]

    def _killed(self, client: Client, places: tuple[int, ...], error: Any) -> list[Record]:
        """A worker died, and with it a batch or two. Whose fault was it?

        Each task is tried again by itself, at last with nothing beside it; if a worker dies
        then, the task is to blame.
        """
        self._counted = -math.inf
        late = {event["place"] for event in _events(client, topic_of(self.id))}
        if places == (self.on_trial,) and not late:
            time.sleep(0.3)  # what its nanny has to say may still be on its way
        full = {event["worker"]: event["rss"] for event in _events(client, _MEMORY_TOPIC)}
        n_bytes = full.get(getattr(error.last_worker, "address", ""))
        records = []
        for place in places:
            self.deaths[place] += 1
            if place in late:
                records.append(self._record(place, overdue(self.options.timeout_s)))
            elif place == self.on_trial:
                n_deaths = self.deaths[place]
                records.append(self._record(place, _died(n_deaths) if n_bytes is None else _too_large(n_bytes)))
            else:
                (self.accused if self.deaths[place] >= MAX_DEATHS else self.suspects).append(place)
        return records

    def _record(self, place: int, outcome: dict[str, Any]) -> Record:
        return Record.of(self.grid.name, self.configs[self.keys[place]], **outcome)


def _wait(completed: Any) -> None:
    """Until a batch ends, and half a tick at most."""
    with completed.thread_condition:
        if completed.queue.empty():
            completed.thread_condition.wait(TICK_S / 2)


def _is_here(client: Client) -> bool:
    """Whether the workers are threads of this process, whose settings are not theirs alone."""
    return str(getattr(client.scheduler, "address", "")).startswith("inproc://")


def _one_core_each(client: Client) -> contextlib.AbstractContextManager[Any]:
    """Limits BLAS while threads of this process compute; worker processes limit themselves."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1) if _is_here(client) else contextlib.nullcontext()


def _events(client: Client, topic: str) -> list[dict[str, Any]]:
    """What workers and nannies have said under a topic."""
    said: Any = client.get_events(topic)  # not a coroutine: the client is a synchronous one
    return [event for _, event in said or ()]


def _scheduler_gone(how: str) -> Exception:
    expected = "a scheduler that lives as long as the sweep; results so far are kept, call again to go on"
    return invalid("the scheduler went away", expected, how, RuntimeError)


def _too_large(n_bytes: float) -> dict[str, Any]:
    text = "The task needs too much memory. Expected: less than its worker may use. "
    return failure(text + f"Received: {n_bytes / 2**30:.2f} GiB; the worker was ended.", "MemoryError")


def _died(n_times: int) -> dict[str, Any]:
    text = "The worker died while it ran the task. Expected: a worker that lives through it. "
    return failure(
        text + f"Received: {n_times} workers that died, the last one with nothing else to do.", "KilledWorker"
    )

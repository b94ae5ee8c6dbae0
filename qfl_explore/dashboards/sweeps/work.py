"""A visitor's sweep: runs on one small cluster that all visitors share, and is turned into pictures in a worker."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from qfl_explore.dashboards.runs.scheduler import Wait

if TYPE_CHECKING:
    from qfl_explore.plots.sweeps import Picture, Shape
    from qfl_explore.results import Record
    from qfl_explore.sweeps import Grid, Progress

#: Between two looks at the cluster; longer than a sweep's own tick, so that a look holds no worker of the app.
LOOK_S = 0.12
#: No row of a page may hold the workers, which are everybody's, for longer.
TIMEOUT_S = 60.0
#: Columns that say how a row went; behind the axes and results in tables.
_OUTCOME = ("status", "error", "seconds")


def n_workers() -> int:
    """Worker processes for all visitors together: the cores, less one for the pages, and at most 4."""
    from qfl_explore.simulation.chunks import n_cores

    return max(1, min(4, n_cores() - 1))


@dataclasses.dataclass(frozen=True)
class Seen:
    """What is shown of a sweep at one moment; made in a worker.

    Attributes:
        progress: of the sweep.
        table: one row for each record so far, axes first.
        pictures: small multiples.
        newest: the last rows, shortened.
        failures: rows that failed, shortened.
        means: of the pictures, see `plots.sweeps.means`.
    """

    progress: Progress
    table: pd.DataFrame
    pictures: list[Picture]
    newest: pd.DataFrame
    failures: pd.DataFrame
    means: pd.DataFrame


class SweepWork:
    """One run of a grid; its iterator is what the app's scheduler advances.

    The rows are computed by worker processes of this machine (one cluster for all visitors, see
    `n_workers`) or by the cluster that the environment names. Here they are only waited for.

    Args:
        grid: what to compute.
        retry: whether rows that failed before are computed again.
        store: where rows are kept; ``None``: the server's own.
    """

    def __init__(self, grid: Grid, retry: bool = False, store: Any = None) -> None:
        self.grid = grid
        self._retry, self._store = retry, store
        self._records: dict[str, Record] = {}
        self._last: tuple[Any, Seen] | None = None
        self._n_items = 0
        self._generator: Iterator[Any] | None = None
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Any]:
        self._generator = self._items()
        return self._generator

    def _items(self) -> Iterator[Any]:
        from qfl_explore.sweeps import stream

        options = {"retry": self._retry, "timeout_s": TIMEOUT_S, "n_workers": n_workers()}
        for progress in stream(self.grid, None, self._store, **options):
            with self._lock:
                self._records |= {record.key: record for record in progress.new}
                self._n_items += bool(progress.new)
            yield progress
            if not progress.finished:
                yield Wait(LOOK_S)

    def stop(self) -> None:
        """Interrupts what is being computed; returns at once."""
        threading.Thread(target=self._close, name="qfl-sweep-stop", daemon=True).start()

    def _close(self) -> None:
        """Closes the generator as soon as nobody is inside it (a cluster may be starting there)."""
        end = time.monotonic() + 90.0
        while self._generator is not None and time.monotonic() < end:
            try:
                self._generator.close()
                return
            except ValueError:  # it is running
                time.sleep(0.02)

    def seen(self, progress: Progress, shape: Shape) -> Seen:
        """What is to be shown; takes 20 ms for a hundred rows, and nothing where no row is new.

        Args:
            progress: the newest.
            shape: which axis goes where.
        """
        with self._lock:
            records, mark = list(self._records.values()), (self._n_items, shape)
        if self._last is not None and self._last[0] == mark:
            return dataclasses.replace(self._last[1], progress=progress)
        found = self._made(records, progress, shape)
        self._last = (mark, found)
        return found

    def _made(self, records: list[Record], progress: Progress, shape: Shape) -> Seen:
        from qfl_explore.plots.sweeps import means, pictures
        from qfl_explore.results import table_of

        table = ordered(table_of(records), self.grid)
        if shape.y not in table:
            table = table.assign(**{shape.y: float("nan")})
        axes = [name for name in self.grid.axis_names if name in table]
        failed = table[table["status"] == "failed"] if len(table) else table
        averaged = means(table, shape)
        return Seen(
            progress,
            table,
            pictures(table, shape, averaged),
            _short(table.tail(8).iloc[::-1], [*axes, shape.y, "seconds", "status"]),
            _short(failed, [*axes, "error_kind", "error"]),
            averaged,
        )


def _short(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return table[[name for name in dict.fromkeys(names) if name in table]]


def ordered(table: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The table with what varies in front: axes, how the row went, results, then all else."""
    settings = set(grid.definition.config_class.__dataclass_fields__)
    axes = [name for name in grid.axis_names if name in table]
    rest = [name for name in table if name not in (*axes, *_OUTCOME)]
    results = [name for name in rest if name.split(".")[0] not in settings and name != "experiment"]
    others = [name for name in rest if name not in results]
    outcome = [name for name in _OUTCOME if name in table]
    return table[[*axes, *outcome, *results, *others]]

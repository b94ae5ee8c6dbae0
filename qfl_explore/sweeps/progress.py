"""What a sweep says while it runs, and how that looks in a terminal."""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import Any, TextIO

from qfl_explore.results import Record


@dataclasses.dataclass(frozen=True)
class Progress:
    """A sweep so far.

    Attributes:
        total: points of the grid.
        done: points that have a result, those found in the store included.
        failed: points that have failed and have no result.
        known: points that were in the store when the sweep began (a part of ``done``).
        new: records since the last item, each once.
        running: points that are with the workers.
        seconds: since the sweep began.
        remaining_s: estimated; NaN while nothing is known, 0 at the end.
        task_s: mean time of a task where it ran, without importing; NaN while nothing is known.
        batch: tasks that are sent together now.
        n_workers: threads of all workers together.
        dashboard_link: of the Dask scheduler; empty where there is none.
        note: what is being waited for, if anything.
    """

    total: int
    done: int = 0
    failed: int = 0
    known: int = 0
    new: tuple[Record, ...] = ()
    running: int = 0
    seconds: float = 0.0
    remaining_s: float = math.nan
    task_s: float = math.nan
    batch: int = 1
    n_workers: int = 0
    dashboard_link: str = ""
    note: str = ""

    @property
    def left(self) -> int:
        """Points without a result or a failure."""
        return self.total - self.done - self.failed

    @property
    def fraction(self) -> float:
        """Of the points, from 0 to 1."""
        return (self.done + self.failed) / self.total if self.total else 1.0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.left == 0

    def text(self) -> str:
        """One line for people.

        >>> Progress(total=40, done=12, failed=1, seconds=10, remaining_s=75.0, n_workers=2).text()
        '13 of 40 (32 %), 1 failed, about 1 min 15 s left, 2 workers'
        """
        ended = self.done + self.failed
        words = [f"{ended} of {self.total} ({100 * ended // max(1, self.total)} %)"]
        if self.failed:
            words.append(f"{self.failed} failed")
        if self.finished:
            words.append(f"took {duration(self.seconds)}")
        elif self.note:
            words.append(self.note)
        elif math.isfinite(self.remaining_s):
            words.append(f"{'about ' * (self.remaining_s >= 1)}{duration(self.remaining_s)} left")
        if self.n_workers:
            words.append(f"{self.n_workers} worker{'s' * (self.n_workers != 1)}")
        return ", ".join(words)


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(0.4), duration(75), duration(7322)
    ('less than 1 s', '1 min 15 s', '2 h 2 min')
    """
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 1:
        return "less than 1 s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Line:
    """Writes progress: one line that is rewritten in a terminal or notebook, a new line every 10 s elsewhere.

    Args:
        file: where to; ``None`` for standard error.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = sys.stderr if file is None else file
        self._live = self._file.isatty() or type(self._file).__module__.startswith("ipykernel")
        self._width = 0
        self._next = 0.0
        self._link = ""

    def __call__(self, progress: Progress) -> None:
        """Shows one item of a stream."""
        if progress.dashboard_link not in ("", self._link):
            self._link = progress.dashboard_link
            self._print(f"Dask dashboard: {self._link}", fresh=True)
        if self._live:
            self._print(progress.text(), fresh=progress.finished)
        elif progress.finished or progress.seconds >= self._next:
            self._next = progress.seconds + 10.0
            self._print(progress.text(), fresh=True)

    def _print(self, text: str, fresh: bool) -> None:
        start = "\r" if self._live else ""
        self._file.write(start + text.ljust(self._width) + ("\n" if fresh else ""))
        self._width = 0 if fresh else len(text)
        self._file.flush()


def silent(progress: Any) -> None:
    """Shows nothing."""

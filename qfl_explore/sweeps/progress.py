"""What a sweep says while it runs, and how that looks in a terminal and in a notebook."""

from __future__ import annotations

import dataclasses
import html
import math
import sys
from collections.abc import Callable
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
    """Writes progress: one line that is rewritten in a terminal, a new line every 10 s elsewhere.

    Args:
        file: where to; ``None`` for standard error.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = sys.stderr if file is None else file
        self._live = self._file.isatty()
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


class Cell:
    """Shows progress below a notebook's cell: a bar and one line, drawn anew in place; no widget is needed."""

    def __init__(self) -> None:
        self._shown: Any = None
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        """Shows one item of a stream, at most five times a second, and the last one for sure."""
        from IPython.display import HTML, display

        if self._shown is not None and progress.seconds < self._next and not progress.finished:
            return
        self._next = progress.seconds + 0.2
        drawn = HTML(as_html(progress))
        if self._shown is None:
            self._shown = display(drawn, display_id=True)
        else:
            self._shown.update(drawn)


def as_html(progress: Progress) -> str:
    """A bar with its line, and the link to Dask's dashboard where there is one.

    >>> as_html(Progress(total=4, done=1, seconds=3.0, remaining_s=9.0))
    '<progress max="4" value="1" aria-label="sweep"></progress> 1 of 4 (25 %), about 9 s left'
    """
    ended, link = progress.done + progress.failed, html.escape(progress.dashboard_link, quote=True)
    bar = f'<progress max="{max(1, progress.total)}" value="{ended}" aria-label="sweep"></progress>'
    place = f' · <a href="{link}" target="_blank" rel="noopener">Dask dashboard</a>' if link else ""
    return f"{bar} {html.escape(progress.text())}{'' if progress.finished else place}"


def shown_here() -> Callable[[Progress], None]:
    """What shows progress where this runs: `Cell` in a notebook, `Line` elsewhere."""
    return Cell() if type(sys.stdout).__module__.startswith("ipykernel") else Line()


def silent(progress: Any) -> None:
    """Shows nothing."""

"""``qfl-explore data get NAME``: shows the licence, asks, fetches with progress, and loads what came."""

from __future__ import annotations

import sys
import time

import typer

from qfl_explore.datasets import load
from qfl_explore.datasets.getting import LicenceNotAccepted, Progress, get, licence_text
from qfl_explore.errors import invalid

#: Seconds between two lines of progress: on a terminal, and elsewhere.
EVERY = (0.2, 10.0)
INTERRUPTED = 130


def fetch(name: str, yes: bool = False, limit: int | None = None) -> str:
    """Fetches a data set and says what it is.

    Args:
        name: of the data set.
        yes: whether the licence is accepted already.
        limit: of PTB-XL, the first so many records only.

    Returns:
        Where it is, how many samples it has, and how many records were left out.

    Raises:
        ValueError: there is nothing to fetch, or the licence is not accepted.
        DownloadError: a file cannot be had.
        typer.Exit: with code 130 after Ctrl-C; what arrived is kept.
    """
    typer.echo(licence_text(name))
    if not (yes or _asked()):
        expected = "your yes, or the option --yes"
        raise invalid(f"the licence of {name!r} is not accepted", expected, "no", LicenceNotAccepted)
    show = Line()
    try:
        folder = get(name, True, limit=limit, progress=show)
    except KeyboardInterrupt:
        show.end()
        typer.echo(f"Stopped. What arrived is kept; qfl-explore data get {name} goes on from there.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        show.end()
    options = {"limit": limit} if limit is not None else {}
    data = load(name, folder=folder, **options)
    lines = [f"{data.title} is here: {folder}", f"{data.n_samples} samples, {data.n_modalities} modalities"]
    if data.problems:
        lines.append(f"{len(data.problems)} records were left out; the first: {data.problems[0]}")
    return "\n".join(lines)


def _asked() -> bool:
    try:
        return typer.confirm("Do you accept the licence, and shall it be fetched?", default=False)
    except typer.Abort:  # nobody is there to answer
        typer.echo()  # the error gets a line of its own
        return False


class Line:
    """One line of progress on stderr: rewritten on a terminal, repeated now and then elsewhere."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self._next = 0.0
        self._open = False

    def __call__(self, progress: Progress) -> None:
        """Shows how far it is, unless it has just done so."""
        now = time.monotonic()
        if now < self._next and progress.n_files < progress.total_files:
            return
        self._next = now + EVERY[not self.terminal]
        text = f"{progress.n_files} of {progress.total_files} files, {progress.n_bytes / 1e6:.1f} MB, {progress.file}"
        typer.echo(f"\r{text[:100]:<100}" if self.terminal else text, nl=not self.terminal, err=True)
        self._open = self.terminal

    def end(self) -> None:
        """Ends a line that is being rewritten."""
        if self._open:
            typer.echo("", err=True)
        self._open = False

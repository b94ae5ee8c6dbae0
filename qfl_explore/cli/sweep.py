"""What ``qfl-explore sweep`` does: read a grid, go on where it stopped, say how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from qfl_explore.errors import invalid

if TYPE_CHECKING:
    from qfl_explore.results import ResultStore
    from qfl_explore.sweeps import Grid

#: A shell's code for "ended by Ctrl-C".
INTERRUPTED = 130
MOST_FAILURES = 10


def run_file(
    file: Path,
    *,
    store: str | None = None,
    scheduler: str | None = None,
    csv: Path | None = None,
    dry_run: bool = False,
    **options: Any,
) -> int:
    """Runs the grid of a file.

    Args:
        file: TOML, see `sweeps.Grid.from_toml`.
        store: a path or URL; ``None`` for the user's own.
        scheduler: address of a Dask scheduler; ``None``: the environment's, or this machine.
        csv: where the table is written as well, once the sweep is over.
        dry_run: only checks and counts.
        **options: of `sweeps.Options`.

    Returns:
        0 if every point has a result, 1 if some failed, 130 after Ctrl-C.

    Raises:
        ValueError: the file, the store or the scheduler cannot be used.
    """
    from qfl_explore.results import ResultStore
    from qfl_explore.sweeps import Grid

    grid = Grid.from_toml(file)
    keys = list(dict.fromkeys(grid.keys()))
    _check_csv(csv)
    kept = ResultStore(store)
    _say_plan(grid, keys, kept)
    if dry_run:
        return 0
    try:
        table = _computed(grid, scheduler, kept, options)
    except KeyboardInterrupt:
        n_done = sum(record.ok for record in kept.get_all(keys).values())
        typer.echo(f"\nStopped. {n_done} of {len(keys)} rows are kept; the same command goes on.", err=True)
        return INTERRUPTED
    if csv is not None:
        table.to_csv(csv, index=False)
        typer.echo(f"Table with {len(table)} rows and {len(table.columns)} columns: {csv}")
    return _say_outcome(table, kept)


def _computed(grid: Grid, scheduler: str | None, kept: ResultStore, options: dict[str, Any]) -> Any:
    from qfl_explore.sweeps import run

    return run(grid, client=scheduler, store=kept, **options)


def _check_csv(csv: Path | None) -> None:
    if csv is not None and not csv.resolve().parent.is_dir():
        raise invalid("--csv cannot be used", "a file in a folder that exists", f"{str(csv)!r}")


def _say_plan(grid: Grid, keys: list[str], kept: ResultStore) -> None:
    axes = " × ".join(f"{name} ({len(values)})" for name, values in grid.axes.items()) or "one point"
    known = kept.get_all(keys)
    n_done = sum(record.ok for record in known.values())
    n_failed = len(known) - n_done
    typer.echo(f"{grid.name}: {len(keys)} points, {axes}")
    failed = f", {n_failed} failed before (--retry computes them again)" if n_failed else ""
    typer.echo(f"{n_done} of them are in {kept.url}{failed}")


def _say_outcome(table: Any, kept: ResultStore) -> int:
    failures = table[table["status"] == "failed"]
    if not len(failures):
        typer.echo(f"All {len(table)} rows are in {kept.url}")
        return 0
    typer.echo(f"{len(failures)} of {len(table)} rows failed (--retry computes them again):", err=True)
    for error, rows in list(failures.groupby("error", sort=False))[:MOST_FAILURES]:
        typer.echo(f"  {len(rows)} × {error}", err=True)
    return 1

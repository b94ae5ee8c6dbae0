"""Faults of records: collected while reading, so that one bad record never loses the rest."""

from __future__ import annotations

from collections.abc import Sequence

from qfl_explore.datasets.base import Problem
from qfl_explore.errors import invalid

#: So many are named in an error's text; all of them are in ``data.problems``.
SHOWN = 3


class BadRecord(ValueError):
    """A record cannot be used. Its text is the fault alone; file and record are added by who reads on.

    Args:
        fault: what is wrong.
        file: where, if not in the file that the reader has at hand.
    """

    def __init__(self, fault: str, file: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.file = file


def require_records(name: str, n_good: int, problems: Sequence[Problem], least: int = 1) -> None:
    """Checks that enough records could be read.

    Raises:
        ValueError: fewer than ``least`` records are left; the first faults are named.
    """
    if n_good >= least:
        return
    some = "; ".join(map(str, problems[:SHOWN])) or "no record at all"
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    raise invalid(f"too few records of {name!r} can be read", f"{least} or more", f"{n_good}: {some}{more}")


def as_rows(problems: Sequence[Problem]) -> list[list[str]]:
    """For the cache."""
    return [[problem.file, problem.record, problem.fault] for problem in problems]


def from_rows(rows: Sequence[Sequence[str]]) -> tuple[Problem, ...]:
    """From the cache."""
    return tuple(Problem(*row) for row in rows)

"""Undo and redo of settings: every change of a control, one entry a gesture. No Panel."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import param

#: Changes of the same settings that follow each other within so many seconds are one gesture: a drag.
GESTURE_S = 1.0
#: Whatever changes so soon after another change belongs to it: a choice that sets further settings.
CONSEQUENCE_S = 0.05
#: Entries that are kept.
LIMIT = 100


@dataclasses.dataclass(frozen=True)
class Entry:
    """One gesture.

    Attributes:
        before: name -> value that each changed setting had.
        after: name -> value that it got.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def __or__(self, later: Entry) -> Entry:
        """This gesture and what followed, as one."""
        before, after = {**later.before, **self.before}, {**self.after, **later.after}
        names = [name for name in after if after[name] != before[name]]
        return Entry({name: before[name] for name in names}, {name: after[name] for name in names})


class History:
    """What a visitor changed, and the way back.

    A preset or a step of a tour that sets several parameters in one ``param.update`` is one entry. A
    new change forgets what was undone.

    Args:
        state: whose parameters are watched.
        names: of these.
        restore: sets ``{name: value}``; ``None``: ``state.param.update``.
        clock: seconds; for tests.
        limit: entries that are kept; older ones are forgotten.

    >>> from qfl_explore.dashboards.state import CircuitState
    >>> state = CircuitState()
    >>> history = History(state, ["degree"])
    >>> state.degree = 5
    >>> history.undo(), state.degree, history.redo(), state.degree
    (True, 3, True, 5)
    """

    def __init__(
        self,
        state: param.Parameterized,
        names: Iterable[str],
        restore: Callable[[dict[str, Any]], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        limit: int = LIMIT,
    ) -> None:
        self._restore = restore or (lambda values: state.param.update(**values))
        self._clock, self._limit = clock, limit
        self._past: list[Entry] = []
        self._future: list[Entry] = []
        self._last, self._gesture = float("-inf"), frozenset[str]()
        self._open = False  # whether the newest entry may still grow
        self._restoring = False
        self._listeners: list[Callable[[], None]] = []
        state.param.watch(self._changed, list(names))

    @property
    def next_undo(self) -> Entry | None:
        """What `undo` would take back."""
        return self._past[-1] if self._past else None

    @property
    def next_redo(self) -> Entry | None:
        """What `redo` would do again."""
        return self._future[-1] if self._future else None

    def listen(self, function: Callable[[], None]) -> None:
        """Calls a function whenever there is another next undo or redo."""
        self._listeners.append(function)

    def undo(self) -> bool:
        """Takes the last gesture back; ``False`` where there is none."""
        return self._go(self._past, self._future, "before")

    def redo(self) -> bool:
        """Does again what was undone last; ``False`` where there is nothing."""
        return self._go(self._future, self._past, "after")

    def _go(self, source: list[Entry], target: list[Entry], side: str) -> bool:
        if not source:
            return False
        entry = source.pop()
        target.append(entry)
        self._restoring = True
        try:
            self._restore(copy.deepcopy(dict(getattr(entry, side))))
        finally:
            self._restoring = False
            self._last = float("-inf")  # the next change is a gesture of its own
            self._tell()
        return True

    def _changed(self, *events: Any) -> None:
        found = [event for event in events if event.old != event.new]
        if self._restoring or not found:
            return
        entry = Entry(
            {event.name: copy.deepcopy(event.old) for event in found},
            {event.name: copy.deepcopy(event.new) for event in found},
        )
        now, names = self._clock(), frozenset(entry.after)
        since = now - self._last
        goes_on = since < CONSEQUENCE_S or (since < GESTURE_S and names == self._gesture)
        self._future.clear()
        if goes_on and self._open:
            entry = self._past.pop() | entry
        elif not goes_on:
            self._gesture = names
        self._last, self._open = now, bool(entry.after)
        if entry.after:
            self._past.append(entry)
            del self._past[: -self._limit]
        self._tell()

    def _tell(self) -> None:
        for function in self._listeners:
            function()


def history_of(state: Any, restore: Callable[[dict[str, Any]], None] | None = None) -> History:
    """The one history of a state, also where several pages share it; it lives and dies with the state.

    Args:
        state: with ``URL``, whose names are watched.
        restore: of the first caller; see `History`.
    """
    found = vars(state).get("_history")
    if found is None:
        found = state._history = History(state, state.URL, restore)
    return found

"""Runs of identical settings are computed once: thirty learners with the same link share one tape.

A tape keeps what a run gives, in order. Every visitor plays it from the beginning and at a pace of one's own, so that
pause, step and rewind are as without it. Whoever comes to its end computes the next item, and the others who wait
there get it too; where nobody plays any more nothing is computed. What a run gives must not be changed by who gets it.

The key must say everything that determines the result: the kind of run and its frozen config. What depends on
anything else (a visitor's table, a switch that is read while it runs) is not shared.

Memory is bounded: the longest unused tapes are forgotten first. A tape that grows too long forgets its beginning;
who still needs that computes it again alone, with the same numbers.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from qfl_explore.dashboards.runs.job import Wait

#: Bytes of all tapes together and of one, as far as they can be counted.
MOST_BYTES, MOST_OF_ONE = 64 * 2**20, 12 * 2**20
#: Unfinished tapes that nobody plays; their runs hold models and data that are not counted.
MOST_ABANDONED = 4
#: Seconds until who waits for an item that another computes asks again.
POLL_S = 0.01


class Tape:
    """One run; made by `Tapes`.

    Attributes:
        n_players: visitors who play it.
        n_bytes: of what is kept, about.
        state: ``open``, ``done`` or ``broken``.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], most: int) -> None:
        self._make, self._most = make, most
        self._iterator: Iterator[Any] | None = None
        self._items: dict[int, tuple[Any, int]] = {}
        self._n_items, self._first = 0, 0
        self._busy = False
        self._first_item: Any = None
        self._common: dict[int, None] = {}  # ids of what the first item is made of; the others share some of it
        self._lock = threading.Lock()
        self.n_players, self.n_bytes, self.state = 0, 0, "open"

    def read(self, position: int) -> tuple[str, Any]:
        """What there is at a position.

        Returns:
            ``("item", item)``, ``("forgotten", None)``, ``("done", None)``, ``("broken", None)``, ``("wait", None)``
            where another computes it, or ``("compute", None)`` where the caller has to, by `advance`.
        """
        with self._lock:
            if position < self._first:
                return "forgotten", None
            if position < self._n_items:
                return "item", self._items[position][0]
            if self.state != "open":
                return self.state, None
            if self._busy:
                return "wait", None
            self._busy = True
            return "compute", None

    def advance(self) -> Wait | None:
        """Computes one item; the run may ask to be left alone for a while instead.

        Raises:
            BaseException: whatever the run raises; the tape is broken then.
        """
        try:
            if self._iterator is None:
                self._iterator = iter(self._make())
            item = next(self._iterator)
            if isinstance(item, Wait):
                return item
            self._append(item)
        except StopIteration:
            self.state, self._iterator = "done", None
        except BaseException:
            self.state, self._iterator = "broken", None
            raise
        finally:
            with self._lock:
                self._busy = False
        return None

    def _append(self, item: Any) -> None:
        if not self._n_items:
            self._first_item = item  # so that the ids stay its own
            size = footprint(item, self._common)
        else:
            size = footprint(item, dict(self._common))
        with self._lock:
            self._items[self._n_items] = (item, size)
            self._n_items += 1
            self.n_bytes += size
            while self.n_bytes > self._most and len(self._items) > 1:
                self.n_bytes -= self._items.pop(self._first)[1]
                self._first += 1

    @property
    def abandoned(self) -> bool:
        """Whether it is unfinished and nobody plays it."""
        return self.state == "open" and not self.n_players and not self._busy

    def __len__(self) -> int:
        return self._n_items


class Tapes:
    """All tapes of the process.

    Args:
        most_bytes: of all together.
        most_of_one: of one tape, in bytes.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_of_one: int = MOST_OF_ONE) -> None:
        self._most_bytes, self._most_of_one = most_bytes, most_of_one
        self._tapes: OrderedDict[Hashable, Tape] = OrderedDict()
        self._lock = threading.RLock()  # a player that is cleared away may leave wherever memory is asked for

    def play(self, key: Hashable, make: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """A run for the scheduler, shared with everybody who plays the same key.

        Args:
            key: everything that determines what the run gives.
            make: builds the run; called by who comes first.

        Yields:
            The run's items, and `Wait` where the next is not there yet.

        Raises:
            BaseException: what the run raised while this visitor computed; others try again for themselves.
        """
        position, tape = 0, self._enter(key, make)
        try:
            while True:
                kind, item = tape.read(position)
                if kind == "item":
                    position += 1
                    yield item
                elif kind == "compute":
                    yield from filter(None, (tape.advance(),))
                elif kind == "wait":
                    yield Wait(POLL_S)
                elif kind == "broken":  # in another visitor's hands
                    self._leave(tape)
                    tape = self._enter(key, make)
                    yield Wait(0.0)
                elif kind == "forgotten":
                    yield from _rest_alone(make, position)
                    return
                else:
                    return
                if kind == "compute" and len(tape) <= position:
                    yield Wait(0.0)  # it asked to wait, or a new tape catches up with the old one
        finally:
            self._leave(tape)

    def _enter(self, key: Hashable, make: Callable[[], Iterator[Any]]) -> Tape:
        with self._lock:
            tape = self._tapes.get(key)
            if tape is None or tape.state == "broken" or tape._first > 0:
                tape = self._tapes[key] = Tape(make, self._most_of_one)
            self._tapes.move_to_end(key)
            tape.n_players += 1
            self._forget()
            return tape

    def _leave(self, tape: Tape) -> None:
        with self._lock:
            tape.n_players -= 1
            self._forget()

    @property
    def n_bytes(self) -> int:
        """Of all tapes, about."""
        with self._lock:
            return sum(tape.n_bytes for tape in self._tapes.values())

    def _forget(self) -> None:
        """Under the lock: drops what is too much, the longest unused first; never what is being played."""
        n_bytes = self.n_bytes
        n_abandoned = sum(tape.abandoned for tape in self._tapes.values())
        for key, tape in list(self._tapes.items()):
            if tape.n_players or not (n_bytes > self._most_bytes or (tape.abandoned and n_abandoned > MOST_ABANDONED)):
                continue
            n_bytes -= tape.n_bytes
            n_abandoned -= tape.abandoned
            del self._tapes[key]

    def forget(self) -> None:
        """Forgets every tape; who plays one goes on."""
        with self._lock:
            self._tapes.clear()

    def __len__(self) -> int:
        return len(self._tapes)


def _rest_alone(make: Callable[[], Iterator[Any]], position: int) -> Iterator[Any]:
    """The run from a position on, computed for one visitor."""
    for item in make():
        if isinstance(item, Wait):
            yield item
        elif position > 0:
            position -= 1
            yield Wait(0.0)
        else:
            yield item


def footprint(item: Any, seen: dict[int, None]) -> int:
    """About how many bytes an item adds to a tape.

    Args:
        item: any value; arrays, tables, dataclasses and containers are looked into.
        seen: ids of what was counted before; they are added to.
    """
    total, todo = 0, [item]
    while todo:
        part = todo.pop()
        if part is None or isinstance(part, (bool, int, float, complex, str)):
            total += 32
            continue
        if id(part) in seen:
            continue
        seen[id(part)] = None
        if isinstance(part, np.ndarray):
            total += part.nbytes + 112
        elif hasattr(part, "memory_usage") and hasattr(part, "to_numpy"):  # a table
            usage = part.memory_usage(index=True, deep=False)
            total += int(usage if np.isscalar(usage) else usage.sum())
        else:
            total += sys.getsizeof(part, 64)
            todo.extend(_parts(part))
    return total


def _parts(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return [*part.keys(), *part.values()]
    if isinstance(part, (list, tuple, set, frozenset)):
        return list(part)
    return list(vars(part).values()) if dataclasses.is_dataclass(part) and hasattr(part, "__dict__") else []


_shared = Tapes()


def forget() -> None:
    """Forgets what was computed for everybody."""
    _shared.forget()


def n_kept_bytes() -> int:
    """How large the results are that this process keeps for others, about; at most ``MOST_BYTES``."""
    return _shared.n_bytes


def shared(key: Hashable, make: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """`Tapes.play` on the tapes of this process."""
    return _shared.play(key, make)

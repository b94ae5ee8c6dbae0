"""What a closed session leaves is taken apart, a session at a time, so that Python need not search for it.

Widgets, their models and the functions that connect them hold on to each other, so that nothing of a session goes
away by itself. Python's search for such circles goes through everything that the other visitors have, too, and
nobody gets an answer meanwhile: half a second for a room of thirty. Taking a session apart takes three milliseconds
and leaves a third of its objects for the search.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Iterable
from typing import Any

from bokeh.document import Document
from panel.io import application as panel_application

#: Seconds after the end of a session in which something of it may still be in use: a worker's present slice.
LATER_S = 5.0
_waiting: collections.deque[tuple[float, list[Any]]] = collections.deque()


def keep_models() -> None:
    """From now on the models of documents that end are left here."""
    destroy = panel_application._destroy_document

    def destroy_and_leave(document: Document, session: Any) -> None:
        models = list(document.models)
        destroy(document, session)
        leave(models)

    panel_application._destroy_document = destroy_and_leave


def leave(parts: Iterable[Any]) -> None:
    """These belong to nobody any more: models of a document that ended, or its widgets and layouts."""
    _waiting.append((time.monotonic(), list(parts)))


def take_one_apart(later_s: float = LATER_S) -> bool:
    """Empties what has been left longest, if that is ``later_s`` seconds ago; returns whether there was any."""
    if not _waiting or time.monotonic() - _waiting[0][0] < later_s:
        return False
    for part in _waiting.popleft()[1]:
        vars(part).clear()
    return True


def left() -> int:
    """How many closed sessions still wait to be taken apart, about: their models and their widgets count as two."""
    return len(_waiting)

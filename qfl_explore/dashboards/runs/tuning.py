"""What the server sets once, so that thirty visitors do not wait for what Python and Panel do beside the work.

- Panel marks every ``DataModel`` below a component with the root it belongs to, so that it can be cleaned up later. It
  looks for them with ``Model.select``, which walks through everything a component holds: whenever a widget changes,
  hundreds of models. But every component is marked when it is made, so that its own data are enough.
- Panel looks on the disk for the files of every component that it makes, hundreds of times for a page. They do not
  change while the server runs.
- Bokeh checks the signature of every callback of every widget; that is a tenth of the time a page takes to build.
- Every Material component says where on the internet its packages lie: three kilobytes for each of fifty on a page.
  They come with this server's bundle; of the list, Panel asks only whether there is such a package in it.
- Bokeh, param and Panel work out the same defaults and lists for every model and widget; see `defaults`.
- Python's search for unreachable objects goes through all objects there are, half a million for the imports and
  forty thousand for each visitor, and nothing else runs meanwhile: more than a second where thirty are there. What was
  imported is left out of it, closed sessions are taken apart first (see `remains`), and it is done for many of them
  together, or when the last has gone. New objects are looked at before there are many of them.
- A thread that wants the interpreter waits for up to five milliseconds until a computing one gives it up, and the
  server's loop wants it after every write to a socket, several for each picture. Here it waits for half a millisecond.
"""

from __future__ import annotations

import functools
import gc
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from bokeh.model import DataModel
from bokeh.model.util import collect_filtered_models
from bokeh.settings import settings
from panel.custom import ReactiveESM
from panel.io import document as panel_document
from panel.reactive import ReactiveCustomBase
from panel_material_ui.base import MaterialComponent
from param import Filename

from qfl_explore.dashboards.runs.defaults import remember_defaults
from qfl_explore.dashboards.runs.remains import keep_models, left, take_one_apart
from qfl_explore.dashboards.runs.scheduler import shared_scheduler

#: Closed sessions whose objects may wait for the next search, and how long, in seconds.
MOST_CLOSED = 60
LONGEST_S = 900.0
#: How long the loop may take closed sessions apart at a time, in seconds.
APART_S = 0.01
#: How long a thread may keep the interpreter while another wants it, in seconds.
SWITCH_S = 0.0005
#: Objects are searched when there are so many new ones (the default of 700 is for small programs), again after so many
#: such rounds, and the old ones practically never by themselves.
_ROUNDS = (20_000, 3, 100_000)
#: Log lines that say nothing but that a visitor came or went: the text they begin with.
_NOISE = (
    "WebSocket connection opened",
    "WebSocket connection closed",
    "ServerConnection created",
    "Failed sending message as connection was closed",
)
_PACKAGES = {"imports": {"@mui/material/": MaterialComponent._importmap["imports"]["@mui/material/"]}}
_garbage = {"closed": 0, "since": 0.0}


@functools.cache
def tune() -> None:
    """Sets everything, once; called before the first visitor's page is built."""
    remember_defaults()
    ReactiveCustomBase._patch_datamodel_ref = classmethod(_mark_own_data)
    for component in (ReactiveESM, MaterialComponent):
        for name in ("_bundle_path", "_bundle_css"):
            found = vars(component).get(name)
            if hasattr(found, "f"):
                found.f = _remembered(found.f)
    Filename._resolve = functools.cache(Filename._resolve)
    MaterialComponent._process_importmap = classmethod(lambda cls: _PACKAGES)
    settings.perform_error_diagnostics = False
    panel_document._garbage_collect = lambda: None  # `tidy` does it
    keep_models()
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*_ROUNDS)
    for name in ("bokeh.server.views.ws", "panel.io.document"):
        logging.getLogger(name).addFilter(_says_something)


def leave_imports_out() -> None:
    """What exists now is no longer searched for garbage; called before there are visitors."""
    gc.collect()
    gc.freeze()


def tidy(n_there: int) -> None:
    """Takes closed sessions apart, and searches for garbage if it is time; called on the server's loop.

    Args:
        n_there: sessions that have not ended.
    """
    enough = time.monotonic() + APART_S
    while time.monotonic() < enough and take_one_apart():
        pass
    closed, waited = _garbage["closed"], time.monotonic() - _garbage["since"]
    idle = waited > LONGEST_S and not shared_scheduler().counts()["active"]
    if closed and (closed >= MOST_CLOSED or idle or not (n_there or left())):
        _garbage.update(closed=0)
        gc.collect()


def _remembered(find: Callable[[type], Any]) -> Callable[[type], Any]:
    """Asks once for each class; lists are copied, because they may be added to."""
    ask = functools.cache(find)

    def answer(cls: type) -> Any:
        found = ask(cls)
        return list(found) if isinstance(found, list) else found

    return answer


def note_closed() -> None:
    """A session has ended."""
    if not _garbage["closed"]:
        _garbage["since"] = time.monotonic()
    _garbage["closed"] += 1


def _says_something(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or not str(record.msg).startswith(_NOISE)


def _mark_own_data(cls: type, props: Any, ref: str) -> None:
    """Marks the ``DataModel`` of a component and those it is made of, but not those of its children."""
    mark = f"__ref:{ref}"
    for model in collect_filtered_models(lambda found: not isinstance(found, DataModel), props):
        if mark not in model.tags:
            model.tags.append(mark)

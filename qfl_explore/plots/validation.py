"""Bokeh checks and converts values in each thread, whatever another thread does.

Bokeh turns its checks off while a change is passed on, with one switch for the whole process: a figure that another
thread makes at that moment gets a text where a title belongs, and where two threads turn it off at once it can stay off
for good, so that every later picture fails. Here each thread has a switch of its own.
"""

from __future__ import annotations

import functools
import threading
from types import TracebackType

from bokeh.core.property import bases
from bokeh.core.property.validation import validate


class _Switch(threading.local):
    on = True


_switch = _Switch()


@functools.cache
def check_in_each_thread() -> None:
    """From now on turning validation off concerns one thread; called before a second one touches a figure.

    What was turned off for the process before counts no longer, since nobody could say whether it comes back.
    """
    validate.__init__ = _turn
    validate.__exit__ = _turn_back
    bases.validation_on = lambda: _switch.on


def _turn(self: validate, value: bool) -> None:
    self.old = _switch.on
    _switch.on = value


def _turn_back(
    self: validate, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
) -> None:
    _switch.on = self.old

"""``cached_property`` that holds up no other object.

Before Python 3.12 the one in ``functools`` has one lock for all objects of a class: while one visitor's ceiling is
computed, every other visitor who asks for a ceiling waits, and the worker thread with them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property:
        """Computed when it is first asked for, and kept; two threads at once may both compute it.

        Args:
            function: of the object alone.
        """

        def __init__(self, function):
            self._function = function
            self.__doc__ = function.__doc__

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            kept = instance.__dict__
            if self._name not in kept:
                kept[self._name] = self._function(instance)
            return kept[self._name]


__all__ = ["cached_property"]

"""Errors in three parts: what is wrong, what was expected, what was received."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

_Error = TypeVar("_Error", bound=Exception)


def invalid(what: str, expected: str, received: Any, kind: type[_Error] = ValueError) -> _Error:
    """Builds (does not raise) an error whose message has the three parts.

    Args:
        what: what is wrong, without a full stop.
        expected: what would have been right.
        received: the offending value, or a text that describes it.
        kind: the exception class; ``TypeError`` where the kind of value is wrong.

    Returns:
        An exception instance for the caller to raise.

    >>> print(invalid("degree is out of range", "an integer of 1 or more", "degree=0"))
    degree is out of range. Expected: an integer of 1 or more. Received: degree=0.
    """
    return kind(f"{what}. Expected: {expected}. Received: {received}.")


def check_option(name: str, value: Any, options: Iterable[str]) -> str:
    """Returns ``value`` if it is one of ``options``; otherwise raises with a suggestion.

    Args:
        name: the setting's name, as the user wrote it.
        value: what was received.
        options: the words that are allowed.

    Raises:
        TypeError: ``value`` is not a string.
        ValueError: ``value`` is not among ``options``.
    """
    options = tuple(options)
    expected = "one of " + ", ".join(repr(option) for option in options)
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string", expected, f"{name}={value!r}", TypeError)
    if value in options:
        return value
    close = difflib.get_close_matches(value, options, n=1, cutoff=0.5)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise invalid(f"{name} is not a known option", expected, f"{name}={value!r}{hint}")


def check_int(name: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    """Returns ``value`` as an ``int`` within bounds (inclusive); otherwise raises.

    Raises:
        TypeError: ``value`` is not an integer (a truth value does not count as one).
        ValueError: ``value`` is out of bounds.
    """
    span = f"an integer of {minimum} or more" if maximum is None else f"an integer from {minimum} to {maximum}"
    is_integer = hasattr(value, "__index__") and not isinstance(value, bool | np.bool_)
    if not is_integer:
        raise invalid(f"{name} must be an integer", span, f"{name}={value!r}", TypeError)
    number = value.__index__()
    if number < minimum or (maximum is not None and number > maximum):
        raise invalid(f"{name} is out of range", span, f"{name}={number}")
    return number


#: What operating systems say where nothing more fits.
_FULL = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}


def full_disk(error: BaseException) -> str:
    """A message in three parts where the error says that a disk is full; else an empty text.

    >>> full_disk(OSError(errno.ENOSPC, "No space left on device", "a.csv")).split(". ")[0]
    'the disk is full, and something could not be written'
    >>> full_disk(OSError(errno.ENOENT, "No such file", "a.csv"))
    ''
    """
    if not (isinstance(error, OSError) and error.errno in _FULL) and "disk is full" not in str(error):
        return ""
    where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
    received = f"{getattr(error, 'strerror', None) or error}{where}"
    expected = "free space; what was written before is kept, and the same step can be taken again"
    return str(invalid("the disk is full, and something could not be written", expected, received))

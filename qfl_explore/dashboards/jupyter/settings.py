"""Settings of a page in a notebook: what there is, and how a call sets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import param

from qfl_explore.dashboards.link import meant, words_of
from qfl_explore.dashboards.pages import get_page, states_of
from qfl_explore.dashboards.parameters import word_of
from qfl_explore.errors import invalid

if TYPE_CHECKING:
    import pandas as pd


def settings_of(page: str) -> pd.DataFrame:
    """What can be set on a page.

    Args:
        page: name in the registry.

    Returns:
        Columns word (in links and calls), name (that stands for the same), default, values, meaning.
    """
    import pandas as pd

    rows = [
        (word, name, word_of(state.param[name].default), _possible(state, name), state.param[name].doc or "")
        for state in get_page(page).state_classes()
        for name, word in state.URL.items()
    ]
    return pd.DataFrame(rows, columns=["word", "name", "default", "values", "meaning"])


def _possible(state: Any, name: str) -> str:
    """A parameter's values in words: options, a range, or nothing."""
    parameter = state.param[name]
    if isinstance(parameter, param.Boolean):
        return "True, False"
    if isinstance(parameter, param.List):
        return ", ".join(state.ITEMS[name])
    if isinstance(parameter, param.Selector):
        return ", ".join(word_of(value) for value in parameter.objects)
    low, high = getattr(parameter, "bounds", None) or (None, None)
    return f"{low:g} to {high:g}" if low is not None and high is not None else ""


def apply(page: str, view: Any, settings: Mapping[str, Any]) -> None:
    """Puts settings into a page's state, in the state's own order, because some options depend on others.

    Args:
        page: name in the registry.
        view: the page.
        settings: by the parameter's name or by its word in links.

    Raises:
        ValueError: there is no such setting, or a value is not possible.
    """
    known = words_of(page)
    by_name = {name: word for word, name in known.items()}
    wanted = {}
    for given, value in settings.items():
        word = given if given in known else by_name.get(given, "")
        if not word:
            close = meant(given, known)
            hint = f" (did you mean {close!r}, that is {known[close]!r}?)" if close in known else ""
            raise invalid(f"the page {page} has no such setting", "one of " + ", ".join(known), given + hint)
        wanted[word] = (given, value)
    for state in states_of(view):
        for name, word in state.URL.items():
            if word in wanted:
                _put(state, name, *wanted.pop(word))


def _put(state: Any, name: str, given: str, value: Any) -> None:
    try:
        read, problems = state._read(name, word_of(value))
    except (ValueError, TypeError) as error:
        raise type(error)(f"{given}={value!r}: {error}") from None
    if problems:
        part, why = problems[0]
        raise ValueError(f"{given}={value!r}: {part}: {why}")
    state.param.update(**{name: read})

"""Parameters that a link carries: to URL words and back, invalid ones named and the rest kept; no Panel."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import param

from qfl_explore.errors import invalid


class State(param.Parameterized):
    """Parameters with names in the URL.

    ``URL`` maps parameter names to the words in the URL. Values equal to the default are
    left out, so that links stay short and old links keep their meaning. ``DRAWN`` names the
    parameters among them that only change what is drawn, and so start no run anew. ``ITEMS``
    gives the words that a list may hold. ``hiding`` knows what a link hides; see `hiding.control`.
    """

    URL: dict[str, str] = {}
    DRAWN: tuple[str, ...] = ()
    ITEMS: dict[str, tuple[str, ...]] = {}
    hiding: Any = None

    def to_query(self) -> dict[str, str]:
        """What differs from the defaults, as URL words."""
        values = {word: (getattr(self, name), self.param[name].default) for name, word in self.URL.items()}
        return {word: word_of(value) for word, (value, default) in values.items() if value != default}

    def apply_query(self, query: Mapping[str, str]) -> list[str]:
        """Applies URL words one by one; invalid ones are named and the rest kept, of a list as well.

        Returns:
            One message for each value that was not taken.
        """
        names = {word: name for name, word in self.URL.items()}
        good, problems = {}, []
        for word, text in query.items():
            if word not in names:
                continue
            try:
                good[names[word]], found = self._read(names[word], text)
                problems += [f"{word}={shown(part)} in the link was ignored: {why}" for part, why in found]
            except (ValueError, TypeError) as error:
                problems.append(f"{word}={shown(text)} in the link was ignored: {_one_line(error)}")
        self.param.update(**good)
        return problems

    def _read(self, name: str, text: str) -> tuple[Any, list[tuple[str, str]]]:
        """A value, and the parts of it that were left out with the reasons.

        Raises:
            ValueError: nothing of it can be taken.
        """
        if isinstance(self.param[name], param.List):
            return _items(text, self.ITEMS[name])
        value = self._parse(name, text)
        self._check(name, value)
        return value, []

    def _parse(self, name: str, text: str) -> Any:
        parameter = self.param[name]
        if isinstance(parameter, param.Boolean):
            if text not in ("0", "1"):
                raise invalid("not a switch", "0 or 1", shown(text))
            return text == "1"
        if isinstance(parameter, param.Selector):
            return _option(list(parameter.objects), text)
        if isinstance(parameter, param.Integer):
            try:
                return int(text)
            except ValueError:
                raise invalid("not a whole number", _span(parameter), shown(text)) from None
        if isinstance(parameter, param.Number):
            try:
                return float(text)
            except ValueError:
                raise invalid("not a number", _span(parameter), shown(text)) from None
        return text

    def _check(self, name: str, value: Any) -> None:
        parameter = self.param[name]
        if isinstance(parameter, param.Number):
            low, high = parameter.bounds or (None, None)
            if not (low is None or value >= low) or not (high is None or value <= high):
                raise invalid("out of range", _span(parameter), value)
        elif isinstance(parameter, param.String) and len(value) > MAX_TEXT:
            raise invalid("too long", f"at most {MAX_TEXT} characters", f"{len(value)} characters")


#: Characters that a link's text may have.
MAX_TEXT = 200
#: An empty list, or no limit, in a link.
NONE = "none"


def word_of(value: Any) -> str:
    """A value as a link says it.

    >>> word_of(True), word_of(None), word_of(0.5), word_of(["linear", "mlp"]), word_of([])
    ('1', 'none', '0.5', 'linear,mlp', 'none')
    """
    if isinstance(value, bool):
        return str(int(value))
    if value is None or isinstance(value, list):
        return ",".join(value or ()) or NONE
    return str(value)


def shown(text: str, most: int = 60) -> str:
    """What a link says, fit to be repeated in a message: short, without what could be markup.

    >>> shown("<img src=x>"), shown("x" * 100)[55:]
    ('img src=x', 'xxxxx…')
    """
    plain = "".join(letter for letter in text if letter.isprintable() and letter not in "<>&[]`\\")
    return plain if len(plain) <= most else f"{plain[:most]}…"


def _option(options: list[Any], text: str) -> Any:
    known = {word_of(option): option for option in options}
    if text in known:
        return known[text]
    for option in options:  # 0.10 is 0.1
        if isinstance(option, int | float) and _number(text) == option:
            return option
    close = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
    words = list(known)
    expected = "one of " + ", ".join(words if len(words) < 10 else [*words[:8], f"… ({len(words)} in all)"])
    hint = f" (did you mean {close[0]}?)" if close and _number(text) is None else ""
    raise invalid("not an option", expected, shown(text) + hint)


def _items(text: str, options: tuple[str, ...]) -> tuple[list[str], list[tuple[str, str]]]:
    good, bad = [], []
    for word in filter(None, map(str.strip, text.split(","))):
        try:
            good.append(_option(list(options), word))
        except ValueError as error:
            bad.append((word, _one_line(error)))
    if not good and text != NONE:
        raise invalid("nothing of the list is an option", "some of " + ", ".join(options), shown(text))
    return [option for option in options if option in good], [] if text == NONE else bad


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _span(parameter: param.Number) -> str:
    low, high = parameter.bounds or (None, None)
    return f"a number from {low:g} to {high:g}" if low is not None and high is not None else "a number"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

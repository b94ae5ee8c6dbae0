"""Words of a link: which page has which, what is said about the others, and the link of what a visitor sees."""

from __future__ import annotations

import difflib
import urllib.parse
from collections.abc import Iterable, Mapping

from qfl_explore.dashboards.pages import PAGES, get_page

#: Words that every link may have, whatever the page, and what each is for. Who adds one also calls `Session.carry`.
APP_WORDS: dict[str, str] = {
    "page": "the page that opens",
    "theme": "dark: the dark theme",
    "font": "size of the letters in percent: 125 or 150, for a projector",
    "hide": "controls that are hidden",
    "show": "controls that are left, the others are hidden",
    "only": "pages that are left",
    "tour": "the step of the page's guided tour, from 1",
}
#: So many strangers are named; a link with more was not made by this app.
MAX_NAMED = 5


def first_word(page: str) -> dict[str, str]:
    """The word that names a page; none for the page that opens anyway."""
    return {} if page in ("", PAGES[0].name) else {"page": page}


def words_of(page: str) -> dict[str, str]:
    """A page's words in a link, and the parameter that each stands for.

    Args:
        page: name in the registry.
    """
    return {word: name for state in get_page(page).state_classes() for name, word in state.URL.items()}


def query_of(words: Mapping[str, str]) -> str:
    """Words as the part of an address that begins with ``?``; empty without words."""
    return f"?{urllib.parse.urlencode(words, safe=',')}" if words else ""


def unknown_words(query: Iterable[str], page: str = "") -> list[str]:
    """One sentence for each word of a link that its page does not have.

    Args:
        query: the words.
        page: that the link opens; empty: the first one.
    """
    page = page or PAGES[0].name
    known = words_of(page)
    strangers = [word for word in query if word not in known and word not in APP_WORDS]
    told = [_stranger(word, page, known) for word in strangers[:MAX_NAMED]]
    more = len(strangers) - MAX_NAMED
    return [*told, f"{more} more words of the link are unknown, too."] if more > 0 else told


def _stranger(word: str, page: str, known: Mapping[str, str]) -> str:
    title = get_page(page).title
    if not word.isidentifier() or len(word) > 40:
        return "A word of the link was ignored: it is not a word that any page has."
    close = meant(word, known)
    if close:
        return f"{word} in the link was ignored: the page {title} has no such word; did you mean {close}?"
    others = [other.title for other in PAGES if other.name != page and word in words_of(other.name)]
    if others:
        return f"{word} in the link was ignored: it belongs to {_listed(others)}, not to {title}."
    return f"{word} in the link was ignored: no page has such a word."


def meant(word: str, known: Mapping[str, str]) -> str:
    """The known word that somebody meant, or nothing.

    A parameter's name counts as its word, and so does the same word in other letters' case.

    Args:
        word: what was written.
        known: words and the parameters that they stand for.

    >>> known = {"P": "degree", "noise": "noise"}
    >>> meant("degree", known), meant("niose", known), meant("colour", known)
    ('P', 'noise', '')
    """
    spelled = {name: known_word for known_word, name in known.items()} | {one: one for one in [*known, *APP_WORDS]}
    folded = {name.lower(): meaning for name, meaning in spelled.items()}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else ""


def _listed(titles: list[str]) -> str:
    named = titles if len(titles) < 4 else [*titles[:3], "others"]
    return ("the page " if len(named) == 1 else "the pages ") + ", ".join(named)

"""What teaching material consists of: plain, frozen records."""

from __future__ import annotations

import dataclasses
import html
import re
import urllib.parse
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """Settings of one page that show one thing.

    Attributes:
        page: its word in the URL.
        name: what visitors see, unique on its page.
        words: settings as URL words; all others are at their defaults.
        see: what the page shows then, a statement that holds.
    """

    page: str
    name: str
    see: str
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def link(self) -> str:
        """The query of a URL that opens this."""
        return query({"page": self.page, **self.words})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a tour.

    Attributes:
        title: of the step.
        look: what to look at.
        words: settings as URL words; all others are at their defaults. ``None``: the settings stay.
        question: asked before the answer is shown.
        choices: to choose from; empty for an open question.
        right: which choice is right, from 1; 0 for an open question.
        answer: and why; may hold ``<sub>``, ``<sup>``, ``<i>``.
        limit: what this does not show.
        predict: the run waits until the learner has answered.
    """

    title: str
    look: str
    question: str
    answer: str
    limit: str
    words: Mapping[str, str] | None = None
    choices: tuple[str, ...] = ()
    right: int = 0
    predict: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tour:
    """A guided tour of one page.

    Attributes:
        page: its word in the URL.
        title: what it is about.
        steps: in their order.
    """

    page: str
    title: str
    steps: tuple[Step, ...]

    def link(self, number: int) -> str:
        """The query of a URL that opens this step, counted from 1."""
        return query({"page": self.page, "tour": str(number)})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Term:
    """A technical word.

    Attributes:
        name: the heading in the glossary.
        means: a sentence or two; may hold ``<sub>``, ``<sup>``, ``<i>``.
        formula: with the same tags; empty where there is none.
        source: where it comes from, or "our construction".
        forms: how the word occurs in texts, besides its name; matched as whole words.
        controls: parameters of the pages' settings that it explains, ``name`` or ``page.name``.
    """

    name: str
    means: str
    formula: str = ""
    source: str = ""
    forms: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """Everything in one line without markup, for tooltips and screen readers.

        >>> Term(name="Angle", means="x<sub>1</sub> in radians.", formula="e<sup>ix</sup>").plain
        'Angle: x_1 in radians. Formula: e^(ix)'
        """
        formula = f" Formula: {self.formula}" if self.formula else ""
        return f"{self.name}: {plain(self.means + formula)}"

    @property
    def anchor(self) -> str:
        """A word for attributes and links.

        >>> Term(name="95 % interval", means="").anchor
        '95-interval'
        """
        return re.sub(r"[^a-z0-9]+", "-", plain(self.name).lower()).strip("-")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """A line of the worksheet.

    Attributes:
        ask: the question.
        answer: for the answer key.
        lines: empty lines to write on.
    """

    ask: str
    answer: str
    lines: int = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activity:
    """A part of a lesson.

    Attributes:
        title: what happens.
        page: of the app, or empty.
        words: settings as URL words for the link.
        tour: step of the page's tour that the link opens instead, from 1; 0: none.
        shown: settings that an exercise leaves to the learner, as in a link; empty: there is no exercise.
        everybody: all learners do it; otherwise only the instructor, because it is heavy or is a talk.
        do: what the instructor does and says.
        question: to the room.
        see: what learners should see.
        beliefs: wrong beliefs that come up -> what to answer.
        tasks: for the worksheet.
    """

    title: str
    do: str
    page: str = ""
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tour: int = 0
    shown: str = ""
    everybody: bool = True
    question: str = ""
    see: str = ""
    beliefs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tasks: tuple[Task, ...] = ()

    @property
    def link(self) -> str:
        """The query of a URL that opens it; empty where there is no page."""
        if not self.page:
            return ""
        return query({"page": self.page, **({"tour": str(self.tour)} if self.tour else self.words)})

    @property
    def exercise(self) -> str:
        """The query of a URL with all controls hidden but a few, presets too; empty where there is none."""
        if not (self.page and self.shown):
            return ""
        return query({"page": self.page, **self.words, "show": self.shown, "hide": "presets"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lesson:
    """A plan with times.

    Attributes:
        name: a word for links.
        title: with its length.
        aim: what learners can say at the end.
        parts: activities with their minutes, in order.
    """

    name: str
    title: str
    aim: str
    parts: tuple[tuple[Activity, int], ...]

    @property
    def minutes(self) -> int:
        """Of all parts."""
        return sum(minutes for _, minutes in self.parts)

    def timed(self) -> list[tuple[int, int, Activity]]:
        """Every activity with the minutes at which it begins and ends."""
        rows, now = [], 0
        for activity, minutes in self.parts:
            rows.append((now, now + minutes, activity))
            now += minutes
        return rows


def query(words: Mapping[str, str]) -> str:
    """URL words as the query of a URL.

    >>> query({"page": "polynomial", "P": "2"})
    '?page=polynomial&P=2'
    >>> query({"methods": "linear,mlp"})
    '?methods=linear,mlp'
    """
    return "?" + urllib.parse.urlencode(words, safe=",")


def plain(text: str) -> str:
    """A text without its tags: powers and indices become ``^( )`` and ``_``.

    >>> plain("2<sup>n</sup> &lt; U<sub>0</sub>, <i>always</i>")
    '2^(n) < U_0, always'
    """
    text = re.sub(r"<sup>(.*?)</sup>", r"^(\1)", text)
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<sub>(.*?)</sub>", r"_\1", text)))

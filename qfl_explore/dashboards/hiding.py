"""Controls that a link hides: a teacher's cut-down exercise. What is hidden keeps the value that the link gives it.

``hide=P,seed`` hides two settings, ``show=P`` every other one; ``hide=pages`` hides the tabs of the pages and
``only=noise,circuit`` leaves these two. `control` and `section` are called by the builders in `settings`, so that a
page has nothing to do for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import param

from qfl_explore.dashboards.link import meant, words_of
from qfl_explore.dashboards.pages import PAGES
from qfl_explore.dashboards.parameters import NONE, State
from qfl_explore.dashboards.parameters import shown as fit_to_show

#: Hidden by name, though they are no settings of a page, and what each is.
EXTRA = {"pages": "Tabs of the pages", "presets": "Presets and tour"}
_TAG = "_qfl_control"


@dataclasses.dataclass(frozen=True, eq=False)
class Control:
    """A widget that a link can hide.

    Attributes:
        word: in a link; for what is no setting, its own name.
        label: that the visitor reads.
        widget: to be hidden.
    """

    word: str
    label: str
    widget: Any


class Frame(param.Parameterized):
    """What is hidden around the pages, whichever of them is open."""

    extras = param.Parameter(default=(), doc="Names among `EXTRA`.")
    only = param.Parameter(default=(), doc="Names of the pages that are left; none: all.")


class Hiding(param.Parameterized):
    """What is hidden of one page; pages that share their settings share this, too.

    Args:
        page: name in the registry.
        frame: of the visitor.

    Attributes:
        controls: those that were built so far.
        sections: title, widget and controls of each part of the drawer.
    """

    hidden = param.Parameter(default=(), doc="Words of the controls that are hidden.")

    def __init__(self, page: str, frame: Frame) -> None:
        super().__init__()
        self.page, self.frame = page, frame
        self.controls: list[Control] = []
        self.sections: list[tuple[str, Any, list[Control]]] = []
        self.param.watch(lambda _: self._apply(), "hidden")
        frame.param.watch(lambda _: self._apply(), "extras")

    @property
    def words(self) -> tuple[str, ...]:
        """Of everything on the page that can be hidden."""
        return tuple(words_of(self.page))

    def is_hidden(self, word: str) -> bool:
        """Whether a control, or a part of the frame, is hidden."""
        return word in self.hidden or word in self.frame.extras

    @property
    def n_hidden(self) -> int:
        """Controls that are hidden, and parts of the frame."""
        return sum(word in self.words for word in self.hidden) + len(self.frame.extras) + bool(self.frame.only)

    def show_all(self) -> None:
        """Nothing is hidden any more."""
        self.hidden = ()
        self.frame.param.update(extras=(), only=())

    # to and from a link

    def to_query(self) -> dict[str, str]:
        """What is hidden, as words of a link: those that are hidden or those that are left, whichever is shorter."""
        own = [word for word in self.words if word in self.hidden]
        left = [word for word in self.words if word not in self.hidden]
        few = len(own) <= len(left)
        hide = [*(own if few else ()), *self.frame.extras]
        shown = [] if few else left or [NONE]
        found = {"hide": hide, "show": shown, "only": self.frame.only}
        return {word: ",".join(names) for word, names in found.items() if names}

    def apply_query(self, query: Mapping[str, str]) -> list[str]:
        """Hides what a link names; what it does not know is named and the rest hidden.

        Returns:
            One message for each word that was not taken.
        """
        problems: list[str] = []
        own = {name: word for word, name in words_of(self.page).items()} | {word: word for word in self.words}
        left = _checked(query, "show", own | {NONE: NONE}, problems)
        asked = _checked(query, "hide", own | {name: name for name in EXTRA}, problems)
        hidden = [word for word in self.words if word in asked or (left and word not in left)]
        only = _checked(query, "only", {page.name: page.name for page in PAGES}, problems)
        only += [self.page] if only else []
        self.hidden = tuple(hidden)
        self.frame.param.update(
            extras=tuple(name for name in EXTRA if name in asked),
            only=tuple(page.name for page in PAGES if page.name in only),
        )
        return problems

    # what the builders say

    def add(self, control: Control) -> None:
        """A control was built."""
        self.controls.append(control)
        if self.is_hidden(control.word):
            display(control.widget, False)

    def add_section(self, title: str, widget: Any, controls: list[Control]) -> None:
        """A part of the drawer was built; it disappears with the last of its controls.

        Where a link leaves only a few, they are there to be used, and their part is open.
        """
        self.sections.append((title, widget, controls))
        if self._is_empty(controls):
            display(widget, False)
        elif len(self.hidden) > len(self.words) // 2:
            widget.collapsed = False

    def _is_empty(self, controls: list[Control]) -> bool:
        return all(self.is_hidden(control.word) for control in controls)

    def _apply(self) -> None:
        for control in self.controls:
            display(control.widget, not self.is_hidden(control.word))
        for _, widget, controls in self.sections:
            display(widget, not self._is_empty(controls))


def control(state: State, name: str, widget: Any) -> Any:
    """Says that a widget sets a parameter, so that a link can hide it.

    Args:
        state: whose parameter; where it belongs to no session, nothing happens.
        name: of the parameter, or of what the widget does where it sets none.
        widget: its display is switched, never its ``visible``, which is the page's own.

    Returns:
        The widget.
    """
    hiding = state.hiding
    if hiding is not None:
        label = getattr(widget, "label", "") or (state.param[name].doc if name in state.param else name)
        made = Control(state.URL.get(name, name), str(label), widget)
        setattr(widget, _TAG, (hiding, made))
        hiding.add(made)
    return widget


def section_of(title: str, widget: Any) -> Any:
    """Says that a widget holds controls under a title."""
    tags = [getattr(one, _TAG) for one in widget.select(lambda one: hasattr(one, _TAG))]
    if tags:
        tags[0][0].add_section(title, widget, [made for _, made in tags])
    return widget


def display(widget: Any, on: bool) -> None:
    """Shows or hides a widget without its ``visible``."""
    styles = dict(widget.styles)
    if on and styles.get("display") != "none":
        return
    widget.styles = styles | {"display": "" if on else "none"}


def _checked(query: Mapping[str, str], word: str, known: Mapping[str, str], problems: list[str]) -> list[str]:
    """The parts of a link's list that are known."""
    good: list[str] = []
    what = "page" if word == "only" else "control on the page"
    for part in filter(None, map(str.strip, query.get(word, "").split(","))):
        if part in known:
            good.append(known[part])
            continue
        close = meant(part, {one: one for one in known})
        hint = f"; did you mean {known.get(close, close)}?" if close else "."
        problems.append(f"{word}={fit_to_show(part)} in the link was ignored: there is no such {what}{hint}")
    return good

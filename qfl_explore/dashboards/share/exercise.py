"""A link to a part of a page: the teacher ticks what a learner shall see, the page shows it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import EXTRA, Control, Hiding
from qfl_explore.dashboards.pages import PAGES, Session, states_of
from qfl_explore.dashboards.parts.buttons import copy_button
from qfl_explore.dashboards.parts.text import Text

HOW = (
    "Take the tick away from what learners shall not see. It disappears here, too, and keeps the value that it has "
    "now; the line above the page brings it back. Whoever opens the link can do the same: this is for clarity, not "
    "for secrets."
)
ELSEWHERE = "In other views of the page"
_SMALL: dict[str, Any] = {"size": "small", "margin": (0, 8)}


class HiddenLine:
    """Above the page: how much the link hides, and a button that shows it.

    Args:
        session: what the pages share.

    Attributes:
        main: to be placed above the page; empty while nothing is hidden.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.text = Text("", size=13, margin=(6, 4, 6, 16), sizing_mode=None, terms=False)
        self.button = pmui.Button(label="Show all", variant="text", size="small", margin=(2, 0))
        self.button.on_click(lambda _: session.hiding_of(session.page).show_all())
        self.main = pn.Row(margin=0)
        session.param.watch(lambda _: self.draw(), "moved")

    def draw(self) -> None:
        """Says what is hidden of the page that is open."""
        count = self._session.hiding_of(self._session.page).n_hidden
        self.text.object = f"{count} control{'s are' if count > 1 else ' is'} hidden by the link ·" if count else ""
        if bool(count) != bool(len(self.main)):
            self.main[:] = [self.text, self.button] if count else []


class Picker:
    """Check boxes for everything on a page, and the link that they make.

    Args:
        session: what the pages share; the page that is open is picked from.
        base: the address before the question mark.

    Attributes:
        groups: title -> check boxes of the controls under it.
        pages: check boxes of the pages.
        frame: check boxes of what is around the page.
    """

    def __init__(self, session: Session, base: Callable[[], str]) -> None:
        self._session, self._base = session, base
        self._hiding = session.hiding_of(session.page)
        self._busy = False
        self.groups = {title: self._boxes(controls) for title, controls in grouped(session).items()}
        hiding = self._hiding
        self.frame = pmui.CheckBoxGroup(options={label: name for name, label in EXTRA.items()}, **_SMALL)
        self.pages = pmui.CheckBoxGroup(options={page.title: page.name for page in PAGES}, inline=True, **_SMALL)
        self._link = pn.Column(sizing_mode="stretch_width", margin=0)
        boxes = (*self.groups.values(), self.frame, self.pages)
        self.read()
        for box in boxes:
            box.param.watch(lambda _: self.write(), "value")
        hiding.param.watch(lambda _: self.read(), "hidden")
        hiding.frame.param.watch(lambda *_: self.read(), ["extras", "only"])

    def _boxes(self, controls: list[Control]) -> pmui.CheckBoxGroup:
        labels = [control.label for control in controls]
        options = {
            control.label if labels.count(control.label) == 1 else f"{control.label} ({control.word})": control.word
            for control in controls
        }
        return pmui.CheckBoxGroup(options=options, **_SMALL)

    def __panel__(self) -> Any:
        groups = [self._group(title, boxes) for title, boxes in self.groups.items()]
        around = pmui.Column(_title("Around the page"), self.frame, width=290, margin=(4, 6))
        return pmui.Column(
            Text(HOW, size=13),
            pmui.FlexBox(*groups, around, align_items="flex-start", gap="4px"),
            _title("Pages that learners may open (the one of the link is always there)"),
            self.pages,
            self._link,
            sizing_mode="stretch_width",
        )

    def _group(self, title: str, boxes: pmui.CheckBoxGroup) -> pmui.Column:
        every = list(boxes.options.values())
        whole = pmui.Button(label="All", variant="text", size="small", margin=0)
        none = pmui.Button(label="None", variant="text", size="small", margin=0)
        whole.on_click(lambda _: boxes.param.update(value=every))
        none.on_click(lambda _: boxes.param.update(value=[]))
        head = pmui.FlexBox(_title(title), whole, none, align_items="center", gap="2px")
        return pmui.Column(head, boxes, width=290, margin=(4, 6))

    def read(self) -> None:
        """Ticks what is not hidden."""
        if self._busy:
            return
        self._busy = True
        try:
            for boxes in self.groups.values():
                boxes.value = [word for word in boxes.options.values() if word not in self._hiding.hidden]
            frame = self._hiding.frame
            self.frame.value = [name for name in EXTRA if name not in frame.extras]
            self.pages.value = list(frame.only) or [page.name for page in PAGES]
        finally:
            self._busy = False
        self._show_link()

    def write(self) -> None:
        """Hides what is not ticked."""
        if self._busy:
            return
        self._busy = True
        try:
            picked(self._hiding, self.groups, self.frame.value, self.pages.value)
        finally:
            self._busy = False
        self._show_link()

    def _show_link(self) -> None:
        address = self._base() + self._session.address()
        box = pmui.TextInput(label="Link to this exercise", value=address, sizing_mode="stretch_width")
        self._link[:] = [pn.Row(box, copy_button(address), sizing_mode="stretch_width")]


def picked(hiding: Hiding, groups: dict[str, Any], frame: list[str], pages: list[str]) -> None:
    """Hides what the check boxes leave out."""
    offered = {word for boxes in groups.values() for word in boxes.options.values()}
    ticked = {word for boxes in groups.values() for word in boxes.value}
    hiding.hidden = tuple(word for word in hiding.words if word in offered - ticked)
    names = [page.name for page in PAGES if page.name in (*pages, hiding.page)]
    hiding.frame.param.update(
        extras=tuple(name for name in EXTRA if name not in frame),
        only=() if len(names) == len(PAGES) else tuple(names),
    )


def grouped(session: Session) -> dict[str, list[Control]]:
    """The controls of the page that is open, under the titles of the drawer; those of other views come last."""
    hiding, view = session.hiding_of(session.page), session.view
    roots = [pn.panel(root) for root in (*view.sidebar, *view.main)] if view is not None else []
    there = {id(one) for root in roots for one in root.select()}
    built = {control.word: control for control in hiding.controls if id(control.widget) in there}
    groups: dict[str, list[Control]] = {}
    for title, widget, controls in hiding.sections:
        if id(widget) in there:
            groups[title] = [built.pop(one.word) for one in controls if built.get(one.word) is one]
    groups["On the page itself"] = [control for control in built.values() if control.word in hiding.words]
    known = {control.word for controls in groups.values() for control in controls}
    groups[ELSEWHERE] = [
        Control(word, state.param[name].doc or name, None)
        for state in (states_of(view) if view is not None else ())
        for name, word in state.URL.items()
        if word not in known
    ]
    return {title: controls for title, controls in groups.items() if controls}


def _title(text: str) -> Text:
    return Text(text, size=13, weight=600, margin=(6, 8, 2, 8), sizing_mode=None, terms=False)

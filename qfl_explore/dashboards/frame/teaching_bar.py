"""The strip above every page: presets to try, and the guided tour with its questions."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import display
from qfl_explore.dashboards.link import APP_WORDS
from qfl_explore.dashboards.pages import Session, View, states_of
from qfl_explore.dashboards.parameters import State
from qfl_explore.dashboards.parts import teaching_text as text
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.terms import STYLE
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import when_loaded
from qfl_explore.teaching.content import presets, tours
from qfl_explore.teaching.model import Preset, Step, Tour

#: Settings that are the visitor's own and no part of what is shown.
KEPT = ("pace",)
_CHIP = {"borderRadius": "14px", "textTransform": "none", "padding": "1px 11px", "minWidth": 0, "fontSize": px(13)}
_CHOICE = {
    "fontSize": px(13.5),
    "textTransform": "none",
    "justifyContent": "flex-start",
    "textAlign": "left",
    "lineHeight": 1.35,
}
_FRAME = {"border": "1px solid rgba(128,128,128,0.5)", "border-left": "5px solid #0072B2", "border-radius": "8px"}


def become(state: State, words: Mapping[str, str]) -> list[str]:
    """Sets everything to the defaults, then these words, as one change.

    Args:
        state: of a page; words that it does not have are left to the page's other states.
        words: as in a link.

    Returns:
        One message for each value that was not taken.
    """
    wanted = type(state)()
    problems = wanted.apply_query(words)
    if hasattr(state, "use"):  # what may be chosen for an axis depends on the experiment
        state.use(wanted.experiment)  # type: ignore[attr-defined]
    state.param.update(**{name: getattr(wanted, name) for name in state.URL if name not in KEPT})
    return problems


def entered(query: Mapping[str, str], page: str) -> tuple[dict[str, str], int, list[str]]:
    """A link with the settings of its tour's step, where it has none of its own.

    Args:
        query: of the link.
        page: that it opens.

    Returns:
        The link's words, the step from 1 (0: no tour), and what was wrong.
    """
    if "tour" not in query:
        return dict(query), 0, []
    steps = tours()[page].steps if page in tours() else ()
    asked = query["tour"]
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:4]) <= len(steps)):
        said = f"a step from 1 to {len(steps)}" if steps else "a page that has a tour"
        return dict(query), 0, [f"tour in the link was ignored: expected {said}."]
    number = int(asked)
    own = set(query) - set(APP_WORDS)
    words = {} if own else dict(steps[number - 1].words or {})
    return {**query, **words}, number, []


class TeachingBar:
    """One visitor's presets and tours.

    Args:
        session: what the pages share.
        body: holds the page; it is not seen while a step of the tour waits for a prediction.
        page: that the link opens.
        number: step of its tour that the link opens, from 1; 0: none.

    Attributes:
        main: to be placed above the page.
        preset: what was chosen last and still holds, or ``None``.
        number: the open step of the present page's tour, from 1; 0 while none is open.
    """

    def __init__(self, session: Session, body: Any, page: str = "", number: int = 0) -> None:
        self._session, self._body = session, body
        self._page, self._view = "", None
        self._open: dict[str, int] = {page: number} if number else {}
        self._chosen: dict[tuple[str, int], int] = {}
        self.preset: Preset | None = None
        self._expected: dict[str, str] = {}
        self._chips = pmui.FlexBox(align_items="center", gap="6px", margin=(8, 14, 0, 14), sizing_mode="stretch_width")
        self._see = Text("", size=13, live=True, margin=(4, 16, 0, 16))
        self._place = pn.Column(sizing_mode="stretch_width", margin=0)
        self.main = pn.Column(self._chips, self._see, self._place, sizing_mode="stretch_width", margin=0)
        session.carry("tour", lambda: str(self.number or ""))
        session.param.watch(self._moved, "moved")

    @property
    def number(self) -> int:
        """The open step; see the class."""
        return self._open.get(self._page, 0)

    @functools.cached_property
    def card(self) -> TourCard:
        """Where a tour is shown; made for those who take one."""
        return TourCard(self)

    @property
    def tour(self) -> Tour:
        """Of the present page."""
        return tours()[self._page]

    # what the app calls

    def show(self, page: str, view: View | None) -> None:
        """The visitor sees another page."""
        self._page, self._view = page, view
        self._forget()
        self._chips[:] = [] if view is None else [*self._tour_button(page), *self._preset_chips(page)]
        self._place[:] = []
        if view is None:  # the page could not be built
            self._open.pop(page, None)
        if self.number:
            self._draw()
            if self.waits:
                when_loaded(self._hold)
        self._cover()
        self._session.touch()

    def _tour_button(self, page: str) -> list[Any]:
        if page not in tours():
            return []
        button = pmui.Button(label="Guided tour", icon="signpost", size="small", margin=0, sx=_CHIP)
        button.on_click(lambda _: self.go(self.number or 1))
        return [button]

    def _preset_chips(self, page: str) -> list[Any]:
        found = presets().get(page, ())
        chips: list[Any] = [_caption("Try:")] if found else []
        for one in found:
            chip = pmui.Button(label=one.name, size="small", variant="outlined", margin=0, sx=_CHIP)
            chip.on_click(lambda _, one=one: self.take(one))
            chips.append(chip)
        return chips

    # presets

    def take(self, preset: Preset) -> None:
        """Sets the controls as one change and says what there is to see; an open tour ends."""
        if self.number:
            self.close()
        self._apply(preset.words)
        self.preset, self._expected = preset, self._view.query() if self._view else {}
        self._see.object = f"{preset.name[0].upper()}{preset.name[1:]}: {preset.see}"

    def _apply(self, words: Mapping[str, str]) -> None:
        self._session.notify("")
        problems = [problem for state in states_of(self._view) for problem in become(state, words)]
        if problems:
            self._session.notify(" ".join(problems))

    def _moved(self, *_: Any) -> None:
        if self.preset is not None and self._view is not None and self._view.query() != self._expected:
            self._forget()

    def _forget(self) -> None:
        self.preset, self._see.object = None, ""

    # the tour

    def go(self, number: int) -> None:
        """Enters a step: sets the controls, asks, and where it says so lets the run wait for an answer."""
        self._forget()
        self._open[self._page] = number
        self._cover()
        if self._step.words is not None:
            self._apply(self._step.words)
        self._draw()
        if self.waits:
            self._hold()
        self._session.touch()

    def close(self) -> None:
        """Ends the tour; the settings stay."""
        self._open.pop(self._page, None)
        self._place[:] = []
        self._release()
        self._cover()
        self._session.touch()

    def answer(self, choice: int) -> None:
        """The learner chose, from 1, or asked for the answer (0)."""
        self._chosen[self._page, self.number] = choice
        self.card.reveal(self._step, choice)
        self._release()
        self._cover()

    def answer_of(self) -> int | None:
        """What the learner chose in the open step; ``None`` while it is not answered."""
        return self._chosen.get((self._page, self.number))

    @property
    def waits(self) -> bool:
        """Whether the open step asks for a prediction that the learner has not made."""
        return bool(self.number) and self._step.predict and self.answer_of() is None

    @property
    def _step(self) -> Step:
        return self.tour.steps[self.number - 1]

    def _draw(self) -> None:
        self.card.draw(self.tour, self.number, self.answer_of())
        self._place[:] = [self.card.main]

    def _cover(self) -> None:
        """Hides the page while a prediction is due: its pictures and its headline would give the answer away."""
        display(self._body, not self.waits)

    def _hold(self) -> None:
        run = _run_of(self._view)
        if run is not None and run.state in ("queued", "running"):
            run.pause()

    def _release(self) -> None:
        run = _run_of(self._view)
        if run is not None and run.state == "paused":
            run.resume()


def _caption(words: str) -> pn.pane.HTML:
    return pn.pane.HTML(f'<span style="font-size:{px(13)}">{words}</span>', margin=(0, 0, 0, 8), align="center")


def _run_of(view: Any) -> Any:
    """The main run of a page, or of its open part."""
    part = getattr(view, "part", None)
    return getattr(part if part is not None and not isinstance(part, str) else view, "run", None)


class TourCard:
    """What is seen of a tour: where it is, what to look at, a question, its choices and its answer.

    Args:
        bar: is told what the learner does.
    """

    def __init__(self, bar: TeachingBar) -> None:
        self._bar = bar
        look: dict[str, Any] = {"stylesheets": [STYLE, text.CARD_STYLE], "sizing_mode": "stretch_width", "margin": 0}
        self.head, self.look, self.ask = (pn.pane.HTML("", **look) for _ in range(3))
        self.told = pn.pane.HTML("", **look)
        self.choices = pn.Column(sizing_mode="stretch_width", margin=(2, 0))
        self.shown = _button("Show the answer", "visibility", lambda: bar.answer(0), variant="text")
        self.back = _button("Back", "arrow_back", lambda: bar.go(bar.number - 1))
        self.next = _button("Next", "arrow_forward", self._forward, variant="contained")
        self.again = _button("Set the controls again", "restart_alt", lambda: bar.go(bar.number), variant="text")
        self.leave = _button("Close the tour", "close", bar.close, variant="text")
        halves = pn.FlexBox(
            pn.Column(self.look, self.told, styles={"flex": "1 1 380px"}, margin=0, sizing_mode="stretch_width"),
            pn.Column(self.ask, self.choices, styles={"flex": "1 1 380px"}, margin=0, sizing_mode="stretch_width"),
            gap="6px 28px",
            sizing_mode="stretch_width",
            margin=(4, 0),
        )
        foot = pmui.FlexBox(self.back, self.next, self.shown, self.again, self.leave, gap="8px", align_items="center")
        self.main = pn.Column(
            self.head, halves, foot, styles={**_FRAME, "padding": "8px 14px"}, margin=(8, 14, 2, 14),
            sizing_mode="stretch_width",
        )  # fmt: skip

    def draw(self, tour: Tour, number: int, chosen: int | None) -> None:
        """Shows a step.

        Args:
            tour: of the page.
            number: of the step, from 1.
            chosen: by the learner; ``None``: not answered yet.
        """
        step = tour.steps[number - 1]
        self.head.object = text.head(tour, number)
        self.look.object, self.ask.object = text.look(step), text.question(step)
        self.choices[:] = [self._choice(place, words) for place, words in enumerate(step.choices, 1)]
        self.told.object = ""
        self.back.disabled = number == 1
        self.next.label = "Next" if number < len(tour.steps) else "Finish"
        self.again.disabled = step.words is None
        self.shown.disabled = False
        if chosen is not None:
            self.reveal(step, chosen)

    def reveal(self, step: Step, chosen: int) -> None:
        """Shows the answer; ``chosen`` is 0 where the learner only asked for it."""
        self.ask.object, self.told.object = text.question(step, waits=False), text.answer(step, chosen)
        self.shown.disabled = True
        for place, widget in enumerate(self.choices, 1):
            right = place == step.right
            widget.param.update(
                icon="check" if right else "close" if place == chosen else None,
                variant="contained" if place == chosen else "outlined",
            )

    def _choice(self, place: int, words: str) -> pmui.Button:
        return _button(words, None, lambda: self._bar.answer(place), sizing_mode="stretch_width", sx=_CHOICE)

    def _forward(self) -> None:
        last = self._bar.number == len(self._bar.tour.steps)
        self._bar.close() if last else self._bar.go(self._bar.number + 1)


def _button(label: str, icon: str | None, act: Any, variant: str = "outlined", **options: Any) -> pmui.Button:
    options = {"margin": (1, 0), "size": "small", "sx": {"textTransform": "none", "fontSize": px(13)}} | options
    widget = pmui.Button(label=label, icon=icon, variant=variant, **options)
    widget.on_click(lambda _: act())
    return widget

"""Results that a visitor pins, beside the present one: pictures on the same scale, settings, headlines."""

from __future__ import annotations

import dataclasses
import html
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.parts.buttons import button
from qfl_explore.dashboards.parts.differences import Change, changes, label_of, value_words, verdict
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.runs.scheduler import shared_scheduler
from qfl_explore.plots.style import LiveFigure
from qfl_explore.plots.twin import Twin

#: Changes, whether the pinned run was finished, whether the present one goes on -> a sentence.
Judge = Callable[[list[Change], bool, bool], str]
#: Pinned results at most; each holds a frozen copy of every picture.
MOST = 3
#: So many settings are named above a picture; more are in the table only.
_NAMED = 2
#: Seconds between two wordings of the present headline in the table.
_EVERY = 1.0
_STYLE = f"""
.pins {{ overflow-x: auto; border: 1px solid rgba(128, 128, 128, 0.45); border-radius: 6px; padding: 4px 10px 8px; }}
table {{ border-collapse: collapse; width: 100%; font-size: {px(13)}; line-height: 1.45; }}
caption {{ text-align: left; font-weight: 600; font-size: {px(14)}; padding: 4px 0; }}
th, td {{ text-align: left; vertical-align: top; padding: 4px 14px 4px 0; min-width: 90px;
  border-bottom: 1px solid rgba(128, 128, 128, 0.3); }}
th[scope=row] {{ font-weight: 600; white-space: nowrap; }}
p {{ font-size: {px(13)}; margin: 6px 0 0; line-height: 1.45; }}
"""


@dataclasses.dataclass(eq=False)
class Pinned:
    """One pinned result.

    Attributes:
        name: "Pinned 1".
        settings: of its run.
        headline: as it was.
        status: where its run was, in words.
        finished: whether the run was finished.
        twins: live figure -> its frozen copy.
    """

    name: str
    settings: Mapping[str, Any]
    headline: str
    status: str
    finished: bool
    twins: dict[LiveFigure, Twin] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Present:
    """The result that is on the page now.

    Attributes:
        settings: of its run, not those that wait for a start.
        headline: its sentence.
        status: where its run is, in words.
        state: of the run, such as ``done``.
    """

    settings: Mapping[str, Any]
    headline: str
    status: str
    state: str


class Pins:
    """Keeps results of one page.

    Args:
        state: names the settings.
        present: what the page shows now.
        figures: those that are to be kept; ``None`` where there is no result yet.
        notify: shows a message.
        dark: whether the theme is dark.
        document: Bokeh document of the session; ``None``: copies are made at once.
        most: how many results are kept; one more takes the place of the oldest.
        changed: called when there are more or fewer pins.
        judge: says what a difference may be taken for; see `differences.verdict`.

    Attributes:
        box: to be placed; empty while nothing is pinned.
        pinned: the results, oldest first.
    """

    def __init__(
        self,
        state: Any,
        present: Callable[[], Present],
        figures: Callable[[], Iterable[LiveFigure] | None],
        notify: Callable[[str, str], None],
        dark: bool = False,
        document: Any = None,
        most: int = MOST,
        changed: Callable[[], None] = lambda: None,
        judge: Judge = verdict,
    ) -> None:
        self._state, self._present, self._figures, self._notify = state, present, figures, notify
        self._dark, self._document, self._most, self._tell = dark, document, most, changed
        self._judge = judge
        self.pinned: list[Pinned] = []
        self._count, self._again = 0, 0.0
        self._seen: tuple[Any, ...] = ()
        self._making: set[Twin] = set()
        self._table = pn.pane.HTML("", stylesheets=[_STYLE], sizing_mode="stretch_width", margin=(4, 0))
        self._buttons = pmui.FlexBox(gap="8px", margin=(0, 0, 6, 0))
        self.box = pmui.Column(sizing_mode="stretch_width", margin=0)

    def pin(self) -> bool:
        """Keeps the present result; ``False`` where there is none."""
        present, figures = self._present(), self._figures()
        if figures is None:
            self._notify("There is no result to pin yet: wait for the first one.", "info")
            return False
        for oldest in self.pinned[: len(self.pinned) + 1 - self._most]:
            self._held(partial(self._drop, oldest))
        self._count += 1
        finished = present.state == "done"
        name = f"Pinned {self._count}" if self._most > 1 else "Pinned"
        one = Pinned(name, dict(present.settings), present.headline, present.status, finished)
        self.pinned.append(one)
        for figure in figures:
            self._later(partial(self._freeze, one, figure))
        self._held(self._arrange)
        return True

    def unpin(self, one: Pinned) -> None:
        """Takes a result away."""
        if one in self.pinned:
            self._held(partial(self._drop, one))
            self._held(self._arrange)

    def set_dark(self, dark: bool) -> None:
        """Copies follow the theme."""
        self._dark = dark
        for one in self.pinned:
            for twin in one.twins.values():
                if twin.copy is not None:
                    twin.copy.set_dark(dark)

    def refresh(self) -> None:
        """Something on the page changed; cheap where it does not matter here."""
        if not self.pinned:
            return
        present = self._present()
        self._mend()
        now = time.monotonic()
        running = present.state in ("queued", "running")
        seen = (*self.pinned, tuple(map(repr, present.settings.items())), running)
        if seen == self._seen and (running and now < self._again):
            return
        self._seen, self._again = seen, now + _EVERY
        self._write(present)

    # copies

    def _later(self, function: Callable[[], None]) -> None:
        """On the server's loop, one at a time, so that others come in between."""
        if self._document is None or not self._document.session_context:
            function()
        else:
            self._document.add_next_tick_callback(partial(self._held, function))

    def _held(self, function: Callable[[], None]) -> None:
        if self._document is None or not self._document.session_context:
            function()
            return
        with pn.io.hold(self._document):
            function()

    def _freeze(self, one: Pinned, figure: LiveFigure) -> None:
        if one in self.pinned:
            one.twins[figure] = twin = Twin(figure)
            self._make(twin, figure)

    def _make(self, twin: Twin, figure: LiveFigure) -> None:
        """A copy for a twin: built in a worker, placed on the loop."""
        self._making.add(twin)

        def place(copy: LiveFigure) -> None:
            self._making.discard(twin)
            if twin.place(copy, self._dark):
                self._show(figure)
                self._caption(self._present())

        if self._document is None or not self._document.session_context:
            place(twin.make())
            return

        def make() -> None:
            copy = twin.make()
            self._later(lambda: place(copy))

        shared_scheduler().errand(make)

    def _mend(self) -> None:
        """Copies whose axes have another meaning by now share what can still be shared."""
        for one in self.pinned:
            for figure, twin in one.twins.items():
                if twin.is_stale and twin not in self._making:
                    self._make(twin, figure)

    def _show(self, figure: LiveFigure) -> None:
        if figure.frame is not None:
            twins = [one.twins[figure] for one in self.pinned if figure in one.twins]
            figure.frame.put_beside([twin.copy for twin in twins if twin.copy is not None])

    def _drop(self, one: Pinned) -> None:
        self.pinned.remove(one)
        for figure, twin in one.twins.items():
            twin.close()
            self._show(figure)
            if not any(figure in other.twins for other in self.pinned):
                figure.caption("")

    # words

    def _arrange(self) -> None:
        self._buttons[:] = [self._unpin_button(one) for one in self.pinned]
        self.box[:] = [self._table, self._buttons] if self.pinned else []
        self._seen = ()
        self._tell()
        self.refresh()

    def _unpin_button(self, one: Pinned) -> Any:
        widget = button(f"Unpin {one.name.removeprefix('Pinned ')}" if self._most > 1 else "Unpin", "close")
        widget.on_click(lambda _: self.unpin(one))
        return widget

    def _write(self, present: Present) -> None:
        self._table.object = table_html(self._state, self.pinned, present, self._judge)
        self._caption(present)

    def _caption(self, present: Present) -> None:
        names = varied(self._state, self.pinned, present)
        figures = {figure for one in self.pinned for figure in one.twins}
        for figure in figures:
            figure.caption(caption(self._state, "Now", names, present.settings))
        for one in self.pinned:
            words = caption(self._state, one.name, names, one.settings)
            for twin in one.twins.values():
                if twin.copy is not None:
                    own = twin.own_scales
                    twin.copy.caption(f"{words} · own scale: {', '.join(own)}" if own else words)


def varied(state: Any, pinned: Iterable[Pinned], present: Present) -> list[str]:
    """The settings in which a pinned result differs from the present one, in the order of the state."""
    found = {change.name for one in pinned for change in changes(state, one.settings, present.settings)}
    return [name for name in present.settings if name in found]


def caption(state: Any, name: str, names: list[str], settings: Mapping[str, Any]) -> str:
    """The line above a picture: "Pinned 1: Degree P = 3"."""
    if not names or len(names) > _NAMED:
        return name
    return f"{name}: " + ", ".join(
        f"{label_of(state, one)} = {value_words(state, one, settings[one])}" for one in names
    )


def table_html(state: Any, pinned: list[Pinned], present: Present, judge: Judge = verdict) -> str:
    """Settings that differ and headlines, a column for each result, and what may be concluded."""
    columns = [("Now", present.settings, present.headline, present.status)]
    columns += [(one.name, one.settings, one.headline, one.status) for one in pinned]
    rows: list[tuple[str, list[str]]] = []
    for setting in varied(state, pinned, present):
        cells = [_cell(value_words(state, setting, settings[setting])) for _, settings, _, _ in columns]
        rows.append((label_of(state, setting), cells))
    rows.append(("Result", [_cell(headline or "–") for _, _, headline, _ in columns]))
    if any(status for *_, status in columns):
        rows.append(("Run", [_cell(status or "–") for *_, status in columns]))
    body = "".join(f'<tr><th scope="row">{html.escape(label)}</th>{"".join(cells)}</tr>' for label, cells in rows)
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name, *_ in columns)
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in _verdicts(state, pinned, present, judge))
    table = f"<table><caption>Side by side</caption><tr><td></td>{head}</tr>{body}</table>"
    return f'<div class="pins" tabindex="0">{table}{lines}</div>'


def _cell(text: str) -> str:
    return f"<td>{html.escape(text)}</td>"


def _verdicts(state: Any, pinned: list[Pinned], present: Present, judge: Judge) -> list[str]:
    running = present.state in ("queued", "running", "paused")
    found: list[tuple[str, list[Change], bool]] = [
        (one.name, changes(state, one.settings, present.settings), one.finished) for one in pinned
    ]
    if len(found) == 1:
        return [judge(found[0][1], found[0][2], running)]
    return [f"{name}: {judge(differing, finished, running)}" for name, differing, finished in found]

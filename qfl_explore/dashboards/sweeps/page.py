"""The page Sweeps: a grid of settings over an experiment, rows as they arrive, small multiples of the result."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.buttons import button
from qfl_explore.dashboards.parts.layout import Frame, row
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.settings import line, section, select, slider, switch
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.share.take_along import TABLE_STYLE, table_html
from qfl_explore.dashboards.sweeps import text
from qfl_explore.dashboards.sweeps.presets import NOTHING
from qfl_explore.dashboards.sweeps.state import SweepsState, has_seed
from qfl_explore.dashboards.sweeps.work import Seen, SweepWork
from qfl_explore.plots import sweeps as plots
from qfl_explore.plots.style import LiveFigure, Spares

SPARES = Spares({"sweep": plots.live_panel, "sweep log": lambda: plots.live_panel(log=True)})
#: Pictures side by side -> width in pixels under which they wrap.
_LEAST = {1: 400, 2: 270, 3: 250}
#: Pictures -> how many stand side by side, and their height in pixels.
_COLUMNS = {1: (1, 400), 2: (2, 380), 3: (3, 320), 4: (2, 270), 5: (3, 270), 6: (3, 270)}


def create(session: Session) -> SweepsPage:
    """The registry's factory."""
    return SweepsPage(session)


class SweepsPage(RunPage):
    """One visitor's page; a change of its settings waits for Start."""

    name, filename, stepping = "sweeps", "sweep.csv", False

    def __init__(self, session: Session) -> None:
        state = from_link(session, self.name, SweepsState())
        super().__init__(session, state, toml=lambda: text.toml(self._shown_grid()[0]))
        self._work: SweepWork | None = None
        self._shape: Any = None
        self._retry = False
        self._n_seeds = 1
        self._seen: Seen | None = None
        self._shown: list[tuple[bool, int]] = []
        self.retry_button = button("Retry failed rows", "refresh")
        self.retry_button.visible = False
        self.retry_button.on_click(lambda _: self.retry())
        self.link = pn.pane.HTML("", margin=(6, 4))
        self.controls.extra += [self.retry_button, self.link]
        self.legend = pn.pane.HTML("", margin=(2, 10), sizing_mode="stretch_width")
        self.pictures = pn.Column(sizing_mode="stretch_width")
        self.newest = _table_pane("The newest rows")
        self.failures = _table_pane("")
        self.failures_box = pmui.Column(self.failures, visible=False, sizing_mode="stretch_width")
        result = (self.headline, self.legend, self.pictures, self.failures_box, self.newest, self.take_along)
        about = [Text(line, size=12, margin=(4, 10)) for line in (text.KEPT, text.NOT_SHOWN, text.WHOSE)]
        self.main = self.body(self.controls, *result, *about)
        self.sidebar = _sidebar(state)
        state.param.watch(self._wait_for_start, [name for name in SweepsState.URL if name not in SweepsState.DRAWN])
        state.param.watch(lambda *_: self._redraw(), list(SweepsState.DRAWN))
        session.param.watch(lambda event: self._colour_legend(event.new), "dark")

    def restarts(self) -> list[str]:
        """None; see `_wait_for_start`."""
        return []

    def redraws(self) -> list[str]:
        """What chooses a result and a scale; the rest waits for Start."""
        return list(SweepsState.DRAWN)

    def restore(self, values: dict[str, Any]) -> None:
        """The experiment first, because what the rest may be depends on it."""
        if "experiment" in values:
            self.state.use(values.pop("experiment"))
        self.state.param.update(**values)

    def config(self) -> SweepWork:
        """The sweep that the settings describe."""
        self.state.shape()  # refuses what cannot be drawn
        return SweepWork(self.state.grid(), self._retry)

    def work(self, config: SweepWork) -> Iterator[Any]:
        """Progress; rows that are kept appear at once."""
        return iter(config)

    def record(self, item: Any) -> None:
        """Nothing: the work keeps its rows."""

    def derive(self, item: Any) -> Seen:
        """Tables and pictures of the rows so far."""
        return self._work.seen(item, self._shape)

    def table(self) -> pd.DataFrame | None:
        """One row for each record so far."""
        return self._seen.table if self._seen is not None else None

    def snippet(self) -> str:
        """Python source of the rows on the page."""
        return text.snippet(*self._shown_grid())

    def _shown_grid(self) -> tuple[Any, Any]:
        """Of the rows on the page; before the first sweep, of the settings."""
        return (self._work.grid, self._shape) if self._work else (self.state.grid(), self.state.shape())

    # what the visitor does

    def retry(self) -> None:
        """The same sweep; rows that failed are computed again."""
        self._retry = True
        try:
            self.start()
        finally:
            self._retry = False

    def _wait_for_start(self, *_: Any) -> None:
        """Settings of the computation changed: a running sweep ends, the next waits for Start."""
        self.cancel()
        self.controls.status.object = text.CHANGED

    def _redraw(self) -> None:
        """Another result, or another scale, of the rows that are there."""
        if self._shape is None or self._work is None or self._seen is None:
            return
        if self._work.grid.name != self.state.experiment:
            return  # the rows on the page are another experiment's
        self._shape = dataclasses.replace(self._shape, y=self.state.y, log=self.state.log)
        self._seen = self._work.seen(self._seen.progress, self._shape)
        self._draw(self._seen)

    # on the server's loop

    def starting(self, config: SweepWork) -> None:
        """The sweep before this one frees the workers."""
        self.ended()
        self._work, self._shape = config, self.state.shape()
        self._n_seeds = self.state.seeds if has_seed(config.grid.name) else 0

    def ended(self) -> None:
        """The shared workers are free for others."""
        if self._work is not None:
            self._work.stop()
            self._offer_retry(running=False)

    def begin(self) -> None:
        """The old pictures stay in sight until there are new ones."""
        self._seen = None

    def draw(self, update: Update) -> None:
        """Pictures and tables, where there is something new."""
        if update.picture is not None:
            before, self._seen = self._seen, update.picture
            if before is None or before.pictures is not self._seen.pictures or self._seen.progress.finished:
                self._draw(self._seen)
        if update.state == "paused" and self._seen is not None and self._seen.progress.finished:
            self.run.resume()  # paused after its last row: it only has to end
        visitor = pn.state.location.hostname if pn.state.location else ""
        self.link.object = text.dashboard(self._seen.progress.dashboard_link if self._seen else "", visitor or "")
        self._offer_retry(update.state in ("queued", "running"))

    def _offer_retry(self, running: bool) -> None:
        self.retry_button.visible = bool(self._seen and self._seen.progress.failed and not running)

    def where(self, update: Update) -> str:
        """Rows, and the time left."""
        return text.status(self._seen.progress, update.state) if self._seen is not None else ""

    def fraction(self) -> float:
        """Rows that are there, of all."""
        return self._seen.progress.fraction if self._seen is not None else 0.0

    def _draw(self, seen: Seen) -> None:
        figures = self._arranged(len(seen.pictures), self._shape.log)
        for figure, picture in zip(figures, seen.pictures, strict=True):
            plots.put_panel(figure, picture)
        self.headline.object = text.headline(seen.means, seen.progress, self._shape, self._n_seeds)
        self._colour_legend(self.session.dark)
        self.newest.object = _titled("The newest rows", seen.newest)
        self.failures.object = _titled(text.failures(len(seen.failures)), seen.failures)
        self.failures_box.visible = len(seen.failures) > 0

    def _arranged(self, count: int, log: bool) -> list[LiveFigure]:
        """So many figures, on the page in their order."""
        keys = [(log, number) for number in range(count)]
        new = [key for key in keys if key not in self.figures]
        for key in new:
            self.figures[key] = SPARES.take("sweep log" if log else "sweep")
            self.figures[key].set_dark(self.session.dark)
        figures = [self.figures[key] for key in keys]
        if keys != self._shown:
            n_columns, height = _COLUMNS[count]
            for figure in figures:
                figure.set_height(height)
            for figure in figures:
                (figure.frame or Frame(figure)).arrange(_LEAST[n_columns], height)
            items = [figure.frame.item for figure in figures]
            self.pictures[:] = [row(*items[first : first + n_columns]) for first in range(0, count, n_columns)]
            self._shown = keys
        return figures

    def _colour_legend(self, dark: bool) -> None:
        if self._seen is not None:
            self.legend.object = text.legend(self._seen.pictures[0], dark)


def _sidebar(state: SweepsState) -> list[Any]:
    values = {name: _line(state, f"{name}_values", "Its values") for name in ("x", "lines", "panels")}
    for name in ("lines", "panels"):  # no axis, no values
        values[name].visible = state.param[name].rx() != NOTHING
    seeds = slider(state, "seeds")
    seeds.visible = state.param.experiment.rx.pipe(has_seed)
    return [
        section("Experiment", select(state, "experiment"), _line(state, "settings", "Other settings")),
        section(
            "Axes",
            *(select(state, "x"), values["x"]),
            *(select(state, "lines"), values["lines"]),
            *(select(state, "panels"), values["panels"]),
            seeds,
        ),
        section("Picture", select(state, "y"), switch(state, "log")),
    ]


def _line(state: SweepsState, name: str, label: str) -> pmui.TextInput:
    return line(state, name, label, size="small", margin=(8, 12))


def _table_pane(title: str) -> pn.pane.HTML:
    return pn.pane.HTML(_titled(title, pd.DataFrame()), stylesheets=[TABLE_STYLE], sizing_mode="stretch_width")


def _titled(title: str, table: pd.DataFrame) -> str:
    if not len(table):
        return ""
    return f'<div style="font-size:{px(13)};font-weight:600;margin:6px 2px">{title}</div>{table_html(table)}'

"""The page Sweeps: a grid of settings over an experiment, rows as they arrive, small multiples of the result."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards import sweeps_text as text
from qfl_explore.dashboards.controls import status_words
from qfl_explore.dashboards.live import RunHandle, Update, message, when_loaded
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.settings import section, select, slider, switch
from qfl_explore.dashboards.sweeps_presets import NOTHING
from qfl_explore.dashboards.sweeps_state import SweepsState, has_seed
from qfl_explore.dashboards.sweeps_work import Seen, SweepWork
from qfl_explore.dashboards.take_along import TABLE_STYLE, TakeAlong, button, table_html
from qfl_explore.dashboards.text import Text
from qfl_explore.plots import sweeps as plots
from qfl_explore.plots.style import LiveFigure, Spares

SPARES = Spares({"sweep": plots.live_panel, "sweep log": lambda: plots.live_panel(log=True)})
#: Settings that only change what is drawn of the rows.
DRAWN = ("y", "log")
_COMPUTED = tuple(name for name in SweepsState.URL if name not in DRAWN)
#: Pictures -> how many stand side by side, and their height in pixels.
_COLUMNS = {1: (1, 400), 2: (2, 380), 3: (3, 320), 4: (2, 270), 5: (3, 270), 6: (3, 270)}
_ACTIVE = ("running", "queued")


def create(session: Session) -> SweepsPage:
    """The registry's factory."""
    return SweepsPage(session)


class SweepsPage:
    """One visitor's page; see `pages.View` for what the app expects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = SweepsState()
        if session.query.get("page") == "sweeps":
            problems = self.state.apply_query(session.query)
            if problems:
                session.notify(" ".join(problems))
        self.run = RunHandle(self._update, record=lambda item: None, derive=self._derive, document=pn.state.curdoc)
        self._work: SweepWork | None = None
        self._shape: Any = None
        self._n_seeds = 1
        self._seen: Seen | None = None
        self._drawn_run = 0
        self._left_running = False
        self._figures: dict[tuple[bool, int], LiveFigure] = {}
        self._build()
        self.state.param.watch(self._changed, list(_COMPUTED))
        self.state.param.watch(lambda *_: self._redraw(), list(DRAWN))
        session.param.watch(lambda event: self._set_dark(event.new), "dark")

    def _build(self) -> None:
        self.start_pause = pmui.Button(
            label="Start", icon="play_arrow", variant="contained", margin=0, width=118, on_click=lambda _: self.toggle()
        )
        self.cancel_button, self.retry_button = button("Cancel", "stop"), button("Retry failed rows", "refresh")
        self.cancel_button.on_click(lambda _: self.cancel())
        self.retry_button.on_click(lambda _: self.start(retry=True))
        self.status = Text("", size=13, margin=(8, 4), sizing_mode=None, live=True)
        self.progress = pmui.LinearProgress(value=0, variant="determinate", sizing_mode="stretch_width")
        self.link = pn.pane.HTML("", margin=(6, 4))
        self.headline = Text("", size=15, weight=500, live=True, margin=(6, 10))
        self.legend = pn.pane.HTML("", margin=(2, 10), sizing_mode="stretch_width")
        self.pictures = pn.Column(sizing_mode="stretch_width")
        self.newest = _table_pane("The newest rows")
        self.failures = _table_pane("")
        self.failures_box = pmui.Column(self.failures, visible=False, sizing_mode="stretch_width")
        self.take_along = TakeAlong(
            table=lambda: self._seen.table if self._seen is not None else None,
            filename="sweep.csv",
            snippet=lambda: text.snippet(*self._shown_grid()),
            toml=lambda: text.toml(self._shown_grid()[0]),
            query=self.query,
            notify=self.session.notify,
            page="sweeps",
        )
        row = (self.start_pause, self.cancel_button, self.retry_button, self.status, self.link)
        controls = pmui.FlexBox(*row, align_items="center", gap="8px")
        about = [Text(line, size=12, margin=(4, 10)) for line in (text.KEPT, text.NOT_SHOWN, text.WHOSE)]
        body = (controls, self.progress, self.headline, self.legend, self.pictures, self.failures_box, self.newest)
        self.main = [pmui.Column(*body, self.take_along, *about, margin=(8, 12))]
        self.sidebar = _sidebar(self.state)
        self.retry_button.visible = False

    # what the app calls

    def query(self) -> dict[str, str]:
        """The state as URL words."""
        return self.state.to_query()

    def show(self) -> None:
        """Starts, or goes on where the visitor left."""
        if self.run.state == "idle":
            when_loaded(self.start)
        elif self._left_running and self.run.state == "paused":
            self.run.resume()

    def hide(self) -> None:
        """Pauses while another page is open."""
        self._left_running = self.run.state in _ACTIVE
        self.run.pause()

    def close(self) -> None:
        """The session ended: the shared workers are free for others."""
        self.run.close()
        self._halt()

    # what the visitor does

    def toggle(self) -> None:
        """What the Start/Pause button does."""
        if self.run.state in _ACTIVE:
            self.run.pause()
        elif self.run.state == "paused":
            self.run.resume()
        else:
            self.start()

    def start(self, retry: bool = False) -> None:
        """Begins the sweep that the settings describe; rows that are kept appear at once."""
        try:
            grid, shape = self.state.grid(), self.state.shape()
        except (ValueError, TypeError, ImportError) as error:
            self.session.notify(message(error), "error")
            return
        self.session.settle()
        self._halt()
        self._work = work = SweepWork(grid, retry)
        self._shape = shape
        self._n_seeds = self.state.seeds if has_seed(grid.name) else 0
        self.run.start(lambda: iter(work))

    def cancel(self) -> None:
        """Stops for good; rows that are finished stay, on the page and in the store."""
        if self.run.state in (*_ACTIVE, "paused"):
            self.run.cancel()
            self._halt()
            self._show_state(Update(0, [], None, "cancelled", 0, ""))

    def _shown_grid(self) -> tuple[Any, Any]:
        """Of the rows on the page; before the first sweep, of the settings."""
        return (self._work.grid, self._shape) if self._work else (self.state.grid(), self.state.shape())

    def _halt(self) -> None:
        if self._work is not None:
            self._work.stop()

    def _changed(self, *_: Any) -> None:
        """Settings of the computation: they wait for Start, except that a running sweep ends."""
        self.cancel()
        self.status.object = text.CHANGED
        self.start_pause.param.update(label="Start", icon="play_arrow")

    def _redraw(self) -> None:
        """Another result, or another scale, of the rows that are there."""
        if self._shape is None or self._work is None or self._seen is None:
            return
        if self._work.grid.name != self.state.experiment:
            return  # the rows on the page are another experiment's
        self._shape = dataclasses.replace(self._shape, y=self.state.y, log=self.state.log)
        self._seen = self._work.seen(self._seen.progress, self._shape)
        self._draw(self._seen)

    # what the run brings: derived in a worker, drawn on the server's loop

    def _derive(self, progress: Any) -> Seen:
        return self._work.seen(progress, self._shape)

    def _update(self, update: Update) -> None:
        if update.error:
            self.session.notify(update.error, "error")
        if update.run != self._drawn_run:
            self._drawn_run, self._seen = update.run, None
        if update.picture is not None:
            before, self._seen = self._seen, update.picture
            if before is None or before.pictures is not self._seen.pictures or self._seen.progress.finished:
                self._draw(self._seen)
        self._show_state(update)
        if update.state == "done":
            self.take_along.refresh()

    def _show_state(self, update: Update) -> None:
        running = update.state in _ACTIVE
        label, icon = ("Pause", "pause") if running else ("Start", "play_arrow")
        self.start_pause.param.update(label=label, icon=icon)
        words = status_words(update, "running")
        progress = self._seen.progress if self._seen is not None else None
        self.status.object = f"{text.status(progress, update.state)} · {words}" if progress else words
        self.progress.value = round(100 * progress.fraction) if progress else 0
        visitor = pn.state.location.hostname if pn.state.location else ""
        self.link.object = text.dashboard(progress.dashboard_link if progress else "", visitor or "")
        self.retry_button.visible = bool(progress and progress.failed and not running)

    def _draw(self, seen: Seen) -> None:
        figures = self._arranged(len(seen.pictures), self._shape.log)
        for figure, picture in zip(figures, seen.pictures, strict=True):
            plots.put_panel(figure, picture)
        self.headline.object = text.headline(seen.means, seen.progress, self._shape, self._n_seeds)
        self.legend.object = text.legend(seen.pictures[0], self.session.dark)
        self.newest.object = _titled("The newest rows", seen.newest)
        self.failures.object = _titled(text.failures(len(seen.failures)), seen.failures)
        self.failures_box.visible = len(seen.failures) > 0

    def _arranged(self, count: int, log: bool) -> list[LiveFigure]:
        """So many figures, on the page in their order."""
        keys = [(log, number) for number in range(count)]
        new = [key for key in keys if key not in self._figures]
        for key in new:
            self._figures[key] = SPARES.take("sweep log" if log else "sweep")
            self._figures[key].set_dark(self.session.dark)
        figures = [self._figures[key] for key in keys]
        if keys != getattr(self, "_shown", None):
            n_columns, height = _COLUMNS[count]
            for figure in figures:
                figure.set_height(height)
            panes = [
                pn.pane.Bokeh(f.figure, sizing_mode="stretch_width", height=height, margin=(0, 4)) for f in figures
            ]
            rows = [panes[first : first + n_columns] for first in range(0, count, n_columns)]
            self.pictures[:] = [pn.Row(*row, sizing_mode="stretch_width") for row in rows]
            self._shown = keys
        return figures

    def _set_dark(self, dark: bool) -> None:
        for figure in self._figures.values():
            figure.set_dark(dark)
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
    return pmui.TextInput.from_param(
        state.param[name], label=label, size="small", margin=(8, 12), sizing_mode="stretch_width"
    )


def _pane(figure: Any, height: int) -> pn.pane.Bokeh:
    return pn.pane.Bokeh(figure, sizing_mode="stretch_width", height=height, margin=(0, 4))


def _table_pane(title: str) -> pn.pane.HTML:
    return pn.pane.HTML(_titled(title, pd.DataFrame()), stylesheets=[TABLE_STYLE], sizing_mode="stretch_width")


def _titled(title: str, table: pd.DataFrame) -> str:
    if not len(table):
        return ""
    return f'<div style="font-size:13px;font-weight:600;margin:6px 2px">{title}</div>{table_html(table)}'

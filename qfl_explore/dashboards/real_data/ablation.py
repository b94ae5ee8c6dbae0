"""Two parts of the page Real data with runs of their own: Ablation and Collapse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import panel_material_ui as pmui

from qfl_explore.dashboards.parts.buttons import button, code_block, download
from qfl_explore.dashboards.parts.layout import titled
from qfl_explore.dashboards.parts.progress import Progress
from qfl_explore.dashboards.parts.settings import select
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.real_data import text
from qfl_explore.dashboards.real_data.tabs import Tab
from qfl_explore.dashboards.real_data.work import ablate, collapse
from qfl_explore.dashboards.runs.live import Update, message
from qfl_explore.dashboards.share.spreadsheet import to_csv
from qfl_explore.plots import real_data_ablation as plots

if TYPE_CHECKING:
    from qfl_explore.dashboards.real_data.page import RealDataPage

_ACTIVE = ("queued", "running", "paused")
_SMALL = {"size": 12, "margin": (2, 10)}


class AblationTab(Tab):
    """One setting varied; begins when the visitor says so, because it takes as long as several studies."""

    def __init__(self, page: RealDataPage) -> None:
        super().__init__(page)
        self.run = page.side_run(self._received)
        self.figures = {log: self.take("data ablation log" if log else "data ablation") for log in (False, True)}
        self._boxes = {log: titled("Test score against what is varied", f) for log, f in self.figures.items()}
        self.vary = select(page.state, "vary", sizing_mode=None, width=300)
        self.start_button = pmui.Button(label="Vary it", icon="play_arrow", variant="contained", margin=0)
        self.cancel_button = button("Cancel", "stop")
        self.code_button = button("Copy as Python", "code")
        self.csv = download(self._csv, "ablation.csv", "Download CSV")
        self.status = Text("", size=13, live=True, sizing_mode=None, margin=(8, 4))
        self.progress = Progress("Progress of the variations")
        self.headline = Text("", size=15, weight=500, live=True, margin=(6, 10))
        self.left_out = Text("", **_SMALL)
        self.code = pmui.Column(visible=False, sizing_mode="stretch_width")
        self.start_button.on_click(lambda _: self.start())
        self.cancel_button.on_click(lambda _: self.cancel())
        self.code_button.on_click(lambda _: self._show_code())
        controls = (self.vary, self.start_button, self.cancel_button, self.status)
        self.main = self.column(
            pmui.FlexBox(*controls, gap="8px", align_items="center"),
            pmui.Column(self.progress, margin=(0, 10), sizing_mode="stretch_width"),
            self.headline,
            *self._boxes.values(),
            self.left_out,
            Text("Take the ablation along:", **_SMALL),
            pmui.FlexBox(self.csv, self.code_button, gap="8px", margin=(2, 10)),
            self.code,
            Text(text.NOTES["ablation"], **_SMALL),
        )
        self._table: pd.DataFrame | None = None
        self._log = False
        self.begin()

    def begin(self) -> None:
        """Another study: what was varied before does not belong to it."""
        self.cancel()
        self._table = None
        self.headline.object = self.left_out.object = self.status.object = ""
        self.progress.value = 0
        for figure in self.figures.values():
            figure.clear(*figure.sources)
        self.draw()

    def draw(self) -> None:
        """The picture whose axis fits, and how much work it is."""
        from qfl_explore.experiments.multimodal_ablations import axes

        config = self.page.current
        name = self.page.state.vary if config is None else next(iter(axes(self.page.state.vary, config.dataset)))
        log = plots.SETTINGS.get(name, ("", False))[1]
        for kind, box in self._boxes.items():
            box.visible = kind == log and self._table is not None
        self._log = log
        if config is not None and self.run.state not in _ACTIVE and self._table is None:
            ((_, values),) = axes(self.page.state.vary, config.dataset).items()
            words = ", ".join(str(value).replace("_", " ") for value in values)
            self.status.object = f"{words} · {len(config.methods)} methods, {len(config.seeds)} seeds for each value"

    def turned(self) -> None:
        """Another setting is to be varied."""
        self.begin()

    def start(self) -> None:
        """Begins with the page's settings."""
        try:
            config = self.page.config()
        except (ValueError, TypeError, ImportError) as error:
            self.page.session.notify(message(error), "error")
            return
        self.begin()
        ablation = self.page.state.vary
        self.status.object = "starting"
        self.run.start(lambda: ablate(config, ablation))

    def cancel(self) -> None:
        """Stops; what was found stays."""
        if self.run.state in _ACTIVE:
            self.run.cancel()
            self.status.object = "cancelled"

    def _received(self, update: Update) -> None:
        if update.state == "cancelled":  # what was on its way when it was stopped
            return
        tables = [item for item in update.items if item.table is not None]
        if tables:
            last = tables[-1]
            self._table = last.table
            self._boxes[self._log].visible = True
            plots.put_ablation(self.figures[self._log], last.table, last.metric or "auc", self.page.unit)
            self.headline.object = text.ablation_line(last.table, last.metric) if last.metric else ""
            self.left_out.object = " ".join(f"{value} is left out: {why}" for value, why in last.left_out.items())
        if update.items:
            item = update.items[-1]
            self.progress.value = round(100 * item.fraction)
            doing = text.status(item.step, self.page.current) if item.step and self.page.current else "left out"
            self.status.object = f"{text.SETTINGS[item.setting]} = {item.value} · {doing}"
        if update.state in ("done", "failed"):
            self.status.object = {"done": "finished", "failed": "stopped"}[update.state]

    def _csv(self) -> Any:
        import io

        return io.StringIO("" if self._table is None else to_csv(self._table))

    def _show_code(self) -> None:
        if self.code.visible:
            self.code.visible = False
            return
        try:
            self.code[:] = [code_block(text.ablation_snippet(self.page.config(), self.page.state.vary))]
            self.code.visible = True
        except (ValueError, TypeError, ImportError) as error:
            self.page.session.notify(message(error), "error")


class CollapseTab(Tab):
    """How low-rank products vanish with M before any training, for every start side by side."""

    def __init__(self, page: RealDataPage) -> None:
        super().__init__(page)
        self.run = page.side_run(self._received, lasting=True)
        self.figure = self.take("data collapse")
        self.headline = Text("", size=15, weight=500, live=True, margin=(6, 10))
        self.main = self.column(
            self.headline,
            titled("Products of low-rank fusion before any training", self.figure),
            Text(text.NOTES["collapse"], **_SMALL),
        )
        self._asked: tuple[int, int] | None = None

    def draw(self) -> None:
        """Measures anew where D or R changed."""
        asked = (self.page.state.feature_dim, self.page.state.rank)
        if asked != self._asked:
            self._asked = asked
            self.run.start(lambda: collapse(*asked))

    def _received(self, update: Update) -> None:
        if update.items:
            table, summary = update.items[-1]
            plots.put_collapse(self.figure, table)
            self.headline.object = text.collapse_line(summary)

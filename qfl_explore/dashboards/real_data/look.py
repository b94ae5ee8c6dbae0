"""The part Data of the page Real data: a sample drawn as what it is, and how to get a data set that is not here."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control
from qfl_explore.dashboards.parts import look
from qfl_explore.dashboards.parts.buttons import button
from qfl_explore.dashboards.parts.layout import wrapping
from qfl_explore.dashboards.parts.progress import Progress
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.real_data import download as downloads
from qfl_explore.dashboards.real_data import text
from qfl_explore.dashboards.real_data.tabs import Tab
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.plots import real_data_signals as plots

if TYPE_CHECKING:
    from qfl_explore.dashboards.real_data.page import RealDataPage
    from qfl_explore.datasets import MultimodalData

_SMALL = {"size": 12, "margin": (2, 10)}
#: More classes than that are not listed.
MAX_LISTED = 12


class LookTab(Tab):
    """ECG leads on ruled paper, sensors on a map, pieces of images, or a table's features."""

    def __init__(self, page: RealDataPage) -> None:
        super().__init__(page)
        self.figures = {kind: self.take(f"data {kind}") for kind in ("ecg", "map", "pieces", "profile")}
        self._panes = {kind: wrapping(figure) for kind, figure in self.figures.items()}
        self._picture = pn.Column(sizing_mode="stretch_width")
        self.facts = Text("", size=13, margin=(4, 10))
        self.warning = Text("", size=14, weight=600, error=True, margin=(4, 10))
        self.title = Text("", size=14, weight=600, live=True)
        self.sample = pmui.IntSlider(
            label="Sample", start=0, end=1, value=page.state.sample, margin=(8, 12), sizing_mode="stretch_width"
        )
        control(page.state, "sample", self.sample)
        self.sample.param.watch(lambda event: page.state.param.update(sample=int(event.new)), "value")
        self.notes = Text("", **_SMALL)
        self.counts = pn.pane.HTML("", stylesheets=[text.TABLE_STYLE], margin=(6, 12))
        self.main = self.column(
            self.warning, self.facts, self.sample, self.title, self._picture, self.notes, self.counts
        )

    def begin(self) -> None:
        """Other data are on their way."""

    def draw(self) -> None:
        """The chosen sample."""
        data = self.page.data
        if data is None:
            return
        number = min(self.page.state.sample, data.n_samples - 1)
        self.sample.param.update(end=data.n_samples - 1, value=number)
        # emptied, not hidden: a hidden pane that is shown before the browser has drawn it is an error in Panel
        self.warning.object = text.SYNTHETIC if data.synthetic else ""
        self.facts.object = text.facts(data)
        self.notes.object = " ".join((*data.notes, *(str(problem) for problem in data.problems[:3])))
        self.title.object = title(data, number)
        self.counts.object = counts_html(data)
        self._put(kind_of(data), data, number)

    def _put(self, kind: str, data: MultimodalData, number: int) -> None:
        figure = self.figures[kind]
        if list(self._picture) != [self._panes[kind]]:
            self._picture[:] = [self._panes[kind]]
        if kind == "profile":
            plots.put_profile(figure, data, number)
            return
        raw = [array[number] for array in data.raw or ()]
        if kind == "ecg":
            rate = float(data.sample_rate or 1.0)
            figure.frame.set_height(plots.put_ecg(figure, np.stack(raw), data.modality_names, rate))
        elif kind == "map":
            plots.put_map(figure, data.positions, np.array([array[-1] for array in raw]), data.graph)
        else:
            plots.put_pieces(figure, raw, data.modality_names)


def kind_of(data: MultimodalData) -> str:
    """How a data set is drawn: ``ecg``, ``map``, ``pieces`` or ``profile``."""
    if data.raw is not None and data.raw_unit == "mV" and all(array.ndim == 2 for array in data.raw):
        return "ecg"
    if data.raw is not None and data.positions is not None:
        return "map"
    if data.raw is not None and all(array.ndim == 3 for array in data.raw):
        return "pieces"
    return "profile"


def title(data: MultimodalData, number: int) -> str:
    """What the picture shows: which sample, its truth, and that it is synthetic where it is."""
    name = data.title if data.synthetic or "synthetic" in data.title.lower() else data.title
    if data.task == "classification":
        truth = f"true class: {data.class_names[int(data.labels[number])]}"
    elif data.task == "multilabel":
        found = [c for c, flag in zip(data.class_names, data.labels[number], strict=True) if flag]
        truth = f"true labels: {', '.join(found) or 'none'}"
    else:
        when = "" if data.sample_ids is None else f", {str(data.sample_ids[number]).replace('T', ' ')[:16]}"
        truth = f"speeds at that time{when}"
    return f"{name} · sample {number} · {truth}"


def counts_html(data: MultimodalData) -> str:
    """Samples by class and part; empty for forecasts and many classes."""
    counts = data.counts()
    if data.task == "regression" or data.n_classes > MAX_LISTED:
        return ""
    head = "".join(f'<th scope="col">{part}</th>' for part in ("", *counts))
    rows = "".join(
        f'<tr><th scope="row">{html.escape(str(name))}</th>'
        + "".join(f"<td>{counts[part][name]}</td>" for part in counts)
        + "</tr>"
        for name in data.class_names
    )
    return f"<table><caption>Samples, first seed</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


#: Of PTB-XL the page fetches so many records unless told otherwise; all are 530 MB.
PTB_RECORDS = 500


class Getter:
    """Shown where a data set's files are not here: licence in a dialog, progress, cancel, go on.

    Args:
        page: that waits for the data.
    """

    def __init__(self, page: RealDataPage) -> None:
        self.page = page
        self.run = page.side_run(self._received, lasting=True)
        self._download: downloads.Download | None = None
        self.words = Text("", size=14, live=True)
        self.get_button = pmui.Button(label="Get data", icon="download", variant="contained", margin=0)
        self.cancel_button = button("Cancel download", "stop")
        self.cancel_button.visible = False
        self.limit = pmui.IntInput(
            label="Records at most (0: all)",
            value=PTB_RECORDS,
            start=0,
            width=200,
            size="small",
            sx=look.NUMBER,
            visible=False,
        )
        self.progress = Progress("Progress of the download", shown=False, margin=(8, 0))
        self.licence = pn.pane.HTML("", sizing_mode="stretch_width")
        accept = pmui.Button(label="Accept and fetch", icon="check", variant="contained", margin=0)
        decline = button("Decline", "close")
        self.dialog = pmui.Dialog(
            pmui.Column(self.licence, pmui.FlexBox(accept, decline, gap="8px", margin=(10, 0))),
            title="Licence",
            open=False,
            show_close_button=True,
        )
        self.get_button.on_click(lambda _: self.ask())
        self.cancel_button.on_click(lambda _: self.cancel())
        accept.on_click(lambda _: self.accept())
        decline.on_click(lambda _: self.dialog.param.update(open=False))
        buttons = pmui.FlexBox(self.get_button, self.cancel_button, self.limit, gap="8px", align_items="center")
        self.main = pmui.Column(
            self.words, buttons, self.progress, self.dialog, visible=False, sizing_mode="stretch_width", margin=(8, 4)
        )

    def look(self) -> None:
        """Shows itself where the chosen data set is missing."""
        from qfl_explore.datasets import DATASETS, is_here
        from qfl_explore.datasets.sources import SOURCES

        name = self.page.state.dataset
        missing = not is_here(name)
        self.main.visible = missing
        if not missing:
            return
        source = SOURCES.get(name)
        title = DATASETS[name].title
        allowed = source is not None and downloads.allowed()
        self.limit.visible = name == "ptb_xl" and allowed
        self.get_button.visible = allowed
        if source is None:
            self.words.object = (
                f"{title}: put labels.csv and one CSV file a modality, or one NPZ archive, into the folder own_folder "
                "of the data folder; data/README.md says how. Then choose it again."
            )
        else:
            self.words.object = f"{title} is not on this machine yet: about {source.size:g} MB, {source.licence}."
            if not allowed:
                self.words.object += f" Whoever serves this room can fetch it: qfl-explore data get {name}."

    def ask(self) -> None:
        """Shows the licence."""
        from qfl_explore.datasets import licence_text

        lines = [html.escape(line) for line in licence_text(self.page.state.dataset).splitlines()]
        self.licence.object = '<div style="font-size:14px;line-height:1.5">' + "<br>".join(lines) + "</div>"
        self.dialog.open = True

    def accept(self) -> None:
        """The visitor accepts: the download begins, or goes on."""
        self.dialog.open = False
        name = self.page.state.dataset
        limit = self.limit.value or None if name == "ptb_xl" else None
        try:
            download = self._download = downloads.start(name, limit)
        except ValueError as error:  # the button was not shown
            self.page.session.notify(str(error), "error")
            return
        self.page.session.settle()
        self.get_button.disabled, self.cancel_button.visible, self.progress.visible = True, True, True
        self.run.start(lambda: downloads.watch(download))

    def cancel(self) -> None:
        """Stops; what arrived is kept."""
        if self._download is not None:
            self._download.cancel()

    def _received(self, update: Update) -> None:
        if not update.items:
            return
        told: downloads.Told = update.items[-1]
        if told.share is None:
            self.progress.value = None
        else:
            self.progress.value = 100 * told.share
        self.words.object = f"Fetching: {told.text}" if told.state == "running" else f"The download {told.text}."
        if told.state == "running":
            return
        self.get_button.disabled, self.cancel_button.visible, self.progress.visible = False, False, False
        if told.state == "failed":
            self.words.object = "The download failed. What arrived whole is kept; Get goes on from there."
            self.page.session.notify(told.error, "error")
        if told.state == "done":
            self.main.visible = False
            self.page.start()

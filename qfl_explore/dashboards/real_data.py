"""The page Real data: a Quantum Fusion Layer against classical models, seed by seed."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards import real_data_text as text
from qfl_explore.dashboards.controls import RunControls
from qfl_explore.dashboards.live import INTERVAL, RunHandle, Update, message
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.real_data_state import RealDataState
from qfl_explore.dashboards.scheduler import Wait
from qfl_explore.dashboards.settings import code_block, section, select, slider
from qfl_explore.plots import study as plots
from qfl_explore.plots.style import Spares

if TYPE_CHECKING:
    from qfl_explore.experiments.classification import ClassificationConfig, ClassificationResult, Progress

SPARES = Spares(
    {
        "study learning": plots.live_learning_curves,
        "study scores": plots.live_scores,
        "study differences": plots.live_differences,
    }
)
TABLE_STYLE = """
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; opacity: 0.8; padding: 2px 0 6px 0; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid rgba(128, 128, 128, 0.35); }
th:first-child { text-align: left; white-space: nowrap; }
small { opacity: 0.75; white-space: nowrap; }
"""


def create(session: Session) -> RealDataPage:
    """The registry's factory."""
    return RealDataPage(session)


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is drawn anew whenever a model is finished on a seed."""

    result: ClassificationResult
    summary: dict[str, Any]
    curves: Any


def study(config: ClassificationConfig) -> Iterator[Any]:
    """A run for the scheduler.

    Yields:
        ``(progress, picture)``; the picture is ``None`` unless a model was tested.
    """
    from qfl_explore.experiments.classification import ClassificationResult, stream

    items: list[Progress] = []
    for item in stream(config):
        items.append(item)
        picture = None
        if item.stage == "loading":
            yield Wait(2 * INTERVAL)  # so that the page can say so before the import holds the interpreter
        if item.stage == "tested":
            result = ClassificationResult.collect(config, items)
            picture = Picture(result, result.summary(), result.curves())
        yield item, picture


class RealDataPage:
    """One visitor's page; see `pages.View` for what the app expects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = RealDataState()
        if session.query.get("page") == "real_data":
            problems = self.state.apply_query(session.query)
            if problems:
                session.notify(" ".join(problems))
        self.run = RunHandle(self._update, derive=lambda pair: pair[0], document=pn.state.curdoc)
        self.controls = RunControls(self.run, self.start, self.new_seed)
        self._config: ClassificationConfig | None = None
        self._picture: Picture | None = None
        self._item: Progress | None = None
        self._trial: list[tuple[float, float]] = []
        self._drawn_run = 0
        self._left_running = False
        self._build()
        self.state.param.watch(lambda *_: self.start(), [name for name in RealDataState.URL if name != "metric"])
        self.state.param.watch(lambda _: self._draw(), "metric")
        session.param.watch(lambda event: self._set_dark(event.new), "dark")

    def _build(self) -> None:
        self.learning = SPARES.take("study learning")
        self.scores = SPARES.take("study scores")
        self.differences = SPARES.take("study differences")
        self._set_dark(self.session.dark)
        self.verdict = pmui.Typography("", variant="body1", margin=(2, 10, 6, 10), sizing_mode="stretch_width")
        self.table = pn.pane.HTML("", stylesheets=[TABLE_STYLE], sizing_mode="stretch_width", margin=(4, 12))
        self.code = pmui.Column(visible=False, sizing_mode="stretch_width")
        intro = pmui.Typography(
            "Is a tumour benign or malignant? Four models, the same number of trials each, a new random split for "
            "every seed.",
            variant="body2",
            margin=(4, 10),
            sizing_mode="stretch_width",
        )
        cancel = _button("Cancel", "stop")
        cancel.on_click(lambda _: self.cancel())
        right = pn.Column(_pane(self.scores), _pane(self.differences), sizing_mode="stretch_width")
        pictures = pn.Row(_pane(self.learning), right, sizing_mode="stretch_width")
        about = section("What this shows, and what it does not", pn.pane.Markdown(text.ABOUT, margin=(0, 12)))
        self.main = [
            pmui.Column(
                pn.Row(intro, cancel, sizing_mode="stretch_width"),
                self.controls,
                self.verdict,
                pictures,
                self.table,
                self._take_along(),
                self.code,
                about,
                margin=(8, 12),
            )
        ]
        self.sidebar = _sidebar(self.state)

    def _take_along(self) -> pmui.FlexBox:
        code = _button("Copy as Python", "code")
        code.on_click(lambda _: self._show_code())
        downloads = (
            _download(self.scores_csv, "scores.csv", "Scores as CSV"),
            _download(self.history_csv, "history.csv", "History as CSV"),
        )
        return pmui.FlexBox(*downloads, code, gap="8px", align_items="center", margin=(8, 10))

    # what the app calls

    def query(self) -> dict[str, str]:
        """The state as URL words."""
        return self.state.to_query()

    def show(self) -> None:
        """Starts, or goes on where the visitor left."""
        if self.run.state == "idle":
            pn.state.onload(self.start)
        elif self._left_running and self.run.state == "paused":
            self.run.resume()

    def hide(self) -> None:
        """Pauses while another page is open."""
        self._left_running = self.run.state in ("running", "queued")
        self.run.pause()

    def close(self) -> None:
        """The session ended."""
        self.run.close()

    # what the visitor does

    def start(self) -> None:
        """Cancels the current study and begins one with the present settings."""
        try:
            config = self.state.config()
        except (ValueError, TypeError, ImportError) as error:
            self.run.cancel()
            self.session.notify(message(error), "error")
            self.controls.show(Update(0, [], None, "failed", 0, message(error)), "")
            return
        self.session.notify("")
        self._config = config
        self.run.start(lambda: study(config))

    def new_seed(self) -> None:
        """Other seeds; the change restarts the study."""
        step = self.state.n_seeds
        self.state.first_seed = (self.state.first_seed + step) % 9990

    def cancel(self) -> None:
        """Stops for good; what was found stays on the page."""
        if self.run.state in ("running", "queued", "paused"):
            self.run.cancel()
            self.controls.show(Update(0, [], None, "cancelled", 0, ""), self._where())

    def scores_csv(self) -> io.StringIO:
        """One row for each seed and model."""
        return io.StringIO(self._picture.result.scores.to_csv(index=False) if self._picture else "")

    def history_csv(self) -> io.StringIO:
        """The tidy history of every finished model."""
        return io.StringIO(self._picture.result.table.to_csv(index=False) if self._picture else "")

    def _show_code(self) -> None:
        try:
            self.code[:] = [code_block(text.snippet(self.state.config()))]
            self.code.visible = True
        except (ValueError, TypeError) as error:
            self.session.notify(message(error), "error")

    # what the run brings, on the server's loop

    def _update(self, update: Update) -> None:
        if update.error:
            self.session.notify(update.error, "error")
        if update.run != self._drawn_run:
            self._begin(update.run)
        for _, picture in update.items:
            self._picture = picture or self._picture
        self._show_trial([item for item, _ in update.items])
        self._item = update.picture or self._item
        if any(picture for _, picture in update.items):
            self._draw()
        item = self._item
        fraction = item.n_done / item.n_total if item is not None and item.n_total else 0.0
        self.controls.show(update, "" if update.state == "done" else self._where(), fraction)

    def _begin(self, run: int) -> None:
        self._drawn_run, self._picture, self._item, self._trial = run, None, None, []
        self.learning.set_range(x=(0, self._config.epochs))
        self._draw()

    def _show_trial(self, items: list[Progress]) -> None:
        """Draws the line of the trial that is being trained."""
        for item in items:
            if item.stage == "training" and item.model != "logistic_regression":
                if item.epoch == 0:
                    self._trial = []
                self._trial.append((float(item.epoch), item.values["validation", "loss"]))
        # replaced as a whole: clearing and streaming in one flush would draw points twice
        self.learning.put("now", [x for x, _ in self._trial], [y for _, y in self._trial])

    def _draw(self) -> None:
        import pandas as pd

        picture = self._picture
        if picture is None:
            empty = pd.DataFrame(columns=["seed", "model", "epoch", "mean", "low", "high", "accuracy", "auc", "f1"])
            picture = Picture(None, {"models": [], "paired": [], "best_classical": ""}, empty)
            table = empty
        else:
            table = picture.result.scores
        metric = self.state.metric
        plots.put_learning_curves(self.learning, picture.curves)
        plots.put_scores(self.scores, table, picture.summary, metric)
        plots.put_differences(self.differences, table, picture.summary, metric)
        self.table.object = text.table_html(picture.summary) if picture.summary["models"] else ""
        self.verdict.object = text.verdict(picture.summary, len(self._config.seeds)) if self._config else ""

    def _where(self) -> str:
        return text.status(self._item, self._config) if self._config else ""

    def _set_dark(self, dark: bool) -> None:
        for figure in (self.learning, self.scores, self.differences):
            figure.set_dark(dark)


def _sidebar(state: RealDataState) -> list[Any]:
    return [
        section("Picture", select(state, "metric")),
        section(
            "Quantum Fusion Layer",
            slider(state, "degree"),
            slider(state, "feature_dim"),
            slider(state, "n_blocks"),
            *(
                select(state, name, margin=(10, 12, 2, 12))
                for name in ("encoding", "signal", "measurement", "initializer", "engine")
            ),
        ),
        section(
            "Study",
            slider(state, "n_seeds"),
            slider(state, "first_seed"),
            slider(state, "epochs"),
            slider(state, "patience"),
            pmui.FloatSlider.from_param(
                state.param.gamma, label=state.param.gamma.doc, margin=(2, 12), sizing_mode="stretch_width"
            ),
            collapsed=True,
        ),
    ]


def _pane(figure: Any) -> pn.pane.Bokeh:
    return pn.pane.Bokeh(figure.figure, sizing_mode="stretch_width", height=figure.figure.height)


def _download(callback: Callable[[], io.StringIO], filename: str, label: str) -> pmui.FileDownload:
    widget = pmui.FileDownload(callback=callback, filename=filename, label=label, size="small", margin=0, embed=False)
    widget.variant = "outlined"  # in the constructor it clashes with the widget's own default
    return widget


def _button(label: str, icon: str) -> pmui.Button:
    return pmui.Button(label=label, icon=icon, variant="outlined", size="small", margin=0)

"""The page Gradient variance: how fast gradients vanish, and for which encoding they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards import gradient_variance_text as text
from qfl_explore.dashboards.controls import RunControls
from qfl_explore.dashboards.gradient_variance_state import GradientVarianceState
from qfl_explore.dashboards.live import RunHandle, Update, message, when_loaded
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.scheduler import Wait
from qfl_explore.dashboards.settings import section, select, slider, switch
from qfl_explore.dashboards.take_along import TakeAlong, button
from qfl_explore.dashboards.text import Text
from qfl_explore.plots import gradient_variance as plots
from qfl_explore.plots.style import Spares

SPARES = Spares(
    {
        "variance sweep": plots.live_sweep,
        "variance map": plots.live_angle_map,
        "variance histogram": plots.live_histogram,
        "variance layers": plots.live_layers,
        "variance losses": plots.live_losses,
    }
)
#: View -> its figures.
SHOWN = {
    "modalities": ("variance sweep",),
    "degree": ("variance sweep",),
    "angles": ("variance map", "variance histogram"),
    "training": ("variance layers", "variance losses"),
}
NOTES = {
    "modalities": text.LEGEND,
    "degree": text.LEGEND,
    "angles": text.MAP_NOTE,
    "training": text.TRAINING_NOTE,
}
#: View -> settings that it does not use.
UNUSED = {
    "modalities": {"n_modalities", "encoding", "layerwise", "repetitions", "n_steps", "n_starts"},
    "degree": {"degree", "largest", "encoding", "layerwise", "repetitions", "n_steps", "n_starts"},
    "angles": {"largest", "layerwise", "repetitions", "n_steps", "n_starts"},
    "training": {"largest", "precision", "bootstrap"},
}


def create(session: Session) -> GradientVariancePage:
    """The registry's factory."""
    return GradientVariancePage(session)


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is drawn of a run; made in the worker.

    Attributes:
        view: of the run.
        item: the newest sweep frame, estimate or training frame.
        table: the tidy result so far.
        fits: of a sweep.
    """

    view: str
    item: Any
    table: pd.DataFrame
    fits: dict[str, Any] = dataclasses.field(default_factory=dict)


def work(config: Any, state: GradientVarianceState) -> Iterator[Any]:
    """A run for the scheduler: sweep frames, estimates or training frames."""
    kind = type(config).__name__
    if kind == "TrainingConfig":
        from qfl_explore.experiments.gradient_variance_training import stream_training

        frames: Iterator[Any] = stream_training(config, layerwise=lambda: state.layerwise)
    elif kind == "SweepConfig":
        from qfl_explore.experiments.gradient_variance_sweep import stream_sweep

        frames = stream_sweep(config)
    else:
        from qfl_explore.experiments.gradient_variance import stream

        frames = stream(config)
    for frame in frames:
        yield frame
        yield Wait(0.0)  # the next run's turn


class GradientVariancePage:
    """One visitor's page; see `pages.View` for what the app expects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = GradientVarianceState()
        if session.query.get("page") == "gradient_variance":
            problems = self.state.apply_query(session.query)
            if problems:
                session.notify(" ".join(problems))
        self._rows: list[dict[str, Any]] = []
        self.run = RunHandle(self._update, record=self._record, derive=self._derive, document=pn.state.curdoc)
        self.controls = RunControls(self.run, self.start, self.new_seed, running="running")
        self._config: Any = None
        self._picture: Picture | None = None
        self._first: Any = None
        self._before = pd.DataFrame({"step": [], "loss": []})
        self._drawn_run = 0
        self._left_running = False
        self._build()
        restarts = [name for name in GradientVarianceState.URL if name != "layerwise"]
        self.state.param.watch(self._changed, restarts)
        session.param.watch(lambda event: self._set_dark(event.new), "dark")

    def _build(self) -> None:
        self.figures = {key: SPARES.take(key) for keys in SHOWN.values() for key in dict.fromkeys(keys)}
        self._set_dark(self.session.dark)
        self.headline = Text("", size=15, weight=500, live=True, margin=(6, 10))
        self.note = Text("", size=12, margin=(2, 10))
        self._panes = {key: _pane(figure) for key, figure in self.figures.items()}
        self.pictures = pn.Row(sizing_mode="stretch_width")
        views = pmui.RadioButtonGroup.from_param(
            self.state.param.view, label="", size="small", margin=(4, 10), sizing_mode="stretch_width", max_width=620
        )
        cancel = button("Cancel", "stop")
        cancel.on_click(lambda _: self.cancel())
        self.take_along = TakeAlong(
            table=lambda: self._picture.table if self._picture else None,
            filename="gradient_variance.csv",
            snippet=self.snippet,
            query=self.query,
            notify=self.session.notify,
            page="gradient_variance",
        )
        about = (Text(text.NOT_SHOWN, size=12, margin=(6, 10)), Text(text.WHOSE, size=12, margin=(2, 10)))
        top = pn.Row(views, pn.HSpacer(), cancel, sizing_mode="stretch_width")
        body = (top, self.controls, self.pictures, self.headline, self.note, self.take_along, *about)
        self.main = [pmui.Column(*body, margin=(8, 12))]
        self._widgets = _widgets(self.state)
        self.sidebar = _sidebar(self._widgets)
        self._arrange()

    def _arrange(self) -> None:
        view = self.state.view
        self.pictures[:] = [self._panes[key] for key in SHOWN[view]]
        self.note.object = NOTES[view]
        for name, widget in self._widgets.items():
            widget.visible = name not in UNUSED[view] and (name != "scale" or self.state.initializer == "small_angle")

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
        self._left_running = self.run.state in ("running", "queued")
        self.run.pause()

    def close(self) -> None:
        """The session ended."""
        self.run.close()

    # what the visitor does

    def start(self) -> None:
        """Cancels the current run and begins one with the present settings."""
        try:
            config = self.state.config()
        except (ValueError, TypeError, ImportError) as error:
            self.run.cancel()
            self.session.notify(message(error), "error")
            self.controls.show(Update(0, [], None, "failed", 0, message(error)), "")
            return
        self.session.settle()
        if self._picture is not None and self._picture.view == "training":
            self._before = _mean_losses(self._picture.table)
        self._config = config
        self._rows = []
        self.run.start(lambda: work(config, self.state))

    def new_seed(self) -> None:
        """The next seed; the change restarts the run."""
        self.state.seed = (self.state.seed + 1) % 10_000

    def cancel(self) -> None:
        """Stops for good; what was found stays on the page."""
        if self.run.state in ("running", "queued", "paused"):
            self.run.cancel()
            self.controls.show(Update(0, [], None, "cancelled", 0, ""), self._where())

    def snippet(self) -> str:
        """Python source of what the page shows."""
        switched = len({row["layerwise"] for row in self._rows if row["step"] == 0} | {self.state.layerwise}) > 1
        mixed = self.state.view == "training" and switched
        return (text.SWITCHED if mixed else "") + text.snippet(self.state.config())

    def _changed(self, *events: Any) -> None:
        self._arrange()
        self.start()

    # what the run brings: recorded and derived in the worker, drawn on the server's loop

    def _record(self, item: Any) -> Any:
        return (item.rows(), item) if hasattr(item, "gradients") else None

    def _derive(self, item: Any) -> Picture | None:
        if hasattr(item, "gradients"):
            return Picture("training", item, pd.DataFrame())
        if hasattr(item, "estimates"):
            from qfl_explore.experiments.gradient_variance_sweep import fits_of

            table = item.table()
            return Picture(item.config.over, item, table, fits_of(table, item.config.over))
        return Picture("angles", item, item.table(), item.row())

    def _update(self, update: Update) -> None:
        if update.error:
            self.session.notify(update.error, "error")
        if update.run != self._drawn_run:
            self._begin(update.run)
        for recorded in update.items:
            if recorded is not None:
                rows, frame = recorded
                self._rows += rows
                self._first = self._first or frame
        if update.picture is not None:
            self._picture = update.picture
            self._draw()
        self.controls.show(update, self._where(), self._fraction())
        if update.state == "done":
            self.take_along.refresh()

    def _begin(self, run: int) -> None:
        self._drawn_run, self._picture, self._first = run, None, None
        self.headline.object = ""
        for key in SHOWN[self.state.view]:
            if key in ("variance sweep", "variance histogram", "variance losses"):
                self.figures[key].clear(*self.figures[key].sources)

    def _draw(self) -> None:
        picture = self._picture
        if picture.view == "training":
            self._draw_training(picture.item)
        elif picture.view == "angles":
            plots.put_angle_map(self.figures["variance map"], picture.item.per_angle)
            plots.put_histogram(self.figures["variance histogram"], picture.item)
            self.headline.object = text.estimate_sentence(picture.item, picture.fits)
        else:
            config = picture.item.config
            plots.put_sweep(
                self.figures["variance sweep"], picture.table, config.over, picture.fits, list(config.values)
            )
            self.headline.object = text.sweep_sentence(picture.table, config.over, picture.fits, config.base.seed)

    def _draw_training(self, frame: Any) -> None:
        table = pd.DataFrame(self._rows)
        self._picture = dataclasses.replace(self._picture, table=table)
        n_steps, n_layers = frame.config.n_steps, frame.config.fusion.degree + 1
        plots.put_layers(self.figures["variance layers"], table, n_layers, n_steps)
        plots.put_losses(self.figures["variance losses"], _mean_losses(table), self._before, n_steps)
        self.headline.object = text.training_sentence(self._first or frame, frame)

    def _where(self) -> str:
        picture = self._picture
        if picture is None:
            return ""
        if picture.view == "training":
            return f"step {picture.item.step} of {picture.item.config.n_steps}"
        if picture.view == "angles":
            return f"relative error {picture.item.relative_error:.1%}"
        return text.sweep_status(picture.item)

    def _fraction(self) -> float:
        picture = self._picture
        if picture is None:
            return 0.0
        if picture.view == "training":
            return picture.item.step / max(1, picture.item.config.n_steps)
        if picture.view == "angles":
            return min(1.0, (picture.item.config.precision / max(picture.item.relative_error, 1e-9)) ** 2)
        return picture.item.fraction

    def _set_dark(self, dark: bool) -> None:
        for figure in self.figures.values():
            figure.set_dark(dark)


def _mean_losses(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["layer"] == 0][["step", "loss"]] if len(table) else pd.DataFrame({"step": [], "loss": []})


def _widgets(state: GradientVarianceState) -> dict[str, Any]:
    sliders = ("largest", "n_modalities", "feature_dim", "degree", "n_blocks", "n_steps", "n_starts")
    switches = ("bootstrap", "layerwise")
    made: dict[str, Any] = {}
    for name in GradientVarianceState.URL:
        if name == "view":
            continue
        if name == "seed":
            made[name] = pmui.IntInput.from_param(
                state.param.seed, label="Seed", size="small", margin=(8, 12), sizing_mode="stretch_width"
            )
        else:
            make = slider if name in sliders else switch if name in switches else select
            made[name] = make(state, name)
    return made


def _sidebar(made: dict[str, Any]) -> list[Any]:
    circuit = ("largest", "n_modalities", "feature_dim", "degree", "n_blocks", "encoding", "signal", "entangler")
    return [
        section("Cost and start", *(made[name] for name in ("observable", "initializer", "scale"))),
        section("Circuit", *(made[name] for name in circuit)),
        section(
            "Run",
            *(made[name] for name in ("layerwise", "repetitions", "n_steps", "n_starts")),
            *(made[name] for name in ("precision", "bootstrap", "seed")),
        ),
    ]


def _pane(figure: Any) -> pn.pane.Bokeh:
    return pn.pane.Bokeh(figure.figure, sizing_mode="stretch_width", height=figure.figure.height, margin=(0, 4))

"""The page Gradient variance: how fast gradients vanish, and for which encoding they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pandas as pd

from qfl_explore.dashboards.gradient_variance import text
from qfl_explore.dashboards.gradient_variance.state import GradientVarianceState
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import row, wrapping
from qfl_explore.dashboards.parts.settings import number, section, select, slider, switch, views
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.scheduler import Wait
from qfl_explore.dashboards.runs.shared_runs import shared
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


class GradientVariancePage(RunPage):
    """One visitor's page."""

    name, filename = "gradient_variance", "gradient_variance.csv"

    def __init__(self, session: Session) -> None:
        state = from_link(session, self.name, GradientVarianceState())
        keys = dict.fromkeys(key for keys in SHOWN.values() for key in keys)
        super().__init__(session, state, {key: SPARES.take(key) for key in keys})
        self._rows: list[dict[str, Any]] = []
        self._picture: Picture | None = None
        self._first: Any = None
        self._before = pd.DataFrame({"step": [], "loss": []})
        self.note = Text("", size=12, margin=(2, 10))
        self._panes = {key: wrapping(figure, 380) for key, figure in self.figures.items()}
        self.pictures = row()
        buttons = views(state, "view", margin=(4, 10, 10, 10), max_width=620)
        about = (Text(text.NOT_SHOWN, size=12, margin=(6, 10)), Text(text.WHOSE, size=12, margin=(2, 10)))
        result = (self.pictures, self.headline, self.note, self.take_along)
        self.main = self.body(buttons, self.controls, *result, *about)
        self._widgets = _widgets(state)
        self.sidebar = _sidebar(self._widgets)
        self._arrange()
        state.param.watch(lambda *_: self._arrange(), ["view", "initializer"])

    def _arrange(self) -> None:
        """The view's own pictures, note and settings."""
        view = self.state.view
        self.pictures[:] = [self._panes[key] for key in SHOWN[view]]
        self.note.object = NOTES[view]
        for name, widget in self._widgets.items():
            widget.visible = name not in UNUSED[view] and (name != "scale" or self.state.initializer == "small_angle")

    def snippet(self) -> str:
        """Python source of what the page shows."""
        switched = len({row["layerwise"] for row in self._rows if row["step"] == 0} | {self.state.layerwise}) > 1
        mixed = self.state.view == "training" and switched
        return (text.SWITCHED if mixed else "") + text.snippet(self.state.config())

    def table(self) -> pd.DataFrame | None:
        """The tidy result so far."""
        return self._picture.table if self._picture else None

    # in a worker

    def work(self, config: Any) -> Iterator[Any]:
        """Sweep frames, estimates or training frames."""
        for frame in self._frames(config):
            yield frame
            yield Wait(0.0)  # the next run's turn

    def _frames(self, config: Any) -> Iterator[Any]:
        kind = type(config).__name__
        if kind == "TrainingConfig":
            from qfl_explore.experiments.gradient_variance_training import stream_training

            return stream_training(config, layerwise=lambda: self.state.layerwise)  # a visitor's own switch: not shared
        if kind == "SweepConfig":
            from qfl_explore.experiments.gradient_variance_sweep import stream_sweep

            return shared(("gradient_variance", config), lambda: stream_sweep(config))
        from qfl_explore.experiments.gradient_variance import stream

        return shared(("gradient_variance", config), lambda: stream(config))

    def record(self, item: Any) -> Any:
        """Rows of a training frame; of the others the newest is enough."""
        return (item.rows(), item) if hasattr(item, "gradients") else None

    def derive(self, item: Any) -> Picture:
        """What is drawn."""
        if hasattr(item, "gradients"):
            return Picture("training", item, pd.DataFrame())
        if hasattr(item, "estimates"):
            from qfl_explore.experiments.gradient_variance_sweep import fits_of

            table = item.table()
            return Picture(item.config.over, item, table, fits_of(table, item.config.over))
        return Picture("angles", item, item.table(), item.row())

    # on the server's loop

    def starting(self, config: Any) -> None:
        """Keeps the losses of a training run for comparison with the next."""
        if self._picture is not None and self._picture.view == "training":
            self._before = _mean_losses(self._picture.table)

    def begin(self) -> None:
        """Forgets the old run; its angle map stays until there is another."""
        self._rows, self._picture, self._first = [], None, None
        self.headline.object = ""
        for key in SHOWN[self.state.view]:
            if key in ("variance sweep", "variance histogram", "variance losses"):
                self.figures[key].clear(*self.figures[key].sources)

    def draw(self, update: Update) -> None:
        """Keeps the rows, draws the newest picture."""
        for rows, frame in filter(None, update.items):
            self._rows += rows
            self._first = self._first or frame
        if update.picture is not None:
            self._picture = update.picture
            self._draw()

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

    def where(self, update: Update) -> str:
        """Steps, error or points."""
        picture = self._picture
        if picture is None:
            return ""
        if picture.view == "training":
            return f"step {picture.item.step} of {picture.item.config.n_steps}"
        if picture.view == "angles":
            return f"relative error {100 * picture.item.relative_error:.1f} %"
        return text.sweep_status(picture.item)

    def fraction(self) -> float:
        """Progress from 0 to 1."""
        picture = self._picture
        if picture is None:
            return 0.0
        if picture.view == "training":
            return picture.item.step / max(1, picture.item.config.n_steps)
        if picture.view == "angles":
            return min(1.0, (picture.item.config.precision / max(picture.item.relative_error, 1e-9)) ** 2)
        return picture.item.fraction


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
            made[name] = number(state, "seed", margin=(8, 12))
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

"""The page Encoding: what becomes of scores when features are spoiled, and where features land on the circle."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import panel as pn

from qfl_explore.dashboards.encoding import text
from qfl_explore.dashboards.encoding.state import EncodingState
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import prose, row, titled
from qfl_explore.dashboards.parts.settings import section, select, slider, switch, views
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.plots import encoding as plots
from qfl_explore.plots import encoding_picture as picture_plots
from qfl_explore.plots.measurement_bases import put
from qfl_explore.plots.style import Spares

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.encoding import EncodingConfig, EncodingResult, Progress
    from qfl_explore.experiments.encoding_picture import Trace

_SCORES = {f"{view} {when}": (view, when) for view in plots.SERIES for when in ("test", "both")}
SPARES = Spares(
    {f"encoding {key}": lambda key=key: plots.live_scores(*_SCORES[key]) for key in _SCORES}
    | {
        "encoding differences": plots.live_differences,
        "encoding map": picture_plots.live_angle_map,
        "encoding circle": picture_plots.live_circle,
    }
)
_TITLES = {"test": "Spoiled at test time only", "both": "Spoiled in training too"}
#: Seconds between two summaries while results come in.
_EVERY = 0.5


def create(session: Session) -> EncodingPage:
    """The registry's factory."""
    return EncodingPage(session)


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is drawn anew when results came in.

    Attributes:
        result: of finished seeds; of what there is while the first one runs.
        summary: of it.
        n_seeds: finished.
    """

    result: EncodingResult
    summary: dict[str, Any]
    n_seeds: int


def study(config: EncodingConfig) -> Iterator[tuple[Progress, Picture | None]]:
    """The run for the scheduler; pictures come now and then, and at the end."""
    from qfl_explore.experiments.encoding import EncodingResult, rows_per_seed, stream

    items: list[Progress] = []
    last, per_seed, n_rows = 0.0, rows_per_seed(config), 0
    for item in stream(config):
        picture = None
        if item.rows:
            items.append(item)
            n_rows += len(item.rows)
            now = time.monotonic()
            if n_rows % per_seed == 0 or (n_rows < per_seed and now - last > _EVERY):
                result = EncodingResult.collect(config, items).complete()
                picture, last = Picture(result, result.summary(), n_rows // per_seed), now
        yield item, picture


def landing(config: EncodingConfig, place: int, when: str, scaler: str) -> Iterator[tuple[Trace, float]]:
    """The live picture's data, with the strength."""
    from qfl_explore.experiments.encoding_picture import trace

    strength = config.tried[min(place, len(config.tried)) - 1]
    yield trace(config, strength, when, scaler), strength


class EncodingPage(RunPage):
    """One visitor's page: the study, and a picture of where one feature lands."""

    name, filename, running = "encoding", "encoding.csv", "training"

    def __init__(self, session: Session) -> None:
        state = from_link(session, self.name, EncodingState())
        keys = (*_SCORES, "differences", "map", "circle")
        super().__init__(session, state, {key: SPARES.take(f"encoding {key}") for key in keys})
        self.side = self.side_run(self._draw_landing, lasting=True)
        self._picture: Picture | None = None
        self._item: Progress | None = None
        self.theory = Text("", size=13, margin=(2, 10))
        self.warning = Text("", size=13, margin=(2, 10))
        self.note = Text("", size=13)
        self._panes = {key: titled(_TITLES[when], self.figures[key], 380) for key, (_, when) in _SCORES.items()}
        self._differences = row(titled("Quantum layer less the best classical model", self.figures["differences"], 380))
        self.pictures = pn.Column(sizing_mode="stretch_width")
        self.main = self.body(*self._layout())
        self._widgets = _widgets(state)
        self.sidebar = _sidebar(self._widgets)
        self._arrange()
        state.param.watch(lambda *_: self._arrange(), ["view", "task", "distortion"])
        state.param.watch(lambda *_: self._land(), list(EncodingState.DRAWN))

    def _layout(self) -> list[Any]:
        buttons = views(self.state, "view", max_width=420)
        landing = row(
            titled("One feature: raw value to angle", self.figures["map"], 380),
            titled("Angle to point on the Bloch circle", self.figures["circle"], 330, fixed=True),
        )
        return [
            Text(text.INTRO, size=14),
            buttons,
            self.controls,
            self.headline,
            self.pictures,
            self.warning,
            self.theory,
            landing,
            self.note,
            self.take_along,
            section("What this shows, and what it does not", prose(text.ABOUT)),
        ]

    def _arrange(self) -> None:
        """The view's own pictures and settings."""
        state = self.state
        pair = row(self._panes[f"{state.view} test"], self._panes[f"{state.view} both"])
        self.pictures[:] = [pair, self._differences] if state.view == "models" else [pair]
        is_function = state.task == "function"
        hidden = {"models": set(), "degrees": {"degree"}, "scalers": {"scaler"}}[state.view]
        hidden |= set() if is_function else {"target", "target_degree", "n_modalities", "n_train"}
        for name, widget in self._widgets.items():
            widget.visible = name not in hidden
        self.theory.object = f"{text.DOTTED[state.view]} {text.THEORY[state.distortion]}"

    def work(self, config: EncodingConfig) -> Iterator[Any]:
        """The study."""
        return shared(("encoding", config), lambda: study(config))

    def derive(self, item: tuple[Progress, Picture | None]) -> Progress:
        """For the status line."""
        return item[0]

    def record(self, item: tuple[Progress, Picture | None]) -> Picture | None:
        """Pictures only; there are thousands of steps."""
        return item[1]

    def snippet(self) -> str:
        """Python source of what the page shows."""
        return text.snippet(self.state.config())

    def table(self) -> pd.DataFrame | None:
        """Scores, one row for each seed, degree, scaler, strength and model."""
        return self._picture.result.table if self._picture else None

    def new_seed(self) -> None:
        """Other seeds; the change restarts everything."""
        self.state.first_seed = (self.state.first_seed + self.state.n_seeds) % 9990

    # on the server's loop

    def starting(self, config: EncodingConfig) -> None:
        """Names the axes, and draws where features land."""
        for key, (view, _) in _SCORES.items():
            if view == self.state.view:
                plots.label_axis(self.figures[key], config.distortion, config.tried, config.metric)
        plots.label_axis(self.figures["differences"], config.distortion, config.tried)
        plots.label_difference(self.figures["differences"], config.metric)
        self._land(config)

    def begin(self) -> None:
        """Forgets the scores."""
        self._picture, self._item = None, None
        for key in (*_SCORES, "differences"):
            self.figures[key].clear(*self.figures[key].sources)
        self.headline.object = self.warning.object = ""

    def draw(self, update: Update) -> None:
        """Draws when results came in."""
        self._item = update.picture or self._item
        pictures = [picture for picture in update.items if picture is not None]
        if pictures:
            self._picture = pictures[-1]
            self._draw(pictures[-1])

    def _draw(self, picture: Picture) -> None:
        config, summary, view = picture.result.config, picture.summary, self.state.view
        lowest = plots.LOWEST[config.metric]
        for when in ("test", "both"):
            figure = self.figures[f"{view} {when}"]
            layers = plots.score_layers(summary, config.tried, view, when, lowest)
            put(figure, layers)
            if view == "models":  # data have no bounds, and an empty line needs no legend
                for name in plots.BOUNDS:
                    figure.show_layer(name, len(layers[name][0]) > 0)
            low = plots.lowest_drawn(layers, lowest)
            figure.set_range(y=(low, 1.0 + 0.06 * (1.0 - low)))
        if view == "models":
            layers = plots.difference_layers(summary, config.tried, summary["best_classical"])
            put(self.figures["differences"], layers)
            self.figures["differences"].set_range(y=plots.difference_span(layers))
        self.headline.object = text.headline(summary, config, view, picture.n_seeds)
        self.warning.object = text.outside_words(summary["rows"])

    def _land(self, config: EncodingConfig | None = None) -> None:
        config = config or self.current
        if config is None:
            return
        place, when = self.state.at, self.state.when
        scaler = self.state.scaler
        self.side.start(lambda: landing(config, place, when, scaler))

    def _draw_landing(self, update: Update) -> None:
        for found, strength in update.items:
            picture_plots.put_angle_map(self.figures["map"], found)
            picture_plots.put_circle(self.figures["circle"], found)
            state = self.state
            self.note.object = text.picture_note(found, state.distortion, strength, state.when, state.scaler)

    def where(self, update: Update) -> str:
        """Seed, degree, strength and model."""
        return "" if update.state == "done" or self.current is None else text.status(self._item, self.current)

    def fraction(self) -> float:
        """Fits that are finished, of all."""
        item = self._item
        return item.n_done / item.n_total if item is not None and item.n_total else 0.0


def _widgets(state: EncodingState) -> dict[str, Any]:
    sliders = ("target_degree", "degree", "n_modalities", "feature_dim", "n_train", "n_steps", "n_seeds", "first_seed")
    made: dict[str, Any] = {}
    for name in EncodingState.URL:
        if name == "view":
            continue
        make = switch if name == "constant_slot" else slider if name in (*sliders, "at") else select
        made[name] = make(state, name, **({"margin": (12, 12, 6, 12)} if make is select else {}))
    return made


def _sidebar(made: dict[str, Any]) -> list[Any]:
    circuit = ("degree", "n_modalities", "feature_dim", "signal", "constant_slot")
    training = ("n_seeds", "first_seed", "n_steps", "n_train")
    return [
        section("Features", *(made[name] for name in ("distortion", "scaler", "at", "when"))),
        section("Task", *(made[name] for name in ("task", "target", "target_degree"))),
        section("Circuit", *(made[name] for name in circuit)),
        section("Training and seeds", *(made[name] for name in training), collapsed=True),
    ]

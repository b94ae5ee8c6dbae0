"""The page Noise: a layer under noise, beside classical models with equal feature noise."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import panel as pn

from qfl_explore.dashboards.noise import text
from qfl_explore.dashboards.noise.state import NoiseState
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import prose, row, titled
from qfl_explore.dashboards.parts.settings import fraction, section, select, slider, switch
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.plots import noise as plots
from qfl_explore.plots.style import Spares

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.noise import NoiseConfig, NoiseResult, Progress

SPARES = Spares(
    {
        "noise scores": plots.live_scores,
        "noise decisions": plots.live_decisions,
        "noise degrees": plots.live_degrees,
        "noise curve": plots.live_curve,
    }
)
_TITLES = {
    "scores": "Score against strength, 95 % intervals (low ones at the edge)",
    "decisions": "Right decisions against strength, 95 % intervals",
    "degrees": "Every degree P: the layer trained with noise, or the protocol",
    "curve": "One trained layer (or the protocol) through noise, exactly",
}


def create(session: Session) -> NoisePage:
    """The registry's factory."""
    return NoisePage(session)


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is drawn anew whenever a strength is finished."""

    result: NoiseResult
    summary: dict[str, Any]


def study(config: NoiseConfig) -> Iterator[tuple[Progress, Picture | None]]:
    """The run for the scheduler; a picture comes with every finished seed and degree."""
    from qfl_explore.experiments.noise import NoiseResult, stream

    items: list[Progress] = []
    for item in stream(config):
        items += [item] if item.rows else []
        picture = None
        if item.rows and item.n_done % len(config.strengths) == 0:
            result = NoiseResult.collect(config, items)
            picture = Picture(result, result.summary())
        yield item, picture


def counted(config: NoiseConfig) -> dict[int, Any]:
    """Gate counts by degree."""
    from qfl_explore.circuits.fusion import FusionCircuit
    from qfl_explore.circuits.noise import gate_counts
    from qfl_explore.experiments.noise_separation import parts_of

    separation = config.task == "separation"
    circuits = {p: parts_of(p)[0] if separation else FusionCircuit(config.fusion(p)) for p in config.degrees}
    return {degree: gate_counts(fusion) for degree, fusion in circuits.items()}


def seen(config: NoiseConfig, degree: int, strength: float, count: bool) -> Iterator[tuple[str, Any]]:
    """The exact curve, and the gates where they are asked for."""
    from qfl_explore.experiments.noise_curve import curve

    began = time.perf_counter()
    table = curve(config, degree, strength, config.seeds[0])
    yield "curve", (table, text.curve_note(config, degree, strength, time.perf_counter() - began))
    if count:
        yield "gates", text.gate_table(counted(config))


def checked(config: NoiseConfig, degree: int, strength: float) -> Iterator[tuple[list[dict[str, float]], str]]:
    """Points of the curve by trajectories so far, and what they say."""
    from qfl_explore.experiments.noise_curve import N_CHECKED, N_TRAJECTORIES, checked_points

    rows: list[dict[str, float]] = []
    for point in checked_points(config, degree, strength, config.seeds[0]):
        rows.append(point)
        yield list(rows), text.checked_note(rows, N_CHECKED, N_TRAJECTORIES)


class NoisePage(RunPage):
    """One visitor's page: the study, and beside it the exact curve that follows the strength."""

    name, filename, running = "noise", "noise.csv", "training"

    def __init__(self, session: Session) -> None:
        state = from_link(session, self.name, NoiseState())
        super().__init__(session, state, {name: SPARES.take(f"noise {name}") for name in _TITLES})
        self.seer = self.side_run(self._draw_curve, lasting=True)
        self.checker = self.side_run(self._draw_checked)
        self._picture: Picture | None = None
        self._item: Progress | None = None
        style = {"stylesheets": [text.TABLE_STYLE], "sizing_mode": "stretch_width", "margin": (8, 12)}
        self.score_table, self.gate_table = pn.pane.HTML("", **style), pn.pane.HTML("", **style)
        self.note, self.checked_note = Text("", size=13), Text("", size=13)
        self._panes = {name: titled(title, self.figures[name], 400) for name, title in _TITLES.items()}
        self._panes["curve"].extend([self.note, self.checked_note])
        self.main = self.body(
            Text(text.INTRO, size=14),
            self.controls,
            self.headline,
            row(self._panes["curve"], self._panes["scores"], self._panes["decisions"], self._panes["degrees"]),
            self.score_table,
            self.gate_table,
            self.take_along,
            section("What this shows, and what it does not", prose(text.ABOUT)),
        )
        self.sidebar = _sidebar(state)
        state.param.watch(lambda *_: self._look_again(False), list(NoiseState.CURVE))

    def work(self, config: NoiseConfig) -> Iterator[Any]:
        """The study."""
        return shared(("noise", config), lambda: study(config))

    def derive(self, item: tuple[Progress, Picture | None]) -> Progress:
        """For the status line."""
        return item[0]

    def snippet(self) -> str:
        """Python source of what the page shows."""
        return text.snippet(self.state.config(), self.state.shown_degree(), self.state.shown_strength())

    def table(self) -> pd.DataFrame | None:
        """Scores, one row for each seed, degree, strength, model and training."""
        return self._picture.result.table if self._picture else None

    def new_seed(self) -> None:
        """Other seeds; the change restarts everything."""
        self.state.first_seed = (self.state.first_seed + self.state.n_seeds) % 9990

    # on the server's loop

    def starting(self, config: NoiseConfig) -> None:
        """Labels the axes for the task, empties everything, and starts the curve."""
        separation = config.task == "separation"
        self._panes["scores"].visible, self._panes["decisions"].visible = not separation, separation
        for name in ("scores", "decisions", "degrees"):
            plots.set_strengths(self.figures[name], config)
        plots.name_degrees(self.figures["degrees"], config)
        plots.set_curve_axes(self.figures["curve"], config.task)
        self.gate_table.object = self.note.object = ""
        self.figures["curve"].clear(*self.figures["curve"].sources)
        self.begin()
        self._look_again(True)

    def begin(self) -> None:
        """Forgets the scores."""
        self._picture, self._item = None, None
        for name in ("scores", "decisions", "degrees"):
            self.figures[name].clear(*self.figures[name].sources)
        self.headline.object = self.score_table.object = ""

    def draw(self, update: Update) -> None:
        """Draws when a degree of a seed is finished."""
        pictures = [picture for _, picture in update.items if picture is not None]
        self._item = update.picture or self._item
        if pictures:
            self._picture = pictures[-1]
            self._draw()

    def _draw(self) -> None:
        picture, config = self._picture, self.current
        if picture is None:
            return
        degree, strength = self.state.shown_degree(), text.nearest(config.strengths, self.state.shown_strength())
        layers = plots.scores_layers(picture.summary, config.task, degree, config.strengths)
        figure = self.figures["decisions" if config.task == "separation" else "scores"]
        plots.put(figure, layers)
        figure.set_range(y=plots.span(layers))
        layers = plots.degrees_layers(picture.summary, config.task, config.strengths)
        plots.put(self.figures["degrees"], layers)
        self.figures["degrees"].set_range(y=plots.span(layers))
        self.headline.object = text.headline(picture.summary, config, degree, strength)
        self.score_table.object = text.score_table(picture.summary, config, degree)

    def _look_again(self, count: bool) -> None:
        config = self.current
        if config is None:
            return
        degree, strength = self.state.shown_degree(), self.state.shown_strength()
        self.seer.start(lambda: seen(config, degree, strength, count or not self.gate_table.object))
        self.checker.cancel()
        plots.put(self.figures["curve"], plots.checked_layers(()))
        plots.show_checked(self.figures["curve"], self.state.check)
        self.checked_note.object = ""
        if self.state.check:
            self.checker.start(lambda: checked(config, degree, strength))
        self._draw()

    def _draw_curve(self, update: Update) -> None:
        for kind, found in update.items:
            if kind == "gates":
                self.gate_table.object = found
                continue
            table, self.note.object = found
            plots.put(self.figures["curve"], plots.curve_layers(table))
            self.figures["curve"].set_range(*_spans(table))

    def _draw_checked(self, update: Update) -> None:
        if update.items:
            rows, self.checked_note.object = update.items[-1]
            plots.put(self.figures["curve"], plots.checked_layers(rows))

    def where(self, update: Update) -> str:
        """Seed, degree, strength and step."""
        return "" if update.state == "done" or self.current is None else text.status(self._item, self.current)

    def fraction(self) -> float:
        """Strengths that are finished, of all."""
        item = self._item
        return item.n_done / item.n_total if item is not None and item.n_total else 0.0


def _spans(table: pd.DataFrame) -> list[tuple[float, float]]:
    ends = []
    for column, share in (("x", 0.02), ("value", 0.06)):
        low, high = float(table[column].min()), float(table[column].max())
        room = share * (high - low or 1.0)
        ends.append((low - room, high + room))
    return ends


def _sidebar(state: NoiseState) -> list[Any]:
    device, learned = state.param.kind.rx() == "device", state.param.task.rx() != "separation"
    polynomial = state.param.task.rx() == "polynomial"
    strength = fraction(state, "strength", format="0.000", visible=device.rx.not_())
    multiple = fraction(state, "multiple", format="0.0", visible=device)
    target = pn.Column(
        select(state, "target", margin=(10, 12, 2, 12)),
        slider(state, "target_degree"),
        slider(state, "n_modalities"),
        visible=polynomial,
        sizing_mode="stretch_width",
    )
    circuit = pn.Column(
        *(slider(state, name) for name in ("feature_dim", "n_blocks")),
        *(select(state, name) for name in ("signal", "entangler", "measurement")),
        visible=learned,
        sizing_mode="stretch_width",
    )
    return [
        section(
            "Noise",
            *(select(state, "kind", margin=(10, 12, 2, 12)), strength, multiple),
            *(slider(state, "degree"), switch(state, "check")),
        ),
        section("Task", select(state, "task", margin=(10, 12, 2, 12)), target),
        section("Circuit", slider(state, "largest"), circuit),
        section(
            "Training and seeds",
            select(state, "repetitions", margin=(10, 12, 2, 12)),
            *(slider(state, name) for name in ("n_seeds", "first_seed", "n_steps", "n_train")),
            collapsed=True,
        ),
    ]

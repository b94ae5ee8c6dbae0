"""The page Measurement bases: the same circuit read in four ways, and what that costs in repetitions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import panel as pn

from qfl_explore.dashboards.measurement_bases import text
from qfl_explore.dashboards.measurement_bases.state import MeasurementState
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import prose, row, titled
from qfl_explore.dashboards.parts.settings import fraction, section, select, slider, stops
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.plots import measurement_bases as plots
from qfl_explore.plots import measurement_bases_estimates as estimate_plots
from qfl_explore.plots.style import Spares

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.measurement_bases import MeasurementConfig, MeasurementResult, Progress

SPARES = Spares(
    {
        "bases scores": plots.live_scores,
        "bases sweep": plots.live_sweep,
        "bases repetitions": plots.live_repetitions,
        "bases singular": plots.live_singular,
        "bases estimates": estimate_plots.live_estimates,
    }
)
INTRO = (
    "One circuit, four ways to read it. Which observables help, how many, and what do they cost when every expectation "
    "value has to be estimated from repetitions?"
)


def create(session: Session) -> MeasurementPage:
    """The registry's factory."""
    return MeasurementPage(session)


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is drawn anew whenever a model is finished."""

    result: MeasurementResult
    summary: dict[str, Any]


def study(config: MeasurementConfig) -> Iterator[tuple[Progress, Picture | None]]:
    """The training run for the scheduler; the picture comes with every finished model."""
    from qfl_explore.experiments.measurement_bases import MeasurementResult, stream

    items: list[Progress] = []
    for item in stream(config):
        items += [item] if item.rows else []
        picture = None
        if item.stage == "tested" or _is_last(item, config):  # a summary of every row would outlast the training
            result = MeasurementResult.collect(config, items).complete()
            picture = Picture(result, result.summary())
        yield item, picture


def _is_last(item: Progress, config: MeasurementConfig) -> bool:
    """Whether a basis is finished on a seed."""
    return any((row["model"], row["repetitions"]) == ("refitted", max(config.repetitions)) for row in item.rows)


def facts(config: MeasurementConfig) -> Iterator[tuple[str, Any]]:
    """What needs no training: feature maps, ranks, costs, and the curve over K."""
    import pandas as pd

    from qfl_explore.experiments.measurement_bases_features import feature_row, spectrum_table
    from qfl_explore.experiments.measurement_bases_sweep import frozen_sweep, sweep_means

    rows, spectra, scores = [], [], []
    for base in config.bases:
        rows.append(feature_row(config, base))
        yield "facts", pd.DataFrame(rows)
        spectra.append(spectrum_table(config, base))
        yield "spectra", pd.concat(spectra, ignore_index=True)
    for score in frozen_sweep(config):
        last = not scores or (score["seed"], score["basis"]) == (scores[-1]["seed"], scores[-1]["basis"])
        scores.append(score)
        yield "sweep", None if last else sweep_means(pd.DataFrame(scores[:-1]))
    yield "sweep", sweep_means(pd.DataFrame(scores))


def reading(config: MeasurementConfig, basis: str, repetitions: int) -> Iterator[pd.DataFrame]:
    """One state read in three ways."""
    from qfl_explore.experiments.measurement_bases_repetitions import Scene, estimates

    scene = Scene(config, basis, 1, config.seeds[0])
    yield estimates(config, basis, repetitions, config.seeds[0], scene)


class MeasurementPage(RunPage):
    """One visitor's page: a training run, the facts that need none, and the reading of one state."""

    name, filename, running = "measurement_bases", "measurement_bases.csv", "training"

    def __init__(self, session: Session) -> None:
        state = from_link(session, self.name, MeasurementState())
        super().__init__(session, state, {name: SPARES.take(f"bases {name}") for name in _TITLES})
        self.side = self.side_run(self._draw_facts)
        self.reader = self.side_run(self._draw_reading, quiet=True)
        self._picture: Picture | None = None
        self._item: Progress | None = None
        self._facts: pd.DataFrame | None = None
        self._sweep: pd.DataFrame | None = None
        self.facts_table = pn.pane.HTML("", stylesheets=[text.TABLE_STYLE], sizing_mode="stretch_width", margin=(8, 12))
        self.note = Text("", size=13)
        self.main = self.body(*self._layout())
        self.sidebar = _sidebar(state)
        state.param.watch(lambda *_: self._read_again(), list(MeasurementState.READING))
        state.param.watch(lambda _: self._draw(), "readout")

    def _layout(self) -> list[Any]:
        panes = {name: titled(title, self.figures[name], 380) for name, title in _TITLES.items()}
        return [
            Text(INTRO, size=14),
            self.controls,
            self.headline,
            row(panes["scores"], panes["repetitions"]),
            self.facts_table,
            row(panes["sweep"], panes["singular"]),
            panes["estimates"],
            self.note,
            self.take_along,
            section("What this shows, and what it does not", prose(text.ABOUT)),
        ]

    def work(self, config: MeasurementConfig) -> Iterator[Any]:
        """The training."""
        return shared(("measurement_bases", config), lambda: study(config))

    def derive(self, item: tuple[Progress, Picture | None]) -> Progress:
        """For the status line."""
        return item[0]

    def snippet(self) -> str:
        """Python source of what the page shows."""
        return text.snippet(self.state.config(), self.state.basis, self.state.repetitions)

    def table(self) -> pd.DataFrame | None:
        """Scores, one row for each model, seed and number of repetitions."""
        return self._picture.result.table if self._picture else None

    def new_seed(self) -> None:
        """Other seeds; the change restarts everything."""
        self.state.first_seed = (self.state.first_seed + self.state.n_seeds) % 9990

    # on the server's loop

    def starting(self, config: MeasurementConfig) -> None:
        """Empties everything, says what is left out, and starts what needs no training."""
        self._facts = self._sweep = None
        self.facts_table.object = self.note.object = ""
        self.begin()
        for name in ("sweep", "singular", "estimates"):
            self.figures[name].clear(*self.figures[name].sources)
        label = plots.SCORES[config.task]
        self.figures["scores"].figure.xaxis[0].axis_label = label
        for name in ("sweep", "repetitions"):
            self.figures[name].figure.yaxis[0].axis_label = label
        if "all_pauli" not in config.bases:
            n_qubits = config.fusion("computational").n_qubits
            self.session.notify(
                f"All Pauli strings are left out: {n_qubits} qubits would make {4**n_qubits - 1} observables."
            )
        self.side.start(lambda: facts(config))
        self._read_again()

    def begin(self) -> None:
        """Forgets the scores."""
        self._picture, self._item = None, None
        for name in ("scores", "repetitions"):
            self.figures[name].clear(*self.figures[name].sources)
        self.headline.object = ""

    def draw(self, update: Update) -> None:
        """Draws when a model is finished."""
        pictures = [picture for _, picture in update.items if picture is not None]
        self._item = update.picture or self._item
        if pictures:
            self._picture = pictures[-1]
            self._draw()

    def _draw(self) -> None:
        picture = self._picture
        if picture is None:
            return
        layers = plots.scores_layers(picture.result.table, picture.summary)
        plots.put(self.figures["scores"], layers)
        low = plots.lowest_score(layers, axis=0)
        self.figures["scores"].set_range(x=(low, 1.0 + 0.04 * (1.0 - low)))
        layers = plots.repetition_layers(picture.summary, self.state.readout)
        plots.put(self.figures["repetitions"], layers)
        low = plots.lowest_score(layers)
        self.figures["repetitions"].set_range(y=(low, 1.0 + 0.06 * (1.0 - low)))
        self._draw_sweep()
        self._say()

    def _draw_sweep(self) -> None:
        if self._sweep is None:
            return
        layers = plots.sweep_layers(self._sweep, self._picture.summary if self._picture else None)
        plots.put(self.figures["sweep"], layers)
        low, most = plots.lowest_score(layers), float(self._sweep["n_observables"].max())
        self.figures["sweep"].set_range((0.85, 1.25 * most), (low, 1.0 + 0.06 * (1.0 - low)))

    def _say(self) -> None:
        config, total = self.current, self.state.repetitions
        summary = self._picture.summary if self._picture else {"rows": [], "paired": [], "best_classical": ""}
        pairs = self._picture.result.paired(self.state.readout, total) if self._picture else []
        self.headline.object = text.headline(summary, config, total, self.state.readout, pairs)
        if self._facts is not None:
            self.facts_table.object = text.table_html(self._facts, summary, config, total, self.state.readout)

    def _draw_facts(self, update: Update) -> None:
        for kind, found in update.items:
            if kind == "facts":
                self._facts = found
                self._say()
            elif kind == "spectra":
                plots.put(self.figures["singular"], plots.singular_layers(found))
                low = 0.5 * float(found.loc[found["median"] > 1e-9, "median"].min())
                self.figures["singular"].set_range((0.9, 1.2 * float(found["index"].max())), (low, 2.0))
            elif found is not None:
                self._sweep = found
                self._draw_sweep()

    def _read_again(self) -> None:
        config, basis, repetitions = self.current, self.state.basis, self.state.repetitions
        if config is None:
            return
        self._say()
        if basis in config.bases:
            self.reader.start(lambda: reading(config, basis, repetitions))

    def _draw_reading(self, update: Update) -> None:
        if update.error:
            self.note.object = update.error
            self.figures["estimates"].clear(*self.figures["estimates"].sources)
        for table in update.items:
            estimate_plots.put_estimates(self.figures["estimates"], table)
            self.note.object = text.reading_note(table, len(estimate_plots.shown_observables(table)))

    def where(self, update: Update) -> str:
        """Seed, basis, rate and step."""
        return "" if update.state == "done" or self.current is None else text.status(self._item, self.current)

    def fraction(self) -> float:
        """Models that are finished, of all."""
        item = self._item
        return item.n_done / item.n_total if item is not None and item.n_total else 0.0


_TITLES = {
    "scores": "Test score, exact expectation values",
    "repetitions": "Test score, values from T repetitions (low ones at the edge)",
    "sweep": "Score against K: readout only (lines), trained (large marks)",
    "estimates": "Estimates of one state, 95 % error bars",
    "singular": "Feature map: singular values at random weights",
}


def _sidebar(state: MeasurementState) -> list[Any]:
    polynomial = state.param.task.rx() == "polynomial"
    target = pn.Column(
        select(state, "target", margin=(10, 12, 2, 12)),
        slider(state, "target_degree"),
        visible=polynomial,
        sizing_mode="stretch_width",
    )
    modalities = slider(state, "n_modalities", visible=polynomial)
    return [
        section(
            "Measurement",
            slider(state, "n_observables"),
            stops(state, "repetitions", "Repetitions T"),
            *(select(state, name, margin=(12, 12, 6, 12)) for name in ("readout", "basis")),
        ),
        section("Task", select(state, "task", margin=(10, 12, 2, 12)), target),
        section(
            "Circuit",
            slider(state, "degree"),
            modalities,
            *(slider(state, name) for name in ("feature_dim", "n_blocks")),
        ),
        section(
            "Training and seeds",
            *(slider(state, name) for name in ("n_seeds", "first_seed", "n_steps", "n_train")),
            fraction(state, "noise"),
            collapsed=True,
        ),
    ]

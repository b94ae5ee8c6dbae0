"""The page Systems: three quantum fusion systems beside classical methods, and a look inside two of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import panel as pn

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import prose, row, titled
from qfl_explore.dashboards.parts.settings import number, section, select, slider
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.dashboards.systems import text
from qfl_explore.dashboards.systems.state import ATTENTIVE, SystemsState
from qfl_explore.plots import systems as plots
from qfl_explore.plots.style import Spares

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.systems import SystemsConfig, SystemsResult

SPARES = Spares(
    {
        "systems scores": plots.live_scores,
        "systems attention": plots.live_attention,
        "systems sizes": plots.live_sizes,
        "systems one": plots.live_one,
        "systems cost": plots.live_cost,
    }
)
_TITLES = {
    "scores": "Macro F1 of every method",
    "attention": "Attention: who looks at which token",
    "sizes": "Feature entanglement: parts of its decisions",
    "one": "One decision, part by part",
    "cost": "Feature entanglement: cost against modalities",
}


def create(session: Session) -> SystemsPage:
    """The registry's factory."""
    return SystemsPage(session)


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is drawn anew whenever a method is finished."""

    result: SystemsResult
    summary: dict[str, Any]
    attention: dict[str, pd.DataFrame]
    decisions: pd.DataFrame
    sizes: pd.DataFrame


def study(config: SystemsConfig) -> Iterator[tuple[Any, Picture | None]]:
    """The run for the scheduler; a picture comes with every finished method."""
    from qfl_explore.experiments.systems import SystemsResult, stream
    from qfl_explore.experiments.systems_look import Look, decisions, mean_attention, part_sizes

    items: list[Any] = []
    for item in stream(config):
        if not isinstance(item, Look) and item.stage not in ("tested", "skipped"):
            yield item, None
            continue
        items.append(item)
        result = SystemsResult.collect(config, items)
        attention = {name: mean_attention(look) for name, look in result.looks.items() if look.attention}
        split = result.looks.get("feature_entanglement")
        tables = (decisions(split), part_sizes(split)) if split is not None and split.contributions else (None, None)
        yield (None if isinstance(item, Look) else item), Picture(result, result.summary(), attention, *tables)


def costs(config: SystemsConfig) -> Iterator[pd.DataFrame]:
    """The cost of the feature-entanglement network, counted."""
    from qfl_explore.experiments.systems_look import cost_table

    yield cost_table(config.entangled(2, 1))


class SystemsPage(RunPage):
    """One visitor's page."""

    name, filename, running = "systems", "systems.csv", "training"

    def __init__(self, session: Session) -> None:
        state = from_link(session, self.name, SystemsState())
        super().__init__(session, state, {name: SPARES.take(f"systems {name}") for name in _TITLES})
        self.counter = self.side_run(self._draw_cost, lasting=True)
        self._picture: Picture | None = None
        self._step: Any = None
        style = {"stylesheets": [text.TABLE_STYLE], "sizing_mode": "stretch_width", "margin": (8, 12)}
        self.method_table, self.pair_table = pn.pane.HTML("", **style), pn.pane.HTML("", **style)
        self.attention_note, self.sample_note = Text("", size=12), Text("", size=12)
        panes = {name: titled(title, self.figures[name], 400) for name, title in _TITLES.items()}
        panes["attention"].append(self.attention_note)
        panes["one"].append(self.sample_note)
        self._panes = panes
        self.main = self.body(
            Text(text.INTRO, size=14),
            self.controls,
            self.headline,
            row(*panes.values()),
            self.method_table,
            self.pair_table,
            self.take_along,
            section("What this shows, and what it does not", prose(text.ABOUT)),
        )
        self.sidebar = _sidebar(state)
        state.param.watch(lambda *_: self._draw_inside(), list(SystemsState.DRAWN))

    def work(self, config: SystemsConfig) -> Iterator[Any]:
        """The study."""
        from qfl_explore.datasets import DATASETS

        if DATASETS[config.dataset].needs_files:  # which may be fetched, or fetched anew, between two runs
            return study(config)
        return shared(("systems", config), lambda: study(config))

    def record(self, item: tuple[Any, Picture | None]) -> Picture | None:
        """Pictures are kept; of the steps the newest is enough."""
        return item[1]

    def derive(self, item: tuple[Any, Picture | None]) -> Any:
        """For the status line."""
        return item[0]

    def snippet(self) -> str:
        """Python source of what the page shows."""
        return text.snippet(self.state.config())

    def table(self) -> pd.DataFrame | None:
        """Scores, one row for each seed and method."""
        return self._picture.result.scores if self._picture else None

    def new_seed(self) -> None:
        """Other seeds; the change restarts everything."""
        self.state.first_seed = (self.state.first_seed + self.state.n_seeds) % 9990

    # on the server's loop

    def starting(self, config: SystemsConfig) -> None:
        """Shows the pictures that the methods have, and counts the cost beside the run."""
        self.begin()
        self._panes["attention"].visible = self.state.methods != "entangled"
        for name in ("sizes", "one"):
            self._panes[name].visible = self.state.methods != "cross"
        self.counter.start(lambda: costs(config))

    def begin(self) -> None:
        """Forgets the old run."""
        self._picture, self._step = None, None
        for name in ("scores", "attention", "sizes", "one"):
            self.figures[name].clear(*self.figures[name].sources)
        for words in (self.headline, self.method_table, self.pair_table, self.attention_note, self.sample_note):
            words.object = ""

    def draw(self, update: Update) -> None:
        """Draws when a method is finished."""
        pictures = [picture for picture in update.items if picture is not None]
        self._step = update.picture or self._step
        if pictures and pictures[-1].summary["methods"]:
            self._picture = pictures[-1]
            self._draw()

    def _draw(self) -> None:
        from qfl_explore.experiments.systems_config import PAPER_F1

        picture, config = self._picture, self.current
        paper = PAPER_F1.get(config.dataset)
        plots.put_scores(self.figures["scores"], picture.result.scores, picture.summary, paper)
        self.headline.object = text.headline(picture.summary, config)
        self.method_table.object = text.method_table(picture.summary)
        self.pair_table.object = text.pair_table(picture.summary)
        self._draw_inside()

    def _draw_inside(self) -> None:
        """Attention of the chosen method, and the chosen sample."""
        picture = self._picture
        if picture is None:
            return
        known = [name for name in (self.state.attention, *ATTENTIVE.values()) if name in picture.attention]
        if known:
            table = picture.attention[known[0]]
            table = table[table["direction"] == table["direction"].iloc[0]]
            plots.put_attention(self.figures["attention"], table)
            look = picture.result.looks[known[0]]
            title = plots.NAMES[known[0]].capitalize()
            self.attention_note.object = text.attention_note(title, look.seed, len(look.labels), table)
        if picture.decisions is not None:
            plots.put_sizes(self.figures["sizes"], picture.sizes)
            n = picture.decisions["sample"].nunique()
            rows = picture.decisions[picture.decisions["sample"] == min(self.state.sample, n - 1)]
            plots.put_one(self.figures["one"], rows)
            self.sample_note.object = text.sample_note(rows, n)

    def _draw_cost(self, update: Update) -> None:
        for table in update.items:
            plots.put_cost(self.figures["cost"], table)

    def where(self, update: Update) -> str:
        """Seed, method, trial and epoch."""
        if update.state == "done" or self._step is None or self.current is None:
            return ""
        return text.status(self._step, self.current, plots.NAMES[self._step.method])

    def fraction(self) -> float:
        """Trials that are finished, of all."""
        step = self._step
        return step.n_done / step.n_total if step is not None and step.n_total else 0.0


def _sidebar(state: SystemsState) -> list[Any]:
    first = {"margin": (10, 12, 2, 12)}
    seed = number(state, "first_seed", margin=(8, 12))
    return [
        section(
            "Task and methods",
            select(state, "task", **first),
            select(state, "methods", margin=(14, 12, 2, 12)),
            slider(state, "n_seeds"),
            slider(state, "epochs"),
        ),
        section("Look inside", select(state, "attention", **first), slider(state, "sample")),
        section(
            "Cross-attention",
            *(slider(state, name) for name in ("n_qubits", "cross_blocks", "n_heads")),
            select(state, "cross_entangler"),
            select(state, "branches", margin=(14, 12, 2, 12)),
            collapsed=True,
        ),
        section(
            "Feature entanglement",
            *(slider(state, name) for name in ("register_size", "n_kept")),
            select(state, "pairs"),
            select(state, "coupling", margin=(14, 12, 2, 12)),
            collapsed=True,
        ),
        section(
            "All",
            select(state, "reach", **first),
            *(slider(state, name) for name in ("degree", "feature_dim")),
            seed,
            collapsed=True,
        ),
    ]

"""The parts Learning it and Rank wall: studies that train several models over seeds."""

from __future__ import annotations

import abc
import importlib
from collections.abc import Iterator
from typing import Any

import panel as pn

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import row, titled
from qfl_explore.dashboards.parts.settings import section, select, slider
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.scheduler import Wait
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.dashboards.separation import text
from qfl_explore.dashboards.separation.part import Part
from qfl_explore.dashboards.separation.state import SeparationState
from qfl_explore.plots import separation_learn as plots
from qfl_explore.plots.layers import put
from qfl_explore.plots.style import Spares

SPARES = Spares(
    {
        "separation learned": plots.live_learned,
        "separation training": plots.live_training,
        "separation wall": plots.live_rank_wall,
        "separation sizes": plots.live_sizes,
    }
)


class StudyPart(Part):
    """A part whose rows come one by one."""

    running = "training"

    def __init__(self, session: Session, state: SeparationState, names: tuple[str, ...]) -> None:
        super().__init__(session, state, {name: SPARES.take(f"separation {name}") for name in names})
        self._items: list[Any] = []

    def new_seed(self) -> None:
        """Other seeds; the change restarts the study."""
        self.state.seed = (self.state.seed + 10) % 9990

    def begin(self) -> None:
        """Forgets the rows."""
        self._items = []

    def draw(self, update: Update) -> None:
        """Keeps the rows and draws."""
        rows = [item for item in update.items if item.row is not None]
        self._items += rows
        self.draw_items(update.items, bool(rows) or not self._items)

    def where(self, update: Update) -> str:
        """Models that are trained."""
        return f"{len(self._items)} of {self.current.n_rows} models" if self.current and update.state != "done" else ""

    def fraction(self) -> float:
        """Models that are trained, of all."""
        return len(self._items) / max(1, self.current.n_rows)

    @abc.abstractmethod
    def draw_items(self, items: list[Any], anew: bool) -> None:
        """Draws what came; ``anew`` where rows were added."""


class LearningPart(StudyPart):
    """The layer with joint access against models of outcomes."""

    part, filename = "learning", "learned_protocol.csv"

    def __init__(self, session: Session, state: SeparationState) -> None:
        super().__init__(session, state, ("learned", "training"))
        self.summary = pn.pane.HTML("", stylesheets=[text.TABLE_STYLE], margin=(4, 12), sizing_mode="stretch_width")
        self._curves: dict[str, list[float]] = {}
        self._references: Any = None
        self.main = self.body(
            self.controls,
            self.headline,
            row(
                titled("Success of what was learned", self.figures["learned"], 420),
                titled("The layer in training", self.figures["training"], 300),
            ),
            self.limits(),
            self.summary,
            self.take_along,
        )
        self.sidebar = [
            section("Problem", slider(self.state, "delta_degrees"), slider(self.state, "n_seeds")),
            section(
                "Training",
                slider(self.state, "n_restarts"),
                slider(self.state, "n_train", step=16),
                slider(self.state, "n_outcomes", step=256),
                slider(self.state, "n_steps", step=50),
                slider(self.state, "n_blocks"),
                select(self.state, "initializer"),
                select(self.state, "train_engine"),
                slider(self.state, "seed", "First seed"),
            ),
        ]

    def config(self) -> Any:
        """The study's config."""
        return self.state.learning_config()

    def work(self, config: Any) -> Iterator[Any]:
        """The references first, then everything that is trained."""
        from qfl_explore.experiments.separation_learn import references, stream

        if config.backend == "tfq":
            yield Wait(0.2)
        importlib.import_module("scipy.stats")  # for the intervals; here, not on the server's loop
        self._references = references(config)
        yield from shared(("separation learning", config), lambda: stream(config))

    def begin(self) -> None:
        """Forgets rows and curves."""
        super().begin()
        self._curves = {"x": [], "y": [], "now_x": [], "now_y": []}
        self.figures["training"].set_range(x=(0.0, float(self.current.n_steps)))

    def draw_items(self, items: list[Any], anew: bool) -> None:
        """Training curves always, the rest where rows were added."""
        from qfl_explore.experiments.separation_learn import MODELS, collect, means

        self._draw_training(items)
        if not anew or self._references is None:
            return
        result = collect(self.current, self._items)
        models = means(result.table)
        plots.put_learned(self.figures["learned"], result.table, models, self._references)
        self.headline.object = text.learning_sentence(self.current, models)
        self.summary.object = text.learning_table(models, MODELS)

    def _draw_training(self, items: list[Any]) -> None:
        from qfl_explore.theory.separation import joint_success

        curves, degree = self._curves, 0
        for item in items:
            if item.model != "quantum" or item.row is not None:
                continue
            degree = item.n_queries
            if item.step == 0 and curves["now_x"]:
                curves["x"] += [*curves["now_x"], float("nan")]
                curves["y"] += [*curves["now_y"], float("nan")]
                curves["now_x"], curves["now_y"] = [], []
            curves["now_x"].append(float(item.step))
            curves["now_y"].append(item.success)
        if not degree:
            return
        bound = joint_success(degree // 2, self.current.delta)
        columns = {
            "earlier": (curves["x"], curves["y"]),
            "now": (curves["now_x"], curves["now_y"]),
            "bound": ([0.0, float(self.current.n_steps)], [bound, bound]),
        }
        put(self.figures["training"], plots.TRAINING, columns)

    def table(self) -> Any:
        """The finished rows."""
        from qfl_explore.experiments.separation_learn import collect

        return collect(self.current, self._items).table if self._items else None

    def snippet(self) -> str:
        """Python that gives the same rows."""
        last = "print(result.table.groupby(['model', 'n_queries'])['success'].agg(['mean', 'min', 'max']))"
        return text.source("separation_learn", "LearnConfig", self.config(), last)


class RankPart(StudyPart):
    """LMF against its rank, other models of like size beside it."""

    part, filename = "rank", "rank_wall.csv"

    def __init__(self, session: Session, state: SeparationState) -> None:
        super().__init__(session, state, ("wall", "sizes"))
        self.main = self.body(
            Text(
                "f = (x1 + x2)(x3 + x4) … over M scalar modalities, x uniform on [-1, 1]. Low-rank fusion (LMF) is a "
                "sum of R products of one factor a modality. (Our construction.)",
                size=14,
            ),
            self.controls,
            self.headline,
            row(
                titled("LMF: error against rank", self.figures["wall"], 380),
                titled("All models: error against size (median, range over seeds)", self.figures["sizes"], 380),
            ),
            self.limits(),
            self.take_along,
        )
        self.sidebar = [
            section(
                "Problem",
                select(self.state, "wall_modalities", margin=(12, 12, 2, 12)),
                slider(self.state, "wall_degree"),
                slider(self.state, "wall_seeds"),
            ),
            section(
                "Training",
                slider(self.state, "wall_samples", step=64),
                slider(self.state, "wall_steps", step=50),
                slider(self.state, "seed", "First seed"),
            ),
        ]

    def config(self) -> Any:
        """The study's config."""
        return self.state.rank_config()

    def work(self, config: Any) -> Iterator[Any]:
        """Everything that is trained."""
        from qfl_explore.experiments.rank_wall import stream

        importlib.import_module("scipy.stats")  # for the intervals; here, not on the server's loop
        yield from stream(config)

    def draw_items(self, items: list[Any], anew: bool) -> None:
        """Both pictures and the headline, where rows were added."""
        from qfl_explore.experiments.rank_wall import collect, means
        from qfl_explore.theory.rank_wall import needed_rank

        if not anew:
            return
        table = collect(self.current, self._items).table
        models = means(table)
        plots.put_rank_wall(self.figures["wall"], table, needed_rank(self.current.n_modalities))
        plots.put_sizes(self.figures["sizes"], models)
        self.headline.object = text.rank_sentence(self.current, models)

    def table(self) -> Any:
        """The finished rows."""
        from qfl_explore.experiments.rank_wall import collect

        return collect(self.current, self._items).table if self._items else None

    def snippet(self) -> str:
        """Python that gives the same rows."""
        last = "print(result.table.groupby(['model', 'size'])['error'].median())"
        return text.source("rank_wall", "RankWallConfig", self.config(), last)

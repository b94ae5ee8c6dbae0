"""The page Polynomial: watch a Quantum Fusion Layer learn a function, and meet the wall."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts import wording
from qfl_explore.dashboards.parts.buttons import button
from qfl_explore.dashboards.parts.layout import framed
from qfl_explore.dashboards.parts.settings import polynomial_sidebar
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.polynomial import code
from qfl_explore.dashboards.polynomial.figures import BESIDE, Figures, Picture, derive
from qfl_explore.dashboards.polynomial.own_data import OwnData
from qfl_explore.dashboards.run_page import RunPage
from qfl_explore.dashboards.runs.live import Update, message
from qfl_explore.dashboards.runs.scheduler import Wait, paced
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.plots.style import LiveFigure

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.polynomial import PolynomialConfig

WHOSE = (
    "From arXiv:2510.06938: the alternation of S(x) and U(θ), the index and value registers, Rx/Ry/Rz blocks, random "
    "Pauli-plane measurement. Our construction: these targets, the ceiling and the wall, CZ entanglers, the other "
    "signals, encodings and measurements, and the training defaults."
)
#: Seconds between two wordings of the sentence under the plot; screen readers read it out.
SENTENCE_INTERVAL = 1.0
#: The wall strip: the same target at each of these degrees.
WALL_DEGREES = range(1, 9)
MAX_WALL_QUBITS = 6
WALL_NOTE = "Right: the same target and seed, trained at each degree; values below −0.2 are drawn at the edge."


def create(session: Session) -> PolynomialPage:
    """The registry's factory."""
    return PolynomialPage(session)


def facts_and_wall(problem: Any, table: Any) -> Iterator[Any]:
    """A run for the scheduler: what is known without training, then the wall, degree by degree.

    Yields:
        ``("facts", problem, Facts)`` once, then ``("wall", points so far)``.
    """
    yield "facts", problem, wording.gather_facts(problem)
    config = problem.config.replace(backend="batched", patience=None, n_steps=min(600, problem.config.n_steps))
    if config.fusion.n_qubits > MAX_WALL_QUBITS:
        return
    yield "wall", []
    if table is not None:
        yield from wall(config, table)
    else:
        whatever_degree = config.replace(fusion=config.fusion.replace(degree=1))
        yield from shared(("wall", whatever_degree), lambda: wall(whatever_degree, None))


def wall(config: PolynomialConfig, table: Any) -> Iterator[Any]:
    """The same target trained at each degree.

    Yields:
        ``("wall", points so far)``.
    """
    from qfl_explore.experiments.polynomial import WallPoint, prepare, stream

    points = []
    for degree in WALL_DEGREES:
        deeper = prepare(config.replace(fusion=config.fusion.replace(degree=degree)), table)
        last = None
        for last in stream(deeper.config, deeper):
            if last.step % 10 == 9:
                yield Wait(0.0)  # the next run's turn
        points.append(WallPoint(degree, last.test_r2, deeper.ceiling.r2))
        yield "wall", list(points)


class PolynomialPage(RunPage):
    """One visitor's page."""

    # the first page needs no word in the link
    filename, running, most_pins = "learning_curve.csv", "training", 1

    def __init__(self, session: Session) -> None:
        check = button("Check against TensorFlow Quantum", "fact_check")
        super().__init__(session, session.polynomial, Figures(session.dark), extra=(check,))
        self.side = self.side_run(self._draw_side)
        self.check = self.side_run(self._draw_check, lasting=True, quiet=True)
        self._own = OwnData(self.state, session.notify)
        self._records: list[tuple[int, float, float]] = []
        self._tests: dict[int, float] = {}
        self._table: Any = None
        self._problem: Any = None
        self._facts: wording.Facts | None = None
        self._picture: Picture | None = None
        self._is_new = True
        self._say_again = 0.0
        self.sizes = Text("", size=13)
        self.wall_note = Text("", size=12)
        self.check_text = Text("", size=13, live=True)
        check.on_click(lambda _: self._start_check())
        pictures = (self.figures.top, self.headline, self.figures.bottom, self.wall_note, self.sizes)
        about = (self.take_along, self.check_text, Text(WHOSE, size=12, margin=(8, 10)))
        self.main = self.body(self.controls, *pictures, *about)
        self.sidebar = polynomial_sidebar(self.state, self._own.widgets)

    def config(self) -> PolynomialConfig:
        """The experiment's config; a table that is asked for has to be there."""
        self._own.table_for(self.state)
        return self.state.polynomial_config()

    def snippet(self) -> str:
        """Python source of the present settings."""
        return code.snippet(self.state.polynomial_config())

    def table(self) -> pd.DataFrame | None:
        """The learning curve."""
        return code.history_table(self._records, self._tests) if self._records else None

    def set_dark(self, dark: bool) -> None:
        """Recolours the pictures, those to come too."""
        self.figures.set_dark(dark)

    def pinned_figures(self) -> list[LiveFigure] | None:
        """What is kept as copies; curve and learning curve have the pinned run in them."""
        if self._picture is None:
            return None
        beside = [self.figures[key] for key in BESIDE if key in self.figures]
        return [figure for figure in framed(beside, self.main) if not figure.is_empty]

    def overlay(self, pinned: bool) -> None:
        """The pinned run in the curve and the learning curve."""
        if pinned:
            self.figures.pin()
        else:
            self.figures.unpin()

    # in a worker

    def work(self, config: PolynomialConfig) -> Iterator[Any]:
        """Prepares, then streams frames at the visitor's pace."""
        from qfl_explore.experiments.polynomial import prepare, stream

        table = self._table

        def frames() -> Iterator[Any]:
            problem = prepare(config, table)
            return (dataclasses.replace(frame, state=None) for frame in stream(problem.config, problem))

        run = shared(("polynomial", config), frames) if table is None else frames()
        yield from paced(run, lambda: self.state.pace)

    def record(self, item: Any) -> tuple[int, float, float]:
        """A point of the learning curve."""
        return item.step, item.loss, item.train_r2

    def derive(self, item: Any) -> Picture:
        """What is drawn of a frame."""
        return derive(item)

    # what the runs bring, on the server's loop

    def starting(self, config: PolynomialConfig) -> None:
        """The wall of the old settings ends."""
        self.side.cancel()
        self._table = self._own.table_for(self.state)

    def begin(self) -> None:
        """The old run stays in sight until there is a picture of the new one."""
        self._is_new = True

    def draw(self, update: Update) -> None:
        """Learning curve, prediction and sentence."""
        if self._is_new and update.picture is not None:
            self._is_new = False
            self._begin(update.picture.problem)
        if not self._is_new:
            self._records += update.items
            self.figures.extend(update.items)
        if update.picture is not None:
            self._picture = update.picture
            self._tests[update.picture.step] = update.picture.test_r2
            self.figures.draw(update.picture)
        self._say(finished=update.state == "done")

    def _begin(self, problem: Any) -> None:
        self._records, self._tests = [], {}
        known = self._problem is not None and problem.config == self._problem.config and self._table is None
        self._problem = problem
        self.figures.begin(problem, problem.config.n_steps)
        self._describe(problem)
        if known and self._facts is not None:
            self.figures.state_facts(problem, self._facts, problem.config.n_steps)
        else:
            self._facts = None
        table = self._table
        self.side.start(lambda: facts_and_wall(problem, table))

    def where(self, update: Update) -> str:
        """Steps of the budget."""
        return f"step {self._records[-1][0] if self._records else 0} of {self._budget}"

    def fraction(self) -> float:
        """Steps that are done, of the budget."""
        return self._records[-1][0] / max(1, self._budget) if self._records else 0.0

    @property
    def _budget(self) -> int:
        return self._problem.config.n_steps if self._problem else 1

    def _describe(self, problem: Any) -> None:
        fusion = problem.config.fusion
        texts = [
            f"{fusion.n_qubits} qubit{'s' if fusion.n_qubits > 1 else ''}",
            f"{problem.n_parameters} parameters",
            f"{problem.n_reachable} reachable frequencies",
            f"{len(problem.x_train)} training and {len(problem.x_test)} test points",
            f"seed {problem.config.seed}",
        ]
        notes = (self.figures.note, problem.coefficients_note, wording.spectrum_note(problem.frequencies))
        texts += [note for note in notes if note]
        self.sizes.object = " · ".join(texts)

    def _say(self, finished: bool) -> None:
        now = time.monotonic()
        if self._facts is None or self._picture is None or (now < self._say_again and not finished):
            return
        self._say_again = now + SENTENCE_INTERVAL
        step, test = self._picture.step, self._picture.test_r2
        self.headline.object = " ".join(
            (
                wording.reach_sentence(self._facts),
                wording.result_sentence(self._facts, self._picture.train_r2, test, step, finished),
            )
        )

    def _draw_side(self, update: Update) -> None:
        degree = self.state.degree
        for item in update.items:
            if item[0] == "facts":
                _, problem, self._facts = item
                self.figures.state_facts(problem, self._facts, problem.config.n_steps)
                too_large = problem.config.fusion.n_qubits > MAX_WALL_QUBITS
                self.figures.draw_wall([], degree)
                self._say_again = 0.0
                self._say(finished=self.run.state == "done")
                self.wall_note.object = (
                    f"The wall strip is computed for up to {MAX_WALL_QUBITS} qubits." if too_large else WALL_NOTE
                )
            else:
                self.figures.draw_wall(item[1], degree)

    def _draw_check(self, update: Update) -> None:
        if update.items or update.error:
            self.check_text.object = update.error or update.items[-1]

    # what the buttons do

    def _start_check(self) -> None:
        try:
            config = self.state.polynomial_config()
        except (ValueError, TypeError) as error:
            self.session.notify(message(error), "error")
            return
        self.check.start(lambda: code.compare_with_tfq(config))

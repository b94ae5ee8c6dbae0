"""The page Polynomial: watch a Quantum Fusion Layer learn a function, and meet the wall."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards import export, wording
from qfl_explore.dashboards.controls import RunControls
from qfl_explore.dashboards.live import RunHandle, Update, message, when_loaded
from qfl_explore.dashboards.own_data import OwnData
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.polynomial_figures import Figures, Picture, derive
from qfl_explore.dashboards.scheduler import Wait, paced
from qfl_explore.dashboards.settings import code_block, copy_button, polynomial_sidebar
from qfl_explore.dashboards.state import PolynomialState
from qfl_explore.dashboards.text import Text

WHOSE = (
    "From arXiv:2510.06938: the alternation of S(x) and U(θ), the index and value registers, Rx/Ry/Rz blocks, random "
    "Pauli-plane measurement. Our construction: these targets, the ceiling and the wall, CZ entanglers, the other "
    "signals, encodings and measurements, and the training defaults."
)
#: What restarts a run when it changes; the pace does not.
RESTARTS = tuple(PolynomialState.URL)
#: Seconds between two wordings of the sentence under the plot; screen readers read it out.
SENTENCE_INTERVAL = 1.0
#: The wall strip: the same target at each of these degrees.
WALL_DEGREES = range(1, 9)
MAX_WALL_QUBITS = 6
_walls: dict[str, list[Any]] = {}
_walls_lock = threading.Lock()


def create(session: Session) -> PolynomialPage:
    """The registry's factory."""
    return PolynomialPage(session)


def training(make_problem: Callable[[], Any], state: PolynomialState) -> Iterator[Any]:
    """A run for the scheduler: prepares, then streams frames at the visitor's pace."""
    from qfl_explore.experiments.polynomial import stream

    problem = make_problem()
    yield from paced(stream(problem.config, problem), lambda: state.pace)


def facts_and_wall(problem: Any, table: Any) -> Iterator[Any]:
    """A run for the scheduler: what is known without training, then the wall, degree by degree.

    Yields:
        ``("facts", problem, Facts)`` once, then ``("wall", points so far)``.
    """
    from qfl_explore.experiments.polynomial import WallPoint, prepare, stream

    yield "facts", problem, wording.gather_facts(problem)
    config = problem.config.replace(backend="batched", patience=None, n_steps=min(600, problem.config.n_steps))
    if config.fusion.n_qubits > MAX_WALL_QUBITS:
        return
    key = config.replace(fusion=config.fusion.replace(degree=1)).run_id
    with _walls_lock:
        points = list(_walls.get(key, [])) if table is None else []
    yield "wall", list(points)
    for degree in WALL_DEGREES[len(points) :]:
        deeper = prepare(config.replace(fusion=config.fusion.replace(degree=degree)), table)
        last = None
        for last in stream(deeper.config, deeper):
            if last.step % 10 == 9:
                yield Wait(0.0)  # the next run's turn
        points.append(WallPoint(degree, last.test_r2, deeper.ceiling.r2))
        with _walls_lock:
            if table is None:
                _walls[key] = list(points)
                while len(_walls) > 200:
                    _walls.pop(next(iter(_walls)))
        yield "wall", list(points)


class PolynomialPage:
    """One visitor's page; see `pages.View` for what the app expects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = session.polynomial
        document = pn.state.curdoc
        self.figures = Figures(session.dark)
        self.run = RunHandle(
            self._update, record=lambda f: (f.step, f.loss, f.train_r2), derive=derive, document=document
        )
        self.side = RunHandle(self._update_side, document=document)
        self.check = RunHandle(self._update_check, document=document)
        self.controls = RunControls(self.run, self.start, self.new_seed)
        self._own = OwnData(self.state, session.notify)
        self._records: list[tuple[int, float, float]] = []
        self._tests: dict[int, float] = {}
        self._problem: Any = None
        self._facts: wording.Facts | None = None
        self._drawn_run = -1
        self._say_again = 0.0
        self._picture: Picture | None = None
        self._build()
        self.state.param.watch(self._changed, list(RESTARTS))
        session.param.watch(lambda event: self.figures.set_dark(event.new), "dark")

    def _build(self) -> None:
        self.headline = Text("", size=15, weight=500, live=True, margin=(4, 10, 8, 10))
        self.sizes = Text("", size=13)
        self.pinned = Text("", size=13, visible=False, margin=(4, 4), sizing_mode=None)
        self.wall_note = Text("", size=12)
        self.sidebar = polynomial_sidebar(self.state, self._own.widgets, self.session.notify)
        self.main = [
            pmui.Column(
                self.controls,
                self.figures.top,
                self.headline,
                self.figures.bottom,
                self.wall_note,
                self.sizes,
                self._take_along(),
                Text(WHOSE, size=12, margin=(8, 10)),
                margin=(8, 12),
            )
        ]

    def _take_along(self) -> pmui.FlexBox:
        pin = pmui.Button(label="Pin this run", icon="push_pin", variant="outlined", size="small", margin=0)
        unpin = pmui.Button(label="Unpin", icon="close", variant="text", size="small", margin=0)
        pin.on_click(lambda _: self._pin())
        unpin.on_click(lambda _: self._unpin())
        csv = pmui.FileDownload(
            callback=self._csv, filename="learning_curve.csv", label="Download CSV", size="small", margin=0, embed=False
        )
        csv.variant = "outlined"  # as an argument it clashes with the widget's own button_style
        code = pmui.Button(label="Copy as Python", icon="code", variant="outlined", size="small", margin=0)
        share = pmui.Button(label="Link to this state", icon="link", variant="outlined", size="small", margin=0)
        check = pmui.Button(
            label="Check against TensorFlow Quantum", icon="fact_check", variant="outlined", size="small", margin=0
        )
        self.drawer = pmui.Column(visible=False, sizing_mode="stretch_width")
        self.check_text = Text("", size=13, live=True)
        code.on_click(lambda _: self._show_code())
        share.on_click(lambda _: self._show_link())
        check.on_click(lambda _: self._start_check())
        buttons = pmui.FlexBox(pin, unpin, self.pinned, csv, code, share, check, gap="8px", align_items="center")
        return pmui.Column(buttons, self.check_text, self.drawer, sizing_mode="stretch_width", margin=(8, 10))

    # what the app calls

    def query(self) -> dict[str, str]:
        """The state as URL words."""
        return self.state.to_query()

    def show(self) -> None:
        """Starts, or goes on where the visitor left."""
        if self.run.state == "paused":
            self.run.resume()
        elif self.run.state == "idle":
            when_loaded(self.start)

    def hide(self) -> None:
        """Pauses while another page is open."""
        self.run.pause()

    def close(self) -> None:
        """The session ended."""
        for handle in (self.run, self.side, self.check):
            handle.close()

    # what the visitor does

    def start(self) -> None:
        """Cancels the current run and begins one with the present settings."""
        try:
            table = self._own.table_for(self.state)
            config = self.state.polynomial_config()
        except (ValueError, TypeError, ImportError) as error:
            self._refuse(message(error))
            return
        self.session.settle()
        self.side.cancel()

        def make_problem() -> Any:
            from qfl_explore.experiments.polynomial import prepare

            return prepare(config, table)

        self._table = table
        self.run.start(lambda: training(make_problem, self.state))

    def new_seed(self) -> None:
        """The next seed; the change restarts the run."""
        self.state.seed = (self.state.seed + 1) % 10_000

    def _changed(self, *events: Any) -> None:
        self.start()

    def _refuse(self, text: str) -> None:
        self.run.cancel()
        self.side.cancel()
        self.session.notify(text, "error")
        self.controls.show(Update(0, [], None, "failed", 0, text), "")

    # what the runs bring, on the server's loop

    def _update(self, update: Update) -> None:
        if update.error:
            self.session.notify(update.error, "error")
        if update.picture is not None and update.run != self._drawn_run:
            self._begin(update)
        if update.run == self._drawn_run:
            self._records += update.items
            self.figures.extend(update.items)
            if update.picture is not None:
                self._draw(update.picture)
        step = self._records[-1][0] if self._records else 0
        budget = self._problem.config.n_steps if self._problem else 1
        self.controls.show(update, f"step {step} of {budget}", step / max(1, budget))
        self._say(finished=update.state == "done")

    def _begin(self, update: Update) -> None:
        self._drawn_run, self._records, self._tests = update.run, [], {}
        problem = update.picture.problem
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

    def _draw(self, picture: Picture) -> None:
        self._picture = picture
        self._tests[picture.step] = picture.test_r2
        self.figures.draw(picture)

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

    def _update_side(self, update: Update) -> None:
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
                    f"The wall strip is computed for up to {MAX_WALL_QUBITS} qubits."
                    if too_large
                    else "The same target and seed, trained at each degree; values below −0.2 are drawn at the edge."
                )
            else:
                self.figures.draw_wall(item[1], degree)
        if update.error:
            self.session.notify(update.error, "error")

    def _update_check(self, update: Update) -> None:
        if update.items or update.error:
            self.check_text.object = update.error or update.items[-1]

    # taking things along

    def _pin(self) -> None:
        if self.figures.pin():
            fusion = self._problem.config.fusion
            test = wording.number(self._picture.test_r2)
            self.pinned.object = f"pinned: P = {fusion.degree}, {self._problem.label}, test R² = {test}"
            self.pinned.visible = True

    def _unpin(self) -> None:
        self.figures.unpin()
        self.pinned.visible = False

    def _csv(self) -> Any:
        import io

        return io.StringIO(export.history_csv(self._records, self._tests))

    def _show_code(self) -> None:
        try:
            self._show(code_block(export.snippet(self.state.polynomial_config())))
        except (ValueError, TypeError) as error:
            self.session.notify(message(error), "error")

    def _show_link(self) -> None:
        location = pn.state.location
        base = f"{location.href.split('?')[0].split('#')[0]}" if location and location.href else "/app"
        address = export.link(base, self.query())
        box = pmui.TextInput(label="Link to this state", value=address, sizing_mode="stretch_width")
        self._show(pn.Row(box, copy_button(address), sizing_mode="stretch_width"))

    def _show(self, item: Any) -> None:
        self.drawer[:] = [item]
        self.drawer.visible = True

    def _start_check(self) -> None:
        try:
            config = self.state.polynomial_config()
        except (ValueError, TypeError) as error:
            self.session.notify(message(error), "error")
            return
        self.check.start(lambda: export.compare_with_tfq(config))

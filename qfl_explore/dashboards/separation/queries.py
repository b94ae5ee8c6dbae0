"""The part Six queries: the joint protocol beside the best separable strategy, and its way on the Bloch sphere."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import cirq
import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.buttons import button
from qfl_explore.dashboards.parts.layout import prose, row, save_buttons, titled
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.settings import section, select, slider
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.scheduler import Wait
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.dashboards.separation import text
from qfl_explore.dashboards.separation.part import Part
from qfl_explore.dashboards.separation.state import SeparationState
from qfl_explore.plots import separation as plots
from qfl_explore.plots.layers import put
from qfl_explore.plots.style import Spares

SPARES = Spares(
    {
        "separation ladder": plots.live_ladder,
        "separation equal": plots.live_sphere,
        "separation different": plots.live_sphere,
    }
)
CASES = {"equal": "Δ = 0: equal", "different": "Δ = δ: different"}
#: Above so many operations only the first round is drawn.
MAX_DRAWN = 60
ENGINE_ORDER = ("cirq", "batched", "qsim", "tfq")


class QueriesPart(Part):
    """Query ladders, Bloch spheres, circuit, engines, proof."""

    part, filename = "queries", "query_ladder.csv"

    def __init__(self, session: Session, state: SeparationState) -> None:
        super().__init__(session, state, {name: SPARES.take(f"separation {name}") for name in ("ladder", *CASES)})
        self.walk = self.side_run(self._walked)
        self.check = self.side_run(self._checked)
        self._rows: list[dict[str, Any]] = []
        self._paths: dict[str, Any] = {}
        self._build()
        self.state.param.watch(lambda _: self.start_walk(), "base_degrees")

    def _build(self) -> None:
        self.problem = Text(text.problem(self.state.n_oracles), size=14)
        self.counting = Text("", size=13)
        self.caption = Text("", size=13, live=True)
        self.drawing = pn.pane.HTML("", sizing_mode="stretch_width", margin=(4, 12))
        self.drawn = Text("", size=12)
        self.engines = pn.pane.HTML("", stylesheets=[text.TABLE_STYLE], margin=(4, 12), sizing_mode="stretch_width")
        self.step = pmui.IntSlider(label="Step", start=0, end=12, value=12, margin=(6, 16), sizing_mode="stretch_width")
        control(self.state, "step", self.step)
        self.step.param.watch(lambda event: self._stepped(event.new), "value")
        compare = button("Run on every engine", "fact_check")
        compare.on_click(lambda _: self.start_check())
        spheres = pmui.Column(
            Text("The value qubit, step by step", size=14, weight=600),
            row(*(titled(title, self.figures[case], 270, fixed=True) for case, title in CASES.items())),
            self.step,
            self.caption,
            styles={"flex": f"0 1 {px(580)}"},
        )
        proof = prose(text.PROOF)
        self.main = self.body(
            self.problem,
            self.bar.alone(),
            self.pins.box,
            self.headline,
            row(titled("Success against queries", self.figures["ladder"], 360), spheres),
            self.counting,
            self.limits(),
            section("The circuit", self.drawn, self.drawing, compare, self.engines),
            section("The proof", proof, collapsed=True),
            self.take_along,
        )
        self.sidebar = [
            section(
                "Problem",
                slider(self.state, "n_oracles"),
                slider(self.state, "delta_degrees"),
                select(self.state, "readout"),
            ),
            section(
                "Run",
                slider(self.state, "n_trials", step=100),
                slider(self.state, "seed", "Seed"),
                select(self.state, "backend"),
                collapsed=True,
            ),
            section("Picture", slider(self.state, "base_degrees")),
        ]

    def config(self) -> Any:
        """The ladder's config."""
        return self.state.queries_config()

    def work(self, config: Any) -> Iterator[Any]:
        """Rungs, one by one."""
        from qfl_explore.experiments.separation import stream

        if config.backend == "tfq":
            yield Wait(0.2)
        yield from shared(("separation queries", config), lambda: stream(config))

    def starting(self, config: Any) -> None:
        """The picture of the circuit anew; the engines' answers were for the old one."""
        self.engines.object = ""
        self.check.cancel()
        self.start_walk()

    def begin(self) -> None:
        """Forgets the rungs."""
        self._rows = []

    def draw(self, update: Update) -> None:
        """Draws the rungs so far."""
        from qfl_explore.experiments.separation import collect

        self._rows += update.items
        config = self.current
        result = collect(config, self._rows)
        most = max(config.separable_rungs, config.n_rounds) * config.n_oracles
        plots.put_ladder(self.figures["ladder"], result.table, most)
        self.headline.object = text.queries_sentence(config, result.summary())
        self.counting.object = text.formula_sentence(config)
        self.problem.object = text.problem(config.n_oracles)

    def table(self) -> Any:
        """The rungs so far."""
        from qfl_explore.experiments.separation import collect

        return collect(self.current, self._rows).table if self._rows else None

    def snippet(self) -> str:
        """Python that gives the same ladders."""
        return text.source("separation", "SeparationConfig", self.config())

    # the way on the sphere, and the circuit's drawing

    def start_walk(self) -> None:
        """Computes the way anew."""
        try:
            config = self.config()
        except (ValueError, TypeError):
            return  # `start` says what is wrong
        base, readout = math.radians(self.state.base_degrees), config.readout
        self.walk.start(lambda: walk(config.n_oracles, config.delta, base, config.seed, readout))

    def _walked(self, update: Update) -> None:
        for kind, *rest in update.items:
            if kind == "paths":
                (self._paths,) = rest
                last = int(self._paths["equal"]["step"].max())
                step = last if self.state.step < 0 else min(self.state.step, last)
                if (last, step) != (self.step.end, self.step.value):
                    self.step.param.update(end=last, value=step)
                self._draw_walk()
            else:
                self.drawing.object, self.drawn.object = rest

    def _stepped(self, step: int) -> None:
        self.state.step = step if step < self.step.end else -1
        self._draw_walk()

    def _draw_walk(self) -> None:
        if not self._paths:
            return
        step = min(self.step.value, self.step.end)
        for case in CASES:
            put(self.figures[case], plots.SPHERE, plots.sphere_columns(self._paths[case], step))
        now = self._paths["equal"].set_index("step").loc[step]
        z = [self._paths[case].set_index("step").loc[step, "z"] for case in CASES]
        self.caption.object = (
            f"Step {step} of {self.step.end}: {now['label']}. Queries so far: {now['n_queries']}. Probability of the "
            f"outcome 0 now: {(1 + z[0]) / 2:.3f} if equal, {(1 + z[1]) / 2:.3f} if different."
        )

    # every engine

    def start_check(self) -> None:
        """The circuit on every engine."""
        try:
            config = self.config()
        except (ValueError, TypeError):
            return
        self._engine_rows: list[dict[str, Any]] = []
        self.engines.object = "Running …"
        self.check.start(lambda: every_engine(config.n_oracles, config.delta, config.readout, config.seed))

    def _checked(self, update: Update) -> None:
        self._engine_rows += update.items
        if update.items:
            self.engines.object = text.engines_html(self._engine_rows)


def walk(n_oracles: int, delta: float, base: float, seed: int, readout: str) -> Iterator[Any]:
    """A run for the scheduler: ``("paths", {case: path})``, then ``("drawing", svg, sentence)``."""
    from qfl_explore.experiments.separation import bloch_path, example_angles, protocol

    circuit = protocol(n_oracles, delta, None, readout)
    angles = [example_angles(n_oracles, delta, label, base, seed) for label in (0, 1)]
    paths = {case: bloch_path(circuit, theta) for case, theta in zip(CASES, angles, strict=True)}
    yield "paths", paths
    yield "drawing", *drawing(circuit)


def drawing(circuit: Any) -> tuple[str, str]:
    """The protocol's circuit as SVG, and what it shows."""
    from qfl_explore.dashboards.parts.diagram import svg_of

    operations = [operation for step in circuit.steps for operation in step.operations]
    n_all = len(operations)
    steps = circuit.steps
    if n_all > MAX_DRAWN:
        ends = [k for k, step in enumerate(steps) if step.is_query][circuit.n_oracles : circuit.n_oracles + 1]
        steps = steps[: ends[0]] if ends else steps
    names = [f"index {i}" for i in range(circuit.n_qubits - 1)] + ["value"]
    wires = {qubit: cirq.NamedQubit(name) for qubit, name in zip(circuit.qubits, names, strict=True)}
    shown = [_looks(operation, circuit, wires) for step in steps for operation in step.operations]
    part = "" if len(shown) == n_all else f" The first {len(shown)} are drawn, one round."
    said = (
        f"{circuit.n_queries} calls of S = Σ |m⟩⟨m| ⊗ exp(iθₘX) on {circuit.n_qubits} qubits, {n_all} operations: "
        f"A, B, … are the oracles, each controlled by its own index.{part}"
    )
    return _scaled(svg_of(cirq.Circuit(shown))), said


def _scaled(svg: str) -> str:
    """A drawing that shrinks to the page's width, to two thirds at most; then it scrolls."""
    width, height = (float(re.search(rf'{name}="([0-9.]+)"', svg)[1]) for name in ("width", "height"))
    size = f'viewBox="0 0 {width} {height}" style="width:100%;min-width:{0.66 * width:.0f}px;max-width:{width:.0f}px;'
    whole = re.sub(
        r'<svg ([^>]*?) width="[0-9.]+" height="[0-9.]+" style="', rf"<svg \1 {size}height:auto;", svg, count=1
    )
    saving = f'<div style="text-align:right;min-height:24px">{save_buttons("protocol circuit")}</div>'
    return f'{saving}<div style="overflow-x:auto" tabindex="0">{whole}</div>'


class _Look(cirq.Gate):
    """A gate that only knows its symbols."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self._symbols = symbols

    def _num_qubits_(self) -> int:
        return len(self._symbols)

    def _circuit_diagram_info_(self, args: cirq.CircuitDiagramInfoArgs) -> cirq.CircuitDiagramInfo:
        return cirq.CircuitDiagramInfo(wire_symbols=self._symbols)


def _looks(operation: cirq.Operation, circuit: Any, wires: dict[Any, Any]) -> cirq.Operation:
    names = cirq.parameter_names(operation)
    qubits = [wires[qubit] for qubit in operation.qubits]
    if not names:
        return operation.gate.on(*qubits)
    from qfl_explore.circuits.discrimination import oracle_name

    number = [symbol.name for symbol in circuit.symbols].index(names.pop())
    values = next(iter(operation.control_values.expand()))
    return _Look((*("@" if value else "(0)" for value in values), oracle_name(number))).on(*qubits)


def every_engine(n_oracles: int, delta: float, readout: str, seed: int) -> Iterator[Any]:
    """A run for the scheduler: one row an engine; an engine that is missing says so."""
    from qfl_explore.experiments.separation import on_engine, protocol

    circuit = protocol(n_oracles, delta, None, readout)
    for engine in ENGINE_ORDER:
        if engine == "tfq":
            yield Wait(0.3)  # so that the rows before it are seen while TensorFlow loads
        try:
            found = on_engine(engine, circuit, delta, seed)
            yield {**found, "note": f"differs by up to {found['spread']:.0e} between bases"}
        except ImportError as error:
            yield {"engine": engine, "error": True, "note": str(error)}

"""The part Polynomials: a typed polynomial as a signal processing sequence, and Boolean two-oracle sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import row, titled
from qfl_explore.dashboards.parts.settings import line, section, select, switch
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.scheduler import Wait
from qfl_explore.dashboards.separation import text
from qfl_explore.dashboards.separation.part import Part
from qfl_explore.dashboards.separation.state import SeparationState
from qfl_explore.plots import separation_learn as plots
from qfl_explore.plots.style import Spares

SPARES = Spares({"separation response": plots.live_response, "separation phases": plots.live_phases})
INTRO = (
    "Type a polynomial in x. pyqsp finds the phases; between them the circuit calls the signal exp(iθX) with a = "
    "cos θ. A Hadamard test reads Im⟨0|U|0⟩, which should be your polynomial at a."
)
EXAMPLES = ("0.9*T(5, x)", "0.5*x^3 - 0.2*x", "x^2", "cos(4*x)", "exp(x)/3", "0.95*T(20, x)")


class SignalPart(Part):
    """Response, phases, and the Boolean table."""

    part, filename = "signal", "response.csv"

    def __init__(self, session: Session, state: SeparationState) -> None:
        super().__init__(session, state, {name: SPARES.take(f"separation {name}") for name in ("response", "phases")})
        self.boolean = pn.pane.HTML("", stylesheets=[text.TABLE_STYLE], margin=(8, 12), sizing_mode="stretch_width")
        self.status = Text("", size=13, live=True)
        self._result: Any = None
        self.main = self.body(
            Text(INTRO, size=14),
            self.bar.alone(),
            self.pins.box,
            self.headline,
            self.status,
            row(
                titled("Response against the signal", self.figures["response"], 380),
                titled("Phases", self.figures["phases"], 300),
            ),
            self.limits(),
            section("Two oracles: XOR, OR, AND (M-QSP, our construction)", self.boolean),
            self.take_along,
        )
        entry = line(self.state, "polynomial", margin=(12, 12, 4, 12))
        examples = pmui.Select(
            label="Example",
            options=["—", *EXAMPLES],
            value="—",
            size="small",
            margin=(10, 12),
            sizing_mode="stretch_width",
        )
        examples.param.watch(self._example, "value")
        self.sidebar = [
            section(
                "Polynomial",
                entry,
                Text("Powers x^3, Chebyshev T(5, x), +, -, *, cos, exp …; degree up to 60.", size=12),
                examples,
                switch(self.state, "scale"),
                select(self.state, "signal_engine", margin=(12, 12)),
            )
        ]

    def _example(self, event: Any) -> None:
        if event.new in EXAMPLES:
            self.state.polynomial = event.new
            event.obj.value = "—"

    def config(self) -> Any:
        """The part's config."""
        return self.state.signal_config()

    def work(self, config: Any) -> Iterator[Any]:
        """On the batched engine at once, then on the chosen one."""
        from qfl_explore.experiments.signal_processing import boolean_table, run

        yield "result", run(config.replace(backend="batched"))
        yield "boolean", boolean_table()
        if config.backend != "batched":
            if config.backend == "tfq":
                yield "note", "Loading TensorFlow Quantum (some ten seconds the first time); until then: batched."
                yield Wait(0.3)  # so that the sentence is seen before the import
            yield "result", run(config)
        yield "note", ""

    def begin(self) -> None:
        """Forgets the result."""
        self._result = None
        self.status.object = ""

    def draw(self, update: Update) -> None:
        """Draws what came."""
        for kind, value in update.items:
            if kind == "note":
                self.status.object = value
            elif kind == "boolean":
                self.boolean.object = text.boolean_html(value)
            else:
                self._draw_result(value)
        if update.error:
            self.status.object = update.error

    def _draw_result(self, result: Any) -> None:
        self._result = result
        grid = np.linspace(-1.0, 1.0, 301)
        fine = np.polynomial.chebyshev.chebval(grid, result.factor * result.coefficients)
        plots.put_response(self.figures["response"], result.table, (grid, fine))
        plots.put_phases(self.figures["phases"], result.phases())
        self.headline.object = text.signal_sentence(result.summary())

    def table(self) -> Any:
        """The response curve."""
        return self._result.table if self._result is not None else None

    def snippet(self) -> str:
        """Python that gives the same response."""
        return text.source("signal_processing", "SignalConfig", self.config())

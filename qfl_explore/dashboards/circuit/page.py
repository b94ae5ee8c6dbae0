"""The page Circuit: what the current settings build, and what it costs as modalities grow."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from qfl_explore.config import FusionConfig
from qfl_explore.dashboards.circuit.qsim import QSimPart
from qfl_explore.dashboards.circuit.qsim_state import QSimState
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.compare import Pins, Present
from qfl_explore.dashboards.parts.desk import Bar, settings_words
from qfl_explore.dashboards.parts.diagram import diagrams, slot_rows
from qfl_explore.dashboards.parts.history import history_of
from qfl_explore.dashboards.parts.layout import basis, framed, row, save_buttons, wrapping
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.settings import circuit_section, section, slider
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.parts.wording import grouped
from qfl_explore.dashboards.run_page import from_link
from qfl_explore.dashboards.runs.live import RunHandle, Update, message, when_loaded
from qfl_explore.dashboards.share.code import config_lines
from qfl_explore.dashboards.share.take_along import TakeAlong
from qfl_explore.dashboards.share.views import views_of
from qfl_explore.dashboards.state import CircuitState
from qfl_explore.plots import circuit as pictures
from qfl_explore.plots.style import LiveFigure, Spares
from qfl_explore.theory import counts
from qfl_explore.theory.spectrum import count_frequencies, reachable_frequencies

MODALITIES = (1, 2, 3, 5, 8, 12, 20, 50, 100, 207)
LMF_RANK, MLP_HIDDEN = 4, 32
#: Larger counts of TFN are left out of the picture, so that the others can be told apart.
DRAWN_TO = 1e7
EFFICIENT, PER_FEATURE = "QFL", "QFL per feature"
CHARTS = {
    "parameters": "trainable parameters (count)",
    "qubits": "qubits (count)",
    "gates": "one- and two-qubit gates (count)",
}


def count_table(config: FusionConfig) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """For each chart and model: M and counts, with everything but M as in the config."""
    table: dict[str, dict[str, tuple[list[int], list[float]]]] = {name: {} for name in CHARTS}
    for label, encoding in ((EFFICIENT, "qubit_efficient"), (PER_FEATURE, "qubit_per_feature")):
        measurement = "pauli" if config.measurement == "all_pauli" else config.measurement
        found = []
        for modalities in MODALITIES:
            try:
                same = config.replace(n_modalities=modalities, encoding=encoding, measurement=measurement)
                found.append((modalities, counts.circuit_counts(same)))
            except ValueError:  # beyond 30 qubits
                break
        for chart, attribute in (("parameters", "n_parameters"), ("qubits", "n_qubits"), ("gates", "n_gates")):
            table[chart][label] = [m for m, _ in found], [getattr(c, attribute) for _, c in found]
    d = config.feature_dim
    tensor = [(m, counts.tensor_parameters(m, d)) for m in MODALITIES]
    table["parameters"] |= {
        "LMF": (list(MODALITIES), [counts.low_rank_parameters(m, d, LMF_RANK) for m in MODALITIES]),
        "TFN": ([m for m, n in tensor if n <= DRAWN_TO], [n for _, n in tensor if n <= DRAWN_TO]),
        "MLP": (list(MODALITIES), [counts.perceptron_parameters(m, d, MLP_HIDDEN) for m in MODALITIES]),
    }
    return table


def _chart(name: str) -> LiveFigure:
    return pictures.live_counts_plot(count_table(FusionConfig())[name], CHARTS[name])


SPARES = Spares(
    {name: functools.partial(_chart, name) for name in CHARTS} | {"support": pictures.live_spectrum_support}
)


def create(session: Session) -> CircuitPage:
    """The registry's factory."""
    return CircuitPage(session, session.polynomial)


#: Tables in the page's own colours, light or dark.
TABLE_STYLE = f"""
table {{ border-collapse: collapse; border: 0; color: inherit; font-size: {px(13)}; }}
th, td {{ border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.45); padding: 4px 14px 4px 0; text-align: left; }}
th {{ font-weight: 600; }}
"""


class CircuitPage:
    """One visitor's page; see `pages.View` for what the app expects."""

    def __init__(self, session: Session, state: CircuitState) -> None:
        self.session, self.state = session, state
        self.figures = {name: SPARES.take(name) for name in (*CHARTS, "support")}
        self._dark(session.dark)
        self._drawn: FusionConfig | None = None
        self._visible = False
        self.drawing = RunHandle(self._update_drawing, document=pn.state.curdoc)
        self.qsim = QSimPart(pn.state.curdoc, from_link(session, "circuit", QSimState()))
        self.states = (state, self.qsim.state)
        self.headline = Text("", size=15, weight=500, live=True, margin=(4, 10))
        self.note = Text("", size=13, margin=(4, 10))
        self.diagram = pn.Column(sizing_mode="stretch_width")
        self.slots = pn.pane.Markdown("", sizing_mode="stretch_width", margin=(0, 10), stylesheets=[TABLE_STYLE])
        self.support_note = Text("", size=13)
        self.support = wrapping(self.figures["support"])
        self.pins = Pins(
            *(state, self._present, self._pinned_figures, session.notify, session.dark, pn.state.curdoc),
            judge=lambda *_: "Counted exactly: nothing here is drawn at random or trained.",
        )
        self.bar = Bar(state, history_of(state), {"pin": self.pins.pin}, "circuit")
        self.sidebar = [section("Degree", slider(state, "degree", "Degree P")), circuit_section(state)]
        self.take_along = TakeAlong(
            table=self.table,
            filename="circuit_counts.csv",
            snippet=self.snippet,
            query=lambda: session.link_words("circuit", self.query()),
            notify=session.notify,
            more=views_of(session),
        )
        self.main = [pmui.Column(*self._layout(), margin=(8, 12), sizing_mode="stretch_width")]
        state.param.watch(lambda *_: self._draw(), list(CircuitState.URL))
        session.param.watch(lambda event: self._dark(event.new), "dark")

    def _layout(self) -> list[Any]:
        charts = row(*(wrapping(self.figures[name], 290) for name in CHARTS))
        half: dict[str, Any] = {
            "sizing_mode": "stretch_width",
            "styles": {"flex": f"1 1 {basis(340)}", "min-width": "340px"},
        }
        registers = pn.Column(_title("Registers"), self.slots, **half)
        support = pn.Column(_title("Reachable frequencies"), self.support, self.support_note, **half)
        lmf = (
            "Everything but M as chosen; QFL is the qubit-efficient encoding, QFL per feature takes a qubit for each. "
            f"LMF has rank R = {LMF_RANK}, the MLP one hidden layer of {MLP_HIDDEN}, all of them one output; "
            f"TFN is drawn to {grouped(int(DRAWN_TO))} parameters. Circuits stop at 30 qubits."
        )
        return [
            self.bar.alone(),
            self.pins.box,
            self.headline,
            self.diagram,
            row(registers, support),
            _title("Counts against the number of modalities"),
            charts,
            Text(lmf, size=12),
            self.note,
            self.take_along,
            self.qsim,
        ]

    def _dark(self, dark: bool) -> None:
        for figure in self.figures.values():
            figure.set_dark(dark)
        if hasattr(self, "pins"):
            self.pins.set_dark(dark)

    def _present(self) -> Present:
        settings = {name: getattr(self.state, name) for name in CircuitState.URL}
        return Present(settings, self.headline.object, "", "done")

    def _pinned_figures(self) -> list[LiveFigure] | None:
        return framed(self.figures.values(), self.main) if self._drawn is not None else None

    def table(self) -> pd.DataFrame:
        """Counts of every model against M."""
        rows = [
            (chart, model, modalities, value)
            for chart, models in count_table(self.state.fusion_config()).items()
            for model, (places, values) in models.items()
            for modalities, value in zip(places, values, strict=True)
        ]
        return pd.DataFrame(rows, columns=["count", "model", "n_modalities", "value"])

    def snippet(self) -> str:
        """Python source that builds the circuit and counts."""
        return circuit_snippet(self.state.fusion_config())

    def query(self) -> dict[str, str]:
        """The state as URL words."""
        return self.state.to_query() | self.qsim.state.to_query()

    def show(self) -> None:
        """Draws what changed while another page was open."""
        self._visible = True
        when_loaded(self._draw)

    def hide(self) -> None:
        """Nothing is drawn until the page is shown again."""
        self._visible = False
        self.qsim.cancel()

    def close(self) -> None:
        """The session ended."""
        self.drawing.close()
        self.qsim.close()

    def _draw(self) -> None:
        if not self._visible:
            return
        try:
            config = self.state.fusion_config()
        except (ValueError, TypeError) as error:
            self.session.notify(message(error), "error")
            return
        self.session.settle()
        if config == self._drawn:
            return
        self._drawn = config
        self.bar.describe(config, settings_words(self.state))
        with pn.io.hold():
            self._draw_numbers(config)
            self.take_along.refresh()
            self.pins.refresh()
        self.drawing.start(lambda: _drawings(config))

    def _draw_numbers(self, config: FusionConfig) -> None:
        self.headline.object = circuit_sentence(config)
        rows = "\n".join(f"| {a} | {b} | {c} |" for a, b, c in slot_rows(config))
        head = "address | content | rotation"
        self.slots.object = f"| {head} |\n|---|---|---|\n{rows}".replace("|0", "&#124;0").replace("|1", "&#124;1")
        for chart, models in count_table(config).items():
            for name, (modalities, values) in models.items():
                self.figures[chart].put(name, modalities, values)
                self.figures[chart].put(f"{name} points", modalities, values)
            everything = np.concatenate([values for _, values in models.values()])
            self.figures[chart].set_range((0.9, 250.0), (0.7 * everything.min(), 1.6 * everything.max()))
        self._draw_support(config)
        self.note.object = coefficient_sentence(config)
        self.qsim.show_circuit(config)

    def _draw_support(self, config: FusionConfig) -> None:
        both = (
            [config.replace(encoding=name, measurement="pauli") for name in ("qubit_efficient", "qubit_per_feature")]
            if config.n_features <= 30
            else [config]
        )
        self.support_note.object = " ".join(_support_sentence(one) for one in both)
        figure = self.figures["support"]
        self.support.visible = config.n_features <= 2
        if config.n_features > 2:
            figure.clear("efficient", "other")
            self.support_note.object += " The picture is for one or two features."
            return
        for layer, one, place in (("efficient", both[0], 0.5), ("other", both[1], -0.5)):
            omega = reachable_frequencies(one)
            second = omega[:, 1] if omega.shape[1] > 1 else np.full(len(omega), place)
            figure.put(layer, omega[:, 0], second)
        for axis in figure.figure.yaxis:
            axis.visible = config.n_features > 1
        span = config.degree + 0.75
        figure.set_range((-span, span), (-span, span) if config.n_features > 1 else (-2.0, 2.0))

    def _update_drawing(self, update: Update) -> None:
        if update.error:
            self.diagram[:] = [Text(update.error, error=True)]
        elif update.picture:
            self.diagram[:] = [part for title, svg in update.picture for part in (_title(title), _svg(svg))]


def _drawings(config: FusionConfig) -> Iterator[Any]:
    yield diagrams(config)


def _title(text: str) -> Text:
    return Text(text, size=14, weight=600, margin=(12, 10, 4, 10))


def _svg(text: str) -> pn.pane.HTML:
    saving = f'<div style="text-align:right;min-height:24px">{save_buttons("circuit diagram")}</div>'
    return pn.pane.HTML(
        f'{saving}<div style="overflow-x:auto" role="img" aria-label="Circuit diagram" tabindex="0">{text}</div>',
        sizing_mode="stretch_width",
        margin=(0, 10),
    )


def circuit_snippet(config: FusionConfig) -> str:
    """Python source that builds a circuit, prints it, and counts."""
    return "\n".join(
        (
            "from qfl_explore import FusionCircuit, FusionConfig",
            "from qfl_explore.theory.counts import circuit_counts",
            "from qfl_explore.theory.spectrum import count_frequencies",
            "",
            *config_lines(config),
            "layer = FusionCircuit(config)",
            "print(layer.circuit)",
            "print(circuit_counts(config))",
            'print(count_frequencies(config), "reachable frequencies")',
        )
    )


def circuit_sentence(config: FusionConfig) -> str:
    """Qubits, gates and parameters of a circuit in words."""
    found = counts.circuit_counts(config)
    what = (
        f"{config.n_index_qubits} index and 1 value qubit"
        if config.n_index_qubits
        else f"{config.n_qubits} value qubit{'s' if config.n_qubits > 1 else ''}"
    )
    return (
        f"{config.n_features} feature{'s' if config.n_features > 1 else ''} on {config.n_qubits} "
        f"qubit{'s' if config.n_qubits > 1 else ''} ({what}), signal called P = {config.degree} times: "
        f"{grouped(found.n_rotations)} rotations and {grouped(found.n_two_qubit)} two-qubit gates in the "
        f"uncontrolled form, {grouped(found.n_parameters)} trainable parameters with a linear readout."
    )


def _support_sentence(config: FusionConfig) -> str:
    name = "Qubit-efficient" if config.encoding == "qubit_efficient" else "One qubit per feature"
    parameters = counts.circuit_counts(config).n_parameters
    reached = grouped(count_frequencies(config))
    return f"{name}: {reached} frequencies, {grouped(parameters)} parameters."


def coefficient_sentence(config: FusionConfig) -> str:
    """Why few parameters cannot set every coefficient; our derivation, not the paper's."""
    generic = counts.generic_polynomial_coefficients(config.n_features, config.degree)
    variables = f"{config.n_features} variable{'s' if config.n_features > 1 else ''}"
    return (
        f"A generic polynomial of degree P = {config.degree} in {variables} has "
        f"C(MD+P, P) = {grouped(generic)} coefficients. Where that exceeds the parameters, the layer reaches the "
        "frequencies but cannot set all their coefficients freely (our count, not a statement of arXiv:2510.06938)."
    )

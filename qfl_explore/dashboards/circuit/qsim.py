"""A part of the page Circuit: the circuit on qsim, what it would cost, and a run of it in another process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.config import FusionConfig
from qfl_explore.dashboards.circuit.qsim_state import QSimState
from qfl_explore.dashboards.parts.buttons import copy_button
from qfl_explore.dashboards.parts.settings import select
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import RunHandle, Update, message

TITLE = "On qsim, the engine for large registers"
NOTE = (
    "qsim holds one state vector of 2ⁿ amplitudes, 8 bytes each, and runs one circuit after the other; gradients "
    "take two more circuits for every rotation. Below about 20 qubits the engine of the live pages is faster. Time "
    "is predicted for a machine that does nothing else, from counts of circuits, gates and passes over the state, "
    "and from some seconds of timing qsim here, once for each choice of threads and gate fusion. Features and angles "
    "are drawn at random (seed 0). A large simulation says nothing about a quantum advantage: what runs here runs on "
    "an ordinary computer."
)
#: Widget -> label and width in pixels.
_LABELS = {
    "what": ("What", 250),
    "n_samples": ("Samples B", 110),
    "threads": ("Threads", 110),
    "max_fused_gate_size": ("Fused gates, qubits", 160),
    "device": ("Device", 160),
}
#: So many values are printed; the table in Python has them all.
_SHOWN = 3


class QSimPart:
    """Settings, a prediction and a run.

    Args:
        document: Bokeh document of the session; ``None``: none.
        state: the settings.
    """

    def __init__(self, document: Any, state: QSimState) -> None:
        self.state = state
        self.fusion: FusionConfig | None = None
        self.run = RunHandle(self._update, document=document)
        self.cost = Text("", size=14, live=True)
        self.outcome = Text("", size=14, live=True)
        self.problem = Text("", error=True, visible=False)
        self._copy = pn.Row(margin=0)
        self._buttons = {
            name: pmui.Button(label=name, icon=icon, variant=variant, margin=0)
            for name, icon, variant in (
                ("Predict", "timer", "outlined"),
                ("Run", "play_arrow", "contained"),
                ("Cancel", "stop", "outlined"),
            )
        }
        self._buttons["Predict"].on_click(lambda _: self.start(only_predict=True))
        self._buttons["Run"].on_click(lambda _: self.start())
        self._buttons["Cancel"].on_click(lambda _: self.cancel())
        self.state.param.watch(lambda *_: self.draw(), list(QSimState.URL))

    def __panel__(self) -> Any:
        chosen = (
            select(self.state, name, label, width=width, sizing_mode=None, margin=(8, 6))
            for name, (label, width) in _LABELS.items()
        )
        return pmui.Column(
            Text(TITLE, size=14, weight=600, margin=(12, 10, 4, 10)),
            pmui.FlexBox(*chosen, align_items="center", margin=(0, 4)),
            pmui.FlexBox(*self._buttons.values(), self._copy, align_items="center", gap="8px", margin=(4, 10)),
            self.cost,
            self.outcome,
            self.problem,
            Text(NOTE, size=12),
            sizing_mode="stretch_width",
            margin=0,
        )

    def show_circuit(self, fusion: FusionConfig) -> None:
        """Another circuit: a run of the old one ends."""
        self.fusion = fusion
        self.draw()

    def draw(self) -> None:
        """What is known without running anything: memory, and time where qsim has been timed before."""
        self.cancel()
        self.outcome.object = ""
        self._complain("")
        try:
            config = self.state.config(self.fusion)
            self.cost.object = known_cost(config)
            self._copy[:] = [copy_button(snippet(config), label="Copy as Python", margin=0)]
        except (ValueError, TypeError, ImportError, RuntimeError) as error:
            self._complain(message(error))

    def start(self, only_predict: bool = False) -> None:
        """Predicts, and runs where that is wanted."""
        try:
            config = self.state.config(self.fusion)
        except (ValueError, TypeError, ImportError) as error:
            self._complain(message(error))
            return
        self._complain("")
        self.outcome.object = "Starting."
        self.run.start(lambda: _work(config, only_predict))

    def cancel(self) -> None:
        """Ends the run and its process."""
        if self.run.state in ("queued", "running"):
            self.run.cancel()
            self.outcome.object = "Cancelled."

    def close(self) -> None:
        """The session ended."""
        self.run.close()

    def _complain(self, text: str) -> None:
        self.problem.object, self.problem.visible = text, bool(text)

    def _update(self, update: Update) -> None:
        if update.state == "cancelled":
            return
        if update.error:
            self.outcome.object = ""
            self._complain(update.error)
        elif update.picture is not None:
            found = update.picture
            if found.cost is not None:
                self.cost.object = f"{found.cost}."
            self.outcome.object = outcome_sentence(found)


def _work(config: Any, only_predict: bool) -> Iterator[Any]:
    from qfl_explore.experiments.large_circuit import stream

    yield from stream(config, only_predict)


def known_cost(config: Any) -> str:
    """Memory of a `LargeCircuitConfig`, and its time where qsim has been timed on this machine."""
    from qfl_explore.simulation.qsim_calibration import known
    from qfl_explore.simulation.qsim_cost import device_bytes, host_bytes, in_bytes, predict

    found = known(config.settings)
    if found is not None:
        return f"{predict(config.fusion, config.settings, found, config.n_samples, config.gradients)}."
    on_gpu = device_bytes(config.fusion, config.settings)
    qubits, memory = config.fusion.n_qubits, in_bytes(host_bytes(config.fusion, config.settings))
    text = f"{qubits} qubit{'s' if qubits > 1 else ''}: {memory} of memory"
    text += f", {in_bytes(on_gpu)} of the GPU's" if on_gpu else ""
    return f"{text}. For the time, qsim must first be timed on this machine with these options: press Predict."


def outcome_sentence(found: Any) -> str:
    """What a `LargeCircuitResult` says, while it lasts and at the end."""
    from qfl_explore.simulation.qsim_cost import in_bytes, in_seconds

    if found.phase == "timing":
        return f"Timing qsim on this machine, {found.elapsed_s:.0f} s so far; once for these options."
    if found.phase == "running":
        return f"Running in a process of its own, {found.elapsed_s:.1f} s so far."
    if found.measured_s is None:
        return ""
    alone = found.config.threads == 1 and found.config.device == "cpu"
    taken = found.cpu_s if alone else found.measured_s
    text = f"It took {in_seconds(found.measured_s)} ("
    text += f"{in_seconds(taken)} of the processor's time, " if alone else ""
    text += f"{taken / found.cost.seconds:.1f} times the prediction) and {in_bytes(found.measured_bytes)} of memory. "
    text += "First values of the first sample: "
    values = [f"{value:.4f}" for value in found.values[0][:_SHOWN]]
    if found.standard_errors is not None:
        errors = found.standard_errors[0][:_SHOWN]
        values = [f"{value} ± {error:.4f}" for value, error in zip(values, errors, strict=True)]
    text += ", ".join(values)
    if found.standard_errors is not None:
        text += f" (± one standard error; {found.config.repetitions:,} repetitions a sample)"
    return f"{text}; seed {found.config.seed}."


def snippet(config: Any) -> str:
    """Python source that gives the part's numbers."""
    fusion = ", ".join(f"{name}={value!r}" for name, value in _changed(config.fusion).items())
    more = {name: value for name, value in _changed(config).items() if name != "fusion"}
    settings = ", ".join([f"fusion=FusionConfig({fusion})", *(f"{name}={value!r}" for name, value in more.items())])
    return (
        "from qfl_explore import FusionConfig\n"
        "from qfl_explore.experiments.large_circuit import LargeCircuitConfig, run\n\n"
        f"result = run(LargeCircuitConfig({settings}))\n"
        "print(result.cost)\n"
        "print(result.measured_s, result.measured_bytes)\n"
        "print(result.table)"
    )


def _changed(config: Any) -> dict[str, Any]:
    """Fields that differ from their defaults."""
    import dataclasses

    fields = {field.name: field.default for field in dataclasses.fields(config)}
    return {name: getattr(config, name) for name, usual in fields.items() if getattr(config, name) != usual}

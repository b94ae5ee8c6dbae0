"""The widgets of the drawer: each bound to one parameter of the state."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control, section_of
from qfl_explore.dashboards.parts import look
from qfl_explore.dashboards.parts.terms import explained
from qfl_explore.dashboards.state import CircuitState, PolynomialState, State

_MARGIN = (8, 12, 2, 12)


def slider(state: State, name: str, label: str | None = None, **options: Any) -> pmui.IntSlider:
    """A slider for an integer."""
    return _widget(pmui.IntSlider, state, name, label, **options)


def select(state: State, name: str, label: str | None = None, **options: Any) -> pmui.Select:
    """A drop-down list."""
    return _widget(pmui.Select, state, name, label, size="small", **options)


def switch(state: State, name: str, label: str | None = None, **options: Any) -> pmui.Switch:
    """A switch for a boolean."""
    return _widget(pmui.Switch, state, name, label, **options)


def fraction(state: State, name: str, label: str | None = None, **options: Any) -> pmui.FloatSlider:
    """A slider for a number that is no integer."""
    return _widget(pmui.FloatSlider, state, name, label, **options)


def stops(state: State, name: str, label: str | None = None, **options: Any) -> pmui.DiscreteSlider:
    """A slider that stops at the options only."""
    return _widget(pmui.DiscreteSlider, state, name, label, **options)


def number(state: State, name: str, label: str | None = None, **options: Any) -> pmui.IntInput:
    """A box for an integer."""
    return _widget(pmui.IntInput, state, name, label, size="small", sx=look.NUMBER, **options)


def line(state: State, name: str, label: str | None = None, **options: Any) -> pmui.TextInput:
    """A line of text."""
    return _widget(pmui.TextInput, state, name, label, **options)


def views(state: State, name: str, **options: Any) -> pmui.RadioButtonGroup:
    """Buttons of which one is pressed, above a page."""
    look = {"size": "small", "margin": (4, 10, 8, 10), "sizing_mode": "stretch_width"} | options
    return control(state, name, pmui.RadioButtonGroup.from_param(state.param[name], label="", **look))


def _widget(kind: Any, state: State, name: str, label: str | None, **options: Any) -> Any:
    parameter = state.param[name]
    options = {"margin": _MARGIN, "sizing_mode": "stretch_width"} | explained(state, name) | options
    return control(state, name, kind.from_param(parameter, label=label or parameter.doc, **options))


class Section(pmui.Card):
    """A part of the drawer that folds.

    A folded one is drawn without what is in it, until it is opened first: the drawer of the first page has twenty
    widgets, of which three are seen. The widgets are there all the same, for links, tours and undo.
    """

    _opened = False

    def __init__(self, *objects: Any, **params: Any) -> None:
        super().__init__(*objects, **params)
        self._opened = not self.collapsed
        self.param.watch(self._open, "collapsed")

    def _open(self, event: Any) -> None:
        if not (event.new or self._opened):
            self._opened = True
            self.param.trigger("objects")

    def _get_child_model(self, child: Any, doc: Any, *others: Any) -> tuple[Any, list[Any]]:
        if child is self.objects and not self._opened and doc is not None and doc.session_context is not None:
            return [], []
        return super()._get_child_model(child, doc, *others)


def section(title: str, *objects: Any, collapsed: bool = False) -> pmui.Card:
    """A part of the drawer that folds."""
    card = Section(
        *objects,
        title=title,
        collapsed=collapsed,
        collapsible=True,
        sizing_mode="stretch_width",
        margin=(4, 8),
        variant="outlined",
    )
    return section_of(title, card)


def circuit_section(state: CircuitState, collapsed: bool = False) -> pmui.Card:
    """Size, encoding, signal and measurement of the circuit."""
    return section(
        "Circuit",
        slider(state, "n_modalities"),
        slider(state, "feature_dim"),
        slider(state, "n_blocks", "Blocks in each U(θ)"),
        select(state, "encoding"),
        select(state, "signal"),
        switch(state, "constant_slot"),
        select(state, "measurement"),
        select(state, "entangler"),
        collapsed=collapsed,
    )


def polynomial_sidebar(state: PolynomialState, own_data: list[Any]) -> list[Any]:
    """The drawer of the page Polynomial.

    Args:
        state: what the widgets change.
        own_data: widgets for a formula and a table; each shown for its target.
    """
    return [
        section(
            "Function and degree",
            slider(state, "degree", "Degree P"),
            select(state, "target"),
            slider(state, "target_degree", "Degree of the target k"),
            *own_data,
        ),
        circuit_section(state, collapsed=True),
        section(
            "Training",
            slider(state, "n_steps", "Step budget", step=10),
            select(state, "pace"),
            select(state, "learning_rate"),
            select(state, "optimizer"),
            select(state, "initializer"),
            select(state, "engine"),
            switch(state, "early_stop", "Stop early when the loss rests"),
            slider(state, "n_train", step=16),
            fraction(state, "noise", "Noise on the training data"),
            number(state, "seed", "Seed"),
            collapsed=True,
        ),
    ]

"""A visitor's own function: a typed formula with its error beside it, or the columns of a CSV file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.parts.upload import safe_name, upload
from qfl_explore.dashboards.runs.live import RunHandle, Update, message
from qfl_explore.dashboards.state import PolynomialState
from qfl_explore.errors import invalid
from qfl_explore.experiments.table import MAX_BYTES


class OwnData:
    """Formula box and upload, each visible for its target.

    Attributes:
        widgets: for the drawer.
    """

    def __init__(self, state: PolynomialState, notify: Callable[[str, str], None]) -> None:
        self._state = state
        self._notify = notify
        self._table: Any = None
        self._text = pmui.TextInput(
            label="Formula in x1, x2, …",
            value=state.formula,
            visible=state.target == "formula",
            sizing_mode="stretch_width",
            margin=(6, 12, 0, 12),
            size="small",
        )
        control(state, "formula", self._text)
        self._problem = Text("", size=13, live=True, error=True, margin=(0, 12), visible=False)
        self._reading = RunHandle(self._read, document=pn.state.curdoc)
        self._upload = upload(
            "Choose a CSV file",
            ".csv,text/csv",
            MAX_BYTES,
            lambda text: notify(text, "error"),
            visible=state.target == "table",
            margin=(6, 12),
        )
        self._about = Text("", size=13, margin=(0, 12), visible=False)
        self.widgets = [self._text, self._problem, self._upload, self._about]
        self._text.param.watch(self._typed, "value")
        self._upload.param.watch(self._uploaded, "value")
        state.param.watch(self._reveal, ["target", "formula"])

    def _reveal(self, *_: Any) -> None:
        target = self._state.target
        self._text.param.update(visible=target == "formula", value=self._state.formula)
        self._problem.visible = target == "formula" and bool(self._problem.object)
        self._upload.visible = target == "table"
        self._about.visible = target == "table"
        if target == "table" and self._table is None:
            self._about.object = (
                f"A header row, then numbers, at most {MAX_BYTES / 1e6:g} MB: the last column is the target, the "
                "others are the features. "
                "Each feature's range is mapped to −π/2 … π/2 rad."
            )

    def _typed(self, event: Any) -> None:
        from qfl_explore.experiments.formula import Formula

        text = (event.new or "").strip()
        try:
            Formula(text, self._state.n_modalities * self._state.feature_dim)
        except (ValueError, TypeError) as error:
            self._problem.object, self._problem.visible = message(error), True
            return
        self._problem.object, self._problem.visible = "", False
        self._state.formula = text

    def _uploaded(self, event: Any) -> None:
        if event.new:
            data, name = event.new, safe_name(self._upload.filename)
            self._reading.start(lambda: self._tables(data, name))

    def _tables(self, data: bytes, name: str) -> Iterator[Any]:
        """In a worker: a file may take a second, which nobody else has to wait for."""
        from qfl_explore.experiments.table import read_table

        table = read_table(data, name=name)
        self._check(table)
        yield table

    def _read(self, update: Update) -> None:
        if update.error:
            self._notify(update.error, "error")
        for table in update.items:
            self._take(table)

    def _take(self, table: Any) -> None:
        self._table = table
        self._about.object = f"{table.describe()}. {table.scaling}"
        with pn.io.hold():
            changes = {"n_modalities": table.n_features, "feature_dim": 1, "target": "table"}
            if all(getattr(self._state, name) == value for name, value in changes.items()):
                self._state.param.trigger("target")
            else:
                self._state.param.update(**changes)

    def _check(self, table: Any) -> None:
        most = self._state.param.n_modalities.bounds[1]
        if table.n_features > most:
            raise invalid(
                "the table has too many columns for a live page", f"at most {most} features", table.n_features
            )

    def table_for(self, state: PolynomialState) -> Any:
        """The uploaded table where the target asks for one, else ``None``.

        Raises:
            ValueError: a table is asked for and there is none.
        """
        if state.target != "table":
            return None
        if self._table is None:
            raise invalid("there is no table yet", "a CSV file, chosen in the drawer", "nothing uploaded")
        return self._table

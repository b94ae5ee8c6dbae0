"""A progress bar with a name that screen readers can say, which the toolkit's own has not."""

from __future__ import annotations

import html
from typing import Any

from qfl_explore.dashboards.parts.text import Markup

_TRACK = (
    "height:4px;border-radius:2px;overflow:hidden;"
    "background:color-mix(in srgb, var(--panel-primary-color, #0072B2) 35%, transparent)"
)
_FILL = "height:100%;background:var(--panel-primary-color, #0072B2)"


class Progress:
    """A bar from 0 to 100.

    Args:
        name: said by screen readers, for example "Progress of the run".
        shown: whether it is seen.
        **params: for the pane, such as ``margin``.
    """

    def __init__(self, name: str = "Progress of the run", shown: bool = True, **params: Any) -> None:
        self._name, self._shown = html.escape(name), shown
        self._value: int | None = 0
        self._pane = Markup(self._markup(), **({"margin": (6, 0, 4, 0), "sizing_mode": "stretch_width"} | params))

    def _markup(self) -> str:
        if not self._shown:
            return ""
        now = "" if self._value is None else f' aria-valuenow="{self._value}"'
        fill = f"{_FILL};opacity:0.5" if self._value is None else f"{_FILL};width:{self._value}%"
        return (
            f'<div role="progressbar" aria-label="{self._name}" aria-valuemin="0" aria-valuemax="100"{now} '
            f'style="{_TRACK}"><div style="{fill}"></div></div>'
        )

    @property
    def value(self) -> int | None:
        """Percent; ``None``: something goes on, nobody knows how far."""
        return self._value

    @value.setter
    def value(self, value: float | None) -> None:
        self._value = None if value is None else round(min(100, max(0, value)))
        self._draw()

    @property
    def visible(self) -> bool:
        """Whether it is seen; where it is not, the pane stays, empty."""
        return self._shown

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._shown = visible
        self._draw()

    def _draw(self) -> None:
        markup = self._markup()
        if markup != self._pane.object:
            self._pane.object = markup

    def __panel__(self) -> Any:
        return self._pane

"""Plain text on a page: whatever a visitor typed stays text, never markup; technical words are marked and explained."""

from __future__ import annotations

import html
from typing import Any

import panel as pn

from qfl_explore.dashboards.parts.look import ERROR, px
from qfl_explore.dashboards.parts.terms import STYLE, mark


def as_markup(text: str) -> str:
    """A text for panes that take Markdown or HTML: it is shown as it is, whatever characters it has."""
    return f"<div>{html.escape(' '.join(text.split()))}</div>" if text else ""


class Markup(pn.pane.HTML):
    """A pane whose content changes several times a second: the content is all that it sends.

    Panel's own works out everything again that a pane can have, and that takes longer than drawing a picture.
    """

    def _update(self, ref: str, model: Any) -> None:
        model.text = self._transform_object(self.object)["object"]


class Text:
    """A line or paragraph of plain text.

    Args:
        text: shown as it is.
        size: in pixels, before the visitor's font scale.
        weight: CSS font weight.
        live: announced by screen readers when it changes.
        error: drawn in the colour of errors.
        terms: whether technical words are marked.
        **params: for the pane, such as ``margin`` or ``visible``.
    """

    def __init__(
        self,
        text: str = "",
        size: int = 14,
        weight: int = 400,
        live: bool = False,
        error: bool = False,
        terms: bool = True,
        **params: Any,
    ) -> None:
        style = f"font-size:{px(size)};line-height:1.45;font-weight:{weight}"
        style += f";color:{ERROR}" if error else ""
        self._open = f'<div style="{style}"' + (' role="status" aria-live="polite">' if live else ">")
        self._text, self._terms = text, terms and not error
        look = {"margin": (2, 10), "sizing_mode": "stretch_width", "stylesheets": [STYLE]}
        self._pane = Markup(self._markup(text), **(look | params))

    def _markup(self, text: str) -> str:
        safe = html.escape(text)
        return f"{self._open}{mark(safe) if self._terms else safe}</div>"

    @property
    def object(self) -> str:
        """The text."""
        return self._text

    @object.setter
    def object(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._pane.object = self._markup(text)

    @property
    def visible(self) -> bool:
        """Whether it is shown."""
        return self._pane.visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._pane.visible = visible

    def __panel__(self) -> Any:
        return self._pane

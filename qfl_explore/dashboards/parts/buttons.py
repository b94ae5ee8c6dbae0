"""Buttons that take something along: copy, download; and source that can be copied."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.parts.look import px


def button(label: str, icon: str) -> pmui.Button:
    """A small outlined button."""
    return pmui.Button(label=label, icon=icon, variant="outlined", size="small", margin=0)


def download(callback: Callable[[], io.StringIO], filename: str, label: str) -> pmui.FileDownload:
    """A button that downloads what ``callback`` returns when it is pressed."""
    widget = pmui.FileDownload(callback=callback, filename=filename, label=label, size="small", margin=0, embed=False)
    widget.variant = "outlined"  # in the constructor it clashes with the widget's own default
    return widget


#: Panel's own button has no name that is read; the code stands below it, drawn up by its height.
_NO_COPY = ".copybtn { display: none; } .codehilite pre { margin-top: 0 !important; }"


def code_block(text: str, language: str = "python") -> pn.Row:
    """Source, shown as such, and a button that copies it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=2))  # nothing in the text ends it
    source, own = f"{fence}{language}\n{text}\n{fence}", _NO_COPY
    shown = pn.pane.Markdown(source, sizing_mode="stretch_width", margin=(0, 12), stylesheets=[own])
    return pn.Row(shown, copy_button(text), sizing_mode="stretch_width")


#: Browsers offer the clipboard on localhost and over HTTPS only; elsewhere the old way still works.
_COPY = """
const text = this.dataset.text;
if (navigator.clipboard) {
  navigator.clipboard.writeText(text);
} else {
  const area = document.body.appendChild(document.createElement('textarea'));
  area.value = text;
  area.select();
  document.execCommand('copy');
  area.remove();
}
this.textContent = 'Copied';
"""
_BUTTON = (
    f"font: inherit; font-size: {px(13)}; padding: 5px 12px; border-radius: 6px; cursor: pointer; "
    "color: inherit; background: transparent; border: 1px solid rgba(128, 128, 128, 0.6)"
)


def copy_button(text: str, label: str = "Copy", margin: Any = (8, 12)) -> pn.pane.HTML:
    """Copies a text to the visitor's clipboard, without a round trip to the server."""
    shown = (
        f'<button type="button" style="{_BUTTON}" data-text="{html.escape(text)}" onclick="{_COPY}">{label}</button>'
    )
    return pn.pane.HTML(shown, margin=margin)

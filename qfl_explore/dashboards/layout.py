"""Figures and prose on a page: filling the width, under a title, side by side."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.text import Text
from qfl_explore.plots.style import LiveFigure


def pane(figure: LiveFigure, **options: Any) -> pn.pane.Bokeh:
    """A figure that takes the width it gets and keeps its height."""
    options = {"height": figure.figure.height, "margin": (0, 4)} | options
    return pn.pane.Bokeh(figure.figure, sizing_mode="stretch_width", **options)


def titled(title: str, figure: LiveFigure, least: int = 340) -> pmui.Column:
    """A figure under its title, as one item of a `row`.

    Args:
        title: of the figure.
        figure: below it.
        least: width in pixels under which the row wraps.
    """
    return _item(Text(title, size=14, weight=600), pane(figure), least=least)


def wrapping(figure: LiveFigure, least: int = 340) -> pmui.Column:
    """A figure without a title, as one item of a `row`; ``least`` as in `titled`."""
    return _item(pane(figure), least=least)


def _item(*objects: Any, least: int) -> pmui.Column:
    style = {"flex": f"1 1 {least}px", "min-width": f"{least}px"}
    return pmui.Column(*objects, styles=style, sizing_mode="stretch_width")


def row(*objects: Any) -> pn.FlexBox:
    """Objects side by side, wrapping on narrow screens; see `titled` and `wrapping`."""
    return pn.FlexBox(*objects, gap="8px", align_items="flex-start", sizing_mode="stretch_width")


def prose(text: str, size: int = 14, margin: tuple[int, ...] = (0, 10)) -> pn.pane.Markdown:
    """Paragraphs in Markdown, as large as the page's other text."""
    return pn.pane.Markdown(text, margin=margin, sizing_mode="stretch_width", styles={"font-size": f"{size}px"})

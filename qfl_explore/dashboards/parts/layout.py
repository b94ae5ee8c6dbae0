"""Figures and prose on a page: filling the width, under a title, side by side, with buttons that save them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.sizes import current, fit
from qfl_explore.dashboards.parts.terms import STYLE, mark
from qfl_explore.plots.describe import describe
from qfl_explore.plots.sizes import keep_scale, set_least
from qfl_explore.plots.style import LiveFigure

#: Width in pixels of a figure with copies beside it, under which they stand below each other.
BESIDE = 300
_HEAD = (
    "display:flex;justify-content:space-between;align-items:baseline;gap:12px;"
    f"font-size:{px(14)};line-height:1.45;"
    "min-height:24px"
)
_SAVE = (
    f"font:inherit;font-size:{px(12)};min-width:38px;min-height:24px;padding:1px 7px;margin-left:4px;border-radius:5px;"
    "cursor:pointer;color:inherit;background:transparent;border:1px solid rgba(128,128,128,0.6)"
)


class Frame:
    """A figure on a page: its title, buttons that save it as PNG or SVG, and beside it frozen copies.

    Args:
        figure: it remembers its frame.
        title: above it; may be empty.
        least: width in pixels under which a `row` wraps.
        fixed: the figure keeps its own size.

    Attributes:
        item: to be placed, in a `row` or anywhere; a page may add objects to it.
        pane: of the figure.
    """

    def __init__(self, figure: LiveFigure, title: str = "", least: int = 340, fixed: bool = False) -> None:
        self.title = title
        self._least, self._fixed = least, fixed
        set_least(figure.figure, least)
        self.pane = self._pane(figure)
        self._head = pn.pane.HTML(self._markup(figure), margin=(2, 10), sizing_mode="stretch_width")
        self._cells = pn.FlexBox(self.pane, gap="8px", sizing_mode="stretch_width", margin=0)
        self.item = pmui.Column(self._head, self._cells, styles=self._style(), sizing_mode="stretch_width")
        figure.frame = self

    def _markup(self, figure: LiveFigure) -> str:
        name = self.title or plain_name(figure)
        return (
            f'<div style="{_HEAD}"><span style="font-weight:600">{html.escape(self.title)}</span>'
            f"{save_buttons(name, figure.figure.id)}</div>"
        )

    def _pane(self, figure: LiveFigure) -> pn.pane.Bokeh:
        model = figure.figure
        return pane(figure, self.title, **({"sizing_mode": "fixed", "width": model.width} if self._fixed else {}))

    def _style(self) -> dict[str, str]:
        if self.n_copies:
            return {"flex": "1 1 100%", "min-width": f"{BESIDE}px", "grid-column": "1 / -1"}
        if self._fixed:
            return {"flex": f"0 0 {basis(self._least)}"}
        return {"flex": f"1 1 {basis(self._least)}", "min-width": f"{self._least}px"}

    @property
    def n_copies(self) -> int:
        """Frozen copies beside the figure."""
        return len(self._cells) - 1

    def arrange(self, least: int, height: int) -> None:
        """Another least width and height, in pixels."""
        self._least = least
        self.set_height(height)
        self.item.styles = self._style()

    def set_height(self, height: int) -> None:
        """Of the figure and its copies, in pixels."""
        for one in self._cells:
            one.height = round(height * current())

    def put_beside(self, copies: Sequence[LiveFigure]) -> None:
        """Shows these copies, and no others, to the right of the figure (below it where there is no room)."""
        known = {one.object: one for one in self._cells.objects[1:]}
        panes = [known.get(copy.figure) or self._pane(copy) for copy in copies]
        share = {"flex": f"1 1 {basis(BESIDE)}", "min-width": f"{BESIDE}px"} if panes and not self._fixed else {}
        for one in (self.pane, *panes):
            one.styles = share
        self._cells[:] = [self.pane, *panes]
        self.item.styles = self._style() | {k: v for k, v in self.item.styles.items() if k == "max-width" and not panes}


def basis(width: int) -> str:
    """A width that an item of a row begins with; in a column, where it would be a height, the item is as high as it is.

    It follows the font scale: large letters need wide pictures, so fewer of them stand side by side.

    Args:
        width: in pixels, at the smallest scale.
    """
    return f"calc({px(width)} + 0%)"  # a part of an unknown height is the content's own


def pane(figure: LiveFigure, title: str = "", **options: Any) -> pn.pane.Bokeh:
    """A figure that takes the width it gets and keeps its height; screen readers are told what it shows.

    Args:
        figure: to be shown once.
        title: that stands above it.
        **options: of the pane.
    """
    options = {"height": figure.figure.height, "margin": (0, 4), "sizing_mode": "stretch_width"} | options
    # in a notebook Panel would wrap the model's callbacks and leave the document on hold; we push changes ourselves
    made = pn.pane.Bokeh(figure.figure, autodispatch=False, **options)
    fit(made)
    keep_scale(figure.figure)
    describe(figure.figure, title)
    return made


def titled(title: str, figure: LiveFigure, least: int = 340, fixed: bool = False) -> pmui.Column:
    """A figure under its title, as one item of a `row`.

    Args:
        title: of the figure.
        figure: below it.
        least: width in pixels under which the row wraps.
        fixed: the figure keeps its own size.
    """
    return Frame(figure, title, least, fixed).item


def wrapping(figure: LiveFigure, least: int = 340) -> pmui.Column:
    """A figure without a title, as one item of a `row`; ``least`` as in `titled`."""
    return Frame(figure, "", least).item


def framed(figures: Iterable[LiveFigure], objects: Iterable[Any]) -> list[LiveFigure]:
    """Those of the figures that are in sight among these objects of a page, in the page's order."""
    owners = {id(figure.frame.item): figure for figure in figures if figure.frame is not None}
    found: list[LiveFigure] = []

    def look(one: Any) -> None:
        if not getattr(one, "visible", True):
            return
        if id(one) in owners:
            found.append(owners[id(one)])
        for inner in getattr(one, "objects", None) or ():
            look(inner)

    for one in objects:
        look(one)
    return found


def plain_name(figure: LiveFigure) -> str:
    """What a figure without a title is called: its axes."""
    model = figure.figure
    if model.title.text:
        return model.title.text
    labels = [re.split(r"[(,]", axis.axis_label or "")[0].strip() for axis in (*model.yaxis[:1], *model.xaxis[:1])]
    return " against ".join(filter(None, labels)) or "picture"


def save_buttons(name: str, figure: str = "") -> str:
    """Markup of two buttons that save a picture; see `desk.js` for what they do.

    Args:
        name: of the picture.
        figure: id of its Bokeh model; empty: the drawing in the same pane.
    """
    buttons = "".join(
        f'<button type="button" style="{_SAVE}" data-qfl-save="{kind}" data-qfl-figure="{figure}" '
        f'data-qfl-name="{html.escape(name)}" aria-label="Save as {kind.upper()}" '
        f'title="Save this picture as {kind.upper()}: {html.escape(name)}">{kind.upper()}</button>'
        for kind in ("png", "svg")
    )
    return f'<span style="white-space:nowrap">{buttons}</span>'


def row(*objects: Any) -> pn.FlexBox:
    """Objects side by side, wrapping on narrow screens; see `titled` and `wrapping`."""
    return pn.FlexBox(*objects, gap="8px", align_items="flex-start", sizing_mode="stretch_width")


def prose(text: str, size: int = 14, margin: tuple[int, ...] = (0, 10)) -> pn.pane.Markdown:
    """Paragraphs in Markdown, as large as the page's other text, with technical words marked."""
    look = {"sizing_mode": "stretch_width", "styles": {"font-size": px(size)}, "stylesheets": [STYLE]}
    return pn.pane.Markdown(mark(text), margin=margin, **look)

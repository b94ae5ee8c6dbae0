"""The font scale of one visitor: buttons in the bar at the top, the word ``font`` in the link, figures that follow."""

from __future__ import annotations

import math
import weakref
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts import look
from qfl_explore.plots.sizes import scale_of, set_scale

_BUTTON = {
    "color": "#FFFFFF",
    "minWidth": "44px",
    "padding": "6px 4px",
    "fontSize": look.px(15),
    "fontWeight": 600,
    "textTransform": "none",
    "&.Mui-disabled": {"color": "#FFFFFF", "opacity": 0.4},
}
_documents: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()


def drawer(scale: int) -> int:
    """The drawer's width in pixels; it grows less than its letters, for the page needs room, too."""
    return round(330 * math.sqrt(scale / 100))


def current() -> float:
    """The scale of the visitor whose document is at work; 1 where there is none."""
    document = pn.state.curdoc
    return _documents.get(document, 1.0) if document is not None else 1.0


def fit(pane: pn.pane.Bokeh, scale: float | None = None) -> None:
    """Brings a figure and its pane to a scale.

    Args:
        pane: of a figure, with a height.
        scale: factor; ``None``: the visitor's.
    """
    scale = current() if scale is None else scale
    ratio = scale / scale_of(pane.object)
    if ratio != 1.0:
        fixed = pane.sizing_mode == "fixed"
        wide = {"width": round(pane.width * ratio)} if fixed and pane.width else {}
        pane.param.update(height=round((pane.height or 0) * ratio), **wide)
    set_scale(pane.object, scale)


def read(query: dict[str, str]) -> tuple[int, list[str]]:
    """The scale that a link asks for (``font``), in percent, and what was wrong with it.

    >>> read({"font": "125"}), read({"font": "7"})[1]
    ((125, []), ['font=7 in the link was ignored: expected 100, 125 or 150.'])
    """
    word = query.get("font", "100")
    if word in map(str, look.SCALES):
        return int(word), []
    names = f"{', '.join(map(str, look.SCALES[:-1]))} or {look.SCALES[-1]}"
    shown = word if word.isalnum() and len(word) < 12 else "…"
    return 100, [f"font={shown} in the link was ignored: expected {names}."]


class Scaling(param.Parameterized):
    """Two buttons, and what they change.

    Args:
        session: of the visitor; the links of its pages say the scale.
        body: of the page; the figures in it follow.

    Attributes:
        buttons: for the bar at the top.
    """

    scale = param.Selector(default=100, objects=list(look.SCALES), doc="Of the fonts, in percent.")

    def __init__(self, session: Session, body: pn.Column, **params: Any) -> None:
        super().__init__(**params)
        self._session, self._body = session, body
        self._smaller, self._larger = _button("A−"), _button("A+")
        self._smaller.on_click(lambda _: self._step(-1))
        self._larger.on_click(lambda _: self._step(1))
        self.buttons = pmui.Row(
            self._smaller, self._larger, margin=0, sizing_mode=None, styles={"flex": "0 0 auto", "margin-block": "auto"}
        )
        session.carry("font", lambda: str(self.scale) if self.scale != 100 else "")
        self._remember()

    def follow(self, page: pmui.Page, tabs: pmui.Tabs) -> None:
        """The page, its tabs, widgets and figures take the session's scale, now and whenever it changes."""

        def change(*_: Any) -> None:
            scale = self.scale
            self._remember()
            with pn.io.hold():
                look_of = {"theme_config": look.theme(scale), "sx": look.frame(scale)}
                page.param.update(sidebar_width=drawer(scale), **look_of)
                tabs.sx = look.tabs(scale)
                self.apply()
            self._session.touch()

        self.param.watch(change, "scale")

    def apply(self) -> None:
        """Brings the figures that are on the page to the scale; those that come later take it by themselves."""
        for pane in self._body.select(pn.pane.Bokeh):
            if pane.object is not None and pane.height:
                fit(pane, self.scale / 100)

    def _step(self, way: int) -> None:
        scales = look.SCALES
        place = scales.index(self.scale) + way
        self.scale = scales[min(max(place, 0), len(scales) - 1)]

    def _remember(self) -> None:
        scale = self.scale
        if pn.state.curdoc is not None:
            _documents[pn.state.curdoc] = scale / 100
        self._smaller.param.update(disabled=scale == look.SCALES[0], description=f"Smaller text (now {scale} %)")
        self._larger.param.update(disabled=scale == look.SCALES[-1], description=f"Larger text (now {scale} %)")


def _button(label: str) -> pmui.Button:
    return pmui.Button(label=label, variant="text", margin=0, sx=_BUTTON, description=label)

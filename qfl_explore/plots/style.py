"""How pictures look: colours that everybody can tell apart, dashes and markers beside them, two themes.

`freeze` turns a HoloViews overlay into a `LiveFigure`: a Bokeh figure built once, whose data
sources later updates stream into.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
from bokeh.core.json_encoder import serialize_json
from bokeh.core.properties import value
from bokeh.document import Document
from bokeh.models import Label, Node, Title
from bokeh.util.serialization import make_id

from qfl_explore.plots.bokeh_defaults import remember_bokehs_defaults
from qfl_explore.plots.log_axis import make_legible
from qfl_explore.plots.validation import check_in_each_thread

_LOG = logging.getLogger(__name__)
#: After Okabe and Ito, told apart with any kind of colour vision; on white the two oranges and the grey are darker,
#: so that each has three times the ground's contrast: role -> (light theme, dark theme).
COLOURS: dict[str, tuple[str, str]] = {
    "model": ("#0072B2", "#56B4E9"),
    "target": ("#3B3F46", "#D5D8DC"),
    "data": ("#6B7280", "#9CA3AF"),
    "test": ("#009E73", "#1FC799"),
    "ceiling": ("#B84300", "#F08A3C"),
    "pinned": ("#CC79A7", "#E3A0C4"),
    "other": ("#C88700", "#E69F00"),
    "quiet": ("#8A919C", "#6F7782"),
    "area": ("#0072B2", "#56B4E9"),
    "on_light": ("#111827", "#111827"),
    "on_dark": ("#FFFFFF", "#FFFFFF"),
}
#: Dashes in pixels, short enough to be told apart in a legend.
DASHES: dict[str, list[int]] = {"target": [5, 3], "ceiling": [8, 3], "pinned": [2, 2]}
#: Sequential colour maps, even in lightness.
MAP_VALUES = "cividis"
MAP_DIFFERENCE = "viridis"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
FONT_SIZE = "13px"
#: Sizes of text are relative to this one in the app, where the theme sets them; it follows the page's font scale.
HOST = ":host { font-size: calc(13px * var(--qfl-scale, 1)); }"

#: A toolbar appears on the picture, under the pointer; without a ground of its own, so that curves stay in sight.
BARE = ":host(.bk-inner) { background-color: transparent; }"


def colour(role: str, dark: bool = False) -> str:
    """The colour of a role, for example ``model`` or ``ceiling``, in the light or dark theme."""
    return COLOURS[role][int(dark)]


def use_bokeh() -> None:
    """Loads HoloViews' Bokeh backend once, and makes Bokeh's models quick and safe in threads."""
    check_in_each_thread()
    remember_bokehs_defaults()
    if "bokeh" not in hv.Store.renderers or hv.Store.current_backend != "bokeh":
        hv.extension("bokeh", logo=False)


@dataclasses.dataclass(eq=False)
class LiveFigure:
    """A Bokeh figure and its moving parts.

    Attributes:
        figure: the Bokeh figure.
        sources: layer name -> ColumnDataSource.
        renderers: layer name -> glyph renderer.
        roles: layer name -> role of its colour.
        columns: layer name -> names of its columns.
        frame: what shows it on a page, see `dashboards.parts.layout.Frame`.
        asked: axis (``x`` or ``y``) -> the range that was asked for last.
        beside: axis -> ranges of frozen copies that share the axis; what is shown covers them too.
        emptied: layers that were cleared and have no data since.
    """

    figure: Any
    sources: dict[str, Any]
    renderers: dict[str, Any]
    roles: dict[str, str]
    columns: dict[str, tuple[str, ...]]
    frame: Any = None
    asked: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    beside: dict[str, list[tuple[float, float]]] = dataclasses.field(default_factory=dict)
    emptied: set[str] = dataclasses.field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        """Whether no layer has data."""
        return not any(len(column) for source in self.sources.values() for column in list(source.data.values())[:1])

    def put(self, layer: str, *values: Any) -> None:
        """Replaces a layer's columns, in their order."""
        arrays = [np.atleast_1d(np.asarray(value)) for value in values]
        self.sources[layer].data = dict(zip(self.columns[layer], arrays, strict=True))
        self.emptied.discard(layer)

    def stream(self, layer: str, *values: Any) -> None:
        """Appends rows to a layer; after `clear` they replace it, else one flush with both would draw them twice."""
        if layer in self.emptied:
            self.put(layer, *values)
            return
        arrays = [np.atleast_1d(np.asarray(value)) for value in values]
        self.sources[layer].stream(dict(zip(self.columns[layer], arrays, strict=True)))

    def clear(self, *layers: str) -> None:
        """Empties layers."""
        for layer in layers:
            self.put(layer, *([],) * len(self.columns[layer]))
        self.emptied |= set(layers)

    def set_image(self, layer: str, values: np.ndarray) -> None:
        """Replaces the values [x, y] of a heat map."""
        source = self.sources[layer]
        source.data = {**source.data, "image": [np.ascontiguousarray(values.T, dtype=np.float32)]}

    def set_range(self, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None) -> None:
        """Sets the shown ranges; they are also where the reset tool returns to. Copies beside stay in sight."""
        for name, span, axis in (("x", x, self.figure.x_range), ("y", y, self.figure.y_range)):
            if span is not None:
                self.asked[name] = span
                low, high = covering([span, *self.beside.get(name, ())])
                axis.update(start=low, end=high, reset_start=low, reset_end=high)

    def say(self, text: str) -> None:
        """Writes a hint into the middle of the axes, such as "computing the first result …"; empty: none."""
        self._annotate("hint", text)

    def caption(self, text: str) -> None:
        """Writes a line above the axes; empty: none."""
        self._annotate("caption", text)

    def _annotate(self, name: str, text: str) -> None:
        for model in (*self.figure.center, *self.figure.above):
            if model.name == name and model.text != text:
                model.text = text

    def set_dark(self, dark: bool) -> None:
        """Recolours the layers; axes and background follow the page's theme in the browser."""
        for layer, role in self.roles.items():
            if not role:  # a colour map decides
                continue
            glyph = self.renderers[layer].glyph
            names = [name for name in ("line_color", "fill_color", "text_color") if hasattr(glyph, name)]
            glyph.update(**dict.fromkeys(names, colour(role, dark)))
        for model in (*self.figure.center, *self.figure.above):
            if model.name in ("hint", "caption"):
                model.text_color = colour("target", dark)

    def set_height(self, height: int) -> None:
        """Sets the height in pixels."""
        self.figure.height = height

    def show_layer(self, layer: str, visible: bool) -> None:
        """Shows or hides a layer together with its entry in the legend."""
        self.renderers[layer].visible = visible
        for legend in self.figure.legend:
            for item in legend.items:
                if self.renderers[layer] in item.renderers:
                    item.visible = visible


def covering(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The least range that covers all of these, downwards where the first one is.

    >>> covering([(0.0, 1.0), (0.5, 2.0)]), covering([(3.0, 1.0), (0.0, 2.0)])
    ((0.0, 2.0), (3.0, 0.0))
    """
    low, high = min(map(min, spans)), max(map(max, spans))
    return (low, high) if spans[0][0] <= spans[0][1] else (high, low)


_originals: dict[str, tuple[LiveFigure, str]] = {}
_lock = threading.Lock()


def copy_of(key: str, build: Callable[[], LiveFigure]) -> LiveFigure:
    """A fresh copy of a figure that is built once in a process; a copy takes milliseconds.

    Args:
        key: names the original.
        build: makes the original, the first time.
    """
    with _lock:
        if key not in _originals:
            original = build()
            document = Document()
            document.add_root(original.figure)
            _originals[key] = (original, serialize_json(document.to_json(deferred=False)))
        original, text = _originals[key]
    return from_text(text, original)


def from_text(text: str, original: LiveFigure) -> LiveFigure:
    """A figure from its document's JSON, every model with an id of its own.

    Args:
        text: of a document with the figure only.
        original: whose layers it has.
    """
    text = re.sub(r'"id": ?"(p[0-9]+)"', _Renamed(), text)
    document = Document.from_json(json.loads(text))
    (figure,) = document.roots
    document.clear()
    renderers = {renderer.name: renderer for renderer in figure.renderers if renderer.name in original.roles}
    sources = {name: renderer.data_source for name, renderer in renderers.items()}
    return LiveFigure(figure, sources, renderers, dict(original.roles), dict(original.columns))


class _Renamed:
    """Gives every model of a copy an id of its own."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __call__(self, match: re.Match[str]) -> str:
        name = self._names.setdefault(match.group(1), make_id())
        return f'"id": "{name}"'


def freeze(
    overlay: hv.Overlay, names: Sequence[str], roles: Sequence[str], height: int = 300, legend: str | None = "top"
) -> LiveFigure:
    """Renders an overlay once.

    Args:
        overlay: the picture, with axis names and units.
        names: one for each layer, in order.
        roles: the role of each layer's colour.
        height: in pixels; the width follows the page.
        legend: its place, or ``None``.
    """
    use_bokeh()
    options = {"responsive": True, "height": height, "show_legend": legend is not None, "toolbar": "right"}
    if legend:
        options["legend_position"] = legend
    # A document of its own, which the renderer looks at as a server only: made in a background thread, the figure
    # would else join that of a visitor who is being served.
    plot = hv.renderer("bokeh").instance(mode="server").get_plot(overlay.opts(**options), doc=Document())
    parts = [part.handles for part in plot.subplots.values()] if plot.subplots else [plot.handles]
    sources, renderers, columns = {}, {}, {}
    for name, handles in zip(names, parts, strict=True):
        sources[name], renderers[name] = handles["source"], handles["glyph_renderer"]
        columns[name] = tuple(handles["source"].data)
        renderers[name].name = name
        # Nothing can be selected, muted or pointed at: without these a copy has a fifth fewer models.
        renderers[name].update(selection_glyph="auto", nonselection_glyph=None, muted_glyph=None, hover_glyph=None)
    figure = LiveFigure(plot.state, sources, renderers, dict(zip(names, roles, strict=True)), columns)
    _polish(figure.figure)
    _add_words(figure.figure)
    figure.set_dark(False)
    return figure


def _polish(figure: Any) -> None:
    figure.output_backend = "canvas"  # copying a software-drawn WebGL picture costs more than drawing it
    figure.toolbar.logo = None
    figure.toolbar.autohide = True
    figure.toolbar_inner = True
    figure.toolbar_location = "right"
    figure.toolbar.stylesheets = [BARE]
    figure.stylesheets = [HOST]
    figure.min_border_left, figure.min_border_right = 56, 12
    figure.outline_line_color = None  # in the dark theme it would run through a legend of several lines
    make_legible(figure)
    figure.title.text_font_size, figure.title.text_font_style = "14px", "bold"
    figure.title.text_font = FONT
    for axis in figure.axis:
        axis.axis_label_text_font_size = axis.major_label_text_font_size = FONT_SIZE
        axis.axis_label_text_font = axis.major_label_text_font = FONT
        axis.axis_label_text_font_style = "normal"
    for renderer in figure.renderers:
        if hasattr(getattr(renderer, "glyph", None), "text_font"):
            renderer.glyph.text_font = value(FONT)
    for legend in figure.legend:
        legend.label_text_font_size, legend.label_text_font = "12px", FONT
        legend.stylesheets = [HOST]
        legend.click_policy, legend.padding, legend.margin = "hide", 0, 2


def _add_words(figure: Any) -> None:
    """Places for a hint within the axes and a line above them; both empty."""
    centre = Node(target="frame", symbol="center")
    look = {"text_font": FONT, "text_font_size": FONT_SIZE}
    figure.add_layout(Label(x=centre, y=centre, anchor="center", text="", name="hint", **look))
    figure.add_layout(Title(text="", name="caption", text_font_style="normal", **look), "above")


def tools() -> dict[str, Any]:
    """Toolbar and grid of every figure: save as PNG, zoom to a box, reset."""
    return {"default_tools": ["save", "box_zoom", "reset"], "active_tools": [], "show_grid": True}


class Spares:
    """Keeps one spare copy of each figure ready, made in the background, so that pages open at once.

    Args:
        builders: key -> function that builds the original.

    Attributes:
        every: all that there are, in the order of their making.
        REST_S: seconds in which nobody came or took a figure, before those that were taken are made again: making them
            takes the interpreter from the page that is about to be delivered.
    """

    every: ClassVar[list[Spares]] = []
    REST_S: ClassVar[float] = 1.5
    _restocking: ClassVar[bool] = False
    _wishes: ClassVar[threading.Lock] = threading.Lock()
    _stirred_at: ClassVar[float] = 0.0

    def __init__(self, builders: dict[str, Callable[[], LiveFigure]]) -> None:
        self.every.append(self)
        self._builders = builders
        self._ready: dict[str, LiveFigure] = {}
        self._wanted: list[str] = []
        self._guard = threading.Lock()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all figures."""
        return tuple(self._builders)

    def take(self, key: str) -> LiveFigure:
        """A figure of one's own; another spare is made later, behind it."""
        with self._guard:
            figure = self._ready.pop(key, None)
        self.fill_later((key,))
        return figure or copy_of(key, self._builders[key])

    def fill_later(self, keys: Sequence[str] = ()) -> None:
        """As `fill`, but in the background and after a rest."""
        self.stir()
        with self._wishes:
            self._wanted += keys or self.keys
            idle, Spares._restocking = not Spares._restocking, True
        if idle:
            threading.Thread(target=self._restock, name="qfl-spares", daemon=True).start()

    def fill(self, keys: Sequence[str] = ()) -> None:
        """Makes the spares that are missing among these keys (all, if none is named)."""
        for key in keys or self.keys:
            with self._guard:
                missing = key not in self._ready
            if missing:
                figure = copy_of(key, self._builders[key])
                with self._guard:
                    self._ready.setdefault(key, figure)

    @staticmethod
    def stir() -> None:
        """Somebody comes, or takes a figure."""
        Spares._stirred_at = time.monotonic()

    @classmethod
    def wait_for_rest(cls, rests: int = 1) -> None:
        """Returns when nothing has stirred for so many times `REST_S` seconds."""
        while (rest := Spares._stirred_at + rests * cls.REST_S - time.monotonic()) > 0:
            time.sleep(rest)

    @classmethod
    def _restock(cls) -> None:
        """Makes what is wanted, with pauses; ends when nothing is missing."""
        cls.wait_for_rest()
        while (wish := cls._next_wish()) is not None:
            spares, key = wish
            try:
                spares.fill((key,))
            except Exception:  # whoever asks for the figure gets the message; the others' spares are made
                _LOG.exception("the spare figure %s could not be made", key)
            time.sleep(0.05)
            cls.wait_for_rest()

    @classmethod
    def _next_wish(cls) -> tuple[Spares, str] | None:
        """The next one; where there is none, whoever wishes next begins anew."""
        with cls._wishes:
            for spares in cls.every:
                if spares._wanted:
                    return spares, spares._wanted.pop()
            Spares._restocking = False
            return None

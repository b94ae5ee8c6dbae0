"""Frozen copies of figures, to stand beside the living ones on the same scale."""

from __future__ import annotations

from typing import Any

from bokeh import __version__
from bokeh.core.json_encoder import serialize_json
from bokeh.core.serialization import Serializer
from bokeh.models import ColorMapper, FactorRange, Range1d

from qfl_explore.plots.style import LiveFigure, from_text

AXES = ("x", "y")


class Twin:
    """A figure as it was when it was pinned.

    An axis that shows the same quantity on both figures is shared: one range covers both, also where
    the visitor zooms. Other axes stay as they were. Taking the state takes some tens of milliseconds,
    and so does making the copy; a page does the second in a worker.

    Args:
        live: the figure that goes on changing.

    Attributes:
        copy: the frozen figure, once it is placed.
    """

    def __init__(self, live: LiveFigure) -> None:
        self._live = live
        self._text = _text_of(live.figure)
        self._keys = {axis: axis_key(live.figure, axis) for axis in AXES}
        self._colours = colour_scales(live.figure)
        self._spans = {axis: _span(live, axis) for axis in AXES}
        self._shared: set[str] = set()
        self._closed = False
        self.copy: LiveFigure | None = None

    def make(self) -> LiveFigure:
        """The frozen figure, not placed yet; touches nothing else, so it may be called in a worker."""
        return from_text(self._text, self._live)

    def place(self, copy: LiveFigure, dark: bool) -> bool:
        """Makes a figure from `make` the copy, and shares the axes that mean the same; ``False``: closed before.

        Args:
            copy: fresh, not shown yet.
            dark: the theme.
        """
        if self._closed:
            return False
        self._leave()
        self._shared = self._wanted()
        for axis in self._shared:
            setattr(copy.figure, f"{axis}_range", getattr(self._live.figure, f"{axis}_range"))
            if (span := self._spans[axis]) is not None:
                self._live.beside.setdefault(axis, []).append(span)
        self._widen()
        copy.say("")
        copy.set_dark(dark)
        self.copy = copy
        return True

    @property
    def is_stale(self) -> bool:
        """Whether an axis has another meaning by now, or the same again: it takes another copy."""
        return self.copy is not None and self._wanted() != self._shared

    @property
    def own_scales(self) -> list[str]:
        """What cannot be compared by eye, because its scale is another one: ``x``, ``y``, ``colours``."""
        other = [axis for axis in AXES if axis not in self._shared]
        return other + (["colours"] if colour_scales(self._live.figure) != self._colours else [])

    def close(self) -> None:
        """The live figure's range covers its own data only again."""
        self._closed = True
        self._leave()
        self._widen()

    def _wanted(self) -> set[str]:
        return {axis for axis in AXES if axis_key(self._live.figure, axis) == self._keys[axis]}

    def _leave(self) -> None:
        for axis in self._shared:
            if (span := self._spans[axis]) is not None:
                self._live.beside[axis].remove(span)
        self._shared = set()

    def _widen(self) -> None:
        """Shows what the live figure asked for, and the copies beside it."""
        spans = {axis: _span(self._live, axis) for axis in AXES}
        self._live.set_range(**{axis: span for axis, span in spans.items() if span is not None})


def axis_key(figure: Any, axis: str) -> tuple[Any, ...]:
    """What an axis means: its label, the names of its ticks, its scale; equal keys may share a range."""
    span = getattr(figure, f"{axis}_range")
    axes = getattr(figure, f"{axis}axis")
    names = tuple((one.axis_label, repr(sorted(one.major_label_overrides.items(), key=repr))) for one in axes)
    factors = tuple(map(str, span.factors)) if isinstance(span, FactorRange) else ()
    return type(span).__name__, type(getattr(figure, f"{axis}_scale")).__name__, names, factors


def colour_scales(figure: Any) -> list[tuple[Any, Any]]:
    """Ends of the colour maps of a figure."""
    return [(getattr(mapper, "low", None), getattr(mapper, "high", None)) for mapper in figure.select(ColorMapper)]


def _span(live: LiveFigure, axis: str) -> tuple[float, float] | None:
    """What was asked for, or is shown; ``None`` where the browser or names decide."""
    if axis in live.asked:
        return live.asked[axis]
    span = getattr(live.figure, f"{axis}_range")
    if not isinstance(span, Range1d):
        return None
    start, end = span.start, span.end
    known = all(isinstance(one, (int, float)) and one == one for one in (start, end))
    return (float(start), float(end)) if known else None


def _text_of(figure: Any) -> str:
    """The JSON of a document that holds the figure only."""
    content = Serializer(deferred=False).encode([figure])
    return serialize_json({"version": __version__, "title": "", "config": _CONFIG, "roots": content})


def _config() -> Any:
    from bokeh.document import Document

    return Document().to_json(deferred=False)["config"]


_CONFIG = _config()

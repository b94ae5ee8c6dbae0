"""Figures on a larger scale: lines, markers and written values; for a projector, or for a room's last row.

The text of axes, titles and legends follows the page by itself, because its sizes are relative (see `style`).
"""

from __future__ import annotations

import re
from typing import Any

from bokeh.models import Label, Title

_TAG = "scale="
_COLUMNS = "columns"
_LEAST = "least"
#: Widths in pixels: of a narrow figure, of what stands beside a legend in it, of the mark before an entry, of a letter
#: at scale 1.
_NARROW, _BESIDE, _MARK, _LETTER = 270, 105, 36, 7.2
_PIXELS = re.compile(r"([\d.]+)px")


def scale_of(figure: Any) -> float:
    """The scale that a Bokeh figure has; a copy of it has the same."""
    found = [tag for tag in figure.tags if isinstance(tag, str) and tag.startswith(_TAG)]
    return float(found[0].removeprefix(_TAG)) if found else 1.0


def set_least(figure: Any, least: int) -> None:
    """Notes how wide a figure is at least, in pixels at scale 1; its legend is folded to fit.

    Args:
        figure: of Bokeh.
        least: at a larger scale the figure is so much wider.
    """
    figure.tags = [*(tag for tag in figure.tags if not _is(tag, _LEAST)), [_LEAST, least]]


def _is(tag: Any, name: str) -> bool:
    return isinstance(tag, tuple | list) and tag[0] == name


def set_scale(figure: Any, scale: float) -> None:
    """Draws lines, markers and written values of a Bokeh figure so many times as large as they were made."""
    ratio = scale / scale_of(figure)
    if ratio == 1.0:
        return
    figure.tags = [*(tag for tag in figure.tags if not str(tag).startswith(_TAG)), f"{_TAG}{scale:g}"]
    for model, names in _lettered(figure):
        model.update(**{name: _pixels(getattr(model, name), scale, ratio) for name in names})
    least = next((tag[1] for tag in figure.tags if _is(tag, _LEAST)), _NARROW)
    for legend in figure.legend:
        _fold(legend, scale, scale * least - _BESIDE)
    for renderer in figure.renderers:
        for glyph in filter(None, (getattr(renderer, "glyph", None), getattr(renderer, "muted_glyph", None))):
            glyph.update(**_resized(glyph, ratio))


def _fold(legend: Any, scale: float, room: float) -> None:
    """Gives a legend as many columns as large letters leave room for, and its own again without them."""
    kept = [tag for tag in legend.tags if _is(tag, _COLUMNS)]
    own = kept[0][1] if kept else legend.ncols
    longest = max((len(str(getattr(item.label, "value", "") or "")) for item in legend.items), default=0)
    fitting = max(1, int(room / (_MARK + longest * _LETTER * scale)))
    least = own if isinstance(own, int) else len(legend.items)
    legend.tags = [tag for tag in legend.tags if tag not in kept] + ([[_COLUMNS, own]] if scale != 1.0 else [])
    legend.ncols = own if scale == 1.0 else max(1, min(least, fitting))


def keep_scale(figure: Any) -> None:
    """Keeps the text of axes and colour bars at the figure's scale.

    The app's theme sets it relative to the page, in em, whenever it is applied; Bokeh takes an em there for 13 pixels,
    whatever the page says.
    """

    def keep(model: Any, name: str, new: str) -> None:
        if scale_of(figure) != 1.0 and str(new).endswith("em"):
            model.update(**{name: _pixels(new, scale_of(figure), 1.0)})

    for model, names in _lettered(figure):
        for name in names:
            model.on_change(name, lambda attr, old, new, model=model: keep(model, attr, new))


def _lettered(figure: Any) -> list[tuple[Any, tuple[str, ...]]]:
    """What draws letters on the canvas, and the names of their sizes."""
    axes = [(axis, ("axis_label_text_font_size", "major_label_text_font_size")) for axis in figure.axis]
    sizes = ("title_text_font_size", "major_label_text_font_size")
    words = [one for one in (figure.title, *figure.above, *figure.center) if isinstance(one, Title | Label)]
    axes += [(one, ("text_font_size",)) for one in words]
    return axes + [(part, sizes) for part in figure.right if hasattr(part, "color_mapper")]


def _pixels(size: str, scale: float, ratio: float) -> str:
    """A size in pixels: of an em at a scale, or of so many pixels times the ratio.

    >>> _pixels("1em", 1.5, 1.5), _pixels("12px", 1.5, 1.5)
    ('19.5px', '18px')
    """
    if str(size).endswith("em"):
        return f"{round(13 * scale * float(size[:-2]), 2):g}px"
    found = _PIXELS.fullmatch(str(size))
    return f"{round(ratio * float(found[1]), 2):g}px" if found else size


def _resized(glyph: Any, ratio: float) -> dict[str, Any]:
    """The sizes of a glyph that are numbers, not columns."""
    found: dict[str, Any] = {}
    for name in ("line_width", "size"):
        value = getattr(glyph, name, None)
        if isinstance(value, int | float):
            found[name] = round(value * ratio, 4)
    text = getattr(glyph, "text_font_size", None)
    pixels = _PIXELS.fullmatch(text) if isinstance(text, str) else None
    if pixels:
        found["text_font_size"] = f"{round(float(pixels[1]) * ratio, 2):g}px"
    return found

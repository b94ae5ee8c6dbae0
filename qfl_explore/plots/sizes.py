"""Figures on a larger scale: lines, markers and written values; for a projector, or for a room's last row.

The text of axes, titles and legends follows the page by itself, because its sizes are relative (see `style`).
"""

from __future__ import annotations

import re
from typing import Any

_TAG = "scale="
_PIXELS = re.compile(r"([\d.]+)px")


def scale_of(figure: Any) -> float:
    """The scale that a Bokeh figure has; a copy of it has the same."""
    found = [tag for tag in figure.tags if isinstance(tag, str) and tag.startswith(_TAG)]
    return float(found[0].removeprefix(_TAG)) if found else 1.0


def set_scale(figure: Any, scale: float) -> None:
    """Draws lines, markers and written values of a Bokeh figure so many times as large as they were made."""
    ratio = scale / scale_of(figure)
    if ratio == 1.0:
        return
    figure.tags = [*(tag for tag in figure.tags if not str(tag).startswith(_TAG)), f"{_TAG}{scale:g}"]
    for renderer in figure.renderers:
        for glyph in filter(None, (getattr(renderer, "glyph", None), getattr(renderer, "muted_glyph", None))):
            glyph.update(**_resized(glyph, ratio))


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

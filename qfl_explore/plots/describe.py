"""What a figure shows, in words: its name for screen readers, which see nothing of a canvas."""

from __future__ import annotations

from typing import Any


def words(figure: Any, title: str = "") -> str:
    """Title, axes and series of a Bokeh figure.

    Args:
        figure: with its axes' names.
        title: that stands above it on the page; empty: its own.
    """
    across, upwards = (_names(axes) for axes in (figure.xaxis, figure.yaxis))
    axes = "; ".join(f"{way}: {name}" for way, name in (("across", across), ("upwards", upwards)) if name)
    series = [label for legend in figure.legend for label in map(_label, legend.items) if label]
    shown = f"Series: {', '.join(dict.fromkeys(series))}." if series else ""
    heading = title or figure.title.text or ""
    parts = (f"{heading.rstrip('.')}." if heading else "", f"Chart, {axes}." if axes else "Chart.", shown)
    return " ".join(filter(None, parts))


def describe(figure: Any, title: str = "") -> None:
    """Gives a Bokeh figure its name, which follows the names of its axes."""

    def name(*_: Any) -> None:
        said = {"role": "figure", "aria-label": words(figure, title)}
        if figure.html_attributes != said:
            figure.html_attributes = said

    for axis in figure.axis:
        axis.on_change("axis_label", lambda attr, old, new: name())
    name()


def _names(axes: Any) -> str:
    return ", ".join(str(axis.axis_label) for axis in axes if axis.visible and axis.axis_label)


def _label(item: Any) -> str:
    return str(getattr(item.label, "value", "") or "") if item.visible else ""

"""In what two sets of settings differ, in words; and what that lets one say. No Panel."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import param

#: Settings that draw something at random anew.
SEEDS = frozenset({"seed", "first_seed", "n_seeds", "seeds", "wall_seeds"})
#: Characters of a value that are shown.
_LONGEST = 40
#: So many settings are named in a label; more are counted.
_NAMED = 2


@dataclasses.dataclass(frozen=True)
class Change:
    """One setting that differs.

    Attributes:
        name: of the parameter.
        label: in words.
        old: its value before, in words.
        new: its value now, in words.
    """

    name: str
    label: str
    old: str
    new: str


def settings_of(state: Any) -> dict[str, Any]:
    """The values of all settings that a link would carry."""
    return {name: getattr(state, name) for name in state.URL}


def label_of(state: param.Parameterized, name: str) -> str:
    """A setting in words.

    >>> from qfl_explore.dashboards.state import PolynomialState
    >>> label_of(PolynomialState(), "degree"), label_of(PolynomialState(), "target_degree")
    ('Degree P', 'Degree of the target k')
    """
    return re.split(r"[:(]", state.param[name].doc or name)[0].strip() or name


def value_words(state: param.Parameterized, name: str, value: Any) -> str:
    """A value as its widget shows it."""
    parameter = state.param[name]
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(parameter, param.Selector) and not isinstance(value, list):
        shown = {repr(option): text for text, option in parameter.get_range().items()}
        value = shown.get(repr(value), value)
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def changes(state: param.Parameterized, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The settings that differ, in the order of ``before``."""
    return [
        Change(name, label_of(state, name), value_words(state, name, old), value_words(state, name, after[name]))
        for name, old in before.items()
        if name in after and after[name] != old
    ]


def arrows(found: Sequence[Change]) -> str:
    """Changes in one line: "Degree P 3 → 5"; many are counted."""
    if len(found) > _NAMED:
        return f"{len(found)} settings"
    return ", ".join(f"{one.label} {one.old} → {one.new}" for one in found)


def verdict(found: Sequence[Change], finished: bool, running: bool) -> str:
    """What the difference between two pictures may be taken for, and what not.

    Args:
        found: the settings that differ.
        finished: whether the pinned run was finished when it was pinned.
        running: whether the present run is still going on.
    """
    seeds = [one for one in found if one.name in SEEDS]
    others = [one for one in found if one.name not in SEEDS]
    if not found:
        said = "The settings are the same."
    elif not others:
        said = "Only the seeds differ, so what differs between the pictures is chance."
    else:
        count = "one setting" if len(others) == 1 else f"{len(others)} settings"
        said = f"The runs differ in {count}"
        said += " and in their seeds, which are not paired" if seeds else "; their seeds are the same"
        said += (
            "." if len(others) == 1 and not seeds else ": which of them makes a difference cannot be told from this."
        )
        said += " An interval in a headline is of that run alone; none of them tests the difference between the two."
    if not finished:
        said += " The pinned run was not finished."
    return f"{said} The present run is not finished." if running else said

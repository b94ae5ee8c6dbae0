"""What a visitor of the page Teach chooses: plain parameters, no Panel."""

from __future__ import annotations

import param

from qfl_explore.dashboards.parameters import State


class TeachState(State):
    """Which lesson is shown, and which words are looked for."""

    lesson = param.Selector(default="45", objects={"45 minutes": "45", "90 minutes": "90"}, doc="Lesson")
    find = param.String(default="", doc="Find a word")

    URL = {"lesson": "lesson", "find": "find"}
    DRAWN = ("lesson", "find")

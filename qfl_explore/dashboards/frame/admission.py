"""How many tabs may be open at once, and the friendly page for one more."""

from __future__ import annotations

import os
from typing import Any

import panel_material_ui as pmui

from qfl_explore.dashboards.parts.text import Text

#: Environment variable with the number of tabs; `qfl_explore.cli.serve` sets it.
VARIABLE = "QFL_EXPLORE_VISITORS"
MOST = 60
#: Pages that were delivered and not connected yet, or closed a moment ago, for each tab.
SLACK = 2

_inside: set[str] = set()


def most() -> int:
    """Tabs that may be open at once; a value that is no number counts as the usual one."""
    text = os.environ.get(VARIABLE, "")
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else MOST


def admit(document: Any) -> bool:
    """Whether this visitor gets a place; it is free again when the session ends.

    Without a session (a test, a notebook) there is always one.
    """
    context = getattr(document, "session_context", None)
    if context is None:
        return True
    connections = {session.id: session.connection_count for session in context.server_context.sessions}
    _inside.intersection_update({*connections, context.id})  # a session that ended unseen
    others = _inside - {context.id}
    if sum(connections.get(name, 0) > 0 for name in others) >= most() or len(others) >= (1 + SLACK) * most():
        return False
    _inside.add(context.id)
    document.on_session_destroyed(_leave)
    return True


def _leave(context: Any) -> None:
    _inside.discard(context.id)


def full_page(theme: dict[str, Any], frame: dict[str, Any]) -> pmui.Page:
    """What a visitor sees who gets no place; opening the address again asks anew."""
    words = (
        f"All places are taken ({most()} open tabs). Close a tab that you do not need, or wait until somebody leaves; "
        "then load this page again. Nothing is lost: the link keeps your settings."
    )
    retry = pmui.Button(label="Try again", variant="contained", icon="refresh", margin=(4, 10))
    retry.jscallback(clicks="window.location.reload()")
    main = pmui.Column(
        Text("The room is full", size=22, weight=600), Text(words, size=16), retry, margin=(24, 16), max_width=640
    )
    return pmui.Page(
        title="qfl_explore · the room is full",
        main=[main],
        theme_config=theme,
        sx=frame,
        busy_indicator=None,
    )

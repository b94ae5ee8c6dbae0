"""What every page offers for others: a link to a part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qfl_explore.dashboards.pages import Session


def views_of(session: Session) -> dict[str, tuple[str, str, Callable[[], Any]]]:
    """Views for `take_along.TakeAlong`: name -> label, icon, and what makes it when a visitor asks for it.

    Args:
        session: what the pages share.
    """

    def exercise() -> Any:
        from qfl_explore.dashboards.exercise import Picker
        from qfl_explore.dashboards.take_along import base_address

        return Picker(session, base_address)

    return {"exercise": ("Exercise link", "school", exercise)}

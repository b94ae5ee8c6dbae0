"""The browser's address bar, in step with what the visitor sees: a reload or a bookmark brings it back."""

from __future__ import annotations

from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from qfl_explore.dashboards.pages import Session

#: Milliseconds from a change to the address bar; browsers refuse hundreds of changes in half a minute.
DELAY_MS = 400


class AddressBar(JSComponent):
    """Writes ``search`` into the address bar in place of what is there, so that Back leads out of the app as before.

    `panel.io.location.Location` would add an entry to the history for every change.
    """

    search = param.String(default="", doc="What follows the path: empty, or ? and the words.")

    _esm = """
export function render({ model }) {
  model.on("search", () => {
    const { pathname, hash } = window.location;
    window.history.replaceState(window.history.state, "", pathname + model.search + hash);
  });
  return document.createElement("span");
}
"""


class Address:
    """Keeps the address bar of one visitor.

    The link that the visitor came with stays until something changes, so that a wrong word in it can still be read
    and corrected.

    Args:
        session: whose `Session.address` is written.

    Attributes:
        bar: to be placed somewhere on the page; it takes no room.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._document = session, pn.state.curdoc
        self._waiting = False
        self._known = session.address()
        self.bar = AddressBar(search=self._known, width=0, height=0, margin=0, sizing_mode="fixed")
        session.param.watch(self._moved, "moved")

    def _moved(self, *_: Any) -> None:
        if self._waiting:
            return
        if self._document is None or not self._document.session_context:
            self.write()
            return
        self._waiting = True
        self._document.add_timeout_callback(self.write, DELAY_MS)

    def write(self) -> None:
        """Writes the address now, where it changed."""
        self._waiting = False
        address = self._session.address()
        if address != self._known:
            self._known = self.bar.search = address

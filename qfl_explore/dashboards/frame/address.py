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

    # Each Material component reads the address when it is made, and where that says theme=dark it stays dark, though
    # the visitor has turned to light since. So the word goes with the click, before anything else is made, and what the
    # server wrote before it knew of the click does not bring it back.
    _esm = """
export function render({ model }) {
  let light = false;
  const write = () => {
    const { pathname, hash } = window.location;
    const without = model.search.replace(/([?&])theme=dark(&|$)/, "$1").replace(/[?&]$/, "");
    window.history.replaceState(window.history.state, "", pathname + (light ? without : model.search) + hash);
  };
  const turned = (event) => {
    const path = event.composedPath();
    if (path.some((element) => element.getAttribute?.("aria-label") === "Toggle theme")) {
      light = path.some((element) => element.classList?.contains("mui-dark"));
      write();
    }
  };
  model.on("search", write);
  document.addEventListener("click", turned, true);
  model.on("remove", () => document.removeEventListener("click", turned, true));
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

"""What every page with settings has: pin, undo, redo, keys and a list of them; and the browser's half, ``desk.js``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent

from qfl_explore.dashboards.parts.differences import arrows, changes, settings_of
from qfl_explore.dashboards.parts.history import Entry, History
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.text import Text

#: What a key does, for the list: key -> words.
SHORTCUTS = {
    "Space": "start or pause the run",
    "→": "one step",
    "←": "rewind to the first step, same seed",
    "P": "pin the result on the page, to compare the next one with it",
    "?": "show this list",
    "Ctrl Z": "undo the last change of a setting (⌘ Z on a Mac)",
    "Ctrl Shift Z": "do it again",
    "Tab, Enter, Esc": "go to the next control, press it, close a list: as everywhere",
}
ABOUT = (
    "Keys that have a use where the focus is keep it: space presses a button, arrows move a slider or a tab, and in a "
    "text field every key types. Click on an empty place of the page to give them back to the run."
)
_TABLE = f"width:100%;border-collapse:collapse;font-size:{px(14)};line-height:1.6"
_KEY = "text-align:left;font-weight:600;white-space:nowrap;padding:3px 18px 3px 0;vertical-align:top"


class Desk(JSComponent):
    """Listens for keys and for the buttons that save a picture; takes no room on the page.

    A key comes as a message with its meaning: ``toggle``, ``step``, ``rewind``, ``pin``, ``help``, ``undo`` or
    ``redo``. Pictures are saved in the browser alone.
    """

    keys = param.Boolean(default=True, doc="Keys control the run; the browser remembers it.")
    page = param.String(default="", doc="The page's name, for file names.")
    about = param.String(default="", doc="Settings in words, for what a saved picture says of itself.")
    settings_id = param.String(default="", doc="Of the settings, for file names.")

    _esm = Path(__file__).with_name("desk.js").read_text(encoding="utf-8")

    def __init__(self, act: Callable[[str], None], **params: Any) -> None:
        super().__init__(**({"width": 0, "height": 0, "margin": 0, "sizing_mode": "fixed"} | params))
        self.on_msg(lambda event: act(str(event.data)))


class Bar:
    """Buttons beside those of a run: Pin, undo, redo, the list of keys; and what the keys do.

    Args:
        state: whose settings are undone.
        history: of them.
        acts: meaning of a key -> what it does, without ``help``, ``undo`` and ``redo``.
        page: the page's name.

    Attributes:
        desk: the browser's half.
        pin: the button Pin; a page may say otherwise what it is called.
        dialog: the list of keys.
    """

    def __init__(self, state: Any, history: History, acts: Mapping[str, Callable[[], Any]], page: str) -> None:
        self._state, self._history = state, history
        self._acts = dict(acts) | {"undo": history.undo, "redo": history.redo, "help": self.show_list}
        self.desk = Desk(self.act, page=page or "polynomial")
        self.pin = pmui.Button(label="Pin", icon="push_pin", variant="outlined", margin=0)
        self.undo = _icon("Undo", "undo")
        self.redo = _icon("Redo", "redo")
        self.list = _icon("Keyboard shortcuts", "keyboard")
        for widget, name in ((self.pin, "pin"), (self.undo, "undo"), (self.redo, "redo"), (self.list, "help")):
            widget.on_click(lambda _, name=name: self.act(name))
        self.dialog = pmui.Dialog(title="Keyboard shortcuts", title_variant="h6", close_on_click=True, margin=0)
        self._row = pmui.FlexBox(*self.buttons, align_items="center", gap="6px", margin=0, sizing_mode=None)
        self._unseen = pn.Row(self.desk, self.dialog, width=0, height=0, margin=0, sizing_mode="fixed")
        self._filled = False
        history.listen(self._tell)
        self._tell()

    @property
    def buttons(self) -> tuple[Any, ...]:
        """All of them, in their order."""
        return self.pin, self.undo, self.redo, self.list

    def __panel__(self) -> Any:
        return pmui.FlexBox(self._row, self._unseen, gap="0px", align_items="center", margin=0, sizing_mode=None)

    def alone(self) -> pmui.Column:
        """The bar in a line of its own, for a page without the buttons of a run."""
        return pmui.Column(self, margin=(4, 10, 2, 10))

    def act(self, meaning: str) -> None:
        """Does what a key or a button means; what a page does not have does nothing."""
        if meaning in self._acts:
            self._acts[meaning]()

    def describe(self, config: Any, about: str) -> None:
        """What saved pictures are called after, and say of themselves.

        Args:
            config: of the run.
            about: settings in words.
        """
        found = getattr(config, "run_id", None)
        name = found if isinstance(found, str) else hashlib.sha256(about.encode()).hexdigest()
        self.desk.param.update(settings_id=name[:12], about=about)

    def show_list(self) -> None:
        """Opens the list of keys; it is built the first time."""
        if not self._filled:
            self._filled = True
            switch = pmui.Switch.from_param(self.desk.param.keys, label="Keys control the run", margin=(8, 10))
            close = pmui.Button(label="Close", variant="outlined", margin=(8, 10))
            close.on_click(lambda _: self.dialog.param.update(open=False))
            self.dialog[:] = [
                pn.pane.HTML(_list_html(), margin=(0, 10), sizing_mode="stretch_width"),
                switch,
                Text("Undo and redo stay; the browser remembers the switch.", size=13, margin=(0, 10)),
                Text(ABOUT, size=13, margin=(8, 10)),
                close,
            ]
        self.dialog.open = True

    def _tell(self) -> None:
        for widget, word, entry in (
            (self.undo, "Undo", self._history.next_undo),
            (self.redo, "Redo", self._history.next_redo),
        ):
            words = f"{word}: {self._words(entry, word)}" if entry else f"Nothing to {word.lower()}"
            widget.param.update(disabled=entry is None, description=words)

    def _words(self, entry: Entry, word: str) -> str:
        ends = (entry.after, entry.before) if word == "Undo" else (entry.before, entry.after)
        return arrows(changes(self._state, *ends))


def settings_words(state: Any) -> str:
    """The settings that differ from their defaults, in words."""
    defaults = {name: state.param[name].default for name in state.URL}
    found = changes(state, defaults, settings_of(state))
    return "; ".join(f"{one.label}: {one.new}" for one in found) + "." if found else "All settings at their defaults."


def _icon(label: str, icon: str) -> pmui.Button:
    """A small button that shows an icon only; its name is for screen readers and hovering."""
    return pmui.Button(label="", icon=icon, variant="outlined", margin=0, description=label, sx=ICON)


#: Of a button without a word.
ICON = {"minWidth": "40px", "padding": "5px 8px", ".MuiButton-startIcon": {"margin": 0}}


def _list_html() -> str:
    rows = "".join(
        f'<tr><th scope="row" style="{_KEY}">{key}</th><td style="padding:3px 0">{words}</td></tr>'
        for key, words in SHORTCUTS.items()
    )
    return f'<table style="{_TABLE}">{rows}</table>'

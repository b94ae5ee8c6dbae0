"""What every experiment's page lets a visitor take along: a table, CSV, Python source and a link."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.link import query_of
from qfl_explore.dashboards.parts.buttons import button, code_block, copy_button, download
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import message
from qfl_explore.dashboards.share.spreadsheet import to_csv

if TYPE_CHECKING:
    import pandas as pd

#: Rows that the table view shows; the CSV has all of them.
MAX_ROWS = 200
TABLE_STYLE = f"""
.rows {{ max-height: {px(340)}; overflow: auto; border: 1px solid rgba(128, 128, 128, 0.35); }}
table {{ border-collapse: collapse; width: 100%; font-size: {px(13)}; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; opacity: 0.85; padding: 4px 10px 6px; }}
th, td {{ text-align: right; padding: 3px 10px; border-bottom: 1px solid rgba(128, 128, 128, 0.25); }}
th {{ font-weight: 600; white-space: nowrap; }}
"""
NOTHING_YET = "There is no result yet: start the run first."

#: What a button opens may lie below the window.
_INTO_SIGHT = """
setTimeout(() => {
  const view = Bokeh.index.find_one_by_id(drawer.id);
  if (drawer.visible && view) view.el.scrollIntoView({block: "nearest", behavior: "smooth"});
}, 600)
"""


class TakeAlong:
    """Buttons, and a drawer below them that shows one thing at a time.

    Pressing a button again closes what it opened. Whatever a callable raises becomes a notice.

    Args:
        table: the page's result as a tidy table, or ``None`` while there is none.
        filename: of the CSV, for example ``gradient_variance.csv``.
        snippet: Python source that gives the page's number again.
        query: the page's state as URL words.
        notify: shows a message; gets the text and ``"error"``.
        page: the page's name in the registry; goes into the link.
        toml: the same as a file for the command line, where the page has one.
        extra: further buttons, placed before the others.
        more: further views: name -> label, icon, and what makes the view; see `sharing.views_of`.
    """

    def __init__(
        self,
        *,
        table: Callable[[], pd.DataFrame | None],
        filename: str,
        snippet: Callable[[], str],
        query: Callable[[], Mapping[str, str]],
        notify: Callable[[str, str], None],
        page: str = "",
        toml: Callable[[], str] | None = None,
        extra: tuple[Any, ...] = (),
        more: Mapping[str, tuple[str, str, Callable[[], Any]]] | None = None,
    ) -> None:
        self._table, self._snippet, self._query, self._notify = table, snippet, query, notify
        self._toml = toml
        self._page = page
        self._open = ""
        self.drawer = pmui.Column(visible=False, sizing_mode="stretch_width", margin=(6, 0))
        parts = {"table": ("Table", "table_rows"), "code": ("Copy as Python", "code"), "link": ("Link", "link")}
        makers = {"table": self.table_view, "code": self.code_view, "link": self.link_view}
        if toml is not None:
            parts["toml"], makers["toml"] = ("Copy as TOML", "description"), self.toml_view
        for name, (label, icon, make) in (more or {}).items():
            parts[name], makers[name] = (label, icon), make
        self._lasting = tuple(more or ())
        self.buttons = {name: button(*looks) for name, looks in parts.items()}
        for name, widget in self.buttons.items():
            widget.on_click(lambda _, name=name: self._toggle(name, makers[name]))
            widget.jscallback(clicks=_INTO_SIGHT, args={"drawer": self.drawer})
        self._makers = makers
        self.download = download(self.csv, filename, "Download CSV")
        self._extra = extra

    def __panel__(self) -> Any:
        names = ("code", "toml", "link", *self._lasting)
        order = [self.buttons[name] for name in names if name in self.buttons]
        row = (self.buttons["table"], self.download, *order)
        buttons = pmui.FlexBox(*self._extra, *row, gap="8px", align_items="center")
        return pmui.Column(buttons, self.drawer, sizing_mode="stretch_width", margin=(8, 10))

    def refresh(self) -> None:
        """Draws anew what the drawer shows; call it when the result or the settings changed."""
        if self._open and self._open not in self._lasting:
            self._show(self._open, self._makers[self._open])

    def csv(self) -> io.StringIO:
        """The whole table as CSV; empty while there is none."""
        table = self._asked(self._table)
        if table is None:
            self._notify(NOTHING_YET, "info")
            return io.StringIO("")
        return io.StringIO(to_csv(table))

    def table_view(self) -> Any:
        """The table, or a sentence that there is none."""
        table = self._table()
        if table is None or not len(table):
            return Text(NOTHING_YET, size=13)
        return pn.pane.HTML(table_html(table), stylesheets=[TABLE_STYLE], sizing_mode="stretch_width")

    def code_view(self) -> Any:
        """The snippet with a button that copies it."""
        return code_block(self._snippet())

    def toml_view(self) -> Any:
        """The file for the command line with a button that copies it."""
        return code_block(self._toml() if self._toml else "", "toml")

    def link_view(self) -> Any:
        """The address of this state with a button that copies it."""
        address = base_address() + query_of(self._words())
        box = pmui.TextInput(label="Link to this state", value=address, sizing_mode="stretch_width")
        return pn.Row(box, copy_button(address), sizing_mode="stretch_width")

    def _words(self) -> dict[str, str]:
        return ({"page": self._page} if self._page else {}) | dict(self._query())

    def _toggle(self, name: str, make: Callable[[], Any]) -> None:
        if self._open == name:
            self._open = ""
            self.drawer.visible = False
            return
        self._show(name, make)

    def _show(self, name: str, make: Callable[[], Any]) -> None:
        item = self._asked(make)
        if item is not None:
            self.drawer[:] = [item]
            self.drawer.visible, self._open = True, name

    def _asked(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except (ValueError, TypeError, ImportError) as error:
            self._notify(message(error), "error")
            return None


def base_address() -> str:
    """The app's address, before the question mark."""
    location = pn.state.location
    return location.href.split("?")[0].split("#")[0] if location and location.href else "/app"


def table_html(table: pd.DataFrame, most: int = MAX_ROWS) -> str:
    """A table as HTML, floats with five significant digits; a long one is cut, and says so.

    Args:
        table: tidy, its index is not shown.
        most: rows to show.
    """
    shown = table.head(most)
    count = f"{len(table)} rows" if len(table) > 1 else "1 row"
    caption = count if len(shown) == len(table) else f"The first {most} of {count}; the CSV has all of them."
    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in table.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in shown.itertuples(index=False))
    return (
        f'<div class="rows" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return f"<td>{'–' if text == 'nan' else html.escape(text)}</td>"

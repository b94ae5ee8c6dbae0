"""What a page needs in a notebook besides itself: Panel's extension and the widgets' code, once, all from here."""

from __future__ import annotations

import base64
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement
from panel.io.notebook import patch_inline_stylesheets
from panel.pane.base import ModelPane
from panel.pane.markup import HTMLBasePane
from panel_material_ui.base import BUNDLE_PATH

from qfl_explore.dashboards.parts import look
from qfl_explore.dashboards.parts.components import SCRIPT
from qfl_explore.dashboards.parts.terms import popover
from qfl_explore.dashboards.runs import kernel

#: What every widget loads in place of its own copy of the code (1.4 MB each); the page's output has it once.
_MODULE = (
    "data:text/javascript,"  # on one line and without double quotes: Panel quotes it
    "while (window.qflWidgets === undefined) await new Promise((done) => setTimeout(done, 30)); "
    "export default (await window.qflWidgets).default;"
)
#: Rules of the icons for every widget's shadow root; the fonts themselves are the document's.
_ICONS = (
    "data:text/css,.material-icons,.material-icons-outlined{font-weight:400;font-style:normal;font-size:24px;"
    "line-height:1;letter-spacing:normal;text-transform:none;display:inline-block;white-space:nowrap;direction:ltr;"
    "font-feature-settings:'liga'}.material-icons{font-family:'Material Icons'}"
    ".material-icons-outlined{font-family:'Material Icons Outlined'}"
)
_FONTS = {"Material Icons": "material-icons-[A-Z]*.woff2", "Material Icons Outlined": "material-icons-outlined-*.woff2"}
_SCRIPT = """
if (window.qflWidgets === undefined) {{
  const style = document.createElement("style");
  style.textContent = atob("{fonts}");
  document.head.append(style);
  const text = new TextDecoder().decode(Uint8Array.from(atob("{code}"), (letter) => letter.charCodeAt(0)));
  window.qflWidgets = (async () => {{
    const known = () => window.Bokeh?.Models?.get("panel.models.esm.ReactComponent");
    while (!known()) await new Promise((done) => setTimeout(done, 30));
    {components}
    return import(URL.createObjectURL(new Blob([text], {{type: "text/javascript"}})));
  }})();
}}
"""
_closers: dict[str, Callable[[], None]] = {}


def load() -> None:
    """Loads Panel's extension into the notebook, everything inline; does nothing outside a kernel."""
    if not kernel.in_kernel():
        return
    import holoviews as hv

    if "bokeh" not in hv.Store.renderers or not getattr(hv.extension, "_loaded", False):
        hv.extension("bokeh", inline=True, logo=False)
    if not pn.extension._loaded or not pn.config.inline:
        pn.extension(inline=True)
    _keep_styles()
    if _deleted not in pn.extension._delete_actions:
        pn.extension.add_delete_action(_deleted)


@functools.cache
def _keep_styles() -> None:
    """Panes of text keep their style sheets when the text changes; Panel names those on the network anew each time."""
    for kind in (ModelPane, HTMLBasePane):
        kind._update = _with_styles(kind._update)


def _with_styles(update: Callable[..., None]) -> Callable[..., None]:
    def both(self: Any, ref: str, model: Any) -> None:
        before = list(model.stylesheets)
        update(self, ref, model)
        if before:
            model.stylesheets = before

    return both


def _deleted(view: str) -> None:
    close = _closers.pop(view, None)
    if close is not None:
        close()


def when_deleted(views: Sequence[str], close: Callable[[], None]) -> None:
    """Calls a function when the browser drops one of these views: its cell is run again, cleared or deleted."""
    for view in views:
        _closers[view] = close


@functools.cache
def _script() -> str:
    code = base64.b64encode(BUNDLE_PATH.read_bytes()).decode()
    faces = "".join(_face(family, pattern) for family, pattern in _FONTS.items())
    fonts = base64.b64encode(faces.encode()).decode()
    return f'<script type="text/javascript">{_SCRIPT.format(code=code, fonts=fonts, components=SCRIPT)}</script>'


def _face(family: str, pattern: str) -> str:
    """A font as a rule of CSS; empty where the library has it no more."""
    for file in sorted(BUNDLE_PATH.parent.glob(pattern))[:1]:
        data = base64.b64encode(file.read_bytes()).decode()
        return f'@font-face {{font-family: "{family}"; src: url("data:font/woff2;base64,{data}") format("woff2");}}'
    return ""


def bring(bundle: Any) -> None:
    """Puts the widgets' code in front of a page's output."""
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    if isinstance(data, dict) and "text/html" in data and kernel.in_kernel():
        data["text/html"] = _script() + data["text/html"]


def _slim(viewable: Any, root: Any, changed: Any = None, old_models: Any = None) -> None:
    """Lets widgets share their code; Panel would put a copy into each."""
    if not kernel.in_kernel():
        return
    kind = sys.modules["panel.models"].ReactComponent
    for model in root.select({"type": kind}):
        if model.bundle not in (None, "url"):
            model.update(bundle="url", esm=_MODULE, css_bundle=_ICONS)


def _inline(viewable: Any, root: Any, changed: Any = None, old_models: Any = None) -> None:
    """Puts style sheets inline before a document has the root; Panel does it after, and each takes a walk through all.

    That was half of the time in which a page is drawn below a cell.
    """
    if kernel.in_kernel() and pn.config.inline and root.document is None:
        for model in root.select({"type": UIElement}):
            patch_inline_stylesheets(model)


def themed(content: Any, session: Any) -> Any:
    """The root of a page's output: theme and fonts of the app; the host's dark mode reaches the pictures."""
    looks = {"theme_config": look.theme(), "dark_theme": session.dark, "sizing_mode": "stretch_width"}
    root = pmui.Column(content, popover(), **looks)
    root._hooks = [*root._hooks, _slim, _inline]
    root.param.watch(lambda event: session.param.update(dark=event.new), "dark_theme")
    return root

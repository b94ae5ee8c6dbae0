"""The document that a visitor's browser gets first: only the scripts that our pages use, the largest one early."""

from __future__ import annotations

import re

import jinja2
import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.frame.packed import pack_scripts
from qfl_explore.dashboards.parts.components import SCRIPT
from qfl_explore.dashboards.runs.tuning import tune

#: Scripts and styles that every Panel page brings along and none of ours uses: tables that we draw as HTML, WebGL.
UNUSED = re.compile(r"[ \t]*<(?:script|link)\b[^>]*(?:tabulator|luxon|bokeh-gl)[^>]*>(?:</script>)?\n?")


def lean(html: str, early: str = "") -> str:
    """A document without what `UNUSED` names, and with our own script, `components`, after all others.

    Args:
        html: the document.
        early: address of a module that the page will import; the browser fetches and compiles it with the others.
    """
    html = UNUSED.sub("", html).replace("</head>", f"<script>\n{SCRIPT}</script>\n  </head>", 1)
    preload = f'<link rel="modulepreload" href="{early}">'
    return html.replace("<head>", f"<head>\n    {preload}", 1) if early else html


# where nothing has prepared the server, as after a plain ``panel serve``
tune()
pack_scripts()
_ENVIRONMENT = jinja2.Environment()  # no autoescape: what it wraps is a finished document
_ENVIRONMENT.filters["lean"] = lean
_TEMPLATE = _ENVIRONMENT.from_string("{% filter lean(early) %}{% include whole %}{% endfilter %}")


def deliver(page: pmui.Page) -> None:
    """Serves a page to the present visitor."""
    page.servable()
    document = pn.state.curdoc
    if document is None or not document.session_context:  # run as a script, or in a notebook
        return
    early = next((root.esm for root in document.roots if getattr(root, "bundle", None) == "url"), "")
    document.template_variables.update(whole=document.template, early=early)
    document.template = _TEMPLATE

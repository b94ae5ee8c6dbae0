"""Technical words in the pages' texts: marked where they occur, explained on hover, focus and click.

A marked word is a ``<dfn>`` that can be reached with the Tab key. Its ``title`` says everything as plain text, which
works anywhere, in a notebook too. In the app one script for the whole page (`popover`) shows the same with its formula
set properly, in one box above everything else, and takes the title away while it does.
"""

from __future__ import annotations

import functools
import html
import json
import re
from pathlib import Path
from typing import Any

import panel as pn

from qfl_explore.teaching.content import control_terms, glossary
from qfl_explore.teaching.model import Term

#: For panes whose text may hold marked words.
STYLE = """
dfn { font-style: inherit; cursor: help; text-decoration: underline dotted 1px; text-underline-offset: 3px; }
dfn:focus-visible { outline: 2px solid currentColor; outline-offset: 1px; border-radius: 2px; }
"""
#: What is not to be looked at: tags, entities, code, links and formulas of Markdown.
_OPAQUE = re.compile(r"(<[^>]*>|&#?\w+;|```.*?```|`[^`]*`|\$\$.*?\$\$|\[[^\]]*\]\([^)]*\))", re.DOTALL)


@functools.cache
def _forms() -> tuple[re.Pattern[str], dict[str, Term]]:
    """A pattern that finds every term, the longest form first, and form -> term."""
    known = {form: term for term in glossary() for form in (term.name, *term.forms)}
    known |= {form[0].upper() + form[1:]: term for form, term in known.items()}
    escaped = sorted((html.escape(form) for form in known), key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w/-])(?:{'|'.join(map(re.escape, escaped))})(?![\w-])")
    return pattern, {html.escape(form): term for form, term in known.items()}


@functools.lru_cache(maxsize=512)
def mark(markup: str) -> str:
    """HTML or Markdown with the first occurrence of each technical word marked.

    Args:
        markup: whatever a visitor typed is escaped in it already; nothing is unescaped here.
    """
    pattern, terms = _forms()
    seen: set[str] = set()

    def marked(match: re.Match[str]) -> str:
        term = terms[match.group()]
        if term.name in seen:
            return match.group()
        seen.add(term.name)
        said = html.escape(term.plain)
        return f'<dfn tabindex="0" data-term="{term.anchor}" title="{said}">{match.group()}</dfn>'

    parts = _OPAQUE.split(markup)  # every second one is opaque
    return "".join(part if i % 2 else pattern.sub(marked, part) for i, part in enumerate(parts))


def explained(state: Any, name: str) -> dict[str, Any]:
    """What a control's widget gets so that its explanation is shown: on its sign, and when the Tab key reaches it.

    Args:
        state: the page's settings.
        name: of the parameter.
    """
    known = control_terms()
    page = type(state).__name__.removesuffix("State").lower()
    term = known.get(f"{page}.{name}") or known.get(name)
    return {"description": term.plain, "css_classes": [f"term-{term.anchor}"]} if term else {"description": ""}


def popover() -> pn.pane.HTML:
    """The script that shows explanations, once for each visitor; nothing is seen of it."""
    texts = {
        term.anchor: [term.name, term.means, term.formula, term.source and f"Source: {term.source}"]
        for term in glossary()
    }
    data = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    script = (Path(__file__).parent / "terms.js").read_text(encoding="utf-8").replace("TEXTS", data, 1)
    return pn.pane.HTML(f"<script>{script}</script>", width=0, height=0, margin=0)

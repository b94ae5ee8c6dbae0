"""Texts of the material as HTML: a few tags stay, everything else is text."""

from __future__ import annotations

import html
import re

_ALLOWED = re.compile(r"&lt;(/?(?:sub|sup|i|b))&gt;")


def safe(text: str) -> str:
    """Text as HTML.

    >>> safe("x<sub>1</sub> & <script>")
    'x<sub>1</sub> &amp; &lt;script&gt;'
    """
    return _ALLOWED.sub(r"<\1>", html.escape(html.unescape(text), quote=False))

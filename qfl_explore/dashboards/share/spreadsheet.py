"""Tables as CSV that a spreadsheet may open: no cell becomes a formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: What spreadsheets take for the beginning of a formula, also behind blanks and in wide forms.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
#: A lone carriage return is written without quotes, and readers take it for the end of a row.
_BREAKS = dict.fromkeys(map(ord, "\0\t\r\n\v\f\x85\u2028\u2029"), " ")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.ASCII)


def to_csv(table: pd.DataFrame) -> str:
    """CSV with a header and no index; an apostrophe stands before a text that could run as a formula.

    Numbers stay as they are, negative ones too. Only texts are touched, such as an error message or a value
    that somebody typed: ``=1+1`` becomes ``'=1+1``.
    """
    safe = table.rename(columns=harmless)
    texts = [i for i, kind in enumerate(safe.dtypes) if kind.kind not in "biufcmM"]
    for i in texts:
        safe.isetitem(i, safe.iloc[:, i].map(harmless))
    return safe.to_csv(index=False)


def harmless(cell: Any) -> Any:
    """A text in one line, with an apostrophe before it if it could run as a formula; anything else as it is.

    >>> harmless("=1+1"), harmless("-0.5"), harmless("ry"), harmless(-3)
    ("'=1+1", '-0.5', 'ry', -3)
    """
    if not isinstance(cell, str):
        return cell
    text = cell.translate(_BREAKS)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text

"""A file from a visitor's browser: bounded in size and memory, refused in plain words, its name made harmless.

The browser sends a file in pieces. It refuses one that is too large before it sends anything; a program that
pretends to be a browser may send on, so the pieces are counted here, too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui

from qfl_explore.errors import invalid

#: Bytes of a piece; well below the largest message that `qfl_explore.cli.serve` lets in.
PIECE_BYTES = 1_000_000
MOST_NAME = 60


def upload(label: str, accept: str, most_bytes: int, refuse: Callable[[str], None], **params: Any) -> pmui.FileInput:
    """A button that takes one file.

    Args:
        label: on it.
        accept: what the browser's dialog offers, such as ``.csv,text/csv``.
        most_bytes: that the file may have.
        refuse: gets a message in three parts for each file that is not taken.
        **params: for the widget.
    """
    widget = pmui.FileInput(label=label, accept=accept, chunk_size=PIECE_BYTES, max_file_size=most_bytes, **params)
    widget._handle_msg = _Guard(widget, most_bytes, refuse)
    return widget


class _Guard:
    """Stands between the browser's pieces and the widget's memory."""

    def __init__(self, widget: pmui.FileInput, most_bytes: int, refuse: Callable[[str], None]) -> None:
        self._widget, self._most, self._refuse = widget, most_bytes, refuse
        self._handle = type(widget)._handle_msg
        self._name, self._n_bytes, self._is_refused = "", 0, False

    def __call__(self, message: Any) -> None:
        status = message.get("status") if isinstance(message, dict) else None
        try:
            if status == "initializing":
                self._forget()
            elif status == "upload_event":
                self._piece(message)
            elif status == "finished":
                if not self._is_refused:
                    self._handle(self._widget, message)
                self._forget()
            elif status == "error":  # the browser itself refused
                raise invalid("the file cannot be used", f"a file of at most {self._most / 1e6:g} MB", _reason(message))
        except Exception as error:  # whatever a browser sends becomes a message in its own page
            self._drop(error)

    def _piece(self, message: dict[str, Any]) -> None:
        if self._is_refused:
            return
        name, data, total = message["name"], bytes(message["data"]), int(message["total_chunks"])
        if name != self._name:
            self._forget()
            self._name = name
        self._n_bytes += len(data)
        if max(self._n_bytes, (total - 1) * PIECE_BYTES) > self._most:
            received = f"{max(self._n_bytes, total * PIECE_BYTES) / 1e6:.3g} MB"
            raise invalid(f"{safe_name(name)} is too large", f"at most {self._most / 1e6:g} MB", received)
        if not 1 <= int(message["chunk"]) <= total:
            raise invalid("the file came in pieces that do not fit", f"pieces 1 to {total}", str(message["chunk"])[:20])
        self._handle(self._widget, {**message, "total_chunks": total, "data": data})

    def _forget(self) -> None:
        self._widget._file_buffer.clear()
        self._widget._buffer.clear()
        self._name, self._n_bytes, self._is_refused = "", 0, False

    def _drop(self, error: Exception) -> None:
        self._forget()
        self._is_refused = True
        text = str(error) if isinstance(error, ValueError) and "Expected:" in str(error) else ""
        text = text or str(invalid("the upload broke off", "a whole file", type(error).__name__))
        self._widget._send_msg({"status": "error", "error": text})
        self._refuse(text)


def _reason(message: dict[str, Any]) -> str:
    return " ".join(str(message.get("error", "")).split())[:200] or "another file"


def safe_name(name: Any) -> str:
    """A file's name without its folders, without characters that are not seen, and not too long."""
    last = str(name or "").replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    seen = " ".join(seen.split())
    return (seen if len(seen) <= MOST_NAME else f"{seen[: MOST_NAME - 9]}…{seen[-8:]}") or "upload"

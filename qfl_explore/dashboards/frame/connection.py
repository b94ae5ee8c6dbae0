"""What a visitor sees when the connection is lost: a bar that says so, and the page again as it was.

The browser does it (``connection.js``), because the server cannot be asked. Where the server still has the session
(a cut cable, a sleeping tab), the same socket is opened again and the whole page is fetched as it is by now: results
that were computed meanwhile are there. Where it has not (a restart, a session given up), the page is opened anew at
its address, which holds every setting; see `address`.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent


class Connection(JSComponent):
    """Takes no room on the page; one for each session.

    Attributes:
        instance: tells a session from another one of the same id, which a server makes up after a restart.
        pulse: what a browser asks after a sleep.
        echo: the server's answer.
    """

    instance = param.String()
    pulse = param.Integer(default=0)
    echo = param.Integer(default=0)

    _esm = Path(__file__).with_name("connection.js").read_text(encoding="utf-8")

    def __init__(self, **params: Any) -> None:
        super().__init__(instance=uuid.uuid4().hex, width=0, height=0, margin=0, sizing_mode="fixed", **params)
        self.param.watch(lambda event: self.param.update(echo=event.new), "pulse")

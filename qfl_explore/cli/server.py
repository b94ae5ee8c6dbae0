"""Runs ``panel serve`` with bounds on what a browser may send, and with the password's page."""

from __future__ import annotations

import asyncio
import hmac
import os
import re
import secrets
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from bokeh.command.util import die
from panel.auth import BasicAuthProvider, BasicLoginHandler
from panel.command.serve import Serve
from panel.config import config
from panel.io import server as panel_server

from qfl_explore.cli.serve import MESSAGE_BYTES

#: Bytes of one request, and of what one connection may have unread; forms and pieces of files are smaller.
REQUEST_BYTES = 1_000_000
BUFFER_BYTES = 2 * MESSAGE_BYTES
#: Bytes that one message in several parts may have.
PARTS_BYTES = 2 * MESSAGE_BYTES
LOGIN_PAGE = Path(__file__).with_name("login.html")
#: Wrong passwords that one address may send within `WINDOW_S` seconds.
MOST_WRONG, WINDOW_S = 10, 60.0
POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'self'"
WRONG = "This password is not right."
SLOW = "Too many wrong passwords came from this address: wait a minute."


class BoundedSocket(panel_server.WSHandler):
    """A visitor's socket; a message in many parts may not fill the memory, and rubbish is not copied into the log."""

    _n_waiting = 0
    _is_refused = False

    async def _receive(self, fragment: str | bytes) -> Any:
        if self._is_refused:  # what comes until the connection is closed
            return None
        self._n_waiting += len(fragment)
        if self._n_waiting > PARTS_BYTES:
            self._refuse("a message that is too large")
            return None
        try:
            received = await super()._receive(fragment)
        except Exception as error:  # Bokeh would log the whole fragment
            self._refuse(f"a message that is none ({type(error).__name__})")
            return None
        if received is not None:
            self._n_waiting = 0
        return received

    def _refuse(self, what: str) -> None:
        panel_server.logger.warning("A browser sent %s; its connection is closed.", what)
        self._is_refused, self.receiver = True, None  # and with it what had arrived
        self.close(1009, "message refused")


class Attempts:
    """Counts wrong passwords by address, of the last minute and of a bounded number of addresses."""

    def __init__(self, most: int = MOST_WRONG, window_s: float = WINDOW_S) -> None:
        self._most, self._window_s = most, window_s
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def is_blocked(self, address: str) -> bool:
        """Whether this address has to wait."""
        since = time.monotonic() - self._window_s
        return sum(moment > since for moment in self._wrong.get(address, ())) >= self._most

    def count(self, address: str) -> None:
        """One more wrong password."""
        moments = self._wrong.pop(address, [])[-self._most :]
        self._wrong[address] = [*moments, time.monotonic()]
        while len(self._wrong) > 1000:
            self._wrong.popitem(last=False)


def inside(wanted: str | None) -> str:
    """Where to go after the password: ``wanted`` if it is a path of this server, else the first page.

    Browsers read ``//host``, ``/\\host`` and more slashes as another machine; `panel.auth` lets ``///host`` through.
    """
    if wanted and re.fullmatch(r"/[!-.0-\[\]-~][!-\[\]-~]*", wanted):
        return wanted
    return "./"  # relative: there may be a prefix


class Login(BasicLoginHandler):
    """The password's page: constant-time comparison, a pause after a wrong one, a limit for guessing."""

    password = ""
    attempts = Attempts()

    def get(self) -> None:
        """Shows the form."""
        super().get()

    def set_default_headers(self) -> None:
        """Nothing is kept, nothing comes from elsewhere, nothing runs."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")

    async def post(self) -> None:
        """Checks the password; the name is only shown in the server's log."""
        address = self.request.remote_ip or ""
        if self.attempts.is_blocked(address):
            self._again(SLOW)
            return
        if not self._validate("", self.get_argument("password", "", strip=False)):
            self.attempts.count(address)
            await asyncio.sleep(0.5)
            self._again(WRONG)
            return
        self.set_current_user("visitor")
        self.redirect(inside(self.get_cookie("next_url", "")))

    def _validate(self, username: str, password: str) -> bool:
        return hmac.compare_digest(password.encode(), self.password.encode())

    def _again(self, text: str) -> None:
        self.set_status(403)
        page = self._login_template.render(login_endpoint=self._login_endpoint, errormessage=text)
        self.write(page)


class PasswordProvider(BasicAuthProvider):
    """Panel's basic auth with our page and check."""

    @property
    def login_handler(self) -> type:
        """The handler of the password's page."""
        Login._login_endpoint, Login._login_template = self._login_endpoint, self._login_template
        return Login


class BoundedServe(Serve):
    """``panel serve`` with bounded requests and, where there is one, a password."""

    password = ""

    def customize_kwargs(self, args: Any, server_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Panel's arguments for the server, and ours."""
        kwargs = super().customize_kwargs(args, server_kwargs)
        kwargs["http_server_kwargs"] = {"max_body_size": REQUEST_BYTES, "max_buffer_size": BUFFER_BYTES}
        if self.password:
            Login.password = self.password
            config.cookie_secret = kwargs["cookie_secret"] = config.cookie_secret or secrets.token_hex(32)
            kwargs["auth_provider"] = PasswordProvider(login_template=str(LOGIN_PAGE), logout_template=str(LOGIN_PAGE))
        return kwargs


def run(arguments: list[str], password: str = "") -> None:
    """Serves until Ctrl-C.

    Args:
        arguments: what follows ``panel serve``.
        password: that visitors need; empty: none.
    """
    import argparse

    if config.oauth_provider and not config.cookie_secret:
        os.environ["PANEL_COOKIE_SECRET"] = secrets.token_hex(32)
    patterns = panel_server.per_app_patterns
    patterns[:] = [(path, BoundedSocket if path == "/ws" else handler) for path, handler in patterns]
    parser = argparse.ArgumentParser(prog="qfl-explore serve")
    command = BoundedServe(parser=parser)
    command.password = password
    try:
        command.invoke(parser.parse_args(arguments))
    except (ValueError, ImportError) as error:
        die(f"Error: {error}")

"""Who may open the app: where it listens, which addresses visitors may use, the password, and how that is said."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import socket
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from qfl_explore.errors import check_int, invalid

PACKAGE = Path(__file__).resolve().parents[1]
#: Environment variable with the password, for services and containers.
PASSWORD = "QFL_EXPLORE_PASSWORD"
#: Environment variable with the number of visitors; read by `dashboards.frame.admission`.
VISITORS = "QFL_EXPLORE_VISITORS"
#: Environment variable: with 0 no visitor may fetch a data set onto this machine.
DOWNLOADS = "QFL_EXPLORE_DOWNLOADS"
#: Tabs that may be open at once.
MOST_VISITORS = 60
LEAST_PASSWORD = 8
#: All networks of this machine.
EVERYWHERE = "0.0.0.0"
#: A closed tab is forgotten after half a minute; until then it may reconnect.
_KEEPING = ("--keep-alive", "10000", "--check-unused-sessions", "5000", "--unused-session-lifetime", "30000")
#: Largest message that a browser may send; files come in smaller pieces.
MESSAGE_BYTES = 4_000_000
#: Ports that browsers open no page on, because other services live there (mail, telephony, X11, chat).
#: Source: https://fetch.spec.whatwg.org/#port-blocking
BLOCKED_PORTS = frozenset(
    (1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110)
    + (111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531)
    + (532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190)
    + (5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080)
)
_ORIGIN = re.compile(r"(?P<host>[\w*](?:[\w.*-]*[\w*])?|\[[0-9a-fA-F:]+\])(?::(?P<port>\d{1,5}))?", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Access:
    """Where the app listens and who may come; made by `decide`.

    Attributes:
        port: where it listens; 0 takes any free one.
        address: of the network that it listens on.
        room: whether other machines may come directly.
        origins: what visitors may have in their address bars, ``host:port``.
        secured: ``password``, ``accounts`` (OAuth) or empty.
        prefix: in front of all paths, as ``/name``; empty: none.
        proxy: whether what a reverse proxy says of the visitor is believed.
        visitors: tabs that may be open at once.
    """

    port: int
    address: str = "localhost"
    room: bool = False
    origins: tuple[str, ...] = ()
    secured: str = ""
    prefix: str = ""
    proxy: bool = False
    visitors: int = MOST_VISITORS

    def secured_by(self, password: bool, provider: str) -> Access:
        """The same with a password, or with the accounts of an OAuth provider.

        Raises:
            ValueError: both.
        """
        if password and provider:
            raise invalid("there are two ways to sign in", "a password or OAuth", f"both, with {provider!r}")
        return dataclasses.replace(self, secured="password" if password else "accounts" if provider else "")

    def environment(self) -> dict[str, str]:
        """Variables that the pages read."""
        closed = self.room or self._strangers
        return {VISITORS: str(self.visitors)} | ({DOWNLOADS: "0"} if closed else {})

    def arguments(self) -> list[str]:
        """What follows ``panel serve``; no secret is among it."""
        words = [str(PACKAGE / "app.py"), "--port", str(self.port), "--address", self.address]
        words += [part for name in self.origins for part in ("--allow-websocket-origin", name)]
        words += ["--setup", str(PACKAGE / "dashboards" / "frame" / "preload.py"), *_KEEPING]
        words += ["--websocket-max-message-size", str(MESSAGE_BYTES)]
        words += ["--prefix", self.prefix] if self.prefix else []
        return words + (["--use-xheaders"] if self.proxy else [])

    def sentences(self) -> list[str]:
        """What is open to whom, for the person at the terminal."""
        first = self.origins[0] if self.origins else f"{self.address}:{self.port}"
        if self.port == 0:
            lines = ["Serving on a free port, which is named below (Ctrl-C stops it)."]
        elif self._strangers and (self.room or self.proxy):
            scheme = "http(s)" if self.proxy else "http"
            lines = [f"Write on the board: {scheme}://{first}{self.prefix}", "Ctrl-C stops the server."]
        else:
            lines = [f"Serving on http://{first}{self.prefix} (Ctrl-C stops it); the first page takes some seconds."]
        return [*lines, *self._who()]

    @property
    def _strangers(self) -> list[str]:
        """Origins that are not this machine's own."""
        return [name for name in self.origins if not _is_this_machine(name)]

    def _who(self) -> list[str]:
        if not self._strangers:
            return ["Open to: this machine only."]
        who = {"password": "who knows the password", "accounts": "who signs in with an account"}.get(self.secured, "")
        way = "in this machine's networks" if self.room else "the proxy lets through"
        return [
            f"Open to: everybody {way}{f' {who},' if who else ''} under {', '.join(self._strangers)}.",
            f"At most {self.visitors} open tabs at once. Nothing that a visitor types or uploads is run as code.",
        ]

    def warnings(self) -> list[str]:
        """What the person at the terminal should think about."""
        found = []
        if self._strangers and not self.secured:
            found.append("There is no password: whoever reaches the address can use the app. --password asks for one.")
        if self.room and self.secured == "password" and not self.proxy:
            found.append("The password travels over the network unencrypted: take one that you use nowhere else.")
        if self.room and not self._strangers:
            found.append("Nobody else can use the app: no address of a network is known. Name one: --origin HOST:PORT.")
        return found


def decide(
    port: object,
    address: str | None = None,
    room: bool = False,
    origins: Sequence[str] = (),
    prefix: str = "",
    proxy: bool = False,
    visitors: object = MOST_VISITORS,
) -> Access:
    """Checks what was asked for, and fills in the rest.

    Args:
        port: where to listen.
        address: of the network; ``None``: this machine only, or with ``room`` all networks.
        room: whether other machines may come directly.
        origins: what visitors type; none: the addresses of this machine.
        prefix: in front of all paths.
        proxy: whether a reverse proxy stands in front.
        visitors: tabs that may be open at once.

    Raises:
        TypeError: a number is none.
        ValueError: other machines could come without ``room``, no browser opens the port, or something cannot be used.
    """
    number = check_int("--port", port, 0, 65535)
    if number in BLOCKED_PORTS and not proxy:
        raise invalid("browsers open no page on this port", "another one, such as --port 5006", f"--port {number}")
    most = check_int("--visitors", visitors, 1, 1000)
    if address is not None and not room and not _is_this_machine(address):
        raise invalid(
            "this address opens the app to other machines",
            "--room as well, if that is meant, or --address localhost",
            f"--address {address}",
        )
    if room and not number:
        raise invalid("a room needs an address that stays", "--port from 1 to 65535", "--port 0")
    where = address or (EVERYWHERE if room else "localhost")
    named = [check_origin(name, number) for name in origins]
    here = _addresses_for(where, number) if room and not named else []
    mine = [f"{where}:{number}"] if where not in (EVERYWHERE, "::") else []
    listed = dict.fromkeys([*named, *here, *mine, f"localhost:{number}", f"127.0.0.1:{number}"])
    return Access(
        port=number,
        address=where,
        room=room,
        origins=tuple(listed) if number else (),
        prefix=check_prefix(prefix),
        proxy=proxy,
        visitors=most,
    )


def _addresses_for(where: str, port: int) -> list[str]:
    """What visitors may type to reach ``where``."""
    own = own_addresses() if where in (EVERYWHERE, "::") else [where]
    name = socket.gethostname().split(".")[0].lower()
    names = [name, f"{name}.local"] if re.fullmatch(r"[a-z0-9-]+", name) and name != "localhost" else []
    return [f"{host}:{port}" for host in (*own, *names)]


def own_addresses() -> list[str]:
    """IPv4 addresses of this machine in its networks; the one towards other networks first. Nothing is sent."""
    import psutil

    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        entry.address
        for name, entries in psutil.net_if_addrs().items()
        for entry in entries
        if name in up and entry.family == socket.AF_INET and _is_reachable(entry.address)
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation; asks for a route only
            first = probe.getsockname()[0]
        except OSError:
            first = ""
    return sorted(found, key=lambda address: address != first)


def _is_reachable(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not parsed.is_loopback and not parsed.is_link_local


def _is_this_machine(origin: str) -> bool:
    host = origin.rsplit(":", 1)[0] if origin.count(":") == 1 else origin.strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_origin(text: str, port: int) -> str:
    """One entry of the list of origins; without a port it gets none, as behind a proxy.

    Raises:
        ValueError: it is not ``host`` or ``host:port``, it lets everybody's pages in, or no browser opens its port.
    """
    expected = f"HOST or HOST:PORT as in the visitors' address bar, for example 192.168.1.20:{port or 5006}"
    match = _ORIGIN.fullmatch(text)
    if match is None or int(match["port"] or 1) > 65535:
        raise invalid("--origin cannot be used", expected, repr(text))
    if set(match["host"]) <= set("*."):
        raise invalid("this origin would let any page of the internet use the app", expected, repr(text))
    if int(match["port"] or 0) in BLOCKED_PORTS:
        raise invalid("browsers open no page on the port of --origin", expected, repr(text))
    return text.lower()


def check_prefix(text: str) -> str:
    """``/name`` from ``name``, ``/name`` or ``/name/``.

    Raises:
        ValueError: it is not a path.
    """
    inner = text.strip("/")
    if inner and not re.fullmatch(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*", inner):
        raise invalid("--prefix cannot be used", "a path such as /qfl", repr(text))
    return f"/{inner}" if inner else ""


def find_password(
    ask: bool, file: Path | None, environment: dict[str, str] | os._Environ, prompt: Callable[[], str] | None = None
) -> str:
    """The password from where it was asked for; empty: there is to be none.

    Args:
        ask: whether to ask at the terminal.
        file: whose first line it is.
        environment: in which `PASSWORD` may stand; it is taken out, so that no other program inherits it.
        prompt: asks; ``None``: twice at the terminal, unseen.

    Raises:
        ValueError: it is too short, there are two of them, or nobody can be asked.
        OSError: the file cannot be read.
    """
    inherited = environment.pop(PASSWORD, "")
    given = [name for name, there in (("--password", ask), ("--password-file", file), (PASSWORD, inherited)) if there]
    if len(given) > 1:
        raise invalid("there is more than one password", "one of them", ", ".join(given))
    if not given:
        return ""
    word = (prompt or _asked)() if ask else _first_line(file) if file else inherited
    if len(word) < LEAST_PASSWORD:
        raise invalid("the password is too short", f"at least {LEAST_PASSWORD} characters", f"{len(word)} characters")
    return word


def _asked() -> str:
    if not sys.stdin.isatty():
        expected = f"a terminal to ask at, or --password-file, or the variable {PASSWORD}"
        raise invalid("nobody can be asked for the password", expected, "no terminal")
    return typer.prompt("Password for visitors", hide_input=True, confirmation_prompt=True)


def _first_line(path: Path) -> str:
    if path.is_file() and os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        typer.echo(f"Warning: other users of this machine can read {path} (chmod 600 {path}).", err=True)
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(4096).rstrip("\r\n")


def refuse_taken(address: str, port: int) -> None:
    """Fails early, in plain words, where nothing can listen.

    Raises:
        ValueError: the port is taken or not allowed, or the address is none of this machine's.
    """
    family, kind, _, _, where = _resolved(address, port)
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except OSError as error:
            expected = "a free port (--port 0 takes any) and an address of this machine"
            received = f"{address}, port {port}: {(error.strerror or str(error)).lower()}"
            raise invalid("the server cannot listen there", expected, received) from None


def _resolved(address: str, port: int) -> tuple:
    try:
        return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError:
        raise invalid("--address is unknown", "localhost or an address of this machine", repr(address)) from None

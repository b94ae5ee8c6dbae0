"""``qfl-explore serve``: who may come, what is said about it, and where a password comes from."""

import json
import os
import re
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qfl_explore.cli import commands
from qfl_explore.cli import serve as access
from qfl_explore.cli.commands import app
from qfl_explore.cli.serve import Access, check_origin, check_prefix, decide, find_password
from qfl_explore.datasets import places
from qfl_explore.results import store

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def served(monkeypatch):
    """What the server would be started with: ``[(arguments, password)]``."""
    seen = []
    monkeypatch.setattr(commands, "run_server", lambda arguments, password: seen.append((arguments, password)))
    monkeypatch.setattr(access, "refuse_taken", lambda address, port: None)
    monkeypatch.setattr(access, "own_addresses", lambda: ["192.168.7.5"])
    monkeypatch.setattr(access.socket, "gethostname", lambda: "Laptop.local")
    for name in ("PANEL_OAUTH_PROVIDER", access.PASSWORD, access.VISITORS, access.DOWNLOADS):
        monkeypatch.setenv(name, "")  # so that what the command sets ends with the test
        monkeypatch.delenv(name)
    return seen


@pytest.fixture
def run():
    return lambda *words, **options: CliRunner().invoke(app, ["serve", *words], prog_name="qfl-explore", **options)


def values(arguments, option):
    return [arguments[i + 1] for i, word in enumerate(arguments) if word == option]


def test_only_this_machine_unless_the_room_is_let_in(run, served):
    done = run("--port", "5123")
    assert done.exit_code == 0 and "Open to: this machine only." in done.output
    arguments, password = served[0]
    assert arguments[0].endswith("app.py") and values(arguments, "--address") == ["localhost"] and password == ""
    assert values(arguments, "--allow-websocket-origin") == ["localhost:5123", "127.0.0.1:5123"]
    assert values(arguments, "--setup")[0].endswith("preload.py") and "--show" not in arguments
    assert access.DOWNLOADS not in os.environ and "Warning" not in done.stderr
    for address in ("0.0.0.0", "192.168.7.5", "::", "example.org"):
        refused = run("--address", address)
        assert refused.exit_code == 2 and "opens the app to other machines. Expected: --room" in refused.stderr
    assert len(served) == 1


def test_a_room_gets_the_addresses_of_this_machine_and_is_told_so(run, served):
    done = run("--room", "--port", "5123", "--show")
    arguments = served[0][0]
    assert values(arguments, "--address") == ["0.0.0.0"] and arguments[-1] == "--show"
    origins = values(arguments, "--allow-websocket-origin")
    assert origins[:3] == ["192.168.7.5:5123", "laptop:5123", "laptop.local:5123"] and "localhost:5123" in origins
    assert "Write on the board: http://192.168.7.5:5123\n" in done.output and "At most 60 open tabs" in done.output
    assert "There is no password" in done.stderr
    assert os.environ[access.VISITORS] == "60" and os.environ[access.DOWNLOADS] == "0"


def test_the_origins_that_are_named_are_the_only_strangers(run, served):
    done = run("--room", "--origin", "lab.example.org:5006", "--visitors", "12")
    origins = values(served[0][0], "--allow-websocket-origin")
    assert origins == ["lab.example.org:5006", "localhost:5006", "127.0.0.1:5006"]
    assert "everybody in this machine's networks under lab.example.org:5006." in done.output
    assert os.environ[access.VISITORS] == "12"


def test_a_proxy_gets_prefix_and_headers_on_localhost(run, served):
    run("--proxy", "--prefix", "qfl/", "--origin", "lab.example.org")
    arguments = served[0][0]
    assert values(arguments, "--address") == ["localhost"] and values(arguments, "--prefix") == ["/qfl"]
    assert "--use-xheaders" in arguments and values(arguments, "--allow-websocket-origin")[0] == "lab.example.org"
    assert os.environ[access.DOWNLOADS] == "0"
    assert run("--proxy", "--port", "6000", "--origin", "lab.example.org").exit_code == 0  # no browser comes there


@pytest.mark.parametrize("source", ["prompt", "file", "environment"])
def test_a_password_never_stands_on_a_command_line(run, served, source, tmp_path, monkeypatch):
    monkeypatch.setattr(access, "_asked", lambda: "open sesame")
    file = tmp_path / "password"
    file.write_text("open sesame\nnot this\n")
    file.chmod(0o600)
    if source == "environment":
        monkeypatch.setenv(access.PASSWORD, "open sesame")
    words = {"prompt": ["--password"], "file": ["--password-file", str(file)], "environment": []}[source]
    done = run("--room", *words)
    (arguments, password) = served[0]
    assert password == "open sesame" and not any("sesame" in word for word in arguments)
    assert "who knows the password" in done.output and "travels over the network unencrypted" in done.stderr
    assert "sesame" not in done.output + done.stderr and access.PASSWORD not in os.environ


def test_a_file_that_others_can_read_is_named(run, served, tmp_path):
    file = tmp_path / "password"
    file.write_text("open sesame")
    file.chmod(0o644)
    assert f"can read {file}" in run("--password-file", str(file)).stderr


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--port", "99999"], ("--port is out of range", "0 to 65535", "99999")),
        (["--visitors", "0"], ("--visitors is out of range", "1 to 1000", "0")),
        (["--visitors", "many"], ("--visitors must be an integer", "1 to 1000", "many")),
        (["--port", "5060"], ("browsers open no page on this port", "--port 5006", "--port 5060")),
        (["--room", "--origin", "lab:6667"], ("no page on the port of --origin", "HOST:PORT", "'lab:6667'")),
        (["--room", "--port", "0"], ("needs an address that stays", "1 to 65535", "--port 0")),
        (["--origin", "http://lab:5006"], ("--origin cannot be used", "HOST:PORT", "http://lab:5006")),
        (["--origin", "*"], ("any page of the internet", "HOST:PORT", "'*'")),
        (["--room", "--origin", "*:5006"], ("any page of the internet", "HOST:PORT", "'*:5006'")),
        (["--prefix", "a b"], ("--prefix cannot be used", "/qfl", "a b")),
        (["--prefix", "/../x?y"], ("--prefix cannot be used", "/qfl", "x?y")),
        (["--password"], ("nobody can be asked", "--password-file", "no terminal")),
        (["--password-file", "/no/such/file"], ("a file cannot be used", "exists", "/no/such/file")),
        (["--password-file", os.devnull], ("too short", "at least 8", "0 characters")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_used_gets_three_parts(run, served, words, parts):
    done = run(*words)
    assert done.exit_code == 2 and not served
    first = done.stderr.splitlines()[0]
    assert first.startswith("Error: ") and ". Expected: " in first and ". Received: " in first
    assert all(part in first for part in parts), first


def test_one_way_to_sign_in(run, served, monkeypatch):
    monkeypatch.setenv("PANEL_OAUTH_PROVIDER", "github")
    assert "who signs in with an account" in run("--room").output
    monkeypatch.setenv(access.PASSWORD, "open sesame")
    assert "two ways to sign in" in run("--room").stderr
    with pytest.raises(ValueError, match="more than one password"):
        find_password(True, None, {access.PASSWORD: "x" * 9})


def test_a_port_that_is_taken_is_named_before_anything_is_loaded(run, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("--port", str(taken.getsockname()[1]), "--address", "127.0.0.1")
    assert done.exit_code == 2 and "the server cannot listen there. Expected: a free port" in done.stderr
    assert "--address is unknown" in run("--room", "--address", "no.such.host.invalid").stderr


def test_origins_and_prefixes():
    assert check_origin("Lab.Example.org", 1) == "lab.example.org" and check_origin("192.168.1.*:80", 1)
    assert check_origin("[fe80::1]:5006", 1) and [check_prefix(text) for text in ("", "/", "a/b/")] == ["", "", "/a/b"]
    for bad in ("", "a b", "a:b", "a:99999", "a/b", "user@host", "*.*:80"):
        with pytest.raises(ValueError, match="Received"):
            check_origin(bad, 5006)
    assert access.own_addresses() == [a for a in access.own_addresses() if not a.startswith("127.")]


def test_a_machine_without_a_network_says_so(monkeypatch):
    monkeypatch.setattr(access, "own_addresses", list)
    monkeypatch.setattr(access.socket, "gethostname", lambda: "localhost")
    plan = decide(5006, room=True)
    assert any("no address of a network is known" in line for line in plan.warnings())
    assert "Open to: this machine only." in plan.sentences()
    assert Access(0).sentences()[0].startswith("Serving on a free port")


def test_an_address_that_guesses_has_to_wait_and_the_others_do_not(monkeypatch):
    server = pytest.importorskip("qfl_explore.cli.server")
    now = [1000.0]
    monkeypatch.setattr(server.time, "monotonic", lambda: now[0])
    attempts = server.Attempts(most=3, window_s=60.0)
    for _ in range(3):
        assert not attempts.is_blocked("10.0.0.1")
        attempts.count("10.0.0.1")
    assert attempts.is_blocked("10.0.0.1") and not attempts.is_blocked("10.0.0.2")
    now[0] += 61.0
    assert not attempts.is_blocked("10.0.0.1")
    for i in range(5000):
        attempts.count(f"10.0.{i % 256}.{i // 256}.{i}")
    assert len(attempts._wrong) == 1000, "addresses are forgotten, the oldest first"


def test_after_the_password_nobody_is_sent_to_another_machine():
    server = pytest.importorskip("qfl_explore.cli.server")
    for path in ("/app", "/lab/app?P=2&k=%3Cb%3E", "/lab/"):
        assert server.inside(path) == path
    for path in ("//evil.example", "///evil.example", "/\\evil.example", "http://evil.example", "/\t/evil.example"):
        assert server.inside(path) == "./"
    assert server.inside("") == server.inside(None) == server.inside("/") == server.inside("/a\nb") == "./"


def container():
    """Instruction -> its arguments, of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith(("#", " "))]
    return {word: [rest for name, rest in lines if name == word] for word, _ in lines}


def test_the_container_copies_what_exists_and_starts_what_the_command_knows(run, served):
    steps = container()
    ignored = (ROOT / ".dockerignore").read_text().split()
    for sources in steps["COPY"]:
        for source in sources.split()[:-1]:
            assert (ROOT / source).exists() and f"!{source}" in ignored, source
    assert steps["USER"] == ["visitor"] and "--uid" in " ".join(steps["RUN"])
    (words,), (port,) = steps["CMD"], steps["EXPOSE"]
    program, *options = [*json.loads(steps["ENTRYPOINT"][0]), *json.loads(words)]
    assert program == "qfl-explore" and options.pop(0) == "serve" and run(*options).exit_code == 0
    assert values(served[0][0], "--port") == [port] and values(served[0][0], "--address") == ["0.0.0.0"]
    assert f"localhost:{port}/favicon.ico" in (ROOT / "Dockerfile").read_text()
    names = {name for line in steps["ENV"] for name in re.findall(r"(QFL_EXPLORE_\w+)=", line)}
    assert names == {places.VARIABLE, store.VARIABLE}


def test_every_command_of_the_document_is_one(run, served, monkeypatch, tmp_path):
    monkeypatch.setattr(access, "_asked", lambda: "open sesame")
    secret = tmp_path / "password"
    secret.write_text("open sesame")
    text = (ROOT / "docs" / "serving.md").read_text()
    found = set(re.findall(r"qfl-explore (serve [^`\n#|]*|serve)(?=`|\n|\s*#|\s*\|)", text))
    assert len(found) >= 6
    for line in found:
        done = run(*line.replace("/etc/qfl/password", str(secret)).split()[1:])
        refused = "--address 0.0.0.0" in line and "--room" not in line
        assert done.exit_code == (2 if refused else 0), (line, done.output)
    for option in set(re.findall(r"`(--[a-z-]+)", text)) - {"--help"}:
        assert option in run("--help").output, option

"""The subcommands of ``qfl-explore``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from qfl_explore import __version__
from qfl_explore.cli import serve as access
from qfl_explore.cli.three_parts import ThreePartGroup
from qfl_explore.errors import check_int, invalid

app = typer.Typer(
    cls=ThreePartGroup,
    name="qfl-explore",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The entry point of the command."""
    app(prog_name="qfl-explore")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"qfl-explore {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """A live explorer of the Quantum Fusion Layer (arXiv:2510.06938): app, sweeps, benchmark, data, machine.

    \b
    Example:
      qfl-explore serve
    """


@app.command()
def serve(
    port: Annotated[str, typer.Option(metavar="PORT", help="Where to listen, 0 for any free port.")] = "5006",
    address: Annotated[
        str | None, typer.Option(metavar="HOST", help="Which network to listen on; without --room only localhost.")
    ] = None,
    room: Annotated[
        bool, typer.Option("--room", help="Let other machines in: listen on every network, or on --address.")
    ] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT",
            help="What visitors have in their address bars, once for each; none: this machine's addresses.",
        ),
    ] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password that visitors need.")] = False,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file whose first line is that password.")
    ] = None,
    visitors: Annotated[
        str, typer.Option(metavar="N", help="Tabs that may be open at once; one more gets a friendly page.")
    ] = str(access.MOST_VISITORS),
    prefix: Annotated[str, typer.Option(metavar="PATH", help="In front of all paths, for a reverse proxy.")] = "",
    proxy: Annotated[
        bool, typer.Option("--proxy", help="A reverse proxy stands in front: believe its X-headers.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Open a browser.")] = False,
) -> None:
    """Serve the app until Ctrl-C stops it.

    Only this machine can open it, unless you say --room. Then the addresses that visitors may use are printed, with
    the one to write on the board. Give a room a password: --password asks for it, --password-file reads it, or
    the variable QFL_EXPLORE_PASSWORD holds it; it never stands on the command line, where other users could
    read it. Accounts (OAuth) instead of a password, reverse proxies, a container and firewalls: docs/serving.md.

    What visitors can do: move controls, type formulas (parsed, never run as code), upload one table of up to 5 MB,
    start sweeps on this machine's workers and, except in a room, fetch public data sets onto it. Larger messages
    and files are refused.

    \b
    Examples:
      qfl-explore serve --show
      qfl-explore serve --room --password
      qfl-explore serve --port 5007 --proxy --prefix /qfl --origin lab.example.org
    """
    plan = access.decide(
        port=_integer(port),
        address=address,
        room=room,
        origins=origin or (),
        prefix=prefix,
        proxy=proxy,
        visitors=_integer(visitors),
    )
    access.refuse_taken(plan.address, plan.port)
    secret = access.find_password(password, password_file, os.environ)
    plan = plan.secured_by(bool(secret), os.environ.get("PANEL_OAUTH_PROVIDER", ""))
    for line in plan.sentences():
        typer.echo(line)
    for line in plan.warnings():
        typer.echo(f"Warning: {line}", err=True)
    os.environ.update(plan.environment())
    run_server([*plan.arguments(), *(["--show"] if show else [])], secret)


@app.command()
def sweep(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="A grid: experiment, base settings and axes.")],
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where rows are kept: a file, a folder or any fsspec URL."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler such as tcp://host:8786; none: this machine."),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Compute rows again that failed before.")] = False,
    timeout: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Seconds that one row may take; none: any time.")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="N", help="Worker processes on this machine; none: one for each core.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write the finished table there as well.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file and count.")] = False,
) -> None:
    """Run a grid of settings, row by row, and keep every row.

    Stop it whenever you like (Ctrl-C): rows that are finished are kept, and the same command
    goes on where it stopped. It ends with code 0 if every row came out, with 1 if some failed.

    \b
    Example: depth.toml with
      experiment = "polynomial"
      [base]
      n_steps = 200
      [axes]
      "fusion.degree" = [1, 2, 3, 4]
      seed = [0, 1, 2]
    and then
      qfl-explore sweep depth.toml --csv depth.csv
    """
    from qfl_explore.cli.sweep import run_file

    options = {
        "retry": retry,
        "timeout_s": None if timeout is None else _seconds("--timeout", timeout),
        "n_workers": None if workers is None else check_int("--workers", _integer(workers), 1, 1024),
    }
    raise typer.Exit(run_file(file, store=store, scheduler=scheduler, csv=csv, dry_run=dry_run, **options))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def benchmark(ctx: typer.Context) -> None:
    """Time the engines against each other and other frameworks; each is checked before it is timed.

    What follows goes to ``python -m qfl_explore.benchmark``; its own list of options comes
    with ``qfl-explore benchmark -- --help``.

    \b
    Examples:
      qfl-explore benchmark --engines batched jax --sizes 3,2,5 --batches 64
      qfl-explore benchmark qsim --qubits 10-24     (large circuits, predicted and measured)
    """
    hand_over(["qfl_explore.benchmark", *ctx.args])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def study(ctx: typer.Context) -> None:
    """Compare the layer with classical fusions on every data set that is here, and write docs/study.md.

    What follows goes to ``python -m qfl_explore.study``; its own list of options comes with
    ``qfl-explore study -- --help``. Stop it whenever you like: the same command goes on.

    \b
    Examples:
      qfl-explore study --quick --out /tmp/study.md
      qfl-explore study --data my-data --workers 4
      qfl-explore study systems   (three quantum fusion systems, docs/systems.md)
    """
    hand_over(["qfl_explore.study", *ctx.args])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def load(ctx: typer.Context) -> None:
    """Visit the app with a room of clients, and say whether this machine carries it.

    A server of its own is started and ended. What follows goes to ``python -m qfl_explore.load``; its
    own list of options comes with ``qfl-explore load -- --help``. It ends with code 1 if a target was missed.

    \b
    Examples:
      qfl-explore load --quick
      qfl-explore load --sessions 20 --out load.md
    """
    hand_over(["qfl_explore.load", *ctx.args])


@app.command()
def data(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[get] [NAME]", help="A data set to describe, or to get.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Of get: the licence is accepted.")] = False,
    limit: Annotated[int | None, typer.Option(help="Of get ptb_xl: the first so many records only.")] = None,
) -> None:
    """Show which data sets there are, where they are, and how to get the rest.

    \b
    Examples:
      qfl-explore data
      qfl-explore data breast_cancer
      qfl-explore data get ptb_xl --limit 500
    """
    from qfl_explore.cli.data import answer

    typer.echo(answer(words or [], yes, limit))


@app.command()
def notebooks(
    folder: Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="Where to copy them.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Only list them, with their titles.")] = False,
) -> None:
    """Copy the notebooks of the course into a folder, to work in. Files that are there are never replaced.

    \b
    Examples:
      qfl-explore notebooks --list
      qfl-explore notebooks qfl-course
    """
    from qfl_explore.cli.notebooks import copy_out, listing

    if show:
        typer.echo(listing())
        return
    target = folder or Path("notebooks")
    copies = copy_out(target)
    typer.echo(f"{len(copies)} notebooks are in {target}. Open them with: jupyter lab --notebook-dir={target}")


@app.command()
def doctor(
    check: Annotated[bool, typer.Option("--run", help="Also run each engine, and compare it with cirq.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print findings for programs to read.")] = False,
) -> None:
    """Show what this machine has: engines, GPU, browser, data and peers, and how to get the rest.

    It ends with code 1 if something is broken that the app needs.

    \b
    Examples:
      qfl-explore doctor
      qfl-explore doctor --run
    """
    from qfl_explore.cli.doctor import as_json, as_text, examine

    findings = examine(run=check)
    typer.echo(as_json(findings) if json else as_text(findings))
    raise typer.Exit(any(finding.state == "broken" for finding in findings))


def run_server(arguments: list[str], password: str) -> None:
    """Becomes the server; in this process, so that the password stands in no other one's environment."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stdout.flush()
    from qfl_explore.cli.server import run

    run(arguments, password)


def hand_over(module_and_arguments: list[str]) -> None:
    """Becomes ``python -m module arguments``; signals and the exit code are the other program's."""
    command = [sys.executable, "-m", *module_and_arguments]
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1"}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(sys.executable, command, environment)
    raise typer.Exit(subprocess.call(command, env=environment))


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise invalid(f"{name} cannot be used", "seconds above 0", repr(text))
    return seconds


def _integer(text: str) -> object:
    return int(text) if text.lstrip("-").isdecimal() else text

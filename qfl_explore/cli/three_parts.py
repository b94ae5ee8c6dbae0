"""Bad input ends a command with three parts (what is wrong, what was expected, what was received) and code 2."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from qfl_explore.errors import full_disk, invalid

BAD_INPUT = 2
#: typer carries its own copy of click in some versions, so its classes are taken from a public one.
UsageError = typer.BadParameter.__mro__[1]
ClickException = typer.BadParameter.__mro__[2]


class ThreePartGroup(TyperGroup):
    """A group of commands whose every complaint has three parts; never a traceback."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Reads the group's own options."""
        with plain_errors(self):
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Reads the command's options and runs it."""
        with plain_errors(self):
            return super().invoke(ctx)


@contextlib.contextmanager
def plain_errors(group: Any) -> Iterator[None]:
    """Turns what the body raises into a message on stderr and exit code 2.

    Args:
        group: knows the names of the commands.
    """
    try:
        yield
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        end(str(usage_error(error, group)), hint_of(error))
    except ClickException as error:
        end(str(invalid("the command cannot run", "usable input", error.format_message().rstrip("."))))
    except (ValueError, TypeError, ImportError) as error:
        end(three_parts(error))
    except OSError as error:
        if full := full_disk(error):
            end(full)
        if _has_three(str(error)):  # ours, such as data that are not here
            end(three_parts(error))
        if error.filename is None:
            raise
        end(str(invalid("a file cannot be used", "one that exists and may be read or written", os_text(error))))


def end(text: str, hint: str = "") -> None:
    """Prints an error, and how to find help; then exits with code 2.

    Raises:
        typer.Exit: always.
    """
    typer.echo(f"Error: {text}", err=True)
    if hint:
        typer.echo(hint, err=True)
    raise typer.Exit(BAD_INPUT)


def three_parts(error: Exception) -> str:
    """The message of an error; ours have three parts already, others are put into them."""
    text = " ".join(str(error).split())
    if _has_three(text):
        return text
    return str(invalid("the input cannot be used", "input that this command takes, see --help", text.rstrip(".")))


def _has_three(text: str) -> bool:
    return "Expected:" in text and "Received:" in text


def os_text(error: OSError) -> str:
    """An operating system's error without its number."""
    return f"{error.filename!r}, {(error.strerror or type(error).__name__).lower()}"


def usage_error(error: Any, group: Any) -> Exception:
    """What the command line's parser found wrong, in three parts."""
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "") or "qfl-explore"
    message = error.format_message()
    kind = type(error).__name__
    if kind == "NoSuchOption":
        names = [name for parameter in context.command.params for name in parameter.opts if name.startswith("-")]
        return invalid(
            f"{command} has no such option",
            _one_of(error.option_name, [*names, "--help"]),
            f"{error.option_name!r}",
        )
    if kind == "MissingParameter":
        return invalid(f"{command} needs {_name(error.param)}", _help(error.param), "nothing")
    if error.__cause__ is None and "No such command" in message:
        received = message.split("'")[1] if "'" in message else message
        return invalid("qfl-explore has no such command", _one_of(received, list(group.commands)), repr(received))
    if getattr(error, "param", None) is not None:
        return invalid(f"{_name(error.param)} cannot be used", _help(error.param), _last_part(message))
    return invalid(f"{command} cannot read its arguments", "arguments as --help shows them", message.rstrip("."))


def hint_of(error: Any) -> str:
    """Where help is."""
    context = getattr(error, "ctx", None)
    return f"Help, with an example: {getattr(context, 'command_path', '') or 'qfl-explore'} --help"


def _name(parameter: Any) -> str:
    option = parameter.opts[-1]
    return option if option.startswith("-") else getattr(parameter, "metavar", None) or option.upper()


def _help(parameter: Any) -> str:
    return (getattr(parameter, "help", None) or "a value").rstrip(".")


def _last_part(message: str) -> str:
    """``Invalid value for '--port': 'x' is no integer.`` without its beginning."""
    return message.split(": ", 1)[-1].rstrip(".")


def _one_of(received: str, names: list[str]) -> str:
    close = difflib.get_close_matches(received, names, n=1, cutoff=0.5)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return "one of " + ", ".join(names) + hint

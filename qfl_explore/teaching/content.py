"""Reads the teaching material; each part once, when it is first asked for."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from qfl_explore.errors import check_option, invalid
from qfl_explore.teaching.model import Activity, Lesson, Preset, Step, Task, Term, Tour

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

FOLDER = Path(__file__).parent / "data"
_RECORD = TypeVar("_RECORD")


def read(path: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ValueError: it is not there or not TOML; the message names the file.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise invalid(f"{path.name} cannot be read", "a file in TOML", str(error)) from None


def record(kind: type[_RECORD], values: Mapping[str, Any], where: str) -> _RECORD:
    """A record from a table of a file; lists become tuples.

    Args:
        kind: a dataclass of `model`.
        values: field -> value.
        where: names the table in messages.

    Raises:
        ValueError: a field is unknown or missing.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        check_option(f"a field of {where}", name, list(fields))
    neither = (dataclasses.MISSING, dataclasses.MISSING)
    needed = [n for n, field in fields.items() if (field.default, field.default_factory) == neither and n not in values]
    if needed:
        raise invalid(f"{where} is not complete", f"the field {needed[0]}", ", ".join(values))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


@functools.cache
def presets() -> dict[str, tuple[Preset, ...]]:
    """Page -> its presets, in the order in which they are shown."""
    tables = read(FOLDER / "presets.toml")
    return {
        page: tuple(record(Preset, {"page": page, **one}, f"a preset of {page}") for one in found)
        for page, found in tables.items()
    }


def preset(page: str, name: str) -> Preset:
    """One preset.

    Raises:
        ValueError: there is no such page or preset.
    """
    found = {one.name: one for one in presets()[check_option("page", page, list(presets()))]}
    return found[check_option("preset", name, list(found))]


@functools.cache
def tours() -> dict[str, Tour]:
    """Page -> its tour."""
    return {path.stem: _tour(path) for path in sorted((FOLDER / "tours").glob("*.toml"))}


def _tour(path: Path) -> Tour:
    values = read(path)
    page = path.stem
    steps = []
    for number, one in enumerate(values.pop("step", []), 1):
        where = f"step {number} of the tour {page}"
        named = one.pop("preset", None)
        if named is not None:
            one["words"] = preset(page, named).words
        steps.append(record(Step, one, where))
    return record(Tour, {"page": page, "steps": steps, **values}, f"the tour {page}")


@functools.cache
def glossary() -> tuple[Term, ...]:
    """All terms, by name."""
    terms = [record(Term, one, f"the term {one.get('name')}") for one in read(FOLDER / "glossary.toml")["term"]]
    return tuple(sorted(terms, key=lambda term: term.name.lower()))


@functools.cache
def control_terms() -> dict[str, Term]:
    """Name of a parameter, or ``page.name`` -> the term that explains it."""
    return {control: term for term in glossary() for control in term.controls}


@functools.cache
def lessons() -> dict[str, Lesson]:
    """Name -> lesson."""
    tables = read(FOLDER / "lessons.toml")
    activities = {name: _activity(name, values) for name, values in tables["activity"].items()}
    return {one["name"]: _lesson(one, activities) for one in tables["lesson"]}


def _activity(name: str, values: dict[str, Any]) -> Activity:
    tasks = [record(Task, one, f"a task of {name}") for one in values.pop("task", [])]
    named = values.pop("preset", None)
    if named is not None:
        values["words"] = preset(values["page"], named).words
    return record(Activity, {**values, "tasks": tasks}, f"the activity {name}")


def _lesson(values: Mapping[str, Any], activities: Mapping[str, Activity]) -> Lesson:
    parts = [(activities[check_option("activity", name, list(activities))], time) for name, time in values["parts"]]
    return record(Lesson, {**values, "parts": parts}, f"the lesson {values['name']}")

"""What data there are, where, and how to get the rest, for ``qfl-explore data``."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path

from qfl_explore.datasets import load
from qfl_explore.datasets.base import MultimodalData
from qfl_explore.datasets.places import VARIABLE, data_root, find_folder
from qfl_explore.datasets.registry import DATASETS
from qfl_explore.datasets.sources import SOURCES
from qfl_explore.errors import check_option, invalid

BUILT_IN = (
    ("polynomial and trigonometric targets", "computed from a seed; the page Polynomial and `TargetConfig`"),
    ("discrimination of phase oracles", "computed from a seed; the page Separation and `SeparationConfig`"),
    ("a table of your own", "a CSV file of numbers with one header line; upload it on the page Polynomial"),
)
#: Of a data set with many modalities, features or classes, so many are listed.
MOST = 5


def answer(words: list[str], yes: bool = False, limit: int | None = None) -> str:
    """What ``qfl-explore data`` followed by ``words`` says.

    Args:
        words: none, the name of a data set, or ``get`` and a name.
        yes: of ``get``, whether the licence is accepted already.
        limit: of ``get ptb_xl``, the first so many records only.

    Raises:
        ValueError: the name is unknown, or there are too many words.
        MissingData: its files are not here.
    """
    if not words:
        return overview()
    if words == ["get"]:
        raise invalid("qfl-explore data get needs a NAME", f"one of {', '.join(SOURCES)}", "nothing")
    if len(words) == 1:
        return describe(words[0])
    if len(words) == 2 and words[0] == "get":
        return get(words[1], yes, limit)
    raise invalid("qfl-explore data cannot read its arguments", "nothing, NAME, or get NAME", " ".join(words))


def place_of(name: str) -> str:
    """Where a data set is; empty where its files are not here."""
    entry = DATASETS[check_option("dataset", name, DATASETS)]
    if entry.package:
        return f"inside the installed package {entry.package}"
    if entry.synthetic:
        return "computed from a seed"
    try:
        return str(find_folder(name, _folders(name)))
    except FileNotFoundError:
        return ""


def _folders(name: str) -> tuple[str, ...]:
    return getattr(importlib.import_module(DATASETS[name].module), "FOLDERS", (name,))


def missing(name: str) -> str:
    """How to come by a data set that is not here, in a few words."""
    if name in SOURCES:
        return f"not here; qfl-explore data get {name}"
    return f"not here; put files into {data_root() / _folders(name)[0]} (qfl-explore data get {name} says which)"


def overview() -> str:
    """Every data set with its place, and what else can be used."""
    lines = ["Data sets"]
    for name, entry in DATASETS.items():
        size = f"M = {entry.n_modalities}" if entry.n_modalities else "M as in its files"
        lines.append(f"  {name}: {entry.title}, {size}, {entry.task}")
        lines += _wrapped(entry.summary, 6)
        lines.append(f"      {place_of(name) or missing(name)}")
    lines += ["", "Without a file"]
    for name, text in BUILT_IN:
        lines += _wrapped(f"{name}: {text}", 2)
    lines += ["", f"Files are looked for in {data_root()} ({VARIABLE} names another folder)."]
    return "\n".join([*lines, "Details of one: qfl-explore data NAME"])


def get(name: str, yes: bool = False, limit: int | None = None) -> str:
    """Fetches a data set, goes on where an earlier call ended, or says why there is nothing to fetch."""
    from qfl_explore.datasets.getting import is_ours

    place = place_of(name)
    if name not in SOURCES or (place and not is_ours(Path(place))):
        return how_to_get(name)
    from qfl_explore.cli.get import fetch

    return fetch(name, yes, limit)


def how_to_get(name: str) -> str:
    """Where a data set's files come from, under which terms, and where they go."""
    place = place_of(name)
    if place:
        return f"{name} is here: {place}"
    text = f"put files into {data_root() / _folders(name)[0]}: labels.csv with the columns id and label, and beside "
    text += "it one .csv for each modality with a column id; or one .npz with labels and one array a modality"
    return "\n".join([f"{name} is not here; to use it", *_wrapped(text, 2), "data/README.md has the details."])


def describe(name: str) -> str:
    """Loads one data set and says what is in it.

    Raises:
        ValueError: the name is unknown.
        MissingData: its files are not here.
    """
    data = load(name)
    lines = [f"{data.title} ({data.name})", f"  {data.n_samples} samples, {data.n_modalities} modalities, {data.task}"]
    for modality, names, units in zip(data.modality_names[:MOST], data.feature_names, data.units, strict=False):
        shown = ", ".join(f"{feature} [{unit}]" for feature, unit in zip(names[:3], units, strict=False))
        lines += _wrapped(f"modality {modality}: {len(names)} features ({shown}{', …' * (len(names) > 3)})", 2)
    more = data.n_modalities - MOST
    lines += [f"  … and {more} more modalities"] if more > 0 else []
    lines += [f"  {part}: {text}" for part, text in _parts(data).items()]
    lines.append(f"  split: seed {data.seed}; standardised with the training part's mean and spread")
    lines += [line for note in data.notes for line in _wrapped(note, 2)]
    if data.problems:
        lines += _wrapped(f"{len(data.problems)} records left out; the first: {data.problems[0]}", 2)
    lines += _wrapped(f"source: {data.source}", 2) + [f"  licence: {data.licence}", f"  here: {place_of(name)}"]
    return "\n".join([*lines, "", f"In Python: from qfl_explore.datasets import load; data = load({name!r})"])


def _parts(data: MultimodalData) -> dict[str, str]:
    """For each part of the split its size, and the classes where there are few."""
    found = {part: f"{len(rows)} samples" for part, rows in data.split.items()}
    if data.task == "classification" and data.n_classes <= MOST:
        for part, counts in data.counts().items():
            found[part] = ", ".join(f"{count} {label}" for label, count in counts.items())
    return found


def _wrapped(text: str, indent: int) -> list[str]:
    margins = {"initial_indent": " " * indent, "subsequent_indent": " " * (indent + 2)}
    return textwrap.wrap(text, 100, **margins, break_long_words=False, break_on_hyphens=False)  # paths stay whole

"""What data there are, for ``qfl-explore data``."""

from __future__ import annotations

import textwrap

from qfl_explore.datasets import DATASETS, load

BUILT_IN = (
    ("polynomial and trigonometric targets", "computed from a seed; the page Polynomial and `TargetConfig`"),
    ("discrimination of phase oracles", "computed from a seed; the page Separation and `SeparationConfig`"),
    ("a table of your own", "a CSV file of numbers with one header line; upload it on the page Polynomial"),
)


def overview() -> str:
    """Every data set with its place, and what else can be used."""
    lines = ["Data sets"]
    for name, entry in DATASETS.items():
        lines += [f"  {name}: {entry.title}, M = {entry.n_modalities}", *_wrapped(entry.summary, 4)]
        lines += _wrapped(f"here: {_place(name)}", 4)
    lines += ["", "Without a file"]
    for name, text in BUILT_IN:
        lines += _wrapped(f"{name}: {text}", 2)
    lines += ["", "The rest"]
    lines += _wrapped(
        "Nothing has to be downloaded for any page or notebook. Larger public data sets are not shipped: get them from "
        "their authors, under their licences, and keep them in data/<name>/ of the checkout, as they are published; "
        "data/README.md has the rules.",
        2,
    )
    return "\n".join([*lines, "", "Details of one: qfl-explore data NAME"])


def describe(name: str) -> str:
    """Loads one data set and says what is in it.

    Raises:
        ValueError: the name is unknown.
    """
    data = load(name)
    lines = [f"{data.title} ({data.name})", f"  {data.n_samples} samples, {data.n_classes} classes"]
    for modality, names, units in zip(data.modality_names, data.feature_names, data.units, strict=True):
        shown = ", ".join(f"{feature} [{unit}]" for feature, unit in zip(names[:3], units, strict=False))
        lines += _wrapped(f"modality {modality}: {len(names)} features ({shown}{', …' * (len(names) > 3)})", 2)
    for part, counts in data.counts().items():
        lines.append(f"  {part}: " + ", ".join(f"{count} {label}" for label, count in counts.items()))
    lines.append(f"  split: seed {data.seed}, stratified; standardised with the training part's mean and spread")
    lines += _wrapped(f"source: {data.source}", 2) + [f"  licence: {data.licence}", f"  here: {_place(name)}"]
    return "\n".join([*lines, "", f"In Python: from qfl_explore.datasets import load; data = load({name!r})"])


def _place(name: str) -> str:
    package = DATASETS[name].package
    return f"inside the installed package {package}, no download" if package else f"data/{name}/"


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))

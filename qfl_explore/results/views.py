"""Records as one table, and as a grid with named axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from qfl_explore.errors import check_option, invalid
from qfl_explore.results.record import Record, plain

if TYPE_CHECKING:
    import xarray

#: Columns that say where a row comes from; `table` puts them last.
PROVENANCE = ("status", "error_kind", "error", "attempt", "seconds", "engine", "version", "run_id", "key")
#: Put before a summary's name where the settings have a column of that name and it differs.
RESULT = "result."


def table_of(records: Iterable[Record]) -> pd.DataFrame:
    """One row a record: ``experiment``, settings (dotted names), summary, ``PROVENANCE``.

    A summary's lists are left out (`Record.summary` has them); its dicts get dotted names. A
    summary's value that repeats a setting is left out, one that differs is called ``result.name``.
    """
    records = list(records)
    settings = _columns(record.config for record in records)
    rows = [_row(record, settings) for record in records]
    found = _columns(row[1] for row in rows)
    names = ["experiment", *settings, *found, *(name for name in PROVENANCE if name not in settings)]
    return pd.DataFrame([row[0] | row[1] for row in rows], columns=list(dict.fromkeys(names)))


def _row(record: Record, settings: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    summary: dict[str, Any] = {}
    for name, value in _flat(record.summary).items():
        if name in settings or name in PROVENANCE or name == "experiment":
            if value in (record.config.get(name), getattr(record, name, None)):
                continue
            name = RESULT + name
        summary[name] = value
    config = {name: tuple(value) if isinstance(value, list) else value for name, value in record.config.items()}
    ours = {name: getattr(record, name, None) for name in PROVENANCE} | {"engine": record.provenance.get("engine")}
    return {"experiment": record.experiment} | ours | config, summary


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            found[prefix + name] = value
    return found


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """All names, in the order in which they first come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def rows_of(records: Iterable[Record]) -> pd.DataFrame:
    """The tables of all runs below each other, each row with its run's settings that differ and its key.

    A setting whose name the tables use themselves is not added.
    """
    records = [record for record in records if record.ok]
    varied = varying([record.config for record in records])
    frames = []
    for record in records:
        frame = record.table
        for name in reversed([name for name in varied if name not in frame]):
            value = record.config.get(name)
            frame.insert(0, name, [tuple(value) if isinstance(value, list) else value] * len(frame))
        frames.append(frame.assign(key=record.key))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def varying(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the settings that are not the same in all configs."""
    return [name for name in _columns(configs) if any(c.get(name) != configs[0].get(name) for c in configs)]


def matches(record: Record, where: Mapping[str, Any]) -> bool:
    """Whether a record has these settings; a list, tuple, set or range gives alternatives.

    Raises:
        ValueError: there is no such setting.
    """
    for name, wanted in where.items():
        value = _setting(record, name)
        if isinstance(value, list):
            if value != plain(wanted):
                return False
        elif isinstance(wanted, (list, tuple, set, frozenset, range)):
            if value not in list(wanted):
                return False
        elif value != plain(wanted):
            return False
    return True


def _setting(record: Record, name: str) -> Any:
    if name in ("status", "version"):
        return getattr(record, name)
    check_option("where", name, [*record.config, "status", "version"])
    return record.config[name]


def dataset_of(records: Iterable[Record], axes: Sequence[str] | None = None) -> xarray.Dataset:
    """Finished runs of one experiment as a grid: axes are settings, variables the summary's numbers.

    Args:
        records: of one experiment.
        axes: names of settings; ``None``: all that differ between the runs.

    Returns:
        Variables over the named axes, missing where there is no run; settings that all runs
        share are in ``attrs``.

    Raises:
        ValueError: no run, an unknown axis, or several runs at one place of the grid.
    """
    import xarray

    done = [record for record in records if record.ok]
    if not done:
        raise invalid("there is nothing to put on a grid", "one or more finished runs", "none")
    varied = varying([record.config for record in done])
    axes = list(varied) if axes is None else list(axes)
    for axis in axes:
        check_option("each of axes", axis, done[0].config)
    table = table_of(done)
    _check_places(table, axes, varied)
    skipped = {"experiment", *done[0].config, *PROVENANCE} - {"seconds"}
    values = table[[name for name in table if name not in skipped]]
    shared = {name: value for name, value in done[0].config.items() if name not in varied and value is not None}
    attrs = {"experiment": done[0].experiment, "version": done[0].version} | shared
    if not axes:
        return xarray.Dataset({str(name): plain(values[name].iloc[0]) for name in values}, attrs=attrs)
    places = [pd.Index(table[axis].map(_label)) for axis in axes]
    index = places[0].rename(axes[0]) if len(axes) == 1 else pd.MultiIndex.from_arrays(places, names=axes)
    grid = xarray.Dataset.from_dataframe(values.set_axis(index))
    return grid.assign_attrs({name: _label(value) for name, value in attrs.items()})


def _check_places(table: pd.DataFrame, axes: list[str], varied: list[str]) -> None:
    if not axes:
        doubled = len(table) > 1
    else:
        doubled = bool(table.duplicated(axes).any())
    if doubled:
        others = [name for name in varied if name not in axes]
        names = ", ".join(others) or "nothing but the package's version"
        raise invalid(
            "several runs are at one place of the grid",
            "axes that tell all runs apart, or a narrower where",
            f"axes={axes}; the runs differ in {names} too",
        )


def _label(value: Any) -> Any:
    """A setting as a coordinate: sequences, truth values and ``None`` become text."""
    return str(tuple(value) if isinstance(value, list) else value) if _is_awkward(value) else value


def _is_awkward(value: Any) -> bool:
    return value is None or isinstance(value, (list, tuple, bool))

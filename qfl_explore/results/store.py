"""The store of results: written once, found again by its settings, read as one table."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qfl_explore.errors import invalid
from qfl_explore.results.objects import Objects
from qfl_explore.results.record import DONE, FAILED, Record
from qfl_explore.results.sqlite import SqliteFile
from qfl_explore.results.views import dataset_of, matches, rows_of, table_of

if TYPE_CHECKING:
    import xarray

#: Says where results are kept, where no one says it in code.
VARIABLE = "QFL_EXPLORE_RESULTS"


def default_url() -> str:
    """What ``QFL_EXPLORE_RESULTS`` says, or a file in the user's own folder for data."""
    import platformdirs

    folder = Path(platformdirs.user_data_dir("qfl-explore", appauthor=False))
    return os.environ.get(VARIABLE) or str(folder / "results.sqlite")


class ResultStore:
    """Results of runs, each written once.

    Every attempt at a run is kept and nothing is ever changed: a failure stays beside the
    result of a later attempt, and a key that has a result takes no other. A path is one SQLite
    file (several processes may use it at once; keep it on a local disk). Any other URL is
    storage that fsspec reaches, one object for each attempt, for clusters.

    Args:
        url: path of a file, or a URL; ``None`` for `default_url`.

    Raises:
        ValueError: it cannot be opened.

    >>> store = ResultStore("memory://doctest")
    >>> store.put(Record(experiment="demo", run_id="a", config={"seed": 0}, summary={"score": 0.5}))
    True
    >>> store.put(Record(experiment="demo", run_id="a", config={"seed": 0}, summary={"score": 0.7}))
    False
    >>> store.table("demo")["score"].tolist()
    [0.5]
    """

    def __init__(self, url: str | Path | None = None) -> None:
        chosen = default_url() if url is None else url
        if not isinstance(chosen, (str, Path)) or not str(chosen):
            raise invalid("url is of the wrong kind", "a path or a URL", f"url={chosen!r}", TypeError)
        if "://" in str(chosen):
            self.url = str(chosen)
            self._kept: SqliteFile | Objects = Objects(self.url)
        else:
            path = Path(chosen).expanduser()
            path = path / "results.sqlite" if path.is_dir() else path
            self.url = str(path)
            self._kept = SqliteFile(path)

    def __repr__(self) -> str:
        return f"ResultStore({self.url!r})"

    def __len__(self) -> int:
        return len(self._kept.statuses())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.has(key)

    def put(self, record: Record) -> bool:
        """Keeps one record for good; ``False`` if its key has a result already."""
        return self.put_all([record])[0]

    def put_all(self, records: Iterable[Record]) -> list[bool]:
        """Keeps records, all or (if the process is killed) none of them where the store is a file."""
        return self._kept.add((record.key, record.status, record.experiment, record.to_json()) for record in records)

    def get(self, key: str) -> Record | None:
        """The result of a key, or its last failure, or ``None``."""
        return self.get_all([key]).get(key)

    def get_all(self, keys: Iterable[str]) -> dict[str, Record]:
        """key -> record, for those that are known, in the order of ``keys``."""
        keys = list(keys)
        found = self._kept.latest(keys)
        return {key: _record(*found[key]) for key in keys if key in found}

    def has(self, key: str) -> bool:
        """Whether the key has a result; a failure is none."""
        found = self.get(key)
        return found is not None and found.ok

    def keys(self, status: str | None = DONE) -> set[str]:
        """Keys with a result; ``failed``: those with failures only; ``None``: all."""
        return {key for key, found in self._kept.statuses().items() if status in (None, found)}

    def records(self, experiment: str | None = None, where: Mapping[str, Any] | None = None) -> list[Record]:
        """The latest record of every key.

        Args:
            experiment: only this one's.
            where: settings by dotted name, each with its value or a list of values.
        """
        found = self._kept.latest(experiment=experiment)
        records = [_record(attempt, text) for attempt, text in found.values()]
        return [record for record in records if matches(record, where or {})]

    def attempts(self, key: str) -> list[Record]:
        """All attempts at a run, the first one first."""
        return [_record(attempt, text) for attempt, text in self._kept.attempts(key)]

    def failures(self, experiment: str | None = None) -> pd.DataFrame:
        """One row for each run that has failures only, with its settings and its message."""
        return table_of(record for record in self.records(experiment) if record.status == FAILED)

    def table(
        self,
        experiment: str | None = None,
        where: Mapping[str, Any] | None = None,
        keys: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """One row for each run: settings (dotted names), summary, provenance.

        Args:
            experiment: only this one's.
            where: settings by dotted name, each with its value or a list of values.
            keys: only these, in this order.
        """
        if keys is None:
            return table_of(self.records(experiment, where))
        records = (record for record in self.get_all(keys).values() if experiment in (None, record.experiment))
        return table_of(record for record in records if matches(record, where or {}))

    def rows(
        self,
        experiment: str,
        where: Mapping[str, Any] | None = None,
        keys: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The tables of all finished runs below each other, with the settings that differ."""
        records = self.records(experiment, where) if keys is None else list(self.get_all(keys).values())
        return rows_of(record for record in records if matches(record, where or {}))

    def dataset(
        self,
        experiment: str,
        axes: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        keys: Sequence[str] | None = None,
    ) -> xarray.Dataset:
        """Finished runs as a grid with named axes.

        Args:
            experiment: whose runs.
            axes: names of settings; ``None``: all that differ.
            where: as in `table`.
            keys: only these.
        """
        records = self.records(experiment) if keys is None else list(self.get_all(keys).values())
        return dataset_of([record for record in records if matches(record, where or {})], axes)

    def close(self) -> None:
        """Closes the file."""
        self._kept.close()


def _record(attempt: int, text: str) -> Record:
    return dataclasses.replace(Record.from_json(text), attempt=attempt)

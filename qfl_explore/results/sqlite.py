"""Records in one SQLite file: what is in it is whole, whenever its writer was killed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from qfl_explore.errors import invalid

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    status TEXT NOT NULL,
    experiment TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (key, attempt)
);
CREATE UNIQUE INDEX IF NOT EXISTS one_result ON runs (key) WHERE status = 'done';
CREATE INDEX IF NOT EXISTS by_experiment ON runs (experiment);
CREATE TRIGGER IF NOT EXISTS never_changed BEFORE UPDATE ON runs
    BEGIN SELECT RAISE(ABORT, 'results are written once'); END;
CREATE TRIGGER IF NOT EXISTS never_deleted BEFORE DELETE ON runs
    BEGIN SELECT RAISE(ABORT, 'results are written once'); END;
"""
_INSERT = """
INSERT INTO runs (key, attempt, status, experiment, record)
SELECT :key, 1 + COALESCE((SELECT MAX(attempt) FROM runs WHERE key = :key), 0), :status, :experiment, :record
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE key = :key AND status = 'done')
"""
#: A result before a failure, the last failure before earlier ones.
_LATEST = "SELECT key, attempt, record FROM runs {where} ORDER BY status = 'done', attempt"
_MOST_VARIABLES = 500


class SqliteFile:
    """A file that several threads and processes may read and write at the same time.

    Args:
        path: of the file; its folder is made where it is missing.

    Raises:
        ValueError: the file cannot be opened, or is no store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=60.0, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            expected = "a file of results in a folder that can be written to"
            raise invalid(f"the results at {path} cannot be opened", expected, str(error)) from error

    def add(self, items: Iterable[tuple[str, str, str, str]]) -> list[bool]:
        """Appends (key, status, experiment, record) in one transaction.

        Returns:
            For each whether it was new: nothing is added to a key that has a result.
        """
        names = ("key", "status", "experiment", "record")
        with self._transaction() as db:
            return [db.execute(_INSERT, dict(zip(names, item, strict=True))).rowcount == 1 for item in items]

    def latest(self, keys: Sequence[str] | None = None, experiment: str | None = None) -> dict[str, tuple[int, str]]:
        """key -> attempt and record: the result where there is one, else the last failure."""
        if keys is not None:
            found: dict[str, tuple[int, str]] = {}
            for first in range(0, len(keys), _MOST_VARIABLES):
                some = keys[first : first + _MOST_VARIABLES]
                found |= self._read(f"WHERE key IN ({','.join('?' * len(some))})", some)
            return found
        return self._read("WHERE experiment = ?", [experiment]) if experiment else self._read("", [])

    def attempts(self, key: str) -> list[tuple[int, str]]:
        """Attempt and record, the first one first."""
        with self._lock, closing(self._db.cursor()) as cursor:
            rows = cursor.execute("SELECT attempt, record FROM runs WHERE key = ? ORDER BY attempt", [key])
            return rows.fetchall()

    def statuses(self) -> dict[str, str]:
        """key -> ``done``, or ``failed`` where it has no result."""
        with self._lock, closing(self._db.cursor()) as cursor:
            return dict(cursor.execute("SELECT key, status FROM runs ORDER BY status = 'done', attempt").fetchall())

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def _read(self, where: str, values: Sequence[Any]) -> dict[str, tuple[int, str]]:
        with self._lock, closing(self._db.cursor()) as cursor:
            rows = cursor.execute(_LATEST.format(where=where), values).fetchall()
        return {key: (attempt, record) for key, attempt, record in rows}

    @contextmanager
    def _transaction(self) -> Any:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:  # SQLite itself has rolled back where the disk is full
                    with suppress(sqlite3.Error):
                        self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    expected = "a disk with free space; results that were kept before are there"
                    raise invalid(f"a result could not be kept at {self.path}", expected, str(error)) from error
                raise

"""Records as objects under any URL that fsspec knows: a folder that is shared, a bucket, memory."""

from __future__ import annotations

import itertools
import posixpath
import uuid
from collections.abc import Iterable, Sequence

from qfl_explore.errors import invalid

_DONE, _FAILED, _SUFFIX = "done", "failed", ".json"


class Objects:
    """One object for each attempt, ``experiment/key.done.json`` or ``experiment/key.failed-001.json``.

    An object is written under another name and moved, so that no reader sees half of one. Two
    writers of one key at the same instant both succeed, and one of two equal results is kept.

    Args:
        url: for example ``s3://bucket/folder``, ``file:///shared/folder`` or ``memory://name``.

    Raises:
        ValueError: fsspec cannot open the URL.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url
        try:
            self._fs, root = fsspec.core.url_to_fs(url)
            self._root = root.rstrip("/")
            self._fs.makedirs(self._root, exist_ok=True)
        except (ImportError, ValueError, OSError) as error:
            expected = "a URL that fsspec can write to (s3:// needs the package s3fs, gs:// gcsfs, and so on)"
            raise invalid(f"the results at {url} cannot be opened", expected, str(error)) from error

    def add(self, items: Iterable[tuple[str, str, str, str]]) -> list[bool]:
        """Writes (key, status, experiment, record); see `SqliteFile.add`."""
        return [self._add(*item) for item in items]

    def _add(self, key: str, status: str, experiment: str, record: str) -> bool:
        folder = f"{self._root}/{experiment}"
        self._fs.invalidate_cache()
        done = f"{folder}/{key}.{_DONE}{_SUFFIX}"
        if self._fs.exists(done):
            return False
        self._fs.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{uuid.uuid4().hex}"
        self._fs.pipe_file(temporary, record.encode())
        self._fs.mv(temporary, done if status == _DONE else self._next_failure(f"{folder}/{key}"))
        return True

    def _next_failure(self, place: str) -> str:
        names = (f"{place}.{_FAILED}-{number:03d}{_SUFFIX}" for number in itertools.count(1))
        return next(name for name in names if not self._fs.exists(name))

    def latest(self, keys: Sequence[str] | None = None, experiment: str | None = None) -> dict[str, tuple[int, str]]:
        """See `SqliteFile.latest`."""
        wanted = None if keys is None else set(keys)
        chosen: dict[str, tuple[int, str]] = {}
        for name in sorted(self._names(experiment), key=_order):
            key, status, number = _parts(name)
            if wanted is None or key in wanted:
                attempt = chosen[key][0] + 1 if status == _DONE and key in chosen else number
                chosen[key] = (attempt, name)
        texts = self._texts([name for _, name in chosen.values()])
        return {key: (attempt, texts[name]) for key, (attempt, name) in chosen.items()}

    def attempts(self, key: str) -> list[tuple[int, str]]:
        """See `SqliteFile.attempts`."""
        names = sorted((name for name in self._names() if _parts(name)[0] == key), key=_order)
        texts = self._texts(names)
        return [(number, texts[name]) for number, name in enumerate(names, 1)]

    def statuses(self) -> dict[str, str]:
        """See `SqliteFile.statuses`."""
        return {_parts(name)[0]: _parts(name)[1] for name in sorted(self._names(), key=_order)}

    def close(self) -> None:
        """Nothing to close."""

    def _names(self, experiment: str | None = None) -> list[str]:
        """Full names of all objects, or of one experiment's."""
        self._fs.invalidate_cache()
        place = f"{self._root}/{experiment}" if experiment else self._root
        return [name for name in self._fs.find(place) if _is_record(name)] if self._fs.exists(place) else []

    def _texts(self, names: list[str]) -> dict[str, str]:
        if not names:
            return {}
        found = self._fs.cat(names)
        found = found if isinstance(found, dict) else {names[0]: found}
        return {name: found[name].decode() for name in names}


def _is_record(name: str) -> bool:
    base = posixpath.basename(name)
    return base.endswith(_SUFFIX) and not base.startswith(".") and base.count(".") == 2


def _parts(name: str) -> tuple[str, str, int]:
    """Key, status and number of the failure (1 for a result)."""
    key, outcome, _ = posixpath.basename(name).split(".")
    status, _, number = outcome.partition("-")
    return key, status, int(number or 1)


def _order(name: str) -> tuple[bool, int]:
    _, status, number = _parts(name)
    return status == _DONE, number

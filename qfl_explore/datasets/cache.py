"""Parsed data on disk, so that a source is parsed once: one uncompressed .npz a key, written atomically."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

#: A folder for parsed data; ``off`` switches the cache off.
VARIABLE = "QFL_EXPLORE_CACHE"
_META = "__meta__"

Parsed = tuple[dict[str, np.ndarray], dict[str, Any]]


def cache_root() -> Path | None:
    """What ``QFL_EXPLORE_CACHE`` says, or the user's own folder for caches; ``None`` where switched off."""
    named = os.environ.get(VARIABLE)
    if named == "off":
        return None
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("qfl-explore", appauthor=False)) / "parsed"


def parsed(
    name: str, version: int, files: Iterable[Path], options: Mapping[str, Any], parse: Callable[[], Parsed]
) -> Parsed:
    """What ``parse`` returns, from the cache where the same files have been parsed with the same options.

    Files count as the same while path, size and time of change are. A cache that cannot be read or written
    is passed over: it never changes what is returned.

    Args:
        name: of the data set; the start of the file's name.
        version: of the parser; raise it when its output changes.
        files: everything that ``parse`` reads.
        options: everything else that it depends on; plain values.
        parse: returns arrays by name and a dict that JSON can hold.

    Returns:
        Read-only arrays by name, and the dict.
    """
    root = cache_root()
    path = None if root is None else root / f"{name}-{_key(version, files, options)}.npz"
    found = None if path is None else _read(path)
    arrays, meta = parse() if found is None else found
    if path is not None and found is None:
        with contextlib.suppress(OSError):
            _write(path, arrays, meta)
    for array in arrays.values():
        array.setflags(write=False)
    return arrays, meta


def _key(version: int, files: Iterable[Path], options: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps([version, np.__version__.split(".")[0], options], sort_keys=True).encode())
    for file in files:
        try:
            state = os.stat(file)
            digest.update(f"{os.path.abspath(file)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{os.path.abspath(file)}\0missing\n".encode())
    return digest.hexdigest()[:20]


def _read(path: Path) -> Parsed | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        meta = json.loads(arrays.pop(_META).tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return arrays, meta


def _write(path: Path, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=path.stem, suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays, **{_META: np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)})
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise

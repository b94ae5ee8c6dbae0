"""`get`: fetches a data set into its folder, after its licence has been accepted."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import datetime
import fnmatch
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

from qfl_explore.datasets.fetch import DownloadCancelled, DownloadError, RemoteFile, checksum_of, fetch
from qfl_explore.datasets.places import RECORD, data_root
from qfl_explore.datasets.registry import DATASETS
from qfl_explore.datasets.sources import SOURCES, Item, Source
from qfl_explore.errors import check_int, check_option, invalid

#: An address that has the files of all data sets in one folder each, instead of their authors' addresses.
MIRROR = "QFL_EXPLORE_MIRROR"
#: Small files are fetched so many at a time.
WORKERS = 4


class LicenceNotAccepted(PermissionError, ValueError):
    """Nothing is fetched before the licence is accepted."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a download is.

    Attributes:
        file: that a piece has just arrived of.
        n_files: that are done.
        total_files: of all, as far as known.
        n_bytes: that have arrived or were here, of all files together.
        total_bytes: of this file, or ``None``.
    """

    file: str
    n_files: int
    total_files: int
    n_bytes: int
    total_bytes: int | None


def licence_text(name: str) -> str:
    """What a user is asked to accept before a data set is fetched.

    Raises:
        ValueError: the data set is unknown, or there is nothing to fetch.
    """
    source = source_of(name)
    lines = [
        f"{DATASETS[name].title}: about {source.size:g} MB from {source.base}",
        f"Licence: {source.licence}, {source.licence_url}",
        source.terms,
        source.note,
    ]
    return "\n".join(line for line in lines if line)


def source_of(name: str) -> Source:
    """The source of a data set.

    Raises:
        ValueError: the data set is unknown, or there is nothing to fetch.
    """
    check_option("dataset", name, DATASETS)
    if name in SOURCES:
        return SOURCES[name]
    entry = DATASETS[name]
    where = f"it is inside {entry.package}" if entry.package else "it is computed" if entry.synthetic else "bring it"
    received = f"{name!r}: {where}; see data/README.md"
    raise invalid("there is nothing to fetch", "one of " + ", ".join(SOURCES), received)


def get(
    name: str,
    accept: bool | Callable[[str], bool] = False,
    root: str | Path | None = None,
    limit: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] = bool,
    mirror: str | None = None,
    attempts: int = 4,
    pause: float = 0.5,
) -> Path:
    """Fetches a data set; what is here already is checked and kept, what was interrupted goes on.

    Args:
        name: of the data set.
        accept: whether the licence is accepted, or a function that is shown `licence_text` and says so.
        root: folder for the data set's folder; ``None`` for `data_root`.
        limit: of PTB-XL, the first so many records only.
        progress: is told after every piece.
        cancelled: asked after every piece; truth stops.
        mirror: as the environment variable ``QFL_EXPLORE_MIRROR``.
        attempts: how often to try without progress.
        pause: before the second attempt, in seconds.

    Returns:
        The folder.

    Raises:
        ValueError: the name is unknown, or there is nothing to fetch.
        LicenceNotAccepted: so.
        DownloadError: a file cannot be had, is corrupt, or the disk is full.
    """
    source = source_of(name)
    if limit is not None:
        check_int("limit", limit, 1)
    if not (accept(licence_text(name)) if callable(accept) else accept):
        expected = f"accept {source.licence} ({source.licence_url})"
        raise invalid(f"the licence of {name!r} is not accepted", expected, "no", LicenceNotAccepted)
    folder = Path(root).expanduser() / name if root is not None else data_root() / name
    mirror = mirror or os.environ.get(MIRROR, "")
    base = f"{mirror.rstrip('/')}/{name}/" if mirror else source.base
    _claim(folder, name)
    work = _Work(folder, base, bool(mirror), progress, cancelled, attempts, pause)
    try:
        work.fetch(source.items)
        if source.listed:
            work.fetch(_listed(folder, source.listed, limit), WORKERS)
    except BaseException:
        _release(folder)
        raise
    if source.unpack:
        for item in source.items:
            _unpack(folder / item.path, folder / source.into, source)
    _record(folder, name, source, base, work.checksums, limit)
    return folder


def is_ours(folder: Path) -> bool:
    """Whether `get` made a folder (and may go on in it), and not the user."""
    return (folder / RECORD).is_file()


def _claim(folder: Path, name: str) -> None:
    """Marks a folder as one that `get` fills.

    Raises:
        DownloadError: somebody else has put files there, which `get` will not overwrite.
    """
    if is_ours(folder):
        return
    if folder.is_dir() and any(folder.iterdir()):
        expected = "an empty folder; move what is there, or use it as it is"
        raise invalid(
            f"{folder} has files that were not fetched", expected, f"a folder without {RECORD}", DownloadError
        )
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / RECORD, json.dumps({"name": name, "complete": False}).encode())


def _release(folder: Path) -> None:
    """Takes the mark away again where nothing at all was fetched: an empty folder would look like data."""
    with contextlib.suppress(OSError):
        if [path.name for path in folder.iterdir()] == [RECORD]:
            (folder / RECORD).unlink()
            folder.rmdir()


class _Work:
    """The files of one call of `get`, and the counts that progress tells."""

    def __init__(
        self,
        folder: Path,
        base: str,
        mirrored: bool,
        progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool],
        attempts: int,
        pause: float,
    ) -> None:
        self.folder, self.base, self.mirrored = folder, base, mirrored
        self.progress, self.cancelled, self.attempts, self.pause = progress, cancelled, attempts, pause
        self.checksums: dict[str, str] = {}
        self._bytes: dict[str, int] = {}
        self._total_files = 0
        self._lock = threading.Lock()
        self._failed = threading.Event()

    def fetch(self, items: tuple[Item, ...], workers: int = 1) -> None:
        """Fetches items; the first failure stops the others and is raised."""
        self._total_files += len(items)
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(self._one, item) for item in items]
            try:
                errors = [error for future in futures if (error := future.exception()) is not None]
            except BaseException:  # Ctrl-C: the pieces in flight stop soon, the rest never starts
                self._failed.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if errors:  # those that only stopped because another failed come last
            raise min(errors, key=lambda error: isinstance(error, DownloadCancelled))

    def _one(self, item: Item) -> None:
        if self._failed.is_set():
            return
        url = urljoin(self.base, item.path if self.mirrored else item.url or item.path)
        target = self.folder / item.path
        try:
            fetch(
                RemoteFile(url, item.checksum),
                target,
                lambda n, total: self._tell(item.path, n, total),
                lambda: self._failed.is_set() or self.cancelled(),
                self.attempts,
                pause=self.pause,
            )
        except BaseException:
            self._failed.set()
            raise
        checksum = item.checksum or checksum_of(target)
        size = target.stat().st_size
        with self._lock:
            self.checksums[item.path] = checksum
        self._tell(item.path, size, size)

    def _tell(self, path: str, n_bytes: int, total: int | None) -> None:
        if self.progress is None:
            return
        with self._lock:
            self._bytes[path] = n_bytes
            told = Progress(path, len(self.checksums), self._total_files, sum(self._bytes.values()), total)
            self.progress(told)


def _listed(folder: Path, name: str, limit: int | None) -> tuple[Item, ...]:
    """The records at 100 Hz that the list of checksums and the database name."""
    wanted: set[str] | None = None
    if limit is not None:
        with (folder / "ptbxl_database.csv").open(newline="", encoding="utf-8") as file:
            rows = [row["filename_lr"] for row, _ in zip(csv.DictReader(file), range(limit), strict=False)]
        wanted = {f"{row}{end}" for row in rows for end in (".hea", ".dat")}
    items = []
    for line in (folder / name).read_text(encoding="utf-8").splitlines():
        digest, _, path = line.strip().partition(" ")
        path = path.strip().lstrip("*")
        safe = re.fullmatch(r"records100/\d+/\d+_lr\.(hea|dat)", path) and re.fullmatch(r"[0-9a-f]{64}", digest)
        if safe and (wanted is None or path in wanted):
            items.append(Item(path, checksum=f"sha256:{digest}"))
    if not items:
        raise invalid(
            f"{name} lists no record", "lines like 3080… records100/00000/00001_lr.dat", "none", DownloadError
        )
    return tuple(items)


def _unpack(archive: Path, into: Path, source: Source) -> None:
    """Takes the wanted members out of an archive, by their bare names, each put into place when it is whole."""
    into.mkdir(parents=True, exist_ok=True)
    digests = {}
    try:
        with zipfile.ZipFile(archive) as packed:
            wanted = [info for info in packed.infolist() if _is_wanted(info, source.unpack)]
            room = shutil.disk_usage(into).free
            needed = sum(info.file_size for info in wanted)
            if needed > room:
                received = f"{room} bytes free in {into}"
                raise invalid(f"no room to unpack {archive.name}", f"{needed} bytes free", received, DownloadError)
            for info in wanted:
                content = packed.read(info)
                digests[Path(info.filename).name] = hashlib.sha256(content).hexdigest()
                _put(into / Path(info.filename).name, content)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        archive.unlink()
        what = f"{archive.name} is damaged and was thrown away"
        raise invalid(what, "a whole archive; try again", f"{error}", DownloadError) from None
    if not digests:
        raise invalid(f"{archive.name} has other members", source.unpack, "none of them", DownloadError)
    _check_content(digests, source, archive.name)


def _is_wanted(info: zipfile.ZipInfo, pattern: str) -> bool:
    return not info.is_dir() and (
        fnmatch.fnmatch(info.filename, pattern) or fnmatch.fnmatch(info.filename, f"*/{pattern}")
    )


def _put(path: Path, content: bytes) -> None:
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def _check_content(digests: dict[str, str], source: Source, name: str) -> None:
    if not source.content:
        return
    total = hashlib.sha256()
    for member in sorted(digests):
        if re.search(source.content_of, member):
            total.update(f"{member} {digests[member]}\n".encode())
    if f"sha256:{total.hexdigest()}" != source.content:
        received = f"sha256:{total.hexdigest()}"
        raise invalid(f"the members of {name} are not the known ones", source.content, received, DownloadError)


def _record(folder: Path, name: str, source: Source, base: str, checksums: dict[str, str], limit: int | None) -> None:
    content = {
        "name": name,
        "complete": True,
        "limit": limit,
        "from": base,
        "licence": source.licence,
        "licence_url": source.licence_url,
        "accepted": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "files": dict(sorted(checksums.items())),
    }
    _put(folder / RECORD, json.dumps(content, indent=1).encode())

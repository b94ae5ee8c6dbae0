"""One file over HTTP: resumed where it was interrupted, checked, and put into place only when it is whole."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import http.client
import json
import os
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from qfl_explore.errors import invalid

CHUNK = 1 << 18
#: Left free on the disk.
MARGIN = 1 << 20
#: Answers that may be better the next time.
PASSING = {408, 425, 429, 500, 502, 503, 504}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DownloadError(OSError, ValueError):
    """A download failed; the message has three parts and says whether trying again helps."""


class DownloadCancelled(DownloadError):
    """The user stopped a download; what arrived is kept, and the next try goes on from there."""


class _Passing(Exception):
    """A fault that another attempt may mend."""


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    Attributes:
        url: http or https.
        checksum: ``sha256:…`` or ``md5:…``; empty where none is published.
        size: in bytes, or ``None`` where unknown.
    """

    url: str
    checksum: str = ""
    size: int | None = None


#: Called with the bytes that are here and the bytes in all (or ``None``).
Report = Callable[[int, int | None], None]


def fetch(
    file: RemoteFile,
    target: Path,
    report: Report | None = None,
    cancelled: Callable[[], bool] = bool,
    attempts: int = 4,
    timeout: float = 30.0,
    pause: float = 0.5,
) -> Path:
    """Fetches a file unless it is here already.

    Until it is whole and its checksum right, it lies beside the target with the ending ``.part``.

    Args:
        file: what to fetch.
        target: where it goes; its folder is made.
        report: is told about progress.
        cancelled: asked after every piece; truth stops the download.
        attempts: how often to try without a byte of progress.
        timeout: of the connection, in seconds.
        pause: before the second attempt, in seconds; doubled each time.

    Returns:
        The target.

    Raises:
        DownloadError: it cannot be had, is corrupt, or the disk is full.
        DownloadCancelled: ``cancelled`` said so.
    """
    if target.is_file() and matches(target, file.checksum, file.size):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    with _alone(partial):
        resumed = partial.is_file()
        _whole(file, partial, report or (lambda *_: None), cancelled, attempts, timeout, pause)
        if not matches(partial, file.checksum, None) and resumed:
            _forget(partial)  # the old piece may have been the corrupt one
            _whole(file, partial, report or (lambda *_: None), cancelled, attempts, timeout, pause)
        if not matches(partial, file.checksum, None):
            received = checksum_of(partial, file.checksum.split(":")[0])
            _forget(partial)
            what = f"{target.name} arrived corrupt and was thrown away"
            raise invalid(what, f"{file.checksum} from {file.url}", received, DownloadError)
        os.replace(partial, target)
        _forget(partial)
    return target


def checksum_of(path: Path, algorithm: str = "sha256") -> str:
    """``algorithm:hexadecimal`` of a file."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return f"{algorithm}:{digest.hexdigest()}"


def matches(path: Path, checksum: str, size: int | None = None) -> bool:
    """Whether a file has this checksum and size; where none is known, whether it is there."""
    if size is not None and path.stat().st_size != size:
        return False
    return not checksum or checksum_of(path, checksum.split(":")[0]) == checksum.lower()


def _whole(
    file: RemoteFile,
    partial: Path,
    report: Report,
    cancelled: Callable[[], bool],
    attempts: int,
    timeout: float,
    pause: float,
) -> None:
    """Transfers until the file is whole; attempts count from the last progress."""
    failed = 0
    while True:
        before = _size(partial)
        try:
            _transfer(file, partial, report, cancelled, timeout)
            return
        except _Passing as error:
            failed = failed + 1 if _size(partial) <= before else 1
            if failed >= attempts:
                kept = _size(partial)
                what = f"{file.url} could not be fetched"
                expected = "a complete answer; try again, it goes on from what is here"
                raise invalid(what, expected, f"{error} ({kept} bytes are kept)", DownloadError) from None
        _wait(pause * 2 ** (failed - 1), cancelled, file)


def _wait(seconds: float, cancelled: Callable[[], bool], file: RemoteFile) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _stop_if(cancelled, file)
        time.sleep(min(0.1, max(0.0, until - time.monotonic())))


def _stop_if(cancelled: Callable[[], bool], file: RemoteFile) -> None:
    if cancelled():
        expected = "to let it finish; the next try goes on from what is here"
        raise invalid("the download was stopped", expected, file.url, DownloadCancelled)


def _transfer(file: RemoteFile, partial: Path, report: Report, cancelled: Callable[[], bool], timeout: float) -> None:
    """One connection: the rest of the file, or all of it where the server cannot resume.

    Raises:
        _Passing: the connection broke, or fewer bytes came than promised.
        DownloadError: another attempt would not help.
    """
    _stop_if(cancelled, file)
    have = _size(partial)
    request = urllib.request.Request(file.url, headers={"Accept-Encoding": "identity", "User-Agent": "qfl-explore"})
    validator = _validator(partial)
    if have and (validator or file.checksum):
        request.add_header("Range", f"bytes={have}-")
        if validator:
            request.add_header("If-Range", validator)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            start = _start(answer, have)
            total = _total(answer, start, file)
            _check_room(partial, total, start, file)
            _remember(partial, answer)
            _pour(answer, partial, start, total, report, cancelled, file)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what is here does not fit what is there
            _forget(partial)
            raise _Passing("the server has fewer bytes than are here") from None
        if error.code in PASSING:
            raise _Passing(f"HTTP {error.code} {error.reason}") from None
        answer = f"HTTP {error.code} {error.reason}"
        raise invalid(f"{file.url} cannot be had", "an answer with the file", answer, DownloadError) from None
    except DownloadError:
        raise
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise _Passing(f"{getattr(error, 'reason', None) or error or type(error).__name__}") from None


def _start(answer: http.client.HTTPResponse, have: int) -> int:
    """The first byte that the answer brings: 0 unless the server resumes where we asked."""
    if answer.status != 206:
        return 0
    span = answer.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
    if span != str(have):
        raise _Passing(f"asked for byte {have}, the server sends from {span or 'nowhere'}")
    return have


def _total(answer: http.client.HTTPResponse, start: int, file: RemoteFile) -> int | None:
    length = answer.headers.get("Content-Length")
    total = start + int(length) if length and length.isdigit() else file.size
    if file.size is not None and total != file.size:
        received = f"{total} bytes at {file.url}"
        raise invalid("the file has another size than it should", f"{file.size} bytes", received, DownloadError)
    return total


def _check_room(partial: Path, total: int | None, start: int, file: RemoteFile) -> None:
    if total is None:
        return
    here = _size(partial) - start  # is overwritten
    needed, free = total - start - here, shutil.disk_usage(partial.parent).free
    if needed + MARGIN > free:
        received = f"{free} bytes free in {partial.parent}"
        raise invalid(f"no room for {file.url}", f"{needed + MARGIN} bytes free", received, DownloadError)


def _pour(
    answer: http.client.HTTPResponse,
    partial: Path,
    start: int,
    total: int | None,
    report: Report,
    cancelled: Callable[[], bool],
    file: RemoteFile,
) -> None:
    have = start
    try:
        with open(partial, "r+b" if start else "wb") as stream:
            stream.seek(start)
            stream.truncate()
            report(have, total)
            while piece := answer.read(CHUNK):
                stream.write(piece)
                have += len(piece)
                report(have, total)
                _stop_if(cancelled, file)
            stream.flush()
            os.fsync(stream.fileno())
    except http.client.IncompleteRead as error:
        raise _Passing(f"the connection closed after {have + len(error.partial)} bytes") from None
    except OSError as error:
        if error.errno not in _FULL:
            raise
        what = f"the disk is full while fetching {file.url}"
        received = f"{os.strerror(error.errno)} after {have} bytes in {partial.parent}"
        raise invalid(what, "room for the rest; then try again, it goes on", received, DownloadError) from None
    if total is not None and have != total:
        raise _Passing(f"the connection closed after {have} of {total} bytes")


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _note(partial: Path) -> Path:
    return partial.with_name(partial.name + ".json")


def _remember(partial: Path, answer: http.client.HTTPResponse) -> None:
    """Keeps what tells one version of the file at the server from the next."""
    etag = answer.headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified", "")
    _note(partial).write_text(json.dumps({"validator": validator}))


def _validator(partial: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(_note(partial).read_text())["validator"])
    return ""


def _forget(partial: Path) -> None:
    for path in (partial, _note(partial)):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Only one process fetches a file at a time; where locks are unknown (Windows), nobody is kept out."""
    path = partial.with_name(partial.name + ".lock")
    with open(path, "w") as stream:
        try:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass
        except OSError:
            received = f"a lock on {path}"
            raise invalid(
                f"{partial.name} is being fetched already", "one at a time", received, DownloadError
            ) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

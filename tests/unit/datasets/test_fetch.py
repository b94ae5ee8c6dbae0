"""Downloads that are interrupted, cut, corrupted, changed or out of disk: never a wrong file, never a lost byte."""

import collections
import errno
import hashlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from qfl_explore.datasets import fetch as module
from qfl_explore.datasets.fetch import DownloadCancelled, DownloadError, RemoteFile, fetch

BODY = np.random.default_rng(0).bytes(600_000)
SUM = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


@pytest.fixture
def site(http):
    with http({"/a.bin": BODY}) as (url, files):
        yield f"{url}/a.bin", files


@pytest.fixture
def target(tmp_path):
    return tmp_path / "deep" / "a.bin"


def left(target):
    return sorted(path.name for path in target.parent.iterdir())


def quick(url, target, checksum=SUM, **more):
    return fetch(RemoteFile(url, checksum), target, pause=0.01, **more)


def test_a_file_arrives_whole_with_progress(site, target):
    url, files = site
    told = []
    assert quick(url, target, report=lambda *seen: told.append(seen)) == target
    assert target.read_bytes() == BODY and left(target) == ["a.bin"]
    assert told[0] == (0, len(BODY)) and told[-1] == (len(BODY), len(BODY))
    assert [n for n, _ in told] == sorted(n for n, _ in told) and len(told) > 2


def test_what_is_here_is_not_fetched_again(site, target):
    url, files = site
    quick(url, target)
    quick(url, target)
    assert len(files.log) == 1
    target.write_bytes(BODY[:-1])
    quick(url, target)
    assert len(files.log) == 2 and target.read_bytes() == BODY


@pytest.mark.parametrize("checksum", [SUM, "", f"md5:{hashlib.md5(BODY).hexdigest()}"])
def test_a_cut_connection_goes_on_where_it_ended(site, target, checksum):
    url, files = site
    files.faults = ["cut 200000", "cut 100000"]
    quick(url, target, checksum)
    assert target.read_bytes() == BODY
    assert files.ranges() == [None, "bytes=200000-", "bytes=300000-"]


def test_without_checksum_and_validator_it_starts_anew(site, target):
    url, files = site
    files.etag = False
    files.faults = ["cut 200000"]
    quick(url, target, "")
    assert target.read_bytes() == BODY and files.ranges() == [None, None]


def test_a_truncated_file_is_never_put_into_place(site, target):
    url, files = site
    files.faults = ["cut 1000"] + ["cut 0"] * 10
    with pytest.raises(
        DownloadError, match=r"could not be fetched. Expected: .*goes on.*1000 of 600000.*1000 bytes are kept"
    ):
        quick(url, target)
    assert not target.exists() and "a.bin.part" in left(target)
    files.faults = []
    quick(url, target)
    assert files.ranges()[-1] == "bytes=1000-" and target.read_bytes() == BODY


def test_a_truncated_answer_without_a_length_is_caught_by_the_checksum(site, target):
    url, files = site
    files.faults = ["no length"]
    quick(url, target)
    assert target.read_bytes() == BODY
    with pytest.raises(DownloadError, match="another size than it should. Expected: 7 bytes"):
        fetch(RemoteFile(url, "", 7), target, pause=0.01)


def test_a_corrupt_file_is_thrown_away(site, target):
    url, files = site
    files.faults = ["flip"]
    with pytest.raises(DownloadError, match=f"a.bin arrived corrupt.*Expected: {SUM} from .* Received: sha256:"):
        quick(url, target)
    assert left(target) == []
    quick(url, target)
    assert target.read_bytes() == BODY


def test_a_corrupt_piece_of_an_earlier_try_is_mended(site, target):
    url, files = site
    target.parent.mkdir()
    partial = target.with_name("a.bin.part")
    partial.write_bytes(b"x" * 5000)
    quick(url, target)
    assert target.read_bytes() == BODY and files.ranges() == ["bytes=5000-", None]


def test_a_file_that_changed_at_the_server_is_not_mixed(site, target):
    url, files = site
    files.faults = ["cut 200000"] + ["status 503"] * 4
    with pytest.raises(DownloadError, match="HTTP 503"):
        quick(url, target, "", attempts=3)
    files.faults = []
    files.content["/a.bin"] = BODY[::-1]
    quick(url, target, "")
    assert target.read_bytes() == BODY[::-1]


@pytest.mark.parametrize("fault", ["ignore range", "wrong range"])
def test_a_server_that_cannot_resume(site, target, fault):
    url, files = site
    files.faults = ["cut 200000", fault]
    quick(url, target)
    assert target.read_bytes() == BODY


def test_a_longer_piece_than_the_file_is_dropped(site, target):
    url, files = site
    target.parent.mkdir()
    target.with_name("a.bin.part").write_bytes(BODY + b"more")
    quick(url, target)
    assert target.read_bytes() == BODY and files.log[0][2] == 416


def test_a_passing_fault_is_waited_for_and_a_lasting_one_is_not(site, target):
    url, files = site
    files.faults = ["status 503", "status 429"]
    quick(url, target)
    assert target.read_bytes() == BODY
    with pytest.raises(DownloadError, match="cannot be had. Expected: .* Received: HTTP 404"):
        quick(url.replace("a.bin", "b.bin"), target.with_name("b.bin"))
    assert len(files.log) == 4


def test_nobody_answers(target):
    with pytest.raises(DownloadError, match="could not be fetched.*efused"):
        quick("http://127.0.0.1:9/a.bin", target, attempts=2)


def test_a_stopped_download_goes_on(site, target):
    url, files = site
    seen = []
    with pytest.raises(DownloadCancelled, match="the download was stopped. Expected: .*goes on"):
        quick(url, target, report=lambda n, _: seen.append(n), cancelled=lambda: bool(seen and seen[-1] > 0))
    assert not target.exists()
    quick(url, target)
    assert target.read_bytes() == BODY and files.ranges()[-1] == f"bytes={seen[-1]}-"


def test_a_killed_process_leaves_a_piece_that_the_next_goes_on_from(site, target):
    url, files = site
    files.pieces.clear()
    code = f"""
from pathlib import Path
from qfl_explore.datasets.fetch import RemoteFile, fetch
fetch(RemoteFile({url!r}, {SUM!r}), Path({str(target)!r}), lambda *seen: print(*seen, flush=True))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline().split()[0] == b"0"
    files.pieces.set()
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    quick(url, target)
    assert target.read_bytes() == BODY and left(target) == ["a.bin"]


def test_no_room_is_said_before_the_first_byte(site, target, monkeypatch):
    url, files = site
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(DownloadError, match="no room for .* Expected: 1648576 bytes free. Received: 1000 bytes free"):
        quick(url, target)
    assert not target.exists()


class FullDisk:
    """A file on a disk that fills up after 300,000 bytes."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, piece):
        if self.stream.tell() + len(piece) > 300_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.stream.write(piece)


def test_a_disk_that_fills_up_keeps_what_it_has(site, target, monkeypatch):
    url, files = site

    def full(path, mode="r", *rest):
        return FullDisk(open(path, mode, *rest)) if "b" in mode else open(path, mode, *rest)

    monkeypatch.setattr(module, "open", full, raising=False)
    with pytest.raises(
        DownloadError, match="disk is full.*Expected: room for the rest.* Received: No space left .* after 262144"
    ):
        quick(url, target)
    assert not target.exists()
    monkeypatch.delattr(module, "open")
    quick(url, target)
    assert target.read_bytes() == BODY and files.ranges()[-1] == "bytes=262144-"


def test_two_at_once_are_told_apart(site, target):
    fcntl = pytest.importorskip("fcntl")
    url, files = site
    target.parent.mkdir()
    with open(target.with_name("a.bin.part.lock"), "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="is being fetched already. Expected: one at a time"):
            quick(url, target)
    quick(url, target)


def test_waiting_can_be_stopped(target):
    began = time.monotonic()
    with pytest.raises(DownloadCancelled):
        fetch(
            RemoteFile("http://127.0.0.1:9/a.bin"), target, cancelled=lambda: time.monotonic() > began + 0.2, pause=60
        )
    assert time.monotonic() - began < 5

"""`get`: the licence first, then the files, each checked; what was fetched loads."""

import dataclasses
import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from qfl_explore.datasets import DATASETS, MissingData, get, is_here, licence_text, load
from qfl_explore.datasets.fetch import DownloadCancelled, DownloadError
from qfl_explore.datasets.getting import LicenceNotAccepted
from qfl_explore.datasets.sources import SOURCES


def sha(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def known(monkeypatch, name, served, **more):
    """Makes a source's checksums those of the test's files."""
    source = SOURCES[name]
    items = tuple(
        dataclasses.replace(item, checksum=sha(served[f"/{name}/{item.path}"]) if item.checksum else "")
        for item in source.items
    )
    monkeypatch.setitem(SOURCES, name, dataclasses.replace(source, items=items, **more))


@pytest.fixture
def ptb_xl(monkeypatch):
    """Files of forty patients with one record each, as PhysioNet serves them."""
    content = {
        "/ptb_xl/LICENSE.txt": b"CC BY 4.0",
        "/ptb_xl/scp_statements.csv": b",diagnostic,diagnostic_class\nNORM,1.0,NORM\n",
    }
    lines, listed = ["ecg_id,patient_id,scp_codes,strat_fold,filename_lr"], []
    rng = np.random.default_rng(0)
    leads = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
    for number in range(1, 41):
        stem = f"records100/00000/{number:05d}_lr"
        samples = rng.integers(-900, 900, (1000, 12)).astype("<i2")
        sums = samples.sum(axis=0, dtype=np.int64) % 65536
        head = [f"{number:05d}_lr 12 100 1000"]
        head += [
            f"{number:05d}_lr.dat 16 1000.0(0)/mV 16 0 0 {s} 0 {lead}" for s, lead in zip(sums, leads, strict=True)
        ]
        content[f"/ptb_xl/{stem}.dat"] = samples.tobytes()
        content[f"/ptb_xl/{stem}.hea"] = "\n".join(head).encode()
        lines.append(f"{number},{number},{{'NORM': 100.0}},{number % 10 + 1},{stem}")
        listed += [f"{sha(content[f'/ptb_xl/{stem}.{end}'])[7:]} {stem}.{end}" for end in ("dat", "hea")]
    listed += [f"{'0' * 64} records500/00000/00001_hr.dat", f"{'0' * 64} ../../evil", "no line at all"]
    content["/ptb_xl/ptbxl_database.csv"] = "\n".join(lines).encode()
    content["/ptb_xl/SHA256SUMS.txt"] = "\n".join(listed).encode()
    known(monkeypatch, "ptb_xl", content)
    return content


def test_nothing_is_fetched_before_the_licence_is_accepted(http, ptb_xl, tmp_path):
    with http(ptb_xl) as (url, files):
        shown = []
        for answer in (False, lambda text: bool(shown.append(text))):
            with pytest.raises(
                LicenceNotAccepted, match="licence of 'ptb_xl' is not accepted. Expected: accept CC BY 4.0"
            ):
                get("ptb_xl", answer, root=tmp_path, mirror=url)
        assert not files.log and not (tmp_path / "ptb_xl").exists()
    assert shown == [licence_text("ptb_xl")] and "creativecommons.org" in shown[0] and "530 MB" in shown[0]


def test_listed_records_are_fetched_checked_and_loaded(http, ptb_xl, tmp_path):
    told = []
    with http(ptb_xl) as (url, files):
        folder = get("ptb_xl", True, root=tmp_path, limit=20, progress=told.append, mirror=url)
        assert len(files.log) == 4 + 40
        assert not [
            path
            for path in folder.rglob("*")
            if path.suffix in {".part", ".lock", ".json"} and path.name != "download.json"
        ]
        data = load("ptb_xl", folder=folder)
        assert data.n_samples == 20 and not data.problems
        get("ptb_xl", True, root=tmp_path, mirror=url)
        assert len(files.log) == 44 + 40, "only the rest"
    assert told[-1].n_files == told[-1].total_files == 44
    assert [seen.n_bytes for seen in told] == sorted(seen.n_bytes for seen in told)
    record = json.loads((folder / "download.json").read_text())
    assert record["complete"] and record["licence"] == "CC BY 4.0" and record["accepted"] and len(record["files"]) == 84
    assert not list(tmp_path.rglob("evil"))


def test_a_corrupt_record_stops_with_its_name_and_the_rest_is_kept(http, ptb_xl, tmp_path):
    path = "/ptb_xl/records100/00000/00007_lr.dat"
    right, ptb_xl[path] = ptb_xl[path], b"x" * 24000
    with http(ptb_xl) as (url, files):
        with pytest.raises(DownloadError, match="00007_lr.dat arrived corrupt and was thrown away"):
            get("ptb_xl", True, root=tmp_path, mirror=url, pause=0.01)
        n_before = len(files.log)
        ptb_xl[path] = right
        files.content[path] = right
        folder = get("ptb_xl", True, root=tmp_path, mirror=url)
        assert len(files.log) - n_before < 84
    assert load("ptb_xl", folder=folder).n_samples == 40


def test_a_stopped_download_goes_on(http, ptb_xl):
    told = []
    with http(ptb_xl) as (url, files):
        with pytest.raises(DownloadCancelled):
            get("ptb_xl", True, mirror=url, progress=told.append, cancelled=lambda: len(told) > 20)
        n_before = len(files.log)
        assert not is_here("ptb_xl")
        with pytest.raises(MissingData, match="qfl-explore data get ptb_xl.* Received: a download that did not end"):
            load("ptb_xl")
        get("ptb_xl", True, mirror=url)
        assert 0 < len(files.log) - n_before < 84
    assert is_here("ptb_xl") and load("ptb_xl").n_samples == 40


def test_files_of_the_user_are_never_overwritten(http, ptb_xl, tmp_path):
    (tmp_path / "ptb_xl").mkdir()
    (tmp_path / "ptb_xl" / "ptbxl_database.csv").write_text("mine")
    with http(ptb_xl) as (url, files):
        with pytest.raises(DownloadError, match="has files that were not fetched. Expected: an empty folder"):
            get("ptb_xl", True, root=tmp_path, mirror=url)
        assert not files.log
    assert (tmp_path / "ptb_xl" / "ptbxl_database.csv").read_text() == "mine"


def packed(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_an_archive_is_unpacked_by_bare_names_and_known_by_its_content(http, monkeypatch, tmp_path):
    members = {
        "fsdd-26e/recordings/7_ann_3.wav": b"sound",
        "fsdd-26e/README.md": b"no",
        "../../recordings/7_ann_30.wav": b"new",
    }
    digest = sha(f"7_ann_3.wav {sha(b'sound')[7:]}\n".encode())
    content = {"/spoken_digits/fsdd.zip": packed(members)}
    known(monkeypatch, "spoken_digits", content, content=digest)
    with http(content) as (url, files):
        folder = get("spoken_digits", True, root=tmp_path / "here", mirror=url)
        assert sorted(path.name for path in (folder / "recordings").iterdir()) == ["7_ann_3.wav", "7_ann_30.wav"]
        assert not (tmp_path / "recordings").exists(), "a name with .. stays in the folder"
        files.content["/spoken_digits/fsdd.zip"] = packed({"a/recordings/7_ann_3.wav": b"other"})
        with pytest.raises(DownloadError, match="members of fsdd.zip are not the known ones"):
            get("spoken_digits", True, root=tmp_path / "there", mirror=url)
        files.content["/spoken_digits/fsdd.zip"] = packed(members)[:-30]
        with pytest.raises(DownloadError, match="fsdd.zip is damaged and was thrown away"):
            get("spoken_digits", True, root=tmp_path / "third", mirror=url)
        assert not (tmp_path / "third" / "spoken_digits" / "fsdd.zip").exists()
        files.content["/spoken_digits/fsdd.zip"] = packed({"a/b.txt": b"x"})
        with pytest.raises(DownloadError, match="fsdd.zip has other members"):
            get("spoken_digits", True, root=tmp_path / "fourth", mirror=url)


def test_files_go_where_the_loader_looks(http, monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    content = {}
    for stem, n in (("train", 120), ("t10k", 20)):
        for kind, array in (("images-idx3", rng.integers(0, 256, (n, 28, 28))), ("labels-idx1", np.arange(n) % 10)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(np.array(k, ">i4").tobytes() for k in array.shape)
            content[f"/fashion_mnist/{stem}-{kind}-ubyte.gz"] = gzip.compress(head + array.astype(np.uint8).tobytes())
    known(monkeypatch, "fashion_mnist", content)
    with http(content) as (url, _):
        monkeypatch.setenv("QFL_EXPLORE_MIRROR", f"{url}/")
        get("fashion_mnist", lambda text: "MIT" in text)
    assert load("fashion_mnist").n_samples == 140


def test_what_cannot_be_fetched_says_why():
    for name, why in (("wine", "inside scikit-learn"), ("synthetic_ecg", "computed"), ("own_folder", "bring it")):
        with pytest.raises(ValueError, match=f"there is nothing to fetch.*{why}"):
            get(name, True)
    with pytest.raises(ValueError, match="did you mean 'ptb_xl'"):
        get("ptbxl", True)
    with pytest.raises(ValueError, match="limit is out of range"):
        get("ptb_xl", True, limit=0)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_sound(name):
    source = SOURCES[name]
    assert DATASETS[name].needs_files and source.base.startswith("https://") and source.base.endswith("/")
    assert source.licence and source.licence_url.startswith("http") and source.terms and source.size > 0
    assert DATASETS[name].licence == source.licence
    for item in source.items:
        assert not Path(item.path).is_absolute() and ".." not in item.path
        algorithm, _, digest = item.checksum.partition(":")
        assert not item.checksum or len(digest) == {"sha256": 64, "md5": 32}[algorithm]


def test_the_real_files_are_those_that_the_checksums_name(real):
    for folder, name in (("traffic", "metr_la"), ("mosi_features", "cmu_mosi"), ("ptbxl_mini", "ptb_xl")):
        home = real(folder)
        here = [item for item in SOURCES[name].items if item.checksum and (home / item.path).is_file()]
        assert here, f"none of the files of {name} is here"
        for item in here:
            if item.path != "ptbxl_database.csv":
                assert sha((home / item.path).read_bytes()) == item.checksum, item.path


def test_the_real_records_through_a_server(http, real, monkeypatch, tmp_path):
    """A hundred of the real records: from a server into a folder, and loaded."""
    home = real("ptbxl_mini")
    content = {f"/ptb_xl/{path.relative_to(home)}": path.read_bytes() for path in home.rglob("*") if path.is_file()}
    listed = "\n".join(
        f"{sha(raw)[7:]} {path[8:]}" for path, raw in content.items() if path.startswith("/ptb_xl/records")
    )
    content["/ptb_xl/SHA256SUMS.txt"] = listed.encode()
    known(monkeypatch, "ptb_xl", content)
    with http(content) as (url, files):
        files.faults = ["cut 3000", "", "", "status 503"]
        folder = get("ptb_xl", True, root=tmp_path, limit=100, mirror=url, pause=0.01)
    data, direct = (load("ptb_xl", folder=place, limit=100) for place in (folder, home))
    assert not data.problems
    np.testing.assert_array_equal(data.raw[5], direct.raw[5])

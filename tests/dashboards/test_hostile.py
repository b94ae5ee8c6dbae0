"""Whatever a visitor types, links, names or uploads: a message or a text, never code, never a traceback."""

import csv
import errno
import io
import re
import sqlite3
import types

import numpy as np
import pandas as pd
import panel as pn
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from qfl_explore import sweeps
from qfl_explore.cli import serve as access
from qfl_explore.dashboards.frame import admission
from qfl_explore.dashboards.frame import shell as shell_module
from qfl_explore.dashboards.frame.shell import Shell
from qfl_explore.dashboards.pages import PAGES
from qfl_explore.dashboards.parts.buttons import code_block
from qfl_explore.dashboards.parts.text import Text, as_markup
from qfl_explore.dashboards.parts.upload import safe_name, upload
from qfl_explore.dashboards.polynomial.own_data import OwnData
from qfl_explore.dashboards.real_data import download as downloads
from qfl_explore.dashboards.runs.live import message
from qfl_explore.dashboards.runs.scheduler import Scheduler
from qfl_explore.dashboards.share.spreadsheet import to_csv
from qfl_explore.dashboards.share.take_along import table_html
from qfl_explore.dashboards.state import PolynomialState
from qfl_explore.experiments.table import MAX_BYTES, read_table
from qfl_explore.results.sqlite import SqliteFile
from tests.dashboards.waiting import wait_for

IMAGE = "<img src=x onerror='window.hit=1'>"
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# what is shown


def test_a_notice_is_text_and_a_closed_one_comes_again():
    shell = Shell({"k": IMAGE})
    try:
        assert "<div>k=" in shell._notice.object and "<img" not in shell._notice.object, "from the link"
        for text in (IMAGE, f"a\n\n{IMAGE}", f"</div>{IMAGE}", "&lt;img src=x&gt;", "**b** [a](b)", "`x` http://a.b"):
            shell.session.notify(text, "error")
            shown = MarkdownIt("gfm-like").render(shell._notice.object)
            assert shown.count("<") == 2, "one div and nothing else"
        shell._notice.closed = True  # the visitor closes it, and makes the same mistake again
        assert shell.session.notice == "" and not shell._notice.visible
        shell.session.notify(text, "error")
        assert shell._notice.visible and not shell._notice.closed
    finally:
        shell.close()


def test_texts_tables_and_sources_are_escaped():
    assert IMAGE not in Text(IMAGE)._markup(IMAGE) and IMAGE not in as_markup(IMAGE) and as_markup("") == ""
    assert IMAGE not in table_html(pd.DataFrame({IMAGE: [IMAGE], "n": [1.0]}))
    fenced = code_block(f"x = 1\n```\n{IMAGE}\n````\n")[0].object
    assert IMAGE in fenced and "<img" not in MarkdownIt("gfm-like").render(fenced)


# what is taken along


def test_no_cell_of_a_csv_runs_in_a_spreadsheet():
    table = pd.DataFrame({"=cmd()": ["=1+1", "ry", None], "n": [-1.0, 2.0, np.nan], "t": ["+49", "-x", "@a"]})
    back = pd.read_csv(io.StringIO(to_csv(table)))
    assert list(back) == ["'=cmd()", "n", "t"] and list(back["n"].dropna()) == [-1.0, 2.0]
    assert list(back["'=cmd()"].dropna()) == ["'=1+1", "ry"] and list(back["t"]) == ["+49", "'-x", "'@a"]


@QUICK
@given(st.lists(st.text(max_size=12) | st.from_regex(r"\s*[=+@-].{0,5}"), min_size=1, max_size=5))
def test_every_text_comes_back_and_none_begins_like_a_formula(cells):
    shown = list(csv.reader(io.StringIO(to_csv(pd.DataFrame({"a": cells, "b": 1})), newline="")))[1:]
    for cell, (seen, _) in zip(cells, shown, strict=True):
        line = re.sub("[\0\t\r\n\v\f\x85\u2028\u2029]", " ", cell)
        assert seen in (line, f"'{line}")
        assert not re.match(r"\s*[=@]", seen) and (not re.match(r"\s*[+-]", seen) or float(seen) == float(cell))


# what is uploaded


class Browser:
    """Sends a file as the widget's script does, and more than that."""

    def __init__(self, most=MAX_BYTES):
        self.refused, self.sent = [], []
        self.widget = upload("file", ".csv", most, self.refused.append)
        self.widget._send_msg = self.sent.append

    def say(self, **message):
        self.widget._handle_msg(message)

    def send(self, data, name="a.csv", pieces=1, finish=True):
        size = -(-len(data) // pieces)
        self.say(status="initializing")
        for i in range(pieces):
            piece = data[i * size : (i + 1) * size]
            self.say(
                status="upload_event", chunk=i + 1, data=piece, name=name, total_chunks=pieces, mime_type="text/csv"
            )
        if finish:
            self.say(status="finished")

    @property
    def held(self):
        buffers = self.widget._file_buffer.values()
        return sum(len(data) for one in buffers for data in one["chunks"].values()) + len(self.widget._buffer)


def test_a_file_in_pieces_arrives_whole():
    browser = Browser()
    browser.send(b"0123456789" * 100, pieces=3)
    assert browser.widget.value == b"0123456789" * 100 and not browser.refused and browser.held == 0


def test_a_large_file_is_refused_with_bounded_memory():
    browser = Browser()
    assert browser.widget.max_file_size == MAX_BYTES, "a real browser sends nothing at all"
    browser.say(status="error", error="File is too large")
    assert browser.refused[-1].startswith("the file cannot be used. Expected: a file of at most 5 MB. Received: File")
    browser.send(bytes(200), pieces=1)
    browser.say(status="initializing")
    piece = bytes(1_000_000)
    for i in range(200):  # 200 MB from a program that claims to have three pieces
        browser.say(status="upload_event", chunk=i % 3 + 1, data=piece, name="b", total_chunks=3, mime_type="")
        assert browser.held <= MAX_BYTES
    browser.say(status="finished")
    assert "b is too large. Expected: at most 5 MB. Received: " in browser.refused[-1] and browser.held == 0
    assert len(browser.refused) == 2 and len(browser.widget.value) == 200, "what was there before stays"
    browser.send(piece[:10], name="c")
    assert browser.widget.value == piece[:10], "and the next file is taken"


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        {"status": "nothing"},
        {"status": "upload_event"},
        {"status": "upload_event", "name": "a", "data": 10**12, "total_chunks": 1, "chunk": 1, "mime_type": ""},
        {"status": "upload_event", "name": "a", "data": "text", "total_chunks": 1, "chunk": 1, "mime_type": ""},
        {"status": "upload_event", "name": "a", "data": b"x", "total_chunks": 10**9, "chunk": 1, "mime_type": ""},
        {"status": "upload_event", "name": "a", "data": b"x", "total_chunks": 2, "chunk": -7, "mime_type": ""},
        {"status": "upload_event", "name": ["a"], "data": b"x", "total_chunks": "many", "chunk": 1, "mime_type": ""},
    ],
    ids=str,
)
def test_nonsense_instead_of_a_piece_harms_nothing(message):
    browser = Browser()
    browser.widget._handle_msg(message)
    assert browser.held == 0 and all("Expected: " in text and "Received: " in text for text in browser.refused)
    browser.send(b"good")
    assert browser.widget.value == b"good"


def test_names_of_files_are_shown_short_and_without_tricks():
    assert safe_name("../../etc/passwd") == "passwd" and safe_name("C:\\a\\b.csv") == "b.csv"
    assert safe_name("a\u202egpj.csv\0\n") == "agpj.csv" and safe_name(None) == safe_name("\u200b") == "upload"
    assert len(safe_name("x" * 500 + ".csv")) == 60 and safe_name("x" * 500 + ".csv").endswith(".csv")


def test_a_hostile_table_is_refused_in_the_page_and_the_next_one_taken():
    told = []
    own = OwnData(state := PolynomialState(target="table"), lambda text, kind: told.append((kind, text)))
    for data, part in [
        (f"{'x' * 200},y\n".encode(), "too long a name"),
        (b"a\0b,y\n1,2\n", "is not a text file"),
        (b"PK\x03\x04\x00\x00", "is not a text file"),
        (b",".join([b"a"] * 1_000_000), "wrong number of columns"),
        (b"a,b,c\n" + b"1,2,nan\n" * 20, "not a number"),
    ]:
        own._upload.filename = IMAGE + "\0.csv"
        own._upload.value = data
        wait_for(lambda: told)
        kind, text = told.pop()
        assert kind == "error" and part in text and "Expected: " in text and "Received: " in text and len(text) < 600
    rows = "\n".join(f"{i},{i % 7}" for i in range(20))
    own._upload.filename = IMAGE
    own._upload.value = f"{IMAGE},y\n{rows}".encode()
    wait_for(lambda: own._table is not None)
    wait_for(lambda: IMAGE in own._about.object)
    assert IMAGE not in own._about._pane.object and state.n_modalities == 1 and not told


@QUICK
@given(st.binary(max_size=300) | st.text(alphabet="a1,;\t\"'\n\r.-+eE\0\ufeff=<", max_size=300).map(str.encode))
def test_any_bytes_are_a_table_or_a_message(data):
    try:
        table = read_table(data, name="f.csv")
    except ValueError as error:
        assert "Expected: " in str(error) and "Received: " in str(error)
    else:
        assert np.isfinite(table.features).all() and np.isfinite(table.target).all()


# what a link says

ODD = ("nan", "inf", "-1", "1e999", "٣", "9" * 5000, IMAGE, "\0", "\ud800", "", "1..9", "0,1", "[]")
VALUES = st.text(max_size=40) | st.sampled_from(ODD)


@pytest.mark.parametrize("kind", sorted({kind for page in PAGES for kind in page.state_classes()}, key=str))
def test_no_link_breaks_a_page(kind):
    words = sorted(kind.URL.values())

    @settings(max_examples=40, deadline=None)
    @given(st.dictionaries(st.sampled_from(words) | st.text(max_size=8), VALUES, max_size=6))
    def tried(query):
        state = kind()
        before = state.to_query()
        problems = state.apply_query(query)
        assert all(len(text) < 1000 for text in problems), "a long value is cut"
        after = state.to_query()
        named = {word for word in query if any(text.startswith(f"{word}=") for text in problems)}
        assert all(after.get(word) == before.get(word) for word in named), "what is named is not taken"
        assert kind().apply_query(after) == [], "what was taken can be linked again"

    tried()


def test_hundreds_of_words_are_a_short_notice_and_the_good_ones_are_kept():
    query = {f"word{i}": IMAGE for i in range(500)} | {"P": "2", "k": IMAGE * 50, "seed": "7", "page": "\ud800"}
    shell = Shell(query)
    try:
        assert shell.session.polynomial.degree == 2 and shell.session.polynomial.seed == 7
        assert 20 < len(shell.session.notice) < 6000 and "<img" not in shell._notice.object
    finally:
        shell.close()


def test_what_was_wrong_with_a_link_outlives_the_next_errors():
    shell = Shell({"k": "x", "P": "2"})
    try:
        said = shell.session.notice
        assert said.startswith("k=x in the link was ignored")
        for error in ("The run failed.", "It failed again."):
            shell.session.notify(error, "error")
            assert shell.session.notice == f"{said} {error}"
        shell._notice.closed = True
        shell.session.notify("And again.", "error")
        assert shell.session.notice == "And again."
    finally:
        shell.close()


def test_a_word_that_comes_twice_is_named(monkeypatch):
    made = []
    monkeypatch.setattr(shell_module, "Shell", lambda query: made.append(Shell(query)) or made[-1])
    arguments = {"P": [b"2", b"5"], "k": [b"2"], "<b>": [b"1", b"2"], "seed": [b"\xff\xfe", b"3"]}
    monkeypatch.setattr(type(pn.state), "session_args", arguments)
    try:
        shell_module.create_app()
        session = made[0].session
        assert session.polynomial.degree == 2 and session.polynomial.target_degree == 2
        assert "only the first counts: P, seed." in session.notice and "seed=" in session.notice
    finally:
        made[0].close()


# what a room may not do


def test_in_a_room_nobody_fetches_data_sets_onto_the_server(monkeypatch, tmp_path):
    monkeypatch.setenv("QFL_EXPLORE_DATA", str(tmp_path))
    monkeypatch.setenv(downloads.VARIABLE, "0")
    monkeypatch.setattr(downloads, "Download", None)  # would be an error
    shell = Shell({"page": "real_data", "data": "steel_plates"})
    try:
        getter = shell._views["real_data"].getter
        assert getter.main.visible and not getter.get_button.visible
        assert getter.words.object.endswith("can fetch it: qfl-explore data get steel_plates.")
        getter.accept()  # a program that presses a button which is not shown
        assert shell.session.notice.startswith("data sets cannot be fetched from here. Expected: ")
        assert downloads.VARIABLE == access.DOWNLOADS and admission.VARIABLE == access.VISITORS
    finally:
        shell.close()


# when something breaks


def test_a_full_disk_stops_a_sweep_with_a_message_and_the_next_one_goes_on(monkeypatch, tmp_path):
    whole = sweeps.stream
    monkeypatch.setenv("QFL_EXPLORE_RESULTS", str(tmp_path / "rows.sqlite"))
    monkeypatch.setattr(sweeps, "stream", lambda *a, **o: whole(*a, **{**o, "kind": "threads", "n_workers": 1}))
    add = SqliteFile.add

    def full(store, items):
        store._db.execute("PRAGMA max_page_count = 1")  # as small as it is already
        return add(store, ((key, status, name, text + " " * 100_000) for key, status, name, text in items))

    monkeypatch.setattr(SqliteFile, "add", full)
    shell = Shell({"page": "sweeps", "xs": "1, 2", "seeds": "1", "settings": "n_steps = 20; n_train = 32"})
    try:
        page = shell._views["sweeps"]
        page.start()
        wait_for(lambda: page.run.drawn == "failed" and shell.session.notice)
        assert "a result could not be kept" in shell.session.notice and "Received: database or disk is full" in (
            shell.session.notice
        )
        monkeypatch.setattr(SqliteFile, "add", add)
        page.start()
        wait_for(lambda: page.run.drawn == "done")
        wait_for(lambda: page.table() is not None and list(page.table()["status"]) == ["done"] * len(page.table()))
    finally:
        shell.close()
        sweeps.shutdown()


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device", "a.csv"), sqlite3.OperationalError("database or disk is full")],
    ids=["file", "database"],
)
def test_a_full_disk_has_three_parts_wherever_it_shows(error):
    assert message(error).startswith("the disk is full, and something could not be written. Expected: free space")
    assert ". Received: " in message(error)


@pytest.mark.slow
def test_a_killed_worker_costs_a_sweep_nothing_but_time(monkeypatch, tmp_path):
    monkeypatch.setenv("QFL_EXPLORE_RESULTS", str(tmp_path / "rows.sqlite"))
    shell = Shell({"page": "sweeps", "xs": "1, 2, 3", "seeds": "4", "settings": "n_steps = 1500; n_train = 128"})
    try:
        page = shell._views["sweeps"]
        page.start()
        wait_for(lambda: page.run.state == "running" and page.table() is not None and len(page.table()) > 1)
        workers = [child for child in psutil.Process().children(recursive=True) if not child.children()]
        killed = [child for child in workers if "spawn_main" in " ".join(child.cmdline())][-1]
        killed.kill()
        wait_for(lambda: page.run.drawn in ("done", "failed"), timeout=300)
        assert page.run.state == "done" and set(page.table()["status"]) == {"done"} and not shell.session.notice
    finally:
        shell.close()
        sweeps.shutdown()


def test_a_worker_survives_whatever_a_run_or_a_callback_raises():
    scheduler, done = Scheduler(n_workers=1), []

    def dies(error):
        raise error
        yield

    try:
        for error in (SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError(), RecursionError("deep")):
            job = scheduler.submit(lambda error=error: dies(error), done.append)
            wait_for(lambda job=job: job.state == "failed", timeout=20)
            assert type(error).__name__ in message(job.error) or "deep" in message(job.error)
            scheduler.submit(lambda: iter([1]), lambda _, error=error: dies(error).send(None))
            scheduler.errand(lambda error=error: dies(error).send(None))
        job = scheduler.submit(lambda: iter("ab"), done.append)
        wait_for(lambda: job.state == "done", timeout=20)
        assert done == ["a", "b"]
    finally:
        scheduler.shutdown()


# who gets a place


def test_one_tab_too_many_gets_a_page_that_says_so(monkeypatch):
    monkeypatch.setenv(admission.VARIABLE, "2")
    monkeypatch.setattr(admission, "_inside", set())
    sessions = []

    def visitor(name, connections=1):
        server = types.SimpleNamespace(sessions=sessions)
        context, left = types.SimpleNamespace(id=name, server_context=server), []
        sessions.append(types.SimpleNamespace(id=name, connection_count=connections))
        return types.SimpleNamespace(session_context=context, on_session_destroyed=left.append, left=left)

    first = visitor("1")
    assert admission.admit(first) and admission.admit(visitor("2")) and not admission.admit(visitor("3"))
    assert not admission.admit(visitor("4")), "somebody who was refused takes no place"
    first.left[0](first.session_context)
    assert admission.admit(visitor("5")) and not admission.admit(visitor("6"))
    sessions[:] = []
    assert all(admission.admit(visitor(str(i), 0)) for i in range(6)), "pages that nobody has opened yet"
    assert not admission.admit(visitor("7", 0)), "but not any number of them"
    for text, expected in (("", 60), ("x", 60), ("0", 1), ("9" * 9, 60), ("12", 12)):
        monkeypatch.setenv(admission.VARIABLE, text)
        assert admission.most() == expected

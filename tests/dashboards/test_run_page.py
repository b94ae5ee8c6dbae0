"""The base of the pages with a toy run: start, refusal, cancel, hidden changes, runs beside the main one."""

import time

import pandas as pd
import param
import pytest

from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts import controls
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs import job
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.state import State
from qfl_explore.errors import invalid
from tests.dashboards.waiting import wait_for


class ToyState(State):
    length = param.Integer(default=3, bounds=(0, 10_000), doc="Numbers to give")
    seed = param.Integer(default=0, bounds=(0, 9999), doc="Seed")
    colour = param.String(default="red", doc="Only drawn")
    URL = {"length": "n", "seed": "seed", "colour": "colour"}
    DRAWN = ("colour",)

    def config(self) -> int:
        if self.length == 0:
            raise invalid("there is nothing to count", "1 or more", "0")
        return self.length


class ToyPage(RunPage):
    name, filename = "toy", "toy.csv"

    def __init__(self, session: Session) -> None:
        super().__init__(session, from_link(session, self.name, ToyState()))
        self.beside = self.side_run(lambda update: self.aside.extend(update.items))
        self.lasting = self.side_run(lambda update: None, lasting=True)
        self.numbers, self.aside, self.n_begun, self.n_ended = [], [], 0, 0
        self.main = self.body(self.controls, self.headline, self.take_along)

    def work(self, config):
        for number in range(config):
            time.sleep(0.002)
            yield number

    def starting(self, config):
        self.beside.start(lambda: iter([config]))

    def begin(self):
        self.numbers, self.n_begun = [], self.n_begun + 1

    def draw(self, update):
        self.numbers += update.items

    def ended(self):
        self.n_ended += 1

    def where(self, update):
        return f"{len(self.numbers)} of {self.current}"

    def fraction(self):
        return len(self.numbers) / self.current

    def table(self):
        return pd.DataFrame({"n": self.numbers}) if self.numbers else None

    def snippet(self):
        return f"print(range({self.state.config()}))"


@pytest.fixture
def page():
    made = []

    def make(**query):
        made.append(ToyPage(Session(query)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def finished(page):
    wait_for(lambda: page.run.drawn == "done" and "finished" in page.controls.status.object)
    return page


def test_it_runs_when_shown_and_says_how_far_it_is(page):
    one = page(page="toy", n="5")
    assert one.run.state == "idle"
    one.show()
    finished(one)
    assert one.numbers == [0, 1, 2, 3, 4] and one.aside == [5] and one.current == 5
    assert one.controls.status.object == "5 of 5 · finished" and one.controls.progress.value == 100
    assert one.query() == {"n": "5"} and pd.read_csv(one.take_along.csv())["n"].tolist() == one.numbers
    one.show()  # nothing changed
    assert one.n_begun == 1


def test_only_a_link_to_the_page_is_read_and_what_does_not_fit_is_named(page):
    assert page(page="other", n="5").state.length == 3
    one = page(page="toy", n="many", seed="7")
    assert one.state.seed == 7 and "n=many in the link was ignored" in one.session.notice


def test_what_cannot_run_is_refused_with_a_notice_and_the_next_good_setting_clears_it(page):
    one = page(page="toy", n="9000")
    one.show()
    one.state.length = 0
    assert one.session.notice == "there is nothing to count. Expected: 1 or more. Received: 0."
    assert one.run.state == "cancelled" and one.controls.status.object == "stopped"
    one.state.length = 2
    assert one.session.notice == ""
    finished(one)


def test_settings_that_are_only_drawn_restart_nothing_and_a_new_seed_does(page):
    one = page(page="toy")
    one.show()
    finished(one)
    one.state.colour = "blue"
    assert one.run.state == "done" and one.n_begun == 1
    one.new_seed()
    wait_for(lambda: one.n_begun == 2)
    assert one.state.seed == 1


def test_hidden_it_pauses_and_a_change_waits_until_it_is_shown(page):
    one = page(page="toy", n="9000")
    one.show()
    wait_for(lambda: one.numbers)
    one.hide()
    assert one.run.state == "paused"
    one.show()
    assert one.run.state in ("queued", "running")
    one.hide()
    one.state.length = 4
    assert one.run.state == "cancelled" and one.current == 9000
    one.show()
    finished(one)
    assert one.numbers == [0, 1, 2, 3]


def test_a_button_that_still_says_start_pauses_nothing(page):
    one = page(page="toy", n="9000")
    one.show()
    wait_for(lambda: one.controls._start_pause.label == "Pause")
    one.controls.show = lambda *_: None  # nothing is drawn any more
    one.controls._start_pause.label = "Start"  # as the visitor sees it until the first result is drawn
    one.controls.toggle()
    assert one.run.state != "paused"
    one.controls._start_pause.label = "Pause"
    one.controls.toggle()
    assert one.run.state == "paused"


def test_a_click_on_pause_that_comes_when_the_run_has_just_ended_starts_nothing(page, monkeypatch):
    one = page(page="toy", n="5")
    one.show()
    wait_for(lambda: one.run.state == "done")
    runs = one.run._run
    one.controls.show(Update(runs, [], None, "running", 0, ""), "")  # the last word that the visitor got: "Pause"
    one.controls.toggle()
    assert one.run._run == runs and one.run.state == "done"
    one.controls.show(Update(runs, [], None, "done", 0, ""), "")  # "Start" is on its way to the browser
    one.controls.toggle()
    assert one.run._run == runs and one.run.state == "done"
    monkeypatch.setattr(controls, "LATE_S", 0.0)  # and a moment later it can be meant
    one.controls.toggle()
    assert one.run._run == runs + 1


def test_what_fails_unexpectedly_is_in_the_servers_log_and_what_is_refused_is_not(page, monkeypatch):
    logged = []
    monkeypatch.setattr(job._LOG, "warning", lambda words, exc_info: logged.append((words, exc_info)))
    one = page(page="toy", n="5")
    for error in (invalid("too much", "less", "more"), KeyError("lost")):
        one.work = lambda config, error=error: (_ for _ in ()).throw(error)
        one.start()
        wait_for(lambda: one.run.drawn == "failed")
    assert logged == [("a run failed", error)] and isinstance(error, KeyError)
    assert "Traceback" not in one.session.notice


def test_what_the_visitor_paused_stays_paused(page):
    one = page(page="toy", n="9000")
    one.show()
    wait_for(lambda: one.numbers)
    one.controls.toggle()
    one.hide()
    one.show()
    assert one.run.state == "paused"


def test_cancel_ends_what_belongs_to_the_run(page):
    one = page(page="toy", n="9000")
    one.show()
    wait_for(lambda: one.numbers)
    for handle in (one.beside, one.lasting):
        handle.start(lambda: one.work(9000))
    one.cancel()
    assert one.run.state == one.beside.state == "cancelled" and one.lasting.state in ("queued", "running")
    assert one.controls.status.object.endswith("of 9000 · cancelled") and one.n_ended == 1
    one.cancel()  # nothing runs: the words stay
    assert one.controls.status.object.endswith("of 9000 · cancelled")
    one.close()
    assert one.lasting.state == "cancelled" and one.n_ended == 3


def test_rewind_begins_anew(page):
    one = page(page="toy")
    one.show()
    finished(one)
    one.run.rewind()
    wait_for(lambda: one.n_begun == 2 and one.numbers == [0])
    assert one.run.state == "paused"


def test_an_error_beside_becomes_a_notice_unless_the_page_shows_it(page):
    one = page(page="toy")
    shown = []
    quiet = one.side_run(lambda update: shown.append(update.error), quiet=True)

    def fail():
        raise ValueError("no. Expected: yes. Received: no.")
        yield

    quiet.start(fail)
    wait_for(lambda: any(shown))
    assert one.session.notice == ""
    one.beside.start(fail)
    wait_for(lambda: one.session.notice == "no. Expected: yes. Received: no.")

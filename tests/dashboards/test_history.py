"""Undo and redo of settings: gestures, consequences, presets, bounds; what differs, in words."""

import param

from qfl_explore.dashboards.frame.teaching_bar import become
from qfl_explore.dashboards.noise.state import NoiseState
from qfl_explore.dashboards.parts.differences import arrows, changes, settings_of, value_words, verdict
from qfl_explore.dashboards.parts.history import History, history_of
from qfl_explore.dashboards.state import PolynomialState
from qfl_explore.dashboards.sweeps.state import SweepsState


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def made(limit=100):
    state, clock = PolynomialState(), Clock()
    return state, clock, History(state, state.URL, clock=clock, limit=limit)


def test_a_drag_is_one_entry_and_another_setting_begins_the_next():
    state, clock, history = made()
    for degree in (4, 5, 6, 7):
        clock.now += 0.3
        state.degree = degree
    clock.now += 0.3
    state.n_blocks = 2
    clock.now += 5.0
    state.n_blocks = 3  # long after: a gesture of its own
    assert [history.undo() for _ in range(4)] == [True, True, True, False]
    assert (state.degree, state.n_blocks) == (3, 1)
    history.redo()
    assert (state.degree, state.n_blocks) == (7, 1)
    history.redo(), history.redo()
    assert state.n_blocks == 3 and not history.redo()


def test_a_drag_back_to_where_it_began_leaves_no_entry_and_keeps_the_one_before():
    state, clock, history = made()
    state.n_blocks = 2
    clock.now += 10.0
    for degree in (4, 5, 3, 6, 3):
        clock.now += 0.2
        state.degree = degree
    assert history.next_undo.after == {"n_blocks": 2}
    clock.now += 0.2
    state.degree = 8
    assert history.next_undo.after == {"degree": 8}
    assert history.undo() and history.undo() and state.n_blocks == 1


def test_a_preset_is_one_entry_with_everything_it_sets():
    state, clock, history = made()
    become(state, {"M": "2", "target": "random_trigonometric", "k": "2", "blocks": "2"})
    assert history.undo() and not history.undo()
    assert settings_of(state) == settings_of(PolynomialState())
    assert history.redo() and state.n_modalities == 2 and state.target == "random_trigonometric"


def test_what_a_choice_sets_besides_belongs_to_it():
    state, clock = SweepsState(), Clock()

    def restore(values):
        if "experiment" in values:
            state.use(values.pop("experiment"))
        state.param.update(**values)

    history = History(state, state.URL, restore, clock)
    before = settings_of(state)
    state.experiment = next(name for name in state.param.experiment.objects if name != state.experiment)
    assert settings_of(state) != before and history.undo()
    assert settings_of(state) == before and not history.undo()


def test_a_new_change_forgets_what_was_undone_and_the_past_is_bounded():
    state, clock, history = made(limit=5)
    heard = []
    history.listen(lambda: heard.append((history.next_undo, history.next_redo)))
    for seed in range(1, 10):
        clock.now += 10.0
        state.seed = seed
    while history.undo():
        pass
    assert state.seed == 4 and history.next_redo.after == {"seed": 5}
    clock.now += 10.0
    state.seed = 100
    assert history.next_redo is None and len(heard) == 9 + 5 + 1


def test_lists_are_kept_as_they_were_and_one_state_has_one_history():
    class Choice(param.Parameterized):
        URL = {"methods": "methods"}
        methods = param.List(default=["a"])

    state = Choice()
    history = history_of(state)
    assert history_of(state) is history
    state.methods = ["a", "b"]
    state.methods.append("c")  # behind the back of param
    history.undo()
    history.redo()
    assert state.methods == ["a", "b"]


def test_values_are_said_as_their_widgets_show_them():
    noise = NoiseState()
    assert (
        value_words(noise, "kind", "dephasing") == "Dephasing"
        and value_words(noise, "repetitions", 0) == "exact values"
    )
    assert value_words(noise, "check", True) == "on" and value_words(noise, "strength", 0.03) == "0.03"
    found = changes(noise, {"degree": 3, "n_seeds": 5}, {"degree": 3, "n_seeds": 6})
    assert arrows(found) == "Seeds 5 → 6"
    many = changes(noise, {"degree": 3, "n_seeds": 5, "n_blocks": 1}, {"degree": 2, "n_seeds": 6, "n_blocks": 2})
    assert arrows(many) == "3 settings"


def test_the_verdict_claims_no_more_than_the_settings_allow():
    noise = NoiseState()
    before = settings_of(noise)

    def said(finished=True, running=False, **values):
        return verdict(changes(noise, before, before | values), finished, running)

    assert said() == "The settings are the same."
    assert said(first_seed=7) == "Only the seeds differ, so what differs between the pictures is chance."
    assert said(degree=2).startswith("The runs differ in one setting; their seeds are the same. An interval")
    two = said(degree=2, n_blocks=2, first_seed=7, finished=False, running=True)
    assert two.startswith("The runs differ in 2 settings and in their seeds, which are not paired: which of ")
    assert two.endswith("The pinned run was not finished. The present run is not finished.")

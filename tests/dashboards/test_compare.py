"""Pin, change, compare: on every page that shows a result; and undo, keys and hints of a page."""

import pytest

from qfl_explore.dashboards.parts.desk import SHORTCUTS
from qfl_explore.dashboards.run_page import ON_ITS_WAY
from tests.dashboards.waiting import wait_for

#: Page -> words of a quick start, and the setting that is changed.
PAGES = {
    "polynomial": ({"steps": "20", "train": "16"}, {"degree": 1}, "Degree P"),
    "circuit": ({}, {"n_modalities": 2}, "Modalities M"),
    "real_data": (
        {"tab": "scores", "methods": "linear,mlp", "seeds": "2", "epochs": "2", "trials": "1"},
        {"epochs": 3},
        "Epochs",
    ),
    "systems": ({"seeds": "2", "epochs": "5"}, {"epochs": 6}, "Epochs"),
    "gradient_variance": ({"upto": "4", "precision": "0.1"}, {"n_blocks": 2}, "Blocks"),
    "separation": ({}, {"delta_degrees": 45}, "Difference"),
    "measurement_bases": ({"seeds": "2", "steps": "50", "train": "16"}, {"degree": 1}, "Degree P"),
    "encoding": ({"seeds": "2", "steps": "50", "train": "16", "P": "1"}, {"n_modalities": 1}, "Modalities M"),
    "noise": ({"seeds": "2", "steps": "20", "train": "16", "upto": "1", "P": "1"}, {"target_degree": 1}, "Degree"),
    "sweeps": ({"xs": "1..2", "each_line": "1", "pictures": "(none)", "seeds": "2"}, {"seeds": 3}, "Seeds"),
}


def part_of(view):
    """What runs: the view, or its open part."""
    return getattr(view, "part", view)


def still(view):
    """Something is drawn and nothing changes for the moment."""
    part = part_of(view)
    if not hasattr(part, "run"):
        return view.drawing.state == "done"
    if part._drawn_run != part.run._run or part.pinned_figures() is None:  # what is there may be of the run before
        return False
    part.run.pause()
    return part.run.drawn in ("paused", "done") and all(one.state in ("done", "idle") for one, _ in part._sides)


@pytest.mark.parametrize("name", PAGES)
def test_pin_change_and_both_are_there(shell, name):
    words, change, label = PAGES[name]
    view = shell(page=name, **words)._views[name]
    part = part_of(view)
    assert "ignored" not in view.session.notice
    assert all(getattr(part.state, setting) != value for setting, value in change.items())
    wait_for(lambda: still(view))
    assert part.pins.pin() and len(part.pins.pinned) == 1
    twins = part.pins.pinned[0].twins
    kept = {id(figure): {n: source.data for n, source in twin.copy.sources.items()} for figure, twin in twins.items()}
    assert kept and all(figure.frame.n_copies == 1 for figure in twins)
    part.state.param.update(**change)
    if name == "sweeps":
        assert "Seeds" not in part.pins.box[0].object  # waits for Start, so the rows are still the same
        part.start()
    wait_for(lambda: f">{label}" in part.pins.box[0].object and still(view))
    part.pins.refresh()
    said = part.pins.box[0].object
    assert said.count('<th scope="col">') == 2 and "Now" in said and "Pinned" in said
    for figure, twin in twins.items():
        assert all(twin.copy.sources[layer].data is data for layer, data in kept[id(figure)].items())
        above = [one.text for one in (*figure.figure.above, *twin.copy.figure.above) if one.name == "caption"]
        assert figure.frame.n_copies == 1 and above[0].startswith("Now") and above[1].startswith("Pinned")
    part.pins.unpin(part.pins.pinned[0])
    assert not list(part.pins.box) and all(figure.frame.n_copies == 0 for figure in twins)
    assert not any(spans for figure in twins for spans in figure.beside.values())


def test_three_are_kept_and_the_oldest_makes_room(shell):
    part = shell(page="separation")._views["separation"].part
    wait_for(lambda: part.run.drawn == "done" and part.pinned_figures())
    for delta in (31, 32, 33, 34):
        assert part.pins.pin()
        part.state.delta_degrees = delta
        wait_for(lambda: part.run.drawn == "done")
    assert [one.name for one in part.pins.pinned] == ["Pinned 2", "Pinned 3", "Pinned 4"]
    assert part.figures["ladder"].frame.n_copies == 3
    assert "Pinned 3: The runs differ in one setting" in part.pins.box[0].object


def test_before_the_first_result_there_is_nothing_to_pin_and_the_axes_say_so(shell):
    view = shell(page="noise", seeds="2", steps="400", train="256")._views["noise"]
    view.run.pause()
    figure = view.figures["scores"]
    assert [one.text for one in figure.figure.center if one.name == "hint"] == [ON_ITS_WAY]
    view.cancel()
    assert [one.text for one in figure.figure.center if one.name == "hint"] == [""]
    view.figures["curve"].clear(*view.figures["curve"].sources)
    assert not view.pins.pin() and "no result to pin yet" in view.session.notice


def test_keys_do_what_the_buttons_do(shell):
    view = shell(steps="5000")._views["polynomial"]
    wait_for(lambda: view._picture is not None and view.run.drawn == "running")
    act = view.bar.act
    act("toggle")
    wait_for(lambda: view.run.state == "paused")
    before = len(view._records)
    act("step")
    wait_for(lambda: len(view._records) > before and view.run.state == "paused")
    act("pin")
    assert len(view.pins.pinned) == 1
    view.state.degree = 2
    act("undo")
    assert view.state.degree == 3
    act("redo")
    assert view.state.degree == 2 and "Degree P 2 → 3" in view.bar.undo.description
    act("help")
    assert view.bar.dialog.open and all(key in view.bar.dialog[0].object for key in SHORTCUTS)
    act("nonsense")  # whatever a browser may send


def test_a_saved_picture_is_named_after_the_run_and_says_its_settings(shell):
    view = shell(steps="20", P="2")._views["polynomial"]
    wait_for(lambda: view.current is not None)
    assert view.bar.desk.settings_id == view.current.run_id and len(view.current.run_id) == 12
    assert view.bar.desk.about == "Degree P: 2; Step budget: 20."

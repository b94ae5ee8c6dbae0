"""Small multiples: means with their intervals in the right place, shared ranges, ticks, and clear refusals."""

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments.intervals import t_interval
from qfl_explore.plots import sweeps as plots
from qfl_explore.plots.style import COLOURS
from qfl_explore.plots.sweeps import Shape

SHAPE = Shape(x="fusion.degree", y="test_r2", lines="target.degree", panels="noise")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    points = [(p, k, noise, seed) for noise in (0.0, 0.5) for k in (1, 2) for p in (3, 1, 2) for seed in range(4)]
    rows = pd.DataFrame(points, columns=["fusion.degree", "target.degree", "noise", "seed"])
    return rows.assign(test_r2=rng.uniform(0.1, 0.9, len(rows)), status="done", kind="ry")


def test_means_are_over_the_runs_at_one_place(table):
    found = plots.means(table, SHAPE)
    assert len(found) == 12 and (found["n_runs"] == 4).all()
    row = found[(found["panel"] == 0.5) & (found["line"] == 2) & (found["x"] == 3)].iloc[0]
    mine = table[(table["noise"] == 0.5) & (table["target.degree"] == 2) & (table["fusion.degree"] == 3)]
    expected = t_interval(mine["test_r2"].to_numpy())
    assert (row["mean"], row["low"], row["high"]) == (expected.mean, expected.low, expected.high)


def test_failures_and_what_is_not_a_number_are_left_out(table):
    broken = table.copy()
    broken.loc[0, "test_r2"] = np.nan
    broken.loc[1, "status"] = "failed"
    broken.loc[1, "test_r2"] = np.nan
    assert plots.means(broken, SHAPE)["n_runs"].sum() == len(table) - 2
    below = table.assign(test_r2=-1.0)
    assert not len(plots.means(below, Shape(x="fusion.degree", y="test_r2", log=True)))


def test_pictures_share_ranges_and_have_a_line_for_each_value(table):
    first, second = plots.pictures(table, SHAPE)
    assert (first.title, second.title) == ("noise = 0", "noise = 0.5")
    assert first.names == ("k = 1", "k = 2") and first.labels == ("degree P (signal layers)", "test R²")
    assert first.x_range == second.x_range and first.y_range == second.y_range
    assert first.ticks == [(1.0, "1"), (2.0, "2"), (3.0, "3")]
    x, mean = second.layers["line 1"]
    assert x == [1.0, 2.0, 3.0]
    bars = second.layers["bars 1"]
    assert all(low < value < high for low, value, high in zip(bars[1], mean, bars[3], strict=True))
    assert len(second.layers["runs"][0]) == 24
    low, high = first.y_range
    assert low < table["test_r2"].min() and table["test_r2"].max() < high


def test_what_is_to_come_already_has_its_place(table):
    values = {"fusion.degree": [1, 2, 3, 9], "target.degree": [1, 2], "noise": [0.0, 0.25, 0.5]}
    shape = Shape(x="fusion.degree", y="test_r2", lines="target.degree", panels="noise", values=values)
    for rows in (table.iloc[:0], pd.DataFrame(), table.iloc[:5]):
        drawn = plots.pictures(rows, shape)
        assert [picture.title for picture in drawn] == ["noise = 0", "noise = 0.25", "noise = 0.5"]
        assert drawn[0].x_range[1] > 9 and np.isfinite(drawn[0].y_range).all()


def test_words_along_x_stand_in_their_turn(table):
    words = table.assign(kind=np.where(table["seed"] < 2, "ry", "phase"))
    (picture,) = plots.pictures(words, Shape(x="kind", y="test_r2", values={"kind": ["phase", "ry"]}))
    assert picture.ticks == [(0.0, "phase"), (1.0, "ry")]
    assert picture.layers["line 0"][0] == [0.0, 1.0] and picture.names == ("",)


def test_a_single_run_has_no_interval(table):
    (picture,) = plots.pictures(table[table["seed"] == 0].iloc[:3], Shape(x="fusion.degree", y="test_r2"))
    assert len(picture.layers["line 0"][0]) == 3 and picture.layers["bars 0"] == ([], [], [], [])


def test_a_run_that_brings_its_own_interval_shows_it(table):
    alone = table[table["seed"] == 0].assign(low=0.01, high=0.99, variance=0.5, loss=0.5, loss_low=0.4, loss_high=0.6)
    alone = alone.assign(**{"pauli.mean": 0.3, "pauli.low": 0.2, "pauli.high": 0.4})
    for y, ends in (("variance", (0.01, 0.99)), ("loss", (0.4, 0.6)), ("pauli.mean", (0.2, 0.4))):
        found = plots.means(alone, Shape(x="fusion.degree", y=y, lines="target.degree", panels="noise"))
        assert (found["low"].iloc[0], found["high"].iloc[0]) == ends
    assert plots.own_ends("test_r2", alone) is None


def test_the_layout_of_a_notebook_has_a_legend_once(table):
    layout = plots.small_multiples(table, SHAPE)
    assert len(layout) == 2
    assert [overlay.opts.get("plot").kwargs["show_legend"] for overlay in layout] == [True, False]


@pytest.mark.parametrize("log", [False, True])
def test_the_live_picture_shows_what_it_is_given(table, log):
    shape = Shape(x="fusion.degree", y="test_r2", lines="target.degree", panels="noise", log=log)
    figure = plots.live_panel(log)
    picture = plots.pictures(table, shape)[1]
    plots.put_panel(figure, picture)
    np.testing.assert_allclose(figure.sources["marks 1"].data["y"], picture.layers["line 1"][1])
    np.testing.assert_allclose(figure.sources["bars 0"].data["y0"], picture.layers["bars 0"][1])
    assert not len(figure.sources["line 5"].data["x"])
    assert figure.figure.title.text == "noise = 0.5" and type(figure.figure.y_scale).__name__.startswith("Log") == log
    assert (figure.figure.y_range.start, figure.figure.y_range.end) == picture.y_range
    figure.set_dark(True)
    assert figure.renderers["line 0"].glyph.line_color == COLOURS["model"][1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"x": "a", "y": "b", "lines": "a"}, r"needs different settings\. Expected: .*Received: \['a', 'a'\]"),
        ({"x": "", "y": "b"}, r"needs different settings"),
        (
            {"x": "a", "y": "b", "lines": "c", "values": {"c": range(7)}},
            r"c has too many values .* Expected: at most 6 lines\. Received: 7",
        ),
        ({"x": "a", "y": "b", "panels": "c", "values": {"c": range(9)}}, r"at most 6 pictures\. Received: 9"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Shape(**settings)


def test_an_unknown_column_is_named(table):
    with pytest.raises(ValueError, match=r"column is not a known option\. Expected: .*did you mean 'test_r2'"):
        plots.pictures(table, Shape(x="fusion.degree", y="test_r"))


def test_the_interval_of_a_run_stands_beside_its_mean_under_several_names(table):
    wide = table.assign(**{"lmf.2.low": 0.1, "lmf.2.high": 0.2, "quantum.auc_low": 0.7, "quantum.auc_high": 0.8})
    assert plots.own_ends("lmf.2.mean", wide) == plots.own_ends("lmf.2.success", wide) == ("lmf.2.low", "lmf.2.high")
    assert plots.own_ends("quantum.auc", wide) == ("quantum.auc_low", "quantum.auc_high")
    assert plots.own_ends("lmf.2.median", wide) is None  # an interval of a mean is none of a median


def test_dots_of_single_runs_are_named_only_where_runs_are_averaged(table):
    many = plots.pictures(table, SHAPE)
    one = plots.pictures(table[table["seed"] == 0], SHAPE)
    assert all(picture.has_repeats for picture in many) and not any(picture.has_repeats for picture in one)

"""Frozen copies of figures: their data stay, ranges that mean the same are shared, others are not."""

import numpy as np
import pytest
from bokeh.models import ColorMapper

from qfl_explore.plots import noise, systems
from qfl_explore.plots.style import colour, copy_of
from qfl_explore.plots.twin import Twin


@pytest.fixture
def live():
    figure = copy_of("twin test", noise.live_scores)
    figure.put("quantum noisy", [0, 1, 2], [0.5, 0.6, 0.7])
    figure.set_range(x=(0, 2), y=(0.4, 1.0))
    return figure


def shown(figure):
    return figure.figure.y_range.start, figure.figure.y_range.end


def test_the_copy_keeps_its_data_and_shares_the_scale(live):
    twin = Twin(live)
    assert twin.place(twin.make(), dark=True)
    live.put("quantum noisy", [0, 1], [-0.2, 0.1])
    live.set_range(y=(-0.3, 0.5))
    assert np.allclose(twin.copy.sources["quantum noisy"].data["y"], [0.5, 0.6, 0.7])
    assert shown(live) == (-0.3, 1.0) and twin.copy.figure.y_range is live.figure.y_range
    assert twin.copy.renderers["quantum noisy"].glyph.line_color == colour("model", True) and twin.own_scales == []
    twin.copy.caption("Pinned")
    assert "Pinned" in [one.text for one in twin.copy.figure.above if one.name == "caption"]
    twin.close()
    assert shown(live) == (-0.3, 0.5)


def test_an_axis_with_another_meaning_is_not_shared_and_is_named(live):
    twin = Twin(live)
    twin.place(twin.make(), dark=False)
    live.figure.yaxis[0].axis_label = "right decisions (share)"
    assert twin.is_stale and twin.place(twin.make(), dark=False) and not twin.is_stale
    live.set_range(y=(0.0, 0.1))
    assert shown(live) == (0.0, 0.1) and shown(twin.copy) == (0.4, 1.0) and twin.own_scales == ["y"]
    live.figure.yaxis[0].axis_label = noise.SCORES["polynomial"]
    assert twin.is_stale


def test_three_copies_of_a_map_and_one_closed_before_it_was_made():
    figure = copy_of("twin test map", systems.live_attention)
    twins = [Twin(figure) for _ in range(3)]
    assert [twin.place(twin.make(), dark=False) for twin in twins] == [True] * 3
    ids = {model.id for twin in twins for model in twin.copy.figure.references()}
    assert len({twin.copy.figure.id for twin in twins} | {figure.figure.id}) == 4 and figure.figure.id not in ids
    for mapper in figure.figure.select({"type": ColorMapper}):
        mapper.high = 123.0
    assert "colours" in twins[0].own_scales
    late = Twin(figure)
    late.close()
    assert not late.place(late.make(), dark=False) and late.copy is None


def test_a_layer_that_was_emptied_is_replaced_not_streamed_into(live):
    live.clear("quantum noisy")
    live.stream("quantum noisy", [1], [2.0])
    live.stream("quantum noisy", [2], [3.0])
    assert np.allclose(live.sources["quantum noisy"].data["y"], [2.0, 3.0])
    assert not live.is_empty
    live.clear(*live.sources)
    assert live.is_empty

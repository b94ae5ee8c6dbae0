"""The notebooks' pictures draw the numbers they are given."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments.intervals import t_interval
from qfl_explore.plots import fit, story


def _figure(element):
    return hv.renderer("bokeh").get_plot(element).state


def _layer(figure, label):
    (item,) = [item for item in figure.legend[0].items if item.label.value == label]
    return item.renderers[0].data_source.data


@pytest.fixture()
def wall_table():
    rows = [(seed, p, float(p >= 2) - 0.01 * seed, float(p >= 2)) for seed in range(3) for p in (1, 2)]
    return pd.DataFrame(rows, columns=["seed", "degree", "test_r2", "ceiling"])


def test_lines_keep_values_and_tell_curves_apart_without_colour():
    x = np.linspace(0, 1, 5)
    overlay = story.lines(x, {"a": x, "b": x**2}, {"dots": ([0.5], [0.25])})
    figure = _figure(story.framed(overlay, "title"))
    assert np.array_equal(_layer(figure, "b")["y"], x**2)
    dashes = [str(r.glyph.line_dash) for r in figure.renderers if type(r.glyph).__name__ == "Line"]
    assert len(set(dashes)) == 2
    assert figure.title.text == "title"
    assert (figure.width, figure.height) == (story.WIDTH, story.HEIGHT)


def test_the_wheel_scrolls_the_notebook_and_the_legend_stays_out_of_the_axes():
    overlay = story.lines(np.arange(3.0), {"a": np.arange(3.0), "b": -np.arange(3.0)})
    figure = _figure(story.framed(overlay, legend_position="top"))
    assert figure.toolbar.active_scroll in (None, "auto") and figure.toolbar.active_drag in (None, "auto")
    assert figure.legend[0].padding == 0 and figure.legend[0] in figure.above


def test_framed_leaves_out_layers_without_data():
    overlay = fit.fit_curve([0.0, 1.0], [0.0, 1.0], [0.0, 0.5])
    labels = [item.label.value for item in _figure(story.framed(overlay)).legend[0].items]
    assert labels == ["target", "model"]


def test_bars_of_a_spectrum_have_a_width_and_a_height():
    overlay = fit.spectrum_bars(2, ([-1, 1], [0.5, 0.5]), ([-1, 0, 1], [0.4, 0.1, 0.4]))
    data = _layer(_figure(story.framed(overlay)), "model")
    assert np.allclose(np.asarray(data["right"]) - np.asarray(data["left"]), 0.28)
    assert np.allclose(data["top"], [0.4, 0.1, 0.4])


def test_the_matrix_has_its_first_row_on_top():
    figure = _figure(story.matrix_map([[1.0, -2.0], [0.0, 0.5]], ["a", "b"]))
    assert list(figure.y_range.factors) == ["b", "a"]
    assert list(figure.x_range.factors) == ["a", "b"]


def test_stems_reach_the_magnitudes():
    overlay = story.spectrum_lines({"one": ([-1, 1], [0.5, 0.2]), "two": ([0], [0.9])}, 1)
    assert list(_layer(_figure(overlay), "one")["y"]) == [0.5, 0.2]
    assert list(_layer(_figure(overlay), "two")["y"]) == [0.9]


def test_the_wall_shows_mean_interval_and_ceiling(wall_table):
    overlay = story.wall_over_seeds(wall_table)
    figure = _figure(overlay)
    assert np.allclose(_layer(figure, "mean, 95 % interval")["y"], [-0.01, 0.99])
    assert list(_layer(figure, "ceiling")["y"]) == [0.0, 1.0]
    assert len(_layer(figure, "each seed")["y"]) == 6
    bars = next(layer for layer in overlay if isinstance(layer, hv.ErrorBars))
    interval = t_interval([1.0, 0.99, 0.98])
    assert np.isclose(bars.dimension_values("half")[1], (interval.high - interval.low) / 2)


def test_the_wall_of_one_seed_has_no_interval(wall_table):
    overlay = story.wall_over_seeds(wall_table[wall_table["seed"] == 0])
    assert [len(layer) for layer in overlay if isinstance(layer, hv.ErrorBars)] == [0]
    _figure(story.framed(overlay))


def test_the_map_of_walls_writes_every_value():
    table = pd.DataFrame({"degree": [1, 2, 1, 2], "k": [1, 1, 2, 2], "test_r2": [1.0, 1.0, -0.002, 0.99]})
    overlay = story.wall_map(table)
    words = [text for layer in overlay if isinstance(layer, hv.Labels) for text in layer.dimension_values("text")]
    assert sorted(words) == ["0.00", "0.99", "1.00", "1.00"]
    _figure(story.framed(overlay))


@pytest.mark.parametrize(("values", "low"), [([0.98, 0.99, 1.0, 1.0], 0.9), ([-20.0, 0.1, 1.0, 1.0], -1.2)])
def test_a_comparison_looks_close_or_cuts_off_far_failures(values, low):
    table = pd.DataFrame({"model": ["a", "a", "b", "b"], "test_r2": values})
    figure = _figure(story.framed(story.comparison(table)))
    assert low < figure.x_range.start < max(min(values), -1.0)
    assert np.allclose(_layer(figure, "mean, 95 % interval")["x"], [np.mean(values[:2]), np.mean(values[2:])])
    assert dict(figure.yaxis[0].major_label_overrides) == {2: "a", 1: "b"}


def test_maps_of_target_and_model_share_their_colours():
    axes = (np.linspace(0, 1, 4),) * 2
    layout = story.fit_maps(axes, np.full((4, 4), 0.5), np.diag([2.0, 0.0, 1.0, 1.0]))
    mappers = [_mapper(plot.state) for plot in _plots(layout)]
    assert [(mapper.low, mapper.high) for mapper in mappers] == [(0.0, 2.0), (0.0, 2.0), (0.0, 1.5)]


def _plots(layout):
    plot = hv.renderer("bokeh").get_plot(layout)
    return [part for column in plot.subplots.values() for part in column.subplots.values()]


def _mapper(figure):
    (image,) = [renderer.glyph for renderer in figure.renderers if hasattr(renderer.glyph, "color_mapper")]
    return image.color_mapper

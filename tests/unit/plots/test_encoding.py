"""The pictures of encoding sensitivity draw the numbers they are given."""

import math

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments.encoding import COLUMNS, EncodingConfig, EncodingResult
from qfl_explore.experiments.encoding_picture import trace
from qfl_explore.plots import encoding as plots
from qfl_explore.plots import encoding_picture as pictures
from qfl_explore.plots.measurement_bases import put

STRENGTHS = (0.5, 1.0, 10.0)


def rows(scaler="none"):
    fixed = dict.fromkeys(COLUMNS, np.nan) | {"degree": 3, "scaler": scaler, "distortion": "scale", "metric": "r2"}
    fixed |= {"n_parameters": 5, "n_train": 8, "n_test": 8, "ceiling": 0.9, "ceiling_anything": 1.0, "clean_score": 0.8}
    for seed in (0, 1):
        for when in ("test", "both"):
            for i, strength in enumerate(STRENGTHS):
                common = fixed | {"seed": seed, "when": when, "strength": strength, "share_outside": 0.1 * i}
                yield common | {"model": "quantum", "score": 0.5 + 0.1 * seed - (5.0 if strength == 10 else 0.0)}
                yield common | {"model": "boosting", "score": 0.4 + 0.1 * seed}


@pytest.fixture(scope="module")
def result():
    return EncodingResult(EncodingConfig(strengths=STRENGTHS, seeds=(0, 1)), pd.DataFrame(rows()))


def test_scores_follow_the_strengths_and_low_ones_sit_on_the_edge(result):
    layers = plots.score_layers(result.summary(), STRENGTHS, "models", "test", -1.0)
    x, y = layers["quantum"]
    np.testing.assert_allclose(y, [0.55, 0.55, -1.0])
    np.testing.assert_allclose(np.rint(x), [0, 1, 2])
    low, high = layers["boosting interval"][1], layers["boosting interval"][3]
    assert ((low < 0.45) & (0.45 < high)).all()
    np.testing.assert_allclose(layers["layer bound"][1], 0.9)
    np.testing.assert_allclose(layers["any bound"][1], 1.0)
    assert plots.lowest_drawn(layers, -1.0) == pytest.approx(-1.08)


def test_views_of_degrees_and_scalers_show_the_layer_alone(result):
    summary = result.summary()
    assert len(plots.score_layers(summary, STRENGTHS, "degrees", "both", -1)["3"][0]) == 3
    assert len(plots.score_layers(summary, STRENGTHS, "degrees", "both", -1)["2"][0]) == 0
    assert len(plots.score_layers(summary, STRENGTHS, "scalers", "both", -1)["none"][0]) == 3


def test_differences_are_the_layer_less_the_rival(result):
    layers = plots.difference_layers(result.summary(), STRENGTHS, dict.fromkeys(("test", "both"), "boosting"))
    np.testing.assert_allclose(layers["test"][1], [0.1, 0.1, -1.45])
    assert plots.difference_span(layers)[1] > 1.45


def test_ticks_say_the_strength():
    assert plots.ticks("outliers", (0.0, 0.01)) == [(0, "0 %"), (1, "1 %")]
    assert [plots.tick("shift", x) for x in (0.25, math.pi, 2 * math.pi)] == ["0.25", "π", "2π"]


@pytest.mark.parametrize("view", plots.SERIES)
def test_live_figures_take_layers_and_names(result, view):
    figure = plots.live_scores(view, "both")
    put(figure, plots.score_layers(result.summary(), STRENGTHS, view, "both", -1.0))
    plots.label_axis(figure, "outliers", (0.0, 0.5), "auc")
    assert figure.figure.xaxis[0].major_label_overrides == {0: "0 %", 1: "50 %"}
    assert "AUC" in figure.figure.yaxis[0].axis_label
    figure.set_dark(True)


def test_notebook_figures_draw(result):
    drawn = [plots.scores(result, view, when) for view in plots.SERIES for when in ("test", "both")]
    for overlay in (*drawn, plots.differences(result)):
        assert isinstance(overlay, hv.Overlay)
        hv.renderer("bokeh").get_plot(overlay)
    figure = plots.live_differences()
    put(figure, plots.difference_layers(result.summary(), STRENGTHS, dict.fromkeys(("test", "both"), "boosting")))
    plots.label_difference(figure, "auc")
    assert "AUC" in figure.figure.yaxis[0].axis_label


def test_every_look_of_a_view_is_its_own():
    for series in plots.SERIES.values():
        assert len({look[:2] for look in series.values()}) == len(series)
        assert len({look[3] for look in series.values()}) == len(series)


def test_a_trace_sorts_samples_into_rings_and_groups():
    found = trace(EncodingConfig(), 5.0, "test", "none")
    assert found.feature_range == pytest.approx((-2 * math.pi, 2 * math.pi))
    np.testing.assert_array_equal(found.outside, np.abs(found.angle) > 2 * math.pi)
    np.testing.assert_array_equal(found.ring, np.rint(found.angle / (2 * math.pi)).astype(int).__abs__())
    x, z = found.circle
    np.testing.assert_allclose(x**2 + z**2, 1.0)
    assert not found.saturated.any()
    groups = [len(pictures.map_layers(found)[name][0]) for name in pictures.GROUPS]
    assert sum(groups) == len(found.raw) == 200 and found.n_samples == 256
    layers = pictures.circle_layers(found)
    radius = np.hypot(*layers["outside"])
    assert (radius > 1.1).all() and (radius <= 1 + pictures.RING * 4 + 1e-9).all()


def test_clipped_values_are_saturated():
    found = trace(EncodingConfig(distortion="clip"), 1.0, "test", "none")
    np.testing.assert_array_equal(found.saturated, np.abs(found.raw) == 1.0)
    assert 0.6 < found.saturated.mean() < 0.76  # 1 - 1/π of a uniform feature


def test_saturation_shows_where_a_scaler_is_flat():
    found = trace(EncodingConfig(distortion="outliers", task="breast_cancer"), 0.4, "test", "tanh")
    assert 0.2 < found.saturated.mean() < 0.7 and not found.outside.any()
    assert len(pictures.map_layers(found)["saturated"][0]) == found.saturated.sum()
    for overlay in (pictures.angle_map(found), pictures.circle(found)):
        hv.renderer("bokeh").get_plot(overlay)
    for live, draw in (
        (pictures.live_angle_map, pictures.put_angle_map),
        (pictures.live_circle, pictures.put_circle),
    ):
        figure = live()
        draw(figure, found)
        assert len(next(iter(figure.sources["saturated"].data.values()))) == found.saturated.sum()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"when": "tset"}, r"when is not a known option.*did you mean 'test'"),
        ({"scaler": "tan"}, r"scaler is not a known option.*did you mean"),
        ({"feature": 2}, r"feature is out of range.*Expected: an integer from 0 to 1.*Received: feature=2"),
    ],
)
def test_wrong_wishes_are_explained(changes, message):
    with pytest.raises(ValueError, match=message):
        trace(EncodingConfig(), **{"strength": 1.0, "when": "test", "scaler": "none"} | changes)

"""Pictures of noise: what is in them, and that live figures take what notebooks draw."""

import holoviews as hv
import numpy as np
import pytest

from qfl_explore.experiments.noise import NoiseConfig, run
from qfl_explore.experiments.noise_curve import curve
from qfl_explore.plots import noise as plots


@pytest.fixture(scope="module")
def decided():
    config = NoiseConfig(task="separation", degrees=(2, 4), strengths=(0.01, 0.1), seeds=(0, 1))
    return config, run(config).summary()


@pytest.fixture(scope="module")
def learned():
    config = NoiseConfig(degrees=(1,), strengths=(0.05,), seeds=(0, 1), n_steps=5, n_train=16)
    return config, run(config).summary()


def test_scores_stand_at_equal_distances(decided):
    config, summary = decided
    layers = plots.scores_layers(summary, config.task, 4, config.strengths)
    x, y = layers["joint"]
    np.testing.assert_allclose(np.diff(x), 1.0)
    assert y[0] == pytest.approx(1.0)
    assert y[2] < y[1] < y[0]
    x0, low, x1, high = layers["joint interval"]
    np.testing.assert_array_equal(x0, x1)
    assert (low <= y).all() and (y <= high).all()


def test_every_learned_line_is_there(learned):
    config, summary = learned
    layers = plots.scores_layers(summary, config.task, 1, config.strengths)
    assert {name for name, columns in layers.items() if len(columns) == 2} == set(plots.LEARNED)
    assert all(len(layers[name][0]) == 2 for name in plots.LEARNED)
    assert min(layers["quantum clean"][1]) >= plots.LOWEST
    empty = plots.scores_layers(summary, config.task, 4, config.strengths)
    assert not len(empty["quantum clean"][0])


def test_degrees_are_told_apart(decided):
    config, summary = decided
    layers = plots.degrees_layers(summary, config.task, config.strengths)
    assert len(layers["1"][0]) == len(layers["2"][0]) == 3
    assert not len(layers["3"][0])
    assert layers["1"][1][2] > layers["2"][1][2]  # fewer queries lose less


def test_static_pictures_have_named_axes(decided):
    config, summary = decided
    for picture in (plots.scores(summary, config, 4), plots.degrees(summary, config)):
        figure = hv.render(picture)
        assert "probability of an error" in figure.xaxis[0].axis_label
        assert figure.yaxis[0].axis_label == plots.SCORES["separation"]
        assert figure.xaxis[0].major_label_overrides[1] == "0.01"
    figure = hv.render(plots.curve(curve(config, 4, 0.05), "separation"))
    assert figure.xaxis[0].axis_label == "true difference Δ (in units of δ)"


def test_live_figures_take_the_same_layers(decided):
    config, summary = decided
    figure = plots.live_decisions()
    plots.set_strengths(figure, config)
    layers = plots.scores_layers(summary, config.task, 2, config.strengths)
    plots.put(figure, layers)
    assert len(figure.sources["joint dots"].data["x"]) == 3
    assert figure.figure.xaxis[0].major_label_overrides == {0: "0", 1: "0.01", 2: "0.1"}
    low, high = plots.span(layers)
    assert low < min(layers["joint"][1]) < high


def test_the_legend_names_degrees(decided):
    config, _ = decided
    figure = plots.live_degrees()
    plots.name_degrees(figure, config)
    items = figure.figure.legend[0].items
    assert [item.label.value for item in items if item.visible] == ["P = 2", "P = 4"]


@pytest.mark.parametrize(
    ("task", "hidden"), [("polynomial", ()), ("breast_cancer", ("target",)), ("separation", ("target", "refit"))]
)
def test_curves_show_what_a_task_has(task, hidden):
    config = NoiseConfig(task=task, degrees=(2,), n_steps=3, n_train=16)
    figure = plots.live_curve()
    plots.set_curve_axes(figure, task)
    plots.put(figure, plots.curve_layers(curve(config, 2, 0.02)))
    rows = [{"x": 0.0, "value": 0.5, "error": 0.1, "exact": 0.4}]
    plots.put(figure, plots.checked_layers(rows))
    assert figure.sources["checked interval"].data["y1"] == pytest.approx([0.696])
    assert len(plots.curve(curve(config, 2, 0.02), task, rows)) > len(plots.curve(curve(config, 2, 0.02), task))
    assert [name for name in plots.CURVES if not figure.renderers[name].visible] == list(hidden)
    assert all(len(figure.sources[name].data["x"]) for name in plots.CURVES if name not in hidden)
    assert (figure.figure.xaxis[0].axis_label, figure.figure.yaxis[0].axis_label) == plots.CURVE_AXES[task]

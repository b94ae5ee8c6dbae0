"""The pictures of measurement bases draw the numbers they are given."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments.measurement_bases import COLUMNS, MeasurementConfig, MeasurementResult
from qfl_explore.plots import measurement_bases as plots
from qfl_explore.plots import measurement_bases_estimates as estimates
from qfl_explore.plots import story


def rows():
    fixed = dict.fromkeys(COLUMNS, np.nan) | {
        "n_observables": 3,
        "n_parameters": 31,
        "ceiling": 1.0,
        "n_train": 8,
        "n_test": 8,
    }
    for seed in (0, 1):
        yield fixed | {"seed": seed, "basis": "fourier", "model": "classical", "score": 1.0}
        for i, base in enumerate(plots.LOOKS):
            common = fixed | {"seed": seed, "basis": base}
            yield common | {"model": "frozen", "score": 0.1 * i}
            yield common | {"model": "trained", "score": 0.9 + 0.02 * seed}
            for total in (100, 1000):
                yield common | {"model": "trained", "repetitions": total, "score": -3.0 if total == 100 else 0.8}
                yield common | {"model": "refitted", "repetitions": total, "score": 0.84 + 0.02 * seed}


@pytest.fixture(scope="module")
def result():
    return MeasurementResult(MeasurementConfig(seeds=(0, 1)), pd.DataFrame(rows(), columns=list(COLUMNS)))


def readings(count):
    table = [
        {"observable": f"P{k:02d}", "method": method, "exact": 0.1, "estimate": 0.2, "low": 0.0, "high": 0.5}
        for method in estimates.METHOD_LOOKS
        for k in range(count)
    ]
    return pd.DataFrame(table)


def test_scores_put_every_seed_mean_and_interval_in_its_row(result):
    layers = plots.scores_layers(result.table, result.summary())
    places = plots.score_rows()
    assert list(layers["pauli trained"][0]) == [0.9, 0.92]
    assert all(abs(y - places["pauli", "trained"]) < 0.5 for y in layers["pauli trained"][1])
    assert len(layers["mean"][0]) == 9 and len(layers["interval"][0]) == 9
    assert list(layers["ceiling"][0]) == [1.0, 1.0]
    assert places["random_pauli_plane", "trained"] == max(places.values())


def test_repetitions_follow_the_readout_and_far_failures_sit_on_the_edge(result):
    summary = result.summary()
    trained = plots.repetition_layers(summary)
    assert list(trained["pauli"][1]) == [plots.LOWEST, 0.8]
    assert list(plots.repetition_layers(summary, "refitted")["pauli"][1]) == [0.85, 0.85]
    assert np.allclose(trained["pauli"][0] / [100, 1000], 1.06**0.5)
    assert plots.lowest_score(trained) == plots.LOWEST - 0.03


def test_sweep_draws_means_and_the_trained_mark(result):
    means = pd.DataFrame(
        {"basis": "pauli", "n_observables": [1, 9], "mean": [0.1, 0.4], "low": [-2, 0.2], "high": [2, 0.6]}
    )
    layers = plots.sweep_layers(means, result.summary())
    assert list(layers["pauli"][1]) == [0.1, 0.4]
    assert list(layers["pauli interval"][1]) == [plots.LOWEST, 0.2] and list(layers["pauli interval"][3]) == [1.0, 0.6]
    assert [float(v[0]) for v in layers["pauli trained"]] == pytest.approx([3.0, 0.91])
    assert not len(layers["all_pauli"][0])


def test_singular_values_leave_out_what_is_rounding():
    table = pd.DataFrame({"basis": "all_pauli", "index": [1, 2, 3], "median": [1.0, 1e-3, 1e-17]})
    assert list(plots.singular_layers(table)["all_pauli"][1]) == [1.0, 1e-3]


@pytest.mark.parametrize(("count", "shown"), [(3, 3), (63, 16)])
def test_estimates_show_at_most_sixteen(count, shown):
    table = readings(count)
    names = estimates.shown_observables(table)
    assert len(names) == shown and names[0] == "P00" and names[-1] == f"P{count - 1:02d}"
    layers = estimates.estimate_layers(table)
    assert np.allclose(layers["shadows interval"][1], 0.0) and np.allclose(layers["shadows interval"][3], 0.5)
    assert np.allclose(layers["exact"][1], 0.1)


def test_every_static_picture_renders_with_names_on_its_axes(result):
    summary = result.summary()
    spectra = pd.DataFrame({"basis": list(plots.LOOKS), "index": 1, "median": 1.0})
    means = pd.DataFrame({"basis": list(plots.LOOKS), "n_observables": 3, "mean": 0.5, "low": 0.4, "high": 0.6})
    falls = pd.DataFrame(
        {"basis": list(plots.LOOKS), "method": "grouped", "repetitions": 100, "rms_error": 0.1, "expected": 0.1}
    )
    pictures = (
        plots.scores(result.table, summary),
        plots.sweep(means, summary),
        plots.repetitions(summary, model="refitted"),
        plots.singular_values(spectra),
        estimates.estimates(readings(5)),
        estimates.error_scaling(falls),
    )
    for picture in pictures:
        figure = hv.renderer("bokeh").get_plot(story.framed(picture, "title")).state
        assert figure.xaxis[0].axis_label
        segments = [r.data_source.data for r in figure.renderers if type(r.glyph).__name__ == "Segment"]
        for data in segments:
            crossed = np.array_equal(data["x0"], data["x1"]) and np.array_equal(data["y0"], data["y1"])
            assert not crossed or not len(data["x0"]), "corners were mixed up"


def test_live_figures_take_every_layer(result):
    summary = result.summary()
    scores, repetitions = plots.live_scores(), plots.live_repetitions()
    plots.put(scores, plots.scores_layers(result.table, summary))
    plots.put(repetitions, plots.repetition_layers(summary))
    data = repetitions.sources["pauli interval"].data
    assert np.array_equal(data["x0"], data["x1"])
    assert list(repetitions.sources["pauli dots"].data["y"]) == [plots.LOWEST, 0.8]
    figure = estimates.live_estimates()
    estimates.put_estimates(figure, readings(63))
    assert figure.figure.xaxis[0].major_label_overrides[15] == "P62"
    for live in (scores, repetitions, figure, plots.live_sweep(), plots.live_singular()):
        live.set_dark(True)
        assert all(axis.axis_label is not None for axis in live.figure.axis)

"""The pictures of the multimodal study draw the numbers they are given, as figures to look at and to stream into."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

from qfl_explore.datasets import load
from qfl_explore.experiments import multimodal_curves as numbers
from qfl_explore.experiments.low_rank_collapse import collapse_table
from qfl_explore.experiments.multimodal import METHODS, MultimodalConfig, MultimodalResult, Step
from qfl_explore.experiments.multimodal_tasks import Task
from qfl_explore.plots import real_data as plots
from qfl_explore.plots import real_data_ablation as ablation
from qfl_explore.plots import real_data_curves as curves
from qfl_explore.plots import real_data_scores as scores
from qfl_explore.plots import real_data_signals as signals

SHOWN = ("linear", "mlp", "low_rank_near_one", "quantum")
NAMES = ["a", "b", "c"]


def steps(seeds=(0, 1), kind="classification", n_classes=3):
    """A made-up study: the higher the method's place, the better it ranks the samples."""
    rng = np.random.default_rng(0)
    task = Task(kind, n_classes, 2.0, np.zeros(n_classes), np.ones(n_classes))
    for seed in seeds:
        labels = rng.integers(0, 3, 60) if kind == "classification" else rng.normal(50, 5, (60, n_classes))
        for place, method in enumerate(SHOWN):
            truth = np.eye(3)[labels] if kind == "classification" else labels
            outputs = truth + rng.normal(0, 1.0 / (1 + place), truth.shape)
            for epoch in range(6 if method != "linear" else 1):
                loss = 0.5 / (1 + epoch + place)
                values = {("train", "loss"): 0.8 * loss, ("validation", "loss"): loss}
                norms = np.full((2, 2), 0.1 / (1 + epoch))
                yield Step("training", seed, method, 0, 0.03, epoch, values, norms)
            row = {"seed": seed, "method": method, "task": kind, "setting": 0.03, "n_parameters": 100 + place}
            row |= dict.fromkeys(("auc", "f1", "accuracy", "mae"), np.nan) | task.scores(outputs, labels)
            row |= {"n_train": 300, "n_test": 60, "test_part": seed, "synthetic": True, "seconds": 1.0, "n_epochs": 5}
            yield Step("tested", seed, method, 0, 0.03, score=row, test=(task, outputs, labels))
    yield Step("skipped", seeds[0], "tensor", reason="too large")


@pytest.fixture(scope="module")
def result():
    return MultimodalResult.collect(MultimodalConfig(seeds=(0, 1), methods=SHOWN), steps())


@pytest.fixture(scope="module")
def forecast():
    made = steps(seeds=(3,), kind="regression", n_classes=2)
    return MultimodalResult.collect(MultimodalConfig(seeds=(3,), methods=SHOWN), made)


def drawn(picture):
    """Its Bokeh figure: what HoloViews only finds out when it renders."""
    return hv.renderer("bokeh").get_plot(picture).state


def test_every_method_has_its_own_look():
    assert list(plots.LOOKS) == list(METHODS)
    looks = [(role, marker, str(dash)) for role, marker, dash, _ in plots.LOOKS.values()]
    assert len(set(looks)) == len(looks) and len({name for *_, name in plots.LOOKS.values()}) == len(METHODS)


def test_learning_curves_are_side_by_side_with_bands_and_the_quantum_layer_behind(result):
    table = numbers.learning_curves(result)
    assert set(table["method"]) == set(SHOWN) - {"linear"} and set(table["n_seeds"]) == {2}
    columns = plots.learning_columns(table, "mlp")
    assert list(columns["validation"][1]) == pytest.approx([0.5 / (2 + e) for e in range(6)])
    assert list(columns["train"][1]) == pytest.approx([0.4 / (2 + e) for e in range(6)])
    assert list(columns["reference"][1]) == pytest.approx([0.5 / (4 + e) for e in range(6)])
    assert "reference" not in plots.learning_columns(table, "quantum")
    assert len(columns["validation band"][0]) == 12
    assert len(drawn(plots.learning_grid(table)).children) >= 1
    figure = plots.live_learning("mlp")
    figure.put("now", [0.0, 1.0], [0.3, 0.2])
    plots.put_learning(figure, table, "mlp")
    assert list(figure.sources["now"].data["y"]) == [0.3, 0.2]
    assert len(figure.sources["validation"].data["x"]) == 6


def test_a_stopped_trial_is_held_at_the_epoch_that_was_kept():
    made = [s for s in steps(seeds=(0,)) if s.method == "mlp"]
    short = [
        Step("training", 1, "mlp", 0, 0.03, e, {("train", "loss"): 9 - e, ("validation", "loss"): v})
        for e, v in enumerate((0.5, 0.1, 0.3))
    ]
    tested = next(s for s in steps(seeds=(1,)) if s.stage == "tested" and s.method == "mlp")
    result = MultimodalResult.collect(MultimodalConfig(seeds=(0, 1), methods=("mlp",)), [*made, *short, tested])
    table = numbers.learning_curves(result)
    last = table[(table["epoch"] == 5)].set_index("part")["mean"]
    assert last["validation"] == pytest.approx((0.5 / 7 + 0.1) / 2)
    assert last["train"] == pytest.approx((0.4 / 7 + 8) / 2)


def test_gradient_norms_are_lines_by_method(result):
    columns = plots.norm_columns(result.gradients)
    assert list(columns["quantum"][1])[:2] == pytest.approx([0.1, 0.1])
    figure = plots.live_gradient_norms()
    plots.put_gradient_norms(figure, result.gradients)
    assert figure.renderers["mlp"].visible and not figure.renderers["graph"].visible
    assert drawn(plots.gradient_norms(result.gradients)).yaxis.axis_label == plots.NORM


def test_scores_and_differences_put_seeds_means_and_intervals_in_rows(result):
    summary = result.summary()
    order = scores.forest_rows(summary)
    assert order == ["quantum", "low_rank_near_one", "mlp", "linear"]
    columns = scores.score_columns(result.scores, summary)
    auc = result.scores[result.scores["method"] == "mlp"]["auc"]
    assert list(columns["mlp"][0]) == pytest.approx(list(auc))
    assert len(columns["interval"][0]) == len(columns["samples"][0]) == len(columns["mean"][0]) == 4
    gaps = scores.difference_columns(result.scores, summary)
    wide = result.scores.pivot(index="seed", columns="method", values="auc")
    assert list(gaps["mlp"][0]) == pytest.approx(list(wide["quantum"] - wide["mlp"]))
    figure = scores.live_forest()
    scores.put_scores(figure, result.scores, summary, "f1", "")
    assert figure.figure.yaxis[0].major_label_overrides == {
        3.0: "quantum",
        2.0: "low rank, near 1",
        1.0: "MLP",
        0.0: "linear",
    }
    assert figure.figure.xaxis[0].axis_label == "test macro F1 (share)"
    assert not len(figure.sources["samples"].data["x0"])  # resampling speaks of the primary score only
    scores.put_differences(figure, result.scores, summary, "")
    assert figure.figure.x_range.start == -figure.figure.x_range.end
    for picture in (scores.scores(result.scores, summary), scores.differences(result.scores, summary)):
        assert drawn(picture).xaxis.axis_label


def test_an_error_says_that_less_is_better_and_in_which_unit(forecast):
    summary = forecast.summary()
    assert summary["primary"] == "mae"
    assert drawn(scores.scores(forecast.scores, summary, unit="mph")).xaxis.axis_label == (
        "test mean absolute error (mph; less is better)"
    )
    assert "below 0: quantum better" in scores.difference_label("mae", "mph")


def test_names_beside_the_parameters_do_not_touch(result):
    summary = result.summary()
    columns = scores.size_columns(summary)
    heights = sorted(float(columns[f"{m} name"][1][0]) for m in SHOWN)
    low, high = scores.size_span(summary)[1]
    assert np.diff(heights).min() >= 0.0849 * (high - low)
    assert columns["quantum name"][2] == ["quantum, 103"]
    assert list(columns["quantum"][0]) == [103.0]
    figure = scores.live_sizes()
    scores.put_sizes(figure, summary, "", "")
    assert drawn(scores.sizes(summary)).xaxis.axis_label == scores.SIZE
    scores.put_sizes(figure, {"methods": [], "primary": "auc"}, "", "")
    assert not len(figure.sources["quantum"].data["x"])


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_curves_have_bands_and_a_line_of_chance(result, kind):
    bands = {method: numbers.band(result, method, kind, 1) for method in SHOWN}
    columns = curves.curve_columns(bands, ["quantum"])
    assert [name for name in columns if name.endswith("band")] == ["quantum band"]
    share = np.mean([np.mean(labels == 1) for labels in result.labels.values()])
    assert list(columns["chance"][1]) == pytest.approx([0, 1] if kind == "roc" else [share] * 2)
    assert (bands["quantum"].low <= bands["quantum"].high).all()
    figure = curves.live_curves(kind)
    curves.put_curves(figure, bands)
    assert figure.renderers["mlp"].visible and not figure.renderers["graph"].visible
    assert drawn(curves.curves(bands, kind)).xaxis.axis_label == curves.AXES[kind][0]


def test_confusions_and_forecasts(result, forecast):
    table = numbers.confusion(result, "quantum", NAMES)
    columns = curves.confusion_columns(table)
    assert len(columns["cells"][0]) == 9 and len(columns["light"][0]) + len(columns["dark"][0]) == 9
    figure = curves.live_confusion()
    curves.put_confusion(figure, table)
    assert figure.figure.yaxis[0].major_label_overrides == {0: "c", 1: "b", 2: "a"}
    assert drawn(curves.confusion(table)).xaxis.axis_label == "predicted"
    rows = numbers.forecasts(forecast)
    figure = curves.live_forecast()
    curves.put_forecast(figure, rows, ["quantum"])
    assert figure.renderers["truth"].visible and not figure.renderers["mlp"].visible
    assert drawn(curves.forecast(rows)).yaxis.axis_label == "speed (mph)"


@pytest.mark.parametrize(("setting", "values"), [("n_modalities", (1, 3, 12)), ("measurement", ("pauli", "local_z"))])
def test_ablations_keep_their_values_apart(setting, values):
    rows = [(setting, v, m, 0.5 + 0.1 * i, 0.4, 0.9) for i, v in enumerate(values) for m in ("linear", "quantum")]
    table = pd.DataFrame(rows, columns=["setting", "value", "method", "score", "low", "high"])
    columns = ablation.ablation_columns(table)
    assert list(columns["quantum"][1]) == pytest.approx([0.5 + 0.1 * i for i in range(len(values))])
    assert [name for _, name in ablation.ablation_ticks(table)] == [str(v).replace("_", " ") for v in values]
    figure = ablation.live_ablation(setting == "n_modalities")
    ablation.put_ablation(figure, table, "auc", "")
    named = [item.label.value for box in figure.figure.legend for item in box.items if item.visible]
    assert named == ["linear", "quantum"]
    ablation.put_ablation(figure, table.iloc[:0], "auc", "")
    assert not len(figure.sources["quantum"].data["x"])
    assert drawn(ablation.ablation(table)).xaxis.axis_label == ablation.SETTINGS[setting][0]


def test_collapse_shows_every_start_beside_single_precision():
    table = collapse_table(n_modalities=(1, 12, 207), n_draws=20)
    columns = ablation.collapse_columns(table)
    assert columns["reference"][1].iloc[-1] < ablation.SMALLEST < columns["near_one"][1].iloc[-1]
    assert len(columns["reference expected"][0]) == 3 and not len(columns["near_one expected"][0])
    figure = ablation.live_collapse()
    ablation.put_collapse(figure, table)
    for picture in (ablation.collapse(table), ablation.zero_shares(table)):
        assert drawn(picture).xaxis.axis_label == "modalities M (count)"


@pytest.mark.parametrize(("leads", "rows"), [(12, 4), (3, 3), (1, 1)])
def test_leads_are_drawn_in_mv_on_ruled_paper(leads, rows):
    data = load("synthetic_ecg", n_records=50, leads=leads)
    beats = np.stack([array[0] for array in data.raw])
    columns, distance, bases = signals.ecg_columns(beats, data.modality_names, 100.0)
    assert len(bases) == rows and {name for name in columns["names"][2]} == set(data.modality_names)
    x, y = columns["trace"]
    second = np.flatnonzero(np.isfinite(x))[100 if leads != 12 else 0]
    assert x[second] == pytest.approx(1.0 if leads != 12 else 0.0)
    assert y[second] == pytest.approx(beats[0, 100 if leads != 12 else 0])
    figure = signals.live_ecg()
    height = signals.put_ecg(figure, beats, data.modality_names, 100.0)
    assert figure.figure.height == height
    grid = drawn(signals.ecg(beats, data.modality_names, 100.0)).xgrid[0]
    assert grid.ticker.interval == 0.2 and grid.ticker.num_minor_ticks == 5


def test_maps_pieces_and_profiles():
    traffic = load("synthetic_traffic", n_sensors=12)
    speeds = np.array([array[0, -1] for array in traffic.raw])
    figure = signals.live_map()
    signals.put_map(figure, traffic.positions, speeds, traffic.graph)
    assert list(figure.sources["sensors"].data["color"]) == pytest.approx(list(speeds))
    signals.put_map(figure, traffic.positions, np.arange(12.0), None, signals.ERROR)
    assert figure.renderers["sensors"].glyph.fill_color.transform.high == 11.0
    figure.set_dark(True)
    assert figure.renderers["sensors"].glyph.fill_color.field == "color"
    digits = load("digits")
    images = [array[0] for array in digits.raw]
    figure = signals.live_pieces()
    signals.put_pieces(figure, images, digits.modality_names)
    assert len(figure.sources["pixels"].data["left"]) == 64
    wine = load("wine")
    figure = signals.live_profile()
    signals.put_profile(figure, wine, 0)
    assert len(figure.sources["own"].data["x"]) == 13 and len(figure.sources["others"].data["x"]) == 26
    for picture in (
        signals.traffic_map(traffic.positions, speeds, traffic.graph),
        signals.pieces(images, digits.modality_names),
        signals.profile(wine, 0),
        signals.profile(traffic, 0),
    ):
        assert drawn(picture)


def test_an_interval_that_goes_on_beyond_the_axis_has_an_arrow():
    columns = {"interval": ([0.2, 0.6, float("nan")], [1.0, 0.0, 2.0], [1.4, 0.7, float("nan")], [1.0, 0.0, 2.0])}
    found = scores.beyond(columns, (0.5, 1.04))
    assert [list(column) for column in found["beyond left"]] == [[0.5], [1.0], ["◀"]]
    assert [list(column) for column in found["beyond right"]] == [[1.04], [1.0], ["▶"]]
    assert not len(scores.beyond({}, (0.5, 1.04))["beyond left"][0])

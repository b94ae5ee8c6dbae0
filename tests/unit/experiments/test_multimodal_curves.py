"""Curves, confusions and forecasts of a study against scikit-learn and hand-made cases."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from qfl_explore.experiments import multimodal_curves as curves
from qfl_explore.experiments.multimodal import MultimodalConfig, MultimodalResult
from qfl_explore.experiments.multimodal_tasks import Task


def result_of(kind, outputs, labels, n_classes):
    task = Task(kind, n_classes, 2.0, np.zeros(n_classes), np.full(n_classes, 2.0))
    pairs = {(seed, "quantum"): array for seed, array in enumerate(outputs)}
    empty = pd.DataFrame()
    return MultimodalResult(MultimodalConfig(), empty, empty, empty, {}, task, pairs, dict(enumerate(labels)))


def binary_result(n=80, n_seeds=1, ties=False):
    rng = np.random.default_rng(1)
    labels = [rng.integers(0, 2, n) for _ in range(n_seeds)]
    outputs = [rng.normal(label * 1.0)[:, None] for label in labels]
    return result_of("classification", [np.round(o) if ties else o for o in outputs], labels, 2)


@pytest.mark.parametrize("ties", [False, True])
def test_areas_are_those_of_scikit_learn(ties):
    result = binary_result(ties=ties)
    values, truth = result.outputs[0, "quantum"][:, 0], result.labels[0]
    assert curves.band(result, "quantum", "roc", 1).area == pytest.approx(roc_auc_score(truth, values))
    assert curves.band(result, "quantum", "pr", 1).area == pytest.approx(average_precision_score(truth, values))
    flipped = curves.band(result, "quantum", "roc", 0)
    assert flipped.area == pytest.approx(roc_auc_score(truth, values))  # the other class, seen the other way round


def test_a_perfect_ranking_is_a_corner_and_chance_is_marked():
    labels = np.array([0, 0, 0, 1])
    result = result_of("classification", [labels[:, None] - 0.5], [labels], 2)
    roc, pr = (curves.band(result, "quantum", kind, 1) for kind in curves.CURVES)
    assert (roc.mean == 1).all() and (pr.mean == 1).all() and roc.area == pr.area == 1
    assert np.isnan(roc.chance) and pr.chance == 0.25


def test_bands_hold_the_curve_and_narrow_with_more_samples():
    few, many = (curves.band(binary_result(n), "quantum", "roc", 1) for n in (40, 2000))
    for band in (few, many):
        assert (band.low <= band.mean + 1e-9).mean() > 0.9 and (band.high >= band.mean - 1e-9).mean() > 0.9
        assert band.area_low < band.area < band.area_high
        assert band.n_draws == 200 and band.n_seeds == 1
    assert few.area_high - few.area_low > 3 * (many.area_high - many.area_low)
    again = curves.band(binary_result(40), "quantum", "roc", 1)
    assert (again.low == few.low).all()


def test_one_class_against_the_rest_and_one_label_of_several():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, 90)
    outputs = np.eye(3)[labels] + rng.normal(0, 1, (90, 3))
    shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    result = result_of("classification", [outputs], [labels], 3)
    assert curves.band(result, "quantum", "roc", 2).area == pytest.approx(roc_auc_score(labels == 2, shares[:, 2]))
    many = (rng.uniform(size=(90, 3)) < 0.4).astype(np.int64)
    result = result_of("multilabel", [outputs], [many], 3)
    assert curves.band(result, "quantum", "pr", 1).area == pytest.approx(
        average_precision_score(many[:, 1], outputs[:, 1])
    )
    table = curves.confusion(result, "quantum", ["a", "b", "c"], 1)
    assert table["truth"].tolist() == ["not b", "not b", "b", "b"]
    assert table["count"].tolist() == confusion_matrix(many[:, 1], outputs[:, 1] > 0).ravel().tolist()


def test_confusions_count_all_seeds_and_rows_add_up():
    result = binary_result(n_seeds=3)
    table = curves.confusion(result, "quantum", ["no", "yes"])
    assert table["count"].sum() == 240
    assert table.groupby("truth")["share"].sum().tolist() == pytest.approx([1.0, 1.0])
    guesses = [(result.outputs[s, "quantum"][:, 0] > 0).astype(int) for s in range(3)]
    expected = confusion_matrix(np.concatenate(list(result.labels.values())), np.concatenate(guesses))
    assert table["count"].tolist() == expected.ravel().tolist()


def test_a_label_that_never_comes_has_no_curve():
    result = result_of("multilabel", [np.zeros((9, 2))], [np.zeros((9, 2), int)], 2)
    band = curves.band(result, "quantum", "roc", 0)
    assert np.isnan(band.area) and np.isnan(band.mean).all() and np.isnan(band.area_low)


def test_forecasts_and_errors_are_in_the_unit_of_the_target():
    labels = np.array([[10.0, np.nan], [20.0, 30.0]])
    result = result_of("regression", [np.array([[4.0, 1.0], [10.0, 16.0]])], [labels], 2)  # scale 2
    table = curves.forecasts(result)
    assert table["truth"].tolist() == [10.0, 20.0] and table["quantum"].tolist() == [8.0, 20.0]
    assert curves.target_errors(result, "quantum").tolist() == [1.0, 2.0]


def test_errors_have_three_parts():
    binary, forecast = binary_result(), result_of("regression", [np.zeros((3, 1))], [np.zeros((3, 1))], 1)
    for function in (
        lambda: curves.band(binary, "mlp"),
        lambda: curves.band(binary, "quantum", "det"),
        lambda: curves.band(binary, "quantum", target=2),
        lambda: curves.band(binary, "quantum", n_draws=3),
        lambda: curves.band(forecast, "quantum"),
        lambda: curves.confusion(forecast, "quantum", ["a"]),
        lambda: curves.forecasts(binary),
        lambda: curves.forecasts(forecast, seed=9),
        lambda: curves.target_errors(binary, "quantum"),
    ):
        with pytest.raises(ValueError, match=r"(?s)Expected: .*Received: "):
            function()

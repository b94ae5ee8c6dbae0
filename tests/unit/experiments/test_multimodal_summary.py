"""The best classical method of a multimodal study that still runs."""

import math

import pandas as pd
import pytest

from qfl_explore.experiments.multimodal_config import QUANTUM
from qfl_explore.experiments.multimodal_summary import summarise

COMMON = {"setting": 0.1, "n_parameters": 10, "seconds": 1.0, "n_epochs": 2, "n_train": 80, "n_test": 20}
COMMON |= {"synthetic": False, "f1": 0.5, "accuracy": 0.5}


def best(task="classification", skipped=None, **values):
    """By method, its primary score on seeds 0, 1, … that are finished; ``None`` where one is not."""
    rows = [
        COMMON | {"task": task, "seed": seed, "method": method, "test_part": seed, "auc": value, "mae": value}
        for method, found in values.items()
        for seed, value in enumerate(found)
        if value is not None
    ]
    return summarise(pd.DataFrame(rows), skipped)["best_classical"]


@pytest.mark.parametrize("layer", [{}, {QUANTUM: [0.9]}, {QUANTUM: [0.9, 0.6]}])
def test_a_method_does_not_win_by_having_finished_the_easy_seed_only(layer):
    assert best(linear=[0.85, 0.5], mlp=[0.8], **layer) == "linear"
    assert best("regression", linear=[1.0, 5.0], mlp=[1.2], **layer) == "linear"


def test_a_seed_that_the_layer_has_not_finished_does_not_count():
    assert best(linear=[0.8, 0.5], mlp=[0.7, 0.9], quantum=[0.9]) == "linear"
    assert best(linear=[0.8, 0.5], mlp=[0.7, 0.9], quantum=[0.9, 0.9]) == "mlp"


def test_without_a_seed_that_all_have_finished_nothing_is_said():
    assert best(linear=[0.8, None], mlp=[None, 0.9], quantum=[0.9, 0.9]) == ""
    assert best(quantum=[0.9]) == ""


def test_a_method_that_was_skipped_on_a_seed_neither_wins_nor_holds_up_the_others():
    values = {"linear": [0.8, 0.5], "mlp": [0.7, 0.9], "boosting": [0.95, None], QUANTUM: [0.9, 0.9]}
    assert best(**values, skipped={"boosting": "a class is missing"}) == "mlp"
    assert best(boosting=[0.95, None], quantum=[0.9, 0.9], skipped={"boosting": "a class is missing"}) == "boosting"


def test_a_method_without_any_score_is_left_out():
    assert best(linear=[0.8, 0.5], mlp=[math.nan, math.nan], quantum=[0.9, 0.9]) == "linear"

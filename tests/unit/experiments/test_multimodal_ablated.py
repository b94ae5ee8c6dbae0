"""One setting varied: every value a study of its own, and values that are not possible are named."""

import pytest

from qfl_explore.experiments import multimodal
from qfl_explore.experiments import multimodal_ablated as ablated
from qfl_explore.experiments.multimodal import MultimodalConfig

CONFIG = MultimodalConfig(dataset="wine", methods=("linear",), seeds=(0, 1), learning_rates=(0.03,), penalties=(1.0,))


def test_every_value_has_the_scores_of_its_own_study():
    table = ablated.ablation_table(CONFIG, "few_shot")
    assert list(table) == list(ablated.COLUMNS) and table["value"].tolist() == [10, 20, 50, 100]
    alone = multimodal.run(CONFIG.replace(n_train=20)).summary()["methods"][0]
    row = table[table["value"] == 20].iloc[0]
    assert (row["score"], row["low"], row["n_seeds"]) == (alone["auc"], alone["auc_low"], 2)


def test_progress_goes_up_and_impossible_values_are_left_out_with_their_reason(monkeypatch):
    monkeypatch.setattr(ablated, "axes", lambda *_: {"n_train": [20, 5000, 50]})
    steps = list(ablated.stream_ablation(CONFIG, "few_shot"))
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert list(steps[-1].left_out) == [5000] and "Expected: " in steps[-1].left_out[5000]
    assert steps[-1].table["value"].tolist() == [20, 50] and steps[-1].metric == "auc"


def test_an_unknown_ablation_is_named():
    with pytest.raises(ValueError, match=r"(?s)ablation.*Received: "):
        ablated.ablation_table(CONFIG, "depth")

"""The comparison of the three quantum fusion systems."""

import math

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments import systems
from qfl_explore.experiments.systems_config import (
    CROSS_METHODS,
    DEFAULT_METHODS,
    ENTANGLED_METHODS,
    SYSTEMS,
    TASKS,
    WITH_CIRCUIT,
    SystemsConfig,
    task_config,
)
from qfl_explore.experiments.systems_look import mean_attention
from qfl_explore.experiments.systems_methods import load_data, matched_cross, matched_entanglement, network, whole
from qfl_explore.experiments.systems_summary import macro_f1, summarise_systems
from qfl_explore.sweeps import registry

METHODS = ("linear", "cross_attention", "cross_dense_tokens", "feature_entanglement", "entanglement_none", "quantum")
CONFIG = SystemsConfig(
    dataset="wine", methods=METHODS, epochs=2, learning_rates=(0.05,), penalties=(1.0,), seeds=(0, 1)
)


@pytest.fixture(scope="module")
def result():
    return systems.run(CONFIG)


def test_every_method_is_scored_on_every_seed_and_siblings_are_looked_into(result):
    assert len(result.scores) == 2 * len(METHODS)
    summary = result.summary()
    assert [row["method"] for row in summary["methods"]] == list(METHODS)
    assert all(0 <= row["f1_low"] <= row["f1"] <= row["f1_high"] <= 1 for row in summary["methods"])
    assert summary["best_classical"] in ("linear", "cross_dense_tokens")
    assert set(result.looks) == set(METHODS) - {"linear", "quantum"}
    attention = result.looks["cross_attention"].attention["classical_to_quantum"]
    assert attention.shape == (36, 1, 3, 6)
    np.testing.assert_allclose(attention.sum(axis=-1), 1, rtol=1e-5)


def test_a_dense_layer_s_tokens_are_not_called_qubits(result):
    for method, kind in (("cross_attention", "qubit"), ("cross_dense_tokens", "token")):
        assert list(mean_attention(result.looks[method])["token"])[:6] == [f"{kind} {i}" for i in range(6)]


def test_what_is_seen_inside_adds_up_to_the_logits_that_were_tested(result):
    for method in ("feature_entanglement", "entanglement_none"):
        parts = result.looks[method].contributions
        tested = result.outputs[0, method]
        np.testing.assert_allclose(parts.values, tested[: len(parts.values)], atol=1e-4)
    assert abs(result.looks["entanglement_none"].contributions.joint).max() < 1e-10
    assert result.looks["entanglement_none"].couplings == ()
    assert {row["first"] for row in result.looks["feature_entanglement"].couplings} == {
        "body and minerals",
        "phenols",
    }


def test_siblings_have_at_least_the_budget_of_the_quantum_layer_or_their_smallest_size(result):
    scores = result.scores[result.scores["seed"] == 0].set_index("method")
    quantum = scores.loc["quantum", "n_parameters"]
    for method in ("cross_attention", "feature_entanglement"):
        assert scores.loc[method, "n_parameters"] >= quantum
    data = load_data(CONFIG, 0)
    assert matched_cross("classical_to_quantum", CONFIG, data, 3).width == 4  # the smallest is already enough
    large = CONFIG.replace(feature_dim=4, degree=8, n_blocks=3)
    assert matched_cross("classical_to_quantum", large, data, 3).width > 4
    wide = matched_cross("classical_only", CONFIG, data, 3).width
    assert wide > 4  # a control as large as the whole model
    assert matched_entanglement(CONFIG, data, 3).n_qubits <= 12
    assert matched_entanglement(CONFIG.replace(register_size=1), data, 3).n_qubits == 3


@pytest.mark.parametrize("method", [*CROSS_METHODS, *ENTANGLED_METHODS])
def test_every_variant_is_a_model_of_the_study(method):
    data = load_data(CONFIG, 0)
    model = network(method, CONFIG, data, 3)
    features, _ = data.part("test")
    assert model([array[:2].astype(np.float32) for array in features]).shape == (2, 3)
    kinds = {type(layer).__name__ for layer in model.layers}
    assert (method in WITH_CIRCUIT) == bool(kinds & {"QuantumTokens", "FeatureEntanglement"})


def scored(**values):
    """Scores over seeds for each method."""
    rows = []
    for method, f1 in values.items():
        for seed, value in enumerate(f1):
            rows.append({"seed": seed, "method": method, "f1": value, "accuracy": value, "auc": value})
    common = {"n_train": 100, "n_test": 30, "synthetic": False, "n_parameters": 5, "seconds": 1.0, "n_epochs": 3}
    return pd.DataFrame(rows).assign(**common, task="classification", test_part=lambda t: t["seed"])


def test_the_summary_pairs_each_system_with_the_best_classical_and_its_control():
    good, poor = [0.90, 0.91, 0.92, 0.90, 0.91], [0.50, 0.52, 0.51, 0.50, 0.50]
    summary = summarise_systems(
        scored(
            linear=poor, mlp=good, cross_attention=poor, cross_dense_tokens=good, quantum=good, entanglement_none=poor
        )
    )
    assert summary["best_classical"] == "mlp"
    pairs = {(row["first"], row["second"]): row for row in summary["pairs"]}
    assert set(pairs) == {
        ("quantum", "mlp"),
        ("cross_attention", "mlp"),
        ("cross_attention", "cross_dense_tokens"),
        ("cross_attention", "quantum"),
    }
    assert pairs["cross_attention", "mlp"]["outcome"] == "lower"
    assert pairs["quantum", "mlp"]["outcome"] == "undecided"
    assert all(math.isnan(row["sample_low"]) for row in summary["pairs"])
    assert pairs["quantum", "mlp"]["p_adjusted"] >= pairs["quantum", "mlp"]["p_value"]
    assert summarise_systems(pd.DataFrame(), {"tensor": "too large"})["skipped"] == [
        {"method": "tensor", "reason": "too large"}
    ]


def test_on_one_test_part_a_difference_must_hold_over_its_samples():
    scores = scored(linear=[0.9, 0.9, 0.91], quantum=[0.8, 0.8, 0.81]).assign(test_part=1)
    labels = {seed: np.array([0, 1] * 5) for seed in range(3)}
    right, wrong = np.where(labels[0] == 1, 1.0, -1.0)[:, None], np.ones((10, 1))
    outputs = {(seed, "linear"): right for seed in range(3)} | {(seed, "quantum"): wrong for seed in range(3)}
    row = summarise_systems(scores, {}, outputs, labels)["pairs"][0]
    assert row["sample_high"] < 0
    assert row["outcome"] == "lower"
    outputs = {(seed, name): right for seed in range(3) for name in ("linear", "quantum")}
    assert summarise_systems(scores, {}, outputs, labels)["pairs"][0]["outcome"] == "undecided"


def test_macro_f1_is_that_of_scikit_learn():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    labels, guesses = rng.integers(4, size=(2, 50))
    assert macro_f1(guesses[None], labels[None])[0] == pytest.approx(f1_score(labels, guesses, average="macro"))


def test_ready_made_tasks_are_settings_and_a_whole_image_is_one_modality():
    assert {"wine", "breast_cancer", "digits"} <= set(TASKS)  # those that need no files
    for task in TASKS:
        assert task_config(task, epochs=1).methods == DEFAULT_METHODS
    data = load_data(CONFIG, 0)
    joined = whole(data)
    assert joined.n_modalities == 1
    assert joined.n_measures == (13,)
    np.testing.assert_array_equal(joined.features[0], np.hstack(data.features))
    assert registry.get("systems").config_class is SystemsConfig
    table = systems.compare(("wine",), methods=("linear",), seeds=(0, 1))
    assert table[["task", "method"]].to_numpy().tolist() == [["wine", "linear"]]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"methods": ("quantun",)}, ValueError, r"each of methods is not.*Expected.*did you mean 'quantum'"),
        ({"methods": ("graph",)}, ValueError, r"each of methods is not a known option.*Received"),
        ({"n_qubits": 10}, ValueError, r"n_qubits is out of range. Expected: an integer from 1 to 9.*10"),
        ({"pieces": 2}, ValueError, r"pieces are of Fashion-MNIST.*Expected.*Received: pieces=2 with dataset='wine'"),
        ({"limit": 9}, ValueError, r"only some data sets are read in part. Expected.*Received: limit=9 with"),
        ({"pairs": "none"}, ValueError, r"pairs is not a known option.*Expected.*Received: pairs='none'"),
        ({"branches": "both"}, ValueError, r"branches is not a known option.*Expected.*Received"),
        ({"reach": 4.0}, ValueError, r"reach is out of range. Expected: radians above 0 and at most π.*reach=4.0"),
        ({"register_size": 0}, ValueError, r"register_size is out of range.*Received: register_size=0"),
    ],
)
def test_wrong_settings_are_explained(changes, error, message):
    with pytest.raises(error, match=message):
        CONFIG.replace(**changes)


def test_the_entanglement_network_keeps_a_basis_state_a_class():
    assert [CONFIG.entangled(4, 2, n_classes).n_kept for n_classes in (2, 3, 4, 5, 7, 10)] == [2, 2, 2, 3, 3, 4]
    assert CONFIG.replace(n_kept=1).entangled(4, 2, 10).n_kept == 1


def test_titles_are_distinct():
    assert len(set(SYSTEMS.values())) == len(SYSTEMS)

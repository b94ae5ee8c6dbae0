"""The experiment on noise: what must hold without noise, under total noise, and between runs."""

import math

import numpy as np
import pytest

from qfl_explore.circuits.noise import KINDS
from qfl_explore.experiments.noise import COLUMNS, MODELS, QUANTUM, NoiseConfig, NoiseResult, run, stream
from qfl_explore.experiments.noise_curve import N_CHECKED, SERIES, checked_points, curve
from qfl_explore.experiments.noise_features import FeatureNoise, measured_noise, moved_parts, sampled
from qfl_explore.experiments.noise_separation import (
    JOINT,
    SEPARABLE,
    SEPARABLE_LOSS,
    delta_of,
    parts_of,
    says_equal,
    separable,
)
from qfl_explore.simulation.base import get_backend
from qfl_explore.sweeps import registry

SMALL = dict(degrees=(2,), strengths=(0.02,), seeds=(0, 1), n_steps=30, n_train=48)


@pytest.fixture(scope="module")
def small():
    return run(NoiseConfig(**SMALL))


def mean(result, **wanted):
    table = result.table
    for name, value in wanted.items():
        table = table[table[name] == value]
    return float(table["score"].mean())


def test_the_table_is_tidy_and_complete(small):
    assert tuple(small.table.columns) == COLUMNS
    assert set(small.table["strength"]) == {0.0, 0.02}  # 0 is always there
    assert not small.table[["score", "shrink", "scatter"]].isna().any().any()
    counts = small.table.groupby(["model", "training"]).size()
    assert counts[QUANTUM, "clean"] == counts[QUANTUM, "noisy"] == 4  # two seeds, two strengths
    assert ("fourier", "noisy") not in counts.index
    assert set(small.table["model"]) <= set(MODELS)


def test_the_same_settings_give_the_same_numbers(small):
    again = run(NoiseConfig(**SMALL))
    np.testing.assert_array_equal(again.table["score"], small.table["score"])


def test_noise_shrinks_and_a_new_readout_helps(small):
    table = small.table[small.table["model"] == QUANTUM]
    shrink = table.groupby("strength")["shrink"].mean()
    assert abs(shrink[0.0] - 1) < 0.05
    assert shrink[0.02] < 0.85
    assert mean(small, model=QUANTUM, strength=0.02, training="refit") > mean(
        small, model=QUANTUM, strength=0.02, training="clean"
    )


def test_the_summary_compares_seed_by_seed(small):
    summary = small.summary()
    row = next(r for r in summary["rows"] if r["model"] == QUANTUM and r["strength"] == 0 and r["training"] == "clean")
    assert row["low"] < row["mean"] < row["high"] <= 1
    assert row["n_seeds"] == 2
    pair = next(r for r in summary["paired"] if r["model"] == "fourier" and r["strength"] == 0.02)
    scores = small.table[small.table["strength"] == 0.02]
    best = max(
        scores[(scores["model"] == QUANTUM) & (scores["training"] == t)]["score"].mean()
        for t in ("clean", "refit", "noisy")
    )
    rival = max(
        scores[(scores["model"] == "fourier") & (scores["training"] == t)]["score"].mean() for t in ("clean", "refit")
    )
    assert pair["mean"] == pytest.approx(best - rival)
    assert pair["outcome"] in ("wins", "loses", "undecided")


def test_nothing_is_learned_through_total_noise():
    config = NoiseConfig(
        kind="dephasing", strengths=(0.5,), degrees=(2,), seeds=(0,), n_steps=5, n_train=48, measurement="pauli"
    )
    table = run(config).table
    lost = table[(table["strength"] == 0.5) & (table["model"] == QUANTUM) & (table["training"] == "refit")]
    assert lost["shrink"].iloc[0] < 0.35  # X and Y are gone; what Z kept is a little
    assert lost["score"].iloc[0] < 0.5


def test_equal_feature_noise_is_recovered_from_what_it_made():
    rng = np.random.default_rng(0)
    clean = rng.normal(size=(40_000, 3)) * [1.0, 2.0, 0.5]
    noise = FeatureNoise(0.6, 0.3, 0.2)
    moved = noise.move(clean, clean.mean(axis=0), clean.std(axis=0), rng)
    found = measured_noise(clean, moved)
    assert found.shrink == pytest.approx(0.6, abs=0.01)
    assert found.scatter == pytest.approx(0.2, abs=0.01)
    # offsets count in units of all features' power together
    assert found.offset == pytest.approx(0.3, abs=0.02)
    parts = moved_parts({"train": np.column_stack([np.ones(40_000), clean])}, noise, rng)
    np.testing.assert_array_equal(parts["train"][:, 0], 1.0)


def test_models_that_adapt_get_the_gentler_noise(small):
    loud = small.table[small.table["strength"] == 0.02]
    assert len(loud)
    for seed, group in loud.groupby("seed"):
        rows = group.set_index(["model", "training"])
        ratio = rows["shrink"].abs() / rows["scatter"]
        assert ratio["fourier", "refit"] == max(ratio[QUANTUM, "clean"], ratio[QUANTUM, "noisy"]), seed
        assert ratio["network", "noisy"] == ratio["fourier", "refit"]
        assert rows["shrink"]["fourier", "clean"] == rows["shrink"][QUANTUM, "clean"]


def test_a_dead_feature_map_has_no_noise_to_measure():
    assert measured_noise(np.ones((5, 2)), np.zeros((5, 2))) == FeatureNoise(1.0, 0.0, 0.0)


def test_repetitions_scatter_as_a_binomial():
    values = np.full((20_000, 1), 0.6)
    found = sampled(values, 100, np.random.default_rng(0))
    assert found.mean() == pytest.approx(0.6, abs=0.003)
    assert found.std() == pytest.approx(math.sqrt((1 - 0.36) / 100), rel=0.05)


@pytest.mark.parametrize("degree", [2, 4, 6, 8])
def test_the_protocol_is_certain_without_noise_and_a_guess_under_total_noise(degree):
    config = NoiseConfig(task="separation", degrees=(degree,))
    theta = np.array([[0.4, 0.4], [0.4, 0.4 - delta_of(degree)]])
    np.testing.assert_allclose(says_equal(config, degree, 0.0, theta), [1.0, 0.0], rtol=0, atol=1e-9)
    gone = config.replace(kind="readout")
    np.testing.assert_allclose(says_equal(gone, degree, 0.5, theta), 0.5, rtol=0, atol=1e-12)
    assert separable(degree) < 0.9


def test_readout_error_alone_is_read_off():
    config = NoiseConfig(task="separation", kind="readout", degrees=(6,), repetitions=None)
    theta = np.array([[0.1, 0.1]])
    assert says_equal(config, 6, 0.03, theta)[0] == pytest.approx(0.97, abs=1e-9)
    table = run(config.replace(strengths=(0.03,), seeds=(0,))).table
    scores = table[table["strength"] == 0.03].set_index("model")["score"]
    assert scores[JOINT] == pytest.approx(0.97, abs=1e-9)
    assert scores[SEPARABLE] == pytest.approx(0.815, abs=1e-3)
    assert scores[SEPARABLE_LOSS] == pytest.approx(0.5 + 0.94 * 0.315, abs=1e-3)


def test_breast_cancer_is_scored_by_auc():
    config = NoiseConfig(task="breast_cancer", degrees=(1,), strengths=(0.01,), seeds=(0,), n_steps=20)
    result = run(config)
    assert config.n_modalities == 3
    assert mean(result, model="measures", strength=0.0, training="clean") > 0.95
    assert 0.8 < mean(result, model=QUANTUM, strength=0.0, training="clean") <= 1


def test_the_stream_counts_and_yields_often():
    items = list(stream(NoiseConfig(**SMALL | {"seeds": (0,)})))
    assert [item.n_done for item in items if item.rows] == [1, 2]
    assert items[-1].n_total == 2
    assert len(items) > 60  # every step of every training
    assert NoiseResult.collect(NoiseConfig(**SMALL), items[:3]).table.empty


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["polynomial", "breast_cancer", "separation"])
def test_curves_begin_without_noise(kind, task):
    config = NoiseConfig(task=task, kind=kind, degrees=(2,), n_steps=20, n_train=48)
    silent = curve(config, 2, 0.0).pivot(index="x", columns="series", values="value")
    assert set(silent.columns) <= set(SERIES)
    np.testing.assert_allclose(silent["clean"], silent["noiseless"], rtol=0, atol=1e-9)
    loud = curve(config, 2, 0.2).pivot(index="x", columns="series", values="value")
    np.testing.assert_array_equal(loud["noiseless"], silent["noiseless"])
    assert np.ptp(loud["clean"]) < np.ptp(silent["clean"])


@pytest.mark.parametrize("task", ["polynomial", "separation"])
def test_trajectories_stand_within_four_standard_errors_of_the_curve(task):
    config = NoiseConfig(task=task, degrees=(2,), n_steps=20, n_train=48)
    rows = list(checked_points(config, 2, 0.03, n_trajectories=100))
    assert len(rows) == N_CHECKED
    assert all(abs(row["value"] - row["exact"]) < 4 * row["error"] + 1e-6 for row in rows)
    assert len({row["error"] for row in rows}) == N_CHECKED  # each with realisations of its own


def test_the_protocols_circuit_is_a_layer():
    fusion, weights = parts_of(6)
    values = get_backend("cirq").expectations(fusion, np.zeros((1, 2, 1)), weights)
    assert values[0, -1] == pytest.approx(1.0, abs=1e-9)


def test_a_sweep_can_run_it():
    experiment = registry.get("noise")
    result = experiment.function(experiment.config_class(**SMALL | {"seeds": (0,), "task": "separation"}))
    columns = experiment.columns(result.summary())
    assert columns["2.0.02.joint.none.mean"] < 1


WRONG = {
    "task": (dict(task="polynom"), ValueError, r"task is not a known option.*did you mean 'polynomial'"),
    "kind": (dict(kind="damping"), ValueError, r"kind is not a known option.*Expected.*Received"),
    "strength": (dict(strengths=(-0.1,)), ValueError, r"each of strengths is out of range.*Expected.*-0\.1"),
    "strengths": (dict(strengths=0.1), TypeError, r"strengths must be a sequence.*Expected.*0\.1"),
    "odd queries": (
        dict(task="separation", degrees=(3,)),
        ValueError,
        r"two oracles.*Expected: even numbers.*degrees=\(3,\)",
    ),
    "degrees": (dict(degrees=(0,)), ValueError, r"each of degrees is out of range.*from 1 to 12.*=0"),
    "twice": (dict(seeds=(1, 1)), ValueError, r"seeds is not usable.*different.*\(1, 1\)"),
    "register": (dict(n_modalities=40), ValueError, r"register is too large.*at most 6 qubits.*7 qubits"),
    "repetitions": (dict(repetitions=0), ValueError, r"repetitions is out of range.*Expected.*=0"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_settings_are_explained(wrong):
    settings, kind, message = WRONG[wrong]
    with pytest.raises(kind, match=message):
        NoiseConfig(**settings)

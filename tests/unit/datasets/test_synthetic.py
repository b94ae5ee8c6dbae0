"""The data that need no file: physics that must hold, seeds, and the word synthetic."""

import numpy as np
import pytest

from qfl_explore.datasets import DATASETS, ecg, load, names, synthetic_ecg, synthetic_traffic
from tests.reference.forecast import persistence_error


def test_both_say_that_they_are_synthetic():
    for name in ("synthetic_ecg", "synthetic_traffic"):
        data = load(name, **({"n_records": 50} if name == "synthetic_ecg" else {"n_rows": 300}))
        assert data.synthetic and DATASETS[name].synthetic and name in names(needs_files=False)
        assert "ynthetic" in data.title and "computed" in data.source and "ynthetic" in data.notes[0]
        assert data.task == DATASETS[name].task and data.n_modalities == DATASETS[name].n_modalities


def test_the_leads_obey_einthoven_and_goldberger():
    data = load("synthetic_ecg", standardised=False, n_records=60)
    one, two, three, right, left, foot = data.raw[:6]
    np.testing.assert_allclose(one + three, two, atol=1e-15)
    np.testing.assert_allclose(right + left + foot, 0, atol=1e-15)
    np.testing.assert_allclose(foot, (two + three) / 2, atol=1e-15)


def test_a_dipole_is_projected_by_the_dower_matrix():
    dipole = np.zeros((1, 4, 3))
    dipole[0, range(3), range(3)] = 1.0
    seen = synthetic_ecg.leads_of(dipole)[0]
    assert seen.shape == (12, 4)
    np.testing.assert_allclose(seen[0, :3], [0.632, -0.235, 0.059])
    np.testing.assert_allclose(seen[ecg.LEADS.index("V2"), :3], [0.044, 0.164, -1.387])
    np.testing.assert_allclose(seen[2, :3], [0.235 - 0.632, 1.066 + 0.235, -0.132 - 0.059])
    assert not seen[:, 3].any()


def test_hearts_look_like_hearts():
    """Lead II: an R wave of 0.5 to 3 mV, 50 to 130 beats a minute, and the class fast is faster."""
    data = load("synthetic_ecg", standardised=False, n_records=200, noise=0.0)
    lead = data.raw[1]
    peaks = (lead[:, 1:-1] > lead[:, :-2]) & (lead[:, 1:-1] >= lead[:, 2:])
    tall = lead[:, 1:-1] > 0.6 * lead.max(axis=1, keepdims=True)
    rate = 6 * (peaks & tall).sum(axis=1)
    ordinary, fast = (np.median(rate[data.labels == label]) for label in (0, 1))
    assert 60 <= ordinary <= 85 and 85 < fast < 115
    assert 0.5 < np.median(lead.max(axis=1)) < 3


def test_ecg_options_and_seeds():
    few = load("synthetic_ecg", leads=3, n_records=50)
    assert few.modality_names == ("I", "II", "V2") and few.n_measures == (9, 9, 9)
    assert few.raw[0].shape == (50, 1000) and few.sample_rate == 100
    again, other = (load("synthetic_ecg", leads=3, n_records=50, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(few.raw[0], again.raw[0])
    assert not np.array_equal(few.raw[0], other.raw[0])
    np.testing.assert_array_equal(np.bincount(few.labels), [10] * 5)
    with pytest.raises(ValueError, match="n_records is out of range"):
        load("synthetic_ecg", n_records=10)


def test_a_network_is_symmetric_and_everyone_has_a_neighbour():
    for m in (2, 12, 207):
        places, graph = synthetic_traffic.network(m, np.random.default_rng(0))
        assert places.shape == (m, 2)
        np.testing.assert_array_equal(graph, graph.T)
        np.testing.assert_array_equal(np.diag(graph), 1.0)
        assert ((graph > 0).sum(axis=1) > 1).all()


def test_traffic_of_many_sensors():
    data = load("synthetic_traffic", n_sensors=207, n_rows=300, target="mean", standardised=False)
    assert data.n_modalities == 207 and data.modality_names[0] == "S001" and data.n_classes == 3
    assert data.graph.shape == (207, 207) and data.positions.shape == (207, 2)
    speeds = np.stack([sensor[:, -1] for sensor in data.features])
    assert 3 <= speeds.min() and speeds.max() <= 70
    np.testing.assert_array_equal(
        data.features[3], load("synthetic_traffic", n_sensors=207, n_rows=300, standardised=False).features[3]
    )


def test_rush_hours_are_slower_and_neighbours_move_together():
    data = load("synthetic_traffic", standardised=False, n_sensors=20)
    now = np.stack([sensor[:, -1] for sensor in data.features], axis=1)
    hour = (data.sample_ids - data.sample_ids[0].astype("datetime64[D]")).astype(int) // 60 % 24
    assert now[hour == 17].mean() < now[hour == 3].mean() - 5
    error = persistence_error(data)
    assert error["15 min"] < error["30 min"] < error["60 min"]


def test_traffic_options():
    with pytest.raises(ValueError, match="n_sensors is out of range"):
        load("synthetic_traffic", n_sensors=1)
    with pytest.raises(ValueError, match="n_rows is out of range"):
        load("synthetic_traffic", n_rows=20)

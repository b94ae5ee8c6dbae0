"""METR-LA in both layouts: windows, targets, gaps, graph and faults; and the real week where it is."""

import pickle

import numpy as np
import pytest

from qfl_explore.datasets import MissingData, choose_modalities, load, metr_la, traffic
from qfl_explore.datasets.safe_pickle import read_pickle
from tests.reference.forecast import persistence_error

SENSORS = ("773869", "767541", "767542")


def ramp(n=200):
    """Sensor m at row t drives 10 + 10 m + t/10 mph."""
    return 10 + 10 * np.arange(3.0) + np.arange(n)[:, None] / 10


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "data" / "metr_la"
    home.mkdir(parents=True)
    return home


def write_csv(home, values):
    np.savetxt(home / "los_speed.csv", values, delimiter=",", header=",".join(SENSORS), comments="")
    np.savetxt(home / "los_adj.csv", np.eye(3) + 0.5, delimiter=",")
    places = "\n".join(f"{i},{sensor},{34 + i},{-118 - i}" for i, sensor in enumerate(SENSORS))
    (home / "graph_sensor_locations.csv").write_text(f"index,sensor_id,latitude,longitude\n{places}\n")


def write_hdf(home, values, times=None):
    import h5py

    if times is None:
        times = np.datetime64("2012-03-01", "ns") + np.arange(len(values)) * np.timedelta64(5, "m")
    with h5py.File(home / "metr-la.h5", "w") as file:
        group = file.create_group("df")
        group["axis0"] = np.array(SENSORS, dtype="S6")
        group["axis1"] = times.astype("datetime64[ns]").astype(np.int64)
        group["block0_values"] = values


def test_windows_and_targets(home):
    write_csv(home, ramp())
    data = load("metr_la", standardised=False)
    assert data.task == "regression" and data.label_unit == "mph" and not data.synthetic
    assert data.n_samples == 200 - 12 - 12 + 1 and data.modality_names == SENSORS
    assert data.class_names[0] == "773869, 15 min" and data.class_names[-1] == "767542, 60 min"
    assert data.feature_names[0][0] == "-55 min" and data.feature_names[0][-1] == "0 min"
    np.testing.assert_allclose(data.features[1][5], 20 + np.arange(5, 17) / 10, rtol=1e-6)
    expected = [10 * m + 10 + (16 + step) / 10 for step in (3, 6, 12) for m in range(3)]
    np.testing.assert_allclose(data.labels[5], expected)
    assert data.sample_ids[0] == np.datetime64("2012-03-01T00:55")
    np.testing.assert_array_equal(data.positions[2], [36, -120])
    assert data.graph[0, 0] == 1.5
    assert [len(rows) for rows in data.split.values()] == [124, 18, 35]
    assert data.split["train"].max() < data.split["validation"].min()
    error = persistence_error(data)
    assert error == pytest.approx({"15 min": 0.3, "30 min": 0.6, "60 min": 1.2}, rel=1e-4)


def test_targets_of_the_mean_or_of_one_sensor(home):
    write_csv(home, ramp())
    mean = load("metr_la", target="mean", horizons=(5,), history=3)
    assert mean.class_names == ("mean, 5 min",) and mean.labels[0, 0] == pytest.approx(20.3)
    assert mean.n_measures == (3, 3, 3) and mean.is_standardised
    np.testing.assert_allclose(mean.raw[1][0], [20.0, 20.1, 20.2], rtol=1e-6)
    assert mean.raw_unit == "mph" and mean.sample_rate == pytest.approx(1 / 300)
    one = load("metr_la", target="767541", horizons=(5,), history=3)
    assert one.labels[0, 0] == pytest.approx(20.3)
    fewer = choose_modalities(one, [2, 0])
    assert fewer.modality_names == ("767542", "773869") and fewer.labels[0, 0] == one.labels[0, 0]


def test_the_full_file_marks_gaps(home):
    values = ramp()
    values[20, 1] = 0  # not measured
    times = np.datetime64("2012-03-01", "ns") + np.arange(200) * np.timedelta64(5, "m")
    write_hdf(home, np.delete(values, 30, axis=0), np.delete(times, 30))
    data = load("metr_la", standardised=False, history=2, horizons=(5,))
    assert data.n_samples == 198, "a missing row keeps its place in time"
    assert np.isnan(data.labels[18, 1]) and np.isfinite(data.labels[18, 0])
    assert np.isnan(data.labels[28]).all()
    np.testing.assert_allclose(data.features[1][19], [20 + 1.9, 20 + 1.9], rtol=1e-6)
    assert data.counts()["train"]["767541, 5 min"] == len(data.split["train"]) - 2
    assert data.graph is None and data.positions is None


def test_a_time_off_the_grid_is_named(home):
    times = np.datetime64("2012-03-01", "ns") + np.arange(200) * np.timedelta64(5, "m")
    times[7] += np.timedelta64(1, "m")
    write_hdf(home, ramp(), times)
    (problem,) = load("metr_la").problems
    assert (problem.file, problem.record) == ("metr-la.h5", "row 7") and "off the steps" in problem.fault


def test_the_pickled_graph_is_put_into_the_sensors_order(home):
    write_hdf(home, ramp())
    ids = list(reversed(SENSORS))
    content = [ids, {sensor: i for i, sensor in enumerate(ids)}, np.arange(9, dtype=np.float32).reshape(3, 3)]
    (home / "adj_mx.pkl").write_bytes(pickle.dumps(content, protocol=2))
    np.testing.assert_array_equal(load("metr_la").graph, np.arange(9.0).reshape(3, 3)[::-1, ::-1])
    content[1].pop(SENSORS[0])
    (home / "adj_mx.pkl").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(ValueError, match="adj_mx.pkl lacks sensors.*no sensor 773869"):
        load("metr_la")


class Evil:
    def __reduce__(self):
        return (print, ("harm",))


def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path, capsys):
    path = tmp_path / "adj_mx.pkl"
    path.write_bytes(pickle.dumps([Evil()], protocol=2))
    with pytest.raises(ValueError, match="cannot be read. Expected: a pickle of plain.*builtin.*print"):
        read_pickle(path)
    assert "harm" not in capsys.readouterr().out
    path.write_bytes(pickle.dumps([1, "a"])[:5])
    with pytest.raises(ValueError, match="adj_mx.pkl cannot be read"):
        read_pickle(path)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("1,2", "2 cells instead of 3"),
        ("1,x,3", "cell 2 is 'x', not a number"),
        ("1,2,nan", "cell 3 is nan, not a finite"),
    ],
)
def test_a_bad_line_counts_as_not_measured(home, line, fault):
    write_csv(home, ramp())
    lines = (home / "los_speed.csv").read_text().splitlines()
    lines[50] = line
    (home / "los_speed.csv").write_text("\n".join(lines))
    data = load("metr_la", history=1, horizons=(5,), standardised=False)
    (problem,) = data.problems
    assert problem.record == "line 51" and fault in problem.fault
    assert np.isnan(data.labels[48]).all() and np.isfinite(data.labels[49]).all()


def test_files_that_are_missing_or_malformed(home):
    with pytest.raises(MissingData, match="metr-la.h5 or .*los_speed.csv"):
        load("metr_la")
    (home / "metr-la.h5").write_bytes(b"no HDF")
    with pytest.raises(ValueError, match="metr-la.h5 cannot be read. Expected: a data frame"):
        load("metr_la")
    (home / "metr-la.h5").unlink()
    (home / "los_speed.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="los_speed.csv is no text in UTF-8"):
        load("metr_la")
    (home / "los_speed.csv").write_text("")
    with pytest.raises(ValueError, match="los_speed.csv is empty"):
        load("metr_la")
    write_csv(home, ramp(50))
    with pytest.raises(ValueError, match="too few records of 'metr_la'"):
        load("metr_la")
    write_csv(home, ramp())
    (home / "graph_sensor_locations.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="graph_sensor_locations.csv is malformed"):
        load("metr_la")


def test_options_are_checked(home):
    write_csv(home, ramp())
    with pytest.raises(ValueError, match="target is not known. Expected: 'all', 'mean'"):
        load("metr_la", target="1")
    with pytest.raises(ValueError, match="falls between two rows. Expected: a multiple of 5 minutes. Received: 7"):
        load("metr_la", horizons=(7,))
    with pytest.raises(ValueError, match="horizons cannot be used"):
        load("metr_la", horizons=())
    with pytest.raises(ValueError, match="history is out of range"):
        load("metr_la", history=0)
    with pytest.raises(ValueError, match="too few rows for a forecast"):
        load("metr_la", history=190)


def test_filling_carries_forward_and_never_invents():
    nan = np.nan
    values = np.array([[nan, 1.0, nan], [2.0, nan, nan], [nan, 3.0, nan]])
    np.testing.assert_array_equal(traffic.filled(values), [[2, 1, 0], [2, 1, 0], [2, 3, 0]])


def test_the_real_week(real):
    home = real("metr_la", "los_speed", "traffic")
    if not (home / "los_speed.csv").is_file():
        pytest.skip("real data are not here: no los_speed.csv")
    data = metr_la.load(standardised=False, folder=home)
    assert data.n_modalities == 207 and data.n_classes == 621 and not data.problems
    assert data.graph.shape == (207, 207) and 33 < data.positions[:, 0].min() < 35
    error = persistence_error(data, "test")
    # windows of the test part end a few rows earlier for every horizon, hence 0.05
    assert error == pytest.approx({"15 min": 3.54, "30 min": 4.34, "60 min": 5.77}, abs=0.05)
    for minutes, expected in ((15, 3.54), (30, 4.34), (60, 5.77)):  # forecasts made in the last fifth of the rows
        data = metr_la.load(standardised=False, folder=home, horizons=(minutes,), history=1)
        now = np.stack([sensor[:, 0] for sensor in data.features], axis=1)
        late = np.arange(len(now)) >= int(0.8 * 2016)
        assert np.abs(data.labels - now)[late].mean() == pytest.approx(expected, abs=0.005)

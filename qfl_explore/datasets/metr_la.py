"""METR-LA: speeds of 207 loop detectors on the motorways of Los Angeles. One sensor is one modality.

Two layouts are read: DCRNN's ``metr-la.h5`` (four months, with ``adj_mx.pkl``), and T-GCN's ``los_speed.csv``
(its first week, gaps filled, with ``los_adj.csv``).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qfl_explore.datasets import cache, faults, tables, traffic
from qfl_explore.datasets.base import MultimodalData
from qfl_explore.datasets.places import find_file, find_folder
from qfl_explore.datasets.safe_pickle import read_pickle
from qfl_explore.errors import invalid

FOLDERS = ("metr_la", "metr-la", "los_speed", "traffic")
SPEEDS = ("metr-la.h5", "los_speed.csv")
GRAPHS = ("adj_mx.pkl", "los_adj.csv")
PLACES = ("graph_sensor_locations.csv",)
VERSION = 1
#: T-GCN's week starts here; its file carries no times.
START = np.datetime64("2012-03-01T00:00")

SOURCE = (
    "H. Jagadish et al., Los Angeles Metropolitan Transportation Authority; prepared by Y. Li, R. Yu, C. Shahabi, "
    "Y. Liu (DCRNN, arXiv:1707.01926) and L. Zhao et al. (T-GCN, arXiv:1811.05320)"
)


def load(
    seed: int = 0,
    standardised: bool = True,
    horizons: Sequence[int] = traffic.HORIZONS,
    history: int = 12,
    target: str = "all",
    folder: str | Path | None = None,
) -> MultimodalData:
    """An hour of speeds of every sensor, and the speeds 15, 30 and 60 minutes later.

    The split is chronological, 70 % / 10 % / 20 %, as in DCRNN: the seed does not change it. In the full data a
    speed of 0 means "not measured": such targets are NaN and such inputs repeat the last measured speed.

    Args:
        seed: recorded, without effect on the split.
        standardised: whether to standardise the inputs with the training part's mean and spread.
        horizons: minutes ahead, multiples of 5.
        history: how many steps of 5 minutes a model sees.
        target: ``all`` sensors (207 · horizons targets), ``mean``, or one sensor's name.
        folder: that holds the files; ``None`` to look under the data folder.

    Returns:
        A regression in mph with features [N, history] a sensor, and the sensors' graph and positions.

    Raises:
        MissingData: the files are not here.
        ValueError: they disagree, or an option is unknown.
    """
    home = find_folder("metr_la", FOLDERS, folder)
    path = find_file("metr_la", home, SPEEDS)
    read = _hdf if path.suffix == ".h5" else _csv
    arrays, meta = cache.parsed("metr_la", VERSION, [path], {}, lambda: read(path))
    problems = faults.from_rows(meta["problems"])
    sensors = tuple(meta["sensors"])
    faults.require_records("metr_la", int(np.isfinite(arrays["values"]).any(axis=1).sum()), problems, least=100)
    speeds = traffic.Speeds(
        arrays["values"],
        sensors,
        np.datetime64(meta["start"]),
        _graph(home, sensors),
        _positions(home, sensors),
        problems,
    )
    whole = "four months, gaps marked" if path.suffix == ".h5" else "one week, gaps filled by T-GCN's authors"
    return traffic.forecast(
        speeds,
        history=history,
        horizons=horizons,
        target=target,
        standardised=standardised,
        name="metr_la",
        title="METR-LA motorway speeds",
        source=SOURCE,
        licence="MIT (the repositories of DCRNN and T-GCN's PyTorch version)",
        seed=seed,
        notes=(
            f"The file {path.name}: {whole}.",
            "The split is chronological and the same for every seed; windows at its borders overlap, as in DCRNN.",
        ),
    )


def _csv(path: Path) -> cache.Parsed:
    names, values, problems = tables.read_numbers(path)
    return {"values": values}, {"sensors": names, "start": str(START), "problems": faults.as_rows(problems)}


def _hdf(path: Path) -> cache.Parsed:
    """A data frame that pandas stored in HDF's fixed form."""
    try:
        import h5py
    except ImportError:
        raise invalid("reading .h5 files needs h5py", "pip install h5py", "it is not installed", ImportError) from None
    try:
        with h5py.File(path, "r") as file:
            group: Any = file[next(iter(file))]
            names = [name.decode() if isinstance(name, bytes) else str(name) for name in group["axis0"][:]]
            times = group["axis1"][:].astype("datetime64[ns]")
            values = group["block0_values"][:].astype(np.float64)
    except (OSError, KeyError, StopIteration) as error:
        expected = "a data frame in pandas' fixed form"
        raise invalid(f"{path.name} cannot be read", expected, f"{error}".splitlines()[0]) from None
    if values.shape != (len(times), len(names)):
        raise invalid(f"{path.name} disagrees with itself", f"{len(times)} × {len(names)} speeds", f"{values.shape}")
    values, start, problems = _on_the_grid(np.where(values > 0, values, np.nan), times, path.name)
    return {"values": values}, {"sensors": names, "start": str(start), "problems": problems}


def _on_the_grid(values: np.ndarray, times: np.ndarray, name: str) -> tuple[np.ndarray, np.datetime64, list[list[str]]]:
    """Rows where their times say; a time that fits no step of 5 minutes is a problem, a gap is not measured."""
    steps = (times - times[0]) / np.timedelta64(traffic.STEP, "m")
    good = (steps == np.round(steps)) & (steps >= 0)
    grid = np.full((int(steps[good].max()) + 1, values.shape[1]), np.nan)
    grid[steps[good].astype(int)] = values[good]
    problems = [[name, f"row {i}", f"time {times[i]} is off the steps of 5 minutes"] for i in np.flatnonzero(~good)]
    return grid, times[0].astype("datetime64[m]"), problems


def _graph(home: Path, sensors: tuple[str, ...]) -> np.ndarray | None:
    """The weights between sensors in their order, or ``None`` where no file has them."""
    path = next((home / name for name in GRAPHS if (home / name).is_file()), None)
    if path is None:
        return None
    if path.suffix == ".csv":
        _, weights, problems = tables.read_numbers(path, header=False)
        if problems:
            raise invalid(f"{path.name} is malformed", "a square table of numbers", str(problems[0]))
        return weights
    content = read_pickle(path)
    if not isinstance(content, tuple | list) or len(content) != 3:
        raise invalid(f"{path.name} is malformed", "sensor ids, their places and a matrix", type(content).__name__)
    order = {str(sensor): place for sensor, place in content[1].items()}
    absent = [sensor for sensor in sensors if sensor not in order]
    if absent:
        raise invalid(f"{path.name} lacks sensors", "all of the speeds' sensors", f"no sensor {absent[0]}")
    which = [order[sensor] for sensor in sensors]
    return np.asarray(content[2], dtype=np.float64)[np.ix_(which, which)]


def _positions(home: Path, sensors: tuple[str, ...]) -> np.ndarray | None:
    """Latitude and longitude in the sensors' order, or ``None`` where a sensor has none."""
    path = home / PLACES[0]
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            places = {
                row["sensor_id"]: (float(row["latitude"]), float(row["longitude"])) for row in csv.DictReader(file)
            }
        except (KeyError, ValueError, TypeError) as error:
            expected = "columns sensor_id, latitude and longitude in degrees"
            raise invalid(f"{path.name} is malformed", expected, f"{error}") from None
    if any(sensor not in places for sensor in sensors):
        return None
    return np.array([places[sensor] for sensor in sensors])

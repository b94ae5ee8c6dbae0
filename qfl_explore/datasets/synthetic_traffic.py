"""Synthetic traffic: congestion that spreads on a graph of sensors. Needs no file, measures no road."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qfl_explore.datasets import traffic
from qfl_explore.datasets.base import MultimodalData
from qfl_explore.errors import check_int

FREE_FLOW = 65.0
#: 5-minute rows of a day.
DAY = 288
START = np.datetime64("2000-01-03T00:00")


def load(
    seed: int = 0,
    standardised: bool = True,
    n_sensors: int = 12,
    n_rows: int = 2016,
    horizons: Sequence[int] = traffic.HORIZONS,
    history: int = 12,
    target: str = "all",
) -> MultimodalData:
    """Speeds of a made-up road network, and the speeds 15, 30 and 60 minutes later.

    Congestion enters at rush hours and by accidents, spreads to neighbours, and fades; speed is what is left of
    65 mph. The split is chronological, 70 % / 10 % / 20 %. Good scores here say nothing about real roads.

    Source: our construction.

    Args:
        seed: of the network and of the traffic.
        standardised: whether to standardise the inputs with the training part's mean and spread.
        n_sensors: M, 2 to 1000.
        n_rows: steps of 5 minutes, 200 or more; 2016 make a week.
        horizons: minutes ahead, multiples of 5.
        history: how many steps a model sees.
        target: ``all`` sensors, ``mean``, or one sensor's name.

    Returns:
        A regression in mph, marked as synthetic, with features [N, history] a sensor, graph and positions.
    """
    m = check_int("n_sensors", n_sensors, 2, 1000)
    n_rows = check_int("n_rows", n_rows, 200, 100_000)
    rng = np.random.default_rng([check_int("seed", seed, 0), 207])
    positions, graph = network(m, rng)
    names = tuple(f"S{i + 1:0{len(str(m))}d}" for i in range(m))
    speeds = traffic.Speeds(simulate(graph, n_rows, rng), names, START, graph, positions)
    return traffic.forecast(
        speeds,
        history=history,
        horizons=horizons,
        target=target,
        standardised=standardised,
        name="synthetic_traffic",
        title="Synthetic traffic (computed, no real road)",
        source="computed by this package: seeded diffusion of congestion on a random graph",
        licence="Apache-2.0, as this package",
        seed=seed,
        synthetic=True,
        notes=("Synthetic: a formula made these speeds; a score here says nothing about real roads.",),
    )


def network(n_sensors: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sensors scattered on a square, joined by Gaussian weights of their distance.

    Args:
        n_sensors: M.
        rng: draws the places.

    Returns:
        Positions [M, 2] in degrees around (0, 0), and weights [M, M], symmetric with ones on the diagonal; each
        sensor keeps a neighbour.
    """
    places = rng.uniform(-0.1, 0.1, (n_sensors, 2))
    away = np.linalg.norm(places[:, None] - places[None], axis=2)
    scale = 0.12 / np.sqrt(n_sensors)
    weights = np.exp(-((away / scale) ** 2))
    weights[weights < 0.1] = 0.0
    apart = away + np.diag(np.full(n_sensors, np.inf))
    nearest = apart.argmin(axis=1)
    rows = np.arange(n_sensors)
    weights[rows, nearest] = np.maximum(weights[rows, nearest], 0.1)
    return places, np.maximum(weights, weights.T)


def simulate(graph: np.ndarray, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Speeds under congestion ``c' = fade · ((1 - s) c + s W c) + rush + accidents + noise`` with ``W`` row-stochastic.

    Args:
        graph: [M, M] weights.
        n_rows: T.
        rng: draws who is how exposed, the accidents and the noise.

    Returns:
        [T, M] in mph, between 3 and 70.
    """
    m = len(graph)
    spread = graph / graph.sum(axis=1, keepdims=True)
    exposed = rng.gamma(2.0, 0.5, m)
    hour = (np.arange(n_rows) % DAY) / 12
    rush = np.exp(-(((hour - 8) / 1.2) ** 2)) + 1.2 * np.exp(-(((hour - 17.5) / 1.6) ** 2))
    rush = rush * np.where(np.arange(n_rows) // DAY % 7 < 5, 1.0, 0.3) * rng.normal(1.0, 0.15, n_rows).clip(0.3)
    accidents = (rng.uniform(size=(n_rows, m)) < 1 / (3 * DAY)) * rng.uniform(5, 20, (n_rows, m))
    noise = rng.normal(0, 0.5, (n_rows, m))
    congestion, rows = np.zeros(m), np.empty((n_rows, m))
    for row in range(n_rows):
        mixed = 0.4 * congestion + 0.6 * (spread @ congestion)
        congestion = (0.93 * mixed + 1.6 * exposed * rush[row] + accidents[row] + noise[row]).clip(0, 60)
        rows[row] = congestion
    return (FREE_FLOW - rows + rng.normal(0, 1.0, rows.shape)).clip(3, 70)

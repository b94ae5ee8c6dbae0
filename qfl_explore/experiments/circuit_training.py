"""Training of a circuit together with its linear readout, on any engine, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.experiments.measurement_bases_task import Task
from qfl_explore.optimizers import Adam
from qfl_explore.readout import Params
from qfl_explore.simulation.base import Backend


def train_with_readout(
    engine: Backend, task: Task, fusion: FusionCircuit, start: np.ndarray, rate: float, n_steps: int
) -> Iterator[tuple[int, Params]]:
    """Adam on circuit and readout together; the rate falls linearly to 2 % over the second half.

    Args:
        engine: answers with values and gradients, under noise or not.
        task: gives data and loss.
        fusion: the circuit.
        start: its weights at the start, radians.
        rate: of Adam, above 0.
        n_steps: full-batch steps.

    Yields:
        The step's number, from 1, and weights, readout and bias after it.
    """
    adam = Adam(rate)
    params: Params = {"weights": start, "readout": np.zeros(fusion.n_observables), "bias": np.zeros(())}
    params["readout"] += 1.0 / np.sqrt(fusion.n_observables)
    state = adam.init(params)
    for step in range(n_steps):
        values, pull = engine.pullback(fusion, task.x["train"], params["weights"])
        _, slope = task.loss(values @ params["readout"] + params["bias"], "train")
        _, d_weights = pull(slope[:, None] * params["readout"])
        grads = {"weights": d_weights, "readout": values.T @ slope, "bias": np.asarray(slope.sum())}
        now = rate * min(1.0, max(0.02, 2.0 * (1.0 - step / n_steps)))
        params, state = adam.step(params, grads, state, now)
        yield step + 1, params

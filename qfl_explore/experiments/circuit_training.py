"""Training of a circuit together with its linear readout, on any engine, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.optimizers import Adam
from qfl_explore.readout import Params
from qfl_explore.simulation.base import Backend


class Learnable(Protocol):
    """What training needs of a task: angles of the training part, and the loss of outputs with its derivative."""

    @property
    def x(self) -> dict[str, np.ndarray]:
        """By part, angles [N, M, D] (radians)."""
        ...

    def loss(self, outputs: np.ndarray, part: str) -> tuple[float, np.ndarray]:
        """Mean loss, and its derivative in the shape of the outputs."""
        ...


def falling_rate(rate: float, step: int, n_steps: int) -> float:
    """The learning rate of a step, counted from 0: constant, then linearly down to 2 % over the second half."""
    return rate * min(1.0, max(0.02, 2.0 * (1.0 - step / n_steps)))


def train_params(
    params: Params, gradients: Callable[[Params], Params], rate: float, n_steps: int
) -> Iterator[tuple[int, Params]]:
    """Adam with a `falling_rate`.

    Args:
        params: at the start.
        gradients: of the loss, for given parameters.
        rate: above 0.
        n_steps: how many.

    Yields:
        The step's number, from 1, and the parameters after it.
    """
    adam = Adam(rate)
    state = adam.init(params)
    for step in range(n_steps):
        params, state = adam.step(params, gradients(params), state, falling_rate(rate, step, n_steps))
        yield step + 1, params


def train_with_readout(
    engine: Backend,
    task: Learnable,
    fusion: FusionCircuit,
    start: np.ndarray,
    rate: float,
    n_steps: int,
    n_outputs: int | None = None,
) -> Iterator[tuple[int, Params]]:
    """Adam on circuit and readout together; the rate falls linearly to 2 % over the second half.

    Args:
        engine: answers with values and gradients, under noise or not.
        task: gives data and loss.
        fusion: the circuit.
        start: its weights at the start, radians.
        rate: of Adam, above 0.
        n_steps: full-batch steps.
        n_outputs: C, for outputs [N, C] and a readout [K, C]; ``None`` for outputs [N] and a readout [K].

    Yields:
        The step's number, from 1, and weights, readout and bias after it.
    """
    columns = () if n_outputs is None else (n_outputs,)
    readout = np.full((fusion.n_observables, *columns), 1.0 / np.sqrt(fusion.n_observables))
    x = task.x["train"]

    def gradients(params: Params) -> Params:
        values, pull = engine.pullback(fusion, x, params["weights"])
        _, slope = task.loss(values @ params["readout"] + params["bias"], "train")
        two_sided = params["readout"].reshape(fusion.n_observables, -1)
        _, d_weights = pull(slope.reshape(len(values), -1) @ two_sided.T)
        return {"weights": d_weights, "readout": values.T @ slope, "bias": np.asarray(slope.sum(axis=0))}

    params = {"weights": start, "readout": readout, "bias": np.zeros(columns)}
    yield from train_params(params, gradients, rate, n_steps)

"""Adam and L-BFGS on dictionaries of arrays: training without a deep-learning framework.

Both are written for live pages: the caller holds the loop, one step at a time, and may stop
between any two steps.
"""

from __future__ import annotations

import dataclasses
import math
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from qfl_explore.errors import check_int, invalid

Params = dict[str, np.ndarray]
Objective = Callable[[Params], tuple[float, Params]]


@dataclasses.dataclass(frozen=True)
class AdamState:
    """What Adam remembers between steps: the step count and both moments of each array."""

    step: int
    first: Params
    second: Params


@dataclasses.dataclass(frozen=True)
class Adam:
    """Adam in Keras' form, as pure functions of parameters and state.

    With ``a_t = learning_rate · sqrt(1 - beta_2^t) / (1 - beta_1^t)`` a step is
    ``m += (1 - beta_1)(g - m)``, ``v += (1 - beta_2)(g² - v)``, ``p -= a_t · m / (sqrt(v) + epsilon)``.

    Source: Kingma and Ba, arXiv:1412.6980, in the form of Keras' Adam (epsilon outside the
    bias correction).

    Args:
        learning_rate: above 0.
        beta_1: decay of the first moment, in [0, 1).
        beta_2: decay of the second moment, in [0, 1).
        epsilon: above 0.

    Raises:
        ValueError: a setting is out of range.

    >>> adam = Adam(learning_rate=0.1)
    >>> params = {"w": np.array([1.0])}
    >>> params, state = adam.step(params, {"w": np.array([2.0])}, adam.init(params))
    >>> round(float(params["w"][0]), 6), state.step
    (0.9, 1)
    """

    learning_rate: float = 0.05
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        for name in ("learning_rate", "epsilon"):
            check_positive(name, getattr(self, name))
        for name in ("beta_1", "beta_2"):
            beta = getattr(self, name)
            if not 0.0 <= beta < 1.0:
                raise invalid(
                    f"{name} is out of range",
                    "a number from 0 to below 1",
                    f"{name}={beta!r}",
                )

    def init(self, params: Mapping[str, np.ndarray]) -> AdamState:
        """The state before the first step: all moments are 0."""
        zeros = {name: np.zeros_like(np.asarray(value, np.float64)) for name, value in params.items()}
        return AdamState(0, zeros, {name: value.copy() for name, value in zeros.items()})

    def step(
        self,
        params: Mapping[str, np.ndarray],
        grads: Mapping[str, np.ndarray],
        state: AdamState,
        learning_rate: float | None = None,
    ) -> tuple[Params, AdamState]:
        """One step; the arguments are left as they are.

        Args:
            params: arrays by name.
            grads: the loss's gradient, same names and shapes.
            state: from `init` or the step before.
            learning_rate: for this step only, where a schedule asks for it.

        Returns:
            New parameters and the new state.

        Raises:
            ValueError: names or shapes of ``grads`` differ from those of ``params``.
        """
        _check_alike(params, grads)
        count = state.step + 1
        rate = self.learning_rate if learning_rate is None else learning_rate
        alpha = rate * math.sqrt(1.0 - self.beta_2**count) / (1.0 - self.beta_1**count)
        new, first, second = {}, {}, {}
        for name, value in params.items():
            grad = np.asarray(grads[name], np.float64)
            first[name] = state.first[name] + (1.0 - self.beta_1) * (grad - state.first[name])
            second[name] = state.second[name] + (1.0 - self.beta_2) * (grad**2 - state.second[name])
            new[name] = value - alpha * first[name] / (np.sqrt(second[name]) + self.epsilon)
        return new, AdamState(count, first, second)


@dataclasses.dataclass(frozen=True)
class LbfgsStep:
    """One accepted iteration of L-BFGS.

    Attributes:
        step: 1 for the first iteration.
        loss: at ``params``.
        params: arrays by name.
        n_evaluations: of the objective, so far.
    """

    step: int
    loss: float
    params: Params
    n_evaluations: int


class _Cancelled(Exception):
    """Ends a SciPy run from inside the objective."""


def lbfgs(
    objective: Objective,
    params: Mapping[str, np.ndarray],
    max_iterations: int = 600,
    *,
    memory: int = 10,
    tolerance: float = 1e-10,
) -> Iterator[LbfgsStep]:
    """SciPy's L-BFGS-B, turned inside out: yields once for each accepted iteration.

    SciPy owns its loop and calls back. Restarting it at every step would throw away the
    curvature it has gathered, and its reverse-communication routine is private. So SciPy runs
    in a helper thread that hands over one iteration and then waits: caller and helper never
    compute at the same time, hence results do not depend on timing. Closing the generator
    (or dropping it) ends the helper before its next evaluation.

    Args:
        objective: parameters -> (loss, gradients).
        params: where to start.
        max_iterations: at most so many steps; 1 or more.
        memory: curvature pairs that L-BFGS keeps; 1 or more.
        tolerance: stops when the relative gain of a step, or the largest gradient entry,
            falls below it; above 0.

    Yields:
        `LbfgsStep`; the generator ends when SciPy has converged or is out of iterations.

    Raises:
        ValueError: a setting is out of range.
        Exception: whatever the objective raised, in the caller's thread.
    """
    check_int("max_iterations", max_iterations, 1)
    check_int("memory", memory, 1)
    check_positive("tolerance", tolerance)
    options = {
        "maxiter": max_iterations,
        "maxfun": 25 * max_iterations,
        "maxcor": memory,
        "ftol": tolerance,
        "gtol": tolerance,
    }
    return _handed_over(_ScipyRun(objective, params, options))


def _handed_over(run: _ScipyRun) -> Iterator[LbfgsStep]:
    helper = threading.Thread(target=run, name="lbfgs", daemon=True)
    helper.start()
    try:
        while True:
            item = run.steps.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
            yield item
            run.go_on.put(True)
    finally:
        run.cancelled.set()
        run.go_on.put(False)
        helper.join()


class _ScipyRun:
    """The helper thread's side of `lbfgs`."""

    def __init__(
        self,
        objective: Objective,
        params: Mapping[str, np.ndarray],
        options: dict[str, Any],
    ) -> None:
        self.steps: queue.Queue[LbfgsStep | BaseException | None] = queue.Queue()
        self.go_on: queue.Queue[bool] = queue.Queue()
        self.cancelled = threading.Event()
        self._objective = objective
        self._shapes = {name: np.shape(value) for name, value in params.items()}
        self._start = self._flat(params)
        self._options = options
        self._n_evaluations = 0
        self._n_steps = 0

    def __call__(self) -> None:
        from scipy.optimize import minimize

        try:
            minimize(
                self._evaluate,
                self._start,
                jac=True,
                method="L-BFGS-B",
                callback=self._accepted,
                options=self._options,
            )
        except _Cancelled:
            pass
        except BaseException as error:  # handed over: the caller's thread raises it
            self.steps.put(error)
        self.steps.put(None)

    def _evaluate(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        if self.cancelled.is_set():
            raise _Cancelled
        self._n_evaluations += 1
        loss, grads = self._objective(self._named(flat))
        return float(loss), self._flat(grads)

    def _accepted(self, intermediate_result: Any) -> None:  # SciPy goes by this argument's name
        self._n_steps += 1
        named = self._named(intermediate_result.x)
        self.steps.put(
            LbfgsStep(
                self._n_steps,
                float(intermediate_result.fun),
                named,
                self._n_evaluations,
            )
        )
        if not self.go_on.get():
            raise _Cancelled

    def _flat(self, named: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.concatenate([np.ravel(np.asarray(named[name], np.float64)) for name in self._shapes])

    def _named(self, flat: np.ndarray) -> Params:
        ends = np.cumsum([math.prod(shape) for shape in self._shapes.values()])[:-1]
        parts = np.split(np.array(flat), ends)
        return {name: part.reshape(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}


def check_positive(name: str, value: float) -> float:
    """``value`` if it is a finite number above 0; otherwise raises.

    Raises:
        TypeError: not a number.
        ValueError: 0, negative, NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        raise invalid(
            f"{name} must be a number",
            "a finite number above 0",
            f"{name}={value!r}",
            TypeError,
        )
    if not (math.isfinite(value) and value > 0):
        raise invalid(f"{name} is out of range", "a finite number above 0", f"{name}={value!r}")
    return float(value)


def _check_alike(params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
    wanted = {name: np.shape(value) for name, value in params.items()}
    got = {name: np.shape(value) for name, value in grads.items()}
    if wanted != got:
        raise invalid("grads do not fit params", f"names and shapes {wanted}", f"{got}")

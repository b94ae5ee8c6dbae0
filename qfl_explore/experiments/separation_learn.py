"""Learning the phase-difference problem: a Quantum Fusion Layer with joint access against models of outcomes.

The layer calls ``S(x) = |0⟩⟨0| ⊗ A + |1⟩⟨1| ⊗ B`` P times and finds the layers between from labelled
samples. LMF, TFN and a small network get outcomes: each oracle was queried on its own and measured.
Their ceiling is the Bayes ceiling of those outcomes, computed exactly. The last entrants are handed
the angles themselves; for them there is nothing quantum to learn.

Source: our construction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.circuits.ansatz import INITIALIZERS, initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.fusion_models import LowRankFusion, Model, SmallNetwork, TensorFusion, train
from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.separation import draw_angles
from qfl_explore.optimizers import Adam, check_positive
from qfl_explore.simulation.base import ENGINES, get_backend
from qfl_explore.theory.outcomes import MAX_OUTCOMES, bayes_success, best_directions, grouping, joint_table
from qfl_explore.theory.separation import check_delta, joint_success, rounds_needed, separable_success

MODELS: dict[str, str] = {
    "quantum": "QFL, joint access",
    "lmf": "LMF on outcomes",
    "tfn": "TFN on outcomes",
    "mlp": "MLP on outcomes",
    "lmf_angles": "LMF, given the angles",
    "tfn_angles": "TFN, given the angles",
    "mlp_angles": "MLP, given the angles",
}
COLUMNS = ("model", "seed", "n_queries", "success", "ceiling", "n_parameters", "n_train", "n_test")
MAX_ROUNDS = 6
#: Fresh angles on which a model that sees angles is tested.
N_TEST = 2000


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearnConfig(Settings):
    """Settings of the learning study, for two oracles.

    Args:
        delta: δ in radians, at most 6 rounds to certainty.
        degrees: P of the layers, queries in all; ``None``: 2, 4, … up to certainty.
        outcome_rounds: queries of each oracle behind the outcomes; ``None``: as many as the layers
            have, then 2 and 4 times as many as certainty needs.
        n_train: labelled angles for the layer, and for the models that are given the angles.
        n_outcomes: labelled outcomes for the models of outcomes.
        n_steps: of Adam (layer) and at most of L-BFGS (the others).
        n_restarts: starts of every model on every seed; the lowest training loss is kept.
        learning_rate: of Adam.
        n_blocks: Rx/Ry/Rz + CZ blocks in each U.
        initializer: of the layer's angles.
        rank: R of LMF.
        n_hidden: of the network.
        seeds: distinct; each draws data and starting values anew.
        backend: the engine that runs the layer.

    Raises:
        ValueError: a setting is out of range or unknown.
        TypeError: a setting is of the wrong kind.
    """

    delta: float = math.pi / 6
    degrees: tuple[int, ...] | None = None
    outcome_rounds: tuple[int, ...] | None = None
    n_train: int = 128
    n_outcomes: int = 4096
    n_steps: int = 400
    n_restarts: int = 2
    learning_rate: float = 0.05
    n_blocks: int = 1
    initializer: str = "uniform"
    rank: int = 4
    n_hidden: int = 16
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    backend: str = "batched"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", check_delta(self.delta))
        needed = rounds_needed(self.delta)
        if needed > MAX_ROUNDS:
            expected = f"at least {math.pi / (2 * MAX_ROUNDS):.4f} radians, {MAX_ROUNDS} rounds"
            raise invalid("delta is too small to learn live", expected, f"delta={self.delta}, {needed} rounds")
        check_option("initializer", self.initializer, INITIALIZERS)
        check_option("backend", self.backend, ENGINES)
        check_positive("learning_rate", self.learning_rate)
        limits = {"n_train": 100_000, "n_outcomes": 1_000_000, "n_steps": 10_000, "n_restarts": 20, "n_blocks": 8}
        for name, most in (limits | {"rank": 64, "n_hidden": 256}).items():
            check_int(name, getattr(self, name), 2 if name in ("n_train", "n_outcomes") else 1, most)
        self._check_lists(needed)

    def _check_lists(self, needed: int) -> None:
        ladder = tuple(range(1, needed + 1))
        if self.degrees is None:
            object.__setattr__(self, "degrees", tuple(2 * r for r in ladder))
        if self.outcome_rounds is None:
            object.__setattr__(self, "outcome_rounds", (*ladder, 2 * needed, 4 * needed))
        for name, least in (("degrees", 1), ("outcome_rounds", 1), ("seeds", 0)):
            values = tuple(check_int(f"each of {name}", value, least) for value in getattr(self, name))
            if not values or len(set(values)) < len(values) or len(values) > 50:
                raise invalid(f"{name} are not usable", "1 to 50 distinct integers", f"{name}={values}")
            object.__setattr__(self, name, values)
        for n_each in self.outcome_rounds or ():
            uses, count = grouping(n_each, self.delta)
            if count > MAX_OUTCOMES or count * uses != n_each:
                expected = f"up to {needed}, or a multiple of {needed} up to {MAX_OUTCOMES * needed}"
                raise invalid("a number of queries cannot be grouped", expected, f"{n_each} of each oracle")

    def fusion(self, degree: int) -> FusionConfig:
        """The layer with P queries: RX signal, two oracles, no constant slot, Z measured."""
        return FusionConfig(
            n_modalities=2,
            degree=degree,
            n_blocks=self.n_blocks,
            signal="rx",
            constant_slot=False,
            measurement="computational",
        )

    @property
    def n_rows(self) -> int:
        """Rows of a finished study."""
        return len(self.seeds) * (len(self.degrees) + 3 * len(self.outcome_rounds) + 3)


@dataclasses.dataclass(frozen=True)
class Progress:
    """One item of `stream`.

    Attributes:
        seed: of what is trained.
        model: one of ``MODELS``.
        n_queries: in all; 0 where the angles are given.
        step: training step; -1 where a row is finished.
        success: on the training set while training.
        row: the finished row, or ``None``.
    """

    seed: int
    model: str
    n_queries: int
    step: int = -1
    success: float = math.nan
    row: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class LearnResult:
    """A finished study, or the finished part of one.

    Attributes:
        config: the settings.
        table: one row for each model, number of queries and seed; columns ``COLUMNS``.
    """

    config: LearnConfig
    table: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        """Mean success with a 95 % t-interval over seeds for each model and number of queries."""
        return {"models": means(self.table), "references": references(self.config), "n_seeds": len(self.config.seeds)}


def means(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean success over seeds with a 95 % t-interval, by model and number of queries."""
    rows = []
    for key, group in table.groupby(["model", "n_queries"], sort=False):
        model, n_queries = key  # pyright: ignore[reportGeneralTypeIssues]
        interval = t_interval(group["success"]).clipped()
        same = {"model": model, "n_queries": int(n_queries), "n_seeds": len(group)}
        ends = {"success": interval.mean, "low": interval.low, "high": interval.high}
        rows.append(same | ends | {"ceiling": float(group["ceiling"].mean()), "worst": float(group["success"].min())})
    return rows


def references(config: LearnConfig) -> pd.DataFrame:
    """Closed forms beside the trained models: kind, n_queries, success.

    ``joint``: no protocol with that many uses of each oracle does better. ``separable``: best found
    with a quantum register for each oracle. ``outcomes``: Bayes ceiling of the outcomes.
    """
    rows = [("joint", 2 * r, joint_success(r, config.delta)) for r in range(1, rounds_needed(config.delta) + 1)]
    rows += [("separable", 2 * n, separable_success(n, config.delta).success) for n in config.outcome_rounds or ()]
    rows += [("outcomes", 2 * n, outcomes_of(n, config.delta)[1]) for n in config.outcome_rounds or ()]
    return pd.DataFrame(rows, columns=["kind", "n_queries", "success"])


def outcomes_of(n_each: int, delta: float) -> tuple[np.ndarray, float]:
    """P(outcomes of A, outcomes of B | label) [2, 2^k, 2^k] in the best directions found, and the Bayes ceiling."""
    uses, count = grouping(n_each, delta)
    directions = best_directions(count, delta, uses)
    return joint_table(directions, delta, uses), bayes_success(directions, delta, uses)


def stream(config: LearnConfig) -> Iterator[Progress]:
    """Trains everything: seeds outside, the layer first; yields often."""
    tables = {n_each: outcomes_of(n_each, config.delta) for n_each in config.outcome_rounds or ()}
    for seed in config.seeds:
        for degree in config.degrees or ():
            yield from _quantum(config, seed, degree)
        for n_each, (table, ceiling) in tables.items():
            yield from _outcomes(config, seed, n_each, table, ceiling)
        yield from _angles(config, seed)


def run(config: LearnConfig | None = None) -> LearnResult:
    """A whole study."""
    config = config or LearnConfig()
    return collect(config, stream(config))


def collect(config: LearnConfig, items: Iterable[Progress]) -> LearnResult:
    """The finished rows among the items of `stream`."""
    return LearnResult(config, pd.DataFrame([i.row for i in items if i.row is not None], columns=list(COLUMNS)))


def _row(model: str, seed: int, n_queries: int, success: float, ceiling: float, *sizes: int) -> Progress:
    values = (model, seed, n_queries, float(success), float(ceiling), *sizes)
    return Progress(seed, model, n_queries, row=dict(zip(COLUMNS, values, strict=True)))


def _quantum(config: LearnConfig, seed: int, degree: int) -> Iterator[Progress]:
    fusion, backend = FusionCircuit(config.fusion(degree)), get_backend(config.backend)
    theta, labels = draw_angles(2, config.delta, config.n_train, seed)
    features, sign = _features(theta), 1.0 - 2.0 * labels
    best, kept = -math.inf, np.zeros(0)
    for restart in range(config.n_restarts):
        adam = Adam(config.learning_rate)
        params = {"w": initial_weights(fusion.config, config.initializer, 1000 * seed + restart)}
        state, success = adam.init(params), 0.5
        for step in range(config.n_steps):
            values, pull = backend.pullback(fusion, features, params["w"])
            success = 0.5 + 0.5 * float(np.mean(sign * values[:, -1]))
            cotangents = np.zeros_like(values)
            cotangents[:, -1] = -sign / (2 * config.n_train)
            rate = config.learning_rate * min(1.0, max(0.02, 2.0 * (1.0 - step / config.n_steps)))
            params, state = adam.step(params, {"w": pull(cotangents)[1]}, state, rate)
            if step % 10 == 0:
                yield Progress(seed, "quantum", degree, step, success)
        if success > best:
            best, kept = success, params["w"]
    theta, labels = draw_angles(2, config.delta, N_TEST, seed + 10_000)
    values = backend.expectations(fusion, _features(theta), kept)[:, -1]
    success = min(1.0, 0.5 + 0.5 * float(np.mean((1.0 - 2.0 * labels) * values)))
    ceiling = joint_success(degree // 2, config.delta) if degree % 2 == 0 else math.nan
    yield _row("quantum", seed, degree, success, ceiling, fusion.n_weights, config.n_train, N_TEST)


def _features(theta: np.ndarray) -> np.ndarray:
    return -2.0 * theta[:, :, None]


def _outcomes(config: LearnConfig, seed: int, n_each: int, table: np.ndarray, ceiling: float) -> Iterator[Progress]:
    n_cells = table.shape[1]
    rng = np.random.default_rng([seed, n_each, 3])
    flat = table.reshape(2, -1)
    counts = np.stack([rng.multinomial(config.n_outcomes // 2, row / row.sum()) for row in flat])
    bits = _bits(n_cells)
    h = np.stack([np.repeat(bits, n_cells, axis=0), np.tile(bits, (n_cells, 1))], axis=1)
    seen = counts.sum(axis=0) > 0
    inputs = np.concatenate([h[seen], h[seen]])
    targets = np.repeat([0.0, 1.0], seen.sum())
    weights = np.concatenate([counts[0, seen], counts[1, seen]]).astype(float)
    for name, model in _models(config, bits.shape[1]).items():
        outputs = np.zeros(len(h))
        for item in _fitted(config, seed, model, inputs, targets, weights):
            if isinstance(item, int):
                yield Progress(seed, name, 2 * n_each, item)
            else:
                outputs = model.forward(item, h)[0]
        said = np.where(outputs > 0, flat[1], flat[0])  # exact: the chance of every outcome is known
        yield _row(name, seed, 2 * n_each, 0.5 * said.sum(), ceiling, model.n_parameters, config.n_outcomes, 0)


def _angles(config: LearnConfig, seed: int) -> Iterator[Progress]:
    theta, labels = draw_angles(2, config.delta, config.n_train, seed)
    tests, truth = draw_angles(2, config.delta, N_TEST, seed + 10_000)
    for name, model in _models(config, 2).items():
        success = 0.5
        for item in _fitted(config, seed, model, _circle(theta), labels.astype(float), None):
            if isinstance(item, int):
                yield Progress(seed, f"{name}_angles", 0, item)
            else:
                outputs = model.forward(item, _circle(tests))[0]
                success = float(np.mean((outputs > 0) == (truth == 1)))
        yield _row(f"{name}_angles", seed, 0, success, 1.0, model.n_parameters, config.n_train, N_TEST)


def _models(config: LearnConfig, feature_dim: int) -> dict[str, Model]:
    return {
        "lmf": LowRankFusion(2, feature_dim, config.rank),
        "tfn": TensorFusion(2, feature_dim),
        "mlp": SmallNetwork(2 * feature_dim, config.n_hidden),
    }


def _fitted(
    config: LearnConfig, seed: int, model: Model, h: np.ndarray, targets: np.ndarray, weights: np.ndarray | None
) -> Iterator[Any]:
    """Step numbers while training, then the parameters with the lowest training loss of all restarts."""
    best, kept = math.inf, None
    for restart in range(config.n_restarts):
        rng = np.random.default_rng([seed, restart, 5])
        for step in train(model, h, targets, rng, config.n_steps, weights=weights):
            if step.loss < best:
                best, kept = step.loss, step.params
            if step.step % 20 == 0:
                yield step.step
    yield kept


def _circle(theta: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(2 * theta), np.sin(2 * theta)], axis=2)


def _bits(n_cells: int) -> np.ndarray:
    """Rows of ±1, most significant first: [2^k, k]."""
    k = n_cells.bit_length() - 1
    return 1.0 - 2.0 * (np.arange(n_cells)[:, None] >> np.arange(k - 1, -1, -1) & 1)

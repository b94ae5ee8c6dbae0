"""What a visitor of the page Separation chooses: plain parameters, no Panel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import param

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.dashboards.state import LABELS, State
from qfl_explore.simulation.base import ENGINES

if TYPE_CHECKING:
    from qfl_explore.experiments.rank_wall import RankWallConfig
    from qfl_explore.experiments.separation import SeparationConfig
    from qfl_explore.experiments.separation_learn import LearnConfig
    from qfl_explore.experiments.signal_processing import SignalConfig

PARTS = {"Six queries": "queries", "Learning it": "learning", "Rank wall": "rank", "Polynomials": "signal"}
READOUTS = {"Best measurement": "best", "Plain protocol, Z": "z"}
#: The engines that can train while somebody waits.
LIVE_ENGINES = ("batched", "tfq")


def _choice(options: Any, default: str, doc: str) -> param.Selector:
    return param.Selector(default=default, objects={LABELS.get(name, name): name for name in options}, doc=doc)


class SeparationState(State):
    """Settings of the four parts; δ is shared by the first two."""

    part = param.Selector(default="queries", objects=PARTS, doc="Part of the page")
    delta_degrees = param.Integer(default=30, bounds=(8, 90), doc="Difference δ (degrees)")
    seed = param.Integer(default=0, bounds=(0, 9999), doc="Seed")

    n_oracles = param.Integer(default=2, bounds=(2, 5), doc="Oracles M")
    readout = param.Selector(default="best", objects=READOUTS, doc="Measurement")
    n_trials = param.Integer(default=1000, bounds=(100, 5000), step=100, doc="Trials at each rung")
    step = param.Integer(default=-1, bounds=(-1, 999), doc="Step of the protocol in the picture (-1: the last)")
    base_degrees = param.Integer(default=23, bounds=(0, 180), doc="Unknown base θ in the picture (degrees)")
    backend = _choice(ENGINES, "batched", "Engine")

    n_seeds = param.Integer(default=5, bounds=(2, 10), doc="Seeds")
    n_train = param.Integer(default=128, bounds=(16, 512), step=16, doc="Labelled angles for the layer")
    n_outcomes = param.Integer(default=4096, bounds=(256, 16384), step=256, doc="Labelled outcomes for the others")
    n_restarts = param.Integer(default=3, bounds=(1, 6), doc="Starts of every model")
    n_steps = param.Integer(default=400, bounds=(50, 1000), step=50, doc="Training steps at most")
    n_blocks = param.Integer(default=1, bounds=(1, 3), doc="Blocks in each U(θ)")
    initializer = _choice(INITIALIZERS, "uniform", "Starting angles")
    train_engine = _choice(LIVE_ENGINES, "batched", "Engine of the layer")

    wall_modalities = param.Selector(default=4, objects=[2, 4, 6, 8], doc="Modalities M")
    wall_seeds = param.Integer(default=3, bounds=(2, 10), doc="Seeds")
    wall_samples = param.Integer(default=512, bounds=(64, 2048), step=64, doc="Samples")
    wall_steps = param.Integer(default=300, bounds=(50, 1000), step=50, doc="L-BFGS steps at most")
    wall_degree = param.Integer(default=4, bounds=(1, 6), doc="Highest degree P of the layers")

    polynomial = param.String(default="0.9*T(5, x)", doc="Polynomial in x")
    scale = param.Boolean(default=True, doc="Scale what is larger than 1")
    signal_engine = _choice(("tfq", "batched", "qsim", "cirq"), "tfq", "Engine")

    URL = {
        "part": "part",
        "delta_degrees": "delta",
        "seed": "draw",
        "n_oracles": "oracles",
        "readout": "readout",
        "n_trials": "trials",
        "base_degrees": "base",
        "step": "step",
        "backend": "run_on",
        "n_seeds": "runs",
        "n_train": "angles",
        "n_outcomes": "outcomes",
        "n_restarts": "restarts",
        "n_steps": "budget",
        "n_blocks": "U_blocks",
        "initializer": "starting",
        "train_engine": "train_on",
        "wall_modalities": "wall_M",
        "wall_seeds": "wall_runs",
        "wall_samples": "wall_samples",
        "wall_steps": "wall_budget",
        "wall_degree": "wall_P",
        "polynomial": "poly",
        "scale": "scale",
        "signal_engine": "poly_on",
    }
    #: Parameters that start a part anew.
    RESTARTS = {
        "queries": ("n_oracles", "delta_degrees", "readout", "n_trials", "backend", "seed"),
        "learning": (
            *("delta_degrees", "seed", "n_seeds", "n_train", "n_outcomes", "n_restarts", "n_steps", "n_blocks"),
            *("initializer", "train_engine"),
        ),
        "rank": ("wall_modalities", "wall_seeds", "wall_samples", "wall_steps", "wall_degree", "seed"),
        "signal": ("polynomial", "scale", "signal_engine"),
    }

    @property
    def delta(self) -> float:
        """δ in radians."""
        return math.radians(self.delta_degrees)

    def queries_config(self) -> SeparationConfig:
        """Settings of the query ladder.

        Raises:
            ValueError: the combination is not possible.
        """
        from qfl_explore.experiments.separation import SeparationConfig

        names = ("n_oracles", "readout", "n_trials", "backend", "seed")
        return SeparationConfig(delta=self.delta, **{name: getattr(self, name) for name in names})

    def learning_config(self) -> LearnConfig:
        """Settings of the learning study.

        Raises:
            ValueError: the combination is not possible.
        """
        from qfl_explore.experiments.separation_learn import LearnConfig

        names = ("n_train", "n_outcomes", "n_restarts", "n_steps", "n_blocks", "initializer")
        seeds = tuple(range(self.seed, self.seed + self.n_seeds))
        settings = {name: getattr(self, name) for name in names}
        return LearnConfig(delta=self.delta, seeds=seeds, backend=self.train_engine, **settings)

    def rank_config(self) -> RankWallConfig:
        """Settings of the rank wall.

        Raises:
            ValueError: the combination is not possible.
        """
        from qfl_explore.experiments.rank_wall import RankWallConfig

        return RankWallConfig(
            n_modalities=self.wall_modalities,
            degrees=tuple(range(1, self.wall_degree + 1)),
            n_train=self.wall_samples,
            n_steps=self.wall_steps,
            seeds=tuple(range(self.seed, self.seed + self.wall_seeds)),
        )

    def signal_config(self) -> SignalConfig:
        """Settings of the response curve.

        Raises:
            ValueError: the text is not a formula.
        """
        from qfl_explore.experiments.signal_processing import SignalConfig

        return SignalConfig(polynomial=self.polynomial, scale=self.scale, backend=self.signal_engine)

"""What a visitor of the page Real data chooses: plain parameters, no Panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import param

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import ENCODINGS, MEASUREMENTS, SIGNALS
from qfl_explore.dashboards.state import LABELS, State

if TYPE_CHECKING:
    from qfl_explore.experiments.classification import ClassificationConfig

#: The engines that can train a whole study while somebody waits.
LIVE_ENGINES = ("batched", "tfq")
METRICS = {"Accuracy": "accuracy", "AUC": "auc", "Macro F1": "f1"}


def _choice(options: tuple[str, ...], default: str, doc: str) -> param.Selector:
    return param.Selector(default=default, objects={LABELS.get(name, name): name for name in options}, doc=doc)


class RealDataState(State):
    """Settings of the study; ``metric`` only chooses what is drawn."""

    degree = param.Integer(default=3, bounds=(1, 6), doc="Degree P")
    feature_dim = param.Integer(default=2, bounds=(1, 3), doc="Features per modality D")
    n_blocks = param.Integer(default=1, bounds=(1, 3), doc="Blocks in each U(θ)")
    encoding = _choice(ENCODINGS, "qubit_efficient", "Encoding")
    signal = _choice(SIGNALS, "ry", "Signal R(x)")
    measurement = _choice(MEASUREMENTS, "random_pauli_plane", "Measurement")
    initializer = _choice(INITIALIZERS, "uniform", "Starting angles")
    n_seeds = param.Integer(default=5, bounds=(1, 10), doc="Seeds")
    first_seed = param.Integer(default=0, bounds=(0, 9990), doc="First seed")
    epochs = param.Integer(default=60, bounds=(5, 200), doc="Epochs at most")
    patience = param.Integer(default=10, bounds=(1, 50), doc="Patience (epochs)")
    gamma = param.Number(default=2.0, bounds=(0.0, 5.0), step=0.5, doc="Focal loss γ (0: cross-entropy)")
    engine = _choice(LIVE_ENGINES, "batched", "Engine")
    metric = param.Selector(default="accuracy", objects=METRICS, doc="Score to draw")

    URL = {
        "degree": "P",
        "feature_dim": "D",
        "n_blocks": "blocks",
        "encoding": "encoding",
        "signal": "signal",
        "measurement": "measurement",
        "initializer": "init",
        "n_seeds": "seeds",
        "first_seed": "first",
        "epochs": "epochs",
        "patience": "patience",
        "gamma": "gamma",
        "engine": "engine",
        "metric": "score",
    }

    def config(self) -> ClassificationConfig:
        """The study's config.

        Raises:
            ValueError: the combination is not possible.
        """
        from qfl_explore.experiments.classification import ClassificationConfig

        names = ("degree", "feature_dim", "n_blocks", "encoding", "signal", "measurement", "initializer")
        seeds = tuple(range(self.first_seed, self.first_seed + self.n_seeds))
        return ClassificationConfig(
            **{name: getattr(self, name) for name in (*names, "epochs", "patience", "gamma")},
            backend=self.engine,
            seeds=seeds,
        )

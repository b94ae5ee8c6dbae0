"""What a visitor of the page Real data chooses: plain parameters, no Panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import param

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import MEASUREMENTS, SIGNALS
from qfl_explore.dashboards.state import LABELS, State
from qfl_explore.errors import invalid

if TYPE_CHECKING:
    from qfl_explore.experiments.multimodal_config import MultimodalConfig

#: The engines that can train a whole study while somebody waits.
LIVE_ENGINES = ("batched", "tfq")
#: Tab -> its title, in their order.
TABS = {
    "data": "Data",
    "training": "Training",
    "scores": "Scores",
    "curves": "Curves",
    "ablation": "Ablation",
    "collapse": "Collapse",
}
METRICS = {"The one that methods are compared by": "", "AUC": "auc", "Macro F1": "f1", "Accuracy": "accuracy"}
DATASETS = (
    "breast_cancer",
    "wine",
    "digits",
    "synthetic_ecg",
    "synthetic_traffic",
    "ptb_xl",
    "metr_la",
    "cmu_mosi",
    "spoken_digits",
    "fashion_mnist",
    "steel_plates",
    "covtype",
    "own_folder",
)
METHODS = (
    "persistence",
    "linear",
    "boosting",
    "mlp",
    "concat",
    "low_rank_reference",
    "low_rank_near_one",
    "tensor",
    "bilinear",
    "graph",
    "quantum",
)
ABLATIONS = {
    "Modalities M": "modalities",
    "Degree P": "degree",
    "Training samples": "few_shot",
    "Measurement basis": "measurement",
    "Rank of low-rank fusion": "rank",
}
TARGETS = {"Mean of all sensors": "mean", "Every sensor": "all"}
#: Trials of each method -> learning rates, and penalties of linear models.
EFFORTS = {1: ((0.03,), (1.0,)), 2: ((0.01, 0.05), (0.3, 3.0)), 3: ((0.01, 0.03, 0.1), (0.1, 1.0, 10.0))}
#: Above this a study would hold up everybody else on the server.
MAX_LIVE_QUBITS = 11


def _choice(options: tuple[str, ...], default: str, doc: str) -> param.Selector:
    return param.Selector(default=default, objects={LABELS.get(name, name): name for name in options}, doc=doc)


class RealDataState(State):
    """Settings of the study; those in ``DRAWN`` choose what is shown and restart nothing."""

    dataset = param.Selector(default="breast_cancer", objects=list(DATASETS), doc="Data set")
    methods = param.List(default=list(METHODS), item_type=str, doc="Methods")
    n_modalities = param.Integer(default=0, bounds=(0, 207), doc="Modalities M (0: all)")
    n_train = param.Integer(default=0, bounds=(0, 20_000), doc="Training samples (0: all)")
    target = param.Selector(default="mean", objects=TARGETS, doc="What is forecast")
    change = param.Boolean(default=False, doc="Forecast the change from now")
    encoder = param.Selector(
        default="dense", objects={"Dense, on summary numbers": "dense", "On the raw series": "series"}, doc="Encoders"
    )
    degree = param.Integer(default=3, bounds=(1, 6), doc="Degree P")
    feature_dim = param.Integer(default=2, bounds=(1, 4), doc="Features per modality D")
    n_blocks = param.Integer(default=1, bounds=(1, 3), doc="Blocks in each U(θ)")
    signal = _choice(SIGNALS, "ry", "Signal R(x)")
    measurement = _choice(MEASUREMENTS, "random_pauli_plane", "Measurement")
    initializer = _choice(INITIALIZERS, "uniform", "Starting angles")
    rank = param.Integer(default=4, bounds=(1, 16), doc="Rank R of low-rank fusion")
    n_seeds = param.Integer(default=5, bounds=(1, 10), doc="Seeds")
    first_seed = param.Integer(default=0, bounds=(0, 9990), doc="First seed")
    n_trials = param.Selector(default=3, objects=list(EFFORTS), doc="Trials of each method on each seed")
    epochs = param.Integer(default=40, bounds=(2, 200), doc="Epochs at most")
    patience = param.Integer(default=8, bounds=(1, 50), doc="Patience (epochs)")
    gamma = param.Number(default=2.0, bounds=(0.0, 5.0), step=0.5, doc="Focal loss γ (0: cross-entropy)")
    engine = _choice(LIVE_ENGINES, "batched", "Engine")
    tab = param.Selector(default="training", objects={title: name for name, title in TABS.items()}, doc="Part")
    metric = param.Selector(default="", objects=METRICS, doc="Score to draw")
    sample = param.Integer(default=0, bounds=(0, 100_000), doc="Sample (number)")
    label = param.Integer(default=-1, bounds=(-1, 5000), doc="Class, label or target (number; -1: the usual one)")
    of = param.Selector(default="quantum", objects=list(METHODS), doc="Confusion of")
    vary = param.Selector(default="modalities", objects=ABLATIONS, doc="What is varied")

    URL = {
        "dataset": "data",
        "methods": "methods",
        "n_modalities": "M",
        "n_train": "train",
        "target": "target",
        "change": "change",
        "encoder": "encoder",
        "degree": "P",
        "feature_dim": "D",
        "n_blocks": "blocks",
        "signal": "signal",
        "measurement": "measurement",
        "initializer": "init",
        "rank": "rank",
        "n_seeds": "seeds",
        "first_seed": "first",
        "n_trials": "trials",
        "epochs": "epochs",
        "patience": "patience",
        "gamma": "gamma",
        "engine": "engine",
        "tab": "tab",
        "metric": "score",
        "sample": "sample",
        "label": "class",
        "of": "of",
        "vary": "vary",
    }
    DRAWN = ("tab", "metric", "sample", "label", "of", "vary")

    ITEMS = {"methods": METHODS}

    def config(self) -> MultimodalConfig:
        """The study's config.

        Raises:
            ValueError: the combination is not possible, or the register is too large for a live page.
        """
        from qfl_explore.datasets import DATASETS as ENTRIES
        from qfl_explore.experiments.multimodal_config import MultimodalConfig

        names = ("dataset", "target", "change", "encoder", "degree", "feature_dim", "n_blocks", "signal", "measurement")
        settings = {
            name: getattr(self, name) for name in (*names, "initializer", "rank", "epochs", "patience", "gamma")
        }
        rates, penalties = EFFORTS[self.n_trials]
        config = MultimodalConfig(
            **settings,
            methods=tuple(self.methods),
            n_modalities=self.n_modalities or None,
            n_train=self.n_train or None,
            learning_rates=rates,
            penalties=penalties,
            seeds=tuple(range(self.first_seed, self.first_seed + self.n_seeds)),
            backend=self.engine,
        )
        m = self.n_modalities or ENTRIES[self.dataset].n_modalities or 1
        n_qubits = config.fusion(m).n_qubits
        if "quantum" in config.methods and n_qubits > MAX_LIVE_QUBITS:
            raise invalid(
                f"{m} modalities with {self.feature_dim} features each need too many qubits for a live page",
                f"at most {MAX_LIVE_QUBITS} qubits; the package itself goes further",
                f"{n_qubits} qubits",
            )
        return config


def modality_options(dataset: str, n_modalities: int) -> dict[str, int]:
    """How many modalities may be chosen: title -> M, 0 for all.

    Args:
        dataset: one of ``DATASETS``.
        n_modalities: of all; 0 where the files decide.
    """
    from qfl_explore.experiments.multimodal_ablations import axes

    usual = [m for m in axes("modalities", dataset)["n_modalities"] if not n_modalities or m <= n_modalities]
    return {"All" if not n_modalities else f"All ({n_modalities})": 0, **{str(m): m for m in usual}}

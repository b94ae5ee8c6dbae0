"""What a visitor of the page Systems chooses: plain parameters, no Panel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import param

from qfl_explore.config import ENTANGLERS
from qfl_explore.dashboards.state import LABELS, State
from qfl_explore.errors import invalid

if TYPE_CHECKING:
    from qfl_explore.experiments.systems_config import SystemsConfig

#: The experiment's ``TASKS``, written out so that the page opens without loading it.
TASKS = {
    "Wine": "wine",
    "Breast cancer": "breast_cancer",
    "Digits, quarters": "digits",
    "Steel plates (needs files)": "steel_plates",
    "CoverType, sample (needs files)": "covtype",
    "Fashion-MNIST, whole (needs files)": "fashion_whole",
    "Fashion-MNIST, halves (needs files)": "fashion_halves",
    "Audio-visual digits (needs files)": "audio_visual",
}
SETS = {
    "Three systems beside classical methods": "systems",
    "Cross-attention: every variant": "cross",
    "Feature entanglement: every variant": "entangled",
}
#: Whose attention may be shown.
ATTENTIVE = {
    "Classical features ask quantum tokens": "cross_attention",
    "Quantum tokens ask classical features": "cross_quantum_to_classical",
    "Both directions (classical asks)": "cross_bidirectional",
    "Control: no circuit": "cross_dense_tokens",
}
BRANCHES = {"Shared with all methods": "shared", "Separate": "separate"}
COUPLINGS = {"ZZ with a trainable angle": "zz", "CZ": "cz"}
#: Ends of the angles that features become; see `siblings.REACH`.
REACHES = {"-π/4 to π/4": "quarter", "-π/2 to π/2": "half", "-π to π (the siblings' ends are one state)": "whole"}
_RADIANS = {"quarter": math.pi / 4, "half": math.pi / 2, "whole": math.pi}
N_SAMPLES = 60


def _entanglers() -> dict[str, str]:
    return {LABELS[word]: word for word in ENTANGLERS}


class SystemsState(State):
    """Settings; ``DRAWN`` ones choose what is shown and never restart the training."""

    task = param.Selector(default="wine", objects=TASKS, doc="Task")
    methods = param.Selector(default="systems", objects=SETS, doc="Methods")
    attention = param.Selector(default="cross_attention", objects=ATTENTIVE, doc="Attention of")
    sample = param.Integer(default=0, bounds=(0, N_SAMPLES - 1), doc="Test sample")
    degree = param.Integer(default=3, bounds=(1, 6), doc="Degree P (layer and entanglement network)")
    feature_dim = param.Integer(default=0, bounds=(0, 8), doc="Features per modality D (0: the task's)")
    n_qubits = param.Integer(default=0, bounds=(0, 9), doc="Qubits of the quantum branch (0: one a feature)")
    cross_blocks = param.Integer(default=2, bounds=(1, 4), doc="Blocks of its ansatz")
    cross_entangler = param.Selector(default="ring", objects=_entanglers(), doc="Entangler of its ansatz")
    n_heads = param.Integer(default=1, bounds=(1, 4), doc="Attention heads")
    branches = param.Selector(default="shared", objects=BRANCHES, doc="Encoders of the branches")
    register_size = param.Integer(default=0, bounds=(0, 4), doc="Qubits a modality (0: matched)")
    pairs = param.Selector(default="ring", objects=_entanglers(), doc="Joined modalities")
    coupling = param.Selector(default="zz", objects=COUPLINGS, doc="Coupling")
    n_kept = param.Integer(default=0, bounds=(0, 4), doc="Qubits that the QCNN leaves (0: enough for the classes)")
    reach = param.Selector(default="half", objects=REACHES, doc="Angles of features")
    epochs = param.Integer(default=40, bounds=(2, 100), doc="Epochs of each trial, at most")
    n_seeds = param.Integer(default=3, bounds=(2, 10), doc="Seeds")
    first_seed = param.Integer(default=0, bounds=(0, 9990), doc="First seed")

    URL = {
        "task": "systems_task",
        "methods": "set",
        "attention": "attention",
        "sample": "sample",
        "degree": "P",
        "feature_dim": "D",
        "n_qubits": "qubits",
        "cross_blocks": "blocks",
        "cross_entangler": "entangler",
        "n_heads": "heads",
        "branches": "branches",
        "register_size": "register",
        "pairs": "pairs",
        "coupling": "coupling",
        "n_kept": "kept",
        "reach": "reach",
        "epochs": "epochs",
        "n_seeds": "seeds",
        "first_seed": "first",
    }
    #: These choose what is shown.
    DRAWN = ("attention", "sample")

    def config(self) -> SystemsConfig:
        """The experiment's config.

        Raises:
            ValueError: the combination is not possible, or the task's files are not here.
        """
        from qfl_explore.datasets import is_here
        from qfl_explore.experiments.systems_config import (
            CROSS_ABLATION,
            DEFAULT_METHODS,
            ENTANGLED_ABLATION,
            QUICK,
            TASKS,
            task_config,
        )

        dataset = TASKS[self.task][1]["dataset"]
        if not is_here(dataset):
            how = f"its files (`qfl-explore data get {dataset}` fetches or explains them), or a task without files"
            raise invalid(f"the files of {dataset!r} are not here", how, "none")
        names = ("degree", "cross_blocks", "cross_entangler", "n_heads", "branches", "pairs", "coupling")
        settings = {name: getattr(self, name) for name in (*names, "epochs")}
        settings["reach"] = _RADIANS[self.reach]
        automatic = ("feature_dim", "n_qubits", "register_size", "n_kept")  # where 0 means: as it fits
        settings |= {name: getattr(self, name) for name in automatic if getattr(self, name)}
        sets = {"systems": DEFAULT_METHODS, "cross": CROSS_ABLATION, "entangled": ENTANGLED_ABLATION}
        settings["methods"] = sets[self.methods] if self.methods == "systems" else (*sets[self.methods], "quantum")
        settings["seeds"] = tuple(range(self.first_seed, self.first_seed + self.n_seeds))
        return task_config(self.task, **{**QUICK, **settings})

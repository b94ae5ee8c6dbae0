"""Settings of the comparison of three quantum fusion systems, its methods, tasks and the papers' figures."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from qfl_explore.circuits.feature_entanglement import FeatureEntanglementConfig
from qfl_explore.circuits.hardware_efficient import MAX_QUBITS, HardwareEfficientConfig
from qfl_explore.config import ENTANGLERS
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.multimodal_config import METHODS, QUANTUM, MultimodalConfig
from qfl_explore.siblings import REACH, VARIANTS, CrossAttentionOptions, natural_qubits

CROSS, ENTANGLED = "cross_attention", "feature_entanglement"
#: Word of a method -> variant of cross-attention mid-fusion.
CROSS_METHODS: dict[str, str] = {
    CROSS: "classical_to_quantum",
    "cross_quantum_only": "quantum_only",
    "cross_classical_only": "classical_only",
    "cross_concatenation": "concatenation",
    "cross_quantum_to_classical": "quantum_to_classical",
    "cross_bidirectional": "bidirectional",
    "cross_dense_tokens": "dense_tokens",
}
#: Word of a method -> how it differs from the whole feature-entanglement network.
ENTANGLED_METHODS: dict[str, dict[str, Any]] = {
    ENTANGLED: {},
    "entanglement_none": {"pairs": "none"},
    "entanglement_no_qcnn": {"qcnn": False},
}
_CLASSICAL = ("linear", "boosting", "mlp", "concat", "low_rank_reference", "low_rank_near_one", "tensor", "bilinear")
#: In the order in which they are trained and shown.
SYSTEMS: dict[str, str] = (
    {name: METHODS[name] for name in _CLASSICAL}
    | {name: f"Cross-attention: {VARIANTS[variant][0].lower()}{VARIANTS[variant][1:]}"
       for name, variant in CROSS_METHODS.items()}
    | {
        CROSS: "Cross-attention mid-fusion",
        "cross_dense_tokens": "Cross-attention: no circuit, a dense layer (control)",
        ENTANGLED: "Feature-entanglement network",
        "entanglement_none": "Feature entanglement: modalities not joined",
        "entanglement_no_qcnn": "Feature entanglement: no QCNN",
        QUANTUM: METHODS[QUANTUM],
    }
)  # fmt: skip
#: The three systems.
QUANTUM_SYSTEMS = (QUANTUM, CROSS, ENTANGLED)
#: Variants without a circuit; they count as classical.
CONTROLS = ("cross_classical_only", "cross_dense_tokens")
#: What has a circuit.
WITH_CIRCUIT = tuple(name for name in SYSTEMS if name in {QUANTUM, *CROSS_METHODS, *ENTANGLED_METHODS} - set(CONTROLS))
DEFAULT_METHODS = (
    "linear",
    "boosting",
    "mlp",
    "concat",
    "low_rank_near_one",
    "cross_attention",
    "cross_dense_tokens",
    "feature_entanglement",
    "entanglement_none",
    "quantum",
)
#: Methods of the two ablations.
CROSS_ABLATION = tuple(CROSS_METHODS)
ENTANGLED_ABLATION = tuple(ENTANGLED_METHODS)
#: Macro F1 that arXiv:2512.19180 reports for its best fusion, as its summary has it; context, not a target.
PAPER_F1 = {"wine": 0.967, "breast_cancer": 0.967, "fashion_mnist": 0.971, "covtype": 0.806, "steel_plates": 0.771}
PIECES = (1, 2, 4, 16)
LIMITED = ("covtype",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SystemsConfig(MultimodalConfig):
    """A multimodal study of three quantum fusion systems, their ablations and classical methods.

    All have the same data, encoders, trials and epochs. The Quantum Fusion Layer's parameters are the
    budget: each sibling is the smallest of its kind with at least as many, where its own minimum allows.

    Args:
        dataset: a classification among ``DATASETS``.
        methods: of ``SYSTEMS``.
        pieces: of Fashion-MNIST: 1 (the whole image as one modality), 2, 4 or 16; ``None`` elsewhere.
        limit: of CoverType: samples that are drawn before they are split; ``None``: all.
        n_qubits: of the quantum branch of cross-attention, 1 to 9; ``None``: one a feature, at most nine.
        cross_blocks: trainable blocks of its circuit.
        cross_entangler: of its circuit: ``ring``, ``linear`` or ``full``.
        n_heads: of attention.
        branches: ``shared`` or ``separate`` encoders of its branches.
        register_size: qubits a modality of the feature-entanglement network; ``None``: matched to the budget.
        pairs: modalities that it joins: ``ring``, ``linear`` or ``full``.
        coupling: ``zz`` or ``cz``.
        n_kept: qubits that its QCNN leaves; ``None``: 2, or so many that each class has a basis state.
        reach: as in `MultimodalConfig`, for all three systems; its default is smaller, see `siblings.REACH`.

    Raises:
        ValueError: a setting is out of range or unknown.
        TypeError: a setting is of the wrong kind.
    """

    TITLES: ClassVar[dict[str, str]] = SYSTEMS

    dataset: str = "breast_cancer"
    methods: tuple[str, ...] = DEFAULT_METHODS
    pieces: int | None = None
    limit: int | None = None
    n_qubits: int | None = None
    cross_blocks: int = 2
    cross_entangler: str = "ring"
    n_heads: int = 1
    branches: str = "shared"
    register_size: int | None = None
    pairs: str = "ring"
    coupling: str = "zz"
    n_kept: int | None = None
    reach: float = REACH

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, largest in (("n_qubits", MAX_QUBITS), ("register_size", 8), ("n_kept", 8)):
            if getattr(self, name) is not None:
                check_int(name, getattr(self, name), 1, largest)
        check_option("cross_entangler", self.cross_entangler, ENTANGLERS)
        check_option("pairs", self.pairs, ENTANGLERS)
        if self.pieces is not None and (self.dataset != "fashion_mnist" or self.pieces not in PIECES):
            received = f"pieces={self.pieces!r} with dataset={self.dataset!r}"
            raise invalid("pieces are of Fashion-MNIST", f"one of {PIECES}, or None", received)
        if self.limit is not None and self.dataset not in LIMITED:
            received = f"limit={self.limit!r} with dataset={self.dataset!r}"
            raise invalid("only some data sets are read in part", f"dataset one of {LIMITED}, or limit=None", received)
        self.cross("classical_to_quantum", 1)
        self.entangled(1, 1)

    def cross(self, variant: str, n_modalities: int) -> CrossAttentionOptions:
        """Settings of cross-attention mid-fusion, at its smallest width."""
        qubits = self.n_qubits or natural_qubits(n_modalities * self.feature_dim)
        circuit = HardwareEfficientConfig(
            n_modalities=qubits, n_blocks=self.cross_blocks, entangler=self.cross_entangler
        )
        width = 4 * self.n_heads
        return CrossAttentionOptions(
            variant=variant,
            width=width,
            n_heads=self.n_heads,
            branches=self.branches,
            reach=self.reach,
            circuit=circuit,
        )

    def entangled(self, n_modalities: int, register_size: int, n_classes: int = 2) -> FeatureEntanglementConfig:
        """Settings of the feature-entanglement network for so many classes."""
        common = {name: getattr(self, name) for name in ("feature_dim", "degree", "pairs", "coupling")}
        common["n_kept"] = self.n_kept or max(2, math.ceil(math.log2(n_classes)))
        settings = {"n_modalities": n_modalities, "register_size": register_size, **common}
        return FeatureEntanglementConfig(**settings)


#: Word of a task -> its title and what it changes in a `SystemsConfig`. The sizes of samples are ours.
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "wine": ("Wine", {"dataset": "wine"}),
    "breast_cancer": ("Breast cancer", {"dataset": "breast_cancer"}),
    "digits": ("Digits, quarters", {"dataset": "digits", "n_train": 400}),
    "covtype": ("CoverType, sample", {"dataset": "covtype", "limit": 2000, "n_train": 400}),
    "fashion_whole": (
        "Fashion-MNIST, whole",
        {"dataset": "fashion_mnist", "pieces": 1, "n_train": 400, "feature_dim": 8},
    ),
    "fashion_halves": (
        "Fashion-MNIST, halves",
        {"dataset": "fashion_mnist", "pieces": 2, "n_train": 400, "feature_dim": 4},
    ),
    "steel_plates": ("Steel plates", {"dataset": "steel_plates", "n_train": 400}),
    "audio_visual": ("Audio-visual digits", {"dataset": "spoken_digits", "n_train": 400, "feature_dim": 4}),
}
#: Less effort, the same for all: what the page and the table of the README use.
QUICK: dict[str, Any] = {
    "seeds": (0, 1, 2, 3, 4),
    "epochs": 40,
    "learning_rates": (0.02, 0.1),
    "penalties": (0.1, 1.0),
}


def task_config(task: str, **changes: Any) -> SystemsConfig:
    """The settings of a ready-made task.

    Args:
        task: one of ``TASKS``.
        **changes: of `SystemsConfig`.

    Raises:
        ValueError: the task or a setting is unknown or out of range.
    """
    return SystemsConfig(**TASKS[check_option("task", task, TASKS)][1] | changes)

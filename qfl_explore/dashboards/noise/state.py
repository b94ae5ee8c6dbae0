"""What a visitor of the page Noise chooses: plain parameters, no Panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import param

from qfl_explore.config import ENTANGLERS, SIGNALS
from qfl_explore.dashboards.state import LABELS, State
from qfl_explore.errors import invalid

if TYPE_CHECKING:
    from qfl_explore.experiments.noise_config import NoiseConfig

TASKS = {
    "Learn a polynomial (R²)": "polynomial",
    "Malignant or benign (AUC)": "breast_cancer",
    "Decide with P queries (success)": "separation",
}
KINDS = {
    "Depolarising gates": "depolarizing",
    "Dephasing": "dephasing",
    "Amplitude damping": "amplitude_damping",
    "Readout errors": "readout",
    "A device (Weber's medians)": "device",
}
TARGETS = {
    "Random polynomial": "random_polynomial",
    "Random trigonometric polynomial": "random_trigonometric",
    "Product over features": "product",
    "Cosine cos kx": "cosine",
}
REPETITIONS = {"100": 100, "1000": 1000, "10 000": 10_000, "exact values": 0}
#: Strengths at which scores are computed.
STRENGTHS = (0.0, 0.003, 0.01, 0.03, 0.1)
MULTIPLES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
#: Above this a strength would not redraw at once, and training under noise would not be live.
MAX_LIVE_QUBITS = 5


def _choice(options: Any, default: str, doc: str) -> param.Selector:
    return param.Selector(default=default, objects={LABELS.get(name, name): name for name in options}, doc=doc)


class NoiseState(State):
    """Settings; ``DRAWN`` ones choose what is shown and never restart the training."""

    kind = param.Selector(default="depolarizing", objects=KINDS, doc="Kind of noise")
    strength = param.Number(default=0.03, bounds=(0.0, 0.2), step=0.001, doc="Strength of the curve")
    multiple = param.Number(default=1.0, bounds=(0.0, 10.0), step=0.1, doc="Strength of the curve (1 = the device)")
    check = param.Boolean(default=False, doc="Check the curve with qsim's trajectories")
    task = param.Selector(default="polynomial", objects=TASKS, doc="Task")
    target = param.Selector(default="random_polynomial", objects=TARGETS, doc="Target")
    target_degree = param.Integer(default=2, bounds=(1, 4), doc="Degree of the target")
    largest = param.Integer(default=3, bounds=(1, 4), doc="Largest degree P (separation: half the queries)")
    degree = param.Integer(default=3, bounds=(1, 4), doc="Degree P that is drawn (separation: half the queries)")
    n_modalities = param.Integer(default=2, bounds=(1, 15), doc="Modalities M")
    feature_dim = param.Integer(default=1, bounds=(1, 4), doc="Features per modality D")
    n_blocks = param.Integer(default=1, bounds=(1, 3), doc="Blocks in each U(θ)")
    signal = _choice(SIGNALS, "ry", "Signal R(x)")
    entangler = _choice(ENTANGLERS, "full", "Entangler")
    measurement = _choice(("pauli", "random_pauli_plane", "computational"), "pauli", "Measurement")
    repetitions = param.Selector(default=1000, objects=REPETITIONS, doc="Repetitions T of each observable")
    n_train = param.Integer(default=96, bounds=(16, 256), doc="Training points")
    n_steps = param.Integer(default=150, bounds=(20, 400), doc="Steps of each training")
    n_seeds = param.Integer(default=5, bounds=(2, 12), doc="Seeds")
    first_seed = param.Integer(default=0, bounds=(0, 9990), doc="First seed")

    URL = {
        "kind": "noise_kind",
        "strength": "strength",
        "multiple": "multiple",
        "check": "check",
        "task": "task",
        "target": "target",
        "target_degree": "k",
        "largest": "upto",
        "degree": "P",
        "n_modalities": "M",
        "feature_dim": "D",
        "n_blocks": "blocks",
        "signal": "signal",
        "entangler": "entangler",
        "measurement": "measurement",
        "repetitions": "T",
        "n_train": "train",
        "n_steps": "steps",
        "n_seeds": "seeds",
        "first_seed": "first",
    }
    #: These redraw the curve and restart nothing else.
    CURVE = ("strength", "multiple", "degree", "check")
    DRAWN = CURVE

    def shown_degree(self) -> int:
        """P that is drawn; at most the largest one."""
        degree = min(self.degree, self.largest)
        return 2 * degree if self.task == "separation" else degree

    def shown_strength(self) -> float:
        """Of the curve; a multiple for the device."""
        return float(self.multiple if self.kind == "device" else self.strength)

    def config(self) -> NoiseConfig:
        """The experiment's config.

        Raises:
            ValueError: the combination is not possible, or too large to be live.
        """
        from qfl_explore.experiments.noise_config import NoiseConfig

        names = ("kind", "task", "target", "target_degree", "n_modalities", "feature_dim", "n_blocks", "signal")
        settings = {name: getattr(self, name) for name in (*names, "entangler", "measurement", "n_train", "n_steps")}
        step = 2 if self.task == "separation" else 1
        config = NoiseConfig(
            **settings,
            strengths=MULTIPLES if self.kind == "device" else STRENGTHS,
            degrees=tuple(step * degree for degree in range(1, self.largest + 1)),
            repetitions=self.repetitions or None,
            seeds=tuple(range(self.first_seed, self.first_seed + self.n_seeds)),
        )
        n_qubits = config.fusion(1).n_qubits
        if n_qubits > MAX_LIVE_QUBITS:
            raise invalid(
                f"M = {config.n_modalities} and D = {config.feature_dim} need too large a density matrix",
                f"at most {MAX_LIVE_QUBITS} qubits here; the package takes 6, and trajectories go beyond",
                f"{n_qubits} qubits, {4**n_qubits} components a sample",
            )
        return config

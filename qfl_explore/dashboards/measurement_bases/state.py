"""What a visitor of the page Measurement bases chooses: plain parameters, no Panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import param

from qfl_explore.dashboards.state import State

if TYPE_CHECKING:
    from qfl_explore.experiments.measurement_bases_config import MeasurementConfig

TASKS = {"Random polynomials": "polynomial", "Breast cancer (three modalities)": "breast_cancer"}
TARGETS = {
    "Random polynomial": "random_polynomial",
    "Random trigonometric polynomial": "random_trigonometric",
    "Product over features": "product",
}
BASES = {
    "Random Pauli plane": "random_pauli_plane",
    "Computational": "computational",
    "Pauli X, Y, Z": "pauli",
    "All Pauli strings": "all_pauli",
}
READOUTS = {"Fitted anew to sampled values": "refitted", "As trained, on exact values": "trained"}
REPETITIONS = [30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000]
#: Above this all Pauli strings would not be live; the package goes one further.
MAX_ALL_PAULI_QUBITS = 4
MAX_ALL_PAULI = 4**MAX_ALL_PAULI_QUBITS - 1


class MeasurementState(State):
    """Settings; ``DRAWN`` ones choose what is shown and never restart the training."""

    task = param.Selector(default="polynomial", objects=TASKS, doc="Task")
    target = param.Selector(default="random_polynomial", objects=TARGETS, doc="Target")
    target_degree = param.Integer(default=2, bounds=(1, 4), doc="Degree of the target")
    degree = param.Integer(default=2, bounds=(1, 4), doc="Degree P: how often the signal S(x) is called")
    n_modalities = param.Integer(default=2, bounds=(1, 4), doc="Modalities M")
    feature_dim = param.Integer(default=1, bounds=(1, 2), doc="Features per modality D")
    n_blocks = param.Integer(default=1, bounds=(1, 3), doc="Blocks in each U(θ)")
    n_observables = param.Integer(
        default=0, bounds=(0, MAX_ALL_PAULI), doc="Observables K (0: each basis's natural number)"
    )
    repetitions = param.Selector(default=1000, objects=REPETITIONS, doc="Repetitions T of each circuit")
    basis = param.Selector(default="random_pauli_plane", objects=BASES, doc="Basis of the error bars")
    readout = param.Selector(default="refitted", objects=READOUTS, doc="Readout of sampled values")
    n_train = param.Integer(default=128, bounds=(16, 512), doc="Training points")
    noise = param.Number(default=0.0, bounds=(0.0, 0.5), step=0.05, doc="Noise on the training data")
    n_steps = param.Integer(default=300, bounds=(50, 1000), doc="Steps of each trial")
    n_seeds = param.Integer(default=5, bounds=(2, 12), doc="Seeds")
    first_seed = param.Integer(default=0, bounds=(0, 9990), doc="First seed")

    URL = {
        "task": "task",
        "target": "target",
        "target_degree": "k",
        "degree": "P",
        "n_modalities": "M",
        "feature_dim": "D",
        "n_blocks": "blocks",
        "n_observables": "K",
        "repetitions": "T",
        "basis": "basis",
        "readout": "readout",
        "n_train": "train",
        "noise": "noise",
        "n_steps": "steps",
        "n_seeds": "seeds",
        "first_seed": "first",
    }
    #: These restart nothing but the reading of one state.
    READING = ("repetitions", "basis")
    #: These only choose what is drawn.
    DRAWN = (*READING, "readout")

    def config(self) -> MeasurementConfig:
        """The experiment's config; all Pauli strings drop out where the register is too large for a live page.

        Raises:
            ValueError: the combination is not possible.
        """
        from qfl_explore.experiments.measurement_bases_config import BASES as ALL
        from qfl_explore.experiments.measurement_bases_config import MeasurementConfig

        names = ("task", "target", "target_degree", "n_modalities", "feature_dim", "degree", "n_blocks")
        settings = {name: getattr(self, name) for name in (*names, "n_train", "noise", "n_steps")}
        settings["seeds"] = tuple(range(self.first_seed, self.first_seed + self.n_seeds))
        settings["n_observables"] = self.n_observables or None
        config = MeasurementConfig(**settings, bases=tuple(base for base in ALL if base != "all_pauli"))
        large = config.fusion("computational").n_qubits > MAX_ALL_PAULI_QUBITS
        return config if large else config.replace(bases=tuple(ALL))

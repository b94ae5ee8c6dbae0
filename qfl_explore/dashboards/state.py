"""What a visitor chose: plain parameters, no Panel; to a config and to a URL and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import param

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import ENCODINGS, ENTANGLERS, MEASUREMENTS, SIGNALS, FusionConfig
from qfl_explore.dashboards.parameters import State
from qfl_explore.errors import invalid
from qfl_explore.simulation.base import ENGINES

if TYPE_CHECKING:
    from qfl_explore.experiments.polynomial import PolynomialConfig

#: Above this a live page would not be live; the package itself goes further.
MAX_LIVE_QUBITS = 12
TARGETS = {
    "Cosine cos kx": "cosine",
    "Sine sin kx": "sine",
    "Chebyshev polynomial T_k": "chebyshev",
    "Product over features": "product",
    "Sum over features": "sum",
    "Random polynomial": "random_polynomial",
    "Random trigonometric polynomial": "random_trigonometric",
    "Formula": "formula",
    "Table (CSV)": "table",
}
OPTIMIZERS = ("adam", "lbfgs")
#: How many training steps a second are shown at most; ``None``: as many as the machine gives.
PACES: dict[str, float | None] = {
    "Slow: 20 steps a second": 20.0,
    "Steady: 100 steps a second": 100.0,
    "Fast: 300 steps a second": 300.0,
    "As fast as it goes": None,
}
LABELS = {
    "qubit_efficient": "Qubit-efficient (index + value register)",
    "qubit_per_feature": "One qubit per feature (contrast)",
    "random_pauli_plane": "Random Pauli plane",
    "computational": "Computational (Z strings)",
    "pauli": "Pauli X, Y, Z on each qubit",
    "all_pauli": "All Pauli strings (up to 6 qubits)",
    "local_z": "Local: Z on one value qubit",
    "global_z": "Global: Z on every qubit",
    "ry": "RY(x)",
    "rx": "RX(x)",
    "rz": "RZ(x)",
    "phase": "Phase diag(1, e^ix)",
    "full": "All pairs",
    "ring": "Ring",
    "linear": "Line",
    "uniform": "Uniform angles",
    "small_angle": "Small angles",
    "identity_block": "Identity blocks",
    "adam": "Adam",
    "lbfgs": "L-BFGS",
    "batched": "batched (fast)",
    "tfq": "TensorFlow Quantum",
    "qsim": "qsim",
    "cirq": "cirq (slow truth)",
}


def _labelled(options: Any) -> dict[str, str]:
    return {LABELS.get(option, option): option for option in options}


def _choice(options: Any, default: str, doc: str) -> param.Selector:
    return param.Selector(default=default, objects=_labelled(options), doc=doc)


class CircuitState(State):
    """The circuit's settings, shared by the pages Circuit and Polynomial."""

    degree = param.Integer(default=3, bounds=(1, 8), doc="Degree P: how often the signal S(x) is called")
    n_modalities = param.Integer(default=1, bounds=(1, 12), doc="Modalities M")
    feature_dim = param.Integer(default=1, bounds=(1, 4), doc="Features per modality D")
    n_blocks = param.Integer(default=1, bounds=(1, 4), doc="Rx/Ry/Rz + CZ blocks in each U(θ)")
    encoding = _choice(ENCODINGS, "qubit_efficient", "Encoding")
    signal = _choice(SIGNALS, "ry", "Signal R(x)")
    constant_slot = param.Boolean(default=False, doc="Constant slot")
    measurement = _choice(MEASUREMENTS, "pauli", "Measurement")
    entangler = _choice(ENTANGLERS, "full", "Entangler")
    seed = param.Integer(default=0, bounds=(0, 9999), doc="Seed")

    URL = {
        "degree": "P",
        "n_modalities": "M",
        "feature_dim": "D",
        "n_blocks": "blocks",
        "encoding": "encoding",
        "signal": "signal",
        "constant_slot": "constant",
        "measurement": "measurement",
        "entangler": "entangler",
        "seed": "seed",
    }

    def fusion_config(self, **changes: Any) -> FusionConfig:
        """The circuit's config.

        Raises:
            ValueError: the combination is not possible.
        """
        names = ("degree", "n_modalities", "feature_dim", "n_blocks", "encoding", "signal", "constant_slot")
        settings = {name: getattr(self, name) for name in (*names, "measurement", "entangler", "seed")}
        return FusionConfig(**(settings | changes))

    def live_config(self) -> FusionConfig:
        """`fusion_config`, refused where it is too large to be trained live.

        Raises:
            ValueError: the combination is not possible or needs too many qubits.
        """
        config = self.fusion_config()
        if config.n_qubits > MAX_LIVE_QUBITS:
            raise invalid(
                f"{config.n_features} features need too many qubits for a live page with this encoding",
                f"at most {MAX_LIVE_QUBITS} qubits; the package itself goes to 30",
                f"{config.n_qubits} qubits, {2**config.n_qubits} amplitudes",
            )
        return config


class PolynomialState(CircuitState):
    """Everything the page Polynomial lets a visitor choose."""

    target = param.Selector(default="cosine", objects=TARGETS, doc="Target")
    target_degree = param.Integer(default=3, bounds=(1, 8), doc="Degree of the target k")
    formula = param.String(default="cos(3*x1)", doc="Formula in x1, x2, …")
    engine = _choice(ENGINES, "batched", "Engine")
    initializer = _choice(INITIALIZERS, "identity_block", "Starting angles")
    optimizer = _choice(OPTIMIZERS, "adam", "Optimiser")
    learning_rate = param.Selector(default=0.1, objects=[0.005, 0.01, 0.02, 0.05, 0.1, 0.2], doc="Learning rate")
    n_steps = param.Integer(default=600, bounds=(10, 5000), doc="Step budget")
    early_stop = param.Boolean(default=False, doc="Stop early")
    n_train = param.Integer(default=256, bounds=(16, 1024), doc="Training points")
    pace = param.Selector(default=100.0, objects=PACES, doc="Pace")
    noise = param.Number(default=0.0, bounds=(0.0, 0.5), step=0.05, doc="Noise on the training data")

    URL = CircuitState.URL | {
        "target": "target",
        "target_degree": "k",
        "formula": "formula",
        "engine": "engine",
        "initializer": "init",
        "optimizer": "optimizer",
        "learning_rate": "rate",
        "n_steps": "steps",
        "early_stop": "early",
        "n_train": "train",
        "noise": "noise",
        "pace": "pace",
    }
    #: A run looks at it at every step.
    DRAWN = ("pace",)

    def _parse(self, name: str, text: str) -> Any:
        value = super()._parse(name, text)
        if name == "target" and value == "table":
            raise invalid("a link cannot carry a table", "another target", text)
        return value

    def polynomial_config(self) -> PolynomialConfig:
        """The experiment's config.

        Raises:
            ValueError: the combination is not possible or too large for a live page.
        """
        from qfl_explore.experiments.polynomial import PolynomialConfig
        from qfl_explore.experiments.targets import TargetConfig

        formula = self.formula if self.target == "formula" else ""
        return PolynomialConfig(
            fusion=self.live_config(),
            target=TargetConfig(kind=self.target, degree=self.target_degree, formula=formula, seed=self.seed),
            n_train=self.n_train,
            noise=self.noise,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            n_steps=self.n_steps,
            patience=PATIENCE if self.early_stop else None,
            initializer=self.initializer,
            seed=self.seed,
            backend=self.engine,
        )


#: Steps without a better training R² before an early stop.
PATIENCE = 100

"""What a visitor of the page Gradient variance chooses: plain parameters, no Panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import param

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import ENCODINGS, ENTANGLERS, SIGNALS, FusionConfig
from qfl_explore.dashboards.state import LABELS, State
from qfl_explore.errors import invalid

if TYPE_CHECKING:
    from qfl_explore.experiments.gradient_variance_config import GradientVarianceConfig, SweepConfig
    from qfl_explore.experiments.gradient_variance_training import TrainingConfig

VIEWS = {"Against M": "modalities", "Against P": "degree", "Angle by angle": "angles", "During training": "training"}
OBSERVABLES = ("local_z", "global_z", "random_pauli_plane")
#: Registers beyond this are refused on the page, with the number.
MAX_QUBITS = 16
#: Training many starts side by side stays live up to here.
MAX_TRAINING_QUBITS = 12
PRECISIONS = {"10 %": 0.1, "5 %": 0.05, "2 %": 0.02, "1 %": 0.01}
REPETITIONS: dict[str, int] = {"exact": 0, "1000 repetitions": 1000, "100 repetitions": 100}
DEGREES = (1, 2, 3, 4, 5, 6, 8, 10, 12)


def _choice(options: tuple[str, ...], default: str, doc: str) -> param.Selector:
    return param.Selector(default=default, objects={LABELS.get(name, name): name for name in options}, doc=doc)


class GradientVarianceState(State):
    """Settings of the four views."""

    view = param.Selector(default="modalities", objects=VIEWS, doc="View")
    largest = param.Integer(default=10, bounds=(4, 16), doc="Largest M of the sweep")
    n_modalities = param.Integer(default=6, bounds=(1, 16), doc="Modalities M")
    feature_dim = param.Integer(default=1, bounds=(1, 4), doc="Features per modality D")
    degree = param.Integer(default=3, bounds=(1, 12), doc="Degree P")
    n_blocks = param.Integer(default=1, bounds=(1, 4), doc="Blocks in each U(θ)")
    encoding = _choice(ENCODINGS, "qubit_per_feature", "Encoding")
    signal = _choice(SIGNALS, "ry", "Signal R(x)")
    observable = _choice(OBSERVABLES, "local_z", "Observable C")
    entangler = _choice(ENTANGLERS, "full", "Entangler")
    initializer = _choice(INITIALIZERS, "uniform", "Starting angles")
    scale = param.Selector(default=0.1, objects=[0.01, 0.03, 0.1, 0.3, 1.0], doc="Spread of small angles (rad)")
    precision = param.Selector(default=0.02, objects=PRECISIONS, doc="Stop at a relative error of")
    bootstrap = param.Boolean(default=False, doc="Bootstrap intervals")
    seed = param.Integer(default=0, bounds=(0, 9999), doc="Seed")
    layerwise = param.Boolean(default=False, doc="Layerwise training (switch while it runs)")
    repetitions = param.Selector(default=0, objects=REPETITIONS, doc="Gradients that training follows")
    n_steps = param.Integer(default=120, bounds=(10, 600), doc="Training steps")
    n_starts = param.Integer(default=24, bounds=(4, 64), doc="Starts trained side by side")

    URL = {
        "view": "view",
        "largest": "upto",
        "n_modalities": "M",
        "feature_dim": "D",
        "degree": "P",
        "n_blocks": "blocks",
        "encoding": "encoding",
        "signal": "signal",
        "observable": "observable",
        "entangler": "entangler",
        "initializer": "init",
        "scale": "scale",
        "precision": "precision",
        "bootstrap": "bootstrap",
        "seed": "seed",
        "layerwise": "layerwise",
        "repetitions": "repetitions",
        "n_steps": "steps",
        "n_starts": "starts",
    }
    #: Training looks at it at every step.
    DRAWN = ("layerwise",)

    def fusion(self, **changes: Any) -> FusionConfig:
        """The circuit.

        Raises:
            ValueError: the combination is not possible.
        """
        names = ("n_modalities", "feature_dim", "degree", "n_blocks", "encoding", "signal", "entangler", "seed")
        settings = {name: getattr(self, name) for name in names}
        return FusionConfig(**(settings | {"measurement": self.observable} | changes))

    def point(self, **changes: Any) -> GradientVarianceConfig:
        """One estimate.

        Raises:
            ValueError: the combination is not possible, or too large for the page.
        """
        from qfl_explore.experiments.gradient_variance_config import GradientVarianceConfig

        return GradientVarianceConfig(
            fusion=refuse_large(self.fusion(**changes), MAX_QUBITS),
            initializer=self.initializer,
            scale=self.scale,
            precision=self.precision,
            interval="bootstrap" if self.bootstrap else "blocks",
            seed=self.seed,
        )

    def sweep(self) -> SweepConfig:
        """Estimates along M or P, for both encodings.

        Raises:
            ValueError: the combination is not possible, or too large for the page.
        """
        from qfl_explore.experiments.gradient_variance_config import SweepConfig

        if self.view == "degree":
            refuse_large(self.fusion(encoding="qubit_per_feature"), MAX_QUBITS)
            return SweepConfig(base=self.point(), over="degree", values=DEGREES)
        largest = self.fusion(n_modalities=self.largest, encoding="qubit_per_feature")
        refuse_large(largest, MAX_QUBITS)
        # M and the encoding are swept, so that the base keeps the defaults
        base = self.point(n_modalities=2, encoding="qubit_efficient")
        return SweepConfig(base=base, over="n_modalities", values=tuple(range(2, self.largest + 1)))

    def training(self) -> TrainingConfig:
        """A training run over many starts.

        Raises:
            ValueError: the combination is not possible, or too large to be live.
        """
        from qfl_explore.experiments.gradient_variance_training import TrainingConfig

        if self.degree > 6:
            raise invalid("the picture holds seven layers", "a degree P of at most 6", f"P = {self.degree}")
        return TrainingConfig(
            fusion=refuse_large(self.fusion(), MAX_TRAINING_QUBITS),
            initializer=self.initializer,
            scale=self.scale,
            layerwise=self.layerwise,
            n_starts=self.n_starts,
            n_steps=self.n_steps,
            repetitions=self.repetitions or None,
            seed=self.seed,
        )

    def config(self) -> SweepConfig | GradientVarianceConfig | TrainingConfig:
        """What the chosen view runs.

        Raises:
            ValueError: the combination is not possible, or too large for the page.
        """
        makers = {"angles": self.point, "training": self.training}
        return makers.get(self.view, self.sweep)()


def refuse_large(fusion: FusionConfig, most: int) -> FusionConfig:
    """The circuit, unless it is too large for the page.

    Raises:
        ValueError: more qubits than ``most``; the message has their number and the memory.
    """
    if fusion.n_qubits <= most:
        return fusion
    size = 16 * 4 * 8 * 2.0**fusion.n_qubits / 2**20
    raise invalid(
        f"M = {fusion.n_modalities} and D = {fusion.feature_dim} need too many qubits with {fusion.encoding}",
        f"at most {most} qubits on this page",
        f"{fusion.n_qubits} qubits, about {size:,.0f} MiB for one batch of state vectors",
    )

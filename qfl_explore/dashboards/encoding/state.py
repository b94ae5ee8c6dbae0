"""What a visitor of the page Encoding chooses: plain parameters, no Panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import param

from qfl_explore.config import SIGNALS
from qfl_explore.dashboards.state import LABELS, State
from qfl_explore.scalers import SCALERS

if TYPE_CHECKING:
    from qfl_explore.experiments.encoding_config import EncodingConfig

VIEWS = {"Models": "models", "Degrees P": "degrees", "Scalers": "scalers"}
DISTORTIONS = {
    "Scaled by a factor": "scale",
    "Shifted": "shift",
    "Clipped": "clip",
    "Outliers": "outliers",
    "Whole turns added": "wrap",
}
TASKS = {
    "Random function of angles (R²)": "function",
    "Breast cancer, two classes (AUC)": "breast_cancer",
    "Wine, three classes (AUC)": "wine",
}
TARGETS = {
    "Random trigonometric polynomial": "random_trigonometric",
    "Random polynomial": "random_polynomial",
    "Cosine cos kx": "cosine",
    "Product over features": "product",
    "Sum over features": "sum",
}
WHEN = {"at test time only": "test", "at training and test time": "both"}
#: P of the view ``degrees``.
DEGREES = (1, 2, 3, 4)


class EncodingState(State):
    """Settings; ``DRAWN`` ones choose what the live picture shows and never restart the run."""

    view = param.Selector(default="models", objects=VIEWS, doc="View")
    distortion = param.Selector(default="scale", objects=DISTORTIONS, doc="What happens to the features")
    scaler = param.Selector(
        default="none", objects={words: name for name, words in SCALERS.items()}, doc="Scaler: feature to angle"
    )
    task = param.Selector(default="function", objects=TASKS, doc="Task")
    target = param.Selector(default="random_trigonometric", objects=TARGETS, doc="Target")
    target_degree = param.Integer(default=2, bounds=(1, 4), doc="Degree of the target k")
    degree = param.Integer(default=3, bounds=(1, 5), doc="Degree P: how often the signal S(x) is called")
    n_modalities = param.Integer(default=2, bounds=(1, 3), doc="Modalities M")
    feature_dim = param.Integer(default=1, bounds=(1, 2), doc="Features per modality D")
    signal = param.Selector(default="ry", objects={LABELS[name]: name for name in SIGNALS}, doc="Signal R(x)")
    constant_slot = param.Boolean(default=True, doc="Constant slot (period 4π instead of 2π)")
    n_train = param.Integer(default=128, bounds=(16, 512), doc="Training points")
    n_steps = param.Integer(default=300, bounds=(50, 1000), doc="Steps of each trial")
    n_seeds = param.Integer(default=5, bounds=(2, 12), doc="Seeds")
    first_seed = param.Integer(default=0, bounds=(0, 9990), doc="First seed")
    at = param.Integer(default=6, bounds=(1, 7), doc="Strength in the picture below, from the left")
    when = param.Selector(default="test", objects=WHEN, doc="Spoiled, in the picture below")

    URL = {
        "view": "view",
        "distortion": "distortion",
        "scaler": "scaler",
        "task": "task",
        "target": "target",
        "target_degree": "k",
        "degree": "P",
        "n_modalities": "M",
        "feature_dim": "D",
        "signal": "signal",
        "constant_slot": "slot",
        "n_train": "train",
        "n_steps": "steps",
        "n_seeds": "seeds",
        "first_seed": "first",
        "at": "at",
        "when": "when",
    }
    DRAWN = ("at", "when")

    def config(self) -> EncodingConfig:
        """The experiment's config: five models at one P, or the layer and one rival at all P or with all scalers.

        Raises:
            ValueError: the combination is not possible.
        """
        from qfl_explore.experiments.encoding_config import EncodingConfig

        names = ("task", "target", "target_degree", "distortion", "n_modalities", "feature_dim", "signal")
        settings = {name: getattr(self, name) for name in (*names, "constant_slot", "n_train", "n_steps")}
        settings["seeds"] = tuple(range(self.first_seed, self.first_seed + self.n_seeds))
        config = EncodingConfig(**settings, degrees=(self.degree,), scalers=(self.scaler,))
        if self.view == "degrees":
            return config.replace(degrees=DEGREES, models=("quantum", "fourier"))
        if self.view == "scalers":
            return config.replace(scalers=tuple(SCALERS), models=("quantum", "mlp"))
        return config

"""How each experiment looks on the page Sweeps when it is chosen."""

from __future__ import annotations

import dataclasses

#: No setting for an axis.
NOTHING = "(none)"


@dataclasses.dataclass(frozen=True)
class Preset:
    """How an experiment looks when it is chosen.

    Attributes:
        title: in the list of experiments.
        measures: results that can be drawn; the first one is.
        x: setting along the horizontal axis.
        x_values: as the visitor would type them.
        lines: setting with a line for each value.
        lines_values: its values.
        panels: setting with a picture for each value.
        panels_values: its values.
        settings: other settings.
        seeds: how many.
        log: whether the vertical axis is logarithmic.
    """

    title: str
    measures: tuple[str, ...]
    x: str
    x_values: str
    lines: str = NOTHING
    lines_values: str = ""
    panels: str = NOTHING
    panels_values: str = ""
    settings: str = ""
    seeds: int = 3
    log: bool = False


PRESETS: dict[str, Preset] = {
    "polynomial": Preset(
        "Polynomial: a layer learns a function",
        ("test_r2", "train_r2", "ceiling", "gap", "n_parameters", "n_reachable", "seconds"),
        "fusion.degree",
        "1..6",
        "target.degree",
        "1, 3, 5",
        "noise",
        "0.0, 0.5",
        "n_steps = 200; n_train = 128",
    ),
    "gradient_variance": Preset(
        "Gradient variance at random angles",
        ("variance", "exact", "n_draws", "n_weights", "seconds"),
        "fusion.n_modalities",
        "2..6",
        "fusion.encoding",
        "qubit_efficient, qubit_per_feature",
        "fusion.degree",
        "1, 3",
        "precision = 0.1; max_draws = 4000",
        log=True,
    ),
    "separation": Preset(
        "Separation: joint against separate queries",
        ("separable", "separable_best", "joint", "n_queries", "seconds"),
        "n_oracles",
        "2..4",
        "delta",
        "0.5236, 0.3927",
        settings="n_trials = 200; n_starts = 2",
    ),
    "measurement_bases": Preset(
        "Measurement bases: one circuit, read in four ways",
        (
            "pauli.trained.mean",
            "all_pauli.trained.mean",
            "computational.trained.mean",
            "random_pauli_plane.trained.mean",
            "fourier.classical.mean",
            "seconds",
        ),
        "degree",
        "1..4",
        "target_degree",
        "1, 2",
        settings="seeds = [0, 1, 2]; n_steps = 100; learning_rates = [0.1]; penalties = [0.001]; repetitions = [1000]",
    ),
    "gradient_training": Preset(
        "Gradients during training",
        ("loss", "loss_start", "variance_end", "variance_start", "seconds"),
        "fusion.degree",
        "1..5",
        "fusion.encoding",
        "qubit_efficient, qubit_per_feature",
        "fusion.n_modalities",
        "2, 4",
        "n_steps = 60; n_starts = 8",
        log=True,
    ),
    "separation_learn": Preset(
        "Is the separation learned?",
        ("quantum.6.success", "quantum.4.success", "quantum.2.success", "mlp.24.success", "mlp.12.success", "seconds"),
        "n_blocks",
        "1..3",
        "initializer",
        "uniform, small_angle",
        settings="n_steps = 150; n_restarts = 1; outcome_rounds = [6, 12]; seeds = [0, 1, 2]",
    ),
    "rank_wall": Preset(
        "The rank that low-rank fusion needs",
        (
            "lmf.2.mean",
            "lmf.1.mean",
            "lmf.4.mean",
            "quantum.2.mean",
            "quantum.1.mean",
            "mlp.6.mean",
            "seconds",
        ),
        "n_modalities",
        "2, 4, 6",
        "n_train",
        "128, 512",
        settings="ranks = [1, 2, 4]; degrees = [1, 2]; widths = [3, 6]; n_steps = 150; seeds = [0, 1, 2]",
    ),
    "multimodal": Preset(
        "Modalities: fusions on equal terms",
        ("quantum.auc", "mlp.auc", "linear.auc", "quantum.accuracy", "mlp.accuracy", "seconds"),
        "degree",
        "1..4",
        "dataset",
        "wine, breast_cancer",
        settings="methods = [linear, mlp, quantum]; epochs = 20; seeds = [0, 1, 2]; "
        "learning_rates = [0.03]; penalties = [1.0]",
    ),
    "low_rank_collapse": Preset(
        "Low-rank products over many modalities",
        ("reference.log10_product", "unit_variance.log10_product", "near_one.log10_product", "reference.share_zero"),
        "feature_dim",
        "2, 4, 8, 16",
        "rank",
        "1, 4, 16",
        settings="n_modalities = [12]; n_draws = 100",
    ),
}

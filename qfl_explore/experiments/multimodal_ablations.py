"""Ready-made axes of the multimodal study: what is varied while all else stays.

They are plain lists, which a sweep takes as they are:
``Grid(experiment="multimodal", base={"dataset": "ptb_xl"}, axes=axes("modalities", "ptb_xl"))``.
"""

from __future__ import annotations

from typing import Any

from qfl_explore.datasets import DATASETS
from qfl_explore.errors import check_option

#: What each ablation varies.
ABLATIONS: dict[str, str] = {
    "modalities": "how many leads, sensors or other modalities are seen",
    "degree": "how often the circuit calls the signal, P = 1 to 5",
    "measurement": "which observables are read",
    "few_shot": "how many training samples there are",
    "rank": "the rank of low-rank fusion",
}
#: Leads have usual sets; sensors go from two to all.
MODALITIES = {
    "ptb_xl": (1, 3, 6, 12),
    "synthetic_ecg": (1, 3, 6, 12),
    "metr_la": (2, 6, 12, 25, 50, 100, 207),
    "synthetic_traffic": (2, 6, 12, 25, 50, 100, 207),
}
DEGREES = (1, 2, 3, 4, 5)
MEASUREMENTS = ("random_pauli_plane", "computational", "pauli", "local_z")
TRAINING_SIZES = (20, 50, 100, 200)
#: Where the training part itself is smaller than the largest of those.
SMALL_TRAINING = {"wine": (10, 20, 50, 100)}
RANKS = (1, 2, 4, 8)


def axes(ablation: str, dataset: str) -> dict[str, list[Any]]:
    """The settings of `MultimodalConfig` that an ablation varies, with their values.

    Args:
        ablation: one of ``ABLATIONS``.
        dataset: one of ``DATASETS``.

    Raises:
        ValueError: either is unknown.

    >>> axes("degree", "wine")
    {'degree': [1, 2, 3, 4, 5]}
    >>> axes("modalities", "breast_cancer")
    {'n_modalities': [1, 2, 3]}
    """
    check_option("ablation", ablation, ABLATIONS)
    check_option("dataset", dataset, DATASETS)
    if ablation == "modalities":
        return {"n_modalities": list(MODALITIES.get(dataset) or _up_to(DATASETS[dataset].n_modalities))}
    name, values = {
        "degree": ("degree", DEGREES),
        "measurement": ("measurement", MEASUREMENTS),
        "few_shot": ("n_train", SMALL_TRAINING.get(dataset, TRAINING_SIZES)),
        "rank": ("rank", RANKS),
    }[ablation]
    return {name: list(values)}


def _up_to(n_modalities: int) -> tuple[int, ...]:
    """1, 2, 3, 4 and then doublings, up to all; 1 and 2 where the files decide."""
    most = n_modalities or 2
    steps = [m for m in (1, 2, 3, 4, 8, 16, 32, 64) if m < most]
    return (*steps, most)

"""The error of the forecast that nothing changes, straight from its definition."""

import numpy as np

from qfl_explore.datasets.base import MultimodalData


def persistence_error(data: MultimodalData, part: str | None = None) -> dict[str, float]:
    """Mean absolute error of "the speed stays as it is", the least that a forecast must beat.

    Args:
        data: a forecast of all sensors, not standardised.
        part: of the split, or ``None`` for all samples.

    Returns:
        Error in mph by horizon, as ``15 min``.
    """
    rows = slice(None) if part is None else data.split[part]
    now = np.stack([sensor[rows, -1] for sensor in data.features], axis=1)
    later = data.labels[rows].reshape(len(now), -1, data.n_modalities)
    names = [name.rsplit(", ", 1)[1] for name in data.class_names[:: data.n_modalities]]
    return {name: float(np.nanmean(np.abs(later[:, i] - now))) for i, name in enumerate(names)}

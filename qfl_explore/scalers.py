"""From raw features to angles: every scaler states the range (radians) of the angles it gives.

``standardise`` and ``none`` promise no range: what is far out wraps around. ``min_max`` keeps its
promise on the training data only. ``min_max_clip``, ``arctan``, ``tanh`` and ``quantile`` always keep
it, and pay with saturation: far-out values become almost (or exactly) the same angle.

The choice of map is not in the sources known to us; all of this is our construction. The networks'
encoders end in ``tanh · π`` too (`qfl_explore.baselines.encoders`), with weights that are trained.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from qfl_explore.errors import check_option, invalid

#: How raw features become angles; z is the standardised feature, L the limit.
SCALERS: dict[str, str] = {
    "none": "as they are (radians)",
    "standardise": "standardise: z, one radian a standard deviation",
    "min_max": "min–max: training range onto -L … L",
    "min_max_clip": "min–max, clipped",
    "arctan": "arctan: (2L/π) arctan z",
    "tanh": "tanh: L tanh z",
    "quantile": "quantile: rank onto -L … L",
}
#: Which of them never leave their range, whatever comes in.
BOUNDED = ("min_max_clip", "arctan", "tanh", "quantile")
#: A value is saturated where the map is flatter than this share of its median slope on the training data.
FLAT = 0.1


def squash(values: Any, kind: str = "tanh", limit: float = math.pi) -> np.ndarray:
    """Real numbers of any size to angles in (-limit, limit): ``limit·tanh(z)`` or ``(2·limit/π)·arctan(z)``.

    Args:
        values: any shape, usually of spread 1.
        kind: ``tanh`` or ``arctan``.
        limit: radians, above 0.

    Returns:
        Radians, same shape.

    >>> squash([0.0, 1.0, 1e9], "arctan").round(4).tolist()
    [0.0, 1.5708, 3.1416]
    """
    limit = _checked_limit(limit)
    array = np.asarray(values, np.float64)
    if check_option("kind", kind, ("tanh", "arctan")) == "tanh":
        return limit * np.tanh(array)
    return 2 * limit / math.pi * np.arctan(array)


def principal_axes(features: Any, count: int) -> np.ndarray:
    """[d, count]: ``features @ axes`` are the leading principal components, scaled to a standard deviation of 1.

    Args:
        features: [N, d] of the training part.
        count: 1 to d.

    Raises:
        ValueError: there are fewer than ``count`` components.
    """
    array = _features(features)
    if not 1 <= count <= min(array.shape):
        raise invalid("count is out of range", f"1 to {min(array.shape)} components", f"count={count}")
    _, values, rows = np.linalg.svd(array - array.mean(axis=0), full_matrices=False)
    return rows[:count].T / (values[:count] / np.sqrt(len(array)))


@dataclasses.dataclass
class AngleScaler:
    """Turns features [N, F] into angles [N, F], column by column; fitted on training data.

    It has scikit-learn's ``fit`` and ``transform``, and wraps scikit-learn's ``StandardScaler``,
    ``MinMaxScaler`` and ``QuantileTransformer``.

    Args:
        kind: one of ``SCALERS``.
        limit: L, radians, above 0; ``none`` and ``standardise`` do not use it.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: the kind is unknown, or the limit is out of range.

    >>> scaler = AngleScaler("min_max").fit([[0.0], [10.0]])
    >>> scaler.feature_range == (-math.pi, math.pi), scaler.transform([[5.0], [20.0]]).round(4).ravel().tolist()
    (True, [0.0, 9.4248])
    """

    kind: str = "arctan"
    limit: float = math.pi

    def __post_init__(self) -> None:
        check_option("kind", self.kind, SCALERS)
        self.limit = _checked_limit(self.limit)
        self._map: Callable[[np.ndarray], np.ndarray] | None = None
        self._n_features = 0

    @property
    def feature_range(self) -> tuple[float, float]:
        """The range of the angles (radians) that the scaler states; infinite where it states none."""
        limit = math.inf if self.kind in ("none", "standardise") else self.limit
        return -limit, limit

    def fit(self, features: Any, y: Any = None) -> AngleScaler:
        """Learns centres, spreads, ends or ranks from features [N, F] of the training part; ``y`` is not used."""
        array = _features(features)
        self._n_features = array.shape[1]
        self._map = _fitted(self.kind, self.limit, array)
        self._step = np.maximum(np.ptp(array, axis=0), 1e-12) / 2000
        around = self._map(array + self._step) - self._map(array - self._step)
        self._typical = np.median(around / (2 * self._step), axis=0)
        return self

    def transform(self, features: Any) -> np.ndarray:
        """Features [N, F] to angles [N, F], radians.

        Raises:
            ValueError: `fit` has not been called, or the number of features differs.
        """
        array = _features(features)
        if self._map is None:
            raise invalid("the scaler is not fitted", "a call of fit(training features) first", "none")
        if array.shape[1] != self._n_features:
            raise invalid("features have the wrong shape", f"shape [N, {self._n_features}]", f"shape {array.shape}")
        return self._map(array)

    def fit_transform(self, features: Any, y: Any = None) -> np.ndarray:
        """`fit` and `transform` on the same features."""
        return self.fit(features, y).transform(features)

    def saturated(self, features: Any) -> np.ndarray:
        """Where the map is flatter than ``FLAT`` of its median slope on the training data: booleans [N, F].

        Slopes are differences over a thousandth of the training span. A linear map is never saturated.
        """
        array = _features(features)
        around = self.transform(array + self._step) - self.transform(array - self._step)
        return around / (2 * self._step) < FLAT * self._typical


def _fitted(kind: str, limit: float, array: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn import preprocessing

    if kind == "none":
        return lambda values: values.copy()
    if kind == "quantile":
        ranks = preprocessing.QuantileTransformer(n_quantiles=min(1000, len(array))).fit(array)
        return lambda values: limit * (2.0 * np.asarray(ranks.transform(values)) - 1.0)
    if kind in ("min_max", "min_max_clip"):
        scaler = preprocessing.MinMaxScaler((-limit, limit), clip=kind == "min_max_clip").fit(array)
        return lambda values: np.asarray(scaler.transform(values))
    standard = preprocessing.StandardScaler().fit(array)
    if kind == "standardise":
        return lambda values: np.asarray(standard.transform(values))
    return lambda values: squash(standard.transform(values), kind, limit)


def _features(features: Any) -> np.ndarray:
    array = np.asarray(features, np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise invalid("features have the wrong shape", "shape [N, F]", f"shape {array.shape}")
    if not np.isfinite(array).all():
        raise invalid("features must be finite", "numbers without NaN or infinity", f"{array[~np.isfinite(array)][0]}")
    return array


def _checked_limit(limit: Any) -> float:
    if isinstance(limit, bool) or not isinstance(limit, (int, float)):
        raise invalid("limit must be a number", "radians, above 0", f"limit={limit!r}", TypeError)
    if not (math.isfinite(limit) and limit > 0):
        raise invalid("limit is out of range", "finite radians above 0", f"limit={limit}")
    return float(limit)

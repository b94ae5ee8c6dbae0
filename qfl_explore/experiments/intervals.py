"""Confidence intervals over seeds, widened for splits that share samples."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from qfl_explore.errors import invalid


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Attributes:
        mean: of the values.
        low: lower end; NaN where there is one value only.
        high: upper end; NaN where there is one value only.
        n_values: how many values there were.
    """

    mean: float
    low: float
    high: float
    n_values: int

    def clipped(self, low: float = 0.0, high: float = 1.0) -> Interval:
        """The part of the interval within the bounds, for a share that cannot leave them."""
        return dataclasses.replace(self, low=_clip(self.low, low, high), high=_clip(self.high, low, high))

    def side(self) -> int:
        """1 where the whole interval is above 0, -1 where it is below, else (or if unknown) 0."""
        return int(self.low > 0) - int(self.high < 0)


def t_interval(values: Sequence[float] | np.ndarray, confidence: float = 0.95, overlap: float = 0.0) -> Interval:
    """Student's t-interval of a mean over repeated random splits.

    The half width is ``t · s · sqrt(1/n + overlap)``. Repeated splits of one data set share
    samples, so their scores are not independent and the plain interval (overlap 0) is too
    narrow; ``overlap = n_test / n_train`` is the usual correction.

    Source: Nadeau and Bengio, Machine Learning 52, 239–281 (2003), for the correction.

    Args:
        values: one number a seed, finite.
        confidence: in (0, 1).
        overlap: 0 or more.

    Returns:
        The interval; its ends are NaN where there is one value only.

    Raises:
        ValueError: no values, one is not finite, or a setting is out of range.

    >>> interval = t_interval([0.90, 0.92, 0.94])
    >>> round(interval.mean, 3), round(interval.low, 4), round(interval.high, 4)
    (0.92, 0.8703, 0.9697)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise invalid("values do not make an interval", "one or more finite numbers", f"{array.tolist()}")
    if not 0 < confidence < 1:
        raise invalid("confidence is out of range", "a number between 0 and 1", f"confidence={confidence}")
    if not overlap >= 0:
        raise invalid("overlap is out of range", "a number of 0 or more", f"overlap={overlap}")
    mean, n_values = float(array.mean()), len(array)
    if n_values == 1:
        return Interval(mean, math.nan, math.nan, 1)
    from scipy.stats import t

    spread = float(array.std(ddof=1)) * math.sqrt(1 / n_values + overlap)
    half = float(t.ppf((1 + confidence) / 2, n_values - 1)) * spread
    return Interval(mean, mean - half, mean + half, n_values)


def _clip(value: float, low: float, high: float) -> float:
    return value if math.isnan(value) else min(max(value, low), high)

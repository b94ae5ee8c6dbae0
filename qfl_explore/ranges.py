"""The stated range of a circuit's features, and a warning when features leave it. Pure NumPy, no TensorFlow.

Outside its range a feature is not rejected by the circuit: it wraps around, and the circuit answers
as it would for another value inside (see `qfl_explore.theory.wrap_around`). Nothing else says so.
"""

from __future__ import annotations

import math
import threading
import warnings
from typing import Any

import numpy as np

from qfl_explore.errors import check_option, invalid

#: What to do with features outside the stated range.
ON_OUT_OF_RANGE = ("warn", "ignore", "raise")
#: Ends count as inside up to this share of them: π in single precision is larger than π.
_SLACK = 1e-6
#: A further warning is due when features are this much further out, or this many times as many.
_FURTHER, _MORE = 1.1, 10


class EncodingRangeWarning(UserWarning):
    """Features left the range in which a circuit can tell them apart.

    Silence it with ``warnings.simplefilter("ignore", EncodingRangeWarning)``, or with
    ``on_out_of_range="ignore"`` where the circuit is made.
    """


def check_range(name: str, value: Any) -> tuple[float, float]:
    """``value`` as a pair (lowest, highest) in radians; an end may be infinite.

    Raises:
        TypeError: it is not a pair of numbers.
        ValueError: the lowest is not below the highest.
    """
    try:
        low, high = (float(end) for end in value)
    except (TypeError, ValueError):
        raise invalid(
            f"{name} must be a pair", "two numbers (lowest and highest, radians)", f"{name}={value!r}", TypeError
        ) from None
    if not low < high:
        raise invalid(f"{name} is out of order", "lowest < highest (radians)", f"{name}=({low:g}, {high:g})")
    return low, high


class RangeWatch:
    """Looks at features, counts those outside the stated range, and says so once.

    The first call with features outside is reported at once. After that it is silent until
    matters get worse: features a tenth further out, or ten times as many. So a training run of
    thousands of steps gives a handful of warnings, and worse data after it is still reported.

    Args:
        feature_range: lowest and highest feature (radians), both inside.
        on_out_of_range: ``warn`` (an `EncodingRangeWarning`), ``raise`` (a ``ValueError``), ``ignore``.
        owner: what the message calls the circuit's owner.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: the option is unknown, or the range is out of order.

    >>> import warnings
    >>> watch = RangeWatch((-math.pi, math.pi), owner="demo")
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     watch.look([0.5, 4.0]), watch.look([0.5, 4.0])
    (np.int64(1), np.int64(1))
    >>> len(caught), watch.n_outside, watch.n_values
    (1, 2, 4)
    """

    def __init__(
        self, feature_range: tuple[float, float], on_out_of_range: str = "warn", owner: str = "the circuit"
    ) -> None:
        self.feature_range = check_range("feature_range", feature_range)
        self.on_out_of_range = check_option("on_out_of_range", on_out_of_range, ON_OUT_OF_RANGE)
        self.owner = owner
        slack = [_SLACK * abs(end) if math.isfinite(end) else 0.0 for end in self.feature_range]
        #: The range with its slack: what is beyond it counts as outside.
        self.bounds = (self.feature_range[0] - slack[0], self.feature_range[1] + slack[1])
        self._lock = threading.Lock()
        self.rearm()

    def rearm(self) -> None:
        """Forgets what was seen, so that the next feature outside is reported again (say, at an epoch's begin)."""
        self.n_values = self.n_outside = 0
        self.lowest, self.highest = math.inf, -math.inf
        self._told_outside, self._told_excess = 0, 0.0

    def look(self, features: Any) -> np.int64:
        """Counts features outside and reports them if that is due.

        Args:
            features: any shape, radians.

        Returns:
            How many of these features are outside.

        Raises:
            ValueError: some are, and the option is ``raise``.
        """
        array = np.asarray(features)
        if self.on_out_of_range == "ignore" or not array.size:
            return np.int64(0)
        lowest, highest = float(array.min()), float(array.max())
        n_outside = 0
        if lowest < self.bounds[0] or highest > self.bounds[1]:
            n_outside = int(np.count_nonzero((array < self.bounds[0]) | (array > self.bounds[1])))
        report = self._counted(array.size, n_outside, lowest, highest)
        if n_outside and self.on_out_of_range == "raise":
            raise _message(self, n_outside, array.size, lowest, highest, ValueError)
        if report is not None:
            warnings.warn(_message(self, *report, EncodingRangeWarning), stacklevel=3)
        return np.int64(n_outside)

    def _counted(
        self, n_values: int, n_outside: int, lowest: float, highest: float
    ) -> tuple[int, int, float, float] | None:
        """Adds one look to the totals; these, if a report is due."""
        with self._lock:
            self.n_values += n_values
            self.n_outside += n_outside
            self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
            excess = max(self.feature_range[0] - self.lowest, self.highest - self.feature_range[1])
            further = excess > _FURTHER * self._told_excess
            if not n_outside or not (further or self.n_outside >= _MORE * self._told_outside):
                return None
            self._told_outside, self._told_excess = self.n_outside, max(excess, 0.0)
            return self.n_outside, self.n_values, self.lowest, self.highest


def _message(
    watch: RangeWatch, n_outside: int, n_values: int, lowest: float, highest: float, kind: type[Exception]
) -> Any:
    low, high = watch.feature_range
    return invalid(
        f"features of {watch.owner} leave the stated range, so that they wrap around",
        f"radians from {low:.4g} to {high:.4g} (scale them: qfl_explore.scalers; or on_out_of_range='ignore')",
        f"{n_outside} of {n_values} values outside, smallest {lowest:.4g}, largest {highest:.4g}",
        kind,
    )

"""Intervals on numbers worked out by hand."""

import math

import pytest

from qfl_explore.experiments.intervals import Interval, t_interval


def test_hand_made_numbers():
    """Values 1, 2, 3: s = 1; t(0.975, 2) = 4.302653; half width 4.302653 / sqrt(3) = 2.484138."""
    interval = t_interval([1.0, 2.0, 3.0])
    assert (interval.mean, interval.n_values) == (2.0, 3)
    assert interval.low == pytest.approx(2.0 - 2.484138, abs=1e-5)
    assert interval.high == pytest.approx(2.0 + 2.484138, abs=1e-5)


def test_overlap_and_confidence():
    """With overlap 1/3 the root is sqrt(1/3 + 1/3); t(0.95, 2) = 2.919986."""
    assert t_interval([1.0, 2.0, 3.0], overlap=1 / 3).high == pytest.approx(2 + 4.302653 * math.sqrt(2 / 3), abs=1e-5)
    assert t_interval([1.0, 2.0, 3.0], 0.90).high == pytest.approx(2 + 2.919986 / math.sqrt(3), abs=1e-5)


def test_five_equal_values_have_no_width():
    interval = t_interval([0.5] * 5)
    assert (interval.low, interval.mean, interval.high) == (0.5, 0.5, 0.5)


def test_one_value_has_no_interval():
    interval = t_interval([0.9])
    assert interval.mean == 0.9
    assert math.isnan(interval.low)
    assert interval.side() == 0
    assert math.isnan(interval.clipped().high)


def test_side_and_clipping():
    assert Interval(0.5, 0.1, 0.9, 3).side() == 1
    assert Interval(-0.5, -0.9, -0.1, 3).side() == -1
    assert Interval(0.1, -0.1, 0.3, 3).side() == 0
    assert Interval(0.9, -0.2, 1.2, 3).clipped() == Interval(0.9, 0.0, 1.0, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "values do not make an interval"),
        (([1.0, math.nan],), "values do not make an interval"),
        (([1.0, 2.0], 1.0), "confidence is out of range"),
        (([1.0, 2.0], 0.95, -1.0), "overlap is out of range"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=f"{message}. Expected: .* Received: "):
        t_interval(*arguments)

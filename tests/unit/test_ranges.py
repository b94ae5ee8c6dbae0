"""Features outside the stated range: counted exactly, told once, told again only when matters get worse."""

import math
import warnings

import numpy as np
import pytest

from qfl_explore.ranges import EncodingRangeWarning, RangeWatch, check_range


def caught(run):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        run()
    assert {w.category for w in found} <= {EncodingRangeWarning}
    return [str(w.message) for w in found]


def test_the_message_has_three_parts_and_the_numbers():
    watch = RangeWatch((-1, 2), owner="the demo")
    (message,) = caught(lambda: watch.look(np.array([[0.0, -3.0], [2.5, 2.0]])))
    assert message == (
        "features of the demo leave the stated range, so that they wrap around. Expected: radians from -1 to 2 "
        "(scale them: qfl_explore.scalers; or on_out_of_range='ignore'). Received: 2 of 4 values outside, "
        "smallest -3, largest 2.5."
    )


def test_ends_are_inside_also_in_single_precision():
    watch = RangeWatch((-math.pi, math.pi), "raise")
    assert float(np.float32(math.pi)) > math.pi
    assert watch.look(np.array([-math.pi, math.pi, 0], np.float32)) == 0
    with pytest.raises(ValueError, match="1 of 1 values outside"):
        watch.look(np.array([math.pi + 1e-3], np.float32))


def test_an_end_may_be_missing():
    watch = RangeWatch((0, math.inf), "raise")
    assert watch.look([1e30]) == 0
    with pytest.raises(ValueError, match="leave the stated range"):
        watch.look([-0.1])


def test_warnings_do_not_pile_up_and_worse_is_told():
    watch, x = RangeWatch((-1, 1)), np.array([0.0, 1.5])
    assert len(caught(lambda: [watch.look(x) for _ in range(9)])) == 1
    assert len(caught(lambda: watch.look(x))) == 1  # ten times as many
    assert len(caught(lambda: [watch.look(x) for _ in range(89)])) == 0
    assert len(caught(lambda: watch.look(np.array([0.0, 1.54])))) == 1  # a hundred times as many
    assert len(caught(lambda: watch.look(np.array([-1.6])))) == 1  # a tenth further out, on the other side
    assert (watch.n_values, watch.n_outside, watch.lowest, watch.highest) == (201, 101, -1.6, 1.54)
    watch.rearm()
    assert watch.n_values == 0
    assert len(caught(lambda: watch.look(x))) == 1


def test_thousands_of_steps_give_a_handful():
    watch, rng = RangeWatch((-3, 3)), np.random.default_rng(0)
    messages = caught(lambda: [watch.look(rng.normal(size=(32, 4))) for _ in range(5000)])
    assert 2 <= len(messages) <= 16


def test_ignoring_does_not_even_count():
    watch = RangeWatch((-1, 1), "ignore")
    assert caught(lambda: watch.look([9.0])) == []
    assert watch.n_values == 0


def test_the_users_own_filter_has_the_last_word():
    watch = RangeWatch((-1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", EncodingRangeWarning)
        with pytest.raises(EncodingRangeWarning, match="leave the stated range"):
            watch.look([9.0])


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (3, TypeError, r"feature_range must be a pair\. Expected: two numbers.*Received: feature_range=3"),
        (("a", 1), TypeError, r"must be a pair.*Expected.*Received"),
        ((1, 1), ValueError, r"feature_range is out of order\. Expected: lowest < highest.*Received: .*\(1, 1\)"),
        ((math.nan, 1), ValueError, r"out of order.*Expected.*Received: .*nan"),
    ],
)
def test_wrong_ranges_are_explained(value, kind, message):
    with pytest.raises(kind, match=message):
        check_range("feature_range", value)


def test_an_unknown_option_is_explained():
    with pytest.raises(ValueError, match=r"on_out_of_range is not a known option.*did you mean 'raise'"):
        RangeWatch((-1, 1), "rise")

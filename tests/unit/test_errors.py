"""Every error says what is wrong, what was expected and what was received."""

import numpy as np
import pytest

from qfl_explore.errors import check_int, check_option, invalid

OPTIONS = ("ring", "linear", "full")


def test_invalid_builds_three_parts_and_does_not_raise():
    error = invalid("depth is wrong", "a small number", "depth=99")
    assert type(error) is ValueError
    assert str(error) == "depth is wrong. Expected: a small number. Received: depth=99."


def test_invalid_takes_the_kind_of_error():
    assert type(invalid("a", "b", "c", TypeError)) is TypeError


@pytest.mark.parametrize("option", OPTIONS)
def test_check_option_returns_a_known_option(option):
    assert check_option("entangler", option, OPTIONS) == option


def test_check_option_accepts_any_iterable():
    assert check_option("entangler", "full", iter(OPTIONS)) == "full"


def test_check_option_lists_what_is_allowed_and_suggests_the_closest():
    message = (
        r"^entangler is not a known option\. Expected: one of 'ring', 'linear', 'full'\. "
        r"Received: entangler='lineer' \(did you mean 'linear'\?\)\.$"
    )
    with pytest.raises(ValueError, match=message):
        check_option("entangler", "lineer", OPTIONS)


def test_check_option_does_not_guess_wildly():
    with pytest.raises(ValueError, match="Received: entangler='xyz'") as caught:
        check_option("entangler", "xyz", OPTIONS)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("value", [None, 3, ["ring"]])
def test_check_option_wants_a_string(value):
    with pytest.raises(TypeError, match=r"^entangler must be a string\. Expected: one of .*\. Received: entangler="):
        check_option("entangler", value, OPTIONS)


@pytest.mark.parametrize("value", [1, 4, np.int64(2), np.uint8(3)])
def test_check_int_returns_a_plain_int(value):
    number = check_int("degree", value, 1, 4)
    assert type(number) is int
    assert number == value


@pytest.mark.parametrize("value", [1.0, "2", None, True, np.bool_(True), np.float64(2.0), 1j])
def test_check_int_wants_an_integer(value):
    message = r"^degree must be an integer\. Expected: an integer of 1 or more\. Received: degree="
    with pytest.raises(TypeError, match=message):
        check_int("degree", value, 1)


@pytest.mark.parametrize("value", [0, -3, 5])
def test_check_int_keeps_inclusive_bounds(value):
    message = rf"^degree is out of range\. Expected: an integer from 1 to 4\. Received: degree={value}\.$"
    with pytest.raises(ValueError, match=message):
        check_int("degree", value, 1, 4)

"""Signal processing: Chebyshev responses, phases, and the exact Boolean sequences."""

import numpy as np
import pytest

from qfl_explore.theory import qsp

GRID = np.linspace(-1.0, 1.0, 41)


@pytest.mark.parametrize("degree", [0, 1, 4, 9])
def test_zero_phases_give_chebyshev_polynomials(degree):
    expected = np.polynomial.chebyshev.chebval(GRID, [0] * degree + [1])
    assert qsp.response(np.zeros(degree + 1), GRID) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", qsp.BOOLEAN)
def test_boolean_sequences_are_exact(name):
    fixture = qsp.BOOLEAN[name]
    angles = np.array(qsp.BOOLEAN_ANGLES)
    found = qsp.pattern_probability(fixture.pattern, fixture.phases, {"A": angles[:, 0], "B": angles[:, 1]})
    assert found == pytest.approx(np.array(fixture.p0, float), abs=1e-14)


def test_the_joint_protocol_is_a_two_oracle_sequence():
    theta = np.random.default_rng(0).uniform(-np.pi, np.pi, 2000)
    fixture = qsp.DIFFERENCE
    for shift, expected in ((0.0, 1.0), (np.pi / 6, 0.0)):
        found = qsp.pattern_probability(fixture.pattern, fixture.phases, {"A": theta, "B": theta + shift})
        assert np.abs(found - expected).max() < 1e-13


@pytest.mark.parametrize(
    "coefficients",
    [[0, 0, 0, 0.9], [0, 0.5, 0, 0.3, 0, -0.1], [0.2, 0, 0.7], [0.1, 0.4, 0.2, 0.1], [0.5], [0] * 40 + [0.9]],
)
def test_phases_give_the_polynomial(coefficients):
    sequences = qsp.find_phases(coefficients)
    total = sum(qsp.response(sequence.phases, GRID).imag for sequence in sequences)
    assert total == pytest.approx(np.polynomial.chebyshev.chebval(GRID, coefficients), abs=1e-9)
    for sequence in sequences:
        assert sequence.error < 1e-9
        assert sequence.degree % 2 == sequence.parity
        assert np.abs(qsp.response(sequence.phases, GRID)).max() <= 1 + 1e-12


def test_pyqsp_prints_nothing(capsys):
    qsp.find_phases([0, 0.5])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: qsp.find_phases([0.0, 0.0]), "not usable. Expected: .* Received:"),
        (lambda: qsp.find_phases([0.0, np.nan]), "not usable. Expected: .* Received:"),
        (lambda: qsp.find_phases([0.0, 1.0]), r"too large\. Expected: .* Received: max \|f\| = 1"),
        (lambda: qsp.find_phases([0.0] * 61 + [0.5]), "degree is too high. Expected: at most 60. Received: degree 61"),
        (lambda: qsp.response([0, 0], np.array([1.5])), "signal is out of range. Expected: .* Received:"),
        (lambda: qsp.pattern_unitary("AB", [0, 0], {}), "do not fit the pattern. Expected: 3 phases. Received: 2"),
        (lambda: qsp.pattern_unitary("A", [0, 0], {"B": GRID}), "oracle has no angle. Expected: .* Received:"),
    ],
)
def test_errors_have_three_parts(call, message):
    with pytest.raises(ValueError, match=message):
        call()

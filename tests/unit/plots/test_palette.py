"""Colours are told apart with any colour vision and stand out from the ground; alike ones differ in shape."""

import itertools

import numpy as np
import pytest

from qfl_explore.plots import circuit, gradient_variance, measurement_bases, noise, real_data, sweeps
from qfl_explore.plots.style import COLOURS, colour

#: Ground of the light and the dark theme.
GROUNDS = ("#FFFFFF", "#121212")
#: Linear RGB as people without one kind of cone see it. Source: Machado, Oliveira and Fernandes 2009, severity 1.
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
#: Two colours this far apart (CIE 1976) are told apart as lines; about 2 is just seen.
LEAST = 14.0
LINES = ("model", "target", "data", "test", "ceiling", "pinned", "other", "quiet")
#: Figures with many series: (role, everything else that makes a series look as it does).
SERIES = {
    "circuit": [(look[2], look[:2]) for look in circuit.MODEL_STYLES.values()],
    "measurement bases": [(look[0], look[1:3]) for look in measurement_bases.LOOKS.values()],
    "real data": [(look[0], tuple(map(str, look[1:3]))) for look in real_data.LOOKS.values()],
    "sweeps": [(look[0], look[1:]) for look in sweeps.LOOKS],
    "noise": [(look[0], look[1:3]) for look in noise.DEGREE_LOOKS],
    "gradients in training": [(role, (dash,)) for role, dash in gradient_variance.LAYER_LOOKS],
}


def linear(text):
    values = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    t = _XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other):
    """The least over all kinds of colour vision."""
    return min(np.linalg.norm(lab(seen @ linear(one)) - lab(seen @ linear(other))) for seen in VISIONS.values())


def contrast(one, other):
    low, high = sorted(float(linear(text) @ _XYZ[1]) for text in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_distance_knows_what_people_without_a_cone_mix_up():
    assert distance("#000000", "#FFFFFF") == pytest.approx(100, abs=0.1)
    red, green = "#D02020", "#4F7A20"
    assert distance(red, green) < 25 < np.linalg.norm(lab(linear(red)) - lab(linear(green)))


@pytest.mark.parametrize("dark", [False, True])
def test_every_line_has_three_times_the_contrast_of_its_ground(dark):
    weak = {role: contrast(colour(role, dark), GROUNDS[dark]) for role in LINES}
    assert set(LINES) <= set(COLOURS) and min(weak.values()) >= 3.0, weak


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", SERIES)
def test_series_of_a_figure_differ_in_colour_or_else_in_shape(name, dark):
    for (role, shape), (other, its) in itertools.combinations(SERIES[name], 2):
        apart = distance(colour(role, dark), colour(other, dark))
        assert apart >= LEAST or shape != its, (role, other, apart)


@pytest.mark.parametrize("dark", [False, True])
def test_the_colours_that_mean_most_are_apart_without_any_shape(dark):
    for one, other in itertools.combinations(("model", "test", "ceiling", "target", "other"), 2):
        assert distance(colour(one, dark), colour(other, dark)) >= LEAST, (one, other)

"""Targets: their values, spectra, labels and refusals."""

import numpy as np
import pytest
from numpy.polynomial.chebyshev import chebval

from qfl_explore.config import FusionConfig
from qfl_explore.experiments.table import read_table
from qfl_explore.experiments.targets import MAX_TERMS, TARGETS, TargetConfig, make_target
from qfl_explore.theory.spectrum import needed_degrees

CLOSED = [kind for kind in TARGETS if kind not in ("formula", "table")]
X = np.random.default_rng(0).uniform(-np.pi, np.pi, (200, 3))


def _target(kind, n_features=3, **settings):
    return make_target(TargetConfig(kind=kind, **settings), n_features)


def _table(n_features=2, n_rows=20):
    rng = np.random.default_rng(0)
    header = ",".join([*(f"f{i}" for i in range(n_features)), "y"])
    rows = [",".join(map(str, row)) for row in rng.normal(size=(n_rows, n_features + 1))]
    return read_table("\n".join([header, *rows]).encode(), name="my.csv")


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("chebyshev", chebval(np.cos(X).mean(axis=1), [0, 0, 0, 0, 1])),
        ("cosine", np.cos(4 * X.sum(axis=1))),
        ("sine", np.sin(4 * X.sum(axis=1))),
        ("product", np.cos(4 * X[:, 0]) * np.cos(4 * X[:, 1]) * np.cos(4 * X[:, 2])),
        ("sum", np.cos(4 * X[:, 0]) + np.cos(4 * X[:, 1]) + np.cos(4 * X[:, 2])),
    ],
)
def test_values_of_closed_forms(kind, wanted):
    np.testing.assert_allclose(_target(kind, degree=4)(X), wanted, atol=1e-12)


@pytest.mark.parametrize("kind", ["chebyshev", "cosine", "product", "sum"])
def test_one_feature_is_the_cosine_of_the_multiple_angle(kind):
    target = _target(kind, 1, degree=5)
    np.testing.assert_allclose(target(X[:, :1]), np.cos(5 * X[:, 0]), atol=1e-12)
    np.testing.assert_array_equal(target.frequencies(), [[-5], [5]])
    assert "cos(5x)" in target.label


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("degree", [1, 3])
def test_the_spectrum_rebuilds_the_target_and_has_the_stated_degree(kind, n_features, degree):
    target = _target(kind, n_features, degree=degree, seed=2)
    omega, coefficients = target.spectrum()
    x = 3 * X[:, :n_features]
    np.testing.assert_allclose(np.exp(1j * x @ omega.T) @ coefficients, target(x), atol=1e-9)
    np.testing.assert_array_equal(omega, target.frequencies())
    np.testing.assert_array_equal(omega, omega[np.lexsort(omega.T[::-1])])
    joint = kind in ("cosine", "sine", "product")
    needed = needed_degrees(FusionConfig(n_modalities=n_features), omega).max()
    assert needed == degree * (n_features if joint else 1)


@pytest.mark.parametrize("kind", ["random_polynomial", "random_trigonometric"])
def test_random_targets_follow_their_seed(kind):
    first, same, other = (_target(kind, seed=seed)(X) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 0.1
    assert "seed 1" in _target(kind, seed=1).label


def test_random_polynomial_is_a_polynomial_in_the_cosines():
    """Fitted exactly by all monomials of total degree 3 in t, and not by those of degree 2."""
    target = _target("random_polynomial", 2, degree=3, seed=4)
    t, y = np.cos(X[:, :2]), target(X[:, :2])

    def residual(degree):
        powers = [(a, b) for a in range(degree + 1) for b in range(degree + 1 - a)]
        basis = np.column_stack([t[:, 0] ** a * t[:, 1] ** b for a, b in powers])
        return np.abs(y - basis @ np.linalg.lstsq(basis, y, rcond=None)[0]).max()

    assert residual(3) < 1e-10 < 0.05 < residual(2)
    np.testing.assert_allclose(target(-X[:, :2]), y, atol=1e-12)


def test_random_targets_of_many_features_keep_their_size():
    polynomial = _target("random_polynomial", 207, degree=5)
    assert f"{MAX_TERMS} terms" in polynomial.label
    assert polynomial.frequencies() is None
    trigonometric = _target("random_trigonometric", 207, degree=5, n_terms=30)
    assert "30 terms" in trigonometric.label
    x = np.random.default_rng(1).uniform(-np.pi, np.pi, (100, 207))
    for target in (polynomial, trigonometric):
        assert target(x).shape == (100,) and target(x).std() > 0.1


def test_formula_targets():
    target = _target("formula", 2, formula="cos(x1/2) * sin(x2)^2")
    np.testing.assert_allclose(target(X[:, :2]), np.cos(X[:, 0] / 2) * np.sin(X[:, 1]) ** 2, atol=1e-14)
    wanted = [[s / 2, v] for s in (-1, 1) for v in (-2, 0, 2)]
    np.testing.assert_array_equal(target.frequencies(), wanted)
    assert target.label == "cos(x1/2) * sin(x2)^2" and r"\frac{x_{1}}{2}" in target.latex


@pytest.mark.parametrize(
    "formula", ["x1^2", "exp(cos(3*x1))", "abs(sin(x1))", "log(x1 + 4)", "cos(x1/3)", "cos(40*x1)"]
)
def test_a_formula_without_a_small_spectrum_says_so(formula):
    assert _target("formula", 1, formula=formula).frequencies() is None


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"formula": "x3"}, "Expected: the variables x1, x2, pi.*Received: 'x3'"),
        ({"formula": ""}, "formula is empty"),
        ({"formula": "1/x1"}, "divides by zero within the domain.*near x1 = 0"),
        ({"formula": "sin(x1)/x1"}, "divides by zero"),
        ({"formula": "log(x1)"}, "not finite within the domain.*Received: nan at x1 = -3.142"),
        ({"formula": "x1 - x1 + 3"}, "does not vary over its domain.*standard deviation 0"),
    ],
)
def test_formulas_are_checked_over_the_domain(settings, match):
    with pytest.raises(ValueError, match=match):
        _target("formula", 2, **settings)


def test_the_domain_can_make_a_formula_finite():
    target = _target("formula", 1, formula="log(x1)", domain=[0.5, 3])
    assert target.domain == (0.5, 3.0)
    with pytest.raises(ValueError, match=r"target log\(x1\) is not finite. .* Received: nan at x1 = -1"):
        target([[1.0], [-1.0]])


def test_a_product_of_too_many_cosines_is_refused():
    with pytest.raises(ValueError, match="does not vary over its domain"):
        _target("product", 100)


def test_table_targets():
    table = _table()
    target = make_target(TargetConfig(kind="table"), 2, table)
    x, y = target.samples
    np.testing.assert_array_equal(x, table.features)
    np.testing.assert_array_equal(target(x), y)
    np.testing.assert_array_equal(target(x + 1e-6), y)  # the nearest row
    assert target.frequencies() is None
    assert target.domain == table.domain
    assert target.label == "y from my.csv (20 rows; features f0, f1)"
    with pytest.raises(ValueError, match=r"another number of features. Expected: 3 .* Received: 2: my.csv"):
        make_target(TargetConfig(kind="table"), 3, table)
    with pytest.raises(ValueError, match="needs a table.*Received: table=None"):
        make_target(TargetConfig(kind="table"), 2)


@pytest.mark.parametrize("kind", CLOSED)
def test_points_of_the_wrong_shape(kind):
    with pytest.raises(ValueError, match=r"Expected: shape \[N, 3\]. Received: shape \[4, 2\]"):
        _target(kind)(np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"kind": "cosin"}, ValueError, "did you mean 'cosine'"),
        ({"degree": 0}, ValueError, "degree of the target is out of range. Expected: an integer from 1 to 64"),
        ({"degree": 2.5}, TypeError, "degree of the target must be an integer"),
        ({"seed": -1}, ValueError, "seed of the target is out of range"),
        ({"n_terms": 0}, ValueError, "n_terms is out of range"),
        ({"formula": 3}, TypeError, "formula must be a text"),
        ({"domain": (1, 1)}, ValueError, "domain is out of range. Expected: lowest < highest"),
        ({"domain": (0, float("nan"))}, ValueError, "domain is out of range"),
        ({"domain": 3}, TypeError, "domain must be a pair"),
        ({"domain": (1, 2, 3)}, TypeError, "domain must be a pair"),
    ],
)
def test_settings_are_checked(settings, error, match):
    with pytest.raises(error, match=match):
        TargetConfig(**settings)


def test_make_target_checks_its_arguments():
    with pytest.raises(TypeError, match="config is of the wrong kind"):
        make_target("cosine", 1)
    with pytest.raises(ValueError, match="n_features is out of range"):
        make_target(TargetConfig(), 0)


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize("n_features", [1, 2, 6])
def test_labels_are_for_people(kind, n_features):
    target = _target(kind, n_features)
    assert 5 < len(target.label) < 90
    assert target.latex.count("{") == target.latex.count("}") and "#" not in target.label + target.latex

"""Typed formulas: what they compute, and what they refuse."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qfl_explore.experiments.formula import FUNCTIONS, MAX_EXPONENT, MAX_LENGTH, Formula

X = np.random.default_rng(0).uniform(0.2, 1.4, (50, 2))
A, B = X[:, 0], X[:, 1]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x1 + 2*x2 - 3", A + 2 * B - 3),
        ("x1 - x2 - 1", A - B - 1),
        ("x1 / x2 / 2", A / B / 2),
        ("-x1^2", -(A**2)),
        ("2^-x1", 2.0**-A),
        ("x1**2^x2", A ** (2.0**B)),
        ("x1 ** .5e1", A**5),
        ("(x1 + x2) * (x1 - x2)", A**2 - B**2),
        ("2*-x1 - -x2", -2 * A + B),
        ("sin(x1)*cos(x2) + tan(x1/2)", np.sin(A) * np.cos(B) + np.tan(A / 2)),
        ("exp(-x1) + log(x2) + sqrt(x1) + abs(-x2) + tanh(pi*x1)", None),
        ("T(5, cos(x1)) + T(0, x2) + T(1, x2)", np.cos(5 * A) + 1 + B),
        (" 7 ", np.full(50, 7.0)),
    ],
)
def test_values(text, wanted):
    if wanted is None:
        wanted = np.exp(-A) + np.log(B) + np.sqrt(A) + B + np.tanh(np.pi * A)
    np.testing.assert_allclose(Formula(text, 2)(X), wanted, rtol=1e-12)


def test_random_expressions_agree_with_python():
    """Precedence and grouping, against Python itself on 300 expressions of our own making."""
    rng = np.random.default_rng(4)

    def grow(depth):
        if depth == 0 or rng.random() < 0.2:
            return str(rng.choice(["x1", "x2", "2.5", "pi"]))
        kind = rng.integers(4)
        if kind == 0:
            return f"({grow(depth - 1)})"
        if kind == 1:
            return f"-{grow(depth - 1)}"
        if kind == 2:
            return f"sin({grow(depth - 1)})"
        return f"{grow(depth - 1)} {rng.choice(['+', '-', '*', '**'])} {grow(depth - 1)}"

    names = {"x1": A, "x2": B, "pi": np.pi, "sin": np.sin}
    n_compared = 0
    for _ in range(300):
        text = grow(4)
        try:
            got = Formula(text, 2)(X)
        except ValueError as error:
            assert "exponent" in str(error)
            continue
        with np.errstate(all="ignore"):
            wanted = np.broadcast_to(eval(text, {"__builtins__": {}}, names), 50)
        if np.isrealobj(wanted):
            np.testing.assert_allclose(got, wanted, rtol=1e-10)
            n_compared += 1
    assert n_compared > 200


def test_one_feature_may_be_called_x():
    np.testing.assert_array_equal(Formula("x * x1", 1)(X[:, :1]), A**2)
    with pytest.raises(ValueError, match="unknown name.*Received: 'x' at position 1"):
        Formula("x", 2)


HOSTILE = [
    ("__import__('os').system('ls')", r"means nothing here.*U\+0027"),
    ("__import__(x1)", "unknown name.*'__import__' at position 1"),
    ("eval(x1)", "unknown name.*'eval'"),
    ("x1.__class__", r"means nothing here.*'\.' \(U\+002E\) at position 3"),
    ("x1.real", "means nothing here"),
    ("lambda: x1", "means nothing here.*':'"),
    ("lambda x1", "unknown name.*'lambda'"),
    ("x1 if x2 else 3", "goes on where it should end.*'if' at position 4"),
    ("[x1 for x1 in x2]", r"means nothing here.*'\['"),
    ("{x1}", "means nothing here"),
    ("x1 < x2", "means nothing here.*'<'"),
    ("x1 == x2", "means nothing here"),
    ("x1 := 3", "means nothing here"),
    ("'text'", "means nothing here"),
    ("x1; x2", "means nothing here"),
    ("x1 # note", "means nothing here"),
    ("x1 \\\n + 1", "means nothing here"),
    ("9**9**9", "exponent of the formula is too large.*from -64 to 64"),
    ("x1^65", "exponent 65"),
    ("x1^-1e300", "exponent of the formula is too large"),
    ("2^(1/0)", "exponent of the formula is too large"),
    ("x1^log(-1)", "exponent of the formula is too large"),
    ("1e999", "number of the formula is too large"),
    ("9" * 400, "number of the formula is too large"),
    ("(" * 240 + "x1" + ")" * 240, "nested too deeply.*at most 40 levels"),
    ("-" * 499 + "x", "nested too deeply"),
    ("sin(" * 90 + "x1" + ")" * 90, "nested too deeply"),
    ("2^" * 200 + "x1", "nested too deeply"),
    ("+".join(["x1"] * 166), "nested too deeply"),
    ("x1 + " * 200, f"too long. Expected: at most {MAX_LENGTH} characters. Received: 1000 characters"),
    ("1" * 10**7, "too long"),
    ("ｘ1", r"means nothing here.*\(U\+FF58\) at position 1"),
    ("x１", r"U\+FF11"),
    ("x1 − x2", r"U\+2212"),
    ("x1\u200b+x2", r"U\+200B"),
    ("\u202ex1", r"U\+202E"),
    ("x1\x00", r"U\+0000"),
    ("²", r"U\+00B2"),
]


@pytest.mark.parametrize(("text", "match"), HOSTILE, ids=[repr(text[:20]) for text, _ in HOSTILE])
def test_hostile_input_is_refused_quickly(text, match):
    start = time.perf_counter()
    with pytest.raises(ValueError, match=f"(?s){match}") as caught:
        Formula(text, 2)
    assert time.perf_counter() - start < 0.5
    message = str(caught.value)
    assert "Expected: " in message and "Received: " in message and len(message) < 500


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "formula is empty"),
        ("   ", "formula is empty"),
        ("x3", "Expected: the variables x1, x2, pi.*Received: 'x3' at position 1"),
        ("x0 + x1", "unknown name.*'x0' at position 1"),
        ("cos(X1)", r"'X1' at position 5 \(did you mean 'x1'\?\)"),
        ("sinn(x1)", r"did you mean 'sin'\?"),
        ("sin x1", r"breaks off after sin. Expected: '\('. Received: 'x1' at position 5"),
        ("sin(x1", r"breaks off inside sin\(…\). Expected: '\)'. Received: the end of the formula"),
        ("(x1", "breaks off inside brackets"),
        ("x1)", r"goes on where it should end.*'\)' at position 3"),
        ("2x1", r"a product needs its sign, as in 2\*x1. Received: 'x1' at position 2"),
        ("x1(2)", "goes on where it should end"),
        ("x1 +", "lacks an operand.*Received: the end of the formula"),
        ("* x1", r"lacks an operand.*Received: '\*' at position 1"),
        ("1..2", "goes on where it should end"),
        ("sin(x1, x2)", r"wrong number of arguments. Expected: 1. Received: 2"),
        ("T(3)", r"wrong number of arguments. Expected: 2. Received: 1"),
        ("T(x1, x2)", r"degree of T\(n, t\) is not a fixed whole number.*T at position 1"),
        ("T(1.5, x2)", "not a fixed whole number"),
        ("T(-1, x2)", "not a fixed whole number"),
        (f"T({MAX_EXPONENT + 1}, x2)", "not a fixed whole number"),
    ],
)
def test_mistakes_are_named_with_their_place(text, match):
    with pytest.raises(ValueError, match=match):
        Formula(text, 2)


def test_a_formula_is_a_text():
    with pytest.raises(TypeError, match="formula must be a text. Expected: .* Received: formula=3"):
        Formula(3, 1)


def test_shape_of_the_points():
    with pytest.raises(ValueError, match=r"Expected: shape \[N, 2\]. Received: shape \[3, 1\]"):
        Formula("x1", 2)(np.zeros((3, 1)))


LINE = np.linspace(-3.0, 3.0, 100)[:, None]  # holds neither 0 nor any other round number


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("1/x1", r"divides by zero within the domain.*'/' at position 2, near x1 = -?0.0303"),
        ("1/(x1 - 1)", "divides by zero"),
        ("x1^-2", r"divides by zero.*'\*\*|'\^' at position 3"),
        ("tan(x1)", "divides by zero.*'tan' at position 1"),
        ("cos(x1) + 1/0", "divides by zero"),
        ("1/(x1-x1)", "divides by zero"),
        ("log(x1)", "is not finite within the domain.*Received: nan at x1 = -3"),
        ("sqrt(x1)", "is not finite.*nan"),
        ("x1^0.5", "is not finite.*nan"),
        ("exp(exp(exp(x1*x1)))", "is not finite.*inf"),
    ],
)
def test_poles_and_gaps_within_the_domain_are_found(text, match):
    with pytest.raises(ValueError, match=match):
        Formula(text, 1).check(LINE)


@pytest.mark.parametrize("text", ["1/(x1 + 4)", "tan(x1/3)", "log(x1 + 3.5)", "(x1 + 4)^-2", "1/(1 + x1^2)"])
def test_what_is_finite_passes_the_check(text):
    Formula(text, 1).check(LINE)
    assert np.isfinite(Formula(text, 1)(LINE)).all()


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("x1 - (x2 - 1)", r"x_{1} - \left(x_{2} - 1\right)"),
        ("(x1 + x2)*3", r"\left(x_{1} + x_{2}\right) \cdot 3"),
        ("(-x1)^2", r"\left(-x_{1}\right)^{2}"),
        ("(x1/2)^2", r"\left(\frac{x_{1}}{2}\right)^{2}"),
        ("T(3, cos(x1))", r"T_{3}\!\left(\cos\!\left(x_{1}\right)\right)"),
        ("pi*sqrt(abs(x1))", r"\pi \cdot \sqrt{\left|x_{1}\right|}"),
        ("1e-9*x1", r"\left(1 \times 10^{-9}\right) \cdot x_{1}"),
    ],
)
def test_latex(text, latex):
    assert Formula(text, 2).latex == latex


#: Pieces of formulas, and of what somebody might try instead.
PIECES = (
    *("x1", "x2", "x", "1", "0.5", "1e308", "9" * 30, "pi", "T(64,", "T(3,", "sin(", "exp(", "log(", "tan(", "sqrt("),
    *("(", ")", "+", "-", "*", "/", "**", "^", ",", " ", "\t", "((((((((", "-" * 20, "^64" * 3, "**-64"),
    *("__class__", ".", "x1.__class__", "__import__('os')", "lambda:", "[", "]", "{", "}", "'", '"', "\\", ";", "="),
    *(
        "\0",
        "\n",
        "\u202e",
        "\uff11",
        "\u00b2",
        "\u03c0",
        "\U0001d49c",
        "\ud800",
        "e",
        "j",
        "_",
        "%s",
        "{0}",
        "`",
        "<b>",
    ),
)


def kinds(node):
    return {node.kind}.union(*map(kinds, node.arguments))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=600))
def test_any_text_is_a_formula_or_a_message_never_code(text):
    try:
        formula = Formula(text, 2)
    except ValueError as error:
        assert "Expected: " in str(error) and "Received: " in str(error) and len(str(error)) < 700
        return
    points = np.random.default_rng(0).uniform(-3, 3, (50, 2))
    values = formula(points)
    assert values.shape == (50,) and values.dtype == np.float64
    assert kinds(formula.root) <= {"number", "variable", "negative", "T", "+", "-", "*", "/", "**", *FUNCTIONS}
    assert len(formula.latex) < 20_000
    try:
        formula.check(points)
    except ValueError as error:
        assert "Expected: " in str(error) and "Received: " in str(error)


@pytest.mark.parametrize(
    "text", ["T(64," * 39 + "x1" + ")" * 39, "+".join(["x1"] * 160), "x1" + "^64" * 9, "-" * 38 + "x1"]
)
def test_the_largest_formulas_cost_little(text):
    try:
        formula = Formula(text, 1)
    except ValueError as error:
        assert "too deeply" in str(error) or "too large" in str(error)
    else:
        assert formula(np.zeros((1024, 1))).shape == (1024,)

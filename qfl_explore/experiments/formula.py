"""Formulas that a user types: our own tokenizer and parser, nothing is ever evaluated as Python.

Grammar, lowest precedence first (``^`` is another spelling of ``**``)::

    sum     = product (("+" | "-") product)*
    product = unary (("*" | "/") unary)*
    unary   = ("+" | "-") unary | power
    power   = atom ("**" unary)?
    atom    = number | "pi" | variable | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from qfl_explore.errors import check_int, invalid

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_EXPONENT = 64

#: Functions of one argument.
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "tanh": np.tanh,
}
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|[-+*/^(),])"
)


@dataclasses.dataclass(frozen=True)
class Node:
    """One operation of a parsed formula.

    Attributes:
        kind: ``number``, ``variable``, ``negative``, ``+``, ``-``, ``*``, ``/``, ``**`` or a function's name.
        value: the number, or the variable's column.
        arguments: the operands.
        position: where it stands in the text, from 1.
    """

    kind: str
    value: float = 0.0
    arguments: tuple[Node, ...] = ()
    position: int = 0

    def has_variable(self) -> bool:
        """Whether the value depends on x."""
        return self.kind == "variable" or any(argument.has_variable() for argument in self.arguments)


class Formula:
    """A parsed formula of x1 … xF.

    Args:
        text: for example ``"cos(x1) * sin(2*x2) + x1^2 / pi"``. With one feature ``x`` means x1.
        n_features: F, 1 or more.

    Raises:
        TypeError: ``text`` is not a string.
        ValueError: it does not follow the grammar; the message says where.

    >>> Formula("T(3, cos(x1)) - x2^2", 2)(np.array([[0.0, 2.0]]))
    array([-3.])
    """

    def __init__(self, text: str, n_features: int) -> None:
        self.n_features = check_int("n_features", n_features, 1)
        if not isinstance(text, str):
            raise invalid("formula must be a text", "for example 'cos(x1)'", f"formula={text!r}", TypeError)
        if len(text) > MAX_LENGTH:
            raise invalid("formula is too long", f"at most {MAX_LENGTH} characters", f"{len(text)} characters")
        self.text = text.strip()
        self.root = _Parser(text, n_features).parse()

    def __repr__(self) -> str:
        return f"Formula({self.text!r}, n_features={self.n_features})"

    def __call__(self, x: Any) -> np.ndarray:
        """Values [N] at points [N, F] (radians); may hold NaN or infinity, see `check`."""
        points = np.asarray(x, np.float64)
        if points.ndim != 2 or points.shape[1] != self.n_features:
            raise invalid("x has the wrong shape", f"shape [N, {self.n_features}]", f"shape {list(points.shape)}")
        with np.errstate(all="ignore"):
            return np.array(np.broadcast_to(evaluate(self.root, points), len(points)))

    def check(self, points: np.ndarray) -> None:
        """Raises where the formula is not finite on ``points`` [N, F] or has a pole between them.

        A divisor that takes both signs has a zero in between (the domain is connected), so a pole
        is found even where no point hits it.

        Raises:
            ValueError: with the point and the place in the formula.
        """

        def guard(node: Node, divisor: np.ndarray) -> None:
            divisor = np.broadcast_to(divisor, len(points))
            if np.isfinite(divisor).all() and divisor.min() <= 0.0 <= divisor.max():
                where = describe_point(points[np.abs(divisor).argmin()])
                raise invalid(
                    f"formula {_short(self.text)} divides by zero within the domain",
                    "a divisor (or the cosine below a tan) that keeps its sign",
                    f"{node.kind!r} at position {node.position}, near {where}",
                )

        with np.errstate(all="ignore"):
            values = np.broadcast_to(evaluate(self.root, points, guard), len(points))
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise invalid(
                f"formula {_short(self.text)} is not finite within the domain",
                "finite numbers on the whole domain",
                f"{values[bad[0]]} at {describe_point(points[bad[0]])}",
            )

    @property
    def latex(self) -> str:
        """The formula for display."""
        return to_latex(self.root)


def describe_point(point: np.ndarray) -> str:
    """``x1 = 0, x2 = 1.5``, at most three features."""
    parts = [f"x{i} = {value:.4g}" for i, value in enumerate(point[:3] + 0.0, 1)]
    return ", ".join(parts) + (", …" if len(point) > 3 else "")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")


def evaluate(node: Node, x: np.ndarray, guard: Callable[[Node, np.ndarray], None] | None = None) -> np.ndarray:
    """Value of a node at points [N, F]: an array [N], or a scalar where no variable occurs.

    ``guard(node, divisor)`` is called with everything that must not be 0.
    """
    if node.kind == "number":
        return np.float64(node.value)  # pyright: ignore[reportReturnType]
    if node.kind == "variable":
        return x[:, int(node.value)]
    values = [evaluate(argument, x, guard) for argument in node.arguments]
    if guard is not None:
        _guard(node, values, guard)
    if node.kind in FUNCTIONS:
        return FUNCTIONS[node.kind](values[0])
    if node.kind == "T":
        return _chebyshev(int(node.arguments[0].value), values[1])
    if node.kind == "negative":
        return np.negative(values[0])
    operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power}[node.kind]
    return operation(*values)


def _guard(node: Node, values: list[np.ndarray], guard: Callable[[Node, np.ndarray], None]) -> None:
    if node.kind == "/":
        guard(node, values[1])
    elif node.kind == "tan":
        guard(node, np.cos(values[0]))
    elif node.kind == "**" and np.ndim(values[1]) == 0 and values[1] < 0:
        guard(node, values[0])


def _chebyshev(degree: int, t: np.ndarray) -> np.ndarray:
    """T_degree(t) by the three-term recurrence, for any real t."""
    before, now = np.ones_like(t), t
    if degree == 0:
        return before
    for _ in range(degree - 1):
        before, now = now, 2.0 * t * now - before
    return now


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, n_features: int) -> None:
        self.text, self.n_features, self.depth, self.at = text, n_features, 0, 0
        self.tokens = list(self._tokens())

    def _tokens(self) -> Any:
        position = 0
        while position < len(self.text):
            if self.text[position] in " \t\r\n":
                position += 1
                continue
            match = _TOKEN.match(self.text, position)
            if match is None:
                character = self.text[position]
                received = f"{character!r} (U+{ord(character):04X}) at position {position + 1}"
                allowed = "numbers, variables, functions, + - * / ^ ( ) and commas, in plain ASCII characters"
                raise invalid("formula holds a character that means nothing here", allowed, received)
            yield match.lastgroup, match.group(), position + 1
            position = match.end()
        yield "end", "", len(self.text) + 1

    def _error(self, what: str, expected: str, token: tuple[str, str, int] | None = None, hint: str = "") -> Exception:
        kind, word, position = token or self.tokens[self.at]
        received = "the end of the formula" if kind == "end" else f"{_short(word)} at position {position}"
        return invalid(what, expected, received + hint)

    def _next(self, *words: str) -> tuple[str, str, int] | None:
        token = self.tokens[self.at]
        if token[0] == "sign" and token[1] in words:
            self.at += 1
            return token
        return None

    def _require(self, word: str, where: str) -> None:
        if not self._next(word):
            raise self._error(f"formula breaks off {where}", repr(word))

    def parse(self) -> Node:
        if self.tokens[0][0] == "end":
            raise invalid("formula is empty", "for example 'cos(x1)'", repr(self.text))
        node = self._sum()
        if self.tokens[self.at][0] != "end":
            expected = "an operator (+ - * / ^) or the end; a product needs its sign, as in 2*x1"
            raise self._error("formula goes on where it should end", expected)
        return node

    def _sum(self) -> Node:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Node:
        return self._chain(self._unary, "*", "/")

    def _chain(self, operand: Callable[[], Node], *words: str) -> Node:
        node = operand()
        n_links = 0
        while token := self._next(*words):
            n_links += 1
            self._deeper(n_links, token)
            node = Node(token[1], 0.0, (node, operand()), token[2])
        return node

    def _deeper(self, extra: int, token: tuple[str, str, int]) -> None:
        if self.depth + extra // 4 > MAX_DEPTH:
            raise self._error("formula is nested too deeply", f"at most {MAX_DEPTH} levels", token)

    def _unary(self) -> Node:
        self.depth += 1
        self._deeper(0, self.tokens[self.at])
        if token := self._next("+", "-"):
            inner = self._unary()
            node = inner if token[1] == "+" else Node("negative", 0.0, (inner,), token[2])
        else:
            node = self._power()
        self.depth -= 1
        return node

    def _power(self) -> Node:
        base = self._atom()
        token = self._next("**", "^")
        if token is None:
            return base
        exponent = self._unary()
        if not exponent.has_variable():
            with np.errstate(all="ignore"):
                size = abs(float(evaluate(exponent, np.zeros((1, self.n_features)))))
            if not size <= MAX_EXPONENT:
                expected = f"a number from -{MAX_EXPONENT} to {MAX_EXPONENT}"
                raise self._error(
                    "an exponent of the formula is too large", expected, token, f" with exponent {size:g}"
                )
        return Node("**", 0.0, (base, exponent), token[2])

    def _atom(self) -> Node:
        kind, word, position = token = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            if not np.isfinite(float(word)):
                raise self._error("a number of the formula is too large", "a finite number", token)
            return Node("number", float(word), (), position)
        if kind == "name":
            self.at += 1
            return self._name(token)
        if self._next("("):
            inner = self._sum()
            self._require(")", "inside brackets")
            return inner
        raise self._error("formula lacks an operand", "a number, a variable, a function or '('")

    def _name(self, token: tuple[str, str, int]) -> Node:
        word, position = token[1], token[2]
        if word in FUNCTIONS:
            return Node(word, 0.0, self._arguments(word, 1), position)
        if word == "T":
            return self._polynomial(position)
        if word == "pi":
            return Node("number", float(np.pi), (), position)
        variables = [f"x{i}" for i in range(1, self.n_features + 1)]
        if word == "x" and self.n_features == 1:
            word = "x1"
        if word in variables:
            return Node("variable", variables.index(word), (), position)
        shown = ", ".join(variables) if self.n_features <= 4 else f"x1 … x{self.n_features}"
        close = difflib.get_close_matches(word.lower(), [*FUNCTIONS, "pi", *variables[:99]], n=1, cutoff=0.6)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        expected = f"the variables {shown}, pi, and the functions {', '.join(FUNCTIONS)}, T(n, t)"
        raise self._error("formula holds an unknown name", expected, token, hint)

    def _arguments(self, name: str, count: int) -> tuple[Node, ...]:
        self._require("(", f"after {name}")
        arguments = [self._sum()]
        while self._next(","):
            arguments.append(self._sum())
        self._require(")", f"inside {name}(…)")
        if len(arguments) != count:
            raise invalid(f"{name}(…) has the wrong number of arguments", str(count), str(len(arguments)))
        return tuple(arguments)

    def _polynomial(self, position: int) -> Node:
        degree, argument = self._arguments("T", 2)
        whole = degree.kind == "number" and degree.value == int(degree.value) and degree.value <= MAX_EXPONENT
        if not whole:
            expected = f"a whole number from 0 to {MAX_EXPONENT}, as in T(3, cos(x1))"
            raise invalid("the degree of T(n, t) is not a fixed whole number", expected, f"T at position {position}")
        return Node("T", 0.0, (degree, argument), position)


_LATEX_LEVEL = {"+": 1, "-": 1, "negative": 1, "*": 2, "/": 4, "**": 3}


def to_latex(node: Node) -> str:
    """LaTeX of a node, with brackets only where they are needed."""
    parts = [to_latex(argument) for argument in node.arguments]
    if node.kind == "number":
        return r"\pi" if node.value == float(np.pi) else _latex_number(node.value)
    if node.kind == "variable":
        return f"x_{{{int(node.value) + 1}}}"
    if node.kind == "/":
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    if node.kind == "T":
        return rf"T_{{{parts[0]}}}\!\left({parts[1]}\right)"
    if node.kind == "abs":
        return rf"\left|{parts[0]}\right|"
    if node.kind == "sqrt":
        return rf"\sqrt{{{parts[0]}}}"
    if node.kind in FUNCTIONS:
        return rf"\{node.kind}\!\left({parts[0]}\right)"
    if node.kind == "negative":
        return "-" + _bracket(node.arguments[0], parts[0], 2)
    if node.kind == "**":
        return f"{_bracket(node.arguments[0], parts[0], 5)}^{{{parts[1]}}}"
    level = _LATEX_LEVEL[node.kind]
    left, right = _bracket(node.arguments[0], parts[0], level), _bracket(node.arguments[1], parts[1], level + 1)
    return left + {"+": " + ", "-": " - ", "*": r" \cdot "}[node.kind] + right


def _bracket(node: Node, latex: str, level: int) -> str:
    weak = _LATEX_LEVEL.get(node.kind, 9) < level or ("times" in latex and node.kind == "number")
    return rf"\left({latex}\right)" if weak else latex


def _latex_number(value: float) -> str:
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa

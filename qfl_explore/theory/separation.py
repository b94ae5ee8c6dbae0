"""Joint against separate queries: the hidden-base phase-difference problem.

M oracles ``A_m = exp(i θ_m X)`` are given. All θ_m are uniform and unknown, but ``Σ_m s_m θ_m``
with the signs ``s = +, -, +, …`` is 0 or δ: decide which. For M = 2: is ``θ' = θ`` or ``θ' = θ + δ``?
(One sign: with ``Σ s_m θ_m = -δ`` instead of δ everything below is the same.)

One round calls every oracle once, in one coherent register: ``Z A Z = A†``, so the product of
the (conjugated) oracles is ``exp(i Δ X)`` with ``Δ = Σ s_m θ_m``. The unknown base drops out.

Source: our construction. It stands in for the paper's separation problem, whose text is not
known to us. It separates *query access*; it says nothing about approximating functions.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from qfl_explore.errors import check_int, check_option, invalid

READOUTS = ("best", "z")
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=np.complex128)
#: Above so many terms the separable optimum is refused: (2n + 1)^(M - 1) (n + 1).
MAX_TERMS = 200_000
_EXACT = 1e-9


def check_delta(delta: float) -> float:
    """Returns δ if it lies in (0, π/2].

    Raises:
        TypeError: it is not a number.
        ValueError: it is out of range.
    """
    expected = "a number above 0 and up to π/2 (radians)"
    if isinstance(delta, bool) or not isinstance(delta, int | float | np.integer | np.floating):
        raise invalid("delta must be a number", expected, f"delta={delta!r}", TypeError)
    if not 0 < delta <= math.pi / 2 + _EXACT:
        raise invalid("delta is out of range", expected, f"delta={delta}")
    return float(delta)


def signs(n_oracles: int) -> np.ndarray:
    """s_m = +1, -1, +1, … of M oracles."""
    return 1 - 2 * (np.arange(check_int("n_oracles", n_oracles, 2)) % 2)


def rounds_needed(delta: float) -> int:
    """Rounds after which the joint protocol is certain, ``⌈π / (2δ)⌉``; no protocol needs fewer.

    With θ given away the problem contains telling I from ``exp(iδX)`` without error, which takes
    that many uses of one oracle.

    Source: Acín, quant-ph/0102064; Duan, Feng and Ying, quant-ph/0601150.

    >>> rounds_needed(math.pi / 6)
    3
    """
    return max(1, math.ceil(math.pi / (2 * check_delta(delta)) - _EXACT))


def queries_needed(n_oracles: int, delta: float) -> int:
    """Queries in all: M times `rounds_needed`; ``M π / (2δ)`` where that is a whole number of rounds.

    >>> queries_needed(2, math.pi / 6)
    6
    """
    return check_int("n_oracles", n_oracles, 2) * rounds_needed(delta)


def joint_success(n_rounds: int, delta: float, readout: str = "best") -> float:
    """Probability that the joint protocol is right after so many rounds, both cases equally likely.

    ``best``: ``(1 + sin rδ) / 2``, and 1 from `rounds_needed` on. This is also an upper bound for
    *every* protocol with r uses of each oracle: give all angles but one away, and r uses turn a
    state by an angle of at most rδ. ``z``: the plain protocol, started in |0⟩ and measured in Z:
    ``(1 + sin² rδ) / 2`` as long as rδ ≤ π/2.

    >>> [round(joint_success(r, math.pi / 6), 4) for r in (0, 1, 2, 3)]
    [0.5, 0.75, 0.933, 1.0]
    """
    n_rounds = check_int("n_rounds", n_rounds, 0)
    check_option("readout", readout, READOUTS)
    if n_rounds >= rounds_needed(delta):
        return 1.0
    sine = math.sin(n_rounds * delta)
    return (1 + (sine if readout == "best" else sine**2)) / 2


def rotation(vector: Sequence[float] | np.ndarray, angle: float) -> np.ndarray:
    """``exp(i angle · n·σ)`` for a unit vector n; [2, 2] complex, angle in radians."""
    return np.cos(angle) * np.eye(2) + 1j * np.sin(angle) * np.tensordot(np.asarray(vector, float), PAULI, axes=1)


def bloch(state: np.ndarray) -> np.ndarray:
    """The Bloch vector [3] of a state [2]."""
    return np.real(np.einsum("i,aij,j->a", state.conj(), PAULI, state))


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the joint protocol does besides calling oracles.

    Attributes:
        tilt: the last round turns about an axis this far from X, in radians; 0 unless the last
            round would turn too far.
        start: Bloch vector of the start state.
        readout: Bloch vector whose outcome + means "Δ = 0".
    """

    tilt: float
    start: np.ndarray
    readout: np.ndarray


def plan(n_rounds: int, delta: float, readout: str = "best") -> Plan:
    """Start, last round and measurement of the joint protocol.

    Up to an angle of π/2 the state starts in |0⟩ and turns about X. Where the last round would turn
    too far (π/(2δ) is not whole), that round is turned about an axis tilted by η from X,
    ``cos η = cot δ · cot (N-1)δ``, so that the whole turn is π/2 about some axis; the start state is
    perpendicular to it. Rounds after the N-th are not used.

    Args:
        n_rounds: r, 0 or more.
        delta: δ in radians, in (0, π/2].
        readout: ``best``, or ``z`` (matters only before the protocol is certain).

    Returns:
        The plan; certain where ``n_rounds`` is `rounds_needed`.
    """
    needed = rounds_needed(delta)
    n_rounds = min(check_int("n_rounds", n_rounds, 0), needed)
    start, tilt = np.array([0.0, 0.0, 1.0]), 0.0
    if n_rounds == needed and needed * delta - math.pi / 2 > _EXACT:
        before = (needed - 1) * delta
        ratio = 1.0 / (math.tan(delta) * math.tan(before)) if before > 0 else 0.0
        tilt = math.acos(min(1.0, max(-1.0, ratio)))
        total = rotation(_axis(tilt), delta) @ rotation(_axis(0.0), before)
        turned = np.imag(np.einsum("aij,ji->a", PAULI, total)) / 2
        start = _perpendicular(turned / np.linalg.norm(turned))
    end = _turned(start, n_rounds, delta, tilt)
    difference = start - end
    length = float(np.linalg.norm(difference))
    best = difference / length if length > _EXACT else start
    certain = n_rounds == needed
    return Plan(tilt, start, best if certain or check_option("readout", readout, READOUTS) == "best" else start)


def _axis(tilt: float) -> np.ndarray:
    return np.array([math.cos(tilt), math.sin(tilt), 0.0])


def _perpendicular(axis: np.ndarray) -> np.ndarray:
    """The unit vector nearest to z that is perpendicular to the axis (x where the axis is z)."""
    rest = np.array([0.0, 0.0, 1.0]) - axis[2] * axis
    if np.linalg.norm(rest) < 1e-6:
        rest = np.array([1.0, 0.0, 0.0])
    return rest / np.linalg.norm(rest)


def _turned(start: np.ndarray, n_rounds: int, delta: float, tilt: float) -> np.ndarray:
    state = state_of(start)
    for index in range(n_rounds):
        state = rotation(_axis(tilt if index == n_rounds - 1 else 0.0), delta) @ state
    return bloch(state)


def state_of(vector: np.ndarray) -> np.ndarray:
    """The state [2] with a given Bloch vector [3], up to a phase."""
    x, y, z = (float(part) for part in vector)
    if z < -1 + 1e-12:
        return np.array([0.0, 1.0], np.complex128)
    return np.array([1 + z, x + 1j * y]) / math.sqrt(2 * (1 + z))


@dataclasses.dataclass(frozen=True)
class SeparableOptimum:
    """The best separable strategy that was found.

    Attributes:
        success: its probability of being right; every separable strategy stays below 1.
        probabilities: [M, n + 1], the weight of each rung of each register's phase ladder.
        n_starts: random starts of the search, of which this is the best.
        spread: best minus worst of them.
    """

    success: float
    probabilities: np.ndarray
    n_starts: int
    spread: float


def separable_success(
    n_each: int, delta: float, n_oracles: int = 2, n_starts: int = 8, seed: int = 0
) -> SeparableOptimum:
    """Best success found with a register for each oracle, n queries of each, one final joint measurement.

    A register that queries its oracle n times in parallel holds a phase ladder
    ``Σ_k a_k exp(2ikθ) |k⟩``, k = 0 … n. Averaging over the unknown base leaves one block for each
    vector d of differences between the registers' rungs; in a block the two cases are pure states,
    and the best measurement is right with probability ``½ + ½ Σ_d sqrt(w_d² - |c_d|²)``, where
    ``w_d = Σ_k q_dk``, ``c_d = Σ_k q_dk exp(2ikδ)`` and ``q_dk`` is the product of the rungs'
    probabilities. Those are optimised by L-BFGS from several random starts. It is the best
    *found among these strategies*, not a proven maximum over all separable ones.

    Source: our construction.

    Args:
        n_each: n, queries of each oracle, 1 or more.
        delta: δ in radians.
        n_oracles: M, 2 or more.
        n_starts: random starts.
        seed: of the starts.

    Raises:
        ValueError: a setting is out of range, or there are too many terms.

    >>> round(separable_success(1, math.pi / 6).success, 4), round(separable_success(3, math.pi / 6).success, 3)
    (0.625, 0.815)
    """
    from scipy.optimize import minimize

    check_delta(delta)
    n_each, n_oracles = check_int("n_each", n_each, 1), check_int("n_oracles", n_oracles, 2)
    n_terms = (2 * n_each + 1) ** (n_oracles - 1) * (n_each + 1)
    if n_terms > MAX_TERMS:
        raise invalid("the separable optimum would be too large", f"at most {MAX_TERMS} terms", f"{n_terms} terms")
    shape = (n_oracles, n_each + 1)
    rng = np.random.default_rng(check_int("seed", seed, 0))
    found = []
    for _ in range(check_int("n_starts", n_starts, 1)):
        start = rng.normal(0.0, 1.0, shape).ravel()
        done = minimize(_negative_gain, start, args=(shape, delta), jac=True, method="L-BFGS-B", options={"gtol": 1e-9})
        found.append((float(0.5 - 0.5 * done.fun), _softmax(done.x.reshape(shape))))
    best = max(found, key=lambda pair: pair[0])
    return SeparableOptimum(best[0], best[1], n_starts, best[0] - min(pair[0] for pair in found))


def ladder_success(probabilities: np.ndarray, delta: float) -> float:
    """Success of given phase ladders [M, n + 1] (probabilities of the rungs), see `separable_success`."""
    return 0.5 + 0.5 * _gain(np.asarray(probabilities, float), delta)[0]


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _negative_gain(flat: np.ndarray, shape: tuple[int, int], delta: float) -> tuple[float, np.ndarray]:
    p = _softmax(flat.reshape(shape))
    value, slope = _gain(p, delta)
    return -value, -(p * (slope - (p * slope).sum(axis=1, keepdims=True))).ravel()


def _gain(p: np.ndarray, delta: float) -> tuple[float, np.ndarray]:
    """Σ_d sqrt(w_d² - |c_d|²) and its derivatives by the probabilities [M, n + 1]."""
    n_oracles, size = p.shape
    rung = np.arange(size)
    steps = np.arange(1 - size, size)
    place = steps[:, None] + rung  # rung of register m, where register 0 stands on ``rung``
    inside = (place >= 0) & (place < size)
    place = np.clip(place, 0, size - 1)
    grids = [p[0].reshape((1,) * (n_oracles - 1) + (size,))]
    for m in range(1, n_oracles):
        shape = [1] * n_oracles
        shape[m - 1], shape[-1] = len(steps), size
        grids.append(np.where(inside, p[m][place], 0.0).reshape(shape))
    q = np.ones(())
    for grid in grids:
        q = q * grid
    phase = np.exp(2j * rung * delta)
    weight, overlap = q.sum(axis=-1), q @ phase
    root = np.sqrt(np.maximum(weight**2 - np.abs(overlap) ** 2, 0.0))
    root = np.where(root > 1e-7 * weight, root, 0.0)  # below that it is rounding
    safe = np.where(root > 0.0, root, np.inf)
    slope = (weight[..., None] - np.real(overlap.conj()[..., None] * phase)) / safe[..., None]
    return float(root.sum()), _slopes(grids, slope, place, inside, size)


def _slopes(grids: list[np.ndarray], slope: np.ndarray, place: np.ndarray, inside: np.ndarray, size: int) -> np.ndarray:
    n_oracles = len(grids)
    result = np.zeros((n_oracles, size))
    for m in range(n_oracles):
        rest = slope
        for other, grid in enumerate(grids):
            rest = rest * grid if other != m else rest
        rest = np.broadcast_to(rest, (*(len(place),) * (n_oracles - 1), size))
        if m == 0:
            result[0] = rest.sum(axis=tuple(range(n_oracles - 1)))
            continue
        others = tuple(axis for axis in range(n_oracles - 1) if axis != m - 1)
        np.add.at(result[m], place[inside], rest.sum(axis=others)[inside])
    return result

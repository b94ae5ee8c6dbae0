"""What a picture shows, in words. Pure functions, so that the sentences can be tested."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qfl_explore.experiments.problem import Problem
    from qfl_explore.theory.spectrum import Ceiling

#: A ceiling at least this high counts as "every function of the target is reachable".
FULL = 0.9995
#: So much better on its training points than on the function: the gap is not one of training.
BY_HEART = 0.1


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known of a problem without training.

    Attributes:
        label: the target in words.
        degree: P.
        needed: the least P that reaches all of the target; ``None`` where it has no finite
            spectrum, ``inf`` where no P does.
        ceiling: the best any model of this spectrum can do.
        frequencies: [n, F] of the target, or ``None``.
        magnitudes: [n] |c_ω| of the target, or ``None``.
        n_parameters: trainable numbers of the model.
    """

    label: str
    degree: int
    needed: float | None
    ceiling: Ceiling
    frequencies: np.ndarray | None
    magnitudes: np.ndarray | None
    n_parameters: int


def gather_facts(problem: Problem) -> Facts:
    """Ceiling, target spectrum and needed degree of a problem; may take a moment."""
    from qfl_explore.theory.spectrum import needed_degrees

    spectrum = problem.target.spectrum() if problem.target is not None else None
    frequencies, coefficients = spectrum if spectrum is not None else (None, None)
    fusion = problem.config.fusion
    needed = None if frequencies is None else float(needed_degrees(fusion, frequencies).max())
    if frequencies is None and problem.target_coefficients is not None:
        frequencies, coefficients = problem.frequencies, problem.target_coefficients
    magnitudes = None if coefficients is None else np.abs(coefficients)
    return Facts(problem.label, fusion.degree, needed, problem.ceiling, frequencies, magnitudes, problem.n_parameters)


def number(value: float, digits: int = 3) -> str:
    """A number with a true minus sign and without a negative zero."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def reach_sentence(facts: Facts) -> str:
    """What the spectrum allows, before any training."""
    degree, label, top = facts.degree, facts.label, facts.ceiling.r2
    if top is None:
        return f"No ceiling is drawn for {label}: {facts.ceiling.method}."
    if facts.needed is not None and facts.needed > degree:
        best = f"the ceiling is R² = {number(top, 2)}"
        if math.isinf(facts.needed):
            return f"{label} has frequencies that this signal never reaches, at any degree: {best}."
        fit = "can fit" if top < 0.005 else "can fully fit"
        limit = f"no model of degree {degree} {fit} {label}, whatever its weights; {best}."
        return f"P = {degree} < {facts.needed:g}: {limit}"
    if top >= FULL:
        least = "" if facts.needed is None else f" (it takes P ≥ {facts.needed:g})"
        return f"P = {degree} reaches every frequency of {label}{least}: the ceiling is R² = {number(top, 2)}."
    return f"At P = {degree} the best any model can do on {label} is R² = {number(top, 2)}."


def result_sentence(facts: Facts, train_r2: float, test_r2: float, step: int, finished: bool) -> str:
    """How far training has come, against the ceiling."""
    top = facts.ceiling.r2
    so_far = f"{'After' if finished else 'So far, after'} {step} steps: test R² = {number(test_r2)}."
    if not finished or top is None:
        return so_far
    if top < 0.005:
        by_heart = train_r2 > top + 0.05
        chance = " What the training curve gains is chance, learned by heart." if by_heart else ""
        return f"{so_far} More steps will not help; a larger P will.{chance}"
    if top >= FULL and test_r2 >= 0.99:
        return f"{so_far} The model has learned it."
    if top < FULL and test_r2 >= top - 0.02:
        return f"{so_far} That is the ceiling; only a larger P goes further."
    if train_r2 > test_r2 + BY_HEART:
        known = f"on its training points it has R² = {number(train_r2)}"
        return f"{so_far} The data were learned by heart: {known}. More points or a smaller P help, more steps do not."
    few = facts.n_parameters < facts.ceiling.n_frequencies
    count = f"{facts.n_parameters} parameters for {facts.ceiling.n_frequencies} frequencies may be too few, or "
    return (
        f"{so_far} The gap to the ceiling is not the spectrum's: {count if few else ''}training is not there yet. "
        "Try another seed, more blocks or more steps."
    )


def spectrum_note(frequencies: np.ndarray | None) -> str:
    """A caution where half-integer frequencies make the spectrum ambiguous; else empty."""
    if frequencies is None or not (frequencies % 1.0).any():
        return ""
    return "half-integer frequencies are not orthogonal on one period, so different spectra can draw the same picture"


def grouped(count: int) -> str:
    """A count with thin spaces, or in powers of ten where it is astronomically large."""
    return f"{count:,}".replace(",", "\u202f") if count < 10**9 else f"{count:.2e}"

"""Finite repetitions: bit strings in rotated bases and classical shadows, drawn from exact states.

States come from cirq's own gates in complex128; everything after that is numpy. Observables
are products of directions, axes [K, n, 3], as in `qfl_explore.theory.measurement`.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import cirq
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import check_int, invalid
from qfl_explore.simulation.base import check_array
from qfl_explore.theory.measurement import (
    check_axes,
    compatible_signs,
    measurement_settings,
    split_repetitions,
)

#: The largest register that is sampled: 2^11 amplitudes a state.
MAX_QUBITS = 11
#: Amplitudes that are rotated at once.
_CHUNK = 2**20
#: Estimates of shadows (repetitions times observables) that are held at once.
_MAX_ESTIMATES = 2**24


def final_states(fusion: FusionCircuit, features: Any, weights: Any) -> np.ndarray:
    """State vectors before measurement.

    Args:
        fusion: the circuit; 11 qubits at most.
        features: [B, M, D], radians, finite.
        weights: of ``fusion.weight_shape``, radians, finite.

    Returns:
        [B, 2^n] complex128, first qubit most significant.

    Raises:
        ValueError: a shape is wrong, a number is not finite, or the register is too large.
    """
    config = fusion.config
    if config.n_qubits > MAX_QUBITS:
        raise invalid(
            "the register is too large to sample from", f"at most {MAX_QUBITS} qubits", f"{config.n_qubits} qubits"
        )
    features = check_array("features", features, (None, config.n_modalities, config.feature_dim))
    weights = check_array("weights", weights, config.weight_shape)
    names = [symbol.name for symbol in fusion.weight_symbols]
    angles = dict(zip(names, np.ravel(weights).astype(float).tolist(), strict=True))
    rows = np.zeros((len(features), *(2,) * config.n_qubits), np.complex128)
    rows.reshape(len(rows), -1)[:, 0] = 1.0
    signal = _signal(fusion, features)
    for layer in range(config.degree + 1):
        for op, matrices in signal if layer else ():
            _apply(op, rows) if matrices is None else _apply_by_row(op, matrices, rows)
        for op in fusion.ansatz_layer(layer):
            _apply(cirq.resolve_parameters(op, angles), rows)
    return rows.reshape(len(rows), -1)


def _signal(fusion: FusionCircuit, features: np.ndarray) -> list[tuple[cirq.Operation, np.ndarray | None]]:
    """One S(x): its operations, each with cirq's own matrix for every sample, or ``None`` if x is not in it."""
    names = [symbol.name for symbol in fusion.feature_symbols]
    resolvers = [dict(zip(names, np.ravel(sample).astype(float).tolist(), strict=True)) for sample in features]
    found: list[tuple[cirq.Operation, np.ndarray | None]] = []
    for op in fusion.signal_layer():
        inner = op.sub_operation if isinstance(op, cirq.ControlledOperation) else op
        matrices = None
        if cirq.is_parameterized(op):
            matrices = np.array([cirq.unitary(cirq.resolve_parameters(inner, resolver)) for resolver in resolvers])
        found.append((op, matrices))
    return found


def _apply(op: cirq.Operation, rows: np.ndarray) -> None:
    """Applies an operation in place to every row of [B, 2, …, 2]; qubits are ``GridQubit(0, i)``."""
    axes = [1 + qubit.col for qubit in op.qubits]
    result = cirq.apply_unitary(op, cirq.ApplyUnitaryArgs(rows, np.empty_like(rows), axes))
    if result is not rows:
        rows[...] = result


def _apply_by_row(op: cirq.Operation, matrices: np.ndarray, rows: np.ndarray) -> None:
    """Applies a gate, controlled or not, with a matrix of its own for every row: [B, d, d]."""
    controls: dict[int, int] = {}
    if isinstance(op, cirq.ControlledOperation):
        controls = {q.col: int(v[0]) for q, v in zip(op.controls, op.control_values, strict=True)}
    part = rows[(slice(None), *(controls.get(q, slice(None)) for q in range(rows.ndim - 1)))]
    left = [q for q in range(rows.ndim - 1) if q not in controls]
    places = [1 + left.index(q.col) for q in op.qubits if q.col not in controls]
    view = np.moveaxis(part, places, range(1, 1 + len(places)))
    view[...] = (matrices @ view.reshape(len(rows), matrices.shape[1], -1)).reshape(view.shape)


def rotated_probabilities(states: Any, bases: Any) -> np.ndarray:
    """Probabilities of bit strings when each qubit is read along its own direction.

    Args:
        states: [B, 2^n], normalised.
        bases: [U, n, 3] unit vectors (outcome bit 0 is the +1 of ``a·σ``).

    Returns:
        [B, U, 2^n], sums to 1 over the last axis.
    """
    states, bases = np.asarray(states, np.complex128), np.asarray(bases, np.float64)
    n_qubits = bases.shape[1]
    gates = _to_z(bases)
    probabilities = np.empty((len(states), len(bases), 2**n_qubits))
    chunk = max(1, _CHUNK // (len(states) * 2**n_qubits))
    for start in range(0, len(bases), chunk):
        part = gates[start : start + chunk]
        rows = np.broadcast_to(states[:, None], (len(states), len(part), 2**n_qubits))
        for q in range(n_qubits):
            shaped = rows.reshape(len(states), len(part), 2**q, 2, -1)
            rows = np.einsum("uab,sulbr->sular", part[:, q], shaped).reshape(rows.shape)
        probabilities[:, start : start + chunk] = np.square(np.abs(rows))
    return probabilities / probabilities.sum(axis=2, keepdims=True)


def _to_z(bases: np.ndarray) -> np.ndarray:
    """[U, n, 2, 2] unitaries whose rows are the eigenvectors of ``a·σ`` for +1 and -1."""
    x, y, z = np.moveaxis(bases, -1, 0)
    polar, azimuth = np.arccos(np.clip(z, -1.0, 1.0)) / 2, np.arctan2(y, x)
    gates = np.empty((*bases.shape[:2], 2, 2), np.complex128)
    gates[..., 0, 0], gates[..., 0, 1] = np.cos(polar), np.sin(polar) * np.exp(-1j * azimuth)
    gates[..., 1, 0], gates[..., 1, 1] = np.sin(polar), -np.cos(polar) * np.exp(-1j * azimuth)
    return gates


def parities(numbers: np.ndarray) -> np.ndarray:
    """Sums of numbers over bit strings with sign ``(-1)^(bits in the mask)``, for every mask.

    Args:
        numbers: [..., 2^n], for example probabilities or counts.

    Returns:
        [..., 2^n]; the last axis is the mask, first qubit most significant (fast Walsh–Hadamard transform).
    """
    result = np.array(numbers, dtype=np.float64)
    size, step = result.shape[-1], 1
    while step < size:
        pairs = result.reshape(*result.shape[:-1], -1, 2, step)
        pairs[...] = np.stack([pairs[..., 0, :] + pairs[..., 1, :], pairs[..., 0, :] - pairs[..., 1, :]], axis=-2)
        step *= 2
    return result


@dataclasses.dataclass(frozen=True)
class Estimates:
    """Estimates of K observables on B states.

    Attributes:
        values: [B, K]; NaN where no repetition could tell.
        n_used: [K], how many repetitions of each state told something about the observable.
        repetitions: T, of each state.
        method: ``grouped``, ``shadows`` or ``shadows_median``.
    """

    values: np.ndarray
    n_used: np.ndarray
    repetitions: int
    method: str


class Reader:
    """Reads a fixed set of observables in as few product bases as a greedy grouping finds.

    Args:
        axes: [K, n, 3].

    Attributes:
        axes: [K, n, 3].
        settings: [U, n, 3], the product bases.
    """

    def __init__(self, axes: Any) -> None:
        self.axes = check_axes(axes)
        self.settings = measurement_settings(self.axes)
        self.signs = compatible_signs(self.axes, self.settings)
        support = (self.axes != 0.0).any(axis=2)
        self._masks = support @ (1 << np.arange(self.axes.shape[1])[::-1])

    @property
    def n_settings(self) -> int:
        """U, how many product bases are read."""
        return len(self.settings)

    def probabilities(self, states: Any) -> np.ndarray:
        """[B, U, 2^n] of bit strings in every setting; `exact` and `sample` start from them."""
        return rotated_probabilities(states, self.settings)

    def exact(self, probabilities: np.ndarray) -> np.ndarray:
        """[B, K] expectation values."""
        return self._combine(parities(probabilities), np.ones(self.n_settings))

    def counts(self, probabilities: np.ndarray, repetitions: int, rng: np.random.Generator) -> np.ndarray:
        """[B, U, 2^n] how often each bit string was seen; T repetitions of each state, split over settings."""
        shares = split_repetitions(repetitions, self.n_settings)
        return rng.multinomial(np.broadcast_to(shares, probabilities.shape[:2]), probabilities)

    def sample(self, probabilities: np.ndarray, repetitions: int, rng: np.random.Generator) -> Estimates:
        """Estimates from T repetitions of each state, every observable from all settings that tell it."""
        shares = split_repetitions(repetitions, self.n_settings)
        sums = parities(self.counts(probabilities, repetitions, rng))
        used = (self.signs != 0) @ shares
        return Estimates(self._combine(sums, shares), used, repetitions, "grouped")

    def parity_sums(self, outcomes: np.ndarray) -> np.ndarray:
        """Each observable's sum of ±1 over bit strings that were read, signs of the setting left out.

        Args:
            outcomes: [T] integers, first qubit most significant.

        Returns:
            [K] integers.
        """
        flips = [int((np.bitwise_count(outcomes & mask) & 1).sum()) for mask in self._masks]
        return len(outcomes) - 2 * np.array(flips)

    def _combine(self, sums: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Sums of ±1 over the compatible settings, divided by their repetitions."""
        values = np.empty((len(sums), len(self.axes)))
        for k, (mask, signs) in enumerate(zip(self._masks, self.signs, strict=True)):
            told = np.flatnonzero(signs)
            total = shares[told].sum()
            values[:, k] = sums[:, told, mask] @ signs[told] / total if total else math.nan
        return values


@dataclasses.dataclass(frozen=True)
class Shadow:
    """Classical shadow of one state: a random Pauli basis and one bit string a repetition.

    Attributes:
        letters: [T, n] integers, 0, 1, 2 for X, Y, Z.
        signs: [T, n] int8, the outcomes +1 and -1.
    """

    letters: np.ndarray
    signs: np.ndarray


def draw_shadow(state: Any, repetitions: int, rng: np.random.Generator) -> Shadow:
    """Measures one state T times, each time in a fresh uniformly random Pauli basis.

    Args:
        state: [2^n], normalised.
        repetitions: T, 1 or more.
        rng: random generator.
    """
    total = check_int("repetitions", repetitions, 1)
    state = np.asarray(state)
    n_qubits = int(state.size).bit_length() - 1
    letters = rng.integers(3, size=(total, n_qubits))
    distinct, which, counts = np.unique(letters, axis=0, return_inverse=True, return_counts=True)
    outcomes = np.empty(total, np.int64)
    order = np.argsort(which.ravel(), kind="stable")
    seen = [
        np.repeat(np.arange(state.size), row)
        for start in range(0, len(distinct), max(1, _CHUNK // state.size))
        for row in _basis_counts(state, distinct, counts, start, rng)
    ]
    # within one basis the strings come sorted, so they are shuffled before they meet their repetitions
    outcomes[order] = np.concatenate([rng.permutation(strings) for strings in seen])
    bits = outcomes[:, None] >> np.arange(n_qubits)[::-1] & 1
    return Shadow(letters.astype(np.int8), (1 - 2 * bits).astype(np.int8))


def _basis_counts(
    state: np.ndarray, distinct: np.ndarray, counts: np.ndarray, start: int, rng: np.random.Generator
) -> np.ndarray:
    part = slice(start, start + max(1, _CHUNK // state.size))
    probabilities = rotated_probabilities(state[None], np.eye(3)[distinct[part]])[0]
    return rng.multinomial(counts[part], probabilities)


def shadow_estimates(shadow: Shadow, axes: Any) -> np.ndarray:
    """Every repetition's unbiased estimate ``Π_q 3 (a_q)_letter s_q``: [T, K].

    Raises:
        ValueError: the shapes do not fit, or repetitions times observables is too large.
    """
    axes = check_axes(axes)
    n_repetitions, n_qubits = shadow.letters.shape
    if axes.shape[1] != n_qubits:
        raise invalid("axes are for another register", f"{n_qubits} qubits", f"{axes.shape[1]} qubits")
    if n_repetitions * len(axes) > _MAX_ESTIMATES:
        received = f"{n_repetitions} repetitions of {len(axes)} observables"
        raise invalid("too many estimates at once", f"at most {_MAX_ESTIMATES}", received)
    values = np.ones((n_repetitions, len(axes)))
    identity = (axes == 0.0).all(axis=2)
    for q in range(n_qubits):
        factor = 3.0 * axes[:, q].T[shadow.letters[:, q]] * shadow.signs[:, q, None]
        values *= np.where(identity[:, q], 1.0, factor)
    return values


def median_of_means(estimates: np.ndarray, n_groups: int) -> np.ndarray:
    """Median over groups of the groups' means: [T, K] -> [K].

    Raises:
        ValueError: there are fewer repetitions than groups.
    """
    groups = check_int("n_groups", n_groups, 1)
    if len(estimates) < groups:
        raise invalid(
            "too few repetitions for a median of means", f"at least {groups}, one a group", f"{len(estimates)}"
        )
    means = [part.mean(axis=0) for part in np.array_split(estimates, groups)]
    return np.median(means, axis=0)

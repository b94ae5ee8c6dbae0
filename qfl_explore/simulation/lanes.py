"""Compiled steps between arrays with one row a sample and rows of LANES samples side by side."""

# Numba calls an intrinsic without its first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

import math

import numba as nb
import numpy as np

from qfl_explore.simulation.simd import LANES, cosine_and_sine, load, store

#: Angles beyond this (radians) are reduced by the C library.
_LARGE = 1e5
_jit = nb.njit(nogil=True, cache=True)


@_jit
def aligned(n_rows, like):
    """An uninitialised [n_rows, LANES] array of ``like``'s type that starts at a cache line."""
    raw = np.empty((n_rows + 8) * LANES, like.dtype)
    skip = (-raw.ctypes.data % 64) // raw.itemsize
    return raw[skip : skip + n_rows * LANES].reshape(n_rows, LANES)


@_jit
def turn_rows(cosines, sines):
    """Replaces angles [n, LANES] by their cosines, beside their sines; False if one was not finite."""
    finite = True
    for row in range(len(cosines)):
        n_large = 0  # a number that is none counts, too
        for lane in range(LANES):
            if not abs(cosines[row, lane]) < _LARGE:
                n_large += 1
        if n_large == 0:
            c, s = cosine_and_sine(load(cosines, row))
            store(cosines, row, c)
            store(sines, row, s)
            continue
        for lane in range(LANES):
            angle = cosines[row, lane]
            finite = finite and math.isfinite(angle)
            cosines[row, lane], sines[row, lane] = math.cos(angle), math.sin(angle)
    return finite


@_jit
def fill_rotations(angles, begin, columns, scales, cosines, sines):
    """Cosines and sines [n_rows, LANES] of scales · angles[begin …, columns]; False if one was not finite.

    The last sample fills the lanes that are left.
    """
    last = len(angles) - 1
    for row in range(len(columns)):
        for lane in range(LANES):
            cosines[row, lane] = scales[row] * angles[min(begin + lane, last), columns[row]]
    return turn_rows(cosines, sines)


@_jit
def fill_flat(angles, columns, scales, cosines, sines):
    """The same for scales · angles[columns], in the order of columns; flat arrays of whole rows of LANES."""
    for row in range(len(cosines)):
        cosines[row] = scales[row] * angles[columns[row]] if row < len(columns) else 0.0
    return turn_rows(cosines.reshape(-1, LANES), sines.reshape(-1, LANES))


@_jit
def gather_cotangents(cotangents, begin, count, asked):
    """asked [K, LANES] from cotangents [B, K]; 0 in lanes without a sample."""
    for k in range(len(asked)):
        for lane in range(LANES):
            asked[k, lane] = cotangents[begin + lane, k] if lane < count else 0


@_jit
def scatter_values(found, begin, count, values):
    """values [B, K] from found [K, LANES]."""
    for k in range(len(found)):
        for lane in range(count):
            values[begin + lane, k] = found[k, lane]


@_jit
def scatter_slopes(slopes, begin, count, columns, scales, out):
    """Adds scales · slopes [n_rows, LANES] to out [B, …] at columns."""
    for row in range(len(columns)):
        for lane in range(count):
            out[begin + lane, columns[row]] += scales[row] * slopes[row, lane]

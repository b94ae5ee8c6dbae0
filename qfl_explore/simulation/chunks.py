"""How a batch becomes chunks of LANES samples, and chunks are spread over threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from qfl_explore.simulation import kernels
from qfl_explore.simulation.simd import LANES

#: Below this many row updates a second thread costs more than it brings.
WORTH_A_THREAD = 60_000
#: Below this many angles a compiled loop finds sines faster than NumPy does.
_WORTH_NUMPY = 2_000


def n_chunks_of(n_samples: int) -> int:
    """Chunks that hold ``n_samples``."""
    return -(-n_samples // LANES)


def rotations_of(
    angles: np.ndarray, columns: np.ndarray, scales: np.ndarray, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of ``scales * angles[:, columns]``, chunk by chunk.

    Args:
        angles: [L, n], radians.
        columns: [n_rows], which column each row takes.
        scales: [n_rows].
        dtype: of the result.

    Returns:
        Two arrays [n_chunks · n_rows, LANES]; lanes left over hold something finite.
    """
    n_rows, n_chunks = len(columns), n_chunks_of(len(angles))
    angles = np.ascontiguousarray(angles, dtype)
    if len(angles) * n_rows < _WORTH_NUMPY:
        cosines = np.empty((n_chunks * n_rows, LANES), dtype)
        sines = np.empty_like(cosines)
        kernels.fill_angles(angles, columns, scales, cosines, sines)
        return cosines, sines
    padded = np.zeros((n_chunks * LANES, n_rows), dtype)
    np.multiply(angles[:, columns], scales.astype(dtype), out=padded[: len(angles)])
    stored = np.ascontiguousarray(padded.reshape(-1, LANES, n_rows).swapaxes(1, 2)).reshape(-1, LANES)
    return np.cos(stored), np.sin(stored)


def spread(n_chunks: int, n_updates: int, n_threads: int, work: Callable[[int, int], None]) -> None:
    """Runs ``work(first, last)`` over all chunks, on several threads where that pays.

    Args:
        n_chunks: how many there are.
        n_updates: row updates of all of them, a measure of the work.
        n_threads: as many as this may run at one time.
        work: computes the chunks first … last - 1; must release the GIL.
    """
    n_parts = min(n_threads, n_chunks, 1 + n_updates // WORTH_A_THREAD)
    if n_parts == 1:
        work(0, n_chunks)
        return
    edges = [n_chunks * part // n_parts for part in range(n_parts + 1)]
    futures = [_pool().submit(work, *edge) for edge in zip(edges[1:-1], edges[2:], strict=True)]
    work(*edges[:2])
    for future in futures:
        future.result()


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(n_cores(), 2), thread_name_prefix="qfl-batched")

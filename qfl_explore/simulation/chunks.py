"""How a batch becomes chunks of LANES samples, and chunks are spread over threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from qfl_explore.simulation.simd import LANES

#: Below this many row updates a second thread costs more (40 µs) than it brings.
WORTH_A_THREAD = 80_000


def n_chunks_of(n_samples: int) -> int:
    """Chunks that hold ``n_samples``."""
    return -(-n_samples // LANES)


def n_parts_of(n_chunks: int, n_updates: int, n_threads: int) -> int:
    """Into how many parts, one a thread, a call is worth splitting.

    Args:
        n_chunks: how many chunks there are.
        n_updates: row updates of one of them, a measure of its work.
        n_threads: as many as may run at one time.
    """
    return min(n_threads, n_chunks, 1 + n_chunks * n_updates // WORTH_A_THREAD)


def spread(n_chunks: int, n_parts: int, work: Callable[[int, int], None]) -> None:
    """Runs ``work(first, last)`` over all chunks, each part on a thread of its own.

    Args:
        n_chunks: how many there are.
        n_parts: 1 or more.
        work: computes the chunks first … last - 1; must release the GIL.
    """
    edges = [n_chunks * part // n_parts for part in range(n_parts + 1)]
    futures = [_pool().submit(work, *edge) for edge in zip(edges[1:-1], edges[2:], strict=True)]
    work(*edges[:2])
    for future in futures:
        future.result()


def n_cores() -> int:
    """Cores that this process may use; ``NUMBA_NUM_THREADS`` lowers it, as it does for Numba's own threads."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("NUMBA_NUM_THREADS", "")
    return min(n_cores, max(1, int(limit))) if limit.isdecimal() else n_cores


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(n_cores(), 2), thread_name_prefix="qfl-batched")

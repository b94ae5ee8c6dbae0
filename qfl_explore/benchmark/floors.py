"""The machine's limit: floating-point operations that our algorithm needs, over a measured peak.

Counted are additions and multiplications on amplitudes (a multiply-add is two) for the samples
asked for. Not counted: sines and cosines of the features, everything that the batch shares, and
lanes of a vector that no sample fills. So the share of the peak is a lower bound of how busy the
arithmetic units are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba as nb
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.simulation.batched import BatchedBackend
from qfl_explore.simulation.program import DIAGONAL, ROTATION, Program
from qfl_explore.simulation.simd import LANES, load, store
from qfl_explore.simulation.translate import MATRIX, MULTIPLEX

_PHASE = 3
_PEAK_STEPS = 1_000_000


def flops(fusion: FusionCircuit, batch_size: int) -> dict[str, int]:
    """Floating-point operations of one call of the engine ``batched``.

    Args:
        fusion: the circuit.
        batch_size: B.

    Returns:
        ``forward`` (values) and ``gradient`` (values, d_features and d_weights).
    """
    program, _ = BatchedBackend().program(fusion)
    forward = backward = 0
    for op in program.ops:
        there, back = _operation_flops(program, op)
        forward += there
        backward += back
    size = 2**program.n_qubits
    n_measured = len(set(program.local_terms[:, 0]))  # X, Y and Z of a qubit in one pass
    forward += 8 * size * n_measured + sum(2 * size if x else 4 * size for x in program.terms[:, 0])
    backward += 12 * size * n_measured + 4 * size * len(program.terms)
    return {"forward": forward * batch_size, "gradient": (forward + backward) * batch_size}


def _operation_flops(program: Program, op: np.ndarray) -> tuple[int, int]:
    """(forward, backward) for one sample; see the kernel of each kind in `simulation.gate_kernels`."""
    kind, target, mask, value, axis, at = (int(entry) for entry in op)
    size = 2**program.n_qubits
    pairs = size // 2
    if kind == ROTATION:  # one multiply-add a real number; back: two states, and X, Y, Z between them
        return 8 * pairs, (16 + 24) * pairs
    if kind == DIAGONAL:  # a complex product an amplitude; back: two states
        return 6 * size, 12 * size
    if kind == MULTIPLEX:  # only pairs that carry a feature
        active = int((program.pair_rows[at : at + pairs] >= 0).sum())
        return (6 * active, 17 * active) if axis == _PHASE else (12 * active, 33 * active)
    if kind == MATRIX:  # a controlled complex 2x2 matrix; back: two states and four overlaps
        index = np.arange(size)
        active = int(((index & (mask | target)) == value).sum())
        return 28 * active, (56 + 32) * active
    return 0, 0  # permutations move numbers only


@nb.njit(nogil=True)
def _twelve_chains(data, steps):
    a, b = load(data, 12), load(data, 13)
    v0, v1, v2, v3, v4, v5 = load(data, 0), load(data, 1), load(data, 2), load(data, 3), load(data, 4), load(data, 5)
    v6, v7, v8, v9 = load(data, 6), load(data, 7), load(data, 8), load(data, 9)
    v10, v11 = load(data, 10), load(data, 11)
    for _ in range(steps):
        v0, v1, v2, v3 = v0 * a + b, v1 * a + b, v2 * a + b, v3 * a + b
        v4, v5, v6, v7 = v4 * a + b, v5 * a + b, v6 * a + b, v7 * a + b
        v8, v9, v10, v11 = v8 * a + b, v9 * a + b, v10 * a + b, v11 * a + b
    store(data, 0, v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7 + v8 + v9 + v10 + v11)


@nb.njit(nogil=True)
def _six_chains(data, steps):
    a, b = load(data, 12), load(data, 13)
    v0, v1, v2, v3, v4, v5 = load(data, 0), load(data, 1), load(data, 2), load(data, 3), load(data, 4), load(data, 5)
    for _ in range(steps):
        v0, v1, v2, v3, v4, v5 = v0 * a + b, v1 * a + b, v2 * a + b, v3 * a + b, v4 * a + b, v5 * a + b
    store(data, 0, v0 + v1 + v2 + v3 + v4 + v5)


def measured_peak(n_threads: int = 1, rounds: int = 7) -> float:
    """The most float32 operations in a second that this machine was seen to do.

    The best of independent multiply-adds in registers (six and twelve chains, as processors differ
    in how many registers they have) and of a matrix product by NumPy's library.

    Args:
        n_threads: how many threads compute at one time, 1 or more.
        rounds: how often each is timed.

    Returns:
        Operations per second.
    """
    best = 0.0
    with ThreadPoolExecutor(n_threads) as pool:
        for chains, kernel in ((6, _six_chains), (12, _twelve_chains)):
            data = [np.full((14, LANES), 0.5, np.float32) for _ in range(n_threads)]
            work = _on_all(pool, kernel, data)
            operations = 2 * LANES * chains * _PEAK_STEPS * n_threads
            best = max(best, operations / _fastest(work, rounds))
    if n_threads > 1:  # the library's own threads; for one thread it would not keep to one
        matrix = np.ones((1024, 1024), np.float32)
        best = max(best, 2 * 1024**3 / _fastest(lambda: matrix @ matrix, rounds))
    return best


def _on_all(pool: ThreadPoolExecutor, kernel: Callable, data: list[np.ndarray]) -> Callable[[], Any]:
    return lambda: list(pool.map(lambda array: kernel(array, _PEAK_STEPS), data))


def _fastest(work: Callable[[], Any], rounds: int) -> float:
    work()  # compiles
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)

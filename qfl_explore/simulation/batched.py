"""The fast engine: compiled batched state vectors with adjoint gradients, any circuit, no compilation per circuit."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, check_option
from qfl_explore.simulation import kernels
from qfl_explore.simulation.base import Backend
from qfl_explore.simulation.program import Program, translate

#: Below this many amplitude updates a second thread costs more than it brings.
_WORTH_A_THREAD = 2_000_000
_CACHED_PROGRAMS = 64


class BatchedBackend(Backend):
    """Batched state vectors with adjoint differentiation, compiled once per installation.

    Thread-safe; releases the GIL while it computes; the result does not depend on the
    number of threads (every chunk of the batch is summed in a fixed order).

    Args:
        dtype: ``float32`` or ``float64``, of the amplitudes and the results.
        n_threads: threads for one call on large circuits; ``None``: one for each core.

    Raises:
        ValueError: an option is unknown or out of range.
    """

    name = "batched"

    def __init__(self, dtype: str = "float32", n_threads: int | None = None) -> None:
        self.dtype = np.dtype(check_option("dtype", dtype, ("float32", "float64")))
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.n_threads = cores if n_threads is None else check_int("n_threads", n_threads, 1)
        self._programs: OrderedDict[FusionConfig, tuple[Program, np.ndarray | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """State and adjoint vectors of the chunks that run at one time, in bytes."""
        n_chunks = -(-batch_size // kernels.LANES)
        n_states = 4 * min(self.n_threads, n_chunks) * kernels.LANES
        return n_states * self.dtype.itemsize * 2**fusion.n_qubits

    def program(self, fusion: FusionCircuit) -> tuple[Program, np.ndarray | None]:
        """The circuit's program, and the matrix from features to its inputs (None: identity)."""
        with self._lock:
            known = self._programs.get(fusion.config)
            if known is not None:
                self._programs.move_to_end(fusion.config)
                return known
        made = _translate_fusion(fusion)
        with self._lock:
            self._programs[fusion.config] = made
            while len(self._programs) > _CACHED_PROGRAMS:
                self._programs.popitem(last=False)
        return made

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        program, mix = self.program(fusion)
        inputs, matrices, _ = self._inputs(program, mix, features, weights)
        out = self._constants(program, len(features))
        shared = self._shared(program, matrices)

        def work(first: int, last: int) -> None:
            kernels.run_values(first, last, inputs, *shared, out)

        self._spread(program, len(features), work)
        return out

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        program, mix = self.program(fusion)
        inputs, matrices, flat = self._inputs(program, mix, features, weights)
        cotangents = np.ascontiguousarray(cotangents, self.dtype)
        out = self._constants(program, len(features))
        d_inputs = np.zeros_like(inputs)
        n_chunks = -(-len(features) // kernels.LANES)
        environments = np.empty((n_chunks, program.n_matrices, 8), self.dtype)
        shared = self._shared(program, matrices)

        def work(first: int, last: int) -> None:
            kernels.run_gradients(first, last, inputs, cotangents, *shared, out, d_inputs, environments)

        self._spread(program, len(features), work)
        total = environments.sum(axis=0, dtype=np.float64)
        d_weights = np.zeros(program.n_weights)
        kernels.weight_gradients(*_gates(program), flat, total.view(np.complex128).reshape(-1, 2, 2), d_weights)
        d_features = d_inputs if mix is None else d_inputs @ mix.astype(self.dtype)
        shape = (len(features), fusion.config.n_modalities, fusion.config.feature_dim)
        return out, d_features.reshape(shape), d_weights.reshape(fusion.weight_shape).astype(self.dtype)

    def _inputs(
        self, program: Program, mix: np.ndarray | None, features: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inputs = features.reshape(len(features), -1)
        if mix is not None:
            inputs = inputs @ mix.T
        flat = np.ascontiguousarray(weights, np.float64).ravel()
        exact = np.empty((program.n_matrices, 2, 2), np.complex128)
        kernels.build_matrices(*_gates(program), flat, exact)
        matrices = exact.view(np.float64).reshape(-1, 8).astype(self.dtype)
        return np.ascontiguousarray(inputs, self.dtype), matrices, flat

    def _shared(self, program: Program, matrices: np.ndarray) -> tuple:
        p = program
        ops = (p.kinds, p.targets, p.masks, p.values, p.axes, p.offsets, matrices, p.pair_rows, p.signs)
        rows = (p.row_features, p.row_scales)
        return (p.n_qubits, *ops, *rows, p.term_x, p.term_z, p.term_y, p.term_k, p.term_c)

    def _constants(self, program: Program, batch_size: int) -> np.ndarray:
        return np.tile(program.constants.astype(self.dtype), (batch_size, 1))

    def _spread(self, program: Program, batch_size: int, work: Callable[[int, int], None]) -> None:
        n_chunks = -(-batch_size // kernels.LANES)
        updates = n_chunks * kernels.LANES * len(program.kinds) << program.n_qubits
        n_parts = min(self.n_threads, n_chunks, 1 + updates // _WORTH_A_THREAD)
        if n_parts == 1:
            work(0, n_chunks)
            return
        edges = [n_chunks * part // n_parts for part in range(n_parts + 1)]
        futures = [self._executor().submit(work, *edge) for edge in zip(edges[1:-1], edges[2:], strict=True)]
        work(*edges[:2])
        for future in futures:
            future.result()

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.n_threads, thread_name_prefix="qfl-batched")
            return self._pool


def _gates(program: Program) -> tuple[np.ndarray, ...]:
    p = program
    return p.gate_starts, p.gate_axes, p.gate_weights, p.gate_scales, p.gate_fixed


def _translate_fusion(fusion: FusionCircuit) -> tuple[Program, np.ndarray | None]:
    config = fusion.config
    if config.signal_form == "multi_controlled" or config.encoding == "qubit_per_feature":
        program = translate(
            fusion.circuit, fusion.qubits, fusion.feature_symbols, fusion.weight_symbols, fusion.observables
        )
        return program, None
    form = fusion.physical
    n_signal = len(form.symbols) - fusion.n_weights
    program = translate(
        form.circuit, fusion.qubits, form.symbols[:n_signal], form.symbols[n_signal:], fusion.observables
    )
    return program, np.tile(form.signal_matrix, (form.degree, 1))


def warm_up() -> None:
    """Compiles the kernels, or loads them from their cache on disk."""
    fusion = FusionCircuit(FusionConfig(n_modalities=1, degree=1))
    features, weights = np.zeros((1, 1, 1)), np.zeros(fusion.weight_shape)
    cotangents = np.ones((1, fusion.n_observables))
    for dtype in ("float32", "float64"):
        backend = BatchedBackend(dtype, n_threads=1)
        backend.expectations(fusion, features, weights)
        backend.gradients(fusion, features, weights, cotangents)

"""The fast engine: compiled batched state vectors with adjoint gradients, any circuit, no compilation per circuit."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, check_option
from qfl_explore.simulation import gates, kernels, narrow
from qfl_explore.simulation.base import Backend, Forward
from qfl_explore.simulation.chunks import n_chunks_of, n_cores, rotations_of, spread
from qfl_explore.simulation.draws import can_run, run_draws
from qfl_explore.simulation.program import Program, translate
from qfl_explore.simulation.simd import LANES

_CACHED_PROGRAMS = 64
#: Bytes of final states that a forward pass may leave for the way back.
_MOST_STATES = 128 * 2**20


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
        self.n_threads = n_cores() if n_threads is None else check_int("n_threads", n_threads, 1)
        self._programs: OrderedDict[FusionConfig, tuple[Program, np.ndarray | None]] = OrderedDict()
        self._lock = threading.Lock()

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """State and adjoint vectors of the chunks that run at one time, and the diagonals, in bytes."""
        n_states = 4 * min(self.n_threads, n_chunks_of(batch_size)) * LANES
        n_diagonals = 4 * (fusion.config.degree + 2) * (fusion.config.n_blocks + 1)
        return (n_states + n_diagonals) * self.dtype.itemsize * 2**fusion.n_qubits

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
        inputs = features.reshape(len(features), -1)
        return run_program(program, inputs if mix is None else inputs @ mix.T, weights, self.dtype, self.n_threads)

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        program, mix = self.program(fusion)
        inputs = features.reshape(len(features), -1)
        values, d_inputs, d_weights = differentiate_program(
            program, inputs if mix is None else inputs @ mix.T, weights, cotangents, self.dtype, self.n_threads
        )
        d_features = d_inputs if mix is None else (d_inputs @ mix).astype(self.dtype)
        return values, d_features.reshape(features.shape), d_weights.reshape(fusion.weight_shape)

    def _draws(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray | None
    ) -> tuple[np.ndarray, ...]:
        program, mix = self.program(fusion)
        if len(features) > LANES // 2 or not can_run(program):  # a draw alone fills the lanes well enough
            return super()._draws(fusion, features, weights, cotangents)
        n_draws, n_samples = len(weights), len(features)
        flat = features.reshape(n_samples, -1)
        inputs = np.tile(flat if mix is None else flat @ mix.T, (n_draws, 1))
        pairs = np.repeat(weights.reshape(n_draws, -1), n_samples, axis=0)
        asked = None if cotangents is None else cotangents.reshape(n_draws * n_samples, -1)
        values, d_inputs, d_pairs = run_draws(program, inputs, pairs, asked, self.dtype, self.n_threads)
        values = values.reshape(n_draws, n_samples, -1)
        if cotangents is None:
            return (values,)
        d_features = d_inputs if mix is None else (d_inputs @ mix).astype(self.dtype)
        d_weights = d_pairs.reshape(n_draws, n_samples, -1).sum(axis=1)
        return values, d_features.reshape(n_draws, *features.shape), d_weights.reshape(weights.shape)

    def _pullback(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> Forward:
        program, mix = self.program(fusion)
        inputs = features.reshape(len(features), -1)
        call = _Call(program, inputs if mix is None else inputs @ mix.T, weights, self.dtype)
        states = call.keep_states()
        _run(call, self.n_threads, states)

        def pull(cotangents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            d_inputs, d_weights = _differentiate(call, np.zeros_like(call.values), cotangents, self.n_threads, states)
            d_features = d_inputs if mix is None else (d_inputs @ mix).astype(self.dtype)
            return d_features.reshape(features.shape), d_weights.reshape(fusion.weight_shape)

        return call.values, pull


def run_program(
    program: Program, inputs: np.ndarray, weights: np.ndarray, dtype: np.dtype | str = "float64", n_threads: int = 1
) -> np.ndarray:
    """Expectation values of any translated circuit.

    Args:
        program: from `translate`.
        inputs: [B, n_features], radians.
        weights: n_weights angles in any shape, radians.
        dtype: ``float32`` or ``float64``.
        n_threads: chunks of the batch that may run at one time.

    Returns:
        [B, K] of ``dtype``.
    """
    call = _Call(program, inputs, weights, np.dtype(dtype))
    _run(call, n_threads, call.no_states())
    return call.values


def differentiate_program(
    program: Program,
    inputs: np.ndarray,
    weights: np.ndarray,
    cotangents: np.ndarray,
    dtype: np.dtype | str = "float64",
    n_threads: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, and gradients of ``sum(cotangents * values)``, of any translated circuit.

    Args:
        program: from `translate`.
        inputs: [B, n_features], radians.
        weights: n_weights angles in any shape, radians.
        cotangents: [B, K].
        dtype: ``float32`` or ``float64``.
        n_threads: chunks of the batch that may run at one time.

    Returns:
        values [B, K], d_inputs [B, n_features], d_weights [n_weights] (summed over the batch).
    """
    call = _Call(program, inputs, weights, np.dtype(dtype))
    d_inputs, d_weights = _differentiate(call, call.values, cotangents, n_threads, call.no_states())
    return call.values, d_inputs, d_weights


def _run(call: _Call, n_threads: int, states: np.ndarray) -> None:
    if call.narrow:
        narrow.run(*call.narrow_shared, call.values)
        return

    def work(first: int, last: int) -> None:
        kernels.run_values(first, last, *call.shared, call.values, states)

    spread(call.n_chunks, call.work, n_threads, work)


def _differentiate(
    call: _Call, values: np.ndarray, cotangents: np.ndarray, n_threads: int, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    program = call.program
    d_inputs = np.zeros((call.n_samples, program.n_features), call.dtype)
    measured = np.zeros((call.n_samples if call.narrow else call.n_chunks, program.n_matrices, 8), call.dtype)
    cotangents = np.ascontiguousarray(cotangents, call.dtype)
    if call.narrow:
        narrow.run(*call.narrow_shared, values, cotangents, d_inputs, measured)
    else:
        rows = (program.row_features, program.row_scales)
        rest = (values, states, cotangents, call.undo, call.undone, *rows, d_inputs, measured)

        def work(first: int, last: int) -> None:
            kernels.run_gradients(first, last, *call.shared, *rest)

        spread(call.n_chunks, call.work, n_threads, work)
    d_weights = np.zeros(program.n_weights)
    total = measured.sum(axis=0, dtype=np.float64)
    gates.weight_gradients(*call.gates, call.weights, call.euler, total, d_weights)
    return d_inputs, d_weights.astype(call.dtype)


class _Call:
    """What one call prepares for all its chunks."""

    def __init__(self, program: Program, inputs: np.ndarray, weights: np.ndarray, dtype: np.dtype) -> None:
        p = self.program = program
        self.dtype = dtype
        self.n_samples = len(inputs)
        self.n_chunks = n_chunks_of(len(inputs))
        self.work = self.n_chunks * len(p.ops) << p.n_qubits
        self.weights = np.ascontiguousarray(weights, np.float64).ravel()
        self.gates = (p.gate_starts, p.gates, p.gate_scales, p.gate_fixed, p.controlled)
        self.euler = np.zeros((p.n_matrices, 5))
        matrices = np.zeros((p.n_matrices, 8))
        gates.prepare(*self.gates, self.weights, self.euler, matrices)
        n_diagonals = len(p.diagonal_starts) - 1
        forward = np.empty((n_diagonals << p.n_qubits, 2), dtype)
        self.undo, self.undone = np.empty_like(forward), np.empty(n_diagonals, dtype)
        layout = (p.n_qubits, p.diagonal_starts, p.diagonal_entries, p.diagonal_signs, p.signs)
        gates.diagonals(*layout, self.euler, forward, self.undo, self.undone)
        self.values = np.zeros((len(inputs), p.n_observables), dtype)
        self.values += p.constants
        self.narrow = narrow.can_run(p, len(inputs))
        if self.narrow:
            self.narrow_shared = (p, inputs, self.euler.astype(dtype), forward, self.undo, self.undone)
            return
        self.shared = (
            self.n_samples,
            p.n_qubits,
            len(p.row_features),
            p.ops,
            self.euler.astype(dtype),
            matrices.astype(dtype),
            forward,
            p.pair_rows,
            *rotations_of(inputs, p.row_features, p.row_scales, dtype),
            p.terms,
            p.term_coefficients,
        )

    def no_states(self) -> np.ndarray:
        """The sign for kernels that final states are not kept."""
        return np.empty((0, 0, LANES), self.dtype)

    def keep_states(self) -> np.ndarray:
        """Room for all final states, unless they are so many that going forward again is better."""
        shape = (self.n_chunks, 2 << self.program.n_qubits, LANES)
        if self.narrow or np.prod(shape) * self.dtype.itemsize > _MOST_STATES:
            return self.no_states()
        return np.empty(shape, self.dtype)


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
    for n_modalities, dtype in itertools.product((1, 128), ("float32", "float64")):  # wide and narrow kernels
        fusion = FusionCircuit(FusionConfig(n_modalities=n_modalities, degree=1))
        features, weights = np.zeros((1, n_modalities, 1)), np.zeros(fusion.weight_shape)
        cotangents = np.ones((1, fusion.n_observables))
        backend = BatchedBackend(dtype, n_threads=1)
        backend.expectations(fusion, features, weights)
        backend.gradients(fusion, features, weights, cotangents)
        backend.gradients(fusion, features, weights[None], cotangents)

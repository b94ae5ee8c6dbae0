"""The fast engine: compiled batched state vectors with adjoint gradients, any circuit, no compilation per circuit."""

from __future__ import annotations

import functools
import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, check_option
from qfl_explore.simulation import kernels
from qfl_explore.simulation.base import Backend, Forward, NotFinite
from qfl_explore.simulation.chunks import n_chunks_of, n_cores, n_parts_of, spread
from qfl_explore.simulation.draws import can_run, run_draws
from qfl_explore.simulation.program import Program, translate
from qfl_explore.simulation.simd import LANES

_CACHED_PROGRAMS = 64
#: How many times the work of going forward a gradient is.
_WAY_BACK = 3
#: Up to so many samples, on so many qubits or more, amplitudes fill the lanes better than samples do.
_FEW, _FEWEST_QUBITS = 2, 8
#: Bytes of final states that a forward pass may leave for the way back.
_MOST_STATES = 128 * 2**20
_Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


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
    finds_nonfinite = True

    def __init__(self, dtype: str = "float32", n_threads: int | None = None) -> None:
        self.dtype = np.dtype(check_option("dtype", dtype, ("float32", "float64")))
        self.n_threads = n_cores() if n_threads is None else check_int("n_threads", n_threads, 1)
        self._programs: OrderedDict[FusionConfig, tuple[Program, np.ndarray | None]] = OrderedDict()
        self._latest: tuple[FusionCircuit | None, tuple[Program, np.ndarray | None] | None] = (None, None)
        self._lock = threading.Lock()

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """What one call allocates beside its results, in bytes.

        For each thread: state and adjoint vector of a chunk, its angles, and the diagonals; for each
        chunk: what it measured.
        """
        config = fusion.config
        n_chunks = n_chunks_of(batch_size)
        n_layers = (config.degree + 1) * config.n_blocks
        states = (4 * LANES + 2 * (n_layers + config.degree + 1)) << fusion.n_qubits
        a_thread = states + 3 * LANES * config.n_features
        measured = 8 * n_chunks * n_layers * fusion.n_qubits
        return (min(self.n_threads, n_chunks) * a_thread + measured) * self.dtype.itemsize

    def program(self, fusion: FusionCircuit) -> tuple[Program, np.ndarray | None]:
        """The circuit's program, and the matrix from features to its inputs (None: identity)."""
        latest, known = self._latest  # one read, so that other threads may change it meanwhile
        if latest is fusion and known is not None:
            return known
        with self._lock:
            known = self._programs.get(fusion.config)
            if known is not None:
                self._programs.move_to_end(fusion.config)
                self._latest = (fusion, known)
                return known
        made = _translate_fusion(fusion)
        with self._lock:
            self._programs[fusion.config] = made
            self._latest = (fusion, made)
            while len(self._programs) > _CACHED_PROGRAMS:
                self._programs.popitem(last=False)
        return made

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        program, mix = self.program(fusion)
        inputs = features.reshape(len(features), -1)
        return _Call(program, inputs if mix is None else inputs @ mix.T, weights, self.dtype, self.n_threads).values()

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
        call = _Call(program, inputs if mix is None else inputs @ mix.T, weights, self.dtype, self.n_threads)
        call.keep_states()
        values = call.values()

        def pull(cotangents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            _, d_inputs, d_weights = call.gradients(cotangents, kernels.BACK)
            d_features = d_inputs if mix is None else (d_inputs @ mix).astype(self.dtype)
            return d_features.reshape(features.shape), d_weights.reshape(fusion.weight_shape)

        return values, pull


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

    Raises:
        NotFinite: an input or a weight is not.
    """
    return _Call(program, inputs, weights, np.dtype(dtype), n_threads).values()


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

    Raises:
        NotFinite: an input or a weight is not.
    """
    return _Call(program, inputs, weights, np.dtype(dtype), n_threads).gradients(cotangents)


def is_narrow(program: Program, n_samples: int) -> bool:
    """Whether amplitudes, not samples, fill the lanes: see `narrow_kernels`."""
    return n_samples <= _FEW and program.n_qubits >= _FEWEST_QUBITS and program.is_plain


class _Call:
    """One question: a program with its inputs and weights, ready for the kernels."""

    def __init__(
        self, program: Program, inputs: np.ndarray, weights: np.ndarray, dtype: np.dtype, n_threads: int
    ) -> None:
        self.program, self.dtype = program, dtype
        self.inputs = np.ascontiguousarray(inputs, dtype)
        self.weights = np.asarray(weights, np.float64).reshape(-1)
        n_samples = len(inputs)
        self.narrow = n_samples <= _FEW and is_narrow(program, n_samples)
        self.n_parts = n_samples if self.narrow else n_chunks_of(n_samples)
        self.n_threads = 1 if self.narrow or self.n_parts == 1 else n_threads
        self.nothing = _nothing(dtype)
        self.states = self.nothing.states

    def keep_states(self) -> None:
        """Keeps all final states for the way back, unless going forward again is better than so many."""
        shape = (self.n_parts, 2 << self.program.n_qubits, LANES)
        if not self.narrow and math.prod(shape) * self.dtype.itemsize <= _MOST_STATES:
            self.states = np.empty(shape, self.dtype)

    def values(self) -> np.ndarray:
        """values [B, K]."""
        nothing = self.nothing
        values = np.empty((len(self.inputs), self.program.n_observables), self.dtype)
        self._evaluate(kernels.VALUES, values, nothing.table, nothing.table, nothing.measured)
        return values

    def gradients(self, cotangents: np.ndarray, mode: int = kernels.GRADIENTS) -> _Gradients:
        """values [B, K] (not with BACK), d_inputs [B, n_features], d_weights [n_weights]."""
        program, n_samples = self.program, len(self.inputs)
        values = self.nothing.table
        if mode != kernels.BACK:
            values = np.empty((n_samples, program.n_observables), self.dtype)
        d_inputs = np.zeros((n_samples, program.n_features), self.dtype)
        d_weights = np.empty(program.n_weights, self.dtype)
        measured = np.empty((self.n_parts, program.n_matrices, 8), self.dtype)
        self._evaluate(mode, values, np.ascontiguousarray(cotangents, self.dtype), d_inputs, measured)
        kernels.finish(*program.packed, self.weights, measured, d_weights)
        return values, d_inputs, d_weights

    def _evaluate(
        self, mode: int, values: np.ndarray, cotangents: np.ndarray, d_inputs: np.ndarray, measured: np.ndarray
    ) -> None:
        n_threads, (ints, numbers) = self.n_threads, self.program.packed
        if n_threads > 1:
            n_updates = self.program.n_updates * (1 if mode == kernels.VALUES else _WAY_BACK)
            n_threads = n_parts_of(self.n_parts, n_updates, n_threads)

        def work(first: int, last: int) -> None:
            if not kernels.evaluate(
                first, last, mode, self.narrow, ints, numbers, self.inputs, self.weights, values, self.states,
                cotangents, d_inputs, measured,
            ):  # fmt: skip
                raise NotFinite

        if n_threads == 1:
            work(0, self.n_parts)
        else:
            spread(self.n_parts, n_threads, work)


class _Nothing(NamedTuple):
    """Empty stand-ins for what a call does not have."""

    states: np.ndarray
    table: np.ndarray
    measured: np.ndarray


@functools.cache
def _nothing(dtype: np.dtype) -> _Nothing:
    return _Nothing(np.empty((0, 0, LANES), dtype), np.empty((0, 0), dtype), np.empty((0, 0, 0), dtype))


def _translate_fusion(fusion: FusionCircuit) -> tuple[Program, np.ndarray | None]:
    config = fusion.config
    if config.signal_form == "multi_controlled" or config.encoding == "qubit_per_feature":
        program = translate(
            fusion.operations(), fusion.qubits, fusion.feature_symbols, fusion.weight_symbols, fusion.observables
        )
        return program, None
    form = fusion.physical
    n_signal = len(form.symbols) - fusion.n_weights
    program = translate(
        form.circuit, fusion.qubits, form.symbols[:n_signal], form.symbols[n_signal:], fusion.observables
    )
    return program, np.tile(form.signal_matrix, (form.degree, 1))


def warm_up(dtypes: Sequence[str] = ("float32", "float64"), noise: bool = True) -> None:
    """Compiles the kernels, or loads them from their cache on disk.

    Args:
        dtypes: of the amplitudes; two processes may compile one each at the same time.
        noise: those of exact noise too.
    """
    from qfl_explore.simulation import density_matrix

    for n_modalities, dtype in itertools.product((1, 128), dtypes):  # wide and narrow kernels
        fusion = FusionCircuit(FusionConfig(n_modalities=n_modalities, degree=1))
        features, weights = np.zeros((1, n_modalities, 1)), np.zeros(fusion.weight_shape)
        cotangents = np.ones((1, fusion.n_observables))
        backend = BatchedBackend(dtype, n_threads=1)
        backend.expectations(fusion, features, weights)
        backend.gradients(fusion, features, weights, cotangents)
        backend.gradients(fusion, features, weights[None], cotangents)
    if noise:
        density_matrix.warm_up()

"""Exact noisy values and gradients: density matrices as real Pauli components, batched and compiled."""

from __future__ import annotations

import functools
import math
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import cirq
import numpy as np

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.circuits.noise import STRENGTHS, NoiseModel
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, invalid
from qfl_explore.simulation import density_kernels as kernels
from qfl_explore.simulation.base import Backend, Forward
from qfl_explore.simulation.chunks import n_cores, spread
from qfl_explore.simulation.density_kernels import LANES
from qfl_explore.simulation.density_program import DensityProgram, noisy_components, pair_factor, translate

#: The largest register: 4^6 components a sample.
MAX_QUBITS = 6
_CACHED_PROGRAMS = 64
#: Bytes of tapes that a forward pass may leave for the way back.
_MOST_TAPE = 128 * 2**20
_NO_TAPE = np.empty((0, 0, 0))
_programs: OrderedDict[FusionConfig, DensityProgram] = OrderedDict()
_lock = threading.Lock()


class DensityMatrixBackend(Backend):
    """Exact expectation values under noise, with exact gradients, for up to 6 qubits.

    The circuit is its physical form, see `qfl_explore.circuits.noise`. Thread-safe; releases the
    GIL while it computes; the result does not depend on the number of threads.

    Args:
        noise: strengths of the channels; ``None``: none.
        n_threads: threads for one call; ``None``: one for each core.

    Raises:
        TypeError: an option is of the wrong kind.
        ValueError: an option is out of range.
    """

    name = "density_matrix"

    def __init__(self, noise: NoiseModel | None = None, n_threads: int | None = None) -> None:
        self.noise = check_noise(noise)
        self.n_threads = n_cores() if n_threads is None else check_int("n_threads", n_threads, 1)

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """The tape of one chunk for each thread, and the observables."""
        check_size(fusion)
        config = fusion.config
        n_taped = config.degree * (2 * config.n_slots + config.n_features) + (config.degree + 1) * (
            config.n_blocks * config.n_qubits
        )
        n_parts = min(self.n_threads, -(-batch_size // LANES))
        return 8 * 4**config.n_qubits * (n_parts * LANES * (n_taped + 2) + fusion.n_observables)

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return _Call(self, fusion, features, weights).values()

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _Call(self, fusion, features, weights).gradients(np.asarray(cotangents, np.float64))

    def _pullback(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> Forward:
        call = _Call(self, fusion, features, weights)
        call.keep_tapes()
        values = call.values()

        def pull(cotangents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return call.gradients(np.asarray(cotangents, np.float64))[1:]

        return values, pull


def check_noise(noise: Any) -> NoiseModel:
    """A `NoiseModel`; ``None`` becomes one without noise, a mapping one of these settings.

    Raises:
        TypeError: it is something else.
    """
    if noise is None:
        return NoiseModel()
    if isinstance(noise, Mapping) and set(noise) <= set(STRENGTHS):
        return NoiseModel(**noise)
    if not isinstance(noise, NoiseModel):
        expected = f"a NoiseModel, None, or a mapping with some of {', '.join(STRENGTHS)}"
        raise invalid("noise is of the wrong kind", expected, repr(noise), TypeError)
    return noise


def check_size(fusion: FusionCircuit) -> None:
    """Raises where a density matrix would be too large.

    Raises:
        ValueError: more than 6 qubits.
    """
    if fusion.n_qubits > MAX_QUBITS:
        raise invalid(
            "the register is too large for exact density matrices",
            f"at most {MAX_QUBITS} qubits, or backend 'trajectories'",
            f"{fusion.n_qubits} qubits",
        )


def program_of(fusion: FusionCircuit) -> DensityProgram:
    """The circuit's program; it serves every strength of noise, so a slider translates nothing."""
    with _lock:
        known = _programs.get(fusion.config)
        if known is not None:
            _programs.move_to_end(fusion.config)
            return known
    made = translate(fusion)
    with _lock:
        _programs[fusion.config] = made
        while len(_programs) > _CACHED_PROGRAMS:
            _programs.popitem(last=False)
    return made


class _Call:
    """One question, ready for the kernels."""

    def __init__(
        self, backend: DensityMatrixBackend, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray
    ) -> None:
        check_size(fusion)
        self.fusion, self.program, self.n_threads = fusion, program_of(fusion), backend.n_threads
        self.shape, self.n_samples = features.shape, len(features)
        program, noise = self.program, backend.noise
        self.weights = np.ascontiguousarray(weights, np.float64).reshape(-1)
        self.channels = program.channel_table(noise)
        self.factors = (program.factor_starts, program.factor_kinds, program.factor_data, self.weights, self.channels)
        matrices = np.empty((len(program.factor_starts) - 1, 3, 4))
        kernels.build(*self.factors, matrices)
        angles = fusion.physical.symbol_values(features, weights)[:, : program.n_signals]
        n_chunks = -(-self.n_samples // LANES)
        padded = np.zeros((n_chunks * LANES, program.n_signals))
        padded[: self.n_samples] = angles
        lanes = padded.reshape(n_chunks, LANES, -1).swapaxes(1, 2)  # [chunk, signal, lane]
        self.cosines, self.sines = np.cos(lanes), np.sin(lanes)
        befores, afters = (np.ascontiguousarray(self.channels[column]) for column in program.signal_channels.T)
        self.fixed = (program.n_qubits, program.ops, matrices, self.channels, befores, afters)
        self.rest = (*_pair_tables(), pair_factor(noise))
        self.observables = noisy_components(fusion, noise)
        self.n_chunks = n_chunks
        self.found = np.empty((n_chunks, LANES, fusion.n_observables))
        self.tapes: np.ndarray | None = None

    def keep_tapes(self) -> None:
        """Keeps what the way back needs, unless it is so much that going forward again is better."""
        shape = (self.n_chunks, self.program.n_taped, 4**self.program.n_qubits, LANES)
        if 8 * math.prod(shape) <= _MOST_TAPE:
            self.tapes = np.empty(shape)

    def values(self) -> np.ndarray:
        """[B, K]."""

        def work(first: int, last: int) -> None:
            state = np.empty((4**self.program.n_qubits, LANES))
            for chunk in range(first, last):
                self._forward(chunk, state, _NO_TAPE if self.tapes is None else self.tapes[chunk])

        self._spread(work)
        return self._found()

    def gradients(self, cotangents: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """values [B, K], d_features [B, M, D], d_weights."""
        program = self.program
        asked = np.zeros((self.n_chunks * LANES, self.fusion.n_observables))
        asked[: self.n_samples] = cotangents
        asked = asked.reshape(self.n_chunks, LANES, -1)
        slopes = np.zeros((self.n_chunks, program.n_signals, LANES))
        d_matrices = np.zeros((self.n_chunks, *self.fixed[2].shape))

        def work(first: int, last: int) -> None:
            shape = (4**program.n_qubits, LANES)
            state = np.empty(shape)
            tape = np.empty((program.n_taped, *shape)) if self.tapes is None else _NO_TAPE
            for chunk in range(first, last):
                if self.tapes is None:
                    self._forward(chunk, state, tape)
                else:
                    tape = self.tapes[chunk]
                bra = np.ascontiguousarray(self.observables.T @ asked[chunk].T)
                arguments: tuple[Any, ...] = (bra, tape, *self._arguments(chunk), slopes[chunk], d_matrices[chunk])
                kernels.backward(*arguments)

        self._spread(work)
        d_angles = slopes.swapaxes(1, 2).reshape(-1, program.n_signals)[: self.n_samples]
        d_weights = np.zeros(program.n_weights)
        kernels.pull(*self.factors, d_matrices.sum(axis=0), d_weights)
        d_symbols = np.concatenate([d_angles, np.zeros((self.n_samples, program.n_weights))], axis=1)
        d_features, _ = self.fusion.physical.pull_back(d_symbols)
        return self._found(), d_features.reshape(self.shape), d_weights.reshape(self.fusion.weight_shape)

    def _found(self) -> np.ndarray:
        return self.found.reshape(-1, self.fusion.n_observables)[: self.n_samples].copy()

    def _forward(self, chunk: int, state: np.ndarray, tape: np.ndarray) -> None:
        kernels.forward(state, tape, *self._arguments(chunk))
        self.found[chunk] = (self.observables @ state).T

    def _arguments(self, chunk: int) -> tuple[Any, ...]:
        return (*self.fixed, self.cosines[chunk], self.sines[chunk], *self.rest)

    def _spread(self, work: Any) -> None:
        spread(self.n_chunks, min(self.n_threads, self.n_chunks), work)


@functools.cache
def _pair_tables() -> tuple[np.ndarray, np.ndarray]:
    """images and signs [2, 16]: where CZ and CNOT take each two-qubit Pauli, from cirq's own unitaries."""
    paulis = [np.eye(2), *(cirq.unitary(gate) for gate in (cirq.X, cirq.Y, cirq.Z))]
    products = [np.kron(a, b) for a in paulis for b in paulis]
    images, signs = np.empty((2, 16), np.int64), np.empty((2, 16))
    for row, gate in enumerate((cirq.CZ, cirq.CNOT)):
        unitary = cirq.unitary(gate)
        for p, product in enumerate(products):
            moved = unitary @ product @ unitary.conj().T
            overlaps = np.array([np.trace(other @ moved).real / 4 for other in products])
            images[row, p] = np.argmax(np.abs(overlaps))
            signs[row, p] = overlaps[images[row, p]]
    return images, signs.round()


def warm_up() -> None:
    """Compiles the kernels, or loads them from their cache on disk."""
    fusion = FusionCircuit(FusionConfig(degree=1))
    features, weights = np.zeros((1, 2, 1)), np.zeros(fusion.weight_shape)
    DensityMatrixBackend(n_threads=1).gradients(fusion, features, weights, np.ones((1, fusion.n_observables)))

"""TensorFlow Quantum, the paper's stack: Adjoint gradients inside TensorFlow's graph."""

from __future__ import annotations

import collections
import dataclasses
import importlib.util
import os
import platform
import threading
from typing import Any

import cirq
import numpy as np
import sympy

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, invalid
from qfl_explore.simulation.base import Backend
from qfl_explore.simulation.legacy_keras import require_legacy_keras

#: TensorFlow Quantum's Adjoint differentiates each gate's float32 matrix by a central difference of
#: this step in the symbol, which alone leaves errors of some 1e-5 (rounding, divided by the step).
_STEP = 5e-3
#: So a gate of angle a carries the symbol a / _SCALE: the step becomes π/2 radians, rounding is
#: divided by a number of order 1, and what the difference quotient of a sine or cosine misses is an
#: exactly known factor, sin(h)/h, which is divided out. Errors fall to some 1e-7 (measured).
_SCALE = np.pi / 2.0 / _STEP
_ROTATION_FACTOR = float(np.sinc(1.0 / 4.0))  # entries vary as sin(a/2): h = π/4
_PHASE_FACTOR = float(np.sinc(1.0 / 2.0))  # entries vary as e^{ia}: h = π/2


def import_tfq() -> tuple[Any, Any]:
    """TensorFlow and TensorFlow Quantum, with Keras 2 (tf-keras) switched on first.

    Returns:
        The modules ``tensorflow`` and ``tensorflow_quantum``.

    Raises:
        ImportError: TensorFlow Quantum has no wheel for this platform or is not installed, or
            TensorFlow was imported before with Keras 3.
    """
    if importlib.util.find_spec("tensorflow_quantum") is None:
        raise invalid(
            "TensorFlow Quantum is not installed, so backend 'tfq' cannot run",
            "tensorflow-quantum 0.7.6, which has wheels for Linux on x86-64 only; backends 'batched', "
            "'qsim' and 'cirq' answer the same questions everywhere",
            f"{platform.system()} on {platform.machine()} without tensorflow_quantum",
            ImportError,
        )
    require_legacy_keras()
    import tensorflow as tf
    import tensorflow_quantum as tfq

    return tf, tfq


@dataclasses.dataclass(frozen=True)
class Conversion:
    """A fusion circuit as TensorFlow Quantum's tensors.

    Attributes:
        program: string [1], the serialised circuit.
        symbol_names: string [S], signal symbols, then weights, in the stated order.
        observables: string [1, K].
        signal_map: float32 [M·D, n_signal_symbols]; the signal gates' angles from the features.
        factors: float32 [S], by which Adjoint's difference quotients fall short of derivatives.
    """

    program: Any
    symbol_names: Any
    observables: Any
    signal_map: Any
    factors: Any


class TFQBackend(Backend):
    """Values and Adjoint gradients by TensorFlow Quantum.

    ``signal_form='multi_controlled'`` runs ``fusion.circuit`` as it stands; ``'gray_code'``
    runs ``fusion.physical`` with its angles as one matrix product of the features, because
    TensorFlow Quantum takes no sums of symbols. A circuit is converted once, and repeated for
    the batch by ``tf.tile``. Circuits enter the one ``tf.function`` as tensors, so a new
    circuit or a new batch size traces nothing anew.

    Args:
        cache_size: how many circuits stay converted (least recently used goes first).

    Raises:
        ImportError: see `import_tfq`.
        TypeError, ValueError: ``cache_size`` is not an integer of 1 or more.
    """

    name = "tfq"

    def __init__(self, cache_size: int = 32) -> None:
        self._cache_size = check_int("cache_size", cache_size, 1)
        self._tf, self._tfq = import_tfq()
        self._lock = threading.Lock()
        self._conversions: collections.OrderedDict[FusionConfig, Conversion] = collections.OrderedDict()
        differentiator = self._tfq.differentiators.Adjoint()
        self._op = differentiator.generate_differentiable_op(analytic_op=self._tfq.get_expectation_op())
        self._graph_values, self._graph_gradients = self._functions()

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """Three complex64 state vectors for each thread that works on the batch."""
        return 3 * 8 * 2**fusion.n_qubits * min(batch_size, os.cpu_count() or 1)

    def conversion(self, fusion: FusionCircuit) -> Conversion:
        """The circuit as tensors: converted once, then remembered.

        Raises:
            ValueError: the circuit has a control that accepts several values, which TensorFlow
                Quantum would silently simulate wrongly.
        """
        with self._lock:
            if fusion.config in self._conversions:
                self._conversions.move_to_end(fusion.config)
                return self._conversions[fusion.config]
            converted = self._convert(fusion)
            self._conversions[fusion.config] = converted
            if len(self._conversions) > self._cache_size:
                self._conversions.popitem(last=False)
            return converted

    def _convert(self, fusion: FusionCircuit) -> Conversion:
        config = fusion.config
        if config.signal_form == "multi_controlled" or not config.n_index_qubits:
            circuit, symbols = fusion.circuit, fusion.feature_symbols + fusion.weight_symbols
            signal_map = np.eye(config.n_features)
        else:
            circuit, symbols = fusion.physical.circuit, fusion.physical.symbols
            signal_map = np.tile(fusion.physical.signal_matrix.T, (1, config.degree))
        circuit = serialisable(circuit)
        names = [symbol.name for symbol in symbols]
        factors = _factors(circuit)
        with self._tf.init_scope():  # outside any graph that is being built
            return Conversion(
                self._tfq.convert_to_tensor([_rescaled(circuit)]),
                self._tf.constant(names),
                self._tfq.convert_to_tensor([list(fusion.observables)]),
                self._tf.constant(signal_map, self._tf.float32),
                self._tf.constant([factors[name] for name in names], self._tf.float32),
            )

    def graph_expectations(self, conversion: Conversion, features: Any, weights: Any) -> Any:
        """Values as a TensorFlow graph with Adjoint gradients: what a Keras layer calls.

        Args:
            conversion: from `conversion`.
            features: float32 tensor [B, M, D], radians.
            weights: float32 tensor of ``fusion.weight_shape``, radians.

        Returns:
            float32 tensor [B, K].
        """
        everything = (*_tensors(conversion), features, self._tf.reshape(weights, [-1]))
        return self._evaluate(*everything)  # pyright: ignore[reportCallIssue]

    def _evaluate(
        self, program: Any, names: Any, observables: Any, signal_map: Any, factors: Any, features: Any, weights: Any
    ) -> Any:
        tf = self._tf

        @tf.custom_gradient
        def symbol_values(angles: Any) -> Any:
            return angles / _SCALE, lambda upstream: upstream / (_SCALE * factors)

        n_batch = tf.shape(features)[0]
        signal = tf.reshape(features, [n_batch, tf.shape(signal_map)[0]]) @ signal_map
        angles = tf.concat([signal, tf.tile(weights[None], [n_batch, 1])], axis=1)
        observables = tf.tile(observables, [n_batch, 1])
        return self._op(tf.tile(program, [n_batch]), names, symbol_values(angles), observables)

    def _functions(self) -> tuple[Any, Any]:
        tf = self._tf
        circuit = [tf.TensorSpec(shape, tf.string) for shape in ([1], [None], [1, None])]
        matrix, vector = (tf.TensorSpec(shape, tf.float32) for shape in ([None, None], [None]))
        inputs = [*circuit, matrix, vector, tf.TensorSpec([None, None, None], tf.float32), vector]

        @tf.function(input_signature=inputs)
        def values(*arguments: Any) -> Any:
            return self._evaluate(*arguments)

        @tf.function(input_signature=[*inputs, matrix])
        def gradients(*arguments: Any) -> Any:
            *rest, cotangents = arguments
            features, weights = rest[-2:]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([features, weights])
                result = self._evaluate(*rest)
            return result, *tape.gradient(result, [features, weights], output_gradients=cotangents)

        return values, gradients

    def _arguments(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> list[Any]:
        numbers = [np.asarray(features, np.float32), np.ravel(weights).astype(np.float32)]
        return [*_tensors(self.conversion(fusion)), *map(self._tf.constant, numbers)]

    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self._graph_values(*self._arguments(fusion, features, weights)).numpy()

    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        arguments = self._arguments(fusion, features, weights)
        results = self._graph_gradients(*arguments, self._tf.constant(cotangents, self._tf.float32))
        values, d_features, d_weights = (result.numpy() for result in results)
        return values, d_features, d_weights.reshape(fusion.weight_shape)


def _tensors(conversion: Conversion) -> tuple[Any, ...]:
    c = conversion
    return c.program, c.symbol_names, c.observables, c.signal_map, c.factors


def _factors(circuit: cirq.Circuit) -> dict[str, float]:
    """For each symbol, what a central difference of π/2 radians yields of the derivative."""
    factors = {}
    for op in circuit.all_operations():
        gate = op.gate.sub_gate if isinstance(op.gate, cirq.ControlledGate) else op.gate
        rotates = isinstance(gate, cirq.Rx | cirq.Ry | cirq.Rz)
        factors |= dict.fromkeys(cirq.parameter_names(op), _ROTATION_FACTOR if rotates else _PHASE_FACTOR)
    return factors


def _rescaled(circuit: cirq.Circuit) -> cirq.Circuit:
    """The circuit with every symbol s replaced by _SCALE · s."""
    scaled = {name: _SCALE * sympy.Symbol(name) for name in cirq.parameter_names(circuit)}
    return cirq.resolve_parameters_once(circuit, scaled)


def serialisable(circuit: cirq.Circuit) -> cirq.Circuit:
    """An equal circuit that TensorFlow Quantum serialises and simulates rightly.

    cirq shortens a doubly controlled phase to ``CCZPowGate``, which TensorFlow Quantum refuses;
    it becomes a controlled ``ZPowGate`` again.

    Raises:
        ValueError: a control accepts several values: TensorFlow Quantum takes such a gate and
            simulates something else.
    """
    return cirq.Circuit(cirq.Moment(_serialisable(op) for op in moment) for moment in circuit)


def _serialisable(op: cirq.Operation) -> cirq.Operation:
    if isinstance(op.gate, cirq.ControlledGate):
        _check_control_values(op)
    if isinstance(op.gate, cirq.CCZPowGate):
        phase = cirq.ZPowGate(exponent=op.gate.exponent, global_shift=op.gate.global_shift)
        return cirq.ControlledGate(phase, num_controls=2).on(*op.qubits)
    return op


def _check_control_values(op: cirq.Operation) -> None:
    control_values = op.gate.control_values
    simple = isinstance(control_values, cirq.ProductOfSums) and all(len(values) == 1 for values in control_values)
    if not simple:
        raise invalid(
            "a control accepts several values, which TensorFlow Quantum would simulate wrongly without a word",
            "one control value for each control qubit",
            f"{op!r}",
        )

"""Keras layers. Importing this module loads TensorFlow (with tf-keras), and TFQ only if used."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from qfl_explore.circuits.ansatz import INITIALIZERS, initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.ranges import RangeWatch
from qfl_explore.simulation.base import Backend, Pull, get_backend
from qfl_explore.simulation.legacy_keras import require_legacy_keras
from qfl_explore.theory.wrap_around import natural_range

require_legacy_keras()

import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402


@tf_keras.utils.register_keras_serializable(package="qfl_explore")
class QuantumFusion(tf_keras.layers.Layer):
    """A Quantum Fusion Layer: [B, M, D] features in radians -> [B, K] expectation values.

    ``values_k = ⟨0|QFL(x)† O_k QFL(x)|0⟩`` with trainable angles. Source: arXiv:2510.06938.

    With ``backend='tfq'`` TensorFlow Quantum's own operation sits in the graph, as in the
    paper's stack. The other engines run in ``tf.numpy_function`` with their own gradients:
    the forward pass keeps its final states for the backward pass. Second derivatives are not
    available.

    Features outside ``feature_range`` wrap around (see `qfl_explore.theory.wrap_around`); the layer
    says so once, and again only when matters get worse (`watch`, a `RangeWatch`; ``watch.rearm()``
    makes it start anew, for example at the begin of every epoch).

    Args:
        config: a `FusionConfig`, or its ``to_dict()``.
        backend: the engine: ``batched``, ``tfq``, ``qsim`` or ``cirq``; under noise ``density_matrix``.
        initializer: how the angles start: ``uniform``, ``small_angle`` or ``identity_block``.
        seed: of the initializer; 0 or more.
        backend_options: options of the engine, for example ``{"dtype": "float64"}``, or
            ``{"noise": {"depolarizing_2q": 0.01}}`` of ``density_matrix``.
        feature_range: lowest and highest feature that is expected (radians); ``None`` for half a
            period of the circuit to each side, ±2π or ±π, within which no two features are the same.
        on_out_of_range: what to do with features outside: ``warn`` (an `EncodingRangeWarning`),
            ``raise`` (a ``ValueError``, inside a graph an ``InvalidArgumentError``), or ``ignore``.
        **kwargs: of ``tf_keras.layers.Layer`` (``name``, ``dtype``, ``trainable``). Angles are
            float32, or float64 with ``dtype="float64"``; they never drop to half precision.

    Raises:
        TypeError: ``config`` is neither a `FusionConfig` nor a dict of its settings.
        ValueError: an option is unknown.
        ImportError: the engine's package is not installed.
    """

    #: Layers around other circuits have other classes here.
    config_class: ClassVar[type] = FusionConfig
    circuit_class: ClassVar[type[FusionCircuit]] = FusionCircuit
    initializers: ClassVar[tuple[str, ...]] = INITIALIZERS

    def __init__(
        self,
        config: FusionConfig | Mapping[str, Any],
        backend: str = "batched",
        initializer: str = "uniform",
        seed: int = 0,
        backend_options: Mapping[str, Any] | None = None,
        feature_range: tuple[float, float] | None = None,
        on_out_of_range: str = "warn",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("autocast", False)  # half-precision policies must not round angles
        super().__init__(**kwargs)
        config = self.config_class(**config) if isinstance(config, Mapping) else config
        self.fusion = self.circuit_class(config)
        self.backend = backend
        self.initializer = check_option("initializer", initializer, self.initializers)
        self.seed = check_int("seed", seed, 0)
        self.backend_options = dict(backend_options or {})
        stated = natural_range(self.config) if feature_range is None else feature_range
        self.watch = RangeWatch(stated, on_out_of_range, f"the layer {self.name!r}")
        self._range_given = feature_range is not None
        self._engine = get_backend(backend, **self.backend_options)

    @property
    def config(self) -> FusionConfig:
        """The circuit's settings."""
        return self.fusion.config

    @property
    def n_observables(self) -> int:
        """K, the size of the output's last axis."""
        return self.fusion.n_observables

    def build(self, input_shape: Any) -> None:
        """Creates the angles, of ``config.weight_shape``."""
        self._check_shape(input_shape)
        start = self._start()
        self.angles = self.add_weight(
            name="angles",
            shape=self.config.weight_shape,
            dtype=self._angle_dtype,
            initializer=tf_keras.initializers.Constant(start),
            experimental_autocast=False,
        )
        super().build(input_shape)

    def _start(self) -> np.ndarray:
        return initial_weights(self.config, self.initializer, self.seed)

    @property
    def _angle_dtype(self) -> tf.DType:
        wide = tf.float64 if self.backend != "tfq" else tf.float32
        return wide if tf.as_dtype(self.variable_dtype or "float32") == tf.float64 else tf.float32

    def call(self, inputs: Any) -> tf.Tensor:
        """Expectation values.

        Args:
            inputs: [B, M, D] real numbers, radians.

        Returns:
            [B, K] in the layer's compute dtype.

        Raises:
            ValueError: the static shape is not [B, M, D].
            InvalidArgumentError: a number is not finite, or outside the range where that is to be raised.
        """
        self._check_shape(inputs.shape)
        message = "features must be finite. Expected: numbers without NaN or infinity. Received"
        features = tf.debugging.check_numerics(tf.cast(inputs, self._angle_dtype), message)
        angles = tf.convert_to_tensor(self.angles)
        evaluate = self._native if self.backend == "tfq" else self._through_numpy
        return tf.cast(evaluate(features, angles), self.compute_dtype)

    def _native(self, features: tf.Tensor, angles: tf.Tensor) -> tf.Tensor:
        if self.watch.on_out_of_range != "ignore":
            with tf.control_dependencies([tf.numpy_function(self.watch.look, [features], tf.int64)]):
                features = tf.identity(features)
        values = self._engine.graph_expectations(self._engine.conversion(self.fusion), features, angles)
        return tf.ensure_shape(values, [None, self.n_observables])

    def _through_numpy(self, features: tf.Tensor, angles: tf.Tensor) -> tf.Tensor:
        dtype, fusion = self._angle_dtype, self.fusion
        calls = _OpenCalls(self._engine, fusion, dtype.as_numpy_dtype, self.watch)

        @tf.custom_gradient
        def evaluate(features: tf.Tensor, angles: tf.Tensor) -> tuple[tf.Tensor, Any]:
            result, ticket = tf.numpy_function(calls.values, [features, angles], [dtype, tf.int64], stateful=False)

            def pull_back(upstream: tf.Tensor) -> list[tf.Tensor]:
                inputs = [ticket, features, angles, upstream]
                slopes = tf.numpy_function(calls.gradients, inputs, [dtype, dtype], stateful=False)
                return [tf.ensure_shape(d, x.shape) for d, x in zip(slopes, (features, angles), strict=True)]

            return tf.ensure_shape(result, [features.shape[0], fusion.n_observables]), pull_back

        return evaluate(features, angles)

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """[B, M, D] -> [B, K]."""
        self._check_shape(input_shape)
        return tf.TensorShape([tf.TensorShape(input_shape)[0], self.n_observables])

    def get_config(self) -> dict[str, Any]:
        """Plain values from which ``from_config`` makes an equal layer."""
        return {
            **super().get_config(),
            "config": self.config.to_dict(),
            "backend": self.backend,
            "initializer": self.initializer,
            "seed": self.seed,
            "backend_options": dict(self.backend_options),
            "feature_range": list(self.watch.feature_range) if self._range_given else None,
            "on_out_of_range": self.watch.on_out_of_range,
        }

    def _check_shape(self, shape: Any) -> None:
        wanted = [None, self.config.n_modalities, self.config.feature_dim]
        if not tf.TensorShape(shape).is_compatible_with(wanted):
            text = f"[B, {wanted[1]}, {wanted[2]}]"
            raise invalid(
                f"inputs of {type(self).__name__} have the wrong shape",
                f"shape {text} (batch, modality, feature)",
                f"shape {tf.TensorShape(shape)}",
            )


class _OpenCalls:
    """Forward passes that wait for their cotangents, so that no state is computed twice.

    A graph may ask for values only, or more than once for gradients: few calls are kept, and
    one that is gone is computed anew.
    """

    most = 4

    def __init__(self, engine: Backend, fusion: FusionCircuit, dtype: type[np.floating], watch: RangeWatch) -> None:
        self._engine, self._fusion, self._dtype, self._watch = engine, fusion, dtype, watch
        self._open: OrderedDict[int, Pull] = OrderedDict()
        self._tickets = itertools.count()
        self._lock = threading.Lock()

    def values(self, features: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.int64]:
        """Values [B, K] and a ticket for `gradients`."""
        self._watch.look(features)
        values, pull = self._engine.pullback(self._fusion, features, angles)
        with self._lock:
            ticket = next(self._tickets)
            self._open[ticket] = pull
            while len(self._open) > self.most:
                self._open.popitem(last=False)
        return values.astype(self._dtype, copy=False), np.int64(ticket)

    def gradients(
        self, ticket: np.ndarray, features: np.ndarray, angles: np.ndarray, upstream: np.ndarray
    ) -> list[np.ndarray]:
        """d_features and d_angles."""
        with self._lock:
            pull = self._open.pop(int(ticket), None)
        slopes = pull(upstream) if pull else self._engine.gradients(self._fusion, features, angles, upstream)[1:]
        return [slope.astype(self._dtype, copy=False) for slope in slopes]

"""One question, several engines: the `Backend` base, the registry, and the checks they share."""

from __future__ import annotations

import abc
import dataclasses
import importlib
import importlib.util
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import psutil

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import check_option, invalid


@dataclasses.dataclass(frozen=True)
class Engine:
    """What the registry knows of an engine without importing it.

    Attributes:
        module: where its backend class lives.
        attribute: the class's name.
        needs: the package that must be installed.
        gradient: how gradients come about.
        precision: floating-point type of the amplitudes by default.
        summary: one line for pages and error messages.
    """

    module: str
    attribute: str
    needs: str
    gradient: str
    precision: str
    summary: str


ENGINES: dict[str, Engine] = {
    "batched": Engine(
        "qfl_explore.simulation.batched",
        "BatchedBackend",
        "numba",
        "adjoint",
        "float32",
        "compiled batched state vectors; the fast path",
    ),
    "tfq": Engine(
        "qfl_explore.simulation.tfq",
        "TFQBackend",
        "tensorflow_quantum",
        "adjoint",
        "float32",
        "TensorFlow Quantum, the paper's stack (x86-64 Linux)",
    ),
    "qsim": Engine(
        "qfl_explore.simulation.qsim",
        "QSimBackend",
        "qsimcirq",
        "parameter_shift",
        "float32",
        "qsim state vectors, one circuit at a time",
    ),
    "cirq": Engine(
        "qfl_explore.simulation.reference",
        "CirqBackend",
        "cirq",
        "parameter_shift",
        "float64",
        "cirq in complex128: the slow truth",
    ),
}

#: Engines that run the physical form under noise: ``get_backend(name, noise=NoiseModel(...))``.
NOISY_ENGINES: dict[str, Engine] = {
    "density_matrix": Engine(
        "qfl_explore.simulation.density_matrix",
        "DensityMatrixBackend",
        "numba",
        "adjoint",
        "float64",
        "exact density matrices under noise, up to 6 qubits",
    ),
    "trajectories": Engine(
        "qfl_explore.simulation.trajectories",
        "TrajectoryBackend",
        "qsimcirq",
        "parameter_shift",
        "float32",
        "qsim's noisy trajectories: averages with standard errors",
    ),
    "tfq_noisy": Engine(
        "qfl_explore.simulation.trajectories",
        "TFQNoisyBackend",
        "tensorflow_quantum",
        "parameter_shift",
        "float32",
        "TensorFlow Quantum's noisy trajectories, as a cross-check (x86-64 Linux)",
    ),
}

#: From cotangents [B, K] to (d_features, d_weights).
Pull = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
#: Values [B, K], and the way back from them.
Forward = tuple[np.ndarray, Pull]


class NotFinite(ArithmeticError):
    """An engine met a feature or weight that is NaN or infinite."""


class Backend(abc.ABC):
    """Answers what a fusion circuit's observables are, and how they change.

    Shapes: features [B, M, D] (radians), weights of ``fusion.weight_shape`` (radians),
    values [B, K], cotangents [B, K] (the derivative of a loss with respect to the values).
    Weights may have a leading axis of W draws; then every result has it too.
    """

    name: ClassVar[str]
    #: Whether the engine itself raises `NotFinite`, so that nobody need look at every number before.
    finds_nonfinite: ClassVar[bool] = False

    def expectations(self, fusion: FusionCircuit, features: Any, weights: Any) -> np.ndarray:
        """Expectation values of all observables.

        Args:
            fusion: the circuit.
            features: [B, M, D], radians, finite.
            weights: of ``fusion.weight_shape``, or with a leading axis of W draws; radians.

        Returns:
            [B, K] (or [W, B, K]), each in [-1, 1].

        Raises:
            ValueError: a shape is wrong, a number is not finite, or memory would not do.
            TypeError: something is not an array of real numbers.
        """
        features, weights = self._checked(fusion, features, weights)
        try:
            if weights.ndim > len(fusion.weight_shape):
                return self._draws(fusion, features, weights, None)[0]
            return self._expectations(fusion, features, weights)
        except NotFinite:
            raise _not_finite(features, weights) from None

    def gradients(
        self, fusion: FusionCircuit, features: Any, weights: Any, cotangents: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values and the gradients of ``sum(cotangents * values)``.

        Args:
            fusion: the circuit.
            features: [B, M, D], radians, finite.
            weights: of ``fusion.weight_shape``, or with a leading axis of W draws; radians.
            cotangents: [B, K]; with W draws also [W, B, K].

        Returns:
            values [B, K], d_features [B, M, D], d_weights of ``fusion.weight_shape`` (summed
            over the batch); all with a leading axis W where the weights have one.

        Raises:
            ValueError: a shape is wrong, a number is not finite, or memory would not do.
            TypeError: something is not an array of real numbers.
        """
        features, weights = self._checked(fusion, features, weights)
        shape = (len(features), fusion.n_observables)
        drawn = weights.ndim > len(fusion.weight_shape)
        draws = (len(weights), *shape)
        cotangents = check_array("cotangents", cotangents, draws if drawn and np.ndim(cotangents) == 3 else shape)
        try:
            if not drawn:
                return self._gradients(fusion, features, weights, cotangents)
            values, d_features, d_weights = self._draws(fusion, features, weights, np.broadcast_to(cotangents, draws))
            return values, d_features, d_weights
        except NotFinite:
            raise _not_finite(features, weights) from None

    def pullback(self, fusion: FusionCircuit, features: Any, weights: Any) -> Forward:
        """Values now, and a function for their gradients when the cotangents are known.

        This is what training needs: the loss, and so the cotangents, follow from the values.

        Args:
            fusion: the circuit.
            features: [B, M, D], radians, finite.
            weights: of ``fusion.weight_shape``, radians, finite.

        Returns:
            values [B, K], and ``pull(cotangents [B, K]) -> (d_features, d_weights)``.

        Raises:
            ValueError: a shape is wrong, a number is not finite, or memory would not do.
            TypeError: something is not an array of real numbers.
        """
        features, weights = self._checked(fusion, features, weights)
        check_array("weights", weights, fusion.weight_shape)
        try:
            values, pull = self._pullback(fusion, features, weights)
        except NotFinite:
            raise _not_finite(features, weights) from None
        shape = (len(features), fusion.n_observables)
        return values, lambda cotangents: pull(check_array("cotangents", cotangents, shape))

    def _pullback(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> Forward:
        values = self._expectations(fusion, features, weights)
        return values, lambda cotangents: self._gradients(fusion, features, weights, cotangents)[1:]

    def _draws(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray | None
    ) -> tuple[np.ndarray, ...]:
        """Values, and with cotangents [W, B, K] both gradients, for weights [W, …]."""
        if cotangents is None:
            return (np.stack([self._expectations(fusion, features, one) for one in weights]),)
        parts = [self._gradients(fusion, features, one, c) for one, c in zip(weights, cotangents, strict=True)]
        return tuple(np.stack(part) for part in zip(*parts, strict=True))

    def _checked(self, fusion: FusionCircuit, features: Any, weights: Any) -> tuple[np.ndarray, np.ndarray]:
        if not isinstance(fusion, FusionCircuit):
            raise invalid("fusion is of the wrong kind", "a FusionCircuit", repr(type(fusion).__name__), TypeError)
        config = fusion.config
        finite = not self.finds_nonfinite
        features = check_array("features", features, (None, config.n_modalities, config.feature_dim), finite)
        shape = fusion.weight_shape
        weights = check_array("weights", weights, (None, *shape) if np.ndim(weights) > len(shape) else shape, finite)
        if len(features) << fusion.n_qubits > _FEW_AMPLITUDES:
            check_memory(self.memory_bytes(fusion, len(features)), f"{self.name} with {fusion.n_qubits} qubits")
        return features, weights

    def memory_bytes(self, fusion: FusionCircuit, batch_size: int) -> int:
        """Upper estimate of the memory one call needs, in bytes."""
        return 4 * 16 * 2**fusion.n_qubits

    @abc.abstractmethod
    def _expectations(self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray: ...

    @abc.abstractmethod
    def _gradients(
        self, fusion: FusionCircuit, features: np.ndarray, weights: np.ndarray, cotangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...


def check_array(name: str, value: Any, shape: tuple[int | None, ...], finite: bool = True) -> np.ndarray:
    """``value`` as a real, finite float array of ``shape`` (``None``: any length of 1 or more).

    float32 and float64 stay what they are; everything else becomes float64. ``finite=False`` leaves
    it to the caller to find NaN and infinity.

    Raises:
        TypeError: not numbers, or complex numbers.
        ValueError: wrong shape, or NaN or infinity.
    """
    array = np.asarray(value)
    if array.dtype.char in "fd" and _fits(array.shape, shape):
        if not finite or math.isfinite(np.vdot(array, array)):
            return array  # the common case first: small circuits take microseconds
    if array.dtype.kind not in "fiub":
        expected = f"a float array of shape {_shape_text(shape)}"
        raise invalid(f"{name} must be real numbers", expected, f"dtype {array.dtype}", TypeError)
    if not _fits(array.shape, shape):
        raise invalid(f"{name} has the wrong shape", f"shape {_shape_text(shape)}", f"shape {list(array.shape)}")
    if array.dtype not in _FLOATS:
        array = array.astype(np.float64)
    if finite:
        _check_finite(name, array)
    return array


def _check_finite(name: str, array: np.ndarray) -> None:
    if not np.isfinite(array).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise invalid(f"{name} must be finite", "numbers without NaN or infinity", f"{array[bad]} at index {list(bad)}")


def _not_finite(features: np.ndarray, weights: np.ndarray) -> Exception:
    """What to raise where an engine met a number that is not finite."""
    for name, array in (("features", features), ("weights", weights)):
        _check_finite(name, array)
    return invalid("an angle is not finite", "features and weights far below the largest float", "an overflow")


def _fits(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    if wanted and wanted[0] is None:
        return len(got) == len(wanted) and got[0] > 0 and got[1:] == wanted[1:]
    return got == wanted


def _shape_text(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("B" if size is None else str(size) for size in shape) + "]"


def check_memory(n_bytes: int, what: str) -> None:
    """Raises before an allocation that cannot fit.

    Raises:
        ValueError: ``n_bytes`` exceeds 80 % of the memory that is available now.
    """
    if n_bytes < _ALWAYS_FITS:
        return
    available = psutil.virtual_memory().available
    if n_bytes > 0.8 * available:
        raise invalid(
            f"{what} needs too much memory",
            f"at most 80 % of the {available / 2**30:.3g} GiB that are available",
            f"{n_bytes / 2**30:.3g} GiB",
        )


_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
#: So many amplitudes fit any engine; even adding up what they need takes as long as a small circuit.
_FEW_AMPLITUDES = 2**14
#: Asking the system what is free takes as long as a small circuit, too.
_ALWAYS_FITS = 64 * 2**20

_instances: dict[tuple[str, tuple[tuple[str, Any], ...]], Backend] = {}
_lock = threading.Lock()


def get_backend(name: str = "batched", **options: Any) -> Backend:
    """The engine of that name; one instance for each name and options, shared by all threads.

    Args:
        name: ``batched``, ``tfq``, ``qsim`` or ``cirq``; under noise ``density_matrix``,
            ``trajectories`` or ``tfq_noisy``.
        **options: what the engine's class takes, for example ``dtype="float64"`` (batched) or
            ``noise=NoiseModel(depolarizing_2q=0.01)`` (density_matrix).

    Returns:
        A `Backend`.

    Raises:
        ValueError: the engine is unknown.
        ImportError: the engine's package is not installed here; the message says which
            engines are.
    """
    engine = _engine(check_option("backend", name, (*ENGINES, *NOISY_ENGINES)))
    if not is_available(name):
        others = ", ".join(repr(other) for other in ENGINES if is_available(other))
        raise invalid(
            f"backend {name!r} is not available on this machine",
            f"the package {engine.needs!r} to be installed ({engine.summary}); available here: {others}",
            f"no module named {engine.needs!r}",
            ImportError,
        )
    key = (name, tuple((option, _hashable(option, value)) for option, value in sorted(options.items())))
    with _lock:
        if key not in _instances:
            factory = getattr(importlib.import_module(engine.module), engine.attribute)
            _instances[key] = factory(**options)
        return _instances[key]


def is_available(name: str) -> bool:
    """Whether the engine's package is installed (it is not imported)."""
    return importlib.util.find_spec(_engine(name).needs) is not None


def _hashable(option: str, value: Any) -> Any:
    """What tells an option's value from others; a mapping counts by its items."""
    key = tuple(sorted(value.items())) if isinstance(value, Mapping) else value
    try:
        hash(key)
    except TypeError:
        expected = "a plain value, a frozen settings object, or a mapping of plain values"
        raise invalid(f"option {option} is of the wrong kind", expected, repr(value), TypeError) from None
    return key


def _engine(name: str) -> Engine:
    return ENGINES[name] if name in ENGINES else NOISY_ENGINES[name]

"""A fusion circuit with a linear readout, trained through its engine alone.

This is the model of the live pages: no encoder, no deep-learning framework, so a step costs
about what the circuit costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qfl_explore.circuits.ansatz import initial_weights
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.errors import invalid
from qfl_explore.ranges import RangeWatch
from qfl_explore.simulation.base import Backend, check_array
from qfl_explore.theory.wrap_around import natural_range

Params = dict[str, np.ndarray]


class CircuitRegression:
    """``y(x) = bias + Σ_k readout_k · ⟨O_k⟩(x; weights)`` and its mean squared error.

    The readout is linear, so the model's Fourier spectrum is that of the circuit (and a
    constant). Source: the circuit is arXiv:2510.06938; the bare linear readout on it is our
    construction.

    Parameters are a dictionary: ``weights`` of ``fusion.weight_shape`` (radians), ``readout``
    [K] and ``bias`` [] (a 0-dimensional array), all float64 whatever the engine computes in.

    Args:
        fusion: the circuit.
        backend: the engine that answers.
        on_out_of_range: what to do with features outside the circuit's own range (half a period to
            each side), which wrap around: ``warn`` (an `EncodingRangeWarning`), ``raise``, ``ignore``.

    Raises:
        TypeError: ``fusion`` or ``backend`` is of the wrong kind.
        ValueError: the option is unknown.
    """

    def __init__(self, fusion: FusionCircuit, backend: Backend, on_out_of_range: str = "warn") -> None:
        if not isinstance(fusion, FusionCircuit):
            raise invalid(
                "fusion is of the wrong kind",
                "a FusionCircuit",
                repr(fusion),
                TypeError,
            )
        if not isinstance(backend, Backend):
            raise invalid(
                "backend is of the wrong kind",
                "a Backend from get_backend",
                repr(backend),
                TypeError,
            )
        self.fusion = fusion
        self.backend = backend
        self.watch = RangeWatch(natural_range(fusion.config), on_out_of_range, "the circuit with a linear readout")

    @property
    def n_parameters(self) -> int:
        """Trainable numbers: circuit weights, K readout factors and the bias."""
        return self.fusion.n_weights + self.fusion.n_observables + 1

    def initial(self, seed: int = 0, initializer: str = "uniform") -> Params:
        """Where training starts; the same seed always gives the same parameters.

        Circuit weights come from the initialiser, every readout factor is 1 and the bias 0.

        Args:
            seed: of the draw; 0 or more.
            initializer: ``uniform``, ``small_angle`` or ``identity_block``.
        """
        return {
            "weights": initial_weights(self.fusion.config, initializer, seed),
            "readout": np.ones(self.fusion.n_observables),
            "bias": np.zeros(()),
        }

    def predict(self, params: Mapping[str, np.ndarray], x: Any) -> np.ndarray:
        """Predictions [B] at features [B, F] (or [B, M, D]), radians."""
        params = self.checked(params)
        values = self.backend.expectations(self.fusion, self._watched(x), params["weights"])
        return _affine(values, params)

    def loss_and_grad(self, params: Mapping[str, np.ndarray], x: Any, y: Any) -> tuple[float, Params]:
        """Mean squared error and its gradient with respect to every parameter.

        Args:
            params: ``weights``, ``readout`` and ``bias``.
            x: features [B, F] or [B, M, D], radians.
            y: targets [B].

        Returns:
            The loss, and gradients with the names and shapes of ``params``.

        Raises:
            ValueError: a shape is wrong or a number is not finite.
        """
        params = self.checked(params)
        features = self._watched(x)
        y = np.asarray(check_array("y", y, (len(features),)), np.float64)
        values, pullback = self.backend.pullback(self.fusion, features, params["weights"])
        residual = _affine(values, params) - y
        pull = 2.0 * residual / len(y)
        _, d_weights = pullback(pull[:, None] * params["readout"])
        grads = {
            "weights": np.asarray(d_weights, np.float64),
            "readout": np.asarray(values, np.float64).T @ pull,
            "bias": np.asarray(pull.sum()),
        }
        return float(np.mean(residual**2)), grads

    def features(self, x: Any) -> np.ndarray:
        """``x`` as [B, M, D], from [B, M·D] (modality-major) or [B, M, D]."""
        config = self.fusion.config
        shape = (config.n_modalities, config.feature_dim)
        x = np.asarray(x)
        if x.ndim == 3:
            return check_array("x", x, (None, *shape))
        return check_array("x", x, (None, config.n_features)).reshape(len(x), *shape)

    def _watched(self, x: Any) -> np.ndarray:
        features = self.features(x)
        self.watch.look(features)
        return features

    def checked(self, params: Mapping[str, np.ndarray]) -> Params:
        """``params`` as float64 arrays of the right names and shapes; otherwise raises."""
        shapes = {
            "weights": self.fusion.weight_shape,
            "readout": (self.fusion.n_observables,),
            "bias": (),
        }
        if set(params) != set(shapes):
            raise invalid(
                "params has the wrong names",
                f"exactly {sorted(shapes)}",
                f"{sorted(params)}",
            )
        arrays = {name: check_array(name, params[name], shape) for name, shape in shapes.items()}
        return {name: np.asarray(array, np.float64) for name, array in arrays.items()}


def _affine(values: np.ndarray, params: Params) -> np.ndarray:
    return np.asarray(values, np.float64) @ params["readout"] + params["bias"]

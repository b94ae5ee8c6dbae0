"""U(θ): blocks of RX, RY, RZ on every qubit and an entangler of CZ gates, and how θ starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cirq
import numpy as np

from qfl_explore.circuits.encoding import Angle
from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, check_option, invalid

INITIALIZERS = ("uniform", "small_angle", "identity_block")
ROTATIONS = (cirq.rx, cirq.ry, cirq.rz)


def entangled_pairs(entangler: str, n_qubits: int) -> list[tuple[int, int]]:
    """Pairs of qubits that one block joins by CZ.

    >>> entangled_pairs("ring", 4)
    [(0, 1), (1, 2), (2, 3), (0, 3)]
    >>> entangled_pairs("full", 3)
    [(0, 1), (0, 2), (1, 2)]
    """
    if entangler == "full":
        return [(a, b) for a in range(n_qubits) for b in range(a + 1, n_qubits)]
    pairs = [(a, a + 1) for a in range(n_qubits - 1)]
    if entangler == "ring" and n_qubits > 2:
        pairs.append((0, n_qubits - 1))
    return pairs


def ansatz_operations(
    config: FusionConfig, qubits: Sequence[cirq.Qid], angles: np.ndarray | Sequence[Angle]
) -> Iterator[cirq.Operation]:
    """One U(θ): ``n_blocks`` times (RX, RY, RZ on every qubit, then CZ on the pairs).

    Source: arXiv:2510.06938 (fully entangled Rx/Ry/Rz blocks); CZ as the entangler, and
    ``ring`` and ``linear``, are our construction.

    Args:
        config: the layer's settings.
        qubits: all qubits.
        angles: ``n_blocks * n_qubits * 3`` angles (radians) or symbols, in C order.
    """
    remaining = iter(angles)
    pairs = entangled_pairs(config.entangler, len(qubits))
    for _ in range(config.n_blocks):
        for qubit in qubits:
            for rotation in ROTATIONS:
                yield rotation(next(remaining)).on(qubit)
        for a, b in pairs:
            yield cirq.CZ(qubits[a], qubits[b])


def initial_weights(
    config: FusionConfig, initializer: str = "uniform", seed: int = 0, scale: float = 0.1
) -> np.ndarray:
    """Draws starting weights.

    - ``uniform``: every angle uniform in [-π, π).
    - ``small_angle``: every angle normal with standard deviation ``scale``.
    - ``identity_block``: U_0 uniform (so that the index register is in superposition and no
      feature is unreachable at the start); every later U starts as the identity for an even
      ``n_blocks`` and as its bare entangler for an odd one: RX = RY = 0 and RZ angles that
      cancel in pairs of blocks. The idea is Grant et al., arXiv:1903.05076; this form, which
      fits RX·RY·RZ + CZ blocks, is our construction.

    Args:
        config: the layer's settings; gives the shape.
        initializer: one of ``INITIALIZERS``.
        seed: of the draw; 0 or more.
        scale: standard deviation in radians of ``small_angle``; more than 0.

    Returns:
        float64 array of ``config.weight_shape``, in radians.
    """
    rng = np.random.default_rng(check_int("seed", seed, 0))
    return draw_weights(config, initializer, rng, 1, scale)[0]


def draw_weights(
    config: FusionConfig, initializer: str, rng: np.random.Generator, n_draws: int, scale: float = 0.1
) -> np.ndarray:
    """Many independent draws of what `initial_weights` draws.

    Args:
        config: the layer's settings; gives the shape.
        initializer: one of ``INITIALIZERS``.
        rng: where the numbers come from.
        n_draws: W, how many weight vectors.
        scale: standard deviation in radians of ``small_angle``; more than 0.

    Returns:
        float64 array [W, *config.weight_shape], in radians.
    """
    check_option("initializer", initializer, INITIALIZERS)
    shape = (n_draws, *config.weight_shape)
    if initializer == "small_angle":
        if not scale > 0:
            raise invalid("scale is out of range", "a number above 0 (radians)", f"scale={scale!r}")
        return rng.normal(0.0, scale, shape)
    weights = rng.uniform(-np.pi, np.pi, shape)
    if initializer == "identity_block":
        later = weights[:, 1:]
        later[..., :2] = 0.0
        n_pairs = config.n_blocks // 2
        later[:, :, 1 : 2 * n_pairs : 2, :, 2] = -later[:, :, 0 : 2 * n_pairs : 2, :, 2]
        later[:, :, 2 * n_pairs :] = 0.0
    return weights

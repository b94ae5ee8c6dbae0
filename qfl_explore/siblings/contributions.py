"""What each modality says alone, what their product says, and what only their entanglement says.

The QCNN is a fixed unitary V once it is trained, so its observables are ``A_k = V† O_k V`` on the state
``ρ`` that the fusion block leaves. With ``ρ_m`` the state of modality m alone and I/d the state that says
nothing, every value splits exactly:

    Tr(ρ A) =  Tr(A)/2^n                                     the constant
             + Σ_m [Tr((ρ_m ⊗ I/d…) A) - the constant]       each modality alone
             + [Tr((⊗_m ρ_m) A) - all of the above]          their product: decided without entanglement
             + Tr((ρ - ⊗_m ρ_m) A)                           the joint term: 0 for every product state

Source: arXiv:2601.07856 asks for interpretability at decision level; this split is our construction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cirq
import numpy as np

from qfl_explore.circuits.feature_entanglement import FeatureEntanglementCircuit
from qfl_explore.errors import invalid
from qfl_explore.simulation.base import check_array, get_backend

#: A_k are matrices of 4^n entries.
MAX_QUBITS = 10
#: Complex numbers that one chunk of samples may hold.
_CHUNK = 2**22
_PAULIS = {cirq.Rx: cirq.unitary(cirq.X), cirq.Ry: cirq.unitary(cirq.Y), cirq.Rz: cirq.unitary(cirq.Z)}


@dataclasses.dataclass(frozen=True, eq=False)
class Contributions:
    """Parts of values; ``constant + own.sum(modalities) + product + joint`` are the values.

    Attributes:
        constant: [K].
        own: [B, M, K].
        product: [B, K].
        joint: [B, K].
    """

    constant: np.ndarray
    own: np.ndarray
    product: np.ndarray
    joint: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """[B, K], what the circuit gives."""
        return self.constant + self.own.sum(axis=1) + self.product + self.joint

    def through(self, kernel: np.ndarray, bias: np.ndarray) -> Contributions:
        """The same parts of ``values @ kernel + bias``, the logits of a linear head.

        Args:
            kernel: [K, C].
            bias: [C].
        """
        return Contributions(
            self.constant @ kernel + bias, self.own @ kernel, self.product @ kernel, self.joint @ kernel
        )


def contributions(fusion: FeatureEntanglementCircuit, features: np.ndarray, weights: np.ndarray) -> Contributions:
    """Splits every value of the network.

    Args:
        fusion: of at most 10 qubits.
        features: [B, M, D], radians.
        weights: [n_weights], radians.

    Raises:
        ValueError: a shape is wrong, or the register is too large.
    """
    config = fusion.config
    if config.n_qubits > MAX_QUBITS:
        received = f"{config.n_qubits} qubits"
        raise invalid("contributions need whole matrices", f"at most {MAX_QUBITS} qubits", received)
    features = check_array("features", features, (None, config.n_modalities, config.feature_dim))
    weights = np.asarray(check_array("weights", weights, fusion.weight_shape), np.float64)
    matrices = _effective(fusion, weights)
    size = max(1, _CHUNK >> (2 * config.n_qubits))
    parts = [
        _split(fusion, fused_states(fusion, features[first : first + size], weights), matrices)
        for first in range(0, len(features), size)
    ]
    constant = parts[0][0]
    own, product, joint = (np.concatenate([part[i] for part in parts]) for i in (1, 2, 3))
    return Contributions(constant, own, product, joint)


def joint_readings(
    fusion: FeatureEntanglementCircuit, features: np.ndarray, weights: np.ndarray, backend: str = "batched"
) -> tuple[np.ndarray, np.ndarray]:
    """What a device would read right after the fusion block: linear cost, any engine.

    Args:
        fusion: the network; its QCNN is left out.
        features: [B, M, D], radians.
        weights: [n_weights] of the network, radians.
        backend: the engine.

    Returns:
        ⟨Z⟩ of every qubit [B, n], and ``⟨Z_a Z_b⟩ - ⟨Z_a⟩⟨Z_b⟩`` of every joined pair [B, pairs].
    """
    config = fusion.config.replace(qcnn=False)
    block = FeatureEntanglementCircuit(config)
    own = np.asarray(weights)[: config.n_fusion_weights]
    values = get_backend(backend).expectations(block, features, own).astype(np.float64)
    single, pairs = values[:, : config.n_qubits], values[:, config.n_qubits :]
    first, second = np.array(config.joined, int).reshape(-1, 2).T
    return single, pairs - single[:, first] * single[:, second]


def fused_states(fusion: FeatureEntanglementCircuit, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """States [B, 2^n] after the fusion block, complex128, the first qubit most significant."""
    config, n = fusion.config, fusion.n_qubits
    place = {symbol.name: i for i, symbol in enumerate((*fusion.feature_symbols, *fusion.weight_symbols))}
    shared = np.broadcast_to(np.ravel(weights), (len(features), np.size(weights)))
    angles = np.concatenate([np.asarray(features, np.float64).reshape(len(features), -1), shared], axis=1)
    states = np.zeros((len(features), *(2,) * n), np.complex128)
    states[(slice(None), *(0,) * n)] = 1.0
    block = fusion.fusion_block(fusion.feature_symbols, iter(fusion.weight_symbols))
    for op in block:
        axes = tuple(1 + fusion.qubits.index(qubit) for qubit in op.qubits)
        if cirq.is_parameterized(op):
            (name,) = cirq.parameter_names(op)
            states = _rotate(states, _PAULIS[type(op.gate)], angles[:, place[name]], axes[0])
        else:
            states = cirq.apply_unitary(op, cirq.ApplyUnitaryArgs(states, np.empty_like(states), axes))
    return states.reshape(len(features), 2**config.n_qubits)


def _rotate(states: np.ndarray, pauli: np.ndarray, angles: np.ndarray, axis: int) -> np.ndarray:
    turned = np.moveaxis(np.tensordot(pauli, states, axes=(1, axis)), 0, axis)
    half = (angles / 2).reshape(-1, *(1,) * (states.ndim - 1))
    return np.cos(half) * states - 1j * np.sin(half) * turned


def _effective(fusion: FeatureEntanglementCircuit, weights: np.ndarray) -> np.ndarray:
    """A_k = V† O_k V [K, 2^n, 2^n] of the QCNN."""
    own = iter(weights[fusion.config.n_fusion_weights :].tolist())
    network = cirq.Circuit(fusion.network(own)) if fusion.config.qcnn else cirq.Circuit()
    unitary = network.unitary(qubit_order=fusion.qubits, qubits_that_should_be_present=fusion.qubits)
    found = [o.matrix(fusion.qubits) for o in fusion.observables]
    return np.stack([unitary.conj().T @ matrix @ unitary for matrix in found])


def _split(fusion: FeatureEntanglementCircuit, states: np.ndarray, matrices: np.ndarray) -> tuple[np.ndarray, ...]:
    n_modalities, size = fusion.config.n_modalities, 2**fusion.config.register_size
    values = np.einsum("bi,kij,bj->bk", states.conj(), matrices, states, optimize=True).real
    alone = list(_reduced(states, n_modalities, size))
    tensor = _by_modality(matrices, n_modalities, size)
    nothing = np.broadcast_to(np.eye(size).ravel() / size, (len(states), size * size))
    constant = _contracted(tensor, [nothing[:1]] * n_modalities)[0]
    own = [
        _contracted(tensor, [rho if j == m else nothing for j, rho in enumerate(alone)]) for m in range(n_modalities)
    ]
    own = np.stack(own, axis=1) - constant
    together = _contracted(tensor, alone)
    return constant, own, together - constant - own.sum(axis=1), values - together


def _reduced(states: np.ndarray, n_modalities: int, size: int) -> Iterator[np.ndarray]:
    """ρ_m as [B, size²], one a modality."""
    for m in range(n_modalities):
        parts = states.reshape(len(states), size**m, size, -1)
        yield np.einsum("baic,bajc->bij", parts, parts.conj()).reshape(len(states), -1)


def _by_modality(matrices: np.ndarray, n_modalities: int, size: int) -> np.ndarray:
    """[K, 2^n, 2^n] -> [size², …, size², K], each place the pair (column, row) of one modality."""
    split = matrices.reshape(len(matrices), *(size,) * (2 * n_modalities))
    order = [axis for m in range(n_modalities) for axis in (1 + n_modalities + m, 1 + m)]
    return split.transpose(*order, 0).reshape(*(size * size,) * n_modalities, len(matrices))


def _contracted(tensor: np.ndarray, states: list[np.ndarray]) -> np.ndarray:
    """Tr(⊗ρ_m A_k) [B, K]."""
    found = np.tensordot(states[0], tensor, axes=(1, 0))
    for rho in states[1:]:
        found = np.einsum("bi,bi...->b...", rho, found)
    return found.real

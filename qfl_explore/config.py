"""What a user may choose about a Quantum Fusion Layer: frozen, validated, with a stable id."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from functools import cached_property
from typing import Any, TypeVar

from qfl_explore.errors import check_int, check_option, invalid

ENCODINGS = ("qubit_efficient", "qubit_per_feature")
SIGNALS = ("ry", "rx", "rz", "phase")
SIGNAL_FORMS = ("multi_controlled", "gray_code")
MEASUREMENTS = ("random_pauli_plane", "computational", "pauli", "all_pauli", "local_z", "global_z")
ENTANGLERS = ("full", "ring", "linear")

#: Hard ceiling on the register: beyond this no engine here can hold a state vector.
MAX_QUBITS = 30
#: ``all_pauli`` measures 4^n - 1 observables, so it is offered on small registers only.
MAX_ALL_PAULI_QUBITS = 6
_Config = TypeVar("_Config")


class Settings:
    """What every frozen config dataclass can do."""

    def replace(self: _Config, **changes: Any) -> _Config:
        """A copy with some settings changed, validated anew."""
        return dataclasses.replace(self, **changes)

    @property
    def run_id(self) -> str:
        """A short id of the settings; defaults are left out, so new settings keep old ids."""
        return run_id(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FusionConfig(Settings):
    """Settings of one Quantum Fusion Layer ``U_P S(x) U_{P-1} … S(x) U_0 |0…0⟩``.

    Source: the alternation, the qubit-efficient encoding, the Rx/Ry/Rz blocks and the
    random Pauli-plane measurement follow arXiv:2510.06938; the register size
    ``n = 1 + ceil(log2(M·D + 1))`` is derived from its theorem. The signals other than
    ``ry``, the other measurements, the contrast encoding and the entanglers ``ring`` and
    ``linear`` are our construction.

    Args:
        n_modalities: M, the number of modalities, 1 or more.
        feature_dim: D, features per modality, 1 or more.
        degree: P, how often the signal S(x) is called, 1 or more.
        n_blocks: Rx/Ry/Rz + entangler blocks in each U, 1 or more.
        encoding: ``qubit_efficient`` (index and value register) or ``qubit_per_feature``.
        signal: the rotation by x radians: ``ry``, ``rx``, ``rz``, or ``phase`` = diag(1, e^{ix}).
        signal_form: how the circuit writes S(x): ``multi_controlled`` rotations, or the
            exactly equal uncontrolled ``gray_code`` form (UCRY). ``qubit_per_feature`` has
            one form only and ignores it.
        constant_slot: whether the index register keeps one slot with R(0) = I (the
            analogue of the 1 that low-rank fusion appends). ``qubit_per_feature`` ignores it.
        measurement: ``random_pauli_plane``, ``computational``, ``pauli``, ``all_pauli``,
            ``local_z`` (Z on the first value qubit) or ``global_z`` (Z on every qubit).
        n_observables: K; ``None`` for the measurement's natural number.
        entangler: which pairs of qubits a CZ joins: ``full``, ``ring`` or ``linear``.
        seed: draws the random measurement; 0 or more.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.

    >>> FusionConfig(n_modalities=3, feature_dim=2, degree=4).n_qubits
    4
    >>> FusionConfig(n_modalities=207).n_qubits
    9
    """

    n_modalities: int = 2
    feature_dim: int = 1
    degree: int = 3
    n_blocks: int = 1
    encoding: str = "qubit_efficient"
    signal: str = "ry"
    signal_form: str = "multi_controlled"
    constant_slot: bool = True
    measurement: str = "random_pauli_plane"
    n_observables: int | None = None
    entangler: str = "full"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_modalities", "feature_dim", "degree", "n_blocks"):
            object.__setattr__(self, name, check_int(name, getattr(self, name), 1))
        object.__setattr__(self, "seed", check_int("seed", self.seed, 0))
        check_option("encoding", self.encoding, ENCODINGS)
        check_option("signal", self.signal, SIGNALS)
        check_option("signal_form", self.signal_form, SIGNAL_FORMS)
        check_option("measurement", self.measurement, MEASUREMENTS)
        check_option("entangler", self.entangler, ENTANGLERS)
        if not isinstance(self.constant_slot, bool):
            raise invalid(
                "constant_slot must be a boolean", "True or False", f"constant_slot={self.constant_slot!r}", TypeError
            )
        self._check_register()
        self._check_observables()

    def _check_register(self) -> None:
        if self.n_qubits > MAX_QUBITS:
            exponent = self.n_qubits + 3 - 30  # 2^3 bytes an amplitude, in GiB
            size = f"{2.0**exponent:.3g}" if exponent < 100 else f"2^{exponent}"
            raise invalid(
                f"n_modalities={self.n_modalities} and feature_dim={self.feature_dim} need too large a register "
                f"with encoding={self.encoding!r}",
                f"at most {MAX_QUBITS} qubits",
                f"{self.n_qubits} qubits, a state vector of {size} GiB",
            )

    def _check_observables(self) -> None:
        if self.measurement == "all_pauli" and self.n_qubits > MAX_ALL_PAULI_QUBITS:
            raise invalid(
                "measurement='all_pauli' measures 4^n - 1 observables and is for small registers only",
                f"at most {MAX_ALL_PAULI_QUBITS} qubits",
                f"n_qubits={self.n_qubits}, that is {4**self.n_qubits - 1} observables",
            )
        if self.n_observables is None:
            return
        limit = {
            "random_pauli_plane": None,
            "computational": 2**self.n_qubits - 1,
            "pauli": 3 * self.n_qubits,
            "all_pauli": 4**self.n_qubits - 1,
            "local_z": 1,
            "global_z": 1,
        }[self.measurement]
        count = check_int(f"n_observables of measurement={self.measurement!r}", self.n_observables, 1, limit)
        object.__setattr__(self, "n_observables", count)

    @cached_property
    def n_features(self) -> int:
        """M·D, the number of features of one sample."""
        return self.n_modalities * self.feature_dim

    @cached_property
    def n_index_qubits(self) -> int:
        """Qubits of the index register (0 where one qubit carries one feature)."""
        if self.encoding == "qubit_per_feature":
            return 0
        return math.ceil(math.log2(self.n_features + int(self.constant_slot)))

    @cached_property
    def n_value_qubits(self) -> int:
        """Qubits that the signal rotates."""
        return self.n_features if self.encoding == "qubit_per_feature" else 1

    @cached_property
    def n_qubits(self) -> int:
        """n, all qubits of the circuit."""
        return self.n_index_qubits + self.n_value_qubits

    @cached_property
    def n_slots(self) -> int:
        """2^(index qubits): features, then the constant slot, then padding (identity)."""
        return 2**self.n_index_qubits

    @cached_property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Shape of the weights: (degree + 1, n_blocks, n_qubits, 3), axes Rx, Ry, Rz last."""
        return (self.degree + 1, self.n_blocks, self.n_qubits, 3)

    @cached_property
    def n_weights(self) -> int:
        """Number of trainable angles."""
        return math.prod(self.weight_shape)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values; ``FusionConfig(**config.to_dict())`` gives it back."""
        return dataclasses.asdict(self)


def run_id(config: Any) -> str:
    """Stable id of any frozen config dataclass: 12 hexadecimal digits of SHA-256.

    Fields at their default are left out, so that adding a field later changes no id.

    Args:
        config: a dataclass instance whose fields are plain values, tuples or configs.

    Returns:
        12 hexadecimal digits.
    """
    text = json.dumps(_changed_fields(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _changed_fields(config: Any) -> dict[str, Any]:
    changed: dict[str, Any] = {"": type(config).__name__}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        default = field.default
        if callable(field.default_factory):  # MISSING is another one in a class that was sent to a worker
            default = field.default_factory()
        if value != default:
            changed[field.name] = _changed_fields(value) if dataclasses.is_dataclass(value) else value
    return changed

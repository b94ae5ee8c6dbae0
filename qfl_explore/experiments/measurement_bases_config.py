"""Settings of the experiment on measurement bases."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from qfl_explore.circuits.ansatz import INITIALIZERS
from qfl_explore.config import ENCODINGS, ENTANGLERS, SIGNALS, FusionConfig, Settings
from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.experiments.targets import TARGETS
from qfl_explore.optimizers import check_positive
from qfl_explore.simulation.base import ENGINES

#: The bases that are compared, the paper's first.
BASES: dict[str, str] = {
    "random_pauli_plane": "random Pauli plane",
    "computational": "computational",
    "pauli": "Pauli X, Y, Z",
    "all_pauli": "all Pauli strings",
}
TASKS: dict[str, str] = {
    "polynomial": "random polynomials, a new one each seed",
    "breast_cancer": "breast cancer, three modalities",
}
#: Targets of the task ``polynomial``; random ones are drawn anew for every seed.
KINDS = tuple(kind for kind in TARGETS if kind not in ("formula", "table"))
#: Beyond this, 4^n - 1 trained observables are no experiment that somebody waits for.
MAX_ALL_PAULI_QUBITS = 5
#: Registers that finite repetitions are drawn from.
MAX_QUBITS = 11
MAX_SEEDS = 50
MAX_REPETITIONS = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasurementConfig(Settings):
    """Settings: the same circuit with different observables learns the same tasks.

    A seed draws target (or split), samples, starting weights and the random planes. Every
    basis starts from the same weights, gets the same learning rates, and the one with the
    lowest validation loss meets the test set.

    Source: the random Pauli-plane measurement is arXiv:2510.06938's; comparison, tasks and
    controls are our construction.

    Args:
        task: one of ``TASKS``.
        target: of the task ``polynomial``, one of ``KINDS``.
        target_degree: of the target, 1 to 64.
        n_modalities: M; the task ``breast_cancer`` has 3 whatever is said here.
        feature_dim: D, features per modality.
        degree: P, how often the signal is called.
        n_blocks: blocks in each U(θ).
        encoding: as in `FusionConfig`; so are the next two.
        signal: as in `FusionConfig`.
        entangler: as in `FusionConfig`.
        bases: which of ``BASES`` take part, each once.
        n_observables: K for every basis, capped at what a basis has; ``None``: the natural number of each.
        n_train: training samples of the task ``polynomial``, 8 or more (as many again for
            validation, 512 for testing).
        noise: standard deviation on its training and validation targets, in units of theirs; 0 or more.
        n_steps: Adam steps of each trial, 1 or more.
        learning_rates: one trial each.
        penalties: ridge (or inverse C), one trial each for fits that are linear in the features;
            as many as learning rates.
        repetitions: T, for scores with sampled expectation values; ascending, each 1 or more.
        n_sampled: test samples whose circuits are repeated, 8 or more.
        initializer: of the circuit's weights.
        seeds: distinct.
        backend: the engine.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    task: str = "polynomial"
    target: str = "random_polynomial"
    target_degree: int = 2
    n_modalities: int = 2
    feature_dim: int = 1
    degree: int = 2
    n_blocks: int = 1
    encoding: str = "qubit_efficient"
    signal: str = "ry"
    entangler: str = "full"
    bases: tuple[str, ...] = tuple(BASES)
    n_observables: int | None = None
    n_train: int = 128
    noise: float = 0.0
    n_steps: int = 300
    learning_rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    penalties: tuple[float, ...] = (1e-6, 1e-3, 1.0)
    repetitions: tuple[int, ...] = (30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
    n_sampled: int = 128
    initializer: str = "uniform"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    backend: str = "batched"

    def __post_init__(self) -> None:
        options = {"task": TASKS, "target": KINDS, "encoding": ENCODINGS, "signal": SIGNALS, "entangler": ENTANGLERS}
        options |= {"initializer": INITIALIZERS, "backend": ENGINES}
        for name, allowed in options.items():
            check_option(name, getattr(self, name), allowed)
        for name, least in (("target_degree", 1), ("n_train", 8), ("n_steps", 1), ("n_sampled", 8)):
            object.__setattr__(self, name, check_int(name, getattr(self, name), least))
        if self.noise != 0:
            check_positive("noise", self.noise)
        if self.task == "breast_cancer":
            object.__setattr__(self, "n_modalities", 3)
        self._check_sequences()
        self._check_register()

    def _check_sequences(self) -> None:
        for name in ("bases", "learning_rates", "penalties", "repetitions", "seeds"):
            object.__setattr__(self, name, _distinct(name, getattr(self, name)))
        for base in self.bases:
            check_option("each of bases", base, BASES)
        for name in ("learning_rates", "penalties"):
            for value in getattr(self, name):
                check_positive(f"each of {name}", value)
        if len(self.learning_rates) != len(self.penalties):
            raise invalid(
                "learning_rates and penalties must be equally many, for every model to get the same effort",
                "as many of one as of the other",
                f"{len(self.learning_rates)} learning_rates and {len(self.penalties)} penalties",
            )
        times = [check_int("each of repetitions", count, 1, MAX_REPETITIONS) for count in self.repetitions]
        object.__setattr__(self, "repetitions", tuple(sorted(times)))
        seeds = tuple(check_int("each of seeds", seed, 0) for seed in self.seeds)
        if len(seeds) > MAX_SEEDS:
            raise invalid("there are too many seeds", f"at most {MAX_SEEDS}", f"{len(seeds)}")
        object.__setattr__(self, "seeds", seeds)

    def _check_register(self) -> None:
        if self.n_observables is not None:
            count = check_int("n_observables", self.n_observables, 1, 4**MAX_ALL_PAULI_QUBITS)
            object.__setattr__(self, "n_observables", count)
        n_qubits = self.fusion(next(iter(BASES))).n_qubits
        if n_qubits > MAX_QUBITS:
            raise invalid(
                "the register is too large for repetitions to be drawn from its states",
                f"at most {MAX_QUBITS} qubits",
                f"{n_qubits} qubits",
            )
        if "all_pauli" in self.bases and n_qubits > MAX_ALL_PAULI_QUBITS:
            raise invalid(
                "all_pauli is too large for this register",
                f"at most {MAX_ALL_PAULI_QUBITS} qubits, or bases without 'all_pauli'",
                f"{n_qubits} qubits, {4**n_qubits - 1} observables",
            )

    def fusion(self, base: str, seed: int = 0, n_observables: int | None = None) -> FusionConfig:
        """The circuit with one basis; ``n_observables`` replaces K and is capped at what the basis has.

        Args:
            base: one of ``BASES``.
            seed: draws the random planes.
            n_observables: K; ``None`` for that of the settings.
        """
        names = ("n_modalities", "feature_dim", "degree", "n_blocks", "encoding", "signal", "entangler")
        circuit = FusionConfig(**{name: getattr(self, name) for name in names}, seed=seed)
        wanted = self.n_observables if n_observables is None else n_observables
        if wanted is None:
            return circuit.replace(measurement=base)
        return circuit.replace(measurement=base, n_observables=min(wanted, most_observables(base, circuit.n_qubits)))

    @property
    def n_trials(self) -> int:
        """Trials of each model on each seed."""
        return len(self.learning_rates)


def most_observables(base: str, n_qubits: int) -> int:
    """The largest K of a basis: 2^n - 1, 3n or 4^n - 1; random planes may be 4^n, far more than can differ.

    >>> [most_observables(base, 3) for base in BASES]
    [64, 7, 9, 63]
    """
    most = {"computational": 2**n_qubits - 1, "pauli": 3 * n_qubits, "all_pauli": 4**n_qubits - 1}
    return most.get(base, 4**n_qubits)


def _distinct(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise invalid(f"{name} must be a sequence", "a tuple", f"{name}={value!r}", TypeError)
    items = tuple(value)
    if not items or len(set(items)) < len(items):
        raise invalid(f"{name} is not usable", "one or more different values", f"{name}={items}")
    return items

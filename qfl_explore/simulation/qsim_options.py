"""What can be chosen about qsim, checked in one place."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.simulation.qsim_gpu import MODES

FORMS = ("physical", "circuit")
DEVICES = ("cpu", "gpu")
READOUTS = ("auto", "state", "engine")
#: Of one circuit: qsim returns them as a list of Python integers.
MAX_REPETITIONS = 10_000_000
_GPU_ONLY = {"gpu_mode": "cuda", "gpu_state_threads": 512, "gpu_data_blocks": 16}


@dataclasses.dataclass(frozen=True)
class QSimSettings:
    """Options of the engine ``qsim``.

    Attributes:
        threads: OpenMP threads of one simulation, 1 or more; as many as cores for large circuits.
        max_fused_gate_size: up to how many qubits qsim fuses gates, 2 to 6; 2 or 3 below 22 qubits, 3 or 4 above.
        form: which circuit the values come from: ``physical`` (uncontrolled gates, fast) or ``circuit``
            (``fusion.circuit`` as it stands, through ``QSimSimulator``, slow). Gradients always shift the
            physical form.
        repetitions: ``None`` for exact values; else every value is an estimate from so many runs of its circuit,
            spread over the product bases that the observables need.
        seed: of the repetitions; the same question with the same seed gets the same answer. ``None``: fresh
            randomness in every call.
        readout: who sums observables: ``state`` (numpy, from the amplitudes, in float64), ``engine`` (qsim, without
            a copy of the amplitudes; needs no memory beside the state for observables on 6 qubits or fewer), or
            ``auto``: ``engine`` where it is faster.
        denormals_are_zeros: lets the processor round amplitudes below 1e-38 to 0, which can be faster.
        device: ``cpu`` or ``gpu``.
        gpu_mode: ``cuda`` (the default on a GPU) or ``custatevec``; only with ``device='gpu'``, like the next two.
        gpu_state_threads: threads of a CUDA block, a power of two from 32 to 1024 (default 512).
        gpu_data_blocks: data blocks, 1 or more (default 16; below 16 is slower).

    Raises:
        TypeError: an option is of the wrong kind.
        ValueError: an option is out of range, unknown, or does not go with another.
    """

    threads: int = 1
    max_fused_gate_size: int = 2
    form: str = "physical"
    repetitions: int | None = None
    seed: int | None = 0
    readout: str = "auto"
    denormals_are_zeros: bool = False
    device: str = "cpu"
    gpu_mode: str | None = None
    gpu_state_threads: int | None = None
    gpu_data_blocks: int | None = None

    def __post_init__(self) -> None:
        self._put("threads", check_int("threads", self.threads, 1))
        self._put("max_fused_gate_size", check_int("max_fused_gate_size", self.max_fused_gate_size, 2, 6))
        for name, options in (("form", FORMS), ("readout", READOUTS), ("device", DEVICES)):
            check_option(name, getattr(self, name), options)
        if self.repetitions is not None:
            self._put("repetitions", check_int("repetitions", self.repetitions, 1, MAX_REPETITIONS))
        if self.seed is not None:
            self._put("seed", check_int("seed", self.seed, 0))
        if not isinstance(self.denormals_are_zeros, bool):
            received = f"denormals_are_zeros={self.denormals_are_zeros!r}"
            raise invalid("denormals_are_zeros must be a boolean", "True or False", received, TypeError)
        self._check_combinations()
        self._check_gpu_options()

    @classmethod
    def of(cls, options: dict[str, Any]) -> QSimSettings:
        """Settings from options by name.

        Raises:
            TypeError: an option is of the wrong kind, or there is none of that name.
            ValueError: an option is out of range, unknown, or does not go with another.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in options:
            if name not in names:
                close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
                hint = f" (did you mean {close[0]}?)" if close else ""
                raise invalid("qsim has no such option", "one of " + ", ".join(names), f"{name}{hint}", TypeError)
        return cls(**options)

    def _put(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_combinations(self) -> None:
        if self.form == "physical":
            return
        for name, usual in (("repetitions", None), ("device", "cpu"), ("readout", "auto")):
            if getattr(self, name) != usual:
                received = f"form='circuit' with {name}={getattr(self, name)!r}"
                raise invalid(f"{name} goes with form='physical' only", f"{name}={usual!r}, or that form", received)

    def _check_gpu_options(self) -> None:
        for name, usual in _GPU_ONLY.items():
            value = getattr(self, name)
            if self.device == "cpu":
                if value is not None:
                    received = f"device='cpu' with {name}={value!r}"
                    raise invalid(f"{name} is for GPUs only", "device='gpu', or no such option", received)
                continue
            self._put(name, usual if value is None else value)
        if self.device == "gpu":
            check_option("gpu_mode", self.gpu_mode, MODES)
            threads = check_int("gpu_state_threads", self.gpu_state_threads, 32, 1024)
            if threads & (threads - 1):
                expected = "a power of two from 32 to 1024"
                raise invalid("gpu_state_threads is no power of two", expected, f"gpu_state_threads={threads}")
            check_int("gpu_data_blocks", self.gpu_data_blocks, 1, 65535)

    def for_qsim(self) -> dict[str, Any]:
        """The options as qsim's C++ side reads them; circuit and seed are added for each run."""
        on_gpu = self.device == "gpu"
        return {
            "f": self.max_fused_gate_size,
            "t": self.threads,
            "r": 1,
            "g": on_gpu,
            "gmode": MODES[self.gpu_mode][0] if on_gpu and self.gpu_mode else 0,
            "gsst": self.gpu_state_threads or _GPU_ONLY["gpu_state_threads"],
            "gdb": self.gpu_data_blocks or _GPU_ONLY["gpu_data_blocks"],
            "v": 0,
            "z": self.denormals_are_zeros,
        }

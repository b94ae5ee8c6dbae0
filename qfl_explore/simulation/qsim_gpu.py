"""Whether qsim can compute on a GPU here, asked in a process of its own.

qsim ends the whole process where CUDA does not answer, and ``except`` cannot catch that. So before
``use_gpu`` is ever set in this process, a child process looks for the driver, loads the CUDA module and runs
a small circuit on the GPU; whatever happens to the child becomes a message.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import signal
import subprocess
import sys

from qfl_explore.errors import invalid

#: qsim's ``gpu_mode`` for each word of ours, and the module of qsimcirq that it needs.
MODES = {"cuda": (0, "qsim_gpu"), "custatevec": (1, "qsim_custatevec")}
#: Importing cirq takes seconds where its bytecode is not compiled; a GPU's first call takes some more.
PATIENCE_S = 120.0
GUIDE = "docs/gpu.md says how to get both"

_ASK = """
import ctypes, json, sys
mode, attribute = int(sys.argv[1]), sys.argv[2]
import qsimcirq
module = getattr(qsimcirq, attribute)
if module is None:
    sys.exit(f"qsimcirq {qsimcirq.__version__} was built without " + ("CUDA" if mode == 0 else "cuStateVec"))
try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError:
    sys.exit("no NVIDIA driver on this machine")
code = cuda.cuInit(0)
if code:
    sys.exit(f"the NVIDIA driver does not answer (cuInit gave {code})")
count, device, context = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p()
cuda.cuDeviceGetCount(ctypes.byref(count))
if not count.value:
    sys.exit("an NVIDIA driver, but no GPU")
cuda.cuDeviceGet(ctypes.byref(device), 0)
name, major, minor = ctypes.create_string_buffer(100), ctypes.c_int(), ctypes.c_int()
cuda.cuDeviceGetName(name, 100, device)
cuda.cuDeviceGetAttribute(ctypes.byref(major), 75, device)
cuda.cuDeviceGetAttribute(ctypes.byref(minor), 76, device)
free, total = ctypes.c_size_t(), ctypes.c_size_t()
cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
cuda.cuCtxSetCurrent(context)
cuda.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
import cirq
qubits = cirq.LineQubit.range(8)
circuit = cirq.Circuit(cirq.ry(0.3 + i)(q) for i, q in enumerate(qubits))
circuit += cirq.Circuit(cirq.CNOT(a, b) for a, b in zip(qubits, qubits[1:]))
states = [qsimcirq.QSimSimulator(options).simulate(circuit).final_state_vector
          for options in ({}, {"g": True, "gmode": mode})]
error = float(abs(states[0] - states[1]).max())
if not error < 1e-5:
    sys.exit(f"the GPU's amplitudes differ from the processor's by {error:.1e}")
found = {"name": name.value.decode(), "total_bytes": total.value, "free_bytes": free.value,
         "compute_capability": f"{major.value}.{minor.value}"}
print("\\n" + json.dumps(found))
"""


@dataclasses.dataclass(frozen=True)
class GPU:
    """A GPU that qsim has computed on.

    Attributes:
        name: as the driver tells it.
        total_bytes: of its memory.
        free_bytes: of it, when it was asked.
        compute_capability: such as ``9.0``.
    """

    name: str
    total_bytes: int
    free_bytes: int
    compute_capability: str

    def __str__(self) -> str:
        return f"{self.name}, {self.total_bytes / 2**30:.0f} GiB, compute capability {self.compute_capability}"


@functools.cache
def ask(gpu_mode: str) -> tuple[GPU | None, str]:
    """The GPU on which qsim computes in this mode, or why there is none; asked once a process.

    Args:
        gpu_mode: ``cuda`` or ``custatevec``.

    Returns:
        The GPU (``None``: none) and what is missing (empty: nothing).
    """
    number, module = MODES[gpu_mode]
    command = [sys.executable, "-c", _ASK, str(number), module]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return None, f"no answer from a trial run on the GPU within {PATIENCE_S:.0f} s"
    if done.returncode:
        return None, _reason(done.returncode, done.stderr)
    try:
        return GPU(**json.loads(done.stdout.strip().splitlines()[-1])), ""
    except (ValueError, TypeError, IndexError):
        return None, f"a trial run on the GPU ended without an answer; it printed {done.stdout.strip()[-200:]!r}"


def _reason(code: int, stderr: str) -> str:
    said = stderr.strip().splitlines()
    if code < 0:
        name = signal.Signals(-code).name if -code in {s.value for s in signal.Signals} else f"signal {-code}"
        return f"a trial run on the GPU was ended by {name}" + (f" after {said[-1]!r}" if said else "")
    return said[-1] if said else f"a trial run on the GPU ended with code {code}"


def check_gpu(gpu_mode: str) -> GPU:
    """The GPU for this mode.

    Args:
        gpu_mode: ``cuda`` or ``custatevec``.

    Raises:
        ImportError: the installed qsimcirq has no such module, or there is no driver or no GPU.
    """
    found, problem = ask(gpu_mode)
    if found is None:
        library = "CUDA" if gpu_mode == "cuda" else "cuStateVec"
        raise invalid(
            f"qsim cannot use a GPU here (gpu_mode={gpu_mode!r})",
            f"a qsimcirq built with {library}, and an NVIDIA driver with a GPU; {GUIDE}",
            problem,
            ImportError,
        )
    return found

"""Questions that may crash whoever asks them, so each is asked in a process of its own."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys

#: cuInit is the one call that tells whether a driver answers; it comes with no Python package.
_CUDA = """
import ctypes
try:
    cuda = ctypes.CDLL("nvcuda.dll" if __import__("os").name == "nt" else "libcuda.so.1")
except OSError:
    raise SystemExit("no NVIDIA driver on this machine")
code = cuda.cuInit(0)
if code:
    raise SystemExit(f"the NVIDIA driver does not answer (cuInit gave {code})")
count = ctypes.c_int()
cuda.cuDeviceGetCount(ctypes.byref(count))
for i in range(count.value):
    name, size = ctypes.create_string_buffer(100), ctypes.c_size_t()
    cuda.cuDeviceGetName(name, 100, i)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(size), i)
    print(f"{name.value.decode()}, {size.value / 2**30:.0f} GiB")
if not count.value:
    raise SystemExit("an NVIDIA driver, but no GPU")
"""
_ENGINE = """
import time, numpy as np
from qfl_explore import FusionCircuit, FusionConfig, get_backend
fusion = FusionCircuit(FusionConfig(n_modalities=2, degree=2))
rng = np.random.default_rng(0)
features, weights = rng.uniform(-1, 1, (4, 2, 1)), rng.uniform(-1, 1, fusion.weight_shape)
engine = get_backend({name!r})
values = engine.expectations(fusion, features, weights)
began = time.perf_counter()
engine.expectations(fusion, features, weights)
seconds = time.perf_counter() - began
error = float(np.abs(values - get_backend("cirq").expectations(fusion, features, weights)).max())
if not error < 1e-4:
    raise SystemExit(f"differs from cirq by {{error:.1e}}")
print(f"agrees with cirq to {{error:.0e}}, {{1e3 * seconds:.2f}} ms for 4 samples")
"""
#: Exact engines are compared as they are, the others by the standard errors they give; seeds are fixed.
_NOISY_ENGINE = """
import time, cirq, numpy as np
from qfl_explore import FusionCircuit, FusionConfig, get_backend
from qfl_explore.circuits.noise import NoiseModel, noisy_circuit, noisy_observables
fusion = FusionCircuit(FusionConfig(n_modalities=2, degree=2))
two = 0.0 if {name!r} == "tfq_noisy" else 0.05  # which it refuses
noise = NoiseModel(depolarizing_1q=0.005, depolarizing_2q=two, dephasing=0.01, amplitude_damping=0.02, readout_0=0.01)
rng = np.random.default_rng(0)
features, weights = rng.uniform(-1, 1, (4, 2, 1)), rng.uniform(-1, 1, fusion.weight_shape)
circuit, observables = noisy_circuit(fusion, noise), noisy_observables(fusion, noise)
exact = cirq.DensityMatrixSimulator(dtype=np.complex128).simulate_expectation_values_sweep(
    circuit,
    list(observables),
    [dict(zip(fusion.physical.symbols, row)) for row in fusion.physical.symbol_values(features, weights)],
    qubit_order=fusion.qubits,
)
engine = get_backend({name!r}, noise=noise)
engine.expectations(fusion, features, weights)
began = time.perf_counter()
values = engine.expectations(fusion, features, weights)
seconds = time.perf_counter() - began
error = np.abs(values - np.real(exact))
if not hasattr(engine, "estimates"):
    most, limit, unit = float(error.max()), 1e-4, ""
else:
    spread = engine.estimates(fusion, features, weights).standard_errors
    most, limit, unit = float((error / np.maximum(spread, 1e-6)).max()), 6.0, " standard errors"
if not most < limit:
    raise SystemExit(f"differs from cirq's density matrices by {{most:.1g}}{{unit}}")
said = f"to {{most:.0e}}" if not unit else f"within {{most:.1f}}{{unit}}"
print(f"agrees with cirq's density matrices {{said}}, {{1e3 * seconds:.2f}} ms for 4 samples")
"""
#: TensorFlow's first import takes long where its bytecode is not compiled.
ENGINE_PATIENCE_S = 180.0
GPU_PATIENCE_S = 30.0
#: What a build of qsimcirq holds for each way to compute on a GPU.
GPU_MODULES = {"cuda": "qsim_cuda", "custatevec": "qsim_custatevec"}


def python(code: str, timeout: float) -> tuple[str, str]:
    """Runs code in another Python.

    Returns:
        What it printed, and what went wrong (an empty text: nothing).
    """
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {timeout:.0f} s"
    if done.returncode == 0:
        return done.stdout.strip(), ""
    said = done.stderr.strip().splitlines()
    return "", said[-1] if said else f"the process ended with code {done.returncode}"


def engine(name: str, noisy: bool = False) -> tuple[str, str]:
    """Runs one circuit on an engine and compares it with cirq.

    Args:
        name: of the engine.
        noisy: it is one of those for noise: the circuit has all channels, and cirq's density matrices are the truth.

    Returns:
        A sentence, and what went wrong.
    """
    return python((_NOISY_ENGINE if noisy else _ENGINE).format(name=name), ENGINE_PATIENCE_S)


def gpus() -> tuple[list[str], str]:
    """The GPUs that the NVIDIA driver offers.

    Returns:
        One text a device, and why there is none.
    """
    answer, problem = python(_CUDA, GPU_PATIENCE_S)
    return answer.splitlines(), problem


def qsim_on_gpu(mode: str) -> tuple[str, str]:
    """Has qsim compute a small circuit on the GPU.

    Args:
        mode: ``cuda`` or ``custatevec``.

    Returns:
        The GPU in words, and what is missing.
    """
    from qfl_explore.simulation.qsim_gpu import ask

    found, problem = ask(mode)
    return str(found or ""), problem


def files_of(distribution: str) -> str:
    """Names of the files that a distribution installed, as one text; empty where it is missing."""
    try:
        return " ".join(str(file) for file in importlib.metadata.files(distribution) or ())
    except importlib.metadata.PackageNotFoundError:
        return ""

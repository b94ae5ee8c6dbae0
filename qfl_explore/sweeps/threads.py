"""One core for one worker: the variables and calls that keep numerical libraries to so many threads."""

from __future__ import annotations

import os
import sys
from typing import Any

#: Read by OpenMP, BLAS libraries, Numba (and our batched engine), NumExpr and TensorFlow.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def environment(n_threads: int = 1) -> dict[str, str]:
    """What a worker's environment says before anything is imported."""
    limits = {name: str(n_threads) for name in VARIABLES}
    return limits | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def limit_threads(n_threads: int = 1) -> dict[str, Any]:
    """Limits this process, also where libraries are loaded already; for workers that somebody else started.

    Returns:
        What is in force: library -> threads.
    """
    os.environ.update({name: str(n_threads) for name in VARIABLES})
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    from threadpoolctl import threadpool_info, threadpool_limits

    _limit_numba(n_threads)
    _limit_tensorflow(n_threads)
    threadpool_limits(n_threads)
    return {pool["prefix"]: pool["num_threads"] for pool in threadpool_info()}


def _limit_numba(n_threads: int) -> None:
    numba = sys.modules.get("numba")
    if numba is not None:
        numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
    base = sys.modules.get("qfl_explore.simulation.base")
    for engine in list(getattr(base, "_instances", {}).values()):
        if hasattr(engine, "n_threads"):
            engine.n_threads = min(n_threads, engine.n_threads)


def _limit_tensorflow(n_threads: int) -> None:
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return
    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(n_threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(n_threads)
    except RuntimeError:
        return  # it computes already, and then it cannot be told any more

"""Our engine `batched`."""

from functools import partial

from _ours import build_with, version_with

from qfl_explore.simulation.batched import warm_up

build = partial(build_with, "batched")
version = partial(version_with, "numba")
__all__ = ["build", "version", "warm_up"]

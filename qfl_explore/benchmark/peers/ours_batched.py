"""Our engine `batched`."""

from functools import partial

from _ours import build_with, version

from qfl_explore.simulation.batched import warm_up

build = partial(build_with, "batched")
__all__ = ["build", "version", "warm_up"]

"""Our engine `cirq`."""

from functools import partial

from _ours import build_with, version

build = partial(build_with, "cirq")
__all__ = ["build", "version"]

"""Our engine `cirq`."""

from functools import partial

from _ours import build_with, version_with

build = partial(build_with, "cirq")
version = partial(version_with, "cirq-core")
__all__ = ["build", "version"]

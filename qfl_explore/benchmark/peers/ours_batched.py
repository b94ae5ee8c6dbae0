"""Our engine `batched`."""

from functools import partial

from _ours import build_with, version

build = partial(build_with, "batched")
__all__ = ["build", "version"]

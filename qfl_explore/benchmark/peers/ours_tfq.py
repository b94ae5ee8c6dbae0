"""Our engine `tfq`."""

from functools import partial

from _ours import build_with, version

build = partial(build_with, "tfq")
__all__ = ["build", "version"]

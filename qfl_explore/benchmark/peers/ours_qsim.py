"""Our engine `qsim`."""

from functools import partial

from _ours import build_with, version

build = partial(build_with, "qsim")
__all__ = ["build", "version"]

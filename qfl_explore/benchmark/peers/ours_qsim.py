"""Our engine `qsim`."""

from functools import partial

from _ours import build_with, version_with

build = partial(build_with, "qsim")
version = partial(version_with, "qsimcirq")
__all__ = ["build", "version"]

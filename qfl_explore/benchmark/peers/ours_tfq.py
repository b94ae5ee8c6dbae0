"""Our engine `tfq`."""

from functools import partial

from _ours import build_with, version_with

build = partial(build_with, "tfq")
version = partial(version_with, "tensorflow-quantum")
__all__ = ["build", "version"]

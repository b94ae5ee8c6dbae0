"""The one switch that TensorFlow Quantum needs before TensorFlow is imported, and an import that keeps quiet."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from qfl_explore.errors import invalid

SWITCH = "TF_USE_LEGACY_KERAS"
#: What TensorFlow says about GPU libraries and processor features where it finds no GPU.
_NOISE = re.compile(rb"absl::InitializeLog|^[EWI]\d{4} |Unable to register cu|cuInit|cpu_feature_guard|oneDNN|TF-TRT")


def require_legacy_keras() -> None:
    """Sets ``TF_USE_LEGACY_KERAS=1`` where TensorFlow is not imported yet; otherwise checks it.

    Raises:
        ImportError: TensorFlow is imported already and its Keras is not tf-keras.
    """
    if "tensorflow" not in sys.modules:
        os.environ[SWITCH] = "1"
        return
    if os.environ.get(SWITCH, "").lower() not in ("1", "true"):
        raise invalid(
            "TensorFlow was imported with Keras 3, which TensorFlow Quantum cannot use",
            f"{SWITCH}=1 in the environment before TensorFlow is first imported "
            "(import qfl_explore.layers first, or set it in the shell)",
            f"{SWITCH}={os.environ.get(SWITCH)!r} with TensorFlow already imported",
            ImportError,
        )


@contextlib.contextmanager
def without_gpu_notes() -> Iterator[None]:
    """While TensorFlow is first imported, its notes about GPUs that are not there do not reach the terminal.

    They come from C++ and end up in notebooks as errors. Everything else that is written to the
    standard error meanwhile is passed on afterwards, and all of it if the import fails.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    with tempfile.TemporaryFile() as kept:
        saved = os.dup(2)
        failed = True
        try:
            os.dup2(kept.fileno(), 2)
            yield
            failed = False
        finally:
            os.dup2(saved, 2)
            kept.seek(0)
            rest = [line for line in kept if failed or not _NOISE.search(line)]
            if rest:
                os.write(saved, b"".join(rest))
            os.close(saved)

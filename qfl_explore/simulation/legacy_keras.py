"""The one switch that TensorFlow Quantum needs before TensorFlow is imported."""

from __future__ import annotations

import os
import sys

from qfl_explore.errors import invalid

SWITCH = "TF_USE_LEGACY_KERAS"


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

"""qfl_explore: an honest, live explorer of the Quantum Fusion Layer (arXiv:2510.06938)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qfl_explore.circuits.fusion import FusionCircuit
    from qfl_explore.config import FusionConfig
    from qfl_explore.simulation.base import get_backend

__version__ = "0.1.0"
__all__ = ["FusionCircuit", "FusionConfig", "get_backend", "__version__"]

#: Where the public names live; loaded when they are first asked for, because cirq takes seconds
#: and ``qfl-explore --help`` should not.
_HOMES = {
    "FusionCircuit": "qfl_explore.circuits.fusion",
    "FusionConfig": "qfl_explore.config",
    "get_backend": "qfl_explore.simulation.base",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

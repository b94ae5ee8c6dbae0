"""Any engine of this package as a peer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import qfl_explore
from qfl_explore import FusionCircuit, FusionConfig, get_backend


def version() -> str:
    return qfl_explore.__version__


def build_with(name: str, case: SimpleNamespace, **options: Any) -> tuple:
    """(forward, gradient) of one engine."""
    fusion = FusionCircuit(FusionConfig(**case.config))
    backend = get_backend(name, **options)
    return (
        lambda: backend.expectations(fusion, case.features, case.weights),
        lambda: backend.gradients(fusion, case.features, case.weights, case.cotangents),
    )

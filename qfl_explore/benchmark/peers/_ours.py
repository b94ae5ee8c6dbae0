"""Any engine of this package as a peer."""

from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace
from typing import Any

import qfl_explore
from qfl_explore import FusionCircuit, FusionConfig, get_backend


def version_with(package: str) -> str:
    """Ours, and that of the package which does the work."""
    return f"qfl_explore {qfl_explore.__version__}, {package} {importlib.metadata.version(package)}"


def build_with(name: str, case: SimpleNamespace, **options: Any) -> tuple:
    """(forward, gradient) of one engine."""
    fusion = FusionCircuit(FusionConfig(**case.config))
    backend = get_backend(name, **options)
    return (
        lambda: backend.expectations(fusion, case.features, case.weights),
        lambda: backend.gradients(fusion, case.features, case.weights, case.cotangents),
    )

"""qfl_explore: an honest, live explorer of the Quantum Fusion Layer (arXiv:2510.06938)."""

from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.config import FusionConfig
from qfl_explore.simulation.base import get_backend

__version__ = "0.1.0"
__all__ = ["FusionCircuit", "FusionConfig", "get_backend", "__version__"]

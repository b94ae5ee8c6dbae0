"""Two further quantum fusion systems, built from their descriptions, to stand beside the Quantum Fusion Layer.

- Cross-attention mid-fusion (arXiv:2512.19180): `cross_attention_model`, with the variants of its ablation.
- The feature-entanglement network (arXiv:2601.07856): `feature_entanglement_model`, and `contributions`, which
  splits its values into what each modality says alone and what only their entanglement says.

Their papers' details are not all known to us: every choice that is ours is called our construction where it
is made, and is an option. The Keras layers load TensorFlow; they are imported when first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from qfl_explore.circuits.feature_entanglement import FeatureEntanglementCircuit, FeatureEntanglementConfig, counts
from qfl_explore.circuits.hardware_efficient import HardwareEfficientCircuit, HardwareEfficientConfig
from qfl_explore.siblings.contributions import Contributions, contributions, joint_readings
from qfl_explore.siblings.models import attention_weights, cross_attention_model, feature_entanglement_model
from qfl_explore.siblings.variants import (
    DIRECTIONS,
    REACH,
    VARIANTS,
    CrossAttentionOptions,
    cross_attention_parameters,
    matched_width,
    natural_qubits,
)

if TYPE_CHECKING:
    from qfl_explore.siblings.layers import CrossAttention, FeatureEntanglement, QuantumTokens

__all__ = [
    "DIRECTIONS",
    "REACH",
    "VARIANTS",
    "Contributions",
    "CrossAttention",
    "CrossAttentionOptions",
    "FeatureEntanglement",
    "FeatureEntanglementCircuit",
    "FeatureEntanglementConfig",
    "HardwareEfficientCircuit",
    "HardwareEfficientConfig",
    "QuantumTokens",
    "attention_weights",
    "contributions",
    "counts",
    "cross_attention_model",
    "cross_attention_parameters",
    "feature_entanglement_model",
    "joint_readings",
    "matched_width",
    "natural_qubits",
]

_LAYERS = ("CrossAttention", "FeatureEntanglement", "QuantumTokens")


def __getattr__(name: str) -> Any:
    if name not in _LAYERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.layers"), name)
    globals()[name] = value
    return value

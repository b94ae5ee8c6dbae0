"""Models that answer the same question as a Quantum Fusion Layer, with encoders to match.

Every fusion model is ``encoder per modality -> fusion -> logits``. The encoders are the same for
all of them, so that a difference between two models is a difference between two fusions.
Logits are [B, 1] for two classes and [B, C] for more.

The Keras layers load TensorFlow; they are imported when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from qfl_explore.baselines.counts import (
    FUSIONS,
    MAX_PRODUCTS,
    check_products,
    encoder_parameters,
    fusion_parameters,
    layer_parameters,
    matched_hidden,
    matched_outputs,
    mlp_parameters,
    n_logits,
)
from qfl_explore.baselines.encoders import ENCODERS, check_reach, encoder_weights
from qfl_explore.baselines.estimators import BoostedForecast, GradientBoosting, LogisticRegression
from qfl_explore.baselines.models import (
    circuit_model,
    concat_fusion_model,
    fusion_model,
    layer_class,
    mlp_model,
    n_columns,
    network_model,
    quantum_fusion_model,
)
from qfl_explore.baselines.starts import STARTS, low_rank_start

if TYPE_CHECKING:
    from qfl_explore.baselines.bilinear import FactorizedBilinearFusion
    from qfl_explore.baselines.fusion_layers import ConcatFusion, LowRankFusion, TensorFusion
    from qfl_explore.baselines.graph import GraphFusion

__all__ = [
    "ENCODERS",
    "FUSIONS",
    "MAX_PRODUCTS",
    "STARTS",
    "BoostedForecast",
    "ConcatFusion",
    "FactorizedBilinearFusion",
    "GradientBoosting",
    "GraphFusion",
    "LogisticRegression",
    "LowRankFusion",
    "TensorFusion",
    "check_products",
    "check_reach",
    "circuit_model",
    "concat_fusion_model",
    "encoder_parameters",
    "encoder_weights",
    "fusion_model",
    "fusion_parameters",
    "layer_class",
    "layer_parameters",
    "low_rank_start",
    "matched_hidden",
    "matched_outputs",
    "mlp_model",
    "mlp_parameters",
    "n_columns",
    "n_logits",
    "network_model",
    "quantum_fusion_model",
]

_HOMES = {
    "ConcatFusion": "fusion_layers",
    "FactorizedBilinearFusion": "bilinear",
    "GraphFusion": "graph",
    "LowRankFusion": "fusion_layers",
    "TensorFusion": "fusion_layers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

"""Data and models of the systems comparison, each sibling sized to the Quantum Fusion Layer's parameters."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from qfl_explore import baselines, siblings
from qfl_explore.circuits.feature_entanglement import FeatureEntanglementCircuit, FeatureEntanglementConfig
from qfl_explore.datasets import MultimodalData, load
from qfl_explore.datasets.base import standardise
from qfl_explore.datasets.choose import choose_modalities, few_shot
from qfl_explore.experiments import multimodal_methods
from qfl_explore.experiments.systems_config import CROSS_METHODS, ENTANGLED_METHODS, SystemsConfig

#: A register is not made larger than this to meet the budget.
MOST_QUBITS, LARGEST_REGISTER = 12, 6


def load_data(config: SystemsConfig, seed: int) -> MultimodalData:
    """The data of one seed: pieces, modalities and samples chosen, then standardised.

    Raises:
        ValueError: the data set has fewer modalities or samples.
        MissingData: its files are not here.
    """
    if config.pieces is None and config.limit is None:
        return multimodal_methods.load_data(config, seed)
    options = {"limit": config.limit} if config.pieces is None else {"pieces": max(2, config.pieces)}
    data = load(config.dataset, seed, standardised=False, **options)
    if config.pieces == 1:
        data = whole(data)
    if config.n_modalities is not None:
        data = choose_modalities(data, range(config.n_modalities))
    if config.n_train is not None:
        data = few_shot(data, config.n_train, seed)
    return standardise(data)


def whole(data: MultimodalData) -> MultimodalData:
    """All modalities side by side as one."""
    return dataclasses.replace(
        data,
        features=(np.hstack(data.features),),
        raw=None,
        modality_names=("all",),
        feature_names=(tuple(name for names in data.feature_names for name in names),),
        units=(tuple(unit for units in data.units for unit in units),),
    )


def network(method: str, config: SystemsConfig, data: MultimodalData, columns: int) -> Any:
    """A fresh Keras model whose initial weights follow from the data's seed.

    Raises:
        ValueError: the method cannot hold so many modalities.
    """
    common = {"columns": columns, "seed": data.seed, "encoder": config.encoder, "backend": config.backend}
    common["initializer"] = config.initializer
    if method in CROSS_METHODS:
        options = matched_cross(CROSS_METHODS[method], config, data, columns)
        return siblings.cross_attention_model(data.n_measures, options, feature_dim=config.feature_dim, **common)
    if method in ENTANGLED_METHODS:
        fusion = matched_entanglement(config, data, columns).replace(**ENTANGLED_METHODS[method])
        return siblings.feature_entanglement_model(data.n_measures, fusion, reach=config.reach, **common)
    return multimodal_methods.network(method, config, data, columns)


def matched_cross(
    variant: str, config: SystemsConfig, data: MultimodalData, columns: int
) -> siblings.CrossAttentionOptions:
    """Cross-attention with the smallest width (4 or more) that gives at least the quantum model's parameters."""
    options = config.cross(variant, data.n_modalities)
    if variant == "quantum_only":
        return options  # its head reads tokens of the same width as the whole model's
    encoders = baselines.encoder_weights(data.n_measures, config.feature_dim, config.encoder)
    budget = multimodal_methods.quantum_budget(config, data, columns) + encoders
    whole_model = options.replace(variant="classical_to_quantum")
    sizes = data.n_measures, config.feature_dim, columns
    width = siblings.matched_width(*sizes, whole_model, budget, config.encoder)
    if variant in ("classical_only", "concatenation"):  # matched to the whole model, for a fair control
        most = siblings.cross_attention_parameters(*sizes, whole_model.replace(width=width), config.encoder)
        width = siblings.matched_width(*sizes, options, most, config.encoder)
    return options.replace(width=width)


def matched_entanglement(config: SystemsConfig, data: MultimodalData, columns: int) -> FeatureEntanglementConfig:
    """The network with the smallest registers that give at least the quantum model's parameters, or the largest."""
    n_classes = max(2, columns)
    if config.register_size is not None:
        return config.entangled(data.n_modalities, config.register_size, n_classes)
    budget = multimodal_methods.quantum_budget(config, data, columns)
    found = config.entangled(data.n_modalities, 1, n_classes)
    for size in range(1, LARGEST_REGISTER + 1):
        if size > 1 and size * data.n_modalities > MOST_QUBITS:
            break
        found = config.entangled(data.n_modalities, size, n_classes)
        n_read = FeatureEntanglementCircuit(found).n_observables
        if found.n_weights + (n_read + 1) * columns >= budget:
            break
    return found

"""The methods of the multimodal study: data for one seed, and a network or an estimator for each method."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from qfl_explore import baselines
from qfl_explore.circuits.fusion import FusionCircuit
from qfl_explore.datasets import MultimodalData, load
from qfl_explore.datasets.base import standardise
from qfl_explore.datasets.choose import choose_modalities, few_shot
from qfl_explore.errors import invalid
from qfl_explore.experiments.multimodal_config import QUANTUM, MultimodalConfig
from qfl_explore.experiments.multimodal_estimators import ESTIMATOR_CLASSES, Persistence, present_values
from qfl_explore.experiments.multimodal_tasks import Task

#: Loaders that know sets of leads, and loaders of forecasts.
LEADS = ("ptb_xl", "synthetic_ecg")
FORECASTS = ("metr_la", "synthetic_traffic")


def load_data(config: MultimodalConfig, seed: int) -> MultimodalData:
    """The data of one seed, with the chosen modalities and samples, standardised.

    Raises:
        ValueError: the data set has fewer modalities or samples, or no raw signals for ``series``.
    """
    options: dict[str, Any] = {"target": config.target} if config.dataset in FORECASTS else {}
    chosen = config.n_modalities
    if config.dataset in LEADS and chosen in (1, 3, 6, 12):
        options["leads"], chosen = chosen, None
    elif config.dataset == "synthetic_traffic" and chosen is not None and chosen > 12:
        options["n_sensors"] = chosen
    data = load(config.dataset, seed, standardised=False, **options)
    if chosen is not None:
        data = choose_modalities(data, _first(data, chosen))
    if config.n_train is not None:
        data = few_shot(data, config.n_train, seed)
    if config.change and data.task == "regression":
        data = dataclasses.replace(data, labels=data.labels - present_values(data, data.features))
    return standardise(data) if config.encoder == "dense" else with_series(data)


def _first(data: MultimodalData, n_modalities: int) -> range:
    if n_modalities > data.n_modalities:
        raise invalid(f"{data.name} has fewer modalities", f"n_modalities up to {data.n_modalities}", f"{n_modalities}")
    return range(n_modalities)


def with_series(data: MultimodalData) -> MultimodalData:
    """The raw signals as features, each modality shifted and scaled by the training part's mean and spread.

    Raises:
        ValueError: there are no raw signals, or they are no series.
    """
    if data.raw is None or any(array.ndim != 2 for array in data.raw):
        received = "features only" if data.raw is None else f"raw arrays of shape {list(data.raw[0].shape)}"
        raise invalid(
            "encoder='series' needs raw signals", f"one series [N, samples] a modality of {data.name}", received
        )
    rows, features = data.split["train"], []
    for array in data.raw:
        known = array[rows].astype(np.float64)
        features.append(((array - known.mean()) / (known.std() or 1.0)).astype(np.float32))
    names = tuple(tuple(f"sample {i}" for i in range(array.shape[1])) for array in features)
    units = tuple((data.raw_unit,) * array.shape[1] for array in features)
    return dataclasses.replace(
        data, features=tuple(features), feature_names=names, units=units, centres=None, scales=None
    )


def n_observables(config: MultimodalConfig, data: MultimodalData) -> int:
    """K, how many numbers the quantum layer hands to its head."""
    return FusionCircuit(config.fusion(data.n_modalities)).n_observables


def quantum_budget(config: MultimodalConfig, data: MultimodalData, columns: int) -> int:
    """Parameters of the quantum layer and its head, without the encoders: what every fusion is matched to."""
    return config.fusion(data.n_modalities).n_weights + (n_observables(config, data) + 1) * columns


def network(method: str, config: MultimodalConfig, data: MultimodalData, columns: int) -> Any:
    """A fresh Keras model whose initial weights follow from the data's seed.

    A classical fusion is as wide as it takes to have at least the quantum model's parameters, and
    hands at least as many numbers to its head: a matched width alone can be 1, which would starve
    the head, and which the normalisation of bilinear pooling turns into a mere sign.

    Raises:
        ValueError: the method cannot hold so many modalities.
    """
    budget, seed = quantum_budget(config, data, columns), data.seed
    common = {"columns": columns, "seed": seed, "encoder": config.encoder}
    if method == QUANTUM:
        fusion = config.fusion(data.n_modalities)
        options = {"backend": config.backend, "initializer": config.initializer, "reach": config.reach}
        return baselines.circuit_model(data.n_measures, fusion, **options, **common)
    if method == "mlp":
        total = budget + baselines.encoder_weights(data.n_measures, config.feature_dim, config.encoder)
        n_hidden = baselines.matched_hidden(sum(data.n_measures), columns, total)
        return baselines.network_model(data.n_measures, n_hidden, columns=columns, seed=seed)
    fusion_name, options = _fusion_of(method, config, data)
    sizes = data.n_modalities, config.feature_dim
    counted = {name: value for name, value in options.items() if name == "rank"}
    width = baselines.matched_outputs(fusion_name, *sizes, columns, budget, **counted)
    width = max(width, n_observables(config, data))
    return baselines.fusion_model(
        fusion_name, data.n_measures, width, feature_dim=config.feature_dim, **common, **options
    )


def _fusion_of(method: str, config: MultimodalConfig, data: MultimodalData) -> tuple[str, dict[str, Any]]:
    if method.startswith("low_rank_"):
        return "low_rank", {"rank": config.rank, "start": method.removeprefix("low_rank_")}
    return method, {"adjacency": _both_ways(data.graph)} if method == "graph" else {}


def _both_ways(graph: np.ndarray | None) -> np.ndarray | None:
    """Roads have a direction, graph convolution has none: the heavier of both weights."""
    return None if graph is None else np.maximum(graph, graph.T)


def estimator(method: str, setting: float, task: Task, data: MultimodalData, change: bool = False) -> Any:
    """An estimator that is not fitted yet.

    Raises:
        ValueError: the method cannot do this task.
    """
    made = ESTIMATOR_CLASSES[method](setting, task, data.seed)
    return made.about(data, change) if isinstance(made, Persistence) else made

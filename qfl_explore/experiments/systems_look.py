"""Inside trained siblings: attention weights, and what each modality and their joint term contribute."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore import siblings
from qfl_explore.datasets import MultimodalData
from qfl_explore.experiments.intervals import t_interval
from qfl_explore.experiments.systems_config import CONTROLS, CROSS_METHODS, ENTANGLED_METHODS
from qfl_explore.siblings.contributions import MAX_QUBITS
from qfl_explore.training import load_keras

#: Test samples that are looked at.
N_LOOKED = 60
#: Parts of a decision beside the modalities.
CONSTANT, PRODUCT, JOINT = "constant", "product", "joint term"


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """Inside one trained sibling, on the first test samples of a seed.

    Attributes:
        seed: the repetition.
        method: of ``SYSTEMS``.
        labels: [n] true classes.
        modalities: names.
        classes: names.
        attention: direction -> weights [n, H, queries, tokens]; empty where there is none.
        contributions: of the logits, or ``None``.
        couplings: rows of first and second modality, layer and angle (radians) of each trainable coupling.
    """

    seed: int
    method: str
    labels: np.ndarray
    modalities: tuple[str, ...]
    classes: tuple[str, ...]
    attention: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    contributions: siblings.Contributions | None = None
    couplings: tuple[dict[str, Any], ...] = ()


def look(method: str, model: Any, data: MultimodalData) -> Look:
    """Inside a trained sibling.

    Args:
        method: of ``SYSTEMS``.
        model: from `systems_methods.network`, trained.
        data: with the test part.
    """
    features, labels = data.part("test")
    chosen = [np.asarray(array[:N_LOOKED], np.float32) for array in features]
    found = Look(data.seed, method, labels[:N_LOOKED], data.modality_names, data.class_names)
    if siblings.DIRECTIONS.get(CROSS_METHODS.get(method, "")):
        return dataclasses.replace(found, attention=siblings.attention_weights(model, chosen))
    if method not in ENTANGLED_METHODS:
        return found
    layer, head = model.get_layer("feature_entanglement"), model.layers[-1]
    weights, config = layer.angles.numpy().astype(np.float64), layer.config
    couplings = tuple(
        {
            "first": data.modality_names[a // config.register_size],
            "second": data.modality_names[b // config.register_size],
            "layer": number // max(1, len(config.joined)),
            "angle": float((weights[place] + np.pi) % (2 * np.pi) - np.pi),
        }
        for number, (place, a, b) in enumerate(config.coupling_places())
    )
    if config.n_qubits > MAX_QUBITS:
        return dataclasses.replace(found, couplings=couplings)
    _, keras = load_keras()
    angles = keras.Model(model.inputs, model.get_layer("angles").output)(chosen).numpy()
    kernel, bias = (array.astype(np.float64) for array in head.get_weights())
    parts = siblings.contributions(layer.fusion, angles, weights).through(kernel, bias)
    return dataclasses.replace(found, couplings=couplings, contributions=parts)


def decisions(found: Look) -> pd.DataFrame:
    """What speaks for the class that was chosen, part by part.

    The decision is the logit where there is one; else the chosen class's logit minus the mean of all.

    Args:
        found: with contributions.

    Returns:
        Rows of ``sample``, ``label``, ``chosen``, ``part`` and ``value``; the values of one sample add up to its
        decision. Parts: ``constant``, each modality, ``product`` (what modalities decide together without
        entanglement) and ``joint term``.
    """
    parts = found.contributions
    if parts is None:
        return pd.DataFrame(columns=["sample", "label", "chosen", "part", "value"])
    logits = parts.values
    if logits.shape[1] == 1:
        chosen = (logits[:, 0] > 0).astype(int)
        towards = (2.0 * chosen - 1)[:, None]
    else:
        chosen = logits.argmax(axis=1)
        towards = np.eye(logits.shape[1])[chosen] - 1 / logits.shape[1]
    named = {CONSTANT: np.broadcast_to(parts.constant, logits.shape)}
    named |= {name: parts.own[:, m] for m, name in enumerate(found.modalities)}
    named |= {PRODUCT: parts.product, JOINT: parts.joint}
    rows = [
        {"sample": i, "label": found.classes[found.labels[i]], "chosen": found.classes[c], "part": name, "value": value}
        for name, values in named.items()
        for i, (c, value) in enumerate(zip(chosen, (values * towards).sum(axis=1), strict=True))
    ]
    return pd.DataFrame(rows)


def part_sizes(found: Look) -> pd.DataFrame:
    """Mean absolute size of each part of the decisions, with a 95 % interval over samples: ``part`` to ``n``."""
    table = decisions(found)
    rows = []
    for part, group in table.groupby("part", sort=False):
        interval = t_interval(group["value"].abs())
        rows.append({"part": part, "mean": interval.mean, "low": interval.low, "high": interval.high, "n": len(group)})
    return pd.DataFrame(rows, columns=["part", "mean", "low", "high", "n"])


def mean_attention(found: Look) -> pd.DataFrame:
    """Attention weights, mean over samples and heads: ``direction``, ``query``, ``token``, ``weight``."""
    rows: list[dict[str, Any]] = []
    for direction, weights in found.attention.items():
        mean = weights.mean(axis=(0, 1))
        classical = direction == "classical_to_quantum"
        n_tokens = mean.shape[1 if classical else 0]
        kind = "token" if found.method in CONTROLS else "qubit"  # a dense layer has no qubits
        named = [f"{kind} {i}" for i in range(n_tokens)]
        queries, tokens = (found.modalities, named) if classical else (named, found.modalities)
        rows += [
            {"direction": direction, "query": query, "token": token, "weight": float(mean[i, j])}
            for i, query in enumerate(queries)
            for j, token in enumerate(tokens)
        ]
    return pd.DataFrame(rows, columns=["direction", "query", "token", "weight"])


def cost_table(config: siblings.FeatureEntanglementConfig | None = None, largest: int = 24) -> pd.DataFrame:
    """What the feature-entanglement network needs, counted from its circuit's closed form, against M.

    Args:
        config: all other settings.
        largest: M; the register must stay within 30 qubits.

    Returns:
        ``n_modalities``, ``qubits``, ``one_qubit_gates``, ``two_qubit_gates``, ``angles``, ``full`` (two-qubit
        gates where all pairs are joined) and ``tensor`` (products (D + 1)^M of tensor fusion).
    """
    config = config or siblings.FeatureEntanglementConfig()
    rows = []
    for m in range(2, largest + 1):
        sized = config.replace(n_modalities=m)
        full = siblings.counts(sized.replace(pairs="full"))["two_qubit_gates"]
        tensor = float((config.feature_dim + 1) ** m)
        rows.append({"n_modalities": m, **siblings.counts(sized), "full": full, "tensor": tensor})
    return pd.DataFrame(rows)

"""What a visitor takes along from the page Polynomial, and the check of its circuit against TensorFlow Quantum."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qfl_explore.dashboards.share.code import arguments

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.polynomial import PolynomialConfig


def history_table(records: list[tuple[int, float, float]], tests: Mapping[int, float]) -> pd.DataFrame:
    """The learning curve: step, loss, train_r2, and test_r2 where it was computed (else missing)."""
    import pandas as pd

    table = pd.DataFrame(records, columns=["step", "loss", "train_r2"])
    return table.assign(test_r2=[tests.get(step, math.nan) for step in table["step"]])


def snippet(config: PolynomialConfig) -> str:
    """Python source that repeats the run."""
    table = config.target.kind == "table"
    lines = [
        "from qfl_explore import FusionConfig",
        "from qfl_explore.experiments.polynomial import PolynomialConfig, run",
        f"from qfl_explore.experiments.targets import TargetConfig{', read_table' if table else ''}",
        "",
        "config = PolynomialConfig(",
        f"    fusion={_call('FusionConfig', config.fusion)},",
        f"    target={_call('TargetConfig', config.target)},",
        *(f"    {text}," for text in arguments(config, skip=("fusion", "target"))),
        ")",
        f"result = run(config{', read_table(' + repr('your.csv') + ')' if table else ''})",
        "print(result.summary())",
    ]
    if table:
        lines[2] = "from qfl_explore.experiments.table import read_table\n" + lines[2].replace(", read_table", "")
    return "\n".join(lines)


def _call(name: str, config: Any) -> str:
    return f"{name}({', '.join(arguments(config))})"


def compare_with_tfq(config: PolynomialConfig, n_samples: int = 16) -> Iterator[str]:
    """Largest deviations of values and gradients between the batched engine and TensorFlow Quantum.

    Runs in a worker; imports TensorFlow only here.

    Args:
        config: gives circuit and seed; the angles are drawn anew, uniform in [-π, π).
        n_samples: size of the batch.

    Yields:
        Sentences for the page, the last one being the answer.
    """
    from qfl_explore.circuits.ansatz import initial_weights
    from qfl_explore.circuits.fusion import FusionCircuit
    from qfl_explore.simulation.base import get_backend

    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    yield "Loading TensorFlow Quantum (some ten seconds the first time) …"
    other = get_backend("tfq")
    fusion = FusionCircuit(config.fusion)
    rng = np.random.default_rng([config.seed, 1])
    shape = (n_samples, config.fusion.n_modalities, config.fusion.feature_dim)
    features = rng.uniform(-np.pi, np.pi, shape)
    weights = initial_weights(config.fusion, "uniform", config.seed)
    cotangents = rng.normal(size=(n_samples, fusion.n_observables))
    yield "Comparing …"
    ours = get_backend("batched").gradients(fusion, features, weights, cotangents)
    theirs = other.gradients(fusion, features, weights, cotangents)
    values, d_features, d_weights = (
        float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float)))) for a, b in zip(ours, theirs, strict=True)
    )
    yield (
        f"Largest deviation from TensorFlow Quantum on this circuit ({n_samples} random samples, random angles): "
        f"values {values:.1e}, gradients of features {d_features:.1e}, gradients of angles {d_weights:.1e}."
    )

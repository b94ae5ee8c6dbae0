"""What is special about TensorFlow Quantum: conversion, its traps, and its precision."""

import importlib.util
import subprocess
import sys

import cirq
import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.simulation.base import is_available
from tests.reference.dense import oracle, random_observables_of

if not is_available("tfq"):
    pytest.skip("TensorFlow Quantum has no wheel for this platform", allow_module_level=True)

from qfl_explore.simulation import tfq as module


@pytest.fixture
def backend():
    return module.TFQBackend(cache_size=2)


def inputs(fusion, batch):
    rng = np.random.default_rng(3)
    features = rng.normal(size=(batch, fusion.config.n_modalities, fusion.config.feature_dim))
    return features, rng.normal(size=fusion.weight_shape)


def test_a_circuit_is_converted_once_and_the_cache_is_bounded(backend, monkeypatch):
    converted = []
    convert = backend._convert
    monkeypatch.setattr(backend, "_convert", lambda fusion: converted.append(fusion.config) or convert(fusion))
    a, b, c = (FusionConfig(n_modalities=m, degree=1) for m in (1, 2, 3))
    for config in (a, a, b, a, c, a, b):
        fusion = FusionCircuit(config)  # a new object with equal settings
        backend.expectations(fusion, *inputs(fusion, 2))
    assert converted == [a, b, c, b]
    assert list(backend._conversions) == [a, b]


def test_neither_batch_size_nor_circuit_is_traced_anew(backend):
    for n_modalities, batch in ((2, 1), (2, 5), (3, 2), (5, 7)):
        for form in ("multi_controlled", "gray_code"):
            fusion = FusionCircuit(FusionConfig(n_modalities=n_modalities, degree=1, signal_form=form))
            features, weights = inputs(fusion, batch)
            backend.expectations(fusion, features, weights)
            backend.gradients(fusion, features, weights, np.ones((batch, fusion.n_observables)))
    assert backend._graph_values.experimental_get_tracing_count() == 1
    assert backend._graph_gradients.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("signal", ["ry", "phase"])
def test_adjoint_gradients_are_as_good_as_float32_allows(backend, signal):
    """Without the rescaled symbols the difference quotient inside TFQ leaves errors beyond 1e-5 here."""
    fusion = FusionCircuit(FusionConfig(n_modalities=3, degree=3, signal=signal))
    features, weights = inputs(fusion, 8)
    cotangents = np.ones((8, fusion.n_observables))
    want = oracle(fusion.config, features, weights, cotangents, random_observables_of(fusion))
    got = backend.gradients(fusion, features, weights, cotangents)
    np.testing.assert_allclose(got[1], want[1], rtol=0, atol=3e-6)
    np.testing.assert_allclose(got[2], want[2], rtol=0, atol=1e-5)  # sums of 8 samples


@pytest.mark.parametrize(
    "control_values",
    [[(0, 1), 1], cirq.SumOfProducts([(0, 1), (1, 0)])],
    ids=["two values of one control", "sum of products"],
)
def test_controls_with_several_values_are_refused(backend, control_values):
    fusion = FusionCircuit(FusionConfig(n_modalities=2, degree=1))
    a, b, c = fusion.qubits
    trap = cirq.ControlledGate(cirq.ry(fusion.feature_symbols[0]), num_controls=2, control_values=control_values)
    fusion.__dict__["circuit"] = fusion.circuit + cirq.Circuit(trap.on(a, b, c))
    with pytest.raises(ValueError, match=r"a control accepts several values.*Expected: one control value.*Received"):
        backend.expectations(fusion, *inputs(fusion, 1))
    assert not backend._conversions


def test_the_size_of_the_cache_is_checked():
    with pytest.raises(ValueError, match=r"cache_size is out of range.*Expected.*Received: cache_size=0"):
        module.TFQBackend(cache_size=0)


def test_a_platform_without_wheels_is_explained(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"not installed.*Expected: .*Linux on x86-64 only.*'batched'.*Received: "):
        module.import_tfq()


def test_tensorflow_with_keras_3_is_explained(monkeypatch):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS")
    with pytest.raises(ImportError, match=r"Keras 3.*Expected: TF_USE_LEGACY_KERAS=1.*Received: .*=None"):
        module.import_tfq()


def test_the_switch_is_set_where_tensorflow_is_not_imported_yet():
    code = (
        "import os, sys; os.environ.pop('TF_USE_LEGACY_KERAS', None)\n"
        "from qfl_explore.simulation.legacy_keras import require_legacy_keras\n"
        "require_legacy_keras()\n"
        "assert os.environ['TF_USE_LEGACY_KERAS'] == '1' and 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

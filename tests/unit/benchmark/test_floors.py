"""Operations that the engine needs, counted by hand, and the peak that they are held against."""

import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig
from qfl_explore.benchmark.floors import flops, measured_peak


def by_hand(config):
    """Flops of one sample for qubit-efficient RY and observables of one qubit."""
    fusion = FusionCircuit(config)
    size, n = 2**fusion.n_qubits, fusion.n_qubits
    rotations, signals = n * (config.degree + 1), config.degree * config.n_features
    from qfl_explore.simulation.batched import BatchedBackend

    n_diagonals = len(BatchedBackend().program(fusion)[0].diagonal_starts) - 1
    forward = rotations * 4 * size + n_diagonals * 6 * size + signals * 12 + n * 8 * size
    backward = rotations * 20 * size + n_diagonals * 12 * size + signals * 33 + n * 12 * size
    return {"forward": forward, "gradient": forward + backward}


@pytest.mark.parametrize(("modalities", "dim", "degree"), [(1, 1, 1), (3, 2, 2), (12, 1, 3)])
def test_the_count_is_that_of_the_kernels_loops(modalities, dim, degree):
    config = FusionConfig(n_modalities=modalities, feature_dim=dim, degree=degree, measurement="computational")
    assert flops(FusionCircuit(config), 1) == by_hand(config)
    config = config.replace(measurement="pauli")
    assert flops(FusionCircuit(config), 1) == by_hand(config)


def test_the_count_is_proportional_to_the_batch():
    fusion = FusionCircuit(FusionConfig(n_modalities=5, degree=2))
    one, many = flops(fusion, 1), flops(fusion, 64)
    assert many == {what: 64 * count for what, count in one.items()}
    assert 2 * one["forward"] < one["gradient"] < 8 * one["forward"]


def test_the_measured_peak_is_above_what_a_matrix_product_reaches():
    import time

    matrix = np.ones((256, 256), np.float32)
    matrix @ matrix
    begin = time.perf_counter()
    matrix @ matrix
    reached = 2 * 256**3 / (time.perf_counter() - begin)
    assert measured_peak(2, rounds=2) > 0.3 * reached
    assert 1e9 < measured_peak(1, rounds=2) < 1e12

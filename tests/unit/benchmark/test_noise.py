"""The comparison with cirq's density matrices times only what agrees."""

from qfl_explore.benchmark.noise import measure


def test_a_row_has_both_times_and_no_difference():
    row = measure(1, 1, 1, n_repeats=1)
    assert row["n_qubits"] == 2
    assert row["largest_difference"] < 1e-12
    assert row["ratio"] > 1
    assert row["ratio"] == 64 * row["cirq_ms_a_sample"] / row["forward_ms"]

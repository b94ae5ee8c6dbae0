"""One battery for the engines that run circuits under noise; cirq's density matrices are the oracle."""

import functools

import cirq
import numpy as np
import pytest

from qfl_explore import FusionCircuit, FusionConfig, get_backend
from qfl_explore.circuits.noise import (
    NoiseModel,
    check_strength,
    device_noise,
    gate_counts,
    noise_of,
    noisy_circuit,
    noisy_observables,
    physical_moments,
)
from qfl_explore.simulation.base import NOISY_ENGINES, is_available
from tests.reference.dense import oracle, random_observables_of

#: Circuits of every kind that fit; all are small, because the oracle is slow.
CASES = {
    "default": dict(degree=2),
    "phase": dict(degree=2, signal="phase", measurement="pauli"),
    "rx, all Paulis": dict(n_modalities=3, signal="rx", degree=1, measurement="all_pauli"),
    "rz, blocks, ring": dict(n_modalities=4, signal="rz", degree=1, n_blocks=2, entangler="ring"),
    "one qubit": dict(n_modalities=1, constant_slot=False),
    "a qubit a feature": dict(n_modalities=3, degree=2, encoding="qubit_per_feature", measurement="global_z"),
    "gray code, linear": dict(n_modalities=3, degree=1, signal_form="gray_code", entangler="linear"),
}
LOUD = NoiseModel(
    depolarizing_1q=0.02,
    depolarizing_2q=0.05,
    dephasing=0.03,
    amplitude_damping=0.04,
    readout_0=0.1,
    readout_1=0.2,
)
#: Every channel alone.
ALONE = [
    NoiseModel(**{name: 0.1})
    for name in ("depolarizing_1q", "depolarizing_2q", "dephasing", "amplitude_damping", "readout_0", "readout_1")
]


@functools.cache
def question(case, batch=2):
    fusion = FusionCircuit(FusionConfig(**CASES[case]))
    rng = np.random.default_rng(len(case))
    config = fusion.config
    features = rng.uniform(-np.pi, np.pi, (batch, config.n_modalities, config.feature_dim))
    return fusion, features, rng.uniform(-np.pi, np.pi, config.weight_shape)


def cotangents_of(fusion, batch=2):
    return np.random.default_rng(5).normal(size=(batch, fusion.n_observables))


def exact(fusion, features, weights, noise, **how):
    """Values [B, K] from cirq's own density matrices in complex128."""
    simulator, circuit = cirq.DensityMatrixSimulator(dtype=np.complex128), noisy_circuit(fusion, noise, **how)
    place = {qubit: i for i, qubit in enumerate(fusion.qubits)}
    names = [symbol.name for symbol in fusion.physical.symbols]
    rows = []
    for angles in fusion.physical.symbol_values(features, weights):
        resolver = dict(zip(names, angles.tolist(), strict=True))
        matrix = simulator.simulate(circuit, resolver, qubit_order=fusion.qubits).final_density_matrix
        rows.append(
            [
                o.expectation_from_density_matrix(matrix, place, check_preconditions=False).real
                for o in noisy_observables(fusion, noise)
            ]
        )
    return np.array(rows)


def noisy(name, noise, **options):
    if not is_available(name):
        pytest.skip(f"{NOISY_ENGINES[name].needs} is not installed on this platform")
    return get_backend(name, noise=noise, **options)


@pytest.mark.parametrize("case", CASES)
def test_density_matrices_equal_cirqs(case):
    fusion, features, weights = question(case)
    got = noisy("density_matrix", LOUD).expectations(fusion, features, weights)
    np.testing.assert_allclose(got, exact(fusion, features, weights, LOUD), rtol=0, atol=1e-12)


@pytest.mark.parametrize("noise", [*ALONE, device_noise()], ids=str)
def test_every_channel_alone(noise):
    fusion, features, weights = question("default")
    got = noisy("density_matrix", noise).expectations(fusion, features, weights)
    np.testing.assert_allclose(got, exact(fusion, features, weights, noise), rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_zero_noise_is_noiseless(case):
    fusion, features, weights = question(case)
    cotangents = cotangents_of(fusion)
    drawn = random_observables_of(fusion) if fusion.config.measurement == "random_pauli_plane" else None
    want = oracle(fusion.config, features, weights, cotangents, drawn)
    got = noisy("density_matrix", None).gradients(fusion, features, weights, cotangents)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_difference_quotients(case):
    fusion, features, weights = question(case)
    cotangents, engine, step = cotangents_of(fusion), noisy("density_matrix", LOUD), 1e-5
    _, d_features, d_weights = engine.gradients(fusion, features, weights, cotangents)

    def loss(x, w):
        return float(np.sum(cotangents * engine.expectations(fusion, x, w)))

    rng = np.random.default_rng(0)
    for analytic, place, arrays in ((d_features, 0, (features, weights)), (d_weights, 1, (features, weights))):
        direction = rng.normal(size=analytic.shape)
        ends = []
        for sign in (1, -1):
            moved = list(arrays)
            moved[place] = arrays[place] + sign * step * direction
            ends.append(loss(*moved))
        slope = float(np.sum(analytic * direction))
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, abs=1e-7 * (1 + abs(slope)))


def test_fully_depolarised_is_nothing():
    fusion, features, weights = question("default")
    noise = NoiseModel(depolarizing_1q=0.75, depolarizing_2q=0.9375)
    np.testing.assert_allclose(
        noisy("density_matrix", noise).expectations(fusion, features, weights), 0.0, rtol=0, atol=1e-15
    )


@pytest.mark.parametrize("measurement", ["global_z", "computational", "random_pauli_plane"])
def test_equal_readout_errors_shrink_by_a_power(measurement):
    fusion = FusionCircuit(FusionConfig(degree=1, measurement=measurement))
    rng = np.random.default_rng(0)
    features, weights = rng.normal(size=(3, 2, 1)), rng.normal(size=fusion.weight_shape)
    error = 0.07
    pure = noisy("density_matrix", None).expectations(fusion, features, weights)
    got = noisy("density_matrix", NoiseModel(readout_0=error, readout_1=error)).expectations(fusion, features, weights)
    n_read = 3 if measurement == "global_z" else 1
    np.testing.assert_allclose(got, (1 - 2 * error) ** n_read * pure, rtol=0, atol=1e-12)


def test_amplitude_damping_of_one_qubit_has_a_closed_form():
    """RX(π) makes |1⟩; of n moments of damping, ⟨Z⟩ = 1 - 2 (1 - γ)^n where nothing else turns it."""
    fusion = FusionCircuit(FusionConfig(n_modalities=1, constant_slot=False, degree=3, measurement="local_z"))
    weights = np.zeros(fusion.weight_shape)
    weights[0, 0, 0, 0] = np.pi
    gamma, n_moments = 0.1, len(physical_moments(fusion))
    got = noisy("density_matrix", NoiseModel(amplitude_damping=gamma)).expectations(
        fusion, np.zeros((1, 1, 1)), weights
    )
    assert n_moments == 7  # U, S, U, S, U, S, U
    assert got[0, 0] == pytest.approx(1 - 2 * (1 - gamma) ** n_moments, abs=1e-12)


def test_depolarising_of_one_qubit_has_a_closed_form():
    fusion = FusionCircuit(FusionConfig(n_modalities=1, constant_slot=False, degree=2, measurement="pauli"))
    rng = np.random.default_rng(0)
    features, weights = rng.normal(size=(4, 1, 1)), rng.normal(size=fusion.weight_shape)
    pure = noisy("density_matrix", None).expectations(fusion, features, weights)
    got = noisy("density_matrix", NoiseModel(depolarizing_1q=0.06)).expectations(fusion, features, weights)
    np.testing.assert_allclose(got, (1 - 4 * 0.06 / 3) ** 5 * pure, rtol=0, atol=1e-12)


def test_waiting_channels_may_be_written_as_one():
    fusion, features, weights = question("default", 1)
    apart, merged = (exact(fusion, features, weights, LOUD, merge_idle=merge) for merge in (False, True))
    np.testing.assert_allclose(apart, merged, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("trajectories", LOUD),
        ("trajectories", device_noise()),
        ("tfq_noisy", NoiseModel(depolarizing_1q=0.05, dephasing=0.03, amplitude_damping=0.05, readout_1=0.1)),
    ],
    ids=["qsim, all channels", "qsim, device", "TensorFlow Quantum"],
)
@pytest.mark.parametrize("case", ["default", "phase", "a qubit a feature"])
def test_trajectories_agree_within_four_standard_errors(name, noise, case):
    fusion, features, weights = question(case)
    found = noisy(name, noise, n_trajectories=2000).estimates(fusion, features, weights)
    want = noisy("density_matrix", noise).expectations(fusion, features, weights)
    assert found.n_trajectories == 2000
    assert 0 < found.standard_errors.max() < 0.03
    np.testing.assert_array_less(np.abs(found.values - want), 4 * found.standard_errors + 1e-6)


def test_standard_errors_are_honest():
    """Over many seeds, distances in standard errors scatter as Student's t does."""
    fusion, features, weights = question("default", 1)
    want = noisy("density_matrix", LOUD).expectations(fusion, features, weights)
    distances = []
    for seed in range(20):
        found = noisy("trajectories", LOUD, n_trajectories=100, seed=seed).estimates(fusion, features, weights)
        distances.append((found.values - want) / found.standard_errors)
    assert 0.7 < np.std(distances) < 1.5
    assert abs(np.mean(distances)) < 0.6


def test_trajectories_without_noise_are_exact_and_seeds_repeat():
    fusion, features, weights = question("default")
    silent = noisy("trajectories", None).estimates(fusion, features, weights)
    want = noisy("density_matrix", None).expectations(fusion, features, weights)
    np.testing.assert_allclose(silent.values, want, rtol=0, atol=1e-5)
    assert silent.standard_errors.max() < 1e-12
    first, second = (noisy("trajectories", LOUD, n_trajectories=40).estimates(fusion, features, weights) for _ in "12")
    np.testing.assert_array_equal(first.values, second.values)


def test_trajectory_gradients_scatter_about_the_exact_ones():
    fusion, features, weights = question("one qubit", 1)
    cotangents = np.ones((1, fusion.n_observables))
    noise = NoiseModel(dephasing=0.05)
    got = noisy("trajectories", noise, n_trajectories=4000).gradients(fusion, features, weights, cotangents)
    want = noisy("density_matrix", noise).gradients(fusion, features, weights, cotangents)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=0.08)
        assert one.dtype == np.float32


def test_a_large_register_goes_to_trajectories():
    fusion = FusionCircuit(FusionConfig(n_modalities=40, degree=1))
    features, weights = np.zeros((1, 40, 1)), np.zeros(fusion.weight_shape)
    with pytest.raises(ValueError, match=r"too large for exact density.*Expected: at most 6.*Received: 7 qubits"):
        get_backend("density_matrix").expectations(fusion, features, weights)
    found = noisy("trajectories", device_noise(), n_trajectories=20).estimates(fusion, features, weights)
    assert found.values.shape == (1, 7)


def test_a_batch_of_one_is_its_row_and_threads_change_nothing():
    fusion, *_ = question("default")
    rng = np.random.default_rng(3)
    features, weights = rng.normal(size=(21, 2, 1)), rng.normal(size=fusion.weight_shape)
    cotangents = rng.normal(size=(21, fusion.n_observables))
    answers = [
        get_backend("density_matrix", noise=LOUD, n_threads=n).gradients(fusion, features, weights, cotangents)
        for n in (1, 2)
    ]
    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)
    row = get_backend("density_matrix", noise=LOUD).expectations(fusion, features[20:], weights)
    np.testing.assert_allclose(row, answers[0][0][20:], rtol=0, atol=1e-14)


def test_noise_may_be_a_mapping_so_that_layers_can_be_saved():
    fusion, features, weights = question("default")
    settings = {"depolarizing_2q": 0.05, "readout_0": 0.1}
    engines = [noisy("density_matrix", noise) for noise in (settings, NoiseModel(**settings))]
    first, second = (engine.expectations(fusion, features, weights) for engine in engines)
    np.testing.assert_array_equal(first, second)
    assert noisy("density_matrix", dict(settings)) is engines[0]


def test_a_keras_layer_trains_under_noise():
    layers = pytest.importorskip("qfl_explore.layers")
    options = {"noise": {"depolarizing_2q": 0.05, "amplitude_damping": 0.02}}
    layer = layers.QuantumFusion(FusionConfig(degree=2), backend="density_matrix", backend_options=options)
    again = layers.QuantumFusion.from_config(layer.get_config())
    features = np.random.default_rng(0).normal(size=(4, 2, 1)).astype(np.float32)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(features))
    again.build(features.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(features), again(features), atol=1e-6)
    engine = noisy("density_matrix", options["noise"])
    angles = layer.get_weights()[0]
    want = engine.gradients(layer.fusion, features, angles, np.ones((4, layer.n_observables)))[2]
    np.testing.assert_allclose(tape.gradient(loss, layer.trainable_weights)[0], want, atol=1e-5)


WRONG = {
    "a list": (lambda: get_backend("density_matrix", noise=[0.1]), TypeError, r"option noise.*Expected.*\[0\.1\]"),
    "an unknown channel": (lambda: get_backend("density_matrix", noise={"loss": 1}), TypeError, r"noise is of.*'loss'"),
    "no model": (
        lambda: get_backend("density_matrix", noise=0.1),
        TypeError,
        r"noise is of the wrong kind.*Expected.*0\.1",
    ),
    "too strong": (lambda: NoiseModel(dephasing=0.6), ValueError, r"dephasing is out of range.*0 to 0\.5.*0\.6"),
    "negative": (lambda: NoiseModel(readout_0=-1), ValueError, r"readout_0 is out of range.*Expected.*-1"),
    "a word": (lambda: NoiseModel(dephasing="x"), TypeError, r"dephasing must be a number.*Expected.*'x'"),
    "not a number": (lambda: check_strength("s", np.nan, 1, "x"), ValueError, r"s is out of range.*Expected.*nan"),
    "unknown kind": (lambda: noise_of("dephase", 0.1), ValueError, r"kind is not a known.*did you mean 'dephasing'"),
    "unknown engine": (lambda: get_backend("density"), ValueError, r"backend.*did you mean 'density_matrix'"),
    "few trajectories": (lambda: get_backend("trajectories", n_trajectories=3), ValueError, r"n_trajectories.*20.*=3"),
    "TensorFlow Quantum's gap": (
        lambda: get_backend("tfq_noisy", noise=NoiseModel(depolarizing_2q=0.1)),
        ValueError,
        r"two-qubit depolarising wrongly.*Expected: depolarizing_2q=0.*Received: depolarizing_2q=0\.1",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_settings_are_explained(wrong):
    make, kind, message = WRONG[wrong]
    with pytest.raises(kind, match=message):
        make()


def test_tensorflow_quantum_still_has_its_gap():
    """If this fails, TensorFlow Quantum has learned two-qubit depolarising: lift the refusal."""
    if not is_available("tfq_noisy"):
        pytest.skip("tensorflow_quantum is not installed on this platform")
    from qfl_explore.simulation.tfq import import_tfq

    _, tfq = import_tfq()
    pair = cirq.GridQubit.rect(1, 2)
    circuit = cirq.Circuit(cirq.I.on_each(*pair), cirq.depolarize(0.3, 2)(*pair))
    observables = tfq.convert_to_tensor([[1.0 * cirq.Z(qubit) for qubit in pair]])
    values = tfq.noise.expectation(tfq.convert_to_tensor([circuit]), [], [[]], observables, [[4000] * 2])
    np.testing.assert_allclose(values, [[0.6, 1.0]], atol=0.08)  # right would be 0.68 for both


def test_the_device_preset_is_what_cirq_google_ships():
    factory = pytest.importorskip("cirq_google.engine.virtual_engine_factory")
    from cirq_google.engine.calibration_to_noise_properties import noise_properties_from_calibration

    from qfl_explore.circuits.noise import WEBER

    calibration = factory.load_median_device_calibration("weber")
    found = noise_properties_from_calibration(calibration, factory.load_sample_device_zphase("weber"))
    errors = {"PhasedXZGate": [], "ISwapPowGate": []}
    for where, error in found.gate_pauli_errors.items():
        errors.get(where.gate_type.__name__, []).append(error)
    medians = {
        "error_1q": np.median(errors["PhasedXZGate"]),
        "error_2q": np.median(errors["ISwapPowGate"]),
        "t1": np.median(list(found.t1_ns.values())),
        "t_phi": np.median(list(found.tphi_ns.values())),
        "time_1q": found.gate_times_ns[cirq.PhasedXZGate],
        "time_2q": found.gate_times_ns[cirq.ISwapPowGate],
    }
    medians |= dict(
        zip(("readout_0", "readout_1"), np.median(list(found.readout_errors.values()), axis=0), strict=True)
    )
    assert medians == pytest.approx(WEBER, rel=1e-6)


def test_gates_are_counted():
    counts = gate_counts(FusionCircuit(FusionConfig(n_modalities=12, degree=3)))
    # U: 4 layers of 5 gates and 10 CZ; S: 12 rotations with 4 controls, or 16 rotations and 16 CNOT
    assert counts["multi_controlled"] == {"one_qubit": 20, "two_qubit": 40, "larger": 36, "widest": 5}
    physical = counts["physical"]
    assert (physical["one_qubit"], physical["two_qubit"], physical["larger"]) == (20 + 3 * 16, 40 + 3 * 16, 0)

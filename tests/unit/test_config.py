"""FusionConfig: what it refuses, what it derives, and ids that survive growth."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfl_explore.config import ENCODINGS, ENTANGLERS, SIGNAL_FORMS, SIGNALS, FusionConfig, run_id

INTEGERS = ("n_modalities", "feature_dim", "degree", "n_blocks")

configs = st.builds(
    FusionConfig,
    n_modalities=st.integers(1, 5),
    feature_dim=st.integers(1, 4),
    degree=st.integers(1, 6),
    n_blocks=st.integers(1, 3),
    encoding=st.sampled_from(ENCODINGS),
    signal=st.sampled_from(SIGNALS),
    signal_form=st.sampled_from(SIGNAL_FORMS),
    constant_slot=st.booleans(),
    measurement=st.sampled_from(("random_pauli_plane", "computational", "pauli")),
    n_observables=st.none() | st.just(1),
    entangler=st.sampled_from(ENTANGLERS),
    seed=st.integers(0, 2**31),
)


# What it refuses


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [0, -1])
def test_counts_start_at_one(name, value):
    message = rf"^{name} is out of range\. Expected: an integer of 1 or more\. Received: {name}={value}\.$"
    with pytest.raises(ValueError, match=message):
        FusionConfig(**{name: value})


def test_a_seed_may_be_zero_but_not_negative():
    assert FusionConfig(seed=0).seed == 0
    message = r"^seed is out of range\. Expected: an integer of 0 or more\. Received: seed=-1\.$"
    with pytest.raises(ValueError, match=message):
        FusionConfig(seed=-1)


@pytest.mark.parametrize("name", [*INTEGERS, "seed", "n_observables"])
@pytest.mark.parametrize("value", [1.5, "3", True])
def test_counts_are_integers(name, value):
    with pytest.raises(TypeError, match=rf"^{name}.* must be an integer\. Expected: an integer .*\. Received: {name}"):
        FusionConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("encoding", "qubit_eficient", "qubit_efficient"),
        ("signal", "phases", "phase"),
        ("signal_form", "grey_code", "gray_code"),
        ("measurement", "paulis", "pauli"),
        ("entangler", "rings", "ring"),
    ],
)
def test_unknown_options_get_a_suggestion(name, wrong, right):
    message = (
        rf"^{name} is not a known option\. Expected: one of .* Received: {name}='{wrong}' \(did you mean '{right}'"
    )
    with pytest.raises(ValueError, match=message):
        FusionConfig(**{name: wrong})


@pytest.mark.parametrize("name", ["encoding", "signal", "signal_form", "measurement", "entangler"])
def test_options_are_strings(name):
    with pytest.raises(TypeError, match=rf"^{name} must be a string\. Expected: one of .*\. Received: {name}=None\.$"):
        FusionConfig(**{name: None})


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_constant_slot_is_a_boolean(value):
    message = r"^constant_slot must be a boolean\. Expected: True or False\. Received: constant_slot="
    with pytest.raises(TypeError, match=message):
        FusionConfig(constant_slot=value)


def test_a_register_beyond_memory_is_refused_with_its_size():
    message = (
        r"^n_modalities=40 and feature_dim=1 need too large a register with encoding='qubit_per_feature'\. "
        r"Expected: at most 30 qubits\. Received: 40 qubits, a state vector of 8\.19e\+03 GiB\.$"
    )
    with pytest.raises(ValueError, match=message):
        FusionConfig(n_modalities=40, encoding="qubit_per_feature")


def test_an_absurd_number_of_modalities_is_refused_without_overflow():
    with pytest.raises(ValueError, match=r"1000000 qubits, a state vector of 2\^999973 GiB"):
        FusionConfig(n_modalities=10**6, encoding="qubit_per_feature")


def test_all_pauli_is_for_small_registers():
    assert FusionConfig(n_modalities=31, measurement="all_pauli").n_qubits == 6
    message = (
        r"^measurement='all_pauli' .* small registers only\. Expected: at most 6 qubits\. "
        r"Received: n_qubits=7, that is 16383 observables\.$"
    )
    with pytest.raises(ValueError, match=message):
        FusionConfig(n_modalities=32, measurement="all_pauli")


@pytest.mark.parametrize(
    ("measurement", "limit"), [("computational", 7), ("pauli", 9), ("all_pauli", 63), ("global_z", 1)]
)
def test_observables_are_bounded_by_what_exists(measurement, limit):
    assert FusionConfig(measurement=measurement, n_observables=limit).n_observables == limit
    message = (
        rf"^n_observables of measurement='{measurement}' is out of range\. "
        rf"Expected: an integer from 1 to {limit}\. Received: .*={limit + 1}\.$"
    )
    with pytest.raises(ValueError, match=message):
        FusionConfig(measurement=measurement, n_observables=limit + 1)


def test_random_planes_are_unbounded_but_at_least_one():
    assert FusionConfig(n_observables=500).n_observables == 500
    with pytest.raises(ValueError, match=r"is out of range\. Expected: an integer of 1 or more\. Received: .*=0\.$"):
        FusionConfig(n_observables=0)


def test_settings_are_keywords_and_frozen():
    with pytest.raises(TypeError, match="positional"):
        FusionConfig(3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        FusionConfig().degree = 5


def test_replace_validates_anew():
    with pytest.raises(ValueError, match="degree is out of range"):
        FusionConfig().replace(degree=0)


# What it derives


@pytest.mark.parametrize(
    ("n_modalities", "feature_dim", "n_qubits"),
    [(2, 1, 3), (3, 4, 5), (12, 1, 5), (12, 4, 7), (207, 1, 9), (207, 4, 11)],
)
def test_register_sizes_of_the_theory_sheet(n_modalities, feature_dim, n_qubits):
    assert FusionConfig(n_modalities=n_modalities, feature_dim=feature_dim).n_qubits == n_qubits


@given(n_modalities=st.integers(1, 300), feature_dim=st.integers(1, 8), constant_slot=st.booleans())
def test_the_index_register_is_the_smallest_that_fits(n_modalities, feature_dim, constant_slot):
    config = FusionConfig(n_modalities=n_modalities, feature_dim=feature_dim, constant_slot=constant_slot)
    needed = n_modalities * feature_dim + constant_slot
    assert config.n_qubits == 1 + config.n_index_qubits
    assert config.n_slots == 2**config.n_index_qubits >= needed
    assert config.n_index_qubits == 0 or 2 ** (config.n_index_qubits - 1) < needed


@given(config=configs)
def test_weights_fill_their_stated_shape(config):
    assert config.weight_shape == (config.degree + 1, config.n_blocks, config.n_qubits, 3)
    assert config.n_weights == math.prod(config.weight_shape)
    assert config.n_index_qubits + config.n_value_qubits == config.n_qubits


def test_one_qubit_for_each_feature_has_no_index_register():
    config = FusionConfig(n_modalities=3, feature_dim=2, encoding="qubit_per_feature")
    assert (config.n_index_qubits, config.n_value_qubits, config.n_qubits) == (0, 6, 6)


def test_numpy_integers_become_plain_ones():
    config = FusionConfig(degree=np.int64(4), seed=np.uint8(7), n_observables=np.int32(2))
    assert {type(config.degree), type(config.seed), type(config.n_observables)} == {int}
    assert config.run_id == FusionConfig(degree=4, seed=7, n_observables=2).run_id


# Ids


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "b6d26aadcd50"),
        ({"n_modalities": 3, "feature_dim": 2, "degree": 4}, "10416c38c798"),
        ({"signal": "phase", "constant_slot": False, "seed": 11}, "7e7b68026887"),
    ],
)
def test_ids_never_change(settings, expected):
    assert FusionConfig(**settings).run_id == expected


def test_a_default_that_is_written_out_changes_no_id():
    assert FusionConfig(degree=3, signal="ry", seed=0).run_id == FusionConfig().run_id


def test_a_new_setting_changes_no_old_id():
    def make(*extra):
        fields = [("depth", int, dataclasses.field(default=1)), *extra]
        return dataclasses.make_dataclass("GrowingConfig", fields, frozen=True)

    old, new = make(), make(("colour", str, dataclasses.field(default="blue")))
    assert run_id(old(depth=2)) == run_id(new(depth=2))
    assert run_id(new(depth=2)) != run_id(new(depth=2, colour="red"))


def test_an_id_names_the_class_and_looks_into_nested_configs():
    outer = dataclasses.make_dataclass("Outer", [("fusion", FusionConfig), ("name", str)], frozen=True)
    other = dataclasses.make_dataclass("Other", [("fusion", FusionConfig), ("name", str)], frozen=True)
    one = outer(FusionConfig(degree=2), "a")
    assert run_id(one) == run_id(outer(FusionConfig(degree=2), "a"))
    assert run_id(one) != run_id(outer(FusionConfig(degree=4), "a"))
    assert run_id(one) != run_id(other(FusionConfig(degree=2), "a"))


@given(config=configs)
def test_a_config_survives_its_dict_and_an_empty_replace(config):
    assert FusionConfig(**config.to_dict()) == config
    assert config.replace() == config
    assert FusionConfig(**config.to_dict()).run_id == config.run_id
    assert len(config.run_id) == 12
    assert set(config.run_id) <= set("0123456789abcdef")


@given(one=configs, other=configs)
def test_equal_ids_mean_equal_settings(one, other):
    assert (one.run_id == other.run_id) == (one == other)


@pytest.mark.parametrize("name", INTEGERS)
def test_every_setting_counts_in_the_id(name):
    assert FusionConfig(**{name: 9}).run_id != FusionConfig().run_id

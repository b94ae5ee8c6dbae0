"""How low-rank fusion vanishes: closed form, the layer itself, and what the table says."""

import math

import numpy as np
import pytest

from qfl_explore.experiments.low_rank_collapse import (
    COLUMNS,
    CollapseConfig,
    collapse_table,
    expected_log10,
    run,
)


@pytest.fixture(scope="module", params=[1, 8])
def table(request):
    return run(CollapseConfig(n_outputs=request.param, n_modalities=(3, 12, 207))).table


def rows(table, start):
    return table[table["start"] == start].set_index("n_modalities")


def test_the_table_is_tidy(table):
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 9
    assert (table["low"] < table["log10_product"]).all()
    assert (table["log10_product"] < table["high"]).all()


@pytest.mark.parametrize("start", ["reference", "unit_variance"])
def test_the_closed_form_holds(table, start):
    """The mean of a sum of M logarithms, whose standard deviation is about sqrt(M) / 2."""
    found = rows(table, start)
    assert len(found) > 1
    for m, row in found.iterrows():
        assert abs(row["log10_product"] - row["expected"]) < 0.5 * math.sqrt(m) * 0.35 + 0.2


def test_published_numbers_of_the_reference_start():
    """Medians for D = 8, R = 4: -2.6 and -46.9 with one output, -8.0 and -140.3 with eight."""
    for n_outputs, m, value in ((1, 12, -2.6), (1, 207, -46.9), (8, 12, -8.0), (8, 207, -140.3)):
        median = collapse_table(n_modalities=(m,), n_outputs=n_outputs, starts=("reference",))["log10_product"][0]
        assert abs(median - value) < (0.3 if m == 12 else 1.0)


def test_preserving_the_variance_does_not_preserve_the_size(table):
    """Mean square 1 for every M, and yet the typical product vanishes; near 1 it does not."""
    assert rows(table, "unit_variance").loc[207, "log10_product"] < -55
    assert rows(table, "unit_variance").loc[207, "share_zero"] > 0.9
    near = rows(table, "near_one")
    assert near["log10_product"].abs().max() < 0.5
    assert near["log10_slope"].abs().max() < 0.5
    assert (near["share_zero"] == 0).all()


def test_the_slope_is_that_of_the_layer():
    """The layer's gradient in double precision, for the factors of one draw."""
    import tensorflow as tf

    from qfl_explore.baselines import LowRankFusion, low_rank_start
    from qfl_explore.experiments import low_rank_collapse

    config = CollapseConfig(n_modalities=(5,), feature_dim=3, rank=2, n_outputs=2)
    found = low_rank_collapse._one_draw(config, 5, "reference", np.random.default_rng(7))
    rng = np.random.default_rng(7)
    factors, weights = low_rank_start(5, 3, 2, 2, "reference", rng)
    h = tf.constant(rng.normal(size=(1, 5, 3)))
    layer = LowRankFusion(2, rank=2, dtype="float64")
    layer(h)
    layer.set_weights([factors, weights, np.zeros(2)])
    with tf.GradientTape() as tape:
        tape.watch(h)
        value = layer(h)[0, 0]
    slope = np.log10(np.linalg.norm(tape.gradient(value, h).numpy()))
    np.testing.assert_allclose(found[2], slope, atol=1e-9)


def test_summary_says_where_zeros_begin():
    summary = run(CollapseConfig(n_modalities=(2, 207), n_draws=20)).summary()
    assert summary["n_modalities"] == 207
    first = {row["start"]: row["first_zero"] for row in summary["starts"]}
    assert (first["reference"], first["near_one"]) == (207, None)
    assert (summary["n_draws"], summary["seed"]) == (20, 0)


def test_same_seed_same_table_and_rows_do_not_depend_on_each_other():
    whole = collapse_table(n_modalities=(2, 5), n_draws=10)
    part = collapse_table(n_modalities=(5,), n_draws=10, starts=("near_one",))
    same = whole[(whole["n_modalities"] == 5) & (whole["start"] == "near_one")]
    np.testing.assert_array_equal(same["log10_product"], part["log10_product"])
    assert collapse_table(n_modalities=(2,), seed=1)["log10_product"][0] != whole["log10_product"][0]


def test_no_closed_form_for_near_one():
    assert math.isnan(expected_log10(CollapseConfig(), 12, "near_one"))


def test_ids_leave_defaults_out():
    assert CollapseConfig().run_id == CollapseConfig(seed=0).run_id != CollapseConfig(seed=1).run_id
    assert CollapseConfig().replace(rank=2).rank == 2


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"n_modalities": 3}, TypeError, r"n_modalities must be a sequence.*Expected.*Received: n_modalities=3"),
        ({"n_modalities": (0,)}, ValueError, r"each of n_modalities is out of range.*Expected.*Received"),
        ({"starts": ("xavier",)}, ValueError, r"starts has an unknown word.*Expected.*Received: 'xavier'"),
        ({"n_draws": 3}, ValueError, r"n_draws is out of range.*Expected.*Received: n_draws=3"),
        ({"rank": 1.5}, TypeError, r"rank must be an integer.*Expected.*Received: rank=1.5"),
    ],
)
def test_wrong_settings_are_explained(settings, kind, message):
    with pytest.raises(kind, match=message):
        CollapseConfig(**settings)

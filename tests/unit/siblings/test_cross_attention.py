"""Cross-attention mid-fusion: closed forms of attention, variants, sizes, engines."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from qfl_explore import siblings
from qfl_explore.siblings.layers import CrossAttention, attend
from qfl_explore.simulation.base import is_available

SIZES = (5, 4, 3)
OPTIONS = siblings.CrossAttentionOptions(width=4, n_heads=2)


def samples(n=6, seed=0, sizes=SIZES):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, size)).astype(np.float32) for size in sizes]


def model(variant="classical_to_quantum", **more):
    return siblings.cross_attention_model(SIZES, OPTIONS.replace(variant=variant), columns=3, feature_dim=2, **more)


def arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [tf.constant(rng.normal(size=shape)) for shape in shapes]


def test_attention_of_one_token_is_the_identity_on_it():
    queries, keys, values = arrays((2, 5, 3), (2, 1, 3), (2, 1, 4))
    mixed, weights = attend(queries, keys, values)
    np.testing.assert_array_equal(weights, np.ones((2, 5, 1)))
    np.testing.assert_allclose(mixed, np.repeat(values, 5, axis=1))


def test_equal_keys_give_the_mean_and_the_order_of_tokens_does_not_matter():
    queries, keys, values = arrays((2, 5, 3), (2, 4, 3), (2, 4, 4))
    mixed, weights = attend(queries, tf.zeros_like(keys), values)
    np.testing.assert_allclose(weights, np.full((2, 5, 4), 0.25))
    np.testing.assert_allclose(mixed, np.repeat(np.mean(values, axis=1, keepdims=True), 5, axis=1))
    order = [2, 0, 3, 1]
    turned = attend(queries, tf.gather(keys, order, axis=1), tf.gather(values, order, axis=1))
    plain = attend(queries, keys, values)
    np.testing.assert_allclose(turned[0], plain[0])
    np.testing.assert_allclose(turned[1], np.asarray(plain[1])[..., order])


def test_the_layer_is_the_formula_with_residual_and_normalisation():
    queries, tokens = arrays((2, 3, 4), (2, 5, 4))
    layer = CrossAttention(seed=3, dtype="float64")
    found, weights = layer([queries, tokens])
    asked = {name: tf.tensordot(x, layer.maps[name][0], 1) for name, x in (("query", queries), ("key", tokens))}
    logits = np.einsum("bqd,bkd->bqk", asked["query"], asked["key"]) / 2
    want = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(weights[:, 0], want)
    mixed = want @ np.asarray(tf.tensordot(tokens, layer.maps["value"][0], 1)) @ layer.maps["mixed"][0].numpy()
    total = np.asarray(queries) + mixed
    spread = np.sqrt(total.var(axis=-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(found, (total - total.mean(axis=-1, keepdims=True)) / spread, atol=1e-12)


@pytest.mark.parametrize("n_heads", [1, 2])
def test_the_attention_layer_keeps_the_contract(n_heads):
    layer = CrossAttention(n_heads, seed=2, name="ask")
    asking, tokens = (tf.cast(x, tf.float32) for x in arrays((4, 3, 6), (4, 5, 6)))
    found, weights = layer([asking, tokens])
    assert (found.shape, weights.shape) == layer.compute_output_shape([asking.shape, tokens.shape])
    assert layer.count_params() == 4 * 7 * 6 + 2 * 6
    np.testing.assert_allclose(tf.reduce_sum(weights, axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(layer([asking[:1], tokens[:1]])[0], found[:1], atol=1e-6)
    twin = CrossAttention.from_config(layer.get_config())
    np.testing.assert_array_equal(twin([asking, tokens])[0], found)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer([asking, tokens])[0] ** 3)
    assert all(np.isfinite(slope).all() for slope in tape.gradient(loss, layer.trainable_weights))


def test_wrong_shapes_and_sizes_are_explained():
    with pytest.raises(ValueError, match=r"wrong shape. Expected: queries \[B, q, d\] and tokens.*Received: shapes"):
        CrossAttention()([tf.zeros((2, 3, 4)), tf.zeros((2, 3, 5))])
    with pytest.raises(ValueError, match=r"no multiple of n_heads. Expected: a multiple of 3. Received: 4"):
        CrossAttention(3)([tf.zeros((2, 3, 4)), tf.zeros((2, 3, 4))])
    with pytest.raises(ValueError, match=r"n_heads does not divide the width. Expected.*Received: 3"):
        OPTIONS.replace(n_heads=3)
    with pytest.raises(ValueError, match=r"width is out of range.*4 or more.*Received: width=2"):
        OPTIONS.replace(width=2)
    with pytest.raises(ValueError, match=r"variant is not a known option.*did you mean 'concatenation'"):
        OPTIONS.replace(variant="concatenate")
    with pytest.raises(ValueError, match=r"the model has no attention. Expected.*Received: 'cross_attention_conc"):
        siblings.attention_weights(model("concatenation"), samples())
    with pytest.raises(ValueError, match=r"no width meets the budget. Expected.*Received: 1000000000 parameters"):
        siblings.matched_width(SIZES, 2, 3, OPTIONS, 10**9, "dense")


@pytest.mark.parametrize("variant", siblings.VARIANTS)
@pytest.mark.parametrize("branches", ["shared", "separate"])
def test_every_variant_has_its_declared_size_and_its_attention(variant, branches):
    options = OPTIONS.replace(variant=variant, branches=branches)
    built = siblings.cross_attention_model(SIZES, options, columns=3, feature_dim=2, seed=1)
    assert built.count_params() == siblings.cross_attention_parameters(SIZES, 2, 3, options)
    assert built(samples()).shape == (6, 3)
    np.testing.assert_allclose(built(samples())[:1], built([x[:1] for x in samples()]), atol=1e-5)
    assert ("tokens" in {layer.name for layer in built.layers}) == (variant != "classical_only")
    for direction in siblings.DIRECTIONS.get(variant, ()):
        weights = siblings.attention_weights(built, samples())[direction]
        assert weights.shape == (6, 2, *((3, 4) if direction == "classical_to_quantum" else (4, 3)))
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


def test_the_seed_makes_the_model_and_the_model_comes_back(tmp_path):
    first, same, other = (model("bidirectional", seed=seed)(samples()) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert abs(first - other).numpy().max() > 1e-3
    built = model("bidirectional", seed=1)
    built.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(samples()), first, atol=1e-6)


@pytest.mark.skipif(not is_available("tfq"), reason="TensorFlow Quantum is not installed on this platform")
def test_training_is_the_same_on_tfq():
    runs, labels = [], np.arange(6) % 3
    for backend in ("batched", "tfq"):
        built = model(seed=5, backend=backend)
        loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        built.compile(tf_keras.optimizers.legacy.SGD(0.02), loss)
        runs.append([built.train_on_batch(samples(), labels) for _ in range(3)])
    assert runs[0][-1] < runs[0][0]
    np.testing.assert_allclose(*runs, rtol=1e-3)


def test_the_matched_width_is_the_smallest_that_is_enough():
    for budget in (1, 300, 2000):
        width = siblings.matched_width(SIZES, 2, 3, OPTIONS, budget, "dense")
        assert siblings.cross_attention_parameters(SIZES, 2, 3, OPTIONS.replace(width=width)) >= budget
        if width > 4:
            assert siblings.cross_attention_parameters(SIZES, 2, 3, OPTIONS.replace(width=width - 2)) < budget

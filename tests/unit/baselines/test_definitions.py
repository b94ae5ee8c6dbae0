"""Every classical fusion against its paper's definition, on cases worked out by hand or in NumPy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from qfl_explore import baselines
from qfl_explore.baselines.bilinear import scaled_product, signed_root
from qfl_explore.baselines.fusion_layers import outer_product
from qfl_explore.baselines.graph import normalised_adjacency


def built(layer, m, d):
    layer.build((None, m, d))
    return layer


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_concatenation_by_hand():
    """tanh(1·1 + 2·0 + 3·1 + 4·0 - 4) = tanh 0 and tanh(2 - 4 + 1) = tanh(-1)."""
    layer = built(baselines.ConcatFusion(2), 2, 2)
    layer.set_weights([np.array([[1, 0], [0, 1], [1, 0], [0, -1]], float), np.array([-4.0, 1.0])])
    values = layer(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    np.testing.assert_allclose(values, [[0.0, np.tanh(-1.0)]], atol=1e-6)


def test_low_rank_fusion_by_hand():
    """arXiv:1806.00064 with M = 2, D = 1, R = 2, o = 1 and h = (3, 5).

    r = 0: (1 + 2·3)(-1 + 1·5) = 28; r = 1: (2 + 0·3)(1 + 3·5) = 32; 0.5·28 - 1·32 + 10 = -8.
    """
    layer = built(baselines.LowRankFusion(1, rank=2), 2, 1)
    factors = np.array([[[1, 2], [2, 0]], [[-1, 1], [1, 3]]], float)[..., None]
    layer.set_weights([factors, np.array([0.5, -1.0]), np.array([10.0])])
    np.testing.assert_allclose(layer(np.array([[[3.0], [5.0]]])), [[-8.0]], rtol=1e-6)


def test_outer_product_by_hand():
    """arXiv:1707.07250: [1, 2] ⊗ [1, 3] ⊗ [1, 5]."""
    values = outer_product(tf.constant([[[2.0], [3.0], [5.0]]]))
    np.testing.assert_allclose(values, [[1, 5, 3, 15, 2, 10, 6, 30]])


def test_outer_product_has_every_product_once():
    h = random(3, 3, 2)
    padded = np.concatenate([np.ones((3, 3, 1)), h], axis=2)
    places = list(itertools.product(range(3), repeat=3))
    expected = [[np.prod([row[m, i] for m, i in enumerate(place)]) for place in places] for row in padded]
    np.testing.assert_allclose(outer_product(tf.constant(h)), expected, rtol=1e-5)


def test_tensor_fusion_by_hand():
    """2·1 + 3·h2 + 5·h1 + 7·h1 h2 - 1 at h = (2, 3): 2 + 9 + 10 + 42 - 1 = 62."""
    layer = built(baselines.TensorFusion(1), 2, 1)
    layer.set_weights([np.array([[2.0], [3.0], [5.0], [7.0]]), np.array([-1.0])])
    np.testing.assert_allclose(layer(np.array([[[2.0], [3.0]]])), [[62.0]])


@pytest.mark.parametrize(("m", "d", "rank"), [(2, 3, 4), (3, 2, 2), (4, 1, 3)])
def test_low_rank_fusion_is_tensor_fusion_with_a_factorised_weight(m, d, rank):
    """The definition of arXiv:1806.00064: W = Σ_r w_r ⊗_m W_{m,r}."""
    low = built(baselines.LowRankFusion(2, seed=5, rank=rank), m, d)
    factors, weights, _ = low.get_weights()
    kernel = np.zeros(((d + 1) ** m, 2))
    for r, column in itertools.product(range(rank), range(2)):
        product = np.ones(1)
        for factor in factors[:, r, :, column]:
            product = np.kron(product, factor)
        kernel[:, column] += weights[r] * product
    full = built(baselines.TensorFusion(2), m, d)
    full.set_weights([kernel, np.zeros(2)])
    h = random(5, m, d)
    np.testing.assert_allclose(low(h), full(h), rtol=1e-4, atol=1e-5)


def test_bilinear_pooling_by_hand():
    """arXiv:1708.01471 with k = 2, o = 2: products (8, 1, -9, 0) pool to (9, -9), root (3, -3), norm."""
    layer = built(baselines.FactorizedBilinearFusion(2, n_factors=2), 2, 1)
    layer.set_weights([np.array([[[4.0, 1, 3, 1]], [[1.0, 0.5, -1.5, 0]]])])
    np.testing.assert_allclose(layer(np.array([[[1.0], [2.0]]])), [[0.5**0.5, -(0.5**0.5)]], rtol=1e-6)
    layer.set_weights([np.array([[[4.0, 0, 1, 0]], [[1.0, 0, 1, 0]]])])  # pools to (8, 2), roots (√8, √2)
    np.testing.assert_allclose(layer(np.array([[[1.0], [2.0]]])), [[0.8**0.5, 0.2**0.5]], rtol=1e-6)


@pytest.mark.parametrize("m", [1, 2, 3, 7])
def test_bilinear_pooling_in_numpy(m):
    layer = built(baselines.FactorizedBilinearFusion(4, n_factors=3, use_bias=True), m, 2)
    projections, bias = random(m, 2, 12, seed=1), random(m, 12, seed=2)
    layer.set_weights([projections, bias])
    h = random(5, m, 2)
    product = np.prod(np.einsum("bmd,mdp->bmp", h, projections) + bias, axis=1)
    pooled = product.reshape(5, 4, 3).sum(axis=2)
    roots = np.sign(pooled) * np.sqrt(np.abs(pooled))
    np.testing.assert_allclose(layer(h), roots / np.linalg.norm(roots, axis=1, keepdims=True), rtol=2e-4, atol=1e-5)


def test_bilinear_pooling_of_207_modalities_does_not_vanish():
    """The plain float32 product does; the scaled one has the double-precision directions."""
    projected = random(3, 207, 6) * 0.3
    assert not np.prod(projected, axis=1).any()
    exact = np.prod(projected.astype(np.float64), axis=1)
    exact /= np.abs(exact).max(axis=1, keepdims=True)
    np.testing.assert_allclose(scaled_product(tf.constant(projected)), exact, rtol=1e-4, atol=1e-6)


def test_scaled_gradient_is_the_gradient_of_what_is_normalised():
    def direction(product):
        return tf.reduce_sum(tf.math.l2_normalize(product, axis=1) * tf.range(1.0, 4.0, dtype=tf.float64))

    x, slopes = tf.constant(random(2, 5, 3), tf.float64), []
    for multiply in (scaled_product, lambda x: tf.reduce_prod(x, axis=1)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = direction(multiply(x))
        slopes.append(tape.gradient(loss, x))
    np.testing.assert_allclose(*slopes, rtol=1e-9, atol=1e-12)


def test_dropout_of_bilinear_pooling_acts_in_training_only():
    layer = baselines.FactorizedBilinearFusion(50, dropout=0.5)
    h = random(2, 2, 3)
    np.testing.assert_array_equal(layer(h), layer(h, training=False))
    assert np.abs(layer(h, training=True).numpy() - layer(h).numpy()).max() > 1e-3


def test_signed_root():
    np.testing.assert_allclose(signed_root(tf.constant([4.0, 0.0, -9.0])), [2.0, 0.0, -3.0], rtol=1e-6)


def test_normalised_adjacency_by_hand():
    """A path of three nodes: degrees with self loops 2, 3, 2 (arXiv:1609.02907, equation 2)."""
    a, b = 1 / 6**0.5, 1 / 3
    expected = [[0.5, a, 0], [a, b, a], [0, a, 0.5]]
    np.testing.assert_allclose(normalised_adjacency([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), expected)
    np.testing.assert_allclose(normalised_adjacency([[9, 1, 0], [1, 0, 1], [0, 1, 0]]), expected)  # no double loop


def test_graph_convolution_by_hand():
    """Two linked nodes: Â = ½; H W = (2, -6) -> mean -2 -> ReLU 0; with h = (4, -1): (8, -2) -> 3 -> 3·5."""
    layer = built(baselines.GraphFusion(1, n_layers=2, adjacency=[[0, 1], [1, 0]]), 2, 1)
    layer.set_weights([np.array([[2.0]]), np.array([[5.0]])])
    np.testing.assert_allclose(layer(np.array([[[1.0], [-3.0]], [[4.0], [-1.0]]])), [[0.0], [15.0]])


def test_graph_convolution_in_numpy():
    rng = np.random.default_rng(0)
    adjacency = np.triu(rng.uniform(size=(5, 5)) < 0.5, 1).astype(float)
    adjacency += adjacency.T
    layer = baselines.GraphFusion(4, n_layers=3, adjacency=adjacency)
    h = random(6, 5, 2)
    hidden = h
    values = layer(h)
    for kernel in layer.get_weights():
        hidden = np.maximum(np.einsum("nm,bmd,de->bne", normalised_adjacency(adjacency), hidden, kernel), 0)
    np.testing.assert_allclose(values, hidden.mean(axis=1), rtol=1e-4, atol=1e-6)


def test_a_complete_graph_cannot_tell_modalities_apart_and_a_given_one_can():
    h = random(4, 5, 2)
    complete = baselines.GraphFusion(8)
    np.testing.assert_allclose(complete(h), complete(h[:, ::-1]), atol=1e-6)
    np.testing.assert_allclose(complete(h), baselines.GraphFusion(8, adjacency=np.ones((5, 5)))(h), atol=1e-6)
    star = np.zeros((5, 5))
    star[0, 1:] = star[1:, 0] = 1
    given = baselines.GraphFusion(8, adjacency=star)
    assert np.abs(given(h).numpy() - given(h[:, ::-1]).numpy()).max() > 1e-3


@pytest.mark.parametrize("start", list(baselines.STARTS))
def test_low_rank_starts_have_the_variance_that_they_say(start):
    m, d, rank, o = 7, 4, 50, 40
    factors, weights = baselines.low_rank_start(m, d, rank, o, start, np.random.default_rng(0))
    variance = {"reference": 2 / ((rank + d + 1) * o), "unit_variance": 1 / (d + 1), "near_one": 1 / (m * d)}[start]
    np.testing.assert_allclose(factors[:, :, 1:].var(), variance, rtol=0.02)
    if start == "near_one":
        assert (factors[:, :, 0] == 1).all()
    else:
        np.testing.assert_allclose(factors[:, :, 0].var(), variance, rtol=0.05)
    assert weights.shape == (rank,)


@pytest.mark.parametrize(("m", "d"), [(2, 3), (5, 1)])
def test_the_separation_studys_models_compute_the_same(m, d):
    """`experiments.fusion_models` has NumPy twins with one output, for L-BFGS in double precision."""
    from qfl_explore.experiments import fusion_models

    h = random(6, m, d).astype(np.float64)
    twin = fusion_models.LowRankFusion(m, d, rank=3)
    params = twin.initial(np.random.default_rng(0))
    layer = built(baselines.LowRankFusion(1, rank=3, dtype="float64"), m, d)
    layer.set_weights([params["factors"][..., None], np.ones(3), params["bias"]])
    np.testing.assert_allclose(layer(h)[:, 0], twin.forward(params, h)[0], rtol=1e-10)
    twin = fusion_models.TensorFusion(m, d)
    params = twin.initial(np.random.default_rng(0))
    layer = built(baselines.TensorFusion(1, dtype="float64"), m, d)
    layer.set_weights([params["weights"][:, None], np.zeros(1)])
    np.testing.assert_allclose(layer(h)[:, 0], twin.forward(params, h)[0], rtol=1e-10)

"""How many parameters each model has, and what does not fit: closed forms, no TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qfl_explore.config import FusionConfig
from qfl_explore.errors import check_int, check_option, invalid

#: The classical fusions, by the word that `fusion_model` takes, and what people call them.
FUSIONS: dict[str, str] = {
    "concat": "Concatenation, dense layer",
    "low_rank": "Low-rank fusion (LMF)",
    "tensor": "Tensor fusion (TFN)",
    "bilinear": "Factorized bilinear pooling (MFB)",
    "graph": "Graph convolution (GCN)",
}
#: Tensor fusion declines above this many products (D + 1)^M: a batch of 128 holds 32 MiB of them.
MAX_PRODUCTS = 2**16
#: No width beyond this is tried when a fusion is matched to a budget.
MAX_OUTPUTS = 4096


def n_logits(n_classes: int) -> int:
    """1 for two classes, else one a class."""
    return 1 if check_int("n_classes", n_classes, 2) == 2 else n_classes


def encoder_parameters(n_measures: Sequence[int], feature_dim: int) -> int:
    """Parameters of all encoders together: ``sum_m (d_m + 1) D``."""
    return sum((size + 1) * feature_dim for size in n_measures)


def fusion_parameters(n_measures: Sequence[int], n_classes: int, config: FusionConfig, n_observables: int) -> int:
    """Parameters of `quantum_fusion_model`: encoders, circuit angles, linear head on K observables."""
    head = (n_observables + 1) * n_logits(n_classes)
    return encoder_parameters(n_measures, config.feature_dim) + config.n_weights + head


def mlp_parameters(n_inputs: int, n_hidden: int, n_outputs: int) -> int:
    """Parameters of a network with one hidden layer: ``(inputs + 1) h + (h + 1) outputs``."""
    return (n_inputs + 1) * n_hidden + (n_hidden + 1) * n_outputs


def matched_hidden(n_inputs: int, n_outputs: int, n_parameters: int) -> int:
    """The smallest hidden width with which an MLP has at least ``n_parameters``.

    >>> matched_hidden(30, 1, 131), mlp_parameters(30, 5, 1), mlp_parameters(30, 4, 1)
    (5, 161, 129)
    """
    return max(1, math.ceil((n_parameters - n_outputs) / (n_inputs + 1 + n_outputs)))


def check_products(n_modalities: int, feature_dim: int) -> int:
    """(D + 1)^M, the size of tensor fusion's outer product, if it fits.

    Raises:
        ValueError: it is above ``MAX_PRODUCTS``.

    >>> check_products(3, 4)
    125
    """
    n_products = (feature_dim + 1) ** n_modalities
    if n_products > MAX_PRODUCTS:
        exact = n_products if n_products < 10**9 else f"about 10^{math.floor(math.log10(n_products))}"
        raise invalid(
            f"tensor fusion of {n_modalities} modalities with {feature_dim} features each is too large",
            f"at most {MAX_PRODUCTS} products (D + 1)^M",
            f"({feature_dim} + 1)^{n_modalities} = {exact} products",
        )
    return n_products


def layer_parameters(
    fusion: str,
    n_modalities: int,
    feature_dim: int,
    n_outputs: int,
    *,
    rank: int = 4,
    n_factors: int = 5,
    use_bias: bool = False,
    n_layers: int = 2,
) -> int:
    """Trainable parameters of one fusion layer; settings that its fusion does not have are ignored.

    Args:
        fusion: one of ``FUSIONS``.
        n_modalities: M.
        feature_dim: D.
        n_outputs: width of the layer's output, o.
        rank: R of low-rank fusion.
        n_factors: k of bilinear pooling.
        use_bias: whether bilinear pooling's projections have a bias.
        n_layers: of the graph convolution.

    Raises:
        ValueError: the fusion is unknown, or tensor fusion is too large.

    >>> layer_parameters("low_rank", 207, 1, 1), layer_parameters("bilinear", 207, 4, 8)
    (1661, 33120)
    """
    width, inputs = n_outputs, n_modalities * feature_dim
    if check_option("fusion", fusion, FUSIONS) == "concat":
        return (inputs + 1) * width
    if fusion == "low_rank":
        return n_modalities * rank * (feature_dim + 1) * width + rank + width
    if fusion == "tensor":
        return (check_products(n_modalities, feature_dim) + 1) * width
    if fusion == "bilinear":
        return (inputs + n_modalities * use_bias) * n_factors * width
    return (feature_dim + (n_layers - 1) * width) * width


def matched_outputs(
    fusion: str, n_modalities: int, feature_dim: int, n_columns: int, n_parameters: int, **options: int
) -> int:
    """The smallest width with which a fusion layer and its linear head have at least ``n_parameters``.

    Args:
        fusion: one of ``FUSIONS``.
        n_modalities: M.
        feature_dim: D.
        n_columns: of the head's output.
        n_parameters: the budget, without the encoders.
        **options: of the fusion, as in `layer_parameters`.

    Returns:
        1 or more; even one column may cost more than the budget, which the caller shows.

    Raises:
        ValueError: no width up to ``MAX_OUTPUTS`` is enough, or tensor fusion is too large.

    >>> matched_outputs("graph", 12, 1, 5, 300)
    15
    """
    for width in range(1, MAX_OUTPUTS + 1):
        layer = layer_parameters(fusion, n_modalities, feature_dim, width, **options)
        if layer + (width + 1) * n_columns >= n_parameters:
            return width
    raise invalid(f"no width of {fusion!r} meets the budget", f"a width up to {MAX_OUTPUTS}", f"{n_parameters}")

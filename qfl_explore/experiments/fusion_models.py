"""Low-rank fusion, tensor fusion and a small network with one output, in NumPy with exact gradients.

They are the classical side of the separation study. Inputs are ``h`` [N, M, d]; LMF and TFN append
a 1 to every modality. L-BFGS trains all of them, from `optimizers.lbfgs`.

Source: LMF, Liu et al., arXiv:1806.00064; TFN, Zadeh et al., arXiv:1707.07250 (there with the 1 after
the features). The starting values are our construction: for inputs of unit size the product of M
factors has mean square 1, though its median still shrinks with M, as it does with the start of LMF's
published code (see `low_rank_collapse`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from qfl_explore.errors import check_int, check_option, invalid
from qfl_explore.optimizers import LbfgsStep, lbfgs

Params = dict[str, np.ndarray]
#: Output [N] and the way back: cotangents [N] -> gradients.
Forward = tuple[np.ndarray, Callable[[np.ndarray], Params]]
LOSSES = ("logistic", "squared")
#: Above this many products tensor fusion declines.
MAX_PRODUCTS = 4096


class Model(Protocol):
    """A model with one output."""

    @property
    def n_parameters(self) -> int:
        """Trainable numbers."""
        ...

    def initial(self, rng: np.random.Generator) -> Params:
        """Starting values."""
        ...

    def forward(self, params: Params, h: np.ndarray) -> Forward:
        """Outputs [N] for h [N, M, d], and their pullback."""
        ...


@dataclasses.dataclass(frozen=True)
class LowRankFusion:
    """LMF: ``Σ_r Π_m (w_{m,r} · [1; h_m]) + b``.

    Args:
        n_modalities: M, 1 or more.
        feature_dim: d, 1 or more.
        rank: R, 1 or more.
        bias: whether there is a b.

    >>> LowRankFusion(4, 1, 3, bias=False).n_parameters
    24
    """

    n_modalities: int
    feature_dim: int
    rank: int
    bias: bool = True

    def __post_init__(self) -> None:
        for name in ("n_modalities", "feature_dim", "rank"):
            check_int(name, getattr(self, name), 1)

    @property
    def n_parameters(self) -> int:
        """``M R (d + 1)``, and 1 for b."""
        return self.n_modalities * self.rank * (self.feature_dim + 1) + int(self.bias)

    def initial(self, rng: np.random.Generator) -> Params:
        """Normal factors with E[(w·[1; h])²] = 1 for inputs of unit size, and 1/√R on the first modality."""
        shape = (self.n_modalities, self.rank, self.feature_dim + 1)
        factors = rng.normal(0.0, 1.0 / math.sqrt(self.feature_dim + 1), shape)
        factors[0] /= math.sqrt(self.rank)
        return {"factors": factors} | ({"bias": np.zeros(1)} if self.bias else {})

    def forward(self, params: Params, h: np.ndarray) -> Forward:
        """Outputs [N] and their pullback."""
        padded = with_one(h)
        projected = np.einsum("nmd,mrd->mnr", padded, params["factors"])
        before, after = np.ones_like(projected), np.ones_like(projected)
        for m in range(1, self.n_modalities):
            before[m] = before[m - 1] * projected[m - 1]
            after[-1 - m] = after[-m] * projected[-m]
        outputs = (before[-1] * projected[-1]).sum(axis=1) + (params["bias"][0] if self.bias else 0.0)

        def pull(cotangents: np.ndarray) -> Params:
            rest = before * after * cotangents[None, :, None]
            grads = {"factors": np.einsum("mnr,nmd->mrd", rest, padded)}
            return grads | ({"bias": np.array([cotangents.sum()])} if self.bias else {})

        return outputs, pull


@dataclasses.dataclass(frozen=True)
class TensorFusion:
    """TFN: a linear readout of the outer product of all ``[1; h_m]``.

    Args:
        n_modalities: M, 1 or more.
        feature_dim: d, 1 or more; (d + 1)^M is at most 4096.

    Raises:
        ValueError: the outer product would be too large.
    """

    n_modalities: int
    feature_dim: int

    def __post_init__(self) -> None:
        if self.n_parameters > MAX_PRODUCTS:
            raise invalid(
                "tensor fusion would be too large", f"at most {MAX_PRODUCTS} products", f"{self.n_parameters} products"
            )

    @property
    def n_parameters(self) -> int:
        """``(d + 1)^M``."""
        return (self.feature_dim + 1) ** self.n_modalities

    def initial(self, rng: np.random.Generator) -> Params:
        """Normal readout weights of variance 1 over their number."""
        return {"weights": rng.normal(0.0, self.n_parameters**-0.5, self.n_parameters)}

    def forward(self, params: Params, h: np.ndarray) -> Forward:
        """Outputs [N] and their pullback."""
        padded = with_one(h)
        products = padded[:, 0]
        for m in range(1, self.n_modalities):
            products = np.einsum("np,nd->npd", products, padded[:, m]).reshape(len(h), -1)
        return products @ params["weights"], lambda cotangents: {"weights": cotangents @ products}


@dataclasses.dataclass(frozen=True)
class SmallNetwork:
    """A network on the concatenated features: one tanh layer, one output.

    Args:
        n_inputs: M d, 1 or more.
        n_hidden: 1 or more.
    """

    n_inputs: int
    n_hidden: int

    def __post_init__(self) -> None:
        check_int("n_inputs", self.n_inputs, 1)
        check_int("n_hidden", self.n_hidden, 1)

    @property
    def n_parameters(self) -> int:
        """``(inputs + 2) hidden + 1``."""
        return (self.n_inputs + 2) * self.n_hidden + 1

    def initial(self, rng: np.random.Generator) -> Params:
        """Normal weights of variance 1 over the layer's inputs."""
        return {
            "first": rng.normal(0.0, self.n_inputs**-0.5, (self.n_inputs, self.n_hidden)),
            "shift": np.zeros(self.n_hidden),
            "last": rng.normal(0.0, self.n_hidden**-0.5, self.n_hidden),
            "bias": np.zeros(1),
        }

    def forward(self, params: Params, h: np.ndarray) -> Forward:
        """Outputs [N] and their pullback."""
        flat = h.reshape(len(h), -1)
        hidden = np.tanh(flat @ params["first"] + params["shift"])

        def pull(cotangents: np.ndarray) -> Params:
            inner = cotangents[:, None] * params["last"] * (1 - hidden**2)
            return {
                "first": flat.T @ inner,
                "shift": inner.sum(axis=0),
                "last": cotangents @ hidden,
                "bias": np.array([cotangents.sum()]),
            }

        return hidden @ params["last"] + params["bias"][0], pull


def with_one(h: np.ndarray) -> np.ndarray:
    """[N, M, d] -> [N, M, d + 1] with a leading 1 in every modality."""
    return np.concatenate([np.ones((*h.shape[:2], 1)), h], axis=2)


def loss_and_cotangents(
    outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray, loss: str
) -> tuple[float, np.ndarray]:
    """Weighted mean loss and its derivatives [N].

    Args:
        outputs: [N]; logits of the label 1 for ``logistic``.
        targets: [N]; 0 or 1 for ``logistic``.
        weights: [N], summing to 1.
        loss: ``logistic`` or ``squared`` (half the square).
    """
    if check_option("loss", loss, LOSSES) == "squared":
        errors = outputs - targets
        return float(0.5 * weights @ errors**2), weights * errors
    losses = np.logaddexp(0.0, outputs) - targets * outputs
    probabilities = 0.5 * (1 + np.tanh(outputs / 2))
    return float(weights @ losses), weights * (probabilities - targets)


def train(
    model: Model,
    h: np.ndarray,
    targets: np.ndarray,
    rng: np.random.Generator,
    n_steps: int,
    loss: str = "logistic",
    weights: np.ndarray | None = None,
    decay: float = 1e-6,
) -> Iterator[LbfgsStep]:
    """L-BFGS from fresh starting values; yields every accepted step.

    Args:
        model: what is trained.
        h: [N, M, d].
        targets: [N].
        rng: draws the starting values.
        n_steps: at most so many.
        loss: ``logistic`` or ``squared``.
        weights: [N] of the samples, or ``None`` for equal ones.
        decay: times half the squared parameters is added, so that separable classes have a minimum.
    """
    share = np.full(len(h), 1.0 / len(h)) if weights is None else weights / weights.sum()

    def objective(params: Params) -> tuple[float, Params]:
        outputs, pull = model.forward(params, h)
        value, cotangents = loss_and_cotangents(outputs, targets, share, loss)
        grads = {name: grad + decay * params[name] for name, grad in pull(cotangents).items()}
        return value + 0.5 * decay * sum(float(np.sum(p**2)) for p in params.values()), grads

    yield from lbfgs(objective, model.initial(rng), n_steps)

"""How the outputs of fusions vanish with the number of modalities, before any training.

Low-rank fusion multiplies one factor a modality. With the start of its published code the product
shrinks exponentially, and in single precision it becomes 0. This experiment draws starting values
and inputs, and says how large the product, the output's gradient and the share of exact zeros are,
for every start, side by side.

Source: low-rank fusion and the reference start, arXiv:1806.00064 and its authors' code. The
measurement and the other starts are our construction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore.baselines import STARTS, low_rank_start
from qfl_explore.config import Settings
from qfl_explore.errors import check_int, invalid

MAX_MODALITIES = 4096
COLUMNS = (
    "start",
    "n_modalities",
    "log10_product",
    "low",
    "high",
    "share_zero",
    "log10_slope",
    "slope_low",
    "slope_high",
    "expected",
    "n_draws",
    "seed",
)
#: E[log10 |g|] for a standard normal g: -(γ + ln 2) / 2 / ln 10.
LOG_NORMAL = -(np.euler_gamma + math.log(2)) / 2 / math.log(10)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CollapseConfig(Settings):
    """Settings of the measurement.

    Args:
        n_modalities: every M to measure, each 1 or more.
        feature_dim: D.
        rank: R.
        n_outputs: o.
        starts: of ``STARTS``.
        n_draws: models drawn for each M and start, each with one input; 10 or more.
        seed: of the draws.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range or unknown.
    """

    n_modalities: tuple[int, ...] = (1, 2, 3, 6, 12, 25, 50, 100, 207)
    feature_dim: int = 8
    rank: int = 4
    n_outputs: int = 8
    starts: tuple[str, ...] = tuple(STARTS)
    n_draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_modalities", "starts"):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Iterable) or not tuple(value):
                raise invalid(f"{name} must be a sequence", "a tuple that is not empty", f"{name}={value!r}", TypeError)
            object.__setattr__(self, name, tuple(value))
        for m in self.n_modalities:
            check_int("each of n_modalities", m, 1, MAX_MODALITIES)
        unknown = [start for start in self.starts if start not in STARTS]
        if unknown:
            raise invalid("starts has an unknown word", "of " + ", ".join(map(repr, STARTS)), f"{unknown[0]!r}")
        for name, least in (("feature_dim", 1), ("rank", 1), ("n_outputs", 1), ("n_draws", 10), ("seed", 0)):
            check_int(name, getattr(self, name), least)


@dataclasses.dataclass(frozen=True)
class CollapseResult:
    """What was measured, whole or so far.

    Attributes:
        config: its settings.
        table: one row a start and M, ``COLUMNS``. ``log10_product`` is the median of
            log10 |Π_m W_{m,r} · [1; h_m]| over draws, ranks and outputs, in double precision;
            ``low`` and ``high`` are its quartiles. ``share_zero`` is the share of products that are
            exactly 0 in single precision. ``log10_slope`` is the median over draws of
            log10 ‖∂(first output)/∂h‖, in double precision, with quartiles. ``expected`` is the
            closed form of the *mean* log10 of the product for h with normal entries, NaN where
            there is none.
    """

    config: CollapseConfig
    table: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        """The largest M, and for each start the median there and the first M with any exact zero."""
        last, starts = self.table["n_modalities"].max(), []
        for start, rows in self.table.groupby("start", sort=False):
            zero = rows[rows["share_zero"] > 0]["n_modalities"]
            ends = rows[rows["n_modalities"] == last]
            values = {name: float(ends[name].iloc[0]) for name in ("log10_product", "share_zero") if len(ends)}
            starts.append({"start": start, **values, "first_zero": int(zero.min()) if len(zero) else None})
        return {
            "n_modalities": int(last),
            "starts": starts,
            "n_draws": self.config.n_draws,
            "seed": self.config.seed,
        }


def stream(config: CollapseConfig) -> Iterator[dict[str, Any]]:
    """One row of the table at a time, few modalities first."""
    for m in sorted(set(config.n_modalities)):
        for start in config.starts:
            yield measured(config, m, start)


def run(config: CollapseConfig | None = None) -> CollapseResult:
    """Measures every M and start."""
    config = config or CollapseConfig()
    return CollapseResult(config, pd.DataFrame(stream(config), columns=list(COLUMNS)))


def collapse_table(**settings: Any) -> pd.DataFrame:
    """The table of `run` for a `CollapseConfig` with these settings.

    >>> table = collapse_table(n_modalities=(207,), n_outputs=1, starts=("reference", "near_one"))
    >>> bool(table["log10_product"][0] < -40), bool(abs(table["log10_product"][1]) < 0.5)
    (True, True)
    """
    return run(CollapseConfig(**settings)).table


def measured(config: CollapseConfig, n_modalities: int, start: str) -> dict[str, Any]:
    """One row: draws of models and of inputs h [M, D] with standard normal entries."""
    place = list(STARTS).index(start)
    rng = np.random.default_rng((config.seed, n_modalities, place))
    logs, zeros, slopes = [], [], []
    for _ in range(config.n_draws):
        log, zero, slope = _one_draw(config, n_modalities, start, rng)
        logs.append(log)
        zeros.append(zero)
        slopes.append(slope)
    quartiles = np.quantile(np.concatenate(logs), (0.25, 0.5, 0.75))
    slope_quartiles = np.quantile(slopes, (0.25, 0.5, 0.75))
    return {
        "start": start,
        "n_modalities": n_modalities,
        "log10_product": float(quartiles[1]),
        "low": float(quartiles[0]),
        "high": float(quartiles[2]),
        "share_zero": float(np.mean(zeros)),
        "log10_slope": float(slope_quartiles[1]),
        "slope_low": float(slope_quartiles[0]),
        "slope_high": float(slope_quartiles[2]),
        "expected": expected_log10(config, n_modalities, start),
        "n_draws": config.n_draws,
        "seed": config.seed,
    }


def expected_log10(config: CollapseConfig, n_modalities: int, start: str) -> float:
    """E[log10 |product|] for standard normal h: each factor is a normal of variance v ‖[1; h]‖².

    ``M (E log10|g| + log10(v) / 2 + E log10(1 + χ²_D) / 2)``; NaN for ``near_one``, which is no
    product of centred normals.
    """
    if start == "near_one":
        return math.nan
    from scipy.integrate import quad
    from scipy.stats import chi2

    size = config.feature_dim + 1
    variance = 2 / ((config.rank + size) * config.n_outputs) if start == "reference" else 1 / size
    norm = quad(lambda x: math.log10(1 + x) * chi2.pdf(x, config.feature_dim), 0, np.inf)[0]
    return n_modalities * (LOG_NORMAL + 0.5 * math.log10(variance) + 0.5 * norm)


def _one_draw(
    config: CollapseConfig, n_modalities: int, start: str, rng: np.random.Generator
) -> tuple[np.ndarray, float, float]:
    """log10 of the products [R·o], share of zeros in single precision, log10 of the gradient's norm."""
    sizes = n_modalities, config.feature_dim, config.rank, config.n_outputs
    factors, weights = low_rank_start(*sizes, start, rng)
    h = rng.normal(size=(n_modalities, config.feature_dim))
    padded = np.concatenate([np.ones((n_modalities, 1)), h], axis=1)
    projected = np.einsum("md,mrdo->mro", padded, factors)
    logs = np.log10(np.abs(projected)).sum(axis=0)
    zero = np.prod(projected.astype(np.float32), axis=0, dtype=np.float32) == 0
    # ∂/∂h_m of Σ_r w_r Π_m z_m, in units of 10^shift so that nothing underflows
    others = logs[:, 0] - np.log10(np.abs(projected[:, :, 0]))
    shift = others.max()
    signs = np.sign(projected[:, :, 0]).prod(axis=0) * np.sign(projected[:, :, 0])
    slopes = np.einsum("r,mr,mrd->md", weights, signs * 10 ** (others - shift), factors[:, :, 1:, 0])
    return logs.ravel(), float(zero.mean()), float(np.log10(np.linalg.norm(slopes)) + shift)

"""What the pictures of gradient variance say, in words, and the Python source behind them. Pure functions."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts.wording import grouped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from qfl_explore.experiments.gradient_variance import Estimate
    from qfl_explore.experiments.gradient_variance_sweep import Fit, SweepFrame
    from qfl_explore.experiments.gradient_variance_training import TrainingFrame

WHOSE = (
    "From arXiv:2510.06938: the layer, its qubit-efficient register and random Pauli-plane observables, and the open "
    "question how gradients scale. From others: barren plateaus (arXiv:1803.11173), local and global costs "
    "(arXiv:2001.00550), identity blocks (arXiv:1903.05076), layerwise training (arXiv:2006.14904). Our construction: "
    "the register size n = 1 + ⌈log2(MD+1)⌉, CZ entanglers, the contrast encoding, the protocol, the exact averages, "
    "the training task and every number here."
)
NOT_SHOWN = (
    "What this does not show: that training succeeds. A variance that falls only polynomially in M comes from a "
    "register of few qubits, which can also be simulated classically; and exact gradients, as here by default, hide "
    "what a plateau costs on hardware: repetitions grow like 1/variance."
)
LEGEND = (
    "Dots and triangles: estimates with 95 % intervals. Rings: the exact average (uniform angles, small circuits). "
    "Dashed line: fitted law. Dotted line: the exact 2-design value N²/(2(N+1)²(N−1)) at as many qubits."
)
MAP_NOTE = (
    "The map: every angle on its own. Angles at 0 never move C: what follows them commutes with C or acts elsewhere; "
    "they count in the mean. The curve: all derivatives together, the spike of those angles cut off, and a normal "
    "curve of the same variance."
)
TRAINING_NOTE = (
    "First picture: variance over the starts of the loss's derivative, mean over each layer's angles, with 95 % bands; "
    "it also falls because training succeeds, so read it beside the loss. Second: mean loss, also of the run before."
)
NAMES = {"qubit_efficient": "Qubit-efficient", "qubit_per_feature": "One qubit per feature"}


def sweep_sentence(table: pd.DataFrame, over: str, fits: Mapping[str, Mapping[str, Fit]], seed: int) -> str:
    """The fitted exponents with intervals, draws and seed."""
    if not len(table):
        return ""
    parts = [
        _law(encoding, table[table["encoding"] == encoding], over, laws) for encoding, laws in fits.items() if laws
    ]
    return " ".join([*parts, f"{grouped(int(table['n_draws'].sum()))} draws, seed {seed}."])


def _law(encoding: str, rows: pd.DataFrame, over: str, laws: Mapping[str, Fit]) -> str:
    name = NAMES[encoding]
    if over == "degree":
        first, last = rows.sort_values("degree").iloc[[0, -1]].itertuples(index=False)
        fit = laws["power"]
        span = f"[{_number(-fit.high)}, {_number(-fit.low)}]"
        trend = f"∝ P^{_number(-fit.exponent)} {span}, " if math.isfinite(fit.exponent) else ""
        return (
            f"{name} (n = {last.n_qubits}): {trend}from {first.variance:.3g} at P = {first.degree} to "
            f"{last.variance:.3g} [{last.low:.3g}, {last.high:.3g}] at P = {last.degree}, which is "
            f"{last.variance / last.two_design:.0%} of the 2-design value that it saturates at."
        )
    fit = laws["power" if encoding == "qubit_efficient" else "exponential"]
    if not math.isfinite(fit.exponent):
        return f"{name}: too few points for a fit yet."
    reason = "the register grows in steps" if encoding == "qubit_efficient" else "the points bend"
    caution = f" ({reason}: χ² is {fit.misfit:.0f} a degree of freedom)" if fit.misfit > 3 else ""
    span = f"[{_number(fit.low)}, {_number(fit.high)}]"
    if encoding == "qubit_efficient":
        return f"{name}: variance ∝ M^{_number(-fit.exponent)}, exponent {_number(fit.exponent)} {span}{caution}."
    return f"{name}: variance ∝ 2^({_number(-fit.exponent)} M), rate {_number(fit.exponent)} {span}{caution}."


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def estimate_sentence(estimate: Estimate, row: Mapping[str, Any]) -> str:
    """One circuit's variance with interval, draws, seed and what to compare it to."""
    n_still = int((estimate.per_angle < 1e-12).sum())
    texts = [
        f"Mean over {estimate.per_angle.size} angles: {row['variance']:.4g} [{row['low']:.4g}, {row['high']:.4g}] "
        f"(95 %, {grouped(estimate.n_draws)} draws, seed {estimate.config.seed})."
    ]
    if math.isfinite(row["exact"]):
        texts.append(f"Exact average: {row['exact']:.4g}.")
    texts.append(f"2-design at n = {row['n_qubits']}: {row['two_design']:.4g}.")
    if n_still:
        texts.append(f"{n_still} angles never move C.")
    if estimate.stopped == "budget":
        texts.append(f"Stopped at its budget of draws, at a relative error of {100 * estimate.relative_error:.1f} %.")
    return " ".join(texts)


def training_sentence(first: TrainingFrame, last: TrainingFrame) -> str:
    """Loss and variances, before training and now."""
    before, now, loss = _mean_variance(first), _mean_variance(last), last.loss.clipped(0.0, math.inf)
    which = ", ".join(f"U{layer}" for layer in last.trained)
    training = "all layers" if len(last.trained) > last.config.fusion.degree else f"only {which}"
    return (
        f"After {last.step} steps: mean loss {last.loss.mean:.3g} [{loss.low:.3g}, {loss.high:.3g}] over "
        f"{len(last.losses)} starts (seed {last.config.seed}), from {first.loss.mean:.3g}; gradient variance "
        f"{before:.2g} at the start, {now:.2g} now. Training {training}."
    )


def _mean_variance(frame: TrainingFrame) -> float:
    return sum(value for value, *_ in frame.layers) / len(frame.layers)


def sweep_status(frame: SweepFrame) -> str:
    """Which point is worked on and how long the rest will take."""
    fusion = frame.config.points()[frame.current].fusion
    known = sum(estimate is not None and bool(estimate.stopped) for estimate in frame.estimates)
    where = f"{known} of {len(frame.estimates)} points"
    if frame.done:
        short = sum(estimate is not None and estimate.stopped == "budget" for estimate in frame.estimates)
        return f"{where}, {short} stopped at their budget of draws" if short else where
    point = f"at M = {fusion.n_modalities}, P = {fusion.degree} ({fusion.n_qubits} qubits)"
    return f"{where}, {point}, {left(frame.seconds_left)}"


def left(seconds: float) -> str:
    """Remaining time in words."""
    if not math.isfinite(seconds):
        return "time left unknown"
    if seconds < 1:
        return "less than a second left"
    if seconds < 90:
        return f"about {seconds:.0f} s left"
    return f"about {seconds / 60:.0f} min left"


_SOURCES = {
    "GradientVarianceConfig": ("gradient_variance", "run"),
    "SweepConfig": ("gradient_variance_sweep", "run_sweep"),
    "TrainingConfig": ("gradient_variance_training", "run_training"),
}


#: Stands above the source where a visitor changed the training while it ran.
SWITCHED = "# On the page, layerwise training was switched while it ran; this trains from the start as it is set now.\n"


def snippet(config: Any) -> str:
    """Python source that gives the page's numbers again."""
    kind = type(config).__name__
    module, function = _SOURCES[kind]
    names = sorted({kind, function})
    lines = ["from qfl_explore import FusionConfig"]
    if kind == "SweepConfig":
        lines.append("from qfl_explore.experiments.gradient_variance import GradientVarianceConfig")
    lines += [
        f"from qfl_explore.experiments.{module} import {', '.join(names)}",
        "",
        f"config = {_source(config)}",
        f"result = {function}(config)",
        "print(result.summary())",
        "print(result.table)",
    ]
    return "\n".join(lines)


def _source(value: Any, indent: str = "") -> str:
    """A config as source, with the fields that differ from their defaults."""
    if not dataclasses.is_dataclass(value):
        return repr(value)
    inner = indent + "    "
    lines = []
    for field in dataclasses.fields(value):
        own = getattr(value, field.name)
        default = field.default_factory() if field.default is dataclasses.MISSING else field.default  # type: ignore
        if own != default:
            lines.append(f"{inner}{field.name}={_source(own, inner)},\n")
    body = f"\n{''.join(lines)}{indent}" if lines else ""
    return f"{type(value).__name__}({body})"

"""The words of the page Encoding: headline, notes, snippet, what it does not show. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts.wording import number
from qfl_explore.dashboards.share.code import TABLES, config_lines
from qfl_explore.plots.encoding import tick

if TYPE_CHECKING:
    from qfl_explore.experiments.encoding import EncodingConfig, Progress
    from qfl_explore.experiments.encoding_picture import Trace

INTRO = (
    "Features become angles, and angles go round in circles. What do scaling, shifts, clipping, outliers and whole "
    "turns do to a trained layer, and what if training sees them too?"
)
THEORY = {
    "scale": "A factor s lets the layer reach the frequencies s·ω of the features. A wave of frequency ω needs the "
    "degree ‖ω‖₁/s, and ω/s must be on the layer's lattice (halves or whole numbers): a small s needs a larger P, a "
    "large s leaves gaps.",
    "shift": "A shift of all training and test features changes the phases of the waves only: the layer reaches the "
    "same functions. A shift at test time alone costs a wave cos kx the R² 2 − 2 cos kδ.",
    "clip": "Clipping destroys information: beyond the limit only the mean over the tail is left. What that leaves "
    "is known exactly and bounds every model, not only this one.",
    "outliers": "A replaced value is lost to every model; a wave of m features survives with (1 − share)^m (dotted "
    'line). An angle has no "far away": for the layer an outlier lands somewhere on the circle and looks like a good '
    "value. Clipping and arctan put it to the edge.",
    "wrap": "The target has the period 2π, so whole turns lose nothing. A layer of whole frequencies does not see "
    "them. With a constant slot (or several features) its frequencies are halves: a turn of 2π flips signs, and only "
    "4π changes nothing.",
}
DOTTED = {
    "models": "Dotted: the bound for any model (functions only).",
    "degrees": "Dotted: the layer's ceiling at each P, or its ideal clean fit (functions only).",
    "scalers": "The layer alone; the classical rival is in the sentence above and in the table.",
}
ABOUT = """
**Paper** (arXiv:2510.06938): it asks whether the encoding may saturate and be sensitive. Its scaling is not known to
us.

**Our construction**: everything here. *Spoiled at test time only* is a shift of distribution: the model and the
scaler have seen clean features. *In training too* is a choice of scaling, or dirty data: the scaler is fitted on what
training sees. A fitted scaler cancels a scale and a shift of all data exactly; with the scaler "as they are" the
factor is the choice of radians a unit.

**How it is done.** A seed draws target (or split), samples, distortion and start. All models see the same angles, and
have two trials each; the one with the lowest validation loss meets the test set. Linear models and the MLP
standardise the angles by the training part, as anyone would. The MLP has at least the layer's parameters; "linear
in waves" is least squares (or logistic regression) on the layer's own frequencies. Data enter through principal
components of their three modalities, scaled to a spread of 1, so that a unit is one standard deviation.

**Lines.** Means over seeds with 95 % Student t intervals (wider for repeated splits of one data set, which share
samples). R² below −1 counts as −1. *Layer's ceiling*: the best function with the layer's frequencies on the
spoiled angles, whatever its weights. *Ideal clean fit*: the best such function on clean angles, asked at spoiled
ones; it is no bound, as another fit may be luckier. *Any model's bound*: what the distortion leaves. Differences:
95 % for all models at one strength together (Bonferroni), not for all strengths.

**What it does not show.** One target family, two small data sets, small circuits, no trained encoder before the
layer: an encoder can learn to undo a scale. The ceilings say what the spectrum allows, not what these few parameters
or this training reach. For small factors the ceiling needs huge coefficients that no training finds. That the layer
is indifferent to whole turns is no advantage over a classical model that is given sines and cosines: "linear in
waves" has it too. Outliers come from one distribution (5 to 15 units away).
"""
#: What counts as the lowest R² in means.
LOWEST = -1.0
_METRIC = {"r2": "R²", "auc": "AUC"}
_WHEN = {"test": "spoiled at test time only", "both": "spoiled in training too"}


def headline(summary: Mapping[str, Any], config: EncodingConfig, view: str, n_shown: int) -> str:
    """What the seeds so far say.

    Args:
        summary: of the seeds that are shown.
        config: of the run.
        view: ``models``, ``degrees`` or ``scalers``.
        n_shown: seeds that are finished; 0 where the first one is not.
    """
    if not n_shown:
        return ""
    planned, first = len(config.seeds), config.seeds[0]
    count = f"{n_shown} of {planned} seeds" if n_shown < planned else f"all {planned} seeds"
    start = f"After {count} (from {first} on)" if planned > 1 else f"One seed ({first})"
    rows = [row for row in summary["rows"] if row["model"] == "quantum"]
    if view == "models":
        return f"{start}, P = {config.degrees[0]}: {_layer(rows, config)} {_against(summary, config)}"
    return f"{start}: {_best_of(summary['overall'], config, 'degree' if view == 'degrees' else 'scaler')}"


def _layer(rows: list[Mapping[str, Any]], config: EncodingConfig) -> str:
    parts = []
    for when, words in _WHEN.items():
        mine = [row for row in rows if row["when"] == when]
        if mine:
            worst, best = (choose(mine, key=lambda row: row["mean"]) for choose in (min, max))
            parts.append(
                f"{words}, the layer's test {_METRIC[config.metric]} is between {_with_ends(best)} at "
                f"{tick(config.distortion, best['strength'])} and {_with_ends(worst)} at "
                f"{tick(config.distortion, worst['strength'])}"
            )
    return "; ".join(parts) + "."


def _against(summary: Mapping[str, Any], config: EncodingConfig) -> str:
    from qfl_explore.experiments.encoding_config import MODELS

    parts = []
    for when, best in summary["best_classical"].items():
        pairs = [row for row in summary["paired"] if row["when"] == when and row["model"] == best]
        if pairs:
            counts = {kind: sum(row["outcome"] == kind for row in pairs) for kind in ("better", "worse", "undecided")}
            parts.append(
                f"{_WHEN[when].capitalize()}, the best classical model over all strengths is {MODELS[best]}; the layer "
                f"is better at {counts['better']} of {len(pairs)} strengths, worse at {counts['worse']}, undecided at "
                f"{counts['undecided']}."
            )
    return " ".join(parts)


def _best_of(rows: list[Mapping[str, Any]], config: EncodingConfig, key: str) -> str:
    """Means over all strengths, of the layer by P or scaler, and of the rival at its best."""
    from qfl_explore.experiments.encoding_config import MODELS

    parts = []
    for when, words in _WHEN.items():
        mine = sorted((row for row in rows if row["when"] == when), key=lambda row: -row["mean"])
        layer = [row for row in mine if row["model"] == "quantum"]
        rivals = [row for row in mine if row["model"] != "quantum"]
        if layer:
            text = ", ".join(f"{_called(key, row[key])} {_brief(row)}" for row in layer)
            if rivals:
                rival = rivals[0]
                text += f" (rival: {MODELS[rival['model']]} with {_called(key, rival[key])} {_brief(rival)})"
            parts.append(f"{words}: {text}")
    measure = f"mean test {_METRIC[config.metric]} over all strengths, with 95 % intervals over seeds"
    return f"{measure}, {'; '.join(parts)}."


def _brief(row: Mapping[str, Any]) -> str:
    if math.isnan(row["low"]):
        return number(row["mean"], 2)
    return f"{number(row['mean'], 2)} ({number(row['low'], 2)} to {number(row['high'], 2)})"


def _called(key: str, name: Any) -> str:
    return f"P = {name}" if key == "degree" else f"{str(name).replace('_', '-')}"


def _with_ends(row: Mapping[str, Any]) -> str:
    if row["mean"] < LOWEST + 1e-9:
        return "−1 or less"
    if math.isnan(row["low"]):
        return number(row["mean"])
    return f"{number(row['mean'])} (95 % interval {number(row['low'])} to {number(row['high'])})"


def picture_note(trace: Trace, distortion: str, strength: float, when: str, scaler: str) -> str:
    """Under the live picture: how many values wrap around or are saturated."""
    low, high = trace.feature_range
    n, half = len(trace.raw), round(high / math.pi)
    outside, saturated = int(trace.outside.sum()), int((trace.saturated & ~trace.outside).sum())
    ends = f"±{'' if half == 1 else half}π"
    shown = f"{n} of {trace.n_samples}" if n < trace.n_samples else f"all {n}"
    return (
        f"First feature, {shown} test samples of seed {trace.seed}, {tick(distortion, strength)} "
        f"{_WHEN[when]}, scaler {scaler!r}. {outside} of them leave the circuit's range {ends} (dashed) and wrap "
        f"around: to the circuit they are the same as values inside. {saturated} are saturated: clipped, or the "
        f"scaler is so flat there that they are nearly one angle. On the circle, outer rings are whole turns later: "
        f"the same point"
        + (", but with the opposite sign on every other ring, which this layer can see." if half == 2 else ".")
    )


def outside_words(rows: list[Mapping[str, Any]]) -> str:
    """The layer's own warning, for the strengths that are shown; empty where nothing leaves the range."""
    most = max((row["share_outside"] for row in rows), default=0.0)
    if most == 0.0:
        return ""
    return (
        f"Up to {100 * most:.0f} % of the test angles leave the circuit's stated range here; the Keras layer "
        "warns about that (EncodingRangeWarning)."
    )


def status(item: Progress | None, config: EncodingConfig) -> str:
    """What the run is busy with."""
    if item is None:
        return ""
    from qfl_explore.experiments.encoding_config import MODELS

    where = f"seed {config.seeds.index(item.seed) + 1} of {len(config.seeds)} · P = {item.degree}"
    if len(config.scalers) > 1:
        where += f" · {item.scaler}"
    seen = "clean" if math.isnan(item.strength) else tick(config.distortion, item.strength)
    return f"{where} · {seen} · {MODELS[item.model]}"


def snippet(config: EncodingConfig) -> str:
    """Python source that repeats what the page shows."""
    return "\n".join(
        [
            "import pandas as pd",
            "",
            "from qfl_explore.experiments.encoding import EncodingConfig, run",
            "",
            *config_lines(config),
            "result = run(config)  # ten seconds or more",
            "print(result.table)",
            *TABLES,
        ]
    )

"""The words of the page Noise: headline, tables, snippet, what it does not show. Pure functions."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts import look
from qfl_explore.dashboards.parts.wording import number
from qfl_explore.dashboards.share.code import TABLES, config_lines

if TYPE_CHECKING:
    from qfl_explore.experiments.noise import Progress
    from qfl_explore.experiments.noise_config import NoiseConfig

INTRO = (
    "Does a layer survive noise? Every gate, every moment and every reading errs a little, and depth pays for each of "
    "them. Move the strength: the curve is computed exactly, for a layer that was trained without noise."
)
ABOUT = """
**Paper** (arXiv:2510.06938): leaves open whether the layer survives noise.

**Our construction**: everything here.

*Where noise acts.* On the physical form of the circuit: uncontrolled rotations and two-qubit gates only (UCRY), and
RX·RY·RZ of a block as one gate. Gates start as soon as their qubits are free, which makes moments. After each moment:
depolarising on the qubits of each gate, then dephasing and amplitude damping on *every* qubit, idle ones too.
Readings of a bit err at the end.

*A device*: the medians that cirq_google 1.5.0 ships for Google's processor Weber (2021-11-03). Pauli errors 0.24 %
(one qubit) and 2.1 % (√iSWAP) less what decoherence explains, T1 = 15.2 µs, T_φ = 28.0 µs, 32 ns a moment, readings
wrong by 0.9 % (of 0) and 5.1 % (of 1). Every pair of qubits is taken as coupled, and every CZ or CNOT as one native
gate: both are optimistic.

*Three ways to meet noise.* "As trained": circuit and readout never saw any. "Readout fitted anew": the linear readout
is fitted to noisy features. "Trained with noise": the circuit too, with exact gradients of the noisy circuit.
Readouts and scores use expectation values from T repetitions of each observable. One learning rate for every
circuit, three penalties for every readout, chosen on a validation part.

*Equal feature noise for classical models.* We measure how noise and repetitions move the layer's features: they
shrink towards their mean, shift, and scatter about a line. Each classical feature (a wave, a hidden unit, a measure)
is moved alike, in its own standard deviations. Two circuits are measured, trained without and with noise; classical
models whose readout adapts get the gentler of the two. What gate noise does beyond shrinking and shifting is partly
systematic; the classical models get it as independent scatter, which is harder to undo: that favours the layer. And
a real computer gives classical models no noise at all: what the layer really competes with is their score at
strength 0.

*Decisions with P queries.* Two oracles differ by 0 or δ = π/P; the joint protocol runs as the layer that it is a
member of. "Same loss": a separable strategy whose excess over ½ shrinks as the protocol's does.

**What it does not show.** Zero-noise extrapolation: the library for it (mitiq) does not install beside the pinned
cirq, so there is none. No crosstalk, leakage, drift, routing between distant qubits, or error correction. A few seeds
and small registers. Intervals are Student t over seeds, 95 %, wider for splits that share samples; "at its best"
picks the best way to meet the noise for each model by its mean on the test part, alike for all.
"""
TABLE_STYLE = look.TABLE_STYLE
_SCORE = {"polynomial": "test R²", "breast_cancer": "test AUC", "separation": "share of right decisions"}
_WAYS = {"clean": "as trained", "refit": "readout fitted anew", "noisy": "trained with noise"}
_MODELS = {
    "fourier": "least squares on the layer's own waves",
    "measures": "logistic regression on all 30 measures",
    "angles": "logistic regression on the layer's angles",
    "network": "network of matched size",
}


def nearest(strengths: Sequence[float], strength: float) -> float:
    """The strength of the settings that is closest to the curve's.

    >>> nearest((0.0, 0.01, 0.1), 0.03)
    0.01
    """
    return min(strengths, key=lambda one: abs(one - strength))


def headline(summary: Mapping[str, Any], config: NoiseConfig, degree: int, strength: float) -> str:
    """What the seeds so far say at one degree and strength."""
    rows = _rows(summary, degree, strength)
    if config.task == "separation":
        return _decisions(rows, _rows(summary, degree, 0.0), summary, config, degree, strength)
    ours = {way: rows.get(("quantum", way)) for way in _WAYS}
    before = _rows(summary, degree, 0.0).get(("quantum", "clean"))
    if any(row is None for row in (*ours.values(), before)):
        return ""
    ways = ", ".join(f"{_ends(ours[way])} {words}" for way, words in _WAYS.items())
    text = (
        f"{_noise(config, strength)}, P = {degree}, {_seeds(before, config)}, {_repetitions(config)}: the layer's "
        f"{_SCORE[config.task]} is {ways}; without noise it was {number(before['mean'])}. "
    )
    return text + _rival(summary, degree, strength)


def _decisions(
    rows: Mapping[Any, Any],
    before: Mapping[Any, Any],
    summary: Mapping[str, Any],
    config: NoiseConfig,
    degree: int,
    strength: float,
) -> str:
    joint, separable = rows.get(("joint", "none")), rows.get(("separable", "none"))
    if joint is None or separable is None or ("joint", "none") not in before:
        return ""
    side = (
        "above" if joint["low"] > separable["mean"] else "below" if joint["high"] < separable["mean"] else "level with"
    )
    lost = [s for s in config.strengths if _lost(_rows(summary, degree, s))]
    limit = f" Among the strengths tried it first falls below that at {lost[0]:g}." if lost else ""
    return (
        f"{_noise(config, strength)}, {degree} queries, {_seeds(joint, config)}: the joint protocol decides rightly "
        f"with {_ends(joint)}, {side} the best separable strategy found with as many noiseless queries "
        f"({number(separable['mean'])}).{limit}"
    )


def _lost(rows: Mapping[Any, Any]) -> bool:
    joint, separable = rows.get(("joint", "none")), rows.get(("separable", "none"))
    return joint is not None and separable is not None and joint["mean"] < separable["mean"]


def _rival(summary: Mapping[str, Any], degree: int, strength: float) -> str:
    pairs = [p for p in summary["paired"] if p["degree"] == degree and p["strength"] == strength]
    if not pairs:
        return ""
    best = min(pairs, key=lambda pair: pair["mean"])
    name = f"{_MODELS[best['model']]}, {_WAYS[best['training']]}"
    plain = _undisturbed(summary, degree)
    if best["n_seeds"] < 3:
        said = f"Best classical model with equal feature noise: {name}; one or two seeds say nothing about differences."
        return said + plain
    rival = _rows(summary, degree, strength).get((best["model"], best["training"]))
    score = f" at {number(rival['mean'])}" if rival else ""
    ends = f"difference {number(best['mean'])}, {number(best['low'])} to {number(best['high'])}"
    whose = f"the best classical model with equal feature noise ({name}{score}; {ends})."
    if best["outcome"] == "undecided":
        return f"Undecided between the layer at its best and {whose}{plain}"
    return f"At its best it is {'above' if best['mean'] > 0 else 'below'} {whose}{plain}"


def _undisturbed(summary: Mapping[str, Any], degree: int) -> str:
    """The best classical score without any noise, which is what an ordinary computer has."""
    rows = _rows(summary, degree, 0.0).items()
    scores = [(row["mean"], model) for (model, _), row in rows if model in _MODELS]
    if not scores:
        return ""
    score, model = max(scores)
    return f" On an ordinary computer, without noise: {number(score)} ({_MODELS[model]})."


def _rows(summary: Mapping[str, Any], degree: int, strength: float) -> dict[tuple[str, str], Mapping[str, Any]]:
    rows = [row for row in summary["rows"] if row["degree"] == degree and row["strength"] == strength]
    return {(row["model"], row["training"]): row for row in rows}


def _noise(config: NoiseConfig, strength: float) -> str:
    names = {
        "depolarizing": "Depolarising",
        "dephasing": "Dephasing",
        "amplitude_damping": "Amplitude damping",
        "readout": "Readout error",
        "device": "Device noise times",
    }
    return f"{names[config.kind]} {strength:g}"


def _seeds(row: Mapping[str, Any], config: NoiseConfig) -> str:
    planned = len(config.seeds)
    count = f"{planned} seeds" if row["n_seeds"] == planned else f"{row['n_seeds']} of {planned} seeds"
    return f"{count} (from {config.seeds[0]} on)"


def _repetitions(config: NoiseConfig) -> str:
    return "exact values" if config.repetitions is None else f"T = {config.repetitions}"


def _ends(row: Mapping[str, Any]) -> str:
    if math.isnan(row["low"]):
        return number(row["mean"])
    return f"{number(row['mean'])} ({number(row['low'])} to {number(row['high'])})"


def score_table(summary: Mapping[str, Any], config: NoiseConfig, degree: int) -> str:
    """A row a strength: every model, with intervals, and how far features shrink and scatter."""
    names = {(row["model"], row["training"]): None for row in summary["rows"]}
    if not names:
        return ""
    from qfl_explore.experiments.noise import MODELS

    heads = ["Strength", *(html.escape(MODELS[m] + (f", {_WAYS[t]}" if t in _WAYS else "")) for m, t in names)]
    quantum = "quantum" if config.task != "separation" else "joint"
    heads += ["Shrink", "Scatter"] if quantum == "quantum" else ["Excess over ½ kept"]
    lines = []
    for strength in config.strengths:
        rows = _rows(summary, degree, strength)
        cells = [_cell(rows.get(name)) for name in names]
        ours = next((row for (model, _), row in rows.items() if model == quantum), None)
        sizes = ("shrink", "scatter") if quantum == "quantum" else ("shrink",)
        cells += ["–" if ours is None else number(ours[size]) for size in sizes]
        body = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row">{strength:g}</th>{body}</tr>')
    caption = f"P = {degree}: mean {_SCORE[config.task]} and 95 % interval over seeds."
    return _table(caption, heads, lines)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    if math.isnan(row["low"]):
        return number(row["mean"])
    return f"{number(row['mean'])} <small>({number(row['low'])} to {number(row['high'])})</small>"


def gate_table(counts: Mapping[int, Mapping[str, Mapping[str, int]]]) -> str:
    """Gates of both forms, a row for each degree.

    Args:
        counts: P -> what ``circuits.noise.gate_counts`` gives.
    """
    heads = [
        "Degree P",
        "Written: one qubit",
        "two qubits",
        "more",
        "widest gate (qubits)",
        "Physical: one qubit",
        "two qubits",
        "moments",
    ]
    lines = []
    for degree, forms in counts.items():
        written, physical = forms["multi_controlled"], forms["physical"]
        cells = [written[name] for name in ("one_qubit", "two_qubit", "larger", "widest")]
        cells += [physical[name] for name in ("one_qubit", "two_qubit", "depth")]
        body = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row">{degree}</th>{body}</tr>')
    caption = (
        "Gates of both forms: as it is written, with multi-controlled rotations, and as it runs under noise (UCRY: "
        "rotations and two-qubit gates only). RX, RY and RZ of one block count as one gate."
    )
    return _table(caption, heads, lines)


def _table(caption: str, heads: Sequence[str], lines: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<p>{caption}</p><div class="wide" tabindex="0">{table}</div>'


def curve_note(config: NoiseConfig, degree: int, strength: float, seconds: float) -> str:
    """Under the curve: what it is, and how long it took."""
    seed = "" if config.task == "separation" else f" Seed {config.seeds[0]}."
    what = f"{_noise(config, strength)}, P = {degree}: exact density matrices, no repetitions.{seed}"
    return f"{what} Drawn in {seconds:.2f} s."


def checked_note(rows: Sequence[Mapping[str, float]], n_points: int, n_trajectories: int) -> str:
    """How far the averages of trajectories are from the exact curve; empty while there is no point."""
    if not rows:
        return ""
    near = sum(abs(row["value"] - row["exact"]) <= 4 * row["error"] + 1e-6 for row in rows)
    so_far = "" if len(rows) == n_points else f" ({n_points - len(rows)} points to come)"
    return (
        f"Trajectories, {n_trajectories} a point: {near} of {len(rows)} within 4 standard errors of the curve{so_far}."
    )


def status(item: Progress | None, config: NoiseConfig) -> str:
    """What the run is busy with."""
    if item is None:
        return ""
    where = f"seed {config.seeds.index(item.seed) + 1} of {len(config.seeds)} · P = {item.degree}"
    if config.task == "separation":
        return where
    strength = "without noise" if item.strength is None else f"strength {item.strength:g}"
    return f"{where} · {strength} · step {item.step} of {config.n_steps}"


def snippet(config: NoiseConfig, degree: int, strength: float) -> str:
    """Python source that repeats what the page shows."""
    return "\n".join(
        [
            "import pandas as pd",
            "",
            "from qfl_explore.experiments.noise import NoiseConfig, run",
            "from qfl_explore.experiments.noise_curve import curve",
            "",
            *config_lines(config),
            f"line = curve(config, degree={degree}, strength={strength:g}, seed=config.seeds[0])  # exact",
            "print(line)",
            "result = run(config)  # half a minute or more",
            "print(result.table)",
            *TABLES,
        ]
    )

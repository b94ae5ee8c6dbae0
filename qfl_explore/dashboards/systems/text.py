"""The words of the page Systems: headline, table, snippet, what it does not show. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts import look
from qfl_explore.dashboards.parts.wording import grouped, number
from qfl_explore.dashboards.share.code import config_lines

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.systems_config import SystemsConfig

INTRO = (
    "Three quantum fusion systems on one task, with the same encoders, trials and epochs as classical methods: the "
    "Quantum Fusion Layer, cross-attention between a classical and a quantum branch, and a network that entangles "
    "modalities and pools them."
)
ABOUT = """
**Papers.** The Quantum Fusion Layer is arXiv:2510.06938. *Cross-attention mid-fusion* (arXiv:2512.19180): classical and
quantum network as two modalities, a hardware-efficient ansatz of at most nine qubits, quantum-derived tokens that
classical features ask through attention with a residual connection; the variants are its ablation. *Feature
entanglement* (arXiv:2601.07856): unimodal modules, an interpretable quantum fusion block, a QCNN, linear cost.

**Our construction.** We hold summaries of the two siblings' papers, not their settings. So ours are: which rotations
and entanglers, one token a qubit (its X, Y and Z), layer normalisation after the sum, all widths; couplings
exp(−iθZZ/2) between neighbouring modalities, convolutions of three rotations and a CZ, pooling as a measurement with a
turn that follows from it; the split of a decision; the protocol, the tasks' samples and every number here.

*Sizes.* The Quantum Fusion Layer's parameters are the budget. Every other network is the smallest of its kind with at
least as many; attention's smallest width has more, which the table shows.

*Controls.* "Cross: no circuit" puts a dense layer where the circuit was, all else equal. "Entangl.: not joined" has no
coupling between modalities, so its joint term is 0.

*Parts of a decision.* The QCNN is one observable on the state that the fusion block leaves. The value splits exactly
into a constant, each modality alone, their product (decided together, without entanglement) and the joint term, which
is 0 for every product state. A large joint term says that entanglement is used, not that it is needed: a network
without it may decide as well, and the control shows whether it does.

**What it does not show.** The papers' figures stand beside as context: their splits, features, sizes and tuning are not
ours. A few seeds on small samples tell large differences only. Everything is simulated exactly, without noise or
repetitions. Attention weights say where a query looks, not why. Intervals are Student t over seeds (95 %), wider where
splits of the same samples are drawn anew; p-values by Holm's method over all pairs of the table.
"""
TABLE_STYLE = (
    look.TABLE_STYLE
    + """
td { white-space: nowrap; }
"""
)
_SYSTEMS = ("quantum", "cross_attention", "feature_entanglement")
_OUTCOMES = {"higher": "is above", "lower": "is below", "undecided": "cannot be told apart yet from"}
_SHORT = {
    "quantum": "the Quantum Fusion Layer",
    "cross_attention": "cross-attention",
    "feature_entanglement": "feature entanglement",
    "cross_dense_tokens": "its control without a circuit",
    "cross_classical_only": "its classical branch alone",
    "entanglement_none": "its control without entanglement between modalities",
}


def headline(summary: Mapping[str, Any], config: SystemsConfig) -> str:
    """What the finished seeds say: scores with intervals, and who differs from the best classical method."""
    rows = {row["method"]: row for row in summary["methods"]}
    if not rows:
        return ""
    n_seeds = min(row["n_seeds"] for row in rows.values())
    where = f"{'So far, ' if n_seeds < len(config.seeds) else ''}{n_seeds} {'seed' if n_seeds == 1 else 'seeds'}"
    scores = [f"{_SHORT[name]} {_score(rows[name])}" for name in _SYSTEMS if name in rows]
    best = summary["best_classical"]
    if best and best not in _SHORT:
        scores.append(f"best classical ({rows[best]['title']}) {_score(rows[best])}")
    elif best:
        scores.append(f"best without a circuit ({rows[best]['title']}) {_score(rows[best])}")
    said = f"{where} (from {config.seeds[0]} on), macro F1: {'; '.join(scores)}."
    if n_seeds < 3:
        return f"{said} One or two seeds say nothing about differences."
    return " ".join([said, *_differences(summary, best)])


def _score(row: Mapping[str, Any]) -> str:
    span = f" ({number(row['f1_low'])} to {number(row['f1_high'])})" if row["f1_low"] == row["f1_low"] else ""
    return f"{number(row['f1'])}{span}"


def _differences(summary: Mapping[str, Any], best: str) -> list[str]:
    said = []
    for row in summary["pairs"]:
        first, second = row["first"], row["second"]
        if second == best and first in _SYSTEMS:
            said.append((row["outcome"], _SHORT[first]))
    parts = []
    for outcome, words in _OUTCOMES.items():
        names = [name for found, name in said if found == outcome]
        if names:
            text = " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), names[-1]])
            parts.append(f"{text[0].upper()}{text[1:]} {_plural(words, len(names))} the best classical method.")
    controls = [row for row in summary["pairs"] if (row["first"], row["second"]) in _CONTROLS]
    for row in controls:
        name = _SHORT[row["first"]]
        parts.append(f"{name[0].upper()}{name[1:]} {_OUTCOMES[row['outcome']]} {_SHORT[row['second']]}.")
    return parts


_CONTROLS = (("cross_attention", "cross_dense_tokens"), ("feature_entanglement", "entanglement_none"))


def _plural(words: str, count: int) -> str:
    return words if count == 1 else words.replace("is ", "are ", 1)


def method_table(summary: Mapping[str, Any]) -> str:
    """Scores, parameters and seconds of every method, as HTML."""
    head = ("macro F1 (95 %)", "accuracy", "AUC", "parameters", "seconds")
    rows = [
        (
            row["title"],
            _score(row),
            number(row["accuracy"]),
            number(row["auc"]) if "auc" in row else "–",
            grouped(row["n_parameters"]),
            f"{row['seconds']:.1f}",
        )
        for row in summary["methods"][::-1]
    ]
    table = _table("Means over seeds; seconds of all trials of one seed on this machine", ("method", *head), rows)
    skipped = "".join(
        f"<p>{html.escape(row['method'])}: {html.escape(row['reason'])}</p>" for row in summary["skipped"]
    )
    return f'<div class="wide">{table}</div>{skipped}' if rows else ""


def pair_table(summary: Mapping[str, Any]) -> str:
    """Paired differences in macro F1, as HTML."""
    titles = {row["method"]: row["title"] for row in summary["methods"]}
    rows = [
        (
            f"{titles[row['first']]} − {titles[row['second']]}",
            f"{number(row['difference'])} ({number(row['difference_low'])} to {number(row['difference_high'])})",
            f"{row['p_adjusted']:.3g}",
            row["outcome"],
        )
        for row in summary["pairs"]
        if row["n_seeds"] > 1
    ]
    head = ("paired difference", "macro F1 (95 %)", "p, adjusted", "outcome")
    return f'<div class="wide">{_table("Seed by seed", head, rows)}</div>' if rows else ""


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>{"".join(f"<td>{html.escape(str(x))}</td>" for x in rest)}</tr>'
        for first, *rest in rows
    )
    return f"<table><caption>{caption}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def attention_note(title: str, seed: int, n: int, table: pd.DataFrame) -> str:
    """How sharp attention is, beside equal weights."""
    even = 1 / table["token"].nunique()
    top = table.groupby("query")["weight"].max()
    return (
        f"{title}: mean over {n} test samples, seed {seed}; each row sums to 1, equal weights are {number(even, 2)}. "
        f"Largest mean weight of a row: {number(float(top.min()), 2)} to {number(float(top.max()), 2)}."
    )


def sample_note(rows: pd.DataFrame, n: int) -> str:
    """Which sample is shown, and what was chosen."""
    first = rows.iloc[0]
    verdict = "rightly" if first["label"] == first["chosen"] else f"wrongly (it is {first['label']})"
    return f"Test sample {int(first['sample']) + 1} of {n}: chosen {first['chosen']}, {verdict}."


def status(step: Any, config: SystemsConfig, title: str) -> str:
    """Which seed, method and trial is trained."""
    place = f"seed {config.seeds.index(step.seed) + 1} of {len(config.seeds)} · {title}"
    if step.stage == "loading":
        return f"{place}: loading TensorFlow"
    if step.stage == "training":
        return f"{place}, trial {step.trial + 1}, epoch {max(step.epoch, 0)}"
    return place


def snippet(config: SystemsConfig) -> str:
    """Python source that gives the page's numbers again."""
    lines = [
        "from qfl_explore.experiments.systems import SystemsConfig, run",
        "",
        *config_lines(config),
        "result = run(config)  # a minute or more",
        "print(result.scores)",
        "print(result.summary())",
    ]
    return "\n".join(lines)

"""Words of the page Separation: headlines that state a result honestly, boxes, and Python sources."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts import look
from qfl_explore.theory.rank_wall import least_error, needed_rank

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.rank_wall import RankWallConfig
    from qfl_explore.experiments.separation import SeparationConfig
    from qfl_explore.experiments.separation_learn import LearnConfig

WHOSE = (
    "**Whose claim is what.** That separate (incoherent) access to data can cost more queries than joint access is the "
    "paper's theme (arXiv:2510.06938), and so is the form of the layer, S and U in turn. The phase-difference problem, "
    "its circuit, the query ladders, the learning study and the rank wall are **our construction**: the text of the "
    "paper's own separation problem is not known to us. That no protocol needs fewer queries follows from Acín "
    "(quant-ph/0102064) and Duan, Feng and Ying (quant-ph/0601150). Signal processing: Low and Chuang "
    "(arXiv:1606.02685); the phases are found by pyqsp (arXiv:2105.02859)."
)
PROOF = """
Why no separable strategy is ever exact, in five steps.

1. Separable means: one lab queries only A, another only B, as often as they like; at the end somebody measures both
   registers together. Before that, the state is α(θ) ⊗ β(θ′).
2. To be *certain*, every state of the case "equal" must be perpendicular to every state of the case "different", for
   all base angles θ and φ: ⟨α(θ)|α(φ)⟩ · ⟨β(θ)|β(φ + δ)⟩ = 0.
3. With finitely many queries each factor is a finite sum of waves in θ and φ, a *trigonometric polynomial*. Such a
   function is either zero everywhere or almost nowhere.
4. A product of two functions that are almost nowhere zero is almost nowhere zero. So one factor would have to vanish
   everywhere.
5. But the first is 1 at φ = θ, and the second is 1 at φ = θ − δ. So the product is not zero everywhere, and there is
   a base at which the separable strategy errs. □

The joint protocol escapes at step 1: A and B act *in turn on one qubit*, and A · Z B Z = exp(i(θ − θ′)X): the unknown
base cancels before anything is measured.
"""
NOT_SHOWN = {
    "queries": (
        "It separates *access to oracles*, not function approximation. Nobody may look "
        "at θ here; whoever is given the angles as numbers answers with one subtraction, and cos 6(θ − θ′) has rank "
        "2 for LMF. The oracles are noiseless and coherent; data in a table are neither. The separable curve is the "
        "best *found* among parallel phase-ladder strategies, not a proven maximum; that it stays below 1 is "
        "proven. For Boolean questions such as XOR (part Polynomials) no separation is claimed: both oracles can be "
        "identified separately there."
    ),
    "learning": (
        "The layer is trained on exact expectation values, that is on unlimited "
        "repetitions of the oracles, and only *used* with P calls; the models of outcomes train on samples, and "
        "what limits them is the ceiling of the outcomes, not the sample. One call of S counts as one query even "
        "where training put the index into superposition. The three models that are given the angles solve the task "
        "too, with no quantum computer: the difference is in what may be asked, not in what can be learned. The "
        "outcomes are measured one group at a time in fixed directions; cleverer separate strategies reach the "
        "dashed line, and none reaches 1."
    ),
    "rank": (
        "It does not show that quantum layers approximate better. The target was chosen to be hard for "
        "LMF and for nothing else: a product of sums is easy to write down, and a small network fits it "
        "well with fewer parameters than LMF needs at its wall. At the wall LMF is exact and the "
        "layer is not. Shared slots, two layers of fusion or another basis would move LMF's wall."
    ),
    "signal": (
        "A curve drawn with exact expectation values needs no quantum computer; signal "
        "processing pays where the signal a is an eigenvalue of a large operator. For several signals (M-QSP) no "
        "complete and correct rule of what is achievable is used here: the published theorem has a gap "
        "(Mori, Mizuta and Fujii, Quantum 8, 1512), so each sequence below is simply computed."
    ),
}
TABLE_STYLE = (
    look.TABLE_STYLE
    + """
table { width: auto; }
td:not(:last-child) { white-space: nowrap; }
td:first-child { text-align: left; }
"""
)


def problem(n_oracles: int) -> str:
    """The question in words."""
    if n_oracles == 2:
        return (
            "Oracle A turns a qubit by an unknown angle θ, oracle B by θ′. You are promised that θ′ is either θ or "
            "θ + δ; θ itself can be anything. Which is it? (Our construction.)"
        )
    letters = [chr(ord("A") + m) for m in range(n_oracles)]
    total = "".join((" − " if m % 2 else " + " if m else "") + f"θ_{letter}" for m, letter in enumerate(letters))
    return (
        f"Oracles {', '.join(letters)} turn a qubit by unknown angles. You are promised that {total} is either 0 or δ; "
        "everything else about the angles is unknown. Which is it? (Our construction.)"
    )


def probability(value: float) -> str:
    """Three digits; exactly 0 or 1 only where it is."""
    if value != value:
        return "–"
    text = f"{value:.3f}"
    return text if text not in ("1.000", "0.000") or value in (0.0, 1.0) else f"{value:.6f}"


def span(low: float, high: float) -> str:
    """An interval in words; none where there is one value only."""
    return "no interval" if low != low else f"95 % interval {low:.3f} to {high:.3f}"


def queries_sentence(config: SeparationConfig, summary: Mapping[str, Any]) -> str:
    """The headline of the query ladder."""
    if summary["joint"] != summary["joint"]:
        return "Running the circuit, rung by rung …"
    n_right = round(summary["joint"] * config.n_trials)
    joint = (
        f"With {config.n_queries} queries in one register the answer is certain: {n_right} of {config.n_trials} "
        f"drawn trials were right (95 % interval {summary['joint_low']:.4f} to 1, seed {config.seed}); fewer never "
        "suffice."
    )
    if summary["separable"] != summary["separable"]:
        return f"{joint} Searching for the best separable strategies …"
    return (
        f"{joint} The best separable strategy found with the same {config.n_queries} queries is right with probability "
        f"{summary['separable']:.3f} ({config.n_starts} starts); no separable strategy is ever exact."
    )


def formula_sentence(config: SeparationConfig) -> str:
    """Queries that certainty takes, with the numbers put in."""
    exact = config.n_oracles * math.pi / (2 * config.delta)
    rounded = f" = {exact:.1f}, rounded up to whole rounds: {config.n_queries}"
    whole = abs(exact - config.n_queries) < 1e-6
    return (
        f"δ = {math.degrees(config.delta):.0f}° = {config.delta:.4f} rad. M π / (2δ) = {config.n_oracles} · π / (2 · "
        f"{config.delta:.4f})" + (f" = {config.n_queries} queries." if whole else f"{rounded} queries.")
    )


def learning_sentence(config: LearnConfig, models: Sequence[Mapping[str, Any]]) -> str:
    """The headline of the learning study, from the rows that are finished."""
    rows = {(row["model"], row["n_queries"]): row for row in models}
    most = max(config.degrees)
    quantum = rows.get(("quantum", most))
    if quantum is None:
        return "Training …"
    n_seeds = quantum["n_seeds"]
    text = (
        f"With {most} calls the layer, trained on {config.n_train} labelled angles, is right with probability "
        f"{probability(quantum['success'])} (mean of {n_seeds} seed{'s' if n_seeds > 1 else ''}, "
        f"{span(quantum['low'], quantum['high'])}; worst seed {probability(quantum['worst'])}; bound "
        f"{probability(quantum['ceiling'])})."
    )
    others = [rows.get((model, most)) for model in ("lmf", "tfn", "mlp")]
    if all(others):
        values = ", ".join(probability(row["success"]) for row in others)
        text += (
            f" On outcomes of the same {most} queries, asked separately, LMF, TFN and MLP reach {values}; their "
            f"ceiling is {probability(others[0]['ceiling'])}."
        )
    given = [rows.get((f"{model}_angles", 0)) for model in ("lmf", "tfn", "mlp")]
    if all(given):
        text += f" Given the angles as numbers they reach {', '.join(probability(row['success']) for row in given)}."
    return text


def rank_sentence(config: RankWallConfig, models: Sequence[Mapping[str, Any]]) -> str:
    """The headline of the rank wall, from the rows that are finished."""
    wall = needed_rank(config.n_modalities)
    rows = {(row["model"], row["size"]): row for row in models}
    text = f"The odd|even unfolding of f has rank {wall}, so LMF needs R ≥ {wall}."
    below, there = rows.get(("lmf", wall - 1)), rows.get(("lmf", wall))
    if below:
        least = least_error(config.n_modalities, wall - 1)
        text += f" At R = {wall - 1} its median error is {below['median']:.3f} (least possible {least:.3f})"
        text += f"; at R = {wall} it is {there['median']:.0e} ({there['n_parameters']} parameters)." if there else "."
    for model, name in (("quantum", "layer"), ("mlp", "network")):
        found = [row for row in models if row["model"] == model]
        if found:
            best = min(found, key=lambda row: row["median"])
            text += f" The best {name} here reaches {best['median']:.0e} with {best['n_parameters']} parameters."
    n_seeds = max((row["n_seeds"] for row in models), default=0)
    return text + (f" Medians of {n_seeds} seeds, {config.n_train} samples each." if n_seeds else "")


def signal_sentence(summary: Mapping[str, Any]) -> str:
    """The headline of a typed polynomial."""
    pieces = "one sequence" if summary["n_sequences"] == 1 else "an even and an odd sequence"
    scaled = "" if summary["factor"] == 1.0 else f" It was scaled by {summary['factor']:.4f} to stay below 1."
    return (
        f"Degree {summary['degree']}: {pieces}, {summary['n_queries']} queries of the signal. Phases from pyqsp "
        f"give the polynomial to {summary['phase_error']:.0e}; on the engine {summary['backend']} the response "
        f"deviates by at most {summary['deviation']:.0e}.{scaled}"
    )


def table_html(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A small table."""
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    names = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    title = html.escape(caption)
    return f"<table><caption>{title}</caption><thead><tr>{names}</tr></thead><tbody>{cells}</tbody></table>"


def learning_table(models: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Every model and number of queries: mean, interval, ceiling."""
    rows = [
        (
            names[row["model"]],
            str(row["n_queries"]) if row["n_queries"] else "angles given",
            probability(row["success"]),
            "–" if row["low"] != row["low"] else f"{row['low']:.3f} to {row['high']:.3f}",
            probability(row["worst"]),
            probability(row["ceiling"]),
            str(row["n_seeds"]),
        )
        for row in models
    ]
    head = ("model", "queries", "mean success", "95 % interval", "worst seed", "ceiling", "seeds")
    return table_html(head, rows, "Probability of being right with one measurement") if rows else ""


def boolean_html(table: pd.DataFrame) -> str:
    """XOR, OR, AND: probability of the outcome 0 for the four pairs of angles."""
    rows = []
    for (name, pattern), group in table.groupby(["property", "pattern"], sort=False):
        values = [f"{round(value, 6) + 0.0:g}" for value in group["p0"]]
        rows.append(
            (str(name), str(pattern), *values, "yes" if (group["p0"] - group["expected"]).abs().max() < 1e-4 else "no")
        )
    head = ("property", "pattern", "0, 0", "0, π/3", "π/3, 0", "π/3, π/3", "as expected")
    return table_html(
        head, rows, "Two oracles with angles 0 or π/3: probability of the outcome 0 for (θ_A, θ_B) in rad"
    )


def engines_html(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same circuit on every engine."""
    cells = [
        (
            row["engine"],
            *(f"{round(row[name], 7) + 0.0:.7f}" if "error" not in row else "–" for name in ("equal", "different")),
            row["note"],
        )
        for row in rows
    ]
    head = ("engine", "says “equal”, equal", "says “equal”, different", "note")
    return table_html(head, cells, "The circuit on every engine, mean probability over 100 random bases")


def source(module: str, name: str, config: Any, last: str = "print(result.summary())") -> str:
    """Python that repeats a run: the settings that differ from the defaults."""
    default = type(config)() if not hasattr(config, "delta") else type(config)(delta=config.delta)
    lines = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name == "delta" and value != field.default:
            lines.append(f"    delta={value!r},  # radians, {math.degrees(value):.6g} degrees")
        elif field.name != "delta" and value != getattr(default, field.name):
            lines.append(f"    {field.name}={value!r},")
    settings = "\n".join([f"config = {name}(", *lines, ")"]) if lines else f"config = {name}()"
    return f"from qfl_explore.experiments.{module} import {name}, run\n\n{settings}\nresult = run(config)\n{last}"
